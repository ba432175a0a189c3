"""Expressions without the functions whose value, or whose branch, bounds decide: step(1 - tanh(a)) is 1.

Numbers of the tower have no order that inequalities obey, so that a proof there needs to be told what intervals know.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symrnn.algebra import nodes
from symrnn.algebra.enclosure import enclose
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.intervals import Interval
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.rebuilding import rebuild
from symrnn.calculus.rules import on_expressions


def settled(expr: Expr, known: Mapping[Variable, Interval]) -> Expr:
    """An expression of the same value, in which what bounds decide is decided.

    Args:
        expr: the expression.
        known: intervals of variables.
    """
    if isinstance(expr, Variable) or not expr.has(nodes.Act):
        return expr
    args = tuple(settled(arg, known) if getattr(arg, "is_Matrix", False) else arg for arg in expr.args)
    same = all(a is b for a, b in zip(args, expr.args, strict=True))
    result = expr if same else rebuild(expr, args)
    return _decided(result, known) if isinstance(result, nodes.Act) else result


def _decided(call: nodes.Act, known: Mapping[Variable, Interval]) -> Expr:
    bound = enclose(call, known)
    if bound.low == bound.high:
        value = bound.low
        return nodes.number(sympy.Rational(value.numerator, value.denominator), call.shape)  # type: ignore[union-attr]
    row = FUNCTIONS[call.name]
    # A function with a domain is left as it is: its definition may hide where it has no value.
    if row.definition is None or not row.kinks or any(row.domain):
        return call
    if any(0 in enclose(on_expressions(kink, *call.operands), known) for kink in row.kinks):
        return call
    return settled(on_expressions(row.definition, *call.operands), known)
