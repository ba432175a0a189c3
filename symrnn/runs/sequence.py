"""A derivation over several steps at random numbers of the field: forward, and backpropagation through time."""

from __future__ import annotations

from random import Random

from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.runs.field import draw, make_at_point
from symrnn.runs.numbers import RESIDUES
from symrnn.runs.sizes import CellAtSizes
from symrnn.runs.stepping import derive_over_steps, go_back_over_steps


class FieldSequence:
    """Steps 1 to T of the derivation's own equations at random numbers.

    Attributes:
        derivation: the equations.
        layout: the sizes.
        loss: what the loss adds to a state's adjoint at each step, by the state's name.
        steps: the values of each step and its adjoints.
    """

    def __init__(
        self, derivation: Derivation, layout: CellAtSizes, steps: int, seeded: tuple[str, ...], rng: Random
    ) -> None:
        cell = derivation.cell
        self.derivation = derivation
        self.layout = layout
        start = {
            v.name: draw(rng, layout.shape(v)) for v in (*(cell[name] for name in cell.parameters), *cell.previous)
        }
        inputs = [{name: draw(rng, layout.shape(cell[name])) for name in cell.inputs} for _ in range(steps)]
        drawn = [{s: draw(rng, layout.shape(cell[s])) for s in cell.states} for _ in range(steps)]
        self.loss = [{s: value if s in seeded else 0 * value for s, value in each.items()} for each in drawn]
        self.steps = derive_over_steps(derivation, layout, RESIDUES, start, inputs)
        go_back_over_steps(self.steps, self.loss)

    def adjoint(self, name: str, at: int) -> Array:
        """The adjoint of a variable at a step; of a parameter, that step's term."""
        return self.steps[at].adjoint(name)


def draw_sequence(
    derivation: Derivation, layout: CellAtSizes, steps: int, seeded: tuple[str, ...], rng: Random
) -> FieldSequence | None:
    """A sequence on which nothing divides by zero, or None where none is found.

    Args:
        derivation: the equations.
        layout: the sizes.
        steps: how many.
        seeded: the states that the loss reads, at every step.
        rng: the source of the numbers.
    """
    return make_at_point(lambda: FieldSequence(derivation, layout, steps, seeded, rng))
