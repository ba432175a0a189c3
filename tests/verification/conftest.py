"""Cells to verify: the library's main ones, and the zoo's; tests/cells has all of the library."""

import re
from pathlib import Path

import pytest

from symrnn import Cell, cells
from tests.library import MAIN

_ZOO = (Path(__file__).parent / "zoo.py").read_text(encoding="utf-8")
_NAMES = re.findall(r"^def (\w+)", _ZOO, re.MULTILINE)


def every_cell():
    """Every cell by name, read when asked for."""
    return {name: cells[name] for name in MAIN} | {name: Cell.from_source(_ZOO, name) for name in _NAMES}


def pytest_generate_tests(metafunc):
    if "cell_name" in metafunc.fixturenames:
        metafunc.parametrize("cell_name", [*MAIN, *_NAMES])


@pytest.fixture(scope="session")
def all_cells():
    return every_cell()


@pytest.fixture
def cell(cell_name, all_cells):
    return all_cells[cell_name]


@pytest.fixture(scope="session")
def generated(all_cells):
    """A cell's generated functions, generated once."""
    from symrnn import generate

    known = {}

    def modules(name):
        if name not in known:
            known[name] = generate(all_cells[name])
        return known[name]

    return modules
