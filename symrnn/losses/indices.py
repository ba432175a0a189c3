"""Inputs by index, as if they were vectors.

A step that is given the index k reads row, or column, k of some weights.  With the indices 0, 1, 2, ... at the steps,
and, in the place of column t, the product W x_t, the same function computes what it would for any vectors x_t: so the
cell is identified as if it took vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.invocation import SubjectError
from symrnn.losses.data import DataForm
from symrnn.losses.inside import InsideView

_MOST = 600
"""Rows and columns that are tried: each costs a run of forward."""


@dataclass(frozen=True)
class Embedded:
    """The positions of one axis of an array that indices choose from.

    Attributes:
        array: its leaf path.
        axis: the axis.
        start: the position that the index 0 stands for.
        count: how many indices there are.
    """

    array: str
    axis: int
    start: int
    count: int

    def replaced(self, weights: Array, x: Array) -> Array:
        """The weights in which the positions of the indices 0, 1, ... hold the products with x_0, x_1, ...

        Args:
            weights: the array.
            x: (T, D) with D no more than the count of indices.
        """
        moved = np.moveaxis(np.array(weights, np.float64), self.axis, 0)
        chosen = moved[self.start : self.start + self.count]
        products = np.tensordot(x, chosen, axes=1)
        moved[self.start : self.start + len(x)] = products
        return np.moveaxis(moved, 0, self.axis)


@dataclass(frozen=True)
class EmbeddedView(InsideView):
    """A view of forward that takes vectors (T, D), under the name of the argument that holds indices.

    Attributes:
        form: how the argument holds the indices.
        embedded: what they choose from.
    """

    form: DataForm | None = None
    embedded: tuple[Embedded, ...] = field(default=())

    def placed(self, arrays: Arrays) -> Arrays:
        """The arrays as forward takes them: the indices in order, and the products in the weights."""
        assert self.form is not None
        own: dict[str, Any] = dict(arrays)
        x = own.pop(self.form.name)
        own[self.form.name] = self.form.encoded(np.eye(self.embedded[0].count)[: len(x), None])
        for one in self.embedded:
            weights = own.get(one.array, self.subject.arrays[one.array])
            own[one.array] = one.replaced(weights, x)
        return own


def find_embedded(view: InsideView, form: DataForm, arrays: dict[str, Any], steps: int) -> tuple[Embedded, ...]:
    """Which weights the indices choose from; none where that cannot be told.

    Args:
        view: forward, with what it computes of the states.
        form: how an argument holds the indices.
        arrays: the leaf arrays.
        steps: of the sequence.
    """
    found = []
    asked = 0
    data: list[dict[str, Any]] = [
        {form.name: form.encoded(np.broadcast_to(np.eye(2)[index], (steps, 1, 2)))} for index in (0, 1)
    ]
    for name, array in arrays.items():
        # The limit is on all arrays together, since the time is; an array beyond it is left out, and a smaller one
        # after it too.
        asked += sum(np.shape(array)) if np.ndim(array) == 2 else 0
        if np.ndim(array) != 2 or asked > _MOST:
            continue
        for axis in (0, 1):
            try:
                # With index 0 at every step the rows of the other indices are never read, so that a change of them
                # changes nothing.
                with_0, with_1 = (_effective(view, arrays | one, name, axis) for one in data)
            except SubjectError:
                continue
            one = _read_off(name, axis, with_0, with_1)
            if one is not None:
                found.append(one)
    # Weights of several gates are chosen from by the same index: with different counts, something else was found.
    return tuple(found) if len({one.count for one in found}) == 1 else ()


def _effective(view: InsideView, arrays: dict[str, Any], name: str, axis: int) -> Array:
    """Which positions along an axis of an array what is computed depends on."""
    still = view.run(arrays).outputs
    found = []
    for place in range(arrays[name].shape[axis]):
        moved = np.moveaxis(np.array(arrays[name]), axis, 0)
        moved[place] += 0.5
        after = view.run({**arrays, name: np.moveaxis(moved, 0, axis)}).outputs
        found.append(any(not np.array_equal(still[path], after.get(path)) for path in still))
    return np.array(found)


def _read_off(name: str, axis: int, with_0: Array, with_1: Array) -> Embedded | None:
    """The positions that indices choose from: those that no other index reads."""
    differ = np.flatnonzero(with_0 != with_1)
    # Only the places of the indices 0 and 1 are read in one run and not in the other, side by side, 0 first.
    if len(differ) != 2 or differ[1] != differ[0] + 1 or not with_0[differ[0]]:
        return None
    spared = np.flatnonzero(~with_0 | ~with_1)
    start = int(differ[0])
    if spared[0] != start or spared[-1] - start + 1 != len(spared):
        return None
    return Embedded(name, axis, start, len(spared))
