"""The values that somebody's function computes on its way to a loss: what its frames hold when they return.

A function that returns a loss has its states in local variables, in a cache, or in attributes.  It is run while the
interpreter tells of every function that returns; nothing of it is changed or evaluated.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import CodeType, FrameType, ModuleType
from typing import Any

from symrnn.arrays import Arrays
from symrnn.callables.black_box import ForwardRun
from symrnn.callables.outputs import flatten
from symrnn.callables.subject import Subject
from symrnn.callables.whose import is_somebodys

_MOST_CALLS = 200
"""Calls of one function whose variables are kept: more are not a step each."""


def _is_theirs(code: CodeType) -> bool:
    return is_somebodys(code.co_filename) and not code.co_name.startswith("<")


class _Listener:
    """Told of every function that returns."""

    def __init__(self) -> None:
        self.seen: dict[str, list[dict[str, Any]]] = {}

    def __call__(self, frame: FrameType, event: str, _value: Any) -> None:
        if event == "return" and _is_theirs(frame.f_code):
            calls = self.seen.setdefault(frame.f_code.co_name, [])
            if len(calls) < _MOST_CALLS:
                # A copy, since the frame's own changes with the frame; the arrays in it are still those of the run.
                calls.append(dict(frame.f_locals))

    def values(self) -> dict[str, Any]:
        """`function.variable` -> its value; of functions called more than once, the values of all calls."""
        found: dict[str, Any] = {}
        for function, calls in self.seen.items():
            for name in calls[0]:
                given = [call[name] for call in calls if name in call]
                found[f"{function}.{name}"] = given[0] if len(given) == 1 else given
        return found


def values_inside(subject: Subject, arrays: Arrays, paths: Collection[str] = ()) -> dict[str, Any]:
    """The arrays that forward's functions hold when they return, by path: `learn.hs[:]`.

    Args:
        subject: the functions.
        arrays: leaf path -> array, in place of the own ones.
        paths: those that are wanted; all if empty.

    Raises:
        SubjectError: forward raises.
    """
    # The profiler's hook and not the tracer's: it is told of calls and returns alone, not of every line, and a debugger
    # keeps its own.
    listener, before = _Listener(), sys.getprofile()
    sys.setprofile(listener)
    try:
        subject.run(arrays)
    finally:
        _listen_again(before)
    found: dict[str, Any] = {}
    for path, value in listener.values().items():
        for inner, part in _opened(path, value):
            if paths and not any(wanted.startswith(inner) for wanted in paths):
                continue
            if not (isinstance(part, ModuleType | type) or callable(part)):
                found.update(flatten(part, inner))
    return found


def _listen_again(before: Any) -> None:
    """Give the interpreter's ear back to a profiler: a function, or an object of `cProfile`, which is none."""
    if before is None or callable(before):
        sys.setprofile(before)
    else:
        sys.setprofile(None)
        before.enable()


def _opened(path: str, value: Any) -> list[tuple[str, Any]]:
    """A value, or the attributes of an object of somebody's class."""
    kind = type(value)
    if hasattr(value, "__dict__") and not isinstance(value, ModuleType | type) and kind.__module__ != "builtins":
        return [(f"{path}.{name}", part) for name, part in vars(value).items()]
    return [(path, value)]


@dataclass(frozen=True)
class InsideView:
    """Forward as a function that returns some of what it computes on its way; its arrays have flat identifiers.

    Attributes:
        subject: the functions.
        paths: what is returned, by path; everything if empty.
        held: arrays that are the same at every call.
    """

    subject: Subject
    paths: tuple[str, ...] = ()
    held: Mapping[str, Any] | None = None

    def run(self, arrays: Arrays) -> ForwardRun:
        """One call; see `BlackBox.run`."""
        own, paths = self.placed({**(self.held or {}), **arrays}), self.subject.flat_names
        values = values_inside(self.subject, {paths.get(name, name): one for name, one in own.items()}, self.paths)
        if self.paths:
            values = {path: values[path] for path in self.paths if path in values}
        return ForwardRun(values, [], {}, ())

    def placed(self, arrays: Arrays) -> Arrays:
        """The arrays as forward takes them."""
        return arrays

    def only(self, paths: tuple[str, ...]) -> InsideView:
        """The same with fewer things returned."""
        return replace(self, paths=paths)
