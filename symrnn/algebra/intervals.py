"""Intervals with exact ends, each of which is reached or not, and arithmetic with them.

Every operation is sound: its result holds whatever comes of numbers in the operands.  It need not be tight.  Nothing
here knows functions or expressions.

Source: Moore, Kearfott & Cloud (2009), Introduction to Interval Analysis, ch. 2 and 5.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

End = Fraction | float
"""A fraction, or plus or minus infinity."""

_INFINITY = math.inf


@dataclass(frozen=True)
class Interval:
    """All numbers from `low` to `high`; an end that is open, as an infinite one always is, does not belong to it."""

    low: End
    high: End
    open_low: bool = False
    open_high: bool = False

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"an interval from {self.low} to {self.high}")
        object.__setattr__(self, "open_low", self.open_low or self.low == -_INFINITY)
        object.__setattr__(self, "open_high", self.open_high or self.high == _INFINITY)

    def __str__(self) -> str:
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{left}{_shown(self.low)}, {_shown(self.high)}{right}"

    def __contains__(self, number: float) -> bool:
        above = number > self.low or (number == self.low and not self.open_low)
        return above and (number < self.high or (number == self.high and not self.open_high))

    @property
    def is_bounded(self) -> bool:
        """Whether both ends are finite."""
        return self.low > -_INFINITY and self.high < _INFINITY

    def within(self, other: Interval) -> bool:
        """Whether every number of this interval is one of the other."""
        low = self.low > other.low or (self.low == other.low and (self.open_low or not other.open_low))
        return low and (self.high < other.high or (self.high == other.high and (self.open_high or not other.open_high)))

    def meet(self, other: Interval) -> Interval:
        """What is in both, which is not empty."""
        # Of equal ends the open one, as True is more than False; at the upper end it must be less.
        low = max((self.low, self.open_low), (other.low, other.open_low))
        high = min((self.high, not self.open_high), (other.high, not other.open_high))
        return Interval(low[0], high[0], low[1], not high[1])

    def __add__(self, other: Interval) -> Interval:
        return Interval(
            self.low + other.low,
            self.high + other.high,
            self.open_low or other.open_low,
            self.open_high or other.open_high,
        )

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low, self.open_high, self.open_low)

    def __mul__(self, other: Interval) -> Interval:
        corners = [_corner(a, b) for a in self._ends for b in other._ends]
        low, high = min(corners), max((value, not is_open) for value, is_open in corners)
        return Interval(low[0], high[0], low[1], not high[1])

    @property
    def _ends(self) -> tuple[tuple[End, bool], tuple[End, bool]]:
        return (self.low, self.open_low), (self.high, self.open_high)

    def reciprocal(self) -> Interval:
        """1/x; everything where 0 is inside."""
        if self.low >= 0 and 0 not in self:
            return Interval(_inverse(self.high), _inverse(self.low), self.open_high, self.open_low)
        if self.high <= 0 and 0 not in self:
            return -(-self).reciprocal()
        return REALS


def _corner(a: tuple[End, bool], b: tuple[End, bool]) -> tuple[End, bool]:
    """The product of two ends; 0 times anything is 0, and reached where the 0 is."""
    zeros = [is_open for value, is_open in (a, b) if value == 0]
    # Infinity times 0 would be no number: an infinite end is never reached, and anything that is reached times 0 is 0.
    if zeros:
        return Fraction(0), all(zeros)
    return a[0] * b[0], a[1] or b[1]


def _inverse(end: End) -> End:
    return _INFINITY if end == 0 else Fraction(0) if math.isinf(end) else 1 / end


def _shown(end: End) -> str:
    return ("-" if end < 0 else "") + "∞" if math.isinf(end) else str(end)


REALS = Interval(-_INFINITY, _INFINITY)
# Open ends are what makes a theorem strict: a gate is never 0, while a softmax of one entry is 1.
ZERO_TO_ONE = Interval(Fraction(0), Fraction(1), True, True)
MINUS_ONE_TO_ONE = Interval(Fraction(-1), Fraction(1), True, True)
UNIT = Interval(Fraction(0), Fraction(1))
CLOSED_UNIT_BALL = Interval(Fraction(-1), Fraction(1))
NON_NEGATIVE = Interval(Fraction(0), _INFINITY)
POSITIVE = Interval(Fraction(0), _INFINITY, True)
ONE = Interval(Fraction(1), Fraction(1))
NIL = Interval(Fraction(0), Fraction(0))


def hull(intervals: Iterable[Interval]) -> Interval:
    """The smallest interval that has all of these inside."""
    every = list(intervals)
    low = min((one.low, one.open_low) for one in every)
    high = max((one.high, not one.open_high) for one in every)
    return Interval(low[0], high[0], low[1], not high[1])


def magnitude(x: Interval) -> Interval:
    """The absolute values of an interval's numbers."""
    return hull([x.meet(NON_NEGATIVE), (-x).meet(NON_NEGATIVE)]) if 0 in x else x if x.low >= 0 else -x


def maximum(x: Interval, z: Interval) -> Interval:
    """The larger of a number of one interval and a number of the other."""
    low = max((x.low, x.open_low), (z.low, z.open_low))
    high = max((x.high, not x.open_high), (z.high, not z.open_high))
    return Interval(low[0], high[0], low[1], not high[1])


def minimum(x: Interval, z: Interval) -> Interval:
    """The smaller of a number of one interval and a number of the other."""
    return -maximum(-x, -z)


def rising(x: Interval, values: Interval, *known: tuple[int, End]) -> Interval:
    """What a function that rises, with values in an interval, makes of a number, from some of its values.

    Args:
        x: where the number is.
        values: all values of the function.
        known: pairs of an argument and the function's value there.
    """
    below = [Interval(value, _INFINITY, x.open_low or x.low > place) for place, value in known if place <= x.low]
    above = [
        Interval(-_INFINITY, value, True, x.open_high or x.high < place) for place, value in known if place >= x.high
    ]
    return reduce(Interval.meet, [*below, *above], values)


def step(x: Interval) -> Interval:
    """1 for what is positive, else 0."""
    return ONE if x.within(POSITIVE) else NIL if x.high <= 0 else UNIT


def floor(x: Interval) -> Interval:
    """The whole number below or at a number."""
    low, high = (end if math.isinf(end) else Fraction(math.floor(end)) for end in (x.low, x.high))
    # Numbers below 3 that do not reach it have the whole part 2.
    return Interval(low, high - 1 if x.open_high and high == x.high and low < high else high)


def nearest(x: Interval) -> Interval:
    """The whole number nearest to a number, the even one of two."""
    low, high = (end if math.isinf(end) else Fraction(round(end)) for end in (x.low, x.high))
    return Interval(low, high)


def several(one: Interval) -> Interval:
    """A sum of one or more numbers of an interval: an end on the other side of 0 may be the whole of it."""
    # How many numbers there are is a size, which is any number: a negative one may count as often as it likes.
    low = one.low if one.low >= 0 else REALS.low
    high = one.high if one.high <= 0 else REALS.high
    return Interval(low, high, one.open_low, one.open_high)


def raised(base: Interval, count: int) -> Interval:
    """The powers of an interval's numbers to a positive whole number."""
    even = magnitude(base) if count % 2 == 0 else base
    if even.low >= 0 or even.high <= 0:
        return reduce(operator.mul, [even] * count)
    # An odd power keeps the order, also across 0, where products of ends would mix the signs.
    return Interval(even.low**count, even.high**count, even.open_low, even.open_high)


def weighted_mean(values: Sequence[Interval], strict: bool) -> Interval:
    """The weighted mean of two; where both weigh something, it reaches an end only if both values do."""
    around = hull(values)
    if not strict:
        return around
    open_low = not all(value.low == around.low and not value.open_low for value in values)
    open_high = not all(value.high == around.high and not value.open_high for value in values)
    flat = around.low == around.high
    return Interval(around.low, around.high, open_low and not flat, open_high and not flat)
