"""Numbers in four fields at once, in which exponentials multiply and signs are those of products: a finer proof.

A number is its residue in each of four fields, and only the residue in the last one decides whether two are equal.
Every prime is a multiple of the one before plus 1, so that x ↦ g^x leads from each field to the next and
exp(x + y) = exp(x) exp(y) holds there.  Three levels of exponentials in exponentials keep this law; deeper ones are
tables made by a hash, as all of them are in `field`.  Positive is what is a square in the last field: a product is
positive if both factors are or neither is, exactly one of x and -x is, and so is every number whose prime factors are
below 100, or a whole number up to a million.  relu(2 x) = 2 relu(x) and |x y| = |x| |y| therefore hold.  A constant
with larger prime factors may have the wrong sign, which is why numbers with many digits stand beside every proof.

Source: Schwartz (1980), Fast probabilistic algorithms for verification of polynomial identities, JACM 27(4).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from random import Random
from typing import Any

import numpy as np

from symrnn.algebra.functions import Arithmetic
from symrnn.arrays import Array
from symrnn.runs.field import FieldOperations
from symrnn.runs.numbers import Numbers

PRIMES = (
    2**61 - 1,
    119903836479112085453,
    2877692075498690050873,
    128919470255366048521167291049771332147063520544640752476199,
)
"""Each is 1 modulo the one before.  The last is also -1 modulo 8 and every odd prime below 100, which makes these
primes squares and -1 none (quadratic reciprocity)."""
_LAST = PRIMES[-1]
# Squares have an order of their own; numbers that people write, and sizes, must compare as they do in reality.
_PLAIN = 1 << 20
"""Whole numbers up to this size have the sign that they have, whatever their prime factors."""


# exp(a + b) = exp(a) exp(b) needs a base whose order is the prime below: exponents are then added modulo that prime.
def _generator(prime: int, order: int) -> int:
    """A number whose powers repeat after `order` only, a prime that divides prime - 1."""
    return next(g for g in (pow(base, (prime - 1) // order, prime) for base in range(3, 99)) if g != 1)


_BASES = tuple(_generator(PRIMES[i + 1], PRIMES[i]) for i in range(len(PRIMES) - 1))


class TowerNumber(FieldOperations):
    """A number by its residues; equal are numbers with the same last residue."""

    __slots__ = ("residues",)

    def __init__(self, residues: tuple[int, ...]) -> None:
        self.residues = residues

    @staticmethod
    def of(value: Any) -> TowerNumber | None:
        """The number that an integer, a fraction or a decimal literal is; None for anything else."""
        if isinstance(value, TowerNumber):
            return value
        if isinstance(value, float):
            value = Fraction(repr(float(value)))  # 0.1 is meant as a tenth
        if isinstance(value, Fraction):
            ratio: TowerNumber = _whole(value.numerator) / _whole(value.denominator)
            return ratio
        return _whole(int(value)) if isinstance(value, int | np.integer) else None

    @property
    def last(self) -> int:
        """The residue that decides."""
        return self.residues[-1]

    def __add__(self, other: Any) -> Any:
        other = TowerNumber.of(other)
        if other is None:
            return NotImplemented
        return TowerNumber(tuple((a + b) % p for a, b, p in zip(self.residues, other.residues, PRIMES, strict=True)))

    __radd__ = __add__

    def __neg__(self) -> TowerNumber:
        return TowerNumber(tuple(-a % p for a, p in zip(self.residues, PRIMES, strict=True)))

    def __mul__(self, other: Any) -> Any:
        other = TowerNumber.of(other)
        if other is None:
            return NotImplemented
        return TowerNumber(tuple(a * b % p for a, b, p in zip(self.residues, other.residues, PRIMES, strict=True)))

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> TowerNumber:
        if exponent < 0 and not all(self.residues):
            raise ZeroDivisionError("division by zero in the field")
        return TowerNumber(tuple(pow(a, exponent, p) for a, p in zip(self.residues, PRIMES, strict=True)))

    def __eq__(self, other: object) -> bool:
        number = TowerNumber.of(other)
        return number is not None and self.last == number.last

    def __hash__(self) -> int:
        return hash(self.last)

    def __repr__(self) -> str:
        return f"TowerNumber({self.residues})"


@lru_cache(maxsize=1 << 10)
def _whole(value: int) -> TowerNumber:
    return TowerNumber(tuple(value % p for p in PRIMES))


def _table(name: str, value: int, prime: int) -> int:
    digest = blake2b(f"{name} {value}".encode(), digest_size=32).digest()
    return int.from_bytes(digest) % (prime - 1) + 1


def _odd(name: str, value: int, prime: int) -> int:
    """A table with f(-x) = -f(x)."""
    if value == 0:
        return 0
    return _table(name, value, prime) if 2 * value < prime else prime - _table(name, prime - value, prime)


def _inverted(name: str, value: int, prime: int) -> int:
    """A table with f(-x) = 1 / f(x)."""
    if value == 0:
        return 1
    return _table(name, value, prime) if 2 * value < prime else pow(_table(name, prime - value, prime), -1, prime)


@lru_cache(maxsize=1 << 14)
def _exp(residues: tuple[int, ...]) -> TowerNumber:
    powers = [pow(g, x, p) for g, x, p in zip(_BASES, residues, PRIMES[1:], strict=False)]
    return TowerNumber((_inverted("exp", residues[0], PRIMES[0]), *powers))


@lru_cache(maxsize=1 << 12)
def _circle(residues: tuple[int, ...]) -> tuple[TowerNumber, TowerNumber]:
    """(sin x, cos x): points of the unit circles, by tan(x/2), which is an odd table."""
    half = TowerNumber(tuple(_odd("tan", x, p) for x, p in zip(residues, PRIMES, strict=True)))
    scale = 1 / (1 + half * half)
    return 2 * half * scale, (1 - half * half) * scale


def _tabled(name: str, fixed: Callable[[int], int | None]) -> Callable[[TowerNumber], TowerNumber]:
    """A table that knows nothing of its function but some values."""

    def value(x: int, prime: int) -> int:
        known = fixed(x)
        return _table(name, x, prime) if known is None else known

    return lambda x: TowerNumber(tuple(value(r, p) for r, p in zip(x.residues, PRIMES, strict=True)))


def _normal_cdf(x: TowerNumber) -> TowerNumber:
    """A table with f(x) + f(-x) = 1."""
    tables = TowerNumber(tuple(_odd("cdf", r, p) for r, p in zip(x.residues, PRIMES, strict=True)))
    half: TowerNumber = 1 / _whole(2)
    return tables + half  # type: ignore[no-any-return]


def _normal_density(x: TowerNumber) -> TowerNumber:
    """A table with f(-x) = f(x)."""
    return TowerNumber(tuple(_table("density", min(r, p - r), p) for r, p in zip(x.residues, PRIMES, strict=True)))


def _step(x: TowerNumber) -> TowerNumber:
    value = x.last
    if value < _PLAIN:
        return _whole(int(value > 0))
    return _whole(int(_LAST - value >= _PLAIN and pow(value, (_LAST - 1) // 2, _LAST) == 1))


def _on_arrays(function: Callable[[TowerNumber], TowerNumber]) -> Any:
    def entry(x: Any) -> TowerNumber:
        number = TowerNumber.of(x)
        if number is None:
            raise TypeError(f"{type(x).__name__} is no number of the tower")
        return function(number)

    return np.frompyfunc(entry, 1, 1)


TOWER = Arithmetic(
    exp=_on_arrays(lambda x: _exp(x.residues)),
    log=_on_arrays(_tabled("log", {1: 0}.get)),
    sqrt=_on_arrays(_tabled("sqrt", {0: 0, 1: 1}.get)),
    sin=_on_arrays(lambda x: _circle(x.residues)[0]),
    cos=_on_arrays(lambda x: _circle(x.residues)[1]),
    step=_on_arrays(_step),
    floor=_on_arrays(_tabled("floor", {0: 0, 1: 1}.get)),
    round=_on_arrays(_tabled("round", {0: 0, 1: 1}.get)),
    normal_cdf=_on_arrays(_normal_cdf),
    normal_density=_on_arrays(_normal_density),
    stop_gradient=_on_arrays(lambda x: x),
    straight_through=lambda x, z: x + 0 * z,
)
"""The functions of the table over the tower; those defined by others follow from their definitions."""


TOWERED = Numbers(TOWER, TowerNumber.of, lambda value: np.asarray(value, dtype=object), exact=True)
"""Numbers of the tower."""


def draw(rng: Random, shape: tuple[int, ...]) -> Array:
    """Random numbers other than 0."""
    count = int(np.prod(shape))
    result = np.empty(count, dtype=object)
    result[:] = [TowerNumber(tuple(rng.randrange(1, p) for p in PRIMES)) for _ in range(count)]
    return result.reshape(shape)


def same(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same numbers, in the same shape."""
    if a.shape != b.shape:
        return False
    return all(TowerNumber.of(x) == TowerNumber.of(y) for x, y in zip(a.reshape(-1), b.reshape(-1), strict=True))


def fingerprint(value: Array) -> tuple[Any, ...]:
    """Equal for equal arrays of numbers."""
    array = np.asarray(value, dtype=object)
    return (array.shape, *(number.last for number in map(TowerNumber.of, array.reshape(-1)) if number is not None))
