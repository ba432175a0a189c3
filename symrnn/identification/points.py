"""Points at which a question has the same answer whatever the order of the gates.

All tiles of one shape get the same numbers, and square ones are symmetric.  What the callable gives there does not
depend on which tile belongs to which gate, nor on orientation, so a cell is recognised before anything is known about
the layout.  Then one tile at a time is nudged away, and the response says which of the cell's tiles it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symrnn.arrays import Array
from symrnn.identification.tiles import Dims, key

_VALUE, _NUDGE, _STATE, _STATE_NUDGE, _X = range(5)


@dataclass(frozen=True)
class ProbePoint:
    """A point and the ways to leave it.

    Attributes:
        ranks: how many axes tiles have that are set; others are zero.  Where vectors are zero, a callable may have as
            many biases as it likes.
        seed: of all its numbers.
    """

    ranks: frozenset[int] = frozenset({2})
    seed: int = 0

    # Drawn with the axes sorted, so that a tile and its transpose hold the same numbers.
    def value(self, dims: Dims) -> Array:
        """The numbers of every tile of this shape."""
        if len(dims) not in self.ranks:
            return np.zeros(dims)
        if len(dims) < 2:
            # Away from zero and all positive: vectors may be scales or peepholes, which vanish or cancel around zero.
            return self._rng(_VALUE, dims).uniform(0.3, 1.0, dims)
        return _turn(self._rng(_VALUE, dims).normal(size=key(dims)) * _scale(dims), dims, symmetric=True)

    def nudge(self, dims: Dims) -> Array:
        """What is added to one tile to see its effect."""
        if len(dims) < 2:
            return self._rng(_NUDGE, dims).normal(size=dims)
        return _turn(self._rng(_NUDGE, dims).normal(size=key(dims)) * _scale(dims), dims)

    def state(self, dims: Dims, batch: int, name: str = "") -> Array:
        """The initial states of this shape, (N, ...); those of a name differ from others."""
        rng = np.random.default_rng([self.seed, _STATE, *key(dims), *name.encode()])
        # Positive and away from zero, because states may be divided by or logged (normalizers, stabilizers).
        return np.stack([_turn(rng.uniform(0.2, 1.2, key(dims)), dims, symmetric=True) for _ in range(batch)])

    def state_nudge(self, dims: Dims) -> Array:
        """What is added to one state to see its effect."""
        return _turn(self._rng(_STATE_NUDGE, dims).uniform(0.2, 0.8, key(dims)), dims)

    def x(self, shape: Dims) -> Array:
        """The sequence, (T, N, D)."""
        return self._rng(_X, shape).normal(size=shape)

    def _rng(self, what: int, dims: Dims) -> np.random.Generator:
        return np.random.default_rng([self.seed, what, *key(dims)])


def _scale(dims: Dims) -> float:
    # Products stay of order one at any size: gates neither saturate nor look linear.
    return 1.2 / float(np.sqrt(max(dims)))


def _turn(value: Array, dims: Dims, symmetric: bool = False) -> Array:
    """Numbers drawn with the shorter axis first, in the shape asked for."""
    if len(dims) == 2 and dims[0] == dims[1] and symmetric:
        # Dividing by the root of 2 keeps the variance of the entries that the sum of two has doubled.
        return np.asarray((value + value.T) / np.sqrt(2))
    return value if value.shape == dims else value.T


def random_arrays(shapes: Mapping[str, Dims], seed: int, positive: frozenset[str] = frozenset()) -> dict[str, Array]:
    """Random arrays of order one; those named are positive."""
    rng = np.random.default_rng(seed)
    # By the root of the longer of the last two axes: products stay of order one, whichever way round they are taken.
    arrays = {name: rng.normal(size=shape) / np.sqrt(max(1, *shape[-2:], 1)) for name, shape in shapes.items()}
    # The 0.1 keeps a logarithm or a quotient away from its pole.
    return {name: np.abs(array) + 0.1 if name in positive else array for name, array in arrays.items()}
