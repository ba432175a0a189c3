"""Factors that are too many."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import factors, places
from symrnn.mistakes.backward_pass import AdjointEquation
from symrnn.mistakes.catalogue.derivative_at_output import at_output
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite, has_slope, in_brackets, put_at
from symrnn.mistakes.slope_places import slope_places
from symrnn.mistakes.swaps import Swap, other_adjoints, swapped, swapped_in_one_place
from symrnn.printers import text

TAG = "extra-factor"


def _swaps(on: MistakeSite, line: AdjointEquation, old: Variable) -> Iterator[Swap]:
    """An adjoint for that of what comes before it."""
    for other in other_adjoints(on, line, old):
        if other.added is not None:
            words = (
                f"has {text(other.new)} in place of {text(old)}, with the factor {in_brackets(other.added)} too many"
            )
            yield Swap(other.new, words, 4)


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A derivative that is there twice, or in part; an adjoint of what comes after it."""
    for at in slope_places(on):
        if len(at.slope.factors) > 1:
            for part in at.slope.factors:
                words = f"has the factor {in_brackets(part)} twice"
                yield at.mistake(TAG, words, 5, nodes.hadamard(at.place.node, part), ("again", part))
        words = f"has the factor {at.shown} twice"
        yield at.mistake(TAG, words, 7, nodes.hadamard(at.place.node, at.whole), "twice")
    yield from swapped(on, TAG, _swaps)


def wide(on: MistakeSite) -> Iterator[Mistake]:
    """Any value, complement or derivative as a factor of a term, or of what a matrix multiplies."""
    unnamed = _unnamed(on)
    for position, _line, number, term in on.terms():
        yield from _of_values(on, position, number, term, unnamed)
        yield from _inside_products(on, position, number, term, unnamed)
        for slope in on.slopes:
            if slope.factors[0].shape == term.shape and not has_slope(term, slope):
                extra = nodes.scale(slope.number, nodes.hadamard(*slope.factors))
                words = f"has a factor too many, {in_brackets(extra)}"
                yield Mistake(TAG, words, 7, (Edit(position, number, nodes.hadamard(term, extra)),))
                other = at_output(slope)
                words = f"has a factor too many, {in_brackets(other)}"
                yield Mistake(TAG, words, 9, (Edit(position, number, nodes.hadamard(term, other)),))
    yield from swapped_in_one_place(on, TAG, _swaps)


def _of_values(on: MistakeSite, position: int, number: int, term: Expr, unnamed: list[Expr]) -> Iterator[Mistake]:
    for extra in (*on.values, *unnamed):
        if extra.shape == term.shape and extra.shape != (1, 1):
            words = f"has a factor too many, {text(extra)}"
            edits = (Edit(position, number, nodes.hadamard(term, extra)),)
            rank = 6 if extra in unnamed and extra in factors(term)[1] else 8
            yield Mistake(TAG, words, rank, edits, families=(("extra", extra),))
            complement = nodes.subtract(nodes.ones(extra.shape), extra)
            words = f"has a factor too many, ({text(complement)})"
            yield Mistake(TAG, words, 8, (Edit(position, number, nodes.hadamard(term, complement)),))


def _unnamed(on: MistakeSite) -> list[Expr]:
    """The values of activations that have no name of their own, such as tanh(c_t)."""
    every = (place for equation in on.derivation.forward for place in places(equation.value))
    found = {place.node for place in every if place.above and isinstance(place.node, nodes.Act)}
    return sorted(found, key=text)


def _inside_products(on: MistakeSite, position: int, number: int, term: Expr, unnamed: list[Expr]) -> Iterator[Mistake]:
    """A factor too many in what a matrix multiplies."""
    line = on.program.lines[position]
    for place in places(term):
        node = place.node
        if place.above and isinstance(place.above[-1], nodes.Product | nodes.Transposed) and node.shape[1] == 1:
            slopes = [nodes.scale(s.number, nodes.hadamard(*s.factors)) for s in on.slopes]
            for extra in (*on.values, *unnamed, *slopes):
                if extra.shape == node.shape and extra != node:
                    words = f"has a factor too many, {in_brackets(extra)} at {text(node)}"
                    edits = put_at(position, number, place, nodes.hadamard(node, extra))
                    families = (("inside", extra, node, line.role), ("inside", extra, line.of))
                    yield Mistake(TAG, words, 7, edits, families=families)


MISTAKE = MistakeClass(
    TAG,
    "a term has a factor too many",
    precedence=70,
    likely=likely,
    wide=wide,
    wrong=(
        Example("gru", "daz = dz * z[t] * (1 - z[t])", "daz = dz * z[t] ** 2 * (1 - z[t])"),
        Example("rnn", "da = dh * (1 - h[t + 1] ** 2)", "da = dh * (1 - h[t + 1] ** 2) ** 2"),
    ),
    right=(
        Example("gru", "daz = dz * z[t] * (1 - z[t])", "daz = dz * z[t] ** 2 * (1 / z[t] - 1)"),
        Example("rnn", "da = dh * (1 - h[t + 1] ** 2)", "da = dh * (1 - h[t + 1]) * (1 + h[t + 1])"),
    ),
)
