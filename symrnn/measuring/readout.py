"""Functions whose outputs are a linear map of their states, `y = h V + b`, seen without that map: with V the identity.

What is linear in an output is told by numbers.  With V the identity and b zero the same two functions compute, and
carry back, what comes before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from symrnn.callables.conventions import names_data, names_start
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject

_SAME = 1e-9
"""How far a linear output may be off, relative to its size; what is not linear is off in the leading digits."""


@dataclass(frozen=True)
class BeforeReadout:
    """A pair of functions without its readout.

    Attributes:
        subject: the functions, with the readout as the identity.
        held: the arrays of the readout, its matrix first.
    """

    subject: Subject
    held: tuple[str, ...]


def find_linear_inputs(subject: Subject) -> tuple[str, ...]:
    """The weights that every output which depends on them is linear in; none where forward returns a single number."""
    if all(np.size(array) == 1 for array in subject.answer.values()):
        return ()
    return tuple(
        name for name in subject.arrays if not (names_data(name) or names_start(name)) and _is_linear(subject, name)
    )


def _is_linear(subject: Subject, name: str) -> bool:
    array = subject.arrays[name]
    # Another stream than the inputs', so that the direction is not the array itself, along which more is linear.
    direction = np.random.default_rng(3).normal(size=array.shape)
    try:
        # Back and forth shows what is even, such as a kink, and three times as far what is odd and curved.
        near, far, twice = (subject.outputs({name: array + size * direction}) for size in (1.0, -1.0, 3.0))
    except SubjectError:
        return False
    moved = False
    for path, base in subject.answer.items():
        first, back, third = (one[path] - base for one in (near, far, twice))
        size = float(np.max(np.abs(first), initial=0)) + float(np.max(np.abs(base), initial=0))
        tolerance = max(_SAME, 100 * subject.epsilon) * size  # sums of some hundred terms in single precision
        if (
            np.max(np.abs(first + back), initial=0) > tolerance
            or np.max(np.abs(third - 3 * first), initial=0) > tolerance
        ):
            return False
        moved = moved or bool(np.max(np.abs(first), initial=0) > tolerance)
    return moved


def _is_last(subject: Subject, name: str, linear: tuple[str, ...]) -> bool:
    """Whether outputs depend on everything else through this matrix alone: with zeros in its place they stay put.

    What is returned beside them and does not depend on the matrix, such as the last states, does not matter.
    """
    rng = np.random.default_rng(5)
    # Without the matrix only what does not go through it is left. The biases of the readout are linear too: they stay
    # where they are.
    none = {name: np.zeros_like(subject.arrays[name])}
    others = {
        path: array + rng.normal(size=array.shape) for path, array in subject.arrays.items() if path not in linear
    }
    try:
        still, moved = subject.outputs(none), subject.outputs(none | others)
    except SubjectError:
        return False
    after = [path for path, array in still.items() if not np.array_equal(array, subject.answer[path])]
    return bool(after) and all(np.array_equal(still[path], moved[path]) for path in after)


def without_readout(subject: Subject, linear: tuple[str, ...]) -> Iterator[BeforeReadout]:
    """The functions without their readout: each matrix that is one as the identity, the biases at zero."""
    for name in linear:
        matrix = subject.arrays[name]
        if matrix.ndim != 2 or not _is_last(subject, name, linear):
            continue
        # States may be multiplied from the left or from the right; the shape that does not fit is refused by forward.
        for hidden, outputs in dict.fromkeys((matrix.shape, matrix.shape[::-1])):  # a square matrix once
            held = {name: np.eye(hidden)}
            for other in linear:
                shape = np.shape(subject.arrays[other])
                if other != name and outputs in shape and sum(size > 1 for size in shape) <= 1:
                    held[other] = np.zeros([hidden if size == outputs else size for size in shape])
            try:
                yield BeforeReadout(subject.holding(held), tuple(held))
            except (SubjectError, KeyError):
                continue
