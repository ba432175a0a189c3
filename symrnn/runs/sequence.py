"""A derivation over several steps at random numbers of the field: forward, and backpropagation through time."""

from __future__ import annotations

from random import Random

from symrnn.calculus.derivation import Derivation
from symrnn.runs.field import FIELD, Array, draw, make_at_point
from symrnn.runs.sizes import Layout
from symrnn.runs.trial import ExactEvaluator


class Sequence:
    """Steps 1 to T of the derivation's own equations.

    Attributes:
        derivation: the equations.
        layout: the sizes.
        frames: every variable of a step and its adjoint by identifier, one mapping a step.
        loss: what the loss adds to a state's adjoint at each step, by the state's name.
    """

    def __init__(
        self, derivation: Derivation, layout: Layout, steps: int, seeded: tuple[str, ...], rng: Random
    ) -> None:
        self.derivation = derivation
        self.layout = layout
        cell = derivation.cell
        fixed = {name: draw(rng, layout.shape(cell[name])) for name in cell.parameters}
        state = {v.name: draw(rng, layout.shape(v)) for v in cell.previous}
        self.frames: list[dict[str, Array]] = []
        self.loss: list[dict[str, Array]] = []
        for _ in range(steps):
            frame = fixed | state | {name: draw(rng, layout.shape(cell[name])) for name in cell.inputs}
            evaluate = ExactEvaluator(frame, layout.sizes, FIELD)
            for equation in derivation.forward:
                frame[equation.target.name] = evaluate(equation.value)
            state = {f"{s}_prev": frame[s] for s in cell.states}
            self.frames.append(frame)
            drawn = {s: draw(rng, layout.shape(cell[s])) for s in cell.states}
            self.loss.append({s: value if s in seeded else 0 * value for s, value in drawn.items()})
        self._go_back()

    def _go_back(self) -> None:
        derivation = self.derivation
        sent = {s: 0 * self.loss[-1][s] for s in derivation.cell.states}
        for frame, loss in zip(reversed(self.frames), reversed(self.loss), strict=True):
            for s, variable in derivation.cotangents.items():
                frame[variable.name] = loss[s] + sent[s]
            evaluate = ExactEvaluator(frame, self.layout.sizes, FIELD)
            for step in derivation.steps:
                frame[step.target.name] = evaluate(step.value)
            sent = {s: frame[derivation.of(f"{s}_prev").target.name] for s in derivation.cell.states}

    def adjoint(self, name: str, at: int) -> Array:
        """The adjoint of a variable at a step; of a parameter, that step's term."""
        return self.frames[at][self.derivation.of(name).target.name]


def draw_sequence(
    derivation: Derivation, layout: Layout, steps: int, seeded: tuple[str, ...], rng: Random
) -> Sequence | None:
    """A sequence on which nothing divides by zero, or None where none is found.

    Args:
        derivation: the equations.
        layout: the sizes.
        steps: how many.
        seeded: the states that the loss reads, at every step.
        rng: the source of the numbers.
    """
    return make_at_point(lambda: Sequence(derivation, layout, steps, seeded, rng))
