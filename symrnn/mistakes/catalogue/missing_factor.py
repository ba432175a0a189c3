"""Factors that are missing, other than derivatives of activations."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import TermPlace, places, without
from symrnn.mistakes.backward_pass import AdjointEquation
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite, has_slope, in_brackets, put_at, reads_adjoint
from symrnn.mistakes.swaps import Swap, of_preactivation, other_adjoints, swapped, swapped_in_one_place
from symrnn.printers import text

TAG = "missing-factor"


def lost_factors(on: MistakeSite) -> Iterator[tuple[bool, Expr, tuple[Edit, ...]]]:
    """Every product without one of its factors.

    Yields:
        Whether it is the operand of a weight's gradient, in which something else is read then; the factor; the edit.
    """
    for position, line, number, term in on.terms():
        for place in places(term):
            if not isinstance(place.node, nodes.Hadamard):
                continue
            for part in dict.fromkeys(place.node.args):
                of_slope = any(part in slope.factors for slope in on.slopes if has_slope(place.node, slope))
                rest = None if of_slope or reads_adjoint(part) else without(place.node, (part,))
                if rest is not None:
                    inside = any(isinstance(node, nodes.Product) for node in place.above)
                    yield inside and line.role == "parameter", part, put_at(position, number, place, rest)


def _without_matrix(position: int, number: int, place: TermPlace) -> Iterator[Mistake]:
    """A product without its square matrix."""
    scale, product = nodes.coefficient(place.node)
    matrix, *rest = product.args if isinstance(product, nodes.Product) else (product,)
    if rest and matrix.shape[0] == matrix.shape[1] and matrix.shape[0] != 1:
        edits = put_at(position, number, place, nodes.scale(scale, nodes.matmul(*rest)))
        families = (("matrix", matrix), ("matrix", position))
        yield Mistake(TAG, f"loses the factor {text(matrix)}", 5, edits, families=families)


def _swaps(on: MistakeSite, line: AdjointEquation, old: Variable) -> Iterator[Swap]:
    """An adjoint that comes before a factor, for that after it."""
    for other in other_adjoints(on, line, old):
        if other.lost is not None and not of_preactivation(on, old):
            words = f"has {text(other.new)} in place of {text(old)}, without the factor {in_brackets(other.lost)}"
            yield Swap(other.new, words, 4)


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A product without one of its factors, or without its matrix."""
    for position, _, number, term in on.terms():
        for place in places(term):
            if isinstance(place.node, nodes.Product):
                yield from _without_matrix(position, number, place)
    for reads_other, part, edits in lost_factors(on):
        # in the operand of a single weight's gradient it is the wrong operand; in several, a factor missing everywhere
        yield Mistake(
            TAG, f"loses the factor {in_brackets(part)}", 4 + reads_other, edits, families=(("factor", part),)
        )
    yield from swapped(on, TAG, _swaps)


def wide(on: MistakeSite) -> Iterator[Mistake]:
    """The same in one of several places."""
    return swapped_in_one_place(on, TAG, _swaps)


MISTAKE = MistakeClass(
    TAG,
    "a term lacks a factor that is not an activation's derivative",
    precedence=110,
    likely=likely,
    wide=wide,
    wrong=(
        Example("gru", "dn = dh * z[t]", "dn = dh"),
        Example("gru", "drh * r[t] +", "drh +"),
    ),
    right=(
        Example("gru", "dn = dh * z[t]", "dn = dh - dh * (1 - z[t])"),
        Example("gru", "drh * r[t] +", "r[t] * drh +"),
    ),
)
