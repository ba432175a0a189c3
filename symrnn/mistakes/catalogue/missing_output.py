"""The cotangent of an output that is left out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symrnn.arrays import Array
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import OtherUse, at_last, other_uses, unused
from symrnn.mistakes.site import MistakeSite

TAG = "missing-output"


def not_at_last(value: Array) -> Array:
    """Nothing at the last step."""
    return np.concatenate([value[:-1], np.zeros_like(value[-1:])])


def not_at_first(value: Array) -> Array:
    """Nothing at step 0."""
    kept: Array = value * (np.arange(len(value)) != 1).reshape(-1, 1, 1, 1)
    return kept


_USES = (
    OtherUse(unused, "the cotangent of {} is not used", 1, single=True),
    OtherUse(at_last, "the cotangent of {} is used at the last step only", 3),
    OtherUse(not_at_last, "the cotangent of {} is not used at the last step", 4),
    OtherUse(not_at_first, "the cotangent of {} is not used at step 0", 4),
)


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """The cotangent of each output, left out at some steps or at all."""
    return other_uses(on, TAG, _USES)


MISTAKE = MistakeClass(
    TAG,
    "the cotangent of an output is not used",
    precedence=30,
    likely=likely,
    wrong=(
        Example("rnn", 'carry = last["h"]', 'carry = np.zeros_like(last["h"])'),
        Example("lstm", "dh = dhs[t] + dh_next", "dh = dh_next"),
    ),
    right=(
        Example("rnn", "dh = dhs[t] + carry", "dh = carry + dhs[t]"),
        Example("rnn", 'carry = last["h"]', 'carry = 1 * last["h"]'),
    ),
)
