"""Nothing is carried back in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from symrnn.arrays import Array
from symrnn.mistakes.dropping import dropped_carries, dropped_terms
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.line_finder import FoundLine, LineFinder, LineRule, named_base
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite
from symrnn.printers import text
from symrnn.source_lines.assigned import assigning
from symrnn.source_lines.statements import operands

TAG = "recurrent-path-cut"


def handed_on(finder: LineFinder) -> FoundLine | None:
    """The line that keeps the gradient of a state from the step before."""
    mistake = finder.case.mistake
    names = [name.removesuffix("_prev") for name in mistake.about]
    names += [line.of.base for line in mistake.lines(finder.case.right)]
    states = [state for state in finder.cell.states if state in names] or list(finder.cell.states)
    zero = finder.zeros_in_loop()
    if zero is not None:
        return FoundLine(zero, f"{states[0]}_prev")
    found = finder.of_quantities(states)
    if found is None:
        return finder.of_quantities_at_all([f"{state}_prev" for state in states])
    read = operands(found.assignment.statement)
    for state in states:
        steps = list(finder.case.run.outer[state][1:])
        for one in finder.assigned:
            # A function that is handed the cotangent alone: its caller is the one that leaves out the rest.
            if one.handed and one.variable in read and assigning([one], steps, True):
                return FoundLine(one, found.quantity)
    never = [one for one in finder.assigned if one.is_zero and named_base(one) in read and finder.stays_zero(one)]
    if never or len(found.assignment.moments) < finder.steps - 1:
        return finder.of_quantities_at_all([f"{found.quantity}_prev"])
    return found


@dataclass(frozen=True)
class CarryCut(Effect):
    """The gradient of some states is not handed on to the step before.

    Attributes:
        states: their names.
    """

    states: frozenset[str]
    between_steps: ClassVar[bool] = True
    about_carrying: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return handed_on

    def carries(self, run: Any, state: str, value: Array, t: int) -> Array | None:
        """Zeros."""
        return np.zeros_like(value) if state in self.states else None


@dataclass(frozen=True)
class CarryKept(Effect):
    """Every step is handed what the last step is handed, for some states.

    Attributes:
        states: their names.
    """

    states: frozenset[str]
    order: ClassVar[int] = 2
    between_steps: ClassVar[bool] = True
    about_carrying: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return handed_on

    def carries(self, run: Any, state: str, value: Array, t: int) -> Array | None:
        """What the last step is handed."""
        return run.seed[state] if state in self.states else None


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """Some states, or all, whose gradient is not handed on; and equations of it that are left at zero."""
    states = on.cell.states
    for chosen in [(state,) for state in states] + ([tuple(states)] if len(states) > 1 else []):
        about = tuple(f"{state}_prev" for state in chosen)
        names = " and ".join(text(on.derivation.of(name).target) for name in about)
        words = f"{names} {'are' if len(chosen) > 1 else 'is'} not handed on to the step before"
        # The likeliest mistake of all: a loop body that ends without the assignment.
        yield Mistake(TAG, words, 0, effects=(CarryCut(frozenset(chosen)),), about=about)
        yield Mistake(TAG, words, 1, effects=(CarryKept(frozenset(chosen)),), about=about)
    yield from (term.mistake(TAG) for term in dropped_terms(on) if term.cuts_path)
    if on.timed:
        yield from dropped_carries(on, TAG)


MISTAKE = MistakeClass(
    TAG,
    "nothing, or not everything, is carried back from one step to the one before",
    precedence=10,
    likely=likely,
    wrong=(
        Example("rnn", "dh = dhs[t] + carry", "dh = dhs[t] + (carry if t == len(x) - 1 else 0)"),
        Example("lstm", "+ dc_next\n", "+ (dc_next if t == len(x) - 1 else 0)\n"),
    ),
    right=(
        Example("rnn", "carry = da @ U", "carry = (U.T @ da.T).T"),
        Example("lstm", "dc_next = dc * f[t]", "dc_next = f[t] * dc"),
    ),
)
