"""Intervals: every rule is sound on random numbers, ends included, and a wrong range is caught."""

from __future__ import annotations

import math
from fractions import Fraction
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
from symrnn.algebra.intervals import REALS, ZERO_TO_ONE, Interval, hull
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
