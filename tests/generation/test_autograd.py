"""The library's generated gradients against HIPS autograd, on cells written down a second time, by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from symrnn import cells, generate

Params = Mapping[str, np.ndarray]
State = dict[str, np.ndarray]


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + anp.exp(-a))


def affine(p: Params, k: str, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    return anp.dot(x, p[f"W_{k}"].T) + anp.dot(h, p[f"U_{k}"].T) + p[f"b_{k}"]


def rnn(p: Params, x: np.ndarray, s: State) -> State:
    return {"h": anp.tanh(anp.dot(x, p["W"].T) + anp.dot(s["h"], p["U"].T) + p["b"])}


def lstm(p: Params, x: np.ndarray, s: State) -> State:
    """Gers, Schmidhuber & Cummins (2000)."""
    f, i, o = (sigmoid(affine(p, k, x, s["h"])) for k in "fio")
    c = f * s["c"] + i * anp.tanh(affine(p, "g", x, s["h"]))
    return {"h": o * anp.tanh(c), "c": c}


def gru(p: Params, x: np.ndarray, s: State) -> State:
    """Chung et al. (2014), equations in section 3.2."""
    h = s["h"]
    r, z = (sigmoid(affine(p, k, x, h)) for k in "rz")
    n = anp.tanh(affine(p, "n", x, r * h))
    return {"h": h + z * (n - h)}


def gru_reset_after(p: Params, x: np.ndarray, s: State) -> State:
    """The documentation of torch.nn.GRU."""
    h = s["h"]
    r, z = (sigmoid(affine(p, k, x, h)) for k in "rz")
    n = anp.tanh(anp.dot(x, p["W_n"].T) + p["b_n"] + r * (anp.dot(h, p["U_n"].T) + p["c_n"]))
    return {"h": n + z * (h - n)}


STEPS: Mapping[str, Callable[[Params, np.ndarray, State], State]] = {
    "rnn": rnn,
    "lstm": lstm,
    "gru": gru,
    "gru_reset_after": gru_reset_after,
}


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    assert np.linalg.norm(found - expected) <= 1e-12 * np.linalg.norm(expected)


@pytest.mark.parametrize("name", STEPS)
def test_gradients_agree_with_autograd(name: str) -> None:
    cell, step = cells.lookup(name), STEPS[name]
    module = generate(cell)
    rng = np.random.default_rng(11)
    steps, batch, d, n = 7, 3, 4, 6
    params = {k: rng.normal(size=v.shape) for k, v in module.initialize(d, n).items()}
    x = rng.normal(size=(steps, batch, d))
    state = {k: rng.normal(size=(batch, n)) for k in cell.states}
    h_bar = rng.normal(size=(steps, batch, n))
    ends = {k: rng.normal(size=(batch, n)) for k in cell.states}

    def loss(p: Params, x: np.ndarray, s: State) -> float:
        value = 0.0
        for t in range(steps):
            s = step(p, x[t], s)
            value = value + anp.sum(s["h"] * h_bar[t])
        return value + sum(anp.sum(s[k] * ends[k]) for k in ends)

    expected = [autograd.grad(loss, argument)(params, x, state) for argument in range(3)]
    _, _, tape = module.forward(params, x, state)
    grads, x_bar, state_bar = module.backward(params, tape, h_bar, ends)
    assert_close(x_bar, expected[1])
    for key in params:
        assert_close(grads[key], expected[0][key])
    for key in state:
        assert_close(state_bar[key], expected[2][key])
