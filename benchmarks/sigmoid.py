"""What the generated sigmoid costs beside the shorter 0.5 + 0.5 tanh(a / 2), which loses every digit of small values.

    OPENBLAS_NUM_THREADS=1 python benchmarks/sigmoid.py

For arrays of one step of a small cell to all steps of a large one, in both precisions, each row is a ratio of times
(below 1: the generated one is faster), the median of pairs that were measured in turn.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from symrnn.algebra.functions import FUNCTIONS

_SHAPES = ((1, 8), (8, 64), (32, 256), (20, 32, 256))
_PAIRS = 25
_ENTRIES = 200_000
"""Each measurement goes through about so many entries, for a millisecond or more."""


def seconds(function: Callable[[np.ndarray], np.ndarray], a: np.ndarray, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        function(a)
    return time.perf_counter() - start


def by_tanh(a: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * a)


def main() -> None:
    space: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
    exec(FUNCTIONS["sigmoid"].helper, {"np": np}, space)  # noqa: S102 - this package's own text
    for dtype in (np.float32, np.float64):
        for shape in _SHAPES:
            a = np.random.default_rng(0).normal(size=shape).astype(dtype)
            calls = max(3, min(2_000, _ENTRIES // a.size))
            pairs = [(seconds(space["sigmoid"], a, calls), seconds(by_tanh, a, calls)) for _ in range(_PAIRS)]
            ratio = float(np.median([ours / other for ours, other in pairs]))
            print(f"{np.dtype(dtype).name:8} {shape!s:14} {ratio:.2f}")


if __name__ == "__main__":
    main()
