"""Every row of the function table: its definition, its NumPy template, its SymPy form and its slope say the same."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose

from symrnn.algebra.functions import FUNCTIONS, PRIMITIVES, Arithmetic, ScalarFunction
from symrnn.algebra.nodes import SYMPY
from symrnn.language.evaluate import NUMPY
from symrnn.language.explicit import EXPLICIT
from symrnn.runs.field import FIELD
from symrnn.sameness.certain import ARITHMETIC as CERTAIN
from symrnn.sameness.tower import TOWER

ROWS = pytest.mark.parametrize("row", FUNCTIONS.values(), ids=list(FUNCTIONS))

#: The primitives and nothing else: what follows from them is computed by the rows' definitions.
PRIMITIVE = Arithmetic(
    float,
    exp=np.exp,
    log=np.log,
    sqrt=np.sqrt,
    sin=np.sin,
    cos=np.cos,
    step=lambda x: np.where(np.real(x) > 0, 1.0, 0.0),
    stop_gradient=np.real,
    straight_through=lambda x, z: np.real(x),
    floor=np.floor,
    round=np.round,
    normal_cdf=np.vectorize(lambda x: 0.5 * math.erfc(-x / 2**0.5)),
    normal_density=np.vectorize(lambda x: math.exp(-x * x / 2) / (2 * math.pi) ** 0.5),
)


def points(row: ScalarFunction) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.uniform(*row.interval(i), size=200) for i in range(row.arity)]


def template(row: ScalarFunction, args: list[np.ndarray]) -> np.ndarray:
    space = {"np": np, **dict(zip("abc", args, strict=False))}
    exec(row.helper, space)
    return eval(row.numpy.format(*"abc"), space)


@ROWS
def test_definition_is_what_numpy_computes(row: ScalarFunction) -> None:
    args = points(row)
    assert_allclose(getattr(PRIMITIVE, row.name)(*args), template(row, args), rtol=1e-13, atol=1e-14)
    assert_allclose(getattr(NUMPY, row.name)(*args), template(row, args), rtol=1e-13, atol=1e-14)


@ROWS
def test_slope_is_the_complex_step(row: ScalarFunction) -> None:
    args = points(row)
    y = getattr(NUMPY, row.name)(*args)
    for position, slope in enumerate(row.slopes):
        moved = [x + 1e-30j if i == position else x for i, x in enumerate(args)]
        expected = np.imag(getattr(NUMPY, row.name)(*moved)) / 1e-30
        assert_allclose(slope(NUMPY, *args, y), expected, rtol=1e-12, atol=1e-13)


@ROWS
def test_slope_is_sympy_s_derivative(row: ScalarFunction) -> None:
    symbols = sympy.symbols("u v w", real=True)[: row.arity]
    y = getattr(EXPLICIT, row.name)(*symbols)
    args = [float(x[0]) for x in points(row)]
    at = dict(zip(symbols, args, strict=True))
    for symbol, slope in zip(symbols, row.slopes, strict=True):
        expected = float(y.diff(symbol).subs(at))
        assert float(slope(NUMPY, *args, float(y.subs(at)))) == pytest.approx(expected, rel=1e-12, abs=1e-13)


@ROWS
def test_sympy_form_has_the_same_values(row: ScalarFunction) -> None:
    args = [x[:20] for x in points(row)]
    expected = template(row, args)
    for n, value in enumerate(expected):
        exact = getattr(SYMPY, row.name)(*(sympy.Float(float(x[n]), 30) for x in args))
        assert float(exact) == pytest.approx(float(value), rel=1e-12, abs=1e-13)


#: Digits enough for 1 + exp(-1e4), of which nothing may be lost; and for the sum of the largest and the smallest float.
WIDE, LONG = mpmath.MPContext(), mpmath.MPContext()
WIDE.dps, LONG.dps = 4400, 700


def exactly(function: Callable[[Any], Any], context: Any = WIDE) -> Callable[..., np.ndarray]:
    return np.frompyfunc(lambda x: function(context.mpf(float(x) if isinstance(x, np.floating) else x)), 1, 1)


def exact(context: Any) -> Arithmetic:
    """The functions on so many digits."""
    return Arithmetic(
        **{name: exactly(getattr(context, name), context) for name in ("exp", "log", "sqrt", "sin", "cos")},
        step=exactly(lambda x: context.mpf(int(x > 0)), context),
        stop_gradient=lambda x: x,
        straight_through=lambda x, z: x,
        floor=exactly(context.floor, context),
        round=exactly(context.nint, context),
        # Of these nothing cancels, so that few digits do.
        normal_cdf=exactly(lambda x: mpmath.ncdf(mpmath.mpf(max(min(x, 10**5), -(10**5)))), context),
        normal_density=exactly(lambda x: mpmath.npdf(mpmath.mpf(max(min(x, 10**5), -(10**5)))), context),
    )


EXACT, EXACT_TOO = exact(WIDE), exact(LONG)
WIDENED = exactly(lambda x: x)
MAGNITUDES = (0, 1e-30, 1e-8, 0.01, 0.37, 1, 3, 10, 17, 18, 20, 36, 37, 40, 41, 87, 88.5, 103, 700, 708, 745, 1e4)


def accuracy(row: ScalarFunction, dtype: type, compute: Callable[..., np.ndarray]) -> float:
    """The largest relative error on both sides of 0, in units of the last place, where the value can be represented."""
    x = np.unique(np.array([sign * size for size in MAGNITUDES for sign in (1, -1)], dtype))
    x = x[x > 0] if row.interval()[0] > 0 else x
    args = [x] if row.arity == 1 else [grid.ravel() for grid in np.meshgrid(x, x[::3])]
    if "not zero" in row.domain:
        args = [x[args[1] != 0] for x in args]
    with np.errstate(over="ignore"):  # exp(1e4)
        computed = compute(*args)
    limits = np.finfo(dtype)
    errors = [0.0]
    condition = (
        1 + args[0] ** 2 if "normal_" in row.name + row.helper or row.name == "gelu_tanh" else np.ones_like(args[0])
    )
    for value, exact, lost in zip(computed, getattr(EXACT, row.name)(*map(WIDENED, args)), condition, strict=True):
        if float(limits.tiny) <= abs(exact) <= float(limits.max):
            error = float(abs((WIDE.mpf(float(value)) - exact) / exact)) / float(limits.eps)
            errors.append(error / float(lost))  # exp(-x²/2) has lost what rounding of x² says
        elif abs(exact) < float(limits.tiny):
            assert abs(value) <= limits.tiny
    return max(errors)


@pytest.mark.sampled(4)
@ROWS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_digit_is_right_over_the_whole_range(row: ScalarFunction, dtype: type) -> None:
    """NumPy's own functions are right to 2 units in the last place (its float32 exp to 2.5); a quotient adds half."""
    if row.arity > 2:
        pytest.skip("a sum of three numbers has no digits left where they cancel")
    assert accuracy(row, dtype, lambda *args: template(row, list(args))) <= 4


#: From the smallest floats to the largest ones.
EXTREMES = np.array([0, 1e-310, 1e-200, 1e-20, 0.3, 1, 36.7, 745.2, 1e20, 1e200, 1e300])


def extremes(row: ScalarFunction, infinite: bool) -> list[np.ndarray]:
    """Arguments in the function's domain, negative ones and infinities among them."""
    sizes = np.append(EXTREMES, np.inf) if infinite else EXTREMES
    x = np.unique(np.concatenate([sizes, -sizes]))
    args = [x] if row.arity == 1 else [grid.ravel() for grid in np.meshgrid(x, x[::3])]
    args += [np.full_like(args[0], float(number)) for number in row.defaults[len(args) - row.needed :]]
    for position, domain in enumerate(row.domain):
        inside = {"positive": args[position] > 0, "not negative": args[position] >= 0, "not zero": args[position] != 0}
        args = [argument[inside.get(domain, ...)] for argument in args]
    endless = np.any(np.isinf(args), axis=0)
    if row.name in ("sin", "cos", "remainder"):  # a wave has no limit
        return [x[~endless] for x in args]
    if row.defaults or row.name == "power":  # nor has a product of 0 and infinity
        endless &= np.any([np.abs(x) < 1e-9 for x in args], axis=0)
        return [x[~endless] for x in args]
    return args


def at_infinity(row: ScalarFunction, args: list[np.ndarray], infinity: str) -> np.ndarray:
    """The exact values with a large number in place of infinity."""
    large = LONG.mpf(infinity)
    wide = [np.array([np.sign(v) * large if np.isinf(v) else LONG.mpf(float(v)) for v in x], object) for x in args]
    return getattr(EXACT_TOO, row.name)(*wide)


def assert_right_at_extremes(row: ScalarFunction, compute: Callable[..., np.ndarray]) -> None:
    args = extremes(row, infinite=True)
    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        computed = compute(*args)
    limits = np.finfo(float)
    condition = lost_to_squares(row, args[0])
    nearer, farther = (at_infinity(row, args, infinity) for infinity in ("1e350", "1e600"))
    for *at, value, lost, exact, further in zip(*args, computed, condition, nearer, farther, strict=True):
        if abs(exact) > limits.max or abs(further) > 1.5 * abs(exact) > limits.tiny:
            assert value == np.inf * float(np.sign(exact)), at
        elif abs(exact) < limits.tiny:
            assert abs(value) <= limits.tiny, at
        else:
            assert value == pytest.approx(float(exact), rel=4 * limits.eps * lost, abs=0), at


def lost_to_squares(row: ScalarFunction, x: np.ndarray) -> np.ndarray:
    """By what an error grows: exp(-x²/2) has lost what rounding of x² says."""
    return (
        1 + np.minimum(np.abs(x), 100) ** 2
        if "normal_" in row.name + row.helper or row.name == "gelu_tanh"
        else np.ones_like(x)
    )


@pytest.mark.sampled(4)
@ROWS
def test_the_oracle_is_right_at_every_size_and_says_nothing(row: ScalarFunction) -> None:
    assert_right_at_extremes(row, getattr(NUMPY, row.name))


@pytest.mark.parametrize(
    "name", ["maximum", "minimum", "relu", "hard_sigmoid", "softplus", "elu", "leaky_relu", "gelu", "gelu_tanh"]
)
def test_a_definition_that_cancels_is_found(name: str) -> None:
    """What is right of exact numbers is not of floats: z + relu(x - z) has no digit of x = 1 beside z = -1e20."""
    plain = Arithmetic(**{key: getattr(NUMPY, key) for key in (*PRIMITIVES, "tanh")})
    with pytest.raises((AssertionError, RuntimeWarning)):
        assert_right_at_extremes(FUNCTIONS[name], getattr(plain, name))


@ROWS
def test_a_complex_step_is_right_at_every_size(row: ScalarFunction) -> None:
    args = extremes(row, infinite=False)
    if row.name == "remainder":  # it jumps at multiples, which a rounded quotient misses
        args = [x[np.remainder(*args) != 0] for x in args]
    args = [x[np.all([(x == 0) | (np.abs(x) > 1e-250) for x in args], axis=0)] for x in args]
    if "not negative" in row.domain:
        args = [x[args[0] > 0] for x in args]  # at 0 the slope is infinite
    wide = [exactly(LONG.mpf, LONG)(x) for x in args]
    y = getattr(EXACT_TOO, row.name)(*wide)
    condition = lost_to_squares(row, args[0])
    for position, slope in enumerate(row.slopes):
        step = 1e-30 * np.where(args[position] == 0, 1.0, np.minimum(np.abs(args[position]), 1.0))
        moved = [x + 1j * step if i == position else x for i, x in enumerate(args)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            changes = np.imag(getattr(NUMPY, row.name)(*moved))
        for *at, change, size, lost, rate in zip(
            *args, changes, step, condition, slope(EXACT_TOO, *wide, y) + 0 * wide[0], strict=True
        ):
            expected = rate * LONG.mpf(size)
            if abs(expected) < 1e-290:  # hardly a float
                assert abs(change) < 2e-290, at
            elif abs(expected) < 1e-9:  # else the step is not a small one
                assert change == pytest.approx(float(expected), rel=1e-12 * lost, abs=0), at


def test_lost_digits_are_found() -> None:
    """0.5 + 0.5 tanh(a / 2) is a sigmoid without a single right digit below -37."""
    assert accuracy(FUNCTIONS["sigmoid"], np.float64, lambda a: 0.5 + 0.5 * np.tanh(0.5 * a)) > 1e15


@pytest.mark.parametrize(("dtype", "lowest"), [(np.float32, -87), (np.float64, -708)])
def test_logarithm_and_inverse_of_a_gate_are_right_as_long_as_it_is_a_number(dtype: type, lowest: float) -> None:
    a = np.linspace(lowest, 60, 50, dtype=dtype)
    f = template(FUNCTIONS["sigmoid"], [a])
    inverse = 1 + EXACT.exp(-WIDENED(a))
    eps = float(np.finfo(dtype).eps)
    # Above 0 the logarithm is that of a number near 1: what can be right is its distance from 0 in units of 1.
    assert_allclose(np.log(f), -EXACT.log(inverse).astype(float), rtol=4 * eps, atol=2 * eps)
    assert_allclose(1 / f, inverse.astype(float), rtol=4 * eps)


@ROWS
def test_float32_stays_float32(row: ScalarFunction) -> None:
    args = [x.astype(np.float32) for x in points(row)]
    assert template(row, args).dtype == np.float32


@ROWS
def test_large_arguments_do_not_overflow(row: ScalarFunction) -> None:
    if row.name == "exp" or row.domain:
        pytest.skip("its value is infinite or undefined there")
    args = [np.array([1e4, -1e4, 0.0]) for _ in range(row.arity)]
    with np.errstate(over="raise", invalid="raise", divide="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.all(np.isfinite(template(row, args)))
        assert np.all(np.isfinite(getattr(NUMPY, row.name)(*args)))


@ROWS
def test_what_is_no_number_stays_none(row: ScalarFunction) -> None:
    if row.jumps or row.stated:
        pytest.skip("its value is chosen from a few")
    args = [np.array([np.nan]) for _ in range(row.arity)]
    assert np.isnan(getattr(NUMPY, row.name)(*args)).all()


@ROWS
def test_row_is_complete(row: ScalarFunction) -> None:
    assert row.arity in (1, 2, 3)
    assert row.name.isidentifier()
    assert row.statement
    assert row.latex
    assert row.text
    assert all(low < high for low, high in row.intervals)


def test_arithmetic_knows_the_table_only() -> None:
    with pytest.raises(AttributeError):
        PRIMITIVE.erf  # noqa: B018
    with pytest.raises(AttributeError):
        Arithmetic().exp  # noqa: B018


def test_softmax_shifts_where_it_can() -> None:
    x = np.array([1.0, 2.0, -3.0])
    assert_allclose(NUMPY.softmax(x), PRIMITIVE.softmax(x), rtol=1e-14)
    assert_allclose(NUMPY.softmax(x + 1e4), NUMPY.softmax(x), rtol=1e-10)


def test_arithmetic_can_be_copied() -> None:
    assert copy.copy(PRIMITIVE).exp is np.exp
    assert pickle.loads(pickle.dumps(Arithmetic(exp=np.exp, literal=float))).exp is np.exp


@pytest.mark.parametrize(
    "arithmetic", [SYMPY, NUMPY, EXPLICIT, FIELD, TOWER, CERTAIN], ids=lambda one: type(one).__name__
)
def test_every_arithmetic_has_every_primitive(arithmetic: Arithmetic) -> None:
    for name in PRIMITIVES:
        assert callable(getattr(arithmetic, name))


def test_a_row_says_where_it_jumps() -> None:
    with pytest.raises(ValueError, match="step: it jumps, and `kinks` does not say where"):
        replace(FUNCTIONS["step"], kinks=())
    with pytest.raises(ValueError, match="an interval and a domain for each of 1 arguments"):
        replace(FUNCTIONS["log"], intervals=((0.0, 1.0), (0.0, 1.0)))
