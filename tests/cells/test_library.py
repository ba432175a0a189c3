"""The library as a whole: every cell, whatever there is."""

from __future__ import annotations

import pytest

from symrnn import cells
from symrnn.errors import UnknownNameError
from symrnn.language.recurrence import Cell

NAMES = pytest.mark.parametrize("name", cells.names())


@NAMES
def test_cell_is_found_in_every_way(name: str) -> None:
    assert isinstance(cells.lookup(name), Cell)
    assert cells[name] is cells.lookup(name)
    assert getattr(cells, name) is cells.lookup(name)
    assert name in dir(cells)
    assert cells[name].name == name


@NAMES
def test_cell_says_where_it_is_from(name: str) -> None:
    cell = cells[name]
    assert cell.title
    assert not cell.title.endswith(".")
    assert cell.section("Source")
    assert cell.section("Variant")


@NAMES
def test_docstring_states_every_equation(name: str) -> None:
    cell = cells[name]
    for equation in cell.body:
        assert f"{equation.target.name}_t = " in cell.docstring


def test_unknown_cell_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"no cell 'lsmt' in the library\n  it has rnn"):
        cells["lsmt"]
    with pytest.raises(AttributeError, match="no cell 'lsmt'"):
        cells.lsmt  # noqa: B018
