"""What is noticed of somebody's functions by calling them again: randomness, what they keep, integers as numbers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.callables.comparison import gap_between, same_state
from symrnn.callables.invocation import SubjectError, refuse
from symrnn.callables.trees import Tree, leaves

if TYPE_CHECKING:
    from symrnn.callables.subject import Subject

Array = Any
_ROUNDING = 1e-12
_COARSE = 1e-5


def compare_twice(subject: Subject) -> None:
    """Call forward again.

    Raises:
        SubjectError: it gives something else: it draws random numbers, or keeps something.
    """
    state, legacy = np.random.get_state(), random.getstate()
    again = subject.outputs()
    drawn = not same_state(state, np.random.get_state()) or legacy != random.getstate()
    largest, where = 0.0, ""
    for path, array in subject.answer.items():
        twin = again.get(path)
        if twin is None or twin.shape != array.shape:
            largest, where = np.inf, path
            continue
        gap = float(np.max(np.abs(array - twin), initial=0)) / max(1.0, float(np.max(np.abs(array), initial=0)))
        largest, where = max((largest, where), (gap, path))
    if not largest <= max(_ROUNDING, 4 * subject.epsilon if subject.epsilon > _ROUNDING else 0):
        kind, why = _DRAWN if drawn else _KEPT
        raise refuse(kind, f"two calls of forward with the same inputs differ by {largest:.2g} in {where}: {why}")


_DRAWN = (
    "not-deterministic",
    "it draws from a global random generator\n  seed it inside forward, or pass the draws",
)
_KEPT = ("state-kept", "it keeps something from call to call, or draws random numbers\n  let it start afresh")


def note_integers(subject: Subject, inputs: Mapping[str, Tree]) -> None:
    """Say which arrays of integers are used as numbers, not as indices."""
    for name, tree in inputs.items():
        for path, leaf in leaves(name, tree).items():
            if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "iu" and _is_number(subject, path, leaf):
                subject.note(
                    "integer-array",
                    f"{path} is an array of integers and used as numbers: integer arrays are not differentiated; "
                    "give floats",
                )


def _is_number(subject: Subject, path: str, leaf: Array) -> bool:
    try:
        answer = subject.outputs({path: leaf.astype(np.float64)})
    except SubjectError:
        return False
    return gap_between(subject.answer, answer)[0] < _COARSE
