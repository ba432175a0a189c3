"""What moves with what: which outputs depend on which arrays, and along which axes a change stays where it was made.

An example of a batch does not see the others, and a step does not see later ones.  So a change in one example of the
sequence shows in that example alone, and one in the last step in the last step alone: this tells the batch's axis and
that of time from all others, whatever their lengths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.probe import Answer, Probe
from symrnn.identification.frames import EVERY, LAST, WITH_INITIAL, Leads, SequenceFrame
from symrnn.identification.points import random_arrays
from symrnn.identification.tiles import shapes

# How much further out the second point is: far enough that a sum of several terms changes its sign against a constant
# of order one, so that a maximum takes its other branch.
_FAR = 4.0


@dataclass
class Surroundings:
    """A random point of a callable, and what changes there.

    Attributes:
        probe: the callable.
    """

    probe: Probe
    _kept: dict[tuple[str, int, int], Mapping[str, frozenset[int]]] = field(default_factory=dict)

    @cached_property
    def point(self) -> tuple[Arrays, Answer]:
        """Arrays and outputs: random arrays, or the inputs themselves where the callable is not finite at random."""
        drawn = random_arrays(shapes(self.probe.arrays), seed=1)
        answer = self.probe(**drawn)
        if answer is None or not all(np.isfinite(array).all() for array in answer.values()):
            return self.probe.arrays, self.probe.answer
        return drawn, answer

    @cached_property
    def points(self) -> Sequence[tuple[Arrays, Answer]]:
        """The point, and one further out, where other branches of a maximum hold."""
        # Absolute values push every sum the same way; mixed signs would cancel and stay near the branch.
        far = {name: _FAR * np.abs(array) for name, array in self.point[0].items()}
        answer = self.probe(**far)
        return [self.point] if answer is None else [self.point, (far, answer)]

    @cached_property
    def move(self) -> Arrays:
        """What is added to arrays to move them."""
        # Half of the size of the arrays: far above rounding, and still of the order of what moves.
        return {name: 0.5 * array for name, array in random_arrays(shapes(self.probe.arrays), seed=2).items()}

    @cached_property
    def depends(self) -> Mapping[str, frozenset[str]]:
        """Output -> the arrays that it depends on, at any of the points."""
        found: dict[str, set[str]] = {path: set() for path in self.probe.answer}
        for arrays, still in self.points:
            for name in self.probe.arrays:
                answer = self.probe(**{**arrays, name: arrays[name] + self.move[name]})
                for path in found:
                    # An array that breaks the function when it is moved is read by it; to drop it would hide a weight.
                    if answer is None or _find_changed(answer.get(path), still.get(path)).any():
                        found[path].add(name)
        return {path: frozenset(names) for path, names in found.items()}

    def stays(self, name: str, axis: int, index: int) -> Mapping[str, frozenset[int]]:
        """Output -> the axes along which a change of the array at one index of an axis stays at that index."""
        asked = (name, axis, index)
        if asked not in self._kept:
            self._kept[asked] = self._stays(name, axis, index)
        return self._kept[asked]

    def _stays(self, name: str, axis: int, index: int) -> Mapping[str, frozenset[int]]:
        place = (slice(None),) * axis + (index,)
        found: dict[str, frozenset[int]] = {}
        for arrays, still in self.points:
            moved = arrays[name].copy()
            moved[place] += self.move[name][place]
            answer = self.probe(**{**arrays, name: moved})
            for path, array in still.items() if answer is not None else ():
                changed = _find_changed(answer.get(path) if answer else None, array)
                if path not in found and changed.shape == array.shape and changed.any():
                    axes = (a for a, length in enumerate(array.shape) if length > 1)
                    found[path] = frozenset(a for a in axes if not np.delete(changed, index, axis=a).any())
        return found

    def alone(self, name: str, axis: int) -> bool:
        """Whether positions along an axis of an array act on positions of the outputs one by one, as examples do."""
        length = self.probe.arrays[name].shape[axis]
        return any(
            self.point[1][path].shape[place] == length
            for path, places in self.stays(name, axis, 0).items()
            for place in places
        )

    def leads(self, frame: SequenceFrame) -> Leads | None:
        """Where time and batch are in every output; None where the outputs contradict the frame."""
        batch = self._batch_axes(frame)
        if frame.batch is not None and not any(batch.values()):
            return None
        if frame.features > 1 and any(self.stays(frame.x, frame.axes.index("D"), -1).values()):
            # Features that stay apart are examples: this frame has taken the batch for the features.
            return None  # features are mixed
        time = self._time_axes(frame)
        if time is None:
            return None
        found: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
        for path in self.probe.answer:
            behind = [(axis,) for axis in batch.get(path, ())] if frame.batch is not None else [()]
            for lead in behind:
                steps = [(when, (axis, *lead)) for axis, when in time.get(path, ()) if axis not in lead]
                found.setdefault(path, []).extend([*steps, (LAST, lead)])
        return found

    def _batch_axes(self, frame: SequenceFrame) -> Mapping[str, list[int]]:
        if frame.batch is None:
            return {}
        still = self.point[1]
        stays = self.stays(frame.x, frame.axes.index("N"), 0)
        return {
            path: [axis for axis in sorted(axes) if still[path].shape[axis] == frame.batch]
            for path, axes in stays.items()
        }

    def _time_axes(self, frame: SequenceFrame) -> Mapping[str, list[tuple[int, str]]] | None:
        """Output -> axes of time; None where steps act one by one, as no recurrent cell's do, or on earlier ones."""
        if frame.steps is None:
            return {}
        still, axis = self.point[1], frame.axes.index("T")
        kinds = {frame.steps: EVERY, frame.steps + 1: WITH_INITIAL}
        last = self.stays(frame.x, axis, -1)
        first = self.stays(frame.x, axis, 0)
        found = {}
        for path, axes in last.items():
            found[path] = [
                (place, kinds[still[path].shape[place]])
                for place in sorted(axes)
                if still[path].shape[place] in kinds and place not in first.get(path, ())
            ]
        if any(frame.steps in array.shape and not found.get(path) for path, array in still.items() if path in last):
            return None
        return found


def _find_changed(value: Array | None, still: Array | None) -> Array:
    if value is None or still is None or value.shape != still.shape:
        return np.ones((), bool)
    # NaN differs from itself, so entries that are NaN both times have to be taken for unchanged.
    return np.asarray((value != still) & ~(np.isnan(value) & np.isnan(still)))
