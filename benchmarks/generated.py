"""The generated LSTM, forward and backward, against other ways to the same numbers, side by side in one process.

    OPENBLAS_NUM_THREADS=1 python benchmarks/generated.py [runs]

Against a hand-written NumPy loop as it is usually found (stacked gates, one product a step, no hoisting), and
PyTorch's nn.LSTM where it is installed.  One BLAS thread, float32; ratios of medians.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from symrnn import cells, generate

SIZES = ((50, 1, 32, 32), (100, 16, 64, 64), (100, 32, 128, 128), (100, 64, 256, 256))
Array = np.ndarray


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def hand_written(x: Array, w: Array, u: Array, b: Array, h_bar: Array) -> tuple[Array, ...]:
    """A common NumPy LSTM: gates i, f, o, g stacked in rows, gradients accumulated step by step."""
    steps, batch, _ = x.shape
    n = u.shape[0] // 4
    h, c, kept = np.zeros((batch, n), x.dtype), np.zeros((batch, n), x.dtype), []
    for t in range(steps):
        a = x[t] @ w.T + h @ u.T + b
        i, f, o = sigmoid(a[:, :n]), sigmoid(a[:, n : 2 * n]), sigmoid(a[:, 2 * n : 3 * n])
        g = np.tanh(a[:, 3 * n :])
        kept.append((h, c, i, f, o, g))
        c = f * c + i * g
        h = o * np.tanh(c)
        kept[-1] += (np.tanh(c),)
    w_bar, u_bar, b_bar, x_bar = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b), np.zeros_like(x)
    dh, dc = np.zeros_like(h), np.zeros_like(c)
    for t in reversed(range(steps)):
        h, c, i, f, o, g, s = kept[t]
        dh = dh + h_bar[t]
        dc = dc + dh * o * (1 - s * s)
        da = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), dh * s * o * (1 - o), dc * i * (1 - g * g)], 1)
        w_bar += da.T @ x[t]
        u_bar += da.T @ h
        b_bar += da.sum(0)
        x_bar[t] = da @ w
        dh, dc = da @ u, dc * f
    return w_bar, u_bar, b_bar, x_bar


def with_torch(x: Array, h_bar: Array, hidden: int) -> Callable[[], object] | None:
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    module = torch.nn.LSTM(x.shape[2], hidden)
    given, cotangent = torch.tensor(x, requires_grad=True), torch.tensor(h_bar)

    def run() -> None:
        module.zero_grad()
        module(given)[0].backward(cotangent)

    return run


def median(work: Callable[[], object], runs: int) -> float:
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    lstm = generate(cells.lstm)
    print(f"{'(T, N, D, H)':>20} {'generated':>12} {'hand-written':>20} {'PyTorch':>20}")
    for steps, batch, inputs, hidden in SIZES:
        rng = np.random.default_rng(0)
        params = lstm.initialize(inputs, hidden, 0, np.float32)
        x = rng.normal(size=(steps, batch, inputs)).astype(np.float32)
        h_bar = rng.normal(size=(steps, batch, hidden)).astype(np.float32)
        w, u, b = (np.concatenate([params[f"{kind}_{gate}"] for gate in "ifog"]) for kind in "WUb")

        def ours(params: dict[str, Array], x: Array, h_bar: Array) -> None:
            lstm.backward(params, lstm.forward(params, x)[2], h_bar)

        mine = median(partial(ours, params, x, h_bar), runs)
        cells_of_row = [f"{mine:9.2f} ms"]
        for other in (partial(hand_written, x, w, u, b, h_bar), with_torch(x, h_bar, hidden)):
            if other is None:
                cells_of_row.append("not installed")
                continue
            theirs = median(other, runs)
            cells_of_row.append(f"{theirs:9.2f} ms ({mine / theirs:4.2f})")
        print(
            f"{(steps, batch, inputs, hidden)!s:>20} {cells_of_row[0]:>12} "
            + " ".join(f"{c:>20}" for c in cells_of_row[1:])
        )


if __name__ == "__main__":
    main()
