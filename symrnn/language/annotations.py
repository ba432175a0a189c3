"""Shape annotations: `"d_h"` a vector, `"d_h, d_x"` a matrix, `"()"` a scalar."""

from __future__ import annotations

import ast
import keyword
import re

from symrnn.algebra.shapes import Size, Sizes
from symrnn.errors import CellError, Place

#: Sizes beyond these have no use in a cell, and would fill the memory of whoever checks it.
MAX_SIZE = 1024

_TERM = re.compile(r"(?:([0-9]{1,4}) *\* *)?([A-Za-z][A-Za-z0-9_]*)\Z|([0-9]{1,6})\Z")
_REMEDY = (
    'write a shape as "d_h" for a vector, "d_h, d_x" for a matrix, "()" for a scalar; sizes may be added: "d_h + d_x"'
)


def read_annotation(node: ast.expr, place: Place) -> Sizes:
    """The shape that an annotation says.

    Raises:
        CellError: it is not a shape.
    """
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        raise CellError(place, "the annotation is not a shape", _REMEDY)
    text = node.value.strip()
    if text in ("()", "(,)"):
        return ()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    parts = [part.strip() for part in text.removesuffix(",").split(",")]
    if len(parts) > 2:
        problem = f"the shape {_shown(node.value)} has {len(parts)} sizes"
        raise CellError(place, problem, "a value of one example is a scalar, a vector or a matrix: write at most two")
    return tuple(_read_size(part, node.value, place) for part in parts)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _read_size(part: str, whole: str, place: Place) -> Size:
    size = Size()
    for term in part.split("+"):
        # Matched, never evaluated: an annotation is a text of the author's.
        match = _TERM.match(term.strip())
        if match is None or keyword.iskeyword(match[2] or ""):
            raise CellError(place, f"{_shown(whole)} is not a shape", _REMEDY)
        size += Size(constant=int(match[3])) if match[3] else Size.of(match[2]).times(int(match[1] or 1))
    if not size.terms and size.constant < 2:
        remedy = 'a fixed size is 2 or more; write "()" for a scalar'
        raise CellError(place, f"the size {_shown(part)} is not allowed", remedy)
    if too_large(size):
        raise CellError(place, f"the size {_shown(part)} is too large", f"fixed sizes are at most {MAX_SIZE}")
    return size


def too_large(size: Size) -> bool:
    """Whether a number in the size is beyond what a cell has a use for."""
    return max([size.constant, *(count for _, count in size.terms)]) > MAX_SIZE
