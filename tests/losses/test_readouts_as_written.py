"""Readouts in programs of several styles: parameters in a dict, columns, a series of numbers, a policy and a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients

Array = np.ndarray


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def softmax(y: Array, axis: int = -1) -> Array:
    e = np.exp(y - y.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def drawn(rng: np.random.Generator, **sizes: tuple[int, ...]) -> dict[str, Array]:
    return {name: 0.6 * rng.normal(size=size) for name, size in sizes.items()}


def lstm(params: dict[str, Array], xs: Array, h: Array, c: Array) -> Any:
    """Columns; the states are kept in a tuple a step, and nowhere else."""
    caches, ys = [], []
    for x in xs:
        i, f, o, g = np.split(params["Wx"] @ x + params["Wh"] @ h + params["b"], 4)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        c_next = f * c + i * g
        h_next = o * np.tanh(c_next)
        p = softmax(params["Why"] @ h_next + params["by"], axis=0)
        caches.append((x, h, c, i, f, o, g, c_next, h_next, p))
        h, c = h_next, c_next
        ys.append(p)
    return np.stack(ys), (params, caches)


def lstm_backward(dp: Array, cache: Any, power: int = 2) -> dict[str, Any]:
    params, caches = cache
    d = {name: 0 * array for name, array in params.items()}
    dh = dc = np.zeros_like(caches[0][1])
    dxs = []
    for one, (x, h, c, i, f, o, g, c_next, h_next, p) in zip(dp[::-1], caches[::-1], strict=True):
        dz = p * (one - (one * p).sum(0, keepdims=True))
        d["Why"] += dz @ h_next.T
        d["by"] += dz.sum(1, keepdims=True)
        dh = params["Why"].T @ dz + dh
        dc = dc + dh * o * (1 - np.tanh(c_next) ** 2)
        slopes = (dc * g * i * (1 - i), dc * c * f * (1 - f), dh * np.tanh(c_next) * o * (1 - o))
        da = np.concatenate([*slopes, dc * i * (1 - g**power)])
        d["Wx"] += da @ x.T
        d["Wh"] += da @ h.T
        d["b"] += da.sum(1, keepdims=True)
        dxs.insert(0, params["Wx"].T @ da)
        dh, dc = params["Wh"].T @ da, dc * f
    return {"params": d, "xs": np.stack(dxs), "h": dh, "c": dc}


def lstm_inputs(rng: np.random.Generator, T: int = 5, N: int = 3) -> dict[str, Any]:
    params = drawn(rng, Wx=(20, 4), Wh=(20, 5), b=(20, 1), Why=(3, 5), by=(3, 1))
    return {"params": params, **drawn(rng, xs=(T, 4, N), h=(5, N), c=(5, N))}


def series(x: Array, Wx: Array, Wh: Array, b: Array, w: Array, c: Array) -> Any:
    """A number a step, and one number in the end: a probability."""
    hs = [np.zeros((len(b), 1))]
    for number in x:
        hs.append(np.tanh(Wx * number + Wh @ hs[-1] + b))
    p = sigmoid((w @ hs[-1])[0, 0] + c[0])
    return p, (x, hs, Wh, w, p)


def series_backward(dp: Any, cache: Any, late: int = 0) -> dict[str, Any]:
    x, hs, Wh, w, p = cache
    dy = dp * p * (1 - p)
    d: dict[str, Any] = {"w": dy * hs[-1].T, "c": np.array([dy]), "Wx": 0, "Wh": 0, "b": 0}
    dh = w.T * dy
    for t in reversed(range(len(x))):
        a = dh * (1 - hs[t + 1] ** 2)
        d["Wx"], d["Wh"], d["b"] = d["Wx"] + a * x[t], d["Wh"] + a @ hs[t + late].T, d["b"] + a
        dh = Wh.T @ a
    return d


def series_inputs(rng: np.random.Generator, T: int = 6, N: int = 1) -> dict[str, Any]:
    return drawn(rng, x=(T,), Wx=(5, 1), Wh=(5, 5), b=(5, 1), w=(1, 5), c=(1,))


def actor(obs: Array, W: Array, U: Array, b: Array, Wa: Array, ba: Array, wv: Array, bv: Array) -> Any:
    """Lists of steps: a policy, and a value read out with a vector."""
    hs, policy, values = [np.zeros((obs.shape[1], len(b)))], [], []
    for o in obs:
        hs.append(np.tanh(o @ W + hs[-1] @ U + b))
        policy.append(softmax(hs[-1] @ Wa + ba))
        values.append(hs[-1] @ wv + bv)
    return policy, values, (obs, hs, W, U, Wa, wv, policy)


def actor_backward(dpolicy: list[Array], dvalues: list[Array], cache: Any, value: int = 1) -> dict[str, Any]:
    obs, hs, W, U, Wa, wv, policy = cache
    d: dict[str, Any] = {"W": 0 * W, "U": 0 * U, "b": 0 * U[0], "Wa": 0 * Wa, "ba": 0 * Wa[0], "wv": 0 * wv, "bv": 0.0}
    back = 0 * hs[0]
    for t in reversed(range(len(obs))):
        p = policy[t]
        dl = p * (dpolicy[t] - (dpolicy[t] * p).sum(-1, keepdims=True))
        d["Wa"], d["ba"] = d["Wa"] + hs[t + 1].T @ dl, d["ba"] + dl.sum(0)
        d["wv"], d["bv"] = d["wv"] + hs[t + 1].T @ dvalues[t], d["bv"] + dvalues[t].sum()
        a = (back + dl @ Wa.T + value * np.outer(dvalues[t], wv)) * (1 - hs[t + 1] ** 2)
        d["W"], d["U"], d["b"] = d["W"] + obs[t].T @ a, d["U"] + hs[t].T @ a, d["b"] + a.sum(0)
        back = a @ U.T
    return d | {"bv": np.array(d["bv"])}


def actor_inputs(rng: np.random.Generator, T: int = 4, N: int = 3) -> dict[str, Any]:
    return drawn(rng, obs=(T, N, 4), W=(4, 6), U=(6, 6), b=(6,), Wa=(6, 3), ba=(3,), wv=(6,), bv=())


PROGRAMS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any], dict[str, int], str, str]] = {
    "lstm in a dict": (lstm, lstm_backward, lstm_inputs, {"power": 1}, "lstm", "wrong-derivative"),
    "series": (series, series_backward, series_inputs, {"late": 1}, "rnn", "wrong-time-index"),
    "policy and value": (actor, actor_backward, actor_inputs, {"value": 0}, "rnn", "missing-path"),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_slip_in_front_of_a_readout_is_named(name: str) -> None:
    forward, backward, make, slip, cell, tag = PROGRAMS[name]
    without = [one for one in ("x", "obs") if one in make(np.random.default_rng(0))]
    assert check_gradients(forward, backward, make, without=without).passed

    def wrong(dout: Any, cache: Any) -> Any:
        return backward(dout, cache, **slip)

    def wrong_of_two(dpolicy: Any, dvalues: Any, cache: Any) -> Any:
        return backward(dpolicy, dvalues, cache, **slip)

    report = check_gradients(forward, wrong_of_two if forward is actor else wrong, make, without=without)
    assert (report.cell, report.mistakes) == (cell, (tag,)), str(report)
    assert not report.unexplained
