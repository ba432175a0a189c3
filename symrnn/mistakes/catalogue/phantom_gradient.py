"""Gradients of what the forward pass does not use."""

from __future__ import annotations

from collections.abc import Sequence

from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.printers import text

TAG = "phantom-gradient"


def of_unread(program: BackwardPass, edits: Sequence[Edit]) -> Mistake:
    """The mistake of a backward pass that has terms for parameters that its cell does not read.

    Args:
        program: the right backward pass.
        edits: what the terms are.
    """
    lines = [program.lines[edit.line] for edit in edits]
    names = ", ".join(dict.fromkeys(text(line.of) for line in lines))
    words = f"there is a gradient of {names}, which the forward pass does not use"
    return Mistake(TAG, words, 3, tuple(edits), about=tuple(line.of.name for line in lines))


MISTAKE = MistakeClass(
    TAG,
    "there is a gradient of something that the forward pass does not use",
    precedence=290,
    whole_clause=True,
    found_by="the backward pass of a neighbour that has more parameters, or an array that forward does not read",
    wrong=(
        Example("rnn", '"b": db, "h_prev": carry', '"b": db, "h_prev": carry, "unread": db'),
        Example("rnn", '"b": db, "h_prev": carry', '"b": db, "h_prev": carry, "unread": b'),
    ),
    right=(
        Example("rnn", '"b": db, "h_prev": carry', '"b": db, "h_prev": carry, "unread": 0 * db'),
        Example("rnn", '"b": db, "h_prev": carry', '"b": db, "h_prev": carry, "unread": np.zeros_like(b)'),
    ),
)
