"""Gradients that are right and are returned in the places of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from symrnn.algebra import nodes
from symrnn.findings.findings import Diagnosis
from symrnn.mistakes.line_finder import LineFinder
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite
from symrnn.printers import text

TAG = "gradients-exchanged"


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """The gradients of two initial states, each returned for the other."""
    # A state whose value at t-1 no equation reads has no terms, and there is nothing to exchange.
    carries = [(position, line) for position, line in enumerate(on.program.lines) if line.role == "carry"]
    carries = [(position, line) for position, line in carries if on.program.start[position].terms]
    for (p, a), (q, b) in combinations(carries, 2):
        if a.of.shape == b.of.shape:
            edits = (*_as_other(on, p, q), *_as_other(on, q, p))
            words = f"{text(a.target)} and {text(b.target)} at step 0 are returned for one another"
            yield Mistake(TAG, words, 4, edits, scope="first")


def _as_other(on: MistakeSite, position: int, other: int) -> Iterator[Edit]:
    """The edits that give a line the terms of another."""
    # All of its terms go, and the sum of the other's comes in place of the first.
    yield from (Edit(position, number, None) for number in range(1, len(on.program.start[position].terms)))
    yield Edit(position, 0, nodes.add(*on.program.start[other].terms))


def misplaced(places: Mapping[str, str]) -> Diagnosis:
    """The diagnosis where gradients were seen in the places of others; this is exact, and needs no cell.

    Args:
        places: input -> the one in whose place its gradient is.
    """
    told = "; ".join(f"what is returned for {other} is the gradient of {name}" for name, other in places.items())
    return Diagnosis(TAG, None, "", "", tuple(places), 0.0, f"Gradients are exchanged: {told}.")


MISTAKE = MistakeClass(
    TAG,
    "gradients are returned in the places of others",
    precedence=240,
    likely=likely,
    find_line=LineFinder.nowhere,  # every line is right but the return
    whole_clause=True,
    wrong=(
        Example("lstm", '"h_prev": dh_next, "c_prev": dc_next', '"h_prev": dc_next, "c_prev": dh_next', line=None),
        Example("lstm", "    return {", "    dh_next, dc_next = dc_next, dh_next\n    return {", line=None),
    ),
    right=(
        Example("lstm", '"h_prev": dh_next, "c_prev": dc_next', '"c_prev": dc_next, "h_prev": dh_next'),
        Example("lstm", "    return {", "    dc_next, dh_next = dc_next, dh_next\n    return {"),
    ),
)
