"""Every row of the function table: its definition, its NumPy template, its SymPy form and its slope say the same."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose

from symrnn.algebra.functions import FUNCTIONS, Arithmetic, ScalarFunction
from symrnn.algebra.nodes import SYMPY
from symrnn.language.evaluate import NUMPY
from symrnn.language.explicit import EXPLICIT

ROWS = pytest.mark.parametrize("row", FUNCTIONS.values(), ids=list(FUNCTIONS))

#: The primitives and nothing else: what follows from them is computed by the rows' definitions.
PRIMITIVE = Arithmetic(
    exp=np.exp,
    log=np.log,
    sqrt=np.sqrt,
    sin=np.sin,
    cos=np.cos,
    step=lambda x: np.where(np.real(x) > 0, 1.0, 0.0),
)


def points(row: ScalarFunction) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.uniform(*row.interval, size=200) for _ in range(row.arity)]


def template(row: ScalarFunction, args: list[np.ndarray]) -> np.ndarray:
    space = {"np": np, "a": args[0], "b": args[-1]}
    exec(row.helper, space)
    return eval(row.numpy.format("a", "b"), space)


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
    symbols = sympy.symbols("u v", real=True)[: row.arity]
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


@ROWS
def test_float32_stays_float32(row: ScalarFunction) -> None:
    args = [x.astype(np.float32) for x in points(row)]
    assert template(row, args).dtype == np.float32


@ROWS
def test_large_arguments_do_not_overflow(row: ScalarFunction) -> None:
    if row.name == "exp" or row.interval[0] > 0:
        pytest.skip("its value is infinite or undefined there")
    args = [np.array([1e4, -1e4, 0.0]) for _ in range(row.arity)]
    with np.errstate(over="raise", invalid="raise", divide="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.all(np.isfinite(template(row, args)))
        assert np.all(np.isfinite(getattr(NUMPY, row.name)(*args)))


@ROWS
def test_row_is_complete(row: ScalarFunction) -> None:
    assert row.arity in (1, 2)
    assert row.name.isidentifier()
    assert row.statement
    assert row.latex
    assert row.text
    assert row.interval[0] < row.interval[1]


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
