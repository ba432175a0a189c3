"""What is noticed of somebody's functions by calling them again: randomness, what they keep, integers as numbers.

Works on what they returned; it calls nothing itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.comparison import measure_gap
from symrnn.callables.invocation import SubjectError, refuse
from symrnn.callables.trees import Tree, leaves

_ROUNDING = 1e-12
"""How far two calls with the same arguments may differ: sums in another order, as of several threads, do by less."""
_COARSE = 1e-5
"""How far outputs may differ where integers become floats: a function may compute in single precision with these."""

_STEP = 1e-6
"""How far integers are moved, relative: the outputs then move by about as much where they depend on them smoothly."""
_JUMP = 1e-2
"""What is no smooth change any more: ten thousand times the step."""

_DRAWN = (
    "not-deterministic",
    "it draws from a global random generator\n  seed it inside forward, or pass the draws",
)
_KEPT = ("state-kept", "it keeps something from call to call, or draws random numbers\n  let it start afresh")


class RandomState:
    """The states of the global generators, at the time when it is made."""

    def __init__(self) -> None:
        self._numpy: Any = np.random.get_state()
        self._python = random.getstate()

    def is_current(self) -> bool:
        """Whether nothing was drawn since."""
        one: Any = self._numpy
        two: Any = np.random.get_state()
        return bool(np.array_equal(one[1], two[1]) and one[2:] == two[2:]) and self._python == random.getstate()


def check_repeated(answer: Arrays, again: Arrays, epsilon: float, drawn: bool) -> None:
    """Compare what two calls of forward gave.

    Args:
        answer: the first call's outputs.
        again: the second call's.
        epsilon: the rounding unit that forward computes with.
        drawn: whether a global generator was used by the second call.

    Raises:
        SubjectError: they differ: forward draws random numbers, or keeps something.
    """
    # Beside 1 at least: an output that is rounding noise around zero differs by its own size.
    gap, where = measure_gap(answer, again, floor=1.0)
    if not gap <= max(_ROUNDING, 4 * epsilon if epsilon > _ROUNDING else 0):
        kind, why = _DRAWN if drawn else _KEPT
        raise refuse(kind, f"two calls of forward with the same inputs differ by {gap:.2g} in {where}: {why}")


def find_integers_used(
    inputs: Mapping[str, Tree], answer: Arrays, ask: Callable[[Arrays], Arrays]
) -> Iterator[tuple[str, str]]:
    """The arrays of integers that are used as numbers, not as indices: the kind and the sentence of a problem each.

    Args:
        inputs: the arguments of forward.
        answer: its outputs.
        ask: the outputs with some leaves replaced.
    """
    for name, tree in inputs.items():
        for path, leaf in leaves(name, tree).items():
            if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "iu" and _is_number(path, leaf, answer, ask):
                if not _is_varied(path, leaf, answer, ask):
                    continue
                yield (
                    "integer-array",
                    f"{path} is an array of integers and used as numbers: integer arrays are not differentiated; "
                    "give floats",
                )


def _is_varied(path: str, leaf: Array, answer: Arrays, ask: Callable[[Arrays], Arrays]) -> bool:
    """Whether outputs change smoothly with an array, that is no mask or one-hot vectors: it has a gradient to miss."""
    if not np.any(leaf * (leaf - 1)):
        return False
    try:
        once, twice = (ask({path: leaf + step * np.where(leaf == 0, 1, leaf)}) for step in (_STEP, 2 * _STEP))
    except SubjectError:
        return False
    one, two = measure_gap(answer, once)[0], measure_gap(answer, twice)[0]
    return 0 < one < _JUMP and abs(two - 2 * one) < _JUMP * one  # lengths are compared: nothing moves, or it jumps


def _is_number(path: str, leaf: Array, answer: Arrays, ask: Callable[[Arrays], Arrays]) -> bool:
    try:
        # Indices must be integers, so a function that takes them as floats computes with them.
        moved = ask({path: leaf.astype(np.float64)})
    except SubjectError:
        return False
    return measure_gap(answer, moved)[0] < _COARSE
