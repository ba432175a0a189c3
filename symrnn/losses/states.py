"""The states that a function computes on its way: the cell inside it is identified from these alone.

What stands behind the states, a readout or a loss, reads further arrays.  Of all that runs through the steps as states
do, the states depend on the fewest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.calculus.derivation import Derivation
from symrnn.callables.conventions import names_data
from symrnn.callables.invocation import SubjectError
from symrnn.callables.probe import Probe
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from symrnn.identification import identify_probed
from symrnn.identification.inverse import own_arrays
from symrnn.identification.layout import Layout
from symrnn.language.recurrence import Cell
from symrnn.losses.data import DataForm, indexed_forms, is_indices
from symrnn.losses.indices import EmbeddedView, find_embedded
from symrnn.losses.inside import InsideView, values_inside
from symrnn.mistakes.tape import Tape

_MOST_STEPS = 4
"""Steps at which indices are given as vectors: each takes an index of its own, and alphabets may be that small."""
_MOST_INSIDE = 12
"""Arrays among which states are looked for: a function keeps its states, its gates, and copies of them."""

_Reading = tuple[InsideView, dict[str, Array], int, str, DataForm | None, dict[str, Any]]
"""Forward, arrays, the number of steps, the sequence's name; how it holds indices, and other data of these steps."""


@dataclass(frozen=True)
class InsideStates:
    """A cell inside, without what comes behind it.

    Attributes:
        layout: how it is held; its sequence may be one of indices.
        indices: how that is held; otherwise None.
        data: the arguments that are no weights, as they were when it was found.
        steps: the steps that they have.
        arrays: the arrays at which it was found, by leaf path.
    """

    layout: Layout
    indices: DataForm | None
    data: Mapping[str, Any]
    steps: int
    arrays: Mapping[str, Array]

    @property
    def batch(self) -> int:
        """N."""
        return self.layout.frame.batch or 1


def find_states(
    subject: Subject, known: Cell | None, arrays: Arrays | None = None, behind: bool = False
) -> Iterator[InsideStates]:
    """Every reading of the arguments as a sequence, with the cell whose states are computed from it.

    Args:
        subject: the functions.
        known: the cell that it is said to be; otherwise the library is searched.
        arrays: the arrays at which to look, by leaf path; None for the functions' own.
        behind: whether only cells are wanted behind which further arrays are read.
    """
    own = dict(subject.arrays if arrays is None else arrays)
    for view, drawn, steps, x, indices, data in _views(subject, own):
        paths, read = _courses(view, drawn, steps, x)
        # Where what is returned reads no further arrays nothing stands behind the states, and the search for a cell is
        # spared.
        if not paths or (behind and not _reads_more(subject, drawn, read)):
            continue
        try:
            probe = Probe(view.only(paths), {**drawn})  # type: ignore[arg-type]
            among = None if known is None else [known]
            found = identify_probed(probe, among=among, nearest=False, merged=False)
        except (InputError, SubjectError):
            continue
        if found.layout is not None and "T" in found.layout.frame.axes:
            yield InsideStates(found.layout, indices, data, steps, own)


def _views(subject: Subject, own: Arrays) -> Iterator[_Reading]:
    path_of = subject.flat_names
    flat = {path: name for name, path in path_of.items()}
    drawn = _drawn({flat[path]: array for path, array in own.items() if path in flat})
    others = {path: array for path, array in own.items() if path not in flat}  # data of these sizes
    # What is called x or inputs is tried first: every wrong reading costs a search of the whole library.
    for name, array in sorted(drawn.items(), key=lambda one: not names_data(path_of[one[0]])):
        if names_data(path_of[name]) or np.ndim(array) == 3:
            # The last axis holds the entries, never the steps.
            for steps in np.shape(array)[: max(1, np.ndim(array) - 1)]:
                if steps > 1:
                    yield InsideView(subject, held=others), drawn, steps, name, None, {}
    if any(flat[path] != path for path in subject.arrays):
        return  # weights inside of dicts: their names are not those of arguments
    whole = {name: value for name, value in subject.arguments.items() if is_indices(value) and np.ndim(value)}
    for name, value in whole.items():
        length = np.size(value)
        if length < 2 or length not in (np.shape(value)[0], np.shape(value)[-1]):
            continue
        found = _of_indices(subject, name, length, whole, drawn)
        if found is not None:
            yield found


def _of_indices(
    subject: Subject, name: str, length: int, whole: Mapping[str, Any], drawn: dict[str, Array]
) -> _Reading | None:
    """The view in which indices are vectors."""
    form = next(indexed_forms(name, whole[name], length, 1))
    steps = min(length, _MOST_STEPS)
    data = {
        other: _shortened(value, length, steps)
        for other, value in subject.arguments.items()
        if other != name and np.ndim(value) and (is_indices(value) or names_data(other))
    }
    try:
        # Every step takes an index of its own: with fewer indices than steps, fewer steps.
        for count in range(steps, 1, -1):
            cut = {other: _shortened(value, length, count) for other, value in data.items()} if count < steps else data
            cut = {other: _shortened(value, steps, count) for other, value in cut.items()}
            view = InsideView(subject, held=cut)
            kept = {key: value for key, value in drawn.items() if key not in cut}
            ids = np.eye(2)[np.eye(count, dtype=int)[[0, -1]]][:, :, None]  # the first index is 1, or the last
            first, last = (values_inside(subject, {**kept, **cut, name: form.encoded(one)}) for one in ids)
            still = values_inside(subject, {**kept, **cut, name: form.encoded(np.eye(2)[np.zeros((count, 1), int)])})
            running = (path for path, array in still.items() if _runs(array, first.get(path), last.get(path), count))
            paths = tuple(islice(running, _MOST_INSIDE))
            found = find_embedded(view.only(paths), form, kept, count) if paths else ()
            if found and found[0].count >= count:
                x = np.random.default_rng(4).normal(size=(count, found[0].count))
                both = EmbeddedView(subject, held=cut, form=form, embedded=found)
                return both, {**kept, name: x}, count, name, form, cut
    except (SubjectError, IndexError, ValueError):
        return None
    return None


def _shortened(value: Any, length: int, steps: int) -> Any:
    """Data of fewer steps; what has no axis of that length as it is."""
    array = np.asarray(value)
    axis = next((axis for axis, size in enumerate(array.shape) if size == length), None)
    if axis is None:
        return value
    cut = np.take(array, range(steps), axis=axis)
    return cut if isinstance(value, np.ndarray) else cut.tolist()


def _drawn(arrays: Arrays) -> dict[str, Array]:
    rng = np.random.default_rng(2)
    # Other numbers than the given ones, which may be zeros; small ones, at which no sigmoid or tanh is flat.
    return {name: rng.normal(size=np.shape(array)) * 0.6 for name, array in arrays.items()}


def _courses(view: InsideView, arrays: dict[str, Array], steps: int, x: str) -> tuple[tuple[str, ...], set[str]]:
    """What runs through the steps as states do, and which arrays it depends on.

    A change of a step reaches later ones, and no earlier one.  Of all that is so, what depends on the fewest arrays:
    what comes behind the states depends on more.
    """
    axis = 0 if np.shape(arrays[x])[0] == steps else 1

    def moved(place: int) -> dict[str, Array]:
        other = np.array(arrays[x])
        other[(slice(None),) * axis + (place,)] += 0.7
        return view.run({**arrays, x: other}).outputs  # type: ignore[no-any-return]

    try:
        still, first, last = view.run(arrays).outputs, moved(0), moved(-1)
        found = [path for path, array in still.items() if _runs(array, first.get(path), last.get(path), steps)]
        depends: dict[str, set[str]] = {path: set() for path in found}
        for name in arrays if found else ():
            after = view.only(tuple(found)).run({**arrays, name: arrays[name] + 0.3}).outputs
            for path in found:
                if not np.array_equal(after.get(path, still[path]), still[path]):
                    depends[path].add(name)
    except SubjectError:
        return (), set()
    # What depends on the fewest arrays is the cell; what is read out of it depends on the readout's as well.
    least = min((len(names) for names in depends.values()), default=0)
    unique: dict[bytes, str] = {}
    for path in found:
        if len(depends[path]) == least:
            # Copies of one array under several names, such as a cache's and a local, would be that many equal outputs
            # to search.
            unique.setdefault(np.ascontiguousarray(still[path]).tobytes(), path)
    paths = tuple(unique.values())[:_MOST_INSIDE]
    return paths, set[str]().union(*(depends[path] for path in paths))


def _reads_more(subject: Subject, drawn: dict[str, Array], read: set[str]) -> bool:
    """Whether what forward returns depends on an array that the states do not depend on."""
    own = {subject.flat_names[name]: array for name, array in drawn.items()}
    try:
        still = subject.outputs(own)
        # Only arrays that the states do not read can tell that something comes behind them.
        for name in drawn.keys() - read:
            path = subject.flat_names[name]
            moved = subject.outputs({**own, path: own[path] + 0.3})
            if any(one not in moved or not np.array_equal(moved[one], array) for one, array in still.items()):
                return True
    except SubjectError:
        return False
    return False


def _runs(still: Array, first: Array | None, last: Array | None, steps: int) -> bool:
    if first is None or last is None or not np.shape(still) == np.shape(first) == np.shape(last):
        return False
    if not np.isfinite(still).all():
        return False
    for axis, length in enumerate(np.shape(still)):
        if length in (steps, steps + 1) and np.ndim(still) > 1:
            of_last = np.moveaxis(last != still, axis, 0)
            of_first = np.moveaxis(first != still, axis, 0)
            # A change of the last step's data moves the last state alone, and one of the first step's is carried to the
            # end.
            if of_last[-1].any() and not of_last[:-1].any() and of_first[-1].any():
                return True
    return False


# The states at other numbers.


@dataclass(frozen=True)
class DrawnStates:
    """Numbers at which what comes behind the states is held against what forward returns.

    Attributes:
        arrays: the caller's, by leaf path, without targets.
        tape: of the cell alone.
    """

    arrays: dict[str, Any]
    tape: Tape

    def course(self, state: str) -> Array:
        """A state at all steps, (T + 1, N, ...), the initial one first."""
        course: Array = self.tape.courses[state]
        return course


def draw_states(subject: Subject, states: InsideStates, derivation: Derivation, seed: int, number: int) -> DrawnStates:
    """Other numbers in everything that is a float, and the states there.

    Args:
        subject: the functions.
        states: the cell inside.
        derivation: of the cell.
        seed: of all numbers.
        number: which draw.
    """
    rng = np.random.default_rng([seed, 11, number])
    layout, cell = states.layout, states.layout.cell
    shapes = layout.candidate.sized.shapes
    params = {name: rng.normal(size=shapes[name]) * 0.6 for name in cell.parameters}
    params |= {name: np.zeros(shapes[name]) for name in layout.missing if name in params}
    features = layout.frame.features
    x = rng.normal(size=(states.steps, states.batch, features))
    if states.indices is not None:
        x = np.eye(features)[rng.integers(0, features, (states.steps, states.batch))]
    taken = {part.state for part in layout.states}
    # Away from zero: a state may be divided by, as the normaliser of an sLSTM is.
    state = {name: rng.uniform(0.2, 1, (states.batch, *shapes[name])) * (name in taken) for name in cell.states}
    tape = Tape(derivation, layout.sizes, params, {cell.inputs[0]: x}, state)
    flat = own_arrays(layout, params, x, {name: state[name] for name in taken}, {})
    arrays: dict[str, Any] = dict(states.data)
    own = {subject.flat_names[name]: array for name, array in flat.items() if name in subject.flat_names}
    for path, array in states.arrays.items():
        if path not in subject.arrays:
            arrays.setdefault(path, array)  # whole numbers of these sizes, such as lengths
        elif path not in arrays and path not in own:
            arrays[path] = rng.normal(size=np.shape(array)) * 0.7
    arrays |= own
    if states.indices is not None:
        arrays[layout.frame.x] = states.indices.encoded(x)
    return DrawnStates(arrays, tape)
