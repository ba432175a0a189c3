"""The inputs of a layer with one state, drawn; for backward passes by hand in any framework."""

from __future__ import annotations

from typing import Any

import numpy as np

SIZES = {"x": (5, 3, 4), "A": (4, 6), "B": (6, 6), "c": (6,)}


def draw(*names: str) -> dict[str, np.ndarray]:
    """Some of them, the same every time."""
    rng = np.random.default_rng(1)
    return {name: 0.7 * rng.normal(size=size) for name, size in SIZES.items() if name in names}


def make(rng: Any, T: int, N: int) -> dict[str, np.ndarray]:
    """The same weights, with a sequence of these sizes."""
    return draw("A", "B", "c") | {"x": rng.normal(size=(T, N, 4))}
