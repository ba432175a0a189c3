"""The Jacobians of one step at numbers: those that are written out by what is written, long ones by the chain rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from symrnn.algebra.nodes import Expr, Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.extent import show_count
from symrnn.calculus.graph import StepGraph
from symrnn.calculus.jacobian import written
from symrnn.calculus.through_time import LONGEST_BLOCK
from symrnn.printers import text

Evaluate = Callable[[Expr], Array]


class StepBlocks:
    """The Jacobians of a cell's variables with respect to the arguments of a step, each derived once.

    Args:
        derivation: what is looked at.

    Attributes:
        derivation: the same.
    """

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self._written: dict[tuple[Variable, Variable], Expr | None] = {}

    @cached_property
    def graph(self) -> StepGraph:
        """The graph of the step."""
        return StepGraph(self.derivation)

    def written(self, of: Variable, wrt: Variable) -> Expr | None:
        """The Jacobian as one expression; None where that is too long."""
        if (of, wrt) not in self._written:
            # Longer than this no document writes a block out, and the chain rule is what would be read of it.
            is_short = self.graph.length(wrt, of) <= LONGEST_BLOCK
            self._written[of, wrt] = written(self.graph.block(wrt, of)) if is_short else None
        return self._written[of, wrt]

    def along(self, of: Variable, wrt: Variable, change: Array, evaluate: Evaluate) -> Array:
        """The Jacobian times a column, or several; a long one's by the chain rule.

        Args:
            of: what is differentiated.
            wrt: what moves.
            change: how; entries of `wrt` as rows.
            evaluate: gives an expression its value.
        """
        value = self.written(of, wrt)
        return self.moved({wrt: change}, evaluate)[of] if value is None else evaluate(value) @ change

    def moved(self, changes: Mapping[Variable, Array], evaluate: Evaluate) -> dict[Variable, Array]:
        """How every variable moves that these reach, by the chain rule."""
        return self.graph.push(changes, evaluate)

    def shown(self, of: Variable, wrt: Variable) -> str:
        """The Jacobian as text, or how many paths it is a sum over."""
        value = self.written(of, wrt)
        return text(value) if value is not None else f"(the sum over {show_count(self.graph.count(wrt, of))} paths)"
