"""Numbers at which two formulas differ: drawn widely, and at the zeros of what is divided by or jumps.

A difference in floating point counts when it is the same with fifty digits; else it is rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.nodes import Expr, Variable, variables
from symrnn.calculus.derivation import Derivation
from symrnn.language.evaluate import NUMPY
from symrnn.verification.digits import DigitsEvaluator, digits, rounded
from symrnn.verification.field import Array
from symrnn.verification.layout import Layout
from symrnn.verification.values import values_at

Point = list[Array]
"""The arrays that a step starts from, in the order in which they are drawn."""

_SCALES = (*[1.0] * 20, *[2.0, 0.5, 4.0, 0.1, 10.0, 100.0, 1000.0] * 6)
_CLEAR, _VISIBLE = 5e-2, 1e-9
"""A difference worth showing, and one beyond rounding."""

_MANNERS = ("mixed", "mixed", "positive", "negative", "zero")
"""What the entries of one array have in common, once ordinary numbers have been tried."""


@dataclass(frozen=True)
class Counterexample:
    """Numbers at which two formulas differ.

    Attributes:
        sizes: the sizes.
        values: what the formulas read, by identifier; columns and matrices as nested rows.
        entry: row and column, counted from 1, where they differ most.
        left: the first formula there.
        right: the second.
        spelled: identifier -> how the formula's author wrote it, where that differs.
    """

    sizes: Mapping[str, int]
    values: Mapping[str, Array]
    entry: tuple[int, int]
    left: float
    right: float
    spelled: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {size}" for name, size in self.sizes.items())
        lines = [f"at {at}, for instance:" if at else "for instance:"]
        lines += [f"  {self.spelled.get(name, name)} = {_shown(value)}" for name, value in self.values.items()]
        row, column = self.entry
        lines.append(f"  entry ({row}, {column}) is {self.left:.6g} on the left and {self.right:.6g} on the right")
        return "\n".join(lines)


def _shown(value: Array) -> str:
    flat = value[:, 0] if value.shape[1] == 1 else value
    flat = flat[0] if flat.shape == (1,) else flat
    return np.array2string(np.asarray(flat), precision=4, separator=", ", max_line_width=10**6).replace("\n", "")


@dataclass(frozen=True)
class Sides:
    """Two formulas of one shape about a cell at one choice of sizes."""

    left: Expr
    right: Expr
    derivation: Derivation
    layout: Layout
    spelled: Mapping[str, str] = field(default_factory=dict)

    @property
    def read(self) -> list[Variable]:
        """The variables that the formulas read."""
        return sorted(variables(self.left) | variables(self.right), key=lambda v: v.name)

    def draw(self, random: Any) -> Point:
        """The arrays that a step starts from."""
        drawn: Point = []

        def recorded(shape: tuple[int, int]) -> Array:
            drawn.append(random(shape))
            return drawn[-1]

        self._values(recorded, lambda values, sizes: Evaluator(values, sizes, NUMPY))
        return drawn

    def at(self, point: Point) -> Evaluator:
        """The step at a point, in floating point."""
        given = iter(point)
        values = self._values(lambda shape: next(given), lambda values, sizes: Evaluator(values, sizes, NUMPY))
        return Evaluator(values, self.layout.sizes, NUMPY)

    def exactly_at(self, point: Point) -> Evaluator:
        """The step at a point, with many digits.

        Raises:
            ArithmeticError: something is divided by zero, or too large.
            ValueError: a function has no value there.
        """
        given = iter(point)
        values = self._values(lambda shape: digits(next(given)), DigitsEvaluator)
        return DigitsEvaluator(values, self.layout.sizes)

    def _values(self, random: Any, evaluator: Any) -> dict[str, Array]:
        with np.errstate(all="ignore"):
            return values_at(self.derivation, self.layout, self.read, random, evaluator)

    def difference(self, evaluate: Evaluator) -> Counterexample | None:
        """The sides at a point and where they differ most; None where they have no value."""
        with np.errstate(all="ignore"):
            a, b = (rounded(np.asarray(evaluate(side))) for side in (self.left, self.right))
            gap = np.abs(a - b)
        if not np.all(np.isfinite(gap)):
            return None
        row, column = (int(i) for i in np.unravel_index(int(np.argmax(gap)), gap.shape))
        shown = {v.name: rounded(evaluate.values[v.name]) for v in self.read}
        there = float(a[row, column]), float(b[row, column])
        return Counterexample(self.layout.sizes, shown, (row + 1, column + 1), *there, self.spelled)

    def confirms(self, found: Counterexample, point: Point) -> bool:
        """Whether a difference found in floating point is there with many digits."""
        at = tuple(i - 1 for i in found.entry)
        try:
            evaluate = self.exactly_at(point)
            gap = evaluate(self.left)[at] - evaluate(self.right)[at]
            return bool(abs(gap - (found.left - found.right)) <= 0.01 * abs(gap))
        except (ArithmeticError, ValueError, TypeError):
            return False


def search(sides: Sides, seed: int) -> tuple[Counterexample | None, int]:
    """Numbers at which the sides differ, and at how many points they were compared.

    Args:
        sides: the formulas.
        seed: of the random numbers.
    """
    rng = np.random.default_rng(seed)
    best: Counterexample | None = None
    compared = 0
    for point in _points(sides, rng):
        found = sides.difference(sides.at(point))
        if found is None:
            continue
        compared += 1
        gap = _gap(found)
        if gap <= max(_VISIBLE, 0.0 if best is None else _gap(best)) or not sides.confirms(found, point):
            continue
        best = found
        if gap > _CLEAR:
            break
    return best, compared


def _gap(found: Counterexample) -> float:
    return abs(found.left - found.right)


def _points(sides: Sides, rng: np.random.Generator) -> Iterator[Point]:
    """Ordinary numbers first, then small and large ones, arrays of one sign and of zeros, and all zeros."""
    for attempt, scale in enumerate(_SCALES):
        manners = _MANNERS[:1] if attempt < 20 else _MANNERS

        def random(shape: tuple[int, int], scale: float = scale, manners: tuple[str, ...] = manners) -> Array:
            size = np.round(scale * rng.uniform(0.1, 1.0, shape), 2)
            manner = manners[int(rng.integers(len(manners)))]
            sign = {"positive": 1.0, "negative": -1.0, "zero": 0.0}.get(manner)
            return size * (rng.choice([-1.0, 1.0], shape) if sign is None else sign) + 0.0

        yield sides.draw(random)
    yield sides.draw(np.zeros)
