"""Sequences and targets as arguments: indices or vectors, in arrays or lists, whatever the order of their axes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from symrnn.arrays import Array


@dataclass(frozen=True)
class DataForm:
    """How an argument holds what is (T, N, D) here.

    Attributes:
        name: the argument's.
        axes: what each of its axes is: "T", "N", "D", or "1".
        indexed: whether it holds, for a 1 among zeros, the place of the 1.
        listed: whether it is a list, or a number, rather than an array.
        dtype: of the array.
    """

    name: str
    axes: tuple[str, ...]
    indexed: bool
    listed: bool
    dtype: Any

    @property
    def timed(self) -> bool:
        """Whether it has an entry for each step."""
        return "T" in self.axes

    def encoded(self, values: Array) -> Any:
        """What the argument is for these values, (T, N, D); of one without an axis of time, those of the last step."""
        values = values if self.timed else values[-1:]
        held = values.argmax(axis=-1)[..., None] if self.indexed else values
        lengths = [held.shape["TND".index(role)] for role in self.axes if role != "1"]
        order = ["TND".index(role) for role in self.axes if role != "1"]
        rest = [place for place in range(3) if place not in order]
        # The axes that the form has come first, so that the others, of length 1, fall away with the shape.
        array = held.transpose(order + rest).reshape(lengths)
        array = array.reshape([1 if role == "1" else lengths.pop(0) for role in self.axes]).astype(self.dtype)
        return array.tolist() if self.listed else array


def is_indices(value: Any) -> bool:
    """Whether an argument holds whole numbers: an array, a list, or one of them."""
    # For Python True is a whole number; in an argument it is a switch.
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, int | np.integer):
        return True
    if isinstance(value, list | tuple):
        return bool(value) and all(map(is_indices, value))
    return isinstance(value, np.ndarray) and value.dtype.kind in "iu"


def indexed_forms(name: str, value: Any, steps: int, batch: int) -> Iterator[DataForm]:
    """The forms that indices may have, by their shape."""
    array = np.asarray(value)
    listed = not isinstance(value, np.ndarray | np.generic)
    for roles in _assigned(array.shape, {"T": steps, "N": batch}):
        yield DataForm(name, roles, True, listed, array.dtype)


def dense_forms(name: str, value: Any, steps: int, batch: int, width: int) -> Iterator[DataForm]:
    """The forms that vectors of a width may have, by their shape."""
    array = np.asarray(value)
    for roles in _assigned(array.shape, {"T": steps, "N": batch, "D": width}):
        # A vector without an axis for its entries would be a number, which is one only at width 1.
        if width == 1 or "D" in roles:
            yield DataForm(name, roles, False, isinstance(value, list | tuple | float), array.dtype)


def _assigned(shape: tuple[int, ...], lengths: dict[str, int]) -> Iterator[tuple[str, ...]]:
    """What the axes may be, of these lengths; axes of length 1 are nothing, where no role is missing."""
    long = [axis for axis, length in enumerate(shape) if length > 1]
    if len(long) > len(lengths):
        return
    for roles in permutations(lengths, len(long)):
        if all(lengths[role] == shape[axis] for role, axis in zip(roles, long, strict=True)):
            # A target without an axis of time is that of the last step; one without an axis of examples, where there
            # are several, is of nothing.
            if any(length > 1 for role, length in lengths.items() if role == "N" and role not in roles):
                continue
            named = dict(zip(long, roles, strict=True))
            yield tuple(named.get(axis, "1") for axis in range(len(shape)))
