"""Displayed equations and running text in LaTeX: what fits on a line, what is numbered, and what mentions a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symrnn.cells.papers import papers_in
from symrnn.documents import escape
from symrnn.documents.breaking import LATEX, break_lines, ems
from symrnn.documents.structure import Display, EquationLine, Inline, Maths, NumberedEquation, Reference

# Ems, all estimated for 11 pt: the number at the right, the gap before a note, the narrowest note that is worth a
# column, the indentation of further lines, an equals sign with its gaps.
_NUMBER = 3.5
_GAP = 2.0
_NARROWEST_NOTE = 8.0
INDENT = 2.0
_RELATION = 1.5
_PAGE = 30.0
"""Lines of fewer ems than this are a column's: what has to be broken there begins at the left, since what is left
beside the equals sign would hold two or three factors."""
_KEPT = 7
"""Rows of an equation that stay on one page: a sum of three terms with a note below each, and the number.  More would
leave too much of a page white."""
# A box of a width of its own, since `alignat` breaks no lines in text.
_NOTE_BELOW = r"&\qquad \parbox[t]"


@dataclass(frozen=True)
class InlineWriter:
    """Writes running text.

    Attributes:
        prefix: what stands in front of labels.
        numbers: who numbers the equations.
        is_whole: whether the document is a file of its own, whose numbers are known.
        is_chinese: whether its language is Chinese.
        cites: whether papers that are named are cited as well, by the keys of `cells.papers`.
    """

    prefix: str
    numbers: str
    is_whole: bool = False
    is_chinese: bool = False
    cites: bool = False

    def words(self, words: str) -> str:
        """Words without formulas."""
        return escape.tex(words, self.is_chinese)

    def write(self, parts: Inline) -> str:
        """Running text."""
        return "".join(map(self._part, parts))

    def _part(self, part: str | Maths | Reference) -> str:
        if isinstance(part, Maths):
            return f"${part.latex}$"
        return self._mention(part) if isinstance(part, Reference) else self.words(part) + self._cite(part)

    def _cite(self, words: str) -> str:
        keys = [paper.key for paper in papers_in(words)] if self.cites else []
        return rf"~\cite{{{','.join(keys)}}}" if keys else ""

    def _mention(self, reference: Reference) -> str:
        if self.numbers == "none" or not reference.targets:
            return ""
        lead = self.words(reference.lead)
        if self.is_whole and self.numbers == "fixed":
            # Right in the first run already, when references are not known yet.
            return lead + reference.joined(lambda target: rf"\hyperref[{self.label(target[1])}]{{({target[0]})}}", "--")
        shown = reference.joined(lambda target: rf"\eqref{{{self.label(target[1])}}}", "--")
        labels = dict.fromkeys(self.label(label) for run in reference.runs for _, label in run)
        return rf"{lead}\derivedfrom{{{shown}}}{{{','.join(labels)}}}"

    def label(self, label: str) -> str:
        """The label with its prefix."""
        return f"{self.prefix}:{label}"

    def tag(self, equation: NumberedEquation) -> str:
        """The number of an equation, and a label to refer to it."""
        label = rf"\label{{{self.label(equation.label)}}}" if equation.label else ""
        if self.numbers == "none":
            return ""
        if self.numbers == "automatic":
            if not label:
                return r" \notag"
            if equation.version_of:
                return rf" \tag{{\ref{{{self.label(equation.version_of)}}}$'$}}{label}"
            return f" {label}"
        # A prime as mathematics, not as a quotation mark.
        number = escape.tex(equation.number).replace("'", "$'$")
        return rf" \tag{{{number}}}{label}" if number else ""

    @property
    def environment(self) -> str:
        """The environment of displays; without the star, rows are numbered by whoever has the fragment."""
        return "alignat" if self.numbers == "automatic" else "alignat*"


@dataclass(frozen=True)
class DisplayWriter:
    """Writes displayed equations.

    Attributes:
        line: the width of a line in ems.
        inline: writes running text, and numbers.
    """

    line: float
    inline: InlineWriter

    def write(self, display: Display) -> str:
        """Equations that align."""
        display, columns = display.in_columns(self.fits)
        hangs = self.line < _PAGE and columns == 1 and self._is_broken(display)
        equations = [self._write_rows(equation, display, columns, hangs) for equation in display.equations]
        joined = " \\\\\n".join(map(self._join, equations))
        noted = any(line.note for line in display.lines)
        environment = self.inline.environment
        begin = f"\\begingroup\\allowdisplaybreaks\n\\begin{{{environment}}}{{{columns + noted}}}"
        return f"{begin}\n{joined}\n\\end{{{environment}}}\n\\endgroup\n"

    def _join(self, rows: Sequence[str]) -> str:
        """The rows of one equation; a short one is not parted by the end of a page."""
        if self.inline.numbers == "automatic":
            rows = [row if r"\label{" in row or row.endswith(r"\notag") else rf"{row} \notag" for row in rows]
        return (" \\\\*\n" if len(rows) <= _KEPT else " \\\\\n").join(f"  {row}" for row in rows)

    def fits(self, display: Display, columns: int) -> bool:
        """Whether the lines of each equation can stand side by side."""
        total = _measure_number(display)
        for column in range(columns):
            lines = [equation.lines[column] for equation in display.equations if column < len(equation.lines)]
            total += max(_measure_left(line) for line in lines) + max(ems(line.right.latex) for line in lines)
            total += _RELATION + (_GAP if column else 0.0)
        return total <= self.line

    def _measure_room(self, display: Display) -> float:
        """What is left for the right sides."""
        return self.line - _measure_number(display) - max(map(_measure_left, display.lines)) - _RELATION

    def _is_broken(self, display: Display) -> bool:
        room = self._measure_room(display)
        return any(ems(line.right.latex) + (0.0 if line.left else 1.0) > room for line in display.lines)

    def _write_rows(self, equation: NumberedEquation, display: Display, columns: int, hangs: bool) -> list[str]:
        """The rows of one equation; the number stands on the last one with a formula."""
        tag = self.inline.tag(equation)
        if columns > 1 and equation.is_row and len(equation.lines) > 1:
            cells = [_write_pair(line, ",") for line in equation.lines[:-1]] + [_write_pair(equation.lines[-1], "")]
            return [r" &\qquad ".join(cells) + tag]
        room = self._measure_room(display)
        note_width = 0.0 if hangs else self._measure_notes(display, room)
        formulas: list[str] = []
        for line in equation.lines:
            rows, note = self._write_hanging(line, display) if hangs else self._write_line(line, room, note_width)
            formulas += [*rows, note] if note else rows
        last = max(i for i, row in enumerate(formulas) if not row.startswith(_NOTE_BELOW))
        formulas[last] += tag
        return formulas

    def _measure_notes(self, display: Display, room: float) -> float:
        """What is left for notes beside the equations; 0 where they have to stand below."""
        lines = list(display.lines)
        widest = max(ems(line.right.latex) + (0.0 if line.left else 1.0) for line in lines)
        width = room - _GAP - widest
        natural = max(map(_measure_note, lines)) + 1.0
        return min(width, natural) if width >= min(_NARROWEST_NOTE, natural) else 0.0

    def _write_line(self, line: EquationLine, room: float, note_width: float) -> tuple[list[str], str]:
        """The rows of a formula with a note beside it, or the rows and a note to stand below."""
        pieces = break_lines(line.right.latex, room if line.left else room - 1.0, LATEX, INDENT)
        start = f"{line.left.latex} &= " if line.left else "&= " if line.is_next else r"&\quad {} "
        rows = [start + pieces[0], *(rf"&\qquad {{}} {piece}" for piece in pieces[1:])]
        if not line.note:
            return rows, ""
        note = rf"\footnotesize {self.inline.write(line.note)}"
        if note_width:
            rows[0] += rf" &&\qquad \parbox[t]{{{note_width:.1f}em}}{{\raggedright{note}}}"
            return rows, ""
        return rows, _write_note_below(line, note, room)

    def _write_hanging(self, line: EquationLine, display: Display) -> tuple[list[str], str]:
        """The rows of a formula from the left margin on, and its note, in a narrow column."""
        room = self.line - _measure_number(display)
        first = f"{line.left.latex} = " if line.left else r"\quad {} = " if line.is_next else r"\quad {} "
        lead = _measure_left(line) + _RELATION if line.left else 1.0 + _RELATION
        broken = break_lines(line.right.latex, room - lead, LATEX, INDENT - lead)
        if ems(broken[0]) > room - lead:  # no place to break beside the left side: all of it goes below
            first, broken = first.rstrip(), ["", *break_lines(line.right.latex, room - INDENT, LATEX)]
        rows = [f"&{first}{broken[0]}", *(rf"&\qquad {{}} {piece}" for piece in broken[1:])]
        if not line.note:
            return rows, ""
        return rows, _write_note_below(line, rf"\footnotesize {self.inline.write(line.note)}", room)


def _write_note_below(line: EquationLine, note: str, room: float) -> str:
    below = min(_measure_note(line) + 1.0, room - INDENT)
    return rf"{_NOTE_BELOW}{{{below:.1f}em}}{{\raggedright{note}}}"


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
    return 0.8 * sum(measure_part(part) for part in line.note)


def measure_part(part: str | Maths | Reference) -> float:
    """How wide a part of running text is, in ems."""
    return ems(part.latex) if isinstance(part, Maths) else 0.5 * len(part.text if isinstance(part, Reference) else part)
