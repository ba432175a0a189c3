"""A cell's function as checked syntax: pure data."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from symrnn.errors import Place


@dataclass(frozen=True)
class Assignment:
    """One line `name = expression`, with an optional shape annotation."""

    name: str
    value: ast.expr
    annotation: ast.expr | None
    node: ast.stmt


@dataclass(frozen=True)
class Argument:
    """One argument, with an optional shape annotation."""

    name: str
    annotation: ast.expr | None
    node: ast.arg


@dataclass(frozen=True)
class Definition:
    """A cell's function, checked: every construct in it belongs to the language.

    Attributes:
        name: the function's name.
        docstring: its docstring, or "".
        positional: inputs and states, in order.
        keyword_only: parameters, in order.
        assignments: the equations, in order.
        returned: the states' names, in order.
        text: the function's own text, without decorators.
        place: turns a syntax node into file, line and column.
    """

    name: str
    docstring: str
    positional: tuple[Argument, ...]
    keyword_only: tuple[Argument, ...]
    assignments: tuple[Assignment, ...]
    returned: tuple[str, ...]
    text: str
    place: Callable[[ast.AST], Place]

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """All arguments, in order."""
        return (*self.positional, *self.keyword_only)

    @property
    def inputs(self) -> tuple[Argument, ...]:
        """The positional arguments that are not states."""
        states = set(self.returned)
        return tuple(argument for argument in self.positional if argument.name not in states)
