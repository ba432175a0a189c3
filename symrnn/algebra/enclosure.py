"""Between which bounds the entries of an expression lie, whatever the numbers.

Every node says in `enclosed` between which bounds it lies, from those of its operands.  What it says is sound: the
entries lie inside whenever those of the operands do.  It need not be tight.

Source: Moore, Kearfott & Cloud (2009), Introduction to Interval Analysis, ch. 2 and 5.
"""

from __future__ import annotations

from collections.abc import Mapping

from symrnn.algebra.intervals import REALS, Interval
from symrnn.algebra.nodes import Expr, Node, Variable, combination, is_complement

__all__ = ["combination", "enclose", "is_complement"]


def enclose(expr: Expr, known: Mapping[Variable, Interval]) -> Interval:
    """An interval that holds every entry of an expression.

    Args:
        expr: the expression.
        known: intervals of variables; the others may be anything.
    """

    def within(part: Expr) -> Interval:
        if isinstance(part, Variable):
            return known.get(part, REALS)
        return part.enclosed(within) if isinstance(part, Node) else REALS  # of SymPy's own nodes nothing is known

    return within(expr)
