"""A cell and a head inside a function that returns a loss: the states first, then what the loss is of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.calculus.derivation import Derivation, derive
from symrnn.callables.conventions import names_data
from symrnn.callables.invocation import SubjectError
from symrnn.callables.probe import Probe
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from symrnn.heads import HEADS, Head, JoinedCell, with_head
from symrnn.heads.library import ANY, MANY_OF, NOTHING, ONE_OF
from symrnn.identification import identify_probed
from symrnn.identification.inverse import own_arrays
from symrnn.identification.layout import Layout
from symrnn.language.recurrence import Cell
from symrnn.losses.data import DataForm, dense_forms, indexed_forms, is_indices
from symrnn.losses.headed import HeadedLayout, headed, reductions
from symrnn.losses.indices import EmbeddedView, find_embedded
from symrnn.losses.inside import InsideView, values_inside
from symrnn.mistakes.tape import Tape

_AGREES = 1e-8
"""How far the loss may be from the head's at a second point, relative; heads that differ do in the first digits."""
_MOST_STEPS = 4
"""Steps at which indices are given as vectors: each takes an index of its own, and alphabets may be that small."""
_MOST_INSIDE = 12
"""Arrays among which states are looked for: a function keeps its states, its gates, and copies of them."""


@dataclass(frozen=True)
class FoundModel:
    """A cell and a head.

    Attributes:
        subject: the functions.
        layout: how they hold both.
        derivation: of both as one cell.
    """

    subject: Subject
    layout: HeadedLayout
    derivation: Derivation


def find_model(subject: Subject, known: Cell | None, seed: int) -> FoundModel | None:
    """The cell and the head that a function computes a loss with; None where they cannot be told.

    Args:
        subject: the functions; forward returns a single number.
        known: the cell that it is said to be; otherwise the library is searched.
        seed: of all numbers.
    """
    for states in _find_states(subject, known):
        found = _HeadSearch(subject, states, seed).find()
        if found is not None:
            return found
    return None


# The states.

_Reading = tuple[InsideView, dict[str, Array], int, str, DataForm | None, dict[str, Any]]
"""Forward, arrays, the number of steps, the sequence's name; how it holds indices, and other data of these steps."""


@dataclass(frozen=True)
class _States:
    """A cell inside, without what comes behind it.

    Attributes:
        layout: how it is held; its sequence may be one of indices.
        indices: how that is held; otherwise None.
        data: the arguments that are no weights, as they were when it was found.
        steps: the steps that they have.
    """

    layout: Layout
    indices: DataForm | None
    data: Mapping[str, Any]
    steps: int


def _find_states(subject: Subject, known: Cell | None) -> Iterator[_States]:
    """Every reading of the arguments as a sequence, with the cell whose states are computed from it."""
    for view, arrays, steps, x, indices, data in _views(subject):
        paths = _courses(view, arrays, steps, x)
        if not paths:
            continue
        try:
            probe = Probe(view.only(paths), {**arrays})  # type: ignore[arg-type]
            among = None if known is None else [known]
            found = identify_probed(probe, among=among, nearest=False, merged=False)
        except (InputError, SubjectError):
            continue
        if found.layout is not None and "T" in found.layout.frame.axes:
            yield _States(found.layout, indices, data, steps)


def _views(subject: Subject) -> Iterator[_Reading]:
    flat = {path: name for name, path in subject.flat_names.items()}
    if any(flat[path] != path for path in subject.arrays):
        return  # weights inside of dicts: their names are not those of arguments
    drawn = _drawn(subject.arrays)
    for name, array in sorted(subject.arrays.items(), key=lambda one: not names_data(one[0])):
        if np.ndim(array) >= 2 and np.shape(array)[0] > 1 and (names_data(name) or np.ndim(array) == 3):
            yield InsideView(subject), drawn, np.shape(array)[0], name, None, {}
            if np.ndim(array) == 3 and np.shape(array)[1] > 1:
                yield InsideView(subject), drawn, np.shape(array)[1], name, None, {}
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
    return {name: rng.normal(size=np.shape(array)) * 0.6 for name, array in arrays.items()}


def _courses(view: InsideView, arrays: dict[str, Array], steps: int, x: str) -> tuple[str, ...]:
    """What runs through the steps as states do: a change of a step reaches later ones, and no earlier one.

    Of these, what depends on the fewest arrays: what comes behind the states depends on more.
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
        return ()
    least = min((len(names) for names in depends.values()), default=0)
    unique: dict[bytes, str] = {}
    for path in found:
        if len(depends[path]) == least:
            unique.setdefault(np.ascontiguousarray(still[path]).tobytes(), path)
    return tuple(unique.values())[:_MOST_INSIDE]


def _runs(still: Array, first: Array | None, last: Array | None, steps: int) -> bool:
    if first is None or last is None or not np.shape(still) == np.shape(first) == np.shape(last):
        return False
    if not np.isfinite(still).all():
        return False
    for axis, length in enumerate(np.shape(still)):
        if length in (steps, steps + 1) and np.ndim(still) > 1:
            of_last = np.moveaxis(last != still, axis, 0)
            of_first = np.moveaxis(first != still, axis, 0)
            if of_last[-1].any() and not of_last[:-1].any() and of_first[-1].any():
                return True
    return False


# The head.


@dataclass(frozen=True)
class _Draw:
    """Numbers at which heads are held against the loss.

    Attributes:
        arrays: the caller's, without the target.
        states: (T, N, H).
        tape: of the cell alone.
    """

    arrays: dict[str, Any]
    states: Array


class _HeadSearch:
    """Looks for the head behind a cell."""

    def __init__(self, subject: Subject, states: _States, seed: int) -> None:
        self.subject, self.states, self.seed = subject, states, seed
        self.layout = states.layout
        self.cell = self.layout.cell
        self.derivation = derive(self.cell)
        self.batch = self.layout.frame.batch or 1
        self.draws = [self._draw(number) for number in range(2)]
        self.width = self.draws[0].states.shape[-1]
        self.free = [name for name in subject.arrays if name not in self.layout.names]

    def _draw(self, number: int) -> _Draw:
        rng = np.random.default_rng([self.seed, 11, number])
        shapes = self.layout.candidate.sized.shapes
        params = {name: rng.normal(size=shapes[name]) * 0.6 for name in self.cell.parameters}
        params |= {name: np.zeros(shapes[name]) for name in self.layout.missing if name in params}
        steps, features = self.states.steps, self.layout.frame.features
        x = rng.normal(size=(steps, self.batch, features))
        if self.states.indices is not None:
            x = np.eye(features)[rng.integers(0, features, (steps, self.batch))]
        taken = {part.state for part in self.layout.states}
        state = {name: rng.uniform(0.2, 1, (self.batch, *shapes[name])) * (name in taken) for name in self.cell.states}
        tape = Tape(self.derivation, self.layout.sizes, params, {self.cell.inputs[0]: x}, state)
        given = {name: state[name] for name in taken}
        flat = own_arrays(self.layout, params, x, given, {})
        arrays: dict[str, Any] = dict(self.states.data)
        for name, array in self.subject.arrays.items():
            if name not in arrays and name not in flat:
                arrays[name] = rng.normal(size=np.shape(array)) * 0.7
        arrays |= flat
        if self.states.indices is not None:
            arrays[self.layout.frame.x] = self.states.indices.encoded(x)
        return _Draw(arrays, tape.courses[self.cell.states[0]][1:, :, :, 0])

    def find(self) -> FoundModel | None:
        """The first head that agrees."""
        for form, kind, width in self._targets():
            values = [self._target(form, kind, width, number) for number in range(2)]
            losses = [self._loss(form, number, values[number]) for number in range(2)]
            if None in losses:
                continue
            for head in (
                head for head in HEADS.values() if head.target == kind or (kind == ONE_OF and head.target != NOTHING)
            ):
                found = self._with_head(head, form, values, losses, width)
                if found is not None:
                    return found
        return None

    def _targets(self) -> Iterator[tuple[DataForm | None, str, int]]:
        widths = sorted({size for name in self.free for size in np.shape(self.subject.arrays[name])} | {self.width, 1})
        steps, batch = self.states.steps, self.batch
        given = {**self.subject.arguments, **self.states.data}
        for name, value in given.items():
            if name == self.layout.frame.x or name in self.layout.names:
                continue
            if is_indices(value):
                for form in indexed_forms(name, value, steps, batch):
                    yield from ((form, ONE_OF, width) for width in widths if width > 1)
            if np.ndim(value) and np.asarray(value).dtype.kind in "iuf":
                for width in widths:
                    for form in dense_forms(name, value, steps, batch, width):
                        kinds = (ONE_OF, MANY_OF) + (ANY,) * (np.asarray(value).dtype.kind == "f")
                        yield from ((form, kind, width) for kind in kinds)
        yield from ((None, NOTHING, width) for width in widths)

    def _target(self, form: DataForm | None, kind: str, width: int, number: int) -> Array:
        rng = np.random.default_rng([self.seed, 13, number])
        steps = self.states.steps if form is None or form.timed else 1
        return draw_target(kind, (steps, self.batch, width), rng)

    def _loss(self, form: DataForm | None, number: int, value: Array) -> float | None:
        try:
            target = {} if form is None else {form.name: form.encoded(value)}
            answer = self.subject.outputs({**self.draws[number].arrays, **target})
        except (SubjectError, ValueError, IndexError, TypeError):
            return None
        loss = float(next(iter(answer.values())).ravel()[0])
        return loss if np.isfinite(loss) else None

    def _with_head(
        self, head: Head, form: DataForm | None, values: Sequence[Array], losses: Sequence[Any], width: int
    ) -> FoundModel | None:
        for readout, bias in self._readouts(head, width):
            for last in (False, True) if form is None or form.timed else (True,):
                factors = []
                for number, draw in enumerate(self.draws):
                    states = draw.states[-1:] if last else draw.states
                    target = values[number][-1:] if last else values[number]
                    total = head_total(head, states, target, self._weights(readout, draw), self._bias(bias, draw))
                    factors.append(losses[number] / total if total else np.nan)
                first, second = factors
                if first > 0 and abs(second / first - 1) <= _AGREES:
                    return self._found(head, form, readout, bias, last, first, width)
        return None

    def _readouts(self, head: Head, width: int) -> Iterator[tuple[Any, Any]]:
        if not head.reads_out:
            if width == self.width:
                yield None, None
            return
        for name in self.free:
            shape = tuple(np.shape(self.subject.arrays[name]))
            if sorted(size for size in shape if size > 1) != sorted(size for size in (width, self.width) if size > 1):
                continue
            turns = [shape == (self.width, width)] if self.width != width and len(shape) == 2 else [False, True]
            for turned in turns:
                if len(shape) != 2:
                    continue
                for other in (*self.free, None):
                    if other is None or (other != name and self._is_bias(other, width)):
                        yield (name, turned), other

    def _is_bias(self, name: str, width: int) -> bool:
        shape = np.shape(self.subject.arrays[name])
        return np.size(self.subject.arrays[name]) == width and width in (*shape, 1)

    def _weights(self, readout: Any, draw: _Draw) -> Array | None:
        if readout is None:
            return None
        weights = np.asarray(draw.arrays[readout[0]])
        return weights.T if readout[1] else weights

    def _bias(self, bias: str | None, draw: _Draw) -> Array | float:
        return 0.0 if bias is None else np.ravel(draw.arrays[bias])

    def _found(
        self, head: Head, form: DataForm | None, readout: Any, bias: Any, last: bool, factor: float, width: int
    ) -> FoundModel | None:
        sizes = {"T": self.states.steps, "d_y" if head.reads_out else "d_h": width}
        sizes |= {"N": self.batch} if self.layout.frame.batch else {}
        reduced = reductions(factor, sizes, not last)
        if not reduced:
            return None
        joined, derivation = _joined(self.cell, head)
        own = self.subject.arrays
        held = None if readout is None else (readout[0], own[readout[0]], readout[1])
        layout = headed(self.layout, joined, width, held, None if bias is None else (bias, own[bias]))
        layout = replace(layout, target=form, indices=self.states.indices, reduced=reduced, last=last)
        return FoundModel(self.subject, layout, derivation)


@lru_cache(maxsize=64)
def _joined(cell: Cell, head: Head) -> tuple[JoinedCell, Derivation]:
    joined = with_head(cell, head)
    return joined, derive(joined.cell)


def draw_target(kind: str, shape: tuple[int, int, int], rng: np.random.Generator) -> Array:
    """Random targets, (T, N, D), of a kind."""
    if kind == ONE_OF:
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:2])]
    if kind == MANY_OF:
        return rng.integers(0, 2, shape).astype(float)
    return rng.normal(size=shape)


def head_total(head: Head, states: Array, target: Array, weights: Array | None, bias: Array | float) -> float:
    """The sum of a head's losses over steps and examples, by its own lines.

    Args:
        head: the head.
        states: (T, N, H).
        target: (T, N, D).
        weights: the readout's (D, H), if it has one.
        bias: the readout's.
    """
    values = head_values(head, states, target, weights, bias)
    return float(np.sum(values))


def head_values(head: Head, states: Array, target: Array, weights: Array | None, bias: Array | float) -> Array:
    """A head's losses, (T, N); the arguments as for `head_total`."""
    cell, _ = _joined(_IDENTITY, head)
    run, own = cell.cell.definition, {}

    def aim(k: Array) -> list[Array]:
        return [k] if "k" in cell.names else []

    if head.reads_out:
        own = {cell.names["V"]: weights, cell.names["b_y"]: np.broadcast_to(bias, target.shape[-1:])}
    with np.errstate(all="ignore"):
        return np.array(
            [
                [np.ravel(run(h, 0 * h, *aim(k), 0.0, **own)[1])[0] for h, k in zip(row, aims, strict=True)]
                for row, aims in zip(states, target, strict=True)
            ]
        )


_IDENTITY = Cell.from_source('def nothing(x: "d_h", h: "d_h"):\n    h = h * 0 + x\n    return h\n')
"""A cell whose state is its input: what stands before a head alone."""
