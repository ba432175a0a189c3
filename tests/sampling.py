"""Long tables of cases: some rows in the ordinary tests, the others where somebody has the time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def thinned(rows: Iterable[Any], every: int) -> list[Any]:
    """The rows of a table for `parametrize`, of which the first of every so many is for the ordinary tests.

    The others carry the mark `long`.  A row for several arguments is a tuple.
    """
    return [row if number % every == 0 else _put_off(row) for number, row in enumerate(rows)]


def _put_off(row: Any) -> Any:
    return pytest.param(*(row if isinstance(row, tuple) else (row,)), marks=pytest.mark.long)
