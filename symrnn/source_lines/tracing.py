"""A function run once while the values that its lines assign are noted.

Only lines of the function's own file are watched, from when it is entered until it returns.  What a line assigned is
read from its frame when the next line begins; no text of the file is evaluated.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType, MethodType
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.traced import Tracer, run_traced
from symrnn.callables.whose import is_ours
from symrnn.source_lines.statements import Statement, Target, read_statements, value_at

MOST_EVENTS = 300_000
"""Executed lines after which nothing is watched any more."""
MOST_RECORDS = 50_000  # with MOST_BYTES: what a check may hold in memory beside the functions themselves
MOST_BYTES = 16 << 20
LARGEST = 1 << 18
"""Entries of the largest array that is kept."""
_STANDARD = os.path.dirname(os.path.abspath(os.__file__))
_FRAMEWORKS = ("torch", "jax", "jaxlib")
"""Packages whose tensors are arrays to be noted."""
_LIBRARY = re.compile(r"site-packages[\\/](?:numpy|torch|jax|jaxlib)[\\/]")
# Wrappers around a function, and lists within lists: people nest one or two.
_DEEPEST = 4
# Entries of a list that are looked at.
_LONGEST = 1000


@dataclass(frozen=True)
class Record:
    """A value that a statement assigned.

    Attributes:
        statement: the statement.
        variable: what it assigned, as written; `return` for what it returned; a parameter of what it calls.
        value: a copy of the array.
        handed: whether the statement hands it to a function as an argument.
    """

    statement: Statement
    variable: str
    value: Array
    handed: bool = False


@dataclass
class Trace:
    """What was seen of one run.

    Attributes:
        records: the values assigned, in their order.
        returned: what the run returned.
        error: the exception that ended the run.
        complete: whether nothing was left out for want of room.
    """

    records: list[Record] = field(default_factory=list)
    returned: Any = None
    error: Exception | None = None
    complete: bool = True


def trace(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Trace:
    """Run somebody's function once and note what its lines assign.

    Args:
        function: a function, method, partial, or an object that can be called.
        *args: its arguments.
        **kwargs: its named arguments.

    Returns:
        What was seen; without records where the source is not at hand.  An exception of the function ends the run and
        is kept; `KeyboardInterrupt` is not held back.
    """
    return watch(lambda: function(*args, **kwargs), [function])


def watch(run: Callable[[], Any], functions: Sequence[Callable[..., Any]]) -> Trace:
    """Call `run` once and note what the lines of these functions assign, wherever they are called in it.

    Any tracer that is set, of a debugger or of a coverage measurement, waits meanwhile.
    """
    codes = [code for function in functions for code in codes_of(function)]
    watching = _Watching(codes, [function.__code__ for function in functions if _is_adapter(function)])
    # A tracer slows every call in the process, so there is none where nothing can be seen.
    seen = bool(watching.lines or watching.adapters)
    try:
        with np.errstate(all="ignore"):
            watching.trace.returned = run_traced(run, watching) if seen else run()
    except (Exception, SystemExit) as error:
        watching.trace.error = error if isinstance(error, Exception) else RuntimeError(f"SystemExit: {error}")
    finally:
        watching.live = False
    return watching.trace


def codes_of(function: Any) -> list[CodeType]:
    """The code of a function beneath its decorators, partials, bound methods and callable objects."""
    found: list[CodeType] = []
    for plain in _beneath(function, 0):
        code = getattr(plain, "__code__", None)
        if isinstance(code, CodeType) and not is_ours(code.co_filename) and code not in found:
            found.append(code)
    return found


def _beneath(function: Any, depth: int) -> Iterator[Any]:
    if depth > _DEEPEST or not callable(function):
        return
    inner: list[Any] = []
    if isinstance(function, functools.partial | functools.partialmethod):
        inner = [function.func]
    elif isinstance(function, MethodType):
        inner = [function.__func__]
    elif hasattr(function, "__wrapped__"):
        inner = [function.__wrapped__]
    elif hasattr(function, "__code__"):
        yield function
        inner = [value for value in enclosed(function) if hasattr(value, "__code__")]
    elif not isinstance(function, type):
        inner = [inspect.getattr_static(type(function), "__call__", None)]
    for part in inner:
        yield from _beneath(part, depth + 1)


def enclosed(function: Any) -> Iterator[Any]:
    """The values of the variables around a function that it reads."""
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue


def _is_adapter(function: Any) -> bool:
    """Whether a function is ours and calls somebody's, which it looks up when it runs."""
    code = getattr(function, "__code__", None)
    return isinstance(code, CodeType) and is_ours(code.co_filename)


class _Watching:
    """The tracer: decides which frames are watched, and keeps what was seen."""

    def __init__(self, codes: Sequence[CodeType], adapters: Sequence[CodeType] = ()) -> None:
        self.trace = Trace()
        self.roots = set(codes)
        self.adapters = frozenset(adapters)
        files = dict.fromkeys(code.co_filename for code in codes)
        self.lines = {file: lines for file in files if (lines := read_statements(file))}
        self.inside = 0
        self.events = 0
        self.bytes = 0
        self.live = True

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Tracer | None:
        if event != "call" or not self.live:
            return None
        self.count()  # calls of others too: they cost as much
        code = frame.f_code
        if self.adapters and self.is_adapted(frame):
            self.adopt(code)
        root = code in self.roots
        if not (root or self.inside) or code.co_filename not in self.lines:
            return None
        self.inside += root
        inside_line = code.co_name.startswith("<")
        if not inside_line:
            self.hand_over(frame)
        return _Watched(self, self.lines[code.co_filename], root, inside_line)

    def is_adapted(self, frame: FrameType) -> bool:
        """Whether an adapter calls a function, by other functions of ours or of no file, such as a lambda typed in."""
        caller = frame.f_back
        while caller is not None and (is_ours(caller.f_code.co_filename) or caller.f_code.co_filename.startswith("<")):
            if caller.f_code in self.adapters:
                return True
            caller = caller.f_back
        return False

    def adopt(self, code: CodeType) -> None:
        """Watch what an adapter calls, if it is somebody's."""
        if code in self.roots or is_ours(code.co_filename) or os.path.dirname(code.co_filename) == _STANDARD:
            return
        if _LIBRARY.search(code.co_filename):  # what an adapter asks of it itself
            return
        lines = self.lines.get(code.co_filename) or read_statements(code.co_filename)
        if lines:
            self.lines[code.co_filename] = lines
            self.roots.add(code)

    def hand_over(self, frame: FrameType) -> None:
        """Note the arguments of a call that a watched statement makes."""
        caller = None if frame.f_back is None else frame.f_back.f_trace
        if not isinstance(caller, _Watched) or len(caller.pending) != 1:
            return
        for name, value in frame.f_locals.items():
            if type(value) is np.ndarray:
                self.note(caller.pending[0], name, value, handed=True)

    def count(self) -> None:
        self.events += 1
        if self.events > MOST_EVENTS:
            self.stop()

    def stop(self) -> None:
        """Watch nothing any more, so that the rest runs as fast as ever."""
        self.live = self.trace.complete = False
        sys.settrace(None)

    def note(self, statement: Statement, variable: str, value: Any, handed: bool = False) -> None:
        for name, array in _arrays(variable, value, 0):
            if array.size > LARGEST or array.dtype.kind != "f":
                self.trace.complete &= array.dtype.kind != "f"
                continue
            self.bytes += array.nbytes
            if self.bytes > MOST_BYTES or len(self.trace.records) >= MOST_RECORDS:
                self.stop()
                return
            self.trace.records.append(Record(statement, name, np.array(array, dtype=np.float64), handed))


class _Watched:
    """The tracer of one frame: remembers the line that is being executed."""

    def __init__(
        self, watching: _Watching, lines: dict[int, tuple[Statement, ...]], root: bool, inside_line: bool
    ) -> None:
        self.watching = watching
        self.lines = lines
        self.root = root
        self.inside_line = inside_line  # a lambda or comprehension: part of a line that another frame executes
        self.pending: tuple[Statement, ...] = ()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Tracer | None:
        watching = self.watching
        if not watching.live:
            frame.f_trace = None
            return None
        try:
            self.see(frame, event, argument)
        except Exception:  # an odd object of theirs must not end their run
            watching.trace.complete = False
        return self

    def see(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "line":
            self.watching.count()
            started = self.lines.get(frame.f_lineno, ())
            if started != self.pending or not _spans(started):
                self.finish(frame)
                self.pending = started
        elif event == "exception":
            self.pending = ()  # it did not get to assign anything
        elif event == "return":
            self.leave(frame, argument)

    def finish(self, frame: FrameType) -> None:
        """Note what the line before assigned."""
        if self.inside_line or not any(statement.targets for statement in self.pending):
            return
        names = ChainMap(frame.f_locals, frame.f_globals)
        for statement in self.pending:
            for target in statement.targets:
                if not target.returned:
                    self.watching.note(statement, target.text, value_at(target.place, names))

    def leave(self, frame: FrameType, returned: Any) -> None:
        """Note the last line and what is returned."""
        self.watching.inside -= self.root
        self.finish(frame)
        for statement in self.pending:
            if returned is not None and (self.inside_line or any(map(_is_return, statement.targets))):
                self.watching.note(statement, "return", returned)


def _is_return(target: Target) -> bool:
    return target.returned


def _spans(statements: tuple[Statement, ...]) -> bool:
    """Whether the lines of one statement follow each other before it has ended."""
    return any(statement.end > statement.line for statement in statements)


def _arrays(name: str, value: Any, depth: int) -> Iterator[tuple[str, Array]]:
    """The arrays in a value: itself, those in a dict or tuple, and the stack of a list of arrays that are alike."""
    kind = type(value)  # isinstance would ask the value itself
    if issubclass(kind, np.ndarray):
        yield name, np.ndarray.view(value, np.ndarray)
    elif issubclass(kind, float | np.floating):
        yield name, np.asarray(value, dtype=np.float64)
    elif kind.__module__.partition(".")[0] in _FRAMEWORKS and hasattr(kind, "__array__"):
        yield name, value.detach().cpu().numpy() if hasattr(kind, "detach") else np.asarray(value)
    elif depth > _DEEPEST:
        return
    elif issubclass(kind, dict):
        for key, part in list(dict.items(value)):
            yield from _arrays(f"{name}[{key!r}]" if type(key) in (str, int) else name, part, depth + 1)
    elif kind in (list, tuple) and len(value) <= _LONGEST:
        shapes = {part.shape if type(part) is np.ndarray else None for part in value}
        if kind is list and len(value) > 1 and len(shapes) == 1 and None not in shapes:
            yield name, np.stack(value)
        else:
            for part in value:
                yield from _arrays(name, part, depth + 1)
