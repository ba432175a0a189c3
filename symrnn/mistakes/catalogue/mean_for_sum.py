"""Gradients that are means, where the loss is a sum."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.mistakes.catalogue.missing_accumulation import is_matrix
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


MISTAKE = MistakeClass(
    TAG,
    "a gradient is the mean over the batch, or over time, in place of the sum",
    precedence=220,
    likely=likely,
    wrong=(
        Example("rnn", "db += da.sum(axis=0)", "db += da.mean(axis=0)"),
        Example("rnn", "dU += da.T @ h[t]", "dU += da.T @ h[t] / len(da)"),
    ),
    right=(
        Example("rnn", "db += da.sum(axis=0)", "db += da.mean(axis=0) * len(da)"),
        Example("rnn", "dU += da.T @ h[t]", "dU += (da / len(da)).T @ h[t] * len(da)"),
    ),
)
