r"""Formulas of two things side by side in LaTeX, or one below the other where a line is a column's."""

from __future__ import annotations

from symrnn.documents import escape
from symrnn.documents.breaking import LATEX, break_lines
from symrnn.documents.structure import EquationLine, FormulaPair, FormulaPairs

_MARK = 1.5
"""Ems in front of a formula, for the mark."""
_TWO = 30.0
"""Lines of fewer ems than this hold no two formulas: half of a column would part every sum."""
_INDENT = 1.5
_BELOW = r" \\[0.6ex] "
"""Between lines, with room for the line below a term and the arrow above the next one."""


def write_side_by_side(block: FormulaPairs, line: float) -> str:
    """A row for each pair, between which a page may end.

    Args:
        block: the pairs.
        line: the width of a line in ems.
    """
    write = _write_beside if line >= _TWO else _write_below
    first, second = (rf"\textit{{{escape.tex(heading)}}}" for heading in block.headings)
    heads = _beside("", first, second) if line >= _TWO else _below("", f"{first}, and below it {second}")
    return "\\par\n" + "\n".join([heads, *(write(row, line) for row in block.rows)]) + "\n"


def _write_beside(row: FormulaPair, line: float) -> str:
    # A little less than half: a gap stays between the two.
    room = line / 2 - _MARK
    return _beside(_mark(row), _formula(row.left, room), _formula(row.right, room))


def _write_below(row: FormulaPair, line: float) -> str:
    shown = dict.fromkeys(_formula(one, line - _MARK) for one in (row.left, row.right) if one is not None)
    return _below(_mark(row), _BELOW.join(shown))


def _beside(mark: str, left: str, right: str) -> str:
    box = rf"\parbox[t]{{\dimexpr 0.5\linewidth-{_MARK}em}}"
    boxes = rf"{box}{{\raggedright {left}}}\hfill{box}{{\raggedright {right}}}"
    return rf"\noindent\makebox[{_MARK}em][l]{{{mark}}}{boxes}\par\smallskip"


def _below(mark: str, shown: str) -> str:
    box = rf"\parbox[t]{{\dimexpr \linewidth-{_MARK}em}}"
    return rf"\noindent\makebox[{_MARK}em][l]{{{mark}}}{box}{{\raggedright {shown}}}\par\smallskip"


def _mark(row: FormulaPair) -> str:
    return f"${row.mark.latex}$" if row.mark else ""


def _formula(line: EquationLine | None, room: float) -> str:
    if line is None:
        return ""
    first, *others = break_lines(line.whole.latex, room, LATEX, _INDENT)
    return _BELOW.join([f"${first}$", *(rf"\hspace*{{{_INDENT}em}}${{}} {piece}$" for piece in others)])
