"""Where a gradient is wrong: entry by entry if it is small, by halving and by samples if it is large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symrnn.arrays import Array
from symrnn.findings.findings import Worst
from symrnn.measuring.evidence import Evidence

_SAMPLES = 12
"""Entries of a large gradient drawn at random; ratio and cosine are estimated from them, which needs no more than
their order of magnitude."""
_FEWEST = 5
"""Derivatives that every wrong gradient gets, however many are wrong: with fewer a sample says nothing."""
_CALLS = 1200
"""Calls of forward for all wrong gradients together: enough to look at every entry of the weights of a small example,
in a second or so where a call takes a millisecond."""
_FEWEST_CALLS = 64
"""The same where a single call is long: what halving (log2 of the size: 20 for a million entries) and a sample take,
for two gradients."""
_WORK = 2e7
"""Calls of forward, times the numbers that it is given: what all that is done here may come to."""


@dataclass(frozen=True)
class Location:
    """Where a gradient is off.

    Attributes:
        worst: the entry furthest off among those that were looked at.
        error: ‖got - expected‖ / ‖expected‖.
        norm_ratio: ‖got‖ / ‖expected‖.
        cosine: of the angle between both; None where one of them is zero.
        how: how this was found, in a clause.
        slices: axis -> the first and the last index that are wrong, for an axis along which the rest is right.
    """

    worst: Worst | None
    error: float
    norm_ratio: float | None
    cosine: float | None
    how: str
    slices: dict[int, tuple[int, int]]


def locate(evidence: Evidence, names: Sequence[str]) -> dict[str, Location]:
    """Find the worst entry of every wrong gradient, and what can be said of the rest.

    Calls of forward are shared out: the small gradients are looked at first, and leave the large ones what they spare.
    """
    numbers = sum(np.size(array) for array in evidence.subject.arrays.values())
    left = max(_FEWEST_CALLS, min(_CALLS, int(_WORK / max(1, numbers)))) // evidence.truth.cost
    found: dict[str, Location] = {}
    # Biases come first: entry by entry they cost little and say exactly where, and the weights get what is left.
    waiting = sorted(names, key=lambda name: evidence.gradients[name].size)
    for place, name in enumerate(waiting):
        locator = _Locator(evidence, max(_FEWEST, left // (len(waiting) - place)))
        found[name] = locator.locate(name)
        left -= locator.spent
    return found


class _Locator:
    """Looks for the wrong entries of one gradient, within a budget of derivatives."""

    def __init__(self, evidence: Evidence, allowed: int) -> None:
        self._evidence, self._allowed = evidence, allowed
        self.spent = 0

    def locate(self, name: str) -> Location:
        gradient = self._evidence.gradients[name]
        if gradient.size <= self._allowed:
            return self._look_everywhere(name, gradient)
        return self._look_at_samples(name, gradient)

    def _look_everywhere(self, name: str, gradient: Array) -> Location:
        expected, errors = self._evidence.truth.entries(name, np.ndindex(gradient.shape))
        self.spent += gradient.size
        expected, errors = expected.reshape(gradient.shape), errors.reshape(gradient.shape)
        gap = np.abs(gradient - expected)
        # A small entry carries the rounding of the large ones that it was summed with: its tolerance is that of a
        # thousandth of the largest, not of itself.
        size = float(np.max(np.abs(expected), initial=0))
        wrong = ~(gap <= self._evidence.coarse * np.maximum(np.abs(expected), 1e-3 * size) + 8 * errors)
        slices = {axis: bounds for axis in range(gradient.ndim) if (bounds := _find_bounds(wrong, axis)) is not None}
        return Location(*_compare(gradient, expected, [*np.ndindex(gradient.shape)]), "every entry", slices)

    def _look_at_samples(self, name: str, gradient: Array) -> Location:
        rng = np.random.default_rng(self._evidence.seed)
        # The largest entry is looked at in any case: a stray value that was added shows there first.
        places = {int(np.argmax(np.abs(gradient)))}
        # Halving takes a derivative a level and one for the whole; the sample must be affordable after it.
        if halving := self._can_afford(_depth(gradient.size) + _FEWEST + 2):
            places.add(self._find_by_halving(name, gradient))
        count = min(_SAMPLES, gradient.size, max(_FEWEST, self._allowed - self.spent) - len(places))
        sample = rng.choice(gradient.size, size=count, replace=False).tolist()
        indices = [_index(place, gradient.shape) for place in (*places, *sample)]
        expected, _ = self._evidence.truth.entries(name, indices)
        self.spent += len(indices)
        got = np.array([gradient[index] for index in indices])
        worst = _compare(got, expected, indices)[0]
        worst = None if worst is None else replace(worst, among=len(set(indices)))
        slices = {axis: bounds for axis in range(gradient.ndim) if (bounds := self._find_range(name, axis)) is not None}
        # The entries that were looked for are the worst ones: only those drawn at random speak for the whole array.
        start = len(places)
        _, _, ratio, cosine = _compare(got[start:], expected[start:], indices[start:])
        error = self._estimate_error(name, got[start:], expected[start:])
        sentence = f"ratio and cosine from {len(sample)} entries drawn at random"
        return Location(
            worst, error, ratio, cosine, f"{sentence}, the worst entry by halving" if halving else sentence, slices
        )

    def _estimate_error(self, name: str, got: Array, expected: Array) -> float:
        """‖got - expected‖ / ‖expected‖, estimated from entries and from directional products alike."""
        # For a normal v the mean of ⟨e, v⟩² is ‖e‖², and so is the sum over a sample, times how many entries each
        # stands for.
        products = [self._evidence.product(name, place) for place in range(2)]
        weight = self._evidence.gradients[name].size / max(1, got.size)
        gap = sum(p.gap**2 for p in products) / 2 + weight * float(np.sum((got - expected) ** 2))
        size = sum(p.expected**2 for p in products) / 2 + weight * float(np.sum(expected**2))
        return float(np.sqrt(gap / size)) if size else float("inf")

    def _can_afford(self, count: int) -> bool:
        return self.spent + count <= self._allowed

    def _find_by_halving(self, name: str, gradient: Array) -> int:
        """The flat place of a wrong entry: the half that is further off, again and again."""
        # With random signs the errors of a half do not cancel, as those of a mean or of rows that sum to zero would.
        signs = np.sign(self._evidence.direction(name, 0)) + 0.0
        low, high = 0, gradient.size

        def off(start: int, stop: int) -> float:
            direction: Array = np.zeros(gradient.size)
            direction[start:stop] = signs.ravel()[start:stop]
            direction = direction.reshape(gradient.shape)
            value, _ = self._evidence.truth.quick({name: direction})
            self.spent += 1
            return float(np.sum(gradient * direction)) - value

        whole = off(low, high)
        while high - low > 1:
            middle = (low + high) // 2
            first = off(low, middle)
            # The products are linear: what the second half is off by is the rest, and needs no call.
            if abs(first) >= abs(whole - first):
                high, whole = middle, first
            else:
                low, whole = middle, whole - first
        return low

    def _find_range(self, name: str, axis: int) -> tuple[int, int] | None:
        """The first and last wrong index along an axis, by halving; None where it is all of the axis."""
        count = self._evidence.gradients[name].shape[axis]
        shape = [1] * self._evidence.gradients[name].ndim
        shape[axis] = count
        where = np.arange(count).reshape(shape)

        def wrong(mask: Array) -> bool:
            self.spent += 1
            return self._evidence.moved(name, np.broadcast_to(mask, self._evidence.gradients[name].shape)) > 0

        if (
            # Where both ends are wrong there is no range to be found; most wrong gradients are ruled out by these two
            # calls.
            count < 2
            or not self._can_afford(2 + 2 * _depth(count))
            or (wrong(where == 0) and wrong(where == count - 1))
        ):
            return None
        first = _bisect(count, lambda stop: wrong(where < stop)) - 1
        last = count - _bisect(count, lambda kept: wrong(where >= count - kept))
        return None if (first, last) == (0, count - 1) or first > last else (first, last)


def _depth(count: int) -> int:
    """How many halvings lead from this many entries to one."""
    return int(count).bit_length()


def _bisect(count: int, true_from: Callable[[int], bool]) -> int:
    """The least number from 1 to count for which the question is answered with yes; from there on it always is."""
    low, high = 1, count
    while low < high:
        middle = (low + high) // 2
        if true_from(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _find_bounds(wrong: Array, axis: int) -> tuple[int, int] | None:
    """The first and the last wrong index along an axis; None where it is all of the axis, or nothing is wrong."""
    others = tuple(other for other in range(wrong.ndim) if other != axis)
    places = np.flatnonzero(wrong.any(axis=others))
    if not places.size or (places[0] == 0 and places[-1] == wrong.shape[axis] - 1):
        return None
    return int(places[0]), int(places[-1])


def _compare(
    got: Array, expected: Array, indices: list[tuple[int, ...]]
) -> tuple[Worst | None, float, float | None, float | None]:
    """The worst entry, the relative error, the ratio of the norms, and the cosine."""
    if not indices:
        return None, float("inf"), None, None
    gap = np.abs(got - expected).ravel()
    # NaN compares as neither larger nor smaller, and is worse than any number.
    place = int(np.argmax(np.where(np.isnan(gap), np.inf, gap)))
    worst = Worst(tuple(int(i) for i in indices[place]), float(got.ravel()[place]), float(expected.ravel()[place]))
    sizes = float(np.linalg.norm(got.ravel())), float(np.linalg.norm(expected.ravel()))
    ratio = sizes[0] / sizes[1] if sizes[1] else None
    cosine = float(np.vdot(got, expected)) / (sizes[0] * sizes[1]) if sizes[0] and sizes[1] else None
    # Rounding leaves 1 + 2e-16, which no cosine is.
    cosine = None if cosine is None else max(-1.0, min(1.0, cosine))
    return worst, float(np.linalg.norm(gap)) / sizes[1] if sizes[1] else float("inf"), ratio, cosine


def _index(place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(place, shape))
