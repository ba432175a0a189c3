"""Gradients that are means, where the loss is a sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from symrnn.algebra.nodes import is_scalar
from symrnn.arrays import Array
from symrnn.mistakes.catalogue.missing_accumulation import is_matrix
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import GradientScaled
from symrnn.mistakes.site import MistakeSite

TAG = "mean-for-sum"


def over_batch(batch: int, steps: int) -> float:
    """1/N."""
    return 1 / batch


def over_steps(batch: int, steps: int) -> float:
    """1/T."""
    return 1 / steps


def over_both(batch: int, steps: int) -> float:
    """1/(N T)."""
    return 1 / (batch * steps)


_MEANS = (
    (over_batch, "is the mean over the batch, not the sum", 3),
    (over_steps, "is the mean over the steps, not the sum", 3),
    (over_both, "is the mean over the batch and the steps, not the sum", 4),
)


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """The gradient of each variable as a mean."""
    for line in on.program.lines:
        if line.role not in ("parameter", "input", "carry"):
            continue
        for factor, words, rank in _MEANS:
            families = (
                ("means", factor, on.group(line)),
                ("means", factor, line.role, is_matrix(line)),
                ("means", factor, line.role),
            )
            effect = GradientScaled(((line.of.name, factor),))
            yield Mistake(TAG, words, rank, effects=(effect,), families=families, about=(line.of.name,))


def over_examples(steps: int, batch: int) -> int:
    """N."""
    return batch


def over_time(steps: int, batch: int) -> int:
    """T."""
    return steps


def over_all(steps: int, batch: int) -> int:
    """N T."""
    return steps * batch


_FORGOTTEN = (
    (over_examples, "the loss is the mean over the examples, and the gradient is that of their sum", 3),
    (over_time, "the loss is the mean over the steps, and the gradient is that of their sum", 3),
    (over_all, "the loss is the mean over examples and steps, and the gradient is that of their sum", 4),
)


@dataclass(frozen=True)
class MeanForgotten(Effect):
    """The loss's cotangent without the factor of a mean.

    Attributes:
        count: how many are averaged, of the numbers of steps and examples.
    """

    whole_run: ClassVar[bool] = True

    count: Callable[[int, int], int]

    def cotangents(self, output: str, value: Array) -> Array:
        """All of them, times the number."""
        return value * self.count(len(value) - 1, value.shape[1])


def _losses(on: MistakeSite) -> list[str]:
    """The states that are the loss of a step: scalars that the next step does not read."""
    carried = {line.of.base for line in on.program.lines if line.role == "carry" and line.terms}
    return [name for name in on.cell.states if is_scalar(on.cell[name]) and name not in carried]


def wide(on: MistakeSite) -> Iterator[Mistake]:
    """The mean of a loss forgotten: everything is larger by the number of examples, or steps."""
    if not _losses(on):
        return
    # what the readout gives is the last thing before the states whose adjoint a program computes
    lines = list(on.program.lines)
    first = next(place for place, line in enumerate(lines) if line.of.name == on.cell.states[0])
    about = lines[first - 1 if first and lines[first - 1].role == "intermediate" else first].of.name
    for count, words, rank in _FORGOTTEN:
        yield Mistake(TAG, words, rank, effects=(MeanForgotten(count),), about=(about,))


MISTAKE = MistakeClass(
    TAG,
    "a gradient is the mean over the batch, or over time, in place of the sum, or the sum where the loss is a mean",
    precedence=220,
    likely=likely,
    wide=wide,
    wrong=(
        Example("rnn", "db += da.sum(axis=0)", "db += da.mean(axis=0)"),
        Example("rnn", "dU += da.T @ h[t]", "dU += da.T @ h[t] / len(da)"),
    ),
    right=(
        Example("rnn", "db += da.sum(axis=0)", "db += da.mean(axis=0) * len(da)"),
        Example("rnn", "dU += da.T @ h[t]", "dU += (da / len(da)).T @ h[t] * len(da)"),
    ),
)
