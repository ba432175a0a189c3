"""Gradients that are a number times the right ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import S

from symrnn.mistakes.catalogue.double_counted import terms_scaled
from symrnn.mistakes.measured import Measured, common_ratios
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import GradientScaled
from symrnn.mistakes.site import MistakeSite

TAG = "wrong-scale"


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A term that counts half: a number that people do write, as of a mean of squares."""
    return terms_scaled(on, TAG, "has {} half", S.Half, 6)


def multiples(on: MistakeSite, measured: Sequence[Measured]) -> Iterator[Mistake]:
    """Gradients that are a constant times the right ones, with the constant that was measured."""
    for ratio, names in common_ratios(measured).items():
        words = f"is {ratio:.6g} times what it should be"
        for name in names:
            yield Mistake(TAG, words, 5, effects=(GradientScaled(((name, ratio),)),), about=(name,))
        effect = GradientScaled(tuple((name, ratio) for name in names))
        yield Mistake(TAG, words, 6, effects=(effect,), about=names)


MISTAKE = MistakeClass(
    TAG,
    "a gradient is a constant times the right one",
    precedence=140,
    likely=likely,
    multiples=multiples,
    wrong=(
        Example("rnn", "dx[t] = da @ W", "dx[t] = 3 * da @ W"),
        Example("rnn", "dU += da.T @ h[t]", "dU += da.T @ h[t] / 2"),
    ),
    right=(
        Example("rnn", "dx[t] = da @ W", "dx[t] = (3 * da) @ (W / 3)"),
        Example("rnn", "dU += da.T @ h[t]", "dU += da.T @ h[t] / 2 * 2"),
    ),
)
