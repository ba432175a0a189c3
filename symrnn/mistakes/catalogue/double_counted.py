"""Terms that are counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symrnn.algebra import nodes
from symrnn.arrays import Array
from symrnn.mistakes.catalogue.missing_accumulation import in_sums
from symrnn.mistakes.dropping import partial_adjoints
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import OtherUse, other_uses
from symrnn.mistakes.site import MistakeSite, called
from symrnn.printers import text

TAG = "double-counted"


def twice(value: Array) -> Array:
    """Twice a cotangent."""
    return 2 * value


def twice_before_last(value: Array) -> Array:
    """Twice the cotangent of every step but the last."""
    return np.concatenate([value[:1], 2 * value[1:-1], value[-1:]])


def doubled(t: int, steps: int) -> int:
    """What was summed before is doubled at every step; the loop runs back."""
    return int(2**t)


_USES = (
    OtherUse(twice, "the cotangent of {} is counted twice", 5, single=True),
    OtherUse(twice_before_last, "the cotangent of {} is counted twice but at the last step", 6),
)


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A cotangent, a part of an adjoint, a term, or a sum so far that is counted twice."""
    yield from other_uses(on, TAG, _USES)
    for position, number, term, old, _, part in partial_adjoints(on):
        words = f"counts {called(part)} twice in {text(old)}"
        edits = (Edit(position, number, term.xreplace({old: nodes.add(old, part)})),)
        yield Mistake(TAG, words, 6, edits, families=(("part", words),))
    yield from terms_scaled(on, TAG, "counts {} twice", 2, 4)
    yield from in_sums(on, TAG, ((doubled, "is doubled at each step before the next term is added"),))


def terms_scaled(on: MistakeSite, tag: str, words: str, factor: Any, rank: int) -> Iterator[Mistake]:
    """Each term of the equations times a number."""
    for position, line, number, term in on.terms():
        edits = (Edit(position, number, nodes.scale(factor, term)),)
        families = ((tag, on.group(line)), (tag, line.of))
        yield Mistake(tag, words.format(text(term)), rank, edits, families=families)


MISTAKE = MistakeClass(
    TAG,
    "a term is counted twice",
    precedence=130,
    likely=likely,
    wrong=(
        Example("rnn", "dh = dhs[t] + carry", "dh = 2 * dhs[t] + carry"),
        Example("rnn", "db += da.sum(axis=0)", "db += da.sum(axis=0) + db"),
    ),
    right=(
        Example("rnn", "dh = dhs[t] + carry", "dh = 2 * (dhs[t] + carry) / 2"),
        Example("rnn", "db += da.sum(axis=0)", "db += (da + da).sum(axis=0) / 2"),
    ),
)
