"""Between which bounds the entries of an expression lie, whatever the numbers.

An interval has exact ends, each of which is reached or not.  Every rule is sound: the entries of the value lie inside
whenever those of the operands do.  It need not be tight.

Source: Moore, Kearfott & Cloud (2009), Introduction to Interval Analysis, ch. 2 and 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from types import MappingProxyType
from typing import Any

from sympy import Rational

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable

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
    if zeros:
        return Fraction(0), all(zeros)
    return a[0] * b[0], a[1] or b[1]


def _inverse(end: End) -> End:
    return _INFINITY if end == 0 else Fraction(0) if math.isinf(end) else 1 / end


def _shown(end: End) -> str:
    return ("-" if end < 0 else "") + "∞" if math.isinf(end) else str(end)


REALS = Interval(-_INFINITY, _INFINITY)
ZERO_TO_ONE = Interval(Fraction(0), Fraction(1), True, True)
MINUS_ONE_TO_ONE = Interval(Fraction(-1), Fraction(1), True, True)
_UNIT = Interval(Fraction(0), Fraction(1))
_CLOSED_UNIT_BALL = Interval(Fraction(-1), Fraction(1))
_NON_NEGATIVE = Interval(Fraction(0), _INFINITY)
_POSITIVE = Interval(Fraction(0), _INFINITY, True)
_ONE = Interval(Fraction(1), Fraction(1))
_NIL = Interval(Fraction(0), Fraction(0))


def hull(intervals: Iterable[Interval]) -> Interval:
    """The smallest interval that has all of these inside."""
    every = list(intervals)
    low = min((one.low, one.open_low) for one in every)
    high = max((one.high, not one.open_high) for one in every)
    return Interval(low[0], high[0], low[1], not high[1])


def _magnitude(x: Interval) -> Interval:
    return hull([x.meet(_NON_NEGATIVE), (-x).meet(_NON_NEGATIVE)]) if 0 in x else x if x.low >= 0 else -x


def _maximum(x: Interval, z: Interval) -> Interval:
    low = max((x.low, x.open_low), (z.low, z.open_low))
    high = max((x.high, not x.open_high), (z.high, not z.open_high))
    return Interval(low[0], high[0], low[1], not high[1])


RANGES: Mapping[str, Callable[..., Interval]] = MappingProxyType(
    {
        "sigmoid": lambda x: ZERO_TO_ONE,
        "tanh": lambda x: MINUS_ONE_TO_ONE,
        "relu": lambda x: _maximum(x, _NIL),
        "step": lambda x: _UNIT,
        "sign": lambda x: _CLOSED_UNIT_BALL,
        "abs": _magnitude,
        "exp": lambda x: _POSITIVE,
        "log": lambda x: REALS,
        "sqrt": lambda x: _NON_NEGATIVE,
        "sin": lambda x: _CLOSED_UNIT_BALL,
        "cos": lambda x: _CLOSED_UNIT_BALL,
        "softplus": lambda x: _POSITIVE,
        "log_sigmoid": lambda x: -_POSITIVE,
        "silu": lambda x: Interval(Fraction(-3, 10), _INFINITY),
        "softsign": lambda x: MINUS_ONE_TO_ONE,
        "elu": lambda x: Interval(Fraction(-1), _INFINITY, True),
        "maximum": _maximum,
        "minimum": lambda x, z: -_maximum(-x, -z),
    }
)
"""The range of every function of the table, from those of its arguments."""


def enclose(expr: Expr, known: Mapping[Variable, Interval]) -> Interval:
    """An interval that holds every entry of an expression.

    Args:
        expr: the expression.
        known: intervals of variables; the others may be anything.
    """
    if isinstance(expr, Variable):
        return known.get(expr, REALS)
    rule = _RULES.get(type(expr).__name__)
    return REALS if rule is None else rule(expr, known)


def _sum(expr: Any, known: Mapping[Variable, Interval]) -> Interval:
    plain = reduce(lambda a, b: a + b, (enclose(term, known) for term in expr.args))
    mixed = combination(expr)
    if mixed is None:
        return plain
    weights, values = zip(*mixed, strict=True)
    bounds = [enclose(weight, known) for weight in weights]
    if not all(bound.within(_UNIT) for bound in bounds):
        return plain
    mean = _mean([enclose(value, known) for value in values], all(bound.within(ZERO_TO_ONE) for bound in bounds))
    return plain.meet(mean)


def _mean(values: list[Interval], strict: bool) -> Interval:
    """The weighted mean of two; where both weigh something, it reaches an end only if both values do."""
    around = hull(values)
    if not strict:
        return around
    open_low = not all(value.low == around.low and not value.open_low for value in values)
    open_high = not all(value.high == around.high and not value.open_high for value in values)
    flat = around.low == around.high
    return Interval(around.low, around.high, open_low and not flat, open_high and not flat)


def combination(expr: Expr) -> tuple[tuple[Expr, Expr], tuple[Expr, Expr]] | None:
    """The (weight, value) pairs of a sum w ⊙ u + (1 - w) ⊙ v of two terms; None for any other expression."""
    if not isinstance(expr, nodes.Sum) or len(expr.args) != 2:
        return None
    first, second = (term.args if isinstance(term, nodes.Hadamard) else (term,) for term in expr.args)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            if is_complement(a, b) or is_complement(b, a):
                rest = [(*args[:k], *args[k + 1 :]) for args, k in ((first, i), (second, j))]
                u, v = (nodes.hadamard(nodes.ones(expr.shape), *parts) for parts in rest)
                return (a, u), (b, v)
    return None


def is_complement(a: Expr, b: Expr) -> bool:
    """Whether a is written as 1 - b."""
    if isinstance(a, nodes.Fill) and isinstance(b, nodes.Fill):
        return is_complement(a.operand, b.operand)
    return bool(a == nodes.subtract(nodes.ones(b.shape), b))


def _product(expr: Any, known: Mapping[Variable, Interval]) -> Interval:
    number, rest = nodes.coefficient(expr)
    if isinstance(rest, nodes.Product) or not isinstance(number, Rational):
        return REALS  # a sum of as many products as there are entries in between
    exact = Fraction(int(number.p), int(number.q))
    return Interval(exact, exact) * enclose(rest, known)


def _power(expr: Any, known: Mapping[Variable, Interval]) -> Interval:
    base, exponent = enclose(expr.args[0], known), int(expr.args[1])
    count = abs(exponent)
    even = _magnitude(base) if count % 2 == 0 else base
    result = reduce(lambda a, b: a * b, [even] * count) if even.low >= 0 or even.high <= 0 else _odd(even, count)
    return result.reciprocal() if exponent < 0 else result


def _odd(base: Interval, count: int) -> Interval:
    return Interval(base.low**count, base.high**count, base.open_low, base.open_high)


Rule = Callable[[Any, Mapping[Variable, Interval]], Interval]


def _same(expr: Any, known: Mapping[Variable, Interval]) -> Interval:
    return enclose(expr.args[0], known)


_RULES: Mapping[str, Rule] = {
    "Sum": _sum,
    "Product": _product,
    "Hadamard": lambda expr, known: reduce(lambda a, b: a * b, (enclose(factor, known) for factor in expr.args)),
    "Power": _power,
    "Act": lambda expr, known: RANGES[expr.name](*(enclose(x, known) for x in expr.operands)),
    "Softmax": lambda expr, known: Interval(Fraction(0), Fraction(1), True),
    "Stack": lambda expr, known: hull(enclose(part, known) for part in expr.args),
    "Ones": lambda expr, known: _ONE,
    "Zeros": lambda expr, known: _NIL,
    "Eye": lambda expr, known: _UNIT,
    "Fill": _same,
    "Transposed": _same,
    "Slice": _same,
    "Vec": _same,
}
