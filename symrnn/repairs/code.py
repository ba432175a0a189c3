"""Somebody's functions with other code in them for a while: their texts are parsed, changed as trees, and compiled.

Nothing runs that the check does not run anyhow: a changed function takes the place of the one that it was made from,
for a call of the functions under test, and is put back.
"""

from __future__ import annotations
import __future__

import ast
import copy
import functools
import gc
import linecache
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType
from typing import Any

from symrnn.callables.traced import run_traced
from symrnn.callables.whose import is_somebodys
from symrnn.repairs.keeping import KeptArrays, variables_of
from symrnn.repairs.turns import Turns, count_turns

_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag
_LONGEST = 5_000
"""Lines of a file beyond which it is not read: a module of layers has some hundred."""

_MEMORY = type(functools.lru_cache(len))
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_Key = tuple[str, int]


@dataclass(frozen=True)
class LiveFunction:
    """A function that exists now, and the code that it had when it was found.

    Attributes:
        function: the function.
        code: its own code.
        memories: what remembers the values that it returned, as `lru_cache` does.
    """

    function: FunctionType
    code: CodeType
    memories: tuple[Any, ...] = ()

    def put(self, code: CodeType) -> None:
        """Give it a code; what other code returned is forgotten."""
        self.function.__code__ = code
        for one in self.memories:
            one.cache_clear()


class SourceUnit:
    """A function or a class at the top of a file, of which functions ran.

    Attributes:
        file: the file's name.
        tree: its syntax tree, which may be changed.  Of a class there are only the functions that ran.
        functions: the functions that ran, in their order.
        live: the functions that it makes, as they exist now.
        turns: counts what the changed functions do.
        kept: the arrays that outlive a call.
        passing: while it is entered, the tree is as it is compiled: with what looks at values on their way.
    """

    def __init__(
        self,
        file: str,
        tree: ast.stmt,
        functions: Sequence[FunctionNode],
        live: Sequence[LiveFunction],
        imports: Sequence[ast.stmt],
        turns: Turns,
    ) -> None:
        self.file, self.tree, self.turns, self.kept = file, tree, turns, KeptArrays()
        self._imports = list(imports)  # Python compiles calls into what a file imports in another way
        self.functions, self.live = tuple(functions), tuple(live)
        self._flags = live[0].code.co_flags & _FUTURE
        self._ready: Mapping[_Key, CodeType] | None = None
        self.passing: Callable[[], AbstractContextManager[None]] = nullcontext

    def touch(self) -> None:
        """The tree is another one: what it compiles to is worked out anew."""
        self._ready = None

    def codes(self, named: Mapping[_Key, Sequence[str]] | None = None) -> dict[_Key, CodeType]:
        """What the tree compiles to.

        Args:
            named: function -> the variables of the functions around it that it must name to have them.

        Raises:
            SyntaxError, ValueError, RecursionError: the tree is no program.
        """
        with warnings.catch_warnings(), _naming(self.functions, named or {}), self.passing():
            warnings.simplefilter("ignore")
            whole = compile(
                ast.Module([*self._imports, self.tree], []), self.file, "exec", self._flags, dont_inherit=True
            )
        return {_key(code): code for code in _inside(whole)}

    def install(self) -> bool:
        """Give the live functions the tree's code; whether that could be done."""
        try:
            if self._ready is None:
                self._ready = self._compiled()
            for one in self.live:
                one.put(self._ready[_key(one.code)])
        except (SyntaxError, ValueError, TypeError, KeyError, RecursionError, MemoryError):
            self.restore()
            return False
        return True

    def _compiled(self) -> Mapping[_Key, CodeType]:
        """What the live functions get; empty where the tree does not fit them."""
        codes = self.codes()
        if not self._fit(codes):
            codes = self.codes({_key(one.code): one.code.co_freevars for one in self.live})
        if not self._fit(codes):
            return {}
        return {_key(one.code): self.turns.counting(codes[_key(one.code)]) for one in self.live}

    def _fit(self, codes: Mapping[_Key, CodeType]) -> bool:
        """Whether codes read the variables of the functions around them that the live functions hold, in their order.

        Python compares their number alone, and another variable would be read in the place of one.
        """
        return all(codes[_key(one.code)].co_freevars == one.code.co_freevars for one in self.live)

    def restore(self) -> None:
        """Give them their own code back."""
        for one in self.live:
            if one.function.__code__ is not one.code:
                one.put(one.code)


def find_units(run: Callable[[], Any]) -> list[SourceUnit]:
    """What ran of somebody's files in a call, as far as its text is at hand and is the text of what ran."""
    files: dict[str, list[CodeType]] = {}
    linecache.checkcache()
    ran = _codes_run(run)
    for code in ran:
        if _is_theirs(code.co_filename):
            files.setdefault(code.co_filename, []).append(code)
    turns = Turns()
    units = [unit for file, codes in files.items() for unit in _units_of(file, codes, turns)]
    kept = KeptArrays(_roots((owner for code, owner in ran.items() if _is_theirs(code.co_filename)), units))
    for unit in units:
        unit.kept = kept
        for function in unit.functions:
            count_turns(function)
    return units


def lines_run(run: Callable[[], Any]) -> set[tuple[str, int]]:
    """The files and first lines of the functions that run in a call."""
    return {(code.co_filename, code.co_firstlineno) for code in _codes_run(run)}


def _roots(owners: Iterable[Any], units: Sequence[SourceUnit]) -> Iterator[Any]:
    """What outlives a call: the objects whose methods ran, and what the functions hold and name."""
    yield from owners
    for unit in units:
        for one in unit.live:
            yield from variables_of(one.function)


@contextmanager
def installed(units: Sequence[SourceUnit]) -> Iterator[bool]:
    """The units' trees in force; whether all could be compiled."""
    try:
        able = all(unit.install() for unit in units)
        # What Python or NumPy warns of in a changed text is not about the text that somebody wrote.
        with warnings.catch_warnings(), units[0].turns.counted():
            warnings.simplefilter("ignore")
            yield able
    finally:
        restore(units)
        if units:
            units[0].kept.restore()


def restore(units: Sequence[SourceUnit]) -> None:
    """Give all functions their own code back."""
    for unit in units:
        unit.restore()


def _codes_run(run: Callable[[], Any]) -> dict[CodeType, Any]:
    """The code of every function that is called, with the object whose method it is, as far as it is one."""
    found: dict[CodeType, Any] = {}

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code not in found:
            names = frame.f_code.co_varnames[: min(1, frame.f_code.co_argcount)]
            owner = next((frame.f_locals.get(name) for name in names), None)
            found[frame.f_code] = owner if hasattr(owner, "__dict__") else None

    run_traced(run, note)
    return found


def _is_theirs(file: str) -> bool:
    """Whether a file is somebody's, and can be read."""
    return is_somebodys(file) and 0 < len(linecache.getlines(file)) <= _LONGEST


def _units_of(file: str, codes: Sequence[CodeType], turns: Turns) -> list[SourceUnit]:
    """What ran of a file; nothing where a part of the text is not that of what ran: the mistake may be there."""
    found: list[SourceUnit] = []
    try:
        module = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    imports = [node for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in _definitions(module):
        first, last = first_line(node), node.end_lineno or node.lineno
        ran = [code for code in codes if first <= code.co_firstlineno <= last]
        lines = {code.co_firstlineno for code in ran}
        functions = [one for one in ast.walk(node) if isinstance(one, FunctionNode) and first_line(one) in lines]
        live = [one for code in ran for one in _functions_with(code)]
        if not functions or not live:
            continue
        found.append(SourceUnit(file, _pruned(node, functions), functions, live, imports, turns))
    return found if all(map(_is_current, found)) else []


def _definitions(module: ast.AST) -> Iterator[Any]:
    """The functions and classes of a file, also those under an `if` or `try`."""
    for node in ast.iter_child_nodes(module):
        if isinstance(node, FunctionNode | ast.ClassDef):
            yield node
        elif isinstance(node, ast.stmt | ast.ExceptHandler):
            yield from _definitions(node)


def _is_current(unit: SourceUnit) -> bool:
    """Whether the text is that of what ran: it may have changed since it was imported."""
    try:
        codes = unit.codes()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(_key(one.code) in codes and _is_same_code(codes[_key(one.code)], one.code) for one in unit.live)


def _is_same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two codes do the same; a number that was edited shows in the constants alone."""
    if (one.co_code, one.co_names, one.co_varnames, one.co_freevars) != (
        *(other.co_code, other.co_names, other.co_varnames, other.co_freevars),
    ):
        return False
    if len(one.co_consts) != len(other.co_consts):
        return False
    for own, their in zip(one.co_consts, other.co_consts, strict=True):
        nested = isinstance(own, CodeType) and isinstance(their, CodeType)
        if not (_is_same_code(own, their) if nested else repr(own) == repr(their)):
            return False
    return True


def _pruned(node: ast.stmt, functions: Sequence[ast.AST]) -> ast.stmt:
    """A class with nothing in it but the functions that ran; it is never executed, only compiled."""
    if not isinstance(node, ast.ClassDef):
        return node
    kept = copy.copy(node)
    kept.body = [_pruned(one, functions) for one in node.body if any(part in functions for part in ast.walk(one))]
    return kept


def _functions_with(code: CodeType) -> list[LiveFunction]:
    """The functions that exist with this code: methods, closures, wrapped ones, wherever they are kept."""
    found = [one for one in gc.get_referrers(code) if isinstance(one, FunctionType) and one.__code__ is code]
    memories = [tuple(m for m in gc.get_referrers(one) if isinstance(m, _MEMORY)) for one in found]
    return [LiveFunction(one, code, own) for one, own in zip(found, memories, strict=True)]


@contextmanager
def _naming(functions: Sequence[FunctionNode], named: Mapping[_Key, Sequence[str]]) -> Iterator[None]:
    """The functions with a statement more, which is never executed and names variables of the functions around."""
    bodies = []
    by_line = {line: names for (_, line), names in named.items() if names}
    for function in functions:
        if names := by_line.get(first_line(function)):
            bodies.append((function, function.body))
            extra = ast.parse(f"if 0:\n    {', '.join(names)}").body[0]
            function.body = [*function.body, ast.copy_location(extra, function.body[-1])]
            ast.fix_missing_locations(extra)
    try:
        yield
    finally:
        for function, body in bodies:
            function.body = body


def _inside(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inside(constant)


def _key(code: CodeType) -> _Key:
    return code.co_qualname, code.co_firstlineno


def first_line(node: Any) -> int:
    """The line at which Python says that a function begins: that of its first decorator."""
    return int(min([node.lineno, *(one.lineno for one in node.decorator_list)]))
