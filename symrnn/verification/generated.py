"""Checks of generated code: its functions against the author's text, over time and over examples.

The text is looped over T steps and N examples, one at a time; the generated functions take all of them at once.  Truth
for `backward` are complex steps through that loop in random directions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.algebra.nodes import Variable
from symrnn.calculus.derivation import Derivation
from symrnn.language.evaluate import run
from symrnn.language.recurrence import Cell
from symrnn.runs.points import NOWHERE, Array, Ground, relative_error, search
from symrnn.runs.rounding import sequence_errors, unexplained
from symrnn.runs.sizes import Layout, layouts
from symrnn.verification.diagnose import show_gradient
from symrnn.verification.directional import DIRECTIONAL, leading
from symrnn.verification.jointly import DIRECTIONS, are_separate, compare, counted
from symrnn.verification.numeric import STEP, Finding, conclude
from symrnn.verification.report import Check

METHOD = "generated code"
TOLERANCE = 1e-10
"""Rounding alone reached 2e-12 over 60 seeds of 33 cells: a memory that grows amplifies it from step to step."""
TIME, BATCH = 5, 3
SIZES = (6, 4)
"""d_h and d_x: with T and N, all different, and further sizes start at 2 and avoid these two."""

_GROUPS = ("inputs", "state", "params")

Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Sequence:
    """What a network is run on.

    Attributes:
        inputs: input name -> (T, N, ...).
        state: state name -> its initial values, (N, ...).
        params: parameter name -> its value.
    """

    inputs: Arrays
    state: Arrays
    params: Arrays

    def moved(self, group: str, name: str, by: Array) -> Sequence:
        """The same with one array changed."""
        arrays = dict(getattr(self, group))
        arrays[name] = arrays[name] + by
        return Sequence(**({"inputs": self.inputs, "state": self.state, "params": self.params} | {group: arrays}))


class Reference:
    """A network as the author's text defines it, on random data and under a random loss.

    The loss is the sum of <h_bar, h> over all steps and of <state_bar, final state> over all states.

    Attributes:
        derivation: whose cell it is.
        layout: the sizes of one example.
        sequence: the data.
        h_bar: cotangents of the first state at every step, (T, N, ...).
        state_bar: cotangents of the final states, (N, ...) each.
    """

    def __init__(self, derivation: Derivation, layout: Layout, sequence: Sequence, rng: np.random.Generator) -> None:
        self.derivation = derivation
        self.cell = derivation.cell
        self.layout = layout
        self.sequence = sequence
        self.series = self.run(sequence)
        self.h_bar = rng.standard_normal(self.series[self.cell.states[0]].shape)
        self.state_bar = {s: rng.standard_normal(self.series[s].shape[1:]) for s in self.cell.states}

    def run(self, sequence: Sequence, steps: int = TIME) -> dict[str, Array]:
        """Every state at every step, (T, N, ...), from the text."""
        columns = []
        for n in range(BATCH):
            state = {name: value[n] for name, value in sequence.state.items()}
            rows = []
            for t in range(steps):
                now = {name: value[t, n] for name, value in sequence.inputs.items()}
                names = run(self.cell.syntax, {**sequence.params, **now, **state})
                state = {name: names[name] for name in self.cell.states}
                rows.append(state)
            columns.append(rows)
        return {
            s: np.stack([np.stack([np.asarray(columns[n][t][s]) for n in range(BATCH)]) for t in range(steps)])
            for s in self.cell.states
        }

    def loss(self, sequence: Sequence) -> Any:
        """The loss of the network on data that may be complex."""
        series = self.run(sequence)
        first = np.sum(self.h_bar * series[self.cell.states[0]])
        return first + sum(np.sum(self.state_bar[s] * series[s][-1]) for s in self.cell.states)

    def rate(self, group: str, name: str, direction: Array) -> float:
        """How the loss changes when one array moves in a direction."""
        return self.rate_along(group, {name: direction})

    def rate_along(self, group: str, directions: Arrays) -> float:
        """How the loss changes when some arrays of a group move, each in its direction."""
        sequence = self.sequence
        for name, direction in directions.items():
            sequence = sequence.moved(group, name, 1j * STEP * direction)
        return float(np.imag(self.loss(sequence)) / STEP)

    @cached_property
    def rounding(self) -> Mapping[str, Arrays]:
        """How far rounding alone can take the gradients, by group and name, and the series of the states, in units of
        the unit roundoff.
        """
        cell, layout, sequence = self.cell, self.layout, self.sequence
        found = {g: {n: np.zeros(v.shape) for n, v in getattr(sequence, g).items()} for g in _GROUPS}
        found["series"] = {s: np.zeros(v.shape) for s, v in self.series.items()}
        for n in range(BATCH):
            fixed = {**sequence.params} | {f"{s}_prev": value[n] for s, value in sequence.state.items()}
            steps = [{name: value[t, n] for name, value in sequence.inputs.items()} for t in range(TIME)]
            for t, step in enumerate(steps):
                step |= {s: self.state_bar[s][n] * (t == TIME - 1) for s in cell.states}
                step[cell.states[0]] = step[cell.states[0]] + self.h_bar[t, n]
            rows = [
                {name: layout.matrix(cell[name], value) for name, value in step.items()} for step in (fixed, *steps)
            ]
            bounds = sequence_errors(self.derivation, layout, rows[0], rows[1:])
            for name in cell.inputs:
                found["inputs"][name][:, n] = [b[name].reshape(layout.text_shape(cell[name])) for b in bounds]
            for name in cell.states:
                found["series"][name][:, n] = [b[name].reshape(layout.text_shape(cell[name])) for b in bounds]
                found["state"][name][n] = bounds[0][f"{name}_prev"].reshape(layout.text_shape(cell[name]))
            for name in cell.parameters:
                found["params"][name] += sum(b[name] for b in bounds).reshape(layout.text_shape(cell[name]))
        return found


def draw(derivation: Derivation, layout: Layout, rng: np.random.Generator) -> Reference | None:
    """A network on random data at which it can be differentiated, or None where none is found."""
    cell, ground = derivation.cell, Ground(derivation, layout)
    lead = {"inputs": (TIME, BATCH), "state": (BATCH,), "params": ()}
    places: dict[str, tuple[str, str]] = {}
    places |= {name: ("inputs", name) for name in cell.inputs}
    places |= {v.name: ("state", s) for v, s in zip(cell.previous, cell.states, strict=True)}
    places |= {name: ("params", name) for name in cell.parameters}
    shapes = {name: (*lead[group], *layout.text_shape(cell[name])) for name, (group, _) in places.items()}

    def accept(drawn: dict[str, Array]) -> Sequence | None:
        groups: dict[str, dict[str, Array]] = {group: {} for group in lead}
        for name, (group, own) in places.items():
            groups[group][own] = drawn[name]
        sequence = Sequence(**groups)
        return sequence if all(_legal(ground, sequence, n) for n in range(BATCH)) else None

    sequence = search(rng, shapes, accept)
    return None if sequence is None else Reference(derivation, layout, sequence, rng)


def _legal(ground: Ground, sequence: Sequence, n: int) -> bool:
    cell, layout = ground.derivation.cell, ground.layout
    values = {f"{s}_prev": layout.matrix(cell[f"{s}_prev"], v[n]) for s, v in sequence.state.items()}
    values |= {name: layout.matrix(cell[name], v) for name, v in sequence.params.items()}
    for t in range(TIME):
        values |= {name: layout.matrix(cell[name], v[t, n]) for name, v in sequence.inputs.items()}
        step = ground.step(values)
        if step is None:
            return False
        values |= {f"{s}_prev": step.values[s] for s in cell.states}
    return True


def check_generated(derivation: Derivation, module: Any, seed: int, functions: Collection[str] = ()) -> Iterator[Check]:
    """Every check of the generated functions.

    Args:
        derivation: whose cell the functions are of.
        module: what has the functions as attributes.
        seed: of the data.
        functions: what the module has besides the standard functions, as `generate` names it.
    """
    layout = layouts(derivation.cell, [SIZES])[0]
    sizes = ", ".join([f"T={TIME}", f"N={BATCH}", *(f"{name}={n}" for name, n in layout.sizes.items())])
    reference = draw(derivation, layout, np.random.default_rng(seed))
    for name, test in _tests(derivation.cell, functions).items():
        findings = [Finding(np.inf, NOWHERE)] if reference is None else _attempt(test, module, reference)
        yield conclude(name, METHOD, sizes, findings, TOLERANCE)


Test = Callable[[Any, Reference], Iterator[Finding]]


def _attempt(test: Test, module: Any, reference: Reference) -> list[Finding]:
    try:
        with np.errstate(all="ignore"):
            return list(test(module, reference))
    except Exception as error:  # whatever a wrong module does, the report says so
        return [Finding(np.inf, f"{type(error).__name__}: {error}")]


def _forward_call(module: Any, sequence: Sequence) -> Any:
    return module.forward(dict(sequence.params), *leading(sequence.inputs), state=dict(sequence.state))


def _compare(what: str, value: Array, reference: Reference, name: str, at: Any = ...) -> Finding:
    """The value of a state at some steps of the series."""
    value, truth = np.asarray(value), reference.series[name][at]
    if value.shape != truth.shape:
        return Finding(np.inf, f"{what} has shape {value.shape}, it must have {truth.shape}")
    error = relative_error(value, truth)
    if error > TOLERANCE:  # a step that magnifies what it is given magnifies rounding, too
        error = relative_error(truth + unexplained(value - truth, reference.rounding["series"][name][at]), truth)
    return Finding(error, f"{what} differs from the definition by {error:.1e}")


def _forward(module: Any, reference: Reference) -> Iterator[Finding]:
    h, state, _ = _forward_call(module, reference.sequence)
    first, *_ = reference.cell.states
    yield _compare(f"forward: the series of {first}", h, reference, first)
    for name in reference.cell.states:
        yield _compare(f"forward: the final {name}", state[name], reference, name, -1)


def _step(module: Any, reference: Reference) -> Iterator[Finding]:
    sequence = reference.sequence
    now = [value[0] for value in sequence.inputs.values()]
    state = module.step(dict(sequence.params), *now, dict(sequence.state))
    for name in reference.cell.states:
        yield _compare(f"step: {name}", state[name], reference, name, 0)


def _defaults(module: Any, reference: Reference) -> Iterator[Finding]:
    """States and cotangents that are not given are zeros; compared with zeros that are, so any point will do."""
    sequence = reference.sequence
    params, inputs = dict(sequence.params), leading(sequence.inputs)
    examples = slice(None) if sequence.inputs else slice(1)  # without an array of inputs there is one example
    zeros = {name: 0 * value[examples] for name, value in sequence.state.items()}
    h_bar = reference.h_bar[:, examples]
    first = [value[0] for value in sequence.inputs.values()]
    expected_h, expected_state, tape = module.forward(params, *inputs, state=zeros)
    if reference.cell.untold_sizes:
        yield _refused("forward without a state", lambda: module.forward(params, *inputs))
        yield _refused("step without a state", lambda: module.step(params, *first))
    else:
        h, state, tape = module.forward(params, *inputs)
        yield _equal("forward without a state", {"": h, **state}, {"": expected_h, **expected_state})
        yield _equal("step without a state", module.step(params, *first), module.step(params, *first, zeros))
    *_, state_bar = module.backward(params, tape, h_bar)
    *_, expected = module.backward(params, tape, h_bar, state_bar=zeros)
    yield _equal("backward without state_bar", state_bar, expected)


def _refused(what: str, call: Callable[[], Any]) -> Finding:
    """Zeros of which size, no argument says."""
    try:
        call()
    except ValueError:
        return Finding(0.0, "")
    return Finding(np.inf, f"{what} must be refused: no array tells the size of the states")


def _equal(what: str, values: Arrays, truths: Arrays) -> Finding:
    equal = values.keys() == truths.keys() and all(
        np.array_equal(values[name], truths[name], equal_nan=True) for name in truths
    )
    return Finding(0.0 if equal else np.inf, f"{what} is not what zeros give")


def _backward(group: str) -> Test:
    def test(module: Any, reference: Reference) -> Iterator[Finding]:
        *_, tape = _forward_call(module, reference.sequence)
        params, state_bar = dict(reference.sequence.params), dict(reference.state_bar)
        grads, *input_bars, initial_bar = module.backward(params, tape, reference.h_bar, state_bar=state_bar)
        results = {
            "params": {f"grads[{name!r}]": (name, grads, name) for name in reference.cell.parameters},
            "inputs": {
                f"{n}_bar": (n, dict(zip(reference.cell.inputs, input_bars, strict=True)), n)
                for n in reference.cell.inputs
            },
            "state": {f"state_bar[{name!r}]": (name, initial_bar, f"{name}_prev") for name in reference.cell.states},
        }
        given = [
            _Gradient(reference, group, name, label, found.get(name), reference.cell[variable])
            for label, (name, found, variable) in results[group].items()
        ]
        yield from (Finding(np.inf, gradient.misfit) for gradient in given if gradient.misfit)
        fitting = [gradient for gradient in given if not gradient.misfit]
        if are_separate(len(given)):
            yield from (gradient.on_its_own() for gradient in fitting)
        elif fitting:
            yield _at_once(reference, group, {gradient.name: gradient for gradient in fitting})

    return test


@dataclass(frozen=True)
class _Gradient:
    """What `backward` returned for one array: its name, how the result is called, and of which variable it is."""

    reference: Reference
    group: str
    name: str
    label: str
    returned: Any
    variable: Variable

    @property
    def origin(self) -> str:
        """The equation that it comes from, as the end of a sentence."""
        return f"\n  it comes from {show_gradient(self.reference.derivation.of(self.variable.name))}"

    @cached_property
    def value(self) -> Array:
        """The array."""
        return np.asarray(self.returned)

    @cached_property
    def misfit(self) -> str:
        """Why it cannot be compared; an empty text where it can."""
        shape = getattr(self.reference.sequence, self.group)[self.name].shape
        if self.returned is None:
            return f"backward: {self.label} is missing{self.origin}"
        if self.value.shape != shape:
            return f"backward: {self.label} has shape {self.value.shape}, it must have {shape}{self.origin}"
        return ""

    def on_its_own(self) -> Finding:
        """The comparison with how the loss changes when this array alone moves."""
        rng = np.random.default_rng(0)
        at = (self.reference, self.group, self.name, self.value)
        errors = [_directional_error(*at, rng.standard_normal(self.value.shape)) for _ in range(DIRECTIONS)]
        error = max(errors) if not np.isnan(errors).any() else np.nan
        return Finding(error, "" if error <= TOLERANCE else self.accusation)

    @property
    def accusation(self) -> str:
        """The sentence for where it is wrong."""
        worst = _worst(self.reference, self.group, self.name, self.value)
        return f"backward: {self.label} is wrong: {worst}{self.origin}"


def _at_once(reference: Reference, group: str, gradients: Mapping[str, _Gradient]) -> Finding:
    """The comparison with how the loss changes when the arrays of all these gradients move."""
    error, wrong = compare(
        {name: gradient.value for name, gradient in gradients.items()},
        lambda directions: reference.rate_along(group, directions),
        lambda: reference.rounding[group],
        TOLERANCE,
        np.random.default_rng(0),
    )
    told = "\n".join(gradients[name].accusation for name in wrong)
    return Finding(error, told or "backward: the gradients are wrong together, though none is on its own")


def _directional_error(reference: Reference, group: str, name: str, value: Array, direction: Array) -> float:
    """Relative to the rate, or to what a gradient of this norm gives in a random direction.

    Where large terms cancel, neither is a measure: then what rounding explains is taken off.
    """
    rate = reference.rate(group, name, direction)
    expected = np.linalg.norm(value) * np.linalg.norm(direction) / np.sqrt(value.size)
    difference, scale = abs(np.sum(value * direction) - rate), max(float(expected), abs(rate), 1e-2)
    if difference > TOLERANCE * scale:
        difference = unexplained(difference, np.sum(reference.rounding[group][name] * np.abs(direction)))
    return float(difference / scale)


def _worst(reference: Reference, group: str, name: str, value: Array) -> str:
    truth = np.zeros_like(value, dtype=float)
    for index in np.ndindex(value.shape):
        direction = np.zeros(value.shape)
        direction[index] = 1.0
        truth[index] = reference.rate(group, name, direction)
    difference = np.abs(value - truth)
    worst = np.unravel_index(int(np.argmax(np.where(np.isnan(difference), np.inf, difference))), value.shape)
    where = f"entry [{', '.join(str(int(i)) for i in worst)}]" if worst else "it"
    return f"{where} is {float(value[worst]):.6g} and must be {truth[worst]:.6g}"


_TESTS: dict[str, Test] = {"forward": _forward, "step": _step, "defaults": _defaults}
_BACKWARD = {"backward: parameters": "params", "backward: inputs": "inputs", "backward: initial states": "state"}
"""Check of gradients -> the group of arrays that they are of."""


def _tests(cell: Cell, functions: Collection[str]) -> dict[str, Test]:
    """Every check by what the report calls it."""
    numbers = {"params": len(cell.parameters), "inputs": len(cell.inputs), "state": len(cell.states)}
    found = dict(_TESTS)
    found |= {counted(name, numbers[group]): _backward(group) for name, group in _BACKWARD.items()}
    return found | {name: DIRECTIONAL[name] for name in DIRECTIONAL if name in functions}
