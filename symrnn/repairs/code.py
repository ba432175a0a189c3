"""Somebody's functions with other code in them for a while: their texts are parsed, changed as trees, and compiled.

Nothing runs that the check does not run anyhow: a changed function takes the place of the one that it was made from,
for a call of the functions under test, and is put back.
"""

from __future__ import annotations
import __future__

import ast
import copy
import gc
import linecache
import os
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType
from typing import Any

_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag
_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_INSTALLED = tuple(
    os.path.abspath(sysconfig.get_paths()[kind]) + os.sep for kind in ("stdlib", "platstdlib", "purelib", "platlib")
)
_LONGEST = 5_000
"""Lines of a file beyond which it is not read: a module of layers has some hundred."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_Key = tuple[str, int]


@dataclass(frozen=True)
class LiveFunction:
    """A function that exists now, and the code that it had when it was found."""

    function: FunctionType
    code: CodeType


class SourceUnit:
    """A function or a class at the top of a file, of which functions ran.

    Attributes:
        file: the file's name.
        tree: its syntax tree, which may be changed.  Of a class there are only the functions that ran.
        functions: the functions that ran, in their order.
        live: the functions that it makes, as they exist now.
    """

    def __init__(
        self,
        file: str,
        tree: ast.stmt,
        functions: Sequence[FunctionNode],
        live: Sequence[LiveFunction],
        imports: Sequence[ast.stmt] = (),
    ) -> None:
        self.file, self.tree = file, tree
        self._imports = list(imports)  # Python compiles calls into what a file imports in another way
        self.functions, self.live = tuple(functions), tuple(live)
        self._flags = live[0].code.co_flags & _FUTURE

    def codes(self) -> dict[_Key, CodeType]:
        """What the tree compiles to.

        Raises:
            SyntaxError, ValueError, RecursionError: the tree is no program.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = compile(
                ast.Module([*self._imports, self.tree], []), self.file, "exec", self._flags, dont_inherit=True
            )
        return {_key(code): code for code in _inside(whole)}

    def install(self) -> bool:
        """Give the live functions the tree's code; whether that could be done."""
        try:
            codes = self.codes()
            for one in self.live:
                one.function.__code__ = codes[_key(one.code)]
        except (SyntaxError, ValueError, TypeError, KeyError, RecursionError):
            self.restore()
            return False
        return True

    def restore(self) -> None:
        """Give them their own code back."""
        for one in self.live:
            one.function.__code__ = one.code


def find_units(run: Callable[[], Any]) -> list[SourceUnit]:
    """What ran of somebody's files in a call, as far as its text is at hand and is the text of what ran."""
    files: dict[str, list[CodeType]] = {}
    linecache.checkcache()
    for code in _codes_run(run):
        if _is_theirs(code.co_filename):
            files.setdefault(code.co_filename, []).append(code)
    return [unit for file, codes in files.items() for unit in _units_of(file, codes)]


@contextmanager
def installed(units: Sequence[SourceUnit]) -> Iterator[bool]:
    """The units' trees in force; whether all could be compiled."""
    try:
        able = [unit.install() for unit in units]
        yield all(able)
    finally:
        for unit in units:
            unit.restore()


def _codes_run(run: Callable[[], Any]) -> list[CodeType]:
    """The code of every function that is called, once each."""
    found: dict[CodeType, None] = {}

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            found.setdefault(frame.f_code)

    before = sys.gettrace()
    sys.settrace(note)
    try:
        run()
    finally:
        sys.settrace(before)
    return list(found)


def _is_theirs(file: str) -> bool:
    path = os.path.abspath(file)
    return not path.startswith((_OWN + os.sep, *_INSTALLED)) and 0 < len(linecache.getlines(file)) <= _LONGEST


def _units_of(file: str, codes: Sequence[CodeType]) -> list[SourceUnit]:
    """What ran of a file; nothing where the text is not that of what ran."""
    found: list[SourceUnit] = []
    try:
        module = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    imports = [node for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in module.body:
        if not isinstance(node, FunctionNode | ast.ClassDef):
            continue
        first, last = _first_line(node), node.end_lineno or node.lineno
        ran = [code for code in codes if first <= code.co_firstlineno <= last]
        lines = {code.co_firstlineno for code in ran}
        functions = [one for one in ast.walk(node) if isinstance(one, FunctionNode) and _first_line(one) in lines]
        live = [one for code in ran for one in _functions_with(code)]
        if not functions or not live:
            continue
        found.append(SourceUnit(file, _pruned(node, functions), functions, live, imports))
    return found if all(map(_is_current, found)) else []


def _is_current(unit: SourceUnit) -> bool:
    """Whether the text is that of what ran: it may have changed since it was imported."""
    try:
        codes = unit.codes()
    except (SyntaxError, ValueError, RecursionError):
        return False
    return all(_key(one.code) in codes and codes[_key(one.code)].co_code == one.code.co_code for one in unit.live)


def _pruned(node: ast.stmt, functions: Sequence[ast.AST]) -> ast.stmt:
    """A class with nothing in it but the functions that ran; it is never executed, only compiled."""
    if not isinstance(node, ast.ClassDef):
        return node
    kept = copy.copy(node)
    kept.body = [_pruned(one, functions) for one in node.body if any(part in functions for part in ast.walk(one))]
    return kept


def _functions_with(code: CodeType) -> list[LiveFunction]:
    """The functions that exist with this code: methods, closures, wrapped ones, wherever they are kept."""
    return [LiveFunction(one, code) for one in gc.get_referrers(code) if isinstance(one, FunctionType)]


def _inside(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inside(constant)


def _key(code: CodeType) -> _Key:
    return code.co_qualname, code.co_firstlineno


def _first_line(node: Any) -> int:
    """The line at which Python says that a function begins: that of its first decorator."""
    return int(min([node.lineno, *(one.lineno for one in node.decorator_list)]))
