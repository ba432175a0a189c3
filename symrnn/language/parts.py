"""Parts of a value: `split(a, 4)[0]`, one of its equal parts, and `a[:d_h]`, some of its rows."""

from __future__ import annotations

import ast


def equal_part(node: ast.Subscript) -> tuple[ast.expr, int, int] | None:
    """What is split, the number of the part, and the number of parts; None for rows."""
    match node:
        case ast.Subscript(
            value=ast.Call(func=ast.Name(id="split"), args=[whole, ast.Constant(value=int(count))]),
            slice=ast.Constant(value=int(part)),
        ):
            return whole, part, count
    return None


def bounds(node: ast.Subscript) -> tuple[ast.expr | None, ast.expr | None]:
    """The sizes between which rows are taken; None is the beginning, or the end."""
    assert isinstance(node.slice, ast.Slice)
    return node.slice.lower, node.slice.upper
