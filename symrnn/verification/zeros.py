"""Where a proof over the field says nothing: zeros of what is divided by, and of the arguments of functions that jump.

No entry of a random point of the field is 0, and a number that two formulas share almost everywhere need not be shared
there.  Functions that bend without a jump (a relu, a maximum) need no such care: what is equal beside a bend is equal
at it.  A point with such a zero is found along a line, by bisection, and what lies there is looked at with many digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import preorder_traversal

from symrnn.algebra import nodes
from symrnn.algebra.enclosure import enclose
from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.intervals import Interval
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.rules import on_expressions
from symrnn.verification.counterexamples import Counterexample, Point, Sides
from symrnn.verification.digits import Digits
from symrnn.verification.field import Array

_LINES = 3
"""Random points through which lines are laid."""
_GRID = (-100.0, -10.0, -3.0, -1.0, -0.3, 0.0, 0.3, 1.0, 3.0, 10.0, 100.0)
_NIL, _VISIBLE = 1e-30, 1e-9


def bounds(derivation: Derivation, given: Mapping[Variable, Interval]) -> dict[Variable, Interval]:
    """An interval for every variable of a step, from those given."""
    known = dict(given)
    for equation in derivation.forward:
        known[equation.target] = enclose(equation.value, known)
    return known


@dataclass(frozen=True)
class _Delicate:
    """What may be zero.

    Attributes:
        divisors: what the formulas divide by.
        arguments: of the functions that jump, in the formulas.
        others: the same in the definitions that the formulas rest on.
    """

    divisors: tuple[Expr, ...]
    arguments: tuple[Expr, ...]
    others: tuple[Expr, ...]

    @property
    def own(self) -> tuple[Expr, ...]:
        """Those of the formulas."""
        return tuple(dict.fromkeys((*self.divisors, *self.arguments)))


def at_zeros(sides: Sides, seed: int) -> tuple[Counterexample | None, tuple[Expr, ...]]:
    """Whether formulas that are equal elsewhere are equal at zeros too.

    Args:
        sides: the formulas, equal over the field.
        seed: of the random numbers.

    Returns:
        Numbers at which they differ; and what must not be zero, because a side has no value there or because no such
        numbers were found.
    """
    delicate = _delicate(sides)
    everything = tuple(dict.fromkeys((*delicate.own, *delicate.others)))
    if not everything:
        return None, ()
    excluded: dict[Expr, None] = {}
    seen: set[Expr] = set()
    for point in _points(sides, everything, np.random.default_rng(seed)):
        try:
            evaluate = sides.exactly_at(point)
            zero = {part for part in everything if _vanishes(evaluate(part))}
        except (ArithmeticError, ValueError):  # the cell itself has no value there
            continue
        seen |= zero
        undefined = [part for part in delicate.divisors if part in zero]
        if undefined:
            excluded |= dict.fromkeys(undefined)
            continue
        try:
            found = sides.difference(evaluate)
        except (ArithmeticError, ValueError):
            continue
        if found is not None and abs(found.left - found.right) > _VISIBLE:
            return found, ()
    excluded |= dict.fromkeys(part for part in delicate.own if part not in seen)
    return None, tuple(part for part in delicate.own if part in excluded)


def _vanishes(value: Array) -> bool:
    return any(abs(x) < _NIL for x in value.reshape(-1))


def _delicate(sides: Sides) -> _Delicate:
    known = bounds(sides.derivation, {})
    divisors, arguments = _parts((sides.left, sides.right), known)
    definitions = {e.target: e.value for e in sides.derivation.forward}
    definitions |= {step.target: step.value for step in sides.derivation.steps}
    needed: dict[Variable, Expr] = {}
    open_ = list(sides.read)
    while open_:
        variable = open_.pop()
        if variable in definitions and variable not in needed:
            needed[variable] = definitions[variable]
            open_ += nodes.variables(definitions[variable])
    _, others = _parts(tuple(needed.values()), known)
    return _Delicate(divisors, arguments, others)


def _parts(exprs: Sequence[Expr], known: Mapping[Variable, Interval]) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """What is divided by, and arguments of functions that jump; without what bounds keep from zero."""
    divisors: dict[Expr, None] = {}
    arguments: dict[Expr, None] = {}
    for part in (part for expr in exprs for part in preorder_traversal(expr)):
        if isinstance(part, nodes.Power) and part.args[1] < 0:
            divisors[part.args[0]] = None
        if isinstance(part, nodes.Act) and FUNCTIONS[part.name].jumps:
            jumps = (on_expressions(kink, *part.operands) for kink in FUNCTIONS[part.name].kinks)
            arguments |= dict.fromkeys(map(_signed, jumps))
    kept = [tuple(x for x in found if 0 in enclose(x, known)) for found in (divisors, arguments)]
    return kept[0], kept[1]


def _signed(expr: Expr) -> Expr:
    """What decides the sign: without a number in front."""
    number, rest = nodes.coefficient(expr)
    return rest if getattr(number, "is_positive", False) or number == -1 else expr


# --- points -----------------------------------------------------------------------------------------------------------


def _points(sides: Sides, parts: Sequence[Expr], rng: np.random.Generator) -> Iterator[Point]:
    """All zeros, then for each part and each thing that it is made of a point where that is zero."""
    yield sides.draw(np.zeros)
    made = (x for part in parts for x in preorder_traversal(part) if getattr(x, "is_Matrix", False))
    targets = [x for x in dict.fromkeys(made) if nodes.variables(x)]
    for _ in range(_LINES):
        base = sides.draw(lambda shape: np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 1.0, shape), 2))
        wanted = set(targets)
        for number in rng.permutation(len(base)):
            if not wanted:
                break
            line = _Line(sides, base, int(number))
            for target, point in line.zeros([x for x in targets if x in wanted]):
                wanted.discard(target)
                yield point


@dataclass(frozen=True)
class _Line:
    """All points that differ from one in the first entry of one array."""

    sides: Sides
    base: Point
    number: int

    def at(self, place: Any) -> Point:
        """The point at one place of the line."""
        point = list(self.base)
        moved = point[self.number].astype(object) if isinstance(place, Digits) else point[self.number].copy()
        moved.reshape(-1)[0] = place
        point[self.number] = moved
        return point

    def zeros(self, targets: Sequence[Expr]) -> Iterator[tuple[Expr, Point]]:
        """A point for every target whose first entry changes its sign on the grid."""
        evaluators = [self.sides.at(self.at(place)) for place in _GRID]
        for target in targets:
            values = [_first(evaluate, target) for evaluate in evaluators]
            for k in range(len(_GRID) - 1):
                if values[k] * values[k + 1] < 0:
                    place = self._zero(target, _GRID[k], _GRID[k + 1], values[k])
                    if place is not None:
                        yield target, self.at(place)
                    break
                if values[k] == 0 and any(v != 0 for v in values):
                    yield target, self.at(_GRID[k])
                    break

    def _zero(self, target: Expr, low: float, high: float, at_low: float) -> Any:
        """The place where the target is zero, to many digits; None where it jumps there."""
        for _ in range(60):
            middle = (low + high) / 2
            value = _first(self.sides.at(self.at(middle)), target)
            if value == 0 or middle in (low, high):
                low = high = middle
                break
            low, high = (middle, high) if value * at_low > 0 else (low, middle)
        step = max(abs(low), 1.0) * 1e-12
        a, b = (Digits(low) - step, Digits(high) + step)
        try:
            f, g = self._exactly(target, a), self._exactly(target, b)
            for _ in range(12):
                if abs(g) < _NIL**1.4 or f == g:
                    break
                a, b, f = b, b - g * (b - a) / (g - f), g
                g = self._exactly(target, b)
        except (ArithmeticError, ValueError):
            return None
        return b if abs(g) < _NIL else None

    def _exactly(self, target: Expr, place: Any) -> Any:
        return self.sides.exactly_at(self.at(place))(target).reshape(-1)[0]


def _first(evaluate: Evaluator, target: Expr) -> float:
    with np.errstate(all="ignore"):
        value = float(np.asarray(evaluate(target), dtype=float).reshape(-1)[0])
    return value if np.isfinite(value) else 0.5  # no value there: no change of sign is seen
