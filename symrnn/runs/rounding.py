"""How far rounding alone can take the states and gradients of a network: a bound that runs along with the computation.

Where large terms cancel, what is left is rounding, and comparing it with the right value says nothing.  A number here
carries a bound on its error: every operation adds half a unit in the last place of its result to the errors of its
operands, each times the derivative in that operand.  The bounds hold to first order, for one order of the operations.

Source: Wilkinson (1986), Error analysis revisited, IMA Bulletin 22; Higham (2002), Accuracy and Stability of Numerical
Algorithms, section 3.3 (running error analysis).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symrnn.algebra.functions import FUNCTIONS, Arithmetic
from symrnn.algebra.nodes import Expr, Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.language.evaluate import NUMPY
from symrnn.runs.blocks import StepBlocks
from symrnn.runs.numbers import Numbers
from symrnn.runs.sizes import CellAtSizes
from symrnn.runs.stepping import StepValues, derive_over_steps, go_back_over_steps

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
        # Floating point gives an infinity here and goes on; a bound that is not finite excuses nothing.
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
        # A stated slope is not that of the value, so the slopes of the row say nothing of how an error travels.
        if row.stated:
            return numbers[0]
        at = [np.float64(x.value) for x in numbers]
        value = compute(*at)
        slopes = (slope(NUMPY, *at, value) for slope in row.slopes)
        moved = sum(abs(float(slope)) * x.error for slope, x in zip(slopes, numbers, strict=True))
        return Rounded(float(value), moved + abs(float(value)))

    return np.frompyfunc(entry, row.arity, 1)  # type: ignore[no-any-return]


def _softmax(x: Array) -> Array:
    e: Array = ROUNDED.exp(x - max(Rounded.of(entry).value for entry in x.flat))
    return np.asarray(e / e.sum(axis=0))


ROUNDED = Arithmetic(Rounded.of, **{name: _function(name) for name in FUNCTIONS}, softmax=_softmax)
"""The functions of the table on numbers that carry a bound."""

_of = np.frompyfunc(Rounded.of, 1, 1)
_error = np.frompyfunc(lambda x: Rounded.of(x).error, 1, 1)


def _exact(value: Array) -> Array:
    return np.asarray(_of(value), dtype=object)


def _errors(value: Array) -> Array:
    return np.asarray(_error(np.asarray(value, dtype=object))).astype(float)


def unexplained(difference: Array | float, bound: Array | float) -> Array:
    """What is left of a difference when rounding within a bound is taken off; all of it where the bound is not finite.

    Args:
        difference: between two values.
        bound: what the errors can be, in units of the unit roundoff.
    """
    # What has no finite bound is not excused: a wrong sign at an overflow would pass otherwise.
    explained = np.where(np.isfinite(bound), UNIT * bound, 0.0)
    distance = np.abs(difference)
    return np.where(distance <= explained, 0.0, distance - explained)  # nan stays nan


BOUNDED = Numbers(ROUNDED, lambda literal: Rounded(float(literal)), _exact)
"""Numbers that carry a bound on their error.  A literal is what floating point makes of it: that is what the code that
is compared has, too."""


def expression_errors(derivation: Derivation, layout: CellAtSizes, arguments: Mapping[str, Array], expr: Expr) -> Array:
    """How far rounding can take an expression in the variables of one step, in units of the unit roundoff.

    Args:
        derivation: whose step.
        layout: the sizes.
        arguments: the step's arguments in rows and columns, by identifier.
        expr: the expression.
    """
    return _errors(StepValues(derivation, layout, BOUNDED, _lift(arguments)).evaluate(expr))


def moved_errors(
    derivation: Derivation,
    layout: CellAtSizes,
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
    evaluate = StepValues(derivation, layout, BOUNDED, _lift(arguments)).evaluate
    moved = blocks.moved({v: _exact(change) for v, change in changes.items()}, evaluate)
    return {v: _errors(change) for v, change in moved.items()}


def sequence_errors(
    derivation: Derivation,
    layout: CellAtSizes,
    start: Mapping[str, Array],
    inputs: Sequence[Mapping[str, Array]],
    losses: Sequence[Mapping[str, Array]],
) -> list[dict[str, Array]]:
    """How far rounding can take states and gradients over a sequence, by a derivation's equations forward and back.

    Args:
        derivation: the equations.
        layout: the sizes.
        start: parameters, and states before the first step, in rows and columns, by identifier.
        inputs: of every step.
        losses: of every step what the loss adds to the adjoint of each state, by its name.

    Returns:
        Of every step the bounds, in units of the unit roundoff: by the names of the states for their values, and by
        the names of the step's arguments (inputs, states at t-1, each parameter's term) for their adjoints.
    """
    steps = derive_over_steps(derivation, layout, BOUNDED, _lift(start), map(_lift, inputs))
    go_back_over_steps(steps, [_lift(loss) for loss in losses])
    return [{name: _errors(value) for name, value in at.gradients.items()} for at in steps]


def _lift(values: Mapping[str, Array]) -> dict[str, Array]:
    return {name: _exact(value) for name, value in values.items()}
