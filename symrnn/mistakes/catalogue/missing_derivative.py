"""Derivatives of activations that are missing."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.algebra.nodes import Variable
from symrnn.mistakes.backward_pass import AdjointEquation
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite, called, in_brackets
from symrnn.mistakes.slope_places import slope_places
from symrnn.mistakes.swaps import Swap, of_preactivation, other_adjoints, swapped, swapped_in_one_place
from symrnn.printers import text

TAG = "missing-derivative"


def _swaps(on: MistakeSite, line: AdjointEquation, old: Variable) -> Iterator[Swap]:
    """The adjoint of a gate for that of its pre-activation."""
    for other in other_adjoints(on, line, old):
        if other.lost is not None and of_preactivation(on, old):
            words = f"has {text(other.new)} in place of {text(old)}, without the factor {in_brackets(other.lost)}"
            yield Swap(other.new, words, 4)


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A derivative left out, or for one summand; an adjoint of what comes before it."""
    for at in slope_places(on):
        yield at.mistake(TAG, f"loses the factor {at.shown}", 3, at.rest, "all", "all")
        for summand in at.summands(on):
            words = f"has the factor {text(at.whole)} on a part of {text(summand.adjoint)} only"
            words += f", not on {called(summand.bare)}"
            yield summand.mistake(TAG, words, 4, None)
    yield from swapped(on, TAG, _swaps)


def wide(on: MistakeSite) -> Iterator[Mistake]:
    """The same in one of several places."""
    return swapped_in_one_place(on, TAG, _swaps)


MISTAKE = MistakeClass(
    TAG,
    "the factor of an activation's derivative is missing",
    precedence=60,
    likely=likely,
    wide=wide,
    wrong=(
        Example("rnn", "da = dh * (1 - h[t + 1] ** 2)", "da = dh"),
        Example("gru", "dar = dr * r[t] * (1 - r[t])", "dar = dr"),
    ),
    right=(
        Example("rnn", "da = dh * (1 - h[t + 1] ** 2)", "da = dh - dh * h[t + 1] ** 2"),
        Example("gru", "dar = dr * r[t] * (1 - r[t])", "dar = dr * (r[t] - r[t] ** 2)"),
    ),
)
