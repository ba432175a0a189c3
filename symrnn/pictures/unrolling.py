"""Drawings of several steps, one after the other, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symrnn.pictures.drawing import FRAME, Drawing, Line, Position
from symrnn.pictures.elements import ElementKind


def in_a_row(drawings: Sequence[Drawing]) -> Drawing:
    """Drawings of one step after the other as one: what a step ends with is what the next one begins with."""
    whole = drawings[0]
    for number, drawing in enumerate(drawings[1:], 2):
        whole = _continued(_renamed(whole, 1) if number == 2 else whole, _renamed(drawing, number))
    return whole


def _started(key: str) -> str:
    """The key of a state at the end of a step, for what the next step calls its state before."""
    name, _, step = key.rpartition(".step")
    return f"{name.removesuffix('_prev')}.after.step{int(step) - 1}"


def _renamed(drawing: Drawing, number: int) -> Drawing:
    """The drawing with keys that say which step it is."""

    def key(name: str) -> str:
        return f"{name}.step{number}"

    return replace(
        drawing,
        shapes=tuple(replace(s, element=replace(s.element, key=key(s.element.key))) for s in drawing.shapes),
        lines=tuple(
            replace(line, wire=replace(line.wire, source=key(line.wire.source), target=key(line.wire.target)))
            for line in drawing.lines
        ),
        dots=tuple((key(source), place) for source, place in drawing.dots),
        labels=tuple(replace(label, owner=key(label.owner)) for label in drawing.labels),
    )


def _continued(before: Drawing, after: Drawing) -> Drawing:
    """A drawing, and the next step's at its right: both have their rails at the same heights."""
    ends = [s.centre[0] for s in before.shapes if s.element.kind is ElementKind.AFTER]
    starts = [s.centre[0] for s in after.shapes if s.element.kind is ElementKind.BEFORE]
    shift = (ends[-1] if ends else before.width) - (starts[0] if starts else 0.0)
    # A name at the end of a step that the next one does not read may be wider than those that it does read.
    edge = max((s.box[2] for s in before.shapes if s.element.kind is ElementKind.AFTER), default=0.0) + FRAME
    further = max(0.0, edge - after.frames[0][0] - shift)
    shift += further

    def move(place: Position) -> Position:
        return place[0] + shift, place[1]

    # The names at the left are those at the right of the step before.
    twice = {s.element.key for s in after.shapes if s.element.kind is ElementKind.BEFORE}
    shapes = tuple(replace(s, centre=move(s.centre)) for s in after.shapes if s.element.key not in twice)

    def moved(line: Line) -> Line:
        source = line.wire.source
        points, own = tuple(map(move, line.points)), tuple(map(move, line.own))
        if source not in twice:
            return replace(line, points=points, own=own)
        start = (points[0][0] - further, points[0][1])
        own = (start, *own[1:]) if own[0] == points[0] else own
        return replace(line, wire=replace(line.wire, source=_started(source)), points=(start, *points[1:]), own=own)

    return Drawing(
        after.width + shift,
        max(before.height, after.height),
        (*before.frames, *((left + shift, top, right + shift, bottom) for left, top, right, bottom in after.frames)),
        (*before.shapes, *shapes),
        (*before.lines, *map(moved, after.lines)),
        (*before.dots, *((_started(x) if x in twice else x, move(place)) for x, place in after.dots)),
        (*before.labels, *(replace(x, place=move(x.place)) for x in after.labels if x.owner not in twice)),
    )
