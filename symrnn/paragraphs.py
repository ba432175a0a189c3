"""Text for a terminal: how wide it is, and lines that are broken to fit."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from symrnn.characters import is_shown

WIDTH = 100
"""Columns of what is printed: a report is read in a terminal beside a program, whose lines are about as long, and the
same width in a file and in a terminal keeps it the same."""

_KEPT = "\ue000"
"""Stands for a space at which no line is broken: a code point that no standard gives a meaning."""


def wrap_items(items: Sequence[str], indent: str = "") -> list[str]:
    r"""Items one below the other, each broken to the width; what does not fit on an item's first line is indented.

    Code between backquotes stays on one line where it is short enough for one.

    >>> wrap_items(["one\ntwo"], "  ")
    ['  one', '    two']
    >>> [len(line) for line in wrap_items(["-" * 90 + " `dW = dy @ h.T` is right"])]
    [90, 26]
    """
    lines: list[str] = []
    for item in items:
        for place, line in enumerate(item.splitlines() or [""]):
            first = indent if place == 0 else indent + "  "
            rest = indent + "  "
            broken = textwrap.wrap(
                # At spaces alone: h_{t-1} is one word.
                _keep_code_whole(visible(line), WIDTH - len(rest)),
                WIDTH,
                initial_indent=first,
                subsequent_indent=rest,
                break_on_hyphens=False,
            )
            lines += [one.replace(_KEPT, " ") for one in broken]
    return lines


def _keep_code_whole(text: str, width: int) -> str:
    """The text with no place for a break in code between backquotes that is shorter than a line."""
    return re.sub("`[^`]*`", lambda code: code[0].replace(" ", _KEPT) if len(code[0]) < width else code[0], text)


def visible(text: str) -> str:
    """The text with a space for everything that a terminal might obey."""
    return "".join(c if is_shown(c) else " " for c in text)
