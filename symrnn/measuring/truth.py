"""Directional derivatives of somebody's forward pass: by complex step where that holds, else by differences.

The only source of truth is the forward pass itself.  A direction moves every entry of an input at once, so that the
cost does not grow with the input's size.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject

COMPLEX_STEP = "complex step"
DIFFERENCES = "central differences with Richardson extrapolation"
SINGLE = 1e-10
"""A rounding unit above this is that of single precision (1e-7) or less, below it that of double (2e-16)."""

TINY = 1e-20
"""The complex step.  The derivative is exact as long as the square of the step vanishes beside 1, and no difference is
taken, so that it may be far smaller than any rounding; not so small that products of it underflow."""
_LEVELS = 24
"""Halvings of the step in double precision.  From half of the inputs' size down to 3e-8 of it, past which rounding of
the function outweighs whatever a smaller step gains."""
_ENOUGH = 1e-12
"""Estimated relative error at which the search for a better step ends: extrapolation hardly ever gets below it."""
_PRECISE = 1e-7
"""Estimated relative error that allows to stop once three steps brought nothing.  A coarser value may be that of a
function that looks linear from afar, and is not yet to be trusted."""
_AGREE = 1e-6
"""Relative difference up to which the complex step and differences agree along the direction that decides between
them: what differences can do.  A function that drops the imaginary part is off in the first digit."""
_FACTOR = 2.0
"""What the step is divided by from level to level: small, so that the best step is not jumped over."""


@dataclass(frozen=True)
class Slopes:
    """One-sided derivatives along a direction.

    Attributes:
        ahead: the derivative forwards.
        behind: the derivative backwards.
        error: what both may be off by.
    """

    ahead: float
    behind: float
    error: float

    @property
    def gap(self) -> float:
        """How far they are apart beyond their errors."""
        return max(0.0, abs(self.ahead - self.behind) - self.error)


class Truth:
    """Derivatives of ⟨cotangents, outputs⟩ with respect to the inputs.

    Args:
        subject: the functions under test; backward is not called.
        cotangents: output path -> array.
        arrays: the point, as leaf path -> array in place of the own ones.
        seed: of the direction in which complex step is compared with differences before it is trusted.
        method: `COMPLEX_STEP` or `DIFFERENCES`; None to find out.

    Attributes:
        method: how derivatives are taken.
        epsilon: the relative error of a derivative that rounding alone explains.
    """

    def __init__(
        self,
        subject: Subject,
        cotangents: Arrays,
        arrays: Arrays | None = None,
        seed: int = 0,
        method: str | None = None,
    ) -> None:
        self._subject = subject
        self._cotangents = dict(cotangents)
        self._point = dict(subject.arrays) | dict(arrays or {})
        self._others = {path: array for path, array in self._point.items() if path not in subject.arrays}
        self._unit = subject.epsilon
        self._base = subject.answer if not arrays else subject.outputs(self._point)
        # What a sum of products rounds relative to: at least 1 an entry, since values of order one were added up inside
        # even where the output is small.
        self.size = sum(
            float(np.sum(np.abs(c) * (1 + np.abs(self._base[path])))) for path, c in self._cotangents.items()
        )
        self.method = method or (COMPLEX_STEP if self._is_analytic(seed) else DIFFERENCES)
        # what the functions' own rounding leaves, and what a difference of rounded values does
        self.epsilon = 1e-9 if self.method == COMPLEX_STEP else 1e-7

    def directional(self, direction: Arrays) -> tuple[float, float]:
        """The derivative along a direction.

        Args:
            direction: leaf path -> array of the leaf's shape; zero for those that are missing.

        Returns:
            The derivative, and an estimate of its absolute error; for a complex step that is rounding.

        Raises:
            SubjectError: forward raises nearby.
        """
        if self.method == COMPLEX_STEP:
            tangent = self._push_complex(direction)
            terms = [c * tangent[path] for path, c in self._cotangents.items()]
            value = float(sum(np.sum(term) for term in terms))
            # Some 500 rounding errors of 2e-16: the functions' own.
            return value, 1e-13 * float(sum(np.sum(np.abs(term)) for term in terms))
        return self._extrapolate(direction)

    @property
    def outputs(self) -> Arrays:
        """The outputs at the point."""
        return self._base

    @property
    def cost(self) -> int:
        """How many calls of forward a `quick` derivative takes."""
        return 1 if self.method == COMPLEX_STEP else 4

    def quick(self, direction: Arrays) -> tuple[float, float]:
        """`directional` in a few calls of forward; by differences, with a larger error than `directional` has."""
        if self.method == COMPLEX_STEP:
            return self.directional(direction)
        # The error of two steps, extrapolated, is of fourth order (1e-12); that of rounding is the unit over the step.
        step = self._reach(direction) * (1e-3 if self._unit < SINGLE else 3e-2)
        slopes = []
        for half in (step, step / 2):
            slopes.append(self._change(direction, -half, self._outputs_beside(direction, half)) / (-2 * half))
        # Central differences err by the square of the step: half of it errs by a quarter, which this cancels.
        value = slopes[1] + (slopes[1] - slopes[0]) / 3
        # What was cancelled is the error of the coarser step; a tenth of it is a safe bound of what remains.
        return value, 0.1 * abs(slopes[1] - slopes[0]) + 4 * self._unit * self.size / step

    def entries(self, name: str, indices: Iterable[tuple[int, ...]]) -> tuple[Array, Array]:
        """The right values of some entries of one input's gradient, and the error of each."""
        pairs = [self.quick({name: _make_unit(self._point[name], index)}) for index in indices]
        values, errors = zip(*pairs, strict=True) if pairs else ((), ())
        return np.array(values, np.float64), np.array(errors, np.float64)

    def slopes(self, direction: Arrays) -> Slopes:
        """The derivatives on both sides, which differ where the point is at a kink."""
        # Small beside the distance to a kink that is not at the point itself, large beside rounding.
        step = self._reach(direction) * 1e-3 * (1 if self._unit < SINGLE else 30)
        sides = []
        for sign in (1.0, -1.0):
            # Steps on one side only, and each pair extrapolated: three values give two estimates, whose difference is
            # the error.
            steps = [sign * step * part for part in (1, 0.5, 0.25)]
            one, two, four = (self._change(direction, part, self._base) / part for part in steps)
            first, second = 2 * two - one, 2 * four - two
            sides.append((second, abs(second - first)))
        # The difference of two values over a quarter of the step, doubled by the extrapolation, on two sides: 2 · 4 · 2
        # · 2.
        rounding = 32 * self._unit * self.size / step
        return Slopes(sides[0][0], sides[1][0], sides[0][1] + sides[1][1] + rounding)

    @property
    def unit(self) -> float:
        """The rounding unit that forward computes with."""
        return self._unit

    # Complex step.

    def _is_analytic(self, seed: int) -> bool:
        """Whether a complex step gives the derivative: it runs, and agrees with differences along one direction."""
        if self._unit > SINGLE:
            return False
        rng = np.random.default_rng(seed)
        direction = {path: rng.normal(size=self._point[path].shape) for path in self._movable()}
        # Every input moves by its own size, or a tiny one would not be compared at all.
        direction = {path: array * self._scale(path) for path, array in direction.items()}
        with warnings.catch_warnings():
            # NumPy drops an imaginary part with a warning only: the derivative would be zero without anybody noticing.
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            try:
                tangent = self._push_complex(direction)
            except (SubjectError, Warning):
                return False
        value = 0.0
        for path, c in self._cotangents.items():
            if not np.isfinite(tangent[path]).all():
                return False
            value += float(np.sum(c * tangent[path]))
        try:
            other, error = self._extrapolate(direction)
        except SubjectError:
            return False
        # The last term is for derivatives of zero, where a relative error means nothing.
        return abs(value - other) <= 8 * error + _AGREE * abs(value) + 1e-12 * self.size

    def _push_complex(self, direction: Arrays) -> dict[str, Array]:
        """The tangent of every output; an output that stays real does not move."""
        moved = self._others | {
            path: self._point[path] + 1j * TINY * np.asarray(direction.get(path, 0.0)) for path in self._movable()
        }
        answer = self._subject.outputs(moved)
        return {path: answer[path].imag / TINY for path in self._cotangents}

    # Differences.

    def _movable(self) -> list[str]:
        return [
            path for path, array in self._point.items() if getattr(getattr(array, "dtype", None), "kind", "") == "f"
        ]

    def _scale(self, path: str) -> float:
        array = self._point[path]
        # The root mean square; the largest entry may be the only one of its size.
        size = float(np.sqrt(np.mean(array**2))) if array.size else 0.0
        return size if size > 0 and np.isfinite(size) else 1.0

    def _reach(self, direction: Arrays) -> float:
        """The step that moves the inputs by about their own size."""
        ratios = [
            # Inputs smaller than 1e-3 are moved as if they were 1e-3, or the difference would drown in rounding.
            max(self._scale(path), 1e-3) / size
            for path, array in direction.items()
            if (size := float(np.max(np.abs(array), initial=0))) > 0
        ]
        return min(ratios, default=1.0)

    def _outputs_beside(self, direction: Arrays, step: float) -> dict[str, Array]:
        moved = self._others | {path: self._point[path] for path in self._movable()}
        for path, array in direction.items():
            moved[path] = moved[path] + step * np.asarray(array)
        return self._subject.outputs(moved)

    def _change(self, direction: Arrays, step: float, base: Arrays) -> float:
        answer = self._outputs_beside(direction, step)
        return float(sum(np.sum(c * (answer[path] - base[path])) for path, c in self._cotangents.items()))

    def _extrapolate(self, direction: Arrays) -> tuple[float, float]:
        """Central differences at shrinking steps, extrapolated; the entry of the table with the least error wins."""
        step = self._reach(direction) * 0.5
        best, least = float("nan"), float("inf")
        row: list[float] = []
        worse = 0
        for _ in range(_LEVELS if self._unit < SINGLE else 10):  # single precision: rounding wins from 1e-3 on
            ahead = self._outputs_beside(direction, step)
            slope = self._change(direction, -step, ahead) / (-2 * step)
            rounding = 4 * self._unit * self.size / step
            previous, row = row, [slope]
            # Neville's scheme: each column cancels one more even power of the step.
            for order, old in enumerate(previous, 1):
                row.append(row[-1] + (row[-1] - old) / (_FACTOR ** (2 * order) - 1))
            for order in range(1, len(row)):
                spread = max(abs(row[order] - row[order - 1]), abs(row[order] - previous[order - 1])) + 0.1 * rounding
                if np.isfinite(spread) and spread < least:
                    # -1, so that the increment below makes it the number of rounds without an improvement.
                    best, least, worse = row[order], spread, -1
            worse += 1
            # Far from the point everything may look settled: only a precise value ends the search early.
            if least <= _ENOUGH * abs(best) or (worse >= 3 and least <= _PRECISE * abs(best)):
                break
            step /= _FACTOR
        return best, least


def _make_unit(array: Array, index: tuple[int, ...]) -> Array:
    direction = np.zeros_like(array, dtype=np.float64)
    direction[index] = 1.0
    return direction
