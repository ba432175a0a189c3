"""A network of a cell on random data, over time and over examples: what generated code is compared with.

The author's text is looped over T steps and N examples, one at a time; the generated functions take all of them at
once.  Truth for derivatives are complex steps through that loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.runs.numbers import FLOATS
from symrnn.runs.points import Ground, search
from symrnn.runs.rounding import sequence_errors
from symrnn.runs.sizes import CellAtSizes
from symrnn.runs.stepping import (
    Frame,
    StepValues,
    derive_over_steps,
    go_back_over_steps,
    over_steps,
    run_over_steps,
)

TIME, BATCH = 5, 3
"""Steps and examples: enough steps for windows of truncated backpropagation that overlap, and with the sizes of a cell,
all different, so that no two axes can be taken for one another."""

GROUPS = ("params", "inputs", "state")
"""What a network is given."""

Arrays = Mapping[str, Array]
GradientRun = Callable[[Frame, Sequence[Frame], Sequence[Frame]], Sequence[Mapping[str, Array]]]
"""From what one example starts with, its inputs and what the loss adds at every step: of every step the adjoints of
its arguments, by the names of these, and something of its states, by theirs."""


@dataclass(frozen=True)
class NetworkData:
    """What a network is run on.

    Attributes:
        inputs: input name -> (T, N, ...).
        state: state name -> its initial values, (N, ...).
        params: parameter name -> its value.
    """

    inputs: Arrays
    state: Arrays
    params: Arrays

    def moved(self, moving: Mapping[str, Arrays]) -> NetworkData:
        """The same with some arrays moving, each in its direction, by group and name."""
        groups = {group: dict(getattr(self, group)) for group in GROUPS}
        for group, directions in moving.items():
            groups[group] |= {name: FLOATS.move(groups[group][name], d) for name, d in directions.items()}
        return NetworkData(**groups)


@dataclass(frozen=True)
class Loss:
    """The sum of <h_bar, h> over all steps and of <state_bar, final state> over all states.

    Attributes:
        h_bar: cotangents of the first state at every step, (T, N, ...).
        state_bar: cotangents of the final states, (N, ...) each.
    """

    h_bar: Array
    state_bar: Arrays

    def of(self, series: Arrays) -> Any:
        """Its value for every state at every step, which may be complex."""
        first, *_ = series.values()
        return np.sum(self.h_bar * first) + sum(np.sum(bar * series[s][-1]) for s, bar in self.state_bar.items())

    def added(self, example: int) -> list[dict[str, Array]]:
        """What it adds to the adjoint of every state of one example, step by step."""
        last = {s: bar[example] for s, bar in self.state_bar.items()}
        first, *_ = last
        steps = [{s: 0 * bar for s, bar in last.items()} for _ in self.h_bar[1:]] + [last]
        return [step | {first: step[first] + h_bar} for step, h_bar in zip(steps, self.h_bar[:, example], strict=True)]


class Network:
    """A network as the author's text defines it, on random data and under a random loss.

    Attributes:
        derivation: whose cell it is.
        layout: the sizes of one example.
        data: what it is run on.
        series: every state at every step, (T, N, ...).
        loss: what its gradients are of.
    """

    def __init__(
        self, derivation: Derivation, layout: CellAtSizes, data: NetworkData, rng: np.random.Generator
    ) -> None:
        self.derivation = derivation
        self.cell = derivation.cell
        self.layout = layout
        self.data = data
        self.series = self.run(data)
        h_bar = rng.standard_normal(self.series[self.cell.states[0]].shape)
        self.loss = Loss(h_bar, {s: rng.standard_normal(series.shape[1:]) for s, series in self.series.items()})

    def run(self, data: NetworkData) -> dict[str, Array]:
        """Every state at every step, (T, N, ...), from the text."""
        # Example by example, as the text means it: a batch is what generated code makes of it.
        examples = [list(self.steps(data, n, data.state, range(TIME))) for n in range(BATCH)]
        return {
            s: np.stack([np.stack([np.asarray(names[s]) for names in example]) for example in examples], axis=1)
            for s in self.cell.states
        }

    def steps(self, data: NetworkData, n: int, before: Arrays, times: Iterable[int]) -> Iterator[dict[str, Array]]:
        """Every name of the text for one example, step by step.

        Args:
            data: what the network is run on.
            n: the example.
            before: every state before the first of the steps, (N, ...).
            times: the steps.
        """
        start = {**data.params, **{s: before[s][n] for s in self.cell.states}}
        return run_over_steps(self.cell.syntax, start, ({i: x[t, n] for i, x in data.inputs.items()} for t in times))

    def rates(self, moving: Mapping[str, Arrays]) -> dict[str, Array]:
        """How every state at every step moves when some arrays do, each in its direction, by group and name."""
        return {s: FLOATS.rate(series) for s, series in self.run(self.data.moved(moving)).items()}

    def rate(self, moving: Mapping[str, Arrays]) -> float:
        """How the loss changes when some arrays move, each in its direction, by group and name."""
        return float(FLOATS.rate(self.loss.of(self.run(self.data.moved(moving)))))

    @cached_property
    def rounding(self) -> Mapping[str, Arrays]:
        """How far rounding alone can take the gradients, by group and name, and the series of the states, in units of
        the unit roundoff.
        """
        return self._gathered(self.data, self.loss, partial(sequence_errors, self.derivation, self.layout))

    def gradients(self, data: NetworkData, loss: Loss) -> Mapping[str, Arrays]:
        """The gradients by the derivation's equations, evaluated one by one, by group and name.

        Args:
            data: what the network is run on, which may be complex.
            loss: of what.
        """
        return self._gathered(data, loss, self._differentiate)

    def _differentiate(
        self, start: Frame, inputs: Sequence[Frame], losses: Sequence[Frame]
    ) -> Sequence[Mapping[str, Array]]:
        steps = derive_over_steps(self.derivation, self.layout, FLOATS, start, inputs)
        go_back_over_steps(steps, losses)
        return [at.gradients for at in steps]

    def _gathered(self, data: NetworkData, loss: Loss, run: GradientRun) -> dict[str, dict[str, Array]]:
        """What a run gives for each example, by group and name, in the shapes of the network's arrays."""
        cell = self.cell
        params: dict[str, Any] = {name: np.zeros(np.shape(value)) for name, value in data.params.items()}
        examples = []
        for n in range(BATCH):
            losses = [_in_columns(self.layout, step) for step in loss.added(n)]
            found = run(*example_in_columns(self.layout, data, n), losses)
            # Summed as backpropagation does, from the last step: the order is part of what rounding makes of it.
            for step in reversed(found):
                params = {name: total + step[name].reshape(total.shape) for name, total in params.items()}
            examples.append(found)

        def stacked(name: str) -> Array:
            """A value of every step, (T, N, ...)."""
            shape = self.layout.text_shape(cell[name])
            return np.stack([np.stack([step[name].reshape(shape) for step in found]) for found in examples], axis=1)

        return {
            "params": params,
            "inputs": {name: stacked(name) for name in cell.inputs},
            "state": {s: stacked(f"{s}_prev")[0] for s in cell.states},
            "series": {s: stacked(s) for s in cell.states},
        }


def _in_columns(layout: CellAtSizes, values: Arrays) -> dict[str, Array]:
    return {name: layout.matrix(layout.cell[name], value) for name, value in values.items()}


def example_in_columns(layout: CellAtSizes, data: NetworkData, n: int) -> tuple[Frame, list[Frame]]:
    """What one example starts with, and its inputs step by step, in rows and columns, by identifier."""
    start = {**data.params, **{f"{s}_prev": value[n] for s, value in data.state.items()}}
    inputs = [{name: value[t, n] for name, value in data.inputs.items()} for t in range(TIME)]
    return _in_columns(layout, start), [_in_columns(layout, now) for now in inputs]


def draw_network(derivation: Derivation, layout: CellAtSizes, rng: np.random.Generator) -> Network | None:
    """A network on random data at which it can be differentiated, or None where none is found."""
    cell, ground = derivation.cell, Ground(derivation, layout)
    lead = {"inputs": (TIME, BATCH), "state": (BATCH,), "params": ()}
    places: dict[str, tuple[str, str]] = {}
    places |= {name: ("inputs", name) for name in cell.inputs}
    places |= {v.name: ("state", s) for v, s in zip(cell.previous, cell.states, strict=True)}
    places |= {name: ("params", name) for name in cell.parameters}
    shapes = {name: (*lead[group], *layout.text_shape(cell[name])) for name, (group, _) in places.items()}

    def accept(drawn: dict[str, Array]) -> NetworkData | None:
        groups: dict[str, dict[str, Array]] = {group: {} for group in lead}
        for name, (group, own) in places.items():
            groups[group][own] = drawn[name]
        data = NetworkData(**groups)
        return data if all(_is_legal(ground, data, n) for n in range(BATCH)) else None

    data = search(rng, shapes, accept)
    return None if data is None else Network(derivation, layout, data, rng)


def _is_legal(ground: Ground, data: NetworkData, n: int) -> bool:
    """Whether every step of an example is at a legal point."""
    start, inputs = example_in_columns(ground.layout, data, n)

    def carried(at: StepValues | None) -> Frame:
        return {} if at is None else at.carried

    # Every example and step: one kink anywhere on the way would make the comparison meaningless.
    return all(at is not None for at in over_steps(lambda _, point: ground.step(point), carried, start, inputs))
