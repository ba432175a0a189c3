"""Right derivatives with respect to what forward computes on its way, and which of them a backward pass comes by.

Where several mistakes act on the same gradients, mending one of them makes no gradient right; but the adjoint of some
gate or state is right then that was not before.  That is seen by numbers alone: every expression of forward is moved
for a moment, which tells its adjoint, and a backward pass comes by it if one of its own expressions has this value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.budget import go_on
from symrnn.callables.subject import Subject
from symrnn.measuring.truth import COMPLEX_STEP, SINGLE, TINY
from symrnn.repairs.passing import PassedValues, Place

Shape = tuple[int, ...]
Answer = TypeVar("Answer")

_STEP = 1e-5
"""The step of central differences, relative to a value's size: it errs by the square of it, 1e-10, and rounding, 2e-16
over it, by less."""
_MOST = 300
"""Values that are moved, two runs of forward for each: a step of an LSTM and its loss has about a hundred.  The last
ones are those whose adjoints a backward pass computes first."""
_SAME = {True: 1e-9, False: 1e-5}
"""The relative difference up to which two projections are the same: by complex step, and by differences."""


class InnerAdjoints:
    """The adjoints of forward's own values at one point, and whether a backward pass has them.

    Args:
        passed: what listens to the functions' expressions.
        subject: the functions.
        method: how derivatives are taken.
    """

    def __init__(self, passed: PassedValues, subject: Subject, method: str) -> None:
        self._passed, self._subject = passed, subject
        self._exact = method == COMPLEX_STEP
        self._known: dict[int, Mapping[Shape, Array]] = {}
        self._directions: dict[Shape, Array] = {}
        self._forth: set[Place] = set()
        self._left_out: frozenset[int] = frozenset()
        self._order: list[int] = []
        self.place: int | None = None
        """The number of the point at which is listened."""

    def listen_at(self, place: int, arrays: Arrays, cotangents: Arrays) -> None:
        """Listen at this point from now on; the trees must be in force."""
        if place not in self._known:
            able = self._exact or self._subject.epsilon < SINGLE
            self._known[place] = self._adjoints(arrays, cotangents) if able else {}
        self.place = place if self._known[place] else None
        # What forward computes is no adjoint, and need not be asked.
        forth = (n for n, one in enumerate(self._passed.places) if one in self._forth)
        self._left_out = frozenset(forth) | self._passed.quiet

    def heard(self, ask: Callable[[], Answer]) -> tuple[Answer, frozenset[tuple[Shape, int]]]:
        """What a run gives, and the adjoints that it came by."""
        answer, found = self._listen(ask)
        return answer, frozenset(
            (shape, int(n))
            for shape, (_, rows) in found.items()
            for n in np.flatnonzero(self._equal(shape, rows).any(axis=1))
        )

    def met(self, ask: Callable[[], Any]) -> list[tuple[int, bool]]:
        """The values of a run in their order: the number of the expression, and whether it is an adjoint."""
        flags: dict[int, tuple[int, bool]] = {}
        for shape, (places, rows) in self._listen(ask)[1].items():
            known: Array = np.any(self._equal(shape, rows), axis=0)
            for place, row, one in zip(places, rows, known.tolist(), strict=True):
                if np.any(row):  # what is zero yet tells nothing
                    flags[place] = self._order[place], bool(one)
        return [flags[place] for place in sorted(flags)]

    def adjoint(self, value: Array) -> int | None:
        """Which of the adjoints a value is."""
        assert self.place is not None
        if value.shape not in self._known[self.place] or value.dtype.kind != "f":
            return None
        rows = (self._directions[value.shape] @ np.ravel(value))[None]
        found = np.flatnonzero(self._equal(value.shape, rows)[:, 0])
        return int(found[0]) if found.size else None

    def _listen(self, ask: Callable[[], Answer]) -> tuple[Answer, dict[Shape, tuple[list[int], Array]]]:
        """What a run gives, and of each shape the places of its values in their order and their projections."""
        assert self.place is not None
        found: dict[Shape, tuple[list[int], list[Array]]] = {
            shape: ([], []) for shape in self._known[self.place] if shape in self._directions
        }
        left_out, order = self._left_out, self._order
        order.clear()

        def note(number: int, value: Any) -> Any:
            if number not in left_out and isinstance(value, np.ndarray):
                order.append(number)
                if value.shape in found and value.dtype.kind == "f":
                    places, values = found[value.shape]
                    places.append(len(order) - 1)
                    values.append(value.flatten())  # a copy, since it may be changed in place
            return value

        with self._passed.listening(note):
            answer = ask()
        return answer, {
            shape: (places, np.array(values) @ self._directions[shape].T)
            for shape, (places, values) in found.items()
            if values
        }

    def _equal(self, shape: Shape, met: Array) -> Array:
        """Whether the adjoints of a shape, one a row, are these values, one a column."""
        assert self.place is not None
        known = self._known[self.place][shape]
        gap = np.abs(known[:, None] - met[None]).max(axis=-1)
        same: Array = gap <= _SAME[self._exact] * np.abs(known).max(axis=-1)[:, None]
        return same

    def _adjoints(self, arrays: Arrays, cotangents: Arrays) -> Mapping[Shape, Array]:
        point = {
            path: np.asarray(arrays.get(path, own)) + (0j if self._exact else 0)
            for path, own in self._subject.arrays.items()
        }
        point = {**arrays, **point}
        values: list[tuple[int, Shape, float]] = []

        def note(number: int, value: Any) -> Any:
            if _is_numbers(value):
                size = float(np.sqrt(np.mean(np.abs(value) ** 2)))
                values.append((number, value.shape, max(size, 1e-3) if np.isfinite(size) else 1.0))
            return value

        # A function that returns a loss takes 1 for its cotangent.
        factor = sum(float(np.sum(one)) for one in cotangents.values()) if self._subject.calling.implicit else 1.0
        with self._passed.listening(note):
            self._subject.outputs(point)
        first = {place: number for number, (place, _, _) in reversed(list(enumerate(values)))}

        @cache  # what is moved to see whether it acts on the loss, is moved along the same direction again
        def slope(number: int, which: int) -> float:
            go_on()
            _, shape, size = values[number]
            return self._slope(point, cotangents, number, size, self._along(shape)[which]) / factor

        # A function that returns a loss computes its gradients as well: those do not act on the loss.
        slopes = {place: slope(number, 0) for place, number in list(first.items())[:_MOST]}
        forth = {place for place, one in slopes.items() if np.isfinite(one) and abs(one) > 1e-12}
        self._forth |= {self._passed.places[place] for place in forth}
        found: dict[Shape, dict[tuple[float, ...], Array]] = defaultdict(dict)
        moved = [number for number, (place, _, _) in enumerate(values) if place in forth]
        for number in moved[-_MOST:]:
            row = np.array([slope(number, 0), slope(number, 1)])
            if np.all(np.isfinite(row)) and np.any(np.abs(row) > 1e-12) and not self._is_plain(row, values[number][1]):
                found[values[number][1]].setdefault(tuple(float(f"{one:.8g}") for one in row), row)
        return {shape: np.array(list(rows.values())) for shape, rows in found.items()}

    def _is_plain(self, row: Array, shape: Shape) -> bool:
        """Whether an adjoint is one number such as 1 or a half: many values have it."""
        along = self._along(shape)
        fourths = 4 * row[0] / along[0, 0]
        return along.shape[1] == 1 and bool(abs(fourths - np.round(fourths)) < 1e-6)

    def _along(self, shape: Shape) -> Array:
        """Two directions for values of a shape."""
        if shape not in self._directions:
            rng = np.random.default_rng([7, *shape])
            self._directions[shape] = rng.normal(size=(2, int(np.prod(shape))))
        return self._directions[shape]

    def _slope(self, point: Arrays, cotangents: Arrays, number: int, size: float, direction: Array) -> float:
        """The derivative with respect to one value along a direction."""
        if self._exact:
            outputs = self._moved(point, number, 1j * TINY * direction)
            return float(sum(np.sum(c * outputs[path].imag) for path, c in cotangents.items())) / TINY
        ahead, behind = (self._moved(point, number, sign * _STEP * size * direction) for sign in (1, -1))
        gap = sum(np.sum(c * (ahead[path] - behind[path])) for path, c in cotangents.items())
        return float(gap) / (2 * _STEP * size)

    def _moved(self, point: Arrays, number: int, shift: Array) -> Arrays:
        count = -1

        def move(_number: int, value: Any) -> Any:
            nonlocal count
            if not _is_numbers(value):
                return value
            count += 1
            return value + shift.reshape(value.shape) if count == number else value

        with self._passed.listening(move):
            return self._subject.outputs(point)


def _is_numbers(value: Any) -> bool:
    """Whether a value is an array of numbers; a number alone, such as a loss, is none."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fc" and value.ndim > 0 and value.size > 0
