"""Derivatives of activations that are taken at the activation's output, as σ(o) (1 - σ(o)) for o (1 - o)."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.calculus.rules import slopes
from symrnn.mistakes.line_finder import given_otherwise
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite
from symrnn.mistakes.slope import Slope
from symrnn.mistakes.slope_places import others_in_place

TAG = "derivative-at-output"


def at_output(slope: Slope) -> Expr:
    """The derivative as a function of its argument, given the activation's value for that."""
    return slopes(nodes.act(slope.function, slope.of), nodes.act(slope.function, slope.of))[0]


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """Each derivative, taken at the output."""
    return others_in_place(on, TAG, lambda slope: [("taken at the output", at_output(slope))])


MISTAKE = MistakeClass(
    TAG,
    "the derivative of an activation is taken at its output",
    precedence=80,
    likely=likely,
    find_line=given_otherwise,
    wrong=(
        Example("rnn", "(1 - h[t + 1] ** 2)", "(1 - np.tanh(h[t + 1]) ** 2)"),
        Example("gru", "(1 - n[t] ** 2)", "(1 - np.tanh(n[t]) ** 2)"),
    ),
    right=(
        Example("rnn", "(1 - h[t + 1] ** 2)", "(1 - np.tanh(np.arctanh(h[t + 1])) ** 2)"),
        Example("gru", "(1 - n[t] ** 2)", "(1 - np.tanh(np.arctanh(n[t])) ** 2)"),
    ),
)
