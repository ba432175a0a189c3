"""What stands around the search: small sizes where the functions allow them, and a diagnosis that is not trusted."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn import derive, identify
from symrnn.callables.subject import Subject
from symrnn.diagnosis.confirming import confirm
from symrnn.diagnosis.exposing import exposing_inputs
from symrnn.diagnosis.resized import diagnose_resized
from symrnn.identification import Layout

Array = np.ndarray


def forward(x: Array, W: Array, U: Array, b: Array) -> tuple[Array, Array]:
    h = [np.zeros((x.shape[1], len(U)))]
    for row in x:
        h.append(np.tanh(row @ W + h[-1] @ U + b))
    return np.stack(h[1:]), np.stack(h)


def backward(dhs: Array, cache: Array, x: Array, W: Array, U: Array, b: Array) -> dict[str, Array]:
    return _backward(dhs, cache, x, W, U, 1)


def without_square(dhs: Array, cache: Array, x: Array, W: Array, U: Array, b: Array) -> dict[str, Array]:
    """The slope of tanh as 1 - h."""
    return _backward(dhs, cache, x, W, U, 0)


def _backward(dhs: Array, h: Array, x: Array, W: Array, U: Array, square: int) -> dict[str, Array]:
    dW, dU, db, dx, carry = np.zeros_like(W), np.zeros_like(U), np.zeros(len(U)), np.zeros_like(x), 0
    for t in reversed(range(len(x))):
        da = (dhs[t] + carry) * (1 - h[t + 1] ** (1 + square))
        dW, dU, db = dW + x[t].T @ da, dU + h[t].T @ da, db + da.sum(axis=0)
        dx[t], carry = da @ W.T, da @ U.T
    return {"x": dx, "W": dW, "U": dU, "b": db}


def inputs(size: int) -> dict[str, Array]:
    rng = np.random.default_rng(1)
    shapes = {"x": (4, 2, 3), "W": (3, size), "U": (size, size), "b": (size,)}
    return {name: 0.5 * rng.normal(size=shape) for name, shape in shapes.items()}


def prepared(function, size: int) -> tuple[Subject, Layout]:
    subject = Subject(forward, function, inputs(size))
    layout = identify(lambda **own: forward(**own)[0], inputs(size), among=["rnn"]).layout
    assert layout is not None
    return subject, layout


@pytest.mark.parametrize("size", [5, 20])
def test_a_mistake_is_named_at_small_and_at_large_sizes(size: int) -> None:
    subject, layout = prepared(without_square, size)
    outcome = diagnose_resized(subject, layout, derive("rnn"), 0)
    assert [diagnosis.mistake for diagnosis in outcome.diagnoses] == ["wrong-derivative"]
    assert max(len(answer.point["b"]) for answer in outcome.answers if "b" in answer.point) <= 7
    assert confirm(subject, outcome, 0) is outcome


def test_what_forward_does_not_bear_out_is_not_said() -> None:
    subject, layout = prepared(without_square, 5)
    outcome = diagnose_resized(subject, layout, derive("rnn"), 0)
    right, _ = prepared(backward, 5)
    assert confirm(right, outcome, 0).diagnoses == ()


def test_exposing_inputs_have_sizes_of_their_own() -> None:
    made = exposing_inputs("rnn", T=3, N=2, sizes={"d_h": 8})
    assert made["h_prev"].shape == (2, 8)
    assert len({*made["x"].shape, 8}) == 4
