"""The cell language: Python text -> Cell."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

from symrnn.errors import CellError, SymrnnError
from symrnn.language.recurrence import Cell
from symrnn.language.syntax import Text, definitions, read_file
from symrnn.language.translate import translate

__all__ = ["cell", "read_cell", "read_cells_file"]

_NO_FILE = "<cell>"


def cell(function: Callable[..., Any]) -> Cell:
    """Read a Python function as a cell; use it as a decorator.

    The function's text is read, the function itself is never called.

    Raises:
        CellError: the function is not a cell; the message has file, line, column and what to do.
    """
    name = getattr(function, "__name__", type(function).__name__)
    if not isinstance(function, FunctionType):
        raise SymrnnError(f"a cell is a function, got {name}\n  write @cell above a 'def'")
    try:
        lines, first = inspect.getsourcelines(function)
        file = inspect.getsourcefile(function) or _NO_FILE
    except (OSError, TypeError, SyntaxError):
        raise SymrnnError(
            f"the source text of {name} cannot be found\n"
            "  define it in a file or a notebook, or use Cell.from_source(text)"
        ) from None
    return _one(Text("".join(lines), file, first, indented=True), name)


def read_cell(text: str, name: str | None = None, file: str = _NO_FILE) -> Cell:
    """Read one cell from a text; see `Cell.from_source`."""
    if not isinstance(text, str):
        raise SymrnnError(f"a cell's text is a str, got {type(text).__name__}\n  pass the text of the function")
    return _one(Text(text, file, indented=True), name)


def read_cells_file(path: str | Path, name: str | None = None) -> Cell:
    """Read one cell from a file; the file is parsed and never imported or executed."""
    path = Path(path)
    return _one(Text(read_file(path), str(path)), name)


def _one(text: Text, name: str | None) -> Cell:
    found = definitions(text, name)
    if len(found) > 1:
        names = ", ".join(definition.name for definition in found[:20])
        example = found[0].name
        remedy = f"pass name={example!r}" if text.file == _NO_FILE else f"say which: {text.file}:{example}"
        raise CellError(text.start, f"several cells are defined here: {names}", remedy)
    return translate(found[0])
