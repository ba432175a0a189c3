"""Operations on whole vectors and matrices, as expressions: a row each, for cells and for formulas about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr


def along(name: str, x: Expr, axis: int) -> Expr:
    """One of `axes.ALONG` along an axis of a matrix, which gives a value for every column (0) or every row (1).

    Args:
        name: the operation.
        x: the matrix, or a column.
        axis: 0, 1, or -1 for the last one.
    """
    axis = axis % (1 if x.shape[1] == 1 else 2)
    if name == "softmax":
        return nodes.softmax(x) if axis == 0 else nodes.transpose(nodes.softmax(nodes.transpose(x)))
    if name == "min":
        return nodes.negate(along("max", nodes.negate(x), axis))
    if name == "max":
        columns = x if axis == 0 else nodes.transpose(x)
        return nodes.along(nodes.hadamard(nodes.argmax(columns), columns), 0)
    total = nodes.along(x, axis)
    return total if name == "sum" else nodes.scale(1 / x.shape[axis], total)


def _entries(x: Expr) -> Expr:
    return x.shape[0] * x.shape[1]


def _largest(x: Expr) -> Expr:
    column = x if x.shape[1] == 1 else along("max", x, 1)
    return nodes.total(nodes.hadamard(nodes.argmax(column), column))


WHOLE: Mapping[str, Callable[..., Expr]] = {
    "concat": nodes.stack,
    "softmax": nodes.softmax,
    "sum": nodes.total,
    "mean": lambda x: nodes.scale(1 / _entries(x), nodes.total(x)),
    "max": _largest,
    "min": lambda x: nodes.negate(_largest(nodes.negate(x))),
    "size": lambda x: nodes.number(_entries(x), nodes.ONE_BY_ONE),
    "outer": lambda a, b: nodes.matmul(a, nodes.transpose(b)),
}
"""What each operation of `expressions.STRUCTURAL` but `split` gives."""
