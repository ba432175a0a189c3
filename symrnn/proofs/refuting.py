"""Numbers at which two formulas differ: drawn widely, and at the zeros of what is divided by or jumps.

A difference in floating point counts where it is certain with more digits; else it is rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.nodes import Expr, Variable, variables
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.runs.numbers import FLOATS, Numbers
from symrnn.runs.sizes import CellAtSizes
from symrnn.runs.values import Argument, arguments, needed_names, values_at
from symrnn.sameness.certain import CERTAIN, rounded
from symrnn.sameness.comparing import Gap, see
from symrnn.sameness.pairs import DelicatePart, Point, bends, bounds, delicate_parts
from symrnn.sameness.settled import settled
from symrnn.sameness.tower import TOWERED

# Ordinary numbers first, then large ones as well: tanh and a clipped line part beyond 3, softplus and relu before.
_SCALES = (*[1.0] * 20, *[2.0, 0.5, 4.0, 0.1, 10.0, 100.0, 1000.0] * 6)
# As for cells: a difference above a twentieth is seen in four printed digits, so the search stops there.
_CLEAR, _VISIBLE = 5e-2, 1e-9
"""A difference worth showing, and one beyond rounding."""
_ALIKE = 0.01
"""Floating point shows a difference to a hundredth, or shows another thing."""

_MANNERS = ("mixed", "mixed", "positive", "negative", "zero")
"""What the entries of one array have in common, once ordinary numbers have been tried."""


@dataclass(frozen=True)
class FormulaCounterexample:
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
        lines += [f"  {self.spelled.get(name, name)} = {_show_array(value)}" for name, value in self.values.items()]
        row, column = self.entry
        lines.append(f"  entry ({row}, {column}) is {self.left:.6g} on the left and {self.right:.6g} on the right")
        return "\n".join(lines)


def _show_array(value: Array) -> str:
    flat = value[:, 0] if value.shape[1] == 1 else value
    flat = flat[0] if flat.shape == (1,) else flat
    return np.array2string(np.asarray(flat), precision=4, separator=", ", max_line_width=10**6).replace("\n", "")


@dataclass(frozen=True, eq=False)
class Sides:
    """Two formulas of one shape about a cell at one choice of sizes."""

    left: Expr
    right: Expr
    derivation: Derivation
    layout: CellAtSizes
    spelled: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def read(self) -> list[Variable]:
        """The variables that the formulas read."""
        return sorted(variables(self.left) | variables(self.right), key=lambda v: v.name)

    @property
    def sizes(self) -> Mapping[str, int]:
        """The sizes."""
        return self.layout.sizes

    @cached_property
    def _arguments(self) -> tuple[Argument, ...]:
        return arguments(self.derivation, self.layout, self.read)

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes of what the step starts from."""
        return tuple(shape for _, _, shape in self._arguments)

    @cached_property
    def delicate(self) -> tuple[DelicatePart, ...]:
        """Where a side, or a definition that it rests on, may jump or have no value."""
        known = bounds(self.derivation.forward, {})
        definitions = {e.target.name: e.value for e in self.derivation.forward}
        definitions |= {step.target.name: step.value for step in self.derivation.steps}
        found: list[DelicatePart] = []
        for index, side in enumerate((self.left, self.right)):
            found += delicate_parts([side], known, index)
            needed = needed_names(self.derivation, list(variables(side)))
            rest = (value for name, value in definitions.items() if name in needed)
            own = {part.expr for part in found if part.side == index}
            # What stands in a side itself is told as the side's own condition, though a definition behind it has it
            # too.
            found += (part for part in delicate_parts(rest, known, index, False) if part.expr not in own)
        return tuple(dict.fromkeys(found))

    @cached_property
    def bends(self) -> bool:
        """Whether anything in the sides, or in the cell, is not smooth."""
        return bends([self.left, self.right, *(e.value for e in self.derivation.forward)])

    def at(self, point: Point, numbers: Numbers) -> SidesThere:
        """Both sides at a point."""
        given = {(name, ago): numbers.lift(x) for (name, ago, _), x in zip(self._arguments, point, strict=True)}
        with np.errstate(all="ignore"):
            values = values_at(self.derivation, self.layout, self._wanted, given, numbers.evaluator, self._needed)
        evaluate = numbers.evaluator(values, self.layout.sizes)
        return SidesThere(self, evaluate, self._settled if numbers is TOWERED else (self.left, self.right))

    @cached_property
    def _settled(self) -> tuple[Expr, Expr]:
        """The sides with what intervals prove put in, which numbers without an order do not know."""
        known = bounds(self.derivation.forward, {})
        return settled(self.left, known), settled(self.right, known)

    @cached_property
    def _wanted(self) -> list[Variable]:
        """The variables that the formulas and their delicate parts read."""
        return [*self.read, *{v for part in self.delicate for v in variables(part.expr)} - set(self.read)]

    @cached_property
    def _needed(self) -> set[str]:
        return needed_names(self.derivation, self._wanted)

    def example(self, point: Point) -> FormulaCounterexample | None:
        """The sides at a point in floating point and where they differ most; None where they have no value."""
        evaluate = self.at(point, FLOATS).evaluate
        with np.errstate(all="ignore"):
            # As printed: a difference that the reader's own calculation would not show is no example.
            a, b = (self._rounded(evaluate, side) for side in (self.left, self.right))
            apart = np.abs(a - b)
        shown = {v.name: rounded(evaluate.values[v.name]) for v in self.read}
        if not np.all(np.isfinite(apart)):
            return None
        row, column = (int(i) for i in np.unravel_index(int(np.argmax(apart)), apart.shape))
        there = float(a[row, column]), float(b[row, column])
        return FormulaCounterexample(self.layout.sizes, shown, (row + 1, column + 1), *there, self.spelled)

    def show(self, gap: Gap) -> FormulaCounterexample:
        """The numbers of a gap; what floating point makes of the numbers shown, where it sees the gap as well."""
        at, evaluate = gap.entry, self.at(gap.point, FLOATS).evaluate
        exact = self.at(gap.point, CERTAIN).evaluate
        shown: dict[str, Array] = {}
        for v in self.read:
            try:
                shown[v.name] = rounded(exact.values[v.name])
            except (ArithmeticError, ValueError):
                shown[v.name] = rounded(evaluate.values[v.name])
        again = FLOATS.evaluator(shown, self.layout.sizes)
        with np.errstate(all="ignore"):
            seen = [float(self._rounded(again, side)[at]) for side in (self.left, self.right)]
        # The reader will put the printed numbers in: what floats make of them is told where it shows the same
        # difference.
        visible = [np.isfinite(x) for x in seen] == [np.isfinite(x) for x in gap.values] and seen[0] != seen[1]
        left, right = seen if visible else gap.values
        return FormulaCounterexample(self.layout.sizes, shown, (at[0] + 1, at[1] + 1), left, right, self.spelled)

    def _rounded(self, evaluate: Evaluator, side: Expr) -> Array:
        return rounded(np.asarray(evaluate(side)))

    def confirms(self, found: FormulaCounterexample, point: Point) -> bool:
        """Whether a difference found in floating point is certain."""
        seen = see(self, point)
        if seen is None or seen.gap is None:
            return False
        return bool(abs(seen.gap.apart - (found.left - found.right)) <= _ALIKE * abs(seen.gap.apart))


@dataclass(frozen=True)
class SidesThere:
    """Both sides at one point."""

    sides: Sides
    evaluate: Evaluator
    exprs: tuple[Expr, Expr]

    def side(self, index: int) -> list[Array]:
        """The value of the left (0) or the right side (1)."""
        return [np.asarray(self.evaluate(self.exprs[index]))]

    def part(self, part: DelicatePart) -> Array:
        """The value of a delicate part."""
        return np.asarray(self.evaluate(part.expr))


def search(sides: Sides, seed: int) -> tuple[FormulaCounterexample | None, int]:
    """Numbers at which the sides differ, and at how many points they were compared.

    Args:
        sides: the formulas.
        seed: of the random numbers.
    """
    rng = np.random.default_rng(seed)
    best: FormulaCounterexample | None = None
    compared = 0
    for point in _points(sides, rng):
        found = sides.example(point)
        if found is None:
            continue
        compared += 1
        gap = _gap(found)
        # Confirmed in many digits: what floating point makes of a cancellation looks like a difference.
        if gap <= max(_VISIBLE, 0.0 if best is None else _gap(best)) or not sides.confirms(found, point):
            continue
        best = found
        if gap > _CLEAR:
            break
    return best, compared


def _gap(found: FormulaCounterexample) -> float:
    return abs(found.left - found.right)


def _points(sides: Sides, rng: np.random.Generator) -> Iterator[Point]:
    """Ordinary numbers first, then small and large ones, arrays of one sign and of zeros, and all zeros."""
    for attempt, scale in enumerate(_SCALES):
        # Mixed signs alone at first: whole arrays of one sign or of zeros hide terms.
        manners = _MANNERS[:1] if attempt < 20 else _MANNERS

        def random(shape: tuple[int, int], scale: float = scale, manners: tuple[str, ...] = manners) -> Array:
            size = np.round(scale * rng.uniform(0.1, 1.0, shape), 2)
            manner = manners[int(rng.integers(len(manners)))]
            sign = {"positive": 1.0, "negative": -1.0, "zero": 0.0}.get(manner)
            return size * (rng.choice([-1.0, 1.0], shape) if sign is None else sign) + 0.0

        yield [random(shape) for shape in sides.shapes]
    # Where everything is zero, divisors are as well, and functions jump.
    yield [np.zeros(shape) for shape in sides.shapes]
