"""Which cell, in which layout, does a function compute?  Found by numbers, from the outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from symrnn import cells
from symrnn.arguments import listed
from symrnn.callables.black_box import BlackBox
from symrnn.callables.probe import Probe
from symrnn.cells.finding import find_cell
from symrnn.errors import InputError
from symrnn.identification.agreement import Match
from symrnn.identification.layout import GradientPiece, Layout
from symrnn.identification.result import Identification
from symrnn.identification.search import CellSearch
from symrnn.language.recurrence import Cell

__all__ = ["GradientPiece", "Identification", "Layout", "Match", "identify"]


def identify(
    forward: Callable[..., Any],
    inputs: Mapping[str, Any],
    *,
    among: Iterable[Cell | str] | Cell | None = None,
    nearest: bool = True,
    merged: bool = True,
) -> Identification:
    """Name the cell that a function computes, and how it holds its weights.

    The function is asked for its outputs at other weights and states than its own, with copies; it is never read.
    Roles are inferred from shapes, so it is best when all sizes differ; what shapes leave open, numbers decide.

    Args:
        forward: a function of NumPy arrays, called as `forward(**inputs)`, for a step or for a sequence.  It returns
            an array, or a tuple, list or dict of arrays, with the cell's first state among them.
        inputs: its arguments by name.  Arrays of floating-point numbers are the sequence, weights and initial states;
            anything else is passed on as it is.
        among: the cells that it may compute, as names or cells, or one text with commas between; the whole library
            if None.  A cell has one vector as its input, and up to two sizes besides those of the input and of the
            first state.
        nearest: whether to look for what comes nearest where none agrees, which takes some seconds.
        merged: whether to look, where no cell agrees as it is, for one with a vector that the function adds twice, or
            with several that are one array there.

    Returns:
        The cells that agree, with the layout of each; where none agrees, those that come nearest.

    Raises:
        InputError: the function raises at these inputs, returns no finite array, or does not return the same twice; a
            cell has several inputs.
        UnknownNameError: the library has no cell of that name.
    """
    library = _library(among)
    if not callable(forward):
        raise InputError(f"identify: expected a function, got {type(forward).__name__}\n  pass the function itself")
    if not isinstance(inputs, Mapping):
        remedy = "write identify(forward, {'x': x, 'W': W, ...})"  # type: ignore[unreachable]
        raise InputError(f"identify: expected a dict of forward's arguments, got {type(inputs).__name__}\n  {remedy}")
    box = BlackBox(forward, dict(inputs))
    probe = Probe(box, {name: array for name, array in box.arrays.items() if name in inputs})
    return _search(probe, library, nearest, merged)


def identify_probed(
    probe: Probe, *, among: Iterable[Cell | str] | None = None, nearest: bool = True, merged: bool = True
) -> Identification:
    """`identify`, for a black box that is there already; it is asked around the arrays of its probe."""
    return _search(probe, _library(among), nearest, merged)


def _search(probe: Probe, library: list[Cell], nearest: bool, merged: bool) -> Identification:
    search = CellSearch(probe, library, merged)
    matches = search.matches()
    others = search.nearest() if nearest and not matches else []
    return Identification(tuple(matches), tuple(others), probe.asked, tuple(probe.remarks))


def _library(among: Iterable[Cell | str] | Cell | None) -> list[Cell]:
    """The cells that a function may compute, each with one vector as its input."""
    chosen = cells.names() if among is None else (among,) if isinstance(among, Cell) else listed(among, "among")
    library = [find_cell(one) for one in chosen]
    _check(library)
    return library


def _check(library: list[Cell]) -> None:
    for cell in library:
        if len(cell.inputs) != 1 or len(cell.shape_names(cell.inputs[0])) != 1:
            raise InputError(
                f"identify: {cell.name} has {len(cell.inputs)} inputs: {', '.join(cell.inputs)}\n"
                "  a cell can be named if its input is one vector"
            )
