"""Signs that are wrong."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.algebra import nodes
from symrnn.algebra.places import places
from symrnn.arrays import Array
from symrnn.mistakes.catalogue.double_counted import terms_scaled
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import OtherUse, other_uses
from symrnn.mistakes.site import MistakeSite, in_brackets, in_slope, put_at

TAG = "sign"


def negative(value: Array) -> Array:
    """The negative of a cotangent."""
    return -value


_USES = (OtherUse(negative, "the cotangent of {} has the opposite sign", 5, single=True),)


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A cotangent, a term, or a summand in a bracket with the opposite sign."""
    yield from other_uses(on, TAG, _USES)
    yield from terms_scaled(on, TAG, "has {} with the opposite sign", -1, 4)
    for position, _, number, term in on.terms():
        for place in places(term):
            # In a derivative it is a derivative mistyped.
            if isinstance(place.node, nodes.Sum) and not in_slope(on, place):
                for index, part in enumerate(place.node.args):
                    args = [*place.node.args]
                    args[index] = nodes.negate(part)
                    new = nodes.add(*args)
                    words = f"has {in_brackets(new)} in place of {in_brackets(place.node)}"
                    yield Mistake(TAG, words, 5, put_at(position, number, place, new))


MISTAKE = MistakeClass(
    TAG,
    "a term has the wrong sign",
    precedence=120,
    likely=likely,
    wrong=(
        Example("rnn", "carry = da @ U", "carry = -da @ U"),
        Example("gru", "(n[t] - h[t])", "(n[t] + h[t])"),
    ),
    right=(
        Example("rnn", "carry = da @ U", "carry = -da @ -U"),
        Example("gru", "(n[t] - h[t])", "-(h[t] - n[t])"),
    ),
)
