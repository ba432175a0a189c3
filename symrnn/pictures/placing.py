"""Where elements stand: a grid of columns and rows, as lecturers use it.

A state that is passed on entry by entry has a rail, a row of its own, on which its operations stand from left (t-1) to
right (t).  Boxes with weights stand in one row at the bottom, in the author's order; what is computed of them stands in
rows above, below the rails that read it; what is computed of a rail's end comes down again at the right.  Names stand
outside: inputs below, states at both sides, the output above.

Layout libraries were looked at for this.  igraph and grandalf lay graphs out in layers (and are under the GPL),
networkx has no layered layout with routes, Graphviz and ELK need another program; and none of them puts a chain of
vertices on a straight rail, keeps a border for names or routes at right angles to chosen sides of a box.  A grid and a
search for the cheapest ways on it do, in some hundred lines without a dependency.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symrnn.pictures.elements import Diagram, ElementKind


@dataclass(frozen=True)
class Placement:
    """The grid.

    Attributes:
        cells: key of an element -> its column and row, counted from the left and from below.
        rails: name of a state -> keys of the elements on its rail, from left to right.
    """

    cells: Mapping[str, tuple[int, int]]
    rails: Mapping[str, tuple[str, ...]]

    @cached_property
    def columns(self) -> int:
        """The number of columns."""
        return 1 + max(column for column, _ in self.cells.values())

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        return 1 + max(row for _, row in self.cells.values())


def place(diagram: Diagram) -> Placement:
    """A place for every element."""
    rails = find_rails(diagram)
    rows = _RowOrder(diagram, rails).rows()
    columns = _ColumnOrder(diagram, rails, rows).columns()
    return Placement({key: (columns[key], rows[key]) for key in diagram.elements}, rails)


# --- rails ------------------------------------------------------------------------------------------------------------

_PASSED = 20.0
"""A way through a box with weights mixes entries: a state that has no other way is not passed on."""


def find_rails(diagram: Diagram) -> dict[str, tuple[str, ...]]:
    """The states that are passed on, and through what: entry by entry, or through a single box."""
    found: list[tuple[float, int, str, tuple[str, ...]]] = []
    for number, (state, (start, end)) in enumerate(diagram.states.items()):
        cost, way = _cheapest(diagram, start, end)
        if way and (cost < _PASSED or len(way) == 1):
            found.append((cost, number, state, way))
    rails: dict[str, tuple[str, ...]] = {}
    for _, _, state, way in sorted(found):
        if not any(set(way) & set(other) for other in rails.values()):
            rails[state] = way
    return {state: rails[state] for state in diagram.states if state in rails}


def _cheapest(diagram: Diagram, start: str, end: str) -> tuple[float, tuple[str, ...]]:
    """The way from one end of a state to the other that changes it least, without the ends."""
    best: dict[str, tuple[float, tuple[str, ...]]] = {}
    waiting: list[tuple[float, tuple[str, ...]]] = [(0.0, (start,))]
    while waiting:
        cost, way = heapq.heappop(waiting)
        here = way[-1]
        if here in best:
            continue
        best[here] = cost, way
        for wire in diagram.out_of(here):
            heapq.heappush(waiting, (cost + _resistance(diagram, wire.target, wire.is_product), (*way, wire.target)))
    cost, way = best.get(end, (float("inf"), ()))
    return cost, way[1:-1]


def _resistance(diagram: Diagram, key: str, mixes: bool) -> float:
    look = diagram.elements[key].kind
    if look is ElementKind.JOIN or mixes:
        return _PASSED
    return {ElementKind.CIRCLE: 1.0, ElementKind.AFTER: 0.0}.get(look, 4.0)


# --- rows -------------------------------------------------------------------------------------------------------------

_DEEP = 2
"""Rows of operations that are made for what hangs from rails; more goes to the right, as a picture is read."""


class _RowOrder:
    """The row of every element; levels are counted from the row of boxes with weights, which is 0."""

    def __init__(self, diagram: Diagram, rails: Mapping[str, Sequence[str]]) -> None:
        self.diagram = diagram
        self.rails = rails
        self.rail_of = {key: state for state, way in rails.items() for key in way}
        self.inner = [
            key for key, e in diagram.elements.items() if not e.kind.is_border and e.kind is not ElementKind.JOIN
        ]

    def is_at_bottom(self, key: str) -> bool:
        """Whether it stands in the row of boxes with weights."""
        return self.diagram.elements[key].kind in (ElementKind.GATE, ElementKind.PARAMETER) and key not in self.rail_of

    @cached_property
    def hanging(self) -> frozenset[str]:
        """What is computed of rails and leads to none."""
        railed = tuple(self.rail_of)
        after, before = self.diagram.reached_from(railed), self.diagram.reaching(railed)
        found: set[str] = set()
        for key in self.inner:
            # What reads boxes in the row at the bottom only stands above them, as elsewhere.
            sources = {wire.source for wire in self.diagram.into(key)}
            is_below = not sources.isdisjoint(found) or not sources.isdisjoint(self.rail_of)
            if is_below and key in after and key not in before and not self.is_at_bottom(key):
                found.add(key)
        return frozenset(found)

    @cached_property
    def levels(self) -> Mapping[str, int]:
        """The level of every element that does not hang, and of every rail, under its state's name with a colon."""
        known: dict[str, int] = {f":{state}": 0 for state in self.rails}
        # A rail may read another one that reads it: as many rounds as there are rails, and then it is left so.
        for _ in range(len(self.rails) + 1):
            for key in self.inner:
                if key in self.hanging:
                    continue
                if self.is_at_bottom(key):
                    known[key] = 0
                elif key in self.rail_of:
                    rail = f":{self.rail_of[key]}"
                    known[rail] = known[key] = max(known[rail], self._above(key, known, 0))
                else:
                    known[key] = self._above(key, known, 1)
        return known | {key: known[f":{state}"] for key, state in self.rail_of.items()}

    def _above(self, key: str, known: Mapping[str, int], least: int) -> int:
        """The lowest level at which an element stands above what it reads, or beside other operations."""
        found = least
        for wire in self.diagram.into(key):
            source = wire.source
            if source in known and self.rail_of.get(source, "") != self.rail_of.get(key, " "):
                steps = self.is_at_bottom(source) or source in self.rail_of or key in self.rail_of
                found = max(found, known[source] + steps)
        return found

    def rows(self) -> dict[str, int]:
        """The row of every element."""
        heights: dict[str, tuple[float, ...]] = {}
        states = list(self.diagram.states)
        for key in self.inner:
            if key not in self.hanging:
                state = self.rail_of.get(key)
                heights[key] = (self.levels[key], 0) if state is None else (self.levels[key], 1, -states.index(state))
        below = self._hang(heights)
        self._stretch(heights)
        order = sorted({*heights.values(), *below, (-9.0,), (99.0,)})
        number = {height: row for row, height in enumerate(order)}
        return {key: number[height] for key, height in heights.items()}

    def _hang(self, heights: dict[str, tuple[float, ...]]) -> set[tuple[float, ...]]:
        """Give what hangs from rails its height: each below what it reads, in rows that are there or are added."""
        added: set[tuple[float, ...]] = set()
        for key in self.inner:
            if key not in self.hanging:
                continue
            sources = [w.source for w in self.diagram.into(key) if w.source in self.rail_of or w.source in self.hanging]
            lowest = min(heights[source] for source in sources)
            free = self._free_below(lowest, heights, added)
            rooms = [h for h in {*heights.values(), *added} if h > (0, 1) and h not in self._rail_heights(heights)]
            if not free and lowest[0] > 0 and len(rooms) < _DEEP:
                # Right below what it reads, above the boxes.
                free = [(lowest[0] - (0.5 if lowest in self._rail_heights(heights) else 0.25), 0.0)]
                added |= set(free)
            heights[key] = free[-1] if free else lowest if lowest not in self._rail_heights(heights) else (0.5, 0)
        return added

    def _rail_heights(self, heights: Mapping[str, tuple[float, ...]]) -> set[tuple[float, ...]]:
        return {heights[key] for key in self.rail_of}

    def _free_below(
        self, height: tuple[float, ...], heights: Mapping[str, tuple[float, ...]], added: set[tuple[float, ...]]
    ) -> list[tuple[float, ...]]:
        """Rows of operations below a height, from below."""
        rails = self._rail_heights(heights)
        return sorted(h for h in {*heights.values(), *added} if (0, 1) < h < height and h not in rails)

    def _stretch(self, heights: dict[str, tuple[float, ...]]) -> None:
        """Names and joins: rows below that of the boxes for states without a rail, and those at the border."""
        states = list(self.diagram.states)
        for key, element in self.diagram.elements.items():
            if element.kind is ElementKind.INPUT:
                heights[key] = (-9.0,)
            elif element.kind is ElementKind.OUTPUT:
                heights[key] = (99.0,)
        for number, state in enumerate(states):
            height = (-2.0 - number,) if state not in self.rails else heights[self.rails[state][0]]
            for end in self.diagram.states[state]:
                if end in self.diagram.elements:
                    heights[end] = height
        for key, element in self.diagram.elements.items():
            if element.kind is ElementKind.JOIN:
                lines = [heights[w.source] for w in self.diagram.into(key) if heights.get(w.source, (0,))[0] < 0]
                heights[key] = max((h for h in lines if h[0] > -9), default=(-1.0,))


# --- columns ----------------------------------------------------------------------------------------------------------


class _ColumnOrder:
    """The column of every element: as far to the left as what it reads allows."""

    def __init__(self, diagram: Diagram, rails: Mapping[str, Sequence[str]], rows: Mapping[str, int]) -> None:
        self.diagram = diagram
        self.rows = rows
        self.rail_of = {key: state for state, way in rails.items() for key in way}
        self.found: dict[str, int] = {}
        self.taken: set[tuple[int, int]] = set()

    def columns(self) -> dict[str, int]:
        """The column of every element."""
        inner = {key: e for key, e in self.diagram.elements.items() if not e.kind.is_border}
        for key in inner:
            self._put(key, self._leftmost(key))
        last = max(self.found.values(), default=1)
        for key, element in self.diagram.elements.items():
            if element.kind is ElementKind.INPUT:
                readers = [self.found[w.target] for w in self.diagram.out_of(key) if w.target in self.found]
                joins = [
                    self.found[w.target]
                    for w in self.diagram.out_of(key)
                    if self.diagram.elements[w.target].kind is ElementKind.JOIN
                ]
                self._put(key, min(joins or readers, default=1))
            elif element.kind is not ElementKind.PARAMETER and element.kind.is_text:
                self.found[key] = {ElementKind.BEFORE: 0, ElementKind.OUTPUT: last + 1, ElementKind.AFTER: last + 2}[
                    element.kind
                ]
        return self.found

    def _put(self, key: str, column: int) -> None:
        row = self.rows[key]
        while (column, row) in self.taken:
            column += 1
        self.found[key] = column
        self.taken.add((column, row))
        for wire in self.diagram.into(key):
            # A straight line from below: nothing else may stand in its way.
            if self.found.get(wire.source) == column and wire.source in self.found:
                low, high = sorted((self.rows[wire.source], row))
                self.taken |= {(column, between) for between in range(low + 1, high)}

    def _leftmost(self, key: str) -> int:
        least = 1
        for wire in self.diagram.into(key):
            source = wire.source
            if source in self.found:
                least = max(least, self.found[source] + self._is_beside(key, source))
        if any(
            self.found.get(wire.source) == least and self._rises(wire.source, key) for wire in self.diagram.into(key)
        ):
            least += 1
        if self.diagram.elements[key].kind is ElementKind.JOIN:
            # No two above one another: a line that comes from below would end at the wrong one.
            joins = {self.found[k] for k in self.found if self.diagram.elements[k].kind is ElementKind.JOIN}
            while least in joins:
                least += 1
        if key in self.rail_of:
            least = max([least, *(self.found[k] + 1 for k in self.found if self.rail_of.get(k) == self.rail_of[key])])
        return least

    def _rises(self, source: str, key: str) -> bool:
        """Whether a value goes straight up to a rail, past an element that does not lead there."""
        if key in self.rail_of or self.rows[source] >= self.rows[key]:
            return False
        above = {wire.target for wire in self.diagram.out_of(source) if wire.target in self.rail_of}
        return not above <= {wire.target for wire in self.diagram.out_of(key)}

    def _is_beside(self, key: str, source: str) -> bool:
        """Whether an element stands to the right of one that it reads, rather than above it or below it."""
        if self.diagram.elements[source].kind is ElementKind.JOIN or self.rows[source] == self.rows[key]:
            return True
        comes_down = self.rows[source] > self.rows[key]
        return comes_down and (source in self.rail_of or self.diagram.elements[key].kind is ElementKind.GATE)
