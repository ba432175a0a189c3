"""Between which bounds the entries of an expression lie, whatever the numbers.

Every rule is sound: the entries of the value lie inside whenever those of the operands do.  It need not be tight.

Source: Moore, Kearfott & Cloud (2009), Introduction to Interval Analysis, ch. 2 and 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import Any

from sympy import Rational

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.intervals import NIL, ONE, POSITIVE, REALS, UNIT, ZERO_TO_ONE, Interval, hull, magnitude
from symrnn.algebra.nodes import Expr, Variable


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
    if not all(bound.within(UNIT) for bound in bounds):
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
    if isinstance(rest, nodes.Product):  # a sum of as many products as there are entries in between
        result = _times([enclose(factor, known) for factor in rest.args])
        for left, right in pairwise(rest.args):
            result = result if left.shape[1] == right.shape[0] == 1 else _several(result)
    else:
        result = enclose(rest, known)
    return _number(number) * result


def _number(number: Any) -> Interval:
    """A number in front of a product, which may depend on sizes: 1/d_h."""
    if isinstance(number, Rational):
        exact = Fraction(int(number.p), int(number.q))
        return Interval(exact, exact)
    return POSITIVE if number.is_positive else -POSITIVE if number.is_negative else REALS


def _times(factors: Iterable[Interval]) -> Interval:
    return reduce(lambda a, b: a * b, factors)


def _several(one: Interval) -> Interval:
    """A sum of one or more numbers."""
    low = one.low if one.low >= 0 else REALS.low
    high = one.high if one.high <= 0 else REALS.high
    return Interval(low, high, one.open_low, one.open_high)


def _hadamard(expr: Any, known: Mapping[Variable, Interval]) -> Interval:
    """A factor that is there several times is a power: x ⊙ x is not negative."""
    counts = Counter(expr.args)
    return _times(_raised(enclose(factor, known), count) for factor, count in counts.items())


def _power(expr: Any, known: Mapping[Variable, Interval]) -> Interval:
    exponent = int(expr.args[1])
    result = _raised(enclose(expr.args[0], known), abs(exponent))
    return result.reciprocal() if exponent < 0 else result


def _raised(base: Interval, count: int) -> Interval:
    even = magnitude(base) if count % 2 == 0 else base
    return _times([even] * count) if even.low >= 0 or even.high <= 0 else _odd(even, count)


def _odd(base: Interval, count: int) -> Interval:
    return Interval(base.low**count, base.high**count, base.open_low, base.open_high)


Rule = Callable[[Any, Mapping[Variable, Interval]], Interval]


def _same(expr: Any, known: Mapping[Variable, Interval]) -> Interval:
    return enclose(expr.args[0], known)


_RULES: Mapping[str, Rule] = {
    "Sum": _sum,
    "Product": _product,
    "Hadamard": _hadamard,
    "Power": _power,
    "Act": lambda expr, known: FUNCTIONS[expr.name].range(*(enclose(x, known) for x in expr.operands)),
    "Softmax": lambda expr, known: Interval(Fraction(0), Fraction(1), True),
    "Argmax": lambda expr, known: UNIT,
    "Stack": lambda expr, known: hull(enclose(part, known) for part in expr.args),
    "Ones": lambda expr, known: ONE,
    "Zeros": lambda expr, known: NIL,
    "Eye": lambda expr, known: UNIT,
    "Fill": _same,
    "Transposed": _same,
    "Slice": _same,
    "Vec": _same,
    "Total": lambda expr, known: _several(enclose(expr.operand, known)),
    "Diag": lambda expr, known: hull([NIL, enclose(expr.args[0], known)]),
    "Kronecker": lambda expr, known: _times(enclose(factor, known) for factor in expr.args),
}
