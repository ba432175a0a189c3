"""How long an expression is to read: what every rewriting has to make less."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr

# The searches for rewritings weigh the parts of one derivation again and again; those of the largest cell of the
# library are some thousand.
_REMEMBERED = 1 << 13


def weight(expr: Expr) -> tuple[int, int, int]:
    """How much there is to read, how many minus signs are in the way, and how deep scalars are buried.

    Each is a sum over the nodes, so that a shorter part makes the whole shorter.
    """
    return _weight(expr)[:3]


@lru_cache(maxsize=_REMEMBERED)
def _weight(expr: Any) -> tuple[int, int, int, int]:
    if not isinstance(expr, nodes.Node):  # `subs` can put a node of SymPy's own there, which no rewriting looks into
        return 3, 0, 0, 0
    ink, signs, buried, scalars = expr.ink, expr.minus_signs, 0, int(isinstance(expr, nodes.Fill))
    for child in nodes.children(expr):
        parts = _weight(child)
        ink, signs, buried, scalars = (a + b for a, b in zip((ink, signs, buried, scalars), parts, strict=True))
    return ink, signs, buried + scalars * expr.buries_scalars, scalars
