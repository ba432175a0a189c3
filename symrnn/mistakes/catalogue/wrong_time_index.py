"""Values that are read at another time step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import shift
from symrnn.mistakes.backward_pass import AdjointEquation, of_next_step
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import Change, OtherUse, OwnGradients, other_uses
from symrnn.mistakes.site import MistakeSite
from symrnn.mistakes.slope import Slope
from symrnn.mistakes.slope_places import elsewhere_on_summands
from symrnn.mistakes.swaps import Swap, other_values, swapped, swapped_in_one_place
from symrnn.printers import text

TAG = "wrong-time-index"


def reversed_(value: Array) -> Array:
    """Cotangents in the order of the backward loop; that of the initial state stays."""
    return np.concatenate([value[:1], value[:0:-1]])


def next_(value: Array) -> Array:
    """Each step's cotangent a step early, and none at the last."""
    return np.concatenate([value[:1], value[2:], np.zeros_like(value[:1])])


def previous(value: Array) -> Array:
    """Each step's cotangent a step late, and none at step 0."""
    return np.concatenate([value[:1], np.zeros_like(value[:1]), value[1:-1]])


def next_around(value: Array) -> Array:
    """Each step's cotangent a step early, and the first one at the last step."""
    return np.concatenate([value[:1], np.roll(value[1:], -1, axis=0)])


def previous_around(value: Array) -> Array:
    """Each step's cotangent a step late, and the last one at step 0."""
    return np.concatenate([value[:1], np.roll(value[1:], 1, axis=0)])


_USES = (
    OtherUse(reversed_, "the cotangent of {} is read in the order of the steps, not backwards", 5),
    OtherUse(next_, "the cotangent of {} is read at the step after", 5),
    OtherUse(previous, "the cotangent of {} is read at the step before", 5),
    OtherUse(next_around, "the cotangent of {} is read at the step after, around the end", 6),
    OtherUse(previous_around, "the cotangent of {} is read at the step before, around the end", 6),
)


def series_reversed(value: Array) -> Array:
    """The gradients (T, N, ...) of an input, the last step first."""
    return value[::-1]


def series_early(value: Array) -> Array:
    """The gradients (T, N, ...) of an input, each a step early."""
    return np.roll(value, -1, axis=0)


def series_late(value: Array) -> Array:
    """The gradients (T, N, ...) of an input, each a step late."""
    return np.roll(value, 1, axis=0)


_SERIES: tuple[tuple[Change, str], ...] = (
    (series_reversed, "is returned in the order of the backward loop"),
    (series_early, "is returned one step early"),
    (series_late, "is returned one step late"),
)


@dataclass(frozen=True)
class SeriesMoved(OwnGradients):
    """The gradient of an input is returned at other steps than its own.

    Attributes:
        by_name: input -> what is done with its gradient (T, N, ...).
    """

    by_name: tuple[tuple[str, Change], ...]
    between_steps: ClassVar[bool] = True

    def returns_series(self, name: str, value: Array) -> Array:
        """The gradient as it is returned."""
        return next((change(value) for known, change in self.by_name if known == name), value)


def _swaps(on: MistakeSite, line: AdjointEquation, old: Variable) -> Iterator[Swap]:
    """The value of another step."""
    if old.mark or old.is_sent_back or old.time is None:
        return
    for new in other_values(on, old):
        if new.base == old.base:
            yield Swap(new, f"has {text(new)} in place of {text(old)}", 4)
    for steps in (-1, 1):
        new = next(iter(nodes.variables(shift(old, steps))))
        if new not in on.values:
            yield Swap(new, f"has {text(new)} in place of {text(old)}", 5)


def _at_other_steps(slope: Slope, whole: Expr) -> list[Expr]:
    return [shift(whole, steps) for steps in (-1, 1)] if isinstance(slope.of, Variable) else []


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """Cotangents, the gradients of inputs, values and adjoints at other steps than their own."""
    yield from other_uses(on, TAG, _USES)
    for name in on.cell.inputs:
        for change, words in _SERIES:
            yield Mistake(TAG, words, 4, effects=(SeriesMoved(((name, change),)),), about=(name,))
    yield from elsewhere_on_summands(on, TAG, _at_other_steps)
    yield from swapped(on, TAG, _swaps)
    for position, line, number, term in on.terms("parameter"):
        for old in sorted(nodes.variables(term) & set(on.adjoints), key=text):
            words = f"has {text(old)} of the step after in place of that of its own"
            edits = (Edit(position, number, term.xreplace({old: of_next_step(old)})),)
            families = (("next", old), ("next", on.group(line)), ("next", line.of.shape[1] != 1), ("next",))
            yield Mistake(TAG, words, 5, edits, families=families)


def wide(on: MistakeSite) -> Iterator[Mistake]:
    """A value of another step in one of several places."""
    return swapped_in_one_place(on, TAG, _swaps)


MISTAKE = MistakeClass(
    TAG,
    "a value is read at another time step",
    precedence=170,
    likely=likely,
    wide=wide,
    wrong=(
        Example("rnn", "dU += da.T @ h[t]", "dU += da.T @ h[t + 1]"),
        Example("rnn", "dh = dhs[t] + carry", "dh = dhs[-1 - t] + carry"),
    ),
    right=(
        Example("rnn", "dU += da.T @ h[t]", "dU += da.T @ h[t - len(h)]"),
        Example("rnn", "dh = dhs[t] + carry", "dh = dhs[t - len(x)] + carry"),
    ),
)
