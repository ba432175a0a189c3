"""A legal point is one where all values are of ordinary size and nothing bends, jumps or ends near it."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn import Cell, derive
from symrnn.runs.points import DISTANCE, END, Ground, search
from symrnn.runs.sizes import layouts

TEXT = "def one(x, h: 'd_x', *, b: 'd_x'):\n    a = {}\n    h = h + a\n    return h\n"


@pytest.mark.parametrize(
    ("formula", "b", "legal"),
    [
        ("b * x", 0.5, True),
        ("b * x", 3e4, False),  # rounding of what cancels
        ("b * x", -3e4, False),
        ("b * x", np.nan, False),
        ("b * x", np.inf, False),
        ("x / b", 2 * DISTANCE, True),
        ("x / b", DISTANCE / 2, False),  # a pole
        ("relu(b) * x", -2 * DISTANCE, True),
        ("relu(b) * x", -DISTANCE / 2, False),  # a kink
        ("log(b) * x", 2 * END, True),
        ("log(b) * x", END / 2, False),  # the end of a domain
        ("log(b) * x", -1.0, False),
    ],
)
def test_a_point_is_legal_where_a_step_is_smooth(formula: str, b: float, legal: bool) -> None:
    derivation = derive(Cell.from_source(TEXT.format(formula)))
    (layout,) = layouts(derivation.cell, [(2, 2)])
    values = {"x": [0.7, -0.4], "h_prev": [0.3, 0.6], "b": [0.9, b]}
    step = Ground(derivation, layout).step({name: np.array(value)[:, None] for name, value in values.items()})
    assert (step is not None) == legal


def test_points_are_drawn_until_one_is_taken() -> None:
    seen = []

    def third(arrays: dict[str, np.ndarray]) -> str | None:
        seen.append(arrays)
        return "taken" if len(seen) == 3 else None

    assert search(np.random.default_rng(0), {"x": (2, 3)}, third) == "taken"
    assert [one["x"].shape for one in seen] == [(2, 3)] * 3
    assert len({float(one["x"][0, 0]) for one in seen}) == 3
    assert search(np.random.default_rng(0), {"x": (1,)}, lambda arrays: None) is None
