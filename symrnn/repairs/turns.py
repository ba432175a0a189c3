"""A bound on what a changed function does: a change may make a loop that never ends, or a recursion that branches."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

_MARK = "one turn of a loop of symrnn's"
"""Stands in a tree for what counts, since a tree has constants only; it is called, as nobody calls a text."""
_TIMES = 4
"""How many times the turns of the functions as they were given are enough: mends change a loop by a step or two."""
_LEAST = 2_000
"""Turns that cost nothing, where the functions as given make almost none."""
_REPEATED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.For, ast.AsyncFor, ast.While)


class TooManyTurnsError(BaseException):
    """A changed function goes on and on; no `except Exception` of somebody's function stops this."""


class Turns:
    """Counts turns of loops and calls of functions, up to several times as many as the functions as given make."""

    def __init__(self) -> None:
        self.made, self.most = 0, float("inf")
        self.stands: dict[str, Any] = {_MARK: self}
        """Text -> what stands in its place in a code: a tree has constants only."""

    def __call__(self) -> None:
        """Count one.

        Raises:
            TooManyTurnsError: that is one too many.
        """
        self.made += 1
        if self.made > self.most:
            raise TooManyTurnsError

    @contextmanager
    def counted(self) -> Iterator[None]:
        """One asking of the functions; the first one, with the functions as given, sets the bound."""
        self.made = 0
        yield
        if self.most == float("inf"):
            self.most = _TIMES * self.made + _LEAST

    def counting(self, code: CodeType) -> CodeType:
        """A code, and those inside of it, that count here, and with whatever else stands for a text."""
        constants = tuple(map(self._constant, code.co_consts))
        return code.replace(co_consts=constants)

    def _constant(self, value: Any) -> Any:
        if isinstance(value, CodeType):
            return self.counting(value)
        return self.stands.get(value, value) if isinstance(value, str) else value


def count_turns(function: ast.AST) -> None:
    """Put what counts into a function, at its beginning and into its loops."""
    for node in ast.walk(function):
        if isinstance(node, _REPEATED) and not is_turn(node.body[0]):
            turn = ast.Expr(ast.Call(ast.Constant(_MARK), [], []))
            node.body.insert(0, ast.fix_missing_locations(ast.copy_location(turn, node)))


def is_turn(statement: ast.stmt) -> bool:
    """Whether a statement is one that counts, and not somebody's."""
    call = getattr(statement, "value", None)
    function = getattr(call, "func", None)
    return isinstance(function, ast.Constant) and function.value == _MARK
