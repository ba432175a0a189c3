"""A wrong gradient with its surroundings: what the tests of how it looks are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symrnn.arrays import Array
from symrnn.measuring.evidence import Evidence
from symrnn.measuring.locating import Location

SAME = 1e-7
"""How near a factor must be to a number such as 2 or 1/3 to be called that: the factor is a ratio of two products,
each known to about 1e-9, and cancellation costs some digits."""


@dataclass(frozen=True)
class WrongGradient:
    """One wrong gradient with its surroundings.

    Attributes:
        evidence: what was measured.
        name: the input.
        wrong: every input whose gradient is wrong.
        location: where it is wrong, if that was looked for.
    """

    evidence: Evidence
    name: str
    wrong: Sequence[str]
    location: Location | None

    @property
    def gradient(self) -> Array:
        """What backward returns."""
        return self.evidence.gradients[self.name]

    def holds(self, candidate: Array) -> bool:
        """Whether a candidate is the right gradient."""
        return self.evidence.holds(self.name, candidate)

    @property
    def left_over(self) -> float:
        """The largest entry for zero cotangents; 0 for what rounding leaves, and for a loss, whose cotangent is 1."""
        left = self.evidence.accumulated(self.name)
        # what rounding leaves of terms that cancel; a sum that starts elsewhere is off by its first value
        small = left <= 1e-12 * float(np.max(np.abs(self.gradient), initial=0))
        return 0.0 if small or self.evidence.subject.calling.implicit else left
