"""Arrays of somebody's that outlive a call: a changed text may add to them in place, and they are put back after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.source_lines.tracing import enclosed

_MOST_OBJECTS = 5_000
"""Objects that are looked into: a model has some hundred, a data set in a list may have millions."""
_CLOSED = (ModuleType, type, BuiltinFunctionType, str, bytes, int, float, complex, np.generic)


class KeptArrays:
    """Arrays with what they hold.

    Args:
        roots: what they are reached from, through attributes, items and the variables of functions.
    """

    def __init__(self, roots: Iterable[Any] = ()) -> None:
        self._held = [(array, np.array(array)) for array in _arrays(roots)]

    def restore(self) -> None:
        """Put back what they held."""
        for array, before in self._held:
            if array.flags.writeable and array.shape == before.shape:
                np.copyto(array, before)


def variables_of(function: FunctionType) -> Iterator[Any]:
    """What a function holds and names beside its arguments: variables around it, defaults, globals."""
    yield from enclosed(function)
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from (function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__)


def _names(code: CodeType) -> set[str]:
    inner = [_names(one) for one in code.co_consts if isinstance(one, CodeType)]
    return set(code.co_names).union(*inner)


def _arrays(roots: Iterable[Any]) -> list[Array]:
    seen: dict[int, Any] = {}
    rest, found = list(roots), []
    while rest and len(seen) < _MOST_OBJECTS:
        one = rest.pop()
        if id(one) in seen or isinstance(one, _CLOSED):
            continue
        seen[id(one)] = one
        if isinstance(one, np.ndarray):
            found.append(one) if one.dtype.kind in "fiucb" else None
        else:
            rest += _inside(one)
    return found


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, FunctionType):
        return list(variables_of(value))
    return list(getattr(value, "__dict__", {}).values())
