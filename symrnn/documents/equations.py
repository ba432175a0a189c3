"""Document -> the backward equations alone, as one formula between dollar signs, for notebooks."""

from __future__ import annotations

from symrnn.documents.breaking import LATEX, break_lines
from symrnn.documents.structure import Document, EquationLine

# Ems, about what a notebook's cell is wide; MathJax breaks no lines, and a longer one would have to be scrolled.
_LINE = 44.0


def write(document: Document) -> str:
    r"""The backward equations of a step, and the sums for the parameters, as `$\begin{aligned} ... \end{aligned}$`."""
    lines = [
        line
        for section in document.sections
        if section.key in ("backward", "gradients")
        for equation in section.equations
        for line in equation.lines
    ]
    rows = " \\\\\n".join(row for line in lines for row in _rows(line))
    return f"$\\displaystyle \\begin{{aligned}}\n{rows}\n\\end{{aligned}}$"


def _rows(line: EquationLine) -> list[str]:
    first, *others = break_lines(line.right.latex, _LINE, LATEX, 2.0)
    return [f"{line.left.latex if line.left else ''} &= {first}", *(rf"&\qquad {{}} {piece}" for piece in others)]
