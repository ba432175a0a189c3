"""Real arithmetic in which a sign is decided or not told: what is evidence of a difference.

A number is a fraction as long as it can be, and then an interval that holds it, with as many digits as `precise` says.
1 - tanh(40) is positive, however few digits of it are seen: where an interval does not tell whether it is above zero,
`Undecided` is raised, and nothing follows.  Where a formula has no value, ZeroDivisionError (a division by what is
zero) or ValueError (a logarithm of what is not positive, a root of a negative number) is raised.

A point at which something is zero is often no fraction.  It lies between two fractions, and a number there is known by
its values at both: if these have opposite signs, it is zero in between.

Source: Moore, Kearfott & Cloud (2009), Introduction to Interval Analysis, ch. 2 and 5; the intermediate value theorem.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import zip_longest
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np

from symrnn.algebra.functions import Arithmetic, ScalarFunction
from symrnn.arrays import Array
from symrnn.runs.numbers import Numbers

End = Any
"""A fraction, or an interval."""

# Three times the digits of a float: a cancellation that leaves a float nothing leaves enough to decide a sign.
DIGITS = 50
# Contexts of our own: precision is a global of mpmath, which a caller may have set for something else.
_INTERVALS = mpmath.iv.__class__()
_POINTS = mpmath.MPContext()
_INTERVALS.dps = _POINTS.dps = DIGITS
_LARGEST = 1e6
"""An exponential of more than that is a number whose logarithm alone needs many digits."""
_LONGEST = 4000
"""A fraction of more bits than this becomes an interval: it came of powers, and is slower than one."""


class Undecided(ArithmeticError):
    """More digits are needed to know what a formula's value is, or whether it has one."""


@contextmanager
def precise(count: int) -> Iterator[None]:
    """Compute with so many digits for a while."""
    before = _INTERVALS.dps
    _INTERVALS.dps = _POINTS.dps = count
    try:
        yield
    finally:
        _INTERVALS.dps = _POINTS.dps = before


class Certain:
    """A number at one point, or at two between which the point lies.

    Args:
        ends: the number at each.
    """

    __slots__ = ("ends",)

    def __init__(self, *ends: End) -> None:
        # Opposite signs at both ends: by the intermediate value theorem it is zero at a point between them.
        if len(ends) > 1 and {_sign(end) for end in ends} == {-1, 1}:
            ends = (Fraction(0),)
        self.ends = ends

    @staticmethod
    def of(value: Any) -> Certain:
        """The number that a float, as the binary fraction that it is, a fraction or a whole number is."""
        if isinstance(value, Certain):
            return value
        return Certain(Fraction(int(value) if isinstance(value, np.integer) else value))

    @staticmethod
    def literal(value: Any) -> Certain:
        """The number that a literal of a text is: 0.1 is meant as a tenth."""
        return Certain.of(Fraction(repr(value)) if isinstance(value, float) else value)

    @property
    def sign(self) -> int:
        """1, 0 or -1.

        Raises:
            Undecided: the digits do not tell.
        """
        signs = {_sign(end) for end in self.ends}
        if len(signs) > 1 or None in signs:
            raise Undecided("a sign")
        return next(iter(signs))  # type: ignore[return-value]

    @property
    def is_zero(self) -> bool:
        """Whether the number is known to be 0."""
        return all(_sign(end) == 0 for end in self.ends)

    @property
    def size(self) -> Any:
        """A bound on the absolute value."""
        intervals = [_interval(end) for end in self.ends]
        return max(abs(_POINTS.mpf(bound)) for one in intervals for bound in (one.a, one.b))

    def __add__(self, other: Any) -> Any:
        return _entrywise(_sum, self, other)

    __radd__ = __add__

    def __neg__(self) -> Certain:
        return Certain(*(-end for end in self.ends))

    def __sub__(self, other: Any) -> Any:
        return _entrywise(_difference, self, other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        return _entrywise(_product, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return _entrywise(_quotient, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _entrywise(lambda a, b: _quotient(b, a), self, other)

    def __pow__(self, exponent: int) -> Certain:
        result = Certain(Fraction(1))
        for _ in range(abs(exponent)):
            result = result * self
        return result if exponent >= 0 else 1 / result

    @property
    def middle(self) -> Fraction:
        """A fraction in the middle of what is known."""
        return sum(map(_middle, self.ends), Fraction(0)) / len(self.ends)

    def __float__(self) -> float:
        middles = [_POINTS.mpf(_interval(end).mid) for end in self.ends]
        return float(sum(middles) / len(middles))

    def __repr__(self) -> str:
        return f"Certain({float(self)})"


def _sign(end: End) -> int | None:
    if isinstance(end, Fraction):
        return (end > 0) - (end < 0)
    return 1 if end.a > 0 else -1 if end.b < 0 else 0 if end.a == 0 == end.b else None


def _interval(end: End) -> Any:
    return _INTERVALS.mpf(end.numerator) / end.denominator if isinstance(end, Fraction) else end


def _middle(end: End) -> Fraction:
    return end if isinstance(end, Fraction) else _fraction(end.mid)


def _fraction(bound: Any) -> Fraction:
    sign, mantissa, exponent, _ = _POINTS.mpf(bound)._mpf_
    whole = Fraction(-int(mantissa) if sign else int(mantissa))
    return whole * Fraction(2) ** int(exponent)


def _combined(join: Callable[[End, End], End], a: Certain, b: Certain) -> Certain:
    if len(a.ends) == len(b.ends) == 1:
        return Certain(_joined(join, a.ends[0], b.ends[0]))
    pairs = zip_longest(a.ends, b.ends, fillvalue=(a if len(a.ends) == 1 else b).ends[0])
    return Certain(*(_joined(join, x, y) for x, y in pairs))


def _entrywise(join: Callable[[Certain, Certain], Certain], a: Certain, b: Any) -> Any:
    """A number and another; an array does it entry by entry, as NumPy asks of what is left to it."""
    return NotImplemented if isinstance(b, np.ndarray) else join(a, Certain.of(b))


def _sum(a: Certain, b: Certain) -> Certain:
    return _combined(operator.add, a, b)


def _difference(a: Certain, b: Certain) -> Certain:
    return _combined(operator.sub, a, b)


def _product(a: Certain, b: Certain) -> Certain:
    return Certain(Fraction(0)) if a.is_zero or b.is_zero else _combined(operator.mul, a, b)


def _quotient(a: Certain, b: Certain) -> Certain:
    if b.sign == 0:
        raise ZeroDivisionError("division by zero")
    return _combined(operator.truediv, a, b)


def _joined(join: Callable[[End, End], End], x: End, y: End) -> End:
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        exact = join(x, y)
        bits = exact.numerator.bit_length() + exact.denominator.bit_length()
        return exact if bits < _LONGEST else _interval(exact)
    return join(_interval(x), _interval(y))


# --- functions --------------------------------------------------------------------------------------------------------


def _on_arrays(function: Callable[[Certain], Certain]) -> Any:
    return np.frompyfunc(lambda x: function(Certain.of(x)), 1, 1)


def _smooth(
    function: Callable[[Any], Any], fixed: Mapping[Any, Fraction] | None = None
) -> Callable[[Certain], Certain]:
    """A function of intervals, with its exact values at some numbers."""
    known = fixed or {}

    def end_value(end: End) -> End:
        exact = known.get(end) if isinstance(end, Fraction) else None
        return function(_interval(end)) if exact is None else exact

    return lambda x: Certain(*map(end_value, x.ends))


def _exp_end(x: Any) -> Any:
    if not abs(_POINTS.mpf(x.mid)) < _LARGEST:
        raise OverflowError("the exponential of a very large number")
    return _INTERVALS.exp(x)


_log_of_positive = _smooth(lambda x: _INTERVALS.log(x), {1: Fraction(0)})


def _log(x: Certain) -> Certain:
    if x.sign <= 0:
        raise ValueError("a logarithm of what is not positive")
    return _log_of_positive(x)


def _root(end: End) -> End:
    if isinstance(end, Fraction):
        top, bottom = math.isqrt(end.numerator), math.isqrt(end.denominator)
        # An exact root keeps later signs decidable without any digits.
        if (top * top, bottom * bottom) == (end.numerator, end.denominator):
            return Fraction(top, bottom)
    return _INTERVALS.sqrt(_interval(end))


def _sqrt(x: Certain) -> Certain:
    if x.sign < 0:
        raise ValueError("a root of a negative number")
    return Certain(*map(_root, x.ends))


def _density(x: Any) -> Any:
    return _INTERVALS.exp(-x * x / 2) / _INTERVALS.sqrt(2 * _INTERVALS.pi)


def _distribution(x: Any) -> Any:
    """The normal distribution function, which rises; a few digits less are relied on than were computed."""
    # mpmath has no interval version of this function; it promises nearly all digits, of which eight are given away.
    slack = _POINTS.mpf(10) ** (8 - _POINTS.dps)
    low, high = _POINTS.ncdf(_POINTS.mpf(x.a)), _POINTS.ncdf(_POINTS.mpf(x.b))
    return _INTERVALS.mpf([low * (1 - slack), high * (1 + slack)])


def _step(x: Certain) -> Certain:
    return Certain(Fraction(int(x.sign > 0)))


def _step_within(x: Certain) -> Certain:
    """Where a sign is not known: between 0 and 1."""
    try:
        return _step(x)
    except Undecided:
        return Certain(_INTERVALS.mpf([0, 1]))


def _whole(down: Callable[[Fraction], int], between: Callable[[int, int], int]) -> Callable[[Certain], Certain]:
    """A function with whole values that rises by 1 here and there.

    Args:
        down: its value at a number.
        between: its value where it rises, from those on both sides.
    """

    def end_value(end: End) -> int:
        if isinstance(end, Fraction):
            return down(end)
        low, high = (down(_fraction(bound)) for bound in (end.a, end.b))
        # An integer between the bounds: with more digits they may fall on one side.
        if low != high:
            raise Undecided("a whole number")
        return low

    def value(x: Certain) -> Certain:
        values = sorted(map(end_value, x.ends))
        return Certain(Fraction(values[0] if values[0] == values[-1] else between(values[0], values[-1])))

    return value


_COMMON: Mapping[str, Any] = {
    "literal": Certain.literal,
    "exp": _on_arrays(_smooth(_exp_end, {0: Fraction(1)})),
    "log": _on_arrays(_log),
    "sqrt": _on_arrays(_sqrt),
    "sin": _on_arrays(_smooth(lambda x: _INTERVALS.sin(x), {0: Fraction(0)})),
    "cos": _on_arrays(_smooth(lambda x: _INTERVALS.cos(x), {0: Fraction(1)})),
    "normal_density": _on_arrays(_smooth(_density)),
    "normal_cdf": _on_arrays(_smooth(_distribution, {0: Fraction(1, 2)})),
    "floor": _on_arrays(_whole(lambda x: math.floor(x), max)),
    "round": _on_arrays(_whole(lambda x: round(x), lambda low, high: low if low % 2 == 0 else high)),
    "stop_gradient": lambda x: x,
    "straight_through": lambda x, z: np.broadcast_arrays(x, z)[0],
}


class _Enclosing(Arithmetic):
    """Functions that bend without a jump are told within bounds where a sign is not known."""

    def definition(self, row: ScalarFunction) -> Callable[..., Any] | None:
        if row.definition is None or not row.kinks or row.jumps:
            return row.definition
        rule = row.definition
        return lambda _, *args: rule(_BENDING, *args)


_BENDING = Arithmetic(step=_on_arrays(_step_within), **_COMMON)
ARITHMETIC = _Enclosing(step=_on_arrays(_step), **_COMMON)
"""The functions of the table; those defined by others follow from their definitions."""


certain = np.frompyfunc(Certain.of, 1, 1)
"""Arrays of floats as certain numbers."""

CERTAIN = Numbers(ARITHMETIC, Certain.literal, certain, exact=True)
"""Certain numbers."""


def rounded(value: Array) -> Array:
    """An array of floats."""
    return np.asarray(value, dtype=float)
