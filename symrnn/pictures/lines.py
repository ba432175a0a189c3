"""The lines of a grid that wires run on, the places where they may leave and enter elements, and their ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symrnn.pictures.elements import ElementKind, Wire
from symrnn.pictures.placing import Placement

Point = tuple[int, int]
"""The number of a line from left to right, and of one from below."""

LEFT, RIGHT, BELOW, ABOVE = (-1, 0), (1, 0), (0, -1), (0, 1)
SIDES = (BELOW, LEFT, ABOVE, RIGHT)

LANES = 3
"""Lines through a column: a box is entered in its middle, or on both sides of it."""


ALLOWED: Mapping[ElementKind, tuple[Point, ...]] = {
    ElementKind.INPUT: (ABOVE,),
    ElementKind.OUTPUT: (BELOW,),
    ElementKind.BEFORE: (RIGHT,),
    ElementKind.AFTER: (LEFT,),
}
"""The sides of names at the border."""


@dataclass(frozen=True)
class Port:
    """A place on an element's side where a wire may end.

    Attributes:
        key: the element.
        side: the direction in which the side looks.
        point: the point of the grid next to it.
        lane: the line of the column that it is on; 0 is the middle.
    """

    key: str
    side: Point
    point: Point
    lane: int


@dataclass(frozen=True)
class Route:
    """The way of one wire.

    Attributes:
        wire: the wire.
        start: where it leaves its source.
        end: where it enters its target.
        points: the points of the grid on its way, the first and the last next to the ports.
    """

    wire: Wire
    start: Port
    end: Port
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Lines:
    """The lines of a placement: where columns, rows and the tracks between them are."""

    placement: Placement
    tracks: int

    def column(self, column: int, lane: int = 0) -> int:
        """The line through a column."""
        # Tracks stand between columns only: outside of the first and the last one is the border.
        return column * (LANES + self.tracks) + 1 + lane

    def row(self, row: int) -> int:
        """The line through a row."""
        return row * (1 + self.tracks)

    @property
    def width(self) -> int:
        """The number of lines from left to right."""
        return self.column(self.placement.columns - 1, 1) + 1

    @property
    def height(self) -> int:
        """The number of lines from below to above."""
        return self.row(self.placement.rows - 1) + 1

    def is_track(self, line: int, across: bool) -> bool:
        """Whether a line is one between columns, or between rows."""
        return line % (LANES + self.tracks) >= LANES if across else line % (1 + self.tracks) >= 1
