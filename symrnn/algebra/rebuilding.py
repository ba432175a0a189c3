"""The same node with other operands, through its constructor, which checks and tidies what it is given."""

from __future__ import annotations

from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr


def valued(expr: Expr) -> Expr:
    """The expression without what is there for derivatives only: straight_through(x, z) is x."""
    if not expr.has(nodes.Act) or isinstance(expr, nodes.Variable):
        return expr
    args = tuple(valued(arg) if getattr(arg, "is_Matrix", False) else arg for arg in expr.args)
    if isinstance(expr, nodes.Act) and FUNCTIONS[expr.name].stated:
        return args[1]
    return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else rebuild(expr, args)


def rebuild(expr: Expr, args: tuple[Any, ...]) -> Expr:
    """A node of this kind with other `args`, through its constructor; what has no operands stays what it is."""
    return type(expr).rebuilt(*args) if isinstance(expr, nodes.Node) and nodes.children(expr) else expr
