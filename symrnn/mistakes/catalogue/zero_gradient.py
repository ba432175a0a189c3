"""Gradients that are never computed."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import GradientScaled
from symrnn.mistakes.site import MistakeSite

TAG = "zero-gradient"


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """Zeros for the gradient of a parameter or of an input, whatever its equation has."""
    for line in on.program.lines:
        if line.role in ("parameter", "input"):
            # As a multiple: zeros are 0 times what is right, and nothing else of the run changes.
            effect = GradientScaled(((line.of.name, 0.0),))
            words = "is never computed: zeros are returned"
            yield Mistake(TAG, words, 2, effects=(effect,), families=(on.group(line),), about=(line.of.name,))


MISTAKE = MistakeClass(
    TAG,
    "a gradient is never computed, not added up, or not returned",
    precedence=310,
    likely=likely,
    wrong=(
        Example("rnn", "dW += da.T @ x[t]", "da.T @ x[t]", line="dW, dU, db = np.zeros_like(W)"),
        Example("rnn", "db += da.sum(axis=0)", "db = db + 0 * da.sum(axis=0)"),
    ),
    right=(
        Example("rnn", "dW += da.T @ x[t]", "dW = da.T @ x[t] + dW"),
        Example("rnn", "db += da.sum(axis=0)", "db = db + np.ones(len(da)) @ da"),
    ),
)
