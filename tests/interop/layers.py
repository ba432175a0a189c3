"""Random parameters, and the definition run over some steps, for the tests of this room."""

from __future__ import annotations

import numpy as np

from symrnn import Cell

D, H, C, T = 4, 6, 7, 5


def random_params(cell: Cell, dtype: type = np.float64, seed: int = 0, **sizes: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    known = {"d_x": D, "d_h": H, "d_c": C} | sizes
    return {
        name: rng.standard_normal([known[size] for size in cell.shape_names(name)]).astype(dtype)
        for name in cell.parameters
    }


def run_definition(cell: Cell, params: dict[str, np.ndarray], **sizes: int) -> list[np.ndarray]:
    """The states at every step of one example, from random initial states."""
    rng = np.random.default_rng(1)
    known = {"d_h": H, "d_c": C} | sizes
    states = [rng.standard_normal([known[size] for size in cell.shape_names(name)]) for name in cell.states]
    x = rng.standard_normal((T, D))
    found = []
    for x_t in x:
        new = cell.definition(x_t, *states, **params)
        states = list(new) if isinstance(new, tuple) else [new]
        found += states
    return found
