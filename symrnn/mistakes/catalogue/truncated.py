"""Gradients that are carried back a few steps only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

import numpy as np

from symrnn.arrays import Array
from symrnn.mistakes.catalogue.recurrent_path_cut import handed_on
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.line_finder import LineFinder, LineRule
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite
from symrnn.printers import text

TAG = "truncated"

_SPANS = (1, 2, 3, 4)
# Steps: more would not show at the questions that are asked, of which the longest has 5 steps.
_WINDOWS = (2, 3, 4)


@dataclass(frozen=True)
class LoopShortened(Effect):
    """The backward loop runs over the last steps only.

    Attributes:
        span: over how many.
    """

    span: int
    between_steps: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return LineFinder.nowhere

    def runs(self, t: int, steps: int) -> bool:
        """Whether step t is one of them."""
        return t >= steps - self.span


@dataclass(frozen=True)
class Windowed(Effect):
    """Nothing is carried out of a window of steps.

    Attributes:
        length: the steps of a window.
        begin: at which step a window begins.
        origin: whether steps count from the "first" or the "last"; or "end" if only the last steps carry anything.
        states: the states that this is so for; all if there are none.
        initial: whether a window that ends at step 0 leaves the gradients of the initial states at zero, too.
    """

    length: int
    begin: int
    origin: str
    states: frozenset[str] = frozenset()
    initial: bool = False
    order: ClassVar[int] = 1
    between_steps: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return handed_on

    def carries(self, run: Any, state: str, value: Array, t: int) -> Array | None:
        """Zeros, out of the first step of a window."""
        steps = run.tape.steps
        if t == steps or not self._ends(t, steps) or (self.states and state not in self.states):
            return None
        if self.initial:
            # Somebody who returns what the loop carries at its end returns the cut as well.
            run.handed[state] = np.zeros_like(value)
        return np.zeros_like(value)

    def _ends(self, t: int, steps: int) -> bool:
        if self.origin == "end":
            # From there on nothing is carried any more: one window, at the end of the sequence.
            return steps - t >= self.length
        return ((t if self.origin == "first" else steps - t) - self.begin) % self.length == 0


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """Windows for all states or for one, and loops that are too short."""
    states = on.cell.states
    for chosen in ((), *((state,) for state in states if len(states) > 1)):
        what = " and ".join(text(on.derivation.of(state).target) for state in chosen) or "gradients"
        is_are = "is" if chosen else "are"
        for length in _WINDOWS:
            ways = [(begin, origin) for origin, begin in product(("first", "last"), range(length))] + [(0, "end")]
            for begin, origin in ways:
                over = f"in windows of {length} steps only, counted from the {origin} one"
                over = f"over the last {length} steps only" if origin == "end" else over
                words = f"{what} {is_are} carried back {over}"
                for initial in (False, True):
                    effect = Windowed(length, begin, origin, frozenset(chosen), initial)
                    yield Mistake(TAG, words, 5 + bool(chosen), effects=(effect,))
    for span in _SPANS:
        words = f"the backward loop runs over the last {span} steps only".replace("1 steps", "step")
        yield Mistake(TAG, words, 4, effects=(LoopShortened(span),))


MISTAKE = MistakeClass(
    TAG,
    "nothing is carried back beyond some number of steps",
    precedence=20,
    likely=likely,
    wrong=(
        Example("rnn", "reversed(range(len(x)))", "reversed(range(max(0, len(x) - 3), len(x)))", line=None),
        Example("rnn", "carry = da @ U", "carry = da @ U * (t % 2 != 0)", line="dh = dhs[t] + carry"),
    ),
    right=(
        Example("rnn", "reversed(range(len(x)))", "range(len(x) - 1, -1, -1)"),
        Example("rnn", "carry = da @ U", "carry = da @ U * (t >= 0)"),
    ),
)
