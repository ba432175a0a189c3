"""Several mistakes in one gradient: in a sum their effects add up, in a product they multiply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from symrnn.arrays import Array

# Changes of which three are tried together: 60 give some 34,000 triples, a fraction of a second; pairs are of all.
_THREE = 60


def combinations_that_explain(
    observed: Array, base: Array, changed: Sequence[Array], tolerance: float
) -> Iterator[tuple[int, ...]]:
    """Which changes together make a gradient what was observed, the fewest and the first first.

    Args:
        observed: the gradient, a vector.
        base: without any of the changes.
        changed: with each of them alone, the likeliest first.
        tolerance: the relative error that is none.
    """
    if not changed or not observed.size:
        return
    values = np.stack(changed)
    # The larger of the two: where a gradient should be zero, or was left at zero, the other is all there is to measure
    # by.
    near = tolerance * max(float(np.linalg.norm(observed)), float(np.linalg.norm(base)))
    with np.errstate(all="ignore"):
        factors, wanted = values / base, observed / base
    # an effect in a product is a factor; where the gradient is not of rounding size, it can be compared
    usual = float(np.median(np.abs(base)))
    yield from chain(
        # Sums first, since gradients are sums over terms and steps; three only of the first, for there are very many.
        _two(values - base, observed - base, np.add, near),
        _two(factors, wanted, np.multiply, near / usual) if usual > 0 and np.all(base != 0) else (),
        _three((values - base)[:_THREE], observed - base, near),
    )


def _two(effects: Array, wanted: Array, operation: Any, near: float) -> Iterator[tuple[int, int]]:
    for first in range(len(effects) - 1):
        gaps = np.linalg.norm(operation(effects[first + 1 :], effects[first]) - wanted, axis=1)
        for second in np.flatnonzero(gaps <= near).tolist():
            yield first, first + 1 + second


def _three(effects: Array, wanted: Array, near: float) -> Iterator[tuple[int, int, int]]:
    for first in range(len(effects) - 2):
        for second, third in _two(effects[first + 1 :], wanted - effects[first], np.add, near):
            yield first, first + 1 + second, first + 1 + third
