"""What a report says of a pair: each mistake once, under the input's own name, and nothing that is no mistake."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients

Array = np.ndarray


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


class Lstm:
    """An LSTM whose states come in one by one or nested, and whose memories go out with a cotangent or without."""

    def __init__(self, nested: bool = False, takes_c: bool = True, carries: bool = True, slope: Any = None) -> None:
        self.nested, self.takes_c, self.carries = nested, takes_c, carries
        self.slope = slope or (lambda g: 1 - g**2)

    def forward(self, x: Array, W: Array, U: Array, b: Array, **states: Any) -> Any:
        h, c = states["state"] if self.nested else (states["h0"], states["c0"])
        hs, cs, tape = [], [], []
        for x_t in x:
            i, f, o, g = np.split(x_t @ W + h @ U + b, 4, axis=1)
            i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
            new = f * c + i * g
            tape.append((x_t, h, c, i, f, o, g, new))
            c, h = new, o * np.tanh(new)
            hs.append(h)
            cs.append(c)
        return np.stack(hs), np.stack(cs), (tape, W, U)

    def backward(self) -> Any:
        if self.takes_c:
            return lambda dhs, dcs, cache: self.pull(dhs, dcs, cache)
        return lambda dhs, cache: self.pull(dhs, np.zeros_like(dhs), cache)

    def pull(self, dhs: Array, dcs: Array, cache: Any) -> Any:
        tape, W, U = cache
        dW, dU, db, dx = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[1]), []
        dh = dc = np.zeros_like(dhs[0])
        for t in reversed(range(len(tape))):
            x_t, h, c, i, f, o, g, new = tape[t]
            down = dhs[t] + dh
            memory = dcs[t] + dc + down * o * (1 - np.tanh(new) ** 2)
            slopes = (memory * g * i * (1 - i), memory * c * f * (1 - f), down * np.tanh(new) * o * (1 - o))
            da = np.hstack([*slopes, memory * i * self.slope(g)])
            dW, dU, db = dW + x_t.T @ da, dU + h.T @ da, db + da.sum(axis=0)
            dx.insert(0, da @ W.T)
            before = da @ U.T, memory * f
            if self.carries:
                dh, dc = before
        states = {"state": before} if self.nested else {"h0": before[0], "c0": before[1]}
        return {"x": np.stack(dx), "W": dW, "U": dU, "b": db, **states}

    def inputs(self, rng: Any, T: int, N: int) -> dict[str, Any]:
        shapes = {"x": (T, N, 4), "W": (4, 20), "U": (5, 20), "b": (20,)}
        made = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        pair = rng.normal(size=(N, 5)), rng.normal(size=(N, 5))
        return made | ({"state": pair} if self.nested else {"h0": pair[0], "c0": pair[1]})

    def report(self) -> Any:
        return check_gradients(self.forward, self.backward(), self.inputs)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("nested", [True, False])
def test_a_nested_state_is_told_by_its_own_name(nested: bool) -> None:
    report = Lstm(nested=nested, slope=lambda g: 1 - g).report()
    assert report.mistakes == ("wrong-derivative",)
    assert not report.unexplained
    assert "looks like" not in str(report)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("takes_c", [False, True])
@pytest.mark.long
def test_an_output_without_a_cotangent_is_no_mistake(takes_c: bool) -> None:
    report = Lstm(takes_c=takes_c, carries=False).report()
    assert report.mistakes == ("recurrent-path-cut",)
    assert not report.unexplained
    remarks = [problem.sentence for problem in report.problems if "no cotangent" in problem.sentence]
    assert bool(remarks) is not takes_c


def test_a_right_pass_without_that_cotangent_passes() -> None:
    assert Lstm(takes_c=False).report().passed
