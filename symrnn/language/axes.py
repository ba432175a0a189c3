"""Axes: `sum(A, axis=0)`, and `v[:, None]` or `k[None, :]`, a vector for every column or every row of a matrix."""

from __future__ import annotations

import ast


def axis_of(node: ast.Call) -> int | None:
    """The axis of a call: 0, 1, or -1 for the last one; None where none is given."""
    for keyword in node.keywords:
        negative = isinstance(keyword.value, ast.UnaryOp)
        inner = keyword.value.operand if isinstance(keyword.value, ast.UnaryOp) else keyword.value
        # type, not isinstance: True is an int, and no axis.
        if keyword.arg in ("axis", "dim") and isinstance(inner, ast.Constant) and type(inner.value) is int:
            return -inner.value if negative else inner.value
    return None


def spread_axis(node: ast.expr) -> int | None:
    """1 for `v[:, None]`, the same in every column; 0 for `k[None, :]`, the same in every row; else None."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple) or len(node.slice.elts) != 2:
        return None
    first, second = (
        "None" if isinstance(part, ast.Constant) and part.value is None else ":" if _is_all(part) else ""
        for part in node.slice.elts
    )
    return {(":", "None"): 1, ("None", ":"): 0}.get((first, second))


def _is_all(part: ast.expr) -> bool:
    return isinstance(part, ast.Slice) and part.lower is part.upper is part.step is None
