"""What a changed backward pass gives beside what is right: at the inputs of the check, at shorter and at others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from symrnn.measuring.sizes import make_anew
from symrnn.measuring.truth import COMPLEX_STEP, SINGLE, Truth
from symrnn.repairs.inner import InnerAdjoints
from symrnn.repairs.passing import PassedValues
from symrnn.repairs.turns import TooManyTurnsError

_ENTRIES = 16
"""Entries of an array that are compared, beside two sums over all of it: they tell which part of it is wrong."""
_DIRECTIONS = 2
_FEW = 3
"""Arrays below which each is compared in blocks: one or two may hold the weights of a whole network."""
_BLOCKS = 24
_BLOCK = "\0"
_MOST_POINTS = 4
"""Shorter inputs: one and two of what each of two axes counts."""
_SINGLE = 2e-3
"""The relative error of a derivative by differences in single precision: a third of its seven digits."""


_FAILS = (InputError, ValueError, KeyError, IndexError, TypeError)
"""What asking somebody's functions may raise: what they raise themselves, and what a cut or a change leads to."""

Cut = Callable[[Subject, int], Iterator[dict[str, Any]]]
"""Ways to make inputs with so many steps or examples."""


@dataclass(frozen=True)
class Projection:
    """Numbers that stand for an array: some of its entries, and its products with random directions.

    Attributes:
        entries: the places of the entries, in the flattened array.
        directions: one a row.
        expected: the right numbers.
        tolerance: how far off each may be.
    """

    entries: Array
    directions: Array
    expected: Array
    tolerance: Array

    def of(self, array: Array) -> Array:
        """The same numbers of another array."""
        flat = np.ravel(array)
        return np.concatenate([flat[self.entries], self.directions @ flat])

    def agrees(self, array: Array) -> bool:
        """Whether an array is right."""
        if np.size(array) != self.directions.shape[1]:
            return False
        gap = np.abs(self.of(array) - self.expected)
        return bool(np.all(gap <= self.tolerance))


@dataclass(frozen=True)
class AskedPoint:
    """Inputs at which the functions are asked.

    Attributes:
        arrays: what stands in the place of the inputs of the check.
        cotangents: output -> what backward is handed.
        outputs: what forward gives there.
        right: gradient -> its right numbers.
    """

    arrays: Mapping[str, Any]
    cotangents: Arrays
    outputs: Arrays
    right: Mapping[str, Projection]


@dataclass(frozen=True)
class Score:
    """What one version of the functions gives.

    Attributes:
        right: the gradients that are right, with the number of the point.
        wrong: those that are not.
        values: the numbers of each gradient at each point.
        same_outputs: whether forward gives what it gave before.
        inner: the adjoints of what forward computes on its way that backward comes by, at the point that is listened
            at.
    """

    right: frozenset[tuple[int, str]]
    wrong: frozenset[tuple[int, str]]
    values: Mapping[tuple[int, str], Array]
    same_outputs: bool
    inner: frozenset[Any] = frozenset()

    def beats(self, before: Score) -> bool:
        """Whether more gradients are right and none is wrong that was right, or as many, with more on their way."""
        if not self.same_outputs or not self.right >= before.right:
            return False
        return self.right > before.right or self.inner > before.inner

    def at(self, place: int) -> Score:
        """The same at one point alone."""
        right, wrong = (frozenset(one for one in found if one[0] == place) for found in (self.right, self.wrong))
        return Score(right, wrong, {}, self.same_outputs, self.inner)

    def of_first(self) -> frozenset[str]:
        """The gradients that are right at the inputs of the check."""
        wrong = {name.split(_BLOCK)[0] for place, name in self.wrong if place == 0}
        return frozenset(name.split(_BLOCK)[0] for place, name in self.right if place == 0) - wrong


class Trials:
    """The functions under test, asked again and again while their text changes.

    Args:
        subject: the functions.
        names: the gradients that are compared.
        seed: of all numbers.
    """

    def __init__(self, subject: Subject, names: Collection[str], seed: int) -> None:
        self.subject, self.names = subject.unnoticed(), sorted(names)
        self._inner: InnerAdjoints | None = None
        # One vector of all parameters would be all right or all wrong.
        self._blocks = _BLOCKS if len(self.names) < _FEW else 1
        first = self._point({}, seed, None)
        self.points = [first[0]]
        self.method = first[1]
        for arrays in shorter(self.subject):
            made = self._try_point(arrays, seed)
            # What forward takes, backward may not: a part of its inputs was cut by mistake.
            if made is not None and self.score([made]) is not None:
                self.points.append(made)
            if len(self.points) > _MOST_POINTS:
                break
        self._elsewhere = self._try_point(self._moved(seed), seed + 1)

    def run(self, place: int = 0) -> Any:
        """One run at the inputs of the check, or at another point."""
        return self.subject.gradients(self.points[place].arrays, self.points[place].cotangents)

    def listen(self, passed: PassedValues, place: int) -> None:
        """See from now on, at one point, which adjoints backward comes by on its way; the trees must be in force."""
        if self._inner is None:
            self._inner = InnerAdjoints(passed, self.subject, self.method)
        point = self.points[place]
        try:
            self._inner.listen_at(place, point.arrays, point.cotangents)
        except _FAILS:
            self._inner.place = None

    @property
    def inner(self) -> InnerAdjoints | None:
        """The adjoints at the point that is listened at, if there are any."""
        return self._inner if self._inner is not None and self._inner.place is not None else None

    def met(self) -> list[tuple[int, bool]]:
        """What backward computes at the point that is listened at, in order: the expression, and whether it is right.

        Right is what is an adjoint of something that forward computes; what is none may be right nevertheless.
        """
        if self._inner is None or self._inner.place is None:
            return []
        point = self.points[self._inner.place]
        try:
            return self._inner.met(partial(self.subject.answer_and_gradients, point.arrays, point.cotangents))
        except (*_FAILS, TooManyTurnsError):
            return []

    def gains(self, place: int, base: Score) -> bool:
        """Whether at one point more is right than was, or more on the way to it, and what was right is."""
        score = self._score([place])
        return score is not None and score.beats(base.at(place))

    def score(self, points: Sequence[AskedPoint] = ()) -> Score | None:
        """What the functions give now, at these points or at all; None where they cannot be run."""
        return self._score(range(len(self.points))) if not points else self._score_of(list(enumerate(points)))

    def _score(self, places: Sequence[int]) -> Score | None:
        return self._score_of([(place, self.points[place]) for place in places])

    def _score_of(self, points: Sequence[tuple[int, AskedPoint]]) -> Score | None:
        asked = frozenset((place, name) for place, point in points for name in point.right)
        right: set[tuple[int, str]] = set()
        values: dict[tuple[int, str], Array] = {}
        same, inner = True, frozenset[Any]()
        for place, point in points:
            ask = partial(self.subject.answer_and_gradients, point.arrays, point.cotangents)
            try:
                if self._inner is not None and self._inner.place == place:
                    (outputs, gradients), inner = self._inner.heard(ask)
                else:
                    outputs, gradients = ask()
            except (*_FAILS, TooManyTurnsError):
                return None
            same = same and _equal(outputs, point.outputs)
            if place == 0 and not same:
                return Score(frozenset(), asked, {}, False)
            for name, projection in point.right.items():
                found = gradients.get(name.split(_BLOCK)[0])
                if found is None:
                    continue
                if np.size(found) == projection.directions.shape[1]:
                    values[place, name] = projection.of(found)
                if projection.agrees(found):
                    right.add((place, name))
        return Score(frozenset(right), asked - right, values, same, inner)

    def right_elsewhere(self) -> frozenset[str]:
        """The gradients that are right at other inputs as well: what is right at one point only is no repair."""
        if self._elsewhere is None:
            return frozenset(self.names)
        score = self.score([self._elsewhere])
        return frozenset() if score is None else score.of_first()

    def factors(self, score: Score) -> tuple[float, ...]:
        """The numbers by which gradients are too large, where one is a multiple of the right one."""
        found: dict[str, float] = {}
        for (place, name), values in score.values.items():
            if place or (0, name) in score.right:
                continue
            projection = self.points[0].right[name]
            size = float(projection.expected @ projection.expected)
            if size == 0:
                continue
            factor = float(values @ projection.expected) / size
            if factor and np.all(np.abs(values - factor * projection.expected) <= abs(factor) * projection.tolerance):
                found[f"{factor:.9g}"] = float(f"{factor:.12g}")
        return tuple(found.values())

    def worst(self, score: Score, names: Collection[str]) -> float:
        """The largest relative error that is left in these gradients at the inputs of the check."""
        gaps = [0.0]
        for (place, label), values in score.values.items():
            if place or label.split(_BLOCK)[0] not in names:
                continue
            expected = self.points[0].right[label].expected
            size = float(np.max(np.abs(expected), initial=0.0))
            if size:
                gaps.append(float(np.max(np.abs(values - expected))) / size)
        return max(gaps)

    def _moved(self, seed: int) -> dict[str, Array]:
        """Other values of what is differentiated, of about their size: larger weights of a wide layer explode."""
        rng = np.random.default_rng([seed, 1])
        own = {path: array for path, array in self.subject.arrays.items() if path in self.names}
        spread = {path: float(np.sqrt(np.mean(array**2))) if array.size else 1.0 for path, array in own.items()}
        sizes = {path: min(1.0, one or 1.0) for path, one in spread.items()}
        return {path: array + 0.3 * sizes[path] * rng.normal(size=array.shape) for path, array in own.items()}

    def _try_point(self, arrays: Mapping[str, Any], seed: int) -> AskedPoint | None:
        try:
            return self._point(arrays, seed, self.method)[0]
        except _FAILS:
            return None

    def _point(self, arrays: Mapping[str, Any], seed: int, method: str | None) -> tuple[AskedPoint, str]:
        subject = self.subject
        outputs = subject.outputs(arrays)
        rng = np.random.default_rng([seed, 5])
        cotangents = {
            path: rng.normal(size=array.shape) for path, array in outputs.items() if subject.reachable(path)
        } or {path: np.ones_like(array) for path, array in outputs.items()}
        truth = Truth(subject, cotangents, arrays, seed, method)
        right = {}
        for name in self.names:
            own = np.asarray(arrays.get(name, subject.arrays[name]))
            rng = np.random.default_rng([seed, 6])
            for number, part in enumerate(np.array_split(np.arange(own.size), min(self._blocks, max(own.size, 1)))):
                label = f"{name}{_BLOCK}{number}" if self._blocks > 1 else name
                right[label] = _project(truth, name, own, part, rng)
        return AskedPoint(dict(arrays), cotangents, outputs, right), truth.method


def _project(truth: Truth, name: str, own: Array, part: Array, rng: np.random.Generator) -> Projection:
    """The projection of a part of an array, given by the places of its entries."""
    entries = np.sort(rng.permutation(part)[:_ENTRIES])
    directions = np.zeros((_DIRECTIONS, own.size))
    directions[:, part] = rng.normal(size=(_DIRECTIONS, part.size))
    indices = [tuple(int(i) for i in np.unravel_index(int(one), own.shape)) for one in entries]
    values, errors = truth.entries(name, indices)
    sums = [truth.directional({name: one.reshape(own.shape)}) for one in directions]
    expected = np.concatenate([values, [value for value, _ in sums]])
    error = np.concatenate([errors, [error for _, error in sums]])
    scale = float(np.max(np.abs(expected), initial=0.0))
    # A mistake is off in the leading digits; in single precision these are the only ones.
    relative = 1e-9 if truth.method == COMPLEX_STEP else _SINGLE if truth.unit > SINGLE else 1e-5
    return Projection(entries, directions, expected, 8 * error + relative * scale + 1e-13)


def _equal(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(
        one[path].shape == other[path].shape and np.allclose(one[path], other[path], rtol=1e-12, atol=1e-12)
        for path in one
    )


def shorter(subject: Subject) -> Iterator[dict[str, Any]]:
    """The inputs with one step or example, and with two, cut along every axis that can be cut."""
    sequences: list[Cut] = [partial(_cuts, least=3, axis=axis) for axis in (0, 1, -1)]
    states: list[Cut] = [partial(_cuts, least=2, axis=axis) for axis in (0, 1)]
    for kind in [_listed, _made_anew, *sequences, *states]:
        for count in (1, 2):
            for arrays in kind(subject, count):
                if _runs(subject, arrays):
                    yield arrays
                    break


def _runs(subject: Subject, arrays: Mapping[str, Any]) -> bool:
    try:
        answer = subject.outputs(arrays)
    except _FAILS:
        return False
    if not all(np.isfinite(array).all() for array in answer.values()):
        return False
    # Outputs of as many examples as before are those of a state alone cut, which NumPy broadcasts.
    own = {name: np.shape(subject.arguments.get(name, ())) for name in arrays}
    pairs = [pair for name, array in arrays.items() for pair in zip(own[name], np.shape(array), strict=False)]
    cut = {before for before, after in pairs if before != after}
    return not any(array.shape == subject.answer[path].shape and cut & {*array.shape} for path, array in answer.items())


def _listed(subject: Subject, count: int) -> Iterator[dict[str, Any]]:
    """Lists of whole numbers, such as those of characters, cut to so many."""
    listed = {
        name: value
        for name, value in subject.arguments.items()
        if isinstance(value, list) and value and all(isinstance(one, int | np.integer) for one in value)
    }
    for length in dict.fromkeys(len(value) for value in listed.values()):
        if length > count:
            yield {name: value[:count] for name, value in listed.items() if len(value) == length}


def _made_anew(subject: Subject, count: int) -> Iterator[dict[str, Any]]:
    if (made := make_anew(subject, T=count)) is not None:
        yield made


def _cuts(subject: Subject, count: int, least: int, axis: int) -> Iterator[dict[str, Any]]:
    """Whatever has so many axes, or whole numbers, cut along one of them to so many entries."""
    arrays = {name: value for name, value in subject.arguments.items() if isinstance(value, np.ndarray) and value.ndim}
    whole = {name: value for name, value in arrays.items() if value.ndim >= least or value.dtype.kind != "f"}
    there = {name: value for name, value in whole.items() if value.ndim > axis}
    for size in dict.fromkeys(value.shape[axis] for value in there.values() if value.shape[axis] > count):
        cut = {name: value for name, value in there.items() if value.shape[axis] == size}
        yield {name: np.take(value, range(count), axis=axis) for name, value in cut.items()}


def touched(before: Score, after: Score) -> frozenset[tuple[int, str]]:
    """The gradients whose numbers two versions give differently, with the numbers of the points."""
    names = before.values.keys() | after.values.keys()
    return frozenset(
        name
        for name in names
        if name not in before.values
        or name not in after.values
        or not np.array_equal(before.values[name], after.values[name], equal_nan=True)
    )
