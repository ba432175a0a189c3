"""The library of cells: a file per family, each cell its definition, docstring and source.

`cells.lstm` and `cells["lstm"]` give a cell, `cells.names()` lists them.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from symrnn.cells import gated, long_short_term, simple
from symrnn.errors import UnknownNameError
from symrnn.language.recurrence import Cell

_FAMILIES = (simple, long_short_term, gated)
_CELLS: dict[str, Cell] = {
    name: value for family in _FAMILIES for name, value in vars(family).items() if isinstance(value, Cell)
}


def names() -> tuple[str, ...]:
    """The cells' names, family by family."""
    return tuple(_CELLS)


def __getattr__(name: str) -> Cell:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return _CELLS[name]
    except KeyError:
        raise AttributeError(f"no cell {name!r} in the library; it has {', '.join(_CELLS)}") from None


class _Library(ModuleType):
    """A module that can also be asked for `cells["lstm"]`."""

    def __getitem__(self, name: str) -> Cell:
        try:
            return _CELLS[name]
        except KeyError:
            message = f"no cell {name!r} in the library\n  it has {', '.join(_CELLS)}"
            raise UnknownNameError(message) from None

    def __dir__(self) -> list[str]:
        return [*_CELLS, "names"]


def lookup(name: str) -> Cell:
    """The library's cell with this name."""
    library: Any = sys.modules[__name__]
    return library[name]  # type: ignore[no-any-return]


sys.modules[__name__].__class__ = _Library
