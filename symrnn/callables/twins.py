"""Copies of somebody's objects and globals with other weights in them: what is one array there is one in the copy.

An array that is held in several places, as by a network and its optimizer, is replaced in all of them.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.places import HeldPlace, list_arrays
from symrnn.callables.trees import Tree, copy_leaf, leaves
from symrnn.callables.whose import is_somebodys

_SHARED = (ModuleType, type, FunctionType, BuiltinFunctionType, MethodType, np.ufunc)
_PLAIN = (np.ndarray, list, dict, tuple, set, float, int, str)


def place_weights(owner: Any, places: Mapping[str, HeldPlace], values: Mapping[str, Tree]) -> Any:
    """A copy of an object, or of a dict of globals, with other weights.

    Args:
        owner: the object, which is left as it is.
        places: name -> where it stands.
        values: name -> what is to stand there, nested as what it replaces.
    """
    memo: dict[int, Any] = {}
    replaced: list[tuple[Array, Array]] = []
    twice: set[int] = set()
    for name, place in places.items():
        new = leaves(name, values[name])
        for path, leaf in leaves(name, place.read(owner)).items():
            if isinstance(leaf, np.ndarray) and path in new:
                twice |= {id(leaf)} & set(memo)  # two names of one array: each gets its own
                # As deepcopy's own memory: it then believes that it has copied the weight already, and puts this one
                # wherever the object refers to it.
                memo[id(leaf)] = new[path]
                replaced.append((leaf, new[path]))
    memo = dict(_views(owner, replaced)) | memo
    twin = copy_owner(owner, {key: value for key, value in memo.items() if key not in twice})
    for name, place in places.items():
        if not _is_placed(place.read(twin), values[name], name):
            place.write(twin, values[name])
    return twin


def _views(owner: Any, replaced: Sequence[tuple[Array, Array]]) -> Iterator[tuple[int, Array]]:
    """Arrays in the owner that show a part of one that is replaced, and the same part of what replaces it."""
    views = [array for array in list_arrays(owner).values() if array.base is not None] if replaced else []
    for array in views:
        for old, new in replaced:
            offset = array.__array_interface__["data"][0] - old.__array_interface__["data"][0]
            inside = array is not old and 0 <= offset < old.nbytes
            if inside and array.dtype == old.dtype and old.flags.c_contiguous and new.flags.c_contiguous:
                scale = new.itemsize // old.itemsize
                strides = [scale * one for one in array.strides]
                yield id(array), np.ndarray(array.shape, new.dtype, new, scale * offset, strides)


def _is_placed(held: Tree, wanted: Tree, name: str) -> bool:
    one, two = leaves(name, held), leaves(name, wanted)
    return set(one) == set(two) and all(one[path] is two[path] for path in one)


def copy_owner(owner: Any, memo: dict[int, Any] | None = None) -> Any:
    """A copy that shares nothing that a method may change; what cannot be copied is shared.

    Args:
        owner: an object, or a dict of globals, of which the data are copied.
        memo: the identity of something in it -> what stands for it in the copy.
    """
    memo = {} if memo is None else memo
    if isinstance(owner, MutableMapping):
        module = owner.get("__name__")
        return {name: _copied(value, memo) for name, value in owner.items() if is_data(name, value, module)}
    if isinstance(owner, type | ModuleType):
        return owner
    try:
        return copy.deepcopy(owner, memo)
    except Exception:  # something in it cannot be copied, such as a lock: all but that
        twin = copy.copy(owner)
        memo[id(owner)] = twin
        twin.__dict__.update({name: _copied(value, memo) for name, value in vars(owner).items()})
        return twin


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return copy.deepcopy(value, memo)
    except Exception:
        return copy_leaf(value)


def is_data(name: str, value: Any, module: Any = None) -> bool:
    """Whether a global is data of a program, or an object of a class of its own."""
    if name.startswith("__") or isinstance(value, _SHARED):
        return False
    kind = type(value).__module__
    return isinstance(value, _PLAIN) or (module is not None and kind == module) or _is_somebodys(kind)


def _is_somebodys(name: str) -> bool:
    """Whether a module is a program's own; one without a file is Python's."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is not None and is_somebodys(file)


@contextmanager
def put_in_place(held: MutableMapping[str, Any], values: MutableMapping[str, Any]) -> Iterator[None]:
    """Globals set to these values for a while; `values` then has what became of them, and what is new."""
    before = dict(held)
    held.update(values)
    try:
        yield
        module = held.get("__name__")
        changed = {name: value for name, value in held.items() if is_data(name, value, module)}
        values.update(changed)
    finally:
        for name in list(held):
            if name not in before:
                del held[name]
        held.update(before)
