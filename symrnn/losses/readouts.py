"""A cell and the readouts behind it, in a function that returns what is read out: each is a head without a loss.

The states are found inside the function, and the cell from them.  What the function returns is then held against every
readout, with every array that the cell leaves for it.  A readout is a part of the cell that mistakes are looked for in:
nothing has to be taken away before, and mistakes in it are named as others are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.calculus.derivation import Derivation, derive
from symrnn.callables.invocation import SubjectError
from symrnn.callables.outputs import JOINED, flatten
from symrnn.callables.subject import Subject
from symrnn.heads import HEADS, Head, JoinedCell, with_head
from symrnn.identification.agreement import is_item
from symrnn.identification.frames import EVERY, LAST, WITH_INITIAL, View
from symrnn.identification.layout import Layout, Output
from symrnn.identification.tiles import Span, Tile
from symrnn.language.recurrence import Cell
from symrnn.losses.headed import JoinedLayout, read_out
from symrnn.losses.states import InsideStates, draw_states, find_states

_AGREES = 1e-9
"""How far outputs may be from a readout's, relative: sums of some tens of terms in double precision are far nearer."""
_SINGLE = 2e-5
"""The same in single precision."""
_DRAWS = 2
"""Points at which readouts are held against outputs: at one, a number may be the same by chance, as zeros are."""


@dataclass(frozen=True)
class FoundReadout:
    """A cell and what is read out of it.

    Attributes:
        layout: how the functions hold both.
        derivation: of both as one cell.
    """

    layout: JoinedLayout
    derivation: Derivation


@dataclass(frozen=True)
class _Reading:
    """An output that is a readout: the head, its matrix and bias by leaf path, and the view of the output."""

    head: Head
    matrix: str
    turned: bool
    bias: str | None
    width: int
    view: View


def find_readouts(subject: Subject, known: Cell | None, arrays: Arrays, seed: int) -> FoundReadout | None:
    """The cell and the readouts that a function computes its outputs with; None where there are none.

    Args:
        subject: the functions.
        known: the cell that it is said to be; otherwise the library is searched.
        arrays: the arrays around which the functions are asked, by leaf path.
        seed: of all numbers.
    """
    for states in find_states(subject, known, arrays, behind=True):
        try:
            layout = _ReadoutSearch(subject, states, seed).layout()
        except SubjectError:
            continue
        if layout is not None:
            return FoundReadout(layout, derive(layout.cell))
    return None


class _ReadoutSearch:
    """Looks for what each output is."""

    def __init__(self, subject: Subject, states: InsideStates, seed: int) -> None:
        self.subject, self.states, self.core = subject, states, states.layout
        derivation = derive(self.core.cell)
        self.draws = [draw_states(subject, states, derivation, seed, number) for number in range(_DRAWS)]
        self.answers = [flatten(subject.run(draw.arrays).outputs) for draw in self.draws]
        flat = {path: name for name, path in subject.flat_names.items()}
        self.flat = flat
        self.free = [path for path in subject.arrays if flat[path] not in self.core.names]
        self.tolerance = _AGREES if subject.epsilon < 1e-10 else _SINGLE

    def layout(self) -> JoinedLayout | None:
        """The layout with every output that is a readout or a state; None where none is a readout."""
        readings: list[_Reading] = []
        states: list[Output] = []
        known: list[str] = []
        # A whole list of outputs, read as one array, comes before its items: it says that they are the steps of one
        # thing.
        for path in sorted(self.answers[0], key=lambda path: JOINED not in path):
            if any(JOINED in whole and is_item(path, whole) for whole in known):
                continue
            state = next(self._as_state(path), None)
            reading = None if state is not None else next(self._as_readout(path), None)
            if state is not None:
                states.append(state)
            elif reading is not None and self._fits(reading, readings):
                readings.append(reading)
            else:
                continue
            known.append(path)
        return self._joined(readings, states) if readings else None

    def _fits(self, reading: _Reading, others: list[_Reading]) -> bool:
        """Whether its arrays are no other readout's, or all of them are those of one."""
        own = {reading.matrix, reading.bias} - {None}
        shared = [other for other in others if own & {other.matrix, other.bias}]
        return all(replace(other, view=reading.view) == reading for other in shared)

    def _joined(self, readings: list[_Reading], states: list[Output]) -> JoinedLayout:
        joined: Cell | JoinedCell = self.core.cell
        layout: Layout = self.core
        outputs = list(states)
        names: dict[str, str] = {}
        for one in readings:
            if one.matrix not in names:
                # A square matrix may be transposed by mistake: its sizes are one, and so are their names.
                square = one.width == self.core.frame.hidden
                joined = with_head(joined, one.head, self.core.cell.shape_names(self.core.cell.states[0])[0] * square)
                own = self.subject.arrays
                bias = None if one.bias is None else (self.flat[one.bias], own[one.bias])
                matrix = (self.flat[one.matrix], own[one.matrix], one.turned)
                layout = read_out(layout, joined, one.width, matrix, bias)
                names[one.matrix] = joined.names[one.head.output]
            outputs.append(Output(names[one.matrix], one.view))
        assert isinstance(layout, JoinedLayout)
        return replace(layout, outputs=tuple(sorted(outputs, key=lambda one: one.view.tile)))

    def _as_state(self, path: str) -> Iterator[Output]:
        """The states that an output may be."""
        for view in self._views(path):
            for state, dims in self.core.candidate.sized.state_dims.items():
                if view.tile.dims == dims and all(
                    self._agrees(view.read(answer), view.expected(draw.course(state)))
                    for answer, draw in zip(self.answers, self.draws, strict=True)
                ):
                    yield Output(state, view)

    def _as_readout(self, path: str) -> Iterator[_Reading]:
        """The readouts that an output may be, the plainest first."""
        views = [view for view in self._views(path) if len(view.tile.dims) <= 1]
        for head in (head for head in HEADS.values() if head.reads_out and not head.has_loss):
            for view in views:
                width = (*view.tile.dims, 1)[0]
                for matrix, turned in self._matrices(width):
                    for bias in (None, *self._biases(width, matrix)):
                        reading = _Reading(head, matrix, turned, bias, width, view)
                        if self._is(reading):
                            yield reading

    def _is(self, reading: _Reading) -> bool:
        for answer, draw in zip(self.answers, self.draws, strict=True):
            states = reading.view.expected(draw.course(self.core.cell.states[0]))[..., 0]
            matrix = np.asarray(draw.arrays[reading.matrix])
            matrix = matrix.T if reading.turned else matrix
            matrix = matrix.reshape(reading.width, -1)
            bias = 0.0 if reading.bias is None else np.ravel(draw.arrays[reading.bias])
            if not self._agrees(reading.view.read(answer), read_values(reading.head, states @ matrix.T + bias)):
                return False
        return True

    def _agrees(self, value: Array, expected: Array) -> bool:
        if value.size != expected.size:
            return False
        # Against the largest entry, not entry by entry: a sum that comes out near 0 has the error of its terms.
        gap = np.max(np.abs(value.reshape(expected.shape) - expected), initial=0)
        return bool(gap <= self.tolerance * max(1e-300, float(np.max(np.abs(expected), initial=0))))

    def _matrices(self, width: int) -> Iterator[tuple[str, bool]]:
        """The arrays that may be the readout's matrix, and whether they are held transposed."""
        hidden = self.core.frame.hidden
        for path in self.free:
            shape = np.shape(self.subject.arrays[path])
            if shape == (width, hidden) or (width == 1 and shape == (hidden,)):
                yield path, False
            if shape == (hidden, width):
                yield path, True

    def _biases(self, width: int, matrix: str) -> list[str]:
        shapes = {path: np.shape(self.subject.arrays[path]) for path in self.free if path != matrix}
        return [path for path, shape in shapes.items() if np.prod(shape) == width == max(shape, default=1)]

    def _views(self, path: str) -> Iterator[View]:
        """Every reading of an output as a vector, or a state, of all steps or of the last one."""
        shape = self.answers[0][path].shape
        frame, steps = self.core.frame, self.states.steps
        batched = frame.batch is not None
        for when, length in ((EVERY, steps), (WITH_INITIAL, steps + 1), (LAST, None)):
            roles = [length] * (length is not None) + [self.states.batch] * batched
            for lead in permutations(range(len(shape)), len(roles)):
                if all(shape[axis] == role for axis, role in zip(lead, roles, strict=True)):
                    yield View(Tile(path, tuple(Span(0, size) for size in shape), lead), when, batched)


def read_values(head: Head, values: Array) -> Array:
    """What a readout gives, by its own lines, for the values (steps, N, entries) of its linear part."""
    run = _behind(head).definition
    with np.errstate(all="ignore"):
        return np.array([[np.ravel(run(y, 0 * y)) for y in row] for row in values])


@lru_cache(maxsize=32)
def _behind(head: Head) -> Cell:
    """The lines behind the linear part, as a cell whose input is that part."""
    rest = "\n    ".join(head.lines[1:]) or "p = y + 0 * p"
    return Cell.from_source(f'def behind(y: "d_y", p: "d_y"):\n    {rest}\n    return p\n')
