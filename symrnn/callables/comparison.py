"""Arrays in trees, picked out and compared: which leaves are numbers, and whether anything has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.conventions import BAGS, gradient_of
from symrnn.callables.invocation import SubjectError
from symrnn.callables.trees import Tree, is_float, leaves


def collect_floats(inputs: Mapping[str, Tree]) -> dict[str, Array]:
    """Leaf path -> array in double precision, for every leaf of floats."""
    found = {path: leaf for name, tree in inputs.items() for path, leaf in leaves(name, tree).items()}
    return {path: np.array(leaf, np.float64) for path, leaf in found.items() if is_float(leaf)}


def make_cotangent(leaf: Any, given: Array | None) -> Any:
    """What stands for a leaf of the outputs among the cotangents."""
    if not is_float(leaf):
        return None
    dtype = getattr(leaf, "dtype", np.dtype(np.float64))
    array = np.zeros(np.shape(leaf), dtype) if given is None else np.array(given, dtype).reshape(np.shape(leaf))
    return array if isinstance(leaf, np.ndarray) else array[()]


def list_leaves(tree: Tree) -> list[Any]:
    """The leaves in order."""
    return list(leaves("", tree).values())


def is_same(one: Any, two: Any) -> bool:
    """Whether a leaf is unchanged; what cannot be compared counts as unchanged."""
    if one is two:
        return True
    try:
        if isinstance(one, np.ndarray) or isinstance(two, np.ndarray):
            both = np.asarray(one), np.asarray(two)
            # NaN where NaN was is no change; arrays of other kinds have no NaN to ask for, and NumPy would raise.
            return bool(np.array_equal(*both, equal_nan=both[0].dtype.kind in "fc"))
        if isinstance(one, float) and isinstance(two, float):
            # Only NaN is unequal to itself.
            return bool(one == two or (one != one and two != two))
        return bool(one == two) if isinstance(one, int | str | bool | list) else True
    except Exception:
        return True


def find_changed(before: Mapping[str, Tree], after: Mapping[str, Tree]) -> tuple[str, ...]:
    """The paths of the leaves of arguments that differ from what they were; a leaf that is gone has not changed."""
    now = {path: leaf for name, tree in after.items() for path, leaf in leaves(name, tree).items()}
    then = {path: leaf for name, tree in before.items() for path, leaf in leaves(name, tree).items()}
    return tuple(path for path, leaf in then.items() if not is_same(leaf, now.get(path, leaf)))


def is_alike(one: Tree, two: Tree) -> bool:
    """Whether a cache has the same arrays as before.

    The attributes of an object are looked at once, but for those where it leaves gradients: new ones, and those that
    are named after others.
    """
    if not isinstance(one, Mapping | list | tuple) and hasattr(one, "__dict__") and type(one) is type(two):
        # A cache that is an object may collect gradients in itself; these change with every call and say nothing of the
        # cache.
        names = [name for name in vars(one) if name in vars(two) and not _holds_gradients(name, vars(one))]
        one, two = ({name: vars(held)[name] for name in names} for held in (one, two))
    before, after = leaves("", one), leaves("", two)
    return set(before) == set(after) and all(is_same(leaf, after[path]) for path, leaf in before.items())


def _holds_gradients(name: str, beside: Iterable[str]) -> bool:
    others = [other for other in beside if other != name]
    return name in BAGS or gradient_of(name, others) is not None


def measure_gap(one: Arrays, two: Arrays, floor: float = 0.0) -> tuple[float, str]:
    """The largest difference of two sets of arrays, relative to each array's largest entry, and where it is.

    Args:
        one: path -> array.
        two: the same paths; infinity where one is missing, or has another shape.
        floor: what an array's largest entry counts as at least.
    """
    largest, where = 0.0, ""
    for path, array in one.items():
        twin = two.get(path)
        if twin is None or twin.shape != array.shape:
            return float("inf"), path
        # An infinity less itself is NaN, and no comparison with NaN holds.
        finite = np.isfinite(array) & np.isfinite(twin)
        size = max(floor, float(np.max(np.abs(array[finite]), initial=0)))
        gap = float(np.max(np.abs(array[finite] - twin[finite]), initial=0))
        largest, where = max((largest, where), (gap / size if size else gap, path))
    return largest, where


def explain_no_floats(inputs: Mapping[str, Tree]) -> str:
    """That there is nothing to differentiate among the inputs, and what to give."""
    if not inputs:
        return "inputs: there is nothing in it\n  give the arguments of forward by name, such as {'x': x, 'W': W}"
    clause = mention_integers(inputs)
    remedy = "" if clause else "\n  give the sequence, the weights and the states as NumPy arrays of floats"
    return f"inputs: no array of floats to differentiate{clause}{remedy}"


def add_integers(error: SubjectError, inputs: Mapping[str, Tree]) -> SubjectError:
    """The error, with a word on arrays of integers among the inputs: they may be why a function raises."""
    clause = mention_integers(inputs)
    raised = error.problem.sentence.lower()
    about = any(word in raised for word in ("cast", "integer", "int64", "int32"))  # masks and lengths raise nothing
    if not clause or not error.problem.kind.endswith("-raises") or not about:
        return error
    return SubjectError(replace(error.problem, sentence=f"{error.problem.sentence}{clause}"))


def mention_integers(inputs: Mapping[str, Tree]) -> str:
    """A clause on arrays of integers among the inputs."""
    found = [
        path
        for name, tree in inputs.items()
        for path, leaf in leaves(name, tree).items()
        if getattr(getattr(leaf, "dtype", None), "kind", "") in tuple("iu")
    ]
    return f"; {', '.join(found[:6])}: integer arrays are not differentiated\n  give floats" if found else ""
