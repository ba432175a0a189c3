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
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.calculus.second_order import second_order
from symrnn.calculus.tangent import tangent
from symrnn.calculus.truncated import truncated
from symrnn.printers import text
from symrnn.runs.numbers import FLOATS
from symrnn.runs.points import relative_error
from symrnn.verification.judging import Deviation
from symrnn.verification.network import BATCH, GROUPS, TIME, Arrays, Loss, Network

TOLERANCE = 1e-10
"""Rounding of the code comes near it where a tanh saturates: 1 - h² is known to one unit roundoff there, however small
it is, and the slope passes that on times what moves the argument.  Complex steps keep their digits there."""
WINDOWS = ((1, 2), (2, 3), (3, 3), (2, 9))
"""(k1, k2) for truncated backpropagation over 5 steps: windows that overlap, that do not, and that see everything."""


def leading(inputs: Mapping[str, Array], steps: int = TIME) -> list[Any]:
    """What tells a generated function the sequence: the inputs, or the number of steps where there are none."""
    return list(inputs.values()) or [steps]


def directions(network: Network, seed: int = 1) -> dict[str, dict[str, Array]]:
    """One random direction for everything that the network is given: group -> name -> array."""
    rng = np.random.default_rng(seed)
    groups = {group: getattr(network.data, group) for group in GROUPS}
    return {g: {n: rng.standard_normal(np.shape(v)) for n, v in arrays.items()} for g, arrays in groups.items()}


def _directed(network: Network, moving: Mapping[str, Arrays]) -> list[Any]:
    """The directions in the order in which the generated functions take them; None for what stands still."""
    inputs = [moving["inputs"].get(name) for name in network.cell.inputs]
    return [dict(moving["params"]) or None, *inputs, dict(moving["state"]) or None]


def _compare(label: str, value: Any, truth: Array, origin: Callable[[], str] = lambda: "") -> Deviation:
    value = np.asarray(value)
    if value.shape != truth.shape:
        return Deviation(np.inf, f"{label} has shape {value.shape}, it must have {truth.shape}{origin()}")
    error = relative_error(value, truth)
    return Deviation(error, "" if error <= TOLERANCE else f"{label} is off by {error:.1e}{origin()}")


# --- jvp --------------------------------------------------------------------------------------------------------------


def check_jvp(module: Any, network: Network) -> Iterator[Deviation]:
    """The outputs and the final states move as they do in the text; what is not given stands still."""
    moving, cell = directions(network), network.cell
    params, inputs = dict(network.data.params), leading(network.data.inputs)
    # With everything moving, with the parameters at rest, and alone: what is left out must count as zero.
    for chosen in (moving, {**moving, "params": {}}, {"inputs": {}, "state": {}, "params": moving["params"]}):
        rates = network.rates(chosen)
        h_dot, state_dot = module.jvp(params, *inputs, dict(network.data.state), *_directed(network, chosen))
        first = cell.states[0]
        yield _compare(f"jvp: {first}_dot", h_dot, rates[first], partial(_tangent_origin, network, first))
        for name in cell.states:
            label = f"jvp: state_dot[{name!r}]"
            yield _compare(label, state_dot[name], rates[name][-1], partial(_tangent_origin, network, name))


def _tangent_origin(network: Network, name: str) -> str:
    step = tangent(network.derivation).of(name)
    return f"\n  it comes from the tangent equation ({step.number}) {text(step.target)} = {text(step.value)}"


# --- hvp --------------------------------------------------------------------------------------------------------------


def moved_gradients(network: Network, moving: Mapping[str, Arrays], bars: Loss) -> dict[str, Arrays]:
    """How the gradients move along a direction, by complex steps through the derivation's equations.

    Args:
        network: where.
        moving: the direction, by group and name.
        bars: how the cotangents move.

    Returns:
        "params", "inputs", "state" -> name -> how the gradient moves.
    """
    loss = network.loss
    ends = {s: FLOATS.move(bar, bars.state_bar[s]) for s, bar in loss.state_bar.items()}
    found = network.gradients(network.data.moved(moving), Loss(FLOATS.move(loss.h_bar, bars.h_bar), ends))
    return {group: {name: FLOATS.rate(value) for name, value in found[group].items()} for group in GROUPS}


def check_hvp(module: Any, network: Network) -> Iterator[Deviation]:
    """Every block of the Hessian-vector product, first with a loss that is linear, then with one that is curved."""
    rng, cell, data = np.random.default_rng(2), network.cell, network.data
    moving = directions(network)
    loss = network.loss
    bars = Loss(
        rng.standard_normal(loss.h_bar.shape), {s: rng.standard_normal(v.shape) for s, v in loss.state_bar.items()}
    )
    still = Loss(0 * bars.h_bar, {s: 0 * bar for s, bar in bars.state_bar.items()})
    # A linear loss leaves out the terms in which the cotangents move; a curved one has them.
    for change in (still, bars):
        truth = moved_gradients(network, moving, change)
        curved = change is bars
        grads_dot, *input_dots, state_dot = module.hvp(
            dict(data.params),
            *leading(data.inputs),
            network.loss.h_bar,
            dict(data.state),
            *_directed(network, moving),
            change.h_bar if curved else None,
            dict(loss.state_bar),
            dict(change.state_bar) if curved else None,
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


def check_rtrl(module: Any, network: Network) -> Iterator[Deviation]:
    """Gradients and final sensitivities, also of single parameters, and of a sequence in two pieces."""
    cell, data = network.cell, network.data
    moving = directions(network)["params"]
    params, inputs = dict(data.params), leading(data.inputs)
    start, bars = dict(data.state), dict(network.loss.state_bar)
    grads, state, sensitivity = module.rtrl(params, *inputs, network.loss.h_bar, state=start, state_bar=bars)
    # Two pieces of unequal length, 2 and 3: a piece that forgot where it began would differ.
    half = len(network.loss.h_bar) // 2
    before = leading({n: x[:half] for n, x in data.inputs.items()}, half)
    after = leading({n: x[half:] for n, x in data.inputs.items()}, len(network.loss.h_bar) - half)
    for name in cell.parameters:
        rates = network.rates({"params": {name: moving[name]}})
        truth = np.asarray(network.loss.of(rates))
        yield _compare(f"rtrl: grads[{name!r}] in a direction", np.sum(grads[name] * moving[name]), truth)
        for s in cell.states:
            # A sensitivity has an entry for each pair of entries; along one direction it is as long as the state.
            carried = np.tensordot(moving[name], sensitivity[name][s], axes=np.ndim(moving[name]))
            yield _compare(f"rtrl: sensitivity[{name!r}][{s!r}] in a direction", carried, rates[s][-1])
        first, middle, known = module.rtrl(
            params,
            *before,
            network.loss.h_bar[:half],
            state=start,
            parameters=[name],
        )
        second, _, _ = module.rtrl(
            params,
            *after,
            network.loss.h_bar[half:],
            middle,
            bars,
            [name],
            known,
        )
        # The pieces against the whole, which is compared with the text above.
        yield _compare(f"rtrl: grads[{name!r}] in two pieces", first[name] + second[name], grads[name])
    for s in cell.states:
        yield _compare(f"rtrl: the final {s}", state[s], network.series[s][-1])


# --- truncated backward -----------------------------------------------------------------------------------------------


def truncated_rate(network: Network, windows: tuple[int, int], moving: Mapping[str, Arrays]) -> float:
    """What truncated backpropagation through time must give along a direction, by its definition.

    Each window is run from the states before it, which are held unless they are the initial ones; the loss of the
    window's own steps is differentiated by a complex step.
    """
    data, loss, last = network.data.moved(moving), network.loss, TIME
    # Before a window the states are those of the whole run, held: a window passes nothing back to them.
    still = {s: np.concatenate([network.data.state[s][None], network.series[s]]) for s in network.cell.states}
    total: Any = 0.0
    for window in truncated(network.derivation, *windows).windows(last):
        before = data.state if window.start == 0 else {s: still[s][window.start] for s in network.cell.states}
        times = range(window.start, window.end)
        for n in range(BATCH):
            names: Mapping[str, Array] = {}
            for t, names in zip(times, network.steps(data, n, before, times), strict=True):
                if t >= window.since:
                    total = total + np.sum(loss.h_bar[t, n] * names[network.cell.states[0]])
            if window.end == last:
                total = total + sum(np.sum(bar[n] * names[s]) for s, bar in loss.state_bar.items())
    return float(FLOATS.rate(total))


def check_truncated(module: Any, network: Network) -> Iterator[Deviation]:
    """Every gradient of truncated `backward`, for windows of several kinds, against the definition."""
    cell, data = network.cell, network.data
    params, moving = dict(data.params), directions(network)
    *_, tape = module.forward(params, *leading(data.inputs), state=dict(data.state))
    for windows in WINDOWS:
        grads, *input_bars, state_bar = module.backward(
            params, tape, network.loss.h_bar, state_bar=dict(network.loss.state_bar), truncate=windows
        )
        results = {"params": grads, "inputs": dict(zip(cell.inputs, input_bars, strict=True)), "state": state_bar}
        for group, arrays in results.items():
            for name, value in arrays.items():
                direction = moving[group][name]
                truth = np.asarray(truncated_rate(network, windows, {group: {name: direction}}))
                label = f"backward, truncate={windows}: the gradient of {name} in a direction"
                yield _compare(label, np.sum(np.asarray(value) * direction), truth)


DIRECTIONAL: Mapping[str, Callable[[Any, Network], Iterator[Deviation]]] = {
    "jvp": check_jvp,
    "hvp": check_hvp,
    "rtrl": check_rtrl,
    "truncate": check_truncated,
}
"""What can be asked for -> the check of it."""
