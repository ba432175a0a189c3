"""What a reader sees in a product: its factors, its sign, and what only shows a value again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symrnn.algebra.nodes import Expr, Fill, Slice, Total, Transposed, coefficient, is_scalar

SEE_THROUGH = (Transposed, Fill, Slice)
"""Only show entries of their operand again: a reader of a picture follows the value."""


ENTRY_BY_ENTRY = r"\odot"
"""The sign of the product entry by entry where the notation has none."""


def factors_of(expr: Expr) -> list[Any]:
    """The factors of a product, those of a product entry by entry within it too."""
    found: list[Any] = []
    # Inside of a matrix product, a product entry by entry is one vector.
    opens = type(expr).__name__ == "Hadamard" or _is_plain(expr)
    for factor in expr.args:
        if opens and type(factor).__name__ in ("Hadamard", "Product") and _is_plain(factor):
            found += factors_of(factor)
        elif getattr(factor, "is_Matrix", False):
            found.append(factor)
    return found


def _is_plain(product: Expr) -> bool:
    """Whether a product is one entry by entry, or of scalars and one other factor."""
    if type(product).__name__ == "Hadamard":
        return True
    return sum(not is_scalar(f) for f in product.args if getattr(f, "is_Matrix", False)) <= 1


def seen_through(expr: Expr) -> Expr:
    """The value of which an expression only shows entries again."""
    while isinstance(expr, SEE_THROUGH):
        expr = expr.args[0]
    return expr


def is_mean(expr: Expr) -> bool:
    """Whether it is the sum of all entries divided by their number."""
    number, rest = coefficient(expr)
    return isinstance(rest, Total) and number * rest.operand.shape[0] * rest.operand.shape[1] == 1


def _is_outer(moving: Sequence[Expr]) -> bool:
    """Whether a column and a row are among the factors, which make a matrix."""
    return any(f.shape[0] != 1 == f.shape[1] for f in moving) and any(f.shape[0] == 1 != f.shape[1] for f in moving)


def is_matrix_product(expr: Expr, moving: Sequence[Expr]) -> bool:
    """Whether entries are added up in a product: a matrix and a vector, two vectors to a number."""
    if type(expr).__name__ == "Hadamard":
        return False
    return sum(not is_scalar(f) for f in moving) > 1 and not (_is_outer(moving) and expr.shape != (1, 1))


def sign_of(expr: Expr, moving: Sequence[Expr]) -> str:
    """The sign of a product: entry by entry, or of a column and a row."""
    return r"\otimes" if type(expr).__name__ != "Hadamard" and _is_outer(moving) else ENTRY_BY_ENTRY
