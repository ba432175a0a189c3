"""Where an expression can be changed: its nodes, each with a way to put another in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.rebuilding import rebuild


@dataclass(frozen=True)
class TermPlace:
    """A node of a term, as a place where the term can be changed.

    Attributes:
        node: the node.
        put: what the term becomes with another node there.
        above: the nodes that it is inside of, the outermost first.
    """

    node: Expr
    put: Callable[[Expr], Expr]
    above: tuple[Expr, ...] = ()


@lru_cache(maxsize=20_000)  # a search looks at the terms of one cell again and again
def places(term: Expr) -> tuple[TermPlace, ...]:
    """Every node of a term, the term itself first."""
    found = [TermPlace(term, lambda new: new)]
    for index, child in enumerate(term.args):
        # The arguments of a variable are its name and its sizes, and numbers are no places.
        if isinstance(term, Variable) or not getattr(child, "is_Matrix", False):
            continue
        for place in places(child):
            found.append(TermPlace(place.node, _inside(term, index, place.put), (term, *place.above)))
    return tuple(found)


def _inside(term: Expr, index: int, put: Callable[[Expr], Expr]) -> Callable[[Expr], Expr]:
    return lambda new: rebuild(term, (*term.args[:index], put(new), *term.args[index + 1 :]))


def factors(expr: Expr) -> tuple[Any, tuple[Expr, ...]]:
    """The number in front and the factors of an element-by-element product; of anything else, itself."""
    number, rest = nodes.coefficient(expr)
    return number, tuple(rest.args) if isinstance(rest, nodes.Hadamard) else (rest,)


def without(expr: Expr, gone: tuple[Expr, ...]) -> Expr | None:
    """An element-by-element product without some of its factors, or None where it does not have them all."""
    number, kept = factors(expr)
    left = list(kept)
    for factor in gone:
        if factor not in left:
            return None
        left.remove(factor)
    return nodes.scale(number, nodes.hadamard(nodes.ones(expr.shape), *left))
