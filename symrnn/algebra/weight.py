"""How long an expression is to read: what every rewriting has to make less."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr

_OWN_INK: Mapping[str, int] = MappingProxyType(
    {"Variable": 4, "Ones": 5, "Eye": 2, "Zeros": 1, "Fill": 2, "Power": 2, "Act": 3, "Diag": 4, "Total": 5}
)


def weight(expr: Expr) -> tuple[int, int, int]:
    """How much there is to read, how many minus signs are in the way, and how deep scalars are buried.

    Each is a sum over the nodes, so that a shorter part makes the whole shorter.
    """
    return _weight(expr)[:3]


@lru_cache(maxsize=1 << 13)
def _weight(expr: Expr) -> tuple[int, int, int, int]:
    kind = type(expr).__name__
    ink, signs, buried, scalars = 0, 0, 0, int(kind == "Fill")
    if kind != "Variable":
        for arg in expr.args:
            if getattr(arg, "is_Matrix", False):
                parts = _weight(arg)
                ink, signs, buried, scalars = (a + b for a, b in zip((ink, signs, buried, scalars), parts, strict=True))
    if kind in ("Sum", "Hadamard"):
        ink += len(expr.args) - (kind == "Hadamard")
        signs += kind == "Sum" and is_negative(expr.args[0])
    elif kind == "Product":
        number = nodes.coefficient(expr)[0]
        ink += 3 * (number not in (1, -1))
        signs += bool(number.could_extract_minus_sign())
        buried += scalars * (len(matrices(expr)) > 1)
    else:
        ink += 4 if kind == "Ones" and nodes.is_scalar(expr) else _OWN_INK.get(kind, 3)
        buried += scalars if kind in ("Total", "Diag", "Vec", "Kronecker", "Transposed") else 0
    return ink, signs, buried, scalars


def matrices(expr: Expr) -> tuple[Expr, ...]:
    """The operands of a node that are expressions; a variable has none."""
    return () if isinstance(expr, nodes.Variable) else tuple(a for a in expr.args if getattr(a, "is_Matrix", False))


def is_negative(term: Expr) -> bool:
    """Whether a minus stands in front."""
    return bool(nodes.coefficient(term)[0].could_extract_minus_sign())
