r"""Document -> Markdown with `$$` formulas, for GitHub (MathJax) and whatever else renders TeX (KaTeX, Jupyter).

Markdown engines look at formulas before TeX does: a backslash before a punctuation mark goes, and so do row ends.
So formulas here contain no such backslash at all (`\cr` ends a row), no `<` and no star, and no \operatorname, which
GitHub refuses.  Every displayed formula stands between blank lines, with `$$` on lines of their own; equations that
belong together are one formula, aligned, and why they hold is text below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from symrnn.documents import escape
from symrnn.documents.breaking import LATEX, break_lines, ems
from symrnn.documents.structure import (
    WORDS,
    Algorithm,
    AlgorithmLine,
    Block,
    Bullets,
    Centred,
    Display,
    Document,
    EquationLine,
    FormulaPairs,
    Inline,
    Maths,
    NumberedEquation,
    Paragraph,
    Reference,
    Section,
    Table,
)

# Ems, so that no formula of the library's documents is wider than 900 pixels, which is what GitHub has, and by how much
# the further lines of a formula are shorter.
_LINE = 41.0
_INDENT = 2.0
_MOST_ROWS = 16
"""More rows than this are another formula: KaTeX refuses formulas of more than 1000 commands that stand for others, and
a row of the library's longest has up to thirty of them."""
_REWRITTEN = (
    (re.compile(r"\\operatorname\b"), r"\\mathrm"),
    # GitHub takes the backslash of \_ away, and a bare underscore is a subscript: a short rule looks like one.
    (re.compile(r"\\_"), r"\\rule{0.4em}{0.04em}"),
    (re.compile(r"\\,"), r"\\thinspace "),
    (re.compile(r"\\;"), r"\\enspace "),
    (re.compile(r"\\!"), r"\\negthinspace "),
    (re.compile(r"\*"), r"\\ast "),  # two of them would be emphasis
    (re.compile(r"\\\{"), r"\\lbrace "),
    (re.compile(r"\\\}"), r"\\rbrace "),
    (re.compile(r"<"), r"\\lt "),
    (re.compile(r">"), r"\\gt "),
    (re.compile(r"\|"), r"\\vert "),
    # Last: the replacements above leave blanks before braces.
    (re.compile(r" +(?=[ }])"), ""),
)


def write(document: Document) -> str:
    """The document."""
    sections = (write_section(section, number) for number, section in enumerate(document.sections, 1))
    return "\n\n".join((f"<!-- {document.origin} -->", write_opening(document), *sections)) + "\n"


def write_opening(document: Document) -> str:
    """The title, and what stands before the first section."""
    return "\n\n".join((f"# {escape.markdown(document.title)}", *map(write_block, document.opening)))


def write_section(section: Section, number: int) -> str:
    """One section."""
    heading = f"## {number}. {escape.markdown(section.heading)}"
    return "\n\n".join((heading, *map(write_block, section.blocks)))


def write_block(block: Block) -> str:
    """One block."""
    match block:
        case Paragraph():
            return " ".join(
                part for part in (f"**{block.lead}.**" if block.lead else "", write_inline(block.parts)) if part
            )
        case Bullets():
            return "\n".join(f"- {write_inline(item)}" for item in block.items)
        case Table():
            rows = [[write_inline(cell) for cell in row] for row in block.rows]
            lines = [list(block.headings), ["---"] * len(block.headings), *rows]
            return "\n".join(f"| {' | '.join(line)} |" for line in lines)
        case Display():
            return _display(block)
        case Algorithm():
            # A nested list keeps loops apart and takes formulas, which a block of code does not.
            return "\n".join(f"{'  ' * depth}- {_step(line)}" for depth, line in block.indented if line.kind != "end")
        case FormulaPairs():
            return _side_by_side(block)
        case Centred():
            return _centred(block)


def _step(line: AlgorithmLine) -> str:
    head, _, tail = WORDS[line.kind].partition("{}")
    words = (f"**{head.strip()}** " if head else "", write_inline(line.parts), f" **{tail.strip()}**" if tail else "")
    return "".join(words) + (f" \u2003{write_inline(line.note)}" if line.note else "")


_HALF = 20.0
"""Ems of one of two formulas side by side: half of a line, less the marks."""


def _side_by_side(block: FormulaPairs) -> str:
    lines = [["", *map(escape.markdown, block.headings)], ["---"] * 3]
    lines += [[_part(row.mark or ""), _half(row.left), _half(row.right)] for row in block.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _half(line: EquationLine | None) -> str:
    """A formula in a cell of a table, on lines of its own where it is long."""
    if line is None:
        return ""
    pieces = break_lines(line.whole.latex, _HALF, LATEX, _INDENT)
    return "<br>".join([f"${maths(pieces[0])}$", *(rf"$\qquad {maths(piece)}$" for piece in pieces[1:])])


def _centred(block: Centred) -> str:
    first, *others = break_lines(block.formula.latex, _LINE, LATEX, _INDENT)
    if not others:
        return f"$$\n{maths(first)}\n$$"
    return _align([f"&{maths(first)}", *(rf"&\qquad {{}} {maths(piece)}" for piece in others)])


def maths(latex: str) -> str:
    r"""A formula without anything that Markdown would take for its own.

    >>> print(maths(r"\operatorname{diag}(a) \, b"))
    \mathrm{diag}(a) \thinspace b
    """
    for pattern, replacement in _REWRITTEN:
        latex = pattern.sub(replacement, latex)
    return latex


def write_inline(parts: Inline) -> str:
    """Running text."""
    return "".join(map(_part, parts)).replace("\u00a0", " ")


def _part(part: str | Maths | Reference) -> str:
    if isinstance(part, Maths):
        return f"${maths(part.latex)}$"
    return escape.markdown(part.text if isinstance(part, Reference) else part)


# --- displayed equations ----------------------------------------------------------------------------------------------


def _display(display: Display) -> str:
    """Equations that align, with their numbers, as one formula; then why they hold, as text."""
    display, columns = display.in_columns(_fits)
    if len(display.equations) == 1 and len(display.equations[0].lines) == 1:
        (equation,) = display.equations
        rows = _line(equation.lines[0])
        if len(rows) == 1:
            return "\n\n".join((f"$$\n{rows[0].replace('&', '')}{_tag(equation)}\n$$", *_reasons(display)))
    pieces: list[list[str]] = [[]]
    for equation in display.equations:
        rows = _rows(equation, columns)
        if pieces[-1] and len(pieces[-1]) + len(rows) > _MOST_ROWS:
            pieces.append([])
        pieces[-1] += rows
    parts = [rows[start : start + _MOST_ROWS] for rows in pieces for start in range(0, len(rows), _MOST_ROWS)]
    return "\n\n".join((*map(_align, parts), *_reasons(display)))


def _align(rows: Sequence[str]) -> str:
    # Without a star, which Markdown would take for emphasis; a row without a number would get one by itself.
    joined = " \\cr\n".join(row if r"\tag{" in row else rf"{row} \notag" for row in rows)
    return f"$$\n\\begin{{align}}\n{joined}\n\\end{{align}}\n$$"


def _fits(display: Display, columns: int) -> bool:
    widths = [0.0] * columns
    for equation in display.equations:
        for column, line in enumerate(equation.lines):
            widths[column] = max(widths[column], ems(_relation(line)) + 2.0)
    return sum(widths) <= _LINE


def _rows(equation: NumberedEquation, columns: int) -> list[str]:
    """The rows of an equation; the number stands on the last one."""
    if columns > 1 and equation.is_row:
        rows = [r", &\qquad ".join(map(_relation, equation.lines))]
    else:
        rows = [row for line in equation.lines for row in _line(line)]
    return [*rows[:-1], rows[-1] + _tag(equation)]


def _tag(equation: NumberedEquation) -> str:
    return rf" \tag{{{equation.number}}}" if equation.number else ""


def _relation(line: EquationLine) -> str:
    assert line.left is not None
    return f"{maths(line.left.latex)} &= {maths(line.right.latex)}"


def _line(line: EquationLine) -> list[str]:
    left = ems(line.left.latex) + 1.5 if line.left else 2.0
    pieces = break_lines(line.right.latex, _LINE - left, LATEX, _INDENT)
    start = f"{maths(line.left.latex)} &= " if line.left else "&= " if line.is_next else r"&\quad {} "
    return [start + maths(pieces[0]), *(rf"&\qquad {{}} {maths(piece)}" for piece in pieces[1:])]


def _reasons(display: Display) -> Iterator[str]:
    """What stands beside the equations elsewhere, below them: a line of a formula holds no sentence."""
    said: dict[str, list[str]] = {}
    for equation in display.equations:
        notes = [write_inline(line.note) for line in equation.lines if line.note]
        if notes:
            # A sum that has a reason for each term, or a chain that has one for each equals sign.
            joined = ("; then " if equation.lines[-1].is_next else "; ").join(notes)
            many = "" if len(notes) == 1 or equation.lines[-1].is_next else "term by term, "
            said.setdefault(f"{many}{joined}", []).append(f"({equation.number})" if equation.number else "")
    items = [f"{', '.join(filter(None, numbers))} {reason}".strip() for reason, numbers in said.items()]
    if items:
        yield items[0] if len(items) == 1 else "\n".join(f"- {item}" for item in items)
