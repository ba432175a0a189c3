"""A cell's first line, written anew for remedies."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from symrnn.language.definition import Argument, Definition


def heading(
    definition: Definition, positional: Sequence[Argument | str], keyword_only: Sequence[Argument | str]
) -> str:
    """The line `def name(x, h, *, W):` with these arguments, as the author calls them."""
    names = [*positional, *(["*"] if keyword_only else []), *keyword_only]
    return f"def {definition.name}({', '.join(_shown(name) for name in names)}):"


def _shown(argument: Argument | str) -> str:
    if isinstance(argument, str):
        return argument
    shown = argument.called or argument.name
    if argument.annotation is not None:
        shown += f": {ast.unparse(argument.annotation)}"
    return shown if argument.default is None else f"{shown}={ast.unparse(argument.default)}"
