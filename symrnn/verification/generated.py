"""Checks of generated code: its functions against the author's text, over time and over examples.

The generated functions take all steps and examples at once, where the text is looped; see `network`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.algebra.nodes import Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.language.recurrence import Cell
from symrnn.runs.points import NOWHERE, relative_error
from symrnn.runs.rounding import unexplained
from symrnn.runs.sizes import layouts
from symrnn.verification.diagnose import show_gradient
from symrnn.verification.directional import DIRECTIONAL, leading
from symrnn.verification.jointly import DIRECTIONS, are_separate, compare, counted
from symrnn.verification.judging import Deviation, conclude
from symrnn.verification.network import BATCH, TIME, Arrays, Network, NetworkData, draw_network
from symrnn.verification.report import Check

METHOD = "generated code"
TOLERANCE = 1e-10
"""Rounding alone reached 2e-12 over 60 seeds of 33 cells: a memory that grows amplifies it from step to step."""
SIZES = (6, 4)
"""d_h and d_x: with T and N, all different, and further sizes start at 2 and avoid these two."""


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
    # At one choice of sizes, all different: what a wrong axis does shows there, and each further one costs as much
    # again.
    network = draw_network(derivation, layout, np.random.default_rng(seed))
    for name, test in _tests(derivation.cell, functions).items():
        deviations = [Deviation(np.inf, NOWHERE)] if network is None else _attempt(test, module, network)
        yield conclude(name, METHOD, sizes, deviations, TOLERANCE)


Test = Callable[[Any, Network], Iterator[Deviation]]


def _attempt(test: Test, module: Any, network: Network) -> list[Deviation]:
    try:
        with np.errstate(all="ignore"):
            return list(test(module, network))
    except Exception as error:  # whatever a wrong module does, the report says so
        return [Deviation(np.inf, f"{type(error).__name__}: {error}")]


def _forward_call(module: Any, data: NetworkData) -> Any:
    return module.forward(dict(data.params), *leading(data.inputs), state=dict(data.state))


def _compare(what: str, value: Array, network: Network, name: str, at: Any = ...) -> Deviation:
    """The value of a state at some steps of the series."""
    value, truth = np.asarray(value), network.series[name][at]
    if value.shape != truth.shape:
        return Deviation(np.inf, f"{what} has shape {value.shape}, it must have {truth.shape}")
    error = relative_error(value, truth)
    if error > TOLERANCE:  # a step that magnifies what it is given magnifies rounding, too
        error = relative_error(truth + unexplained(value - truth, network.rounding["series"][name][at]), truth)
    return Deviation(error, f"{what} differs from the definition by {error:.1e}")


def _forward(module: Any, network: Network) -> Iterator[Deviation]:
    h, state, _ = _forward_call(module, network.data)
    first, *_ = network.cell.states
    yield _compare(f"forward: the series of {first}", h, network, first)
    for name in network.cell.states:
        yield _compare(f"forward: the final {name}", state[name], network, name, -1)


def _step(module: Any, network: Network) -> Iterator[Deviation]:
    data = network.data
    now = [value[0] for value in data.inputs.values()]
    state = module.step(dict(data.params), *now, dict(data.state))
    for name in network.cell.states:
        yield _compare(f"step: {name}", state[name], network, name, 0)


def _defaults(module: Any, network: Network) -> Iterator[Deviation]:
    """States and cotangents that are not given are zeros; compared with zeros that are, so any point will do."""
    data = network.data
    params, inputs = dict(data.params), leading(data.inputs)
    examples = slice(None) if data.inputs else slice(1)  # without an array of inputs there is one example
    zeros = {name: 0 * value[examples] for name, value in data.state.items()}
    h_bar = network.loss.h_bar[:, examples]
    first = [value[0] for value in data.inputs.values()]
    expected_h, expected_state, tape = module.forward(params, *inputs, state=zeros)
    if network.cell.untold_sizes:
        yield _refused("forward without a state", lambda: module.forward(params, *inputs))
        yield _refused("step without a state", lambda: module.step(params, *first))
    else:
        h, state, tape = module.forward(params, *inputs)
        yield _equal("forward without a state", {"": h, **state}, {"": expected_h, **expected_state})
        yield _equal("step without a state", module.step(params, *first), module.step(params, *first, zeros))
    *_, state_bar = module.backward(params, tape, h_bar)
    *_, expected = module.backward(params, tape, h_bar, state_bar=zeros)
    yield _equal("backward without state_bar", state_bar, expected)


def _refused(what: str, call: Callable[[], Any]) -> Deviation:
    """Zeros of which size, no argument says."""
    try:
        call()
    except ValueError:
        return Deviation(0.0, "")
    return Deviation(np.inf, f"{what} must be refused: no array tells the size of the states")


def _equal(what: str, values: Arrays, truths: Arrays) -> Deviation:
    equal = values.keys() == truths.keys() and all(
        np.array_equal(values[name], truths[name], equal_nan=True) for name in truths
    )
    return Deviation(0.0 if equal else np.inf, f"{what} is not what zeros give")


def _backward(group: str) -> Test:
    def test(module: Any, network: Network) -> Iterator[Deviation]:
        *_, tape = _forward_call(module, network.data)
        params, state_bar = dict(network.data.params), dict(network.loss.state_bar)
        grads, *input_bars, initial_bar = module.backward(params, tape, network.loss.h_bar, state_bar=state_bar)
        results = {
            "params": {f"grads[{name!r}]": (name, grads, name) for name in network.cell.parameters},
            "inputs": {
                f"{n}_bar": (n, dict(zip(network.cell.inputs, input_bars, strict=True)), n) for n in network.cell.inputs
            },
            "state": {f"state_bar[{name!r}]": (name, initial_bar, f"{name}_prev") for name in network.cell.states},
        }
        given = [
            _Gradient(network, group, name, label, found.get(name), network.cell[variable])
            for label, (name, found, variable) in results[group].items()
        ]
        yield from (Deviation(np.inf, gradient.misfit) for gradient in given if gradient.misfit)
        fitting = [gradient for gradient in given if not gradient.misfit]
        if are_separate(len(given)):
            yield from (gradient.on_its_own() for gradient in fitting)
        elif fitting:
            yield _at_once(network, group, {gradient.name: gradient for gradient in fitting})

    return test


@dataclass(frozen=True)
class _Gradient:
    """What `backward` returned for one array: its name, how the result is called, and of which variable it is."""

    network: Network
    group: str
    name: str
    label: str
    returned: Any
    variable: Variable

    @property
    def origin(self) -> str:
        """The equation that it comes from, as the end of a sentence."""
        return f"\n  it comes from {show_gradient(self.network.derivation.of(self.variable.name))}"

    @cached_property
    def value(self) -> Array:
        """The array."""
        return np.asarray(self.returned)

    @cached_property
    def misfit(self) -> str:
        """Why it cannot be compared; an empty text where it can."""
        shape = getattr(self.network.data, self.group)[self.name].shape
        if self.returned is None:
            return f"backward: {self.label} is missing{self.origin}"
        if self.value.shape != shape:
            return f"backward: {self.label} has shape {self.value.shape}, it must have {shape}{self.origin}"
        return ""

    def on_its_own(self) -> Deviation:
        """The comparison with how the loss changes when this array alone moves."""
        rng = np.random.default_rng(0)
        at = (self.network, self.group, self.name, self.value)
        # Directions and not entries: a gradient of ten thousand entries is tested by three runs of the text.
        errors = [_directional_error(*at, rng.standard_normal(self.value.shape)) for _ in range(DIRECTIONS)]
        # `max` passes over NaN where it does not come first.
        error = max(errors) if not np.isnan(errors).any() else np.nan
        return Deviation(error, "" if error <= TOLERANCE else self.accusation)

    @property
    def accusation(self) -> str:
        """The sentence for where it is wrong."""
        # Entry by entry only for what is wrong: it takes a run of the text for each.
        worst = _worst(self.network, self.group, self.name, self.value)
        return f"backward: {self.label} is wrong: {worst}{self.origin}"


def _at_once(network: Network, group: str, gradients: Mapping[str, _Gradient]) -> Deviation:
    """The comparison with how the loss changes when the arrays of all these gradients move."""
    error, wrong = compare(
        {name: gradient.value for name, gradient in gradients.items()},
        lambda directions: network.rate({group: directions}),
        lambda: network.rounding[group],
        TOLERANCE,
        np.random.default_rng(0),
    )
    accused = "\n".join(gradients[name].accusation for name in wrong)
    return Deviation(error, accused or "backward: the gradients are wrong together, though none is on its own")


def _directional_error(network: Network, group: str, name: str, value: Array, direction: Array) -> float:
    """Relative to the rate, or to what a gradient of this norm gives in a random direction.

    Where large terms cancel, neither is a measure: then what rounding explains is taken off.
    """
    rate = network.rate({group: {name: direction}})
    # A random direction is nearly orthogonal to a long gradient: its rate alone would be a scale far too small.
    expected = np.linalg.norm(value) * np.linalg.norm(direction) / np.sqrt(value.size)
    difference, scale = abs(np.sum(value * direction) - rate), max(float(expected), abs(rate), 1e-2)
    if difference > TOLERANCE * scale:
        difference = unexplained(difference, np.sum(network.rounding[group][name] * np.abs(direction)))
    return float(difference / scale)


def _worst(network: Network, group: str, name: str, value: Array) -> str:
    truth = np.zeros_like(value, dtype=float)
    for index in np.ndindex(value.shape):
        direction = np.zeros(value.shape)
        direction[index] = 1.0
        truth[index] = network.rate({group: {name: direction}})
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
