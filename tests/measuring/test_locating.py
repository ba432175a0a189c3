"""Where a gradient is wrong: what a sample of its entries is drawn from, with a budget that is known."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symrnn.measuring.locating import locate

Array = np.ndarray


class Recorded:
    """As much of an `Evidence` as is read here: a gradient that is twice the right one; what was asked is kept."""

    coarse = 1e-6

    def __init__(self, size: int, numbers: int, seed: int) -> None:
        self.seed = seed
        self.gradients = {"W": np.arange(1.0, size + 1)}
        self.subject = SimpleNamespace(arrays={"x": np.broadcast_to(0.0, numbers)})
        self.truth = SimpleNamespace(cost=16, entries=self.entries)
        self.asked: list[int] = []

    def entries(self, name: str, indices: Iterable[tuple[int, ...]]) -> tuple[Array, Array]:
        places = [place for (place,) in indices]
        self.asked += places
        return self.gradients[name][places] / 2, np.zeros(len(places))

    def product(self, name: str, place: int) -> Any:
        return SimpleNamespace(gap=1.0, expected=1.0)

    def direction(self, name: str, place: int) -> Array:
        return np.ones(self.gradients[name].size)


@pytest.mark.parametrize("seed", range(5))
def test_no_entry_of_a_sample_is_drawn_twice(seed: int) -> None:
    evidence: Any = Recorded(6, 10**9, seed)  # so many numbers that a gradient has five derivatives or fewer
    found = locate(evidence, ["W"])["W"]
    first, *drawn = evidence.asked
    assert first == 5, "the largest entry is looked at in any case"
    assert len(drawn) == len(set(drawn)) == 4
    assert found.worst is not None
    assert found.worst.among == len(set(evidence.asked))
    assert (found.norm_ratio, found.cosine) == (pytest.approx(2), pytest.approx(1))


def test_what_the_budget_allows_is_looked_at_entry_by_entry() -> None:
    evidence: Any = Recorded(6, 10, 0)
    found = locate(evidence, ["W"])["W"]
    assert evidence.asked == list(range(6))
    assert found.worst is not None
    assert (found.worst.index, found.worst.among, found.how) == ((5,), None, "every entry")
