"""Calls from a lower room to a higher one: by name, loaded when first made, and all of them in this table.

An expression prints itself, a result shows itself in a notebook, a derivation writes its document, a cell is read from
its text when it is copied, a cell's name stands for the cell, and a report says what a class of mistakes is.  What does
these things is built of expressions, results and derivations, so it stands in rooms above them and cannot be imported
by them.  Such a function is named here and looked for only when it is called: what an object prints does not depend on
what was imported before.  Anything else that is imported from above is a mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

FUNCTIONS_ABOVE = MappingProxyType(
    {
        "latex": "symrnn.printers",
        "text": "symrnn.printers",
        "write": "symrnn.documents",
        "diff_document": "symrnn.documents",
        "summary": "symrnn.documents.showing",
        "as_html": "symrnn.documents.showing",
        "as_latex": "symrnn.documents.showing",
        "as_markdown": "symrnn.documents.showing",
        "read_cell": "symrnn.language",
        "find_cell": "symrnn.cells.finding",
        "meaning_of": "symrnn.mistakes.catalogue",
    }
)
"""A function -> the module that has it."""


# Once per process: an object may be printed thousands of times.
@cache
def function_above(name: str) -> Callable[..., Any]:
    """The function of that name in the table."""
    function: Callable[..., Any] = getattr(import_module(FUNCTIONS_ABOVE[name]), name)
    return function
