"""Checks of generated `jvp`, `hvp`, `rtrl` and truncated `backward`.

Truth for `jvp`, and for the sensitivities of `rtrl`, are complex steps through the author's text.  Truth for gradients
is the same as for `backward`.  Truth for `hvp` are complex steps through the gradient: the derivation's forward and
backward equations, evaluated one by one in complex numbers and looped over time here; it shares nothing with the rules
for tangents, nor with the code.  Truth for truncated `backward` are complex steps through the text, window by window,
with the states before a window held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

import numpy as np

from symrnn.algebra.evaluate import Evaluator
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.second_order import second_order
from symrnn.calculus.tangent import tangent
from symrnn.calculus.truncated import truncated
from symrnn.language.evaluate import NUMPY, run
from symrnn.printers import text
from symrnn.runs.points import Array, fixed_values, relative_error
from symrnn.verification.numeric import STEP, Finding

TOLERANCE = 1e-10
"""Rounding of the code comes near it where a tanh saturates: 1 - h² is known to one unit roundoff there, however small
it is, and the slope passes that on times what moves the argument.  Complex steps keep their digits there."""
WINDOWS = ((1, 2), (2, 3), (3, 3), (2, 9))
"""(k1, k2) for truncated backpropagation over 5 steps: windows that overlap, that do not, and that see everything."""

Arrays = Mapping[str, Array]
STEPS = 5
"""Of the sequences that generated code is run on: enough for windows that overlap."""


def leading(inputs: Mapping[str, Array], steps: int = STEPS) -> list[Any]:
    """What tells a generated function the sequence: the inputs, or the number of steps where there are none."""
    return list(inputs.values()) or [steps]


class Network(Protocol):
    """What the checks need of a network on random data; `generated.Reference` is one."""

    derivation: Derivation
    cell: Any
    layout: Any
    sequence: Any
    series: dict[str, Array]
    h_bar: Array
    state_bar: dict[str, Array]

    def run(self, sequence: Any, steps: int = ...) -> dict[str, Array]:
        """Every state at every step."""


def directions(network: Network, seed: int = 1) -> dict[str, dict[str, Array]]:
    """One random direction for everything that the network is given: group -> name -> array."""
    rng = np.random.default_rng(seed)
    groups = {group: getattr(network.sequence, group) for group in ("params", "inputs", "state")}
    return {g: {n: rng.standard_normal(np.shape(v)) for n, v in arrays.items()} for g, arrays in groups.items()}


def _along(network: Network, moving: Mapping[str, Arrays]) -> Any:
    sequence = network.sequence
    for group, arrays in moving.items():
        for name, direction in arrays.items():
            sequence = sequence.moved(group, name, 1j * STEP * direction)
    return sequence


def _directed(network: Network, moving: Mapping[str, Arrays]) -> list[Any]:
    """The directions in the order in which the generated functions take them; None for what stands still."""
    inputs = [moving["inputs"].get(name) for name in network.cell.inputs]
    return [dict(moving["params"]) or None, *inputs, dict(moving["state"]) or None]


def _compare(label: str, value: Any, truth: Array, origin: Callable[[], str] = lambda: "") -> Finding:
    value = np.asarray(value)
    if value.shape != truth.shape:
        return Finding(np.inf, f"{label} has shape {value.shape}, it must have {truth.shape}{origin()}")
    error = relative_error(value, truth)
    return Finding(error, "" if error <= TOLERANCE else f"{label} is off by {error:.1e}{origin()}")


# --- jvp --------------------------------------------------------------------------------------------------------------


def check_jvp(module: Any, network: Network) -> Iterator[Finding]:
    """The outputs and the final states move as they do in the text; what is not given stands still."""
    moving, cell = directions(network), network.cell
    params, inputs = dict(network.sequence.params), leading(network.sequence.inputs)
    for chosen in (moving, {**moving, "params": {}}, {"inputs": {}, "state": {}, "params": moving["params"]}):
        series = network.run(_along(network, chosen))
        rates = {name: np.imag(value) / STEP for name, value in series.items()}
        h_dot, state_dot = module.jvp(params, *inputs, dict(network.sequence.state), *_directed(network, chosen))
        first = cell.states[0]
        yield _compare(f"jvp: {first}_dot", h_dot, rates[first], partial(_tangent_origin, network, first))
        for name in cell.states:
            label = f"jvp: state_dot[{name!r}]"
            yield _compare(label, state_dot[name], rates[name][-1], partial(_tangent_origin, network, name))


def _tangent_origin(network: Network, name: str) -> str:
    step = tangent(network.derivation).of(name)
    return f"\n  it comes from the tangent equation ({step.number}) {text(step.target)} = {text(step.value)}"


# --- hvp --------------------------------------------------------------------------------------------------------------


def moved_gradients(network: Network, moving: Mapping[str, Arrays], bars: Mapping[str, Array]) -> dict[str, Arrays]:
    """How the gradients move along a direction, by complex steps through the derivation's equations.

    Args:
        network: where.
        moving: the direction, by group and name.
        bars: how the cotangents move: "" for those of the output, and one by the name of every final state.

    Returns:
        "params", "inputs", "state" -> name -> how the gradient moves.
    """
    sequence, cell = _along(network, moving), network.cell
    h_bar = network.h_bar + 1j * STEP * bars[""]
    ends = {s: network.state_bar[s] + 1j * STEP * bars[s] for s in cell.states}
    found: dict[str, dict[str, Array]] = {
        "params": {n: np.zeros(np.shape(v), complex) for n, v in sequence.params.items()},
        "inputs": {n: np.zeros(np.shape(v), complex) for n, v in sequence.inputs.items()},
        "state": {n: np.zeros(np.shape(v), complex) for n, v in sequence.state.items()},
    }
    for n in range(h_bar.shape[1]):
        _gradients_of_example(network, sequence, n, h_bar[:, n], {s: v[n] for s, v in ends.items()}, found)
    return {group: {n: np.imag(v) / STEP for n, v in arrays.items()} for group, arrays in found.items()}


def _gradients_of_example(
    network: Network, sequence: Any, n: int, h_bar: Array, ends: Arrays, found: dict[str, dict[str, Array]]
) -> None:
    derivation, layout, cell = network.derivation, network.layout, network.cell
    fixed = fixed_values(cell) | {name: layout.matrix(cell[name], v) for name, v in sequence.params.items()}
    values = {f"{s}_prev": layout.matrix(cell[s], v[n]) for s, v in sequence.state.items()}
    frames = []
    for t in range(len(h_bar)):
        values = values | fixed | {name: layout.matrix(cell[name], v[t, n]) for name, v in sequence.inputs.items()}
        evaluate = Evaluator(values, layout.sizes, NUMPY)
        for equation in derivation.forward:
            values[equation.target.name] = evaluate(equation.value)
        frames.append(values)
        values = {f"{s}_prev": values[s] for s in cell.states}
    carried = {s: layout.matrix(cell[s], v) for s, v in ends.items()}
    for t in reversed(range(len(h_bar))):
        values = frames[t]
        for s in cell.states:
            own = layout.matrix(cell[s], h_bar[t]) if s == cell.states[0] else 0
            values[derivation.cotangents[s].name] = carried[s] + own
        evaluate = Evaluator(values, layout.sizes, NUMPY)
        for step in derivation.steps:
            values[step.target.name] = evaluate(step.value)
        for name, total in found["params"].items():
            found["params"][name] = total + values[derivation.of(name).target.name].reshape(np.shape(total))
        for name, total in found["inputs"].items():
            total[t, n] = values[derivation.of(name).target.name].reshape(total.shape[2:])
        carried = {s: values[derivation.of(f"{s}_prev").target.name] for s in cell.states}
    for s, total in found["state"].items():
        total[n] = carried[s].reshape(total.shape[1:])


def check_hvp(module: Any, network: Network) -> Iterator[Finding]:
    """Every block of the Hessian-vector product, first with a loss that is linear, then with one that is curved."""
    rng, cell, sequence = np.random.default_rng(2), network.cell, network.sequence
    moving = directions(network)
    bars = {"": rng.standard_normal(network.h_bar.shape)}
    bars |= {s: rng.standard_normal(v.shape) for s, v in network.state_bar.items()}
    still = {key: 0 * value for key, value in bars.items()}
    for change in (still, bars):
        truth = moved_gradients(network, moving, change)
        curved = change is bars
        grads_dot, *input_dots, state_dot = module.hvp(
            dict(sequence.params),
            *leading(sequence.inputs),
            network.h_bar,
            dict(sequence.state),
            *_directed(network, moving),
            change[""] if curved else None,
            dict(network.state_bar),
            {s: change[s] for s in cell.states} if curved else None,
        )
        results = [(f"grads_dot[{n!r}]", grads_dot[n], truth["params"][n], n) for n in cell.parameters]
        results += [
            (f"{n}_bar_dot", value, truth["inputs"][n], n) for n, value in zip(cell.inputs, input_dots, strict=True)
        ]
        results += [(f"state_bar_dot[{s!r}]", state_dot[s], truth["state"][s], f"{s}_prev") for s in cell.states]
        for label, value, expected, name in results:
            yield _compare(f"hvp: {label}", value, expected, partial(_second_origin, network, name))


def _second_origin(network: Network, name: str) -> str:
    step = second_order(network.derivation).of(name)
    return f"\n  it comes from the equation ({step.number}) {text(step.target)} = {text(step.value)}"


# --- rtrl -------------------------------------------------------------------------------------------------------------


def check_rtrl(module: Any, network: Network) -> Iterator[Finding]:
    """Gradients and final sensitivities, also of single parameters, and of a sequence in two pieces."""
    cell, sequence = network.cell, network.sequence
    moving = directions(network)["params"]
    params, inputs = dict(sequence.params), leading(sequence.inputs)
    start, bars = dict(sequence.state), dict(network.state_bar)
    grads, state, sensitivity = module.rtrl(params, *inputs, network.h_bar, state=start, state_bar=bars)
    half = len(network.h_bar) // 2
    before = leading({n: x[:half] for n, x in sequence.inputs.items()}, half)
    after = leading({n: x[half:] for n, x in sequence.inputs.items()}, len(network.h_bar) - half)
    for name in cell.parameters:
        rates = network.run(_along(network, {"params": {name: moving[name]}}))
        rates = {s: np.imag(value) / STEP for s, value in rates.items()}
        truth = np.sum(network.h_bar * rates[cell.states[0]])
        truth += sum(np.sum(bars[s] * rates[s][-1]) for s in cell.states)
        yield _compare(f"rtrl: grads[{name!r}] in a direction", np.sum(grads[name] * moving[name]), truth)
        for s in cell.states:
            carried = np.tensordot(moving[name], sensitivity[name][s], axes=np.ndim(moving[name]))
            yield _compare(f"rtrl: sensitivity[{name!r}][{s!r}] in a direction", carried, rates[s][-1])
        first, middle, known = module.rtrl(
            params,
            *before,
            network.h_bar[:half],
            state=start,
            parameters=[name],
        )
        second, _, _ = module.rtrl(
            params,
            *after,
            network.h_bar[half:],
            middle,
            bars,
            [name],
            known,
        )
        yield _compare(f"rtrl: grads[{name!r}] in two pieces", first[name] + second[name], grads[name])
    for s in cell.states:
        yield _compare(f"rtrl: the final {s}", state[s], network.series[s][-1])


# --- truncated backward -----------------------------------------------------------------------------------------------


def truncated_rate(network: Network, windows: tuple[int, int], moving: Mapping[str, Arrays]) -> float:
    """What truncated backpropagation through time must give along a direction, by its definition.

    Each window is run from the states before it, which are held unless they are the initial ones; the loss of the
    window's own steps is differentiated by a complex step.
    """
    cell, sequence = network.cell, _along(network, moving)
    still = {s: np.concatenate([network.sequence.state[s][None], network.series[s]]) for s in cell.states}
    loss: Any = 0.0
    last = len(network.h_bar)
    for window in truncated(network.derivation, *windows).windows(last):
        for n in range(network.h_bar.shape[1]):
            before = sequence.state if window.start == 0 else {s: still[s][window.start] for s in cell.states}
            state = {s: before[s][n] for s in cell.states}
            for t in range(window.start, window.end):
                now = {name: value[t, n] for name, value in sequence.inputs.items()}
                names = run(cell.syntax, {**sequence.params, **now, **state})
                state = {s: names[s] for s in cell.states}
                if t >= window.since:
                    loss = loss + np.sum(network.h_bar[t, n] * state[cell.states[0]])
            if window.end == last:
                loss = loss + sum(np.sum(network.state_bar[s][n] * state[s]) for s in cell.states)
    return float(np.imag(loss)) / STEP


def check_truncated(module: Any, network: Network) -> Iterator[Finding]:
    """Every gradient of truncated `backward`, for windows of several kinds, against the definition."""
    cell, sequence = network.cell, network.sequence
    params, moving = dict(sequence.params), directions(network)
    *_, tape = module.forward(params, *leading(sequence.inputs), state=dict(sequence.state))
    for windows in WINDOWS:
        grads, *input_bars, state_bar = module.backward(
            params, tape, network.h_bar, state_bar=dict(network.state_bar), truncate=windows
        )
        results = {"params": grads, "inputs": dict(zip(cell.inputs, input_bars, strict=True)), "state": state_bar}
        for group, arrays in results.items():
            for name, value in arrays.items():
                direction = moving[group][name]
                truth = np.asarray(truncated_rate(network, windows, {group: {name: direction}}))
                label = f"backward, truncate={windows}: the gradient of {name} in a direction"
                yield _compare(label, np.sum(np.asarray(value) * direction), truth)


DIRECTIONAL: Mapping[str, Callable[[Any, Network], Iterator[Finding]]] = {
    "jvp": check_jvp,
    "hvp": check_hvp,
    "rtrl": check_rtrl,
    "truncate": check_truncated,
}
"""What can be asked for -> the check of it."""
