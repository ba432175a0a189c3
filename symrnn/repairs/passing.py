"""Values on their way: what the expressions of somebody's functions come to, and the same functions with one of them
moved.

The expressions are handed through one object, for which a text stands in the trees while they are compiled.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np

from symrnn.repairs.code import SourceUnit
from symrnn.repairs.sights import arguments_of, is_reference, root_of, statements_of

_MARK = "a value on its way, for symrnn"
"""Stands in a tree for what is told of the values, as nobody calls a text."""
_MADE = (ast.BinOp, ast.Call, ast.UnaryOp)
"""Expressions that make a value; beside them names and entries are handed through, each where it is read."""
_CLOSED = (ast.Lambda, ast.JoinedStr, ast.Compare, ast.BoolOp, ast.Slice, ast.comprehension)
"""What is computed in these is no array that is handed on."""

Listener = Callable[[int, Any], Any]
Place = tuple[int, str, int | None]
"""An expression: the identity of the node around it, its field there, and the place in it where that is a list."""


class _Passed:
    """An expression that is handed through: the field of its node, and the place in it where that is a list."""

    def __init__(self, owner: ast.AST, field: str, index: int | None, number: int, node: ast.expr) -> None:
        self.owner, self.field, self.index = owner, field, index
        # Made once: thousands of changed texts are compiled.
        self._call = ast.Call(ast.Constant(_MARK), [ast.Constant(number), node], [])
        for one in (self._call, self._call.func, self._call.args[0]):
            ast.copy_location(one, node)

    def wrap(self) -> Any:
        """Put the call around what stands there now; what stood there."""
        before = getattr(self.owner, self.field)
        call = self._call
        if self.index is None:
            if isinstance(before, ast.expr):
                call.args[1] = before
                setattr(self.owner, self.field, call)
        elif self.index < len(before):  # a change may have taken it out
            call.args[1] = before[self.index]
            setattr(self.owner, self.field, [*before[: self.index], call, *before[self.index + 1 :]])
        return before


class PassedValues:
    """Listens to what the expressions of functions come to.

    Args:
        units: the functions.
    """

    def __init__(self, units: Sequence[SourceUnit]) -> None:
        self._units = units
        self._listener: Listener | None = None
        self.places: list[Place] = []
        """Number -> the place of the expression."""
        self.quiet: set[int] = set()
        """The numbers of names that are only read, and never changed in place: they hold what was handed through."""
        for unit in units:
            unit.turns.stands[_MARK] = self
        self.renew()

    def __call__(self, number: int, value: Any) -> Any:
        """A value is handed through: what is answered takes its place."""
        return value if self._listener is None else self._listener(number, value)

    def renew(self) -> None:
        """Look for the expressions again, since the trees are others now."""
        self.places, self.quiet = [], set()
        for unit in self._units:
            known = frozenset(
                name for one in unit.live for name, value in one.function.__globals__.items() if _is_array(value)
            )
            passed = [one for function in unit.functions for one in self._find(function, known)]
            unit.passing = partial(_wrapped, passed)
            unit.touch()

    def end(self) -> None:
        """Leave the functions without listening."""
        for unit in self._units:
            unit.passing = nullcontext
            unit.touch()

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Tell of every value, and take what is answered in its place."""
        self._listener = listener
        try:
            with self._units[0].turns.counted():
                yield
        finally:
            self._listener = None

    def _find(self, function: ast.AST, known: frozenset[str]) -> Iterator[_Passed]:
        own, changed = _own_names(function) | known, _changed_names(function)
        for one in statements_of(function):
            for field in ("value", "iter"):
                if isinstance(node := getattr(one, field, None), ast.expr):
                    yield from self._inside(one, field, None, node, own, changed)

    def _inside(
        self, owner: ast.AST, field: str, index: int | None, node: Any, own: frozenset[str], changed: frozenset[str]
    ) -> Iterator[_Passed]:
        if isinstance(node, _CLOSED) or not isinstance(node, ast.expr):
            return
        read = is_reference(node)
        # From the inside out: what is around a call that is put in finds it there.
        for inner, name, place, part in () if read else _parts(node):
            yield from self._inside(inner, name, place, part, own, changed)
        if (read and root_of(node) in own) or (isinstance(node, _MADE) and not _is_turned(node)):
            self.places.append((id(owner), field, index))
            if read and root_of(node) not in changed:
                self.quiet.add(len(self.places) - 1)
            yield _Passed(owner, field, index, len(self.places) - 1, node)


def _parts(node: ast.expr) -> Iterator[tuple[ast.AST, str, int | None, Any]]:
    """What an expression is made of, as far as it may be arrays; of what is called, the object: `(a * b).sum()`."""
    for name, part in ast.iter_fields(node):
        if name == "func":
            if isinstance(part, ast.Attribute):
                yield part, "value", None, part.value
        elif isinstance(part, list) and name not in ("keywords", "generators"):
            yield from ((node, name, place, one) for place, one in enumerate(part))
        elif name != "slice":
            yield node, name, None, part


def _is_turned(node: Any) -> bool:
    """Whether a value is another one with the other sign, `-a` or `1 - a`: a mistake in signs has its adjoint."""
    if isinstance(node, ast.UnaryOp):
        return True
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Constant)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _own_names(function: Any) -> frozenset[str]:
    """The names of a function's variables, beside which it reads modules and functions."""
    nodes = [one for one in ast.walk(function) if isinstance(one, ast.Name)]
    return arguments_of(function) | {one.id for one in nodes if not isinstance(one.ctx, ast.Load)}


def _changed_names(function: ast.AST) -> frozenset[str]:
    """The names of what a function changes in place: `d` of `d[k] -= 1`."""
    targets = [one for one in ast.walk(function) if isinstance(getattr(one, "ctx", None), ast.Store)]
    entries = [one for one in targets if isinstance(one, ast.Subscript)]
    added = [one.target for one in ast.walk(function) if isinstance(one, ast.AugAssign)]
    return frozenset(root_of(one) for one in [*entries, *added] if is_reference(one))


@contextmanager
def _wrapped(passed: Sequence[_Passed]) -> Iterator[None]:
    before = [one.wrap() for one in passed]
    try:
        yield
    finally:
        for one, old in zip(reversed(passed), reversed(before), strict=True):
            setattr(one.owner, one.field, old)
