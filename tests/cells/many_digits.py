"""The equations with fifty digits, of which rounding takes some: what generated code is compared with."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

from symrnn.algebra.functions import Arithmetic, of_library
from symrnn.runs.numbers import Numbers

_CONTEXT = mpmath.MPContext()
_CONTEXT.dps = 50


def _on_arrays(function: Callable[[Any], Any]) -> Any:
    return np.frompyfunc(lambda x: function(_CONTEXT.mpf(x)), 1, 1)


def digit(value: Any) -> Any:
    """A number with many digits."""
    return _CONTEXT.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else _CONTEXT.mpf(value)


digits = np.frompyfunc(_CONTEXT.mpf, 1, 1)
"""Floats with many digits, each as the binary fraction that it is."""

ARITHMETIC = Arithmetic(
    literal=digit,
    stop_gradient=lambda x: x,
    straight_through=lambda x, z: np.broadcast_arrays(x, z)[0],
    floor=_on_arrays(_CONTEXT.floor),
    round=_on_arrays(_CONTEXT.nint),
    normal_cdf=_on_arrays(_CONTEXT.ncdf),
    normal_density=_on_arrays(_CONTEXT.npdf),
    step=_on_arrays(lambda x: _CONTEXT.mpf(int(x > 0))),
    **of_library(_CONTEXT, _on_arrays),
)


MANY_DIGITS = Numbers(ARITHMETIC, digit, digits, exact=True)
"""Numbers with many digits."""
