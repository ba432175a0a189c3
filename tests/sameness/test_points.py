"""Points that a proof says nothing about are found, and what intervals decide is decided."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn import Cell, derive
from symrnn.algebra import nodes
from symrnn.proofs.notation import read_formula
from symrnn.proofs.refuting import Sides, search
from symrnn.runs.sizes import layouts
from symrnn.sameness.certain import CERTAIN, Certain
from symrnn.sameness.comparing import compare, see
from symrnn.sameness.pairs import DelicatePart, bounds
from symrnn.sameness.settled import settled
from symrnn.sameness.zeros import near_zeros

CELL = Cell.from_source("def one(x, h: 'd_x', *, b: 'd_x'):\n    a = b * x\n    h = tanh(a + h)\n    return h\n")


def sides(left: str, right: str) -> Sides:
    derivation = derive(CELL)
    (layout,) = layouts(CELL, [(2, 2)])
    return Sides(read_formula(left, derivation), read_formula(right, derivation), derivation, layout)


@pytest.mark.parametrize("part", ["x", "x - b", "x * x - 0.25", "x - exp(-b)", "b * x - h_prev"])
def test_a_zero_of_every_divisor_is_found(part: str) -> None:
    pair = sides(f"x / ({part})", f"x / ({part})")
    divisor = next(one for one in pair.delicate if one.own and one.kind == "≠ 0")
    values = [pair.at(point, CERTAIN).part(divisor) for point in near_zeros(pair, 0)]
    assert any(any(Certain.of(entry).is_zero for entry in value.flat) for value in values)


def test_where_nothing_is_divided_no_zero_is_looked_for() -> None:
    assert list(near_zeros(sides("x + b", "b + x"), 0)) == []


def test_a_difference_at_a_zero_alone_is_seen_there() -> None:
    pair = sides("step(x)", "1 - step(-x)")  # both are 0 and 1 everywhere but at 0
    assert compare([pair], 0).gap is not None
    away = [np.full(shape, 0.5) for shape in pair.shapes]
    at_zero = [np.zeros(shape) for shape in pair.shapes]
    seen = see(pair, away), see(pair, at_zero)
    assert [one is not None and one.gap is None for one in seen] == [True, False]


@pytest.mark.parametrize(
    ("kind", "signs"), [("jump", set()), ("≠ 0", {0}), ("> 0", {-1, 0}), ("≥ 0", {-1})], ids=["jump", "≠", ">", "≥"]
)
@pytest.mark.parametrize("sign", [-1, 0, 1])
def test_one_entry_without_a_value_is_enough(kind: str, signs: set[int], sign: int) -> None:
    part = DelicatePart(CELL["x"], kind)
    assert part.broken(np.array([[2.0], [sign * 0.5], [1.0]])) == (sign in signs)


@pytest.mark.parametrize(
    ("formula", "value"),
    [("step(2 - tanh(x))", 1), ("step(tanh(x) - 2)", 0), ("abs(exp(x))", None), ("relu(-exp(x))", None)],
)
def test_what_bounds_decide_is_decided(formula: str, value: int | None) -> None:
    derivation = derive(CELL)
    expr = read_formula(formula, derivation)
    found = settled(expr, bounds(derivation.forward, {}))
    assert not found.has(nodes.Act) or found != expr
    if value is not None:
        assert found == nodes.number(value, expr.shape)


def test_numbers_that_differ_are_found_and_are_what_the_sides_give() -> None:
    example, _ = search(sides("x + b", "x - b"), 0)
    assert example is not None
    x, b = (example.values[name][example.entry[0] - 1, 0] for name in ("x", "b"))
    assert (example.left, example.right) == (pytest.approx(x + b), pytest.approx(x - b))
    assert search(sides("x + b", "b + x"), 0)[0] is None
