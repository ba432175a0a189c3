"""Generated code of every library cell at very small and very large inputs, in both precisions.

Truth are the equations with many digits; what rounding can do to a result is bounded alongside.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from symrnn import Cell, cells, derive, generate
from symrnn.calculus.derivation import Derivation
from symrnn.runs.rounding import sequence_errors
from symrnn.runs.sizes import CellAtSizes, layouts
from symrnn.runs.stepping import derive_over_steps, go_back_over_steps
from symrnn.targets.generation import load_source
from tests.cells.many_digits import MANY_DIGITS, digits

Array = Any
Arrays = dict[str, Array]

STEPS = 3
MAGNITUDES = (1e-30, 1.0, 1e2, 1e4, -1e2, -1e4)
"""Of the inputs: one example each, two of the large ones, so that gates open and close."""
SLACK = 4.0
"""The bounds are of first order and for one order of the operations; NumPy's functions err by up to 2 units."""


@dataclass
class Example:
    """One example over time: the data, in rows and columns by identifier."""

    start: Arrays
    inputs: list[Arrays]
    losses: list[Arrays]


def truth(derivation: Derivation, layout: CellAtSizes, example: Example) -> list[Arrays]:
    """Of every step the states and the adjoints of its arguments, with many digits."""
    constants = {name: np.full((1, 1), float(number)) for name, number in derivation.cell.constants.items()}
    inputs = [lifted(constants | now) for now in example.inputs]  # a constant is the float that the code has
    steps = derive_over_steps(derivation, layout, MANY_DIGITS, lifted(example.start), inputs)
    go_back_over_steps(steps, [lifted(loss) for loss in example.losses])
    return [at.gradients for at in steps]


def lifted(values: Arrays) -> Arrays:
    return {name: digits(value) for name, value in values.items()}


class Run:
    """A cell on one example of each magnitude, its state zero at first: what is right, and how far rounding goes."""

    def __init__(self, cell: Cell, seed: int = 0) -> None:
        self.cell, self.derivation = cell, derive(cell)
        self.module = generate(cell)
        (self.layout,) = layouts(cell, [(3, 2)])
        rng = np.random.default_rng(seed)
        draw = lambda *shape: rng.standard_normal(shape).astype(np.float32).astype(float)  # noqa: E731
        shape = {v.name: self.layout.text_shape(v) for v in cell.symbols.values()}
        scale = np.array(MAGNITUDES, np.float32).astype(float)
        count = len(MAGNITUDES)
        self.params = {name: draw(*shape[name]) for name in cell.parameters}
        self.inputs = {
            name: (draw(STEPS, count, *shape[name]) * scale.reshape(-1, *[1] * len(shape[name]))).astype(np.float32)
            for name in cell.inputs
        }
        self.bar = draw(STEPS, count, *shape[cell.states[0]])
        self.end = {s: draw(count, *shape[s]) for s in cell.states}
        self.examples = [self.example(n) for n in range(count)]
        self.right = [truth(self.derivation, self.layout, one) for one in self.examples]
        with np.errstate(all="ignore"):
            self.bounds = [
                sequence_errors(self.derivation, self.layout, e.start, e.inputs, e.losses) for e in self.examples
            ]

    def example(self, n: int) -> Example:
        cell, layout = self.cell, self.layout
        start = {**self.params} | {f"{s}_prev": np.zeros(self.end[s].shape[1:]) for s in cell.states}
        inputs = [{name: x[t, n].astype(float) for name, x in self.inputs.items()} for t in range(STEPS)]
        losses = [{s: self.end[s][n] * (t == STEPS - 1) for s in cell.states} for t in range(STEPS)]
        for t, loss in enumerate(losses):
            loss[cell.states[0]] = loss[cell.states[0]] + self.bar[t, n]

        def in_columns(values: Arrays) -> Arrays:
            return {name: layout.matrix(cell[name], value) for name, value in values.items()}

        return Example(in_columns(start), [*map(in_columns, inputs)], [*map(in_columns, losses)])

    def computed(self, dtype: type) -> tuple[Arrays, Arrays, Arrays]:
        """By the generated module: the output, gradients of parameters, gradients of inputs and initial states."""
        params = {name: value.astype(dtype) for name, value in self.params.items()}
        inputs = [self.inputs[name].astype(dtype) for name in self.cell.inputs]
        with warnings.catch_warnings(), np.errstate(over="warn", divide="warn", invalid="warn"):
            warnings.simplefilter("error")
            output, last, tape = self.module.forward(params, *inputs)
            end = {s: value.astype(dtype) for s, value in self.end.items()}
            grads, *bars, first = self.module.backward(params, tape, self.bar.astype(dtype), end)
        moving = dict(zip(self.cell.inputs, bars, strict=True))
        return {self.cell.states[0]: output} | {f"{s} at the end": v for s, v in last.items()}, grads, moving | first


class Distances:
    """How far results are off, as multiples of how far rounding can take them.

    Attributes:
        found: the largest multiple by a result's name.
    """

    def __init__(self, dtype: type) -> None:
        self.found: dict[str, float] = {}
        self._dtype = dtype

    def add(self, label: str, value: Array, exact: Array, bound: Array) -> None:
        assert np.all(np.isfinite(value)), label
        assert value.dtype == self._dtype, label
        limits = np.finfo(self._dtype)
        difference = digits(value.astype(float)) - np.asarray(exact, dtype=object).reshape(value.shape)
        error = np.abs(np.asarray(difference, dtype=object).astype(float))
        room = SLACK * float(limits.eps) / 2 * np.asarray(bound, dtype=float).reshape(value.shape) + float(limits.tiny)
        self.found[label] = float(np.max(error / room))


def distances(run: Run, dtype: type) -> dict[str, float]:
    """Those of every output, gradient and state of a run."""
    states, grads, moving = run.computed(dtype)
    cell, found = run.cell, Distances(dtype)
    output = cell.states[0]
    for n, (right, bounds) in enumerate(zip(run.right, run.bounds, strict=True)):
        label = f"at {MAGNITUDES[n]:g}"
        for t in range(STEPS):
            found.add(f"{output}[{t}] {label}", states[output][t, n], right[t][output], bounds[t][output])
            for name in cell.inputs:
                found.add(f"δ{name}[{t}] {label}", moving[name][t, n], right[t][name], bounds[t][name])
        for s in cell.states:
            found.add(f"{s} {label}", states[f"{s} at the end"][n], right[-1][s], bounds[-1][s])
            found.add(f"δ{s}_0 {label}", moving[s][n], right[0][f"{s}_prev"], bounds[0][f"{s}_prev"])
    for name in cell.parameters:
        terms = [one[t][name] for one in run.right for t in range(STEPS)]
        bound = sum(one[t][name] for one in run.bounds for t in range(STEPS))
        # adding the terms up rounds as well, each time by what has been added so far
        bound = bound + len(terms) * sum(np.abs(term.astype(float)) for term in terms)
        found.add(f"δ{name}", grads[name], sum(terms), bound)
    return found.found


RUNS = [*((name, 0) for name in cells.names()), *((name, seed) for name in cells.names("modern") for seed in (1, 2, 3))]
"""Exponential gates have more corners than one drawing meets."""


@pytest.mark.sampled(16)
@pytest.mark.parametrize(("name", "seed"), RUNS)
def test_extreme_inputs_give_right_numbers_without_a_warning(name: str, seed: int) -> None:
    run = Run(cells[name], seed)
    for dtype in (np.float32, np.float64):
        off = {label: distance for label, distance in distances(run, dtype).items() if not distance <= 1}
        assert not off, (dtype, off)


LOSSY = (
    ("rnn_sigmoid", re.escape("return np.divide(e, 1 + e, out=e)"), "return 0.5 + 0.5 * np.tanh(0.5 * a)"),
    ("slstm", re.escape("np.heaviside(np.abs(n_prev), 0)"), "1.0"),
    ("mlstm", r"np\.maximum\((\w+)\[t\], 0\.0\)", r"\1[t]"),
    ("minlstm", re.escape("sigmoid(f - i)"), "np.exp(f) / (np.exp(f) + np.exp(i))"),
)
"""What has no digits for small values, divides zero by zero, overflows, in place of what does not."""


@pytest.mark.parametrize(("name", "right", "lossy"), LOSSY)
def test_what_loses_digits_is_found(name: str, right: str, lossy: str) -> None:
    caught = 0
    for seed in range(4):
        run = Run(cells[name], seed)
        source = re.sub(right, lossy, run.module.source)
        assert source != run.module.source
        run.module = load_source("lossy", source)
        try:
            caught += max(distances(run, np.float32).values()) > 1
        except (AssertionError, RuntimeWarning):  # what is not finite, or a warning
            caught += 1
    assert caught


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", ["lstm", "gru", "lstm_layer_norm", *cells.names("modern")])
def test_real_time_learning_multiplies_no_zero_by_infinity(name: str) -> None:
    run = Run(cells[name])
    module = generate(run.cell, functions=["rtrl"])
    inputs = [run.inputs[name].astype(float) for name in run.cell.inputs]
    _, _, tape = module.forward(run.params, *inputs)
    expected, *_ = module.backward(run.params, tape, run.bar)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        grads, *_ = module.rtrl(run.params, *inputs, run.bar)
    largest = max(np.max(np.abs(value)) for value in expected.values())
    for key, value in grads.items():  # a gradient that is 0 is the rounding of the others
        np.testing.assert_allclose(value, expected[key], rtol=1e-9, atol=1e-12 * largest, err_msg=key)


@pytest.mark.parametrize("size", [1e4, 1e18, 1e30])
def test_a_normalised_cell_takes_inputs_of_any_size(size: float) -> None:
    module = generate(cells.lstm_layer_norm)
    params = module.initialize(2, 3, 0, np.float32)
    x = np.random.default_rng(0).standard_normal((4, 2, 2)).astype(np.float32)
    with np.errstate(all="raise", under="ignore"):
        some, *_ = module.forward(params, 1e4 * x)
        same, _, tape = module.forward(params, np.float32(size) * x)
        grads, x_bar, _ = module.backward(params, tape, np.ones_like(same))
    np.testing.assert_allclose(same, some, rtol=1e-4)
    assert all(np.all(np.isfinite(value)) for value in (*grads.values(), x_bar))
