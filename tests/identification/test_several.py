"""Cells with several inputs, given as cell=: masks, gaps of time, keys and values; and mistakes in them named."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables.subject import Subject
from symrnn.identification.several import identify_several
from symrnn.language.recurrence import Cell

Array = np.ndarray

MASKED = Cell.from_source(
    """def masked(x, m: "()", h, *, W_z, U_z, b_z, W_n, U_n, b_n):
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    n = tanh(W_n @ x + U_n @ h + b_n)
    h = m * ((1 - z) * n + z * h) + (1 - m) * h
    return h
"""
)
DELTA = Cell.from_source(
    """def delta(q: "d_k", k: "d_k", v: "d_v", b: "()", o: "d_v", S: "d_v, d_k"):
    e = v - S @ k
    S = S + b * outer(e, k)
    o = S @ q
    return o, S
"""
)
GAP = Cell.from_source(
    """def gap(x, dt: "()", h, *, W, U, b, a):
    n = tanh(W @ x + U @ h + b)
    h = exp(-(dt * softplus(a))) * h + n
    return h
"""
)


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def masked_forward(x: Array, mask: Array, h0: Array, W: Array, U: Array, b: Array) -> Any:
    h, hs, cache, H = h0, [], [], h0.shape[1]
    for t in range(len(x)):
        a = x[t] @ W + h @ U + b
        z, n, m = sigmoid(a[:, :H]), np.tanh(a[:, H:]), mask[t][:, None]
        cache.append((h, z, n, m))
        h = m * ((1 - z) * n + z * h) + (1 - m) * h
        hs.append(h)
    return np.stack(hs), (x, W, U, cache)


def masked_backward(dhs: Array, cache: Any, slip: bool = False) -> tuple[Array, ...]:
    x, W, U, steps = cache
    dW, dU, db, dx, dh = 0 * W, 0 * U, np.zeros(W.shape[1]), 0 * x, 0 * dhs[0]
    for t in reversed(range(len(x))):
        h, z, n, m = steps[t]
        dh = dh + dhs[t]
        new = dh * m
        da = np.concatenate([new * (h - n) * z * (1 - z), new * (1 - z) * (1 - n * n)], axis=1)
        dW, dU, db = dW + x[t].T @ da, dU + h.T @ da, db + da.sum(0)
        dx[t] = da @ W.T
        dh = da @ U.T + new * z + (0 if slip else dh * (1 - m))
    return dx, dh, dW, dU, db


def masked_inputs(rng: np.random.Generator, T: int = 5, N: int = 3) -> dict[str, Array]:
    lengths = rng.integers(1, T + 1, size=N)
    sizes = {"h0": (N, 5), "W": (4, 10), "U": (5, 10), "b": (10,)}
    mask = (np.arange(T)[:, None] < lengths).astype(float)
    return {"x": rng.normal(size=(T, N, 4)), "mask": mask} | {n: rng.normal(size=s) for n, s in sizes.items()}


def delta_forward(q: Array, k: Array, v: Array, beta: Array, S0: Array) -> Any:
    S, o, cache = S0, [], []
    for t in range(len(q)):
        e = v[t] - np.einsum("nvk,nk->nv", S, k[t])
        cache.append((S, e))
        S = S + beta[t][:, None, None] * np.einsum("nv,nk->nvk", e, k[t])
        o.append(np.einsum("nvk,nk->nv", S, q[t]))
    return np.stack(o), (q, k, v, beta, cache, S)


def delta_backward(do: Array, cache: Any, slip: bool = False) -> tuple[Array, ...]:
    q, k, v, beta, steps, S = cache
    dq, dk, dv, db = (np.zeros_like(a) for a in (q, k, v, beta))
    dS = np.zeros_like(S)
    for t in reversed(range(len(q))):
        old, e = steps[t]
        dq[t] = np.einsum("nvk,nv->nk", S, do[t])
        dS = dS + np.einsum("nv,nk->nvk", do[t], q[t])
        g = np.einsum("nvk,nk->nv", dS, k[t])
        dv[t], db[t] = beta[t][:, None] * g, (g * e).sum(1)
        dk[t] = beta[t][:, None] * np.einsum("nvk,nv->nk", dS, e)
        if not slip:
            dk[t] -= np.einsum("nvk,nv->nk", old, dv[t])
        dS = dS - np.einsum("nv,nk->nvk", dv[t], k[t])
        S = old
    return dq, dk, dv, db, dS


def delta_inputs(rng: np.random.Generator, T: int = 5, N: int = 2) -> dict[str, Array]:
    sizes = {"q": (T, N, 3), "k": (T, N, 3), "v": (T, N, 4), "S0": (N, 4, 3)}
    return {n: rng.normal(size=s) for n, s in sizes.items()} | {"beta": rng.uniform(size=(T, N))}


def gap_forward(xs: Array, gaps: Array, h0: Array, W: Array, U: Array, b: Array, a: Array) -> Any:
    """Examples first, and the gaps with an axis of their own; no name is the cell's."""
    hs = [h0]
    for t in range(xs.shape[1]):
        n = np.tanh(xs[:, t] @ W + hs[-1] @ U + b)
        hs.append(np.exp(-gaps[:, t] * np.log1p(np.exp(a))) * hs[-1] + n)
    return np.stack(hs[1:], axis=1), (xs, gaps, hs, W, U, a)


def gap_backward(dhs: Array, cache: Any, slip: bool = False) -> dict[str, Array]:
    xs, gaps, hs, W, U, a = cache
    d = {"xs": 0 * xs, "W": 0 * W, "U": 0 * U, "b": 0 * a, "a": 0 * a, "gaps": 0 * gaps}
    soft, dh = np.log1p(np.exp(a)), 0 * hs[0]
    for t in reversed(range(xs.shape[1])):
        dh = dh + dhs[:, t]
        keep = np.exp(-gaps[:, t] * soft)
        n = hs[t + 1] - keep * hs[t]
        dn, dkeep = dh * (1 - n * n), dh * hs[t] * keep
        d["W"], d["U"], d["b"] = d["W"] + xs[:, t].T @ dn, d["U"] + hs[t].T @ dn, d["b"] + dn.sum(0)
        d["a"] = d["a"] - (dkeep * gaps[:, t]).sum(0) * (1 if slip else sigmoid(a))
        d["gaps"][:, t] = -(dkeep * soft).sum(1, keepdims=True)
        d["xs"][:, t] = dn @ W.T
        dh = dn @ U.T + dh * keep
    return d | {"h0": dh}


def gap_inputs(rng: np.random.Generator, T: int = 5, N: int = 3) -> dict[str, Array]:
    sizes = {"xs": (N, T, 4), "h0": (N, 6), "W": (4, 6), "U": (6, 6), "b": (6,), "a": (6,)}
    found = {n: rng.normal(size=s) for n, s in sizes.items()}
    return {"xs": found.pop("xs"), "gaps": rng.uniform(0.2, 2, size=(N, T, 1))} | found


Row = tuple[Cell, Callable[..., Any], Callable[..., Any], Callable[..., Any], str, str]
CASES: dict[str, Row] = {
    "a mask": (MASKED, masked_forward, masked_backward, masked_inputs, "missing-path", "(1 - m_t)"),
    "keys and values": (DELTA, delta_forward, delta_backward, delta_inputs, "missing-path", "δk_t"),
    "gaps of time": (GAP, gap_forward, gap_backward, gap_inputs, "missing-derivative", "∂L/∂a"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_arguments_are_found(name: str) -> None:
    cell, forward, backward, make, _, _ = CASES[name]
    assert check_gradients(forward, backward, make).passed
    subject = Subject(forward, backward, make)
    layout = identify_several(subject, cell, subject.arrays)
    assert layout is not None
    assert layout.cell is cell
    assert {layout.input, *(one.input for one in layout.others)} == set(cell.inputs)
    assert set(layout.names) == set(subject.arrays)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("name", "fixed"), list(product(CASES, (False, True))))
def test_a_mistake_is_named(name: str, fixed: bool) -> None:
    cell, forward, backward, make, tag, words = CASES[name]
    inputs = make(np.random.default_rng(0)) if fixed else make
    without = {"a mask": ["x", "h0", "W", "U", "b"]}.get(name)
    report = check_gradients(forward, lambda d, cache: backward(d, cache, slip=True), inputs, cell=cell, order=without)
    assert report.mistakes == (tag,), str(report)
    assert words in report.diagnoses[0].sentence
    assert not report.unexplained


@pytest.mark.long
def test_masks_of_whole_numbers_are_arguments_as_well() -> None:
    def forward(mask: Array, **others: Array) -> Any:
        return masked_forward(mask=np.where(mask, 1.0, 0.0), **others)

    def make(rng: np.random.Generator, T: int = 5, N: int = 3) -> dict[str, Array]:
        made = masked_inputs(rng, T, N)
        return made | {"mask": made["mask"].astype(int)}

    def backward(dhs: Array, cache: Any) -> tuple[Array, ...]:
        return masked_backward(dhs, cache, slip=True)

    report = check_gradients(forward, backward, make, cell=MASKED, order=["x", "h0", "W", "U", "b"])
    assert report.mistakes == ("missing-path",), str(report)


@pytest.mark.long
def test_what_is_another_cell_is_said_to_be() -> None:
    order = ["x", "h0", "W", "U", "b"]

    def backward(dhs: Array, cache: Any) -> tuple[Array, ...]:
        return masked_backward(dhs, cache, slip=True)

    report = check_gradients(masked_forward, backward, masked_inputs, cell=GAP, order=order)
    assert not report.cell
    assert "forward does not compute gap" in str(report)
