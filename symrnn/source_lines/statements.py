"""The statements of somebody's file, and what each of them assigns.  Texts are parsed; nothing of them is evaluated."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Names = Mapping[str, Any]
"""The values of a frame by name."""

_LONGEST = 20_000
"""Lines beyond which a file is not read."""
_NOTHING = object()
_REARRANGING = frozenset(
    """
    append array asarray ascontiguousarray astype atleast_2d broadcast_to concatenate copy copyto dstack expand_dims
    flip hstack insert moveaxis ravel reshape split squeeze stack swapaxes transpose update vstack zip dict list tuple
    """.split()
)
"""Calls that hand values on without computing any."""


@dataclass(frozen=True)
class Target:
    """What a statement assigns: its text, and the expression that says where the value is."""

    text: str
    place: ast.expr
    returned: bool = False


@dataclass(frozen=True)
class Statement:
    """One simple statement of a file.

    Attributes:
        file: the file's name, as Python knows it.
        line: where it begins.
        end: its last line.
        text: as written, without the indentation.
        node: its syntax tree.
        targets: what it assigns.
    """

    file: str
    line: int
    end: int
    text: str
    node: ast.stmt
    targets: tuple[Target, ...]

    @cached_property
    def computes(self) -> bool:
        """Whether it does more than handing a value on under another name or in another shape."""
        value = getattr(self.node, "value", None)
        # `+=` adds, whatever stands on the right.
        if isinstance(self.node, ast.AugAssign) or value is None:
            return True
        return any(map(_computing, ast.walk(value)))

    def __hash__(self) -> int:
        return hash((self.file, self.line, self.text))


_WORDS = re.compile(r"\w+")


def named_in(text: str) -> tuple[str, ...]:
    """The names that a variable goes by: `dW` for `self.dW`, and `W_f` for `grads['W_f']`."""
    return tuple(word for word in _WORDS.findall(text)[::-1] if word != "self" and not word.isdigit())


def operands(statement: Statement) -> frozenset[str]:
    """The names that a statement reads, without those of what they belong to: `dh` of `self.dh[t]`."""
    node: Any = statement.node
    parts = [node.value] if getattr(node, "value", None) is not None else []
    parts += [node.target] if isinstance(node, ast.AugAssign) else []
    return frozenset(name for part in parts for each in ast.walk(part) if (name := base_of(each)))


def base_of(node: ast.AST) -> str:
    """The name of a variable or an attribute."""
    while isinstance(node, ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _computing(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return True
    if isinstance(node, ast.UnaryOp):
        # -1 is an index or a number; -x is a computation.
        return not isinstance(node.operand, ast.Constant)
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name not in _REARRANGING or any(keyword.arg == "out" for keyword in node.keywords)


def read_statements(file: str, module_globals: dict[str, Any] | None = None) -> dict[int, tuple[Statement, ...]]:
    """Line -> the simple statements that it is part of; empty where the source is not at hand or not Python."""
    lines = linecache.getlines(file, module_globals)
    if not lines or len(lines) > _LONGEST:
        return {}
    text = "".join(lines)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            simple = [node for node in ast.walk(tree) if _is_simple(node)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[int, list[Statement]] = {}
    for node in simple:
        statement = _statement(file, lines, node)
        for line in range(statement.line, statement.end + 1):
            found.setdefault(line, []).append(statement)
    # Several statements on one line run from left to right.
    return {line: tuple(sorted(group, key=lambda s: s.node.col_offset)) for line, group in found.items()}


def _is_simple(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr | ast.Return)


def _statement(file: str, lines: list[str], node: Any) -> Statement:
    end = node.end_lineno or node.lineno
    part = [line.rstrip("\r\n") for line in lines[node.lineno - 1 : end]]
    part[-1] = part[-1].encode()[: node.end_col_offset].decode(errors="ignore")
    part[0] = part[0].encode()[node.col_offset :].decode(errors="ignore")
    margin = len(lines[node.lineno - 1]) - len(lines[node.lineno - 1].lstrip())
    rest = [line[margin:] if not line[:margin].strip() else line.lstrip() for line in part[1:]]
    targets = tuple(Target(_text(place), place, isinstance(node, ast.Return)) for place in _places(node))
    return Statement(file, node.lineno, end, textwrap.dedent("\n".join([part[0], *rest])), node, targets)


def _text(place: ast.expr) -> str:
    try:
        return ast.unparse(place)
    except RecursionError:
        return ""


def _places(node: Any) -> Iterator[ast.expr]:
    """Where a statement puts values."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _flat(target)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        yield from _flat(node.target)
    elif isinstance(node, ast.Return):
        yield ast.Name("return", ast.Load())
    for part in ast.walk(node):
        if isinstance(part, ast.NamedExpr):
            yield part.target
        elif isinstance(part, ast.Call):
            yield from _filled(part)


def _flat(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _flat(part)
    elif isinstance(target, ast.Starred):
        yield from _flat(target.value)
    else:
        yield target


def _filled(call: ast.Call) -> Iterator[ast.expr]:
    """What a call fills: `out=`, the list that it appends to, the array that it copies to."""
    for keyword in call.keywords:
        if keyword.arg == "out":
            yield from _flat(keyword.value)
    if not isinstance(call.func, ast.Attribute):
        return
    if call.func.attr in ("append", "insert") and len(call.args) == 1 + (call.func.attr == "insert"):
        entry = ast.Constant(-1) if call.func.attr == "append" else call.args[0]
        yield ast.Subscript(call.func.value, entry, ast.Load())
    elif call.func.attr == "copyto" and call.args:
        yield call.args[0]


# --- values -----------------------------------------------------------------------------------------------------------


def value_at(place: ast.expr, names: Names) -> Any:
    """What is at a place now; None where it cannot be told without running somebody's code.

    Names, attributes, items of dicts and lists, and parts of arrays are looked up, with whole numbers for indices; an
    entry of an array gives the array.
    """
    value = _look(place, names)
    return None if value is _NOTHING else value


def _look(place: ast.expr, names: Names) -> Any:
    if isinstance(place, ast.Name):
        return names.get(place.id, _NOTHING)
    if isinstance(place, ast.Attribute):
        owner = _look(place.value, names)
        # Statically: a property would run somebody's code.
        return _NOTHING if owner is _NOTHING else inspect.getattr_static(owner, place.attr, _NOTHING)
    if isinstance(place, ast.Subscript):
        return _item(_look(place.value, names), _index(place.slice, names))
    return _NOTHING


def _item(base: Any, index: Any) -> Any:
    if index is _NOTHING or base is _NOTHING:
        return base if type(base) is np.ndarray else _NOTHING
    try:
        if type(base) is np.ndarray:
            part = base[index]
            # Of a single entry the array says more; many arrays have an equal entry.
            return part if part.size > 1 else base
        if issubclass(type(base), dict):
            return dict.get(base, index, _NOTHING)
        return base[index] if type(base) in (list, tuple) else _NOTHING
    except (IndexError, TypeError, ValueError, KeyError):
        return _NOTHING


def _index(node: ast.expr, names: Names) -> Any:
    """An index made of whole numbers, slices and strings."""
    if isinstance(node, ast.Tuple):
        parts = [_index(part, names) for part in node.elts]
        return _NOTHING if any(part is _NOTHING for part in parts) else tuple(parts)
    if isinstance(node, ast.Slice):
        ends = [None if end is None else _index(end, names) for end in (node.lower, node.upper, node.step)]
        return _NOTHING if any(end is _NOTHING for end in ends) else slice(*ends)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _index(node.operand, names)
        return -value if type(value) is int else _NOTHING
    if isinstance(node, ast.BinOp):
        return _whole(node, names)
    if isinstance(node, ast.JoinedStr):
        parts = [_index(part, names) for part in node.values]
        return "".join(map(str, parts)) if all(type(part) in (int, str) for part in parts) else _NOTHING
    if isinstance(node, ast.FormattedValue):
        return _index(node.value, names) if node.format_spec is None and node.conversion == -1 else _NOTHING
    value = node.value if isinstance(node, ast.Constant) else _look(node, names)
    if isinstance(value, np.integer):
        return int(value)
    return value if value is None or value is ... or type(value) in (int, str, slice) else _NOTHING


_WHOLE: Mapping[type, Callable[[int, int], int]] = {
    ast.Add: int.__add__,
    ast.Sub: int.__sub__,
    ast.Mult: int.__mul__,
}


def _whole(node: ast.BinOp, names: Names) -> Any:
    rule, left, right = _WHOLE.get(type(node.op)), _index(node.left, names), _index(node.right, names)
    if isinstance(node.op, ast.Add) and type(left) is str and type(right) is str and len(left + right) < _LONGEST:
        return left + right
    if rule is None or type(left) is not int or type(right) is not int or max(abs(left), abs(right)) > 1 << 40:
        return _NOTHING
    return rule(left, right)
