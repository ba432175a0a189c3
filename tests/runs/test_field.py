"""The laws of the field, of its slopes, and of the function table over it."""

import subprocess
import sys
from fractions import Fraction
from functools import reduce
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest

from symrnn.algebra.functions import FUNCTIONS, PRIMITIVES
from symrnn.language.evaluate import NUMPY
from symrnn.runs import field
from symrnn.runs.field import FIELD, PRIME, Number, along, array, draw, inner, inverse, same, slopes

ROWS = list(FUNCTIONS.values())
names = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
seeds = pytest.mark.parametrize("seed", range(5))


def numbers(seed, count):
    rng = Random(seed)
    return [Number(rng.randrange(1, PRIME), rng.randrange(PRIME)) for _ in range(count)]


@seeds
def test_the_field_is_a_field(seed):
    a, b, c = numbers(seed, 3)
    assert (a + b) + c == a + (b + c)
    assert (a * b) * c == a * (b * c)
    assert a + b == b + a
    assert a * b == b * a
    assert a * (b + c) == a * b + a * c
    assert a - a == 0
    assert a + -b == a - b == -(b - a)
    assert a * a**-1 == 1
    assert a / b * b == a


@seeds
def test_slopes_follow_the_rules_of_calculus(seed):
    a, b = numbers(seed, 2)
    assert (a + b).slope == (a.slope + b.slope) % PRIME
    assert (a * b).slope == (a.slope * b.value + a.value * b.slope) % PRIME
    assert (a / b).slope == (a.slope * b.value - a.value * b.slope) * inverse(b.value**2) % PRIME
    assert (a**3).slope == 3 * a.value**2 * a.slope % PRIME
    assert a**-2 == 1 / (a * a)
    assert a**0 == 1
    assert Number(0, 7) ** 1 == Number(0, 7)


@pytest.mark.parametrize("literal", [0, 1, -3, 7, 0.1, -2.5, 1e-3, 1.5e6, Fraction(2, 3), np.int64(4), np.float64(0.1)])
def test_literals_mean_what_is_written(literal):
    exact = (
        Fraction(repr(float(literal)))
        if isinstance(literal, float)
        else Fraction(int(literal) if isinstance(literal, np.integer) else literal)
    )
    number = Number.of(literal)
    assert number * exact.denominator == exact.numerator
    (a,) = numbers(0, 1)
    assert a + literal == literal + a == a + number
    assert a * literal == literal * a == a * number
    assert a - literal == -(literal - a)
    if literal:
        assert a / literal * literal == a
        assert literal / a * a == literal


def test_what_is_no_number_is_refused():
    (a,) = numbers(0, 1)
    assert Number.of("1") is None
    for operation in (lambda: a + "1", lambda: "1" - a, lambda: a / None, lambda: a * "1", lambda: FIELD.exp("1")):
        with pytest.raises(TypeError):
            operation()


@pytest.mark.parametrize("operation", [lambda z: 1 / z, lambda z: z**-1, lambda z: z / z, lambda z: inverse(0)])
def test_division_by_zero(operation):
    with pytest.raises(ZeroDivisionError):
        operation(Number(0, 1))


def test_arrays_of_numbers():
    a, b = draw(Random(0), (2, 3)), draw(Random(1), (3, 2))
    assert (a @ b)[0, 1] == a[0, 0] * b[0, 1] + a[0, 1] * b[1, 1] + a[0, 2] * b[2, 1]
    assert same(a, a.copy())
    assert not same(a, b)
    assert not same(a, a + 1)
    assert same(slopes(along(a, b.T)), b.T)
    assert same(slopes(np.ones((2, 2), dtype=int)), np.zeros((2, 2), dtype=int))
    assert inner(a, a) == np.sum(a * a)
    assert array([Number(1)], ()).shape == ()


# --- the function table -----------------------------------------------------------------------------------------------


@seeds
def test_relations_between_functions(seed):
    a, _ = numbers(seed, 2)
    zero = Number(0)
    assert FIELD.exp(-a) == 1 / FIELD.exp(a)
    assert FIELD.sigmoid(-a) == 1 - FIELD.sigmoid(a)
    assert FIELD.tanh(-a) == -FIELD.tanh(a)
    assert FIELD.tanh(a) == 2 * FIELD.sigmoid(2 * a) - 1
    assert FIELD.sin(-a) == -FIELD.sin(a)
    assert FIELD.cos(-a) == FIELD.cos(a)
    assert FIELD.sin(a) ** 2 + FIELD.cos(a) ** 2 == 1
    assert FIELD.step(a) + FIELD.step(-a) == 1
    assert FIELD.abs(-a) == FIELD.abs(a)
    assert (FIELD.exp(zero), FIELD.sin(zero), FIELD.cos(zero), FIELD.log(Number(1))) == (1, 0, 1, 0)
    assert FIELD.tanh(zero) == 0
    assert FIELD.normal_cdf(-a) == 1 - FIELD.normal_cdf(a)
    assert FIELD.normal_density(-a) == FIELD.normal_density(a)
    assert FIELD.normal_cdf(zero) * 2 == 1


@pytest.mark.parametrize("digest", [0, 1, PRIME - 2, PRIME - 1, PRIME, 2**128 - 1])
def test_no_value_of_a_table_is_zero_or_outside_the_field(monkeypatch, digest):
    hashed = SimpleNamespace(digest=lambda: digest.to_bytes(16))
    monkeypatch.setattr(field, "blake2b", lambda *_, **__: hashed)
    assert 0 < FIELD.normal_density(Number(5)).value < PRIME


def test_every_branch_of_a_function_occurs():
    values = [FIELD.hard_sigmoid(Number(x.value), 0.2, 0.5) for seed in range(40) for x in numbers(seed, 1)]
    inside = [value for value in values if value.value not in (0, 1)]
    assert {value.value for value in values if value not in inside} == {0, 1}
    assert 10 < len(inside) < 30


@names
@seeds
def test_equal_arguments_give_equal_values(row, seed):
    arguments = [Number(x.value) for x in numbers(seed, row.arity)]
    function = getattr(FIELD, row.name)
    assert function(*arguments) == function(*(x + 1 - 1 for x in arguments))


@seeds
@pytest.mark.parametrize("name", [name for name in PRIMITIVES if name != "step"])
def test_other_arguments_give_other_values(name, seed):
    arity = FUNCTIONS[name].arity
    arguments = numbers(seed, 2 * arity)
    function = getattr(FIELD, name)
    assert function(*arguments[:arity]).value != function(*arguments[arity:]).value


@names
@seeds
def test_the_definition_has_the_slope_of_the_table_exactly(row, seed):
    values = [Number(x.value) for x in numbers(seed, row.arity)]
    for position, slope in enumerate(row.slopes):
        moving = [Number(x.value, int(i == position)) for i, x in enumerate(values)]
        y = getattr(FIELD, row.name)(*moving)
        claimed = Number.of(slope(FIELD, *values, Number(y.value)))
        assert claimed == Number(y.slope), f"{row.name}: slope {position}"


@names
def test_the_definition_has_the_slope_of_the_table_in_floating_point(row):
    rng = np.random.default_rng(0)
    values = [rng.uniform(*row.interval(i), 200) for i in range(row.arity)]
    y = getattr(NUMPY, row.name)(*values)
    for position, slope in enumerate(row.slopes):
        moving = [x + 1e-30j * (i == position) for i, x in enumerate(values)]
        truth = np.imag(getattr(NUMPY, row.name)(*moving)) / 1e-30
        np.testing.assert_allclose(slope(NUMPY, *values, y) + 0 * truth, truth, rtol=1e-13, atol=1e-14)


@names
def test_values_and_slopes_jump_at_the_kinks_only(row):
    """The points of numeric checks keep away from these places, and from nothing for the others."""
    low, high = row.interval()
    x = np.linspace(low, high, 2001) + 1e-9
    arguments = [x, *(np.full_like(x, 0.3 + 0.1 * i) for i in range(row.arity - 1))]
    value = getattr(NUMPY, row.name)(*arguments)
    slopes_ = [slope(NUMPY, *arguments, value) + 0 * x for slope in row.slopes]
    rises = [np.abs(np.diff(one)) / (1 + np.abs(one[1:])) for one in (value, *slopes_)]
    jumping = {i for rise in rises for i in np.flatnonzero(rise > 0.05)}
    near = reduce(np.minimum, [np.abs(kink(NUMPY, *arguments)) for kink in row.kinks], np.ones_like(x))
    assert all(near[i] < 0.02 for i in jumping)
    assert bool(jumping) == bool(row.kinks and row.name != "elu")  # of an elu the slope bends there


def test_the_tables_do_not_depend_on_the_hash_seed():
    program = """if True:
        from symrnn.runs.field import FIELD, Number
        print(FIELD.exp(Number(5)), FIELD.log(Number(5)), FIELD.sin(Number(9)))
    """
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    }
    assert len(printed) == 1
