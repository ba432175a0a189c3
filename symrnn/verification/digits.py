"""Arithmetic with fifty digits, in which rounding and overflow of floating point do not show.

Where a formula has no value, ZeroDivisionError (a division by zero) or ValueError (a logarithm of what is not positive,
a root of a negative number) is raised; where a value is only too large, OverflowError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import Arithmetic, of_library
from symrnn.verification.field import Array

DIGITS = 50
_CONTEXT = mpmath.MPContext()
_CONTEXT.dps = DIGITS
Digits: Any = _CONTEXT.mpf
"""The type of a number with fifty digits."""
_LARGEST = 1e6
"""An exponential of more than that is a number whose logarithm alone needs many digits."""


def _exp(x: Any) -> Any:
    if abs(x) > _LARGEST:
        raise OverflowError("the exponential of a very large number")
    return _CONTEXT.exp(x)


@contextmanager
def precise(count: int) -> Iterator[None]:
    """Compute with so many digits for a while."""
    before, _CONTEXT.dps = _CONTEXT.dps, count
    try:
        yield
    finally:
        _CONTEXT.dps = before


def _real(function: Any) -> Any:
    def of_real(x: Any) -> Any:
        value = function(x)
        if not isinstance(value, _CONTEXT.mpf) or not _CONTEXT.isfinite(value):
            raise ValueError("no real number")
        return value

    return of_real


def _on_arrays(function: Any) -> Any:
    return np.frompyfunc(lambda x: function(_CONTEXT.mpf(x)), 1, 1)


def digit(value: Any) -> Any:
    """A number with many digits; a decimal literal is meant as its decimal fraction."""
    if isinstance(value, float):
        value = Fraction(repr(value))
    if isinstance(value, Fraction):
        return _CONTEXT.mpf(value.numerator) / value.denominator
    return _CONTEXT.mpf(value)


ARITHMETIC = Arithmetic(
    literal=digit,
    stop_gradient=lambda x: x,
    straight_through=lambda x, z: np.broadcast_arrays(x, z)[0],
    floor=_on_arrays(_CONTEXT.floor),
    round=_on_arrays(_CONTEXT.nint),
    normal_cdf=_on_arrays(_CONTEXT.ncdf),
    normal_density=_on_arrays(_CONTEXT.npdf),
    step=_on_arrays(lambda x: _CONTEXT.mpf(int(x > 0))),
    **(of_library(_CONTEXT, lambda function: _on_arrays(_real(function))) | {"exp": _on_arrays(_exp)}),
)
"""The functions of the table; those defined by others follow from their definitions."""


class DigitsEvaluator(Evaluator):
    """Evaluates expressions with many digits; a division by zero raises."""

    def __init__(self, values: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
        super().__init__(values, sizes, ARITHMETIC)

    def number(self, coefficient: Any) -> Any:
        """The number in front of a product."""
        return digit(super().number(coefficient))


digits = np.frompyfunc(_CONTEXT.mpf, 1, 1)
"""Floats with many digits, each as the binary fraction that it is."""


def rounded(value: Array) -> Array:
    """An array of floats."""
    return np.asarray(value, dtype=float)
