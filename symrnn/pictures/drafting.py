"""Places and ways -> a drawing: every line of the grid gets a coordinate, as narrow as what stands on it allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from symrnn.pictures.drawing import CIRCLED, FRAME, SMALL_SIZE, Drawing, Label, Line, Position, Shape, Style, direction
from symrnn.pictures.elements import Diagram, Element, ElementKind
from symrnn.pictures.lettering import width_of
from symrnn.pictures.lines import ABOVE, BELOW, LEFT, RIGHT, Lines, Port, Route
from symrnn.pictures.placing import Placement

# All in pixels.  A box is as high as its letters and as much again; tracks are as far apart that an arrow's head, seven
# wide, does not touch the next line.
_BOX_HEIGHT, _BOX_WIDTH, _PADDING = 28.0, 36.0, 14.0
_CIRCLE = 10.0
_TRACK, _EDGE, _LEAST_GAP = 11.0, 11.0, 24.0
_LANE = 10.0
_MARGIN = 8.0


def size_of(element: Element) -> Position:
    """Width and height of an element, even numbers: its sides are then at whole pixels, as its middle is."""
    width = width_of(element.label)
    match element.kind:
        case ElementKind.JOIN:
            return 6.0, 6.0
        case ElementKind.CIRCLE if element.label in CIRCLED:
            return 2 * _CIRCLE, 2 * _CIRCLE
        case ElementKind.CIRCLE:
            return max(2 * _CIRCLE, 2.0 * ceil(width / 2 + 5)), 2 * _CIRCLE
        case ElementKind.GATE | ElementKind.BOX:
            return max(_BOX_WIDTH, 2.0 * ceil((width + _PADDING) / 2)), _BOX_HEIGHT
    return 2.0 * ceil(width / 2 + 3), 20.0


class _Draftsman:
    """Gives lines their coordinates, and everything on them."""

    def __init__(
        self, diagram: Diagram, placement: Placement, lines: Lines, routes: tuple[Route, ...], style: Style
    ) -> None:
        self.diagram = diagram
        self.placement = placement
        self.lines = lines
        self.routes = routes
        self.weights = style.weights
        self.ways = style.ways
        self.notes = style.notes
        self.beside = {key: list(self._beside(key)) for key in diagram.elements}
        self.xs = self._columns()

    # --- room ---

    def _beside(self, key: str) -> Iterator[tuple[str, Position, str, str]]:
        """Labels beside an element: formula, place from its middle (y downwards), anchor and kind."""
        element = self.diagram.elements[key]
        width, height = size_of(element)
        if element.name:
            yield element.name, (5.0, -height / 2 - 5.0), "start", "name"
        if key in self.notes:
            yield self._note(element)
        ends = [route for route in self.routes if route.end.key == key]
        is_double = any(route.end.side == BELOW and route.end.lane for route in ends)
        for route in ends:
            wire, port = route.wire, route.end
            place, anchor = _near_tip(port, width, height, is_double)
            # A box stands for a sum with weights; a circle does not, so that its weights are always told.
            weight = wire.weight if self.weights or element.kind is ElementKind.CIRCLE else ""
            formula = " ".join(part for part in (wire.sign, weight) if part)
            if formula:
                yield formula, place, anchor, "weight" if weight else "sign"

    def _note(self, element: Element) -> tuple[str, Position, str, str]:
        """What a gradient is: beside a name, or above an operation."""
        note, (width, height) = self.notes[element.key], size_of(element)
        wide = width_of(note, SMALL_SIZE)
        match element.kind:
            case ElementKind.BEFORE:
                return note, (width / 2 - wide, height / 2 + 12.0), "start", "note"
            case ElementKind.AFTER:
                return note, (-width / 2, height / 2 + 12.0), "start", "note"
            case ElementKind.OUTPUT:
                return note, (width / 2 + 4.0, 4.0), "start", "note"
        return note, (5.0, -height / 2 - (22.0 if element.name else 6.0)), "start", "note"

    def _extent(self, key: str) -> tuple[float, float, float, float]:
        """How far an element reaches to the left, above, to the right and below, with what stands beside it."""
        width, height = size_of(self.diagram.elements[key])
        left, top, right, bottom = width / 2, height / 2, width / 2, height / 2
        for formula, (x, y), anchor, _ in self.beside[key]:
            long = width_of(formula, SMALL_SIZE)
            start = x - {"start": 0.0, "end": long}[anchor]
            left, right = max(left, 2.0 - start), max(right, start + long + 2.0)
            top, bottom = max(top, 12.0 - y), max(bottom, y + 5.0)
        return ceil(left), ceil(top), ceil(right), ceil(bottom)

    def _columns(self) -> dict[int, float]:
        """The place of every line from left to right."""
        used = {x for route in self.routes for x, _ in route.points}
        found: dict[int, float] = {}
        here = _MARGIN
        for column in range(self.placement.columns):
            keys = [key for key, (c, _) in self.placement.cells.items() if c == column]
            extents = [self._extent(key) for key in keys]
            middle = self.lines.column(column)
            lanes = {lane for lane in (-1, 1) if middle + lane in used}
            least = 0.0 if column in (0, self.placement.columns - 1) else 3.0
            left = max([least, _LANE * (-1 in lanes) + 2.0, *(e[0] for e in extents)])
            right = max([least, _LANE * (1 in lanes) + 2.0, *(e[2] for e in extents)])
            found |= {middle + lane: here + left + _LANE * lane for lane in (-1, 0, 1)}
            here += left + right
            if column + 1 < self.placement.columns:
                border = (column == 0) + (column + 2 == self.placement.columns)
                tracks = range(middle + 2, middle + 2 + self.lines.tracks)
                here = self._gap(found, [x for x in tracks if x in used], here, tracks, border)
        self.right = here + _MARGIN
        return found

    def _gap(self, found: dict[int, float], used: list[int], here: float, tracks: range, border: int) -> float:
        """Lay the tracks that are used between two columns or rows; the frame runs through the first and last gap."""
        before = FRAME * (border > 0)
        width = max(_LEAST_GAP if not border else _LEAST_GAP + 2 * FRAME, before + 2 * _EDGE + _TRACK * (len(used) - 1))
        start = here + before + (width - before - _TRACK * (len(used) - 1)) // 2 if used else here
        for number, line in enumerate(used):
            found[line] = start + _TRACK * number
        for line in tracks:
            found.setdefault(line, here + width // 2)
        return here + width

    def heights(self) -> list[tuple[float, float]]:
        """How far each row reaches above and below its middle."""
        found = []
        for row in range(self.placement.rows):
            extents = [self._extent(key) for key, (_, r) in self.placement.cells.items() if r == row]
            found.append((max([3.0, *(e[1] for e in extents)]), max([3.0, *(e[3] for e in extents)])))
        return found

    def _rows(self, heights: Sequence[tuple[float, float]]) -> dict[int, float]:
        """The place of every line from above to below, by its number from below."""
        used = {y for route in self.routes for _, y in route.points}
        found: dict[int, float] = {}
        here = _MARGIN
        for row in reversed(range(self.placement.rows)):
            top, bottom = heights[row]
            line = self.lines.row(row)
            found[line] = here + top
            here += top + bottom
            if row:
                tracks = range(line - self.lines.tracks, line)
                taken = [y for y in reversed(tracks) if y in used]
                here = self._gap(found, taken, here, tracks, (row + 1 == self.placement.rows) + (row == 1))
        self.bottom = here + _MARGIN
        return found

    # --- drawing ---

    def drawing(self, heights: Sequence[tuple[float, float]]) -> Drawing:
        """The drawing, with rows of these heights."""
        self.ys = self._rows(heights)
        shapes = tuple(self._shape(key) for key in self.diagram.elements)
        by_key = {shape.element.key: shape for shape in shapes}
        drawn = tuple(self._line(number, by_key) for number in range(len(self.routes)))
        labels = tuple(
            Label(key, formula, (by_key[key].centre[0] + x, by_key[key].centre[1] + y), anchor, kind)
            for key, beside in self.beside.items()
            for formula, (x, y), anchor, kind in beside
        )
        return Drawing(self.right, self.bottom, (self._frame(shapes),), shapes, drawn, tuple(self._dots(drawn)), labels)

    def _shape(self, key: str) -> Shape:
        element = self.diagram.elements[key]
        column, row = self.placement.cells[key]
        return Shape(element, (self.xs[self.lines.column(column)], self.ys[self.lines.row(row)]), *size_of(element))

    def _frame(self, shapes: tuple[Shape, ...]) -> tuple[float, float, float, float]:
        outer = {
            kind: [shape.box for shape in shapes if shape.element.kind is kind]
            for kind in (ElementKind.BEFORE, ElementKind.OUTPUT, ElementKind.AFTER, ElementKind.INPUT)
        }
        left = max((box[2] for box in outer[ElementKind.BEFORE]), default=0.0) + FRAME
        right = min((box[0] for box in outer[ElementKind.AFTER]), default=self.right) - FRAME
        top = max((box[3] for box in outer[ElementKind.OUTPUT]), default=0.0) + FRAME
        bottom = min((box[1] for box in outer[ElementKind.INPUT]), default=self.bottom) - FRAME
        return left, top, right, bottom

    def _line(self, number: int, shapes: Mapping[str, Shape]) -> Line:
        route = self.routes[number]
        inner = [(self.xs[x], self.ys[y]) for x, y in route.points]
        start, end = self._touch(route.start, shapes), self._touch(route.end, shapes)
        shared = self._shared(number)
        own = [*([] if shared else [start]), *inner[max(shared - 1, 0) :], end]
        has_head = self.diagram.elements[route.wire.target].kind is not ElementKind.JOIN
        points = _straightened([start, *inner, end])
        return Line(route.wire, points, _straightened(own), has_head, self.ways.get(route.wire, ""))

    def _shared(self, number: int) -> int:
        """How many points a way has in common with one of its net that was laid before, from the beginning."""
        route = self.routes[number]
        found = 0
        for other in self.routes[:number]:
            if other.start == route.start:
                same = 0
                for a, b in zip(other.points, route.points, strict=False):
                    if a != b:
                        break
                    same += 1
                found = max(found, same)
        return found

    def _touch(self, port: Port, shapes: Mapping[str, Shape]) -> Position:
        shape = shapes[port.key]
        x, y = shape.centre
        if shape.element.kind is ElementKind.JOIN:
            return x, y
        return x + port.side[0] * shape.width / 2 + _LANE * port.lane, y - port.side[1] * shape.height / 2

    def _dots(self, drawn: tuple[Line, ...]) -> Iterator[tuple[str, Position]]:
        """Where a net has three ways."""
        sources = {line.wire.source: None for line in drawn}
        for source in sources:
            ways: dict[Position, set[Position]] = {}
            pieces = [p for line in drawn if line.wire.source == source for p in pairwise(line.points)]
            corners = {corner for piece in pieces for corner in piece}
            for a, b in pieces:
                for corner in corners:
                    if _is_on(corner, a, b):
                        ways.setdefault(corner, set()).update(direction(corner, end) for end in (a, b) if end != corner)
            yield from ((source, corner) for corner, directions in sorted(ways.items()) if len(directions) > 2)


def _near_tip(port: Port, width: float, height: float, is_double: bool) -> tuple[Position, str]:
    """Where a label stands beside the end of a wire: of two from below, each has the side away from the other."""
    x = _LANE * port.lane
    below = (x - 5.0, "end") if is_double and not port.lane else (x + 5.0, "start")
    return {
        BELOW: ((below[0], height / 2 + 13.0), below[1]),
        ABOVE: ((-5.0, -height / 2 - 5.0), "end"),
        LEFT: ((-width / 2 - 5.0, -7.0), "end"),
        RIGHT: ((width / 2 + 5.0, -7.0), "start"),
    }[port.side]


def _straightened(points: list[Position]) -> tuple[Position, ...]:
    """The corners of a way, without the points between them."""
    found: list[Position] = []
    for point in points:
        if found and point == found[-1]:
            continue
        if len(found) > 1 and (found[-2][0] == found[-1][0] == point[0] or found[-2][1] == found[-1][1] == point[1]):
            found[-1] = point
        else:
            found.append(point)
    return tuple(found)


def _is_on(point: Position, a: Position, b: Position) -> bool:
    """Whether a point is on a piece of a line."""
    return (a[0] == b[0] == point[0] and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])) or (
        a[1] == b[1] == point[1] and min(a[0], b[0]) <= point[0] <= max(a[0], b[0])
    )


class Plan(NamedTuple):
    """What the drawing of one step is made of."""

    diagram: Diagram
    placement: Placement
    lines: Lines
    routes: tuple[Route, ...]
    style: Style


def draw_plans(plans: Sequence[Plan]) -> tuple[Drawing, ...]:
    """The drawings of one step after the other, whose rows are all at the same heights."""
    draftsmen = [_Draftsman(*plan) for plan in plans]
    rows = zip(*(one.heights() for one in draftsmen), strict=True)
    heights = [(max(top for top, _ in row), max(bottom for _, bottom in row)) for row in rows]
    return tuple(one.drawing(heights) for one in draftsmen)
