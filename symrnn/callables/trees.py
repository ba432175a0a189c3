"""Nested dicts, tuples and lists as named leaves, and back.  Knows nothing of what the leaves mean."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symrnn.errors import InputError

Tree = Any
"""An array, or a dict, tuple, list, named tuple or dataclass of trees."""

_DEEPEST = 40
"""How deep a tree may be: what a person nests is a few deep, so that anything deeper contains itself; Python's own
recursion limit would be met only by a traceback."""


def children(path: str, node: Tree) -> list[tuple[str, Tree]] | None:
    """The parts of a node with their paths; None for a leaf.

    Args:
        path: the node's own path, such as `params`.
        node: any value.

    Returns:
        Pairs such as `("params['W']", W)`, in the node's order.
    """
    if isinstance(node, Mapping):
        return [(f"{path}[{key!r}]", value) for key, value in node.items()]
    if isinstance(node, tuple | list):
        return [(f"{path}[{place}]", value) for place, value in enumerate(node)]
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        return [(f"{path}.{field.name}", getattr(node, field.name)) for field in dataclasses.fields(node)]
    return None


def rebuild(node: Tree, parts: list[Tree]) -> Tree:
    """A node of the same type with other parts, in the order of `children`."""
    if isinstance(node, Mapping):
        return _rebuild_mapping(node, parts)
    if hasattr(node, "_fields"):
        return type(node)(*parts)
    if isinstance(node, tuple | list):
        return tuple(parts) if isinstance(node, tuple) else list(parts)
    twin = copy.copy(node)
    for field, part in zip(dataclasses.fields(node), parts, strict=True):
        object.__setattr__(twin, field.name, part)
    return twin


def _rebuild_mapping(node: Mapping[Any, Tree], parts: list[Tree]) -> Tree:
    items = dict(zip(node, parts, strict=True))
    if type(node) is dict:
        return items
    try:
        twin: Any = copy.copy(node)  # keeps what a defaultdict or an OrderedDict has besides its items
        twin.update(items)
    except Exception:
        return items
    return twin


def map_leaves(path: str, node: Tree, change: Callable[[str, Any], Any], depth: int = 0) -> Tree:
    """The tree with every leaf replaced by `change(path, leaf)`.

    Raises:
        InputError: the tree is deeper than any that a person writes, or contains itself.
    """
    parts = children(path, node)
    if parts is None:
        return change(path, node)
    if depth > _DEEPEST:
        raise InputError(
            f"{path[:60]}: nested more than {_DEEPEST} deep, or inside itself\n  give dicts or tuples of arrays"
        )
    return rebuild(node, [map_leaves(inner, part, change, depth + 1) for inner, part in parts])


def leaves(path: str, node: Tree) -> dict[str, Any]:
    """Path -> leaf, in the tree's order; a leaf alone has the path itself."""
    found: dict[str, Any] = {}

    def note(inner: str, leaf: Any) -> Any:
        found[inner] = leaf
        return leaf

    map_leaves(path, node, note)
    return found


def replace_leaves(path: str, node: Tree, values: Mapping[str, Any]) -> Tree:
    """The tree with the leaves that `values` names replaced; the rest is the same objects."""
    return map_leaves(path, node, lambda inner, leaf: values.get(inner, leaf))


def copy_tree(node: Tree) -> Tree:
    """The tree with every leaf copied, as far as it can be."""
    return map_leaves("", node, lambda _, leaf: copy_leaf(leaf))


def copy_leaf(leaf: Any) -> Any:
    """A copy of anything; itself where it cannot be copied, such as a module."""
    # NumPy's copy is far faster than deepcopy, and enough where no entry is an object.
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind != "O":
        return leaf.copy()
    try:
        return copy.deepcopy(leaf)
    except Exception:
        return leaf


def is_float(leaf: Any) -> bool:
    """Whether a leaf is a floating-point number or an array of them."""
    if isinstance(leaf, float):
        return True
    return getattr(getattr(leaf, "dtype", None), "kind", "") == "f" and hasattr(leaf, "shape")


def is_complex(leaf: Any) -> bool:
    """Whether a leaf is a complex number or an array of them."""
    return isinstance(leaf, complex) or getattr(getattr(leaf, "dtype", None), "kind", "") == "c"


def make_flat_names(paths: list[str]) -> dict[str, str]:
    """An identifier for every path -> the path: `params_W` for `params['W']`, and no two the same."""
    names: dict[str, str] = {}
    for path in paths:
        word = "".join(c if f"a{c}".isidentifier() else "_" for c in path)
        parts = [part for part in word.split("_") if part]
        name = path if path.isidentifier() else "_".join(parts) or "leaf"
        if not name.isidentifier():
            name = f"leaf_{name}"
        while name in names:
            name += "_"
        names[name] = path
    return names
