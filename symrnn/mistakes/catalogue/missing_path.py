"""Terms that are missing in the gradient of a variable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from symrnn.algebra import nodes
from symrnn.algebra.places import places
from symrnn.arrays import Array
from symrnn.mistakes.dropping import dropped_carries, dropped_terms, inner_adjoints, is_cotangent, partial_adjoints
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import InitialGradient
from symrnn.mistakes.site import MistakeSite, called, in_brackets, in_slope, put_at
from symrnn.printers import text

TAG = "missing-path"


def no_gradient(run: Any, state: str, late: Any) -> Array:
    """Zeros in place of the gradient of an initial state."""
    return np.zeros_like(run.handed[state])


@dataclass(frozen=True)
class InitialGradientLost(InitialGradient):
    """The gradient of an initial state is left at zero, which a pass over a single step can do as well."""

    between_steps: ClassVar[bool] = False


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """An equation without one of its terms, or with one alone; an adjoint in part; an initial state's gradient."""
    for term in dropped_terms(on):
        if not term.cuts_path:
            yield term.mistake(TAG)
        yield from _in_brackets(on, term.position, term.number)
    # In a single step nothing is handed on to anybody: there it is a gradient that is missing.
    if not on.timed:
        yield from dropped_carries(on, TAG)
    yield from _partial(on)
    yield from _inner_parts(on)
    yield from _single_terms(on)
    for state in on.cell.states:
        before = text(on.cell[f"{state}_prev"])
        words = f"zeros are returned as the gradient of the initial state, {before} at step 0"
        effect = InitialGradientLost(((state, no_gradient),))
        yield Mistake(TAG, words, 3, effects=(effect,), families=(("returned", "zero"),), about=(f"{state}_prev",))


def _in_brackets(on: MistakeSite, position: int, number: int) -> Iterator[Mistake]:
    """A sum within a term without one of its summands."""
    for place in places(on.program.lines[position].terms[number]):
        if not isinstance(place.node, nodes.Sum) or in_slope(on, place):
            continue
        for gone in place.node.args:
            rest = nodes.add(*(part for part in place.node.args if part != gone))
            if isinstance(rest, nodes.Ones):  # the same as no bracket at all
                continue
            words = f"lacks {text(gone)} in {in_brackets(place.node)}"
            yield Mistake(TAG, words, 3, put_at(position, number, place, rest))


def _partial(on: MistakeSite) -> Iterator[Mistake]:
    """A part of an adjoint where the whole of it should be."""
    for position, number, term, old, parts, part in partial_adjoints(on):
        rest = nodes.add(*(other for other in parts if other != part))
        changes = [(rest, f"leaves {called(part)} out of {text(old)}")]
        if len(parts) > 2:
            changes.append((part, f"has {called(part)} in place of all of {text(old)}"))
        for new, words in changes:
            edits = (Edit(position, number, term.xreplace({old: new})),)
            yield Mistake(TAG, words, 4, edits, families=(("part", words),))


def _inner_parts(on: MistakeSite) -> Iterator[Mistake]:
    """A part of the adjoint that a pre-activation's is made of, in one of the equations that read this."""
    for position, number, term, old, product, inner, parts in inner_adjoints(on):
        for part in parts:
            rest = nodes.add(*(other for other in parts if other != part))
            new = term.xreplace({old: product.xreplace({inner: rest})})
            words = f"leaves {called(part)} out of {text(inner)} in {text(old)}"
            yield Mistake(TAG, words, 5, (Edit(position, number, new),), families=(("inner", words),))


def _single_terms(on: MistakeSite) -> Iterator[Mistake]:
    """A gradient with a single one of its terms."""
    for position, line in enumerate(on.program.lines):
        terms = enumerate(line.terms)
        present = [number for number, term in terms if not nodes.is_zero(term) and not is_cotangent(term)]
        # Of two terms the other one is missing, which is said above.
        for kept in present if len(present) > 2 else ():
            words = f"has the term {called(line.terms[kept])} only"
            edits = tuple(Edit(position, number, None) for number in present if number != kept)
            yield Mistake(TAG, words, 3, edits)


MISTAKE = MistakeClass(
    TAG,
    "a variable's gradient lacks one of its terms",
    precedence=40,
    likely=likely,
    wrong=(
        Example("gru", " + drh * r[t] + dar", " + dar"),
        Example("gru", 'dx[t] = dar @ p["W_r"] + daz', "dx[t] = daz"),
    ),
    right=(
        Example("gru", 'drh * r[t] + dar @ p["U_r"]', 'dar @ p["U_r"] + drh * r[t]'),
        Example("gru", 'dx[t] = dar @ p["W_r"] + daz @ p["W_z"]', 'dx[t] = daz @ p["W_z"] + dar @ p["W_r"]'),
    ),
)
