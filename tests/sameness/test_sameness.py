"""One notion of sameness: what one of equal, prove and equivalent tells apart, all three do, and with numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from random import Random

import numpy as np
import pytest
import sympy

from symrnn import Cell, equivalent, prove
from symrnn.algebra.functions import FUNCTIONS
from symrnn.proofs.formulas import Equality, equal
from symrnn.sameness.pairs import delicate_parts
from symrnn.sameness.tower import PRIMES, TOWER, TowerNumber, draw, same

A = "a = W @ x + U @ h + b"
BIG = ("m = 1000000 * h", "q = 1000000 * m", "p = 1000000 * q")
SIZES = "(size(x) - 1) * (size(x) - 2) * (size(x) - 3) * (size(x) - 4)"

APART = {
    "a step": ((), "a + step(a) + step(-a)", "a + 1"),
    "a step that is not at zero": ((), "a + step(a - 3) + step(3 - a)", "a + 1"),
    "a step of a square": ((), "a * step(h * h)", "a"),
    "a sign": ((), "a + sign(a) ** 2", "a + 1"),
    "a sign and a step": ((), "a + sign(h)", "a + 2 * step(h) - 1"),
    "the border of a range": ((), "a + step(abs(h))", "a + 1"),
    "a divisor": ((), "a * h / h", "a"),
    "a divisor that is a sum": ((), "a * (h - b) / (h - b)", "a"),
    "a divisor that is often zero": ((), "a * relu(h) / relu(h)", "a"),
    "a logarithm": ((), "a + log(h) - log(h)", "a"),
    "a root": ((), "a + sqrt(h - 1) - sqrt(h - 1)", "a"),
    "the border of a domain": ((), "a + 0.5 * log(abs(h)) - 0.5 * log(abs(h))", "a"),
    "the field's prime": (BIG, "a + 2.305843009 * p + 213.693951 * m", "a"),
    "a sum that is small": ((), "a + 0.000001 * h / 1000000 / 1000000", "a"),
    "the sizes tried": ((), f"a + {SIZES} * h", "a"),
    "more sizes": ((), f"a + {SIZES} * (size(x) - 5) * (size(x) - 6) * h", "a"),
    "one size": ((), "a * (size(x) - 7) / (size(x) - 7)", "a"),
}
"""What differs -> equations, and two right sides that are the same almost everywhere, or at small sizes."""

TOGETHER = {
    "a bend": ((), "relu(a) - relu(-a)", "a"),
    "homogeneity": ((), "0.5 * relu(2 * a)", "relu(a)"),
    "homogeneity of two": ((), "maximum(3 * a, 3 * h)", "3 * maximum(h, a)"),
    "absolute values": ((), "abs(a * h)", "abs(h) * abs(a)"),
    "a softmax with a shift": ((), "softmax(a + 3)", "softmax(a)"),
    "tanh by exponentials": ((), "(exp(a) - exp(-a)) / (exp(a) + exp(-a))", "tanh(a)"),
    "tanh of a tanh": ((), "tanh((exp(a) - exp(-a)) / (exp(a) + exp(-a)))", "2 * sigmoid(2 * tanh(a)) - 1"),
    "a product of exponentials": ((), "exp(a) * exp(h)", "exp(a + h)"),
    "a gate and its complement": ((), "sigmoid(a) * h + sigmoid(-a) * b", "b + sigmoid(a) * (h - b)"),
    "a divisor that is never zero": ((), "h * (1 + a * a) / (1 + a * a) + a", "h + a"),
    "the same divisor": ((), "a * b / h", "b * (a / h)"),
    "the same domain": ((), "a * log(abs(h)) + a", "a * (1 + log(abs(h)))"),
    "the same step": ((), "a * step(a - h) + h", "h + step(a - h) * a"),
    "a size": ((), "mean(a) * size(a) * a", "sum(a) * a"),
    "softsign": ((), "a / (1 + abs(a))", "softsign(a)"),
}


def cell(extra: tuple[str, ...], right: str, name: str) -> Cell:
    lines = [A, *extra, f"h = {right}"]
    body = "".join(f"    {line}\n" for line in lines)
    return Cell.from_source(f"def {name}(x, h, *, W, U, b):\n{body}    return h\n")


def claim(text: str) -> str:
    return re.sub(r"\bh\b", "h_prev", text)


def by_prove(extra: tuple[str, ...], left: str, right: str) -> Equality:
    return prove(f"{claim(left)} == {claim(right)}", cell(extra, left if extra else "a", "f"))


def by_equal(extra: tuple[str, ...], left: str, right: str) -> Equality:
    return equal(claim(left), claim(right), cell(extra, left if extra else "a", "f"))


@pytest.mark.parametrize("ask", [by_prove, by_equal])
@pytest.mark.parametrize("case", APART)
def test_formulas_are_told_apart_with_numbers(case: str, ask: Callable[..., Equality]) -> None:
    extra, left, right = APART[case]
    verdict = ask(extra, left, right)
    example = verdict.counterexample
    assert example is not None, str(verdict)
    # the author's own text, at numbers that make a and h what they are in the example
    values = {name: np.asarray(value)[:, 0] for name, value in example.values.items()}
    h = values["m"] / 1e6 if "m" in values else values.get("h_prev", np.zeros(example.sizes["d_h"]))
    b = values.get("b", np.zeros_like(h))
    a = values.get("a", b)
    x = np.eye(example.sizes["d_x"])[0]
    given = {"W": np.outer(a - b, x), "U": np.zeros((h.size, h.size)), "b": b}
    with np.errstate(all="ignore"):
        cells = cell(extra, left, "f"), cell((), right, "f")
        got = [float(one.definition(x, h, **given)[example.entry[0] - 1]) for one in cells]
    assert [np.isfinite(value) for value in got] == [np.isfinite(example.left), np.isfinite(example.right)]
    if np.all(np.isfinite(got)):
        assert got == pytest.approx([example.left, example.right], rel=1e-9, abs=1e-9)
        assert got[0] != got[1] or abs(example.left - example.right) < 1e-9
        assert not verdict
    else:
        assert verdict.conditions


@pytest.mark.sampled(4)
@pytest.mark.parametrize("case", APART)
def test_cells_are_told_apart_with_numbers(case: str) -> None:
    extra, left, right = APART[case]
    f, g = cell(extra, left, "f"), cell((), right, "g")
    result = equivalent(f, g)
    assert not result, str(result)
    assert result.verdict in ("different", "not found", "special case")
    example = result.counterexample
    assert example is not None, str(result)
    with np.errstate(all="ignore"):
        got = [one.definition(**arguments) for one, arguments in ((f, example.arguments_a), (g, example.arguments_b))]
    np.testing.assert_allclose(got[0], example.states_a["h"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(got[1], example.states_b["h"], rtol=1e-12, atol=1e-12)
    assert case == "a sum that is small" or not np.allclose(*got, rtol=1e-9, atol=1e-12)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("case", TOGETHER)
def test_what_is_the_same_is_proved_by_all(case: str) -> None:
    extra, left, right = TOGETHER[case]
    assert by_prove(extra, left, right)
    assert by_equal(extra, left, right)
    result = equivalent(cell(extra, left, "f"), cell(extra, right, "g"))
    assert result, str(result)
    assert result.verdict == "same"
    assert result.counterexample is None


CONDITIONS = [
    ("log(a) - log(a)", "0", "where a_t > 0"),
    ("sqrt(a) - sqrt(a)", "0", "where a_t ≥ 0"),
    ("a / a", "1", "except where a_t = 0"),
    ("sqrt(a) / sqrt(a) * h", "h", "where a_t ≥ 0 except where √(a_t) = 0"),
    ("log(a - b) * 0.5 + h", "h + log(a - b) / 2", "where a_t - b > 0"),
]


@pytest.mark.parametrize(("left", "right", "condition"), CONDITIONS)
def test_a_condition_is_told(left: str, right: str, condition: str) -> None:
    verdict = by_prove((), left, right)
    assert verdict
    assert f" in f {condition}, exactly" in str(verdict)


def test_a_condition_of_a_definition_is_told_too() -> None:
    inner = Cell.from_source("def f(x, h, *, W):\n    a = W @ x + log(h) - log(h)\n    h = a\n    return h\n")
    assert "where h_{t-1} > 0" in str(prove("a == W @ x", inner))
    assert "where" not in str(prove("2 * W @ x == W @ x + W @ x", inner))


def test_the_sizes_are_said() -> None:
    shown = str(by_prove((), "mean(a) * size(a) * size(x) / 5", "sum(a) * size(x) / 5"))
    assert "exactly, at d_x,d_h = 1,1 3,2 2,3 4,4 6,5 5,7" in shown


# --- the tower --------------------------------------------------------------------------------------------------------


def number(seed: int) -> TowerNumber:
    return draw(Random(seed), (1,))[0]


def test_the_primes_are_what_they_are_said_to_be() -> None:
    assert all(sympy.isprime(prime) for prime in PRIMES)
    assert all(above % below == 1 for below, above in pairwise(PRIMES))
    last = PRIMES[-1]
    squares = [pow(q, (last - 1) // 2, last) for q in sympy.primerange(100)]
    assert set(squares) == {1}
    assert pow(last - 1, (last - 1) // 2, last) == last - 1


@pytest.mark.parametrize("seed", range(5))
def test_laws_that_hold_over_the_tower(seed: int) -> None:
    x, y = number(seed), number(seed + 100)
    assert TOWER.exp(x + y) == TOWER.exp(x) * TOWER.exp(y)
    assert TOWER.exp(TOWER.exp(x) + TOWER.exp(y)) == TOWER.exp(TOWER.exp(x)) * TOWER.exp(TOWER.exp(y))
    assert TOWER.step(x) + TOWER.step(-x) == 1
    assert TOWER.sign(x * y) == TOWER.sign(x) * TOWER.sign(y)
    assert TOWER.sin(-x) == -TOWER.sin(x)
    assert TOWER.sin(x) ** 2 + TOWER.cos(x) ** 2 == 1
    assert TOWER.sqrt(x) ** 2 != x  # not modelled, and nothing false in its place
    assert TOWER.log(TOWER.exp(x)) != x


@pytest.mark.parametrize("seed", range(3))
def test_laws_that_do_not_hold(seed: int) -> None:
    x, y = number(seed), number(seed + 100)
    for false in (
        TOWER.exp(x * y) == TOWER.exp(x) * TOWER.exp(y),
        TOWER.exp(x) == TOWER.exp(2 * x),
        TOWER.tanh(x) == TOWER.sigmoid(x),
        TOWER.exp(PRIMES[0] * x) == 1,
        x * PRIMES[0] == 0,
        TOWER.log(x) == TOWER.log(-x),
    ):
        assert not false


@pytest.mark.parametrize("value", [1, 2, 53, 97, 101, 1009, 999983, 0.5, 0.59, 1.702, 0.044715, 1e-5])
def test_constants_have_their_sign(value: float) -> None:
    exact = TowerNumber.of(value)
    if value not in (1.702, 0.044715):  # numerators with larger prime factors may have another
        assert TOWER.step(exact) == 1
        assert TOWER.step(-exact) == 0
    assert TOWER.step(exact) + TOWER.step(-exact) == 1


def test_numbers_of_the_tower_are_a_field() -> None:
    x, y = number(1), number(2)
    assert (x + y) * (x - y) == x**2 - y**2
    assert x / y * y == x
    assert 1 / x == x**-1
    assert -x + x == 0
    assert 3 - x == -(x - 3)
    assert same(np.array([x]), np.array([x]))
    assert not same(np.array([x]), np.array([y]))
    with pytest.raises(ZeroDivisionError):
        x / 0


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [name for name, row in FUNCTIONS.items() if row.jumps or any(row.domain)])
def test_every_function_that_jumps_or_has_a_domain_is_delicate(name: str) -> None:
    text = f"{name}({', '.join(['h', 'a', 'b'][: FUNCTIONS[name].arity])})"
    one = cell((), f"a + 0.5 * {text} + 0.5 * {text} - {text}", "f")
    parts = list(delicate_parts((e.value for e in one.body), {}))
    assert parts
    result = equivalent(one, cell((), "a", "g"))
    if any(FUNCTIONS[name].domain):
        assert not result
        assert result.conditions
