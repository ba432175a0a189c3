"""Sizes to check at, and the two layouts of a value.

The author's text sees a scalar as (), a vector as (n,) and a matrix as (n, m); expressions see a column as (n, 1) and
a scalar as (1, 1).  A layout knows the sizes and turns one into the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, islice
from typing import Any

import numpy as np
from sympy import preorder_traversal

from symrnn.algebra import nodes
from symrnn.algebra.evaluate import Evaluator, ShapesAtSizes, at_sizes
from symrnn.algebra.functions import Arithmetic
from symrnn.algebra.nodes import Expr, Variable, is_scalar, variables
from symrnn.arrays import Array
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell

SIZES: tuple[tuple[int, int], ...] = ((1, 1), (2, 3), (3, 2), (4, 4))
"""(d_h, d_x).  Where the two are equal a transpose keeps its shape; (1, 1) alone would hide transposes and order."""


@dataclass(frozen=True)
class CellAtSizes:
    """A cell at one choice of sizes.

    Attributes:
        cell: the cell.
        sizes: a whole number per size of the cell.
    """

    cell: Cell
    sizes: Mapping[str, int]

    def shape(self, variable: Variable) -> tuple[int, int]:
        """Rows and columns."""
        return self._shapes(variable)

    @cached_property
    def _shapes(self) -> ShapesAtSizes:
        return ShapesAtSizes(self.sizes)

    def text_shape(self, variable: Variable) -> tuple[int, ...]:
        """The shape that the author's text sees."""
        return self._shapes.in_text(variable)

    def matrix(self, variable: Variable, value: Array) -> Array:
        """A value of the text, in rows and columns."""
        return np.asarray(value).reshape(self.shape(variable))

    def arguments(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """What the text is run on: values in rows and columns by identifier, in the text's names and shapes."""
        names = self._names
        return {names[name][0]: value.reshape(names[name][1]) for name, value in values.items()}

    @cached_property
    def _names(self) -> Mapping[str, tuple[str, tuple[int, ...]]]:
        """The argument of the text, and its shape there, by identifier."""
        return {v.name: (v.base if v.time == -1 else v.name, self.text_shape(v)) for v in self.variables}

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """The step's arguments: inputs, states at t-1, parameters."""
        cell = self.cell
        return (*(cell[name] for name in cell.inputs), *cell.previous, *(cell[name] for name in cell.parameters))


def vec(value: Array) -> Array:
    """The columns under one another, the order in which Jacobians count the entries of a matrix."""
    return value.reshape(-1, 1, order="F")


def layouts(cell: Cell, pairs: Sequence[tuple[int, int]]) -> tuple[CellAtSizes, ...]:
    """A layout per pair (d_h, d_x); further sizes get small numbers that differ from these and from one another.

    Raises:
        InputError: a size is not a positive whole number, or there is no pair.
    """
    chosen: list[Mapping[str, int]] = []
    for pair in pairs:
        if len(pair) != 2 or not all(isinstance(n, int) and n > 0 for n in pair):
            raise InputError(
                f"sizes={pairs!r}: {pair!r} is no choice of sizes\n  give pairs (d_h, d_x) of positive numbers"
            )
        sizes = _assignment(cell, *pair)
        if sizes not in chosen:  # a cell of fixed sizes has one layout only
            chosen.append(sizes)
    if not chosen:
        raise InputError("sizes=(): there is nothing to check at\n  give pairs (d_h, d_x) such as (2, 3)")
    return tuple(CellAtSizes(cell, sizes) for sizes in chosen)


_FURTHER = ((5, 6), (7, 5), (11, 9), (13, 17), (23, 19))
"""(d_h, d_x) where sizes occur as numbers: beyond the small ones, which are roots of whatever is 0 at those."""
# A number such as d_x - 7 vanishes at one size, which is worth a proof of its own while matrices are small.
_LARGEST_ROOT = 40


def with_sizes_as_numbers(chosen: Sequence[CellAtSizes], exprs: Iterable[Expr]) -> tuple[CellAtSizes, ...]:
    """Further layouts where sizes occur as numbers in some expressions, as in a mean or in size(x) - 1.

    Two are added at which no such number is zero, and those at which one is zero that are small enough.
    """
    cell = chosen[0].cell
    numbers = {number for expr in exprs for node in preorder_traversal(expr) for number in _numbers(node)}
    # Without such numbers the sizes tried prove as much as any: shapes enter an identity by their order alone.
    if not numbers:
        return tuple(chosen)

    def vanishes(layout: CellAtSizes) -> bool:
        return any(_is_zero(number, layout) for number in numbers)

    every = [CellAtSizes(cell, _assignment(cell, *pair)) for pair in _FURTHER]
    generic = [layout for layout in every if not vanishes(layout)] or every
    small = (CellAtSizes(cell, _assignment(cell, n, n + 1)) for n in range(5, _LARGEST_ROOT))
    found = [*chosen, *generic[:2], *islice(filter(vanishes, small), 2)]
    return tuple({tuple(layout.sizes.items()): layout for layout in found}.values())


def _numbers(node: Any) -> Iterator[Any]:
    """Numbers that depend on the sizes alone: factors, as in d_x a, and formulas without a variable; no plain 1/d_h."""
    if not getattr(node, "is_Matrix", False) or isinstance(node, Variable):
        return
    if isinstance(node, nodes.Product):
        factor, _ = nodes.coefficient(node)
        if factor.free_symbols and not (1 / factor).is_Symbol:
            yield factor
    if is_scalar(node) and node.free_symbols and not variables(node):
        yield node


def _is_zero(number: Any, layout: CellAtSizes) -> bool:
    if not getattr(number, "is_Matrix", False):
        return bool(at_sizes(number, layout.sizes) == 0)
    try:
        with np.errstate(all="raise"):
            return bool(Evaluator({}, layout.sizes, Arithmetic())(number).reshape(-1)[0] == 0)
    except (ArithmeticError, AttributeError):  # a divisor is zero, or a function is in it
        return True


def _assignment(cell: Cell, d_h: int, d_x: int) -> Mapping[str, int]:
    given = {"d_h": d_h, "d_x": d_x}
    # From 2 on and all different: at 1 a product with ones hides an axis, and equal sizes hide a transpose.
    free: Iterator[int] = (n for n in count(2) if n not in given.values())
    return {name: given[name] if name in given else next(free) for name in cell.sizes}


def show(chosen: Sequence[CellAtSizes]) -> str:
    """The sizes as text: the names once, then the numbers."""
    names = chosen[0].cell.sizes
    if not names:
        return "fixed"
    numbers = (",".join(str(layout.sizes[name]) for name in names) for layout in chosen)
    return f"{','.join(names)} = {' '.join(numbers)}"
