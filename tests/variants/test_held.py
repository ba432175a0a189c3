"""Inputs held as numbers, or as parameters: the same equations with fewer inputs."""

from __future__ import annotations

import numpy as np

from symrnn.language.recurrence import Cell
from symrnn.variants.held import hold_inputs

CELL = Cell.from_source(
    """def gated(x, m: "()", k: "d_h", h, *, W):
    h = m * tanh(W @ x + k) + (1 - m) * h
    return h
"""
)


def test_a_held_cell_computes_the_same() -> None:
    held = hold_inputs(CELL, {"m": 0.25}, ["k"])
    assert held.inputs == ("x",)
    assert held.parameters == ("W", "k")
    assert dict(held.constants) == {"m": 0.25}
    rng = np.random.default_rng(0)
    x, k, h, W = (rng.normal(size=size) for size in (3, 4, 4, (4, 3)))
    np.testing.assert_allclose(held.definition(x, h, W=W, k=k), CELL.definition(x, 0.25, k, h, W=W))


def test_nothing_held_is_the_cell() -> None:
    assert hold_inputs(CELL, {}, []).inputs == CELL.inputs
