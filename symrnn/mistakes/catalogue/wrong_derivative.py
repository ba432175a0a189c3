"""Derivatives that are those of another function, or mistyped."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr
from symrnn.algebra.places import factors, places, without
from symrnn.calculus.rules import on_expressions, slopes
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite, in_brackets
from symrnn.mistakes.slope import Slope
from symrnn.mistakes.slope_places import others_in_place, slope_places

TAG = "wrong-derivative"


@lru_cache(maxsize=1000)
def _others(slope: Slope) -> tuple[tuple[str, Expr], ...]:
    return tuple(_other_functions(slope)) + tuple(("mistyped", one) for one in dict.fromkeys(_mistyped(slope.whole)))


def _other_functions(slope: Slope) -> Iterator[tuple[str, Expr]]:
    for other in (row.name for row in FUNCTIONS.values() if row.usual):
        if other != slope.function:
            named = nodes.act(other, slope.argument)
            # With the value at hand, as from 1 - f² for f (1 - f); and with what the other function would have given.
            yield f"that of {other}", slopes(nodes.act(other, slope.of), slope.of)[0]
            yield f"that of {other}", slopes(named, named)[0]
    for words, wrong in FUNCTIONS[slope.function].wrong_slopes:
        yield words, on_expressions(wrong, slope.argument, slope.of)


def _mistyped(slope: Expr) -> Iterator[Expr]:
    """A sign or an exponent that is wrong, or a factor that is squared."""
    for place in places(slope):
        if isinstance(place.node, nodes.Power) and int(place.node.args[1]) == 2:
            yield place.put(place.node.args[0])
        if isinstance(place.node, nodes.Sum):
            bare = nodes.add(*(_unsquared(term) for term in place.node.args))
            if bare != place.node:
                yield place.put(nodes.power(bare, 2))
            first, *rest = place.node.args
            yield place.put(nodes.add(first, *(nodes.negate(term) for term in rest)))


def _unsquared(term: Expr) -> Expr:
    number, (part, *others) = factors(term)
    if not others and isinstance(part, nodes.Power) and int(part.args[1]) == 2:
        return nodes.scale(number, part.args[0])
    return term


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """Each derivative, taken for that of another function, or without a part of it: o for o (1 - o)."""
    for at in slope_places(on):
        for index, part in enumerate(at.slope.factors if len(at.slope.factors) > 1 else ()):
            left = nodes.scale(at.slope.number, without(at.whole, (part,)) or at.whole)
            words = f"loses the factor {in_brackets(part)}"
            yield at.mistake(TAG, words, 3, nodes.hadamard(at.rest, left), index, index)
    yield from others_in_place(on, TAG, _others)


MISTAKE = MistakeClass(
    TAG,
    "the derivative is that of another function, or a part of it is missing",
    precedence=100,
    likely=likely,
    wrong=(
        Example("rnn", "(1 - h[t + 1] ** 2)", "h[t + 1] * (1 - h[t + 1])"),
        Example("gru", "(1 - n[t] ** 2)", "(1 + n[t] ** 2)"),
        Example("gru", "dar = dr * r[t] * (1 - r[t])", "dar = dr * r[t]"),
    ),
    right=(
        Example("rnn", "(1 - h[t + 1] ** 2)", "(1 + h[t + 1]) * (1 - h[t + 1])"),
        Example("gru", "(1 - n[t] ** 2)", "(1 - n[t] * n[t])"),
    ),
)
