"""Checks where two things meet: states beside a readout, exchanged gradients with another mistake in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symrnn
from symrnn import check_gradients

Array = Any


def forward(x: Array, h: Array, W: Array, U: Array, b: Array, V: Array, d: Array) -> Any:
    """A simple network whose states are read out; the last state is returned as well."""
    hs = [h]
    for row in x:
        hs.append(np.tanh(row @ W + hs[-1] @ U + b))
    return np.stack(hs[1:]) @ V + d, hs[-1], (x, hs, W, U, V)


def backward(dy: Array, dlast: Array, cache: Any) -> dict[str, Array]:
    """Its gradients, without what the last state's cotangent sends."""
    x, hs, W, U, V = cache
    dx, dW, dU, db = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[0])
    carried = 0 * dlast
    for t in reversed(range(len(x))):
        da = (dy[t] @ V.T + carried) * (1 - hs[t + 1] ** 2)
        dx[t], dW, dU, db = da @ W.T, dW + x[t].T @ da, dU + hs[t].T @ da, db + da.sum(axis=0)
        carried = da @ U.T
    dV = np.einsum("tnh,tno->ho", np.stack(hs[1:]), dy)
    return {"x": dx, "h": carried, "W": dW, "U": dU, "b": db, "V": dV, "d": dy.sum(axis=(0, 1))}


def drawn() -> dict[str, Array]:
    rng = np.random.default_rng(0)
    shapes = {"x": (5, 2, 3), "h": (2, 4), "W": (3, 4), "U": (4, 4), "b": (4,), "V": (4, 6), "d": (6,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.long
def test_a_last_state_beside_a_readout_is_an_output_of_the_cell() -> None:
    report = check_gradients(forward, backward, drawn(), cell="rnn")
    (found,) = report.diagnoses
    assert found.mistake == "missing-output"  # not a path that is cut: what the readout sends back is carried
    assert "output[1]" in found.sentence
    assert not report.unexplained


def lstm_forward(x: Array, h: Array, c: Array, W: Array, U: Array, b: Array) -> Any:
    """An LSTM with gates in the order f, i, g, o."""
    kept = []
    for row in x:
        a = np.split(row @ W + h @ U + b, 4, axis=1)
        f, i, o = (1 / (1 + np.exp(-a[k])) for k in (0, 1, 3))
        g, old = np.tanh(a[2]), (h, c)
        c = f * c + i * g
        h = o * np.tanh(c)
        kept.append((*old, f, i, g, o, c, h))
    return np.stack([one[-1] for one in kept]), (x, W, U, kept)


def lstm_backward(dhs: Array, cache: Any) -> dict[str, Array]:
    """Its gradients: a part of a derivative is missing, and those of the initial states are exchanged."""
    x, W, U, kept = cache
    dx, dW, dU, db = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[1])
    dh = dc = 0.0
    for t in reversed(range(len(x))):
        h, old, f, i, g, o, c, _ = kept[t]
        dh = dh + dhs[t]
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        parts = [dc * old * f, dc * g * i * (1 - i), dc * i * (1 - g * g), dh * np.tanh(c) * o * (1 - o)]
        da = np.concatenate(parts, axis=1)
        dx[t], dW, dU, db = da @ W.T, dW + x[t].T @ da, dU + h.T @ da, db + da.sum(axis=0)
        dh, dc = da @ U.T, dc * f
    return {"x": dx, "h": dc, "c": dh, "W": dW, "U": dU, "b": db}


@pytest.mark.long
def test_exchanged_gradients_are_seen_through_another_mistake() -> None:
    rng = np.random.default_rng(0)
    shapes = {"x": (4, 3, 2), "h": (3, 5), "c": (3, 5), "W": (2, 20), "U": (5, 20), "b": (20,)}
    inputs = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    report = check_gradients(lstm_forward, lstm_backward, inputs, cell="lstm")
    found = {one.mistake: one for one in report.diagnoses}
    assert set(found) == {"wrong-derivative", "gradients-exchanged"}
    assert set(found["gradients-exchanged"].gradients) == {"h", "c"}
    assert found["gradients-exchanged"].line is None
    assert not report.unexplained


def test_testing_is_found_by_its_name() -> None:
    assert symrnn.testing.assert_gradients
