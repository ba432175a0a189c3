"""The library of cells: a file per family, each cell its definition, docstring and source.

`cells.lstm` and `cells["lstm"]` give a cell, `cells["torch.LSTM"]` too; `cells.names()` lists them.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from symrnn.cells import as_found, gated, long_short_term, modern, odyssey, simple
from symrnn.cells.catalogue import Entry, Family
from symrnn.cells.known_as import KNOWN_AS, Alias
from symrnn.errors import UnknownNameError
from symrnn.language.recurrence import Cell

_FAMILIES: Mapping[str, Family] = MappingProxyType(
    {module.family.name: module.family for module in (simple, long_short_term, odyssey, gated, modern, as_found)}
)
_ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {name: entry for family in _FAMILIES.values() for name, entry in family.entries.items()}
)


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()


_ALIASES: Mapping[str, str] = MappingProxyType({_folded(row.alias): row.cell for row in KNOWN_AS})
_MODULE_NAMES = ("aliases", "families", "family", "lookup", "names", "resolve")


def names(family: str | None = None) -> tuple[str, ...]:
    """The cells' names, family by family; or those of one family.

    Raises:
        UnknownNameError: there is no such family.
    """
    if family is None:
        return tuple(_ENTRIES)
    if family not in _FAMILIES:
        raise UnknownNameError(f"no family {family!r} in the library\n  there are {', '.join(_FAMILIES)}")
    return tuple(_FAMILIES[family].entries)


def families() -> Mapping[str, str]:
    """The families: name -> what the cells have in common."""
    return MappingProxyType({name: family.title for name, family in _FAMILIES.items()})


def family(name: str) -> str:
    """The name of the family that a cell belongs to.

    Raises:
        UnknownNameError: there is no such cell.
    """
    return _ENTRIES[resolve(name)].family


def aliases(name: str) -> tuple[Alias, ...]:
    """The names by which frameworks and papers know a cell.

    Raises:
        UnknownNameError: there is no such cell.
    """
    known = resolve(name)
    return tuple(row for row in KNOWN_AS if row.cell == known)


def resolve(name: str) -> str:
    """The library's name of a cell, for its name or one of its aliases: "gru_zold" for "Cho 2014".

    Raises:
        UnknownNameError: there is no such cell; the message has close names.
    """
    if name in _ENTRIES:
        return name
    known = _ALIASES.get(_folded(name))
    if known is None:
        raise UnknownNameError(_unknown(name))
    return known


def _unknown(name: str) -> str:
    shown = {_folded(row.alias): row.alias for row in KNOWN_AS} | {known: known for known in _ENTRIES}
    close = [shown[one] for one in difflib.get_close_matches(_folded(name), list(shown), 3, 0.55)]
    hint = f"did you mean {' or '.join(repr(one) for one in close)}? " if close else ""
    listed = f"it has {len(_ENTRIES)} cells, which 'symrnn cells' and cells.names() list"
    return f"no cell {name!r} in the library\n  {hint}{listed}"


def lookup(name: str) -> Cell:
    """The library's cell with this name or alias.

    Raises:
        UnknownNameError: there is no such cell; the message has close names.
    """
    return _ENTRIES[resolve(name)].cell


def __getattr__(name: str) -> Cell:
    if name in _ENTRIES:
        return _ENTRIES[name].cell
    if name.startswith("_"):
        raise AttributeError(name)
    raise AttributeError(_unknown(name))


class _Library(ModuleType):
    """A module that can also be asked for `cells["lstm"]`."""

    def __getitem__(self, name: str) -> Cell:
        return lookup(name)

    def __dir__(self) -> list[str]:
        return [*_ENTRIES, *_MODULE_NAMES]


_module: Any = sys.modules[__name__]
_module.__class__ = _Library
