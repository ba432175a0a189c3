"""Sizes are sums; unknown ones are solved for, and what has no solution is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest

from symrnn.algebra import constraints, shapes
from symrnn.algebra.shapes import Contradiction, Size, Slot, Unknown, equate_sizes
from symrnn.algebra.solving import solve

H, X = Size.of("d_h"), Size.of("d_x")


def unknown() -> tuple[Unknown, Size]:
    atom = Unknown()
    return atom, Size.of(atom)


def test_size_is_a_sum() -> None:
    assert str(H + X + H) == "2*d_h + d_x"
    assert str(Size(constant=3)) == "3"
    assert str(H + Size(constant=1)) == "d_h + 1"
    assert str(Size()) == "0"
    assert H + X.times(0) == H


def test_known_sizes_are_equal_or_not() -> None:
    assert equate_sizes(H + X, X + H)
    assert not equate_sizes(H, X)
    assert not equate_sizes(H, Size(constant=3))


@pytest.mark.parametrize(
    ("times", "plus", "total", "solution"),
    [
        (1, Size(), H, "d_h"),
        (1, X, H + X, "d_h"),
        (2, Size(), H + H, "d_h"),
        (1, Size(constant=1), Size(constant=4), "3"),
        (1, H, H + H + X, "d_h + d_x"),
        (3, Size(), Size(constant=6), "2"),
    ],
)
def test_one_unknown_is_solved_for(times: int, plus: Size, total: Size, solution: str) -> None:
    _, size = unknown()
    assert equate_sizes(size.times(times) + plus, total)
    assert str(size) == solution


@pytest.mark.parametrize(
    ("times", "plus", "total"),
    [(1, X, H), (1, H, H), (2, Size(), H), (2, Size(), Size(constant=3)), (1, Size(constant=4), Size(constant=3))],
)
def test_a_difference_is_no_size(times: int, plus: Size, total: Size) -> None:
    atom, size = unknown()
    assert not equate_sizes(size.times(times) + plus, total)
    assert atom.value is None


def test_two_unknowns_wait_for_each_other() -> None:
    (_, a), (_, b) = unknown(), unknown()
    assert equate_sizes(a + b, H + X)
    assert str(a) == "?"
    assert equate_sizes(b, X)
    assert (str(a), str(b)) == ("d_h", "d_x")


def test_slots_share_what_they_learn() -> None:
    slots = [Slot(f"s{i}") for i in range(50)]
    for left, right in pairwise(slots):
        shapes.equate(left, right, "here", "they differ")
    shapes.settle(slots[25], (H, X), "here", "they differ")
    assert {str(slot) for slot in slots} == {"(d_h, d_x)"}
    with pytest.raises(
        Contradiction, match=r"they differ: s0 has shape \(d_h, d_x\), as here; the operation has shape"
    ):
        shapes.settle(slots[0], (H,), "there", "they differ")


def test_solving_ends_where_nothing_is_known() -> None:
    slots = [Slot(f"s{i}") for i in range(6)]
    held = [
        constraints.Elementwise("a", slots[0], [slots[1], slots[2]]),
        constraints.Elementwise("b", slots[1], [slots[2], slots[0]]),
        constraints.Reduction("c", slots[3], [slots[0]]),
        constraints.MatrixProduct("d", slots[4], [slots[5], slots[5]]),
    ]
    with pytest.raises(Contradiction):  # s5 would be both a matrix and a vector
        solve(held)
    solve(held[:3])
    assert slots[0].rank == 1
