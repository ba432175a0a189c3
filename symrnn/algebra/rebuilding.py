"""The same node with other operands, through its constructor, which checks and tidies what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import sympy

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr

BUILDERS: Mapping[str, Callable[..., Expr]] = MappingProxyType(
    {
        "Sum": nodes.add,
        "Hadamard": nodes.hadamard,
        "Power": lambda base, exponent: _divided_by_zero(base, exponent) or nodes.power(base, int(exponent)),
        "Transposed": nodes.transpose,
        "Diag": nodes.diag,
        "Kronecker": nodes.kronecker,
        "Act": lambda name, *operands: nodes.act(name.name, *operands),
        "Fill": lambda operand, rows, cols: nodes.fill(operand, (rows, cols)),
        "Total": nodes.total,
        "Softmax": nodes.softmax,
        "Argmax": nodes.argmax,
        "Stack": nodes.stack,
        "Slice": nodes.rows,
        "Vec": nodes.vec,
    }
)
"""Class name of a node -> its constructor; products are built by `rebuild` itself."""


def valued(expr: Expr) -> Expr:
    """The expression without what is there for derivatives only: straight_through(x, z) is x."""
    if not expr.has(nodes.Act) or isinstance(expr, nodes.Variable):
        return expr
    args = tuple(valued(arg) if getattr(arg, "is_Matrix", False) else arg for arg in expr.args)
    if isinstance(expr, nodes.Act) and FUNCTIONS[expr.name].stated:
        return args[1]
    return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else rebuild(expr, args)


def _divided_by_zero(base: Expr, exponent: Any) -> Expr | None:
    """1/0 stays what it is: the checks are to find it."""
    return sympy.Basic.__new__(nodes.Power, base, exponent) if nodes.is_zero(base) and exponent < 0 else None


def rebuild(expr: Expr, args: tuple[Any, ...]) -> Expr:
    """A node of this kind with other operands, through its constructor."""
    if isinstance(expr, nodes.Product):
        numbers = [arg for arg in args if not getattr(arg, "is_Matrix", False)]
        factors = [arg for arg in args if getattr(arg, "is_Matrix", False)]
        product = nodes.matmul(*factors) if len(factors) > 1 else factors[0]
        return nodes.scale(numbers[0], product) if numbers else product
    builder = BUILDERS.get(type(expr).__name__)
    return expr if builder is None else builder(*args)
