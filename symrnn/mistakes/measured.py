"""Gradients that somebody's backward pass gave, and the numbers that can be read off them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symrnn.arrays import Array

_DIFFERS, _SAME = 1e-6, 1e-9
"""A factor is another one than 1, and a gradient is a multiple of another: both far above the rounding of 1e-13."""


@dataclass(frozen=True)
class Measured:
    """A gradient that was measured, beside what the backward pass in question gives.

    Attributes:
        name: the variable of the cell.
        value: the numbers.
        expected: those of the backward pass that mistakes are made in.
    """

    name: str
    value: Array
    expected: Array


def common_ratios(measured: Sequence[Measured]) -> dict[float, tuple[str, ...]]:
    """Factor -> the variables whose gradients are that times what is expected."""
    found: dict[float, list[str]] = {}
    for piece in measured:
        value, right = piece.value, piece.expected
        square = float(np.sum(right * right))
        if square > 0:
            # The multiple that fits best; whether it fits is asked next.
            ratio = float(np.sum(value * right)) / square
            if abs(ratio - 1) > _DIFFERS and np.linalg.norm(value - ratio * right) <= _SAME * np.sqrt(square):
                same = next((known for known in found if abs(known - ratio) <= _SAME * abs(ratio)), ratio)
                found.setdefault(same, []).append(piece.name)
    return {ratio: tuple(dict.fromkeys(names)) for ratio, names in found.items()}


# Bounds that people clip at, the commonest first; where an entry reaches the bound, any other is read off too.
_USUAL = (1.0, 5.0, 10.0, 0.5, 0.1, 0.01, 0.2, 0.25, 0.3, 2.0, 3.0, 4.0, 8.0, 15.0, 20.0, 50.0, 100.0)
# Relative: entries that were clipped at one bound are equal to the last digits.
_EQUAL = 1e-12


def largest_shared(measured: Sequence[Measured]) -> dict[str, float]:
    """Variable -> the largest size of an entry of its gradient, where several entries share it."""
    found = {}
    for piece in measured:
        sizes = np.abs(piece.value).ravel()
        # Several entries of one size by chance do not occur; and only the largest can have been clipped.
        if sizes.size and np.sum(np.isclose(sizes, sizes.max(), rtol=_EQUAL)) > 1:
            found[piece.name] = float(sizes.max())
    return found


def usual_bounds(measured: Sequence[Measured]) -> tuple[float, ...]:
    """The bounds that may have been used: those that entries share, and the usual ones."""
    return tuple(dict.fromkeys([*largest_shared(measured).values(), *_USUAL]))
