"""The kinds of number that a cell can be run on.

The same equations and the same text run on floats, on complex numbers, on numbers of a finite field and on numbers that
carry a bound on their rounding.  What a kind has to bring is in one place: the functions of the table, the number that
a literal is, and, where it has slopes, how to make a value move and to see how fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import Arithmetic
from symrnn.arrays import Array
from symrnn.language.evaluate import NUMPY
from symrnn.runs.field import FIELD, Number, along, slopes

COMPLEX_STEP = 1e-30
"""Im f(x + i h) / h differs from f'(x) by a share of h² only, so h may be so small that this vanishes beside rounding;
no difference is taken, in which digits would cancel.  Much smaller still, and a product of small slopes underflows."""


@dataclass(frozen=True)
class Numbers:
    """A kind of number.

    Attributes:
        arithmetic: the functions of the table over it.
        literal: the number that an integer, a fraction or a decimal literal is.
        lift: an array of floats as an array of these numbers.
        exact: whether the numbers in front of products must be of this kind as well, as a third of ones must be: NumPy
            would make a float of it.
    """

    arithmetic: Arithmetic
    literal: Callable[[Any], Any]
    lift: Callable[[Array], Array]
    exact: bool = False

    def evaluator(self, values: Mapping[str, Array], sizes: Mapping[str, int]) -> Evaluator:
        """What gives expressions their values at a point.

        Args:
            values: an array in rows and columns for every variable, by identifier; it may grow.
            sizes: a whole number for every size.
        """
        if self.exact:
            return _ExactFactors(values, sizes, self)
        return Evaluator(values, sizes, self.arithmetic)


class _ExactFactors(Evaluator):
    """Evaluates expressions with numbers of one kind in front of products."""

    def __init__(self, values: Mapping[str, Array], sizes: Mapping[str, int], numbers: Numbers) -> None:
        super().__init__(values, sizes, numbers.arithmetic)
        self._literal = numbers.literal

    def number(self, coefficient: Any) -> Any:
        """The number in front of a product."""
        return self._literal(super().number(coefficient))


@dataclass(frozen=True)
class SlopedNumbers(Numbers):
    """Numbers that carry a slope: the derivative along one direction, through any text that they are run through.

    Attributes:
        move: `move(value, direction)`, the value moving in a direction.
        rest: the value without its slope.
        rate: its slope.
    """

    move: Callable[[Array, Array], Array] = np.add
    rest: Callable[[Array], Array] = np.asarray
    rate: Callable[[Array], Array] = np.zeros_like


FLOATS = SlopedNumbers(
    NUMPY,
    float,
    lambda value: np.asarray(value, dtype=float),
    move=lambda value, direction: value + 1j * COMPLEX_STEP * direction,
    rest=np.real,
    rate=lambda value: np.imag(value) / COMPLEX_STEP,
)
"""Floats, and complex steps through them."""

RESIDUES = SlopedNumbers(
    FIELD,
    Number.of,
    lambda value: np.asarray(value, dtype=object),
    exact=True,
    move=along,
    rest=lambda value: along(value, 0 * value),
    rate=slopes,
)
"""Numbers of the field with 2^61 - 1 elements; see `field`."""
