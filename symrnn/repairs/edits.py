"""A change of a syntax tree that can be made and taken back."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TreePlace:
    """A place in a tree.

    Attributes:
        owner: the node.
        field: the name of its field.
        index: the place in that field's list; None where it is no list.
        above: the nodes around it, the innermost last.
    """

    owner: ast.AST
    field: str
    index: int | None
    above: tuple[ast.AST, ...]

    @property
    def node(self) -> Any:
        """What stands there."""
        value = getattr(self.owner, self.field)
        return value if self.index is None else value[self.index]


@dataclass(frozen=True)
class Change:
    """Something else in a place: an expression, or statements in the place of one."""

    slot: TreePlace
    new: ast.expr | list[ast.stmt]


@dataclass(frozen=True)
class SourceEdit:
    """One way to mend a statement.

    Attributes:
        name: says the class of the mistake that it mends, a tag of the catalogue of mistakes.
        statement: the statement.
        changes: what is changed in it.
        cost: how unlikely it is, as a number of tokens changed, roughly.
        line: the number of the line that is changed.
    """

    name: Callable[[], str]
    statement: ast.stmt
    changes: tuple[Change, ...]
    cost: int
    line: int = 0

    @property
    def tag(self) -> str:
        """The class of the mistake; thousands of edits are made, and few are asked for theirs."""
        return self.name()

    @property
    def mark(self) -> tuple[Any, ...]:
        """Two edits with the same mark make the same text."""
        return tuple((id(one.slot.owner), one.slot.field, one.slot.index, _text(one.new)) for one in self.changes)


def _text(new: Any) -> str:
    return "\n".join(map(ast.unparse, new)) if isinstance(new, list) else ast.unparse(new)


class Applied:
    """An edit that is made, until it is taken back.

    Args:
        edit: the edit.
        tell: called when it is made and when it is taken back.
    """

    def __init__(self, edit: SourceEdit, tell: Callable[[], Any]) -> None:
        self.edit, self._tell = edit, tell
        self._before: list[tuple[ast.AST, str, Any]] = []
        for change in edit.changes:
            slot = change.slot
            value = getattr(slot.owner, slot.field)
            self._before.append((slot.owner, slot.field, value))
            setattr(slot.owner, slot.field, _replaced(value, slot.index, _at(change.new, slot.node)))
        tell()

    def undo(self) -> None:
        """Take it back."""
        for owner, field, value in reversed(self._before):
            setattr(owner, field, value)
        self._tell()


def _replaced(value: Any, index: int | None, new: Any) -> Any:
    if index is None:
        return new
    rest = list(value)
    rest[index : index + 1] = new if isinstance(new, list) else [new]
    return rest or [ast.Pass(lineno=1, col_offset=0, end_lineno=1, end_col_offset=0)]


def slots(node: ast.AST, above: tuple[ast.AST, ...] = ()) -> Iterator[TreePlace]:
    """Every expression inside of a node, from the outside in."""
    inner = (*above, node)
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.expr):
            slot = TreePlace(node, field, None, inner)
            yield slot
            yield from slots(value, inner)
        elif isinstance(value, list):
            for index, one in enumerate(value):
                if isinstance(one, ast.expr | ast.keyword):
                    if isinstance(one, ast.expr):
                        yield TreePlace(node, field, index, inner)
                    yield from slots(one, inner)
        elif isinstance(value, ast.AST) and not isinstance(value, ast.stmt):
            yield from slots(value, inner)


def _at(new: Any, old: ast.AST) -> Any:
    return [placed(one, old) for one in new] if isinstance(new, list) else placed(new, old)


def placed(new: Any, old: ast.AST) -> Any:
    """A new node, a copy of all its parts, at the place of an old one in the file."""
    twin = type(new)()
    for field, value in ast.iter_fields(new):
        if isinstance(value, ast.AST):
            value = placed(value, old)
        elif isinstance(value, list):
            value = [placed(one, old) if isinstance(one, ast.AST) else one for one in value]
        setattr(twin, field, value)
    if "lineno" in twin._attributes:
        ast.copy_location(twin, old)
    return twin


def read_expression(text: str) -> Any:
    """A text of ours as an expression."""
    return ast.parse(text, mode="eval").body
