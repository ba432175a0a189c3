"""Products of gradients with random directions, next to what the forward pass says of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.invocation import SubjectError
from symrnn.callables.returned import ReturnedGradients
from symrnn.callables.subject import Subject
from symrnn.measuring.truth import DIFFERENCES, SINGLE, Truth

ERRORS = 8
"""How many estimated errors of a derivative count as agreement: the estimate is the difference of two approximations,
which may be small by chance."""
LARGE = 1e6
"""What cotangents are multiplied by to see clipping: far above any bound that people clip at (1, 5, 10), and far below
where sums of squares overflow, also in single precision (3e38)."""
_MORE = 4
"""Directions by which a candidate made from a gradient is tested, more than a verdict takes: many candidates are tried,
and one that agrees by chance would become a sentence."""


@dataclass(frozen=True)
class DirectionalProduct:
    """One directional product.

    Attributes:
        got: ⟨gradient, direction⟩.
        expected: the directional derivative.
        error: the estimated error of `expected`.
        scale: ‖gradient ⊙ direction‖, or |expected| if that is larger: an error of an entry shows relative to this.
    """

    got: float
    expected: float
    error: float
    scale: float

    @property
    def gap(self) -> float:
        """How far the gradient is off along this direction."""
        return abs(self.got - self.expected)

    def agrees(self, tolerance: float) -> bool:
        """Whether both are the same, up to a relative error and what the estimate of the derivative leaves open."""
        return self.gap <= tolerance * self.scale + ERRORS * self.error


class Evidence:
    """Everything that was measured of a subject at one point, with one set of random cotangents.

    Args:
        subject: the functions under test.
        seed: of the cotangents and the directions.
        arrays: the point, in place of the subject's own arrays.
        method: how the truth is found; None to find out.
        repeat: whether backward is also called again, to notice what it keeps or uses up.
        quick: whether derivatives in a few calls will do.
        mask: output path -> what its cotangent is multiplied by.

    Attributes:
        gradients: leaf path -> what backward returns.
        cotangents: output path -> array.
        truth: derivatives of the forward pass.
    """

    def __init__(
        self,
        subject: Subject,
        seed: int = 0,
        arrays: Arrays | None = None,
        method: str | None = None,
        repeat: bool = False,
        quick: bool = False,
        mask: Arrays | None = None,
    ) -> None:
        self.subject, self.seed, self._quick = subject, seed, quick
        self.arrays = dict(arrays or {})
        self.point = dict(subject.arrays) | self.arrays
        # At the subject's own inputs the answer is there already, and a call of forward may take seconds.
        answer = subject.outputs(self.arrays) if self.arrays else subject.answer
        self.cotangents = {
            path: c * (mask or {}).get(path, 1.0) for path, c in _draw_cotangents(subject, answer, seed).items()
        }
        self.reading: ReturnedGradients = (
            subject.examine(self.cotangents) if repeat else subject.reading(self.arrays, self.cotangents)
        )
        self.gradients = self.reading.gradients
        self.truth = Truth(subject, self.cotangents, self.arrays, seed, method)
        self._measured: dict[tuple[str, int], tuple[float, float]] = {}

    def direction(self, name: str, place: int) -> Array:
        """A direction in one input; every entry is drawn from a normal distribution."""
        which = sorted(self.point).index(name)
        return np.random.default_rng([self.seed, which, place]).normal(size=np.shape(self.point[name]))

    def expected(self, name: str, place: int) -> tuple[float, float]:
        """The derivative along that direction, and its error."""
        if (name, place) not in self._measured:
            measure = self.truth.quick if self._quick else self.truth.directional
            self._measured[name, place] = measure({name: self.direction(name, place)})
        return self._measured[name, place]

    def product(self, name: str, place: int, candidate: Array | None = None) -> DirectionalProduct:
        """A gradient's product with one direction; the returned gradient's unless another is given."""
        gradient = self.gradients[name] if candidate is None else candidate
        terms = gradient * self.direction(name, place)
        expected, error = self.expected(name, place)
        scale = max(float(np.sqrt(np.sum(terms**2))), abs(expected))
        return DirectionalProduct(float(np.sum(terms)), expected, error, scale)

    @property
    def fine(self) -> float:
        """The relative error that rounding in double precision explains."""
        return 1e-9  # a few million rounding errors of one part in 1e16: steps, examples and sums of hundreds each

    @property
    def coarse(self) -> float:
        """The relative error that rounding in the precision of these functions explains."""
        unit = max(self.subject.epsilon, self.subject.gradient_epsilon)
        # fewer rounding errors than above, or single precision (1e-7 each) would excuse half of a gradient
        return max(self.fine, 2e3 * unit) if unit > SINGLE else self.fine

    def holds(self, name: str, candidate: Array) -> bool:
        """Whether an array is the right gradient of an input, by several directions."""
        if not np.isfinite(candidate).all():
            return False
        for place in range(_MORE):
            product = self.product(name, place, candidate)
            # A candidate of zeros agrees with a derivative of zero, and says nothing about either.
            if not product.agrees(self.coarse) or product.scale == 0:
                return False
        return True

    def factor(self, name: str) -> float | None:
        """The constant c where the gradient is c times the right one; None where it is no multiple."""
        products = [self.product(name, place) for place in range(2)]
        # A quotient is as exact as its denominator: the direction with the larger derivative, and two digits of it at
        # least.
        best = max(products, key=lambda product: abs(product.expected))
        if best.expected == 0 or abs(best.expected) <= 100 * best.error or not np.isfinite(best.got):
            return None
        factor = best.got / best.expected
        if factor == 0 or not self.holds(name, self.gradients[name] / factor):
            return None
        return factor

    def moved(self, name: str, mask: Array, place: int = 0) -> float:
        """How far the gradient is off along a direction restricted to some entries; zero for rounding."""
        # `quick`, since this is asked for one mask after the other while a range is halved.
        direction = np.where(mask, self.direction(name, place), 0.0)
        terms = self.gradients[name] * direction
        expected, error = self.truth.quick({name: direction})
        gap = abs(float(np.sum(terms)) - expected)
        scale = max(float(np.sqrt(np.sum(terms**2))), abs(expected))
        return gap if gap > self.coarse * scale + ERRORS * error else 0.0

    @cached_property
    def jump(self) -> float:
        """How far the derivatives on both sides may differ, along one direction in all inputs at once."""
        direction = {name: self.direction(name, 0) for name in self.subject.arrays}
        try:
            slopes = self.truth.slopes(direction)
        except SubjectError:
            return float("inf")
        bound = abs(slopes.ahead - slopes.behind) + slopes.error
        return bound if np.isfinite(bound) else float("inf")

    # Linearity in the cotangents.

    @cached_property
    def at_zero(self) -> dict[str, Array]:
        """The gradients for zero cotangents."""
        return self.subject.gradients(self.arrays, {path: 0.0 * c for path, c in self.cotangents.items()})

    @cached_property
    def enlarged(self) -> dict[str, Array]:
        """The gradients for cotangents a million times as large."""
        return self.subject.gradients(self.arrays, {path: LARGE * c for path, c in self.cotangents.items()})

    @cached_property
    def diminished(self) -> dict[str, Array]:
        """A million times the gradients for cotangents a million times smaller."""
        small = self.subject.gradients(self.arrays, {path: c / LARGE for path, c in self.cotangents.items()})
        return {path: LARGE * array for path, array in small.items()}

    def nonlinear(self, name: str) -> bool:
        """Whether larger cotangents do not give a gradient larger by the same factor."""
        gradient, larger = LARGE * self.gradients[name], self.enlarged.get(name)
        if larger is None or not np.isfinite(gradient).all():
            return False
        gap = float(np.max(np.abs(larger - gradient), initial=0))
        # what is scaled by a million has other rounding errors, and clipping leaves next to nothing of it
        return not gap <= max(1e-6, self.coarse) * float(np.max(np.abs(gradient), initial=0))

    def accumulated(self, name: str) -> float:
        """The largest entry for zero cotangents."""
        left = self.at_zero.get(name)
        return 0.0 if left is None else float(np.max(np.abs(left), initial=0))

    @cached_property
    def nudged(self) -> list[dict[str, Array]]:
        """The gradients with every input moved by a few units in the last place: what changes there is rounding."""
        unit = 8 * max(self.subject.epsilon, self.subject.gradient_epsilon)  # "a few", with room for short sums
        found = []
        for draw in range(4):
            # Relative to each entry: one of zero stays zero, as a mask or a padding must.
            rng = np.random.default_rng([self.seed, 11, draw])
            moved = {path: self.point[path] for path in self.arrays}
            for path in self.subject.arrays:
                array = self.point[path]
                moved[path] = array * (1 + unit * rng.uniform(-1, 1, size=np.shape(array)))
            found.append(self.subject.gradients(moved, self.cotangents))
        return found

    def noise(self, name: str, place: int) -> float:
        """An estimate of rounding noise: how far the comparison moves when it is repeated, rescaled and slightly moved.

        The cotangents are scaled by hardly more than 1: by more, a gradient that does not grow with them, because a
        constant is added to it or because it is clipped, would pass for one with much rounding.
        """
        direction = self.direction(name, place)
        gradients = [(self.gradients[name], 1.0)]
        gradients += [(nudged[name], 1.0) for nudged in self.nudged if name in nudged]
        for factor in (1 + 2e-7, 1 - 3e-7):
            scaled = self.subject.gradients(self.arrays, {path: c * factor for path, c in self.cotangents.items()})
            gradients += [(scaled[name], factor)] if name in scaled else []
        products = [float(np.sum(array * direction)) / factor for array, factor in gradients]
        spread = max(products) - min(products)
        if self.truth.method == DIFFERENCES:
            return spread + self.expected(name, place)[1]
        # By factors that are no powers of two: those would scale every number without rounding any of them anew.
        values = [self.truth.directional({name: direction * factor})[0] / factor for factor in (1.0, 3.0, 7.0, 1.1)]
        return spread + max(values) - min(values)


def _draw_cotangents(subject: Subject, answer: Arrays, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng([seed, 7])
    if subject.calling.implicit:  # a loss, whose cotangent is 1
        return {path: np.ones_like(array) for path, array in answer.items()}
    return {path: rng.normal(size=array.shape) for path, array in answer.items() if subject.reachable(path)}
