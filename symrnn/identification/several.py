"""A cell with several inputs, in a function that is said to compute it: which argument is which input.

All inputs but one are held: a scalar as a number, a vector as the same one at every step, which makes a parameter
of it.  What is left is a cell with one input, and is identified like any other.  Which argument holds which input is
told by the names, or by the order of the arguments that have the axes of the sequence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, permutations
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.black_box import ForwardRun
from symrnn.callables.probe import Probe
from symrnn.callables.subject import Subject
from symrnn.identification import identify_probed
from symrnn.identification.candidates import Candidate, SizedCell
from symrnn.identification.frames import SequenceFrame
from symrnn.identification.layout import Layout, OtherInput
from symrnn.language.recurrence import Cell
from symrnn.variants.held import hold_inputs

_HELD = 0.6
"""What a scalar is held as: none of the numbers at which terms of a cell vanish or coincide, such as 0, 1 and 1/2."""
_ONE = 1.0
"""The same for what is 0 or 1 by the caller's numbers, such as a mask: others may mean nothing to his function."""
_MOST = 6
"""Ways to give arguments to inputs that are tried where names tell nothing: each is an identification of its own."""


@dataclass(frozen=True)
class _HeldArgument:
    """An argument that is held.

    Attributes:
        path: its leaf path.
        input: the cell's input that it is.
        value: its values as they are.
        axes: for each of its axes, the sequence's that it goes with; None for that of its entries, and for length 1.
        width: how many entries it has; 0 for a scalar.
    """

    path: str
    input: str
    value: Array
    axes: tuple[int | None, ...]
    width: int

    @property
    def is_binary(self) -> bool:
        """Whether it is 0 or 1 everywhere."""
        return bool(np.isin(self.value, (0, 1)).all())

    def filled(self, entries: Array, x: Array) -> Array:
        """The argument with the same entries at every step of a sequence."""
        shape = [
            size if axis is None else x.shape[axis] for size, axis in zip(self.value.shape, self.axes, strict=True)
        ]
        if self.width:
            own = next(n for n, axis in enumerate(self.axes) if axis is None and self.value.shape[n] == self.width)
            entries = np.reshape(entries, [-1 if n == own else 1 for n in range(len(shape))])
        return np.array(np.broadcast_to(entries, shape)).astype(self.value.dtype)


@dataclass(frozen=True)
class _HeldView:
    """Forward with all arguments but one that are inputs held."""

    subject: Subject
    x: str
    held: tuple[_HeldArgument, ...]

    def run(self, arrays: Arrays) -> ForwardRun:
        """One call; see `BlackBox.run`."""
        own = dict(arrays)
        for one in self.held:
            number: Any = _ONE if one.is_binary else _HELD
            entries = own.pop(one.path) if one.width else number
            own[one.path] = one.filled(np.asarray(entries), own[self.x])
        return self.subject.run(own)


def identify_several(subject: Subject, cell: Cell, arrays: Arrays) -> Layout | None:
    """The layout of a cell with several inputs; None where forward is not that cell.

    Args:
        subject: the functions.
        cell: the cell.
        arrays: the arrays around which they are asked, by leaf path.
    """
    known = {name: np.asarray(value) for name, value in subject.arguments.items() if _is_whole(value)}
    values = {**known, **arrays}
    vectors = [name for name in cell.inputs if len(cell.shape_names(name)) == 1]
    for chosen in islice(_assigned(cell, values), _MOST):
        for sequence in vectors:  # an input that only outputs read, such as a query, does not show where time is
            layout = _identify(subject, cell, values, chosen, sequence)
            if layout is not None:
                return layout
    return None


def _is_whole(value: Any) -> bool:
    """Whether an argument holds whole numbers or truth values, as masks do."""
    return np.ndim(value) > 0 and getattr(np.asarray(value), "dtype", None).kind in "iub"  # type: ignore[union-attr]


def _assigned(cell: Cell, values: Mapping[str, Array]) -> Iterator[dict[str, str]]:
    """Ways to give each input an argument: by its name, and the rest in the order of the arguments."""
    named = {name: name for name in cell.inputs if name in values}
    rest = [name for name in cell.inputs if name not in named]
    if not rest:
        yield named
        return
    taken = set(named.values())
    first = [np.shape(values[name]) for name in named.values() if np.ndim(values[name]) > 1]
    free = [path for path, value in values.items() if path not in taken and np.ndim(value) >= 1]
    leads = {shape[:2] for shape in first} or {np.shape(values[path])[:2] for path in free if np.ndim(values[path]) > 2}
    fitting = [path for path in free if any(_begins(np.shape(values[path]), lead) for lead in leads)]
    for order in permutations(fitting, len(rest)):
        found = {**named, **dict(zip(rest, order, strict=True))}
        if all((np.ndim(values[path]) > 2) >= (len(cell.shape_names(name)) > 0) for name, path in found.items()):
            yield found


def _begins(shape: tuple[int, ...], lead: tuple[int, ...]) -> bool:
    return shape[: len(lead)] == lead or (len(shape) == 1 and shape == lead[:1])


def _identify(
    subject: Subject, cell: Cell, values: Mapping[str, Array], chosen: Mapping[str, str], first: str
) -> Layout | None:
    """The layout with one input as the sequence and the others held."""
    x, others = values[chosen[first]], [name for name in cell.inputs if name != first]
    held = tuple(_held(chosen[name], name, values[chosen[name]], x, bool(cell.shape_names(name))) for name in others)
    if any(one is None for one in held):
        return None
    kept = tuple(one for one in held if one is not None)
    numbers = {one.input: _ONE if one.is_binary else _HELD for one in kept if not one.width}
    reduced = hold_inputs(cell, numbers, [one.input for one in kept if one.width])
    flat = {path: name for name, path in subject.flat_names.items()}
    gone = {one.path for one in kept}
    around = {flat[path]: array for path, array in values.items() if path in flat and path not in gone}
    around |= {flat[one.path]: np.ones(one.width) for one in kept if one.width}
    probe = Probe(_HeldView(subject, chosen[first], kept), around, subject.flat_names)  # type: ignore[arg-type]
    found = identify_probed(probe, among=[reduced], nearest=False, merged=False).layout
    if found is None or found.frame.x != flat[chosen[first]]:
        return None
    return replace(_whole(found, cell, kept, flat), sequence=first)


def _held(path: str, name: str, value: Array, x: Array, vector: bool) -> _HeldArgument | None:
    """An argument with the axes of the sequence; the last axis of a vector is that of its entries."""
    axes: list[int | None] = []
    free = list(range(x.ndim))
    for place, size in enumerate(value.shape):
        entries = vector and place == value.ndim - 1
        match = None if entries or size == 1 else next((axis for axis in free if x.shape[axis] == size), None)
        if match is None and not entries and size != 1:
            return None
        if match is not None:
            free = free[free.index(match) + 1 :]
        axes.append(match)
    return _HeldArgument(path, name, value, tuple(axes), value.shape[-1] if vector else 0)


def _whole(found: Layout, cell: Cell, held: tuple[_HeldArgument, ...], flat: Mapping[str, str]) -> Layout:
    """The layout of the cell with all of its inputs, from that of the cell in which they are held."""
    old, gone = found.candidate, {one.input for one in held}
    sized = SizedCell(cell, old.sized.sizes, old.sized.orders)
    candidate = Candidate(sized, old.negated, old.raised, None, old.doubled, old.shared)
    parts = tuple(part for part in found.parts if part.target.array not in gone)
    others = []
    for one in held:
        axes = tuple(
            found.frame.axes[axis] if axis is not None else "D" if size > 1 else "1"
            for axis, size in zip(one.axes, one.value.shape, strict=True)
        )
        frame = SequenceFrame(flat.get(one.path, one.path), np.shape(one.value), axes, found.frame.hidden)
        others.append(OtherInput(one.input, frame, one.is_binary, one.value.dtype))
    return replace(found, candidate=candidate, parts=parts, others=tuple(others))
