"""Where a backward pass goes wrong first, as far as the adjoints of what forward computes tell."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from symrnn.arrays import Array
from symrnn.repairs.edits import Applied, SourceEdit
from symrnn.repairs.foreseeing import ForeseenValues
from symrnn.repairs.inner import InnerAdjoints
from symrnn.repairs.passing import Place
from symrnn.repairs.sights import arguments_of, root_of
from symrnn.repairs.site import name_of
from symrnn.repairs.standing import OpenSite

_UNFORESEEN = 3
"""The cost up to which an edit is tried if nothing can be foreseen of it: there are some hundred cheaper ones."""


def first_wrong(places: Sequence[Place], met: Sequence[tuple[int, bool]], sites: Sequence[OpenSite]) -> list[OpenSite]:
    """The statements at which backward goes wrong, and those that computed what they read.

    Wrong is a value that is no adjoint, of names that hold nothing wrong.  What they hold may be an adjoint, but not
    the one that belongs there.

    Args:
        places: the expressions that are listened to.
        met: their values in one run, in order: the number of the expression, and whether it is an adjoint.
        sites: the statements that may be wrong.
    """
    numbers = {one: number for number, one in enumerate(places)}
    whole = {numbers.get((id(one.site.statement), "value", None)): one.site.statement for one in sites}
    wrong: set[str] = set()
    made: dict[str, ast.stmt] = {}
    first: set[ast.stmt] = set()
    for number, right in met:
        statement = whole.get(number)
        if statement is None:
            continue
        read = _names(getattr(statement, "value", None), ast.Load)
        if not right and not read & wrong:
            first |= {statement, *(made[name] for name in read & made.keys())}
        if isinstance(statement, ast.Assign):
            for name in _names(statement, ast.Store):
                made[name] = statement
                wrong = wrong - {name} if right else wrong | {name}
    # Where what a function was handed is wrong, so is the call.
    handed = {
        one.site.function.name
        for one in sites
        if one.site.statement in first
        and _names(getattr(one.site.statement, "value", None), ast.Load) & (arguments_of(one.site.function) - {"self"})
    }
    return [one for one in sites if one.site.statement in first or _calls(one.site.statement) & handed]


def _calls(statement: ast.stmt) -> set[str]:
    """The names of what a statement calls."""
    value = getattr(statement, "value", None)
    return set() if value is None else {name_of(one) for one in ast.walk(value) if isinstance(one, ast.Call)}


class Foresight:
    """Which edits of statements make them come to an adjoint that they do not come to.

    Args:
        inner: the adjoints.
        foreseen: tells what the statements come to.
        statements: the statements.
    """

    def __init__(self, inner: InnerAdjoints, foreseen: ForeseenValues, statements: Sequence[ast.stmt]) -> None:
        self._inner, self._foreseen = inner, foreseen
        self._own = {one: self._adjoints(foreseen.of(one) or ()) for one in statements}

    def promises(self, edit: SourceEdit) -> bool:
        """Whether an edit is worth a run."""
        if any(isinstance(one.new, list) for one in edit.changes):
            return False
        applied = Applied(edit, _nothing)
        try:
            values = self._foreseen.of(edit.statement)
        finally:
            applied.undo()
        if values is None:
            return edit.cost <= _UNFORESEEN
        own, found = self._own[edit.statement], self._adjoints(values)
        pairs = zip(found, own, strict=True) if len(found) == len(own) else ()
        return any(new is not None and new != old for new, old in pairs)

    def _adjoints(self, values: Sequence[Array]) -> list[int | None]:
        return [self._inner.adjoint(one) for one in values]


def _nothing() -> None:
    """The functions are not run with what is only looked at."""


def _names(node: ast.AST | None, context: type[ast.expr_context]) -> set[str]:
    """The variables that are read, or set, in a node; also those of which an entry is set."""
    nodes = [] if node is None else [one for one in ast.walk(node) if isinstance(getattr(one, "ctx", None), context)]
    return {name for one in nodes if (name := root_of(one))}
