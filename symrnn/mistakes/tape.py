"""The values of a forward pass, as the backward equations read them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from symrnn.algebra.evaluate import ShapesAtSizes
from symrnn.algebra.nodes import Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.mistakes.batched import Frame, compiled


class Tape:
    """The values of a forward pass, with batch and matrix axes: (N, rows, columns) a step.

    Args:
        derivation: of the cell.
        sizes: of the cell.
        params: the parameters, in the shapes of the cell's text.
        x: the inputs by name, each (T, N, ...).
        state: the initial states by name, each (N, ...).

    Attributes:
        courses: name -> its values over time (T, N, rows, columns); of a state (T + 1, ...), the initial value first.
        params: name -> (rows, columns).
        shape: the rows and columns of a variable.
        steps: T.
        batch: N.
    """

    def __init__(
        self,
        derivation: Derivation,
        sizes: Mapping[str, int],
        params: Mapping[str, Array],
        x: Mapping[str, Array],
        state: Mapping[str, Array],
    ) -> None:
        self.derivation, self.sizes = derivation, sizes
        self.shape = ShapesAtSizes(sizes)
        cell = derivation.cell
        self.params = {name: np.reshape(params[name], self.shape(cell[name])) for name in cell.parameters}
        # Constants are read like scalar parameters, and have no gradient.
        self.params |= {name: np.full((1, 1), float(number)) for name, number in cell.constants.items()}
        first = np.asarray(x[cell.inputs[0]]) if cell.inputs else np.zeros((1, 1))
        self.steps, self.batch = first.shape[:2]
        self.courses: dict[str, Array] = {
            name: np.reshape(x[name], (self.steps, self.batch, *self.shape(cell[name]))) for name in cell.inputs
        }
        kept: dict[str, list[Array]] = {equation.target.name: [] for equation in derivation.forward}
        for name in cell.states:
            kept[name] = [np.reshape(state[name], (self.batch, *self.shape(cell[name])))]
        for t in range(self.steps):
            frame = Frame(self, t, self.params)
            frame.update({name: self.courses[name][t] for name in cell.inputs})
            frame.update({f"{name}_prev": kept[name][t] for name in cell.states})
            for equation in derivation.forward:
                value = frame[equation.target.name] = compiled(equation.value)(frame)
                kept[equation.target.name].append(value)
        self.courses |= {name: np.stack([np.broadcast_to(v, v.shape) for v in values]) for name, values in kept.items()}

    @cached_property
    def states(self) -> frozenset[str]:
        """The names of the states."""
        return frozenset(self.derivation.cell.states)

    def at(self, variable: Variable, t: int, edge: str) -> Array:
        """A variable's value as seen from step t, at its own time relative to it.

        Args:
            variable: the variable.
            t: the step.
            edge: what is outside the sequence: "around" for its other end, as Python's lists have it; "rows" for that
                of a list without the last state; "nearest" for the step at the edge; "zero".
        """
        course = self.courses[variable.base]
        index = t + (variable.time or 0) + (variable.base in self.states)
        if 0 <= index < len(course):
            place = index
        elif edge == "zero":
            return np.zeros_like(course[0])
        elif edge == "rows":
            place = index % self.steps
        else:
            place = index % len(course) if edge == "around" else min(max(index, 0), len(course) - 1)
        value: Array = course[place]
        return value

    def frame(self, t: int, edge: str = "around") -> Frame:
        """The values that step t of the backward pass reads; `edge` as in `at`."""
        frame = Frame(self, t, self.params, edge)
        for name in self.courses:
            self.put(frame, name, t)
        return frame

    def put(self, frame: Frame, name: str, t: int) -> None:
        """Put a variable's value at step t into a frame; of a state, that at t-1 as well."""
        course = self.courses[name]
        if name in self.states:
            frame[name], frame[f"{name}_prev"] = course[t + 1], course[t]
        else:
            frame[name] = course[t]

    def fixed(self, variable: Variable, step: int) -> Array:
        """A variable's value at the first step (0) or at the last (-1)."""
        return self.at(variable, step % self.steps, "zero")

    def first(self, state: str, how: str) -> Array:
        """What step 0 reads for an initial state: "zero", the "last" state, or its "own", the state of step 0."""
        course = self.courses[state]
        ways: dict[str, Array] = {"zero": 0 * course[0], "last": course[-1], "own": course[1]}
        return ways[how]
