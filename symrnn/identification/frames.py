"""What the axes of the sequence and of the outputs are: time, batch, features.

A frame is a guess, made from lengths alone; numbers decide which guess is right.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.probe import Answer
from symrnn.identification.tiles import Dims, Tile, cuts

_ROLES: Mapping[int, tuple[tuple[str, ...], ...]] = {
    0: ((),),
    1: (("D",), ("T",), ("N",)),
    2: (("N", "D"), ("T", "D"), ("D", "N"), ("D", "T"), ("T", "N"), ("N", "T")),
    3: (("T", "N", "D"), ("N", "T", "D"), ("T", "D", "N"), ("N", "D", "T"), ("D", "N", "T"), ("D", "T", "N")),
}
"""Number of the sequence's axes that are longer than 1 -> what they may be, likely orders first."""

# How many states one output may hold side by side: no cell has so many, and each more multiplies the views.
_MOST_STATES = 8
# Names of sequences that do not begin with x; like those of states, they only order the guesses.
_X_NAMES = ("input", "inputs", "inp", "seq", "sequence", "u", "in_")


@dataclass(frozen=True)
class SequenceFrame:
    """A guess at the sequence and at the sizes.

    Attributes:
        x: the name of the array that is the cell's input.
        shape: its shape.
        axes: what each of its axes is: "T", "N", "D", or "1".
        hidden: H, the length of the first state.
    """

    x: str
    shape: Dims
    axes: tuple[str, ...]
    hidden: int

    def size(self, role: str) -> int | None:
        """The length of the axis with a role, or None where there is none."""
        return self.shape[self.axes.index(role)] if role in self.axes else None

    @property
    def steps(self) -> int | None:
        """T, or None where the callable makes a single step."""
        return self.size("T")

    @property
    def batch(self) -> int | None:
        """N, or None where the callable has one example."""
        return self.size("N")

    @property
    def features(self) -> int:
        """D."""
        return self.size("D") or 1

    @property
    def state_dims(self) -> Dims:
        """The shape of the first state, without axes of length 1."""
        return (self.hidden,) if self.hidden > 1 else ()

    def with_steps(self, steps: int) -> SequenceFrame:
        """The frame of a shorter sequence."""
        shape = tuple(steps if role == "T" else length for role, length in zip(self.axes, self.shape, strict=True))
        return replace(self, shape=shape)

    def standard(self, x: Array) -> Array:
        """The sequence as (T, N, D); T or N is 1 where it has no such axis."""
        x = np.asarray(x)
        lengths = [x.shape[self.axes.index(role)] if role in self.axes else 1 for role in "TND"]
        return x.transpose(self._order()).reshape(lengths)

    def own(self, x: Array) -> Array:
        """A sequence (T, N, D) as the callable wants it."""
        order = self._order()
        present = [length for role, length in zip("TND", x.shape, strict=True) if role in self.axes]
        return np.reshape(x, present + [1] * (len(order) - len(present))).transpose(np.argsort(order))

    def _order(self) -> list[int]:
        # Axes of length 1 have no role and go last, where reshaping drops or adds them without moving a number.
        order = [self.axes.index(role) for role in "TND" if role in self.axes]
        return order + [axis for axis in range(len(self.axes)) if axis not in order]


@dataclass(frozen=True)
class View:
    """A guess that a piece of an output is a state.

    Attributes:
        tile: the piece; time and batch are its leading axes.
        when: "every step", "every step, the initial state first", or "last step".
        batched: whether it has an axis for the batch.
        transposed: whether a matrix-valued state is returned transposed.
    """

    tile: Tile
    when: str
    batched: bool
    transposed: bool = False

    def read(self, answer: Answer) -> Array:
        """The state over the recorded steps, (steps, N, ...)."""
        value = self.tile.read(answer[self.tile.array])
        if not self.batched:
            value = np.expand_dims(value, axis=self.when != LAST)
        value = value[None] if self.when == LAST else value
        return np.swapaxes(value, -1, -2) if self.transposed else value

    def expected(self, states: Array) -> Array:
        """The part of a state's course (T + 1, ...), initial value first, that should be read."""
        return states[_FIRST[self.when] :]


EVERY, WITH_INITIAL, LAST = "every step", "every step, the initial state first", "last step"
_FIRST = {EVERY: 1, WITH_INITIAL: 0, LAST: -1}


def frames(arrays: Mapping[str, Dims], outputs: Collection[Dims]) -> list[SequenceFrame]:
    """The frames that fit the shapes, likely ones first."""
    found = []
    for name, shape in arrays.items():
        long = [axis for axis, length in enumerate(shape) if length > 1]
        for roles in _ROLES.get(len(long), ()):
            axes = ["1"] * len(shape)
            for axis, role in zip(long, roles, strict=True):
                axes[axis] = role
            frame = SequenceFrame(name, shape, tuple(axes), 0)
            found += [replace(frame, hidden=hidden) for hidden in _hidden_sizes(frame, outputs)]

    # Sizes of 1 come last, for nearly any array could be a state then; next to last equal sizes, which hide what is
    # what.
    def unlikely(frame: SequenceFrame) -> tuple[bool, bool, bool, int, int]:
        own = sum(frame.hidden in shape for shape in arrays.values())
        return (
            1 in (frame.hidden, frame.features),
            not _likely_x(frame.x),
            frame.features == frame.hidden,
            -own,
            -len(frame.shape),
        )

    return sorted(found, key=unlikely)


def _likely_x(name: str) -> bool:
    """Whether a name is one that sequences have; a hint that says which guess to try first."""
    return name.lower() in _X_NAMES or name.lower().startswith("x")


def _hidden_sizes(frame: SequenceFrame, outputs: Collection[Dims]) -> list[int]:
    """The lengths that an output leaves for the first state, once time and batch are taken away."""
    found: list[int] = []
    for shape in outputs:
        lengths = [length for length in shape if length > 1]
        for taken in _leads(frame):
            rest = list(lengths)
            # More than one length left over is no vector, and the first state of every cell with a sequence is one.
            if all(_take(rest, length) for length in taken) and len(rest) <= 1:
                found += [hidden for hidden in (rest or [1]) if hidden not in found]
    return found


def _leads(frame: SequenceFrame) -> list[list[int]]:
    """The lengths of time and batch in an output: all steps, all and the initial state, or the last."""
    batch = [frame.batch] if frame.batch else []
    steps = [[frame.steps], [frame.steps + 1]] if frame.steps else []
    return [*(time + batch for time in steps), batch]


def _take(lengths: list[int], length: int) -> bool:
    found = length in lengths
    if found:
        lengths.remove(length)
    return found


Leads = Mapping[str, Sequence[tuple[str, tuple[int, ...]]]]
"""Output -> what steps it may hold, and which of its axes are time and batch."""


def views(frame: SequenceFrame, answer: Answer, allowed: Collection[Dims], leads: Leads) -> list[View]:
    """Every reading of the outputs as states of the allowed shapes."""
    found: dict[View, None] = {}
    for path, array in answer.items():
        for when, lead in leads.get(path, ()):
            for tiles in cuts(array.shape, frozenset(allowed), lead) if max(lead, default=-1) < array.ndim else ():
                for tile in (tile.named(path) for tile in tiles if len(tiles) <= _MOST_STATES):
                    found[View(tile, when, frame.batch is not None)] = None
                    if len(tile.dims) == 2:
                        found[View(tile, when, frame.batch is not None, transposed=True)] = None
    return list(found)
