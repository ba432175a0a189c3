"""What may stand where a cell is wanted, read in one place for the whole package and its command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from symrnn import cells
from symrnn.characters import printable
from symrnn.errors import InputError, UnknownNameError
from symrnn.language import read_cells_file
from symrnn.language.recurrence import Cell

_ONE_BY_ONE = "give them one by one"


class HoldsCell(Protocol):
    """Something that knows its cell, such as a derivation, or weights that were loaded."""

    @property
    def cell(self) -> Cell:
        """The cell."""


def find_cell(wanted: Cell | HoldsCell | str) -> Cell:
    """The cell that is meant.

    Args:
        wanted: a cell; what has one as its `cell`, such as a derivation; or a text: the name of a cell of the library
            or one that it has elsewhere, `path.py`, or `path.py:name`.  A file is parsed and never run.

    Raises:
        UnknownNameError: the library has no cell of that name.
        InputError: it is nothing of these.
        CellError: the file holds no such cell.
    """
    if isinstance(wanted, Cell):
        return wanted
    if isinstance(wanted, str):
        return _find_named(wanted)
    # By what it has, not by its class: derivations and loaded weights stand in rooms that this one must not import.
    inner = getattr(wanted, "cell", None)
    if isinstance(inner, Cell):
        return inner
    # Said apart, since several cells are a likely wish and not a wrong type.
    if isinstance(wanted, list | tuple | set | frozenset):
        raise InputError(f"expected one cell, got {len(wanted)} in a {type(wanted).__name__}\n  {_ONE_BY_ONE}")
    raise InputError(f"expected a cell, got {_describe(wanted)}\n  {_suggest_remedy(wanted)}")


def _find_named(name: str) -> Cell:
    try:
        return cells.lookup(name)  # by its name, or by one that it has elsewhere
    except UnknownNameError as error:
        unknown = error
    # Before the file system is asked: a text of many lines may be longer than a path can be.
    if "\n" in name:
        remedy = "read the text of a cell with symrnn.Cell.from_source(text)"
        raise InputError(f"expected the name of a cell, got a text of {len(name.splitlines())} lines\n  {remedy}")
    path, colon, function = name.rpartition(":")
    # A file whose own name has a colon is that file; C:\cells.py has no identifier after its colon.
    if colon and function.isidentifier() and not os.path.exists(name):
        return read_cells_file(Path(path), function)
    # What looks like a path is read as one, so that its error is about the file and not about the library.
    if os.path.exists(name) or os.path.islink(name) or os.path.splitext(name)[1] == ".py" or os.sep in name:
        return read_cells_file(Path(name))
    if "," in name:
        raise InputError(f"expected one cell, got {name!r}\n  {_ONE_BY_ONE}, with blanks between on the command line")
    raise unknown


def _describe(wanted: object) -> str:
    if isinstance(wanted, type):
        return f"the class {wanted.__name__}"
    if callable(wanted) and hasattr(wanted, "__name__"):
        return f"the function {wanted.__name__}"
    return printable(f"{type(wanted).__name__} {wanted!r:.40}") if wanted is not None else "None"


def _suggest_remedy(wanted: object) -> str:
    # A function that was meant as a cell: the decorator is what is missing.
    if callable(wanted):
        return "write @symrnn.cell above a 'def' that is a cell"
    return "give a cell, such as symrnn.cells.lstm, or its name, such as 'lstm'"
