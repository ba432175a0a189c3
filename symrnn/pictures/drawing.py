"""A drawing as data: shapes, lines and labels with coordinates in pixels, which every writer draws alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType

from symrnn.freezing import Frozen
from symrnn.pictures.elements import Element, ElementKind, Wire
from symrnn.pictures.lettering import width_of

Position = tuple[float, float]

SMALL_SIZE = 12.0
"""Pixels of a label beside a line: smaller than what stands in a box, and still read on a slide."""

HEAD = 7.0
"""The length of an arrow's head."""
FRAME = 7.0
"""Pixels between a name and the frame."""
ROUND = 5.0
"""The radius of a corner: less than half of the distance of tracks."""


def apart(a: Position, b: Position) -> float:
    """How long a level or upright piece is."""
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def direction(start: Position, end: Position) -> tuple[int, int]:
    """Whether it leads to the right (1, 0), to the left, down (0, 1) or up."""
    return (end[0] > start[0]) - (end[0] < start[0]), (end[1] > start[1]) - (end[1] < start[1])


def towards(start: Position, end: Position, length: float) -> Position:
    """A point of it, so far from its start."""
    right, down = direction(start, end)
    return start[0] + length * right, start[1] + length * down


@dataclass(frozen=True)
class Shape:
    """An element with a place.

    Attributes:
        element: the element.
        centre: its middle.
        width: from left to right.
        height: from above to below.
    """

    element: Element
    centre: Position
    width: float
    height: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        (x, y), w, h = self.centre, self.width / 2, self.height / 2
        return x - w, y - h, x + w, y + h

    @property
    def label(self) -> str:
        """LaTeX of what is written in it: a sign that has a circle of its own, without that."""
        label = self.element.label
        return CIRCLED.get(label, label) if self.element.kind is ElementKind.CIRCLE else label

    @property
    def has_dot(self) -> bool:
        """Whether its sign is a dot, which is drawn."""
        return bool(self.element.label) and not self.label


@dataclass(frozen=True)
class Line:
    """A wire with its corners.

    Attributes:
        wire: the wire.
        points: its beginning, corners and end.
        own: the same from where it leaves another wire of its source.
        has_head: whether it ends in an arrow.
        way: how a gradient runs along it, backward: "direct", "other" or not at all.
    """

    wire: Wire
    points: tuple[Position, ...]
    own: tuple[Position, ...]
    has_head: bool = True
    way: str = ""

    @property
    def marked(self) -> tuple[Position, Position] | None:
        """Its longest piece, in whose middle an arrow says that a gradient comes back; None where no arrow fits."""
        a, b = max(pairwise(self.own), key=lambda piece: apart(*piece))
        return (a, b) if self.way and apart(a, b) >= 4 * HEAD else None


@dataclass(frozen=True)
class Label:
    """A formula beside something.

    Attributes:
        owner: key of the element that it belongs to.
        formula: LaTeX.
        place: where its base line begins, ends or has its middle.
        anchor: "start", "middle" or "end".
        kind: "name", "weight", "sign" or "note".
    """

    owner: str
    formula: str
    place: Position
    anchor: str
    kind: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        width, (x, y) = width_of(self.formula, SMALL_SIZE), self.place
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, y - 0.9 * SMALL_SIZE, left + width, y + 0.4 * SMALL_SIZE


@dataclass(frozen=True)
class Drawing:
    """Everything that is drawn.

    Attributes:
        width: from left to right.
        height: from above to below.
        frames: left, top, right and bottom of each step's frame.
        shapes: the elements.
        lines: the wires.
        dots: where a wire branches, with the element that it comes from.
        labels: what is written beside.
    """

    width: float
    height: float
    frames: tuple[tuple[float, float, float, float], ...]
    shapes: tuple[Shape, ...]
    lines: tuple[Line, ...]
    dots: tuple[tuple[str, Position], ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class Style:
    """What is shown beside the elements and wires.

    Attributes:
        weights: whether the wires' weights are.
        ways: wire -> how a gradient runs along it, "direct" or "other".
        notes: key of an element -> LaTeX of what a gradient is there.
    """

    weights: bool = False
    ways: Mapping[Wire, str] = field(default_factory=lambda: Frozen({}))
    notes: Mapping[str, str] = field(default_factory=lambda: Frozen({}))


CIRCLED: Mapping[str, str] = MappingProxyType(
    {r"\odot": "", r"\cdot": "", r"\otimes": r"\times", r"\oplus": "+", r"\circledast": r"\ast"}
)
"""A sign with a circle of its own -> what stands in the circle that is drawn; of the first, a dot that is drawn too."""
