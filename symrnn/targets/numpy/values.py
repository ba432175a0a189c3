"""Which array holds a value: its own axes, whether it has leading axes, and whether broadcasting has to complete it.

A vector is `(..., n)`, a matrix `(..., n, m)` and a scalar `(...)`, where `...` is one time step's batch `(N,)` or all
steps `(T, N)`; what does not differ from example to example has no leading axes.  A row's array is that of its column.
"""

from __future__ import annotations

from typing import Any, Literal

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr

Kind = Literal["scalar", "row", "column", "matrix"]

ENTRYWISE = (nodes.Sum, nodes.Hadamard, nodes.Power, nodes.Act)
"""Operations on each entry: their source may have an array as small as the largest of their operands'."""

CONSTANT = (nodes.Fill, nodes.Ones, nodes.Zeros)
"""Values whose entries are all the same: their source has one entry, which is repeated where needed."""


def kind(shape: nodes.Shape) -> Kind:
    """What a value of this shape is."""
    rows, cols = (size == 1 for size in shape)
    return "scalar" if rows and cols else "row" if rows else "column" if cols else "matrix"


def rank(shape: nodes.Shape) -> int:
    """The number of a value's own axes: 0 for a scalar, 1 for a column or a row, 2 for a matrix."""
    return {"scalar": 0, "row": 1, "column": 1, "matrix": 2}[kind(shape)]


def own_axes(shape: nodes.Shape) -> list[Any]:
    """The sizes of a value's own axes."""
    return [dim for dim in shape if dim != 1] if rank(shape) < 2 else list(shape)


def is_batched(expr: Expr) -> bool:
    """Whether the value differs from example to example."""
    return any(variable.time is not None for variable in nodes.variables(expr))


def is_thin(expr: Expr) -> bool:
    """Whether NumPy's array may be smaller than the value and relies on broadcasting."""
    rest = nodes.coefficient(expr)[1]
    if isinstance(rest, ENTRYWISE):
        return all(is_thin(x) for x in rest.args if getattr(x, "is_Matrix", False))
    return isinstance(rest, CONSTANT)
