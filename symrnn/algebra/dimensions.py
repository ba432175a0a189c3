"""The rows and columns of expressions: what is a scalar, what a column, and that operands have one shape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import S

from symrnn.algebra.node import Expr, Shape

__all__ = ["ONE_BY_ONE", "is_column", "is_scalar", "same_shape", "show_shape"]

ONE_BY_ONE: Shape = (S.One, S.One)


def is_scalar(x: Expr) -> bool:
    """Whether the value is a scalar, which is any value of shape (1, 1)."""
    return bool(x.shape == ONE_BY_ONE)


def is_column(x: Expr) -> bool:
    """Whether the value is a vector: a column that is not a scalar."""
    return bool(x.shape[1] == 1 and x.shape[0] != 1)


def show_shape(shape: Iterable[Any]) -> str:
    """A shape as text: `(d_h)` for a column, `()` for a scalar."""
    rows, cols = shape
    dims = () if (rows, cols) == ONE_BY_ONE else (rows,) if cols == 1 else (rows, cols)
    return f"({', '.join(str(d) for d in dims)})"


def same_shape(what: str, terms: Iterable[Expr]) -> Shape:
    """The shape that all of these have.

    Raises:
        ValueError: they have several, or there are none.
    """
    shapes = [term.shape for term in terms]
    if not shapes:
        raise ValueError(f"{what}: at least one operand is needed")
    for shape in shapes[1:]:
        if shape != shapes[0]:
            raise ValueError(f"{what}: shapes {show_shape(shapes[0])} and {show_shape(shape)} differ")
    return shapes[0]  # type: ignore[no-any-return]
