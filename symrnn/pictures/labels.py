"""Labels of elements and wires, by the printers and in a notation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Act, Expr, Variable
from symrnn.calculus.derivation import shift
from symrnn.pictures.products import ENTRY_BY_ENTRY, seen_through
from symrnn.printers import Notation, latex, text

_PLACEHOLDER = "placeholder"


@dataclass(frozen=True)
class Labels:
    """Labels of one step.

    Attributes:
        notation: how names look.
        later: how many steps later than t the step is.
    """

    notation: Notation
    later: int = 0

    def latex(self, expr: Expr) -> str:
        """An expression in LaTeX."""
        return latex(shift(expr, self.later), self.notation)

    def text(self, expr: Expr) -> str:
        """An expression in plain text."""
        return text(shift(expr, self.later), self.notation)

    def weight(self, weights: Sequence[Expr]) -> str:
        """Weights as they stand beside a wire."""
        return r" \, ".join(self.latex(seen_through(weight)) for weight in weights)

    def sign(self, sign: str) -> str:
        """The sign in a circle: that of the product entry by entry is the notation's, if it has one."""
        has_own = sign == ENTRY_BY_ENTRY and self.notation.hadamard.startswith("\\")
        return self.notation.hadamard if has_own else sign

    def symbol(self, expr: Act) -> str:
        """A function's symbol; with a dot for its argument where it is written around that."""
        symbol = FUNCTIONS[expr.name].latex
        if "<" not in symbol:
            return symbol
        return self.template(Act(expr.name, *expr.operands), expr.operands[0])

    def template(self, expr: Expr, core: Expr) -> str:
        """An expression with a dot where its only value stands."""
        dot = Variable(_PLACEHOLDER, *core.shape)
        shown = self.latex(expr.xreplace({core: dot}))
        return shown.replace(latex(dot, self.notation), r"\cdot").replace(r"(\cdot)", r"\cdot")
