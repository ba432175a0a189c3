"""How the library is kept: families of entries, each read or made when it is first asked for.

Importing a family's file reads nothing: a cell costs some milliseconds, and most uses want one of many.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any

from symrnn.language import cell as read
from symrnn.language.recurrence import Cell


class LibraryCell:
    """A cell of the library.

    Attributes:
        name: its name.
        family: the family's name.
    """

    def __init__(self, name: str, family: str, make: Callable[[], Cell]) -> None:
        self.name = name
        self.family = family
        self._make = make

    @cached_property
    def cell(self) -> Cell:
        """The cell."""
        return self._make()


class Family:
    """Cells that belong together; a file of the library holds one family.

    Attributes:
        name: its name.
        title: what the cells have in common.
        entries: name -> entry, in the order written.
    """

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self.entries: dict[str, LibraryCell] = {}

    def cell(self, function: Callable[..., Any]) -> LibraryCell:
        """Add a cell that is written out: a function of the cell language, which is read and never called."""
        # Read later, and once: the entry keeps the cell.
        return self._add(function.__name__, lambda: read(function))

    def variant(self, recipe: Callable[[], Cell]) -> LibraryCell:
        """Add a cell made from others: the recipe's docstring says what it is, its equations are written by symrnn."""
        docstring = inspect.cleandoc(recipe.__doc__ or "")

        def make() -> Cell:
            # Only when a variant is asked for: the transformations would be loaded for every cell otherwise.
            from symrnn.variants.naming import with_docstring

            return with_docstring(recipe(), recipe.__name__, docstring)

        return self._add(recipe.__name__, make)

    def _add(self, name: str, make: Callable[[], Cell]) -> LibraryCell:
        entry = self.entries[name] = LibraryCell(name, self.name, make)
        return entry


plain = Family("plain", "recurrent networks with one state, or without an output gate")
lstm_family = Family("lstm", "long short-term memory: a memory c beside the output h")
odyssey_family = Family("odyssey", 'the variants of "LSTM: A Search Space Odyssey"')
gru_family = Family("gru", "gated recurrent units: place of the reset, sense of z, number of biases")
modern = Family("modern", "cells since 2017 that are made for parallel scans or exponential gates")
found = Family("as found", "cells that documents print and that are not what they are called")
