"""The weights of somebody's object or module: the arrays in it that the outputs of its forward pass depend on."""

from __future__ import annotations

import inspect
from collections.abc import Container, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.comparison import measure_gap
from symrnn.callables.conventions import names_start
from symrnn.callables.keeping import Function, WeightKeeper
from symrnn.callables.outputs import flatten
from symrnn.callables.places import HeldPlace, list_arrays, read_place
from symrnn.callables.trees import Tree, copy_tree
from symrnn.callables.twins import copy_owner
from symrnn.errors import InputError

_MOVED = 0.1
"""By how much an array is moved, beside its size: enough to be seen behind saturated functions, and no other regime."""


def find_weights(owner: Any, forward: Function, inputs: Mapping[str, Tree], outputs: Sequence[str] = ()) -> list[str]:
    """The places of arrays of floats that the outputs depend on; without initial states, which are not trained.

    Args:
        owner: the object, or a dict of globals; it is left as it was.
        forward: its method, or a function that reads these globals.
        inputs: the arguments.
        outputs: the places in which forward leaves its outputs, if it does not return them.

    Raises:
        InputError: forward raises.
    """
    arrays = list_arrays(_read_globals(owner) if isinstance(owner, Mapping) else owner)
    arrays = {path: one for path, one in arrays.items() if not (_is_state(path, arrays) or _is_table(one))}
    still = _answer(owner, forward, inputs, outputs, {})
    found = []
    for path, array in arrays.items():
        rng = np.random.default_rng(len(path))
        moved = array + _MOVED * (1 + np.abs(array)) * rng.normal(size=array.shape)
        try:
            answer = _answer(owner, forward, inputs, outputs, {id(array): moved.astype(array.dtype)})
        except InputError:  # what cannot be changed, such as a table of something, is no weight
            continue
        if measure_gap(still, answer)[0] > 0:
            found.append(path)
    return found


def _read_globals(held: Mapping[str, Any]) -> dict[str, Any]:
    """The globals that some function or class there mentions: what nothing reads needs no run of forward to be told."""
    codes: list[CodeType] = []
    for value in held.values():
        parts = vars(value).values() if isinstance(value, type) else [value]
        plain = [inspect.unwrap(getattr(part, "__func__", part)) for part in parts if callable(part)]
        codes += [part.__code__ for part in plain if isinstance(part, FunctionType)]
    words: set[str] = set()
    for code in codes:  # grows by the functions inside of functions
        words.update(code.co_names)
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
    return {name: value for name, value in held.items() if name in words}


def _is_state(path: str, among: Container[str]) -> bool:
    """Whether an array is called as a state is; `c` alone is a bias more often than a state without its `h`."""
    place = read_place(path)
    return names_start(path) and (place.last not in ("c", "s") or str(place.beside("h")) in among)


def _is_table(array: Array) -> bool:
    """Whether an array holds whole numbers that differ: a mask, vectors of an alphabet, positions; weights do not."""
    return array.size > 1 and bool(np.all(array == np.round(array))) and bool(np.ptp(array))


def _answer(
    owner: Any, forward: Function, inputs: Mapping[str, Tree], outputs: Sequence[str], changed: dict[int, Any]
) -> dict[str, Any]:
    twin = copy_owner(owner, dict(changed))
    try:
        with np.errstate(all="ignore"):
            returned = WeightKeeper.of("", owner, ()).call(twin, forward, (), copy_tree(dict(inputs)))
        left = [read_place(one).read(twin) for one in outputs]
    except Exception as error:
        what = " ".join(str(error).split())[:200]
        name = forward if isinstance(forward, HeldPlace) else getattr(forward, "__name__", "forward")
        raise InputError(
            f"{name} raises {type(error).__name__}: {what}\n"
            "  give its arguments by name as inputs=, or name the weights"
        ) from None
    return flatten(left if outputs else returned)
