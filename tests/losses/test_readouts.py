"""Functions that return what is read out of their states: whatever the readout's size, names, function and code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from symrnn import cells, check_gradients
from symrnn.callables.subject import Subject
from symrnn.findings.report import GradientReport
from symrnn.heads import HEADS
from symrnn.losses.readouts import find_readouts

Array = np.ndarray
STEPS, BATCH, INPUTS, HIDDEN = 5, 3, 4, 6


@dataclass(frozen=True)
class Squash:
    """A function behind the readout, and its adjoint from the output and the cotangent."""

    value: Callable[[Array], Array]
    adjoint: Callable[[Array, Array], Array]


def softmax(y: Array) -> Array:
    e = np.exp(y - y.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


SQUASHES = {
    "readout": Squash(lambda y: y, lambda p, dp: dp),
    "sigmoid-readout": Squash(lambda y: 1 / (1 + np.exp(-y)), lambda p, dp: dp * p * (1 - p)),
    "tanh-readout": Squash(np.tanh, lambda p, dp: dp * (1 - p**2)),
    "relu-readout": Squash(lambda y: np.maximum(y, 0), lambda p, dp: dp * (p > 0)),
    "softmax-readout": Squash(softmax, lambda p, dp: p * (dp - (dp * p).sum(axis=-1, keepdims=True))),
    "softplus-readout": Squash(lambda y: np.log1p(np.exp(y)), lambda p, dp: dp * (1 - np.exp(-p))),
    "exp-readout": Squash(np.exp, lambda p, dp: dp * p),
}


@dataclass(frozen=True)
class Layer:
    """A GRU-free little network: rows are examples, the states are read out at every step, or at the last one.

    Attributes:
        names: what its weights are called: input, recurrent, bias, readout, its bias ("" for none).
        outputs: how many entries are read out.
        squash: what stands behind the readout.
        last: whether only the last step is read out.
        buffers: whether what it makes has a fixed number of entries, so that no other readout fits.
        listed: whether the outputs are a list, one array a step.
        slip: `""`, or what is wrong: `"slope"`, `"turned"`, `"path"`.
    """

    names: tuple[str, str, str, str, str] = ("W", "U", "b", "V", "b_y")
    outputs: int = 2
    squash: str = "readout"
    last: bool = False
    buffers: bool = False
    listed: bool = False
    slip: str = ""

    def inputs(self) -> dict[str, Array]:
        W, U, b, V, by = self.names
        sizes = {"x": (STEPS, BATCH, INPUTS), "h_0": (BATCH, HIDDEN), W: (INPUTS, HIDDEN), U: (HIDDEN, HIDDEN)}
        sizes |= {b: (HIDDEN,), V: (HIDDEN, self.outputs)} | ({by: (self.outputs,)} if by else {})
        rng = np.random.default_rng(3)
        return {name: 0.7 * rng.normal(size=size) for name, size in sizes.items()}

    def forward(self, **given: Array) -> Any:
        W, U, b, V, by = (given.get(name) for name in self.names)
        hs = [given["h_0"]]
        for x_t in given["x"]:
            hs.append(np.tanh(x_t @ W + hs[-1] @ U + b))
        bias = 0 if by is None else by
        read = [SQUASHES[self.squash].value(h @ V + bias) for h in (hs[-1:] if self.last else hs[1:])]
        if self.buffers:
            ys = np.zeros((len(read), BATCH, self.outputs), dtype=np.result_type(*given.values()))
            for place, y in enumerate(read):
                ys[place, : len(y)] = y
            read = list(ys[:, : len(read[0])])
        out: Any = read if self.listed else read[0] if self.last else np.stack(read)
        return out, (given, hs, read)

    def backward(self, dout: Any, cache: Any) -> dict[str, Array]:
        given, hs, read = cache
        W, U, _b, V, _by = (given.get(name) for name in self.names)
        dread = [dout] if self.last else list(dout)
        first = len(hs) - 1 - len(read)
        d = {name: 0 * array for name, array in given.items()}
        back = np.zeros_like(hs[0])
        for t in reversed(range(len(hs) - 1)):
            dh = back
            if t >= first:
                dy = SQUASHES[self.squash].adjoint(read[t - first], dread[t - first])
                d[self.names[3]] = d[self.names[3]] + hs[t + 1].T @ dy
                if self.names[4]:
                    d[self.names[4]] = d[self.names[4]] + dy.sum(axis=0)
                dh = dh + dy @ (V if self.slip == "turned" else V.T)
            a = dh * (1 - hs[t + 1] ** (1 if self.slip == "slope" else 2))
            d[self.names[0]] = d[self.names[0]] + given["x"][t].T @ a
            d[self.names[1]] = d[self.names[1]] + hs[t].T @ a
            d[self.names[2]] = d[self.names[2]] + a.sum(axis=0)
            d["x"][t] = a @ W.T
            back = a if self.slip == "path" else a @ U.T
        return d | {"h_0": back}


LAYERS = {
    "plain": Layer(),
    "fewer outputs than units, in a buffer of their size": Layer(buffers=True),
    "more outputs than units": Layer(outputs=8),
    "one output": Layer(outputs=1),
    "as many outputs as units": Layer(outputs=HIDDEN),
    "the last step alone": Layer(last=True, outputs=3, buffers=True),
    "a list of steps": Layer(listed=True),
    "no bias": Layer(names=("W", "U", "b", "V", "")),
    "a bias called c": Layer(names=("U", "W", "b", "V", "c")),
    "a bias called s": Layer(names=("P", "Q", "k", "R", "s")),
    "a bias called h": Layer(names=("A", "B", "a", "C", "h")),
    "biases called s and h0": Layer(names=("A", "B", "s", "C", "h0")),
    **{name: Layer(squash=name) for name in SQUASHES},
    "softmax of the last step": Layer(squash="softmax-readout", last=True, outputs=5),
}


def check(layer: Layer, **options: Any) -> GradientReport:
    return check_gradients(layer.forward, layer.backward, layer.inputs(), **options)


def changed(layer: Layer, slip: str) -> Layer:
    return Layer(**{**vars(layer), "slip": slip})


def test_every_readout_is_tried() -> None:
    assert set(SQUASHES) == {name for name, head in HEADS.items() if head.reads_out and not head.has_loss}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", LAYERS)
def test_a_right_layer_passes_and_is_recognised(name: str) -> None:
    layer = LAYERS[name]
    assert check(layer).passed
    subject = Subject(layer.forward, layer.backward, layer.inputs())
    found = find_readouts(subject, None, subject.arrays, 0)
    assert found is not None
    assert found.layout.joined is not None
    assert (found.layout.joined.core, found.layout.joined.head) == (cells["rnn"], HEADS[layer.squash])
    assert set(found.layout.names) == set(layer.inputs())


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", list(LAYERS)[::6])
def test_a_slip_before_the_readout_is_named(name: str) -> None:
    report = check(changed(LAYERS[name], "slope"))
    assert (report.cell, report.mistakes) == ("rnn", ("wrong-derivative",)), str(report)
    assert not report.unexplained
    assert "not named" not in str(report)


@pytest.mark.parametrize("name", ["as many outputs as units"])
def test_a_slip_in_the_readout_is_named(name: str) -> None:
    report = check(changed(LAYERS[name], "turned"))
    assert report.mistakes == ("transpose",)
    assert not report.unexplained


@pytest.mark.long
def test_a_lost_path_is_named_where_no_other_readout_fits() -> None:
    """Buffers of a fixed size raise at any readout but the own one: nothing is acquitted for that."""
    report = check(changed(LAYERS["the last step alone"], "path"))
    assert report.mistakes == ("missing-factor",)
    assert "Uᵀ" in report.diagnoses[0].sentence
    assert "every gradient of the cell is right" not in str(report)


def two_heads(x: Array, W: Array, U: Array, b: Array, P: Array, p: Array, Q: Array, q: Array) -> Any:
    hs = [np.zeros((x.shape[1], HIDDEN))]
    for x_t in x:
        hs.append(np.tanh(x_t @ W + hs[-1] @ U + b))
    actions, value = softmax(np.stack(hs[1:]) @ P + p), np.stack(hs[1:]) @ Q + q
    return actions, value, (x, hs, W, U, P, Q, actions)


def two_heads_backward(dactions: Array, dvalue: Array, cache: Any, slip: bool = False) -> dict[str, Array]:
    x, hs, W, U, P, Q, actions = cache
    dl = SQUASHES["softmax-readout"].adjoint(actions, dactions)
    rows = np.stack(hs[1:])
    d = {"P": np.einsum("tnh,tno->ho", rows, dl), "Q": np.einsum("tnh,tno->ho", rows, dvalue)}
    d |= {"p": dl.sum((0, 1)), "q": dvalue.sum((0, 1)), "x": 0 * x, "W": 0 * W, "U": 0 * U, "b": np.zeros(HIDDEN)}
    back = 0 * hs[0]
    for t in reversed(range(len(x))):
        a = (back + dl[t] @ P.T + (0 if slip and t == 0 else 1) * dvalue[t] @ Q.T) * (1 - hs[t + 1] ** 2)
        d["W"], d["U"], d["b"] = d["W"] + x[t].T @ a, d["U"] + hs[t].T @ a, d["b"] + a.sum(0)
        d["x"][t] = a @ W.T
        back = a @ U.T * (0.5 if slip else 1)
    return d


def two_heads_inputs() -> dict[str, Array]:
    sizes = {"x": (STEPS, BATCH, INPUTS), "W": (INPUTS, HIDDEN), "U": (HIDDEN, HIDDEN), "b": (HIDDEN,)}
    sizes |= {"P": (HIDDEN, 3), "p": (3,), "Q": (HIDDEN, 1), "q": (1,)}
    rng = np.random.default_rng(4)
    return {name: 0.7 * rng.normal(size=size) for name, size in sizes.items()}


def test_two_readouts_of_the_same_states() -> None:
    assert check_gradients(two_heads, two_heads_backward, two_heads_inputs()).passed
    subject = Subject(two_heads, two_heads_backward, two_heads_inputs())
    found = find_readouts(subject, None, subject.arrays, 0)
    assert found is not None
    assert found.layout.reference == "rnn --head softmax-readout --head readout"

    def wrong(dactions: Array, dvalue: Array, cache: Any) -> dict[str, Array]:
        d = two_heads_backward(dactions, dvalue, cache)
        return d | {"Q": 2 * d["Q"]}

    report = check_gradients(two_heads, wrong, two_heads_inputs())
    assert report.mistakes == ("double-counted",)
    assert "Q" in report.diagnoses[0].gradients
    assert not report.unexplained


def test_an_update_inside_of_the_loop_is_not_said_to_be_right() -> None:
    """The readout is trained while the loop runs back: no sentence says that the rest is right."""
    layer = Layer(outputs=HIDDEN)

    def updating(dout: Array, cache: Any) -> dict[str, Array]:
        given, hs, _read = cache
        d = layer.backward(dout, cache)
        V, back = given["V"].copy(), 0 * hs[0]
        for t in reversed(range(len(hs) - 1)):
            a = (back + dout[t] @ V.T) * (1 - hs[t + 1] ** 2)
            V -= 0.1 * hs[t + 1].T @ dout[t]
            d["x"][t], back = a @ given["W"].T, a @ given["U"].T
        return d | {"h_0": back}

    report = check_gradients(layer.forward, updating, layer.inputs())
    assert {finding.name for finding in report.wrong} == {"x", "h_0"}
    assert {"x", "h_0"} <= {*report.unexplained, *(name for one in report.diagnoses for name in one.gradients)}
    assert "is right" not in " ".join(problem.sentence for problem in report.problems)
