"""Blocks in an array: shapes, taking apart, putting together.

The arrays of a layer are blocks of a cell's parameters (`Entry.blocks`).  A vector is a column; an array of a single
column of vectors has one axis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.errors import InputError
from symrnn.interop.conventions import Entry
from symrnn.interop.misfit import ShapeMisfit
from symrnn.language.recurrence import Cell

Extent = Counter[str]
"""The length of an axis: size -> how often it is counted; the size "" is 1."""


def as_array(name: str, value: Any) -> Array:
    """A framework's tensor as a NumPy array of float16, float32 or float64.

    Tensors that can `detach` (PyTorch's) are detached and moved to the CPU first.

    Raises:
        InputError: it is not an array of such numbers.
    """
    try:
        # Asked for by the method, not by the type: PyTorch is not imported here, and need not be installed.
        array = np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
    except (TypeError, ValueError) as error:  # PyTorch's bfloat16, ragged lists
        raise InputError(f"{name}: expected an array of float16, float32 or float64: {error}") from None
    # Quantised weights are integers with a scale that the array does not have; read as numbers they would be wrong.
    if array.dtype.kind != "f":
        raise InputError(f"{name}: expected an array of float16, float32 or float64, got {array.dtype}")
    return array


def _size(cell: Cell, name: str, axis: int) -> str:
    shape = cell.shape_names(name)
    return shape[axis] if axis < len(shape) else ""


def extents(entry: Entry, cell: Cell) -> tuple[Extent, ...]:
    """The lengths of an array's axes in the cell's sizes."""
    down = Counter(_size(cell, row[0], 0) for row in entry.blocks)
    across = Counter(_size(cell, name, 1) for name in entry.blocks[0])
    if across == Counter([""]):
        return (down,)
    # A transposed array has its axes the other way round.
    return (across, down) if entry.columns else (down, across)


def describe(axes: tuple[Extent, ...]) -> str:
    """Such as `(4 d_h, d_x + d_h)`."""
    return "(" + ", ".join(" + ".join(_times(n, size) for size, n in axis.items()) for axis in axes) + ")"


def _times(count: int, size: str) -> str:
    return size if size and count == 1 else f"{count} {size}".strip()


def solve(entries: tuple[Entry, ...], cell: Cell, arrays: Mapping[str, Array]) -> dict[str, int]:
    """The cell's sizes from the arrays' shapes, and the shapes compared with them.

    Args:
        entries: the entries whose arrays are there.
        cell: the cell that has the sizes.
        arrays: entry name -> array.

    Raises:
        ShapeMisfit: the shapes contradict the entries; the text names the array, what it should be, and what it is.
    """
    sizes = {"": 1}
    axes = [
        (entry, axis, length)
        for entry in entries
        if arrays[entry.name].ndim == len(extents(entry, cell))
        for axis, length in zip(extents(entry, cell), arrays[entry.name].shape, strict=True)
    ]
    for _ in range(len(cell.sizes)):  # each round finds the sizes that stand alone in an axis by now
        for _, axis, length in axes:
            unknown = [size for size in axis if size not in sizes]
            if len(unknown) == 1:
                rest = length - sum(n * sizes[size] for size, n in axis.items() if size in sizes)
                # At least 1 and rounded down: an array of a wrong length is compared below, and told there with both
                # shapes.
                sizes[unknown[0]] = max(rest // axis[unknown[0]], 1)
    for entry in entries:
        _compare(entry, extents(entry, cell), arrays[entry.name], sizes)
    del sizes[""]
    return sizes


def _compare(entry: Entry, axes: tuple[Extent, ...], array: Array, sizes: Mapping[str, int]) -> None:
    known = all(size in sizes for axis in axes for size in axis)
    wanted = tuple(sum(n * sizes.get(size, 0) for size, n in axis.items()) for axis in axes)
    if known and array.shape == wanted:
        return
    numbers = f" = {wanted}" if known else ""
    known_sizes = ", ".join(f"{size} = {n}" for size, n in sizes.items() if size and any(size in axis for axis in axes))
    where = f"\n  with {known_sizes}" if known_sizes else ""
    raise ShapeMisfit(f"{entry.name}: expected shape {describe(axes)}{numbers}, got {array.shape}{where}")


def take_apart(entry: Entry, cell: Cell, array: Array, sizes: Mapping[str, int]) -> dict[str, Array]:
    """The parameters in an array of the right shape."""
    matrix = array.T if entry.columns else array
    matrix = matrix.reshape(matrix.shape[0], -1)
    found: dict[str, Array] = {}
    top = 0
    for row in entry.blocks:
        left, bottom = 0, top + sizes[_size(cell, row[0], 0)]
        for name in row:
            right = left + sizes.get(_size(cell, name, 1), 1)
            shape = tuple(sizes[size] for size in cell.shape_names(name))
            block = matrix[top:bottom, left:right]
            # A copy: the parameters must not change when the framework trains on.
            found[name] = (block.T if entry.refilled else block).reshape(shape).copy()
            left = right
        top = bottom
    return found


def _block(entry: Entry, value: Array) -> Array:
    """A parameter as a matrix, as it stands in the array or in its transpose."""
    matrix = value.reshape(value.shape[0], -1)
    return matrix.reshape(matrix.shape[::-1]).T if entry.refilled else matrix


def put_together(entry: Entry, params: Mapping[str, Array]) -> Array:
    """The array that holds these parameters."""
    columns = [[_block(entry, params[name]) for name in row] for row in entry.blocks]
    matrix = np.concatenate([np.concatenate(row, axis=1) for row in columns])
    if all(params[name].ndim == 1 for name in entry.slots) and len(entry.blocks[0]) == 1:
        return matrix[:, 0]
    # Frameworks hand the memory to C, which takes no transposed view.
    return np.ascontiguousarray(matrix.T) if entry.columns else matrix
