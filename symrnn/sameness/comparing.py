"""What it means that two functions are the same: the one notion behind `equal`, `prove` and `equivalent`.

They are the same where they have the same value at all numbers.  Three witnesses are heard, in this order:

1. random numbers of the tower, which prove an identity wherever nothing is zero;
2. random real numbers in intervals, at which a multiple of a prime is not zero, a constant has its sign, and a side
   without a value (a logarithm of a negative number) is noticed;
3. points at which a divisor, the argument of a function that jumps, or a part of one is zero.

Numbers at which the values differ refute; numbers at which one of the two has no value are told as well.  Both only
where it is certain: a point at which a thousand digits do not tell a sign is no evidence of anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from random import Random

import numpy as np

from symrnn.arrays import Array
from symrnn.sameness.certain import CERTAIN, DIGITS, Certain, Undecided, certain, precise
from symrnn.sameness.pairs import DelicatePart, Evaluated, FunctionPair, Point
from symrnn.sameness.tower import TOWERED, draw, same
from symrnn.sameness.zeros import near_zeros

_POINTS = 12
"""Random points per choice of sizes where a function bends: a relu is 0 at half of them, and hides what is before."""
_TRIES = 40
"""Random points that are drawn for these: where a relu is a divisor, half of them have no value."""
_REAL = ("mixed", "mixed", "mixed", "positive", "negative", "small", "large", "zero")
"""What random real points are like: a sign or a domain that all share is not met by mixed ones."""
_PRECISIONS = (DIGITS, 5 * DIGITS, 20 * DIGITS)
"""With so many digits a point is looked at, until everything is decided there: 1 - tanh(1000) takes 870."""
_ROUNDING = 1e-35
"""A difference below this share of the values is not told apart from none: fifty digits leave it some cancellation."""
_VISIBLE = 1e-9
"""A difference worth telling beside a zero that is known to forty digits only."""


@dataclass(frozen=True)
class Gap:
    """Where two functions differ.

    Attributes:
        pair: which.
        point: the arguments.
        output: the number of the value that differs most.
        entry: where in it, counted from 0.
        values: both values there; nan for a function that has none.
        apart: the first less the second, of which these floats may show less.
    """

    pair: FunctionPair
    point: Point
    output: int
    entry: tuple[int, ...]
    values: tuple[float, float]
    apart: float = np.nan

    @property
    def defined(self) -> bool:
        """Whether both functions have a value there."""
        return not any(np.isnan(self.values))


@dataclass(frozen=True)
class SamenessResult:
    """What the three witnesses said.

    Attributes:
        proved: the pairs that agree over the tower.
        failing: the pairs that differ there; at those that are in neither, a function has no value at all.
        gap: numbers at which both have a value and these differ; None where none were found.
        outside: numbers at which exactly one has a value.
        conditions: parts that were seen to decide whether there is a value, or whose zeros were not found.
        compared: at how many real points both values were equal.
    """

    proved: tuple[FunctionPair, ...] = ()
    failing: tuple[FunctionPair, ...] = ()
    gap: Gap | None = None
    outside: Gap | None = None
    conditions: tuple[DelicatePart, ...] = ()
    compared: int = 0

    @property
    def agree(self) -> bool:
        """Whether it is proved that values are equal where there are two."""
        return not self.failing and self.gap is None


def agree_exactly(pair: FunctionPair, seed: int) -> bool | None:
    """Whether two functions have the same values at random numbers of the tower; None where one never has any."""
    rng = Random(seed)
    wanted, points = _POINTS if pair.bends else 1, 0
    for _ in range(_TRIES):
        evaluated = pair.at([draw(rng, shape) for shape in pair.shapes], TOWERED)
        try:
            left, right = evaluated.side(0), evaluated.side(1)
        except ZeroDivisionError:
            continue
        if not all(same(a, b) for a, b in zip(left, right, strict=True)):
            return False
        points += 1
        # A smooth identity needs one random point; each branch of a bent function needs points on it.
        if points == wanted:
            return True
    return True if points else None


def compare(pairs: Sequence[FunctionPair], seed: int, refute: bool = True) -> SamenessResult:
    """Hear all witnesses about two functions.

    Args:
        pairs: the functions at some choices of sizes, the smallest first.
        seed: of the random numbers.
        refute: whether to look for numbers that show a difference where the proof fails.
    """
    verdicts = [(pair, agree_exactly(pair, seed)) for pair in pairs]
    proved = tuple(pair for pair, verdict in verdicts if verdict)
    undefined = tuple(pair for pair, verdict in verdicts if verdict is None)
    failing = tuple(pair for pair, verdict in verdicts if verdict is False) or (() if proved else undefined)
    if failing and not refute:
        return SamenessResult(proved, failing)
    record = _RealPointRecord()
    # The smallest sizes at which it fails make the numbers that a reader can follow; where all holds, two sizes are a
    # check of conditions and not of the proof.
    chosen = failing[:1] or proved[:2]  # at sizes of 1 alone, what is a mean or a variance hides
    for pair in (pair for pair in undefined if pair not in failing):
        record.look(pair, islice(real_points(pair, seed), 1))
    telling = [pair for pair in chosen if record.look(pair, real_points(pair, seed))]
    # One pair is enough: a zero of a divisor is one at all sizes, and looking for it is the dearest step.
    for pair in telling[:1] or chosen[-1:]:
        record.look(pair, near_zeros(pair, seed), near=True)
    return SamenessResult(proved, failing, record.gap, record.outside, record.conditions(pairs[0]), record.compared)


@dataclass
class _RealPointRecord:
    """What was seen at real points."""

    gap: Gap | None = None
    outside: Gap | None = None
    compared: int = 0
    zero: set[DelicatePart] = field(default_factory=set)
    decisive: dict[DelicatePart, None] = field(default_factory=dict)

    def look(self, pair: FunctionPair, points: Iterable[Point], near: bool = False) -> bool:
        """Compare both functions until numbers show a difference; whether they could be compared anywhere.

        Args:
            pair: the functions.
            points: where.
            near: whether what is zero there may be so between two numbers only.
        """
        before = self.compared
        for point in takewhile(lambda _: self.gap is None, points):
            seen = see(pair, point, near)
            if seen is not None:
                self._note(pair, point, seen)
        return self.compared > before

    def _note(self, pair: FunctionPair, point: Point, seen: PointEvidence) -> None:
        self.zero |= set(seen.zero)
        self.decisive |= dict.fromkeys(seen.broken)
        if all(side is None for side in seen.sides):
            return
        if None in seen.sides:
            self.outside = self.outside or _one_sided(pair, point, seen.sides)
            return
        self.gap = seen.gap
        self.compared += self.gap is None

    def conditions(self, pair: FunctionPair) -> tuple[DelicatePart, ...]:
        """The parts to name: those that took a value away, and the functions' own that were never seen at zero."""
        return tuple(
            part
            for part in pair.delicate
            if part in self.decisive or (part.own and (part not in self.zero or part.kind in ("> 0", "≥ 0")))
        )


@dataclass(frozen=True)
class PointEvidence:
    """What is certain at a point.

    Attributes:
        zero: the parts with an entry that is 0.
        broken: the parts that take a value away.
        sides: the values of both functions, None for one that has none.
        gap: where the values differ most; None where they do not, or one has none.
    """

    zero: tuple[DelicatePart, ...]
    broken: tuple[DelicatePart, ...]
    sides: tuple[list[Array] | None, list[Array] | None]
    gap: Gap | None


def see(pair: FunctionPair, point: Point, near: bool = False) -> PointEvidence | None:
    """What is certain at a point; None where too little is, or the values are too large to be computed.

    Args:
        pair: the functions.
        point: where.
        near: whether what is zero there may be so between two numbers only.
    """
    for digits in _PRECISIONS:
        # From few digits on: most points are decided with the first.
        with precise(digits):
            try:
                return _seen(pair, point, near)
            except Undecided:
                continue
            except (OverflowError, KeyError):
                return None
    return None


def _seen(pair: FunctionPair, point: Point, near: bool) -> PointEvidence:
    evaluated = pair.at(point, CERTAIN)
    parts = _parts(pair, evaluated)
    zero = tuple(part for part, value in parts.items() if any(Certain.of(x).is_zero for x in value.reshape(-1)))
    broken = tuple(part for part, value in parts.items() if part.broken(value))
    left, right = (None if any(part.side == i for part in broken) else _values(evaluated, i) for i in (0, 1))
    gap = None if left is None or right is None else _widest(pair, point, left, right, near)
    return PointEvidence(zero, broken, (left, right), gap)


def _values(evaluated: Evaluated, index: int) -> list[Array] | None:
    """A function's values, None where it has none."""
    try:
        return evaluated.side(index)
    except (Undecided, OverflowError):
        raise
    except (ArithmeticError, ValueError):
        return None


def _parts(pair: FunctionPair, evaluated: Evaluated) -> dict[DelicatePart, Array]:
    found = {}
    for part in pair.delicate:
        try:
            found[part] = evaluated.part(part)
        except (ArithmeticError, ValueError, KeyError):
            continue
    return found


def _one_sided(pair: FunctionPair, point: Point, sides: Sequence[list[Array] | None]) -> Gap:
    known = next(side for side in sides if side is not None)[0]
    there = float(known.reshape(-1)[0])
    left, right = (np.nan if side is None else there for side in sides)
    return Gap(pair, point, 0, (0,) * known.ndim, (left, right))


def _widest(pair: FunctionPair, point: Point, left: Sequence[Array], right: Sequence[Array], near: bool) -> Gap | None:
    """Where values differ most; None where they differ by nothing that can be told."""
    found: list[Gap] = []
    for output, values in enumerate(zip(left, right, strict=True)):
        a, b = certain(values)
        # Relative where values are large, absolute where they are small: 1 is what cells compute with.
        scale = max([1, *(x.size for value in (a, b) for x in value.reshape(-1))])
        for entry in np.ndindex(a.shape):
            apart = a[entry] - b[entry]
            if apart.size > (_VISIBLE if near else _ROUNDING) * scale and apart.sign:
                found.append(Gap(pair, point, output, entry, (float(a[entry]), float(b[entry])), float(apart)))
    return max(found, key=lambda gap: abs(gap.apart), default=None)


def real_points(pair: FunctionPair, seed: int) -> Iterator[Point]:
    """A real point of every manner, with numbers of two decimals."""
    rng = np.random.default_rng(seed)
    for manner in _REAL:
        scale = {"small": 0.01, "large": 10.0, "zero": 0.0}.get(manner, 1.0)
        sign = {"positive": 1.0, "negative": -1.0}.get(manner)
        yield [
            np.round(rng.uniform(0.1, 1.0, shape) * (rng.choice([-1.0, 1.0], shape) if sign is None else sign), 2)
            * scale
            + 0.0
            for shape in pair.shapes
        ]
