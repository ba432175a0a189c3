"""Gradients that are not summed over all steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from symrnn.mistakes.backward_pass import AdjointEquation
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.line_finder import LineFinder, LineRule
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import TermsCounted
from symrnn.mistakes.site import MistakeSite

Count = Callable[[int, int], int]
TAG = "missing-accumulation"


def first_only(t: int, steps: int) -> int:
    """The term of step 0: `=` for `+=` in a loop that runs back."""
    return t == 0


def last_only(t: int, steps: int) -> int:
    """The term of the last step."""
    return t == steps - 1


def not_first(t: int, steps: int) -> int:
    """All terms but that of step 0."""
    return t != 0


def not_last(t: int, steps: int) -> int:
    """All terms but that of the last step."""
    return t != steps - 1


_COUNTS: tuple[tuple[Count, str], ...] = (
    (first_only, "is the term of step 0 only, not the sum over all steps"),
    (last_only, "is the term of the last step only, not the sum over all steps"),
    (not_first, "lacks the term of step 0"),
    (not_last, "lacks the term of the last step"),
)


@dataclass(frozen=True)
class StepsSkipped(Effect):
    """The backward loop leaves out some steps.

    Attributes:
        steps: which: 0 for the first, -1 for the last.
    """

    steps: frozenset[int]
    between_steps: ClassVar[bool] = True
    about_carrying: ClassVar[bool] = True
    whole_run: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return LineFinder.nowhere

    def runs(self, t: int, steps: int) -> bool:
        """Whether step t is none of them."""
        return t not in {step % steps for step in self.steps}


def in_sums(on: MistakeSite, tag: str, counts: Sequence[tuple[Count, str]]) -> Iterator[Mistake]:
    """The gradient of each parameter, with terms that do not count once each."""
    for line in on.program.lines:
        if line.role == "parameter":
            for count, words in counts:
                families = (("sums", count, on.group(line)), ("sums", count, is_matrix(line)), ("sums", count))
                effect = TermsCounted(((line.of.name, count),))
                yield Mistake(tag, words, 3, effects=(effect,), families=families, about=(line.of.name,))


def is_matrix(line: AdjointEquation) -> bool:
    """Whether a line gives the gradient of a matrix; people treat weights alike, and biases."""
    return bool(line.of.shape[1] != 1)


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A sum that lacks the terms of some steps, and a loop that leaves out a step."""
    yield from in_sums(on, TAG, _COUNTS)
    for step, which in ((0, "step 0"), (-1, "the last step")):
        words = f"the loop over the steps leaves out {which}"
        yield Mistake(TAG, words, 3, effects=(StepsSkipped(frozenset({step})),))


MISTAKE = MistakeClass(
    TAG,
    "a gradient is not summed over all time steps",
    precedence=210,
    likely=likely,
    wrong=(
        Example("rnn", "dW += da.T @ x[t]", "dW = da.T @ x[t]"),
        Example("rnn", "db += da.sum(axis=0)", "db += da.sum(axis=0) * (t > 0)"),
    ),
    right=(
        Example("rnn", "dW += da.T @ x[t]", "dW = dW + da.T @ x[t]"),
        Example("rnn", "db += da.sum(axis=0)", "db += da.sum(axis=0) * (t >= 0)"),
    ),
)
