"""Intervals: every rule is sound on random numbers, ends included, and a wrong range is caught."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product
from random import Random

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from symrnn.algebra import nodes
from symrnn.algebra.enclosure import combination, enclose
from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import FUNCTIONS, ScalarFunction
from symrnn.algebra.intervals import (
    REALS,
    ZERO_TO_ONE,
    Interval,
    floor,
    hull,
    magnitude,
    maximum,
    minimum,
    nearest,
    raised,
    rising,
    several,
    step,
    weighted_mean,
)
from symrnn.algebra.nodes import Variable
from symrnn.language.evaluate import NUMPY

N = sympy.S(2)
u, w, y = (Variable(name, N, 1, time=0) for name in "uwy")
ONES = nodes.ones((N, 1))


def interval(low: float, high: float, ends: str = "[]") -> Interval:
    return Interval(Fraction(low), Fraction(high), ends[0] == "(", ends[1] == ")")


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = sorted(draw(st.tuples(st.integers(-3, 3), st.integers(-3, 3))))
    return interval(low, high) if low == high else interval(low, high, draw(st.sampled_from(["[]", "()", "[)", "(]"])))


def inside(one: Interval, draw: Random) -> Fraction:
    """A number of an interval; one of its ends half of the time, where that belongs to it."""
    low = one.low if math.isfinite(one.low) else Fraction(-20)
    high = one.high if math.isfinite(one.high) else Fraction(20)
    ends = [end for end in (low, high) if end in one]
    if ends and draw.random() < 0.5:
        return Fraction(draw.choice(ends))
    return Fraction(low) + (Fraction(high) - Fraction(low)) * Fraction(draw.randint(1, 98), 99)


@given(intervals(), intervals(), st.integers(0, 10**6))
def test_arithmetic_is_sound(a: Interval, b: Interval, seed: int) -> None:
    rng = Random(seed)
    x, z = inside(a, rng), inside(b, rng)
    assert x + z in a + b
    assert -x in -a
    assert x * z in a * b
    assert x in hull([a, b])
    if x != 0:
        assert 1 / x in a.reciprocal()


@given(intervals(), intervals())
def test_products_are_tight(a: Interval, b: Interval) -> None:
    ends = [p * q for p in (a.low, a.high) for q in (b.low, b.high)]
    assert ((a * b).low, (a * b).high) == (min(ends), max(ends))


def test_open_ends() -> None:
    assert str(ZERO_TO_ONE * interval(-1, 1)) == "(-1, 1)"
    assert str(interval(0, 1) * interval(-1, 1, "()")) == "(-1, 1)"
    assert str(interval(0, 0) * REALS) == "[0, 0]"
    assert str(interval(0, 2, "(]").reciprocal()) == "[1/2, ∞)"
    assert interval(0, 1, "()").within(interval(0, 1))
    assert not interval(0, 1).within(interval(0, 1, "()"))
    with pytest.raises(ValueError, match="an interval from 1 to 0"):
        interval(1, 0)


def every(*lows_and_highs: int) -> list[Interval]:
    """All intervals with ends at these numbers, with every choice of open ends."""
    return [
        interval(low, high, ends)
        for low in lows_and_highs
        for high in lows_and_highs
        for ends in ("[]", "[)", "(]", "()")
        if low < high or (low == high and ends == "[]")
    ]


# Quarters tell apart every pair of sets whose ends are whole numbers.
GRID = [Fraction(n, 4) for n in range(-12, 13)]
EVERY = every(-1, 0, 2)
PAIRS = list(product(EVERY, EVERY))


@cache
def on_grid(one: Interval) -> set[Fraction]:
    return {x for x in GRID if x in one}


def test_sets_of_intervals_are_exact() -> None:
    for a, b in PAIRS:
        x, z = on_grid(a), on_grid(b)
        assert a.within(b) == (x <= z), (a, b)
        if x & z:
            assert on_grid(a.meet(b)) == x & z, (a, b)
        assert on_grid(hull([a, b])) == {q for q in GRID if min(x | z) <= q <= max(x | z)}, (a, b)


def test_the_larger_and_the_smaller_are_exact() -> None:
    for a, b in PAIRS:
        both = list(product(on_grid(a), on_grid(b)))
        assert on_grid(maximum(a, b)) == {max(pair) for pair in both}, (a, b)
        assert on_grid(minimum(a, b)) == {min(pair) for pair in both}, (a, b)


def test_ends_of_sums_and_products_belong_to_them_where_they_are_reached() -> None:
    for a, b in PAIRS:
        both = list(product(on_grid(a), on_grid(b)))
        for result, found in ((a + b, {x + z for x, z in both}), (a * b, {x * z for x, z in both})):
            assert [end in result for end in (result.low, result.high)] == [
                end in found for end in (result.low, result.high)
            ], (a, b)


@pytest.mark.parametrize(
    ("operation", "of_number"),
    [
        (operator.neg, operator.neg),
        (magnitude, abs),
        (lambda one: raised(one, 2), lambda x: x**2),
        (lambda one: raised(one, 3), lambda x: x**3),
        (step, lambda x: x > 0),
        (floor, math.floor),
        (nearest, round),
    ],
    ids=["neg", "magnitude", "square", "cube", "step", "floor", "nearest"],
)
def test_operations_on_one_interval_are_exact(
    operation: Callable[[Interval], Interval], of_number: Callable[[Fraction], float]
) -> None:
    for one in EVERY:
        result, reached = operation(one), {of_number(x) for x in on_grid(one)}
        around = {of_number(x) for x in GRID if one.low <= x <= one.high}
        assert all(value in result for value in reached), one
        # An open end moves a value that jumps by a whole step; then the result ends at what is reached.
        assert {result.low, result.high} <= around | reached, one
        assert (result.low in result, result.high in result) == (result.low in reached, result.high in reached), one


def read(text: str) -> Interval:
    low, high = (float(end.replace("∞", "inf")) for end in text[1:-1].split(","))
    ends = [end if math.isinf(end) else Fraction(end) for end in (low, high)]
    return Interval(*ends, text[0] == "(", text[-1] == ")")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (read("[1, 2]").reciprocal(), "[1/2, 1]"),
        (read("(1, 2]").reciprocal(), "[1/2, 1)"),
        (read("(0, 0.5)").reciprocal(), "(2, ∞)"),
        (read("[-2, 0)").reciprocal(), "(-∞, -1/2]"),
        (read("[0, 0.5]").reciprocal(), "(-∞, ∞)"),
        (read("[-0.5, 0]").reciprocal(), "(-∞, ∞)"),
        (read("(-1, 1)").reciprocal(), "(-∞, ∞)"),
        (read("[2, ∞)").reciprocal(), "(0, 1/2]"),
        # A rising function that is 5 at 0.
        (rising(read("[1, 2]"), REALS, (0, 5)), "(5, ∞)"),
        (rising(read("[0, 2]"), REALS, (0, 5)), "[5, ∞)"),
        (rising(read("(0, 2]"), REALS, (0, 5)), "(5, ∞)"),
        (rising(read("[-2, -1]"), REALS, (0, 5)), "(-∞, 5)"),
        (rising(read("[-2, 0]"), REALS, (0, 5)), "(-∞, 5]"),
        (rising(read("[-2, 0)"), REALS, (0, 5)), "(-∞, 5)"),
        (rising(read("[-1, 1]"), ZERO_TO_ONE, (0, 5)), "(0, 1)"),
        (several(read("[1, 2]")), "[1, ∞)"),
        (several(read("(0, 2]")), "(0, ∞)"),
        (several(read("[0, 2]")), "[0, ∞)"),
        (several(read("[-2, -1)")), "(-∞, -1)"),
        (several(read("[-2, 0]")), "(-∞, 0]"),
        (several(read("[-1, 2]")), "(-∞, ∞)"),
        (weighted_mean([read("[0, 1]"), read("[0, 1]")], True), "[0, 1]"),
        (weighted_mean([read("[0, 1]"), read("[0, 2]")], True), "[0, 2)"),
        (weighted_mean([read("[-1, 1]"), read("[0, 1]")], True), "(-1, 1]"),
        (weighted_mean([read("(0, 1]"), read("[0, 1)")], True), "(0, 1)"),
        (weighted_mean([read("(0, 1]"), read("[0, 1)")], False), "[0, 1]"),
        (weighted_mean([read("[1, 1]"), read("[1, 1]")], True), "[1, 1]"),
    ],
)
def test_ranges_have_the_ends_that_are_known(found: Interval, expected: str) -> None:
    assert str(found) == expected


@pytest.mark.parametrize(
    ("one", "bounded"), [("[0, 1]", True), ("[0, ∞)", False), ("(-∞, 0]", False), ("(-∞, ∞)", False)]
)
def test_an_interval_without_infinite_ends_is_bounded(one: str, bounded: bool) -> None:
    assert read(one).is_bounded is bounded
    assert str(read(one)) == one


def test_a_function_without_a_range_cannot_be_built() -> None:
    with pytest.raises(TypeError, match="range"):
        ScalarFunction("cube", lambda m, x: x**3, (lambda m, x, y: 3 * x**2,), "3 x^2", "f", "f", "{0}**3")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_ranges_are_sound(name: str) -> None:
    row, rng = FUNCTIONS[name], Random(0)
    domain = Interval(Fraction(0), Fraction(9), True) if row.interval()[0] > 0 else interval(-9, 9)
    for _ in range(400):
        low, high = sorted(inside(domain, rng) for _ in range(2))
        given = [interval(low, high) for _ in range(row.arity)]
        values = [inside(one, rng) for one in given]
        result = float(np.asarray(getattr(NUMPY, name)(*(np.float64(value) for value in values))))
        found = row.range(*given)
        assert float(found.low) - 1e-12 <= result <= float(found.high) + 1e-12


EXPRESSIONS = [
    nodes.add(u, nodes.scale(-2, w)),
    nodes.hadamard(u, w, y),
    nodes.power(u, 2),
    nodes.power(u, 3),
    nodes.power(nodes.add(nodes.power(u, 2), ONES), -1),
    nodes.add(nodes.hadamard(nodes.act("sigmoid", u), w), nodes.hadamard(nodes.act("sigmoid", nodes.negate(u)), y)),
    nodes.add(
        nodes.hadamard(nodes.subtract(ONES, nodes.act("sigmoid", u)), w), nodes.hadamard(nodes.act("sigmoid", u), y)
    ),
    nodes.act("maximum", u, nodes.act("tanh", w)),
    nodes.act("abs", nodes.subtract(u, w)),
    nodes.stack(u, nodes.hadamard(w, w)),
    nodes.softmax(u),
    nodes.fill(nodes.total(u), (N, N)),
    nodes.matmul(nodes.transpose(u), w),
]


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_enclosures_are_sound(expr: nodes.Expr) -> None:
    rng = Random(1)
    for _ in range(200):
        known = {}
        for variable in (u, w, y):
            low, high = sorted(rng.sample(range(-3, 4), 2))
            known[variable] = interval(low, high, rng.choice(["[]", "()", "[)"]))
        values = {v.name: np.array([[float(inside(one, rng))] for _ in range(2)]) for v, one in known.items()}
        result, found = Evaluator(values, {}, NUMPY)(expr), enclose(expr, known)
        assert np.all(result >= float(found.low) - 1e-12)
        assert np.all(result <= float(found.high) + 1e-12)


def test_a_mean_stays_between_its_values() -> None:
    gate = nodes.act("sigmoid", u)
    mean = nodes.add(nodes.hadamard(nodes.subtract(ONES, gate), w), nodes.hadamard(gate, nodes.act("tanh", y)))
    assert str(enclose(mean, {w: interval(-1, 1)})) == "(-1, 1)"
    assert str(enclose(mean, {w: interval(-2, 1)})) == "(-2, 1)"
    stepped = mean.xreplace({gate: nodes.act("step", u)})
    assert str(enclose(stepped, {w: interval(-1, 1)})) == "[-1, 1]"  # a weight of 0 or 1 reaches the end
    free = mean.xreplace({gate: u})
    assert enclose(free, {w: interval(-1, 1)}) == REALS
    assert combination(nodes.add(nodes.hadamard(nodes.subtract(ONES, u), w), nodes.hadamard(w, y))) is None
