"""What the statements of a function see when they run: the values of everything that the function names."""

from __future__ import annotations

import ast
import copy
import os
from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.traced import run_traced
from symrnn.repairs.code import FunctionNode, SourceUnit, first_line
from symrnn.repairs.turns import is_turn
from symrnn.source_lines.statements import value_at

_KEPT = 8
"""Executions of a statement that are looked at: enough to tell a value from that of the step before."""
_LARGEST = 1 << 20
"""Entries of the largest array that is kept: the weights of four gates of 512 units are as many."""
_MOST_ENTRIES = 1 << 25
"""Entries of all arrays that are kept, a quarter of a gigabyte; after that none is kept any more."""
_MOST_LOOKS = 400_000
"""Names whose values are asked for, in about a second: in a function of thousands of lines every statement is looked at
fewer times."""
_SMALL = 256
"""Entries of an array that is copied without asking whether it is as it was."""
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
        carried: loop -> what it hands from turn to turn, as far as that was asked for.
        worded: function -> the names in it that hold texts, such as paths of files.
    """

    of: dict[ast.stmt, list[Sight]] = field(default_factory=lambda: defaultdict(list))
    references: dict[ast.AST, dict[str, ast.expr]] = field(default_factory=dict)
    carried: dict[ast.stmt, frozenset[str]] = field(default_factory=dict)
    worded: dict[ast.AST, set[str]] = field(default_factory=lambda: defaultdict(set))

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
    run_traced(run, looking.enter)
    return looking.sights


def references(function: ast.AST) -> dict[str, ast.expr]:
    """Text -> everything that a function reads or writes by name: variables, attributes of them, their entries."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(function):
        if is_reference(node):
            assert isinstance(node, ast.expr)
            found.setdefault(ast.unparse(node), _read(node))
    return found


def _shared_numbers(units: Sequence[SourceUnit]) -> dict[str, set[str]]:
    """File -> the numbers of its module that some function in it reads: a constant that one function lacks."""
    shared: dict[str, set[str]] = defaultdict(set)
    for unit in units:
        known = unit.live[0].function.__globals__
        read = {one.id for function in unit.functions for one in ast.walk(function) if isinstance(one, ast.Name)}
        shared[unit.file] |= {name for name in read if isinstance(known.get(name), float | np.floating)}
    return shared


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


def root_of(node: Any) -> str:
    """The name that an expression with attributes and entries begins with: `self` of `self.W`; empty for others."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def arguments_of(function: Any) -> frozenset[str]:
    """The names of a function's arguments."""
    return frozenset(one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg))


def statements_of(function: ast.AST) -> Iterator[ast.stmt]:
    """Every statement inside of a function, without those of functions within."""
    for name in ("body", "orelse", "finalbody"):
        for one in getattr(function, name, []):
            if isinstance(one, FunctionNode | ast.ClassDef) or is_turn(one):
                continue
            yield one
            yield from statements_of(one)
    for part in (*getattr(function, "handlers", []), *getattr(function, "cases", [])):
        yield from statements_of(part)


def target_of(statement: ast.stmt) -> ast.expr | None:
    """The one place that a statement assigns."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return statement.targets[0]
    return statement.target if isinstance(statement, ast.AugAssign | ast.AnnAssign) else None


class _Looking:
    """The tracer."""

    def __init__(self, units: Sequence[SourceUnit]) -> None:
        self.sights = Sights()
        self.lines: dict[tuple[str, int], dict[int, list[ast.stmt]]] = {}
        self.known: dict[tuple[str, int], tuple[ast.AST, dict[str, ast.expr]]] = {}
        self.events, self.entries = 0, 0
        self._last: dict[tuple[ast.AST, str], Array] = {}
        looks = 0
        shared = _shared_numbers(units)
        for unit in units:
            for function in unit.functions:
                place = (unit.file, first_line(function))
                found = {**{name: ast.Name(name, ast.Load()) for name in shared[unit.file]}, **references(function)}
                self.sights.references[function] = found
                self.known[place] = (function, found)
                lines = self.lines[place] = {}
                for statement in statements_of(function):
                    looks += len(found)
                    for line in _lines_of(statement):
                        lines.setdefault(line, []).append(statement)
        self.most = max(1, min(_KEPT, _MOST_LOOKS // max(looks, 1)))

    def enter(self, frame: FrameType, event: str, _argument: Any) -> Any:
        place = (frame.f_code.co_filename, frame.f_code.co_firstlineno)
        return _SeenCall(self, self.lines[place], *self.known[place]) if place in self.lines else None

    def look_at(self, function: ast.AST, text: str, value: Any) -> Array | None:
        """What is kept of a value: the copy of before where it is as it was."""
        if isinstance(value, str | bytes | os.PathLike):
            self.sights.worded[function].add(text)
        array = _read_array(value)
        if array is None or self.entries > _MOST_ENTRIES:
            return None
        last = self._last.get((function, text))
        if array.size > _SMALL and last is not None and np.array_equal(last, array):
            return last
        self.entries += array.size
        kept = self._last[function, text] = np.array(array)
        return kept


class _SeenCall:
    """The tracer of one frame."""

    def __init__(
        self,
        looking: _Looking,
        lines: dict[int, list[ast.stmt]],
        function: ast.AST,
        known: dict[str, ast.expr],
    ) -> None:
        self.looking, self.lines, self.function, self.known = looking, lines, function, known
        self.open: list[tuple[ast.expr, Sight]] = []
        self.line = 0

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        looking = self.looking
        looking.events += 1
        if looking.events > _MOST_EVENTS:
            frame.f_trace = None
            return None
        try:
            self._note(event, frame.f_lineno, ChainMap(frame.f_locals, frame.f_globals))
        except Exception:  # an odd object of theirs must not end their run
            self.open = []
        return self

    def _note(self, event: str, line: int, names: Mapping[str, Any]) -> None:
        """A line begins, or the call ends."""
        before, self.line = self.line, line
        statements = self.lines.get(line, []) if event == "line" else []
        # Python goes back to the first line of a statement of several lines when it assigns or calls.
        if statements and before != line and statements == self.lines.get(before):
            return
        if event in ("line", "return"):
            for target, sight in self.open:
                sight.after = self._kept(target, names)
            self.open = []
        fresh = [one for one in statements if len(self.looking.sights.of[one]) < self.looking.most]
        if not fresh:
            return
        values = {text: self._kept(node, names, text) for text, node in self.known.items()}
        held = {text: value for text, value in values.items() if value is not None}
        for statement in fresh:
            sight = Sight(held)
            self.looking.sights.of[statement].append(sight)
            place = target_of(statement)
            self.open += [] if place is None else [(place, sight)]

    def _kept(self, node: ast.expr, names: Mapping[str, Any], text: str = "") -> Array | None:
        return self.looking.look_at(self.function, text or ast.unparse(node), value_at(node, names))


def _lines_of(statement: ast.stmt) -> range:
    """The lines at which a statement may begin: a compound one begins in its first."""
    last = statement.lineno if hasattr(statement, "body") or isinstance(statement, ast.Match) else statement.end_lineno
    return range(statement.lineno, (last or statement.lineno) + 1)


def _read_array(value: Any) -> Array | None:
    """An array of numbers; None for anything else, but for plain numbers."""
    if isinstance(value, bool) or not isinstance(value, np.ndarray | float | int | np.number):
        return None
    array = np.asarray(value)
    return array if array.dtype.kind in "fi" and array.size <= _LARGEST else None
