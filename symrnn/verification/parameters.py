"""Checks of the Jacobians of the states with respect to parameters, in both of their forms.

As a Kronecker product, ∂h_t/∂vec(W) = D (xᵀ ⊗ I), and as a gradient, δa xᵀ, which is what the Jacobians of all states
give for the cotangents of all states: vec(gradient) = Σ_s (∂s_t/∂vec(W))ᵀ vec(s̄_t).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symrnn.algebra.nodes import Expr
from symrnn.algebra.simplify import simplify
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.runs.blocks import StepBlocks
from symrnn.runs.field import Number, inner, same, slopes
from symrnn.runs.field_point import FieldPoint
from symrnn.runs.sizes import vec
from symrnn.verification.diagnose import change, follows, show_jacobian, show_step, wrong_factors, wrong_jacobians
from symrnn.verification.jointly import BY_CHAIN_RULE, are_separate, counted

PARAMETERS = "Jacobians of the parameters"
"""What the reports call the check."""


class ParameterForms:
    """The derivatives of a cell's states with respect to its parameters over one step, each derived once.

    Args:
        derivation: what is checked.

    Attributes:
        claimed: the Jacobians of a step.
        pairs: every state with every parameter.
    """

    def __init__(self, derivation: Derivation) -> None:
        cell = derivation.cell
        self._derivation = derivation
        self.claimed = StepBlocks(derivation)
        self.pairs = [(cell[s], cell[p]) for s in cell.states for p in cell.parameters]

    @property
    def name(self) -> str:
        """What the reports call the check; where there are many pairs, how many it is about at once."""
        cell = self._derivation.cell
        return counted(PARAMETERS, len(cell.parameters), len(cell.states), BY_CHAIN_RULE)

    def _gradient(self, parameter: str) -> Expr:
        return simplify(self._derivation.of(parameter).value)

    def test(self, point: FieldPoint) -> str:
        """What is wrong at numbers of the field: all parameters move at once, one by one only where that fails."""
        cell = self._derivation.cell
        directions = {p: point.direction[p] for p in cell.parameters}
        moved = point.run(directions)
        sentences = (
            self._wrong_pairs(point, directions, moved)
            if are_separate(len(cell.parameters), len(cell.states))
            else self._wrong_at_once(point)
        )
        return "\n".join([*sentences, *self._wrong_gradients(point, directions, moved)])

    def _wrong_at_once(self, point: FieldPoint) -> list[str]:
        cell = self._derivation.cell
        return wrong_jacobians(point, self.claimed, [cell[p] for p in cell.parameters]).splitlines()

    def _wrong_pairs(self, point: FieldPoint, directions: Mapping[str, Array], moved: Mapping[str, Array]) -> list[str]:
        cell = self._derivation.cell
        # All parameters at once first: one run tells of a right cell what one run a parameter would.
        failing = [state for state in cell.states if not self._moves(point, state, directions, moved)]
        wrong = [
            (of, wrt)
            for of, wrt in self.pairs
            if of.name in failing
            and not self._moves(point, of.name, {wrt.name: directions[wrt.name]}, point.moved_by(wrt.name))
        ]
        shown = {pair: show_jacobian(self._derivation, *pair) for pair in wrong}
        lines = [f"{shown[pair]} = {self.claimed.shown(*pair)} is wrong" for pair in wrong]
        factors = dict.fromkeys(line for of, wrt in wrong for line in wrong_factors(point, of, wrt))
        return [*lines, *factors]

    def _moves(
        self, point: FieldPoint, state: str, directions: Mapping[str, Array], moved: Mapping[str, Array]
    ) -> bool:
        """Whether a state's Jacobians move it as the text does."""
        truth = vec(slopes(moved[state]))
        cell = self._derivation.cell
        parts = (self.claimed.along(cell[state], cell[p], vec(v), point.evaluate) for p, v in directions.items())
        return same(sum(parts, 0 * truth), truth)

    def _wrong_gradients(
        self, point: FieldPoint, directions: Mapping[str, Array], moved: dict[str, Array]
    ) -> Iterator[str]:
        """The gradients that do not follow from the adjoints that they are written with, be those right or wrong."""
        values = {p: point.evaluate(self._gradient(p)) for p in directions}
        # One comparison for all: by chance it holds for wrong ones with a probability of 1e-18.
        if sum((inner(values[p], v) for p, v in directions.items()), Number(0)) == change(point, moved):
            return
        for p, value in values.items():
            if not follows(point, self._derivation.of(p), value):
                yield f"{show_step(self._derivation.of(p))} is wrong"
