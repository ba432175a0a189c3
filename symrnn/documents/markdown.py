r"""Document -> Markdown with `$$` formulas, for GitHub (MathJax) and whatever else renders TeX (KaTeX, Jupyter).

Markdown engines look at formulas before TeX does: a backslash before a punctuation mark goes, and so do row ends.
So formulas here contain no such backslash at all (`\cr` ends a row), no `<`, and no \operatorname, which GitHub
refuses.  Every displayed formula stands between blank lines, with `$$` on lines of their own.
"""

from __future__ import annotations

import re

from symrnn.documents import escape
from symrnn.documents.breaking import LATEX, break_lines, ems
from symrnn.documents.structure import (
    Block,
    Bullets,
    Centred,
    Display,
    Document,
    EquationLine,
    Inline,
    Maths,
    NumberedEquation,
    Paragraph,
    Section,
    Table,
)

# Ems, estimated for GitHub's column of text, and by how much the further lines of a formula are shorter.
_LINE = 46.0
_INDENT = 2.0
_REWRITTEN = (
    (re.compile(r"\\operatorname\b"), r"\\mathrm"),
    # GitHub takes the backslash of \_ away, and a bare underscore is a subscript: a short rule looks like one.
    (re.compile(r"\\_"), r"\\rule{0.4em}{0.04em}"),
    (re.compile(r"\\,"), r"\\thinspace "),
    (re.compile(r"\\;"), r"\\enspace "),
    (re.compile(r"\\!"), r"\\negthinspace "),
    (re.compile(r"<"), r"\\lt "),
    (re.compile(r">"), r"\\gt "),
    (re.compile(r"\|"), r"\\vert "),
    # Last: the replacements above leave blanks before braces.
    (re.compile(r" +(?=[ }])"), ""),
)


def write(document: Document) -> str:
    """The document."""
    parts = [f"<!-- {document.origin} -->", f"# {escape.markdown(document.title)}"]
    parts += [write_block(block) for block in document.opening]
    for number, section in enumerate(document.sections, 1):
        parts.append(_section(section, number))
    return "\n\n".join(parts) + "\n"


def _section(section: Section, number: int) -> str:
    heading = f"## {number}. {escape.markdown(section.heading)}"
    return "\n\n".join((heading, *(write_block(block) for block in section.blocks)))


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
            return "\n\n".join(_equation(equation) for equation in block.equations)
        case Centred():
            return f"$$\n{maths(block.formula.latex)}\n$$"


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
    shown = (f"${maths(part.latex)}$" if isinstance(part, Maths) else escape.markdown(part) for part in parts)
    return "".join(shown).replace("\u00a0", " ")


def _equation(equation: NumberedEquation) -> str:
    tag = rf" \tag{{{equation.number}}}" if equation.number else ""
    rows = _rows(equation)
    if len(rows) == 1:
        return f"$$\n{rows[0].replace('&', '')}{tag}\n$$"
    joined = " \\cr\n".join(rows)
    return f"$$\n\\begin{{aligned}}\n{joined}\n\\end{{aligned}}{tag}\n$$"


def _rows(equation: NumberedEquation) -> list[str]:
    if equation.is_row:
        whole = r", \qquad ".join(_relation(line) for line in equation.lines)
        if ems(whole) <= _LINE:
            return [whole.replace("&", "")]
    return [row for line in equation.lines for row in _line(line)]


def _relation(line: EquationLine) -> str:
    assert line.left is not None
    return f"{maths(line.left.latex)} &= {maths(line.right.latex)}"


def _line(line: EquationLine) -> list[str]:
    left = ems(line.left.latex) + 1.5 if line.left else 2.0
    pieces = break_lines(line.right.latex, _LINE - left, LATEX, _INDENT)
    start = f"{maths(line.left.latex)} &= " if line.left else r"&\quad {} "
    rows = [start + maths(pieces[0]), *(rf"&\qquad {{}} {maths(piece)}" for piece in pieces[1:])]
    if line.note:
        remark = rf"\qquad {_remark(line.note)}"
        # A note may stick out by eight ems: it is an aside, and a row of its own would part it from its formula.
        fits = ems(pieces[-1]) + left + _note_ems(line.note) <= _LINE + 8
        rows = [*rows[:-1], f"{rows[-1]} {remark}"] if fits else [*rows, rf"&{remark}"]
    return rows


def _remark(note: Inline) -> str:
    """A note in square brackets, within a formula."""
    parts = ["[", *note, "]"]
    shown = "".join(maths(p.latex) if isinstance(p, Maths) else rf"\text{{{p}}}" for p in parts)
    return shown.replace(r"}\text{", "").replace("\u00a0", " ")


def _note_ems(note: Inline) -> float:
    # Brackets and the gap; 0.47 em is an average letter of running text.
    return 3.0 + sum(ems(part.latex) if isinstance(part, Maths) else 0.47 * len(part) for part in note)
