"""Random cells for property tests, and arrays to run them on.

`random_cells()` draws a cell's *text* (see `tests.drawn.writing`) and reads it as any user's text is read, so what
comes out is a `Cell` like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st

from symrnn.algebra.evaluate import at_sizes
from symrnn.language.recurrence import Cell
from tests.drawn.writing import draw


def cell_texts(equations: int = 6, depth: int = 3) -> st.SearchStrategy[str]:
    """Texts of well-shaped cells: 1 to 3 inputs and states of any shape, up to `equations` equations."""
    return st.integers(0, 2**40).map(lambda seed: draw(seed, equations, depth).text)


def random_cells(equations: int = 6, depth: int = 3) -> st.SearchStrategy[Cell]:
    """Well-shaped cells: 1 to 3 inputs and states of any shape, up to `equations` equations, the whole language."""
    return cell_texts(equations, depth).map(Cell.from_source)


def unequal_sizes(cell: Cell, first: int = 2) -> dict[str, int]:
    """A different number for every size of a cell."""
    return {name: first + position for position, name in enumerate(cell.sizes)}


def draw_arrays(cell: Cell, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
    """A random array for every argument, in its own shape; a state at t-1 goes by its identifier, such as h_prev."""
    rng = np.random.default_rng(seed)
    names = [*cell.inputs, *(variable.name for variable in cell.previous), *cell.parameters, *cell.constants]
    arrays = {}
    for name in names:
        rank = len(cell.shape_names(name))
        shape = tuple(int(at_sizes(dim, sizes)) for dim in cell[name].shape[:rank])
        arrays[name] = np.asarray(rng.normal(scale=0.7, size=shape))
    return arrays


def as_columns(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The same arrays with the two axes of expressions: a vector becomes a column, a scalar (1, 1)."""
    return {name: array.reshape((*array.shape, 1, 1)[:2]) for name, array in arrays.items()}


def as_arguments(cell: Cell, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The same arrays under the names of the definition's arguments: h_prev becomes h."""
    return {name.removesuffix("_prev"): array for name, array in arrays.items()}
