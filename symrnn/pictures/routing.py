"""Ways of wires on a grid of lines, at right angles, around everything that stands on it.

Between two columns, and between two rows, there are tracks; through each column and each row there are lines.  What has
one source is one net, a tree.  Nets are laid one after the other, each on the cheapest way that is left; then each is
taken up and laid again, since what came later may have been in its way less than it thought.  Two nets may cross, never
share a piece of a line or a corner.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from symrnn.pictures.elements import Diagram, ElementKind, Wire
from symrnn.pictures.lines import ABOVE, ALLOWED, BELOW, LEFT, RIGHT, SIDES, Lines, Point, Port, Route
from symrnn.pictures.placing import Placement

_TRIES = (2, 4, 7, 12)
"""Tracks between columns and between rows: few make few ways to try, and are enough nearly always."""

_ROUNDS = 2
"""How often every net is laid again: in cells of the library a third round changes nothing."""

# Costs, in steps from one line to the next.  A corner is worth a short detour, a crossing a longer one, since crossings
# are what a reader stumbles on.
_CORNER, _CROSSING, _BRANCH = 4.0, 7.0, 2.0
_OFF_CENTRE = 2.5
_SECOND = 4.0
"""As much as a corner: a second way out of an element has to save more than one."""
_NEAR_FRAME = 0.3
"""A line beside the frame looks like a second frame."""
_INTO: Mapping[Point, float] = {BELOW: 0.0, LEFT: 1.0, ABOVE: 3.0}
_OUT_OF: Mapping[Point, float] = {ABOVE: 0.0, RIGHT: 0.5, BELOW: 8.0, LEFT: 9.0}
"""Data flow from below to above and from left to right."""


@dataclass
class _Net:
    """What one source sends out: the ways so far, and the points that they take."""

    number: int
    source: str
    routes: list[Route] = field(default_factory=list)
    kept: int = 0


_FREE, _WALL = -1, -2
_SPARE = 2
"""An element with so many ports left over can do without some of them."""


class _Grid:
    """Nets on the lines.

    A point is one number here, and has two places: one for the net that runs through it level, one for upright.
    """

    def __init__(self, diagram: Diagram, lines: Lines) -> None:
        self.diagram = diagram
        self.lines = lines
        self.stride = lines.width + 2  # a wall around the grid, so that no step has to ask for its end
        size = self.stride * (lines.height + 2)
        self.steps = {LEFT: -1, RIGHT: 1, BELOW: -self.stride, ABOVE: self.stride}
        self.level, self.upright = [_WALL] * size, [_WALL] * size
        self.prices = {step: [1.0] * size for step in SIDES}
        self.ports: dict[tuple[str, Point, int], int] = {}
        self._open()
        self.tight = {self.at(port.point): port for key in diagram.elements for port in self._needed(key)}

    def _needed(self, key: str) -> list[Port]:
        """The ports of an element that has hardly more of them than wires: no other net may turn in front of one."""
        ports = self.ports_of(key)
        wires = len(self.diagram.into(key)) + bool(self.diagram.out_of(key))
        return ports if len(ports) - wires < _SPARE else []

    def _open(self) -> None:
        lines = self.lines
        walls = set(self._find_walls())
        rows = {lines.row(row) for row in range(lines.placement.rows)}
        lanes = {lines.column(column, lane) for column in range(lines.placement.columns) for lane in (-1, 1)}
        for x in range(lines.width):
            for y in range(lines.height):
                if (x, y) not in walls:
                    here = self.at((x, y))
                    self.level[here] = _FREE
                    # Beside the middle of a column a box may be entered; nothing runs through a row there.
                    self.upright[here] = _WALL if x in lanes and y in rows else _FREE
                    for step in SIDES:
                        self.prices[step][here] = self._price((x, y), step)

    def _price(self, point: Point, step: Point) -> float:
        """A step within a column or over a row is longer than one between tracks."""
        across = step[0] != 0
        here = point[0] if across else point[1]
        there = here + (step[0] or step[1])
        price = 1.0 if self.lines.is_track(here, across) and self.lines.is_track(there, across) else 2.0
        first, last = self.lines.column(1, -1), self.lines.column(self.lines.placement.columns - 2, 1)
        return price + _NEAR_FRAME * (not across and not first <= point[0] <= last)

    def at(self, point: Point) -> int:
        """The number of a point."""
        return point[0] + 1 + (point[1] + 1) * self.stride

    def point(self, here: int) -> Point:
        """The point with a number."""
        return here % self.stride - 1, here // self.stride - 1

    def _find_walls(self) -> Iterator[Point]:
        """Points that nothing may lead through: elements, and the border."""
        lines, placement = self.lines, self.lines.placement
        for column, row in placement.cells.values():
            yield from ((lines.column(column, lane), lines.row(row)) for lane in (-1, 0, 1))
        # Outside of the frame there are names only.
        for y in range(lines.height):
            for column in (0, placement.columns - 1):
                yield from ((lines.column(column, lane), y) for lane in (-1, 0, 1))
        for row in (0, placement.rows - 1):
            yield from ((x, lines.row(row)) for x in range(lines.width))

    def ports_of(self, key: str) -> list[Port]:
        """The places where a wire may leave or enter an element."""
        element = self.diagram.elements[key]
        column, row = self.lines.placement.cells[key]
        x, y = self.lines.column(column), self.lines.row(row)
        found = []
        for side in ALLOWED.get(element.kind, SIDES):
            for lane in self._lanes(key) if side == BELOW else (0,):
                step = 2 if side in (LEFT, RIGHT) else 1
                point = (x + side[0] * step + lane, y + side[1])
                if 0 <= point[0] < self.lines.width and 0 <= point[1] < self.lines.height:
                    found.append(Port(key, side, point, lane))
        return found

    def _lanes(self, key: str) -> tuple[int, ...]:
        """Where a box may be entered from below."""
        if self.diagram.elements[key].kind not in (ElementKind.GATE, ElementKind.BOX):
            return (0,)
        # Where something is written beside the wires, two of them have a free side each.
        return (0, 1) if any(wire.sign or wire.weight for wire in self.diagram.into(key)) else (0, -1, 1)

    # --- laying ---

    def lay(self, net: _Net, wire: Wire, is_straight: bool = False) -> None:
        """Find the cheapest way of a wire and take it.

        Args:
            net: what the wire belongs to.
            wire: the wire.
            is_straight: whether it has to leave at the right and arrive from the left, as on a rail.

        Raises:
            LookupError: there is no way.
        """
        goals: dict[int, list[tuple[float, Port]]] = {}
        joins = self.diagram.elements[wire.target].kind is ElementKind.JOIN
        for port in self.ports_of(wire.target):
            # The right side is left to what goes out: data flow from left to right.
            fits = port.side == LEFT if is_straight else port.side != RIGHT
            if fits and (port.key, port.side, port.lane) not in self.ports:
                cost = 0.0 if joins else _INTO[port.side] + _OFF_CENTRE * abs(port.lane)
                goals.setdefault(self.at(port.point), []).append((cost, port))
        if not goals:
            raise LookupError(wire)
        closed = frozenset(
            here
            for here, port in self.tight.items()
            if port.key not in (wire.source, wire.target)
            and self.ports.get((port.key, port.side, port.lane)) != net.number
        )
        starts = [start for start in self._starts(net, is_straight) if start[1] not in closed]
        self._take(net, wire, *self._cheapest(net, goals, starts, closed))

    def _starts(self, net: _Net, is_straight: bool) -> Iterator[tuple[float, int, Point, Port]]:
        """Cost, point, direction and port of every place where a way may begin."""
        if net.routes:
            branches = dict.fromkeys((point, route.start) for route in net.routes for point in route.points)
            yield from ((_BRANCH, self.at(point), side, start) for point, start in branches for side in SIDES)
            if not net.kept:
                return
        ports = self.ports_of(net.source)
        entrances = sum(port.side != RIGHT for port in ports)
        is_full = entrances <= len(self.diagram.into(net.source)) > 0
        goes_right = is_straight or is_full or self.diagram.elements[net.source].kind is ElementKind.JOIN
        for port in ports:
            taken = self.ports.get((port.key, port.side, port.lane), net.number)
            # From a rail a second way may leave upward or downward, where that is straight.
            again = _SECOND * (port.side != RIGHT) if net.kept and net.routes else 0.0
            if taken == net.number and not port.lane and (not goes_right or port.side == RIGHT):
                yield _OUT_OF[port.side] + again, self.at(port.point), port.side, port

    def _cheapest(
        self,
        net: _Net,
        goals: Mapping[int, list[tuple[float, Port]]],
        starts: Iterable[tuple[float, int, Point, Port]],
        closed: frozenset[int],
    ) -> tuple[tuple[Point, ...], Port, Port]:
        """Points, beginning and end of the cheapest way; the search goes towards the target first."""
        corners = [self.point(goal) for goal in goals]
        left, right = min(x for x, _ in corners), max(x for x, _ in corners)
        low, high = min(y for _, y in corners), max(y for _, y in corners)
        waiting: list[tuple[float, float, int, int, Point, Port]] = []
        trail: list[tuple[int, int]] = []
        best: dict[tuple[int, Point], float] = {}
        finished: tuple[float, int, Port, Port] | None = None
        mine = (_FREE, net.number)

        def push(cost: float, here: int, direction: Point, port: Port, before: int) -> None:
            if cost < best.get((here, direction), float("inf")):
                best[here, direction] = cost
                x, y = self.point(here)
                away = max(left - x, 0, x - right) + max(low - y, 0, y - high)
                trail.append((before, here))
                heapq.heappush(waiting, (cost + away, cost, len(trail) - 1, here, direction, port))

        for cost, here, direction, port in starts:
            if (self.level if direction[0] else self.upright)[here] in mine:
                push(cost, here, direction, port, -1)
        while waiting:
            bound, cost, place, here, direction, port = heapq.heappop(waiting)
            if finished is not None and bound >= finished[0]:
                break
            if cost > best[here, direction]:
                continue
            turns = self.level[here] in mine and self.upright[here] in mine and here not in closed
            for extra, goal in goals.get(here, ()):
                ahead = goal.side == _BACK[direction]
                total = cost + extra + (0.0 if ahead else _CORNER)
                if (ahead or turns) and (finished is None or total < finished[0]):
                    finished = total, place, port, goal
            for step in SIDES if turns else (direction,):
                users, others = (self.level, self.upright) if step[0] else (self.upright, self.level)
                reached = here + self.steps[step]
                if step != _BACK[direction] and users[reached] in mine:
                    price = cost + self.prices[step][here] + _CORNER * (step != direction)
                    push(
                        price + _CROSSING * (others[reached] >= 0 and others[reached] != net.number),
                        reached,
                        step,
                        port,
                        place,
                    )
        if finished is None:
            raise LookupError(net.source)
        return self._retraced(trail, finished[1]), finished[2], finished[3]

    def _retraced(self, trail: list[tuple[int, int]], place: int) -> tuple[Point, ...]:
        found = []
        while place >= 0:
            place, here = trail[place]
            found.append(self.point(here))
        return tuple(reversed(found))

    def _take(self, net: _Net, wire: Wire, points: tuple[Point, ...], start: Port, end: Port) -> None:
        for route in net.routes:
            # A branch begins on a way that is there: what leads to it from the source is its beginning.
            if points[0] in route.points and route.start == start:
                points = route.points[: route.points.index(points[0])] + points
                break
        net.routes.append(Route(wire, start, end, points))
        self._mark(net)

    def _mark(self, net: _Net) -> None:
        for route in net.routes:
            for port in (route.start, route.end):
                self.ports[port.key, port.side, port.lane] = net.number
            for point, direction in _passages(route):
                (self.level if direction[0] else self.upright)[self.at(point)] = net.number

    def take_up(self, net: _Net) -> None:
        """Free everything that a net has taken, but for the straight pieces of a rail."""
        for route in net.routes:
            for point, direction in _passages(route):
                (self.level if direction[0] else self.upright)[self.at(point)] = _FREE
        self.ports = {port: user for port, user in self.ports.items() if user != net.number}
        del net.routes[net.kept :]
        self._mark(net)


_BACK: Mapping[Point, Point] = {(x, y): (-x, -y) for x, y in SIDES}


def _passages(route: Route) -> Iterator[tuple[Point, Point]]:
    """Every point of a way with each direction in which the way is there."""
    points = route.points
    yield points[0], route.start.side
    yield points[-1], route.end.side
    for a, b in pairwise(points):
        direction = (b[0] - a[0], b[1] - a[1])
        yield a, direction
        yield b, direction


def route_wires(diagram: Diagram, placement: Placement) -> tuple[Lines, tuple[Route, ...]]:
    """The way of every wire.

    Raises:
        LookupError: there is no room for one, however many tracks there are.
    """
    for tracks in _TRIES:
        lines = Lines(placement, tracks)
        try:
            return lines, _laid(_Grid(diagram, lines), _nets(diagram, placement), _straight(diagram, placement))
        except LookupError:
            continue
    raise LookupError("no room for every wire")


def _straight(diagram: Diagram, placement: Placement) -> frozenset[Wire]:
    """The wires along rails."""
    return frozenset(wire for state, way in placement.rails.items() for wire in diagram.along(state, way))


def _nets(diagram: Diagram, placement: Placement) -> list[tuple[_Net, tuple[Wire, ...]]]:
    """The nets with their wires, the shortest first: long ones find a way around them."""
    cells = placement.cells

    def length(wire: Wire) -> int:
        (a, b), (c, d) = cells[wire.source], cells[wire.target]
        return abs(a - c) + abs(b - d)

    nets = []
    for number, (key, element) in enumerate(diagram.elements.items()):
        # Of a join the longest first: it is a straight line, from which the others branch off.
        wires = tuple(sorted(diagram.out_of(key), key=length, reverse=element.kind is ElementKind.JOIN))
        if wires:
            nets.append((_Net(number, key), wires))
    return sorted(nets, key=lambda net: max(map(length, net[1])))


def _laid(grid: _Grid, nets: Iterable[tuple[_Net, tuple[Wire, ...]]], straight: frozenset[Wire]) -> tuple[Route, ...]:
    for net, wires in nets:
        for wire in wires:
            if wire in straight:
                grid.lay(net, wire, is_straight=True)
        net.kept = len(net.routes)
    for _ in range(_ROUNDS):
        for net, wires in nets:
            grid.take_up(net)
            for wire in wires:
                if wire not in straight:
                    grid.lay(net, wire)
    return tuple(route for net, _ in nets for route in net.routes)
