"""Changes that explain a gradient together: they add up in a sum and multiply in a product."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn.mistakes.combining import combinations_that_explain

RNG = np.random.default_rng(0)
BASE = RNG.normal(size=5) + 3
CHANGED = [BASE + RNG.normal(size=5) for _ in range(8)]


def first(observed: np.ndarray) -> tuple[int, ...] | None:
    return next(iter(combinations_that_explain(observed, BASE, CHANGED, 1e-9)), None)


@pytest.mark.parametrize("places", [(0, 1), (2, 7), (1, 3, 6)])
def test_effects_that_add_up(places: tuple[int, ...]) -> None:
    assert first(BASE + sum(CHANGED[place] - BASE for place in places)) == places


def test_effects_that_multiply() -> None:
    assert first(CHANGED[2] * CHANGED[5] / BASE) == (2, 5)


def test_nothing_is_found_where_nothing_explains() -> None:
    assert first(BASE + RNG.normal(size=5)) is None
    assert first(BASE + sum(CHANGED[place] - BASE for place in (0, 1)) + 1e-6) is None
    assert not list(combinations_that_explain(BASE, BASE, [], 1e-9))
