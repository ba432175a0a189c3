"""What is positive and small is not zero: no verdict rests on a sign that digits do not tell."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from symrnn import Cell, cells, equivalent, prove
from symrnn.algebra.functions import FUNCTIONS
from symrnn.proofs.formulas import Equality
from symrnn.sameness.certain import ARITHMETIC, DIGITS, Certain, Undecided, precise

POSITIVE = {
    "a hyperbolic secant": "1 - tanh({0})**2",
    "above a tanh": "1 - tanh({0})",
    "a complement": "1 - sigmoid({0})",
    "a slope of sigmoid": "sigmoid({0}) * (1 - sigmoid({0}))",
    "an exponential": "exp({0})",
    "a small exponential": "exp(-{0} * {0})",
    "a softplus by its definition": "log(1 + exp({0}))",
    "a sum of exponentials": "exp({0}) + exp(2 * {0})",
    "a softmax": "softmax({0})",
    "a root": "sqrt(1 + {0} * {0})",
    "a variance": "mean({0} * {0}) + 0.001",
    "a normal distribution function": "normal_cdf({0})",
}
"""Expressions in a vector that are positive for all numbers, and round to 0 for some."""

BOUNDED = [
    ("lstm", "step(1 - h) == 1"),
    ("lstm", "step(1 - f) == 1"),
    ("lstm", "step(f) == 1"),
    ("lstm", "step(h - 1) == 0"),
    ("rnn", "step(1 - h) == 1"),
    ("rnn", "step(1 - abs(h)) == 1"),
    ("rnn", "step(1 - tanh(a_h)) == 1"),
    ("gru", "sign(z) == 1"),
    ("gru", "floor(z) == 0"),
    ("lstm", "relu(f) == f"),
    ("lstm", "maximum(f, -i) == f"),
    ("lstm", "abs(f - 1) == 1 - f"),
    ("lstm", "hard_sigmoid(6 * f + 3) == 1"),
    ("mlstm", "step(exp(m)) == 1"),
]
"""Theorems about a cell that numbers contradict once they are rounded."""


def cell(right: str, name: str = "f") -> Cell:
    text = f"def {name}(x, h, *, W, U, b):\n    a = W @ x + U @ h + b\n    h = {right}\n    return h\n"
    return Cell.from_source(text)


@pytest.mark.parametrize("case", POSITIVE)
def test_a_positive_divisor_is_no_zero(case: str) -> None:
    part = POSITIVE[case].format("a")
    result = equivalent(cell(f"a + h / ({part})"), cell(f"h / ({part}) + a", "g"))
    assert result.verdict == "same", str(result)
    assert result.conditions == ()
    assert "where" not in str(result)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("case", POSITIVE)
def test_the_sign_of_what_is_positive_is_never_refuted(case: str) -> None:
    part = POSITIVE[case].format("a")
    claim = prove(f"step({POSITIVE[case].format('a_h')}) == 1", cells.rnn)
    assert claim.verdict == "holds", str(claim)
    assert claim.conditions == ()
    assert equivalent(cell(f"a + step({part}) * h"), cell("a + h", "g")).verdict not in ("different", "special case")


@pytest.mark.parametrize(("name", "claim"), BOUNDED)
def test_what_bounds_prove_holds(name: str, claim: str) -> None:
    verdict = prove(claim, cells[name])
    assert verdict, str(verdict)
    assert verdict.conditions == ()


@pytest.mark.parametrize(
    ("claim", "zero"),
    [
        ("step(1 - h_prev) == 1", "h_prev"),
        ("step(f - 0.5) + step(0.5 - f) == 1", "f"),
        ("step(h_prev - tanh(c_prev)) + step(tanh(c_prev) - h_prev) == 1", "h_prev"),
        ("f * (g - i) / (g - i) == f", "g"),
        ("floor(4 * f) + floor(-4 * f) == -1", "f"),
    ],
)
def test_zeros_that_are_no_fractions_are_found(claim: str, zero: str) -> None:
    verdict: Equality = prove(claim, cells.lstm)
    assert verdict.counterexample is not None, str(verdict)
    assert zero in verdict.counterexample.values


# --- the numbers ------------------------------------------------------------------------------------------------------


def entry(name: str, *values: float | Fraction) -> Certain:
    return Certain.of(np.asarray(getattr(ARITHMETIC, name)(*map(Certain.of, values)))[()])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("at", [0.25, 0.7, 2.5])
def test_a_function_is_enclosed(name: str, at: float) -> None:
    values = (at, 1.5, 0.5)[: FUNCTIONS[name].arity]
    coarse = entry(name, *values)
    with precise(3 * DIGITS):
        fine = entry(name, *values)
        assert (coarse - fine).size <= 1e-41
        assert float(coarse) == float(fine)


def test_a_sign_needs_digits() -> None:
    with pytest.raises(Undecided):
        _ = (1 - entry("tanh", 400.0)).sign
    with precise(8 * DIGITS):
        assert (1 - entry("tanh", 400.0)).sign == 1
    with pytest.raises(Undecided):
        _ = 1 / (1 - entry("sigmoid", 300.0))
    with pytest.raises(Undecided):
        _ = (entry("exp", 1.0) - entry("exp", 1.0)).sign


def test_what_is_exact_stays_so() -> None:
    assert entry("tanh", 0).is_zero
    assert entry("sqrt", Fraction(9, 4)).middle == Fraction(3, 2)
    assert (entry("exp", 0) - 1).is_zero
    assert (entry("sigmoid", 0) - Fraction(1, 2)).is_zero
    assert (Certain.literal(0.1) * 10 - 1).is_zero
    assert not (Certain.of(0.1) * 10 - 1).is_zero  # the binary fraction
    with pytest.raises(ZeroDivisionError):
        _ = 1 / entry("tanh", 0)
    with pytest.raises(ValueError, match="logarithm"):
        entry("log", 0)
    with pytest.raises(ValueError, match="root"):
        entry("sqrt", -1)


def test_between_two_numbers_of_opposite_signs_is_zero() -> None:
    near = Fraction(1, 10**40)
    place = Certain(Fraction(1, 3) - near, Fraction(1, 3) + near)
    zero = place - Fraction(1, 3)
    assert zero.is_zero
    assert (zero * zero).is_zero
    assert Certain.of(ARITHMETIC.step(zero)).is_zero
    assert not (place - Fraction(1, 2)).is_zero
    assert (place - Fraction(1, 2)).sign == -1
    crossing = Certain(2 - near, 2 + near)
    assert ARITHMETIC.floor(crossing).middle == 2
    assert ARITHMETIC.round(crossing + Fraction(1, 2)).middle == 2
    assert ARITHMETIC.round(crossing - Fraction(1, 2)).middle == 2


def test_bends_need_no_sign() -> None:
    nothing = entry("exp", 1.0) - entry("exp", 1.0)
    for name in ("relu", "abs", "elu"):
        assert getattr(ARITHMETIC, name)(nothing).size <= 4 * nothing.size
    with pytest.raises(Undecided):
        ARITHMETIC.sign(nothing)


def test_large_numbers_are_told_as_floats() -> None:
    assert float(Certain.of(Fraction(10) ** 400)) == math.inf
    assert float(entry("exp", 2000.0)) == math.inf
    assert np.asarray([entry("exp", 1.0)], dtype=float)[0] == math.e


# --- verdicts about cells ---------------------------------------------------------------------------------------------

WRITINGS = [
    ("a * softplus(h) / log(1 + exp(h))", "a"),
    ("h / sigmoid(a)", "h * (1 + exp(-a))"),
    ("h / (1 - tanh(h)**2) + a", "a + h / (4 * sigmoid(2 * h) * sigmoid(-2 * h))"),
    ("h / (exp(a) + exp(-a))", "h * exp(a) / (exp(2 * a) + 1)"),
    ("softmax(a) * h", "exp(a) * h / sum(exp(a))"),
    ("a + softmax(h - max(h))", "softmax(h) + a"),
    ("h / exp(a)", "h * exp(-a)"),
    ("tanh(a) * h / (1 + exp(-a * a))", "tanh(a) * h * sigmoid(a * a)"),
    ("a / (1 - normal_cdf(h))", "a / normal_cdf(-h)"),
    ("log(softmax(a)) + h", "h + log(exp(a) / sum(exp(a)))"),
]
"""The same function in two writings, with divisors and arguments of logarithms that are positive and may be tiny."""

BROKEN = [
    ("a + step(tanh(h))", "a + 1 - step(-tanh(h))"),
    ("a * (tanh(h) - b) / (tanh(h) - b)", "a"),
    ("a + step(exp(h) - 1)", "a + 1 - step(1 - exp(h))"),
    ("a + floor(h) + floor(-h)", "a - 1"),
    ("a + log(h)", "a + log(h * h) / 2"),
    ("a + step(1 - h)", "a + 1"),
]
"""Functions that differ where something is zero or negative, and do so for certain."""


@pytest.mark.parametrize(("left", "right"), WRITINGS)
def test_writings_of_one_function_are_found_to_be_it(left: str, right: str) -> None:
    result = equivalent(cell(left), cell(right, "g"))
    assert result.verdict == "same", str(result)
    assert (result.conditions, result.changes) == ((), {})


@pytest.mark.parametrize(("left", "right"), BROKEN)
def test_what_differs_somewhere_is_still_told_apart(left: str, right: str) -> None:
    result = equivalent(cell(left), cell(right, "g"))
    assert not result, str(result)
    assert result.counterexample is not None


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("lstm", "step(0.999 - h) == 1"),
        ("lstm", "relu(c) == c"),
        ("gru", "step(0.5 - z) == 0"),
        ("lstm", "step(1 - c) == 1"),
    ],
)
def test_what_bounds_do_not_prove_is_refuted(name: str, claim: str) -> None:
    verdict = prove(claim, cells[name])
    assert verdict.verdict == "does not hold", str(verdict)
