"""Derivatives of activations that are written with the output and fed with the argument, as a (1 - a) for σ(a)."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.algebra import nodes
from symrnn.calculus.rules import slopes
from symrnn.mistakes.line_finder import given_otherwise
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite
from symrnn.mistakes.slope import Slope
from symrnn.mistakes.slope_places import others_in_place

TAG = "derivative-at-preactivation"


def _at_argument(slope: Slope) -> list[tuple[str, nodes.Expr]]:
    value = nodes.act(slope.function, slope.argument)
    return [("fed with the argument", slopes(value, slope.argument)[0])]


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """Each derivative, fed with the argument."""
    return others_in_place(on, TAG, _at_argument)


MISTAKE = MistakeClass(
    TAG,
    "a derivative written with the output is fed with the argument",
    precedence=90,
    likely=likely,
    find_line=given_otherwise,
    wrong=(
        Example("rnn", "(1 - h[t + 1] ** 2)", "(1 - (x[t] @ W.T + h[t] @ U.T + b) ** 2)"),
        Example("gru", "(1 - n[t] ** 2)", "(1 - np.arctanh(n[t]) ** 2)"),
    ),
    right=(
        Example("rnn", "(1 - h[t + 1] ** 2)", "(1 - np.tanh(x[t] @ W.T + h[t] @ U.T + b) ** 2)"),
        Example("gru", "(1 - n[t] ** 2)", "(1 - np.tanh(np.arctanh(n[t])) ** 2)"),
    ),
)
