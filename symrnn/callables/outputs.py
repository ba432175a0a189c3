"""What somebody's function returns, as named arrays: by leaf, and with steps in a list joined to one array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.trees import Tree, children, is_float, leaves

ROOT = "output"
"""The path of all that a function returns; its parts are `output[0]`, `output['h']`."""
JOINED = "[:]"
"""What stands in a path for all items of a list."""

_MOST_ARRAYS = 400
"""Arrays of one return value that are looked at; every one is compared at every question, and a function that returns
more returns its values step by step, where the joined arrays say the same."""


def read_arrays(tree: Tree) -> dict[str, Array]:
    """The leaves as arrays, in double precision or complex; what is no number is left out."""
    found = {}
    for path, leaf in leaves(ROOT, tree).items():
        kind = getattr(getattr(leaf, "dtype", None), "kind", "c" if isinstance(leaf, complex) else "")
        if is_float(leaf) or kind == "c":
            found[path] = np.array(leaf, np.complex128 if kind == "c" else np.float64)
    return found


def flatten(value: Tree, path: str = ROOT) -> dict[str, Array]:
    """The arrays of floats in what a function returned, by path.

    Steps kept one by one in a list, or in a dict by their numbers, are joined to one array as well: `output[:]` for a
    list of arrays, `output[:][0]` for the first arrays in a list of tuples.
    """
    found: dict[str, Array] = {}
    _collect(path, value, found)
    return found


def _collect(path: str, value: Tree, found: dict[str, Array]) -> None:
    items = children(path, value)
    if items is None:
        array = _as_array(value)
        if array is not None and len(found) < _MOST_ARRAYS:
            found[path] = array
        return
    for inner, item in items:
        _collect(inner, item, found)
    steps = [{p.removeprefix(inner): array for p, array in found.items() if p.startswith(inner)} for inner, _ in items]
    for rest, array in _join_steps(value, steps).items():
        found[f"{path}{JOINED}{rest}"] = array


def _join_steps(value: Tree, steps: list[dict[str, Array]]) -> dict[str, Array]:
    """What the items of a list have in common, each joined to one array; nothing where they differ."""
    order = list(range(len(steps)))
    if isinstance(value, Mapping):
        if not all(isinstance(name, int) for name in value):
            return {}
        order = np.argsort(list(value), kind="stable").tolist()
    kinds = {tuple((rest, array.shape) for rest, array in step.items() if JOINED not in rest) for step in steps}
    # One step makes no sequence, and steps of different shapes no array.
    if len(steps) < 2 or len(kinds) != 1:
        return {}
    return {rest: np.stack([steps[position][rest] for position in order]) for rest, _ in kinds.pop()}


def _as_array(value: Any) -> Array | None:
    if value is None or isinstance(value, str | bytes | bool | int):
        return None
    try:
        array = np.asarray(value)
    except Exception:
        return None
    return array if array.dtype.kind == "f" else None


def drop_cache(returned: Tree, arguments: Sequence[Array]) -> Tree:
    """What a function returns, without a cache for its backward pass at the end.

    A cache is a container after other outputs, with arrays of several shapes and some of the arguments among them.
    """
    if not isinstance(returned, tuple) or len(returned) < 2 or children("", returned[-1]) is None:
        return returned
    first, last = flatten(returned[:-1]), flatten(returned[-1])
    arrays = [array for path, array in last.items() if JOINED not in path]
    held = any(_is_same(array, own) for array in arrays for own in arguments)
    # A cache holds arguments beside intermediate values of other shapes; outputs are no copies of arguments.
    return returned[:-1] if first and held and len({array.shape for array in arrays}) > 1 else returned


def _is_same(array: Array, other: Array) -> bool:
    return array.size > 1 and array.shape == other.shape and np.array_equal(array, other)
