"""The names in a function's `return`, read from its source where that is at hand; nothing is run."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

ReturnedNames = tuple[str | None, ...] | None

_READ: WeakKeyDictionary[FunctionType, dict[bool, ReturnedNames]] = WeakKeyDictionary()
"""What was read of a function: backward is called a thousand times, and its text stays what it was."""


def read_returned_names(function: Callable[..., Any], opened: bool = False) -> ReturnedNames:
    """The names of what a function returns, in order: `("h", "cache")` for `return h, cache`.

    Args:
        function: the function.
        opened: whether a tuple or list in the return is opened: `return loss, (dW, db)` has three names then.

    Returns:
        None for an entry that is no name, attribute or item under a key.  None where the source is not at hand, or
        where the function returns from several places that differ.
    """
    while hasattr(function, "func"):
        function = function.func
    told: tuple[str | None, ...] | None = getattr(function, "returned_names", None)
    if told is not None:  # of a function that calls somebody's
        return told
    own = getattr(function, "__func__", function)
    if not isinstance(own, FunctionType):
        return _read(function, opened)
    known = _READ.setdefault(own, {})
    if opened not in known:
        known[opened] = _read(own, opened)
    return known[opened]


def _read(function: Callable[..., Any], opened: bool) -> ReturnedNames:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError, RecursionError):
        return None
    body = tree.body[0] if tree.body else None
    if not isinstance(body, ast.FunctionDef):
        return None
    found = {_names(node.value, opened) for node in _returns(body)}
    # Several returns with different names say different things; which one is meant depends on the call.
    return found.pop() if len(found) == 1 else None


def _returns(function: ast.FunctionDef) -> list[ast.Return]:
    """The function's own `return`s, without those of functions inside it."""
    found: list[ast.Return] = []
    rest: list[ast.AST] = list(function.body)
    while rest:
        node = rest.pop()
        if isinstance(node, ast.Return):
            found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            rest.extend(ast.iter_child_nodes(node))
    return found


def _names(value: ast.expr | None, opened: bool = False) -> tuple[str | None, ...]:
    items = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    parted = [_names(item) if opened and isinstance(item, ast.Tuple | ast.List) else (_name(item),) for item in items]
    return tuple(name for names in parted for name in names)


def _name(value: ast.expr | None) -> str | None:
    """The name of a variable, of an attribute, or of an item under a key."""
    if isinstance(value, ast.Subscript):
        key = value.slice.value if isinstance(value.slice, ast.Constant) else None
        return key if isinstance(key, str) else None
    return value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else None
