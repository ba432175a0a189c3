"""Numbers of the field with 2^61 - 1 elements, with a slope: arithmetic that proves identities.

Two expressions that differ as rational functions of their inputs and of the functions in them agree at a random point
of the field with a probability of at most degree / 2^61.  The functions are tables made by a hash: equal arguments
give equal values, the relations that hold between the real functions hold between the tables, and nothing else does.
What passes is therefore true of the real functions; what fails may in principle rest on a relation not modelled here.

The relations: exp(-x) = 1/exp(x), so that 1/(1 + exp(-x)) is a sigmoid with sigmoid(-x) = 1 - sigmoid(x);
sin(-x) = -sin(x), cos(-x) = cos(x), sin² + cos² = 1; Φ(-x) = 1 - Φ(x), Φ'(-x) = Φ'(x); exactly one of x and -x is
positive, unless x = 0.  Of numbers between 0 and 1 there are some, at random: a proof sees every branch of a function.

A slope is the derivative in one direction (a dual number); it knows the derivatives of the primitives from calculus
and nothing of the rule table.

Source: Schwartz (1980), Fast probabilistic algorithms for verification of polynomial identities, JACM 27(4).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from random import Random
from typing import Any, TypeVar

import numpy as np

from symrnn.algebra.functions import Arithmetic
from symrnn.arrays import Array

TRIES = 20
"""Random points that are tried where something divides by zero.  By chance no divisor is zero; but a relu is, at half
of the points, and what divides by zero at so many does so at all of them."""

# A Mersenne prime: a product of two residues fits into two machine words, and degree / 2^61 stays below 1e-12
# for every expression of degree below a million.
PRIME = 2**61 - 1
# The residues up to here are called positive: exactly one of x and -x is, which is all of an order that a field has.
_HALF = (PRIME - 1) // 2


_Made = TypeVar("_Made")


def make_at_point(make: Callable[[], _Made]) -> _Made | None:
    """What `make`, which draws a point, makes where nothing divides by zero; None where something always does."""
    for _ in range(TRIES):
        try:
            return make()
        except ZeroDivisionError:
            continue
    return None


class FieldOperations:
    """Difference and quotient, which follow from the sum, the product, the negative and the power of a class.

    The class has `of`, which makes its number of a literal, or None of anything else.
    """

    __slots__ = ()

    def __sub__(self: Any, other: Any) -> Any:
        other = self.of(other)
        return NotImplemented if other is None else self + -other

    def __rsub__(self: Any, other: Any) -> Any:
        return -self + other

    def __truediv__(self: Any, other: Any) -> Any:
        other = self.of(other)
        return NotImplemented if other is None else self * other**-1

    def __rtruediv__(self: Any, other: Any) -> Any:
        other = self.of(other)
        return NotImplemented if other is None else other * self**-1


class Number(FieldOperations):
    """value + slope·ε with ε² = 0, both modulo the prime."""

    __slots__ = ("slope", "value")

    def __init__(self, value: int, slope: int = 0) -> None:
        self.value = value
        self.slope = slope

    @staticmethod
    def of(value: Any) -> Number | None:
        """The number that an integer, a fraction or a decimal literal is; None for anything else."""
        if isinstance(value, Number):
            return value
        if isinstance(value, int | np.integer):
            return Number(int(value) % PRIME)
        if isinstance(value, float):
            value = Fraction(repr(float(value)))  # 0.1 is meant as a tenth
        if isinstance(value, Fraction):
            return Number(value.numerator * inverse(value.denominator) % PRIME)
        return None

    def __add__(self, other: Any) -> Any:
        if type(other) is not Number:
            other = Number.of(other)
            if other is None:
                return NotImplemented
        return Number((self.value + other.value) % PRIME, (self.slope + other.slope) % PRIME)

    __radd__ = __add__

    def __neg__(self) -> Number:
        return Number(-self.value % PRIME, -self.slope % PRIME)

    def __mul__(self, other: Any) -> Any:
        if type(other) is not Number:
            other = Number.of(other)
            if other is None:
                return NotImplemented
        # Most numbers stand still, and then two of the three products are saved.
        slope = (self.value * other.slope + self.slope * other.value) % PRIME if self.slope or other.slope else 0
        return Number(self.value * other.value % PRIME, slope)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Number:
        # `pow` would raise ValueError here; division by zero is what callers draw another point for.
        if exponent < 0 and not self.value:
            raise ZeroDivisionError("division by zero in the field")
        value = pow(self.value, exponent, PRIME)
        if not self.slope or not exponent:
            return Number(value)
        return Number(value, exponent * pow(self.value, exponent - 1, PRIME) * self.slope % PRIME)

    def __eq__(self, other: object) -> bool:
        number = Number.of(other)
        return number is not None and (self.value, self.slope) == (number.value, number.slope)

    def __hash__(self) -> int:
        return hash((self.value, self.slope))

    def __repr__(self) -> str:
        return f"Number({self.value}, {self.slope})"


def inverse(value: int) -> int:
    """1 / value in the field.

    Raises:
        ZeroDivisionError: the value is 0.
    """
    if value % PRIME == 0:
        raise ZeroDivisionError("division by zero in the field")
    return pow(value, -1, PRIME)


def _hashed(name: str, value: int) -> int:
    digest = blake2b(f"{name} {value}".encode(), digest_size=16).digest()
    # Never 0: no function value is a root by accident, and every one may be divided by.
    return int.from_bytes(digest) % (PRIME - 1) + 1


@lru_cache(maxsize=1 << 14)
def _exp(x: int) -> int:
    if x == 0:
        return 1
    return _hashed("exp", x) if x <= _HALF else inverse(_hashed("exp", PRIME - x))


@lru_cache(maxsize=1 << 12)
def _circle(x: int) -> tuple[int, int]:
    """(sin x, cos x): a point of the unit circle, by tan(x/2), which is an odd table."""
    # By the half angle, (2u, 1 - u²) / (1 + u²) is on the circle whatever u is, so sin² + cos² = 1 needs no table.
    if x == 0:
        return 0, 1
    u = _hashed("tan", x) if x <= _HALF else PRIME - _hashed("tan", PRIME - x)
    scale = inverse(1 + u * u)
    return 2 * u * scale % PRIME, (1 - u * u) * scale % PRIME


def _sqrt(x: Number) -> Number:
    # Not a true root: half of the residues have none.  That sqrt(x)² = x is therefore never used by a proof.
    root = _hashed("sqrt", x.value) if x.value > 1 else x.value
    return Number(root, x.slope * inverse(2 * root) % PRIME if x.slope else 0)


def _log(x: Number) -> Number:
    # log(1) = 0, as exp(0) = 1: values that constants in a text may ask for.
    value = 0 if x.value == 1 else _hashed("log", x.value)
    return Number(value, x.slope * inverse(x.value) % PRIME)


def _exponential(x: Number) -> Number:
    value = _exp(x.value)
    return Number(value, value * x.slope % PRIME)


def _sin(x: Number) -> Number:
    sin, cos = _circle(x.value)
    return Number(sin, cos * x.slope % PRIME)


def _cos(x: Number) -> Number:
    sin, cos = _circle(x.value)
    return Number(cos, -sin * x.slope % PRIME)


def _step(x: Number) -> Number:
    return Number(int(0 < x.value <= _HALF))


def _floor(x: Number) -> Number:
    return Number(_hashed("floor", x.value))


def _round(x: Number) -> Number:
    return Number(_hashed("round", x.value))


def _box(x: Number) -> Number:
    """Drawn by the hash: a small shift of x, which is what tells 0 < x < 1 from 0 < x, means nothing here."""
    return Number(_hashed("box", x.value) % 2 if x.value > 1 else 0)


def _normal_density(x: Number) -> Number:
    value = _hashed("density", min(x.value, -x.value % PRIME))
    return Number(value, -x.value * value * x.slope % PRIME)


def _normal_cdf(x: Number) -> Number:
    if x.value == 0:
        value = inverse(2)
    else:
        value = _hashed("cdf", x.value) if x.value <= _HALF else 1 - _hashed("cdf", PRIME - x.value)
    return Number(value % PRIME, _normal_density(x).value * x.slope % PRIME)


def _on_arrays(function: Callable[..., Number], arity: int = 1) -> Any:
    def number(x: Any) -> Number:
        found = Number.of(x)
        if found is None:
            raise TypeError(f"{type(x).__name__} is no number of the field")
        return found

    return np.frompyfunc(lambda *args: function(*map(number, args)), arity, 1)


FIELD = Arithmetic(
    literal=lambda number: Number.of(number) if isinstance(number, Fraction) else number,
    exp=_on_arrays(_exponential),
    log=_on_arrays(_log),
    sqrt=_on_arrays(_sqrt),
    sin=_on_arrays(_sin),
    cos=_on_arrays(_cos),
    step=_on_arrays(_step),
    stop_gradient=_on_arrays(lambda x: Number(x.value)),
    straight_through=_on_arrays(lambda x, z: Number(x.value, z.slope), 2),
    floor=_on_arrays(_floor),
    round=_on_arrays(_round),
    box=_on_arrays(_box),
    normal_cdf=_on_arrays(_normal_cdf),
    normal_density=_on_arrays(_normal_density),
)
"""The functions of the table over the field; those defined by others follow from their definitions."""


def array(numbers: list[Number], shape: tuple[int, ...]) -> Array:
    """An object array of a shape, filled row by row."""
    result = np.empty(len(numbers), dtype=object)
    result[:] = numbers
    return result.reshape(shape)


def draw(rng: Random, shape: tuple[int, ...]) -> Array:
    """Random numbers other than 0, of slope 0."""
    return array([Number(rng.randrange(1, PRIME)) for _ in range(int(np.prod(shape)))], shape)


def along(values: Array, direction: Array) -> Array:
    """The values, moving in a direction: its values become the slopes."""
    # NumPy makes of an array without axes the number in it, and back: entries are taken from lists.
    pairs = zip(_listed(values), _listed(direction), strict=True)
    return array([Number(value.value, step.value) for value, step in pairs], np.shape(values))


def _listed(values: Array) -> Array:
    return np.asarray(_number(np.asarray(values, dtype=object).reshape(-1)))


_number = np.frompyfunc(Number.of, 1, 1)
"""Constants are plain integers in an array."""


_slope = np.frompyfunc(lambda x: Number(x.slope) if isinstance(x, Number) else Number(0), 1, 1)


def slopes(values: Array) -> Array:
    """How the values move, as numbers of slope 0."""
    return np.asarray(_slope(np.asarray(values, dtype=object)), dtype=object)


def inner(a: Array, b: Array) -> Number:
    """The sum of the products of corresponding entries."""
    total = Number(0) + np.sum(a * b)
    assert isinstance(total, Number)
    return total


def same(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same numbers, in the same shape."""
    if a.shape != b.shape:
        return False
    return all(Number.of(x) == Number.of(y) for x, y in zip(a.reshape(-1), b.reshape(-1), strict=True))
