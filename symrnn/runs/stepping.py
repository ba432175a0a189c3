"""A cell over steps, on any kind of number: by the author's text, or by a derivation's equations forward and back.

Every check that needs a sequence is made of these: what differs from check to check is the numbers, what is read, and
what the loss adds at each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from symrnn.algebra.functions import Arithmetic
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.language.definition import Definition
from symrnn.language.evaluate import NUMPY, run
from symrnn.runs.numbers import Numbers
from symrnn.runs.sizes import CellAtSizes

Frame = Mapping[str, Array]
"""Values by name."""

_Reached = TypeVar("_Reached")


def over_steps(
    step: Callable[[int, Frame], _Reached],
    carry: Callable[[_Reached], Frame],
    start: Frame,
    inputs: Iterable[Frame],
) -> Iterator[_Reached]:
    """What each step of a sequence comes to.

    Args:
        step: computes a step from its number, counted from 0, and its arguments by name.
        carry: what the next step gets from what a step came to; asked only if there is a next one.
        start: what the first step gets besides its inputs: states and parameters.
        inputs: of every step.
    """
    # Parameters are part of the start: carried values replace states only, so they stay.
    state, reached = start, None
    for number, now in enumerate(inputs):
        state = state if reached is None else {**state, **carry(reached)}
        reached = step(number, {**state, **now})
        yield reached


def run_over_steps(
    text: Definition, start: Frame, inputs: Iterable[Frame], arithmetic: Arithmetic = NUMPY
) -> Iterator[dict[str, Array]]:
    """Every name that the author's text assigns, step by step.

    Args:
        text: the text.
        start: parameters, and the states before the first step, in the text's shapes.
        inputs: of every step.
        arithmetic: the functions of the table over the kind of number.
    """
    return over_steps(
        lambda _, point: run(text, point, arithmetic), lambda names: {s: names[s] for s in text.returned}, start, inputs
    )


class StepValues:
    """One step of a derivation at numbers: its arguments, its forward equations and, once asked for, its adjoints.

    Args:
        derivation: the equations.
        sized: the sizes.
        numbers: the kind of number.
        arguments: inputs, states at t-1 and parameters in rows and columns, by identifier.

    Attributes:
        values: everything that is known of the step, in rows and columns, by identifier.
        evaluate: gives expressions in the step's variables their values.
    """

    def __init__(self, derivation: Derivation, sized: CellAtSizes, numbers: Numbers, arguments: Frame) -> None:
        self._derivation = derivation
        # Arguments come last and win: a caller may give a constant the value that floating point makes of it.
        constants = derivation.cell.constants.items()
        self.values: dict[str, Array] = {name: np.full((1, 1), numbers.literal(number)) for name, number in constants}
        self.values |= arguments
        self.evaluate = numbers.evaluator(self.values, sized.sizes)
        for equation in derivation.forward:
            self.values[equation.target.name] = self.evaluate(equation.value)

    @property
    def carried(self) -> dict[str, Array]:
        """The new states, as the next step reads them."""
        return {f"{s}_prev": self.values[s] for s in self._derivation.cell.states}

    def go_back(self, cotangents: Mapping[str, Array]) -> dict[str, Array]:
        """Compute the adjoints of the step, and what it sends back, by the state's name.

        Args:
            cotangents: what reaches each state from outside of the step, by its name.
        """
        derivation = self._derivation
        self.values |= {variable.name: cotangents[s] for s, variable in derivation.cotangents.items()}
        for step in derivation.steps:
            self.values[step.target.name] = self.evaluate(step.value)
        return {s: self.adjoint(f"{s}_prev") for s in derivation.cell.states}

    def adjoint(self, name: str) -> Array:
        """The adjoint of a variable; of a parameter, the step's term in its gradient."""
        return self.values[self._derivation.of(name).target.name]

    @property
    def gradients(self) -> dict[str, Array]:
        """The adjoints of the step's arguments by the names of these, and the new states by theirs."""
        cell = self._derivation.cell
        arguments = (*cell.inputs, *(v.name for v in cell.previous), *cell.parameters)
        return {name: self.adjoint(name) for name in arguments} | {s: self.values[s] for s in cell.states}


def derive_over_steps(
    derivation: Derivation, sized: CellAtSizes, numbers: Numbers, start: Frame, inputs: Iterable[Frame]
) -> list[StepValues]:
    """The forward equations of a derivation, step by step.

    Args:
        derivation: the equations.
        sized: the sizes.
        numbers: the kind of number.
        start: parameters, and the states before the first step, in rows and columns, by identifier.
        inputs: of every step.
    """
    return list(
        over_steps(lambda _, point: StepValues(derivation, sized, numbers, point), lambda at: at.carried, start, inputs)
    )


def go_back_over_steps(steps: Sequence[StepValues], losses: Sequence[Mapping[str, Array]]) -> None:
    """Compute the adjoints of all steps, from the last to the first.

    Args:
        steps: the steps of a sequence.
        losses: what the loss itself adds to the adjoint of each state at each step, by the state's name.
    """
    sent: dict[str, Any] = dict.fromkeys(losses[-1], 0)  # nothing comes from behind the end
    for at, loss in zip(reversed(steps), reversed(losses), strict=True):
        sent = at.go_back({s: added + sent[s] for s, added in loss.items()})
