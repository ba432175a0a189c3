"""A cell -> its picture, the road on one page: read, join, place, route, draw, write."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from symrnn.choices import picture_of
from symrnn.deferred import function_above
from symrnn.errors import InputError, SymrnnError
from symrnn.files import check_named, write_whole
from symrnn.language.fingerprint import describe_origin
from symrnn.language.recurrence import Cell
from symrnn.pictures.drafting import Plan, draw_plans
from symrnn.pictures.drawing import Drawing, Style
from symrnn.pictures.joining import join_lines
from symrnn.pictures.placing import place
from symrnn.pictures.reading import read_diagram
from symrnn.pictures.routing import route_wires
from symrnn.pictures.svg import write_svg
from symrnn.pictures.tikz import write_document, write_picture
from symrnn.pictures.unrolling import in_a_row
from symrnn.pictures.ways import adjoint_label, check_state, find_ways
from symrnn.printers import Notation, text
from symrnn.printers.notation import find_notation
from symrnn.printers.vocabulary import fitted
from symrnn.suggestions import did_you_mean
from symrnn.version import __version__

DETAILS = ("gates", "operations")
"""How much is drawn of a sum with weights: one box, or every product and bias."""

MOST_STEPS = 8
"""Steps in one picture: more are too small to be read at the width of a page."""


_SIZES = (40, 24, 12)
"""Elements of a picture: as many as fit on a page; fewer, with equations as one box, where lines find no room."""


@dataclass(frozen=True)
class Picture:
    """A cell's picture; a notebook shows it.

    Attributes:
        cell: the cell.
        drawing: shapes, lines and labels with their places.
    """

    cell: Cell
    drawing: Drawing

    @cached_property
    def svg(self) -> str:
        """The picture as SVG, which needs nothing outside of it."""
        title = f"{self.cell.name}: {self.cell.title}"
        return write_svg(self.drawing, title, self.description, self._origin, self.cell.name)

    @cached_property
    def tikz(self) -> str:
        r"""The picture as a `tikzpicture`, to be put into a document with \\input."""
        return write_picture(self.drawing, self.cell.name, self._origin)

    @cached_property
    def tex(self) -> str:
        """The picture as a LaTeX document of its own."""
        return write_document(self.drawing, self.cell.name, self._origin)

    @property
    def _origin(self) -> str:
        return f"Drawn by symrnn {__version__} from {describe_origin(self.cell)}; do not edit."

    @property
    def description(self) -> str:
        """What the picture shows, in words and equations."""
        states = ", ".join(text(self.cell[name]) for name in self.cell.states)
        inputs = ", ".join(text(self.cell[name]) for name in self.cell.inputs) or "no input"
        equations = "; ".join(f"{text(e.target)} = {text(e.value)}" for e in self.cell.body)
        return f"Data flow of one step, from left to right: {states} of {inputs}. {equations}."

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture into a file: .svg, .tex (a document) or .tikz (its picture alone).

        Raises:
            InputError: pictures are not written in the form that the ending asks for.
            SymrnnError: the file cannot be written.
        """
        check_named(path)
        return write_whole(path, self.written(picture_of(path)))

    def written(self, form: str) -> str:
        """The picture in a form of `FORMS`."""
        return _WRITERS[form](self)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<picture of {self.cell.name}: {len(self.drawing.shapes)} elements, {len(self.drawing.lines)} lines>"


_WRITERS: Mapping[str, Callable[[Picture], str]] = MappingProxyType(
    {"svg": lambda p: p.svg, "tex": lambda p: p.tex, "tikz": lambda p: p.tikz}
)
FORMS = tuple(_WRITERS)
"""The forms of pictures; a file's ending is the form's name."""


def draw(
    cell: Cell | str,
    *,
    steps: int = 1,
    gradient: str | None = None,
    weights: bool = False,
    detail: str = "gates",
    notation: str | Notation = "subscript",
) -> Picture:
    """Draw a cell as a diagram of its data flow.

    States run from left (t-1) to right (t), inputs come in from below, the output leaves above.  A box adds up what
    enters it, with a weight each, and applies a function; a circle is an operation entry by entry.

    >>> draw("lstm")
    <picture of lstm: 16 elements, 18 lines>

    Args:
        cell: the cell, or its name.
        steps: how many steps are drawn, one after the other.
        gradient: a state; the ways on which its gradient comes back are marked, the direct one thick and with its
            factor.
        weights: whether weights are written beside the wires.
        detail: "gates", or "operations", in which every product with a matrix and every bias is drawn.
        notation: how names look: a `Notation`, the name of one, a file, or several with commas between.

    Raises:
        UnknownNameError: the library has no cell of that name, or there is no such notation.
        InputError: there is no such state or detail, or the number of steps makes no picture.
        SymrnnError: the cell has so many wires that no picture could be read.
    """
    known: Cell = function_above("find_cell")(cell)
    check_state(known, gradient)
    if detail not in DETAILS:
        problem, hint = f"detail {detail!r}: there is none", did_you_mean(detail, DETAILS)
        raise InputError(f"{problem}\n  {hint}there are {', '.join(DETAILS)}")
    if not 1 <= steps <= MOST_STEPS:
        raise InputError(f"steps {steps}: a picture has 1 to {MOST_STEPS} steps\n  give a number between these")
    found = fitted(find_notation(notation), known)
    for most in _SIZES:
        try:
            plans = _plans(known, steps, gradient, Style(weights), _HowRead(found, detail, most))
        except LookupError:
            continue
        return Picture(known, in_a_row(draw_plans(plans)))
    raise SymrnnError(f"{known.name}: it has too many wires to be drawn\n  split it into several cells")


class _HowRead(NamedTuple):
    """How a cell is read: in which notation, in which detail, and how many elements there may be."""

    notation: Notation
    detail: str
    most: int


def _plans(cell: Cell, steps: int, gradient: str | None, style: Style, reading: _HowRead) -> list[Plan]:
    """What the steps' drawings are made of."""
    entering = frozenset(() if gradient is None else (gradient,))
    plans = []
    for later in range(steps):
        diagram = join_lines(read_diagram(cell, reading.notation, reading.detail, later, reading.most))
        placement = place(diagram)
        lines, routes = route_wires(diagram, placement)
        if gradient is not None:
            found = find_ways(cell, diagram, dict(placement.rails), entering, reading.notation, later)
            first = {} if later else {f"{gradient}_prev": adjoint_label(cell, gradient, reading.notation, -1)}
            style = Style(style.weights, found.ways, found.notes | first)
            entering = found.reached
        plans.append(Plan(diagram, placement, lines, routes, style))
    return plans
