r"""Document -> LaTeX: a complete file, or a body for `\input` that needs only amsmath and amssymb."""

from __future__ import annotations

from dataclasses import dataclass

from symrnn.documents import escape
from symrnn.documents.breaking import LATEX, break_lines, ems
from symrnn.documents.scripts import DEFINITIONS
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
    Table,
)

_NARROW, _WIDE = 34.0, 41.0
"""Ems on a line of the standard classes (at the least), and of our own page; an equation's number takes a part."""
# Ems, all estimated for 11 pt: the number at the right, the gap before a note, the narrowest note that is worth a
# column, the indentation of further lines, an equals sign with its gaps.
_NUMBER = 3.5
_GAP = 2.0
_NARROWEST_NOTE = 8.0
_INDENT = 2.0
_RELATION = 1.5
# A box of a width of its own, since `alignat` breaks no lines in text.
_NOTE_BELOW = r"&\qquad \parbox[t]"

_PREAMBLE = r"""\documentclass[11pt]{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern}
\usepackage[a4paper, margin=27mm]{geometry}
\usepackage{microtype}
\usepackage{amsmath, amssymb}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6ex plus 0.2ex}
"""


_FONTS = "\\usepackage[T1]{fontenc}\n\\usepackage{lmodern}\n"
_FOR_ALL_ENGINES = {
    _FONTS: f"\\usepackage{{iftex}}\n\\iftutex\n\\usepackage{{fontspec}}\n\\else\n{_FONTS}\\fi\n",
    "\\usepackage{microtype}\n": "\\iftutex\\else\\usepackage{microtype}\\fi\n",  # it knows no letters of other fonts
}
"""What stands in the preamble instead where LuaLaTeX or XeLaTeX are to take the document too."""


def write_complete(document: Document) -> str:
    """A file that compiles as it is."""
    head = f"% {document.origin}\n{_PREAMBLE}"
    title = f"\\begin{{center}}\n\\Large {escape.tex(document.title)}\n\\end{{center}}"
    body = _Writer(document.name, "section*", _WIDE).write_body(document)
    if _needs_scripts(title + body):
        for line, instead in _FOR_ALL_ENGINES.items():
            head = head.replace(line, instead)
        head += DEFINITIONS
    return f"{head}\n\\begin{{document}}\n\n{title}\n\n{body}\n\\end{{document}}\n"


def write_fragment(document: Document) -> str:
    r"""A body for `\input`."""
    head = f"% {document.origin}\n% For \\input into a document with \\usepackage{{amsmath, amssymb}}.\n"
    title = f"\\subsection*{{\\raggedright {escape.tex(document.title)}}}"
    body = _Writer(document.name, "subsubsection*", _NARROW).write_body(document)
    return f"{head}{DEFINITIONS if _needs_scripts(title + body) else ''}{title}\n\n{body}"


def _needs_scripts(text: str) -> bool:
    return not text.isascii()


@dataclass(frozen=True)
class _Writer:
    """Writes the parts of a document.

    Attributes:
        name: in front of labels.
        level: the command for a section's heading.
        line: the width of a line in ems.
    """

    name: str
    level: str
    line: float

    def write_body(self, document: Document) -> str:
        """Everything under the title."""
        # Long names without hyphens would stick out into the margin otherwise.
        parts = ["\\begingroup\\sloppy", self.write_blocks(document.opening)]
        for number, section in enumerate(document.sections, 1):
            parts.append(
                f"\\{self.level}{{{number}. {escape.tex(section.heading)}}}\n\n{self.write_blocks(section.blocks)}"
            )
        return "\n".join((*parts, "\\par\\endgroup\n"))

    def write_blocks(self, blocks: tuple[Block, ...]) -> str:
        """Blocks under one another; without an empty line before equations, which would start a paragraph."""
        shown = ""
        for block in blocks:
            # An empty line ends a paragraph, and TeX would leave room above the equations twice.
            gap = "\n" if shown and not isinstance(block, Display | Centred) else ""
            shown += gap + self.write_block(block)
        return shown

    def write_block(self, block: Block) -> str:
        """One block."""
        match block:
            case Paragraph():
                lead = f"\\textbf{{{escape.tex(block.lead)}.}} " if block.lead else ""
                text = f"\\noindent {lead}{write_inline(block.parts)}".rstrip()
                return f"{text}\n"
            case Bullets():
                items = "\n".join(f"  \\item {write_inline(item)}" for item in block.items)
                return f"\\begin{{itemize}}\n  \\setlength{{\\itemsep}}{{0pt}}\n{items}\n\\end{{itemize}}\n"
            case Table():
                return _write_table(block)
            case Display():
                return self.write_display(block)
            case Centred():
                lines = " \\\\\n".join(break_lines(block.formula.latex, self.line, LATEX, _INDENT))
                return f"\\begin{{gather*}}\n{lines}\n\\end{{gather*}}\n"

    def write_display(self, display: Display) -> str:
        """Equations that align."""
        columns = max((len(equation.lines) for equation in display.equations if equation.is_row), default=1)
        # Side by side for all of the display or for none, so that equals signs align.
        columns = columns if self.fits(display, columns) else 1
        rows = [row for equation in display.equations for row in self.write_rows(equation, display, columns)]
        noted = any(line.note for equation in display.equations for line in equation.lines)
        joined = " \\\\\n".join(f"  {row}" for row in rows)
        begin = f"\\begingroup\\allowdisplaybreaks\n\\begin{{alignat*}}{{{columns + noted}}}"
        return f"{begin}\n{joined}\n\\end{{alignat*}}\n\\endgroup\n"

    def fits(self, display: Display, columns: int) -> bool:
        """Whether the lines of each equation can stand side by side."""
        total = _measure_number(display)
        for column in range(columns):
            lines = [equation.lines[column] for equation in display.equations if column < len(equation.lines)]
            total += max(_measure_left(line) for line in lines) + max(ems(line.right.latex) for line in lines)
            total += _RELATION + (_GAP if column else 0.0)
        return total <= self.line

    def write_rows(self, equation: NumberedEquation, display: Display, columns: int) -> list[str]:
        """The rows of one equation; the number stands on the last one with a formula."""
        tag = self.write_tag(equation)
        if columns > 1 and equation.is_row and len(equation.lines) > 1:
            cells = [_write_pair(line, ",") for line in equation.lines[:-1]] + [_write_pair(equation.lines[-1], "")]
            return [r" &\qquad ".join(cells) + tag]
        left = max(_measure_left(line) for e in display.equations for line in e.lines) + _RELATION
        room = self.line - _measure_number(display) - left
        note_width = _measure_notes(display, room)
        formulas: list[str] = []
        for line in equation.lines:
            rows, note = _write_line(line, room, note_width)
            formulas += [*rows, note] if note else rows
        last = max(i for i, row in enumerate(formulas) if not row.startswith(_NOTE_BELOW))
        formulas[last] += tag
        return formulas

    def write_tag(self, equation: NumberedEquation) -> str:
        """The number, and a label to refer to it."""
        if not equation.number:
            return ""
        # A prime as mathematics, not as a quotation mark.
        number = escape.tex(equation.number).replace("'", "$'$")
        return rf" \tag{{{number}}}" + (rf"\label{{{self.name}:{equation.label}}}" if equation.label else "")


def write_inline(parts: Inline) -> str:
    """Running text."""
    return "".join(f"${part.latex}$" if isinstance(part, Maths) else escape.tex(part) for part in parts)


def _write_table(table: Table) -> str:
    # Parts of the line: the first and the last column are short words and shapes, the symbols between take the rest; a
    # tenth is left for gaps.
    outer, inner = 0.26, 0.9 - 2 * 0.26
    shares = [outer, *([inner / (len(table.headings) - 2)] * (len(table.headings) - 2)), outer]
    layout = "".join(rf"p{{{share:.2f}\linewidth}}" for share in shares)
    rows = [" & ".join(rf"\textit{{{escape.tex(heading)}}}" for heading in table.headings) + r" \\ \hline"]
    rows += [" & ".join(write_inline(cell) for cell in row) + r" \\" for row in table.rows]
    lines = "\n".join(f"  {row}" for row in rows)
    begin = rf"\begin{{tabular}}{{@{{}}{layout}@{{}}}}"
    body = f"\\renewcommand{{\\arraystretch}}{{1.15}}\n{begin}\n{lines}\n\\end{{tabular}}"
    return f"\\begin{{center}}\n{body}\n\\end{{center}}\n"


# --- displayed equations ----------------------------------------------------------------------------------------------


def _measure_left(line: EquationLine) -> float:
    return ems(line.left.latex) if line.left else 0.0


def _measure_number(display: Display) -> float:
    # Half an em for each further character, as of (12)–(14).
    return _NUMBER + 0.5 * max(max(len(equation.number) - 2, 0) for equation in display.equations)


def _write_pair(line: EquationLine, end: str) -> str:
    assert line.left is not None
    return f"{line.left.latex} &= {line.right.latex}{end}"


def _measure_note(line: EquationLine) -> float:
    # Notes are set in \footnotesize, which is four fifths of the text's size.
    return 0.8 * sum(ems(part.latex) if isinstance(part, Maths) else 0.5 * len(part) for part in line.note)


def _measure_notes(display: Display, room: float) -> float:
    """What is left for notes beside the equations; 0 where they have to stand below."""
    lines = [line for equation in display.equations for line in equation.lines]
    widest = max(ems(line.right.latex) + (0.0 if line.left else 1.0) for line in lines)
    width = room - _GAP - widest
    natural = max(map(_measure_note, lines)) + 1.0
    return min(width, natural) if width >= min(_NARROWEST_NOTE, natural) else 0.0


def _write_line(line: EquationLine, room: float, note_width: float) -> tuple[list[str], str]:
    """The rows of a formula with a note beside it, or the rows and a note to stand below."""
    pieces = break_lines(line.right.latex, room if line.left else room - 1.0, LATEX, _INDENT)
    start = f"{line.left.latex} &= " if line.left else r"&\quad {} "
    rows = [start + pieces[0], *(rf"&\qquad {{}} {piece}" for piece in pieces[1:])]
    if not line.note:
        return rows, ""
    note = rf"\footnotesize {write_inline(line.note)}"
    if note_width:
        rows[0] += rf" &&\qquad \parbox[t]{{{note_width:.1f}em}}{{\raggedright{note}}}"
        return rows, ""
    below = min(_measure_note(line) + 1.0, room - _INDENT)
    return rows, rf"{_NOTE_BELOW}{{{below:.1f}em}}{{\raggedright{note}}}"
