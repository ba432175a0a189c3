"""An input's gradient that is made of other weights and adjoints than its equation has: read off, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients

Array = np.ndarray


def forward(x: Array, h0: Array, W: Array, U: Array, b: Array) -> Any:
    hs = [h0]
    for x_t in x:
        hs.append(np.tanh(x_t @ W + hs[-1] @ U + b))
    return np.stack(hs[1:]), (x, hs, W, U)


def inputs(rng: np.random.Generator, T: int = 5, N: int = 3) -> dict[str, Array]:
    sizes = {"x": (T, N, 4), "h0": (N, 6), "W": (4, 6), "U": (6, 6), "b": (6,)}
    return {name: rng.normal(size=size) for name, size in sizes.items()}


Wrong = Callable[[Array, Array, Array, Array, Array], Array]
CASES: dict[str, tuple[Wrong, str]] = {
    "the cotangent through both weights": (lambda d, g, a, W, U: d @ U.T @ W.T, "Wᵀ Uᵀ ∂ℓ/∂h_t"),
    "what arrives, through both": (lambda d, g, a, W, U: g @ U.T @ W.T, "Wᵀ Uᵀ δh_t"),
    "something else": (lambda d, g, a, W, U: (d * g * a) @ W.T, ""),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CASES)
def test_a_product_is_read_off(name: str) -> None:
    wrong, words = CASES[name]

    def backward(dhs: Array, cache: Any) -> dict[str, Array]:
        x, hs, W, U = cache
        d = {"x": 0 * x, "W": 0 * W, "U": 0 * U, "b": 0 * U[0]}
        back = 0 * hs[0]
        for t in reversed(range(len(x))):
            g = dhs[t] + back
            a = g * (1 - hs[t + 1] ** 2)
            d["W"], d["U"], d["b"] = d["W"] + x[t].T @ a, d["U"] + hs[t].T @ a, d["b"] + a.sum(0)
            d["x"][t], back = wrong(dhs[t], g, a, W, U), a @ U.T
        return d | {"h0": back}

    report = check_gradients(forward, backward, inputs, cell="rnn")
    assert {finding.name for finding in report.wrong} == {"x"}
    if words:
        assert words in report.diagnoses[0].sentence, str(report)
        assert not report.unexplained
    else:
        assert report.unexplained == ("x",)
        assert not report.diagnoses
