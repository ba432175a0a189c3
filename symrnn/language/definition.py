"""A cell's function as checked syntax: pure data."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from symrnn.errors import Place
from symrnn.freezing import Frozen


@dataclass(frozen=True)
class Assignment:
    """One line `name = expression`, with an optional shape annotation."""

    name: str
    value: ast.expr
    annotation: ast.expr | None
    node: ast.stmt | ast.expr


@dataclass(frozen=True)
class Argument:
    """One argument, with an optional shape annotation; one with a value is a constant.

    Attributes:
        name: its name in the language.
        annotation: the shape annotation, or None.
        node: where it stands.
        default: a constant's value, or None.
        called: what the author calls it.
    """

    name: str
    annotation: ast.expr | None
    node: ast.arg
    default: ast.expr | None = None
    called: str = ""


@dataclass(frozen=True)
class Measure:
    """Where the number that a size is can be read off: an axis of an argument, `times` as long."""

    argument: str
    axis: int
    times: int = 1


@dataclass(frozen=True)
class Definition:
    """A cell's function, checked: every construct in it belongs to the language.

    Attributes:
        name: the function's name.
        docstring: its docstring, or "".
        positional: inputs and states, in order.
        keyword_only: parameters and constants, in order.
        assignments: the equations, in order.
        returned: the states' names, in order.
        text: the function's own text, without decorators.
        place: turns a syntax node into file, line and column.
        written: what the author calls a value -> its identifier, where they differ: h_t -> h, h_prev -> h_prev.
        measures: size -> where its number is found; for the sizes that rows are cut at.
    """

    name: str
    docstring: str
    positional: tuple[Argument, ...]
    keyword_only: tuple[Argument, ...]
    assignments: tuple[Assignment, ...]
    returned: tuple[str, ...]
    text: str
    place: Callable[[ast.AST], Place]
    written: Mapping[str, str] = field(default_factory=lambda: Frozen({}))
    measures: Mapping[str, Measure] = field(default_factory=lambda: Frozen({}))

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """All arguments, in order."""
        return (*self.positional, *self.keyword_only)

    @property
    def constants(self) -> dict[str, ast.expr]:
        """The arguments with a value: their numbers, as expressions of literals."""
        return {argument.name: argument.default for argument in self.keyword_only if argument.default is not None}

    @property
    def inputs(self) -> tuple[Argument, ...]:
        """The positional arguments that are not states."""
        states = set(self.returned)
        return tuple(argument for argument in self.positional if argument.name not in states)
