"""How far rounding alone can take the states and gradients of a network: a bound that runs along with the computation.

Where large terms cancel, what is left is rounding, and comparing it with the right value says nothing.  A number here
carries a bound on its error: every operation adds half a unit in the last place of its result to the errors of its
operands, each times the derivative in that operand.  The bounds hold to first order, for one order of the operations.

Source: Wilkinson (1986), Error analysis revisited, IMA Bulletin 22; Higham (2002), Accuracy and Stability of Numerical
Algorithms, section 3.3 (running error analysis).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import FUNCTIONS, Arithmetic
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation
from symrnn.language.evaluate import NUMPY
from symrnn.runs.blocks import StepBlocks
from symrnn.runs.points import fixed_values
from symrnn.runs.sizes import Layout

Array = Any

UNIT = float(np.finfo(np.float64).eps) / 2
"""The unit roundoff of double precision."""


class Rounded:
    """A number and a bound on its error, in units of the unit roundoff."""

    __slots__ = ("error", "value")

    def __init__(self, value: float, error: float = 0.0) -> None:
        self.value = value
        self.error = error

    @staticmethod
    def of(value: Any) -> Rounded:
        """A number as it is; a fraction is rounded."""
        if isinstance(value, Rounded):
            return value
        return Rounded(float(value), abs(float(value)) if isinstance(value, Fraction) else 0.0)

    def __add__(self, other: Any) -> Rounded:
        other = Rounded.of(other)
        value = self.value + other.value
        return Rounded(value, self.error + other.error + abs(value))

    __radd__ = __add__

    def __neg__(self) -> Rounded:
        return Rounded(-self.value, self.error)

    def __sub__(self, other: Any) -> Rounded:
        return self + -Rounded.of(other)

    def __rsub__(self, other: Any) -> Rounded:
        return Rounded.of(other) - self

    def __mul__(self, other: Any) -> Rounded:
        other = Rounded.of(other)
        value = self.value * other.value
        return Rounded(value, abs(self.value) * other.error + abs(other.value) * self.error + abs(value))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Rounded:
        other = Rounded.of(other)
        if other.value == 0:  # nothing is known about it
            return Rounded(float("nan"), float("inf"))
        value = self.value / other.value
        return Rounded(value, (self.error + abs(value) * other.error) / abs(other.value) + abs(value))

    def __rtruediv__(self, other: Any) -> Rounded:
        return Rounded.of(other) / self


def _function(name: str) -> Callable[..., Array]:
    row, compute = FUNCTIONS[name], getattr(NUMPY, name)

    def entry(*operands: Any) -> Rounded:
        numbers = [Rounded.of(x) for x in operands]
        if row.stated:
            return numbers[0]
        at = [np.float64(x.value) for x in numbers]
        value = compute(*at)
        slopes = (slope(NUMPY, *at, value) for slope in row.slopes)
        moved = sum(abs(float(slope)) * x.error for slope, x in zip(slopes, numbers, strict=True))
        return Rounded(float(value), moved + abs(float(value)))

    return np.frompyfunc(entry, row.arity, 1)  # type: ignore[no-any-return]


def _softmax(x: Array) -> Array:
    e = ROUNDED.exp(x - max(Rounded.of(entry).value for entry in x.flat))
    return e / e.sum(axis=0)


ROUNDED = Arithmetic(Rounded.of, **{name: _function(name) for name in FUNCTIONS}, softmax=_softmax)
"""The functions of the table on numbers that carry a bound."""

_of = np.frompyfunc(Rounded.of, 1, 1)
_error = np.frompyfunc(lambda x: Rounded.of(x).error, 1, 1)


def _exact(value: Array) -> Array:
    return np.asarray(_of(value), dtype=object)


def _errors(value: Array) -> Array:
    return np.asarray(_error(np.asarray(value, dtype=object))).astype(float)


def unexplained(difference: Array, bound: Array) -> Array:
    """What is left of a difference when rounding within a bound is taken off; all of it where the bound is not finite.

    Args:
        difference: between two values.
        bound: what the errors can be, in units of the unit roundoff.
    """
    explained = np.where(np.isfinite(bound), UNIT * bound, 0.0)
    distance = np.abs(difference)
    return np.where(distance <= explained, 0.0, distance - explained)  # nan stays nan


def expression_errors(derivation: Derivation, layout: Layout, arguments: Mapping[str, Array], expr: Expr) -> Array:
    """How far rounding can take an expression in the variables of one step, in units of the unit roundoff.

    Args:
        derivation: whose step.
        layout: the sizes.
        arguments: the step's arguments in rows and columns, by identifier.
        expr: the expression.
    """
    return _errors(_step(derivation, layout, {name: _exact(value) for name, value in arguments.items()})(expr))


def moved_errors(
    derivation: Derivation,
    layout: Layout,
    arguments: Mapping[str, Array],
    blocks: StepBlocks,
    changes: Mapping[Variable, Array],
) -> dict[Variable, Array]:
    """How far rounding can take what the chain rule says of changes, in units of the unit roundoff.

    Args:
        derivation: whose step.
        layout: the sizes.
        arguments: the step's arguments in rows and columns, by identifier.
        blocks: the Jacobians of the step.
        changes: how some arguments move, as columns.
    """
    evaluate = _step(derivation, layout, {name: _exact(value) for name, value in arguments.items()})
    moved = blocks.moved({v: _exact(change) for v, change in changes.items()}, evaluate)
    return {v: _errors(change) for v, change in moved.items()}


def _step(derivation: Derivation, layout: Layout, frame: dict[str, Array]) -> Evaluator:
    """Gives the variables of a step their values, and then expressions theirs."""
    frame |= {name: _exact(value) for name, value in fixed_values(derivation.cell).items()}
    evaluate = Evaluator(frame, layout.sizes, ROUNDED)
    for equation in derivation.forward:
        frame[equation.target.name] = evaluate(equation.value)
    return evaluate


def sequence_errors(
    derivation: Derivation, layout: Layout, fixed: Mapping[str, Array], steps: Iterable[Mapping[str, Array]]
) -> list[dict[str, Array]]:
    """How far rounding can take states and gradients over a sequence, by a derivation's equations forward and back.

    Args:
        derivation: the equations.
        layout: the sizes.
        fixed: parameters, and states at the start, in rows and columns, by identifier.
        steps: of every step the inputs, and by the states' names what the loss adds to their adjoints.

    Returns:
        Of every step the bounds, in units of the unit roundoff: by the names of the states for their values, and by
        the names of the step's arguments (inputs, states at t-1, each parameter's term) for their adjoints.
    """
    cell = derivation.cell
    frames: list[tuple[Evaluator, dict[str, Array], dict[str, Array]]] = []
    values: Mapping[str, Array] = {name: _exact(value) for name, value in fixed.items()}
    for step in steps:
        given = {name: _exact(value) for name, value in step.items()}
        frame = {**values} | {name: given[name] for name in cell.inputs}
        evaluate = _step(derivation, layout, frame)
        values = {**values} | {f"{s}_prev": frame[s] for s in cell.states}
        frames.append((evaluate, frame, given))
    sent: Mapping[str, Array] = dict.fromkeys(cell.states, 0)
    found = []
    for evaluate, frame, given in reversed(frames):
        for s, variable in derivation.cotangents.items():
            frame[variable.name] = given[s] + sent[s]
        for one in derivation.steps:
            frame[one.target.name] = evaluate(one.value)
        sent = {s: frame[derivation.of(f"{s}_prev").target.name] for s in cell.states}
        adjoints = {v.name: derivation.of(v.name).target.name for v in layout.variables}
        found.append({name: _errors(frame[value]) for name, value in (adjoints | {s: s for s in cell.states}).items()})
    return found[::-1]
