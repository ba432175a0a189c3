"""Expressions as a person would write them: the table of rewritings, applied until nothing gets shorter.

The value stays the same wherever the expression is defined.  It ends because every step makes the expression shorter by
`weight`, a triple of whole numbers that is a sum over the nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.algebra.rebuilding import rebuild
from symrnn.algebra.rewriting import IN_FORMULAS, REWRITINGS, Rewriting
from symrnn.algebra.weight import weight
from symrnn.errors import InputError

__all__ = ["IN_FORMULAS", "REWRITINGS", "Rewriting", "Simplification", "simplify", "trace", "weight"]

# Rewritings of one node; it is far more than any node has needed, and a bound on what a wrong row can cost.
_STEPS = 64

Table = Mapping[str, Rewriting]


@dataclass(frozen=True)
class Simplification:
    """One rewriting that was applied.

    Attributes:
        name: the row's name in the table.
        before: the part of the expression that it was applied to.
        after: what stands there instead.
    """

    name: str
    before: Expr
    after: Expr


def simplify(expr: Expr, table: Table = REWRITINGS) -> Expr:
    """The same value as a person would write it.

    Like terms are collected, common factors pulled out where that is shorter, ones, zeros and identities go, minus
    signs go where they vanish, and scalars stand in front.  Nothing is multiplied out.

    Args:
        expr: an expression of the package's nodes.
        table: the rewritings; another one is for tests that plant a wrong row.

    Returns:
        An expression of the same shape; the same object where there is nothing to do.

    Raises:
        InputError: it is no expression.
    """
    if not getattr(expr, "is_Matrix", False):
        remedy = "give what `jacobian` returns, or a value of `derive`"
        raise InputError(f"simplify: expected an expression, got {type(expr).__name__} {expr!r}\n  {remedy}")
    simplified = _Simplifier(table, None)(expr)
    return expr if simplified == expr else simplified


def trace(expr: Expr, table: Table = REWRITINGS) -> tuple[Simplification, ...]:
    """The rewritings that `simplify` applies to an expression, in order."""
    log: list[Simplification] = []
    _Simplifier(table, log.append)(expr)
    return tuple(log)


_simplified: dict[int, dict[Expr, Expr]] = {id(REWRITINGS): {}, id(IN_FORMULAS): {}}
"""What each of the package's own tables makes of expressions: the Jacobians of a cell share most of their parts, and
each of its parameters asks for them again."""
# Parts remembered: more than the documents of any cell of the library have, some tens of megabytes.
_MOST_REMEMBERED = 1 << 14


class _Simplifier:
    """Works from the leaves up; equal parts are simplified once."""

    def __init__(self, table: Table, record: Callable[[Simplification], None] | None) -> None:
        self._rows = _by_kind(table)
        self._record = record
        self._known = _simplified.get(id(table), {}) if record is None else {}
        if len(self._known) > _MOST_REMEMBERED:
            self._known.clear()

    def __call__(self, expr: Expr) -> Expr:
        """The simplified expression."""
        if not nodes.children(expr):
            return expr
        known = self._known.get(expr)
        if known is None:
            known = self._known[expr] = self._node(expr)
        return known

    def _node(self, expr: Expr) -> Expr:
        for _ in range(_STEPS):
            args = tuple(self(arg) if getattr(arg, "is_Matrix", False) else arg for arg in expr.args)
            if any(new is not old for new, old in zip(args, expr.args, strict=True)):
                expr = rebuild(expr, args)
                continue
            shorter = self._rewritten(expr)
            if shorter is None:
                return expr
            expr = shorter
        return expr

    def _rewritten(self, expr: Expr) -> Expr | None:
        for row in self._rows.get(type(expr).__name__, ()):
            found = row.rewrite(expr)
            # Shorter, not merely different: two rows that undo each other would never end.
            if found is not None and found != expr and weight(found) < weight(expr):
                if self._record is not None:
                    self._record(Simplification(row.name, expr, found))
                return found
        return None


_indexed: dict[int, Mapping[str, tuple[Rewriting, ...]]] = {}
"""The rows of the package's own tables by kind."""


def _by_kind(table: Table) -> Mapping[str, tuple[Rewriting, ...]]:
    """The rows by the class name of the nodes that they look at."""
    if id(table) in _indexed:
        return _indexed[id(table)]
    kinds = dict.fromkeys(kind for row in table.values() for kind in row.kinds)
    rows = {kind: tuple(row for row in table.values() if kind in row.kinds) for kind in kinds}
    if id(table) in _simplified:
        _indexed[id(table)] = rows
    return rows
