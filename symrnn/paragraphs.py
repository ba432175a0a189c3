"""Text for a terminal: how wide it is, and lines that are broken to fit."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from symrnn.characters import is_shown

WIDTH = 100
"""Columns of what is printed: a report is read in a terminal beside a program, whose lines are about as long, and the
same width in a file and in a terminal keeps it the same."""


def wrap_items(items: Sequence[str], indent: str = "") -> list[str]:
    r"""Items one below the other, each broken to the width; what does not fit on an item's first line is indented.

    >>> wrap_items(["one\ntwo"], "  ")
    ['  one', '    two']
    """
    lines: list[str] = []
    for item in items:
        for place, line in enumerate(item.splitlines() or [""]):
            first = indent if place == 0 else indent + "  "
            lines += textwrap.wrap(
                # At spaces alone: h_{t-1} is one word.
                visible(line),
                WIDTH,
                initial_indent=first,
                subsequent_indent=indent + "  ",
                break_on_hyphens=False,
            )
    return lines


def visible(text: str) -> str:
    """The text with a space for everything that a terminal might obey."""
    return "".join(c if is_shown(c) else " " for c in text)
