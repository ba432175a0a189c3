"""What the statements of a function see when they run: the values of everything that the function names."""

from __future__ import annotations

import ast
import copy
import sys
from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.repairs.code import FunctionNode, SourceUnit
from symrnn.source_lines.statements import value_at

_KEPT = 8
"""Executions of a statement that are looked at: enough to tell a value from that of the step before."""
_LARGEST = 1 << 16
"""Entries of the largest array that is kept."""
_MOST_EVENTS = 60_000
"""Executed lines after which nothing is looked at any more."""


@dataclass
class Sight:
    """One execution of a statement.

    Attributes:
        before: text -> value, for what the function names, when the statement begins.
        after: what its target holds when it has ended.
    """

    before: dict[str, Array]
    after: Array | None = None


@dataclass
class Sights:
    """What was seen of a run.

    Attributes:
        of: statement -> its executions, the first ones.
        references: function -> text -> what it names: variables, attributes, entries.
        functions: statement -> the function that it is in.
        carried: loop -> what it hands from turn to turn, as far as that was asked for.
    """

    of: dict[ast.stmt, list[Sight]] = field(default_factory=lambda: defaultdict(list))
    references: dict[ast.AST, dict[str, ast.expr]] = field(default_factory=dict)
    functions: dict[ast.stmt, ast.AST] = field(default_factory=dict)
    carried: dict[ast.stmt, frozenset[str]] = field(default_factory=dict)

    def ran(self, statement: ast.stmt) -> bool:
        """Whether a statement was executed."""
        return bool(self.of.get(statement))

    def arrays(self, statement: ast.stmt) -> Mapping[str, Array]:
        """What could be named where the statement first ran; the last time that it was seen for what came later.

        A variable that begins as the number 0 and is added to is what it becomes.
        """
        seen = self.of.get(statement) or [Sight({})]
        last = seen[-1].before
        first = {text: value for text, value in seen[0].before.items() if value.ndim or not np.ndim(last.get(text, 0))}
        return {**last, **first}


def look(units: Sequence[SourceUnit], run: Callable[[], Any]) -> Sights:
    """Run once, and note what the units' statements see; the trees must be in force."""
    looking = _Looking(units)
    before = sys.gettrace()
    sys.settrace(looking.enter)
    try:
        run()
    finally:
        sys.settrace(before)
    return looking.sights


def references(function: ast.AST) -> dict[str, ast.expr]:
    """Text -> everything that a function reads or writes by name: variables, attributes of them, their entries."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(function):
        if is_reference(node):
            assert isinstance(node, ast.expr)
            found.setdefault(ast.unparse(node), _read(node))
    return found


def _read(node: ast.expr) -> ast.expr:
    """A name as one that is read, wherever it was taken from."""
    if isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return node
    twin = copy.copy(node)
    twin.ctx = ast.Load()  # type: ignore[attr-defined]
    return twin


def is_reference(node: ast.AST) -> bool:
    """Whether an expression is a name with attributes and entries: `c`, `self.h`, `hs[t - 1]`, `p['W']`."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and node.attr in ("T", "shape"):
            return False
        node = node.value
    return isinstance(node, ast.Name)


def statements_of(function: ast.AST) -> Iterator[ast.stmt]:
    """Every statement inside of a function, without those of functions within."""
    for name in ("body", "orelse", "finalbody"):
        for one in getattr(function, name, []):
            if isinstance(one, FunctionNode | ast.ClassDef):
                continue
            yield one
            yield from statements_of(one)
    for handler in getattr(function, "handlers", []):
        yield from statements_of(handler)


def target_of(statement: ast.stmt) -> ast.expr | None:
    """The one place that a statement assigns."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return statement.targets[0]
    return statement.target if isinstance(statement, ast.AugAssign | ast.AnnAssign) else None


class _Looking:
    """The tracer."""

    def __init__(self, units: Sequence[SourceUnit]) -> None:
        self.sights = Sights()
        self.lines: dict[tuple[str, int], dict[int, ast.stmt]] = {}
        self.known: dict[tuple[str, int], dict[str, ast.expr]] = {}
        self.events = 0
        for unit in units:
            for function in unit.functions:
                place = (unit.file, min([function.lineno, *(one.lineno for one in function.decorator_list)]))
                found = references(function)
                self.sights.references[function] = self.known[place] = found
                lines = self.lines[place] = {}
                for statement in statements_of(function):
                    lines.setdefault(statement.lineno, statement)
                    self.sights.functions[statement] = function

    def enter(self, frame: FrameType, event: str, _argument: Any) -> Any:
        place = (frame.f_code.co_filename, frame.f_code.co_firstlineno)
        return _SeenCall(self, self.lines[place], self.known[place]) if place in self.lines else None


class _SeenCall:
    """The tracer of one frame."""

    def __init__(self, looking: _Looking, lines: dict[int, ast.stmt], known: dict[str, ast.expr]) -> None:
        self.looking, self.lines, self.known = looking, lines, known
        self.open: tuple[ast.expr, Sight] | None = None

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        looking = self.looking
        looking.events += 1
        if looking.events > _MOST_EVENTS:
            frame.f_trace = None
            return None
        try:
            names = ChainMap(frame.f_locals, frame.f_globals)
            if event in ("line", "return") and self.open is not None:
                target, sight = self.open
                sight.after, self.open = _kept(value_at(target, names)), None
            if event == "line" and (statement := self.lines.get(frame.f_lineno)) is not None:
                seen = looking.sights.of[statement]
                if len(seen) < _KEPT:
                    values = ((text, _kept(value_at(node, names))) for text, node in self.known.items())
                    sight = Sight({text: value for text, value in values if value is not None})
                    seen.append(sight)
                    place = target_of(statement)
                    self.open = None if place is None else (place, sight)
        except Exception:  # an odd object of theirs must not end their run
            self.open = None
        return self


def _kept(value: Any) -> Array | None:
    """A copy of an array of numbers; None for anything else, but for plain numbers."""
    if isinstance(value, bool) or not isinstance(value, np.ndarray | float | int | np.number):
        return None
    array = np.asarray(value)
    return np.array(array) if array.dtype.kind in "fi" and array.size <= _LARGEST else None
