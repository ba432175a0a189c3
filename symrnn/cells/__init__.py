"""The library of cells: a file per family, each cell its definition, docstring and source.

`cells.lstm` and `cells["lstm"]` give a cell, `cells["torch.LSTM"]` too; `cells.names()` lists them.  The module is a
mapping of names: `for name in cells`, `"lstm" in cells`, `len(cells)`, `cells.items()`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from types import MappingProxyType, ModuleType
from typing import Any

from symrnn.cells import as_found, gated, long_short_term, modern, odyssey, simple
from symrnn.cells.catalogue import Family, LibraryCell
from symrnn.cells.known_as import KNOWN_AS, Alias
from symrnn.characters import printable
from symrnn.errors import UnknownNameError
from symrnn.language.recurrence import Cell
from symrnn.showing import Shown
from symrnn.suggestions import did_you_mean

_FAMILIES: Mapping[str, Family] = MappingProxyType(
    {module.family.name: module.family for module in (simple, long_short_term, odyssey, gated, modern, as_found)}
)
_ENTRIES: Mapping[str, LibraryCell] = MappingProxyType(
    {name: entry for family in _FAMILIES.values() for name, entry in family.entries.items()}
)


# Without blanks and capitals, since 'Cho 2014' and 'cho2014' are typed for one another.
_ALIASES: Mapping[str, str] = MappingProxyType({"".join(row.alias.split()).casefold(): row.cell for row in KNOWN_AS})
_FUNCTIONS = ("aliases", "families", "family", "lookup", "names", "resolve")
_METHODS = ("get", "items", "keys", "values")


def names(family: str | None = None) -> tuple[str, ...]:
    """The cells' names, family by family; or those of one family.

    Raises:
        UnknownNameError: there is no such family.
    """
    if family is None:
        return tuple(_ENTRIES)
    if family not in _FAMILIES:
        # A family is never an alias, so only families are proposed.
        hint = did_you_mean(family, _FAMILIES)
        raise UnknownNameError(f"no family {family!r} in the library\n  {hint}there are {', '.join(_FAMILIES)}")
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
    if isinstance(name, str) and name in _ENTRIES:
        return name
    known = _ALIASES.get("".join(name.split()).casefold()) if isinstance(name, str) else None
    if known is None:
        raise UnknownNameError(_explain_unknown(name))
    return known


def _explain_unknown(name: object) -> str:
    if not isinstance(name, str):
        return f"expected the name of a cell, got {name!r:.40}\n  give a text, such as 'lstm'"
    # A name of the library is proposed before one from elsewhere that is spelt alike.
    hint = did_you_mean(name, (*_ENTRIES, *(row.alias for row in KNOWN_AS)))
    listed = f"the library has {len(_ENTRIES)} cells, which 'symrnn cells' and list(cells) show"
    return f"no cell {printable(name)!r} in the library\n  {hint}{listed}; a file is given as 'cell.py'"


def lookup(name: str) -> Cell:
    """The library's cell with this name or alias.

    Raises:
        UnknownNameError: there is no such cell; the message has close names.
    """
    return _ENTRIES[resolve(name)].cell


def __getattr__(name: str) -> Cell:
    if name in _ENTRIES:
        return _ENTRIES[name].cell
    # Python and notebooks ask any object for such names; a hint about cells would be printed in the middle of
    # something.
    if name.startswith("_"):
        raise AttributeError(name)
    raise AttributeError(_explain_unknown(name))


class _Library(Shown, ModuleType):
    """A module that is also a mapping from the names of its cells to the cells."""

    def __getitem__(self, name: str) -> Cell:
        return lookup(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_ENTRIES)

    def __len__(self) -> int:
        return len(_ENTRIES)

    def __contains__(self, name: object) -> bool:
        """Whether `cells[name]` gives a cell, for a name here or elsewhere."""
        try:
            return isinstance(name, str) and bool(resolve(name))
        except UnknownNameError:
            return False

    def get(self, name: str, default: Cell | None = None) -> Cell | None:
        """The cell of this name; the default where there is none."""
        return lookup(name) if name in self else default

    def keys(self) -> KeysView[str]:
        """The cells' names."""
        return KeysView(_Cells())

    def values(self) -> ValuesView[Cell]:
        """The cells; each is read when its turn comes."""
        return ValuesView(_Cells())

    def items(self) -> ItemsView[str, Cell]:
        """Names and cells; each is read when its turn comes."""
        return ItemsView(_Cells())

    def __dir__(self) -> list[str]:
        return [*_ENTRIES, *_FUNCTIONS, *_METHODS]

    def __reduce__(self) -> tuple[Any, ...]:
        """There is one library: it travels as its name, and a copy is the library itself."""
        return importlib.import_module, (self.__name__,)


class _Cells(Mapping[str, Cell]):
    """The library as a plain mapping, for its views."""

    def __getitem__(self, name: str) -> Cell:
        return _ENTRIES[name].cell

    def __iter__(self) -> Iterator[str]:
        return iter(_ENTRIES)

    def __len__(self) -> int:
        return len(_ENTRIES)


_module: Any = sys.modules[__name__]
# A module's class may be exchanged; so `cells` is a mapping, and `import symrnn.cells` still gives it.
_module.__class__ = _Library
