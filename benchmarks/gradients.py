"""What a full check of hand-written gradients costs, beside entry-by-entry central differences.

Run: python -m benchmarks.gradients [--steps 20] [--batch 8] [SIZE ...]

One LSTM layer, right and all gradients compared.  Central differences need two forward passes for each entry of each
input; their time is that of one forward pass, measured in the same run, times their number.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads that compete for the cores would be measured, no more

import argparse
import time
from typing import Any

import numpy as np

from symrnn import check_gradients

Array = np.ndarray


def sigmoid(a: Array) -> Array:
    return 0.5 + 0.5 * np.tanh(0.5 * a)


def forward(x: Array, h0: Array, c0: Array, W: Array, U: Array, b: Array) -> Any:
    h, c, hs, kept = h0, c0, [], []
    for x_t in x:
        i, f, o, g = np.split(x_t @ W + h @ U + b, 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        before, c = (h, c), f * c + i * g
        tanh_c = np.tanh(c)
        h = o * tanh_c
        kept.append((x_t, *before, i, f, o, g, tanh_c))
        hs.append(h)
    return np.stack(hs), c, (kept, W, U)


def backward(dhs: Array, dc: Array, cache: Any) -> tuple[Array, ...]:
    kept, W, U = cache
    dW, dU, db, dx, dh = np.zeros_like(W), np.zeros_like(U), np.zeros(4 * len(U)), [], 0
    for t in reversed(range(len(kept))):
        x_t, h, c_prev, i, f, o, g, tanh_c = kept[t]
        dh = dh + dhs[t]
        dc = dc + dh * o * (1 - tanh_c**2)
        parts = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dh * tanh_c * o * (1 - o), dc * i * (1 - g**2)
        da = np.concatenate(parts, axis=1)
        dW += x_t.T @ da
        dU += h.T @ da
        db += da.sum(axis=0)
        dx.append(da @ W.T)
        dh, dc = da @ U.T, dc * f
    return np.stack(dx[::-1]), dh, dc, dW, dU, db


def inputs(steps: int, batch: int, size: int) -> dict[str, Array]:
    rng = np.random.default_rng(0)
    D, H = size // 2, size
    shapes = {
        "x": (steps, batch, D),
        "h0": (batch, H),
        "c0": (batch, H),
        "W": (D, 4 * H),
        "U": (H, 4 * H),
        "b": (4 * H,),
    }
    return {name: rng.normal(size=shape) / np.sqrt(shape[0]) for name, shape in shapes.items()}


def seconds(run: Any, times: int) -> float:
    best = np.inf
    for _ in range(times):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return float(best)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[32, 128, 256])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=8)
    chosen = parser.parse_args()
    print(f"LSTM, d_x = d_h / 2, T = {chosen.steps}, N = {chosen.batch}")
    print(
        f"{'d_h':>5} {'entries':>9} {'forward':>9} {'check':>8} {'in forwards':>12} {'differences':>12} {'factor':>8}"
    )
    for size in chosen.sizes:
        made = inputs(chosen.steps, chosen.batch, size)
        entries = sum(array.size for array in made.values())
        one = seconds(lambda made=made: forward(**made), 5)
        start = time.perf_counter()
        report = check_gradients(forward, backward, made, cell="lstm")
        check = time.perf_counter() - start
        report.raise_if_failed()
        entrywise = 2 * entries * one
        print(
            f"{size:>5} {entries:>9,} {one * 1e3:>6.1f} ms {check:>6.1f} s {check / one:>12.0f} "
            f"{entrywise / 3600:>10.2f} h {entrywise / check:>8,.0f}"
        )


if __name__ == "__main__":
    main()
