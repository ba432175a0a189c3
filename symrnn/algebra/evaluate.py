"""The value of an expression at given arrays.

The last two axes of an array are the expression's own: (n, 1) a column, (1, 1) a scalar; axes before these are a batch.
Any numbers will do: floats, complex numbers, or object arrays of exact numbers.  Every node says in `evaluated` what
its value is.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import sympy

from symrnn.algebra.functions import Arithmetic
from symrnn.algebra.nodes import Expr, Node, Variable, fraction_of, is_column, is_scalar
from symrnn.arrays import Array
from symrnn.errors import MissingRuleError


def at_sizes(dim: Any, sizes: Mapping[str, int]) -> Any:
    """A size such as d_h + d_x, or a number such as 1/d_h, with the sizes put in by name."""
    return dim.xreplace({symbol: sympy.Integer(sizes[symbol.name]) for symbol in dim.free_symbols})


class ShapesAtSizes:
    """The shapes of variables at one choice of sizes; each is computed once.

    Args:
        sizes: a whole number per size.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self._known: dict[Variable, tuple[int, int]] = {}

    def __call__(self, variable: Variable) -> tuple[int, int]:
        """Rows and columns."""
        # Put in once for each variable: SymPy's substitution costs more than the arithmetic of a small step.
        known = self._known.get(variable)
        if known is None:
            rows, cols = variable.shape
            known = self._known[variable] = int(at_sizes(rows, self._sizes)), int(at_sizes(cols, self._sizes))
        return known

    def in_text(self, variable: Variable) -> tuple[int, ...]:
        """The shape that the cell's text sees: () of a scalar, (n,) of a column, (n, m) of a matrix."""
        # By the symbolic shape: a size that happens to be 1 makes no scalar.
        shape = self(variable)
        return () if is_scalar(variable) else shape[:1] if is_column(variable) else shape


class Evaluator:
    """Evaluates expressions at one point; equal sub-expressions are computed once.

    Args:
        values: an array per variable, by identifier; read as asked for, so it may grow.
        sizes: a whole number per size (`{"d_h": 3}`).
        arithmetic: the functions of the table over the arrays' kind of number.

    Attributes:
        arrays: the library of the arrays, for the nodes, which are defined without it.
    """

    arrays: ClassVar[Any] = np

    def __init__(self, values: Mapping[str, Array], sizes: Mapping[str, int], arithmetic: Arithmetic) -> None:
        self.values = values
        self.sizes = sizes
        self.arithmetic = arithmetic
        self._known: dict[Expr, Array] = {}

    def size(self, dim: Any) -> int:
        """The number that a size such as d_h + d_x stands for."""
        return int(at_sizes(dim, self.sizes))

    def number(self, coefficient: Any) -> float | int | Fraction:
        """The number in front of a product, whole or as a fraction."""
        value = at_sizes(coefficient, self.sizes)
        return int(value) if value.is_Integer else fraction_of(value)

    def scaled(self, number: Any, value: Array) -> Array:
        """An array times the number in front of a product."""
        factor = self.number(number)
        if isinstance(factor, Fraction):
            if value.dtype == object:
                exact: Array = factor * value
                return exact
            # p * v / q keeps the type of a float32 array, and 1/10 exact to the last bit
            return value * factor.numerator / factor.denominator
        return value if factor == 1 else factor * value

    def __call__(self, expr: Expr) -> Array:
        """The value of an expression, with two axes."""
        if isinstance(expr, Variable):
            return self.values[expr.name]
        known = self._known.get(expr)
        if known is None:
            if not isinstance(expr, Node):
                raise MissingRuleError(f"no rule to evaluate {type(expr).__name__}")
            known = self._known[expr] = expr.evaluated(self)
        return known
