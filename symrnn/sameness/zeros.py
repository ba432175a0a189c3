"""Points where a proof over random numbers says nothing: zeros of divisors and of the arguments of what jumps.

No entry of a random point is 0, and a number that two functions share almost everywhere need not be shared there.
Functions that bend without a jump (a relu, a maximum) need no such care: what is equal beside a bend is equal at it.
A point with such a zero is found along a line: a float, or two numbers on both sides of it, forty digits apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from sympy import preorder_traversal

from symrnn.algebra import nodes
from symrnn.runs.numbers import FLOATS, Numbers
from symrnn.sameness.certain import CERTAIN, Certain
from symrnn.sameness.pairs import DelicatePart, Evaluated, FunctionPair, Point

# A zero that none of three random lines crosses is rare, and costs a condition in the answer, not a wrong one.
_LINES = 3
"""Random points through which lines are laid."""
# Signs are looked at from tiny to large: gates saturate beyond 10, and linear parts cross zero below 3.
_GRID = (-100.0, -10.0, -3.0, -1.0, -0.3, 0.0, 0.3, 1.0, 3.0, 10.0, 100.0)
_BESIDE = Fraction(1, 10**12)
"""So far beside the place that floats give, the signs are opposite: these have sixteen digits."""
_APART = Fraction(1, 10**40)
"""The distance at which two numbers enclose a place: fifty digits tell their values apart."""
# Five digits beyond those that two ends are apart; without a bound every step of a secant multiplies the digits.
_SHORTEST = 10**45
_QUARTERS = 4
"""Entries are quarters up to 1: their products and sums are exact in floating point, and so are zeros of these."""


def near_zeros(pair: FunctionPair, seed: int) -> Iterator[Point]:
    """All zeros, then for each delicate part and each thing that it is made of a point where that is zero.

    Args:
        pair: the functions.
        seed: of the random numbers.
    """
    targets = _targets(pair.delicate)
    if not pair.delicate:
        return
    rng = np.random.default_rng(seed)
    yield [np.zeros(shape) for shape in pair.shapes]
    for _ in range(_LINES):
        base = [
            rng.choice([-1.0, 1.0], shape) * rng.integers(1, _QUARTERS + 1, shape) / _QUARTERS for shape in pair.shapes
        ]
        wanted = list(targets)
        for number in rng.permutation(len(base)):
            if not wanted:
                break
            for target, point in _LineOfPoints(pair, base, int(number)).zeros(wanted):
                wanted.remove(target)
                yield point


def _targets(parts: Sequence[DelicatePart]) -> list[DelicatePart]:
    """The parts and what they are made of, as far as that can vary."""
    made = (
        DelicatePart(inner, part.kind, part.side, part.own)
        for part in parts
        for inner in preorder_traversal(part.expr)
        if getattr(inner, "is_Matrix", False) and nodes.variables(inner)
    )
    return list({(one.expr, one.side): one for one in made}.values())


@dataclass(frozen=True)
class _LineOfPoints:
    """All points that differ from one in the first entry of one array."""

    pair: FunctionPair
    base: Point
    number: int

    def at(self, place: Any) -> Point:
        """The point at one place of the line."""
        point = list(self.base)
        moved = point[self.number].astype(object) if isinstance(place, Certain) else point[self.number].copy()
        moved.reshape(-1)[0] = place
        point[self.number] = moved
        return point

    def zeros(self, targets: Sequence[DelicatePart]) -> list[tuple[DelicatePart, Point]]:
        """A point for every target whose first entry changes its sign on the grid."""
        evaluated = [self._evaluated(place, FLOATS) for place in _GRID]
        found = []
        for target in targets:
            values = [_first(one, target) for one in evaluated]
            place = self._place(target, values)
            if place is not None:
                found.append((target, self.at(place)))
        return found

    def _place(self, target: DelicatePart, values: Sequence[float]) -> Any:
        for k in range(len(_GRID) - 1):
            if values[k] * values[k + 1] < 0:
                return self._zero(target, _GRID[k], _GRID[k + 1], values[k])
            if values[k] == 0 and any(v != 0 for v in values):
                return _GRID[k]
        return None

    def _zero(self, target: DelicatePart, low: float, high: float, at_low: float) -> Any:
        """The place where the target is zero; None where it jumps there."""
        # Halving a grid step sixty times is below the spacing of floats.
        for _ in range(60):
            middle = (low + high) / 2
            value = _first(self._evaluated(middle, FLOATS), target)
            if value == 0 and self._is_zero(target, middle):
                return middle
            if value == 0 or middle in (low, high):
                low = high = middle
                break
            low, high = (middle, high) if value * at_low > 0 else (low, middle)
        return self._refined(target, Fraction(low), Fraction(high))

    def _refined(self, target: DelicatePart, low: Fraction, high: Fraction) -> Certain | None:
        """A place between two numbers at which the target has opposite signs."""
        scale = max(abs(low), Fraction(1))
        a, b = low - scale * _BESIDE, high + scale * _BESIDE
        f, g = self._exactly(target, a), self._exactly(target, b)
        # A secant gains more than half again as many digits a step: from 12 to 40 takes three, a flat place some more.
        for _ in range(12):
            if f is None or g is None or f == g or abs(b - a) < scale * _APART:
                break
            a, b, f = b, _shortened(b - g * (b - a) / (g - f)), g
            g = self._exactly(target, b)
        place = Certain(b - scale * _APART, b + scale * _APART)
        return place if self._is_zero(target, place) else None

    def _is_zero(self, target: DelicatePart, place: Any) -> bool:
        value = self._part(target, place)
        return value is not None and value.is_zero

    def _exactly(self, target: DelicatePart, place: Fraction) -> Fraction | None:
        value = self._part(target, Certain(place))
        return None if value is None else value.middle

    def _part(self, target: DelicatePart, place: Any) -> Certain | None:
        try:
            return Certain.of(self._evaluated(place, CERTAIN).part(target).reshape(-1)[0])
        except (ArithmeticError, ValueError, KeyError):
            return None

    def _evaluated(self, place: Any, numbers: Numbers) -> Evaluated:
        with np.errstate(all="ignore"):
            return self.pair.at(self.at(place), numbers)


def _shortened(place: Fraction) -> Fraction:
    """A place to a little more digits than those that count."""
    return place.limit_denominator(_SHORTEST)


def _first(evaluated: Evaluated, target: DelicatePart) -> float:
    try:
        with np.errstate(all="ignore"):
            value = float(np.asarray(evaluated.part(target), dtype=float).reshape(-1)[0])
    except (ArithmeticError, ValueError, KeyError):
        value = np.nan
    return value if np.isfinite(value) else 0.5  # no value there: no change of sign is seen
