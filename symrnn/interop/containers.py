"""The forms in which a framework hands over a layer's arrays: a dict of names, a list, a tree, a flat buffer.

A row of the conventions names its container; here each container is two functions, one that finds a layer's arrays by
their names in the table, and one that puts them back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.interop.arrays import as_array, extents
from symrnn.interop.conventions import Convention, Entry, rows
from symrnn.interop.misfit import Misfit, ShapeMisfit, Unclear
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class Flat:
    """The sizes of a layer whose weights are one flat buffer, which does not tell them.

    Attributes:
        input_size: entries of the input of the first layer.
        hidden_size: entries of the state.
        num_layers: how many layers the buffer holds.
        bidirectional: whether every layer has a second direction.
    """

    input_size: int
    hidden_size: int
    num_layers: int = 1
    bidirectional: bool = False


@dataclass(frozen=True)
class Selection:
    """Which layer is meant, where the weights hold several.

    Attributes:
        layer: the layer's number; None if there is only one.
        reverse: the second direction; None if there is only one.
        prefix: what stands before the arrays' names; None to find it.
        flat: the sizes of a flat buffer.
    """

    layer: int | None = None
    reverse: bool | None = None
    prefix: str | None = None
    flat: Flat | None = None

    def name(self, entry: Entry) -> str:
        """The array's name with the layer and direction filled in."""
        reverse = "_reverse" if self.reverse else ""
        return entry.name.format(layer=self.layer or 0, reverse=reverse, side="r" if self.reverse else "l")

    def refuse_idle(self, row: Convention, *, writing: bool = False) -> None:
        """Refuse what this row, when read or written, would not look at."""
        names = "" if writing and row.container == "flat" else "".join(entry.name for entry in row.entries)
        looked_at = {
            "layer": "{layer}" in names,
            # A list or an axis of directions is divided by this option when it is read; when written there is one
            # direction only.
            "reverse": "{reverse}" in names
            or "{side}" in names
            or (not writing and row.container in ("list", "directions")),
            "prefix": row.container not in ("list", "flat") or (not writing and row.container == "list"),
            "flat": row.container == "flat",
        }
        idle = [option for option, looks in looked_at.items() if not looks and getattr(self, option)]
        if idle:
            raise Misfit(f"{idle[0]}= says nothing about weights of {row.framework} here\n  leave it out")

    def fill(self, row: Convention) -> Convention:
        """The row with the arrays' names filled in."""
        return replace(row, entries=tuple(replace(entry, name=self.name(entry)) for entry in row.entries))


@dataclass(frozen=True)
class Container:
    """Finds a layer's arrays, and puts them back.

    Attributes:
        unpack: (row with names filled in, cell, weights, selection) -> entry name -> array.
        pack: (row with names filled in, entry name -> array, selection) -> what the framework takes.
    """

    unpack: Callable[[Convention, Cell, Any, Selection], dict[str, Array]]
    pack: Callable[[Convention, Mapping[str, Array], Selection], Any]


_HANDED_OVER = (
    "give what the framework hands over: a state_dict(), get_weights(), a tree; files are read by the framework"
)
_NUMBER_OF_OUTPUT = re.compile(r":\d+\Z")
"""What TensorFlow puts behind the name of a variable, as in `lstm/kernel:0`."""


def _find_leaves(tree: Mapping[Any, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = f"{path}/{key}" if path else str(key)
        # TensorFlow's `:0` is not a part of the name that the table has.
        name = _NUMBER_OF_OUTPUT.sub("", name)
        if isinstance(value, Mapping):
            yield from _find_leaves(value, name)
        else:
            yield name, value


def _from_names(row: Convention, cell: Cell, weights: Any, selection: Selection) -> dict[str, Array]:
    """The arrays by name, in a dict or a tree of dicts, below one common prefix."""
    if not isinstance(weights, Mapping):
        raise Misfit(f"expected a dict of arrays, got {type(weights).__name__}\n  {_HANDED_OVER}")
    leaves = dict(_find_leaves(weights))
    prefix = _find_prefix(leaves, [entry.name for entry in row.entries if not entry.optional], selection)
    _refuse_leftovers(row, leaves, prefix, selection)
    found = {entry.name: prefix + entry.name for entry in row.entries if prefix + entry.name in leaves}
    return {name: as_array(path, leaves[path]) for name, path in found.items()}


def _find_prefix(leaves: Mapping[str, Any], required: list[str], selection: Selection) -> str:
    if selection.prefix is not None:
        found = [selection.prefix]
    else:
        # The layer may stand anywhere in a model: whatever ends at a dot or a slash before the first name is a
        # candidate.
        ends = [re.fullmatch(rf"(|.*[/.]){re.escape(required[0])}", path) for path in leaves]
        found = [match[1] for match in ends if match and all(match[1] + name in leaves for name in required)]
    missing = [name for name in required if found and found[0] + name not in leaves]
    if not found or missing:
        # A dozen names show what was given; a model has hundreds.
        here = ", ".join(list(leaves)[:12]) + (f" and {len(leaves) - 12} more" if len(leaves) > 12 else "") or "nothing"
        raise Misfit(f"expected arrays named {', '.join(missing or required)}, got {here}")
    if len(found) > 1:
        raise Unclear(f"several layers fit\n  say which one: prefix= one of {', '.join(map(repr, found))}")
    return found[0]


def _refuse_leftovers(row: Convention, leaves: Mapping[str, Any], prefix: str, selection: Selection) -> None:
    """What belongs to the layer, or to another layer or direction, is not left out silently."""
    # Of all kinds of layers: a bias that this kind has no place for is known by name all the same.
    entries = [entry for other in rows(row.framework) for entry in other.entries]
    known = {selection.name(entry) for entry in entries}
    extra = [name for name in sorted(known - {entry.name for entry in row.entries}) if prefix + name in leaves]
    if extra:
        raise ShapeMisfit(f"{', '.join(extra)} has no place in this kind of layer\n  choose another kind")
    names = {re.sub(r"\{\w+\}", "", entry.name): entry for entry in entries}
    pattern = "|".join(_as_pattern(entry.name) for entry in names.values())
    folders = {entry.name.rpartition("/")[0] for entry in row.entries}
    inside = [path[len(prefix) :] for path in leaves if path.startswith(prefix)]
    # Only beside the layer's own arrays: the rest of a model is none of its business.
    unknown = [name for name in inside if _find_folder(name) in folders and not re.fullmatch(pattern, name)]
    if unknown:
        remedy = "leave it out, or correct its name: the layer's arrays are"
        wanted = ", ".join(entry.name for entry in row.entries)
        raise ShapeMisfit(f"{', '.join(unknown)} is no array of this layer\n  {remedy} {wanted}")
    questions = {
        "layer=0, layer=1, ...": (selection.layer, replace(selection, layer=1)),
        "reverse=False or reverse=True": (selection.reverse, replace(selection, reverse=True)),
    }
    for question, (said, other) in questions.items():
        more = [other.name(entry) for entry in entries if other.name(entry) not in known]
        there = [name for name in more if prefix + name in leaves]
        if said is None and there:
            raise Unclear(f"there is {there[0]} too\n  say which one: {question}")


def _as_pattern(name: str) -> str:
    """The name of an entry for any layer and direction."""
    placeholders = {"{layer}": r"\d+", "{reverse}": "(_reverse)?", "{side}": "[lr]"}
    return "".join(placeholders.get(part, re.escape(part)) for part in re.split(r"(\{\w+\})", name))


def _find_folder(name: str) -> str:
    """What stands before the last part of a name, if anything does."""
    return re.split(r"[/.](?=[^/.]*\Z)", name)[0] if re.search(r"[/.]", name) else ""


def _to_names(row: Convention, arrays: Mapping[str, Array], selection: Selection) -> dict[str, Array]:
    return {(selection.prefix or "") + entry.name: arrays[entry.name] for entry in row.entries}


def _to_tree(row: Convention, arrays: Mapping[str, Array], selection: Selection) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, array in _to_names(row, arrays, selection).items():
        *folders, leaf = path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[leaf] = array
    return tree


def _from_list(row: Convention, cell: Cell, weights: Any, selection: Selection) -> dict[str, Array]:
    """A list in the table's order; a wrapper for two directions has the second list behind the first."""
    if isinstance(weights, Mapping):
        if selection.reverse is not None:
            raise Unclear("a dict of two directions has a prefix for each\n  say prefix= instead of reverse=")
        return _from_names(row, cell, weights, selection)
    if not isinstance(weights, Sequence) or isinstance(weights, str):
        raise Misfit(f"expected a list or a dict of arrays, got {type(weights).__name__}\n  {_HANDED_OVER}")
    required = sum(not entry.optional for entry in row.entries)
    lengths = {required, len(row.entries)}
    # A wrapper for two directions puts one list behind the other.
    halves = {2 * length for length in lengths}
    if len(weights) not in lengths | halves or (selection.reverse and len(weights) not in halves):
        wanted = " or ".join(map(str, sorted(halves if selection.reverse else lengths)))
        raise ShapeMisfit(f"expected a list of {wanted} arrays, got {len(weights)}")
    count = len(weights)
    if count not in lengths:
        count //= 2
        if selection.reverse is None:
            raise Unclear("a list of two directions\n  say which one: reverse=False or reverse=True")
    part = weights[count:] if selection.reverse else weights[:count]
    return {entry.name: as_array(entry.name, value) for entry, value in zip(row.entries, part, strict=False)}


def _to_list(row: Convention, arrays: Mapping[str, Array], selection: Selection) -> list[Array]:
    return [arrays[entry.name] for entry in row.entries]


def _from_directions(row: Convention, cell: Cell, weights: Any, selection: Selection) -> dict[str, Array]:
    """Arrays with an axis of directions in front."""
    arrays = _from_names(row, cell, weights, selection)
    counts = {array.shape[:1] for array in arrays.values()}
    if counts not in ({(1,)}, {(2,)}):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ShapeMisfit(f"expected a first axis of 1 or 2 directions, the same for all, got {shapes}")
    count = counts.pop()[0]
    if selection.reverse and count == 1:
        raise Unclear("there is one direction only\n  leave reverse= out")
    if selection.reverse is None and count == 2:
        raise Unclear("there are two directions\n  say which one: reverse=False or reverse=True")
    return {name: array[int(bool(selection.reverse))] for name, array in arrays.items()}


def _to_directions(row: Convention, arrays: Mapping[str, Array], selection: Selection) -> dict[str, Array]:
    return {name: array[None] for name, array in _to_names(row, arrays, selection).items()}


def _from_columns(row: Convention, cell: Cell, weights: Any, selection: Selection) -> dict[str, Array]:
    """Arrays by name, in which a vector may be a matrix of one column."""
    arrays = _from_names(row, cell, weights, selection)
    vectors = {entry.name for entry in row.entries if len(extents(entry, cell)) == 1}
    return {n: array[:, 0] if n in vectors and array.shape[1:] == (1,) else array for n, array in arrays.items()}


def _to_columns(row: Convention, arrays: Mapping[str, Array], selection: Selection) -> dict[str, Array]:
    return {n: array[:, None] if array.ndim == 1 else array for n, array in _to_names(row, arrays, selection).items()}


def _from_flat(row: Convention, cell: Cell, weights: Any, selection: Selection) -> dict[str, Array]:
    """A buffer: the weights of all layers and directions, then all their biases."""
    flat = selection.flat
    buffer = as_array("the buffer", weights).reshape(-1) if not isinstance(weights, Mapping | list) else np.empty(0)
    if flat is None or not buffer.size:
        raise Misfit("expected a flat array, and its sizes\n  say flat=Flat(input_size=..., hidden_size=...)")
    directions = 1 + flat.bidirectional
    several = {"layer": (selection.layer, flat.num_layers), "reverse": (selection.reverse, directions)}
    for option, (said, count) in several.items():
        if (said is None and count > 1) or int(said or 0) >= count:
            raise Misfit(f"{option}={said!r}, and there are {count}\n  say which one: {option}=0 to {count - 1}")
    places = list(_lay_out(row, cell, flat, directions))
    wanted = sum(int(np.prod(shape)) for _, _, shape in places)
    if buffer.size != wanted:
        raise ShapeMisfit(f"expected {wanted} numbers for {flat}, got {buffer.size}")
    chosen = (selection.layer or 0) * directions + bool(selection.reverse)
    found, start = {}, 0
    for pseudo, entry, shape in places:
        end = start + int(np.prod(shape))
        if pseudo == chosen:
            found[entry.name] = buffer[start:end].reshape(shape)
        start = end
    return found


def _lay_out(row: Convention, cell: Cell, flat: Flat, directions: int) -> Iterator[tuple[int, Entry, tuple[int, ...]]]:
    """The buffer's arrays in order: layer and direction counted in one, entry, shape."""
    # cuDNN has all weights first, then all biases: the optional entries are the biases.
    for optional in (False, True):
        for pseudo in range(flat.num_layers * directions):
            # The first layer reads the input; each further one both directions of the layer below.
            width = flat.input_size if pseudo < directions else directions * flat.hidden_size
            sizes = {"d_x": width, "d_h": flat.hidden_size, "": 1}
            for entry in row.entries:
                if entry.optional == optional:
                    axes = extents(entry, cell)
                    yield pseudo, entry, tuple(sum(n * sizes[size] for size, n in axis.items()) for axis in axes)


def _to_flat(row: Convention, arrays: Mapping[str, Array], selection: Selection) -> Array:
    ordered = sorted(row.entries, key=lambda entry: entry.optional)
    return np.concatenate([arrays[entry.name].reshape(-1) for entry in ordered])


CONTAINERS: Mapping[str, Container] = MappingProxyType(
    {
        "dict": Container(_from_names, _to_names),
        "tree": Container(_from_names, _to_tree),
        "list": Container(_from_list, _to_list),
        "directions": Container(_from_directions, _to_directions),
        "columns": Container(_from_columns, _to_columns),
        "flat": Container(_from_flat, _to_flat),
    }
)
"""Name in the table -> the container."""
