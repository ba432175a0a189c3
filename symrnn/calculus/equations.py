r"""Equations that show themselves, one a line; a sum over time is written as one.

What does not change with time, such as ∂L/∂W, collects a term from every step: `vec(∂L/∂W) = Σ_t S_{h,W,t}ᵀ ∂ℓ/∂h_t`.
Where a left side has no step of its own, the right side is therefore the term of the step t, printed under a sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import sympy

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr


class NamedEquation(NamedTuple):
    """One equation.

    Attributes:
        left: the left side.
        right: the right side; where `is_summed`, the term of the step t.
    """

    left: Expr
    right: Expr

    @property
    def is_summed(self) -> bool:
        """Whether the left side is the sum of the right side over all steps."""
        # Zero is zero at every step, and needs no sum sign.
        return all(v.time is None for v in nodes.variables(self.left)) and not nodes.is_zero(self.right)

    def latex(self, equals: str = "=") -> str:
        """The equation in LaTeX, with time as a subscript."""
        right = r"\sum_t " + factor(self.right, sympy.latex) if self.is_summed else sympy.latex(self.right)
        return f"{sympy.latex(self.left)} {equals} {right}"

    def __str__(self) -> str:
        return f"{self.left} = {f'Σ_t {factor(self.right, str)}' if self.is_summed else self.right}"

    def __repr__(self) -> str:
        return f"<{self}>"


def factor(expr: Expr, show: Callable[[Expr], str]) -> str:
    """An expression after a sum sign: in brackets where it is a sum itself or begins with a number."""
    compound = isinstance(expr, nodes.Sum) or nodes.coefficient(expr)[0] != 1
    shown = show(expr)
    if not compound:
        return shown
    return rf"\left({shown}\right)" if show is sympy.latex else f"({shown})"


class Equations:
    """What shows itself as equations, one a line."""

    @property
    def lines(self) -> tuple[NamedEquation, ...]:
        """Both sides of every equation."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """What the equations are, in a few words."""
        raise NotImplementedError

    def latex(self) -> str:
        """The equations as a LaTeX `align*`, in the notation of time as a subscript."""
        rows = (line.latex("&=") for line in self.lines)
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def __str__(self) -> str:
        return "\n".join(map(str, self.lines))

    def __repr__(self) -> str:
        return f"<{self.title}: {len(self.lines)} equations>"

    def _repr_latex_(self) -> str:
        return self.latex()
