"""What has to hold of every drawing; each law gives the sentences that say where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from symrnn.algebra.nodes import variables
from symrnn.language.recurrence import Cell
from symrnn.pictures.drawing import Drawing, Line, Position
from symrnn.pictures.elements import Diagram, ElementKind

Box = tuple[float, float, float, float]
EPS = 1e-6


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] - EPS and b[0] < a[2] - EPS and a[1] < b[3] - EPS and b[1] < a[3] - EPS


def as_box(a: Position, b: Position) -> Box:
    """A level or upright piece, made a hair wide so that it can overlap."""
    return min(a[0], b[0]) - 0.01, min(a[1], b[1]) - 0.01, max(a[0], b[0]) + 0.01, max(a[1], b[1]) + 0.01


def faults(drawing: Drawing) -> list[str]:
    return [fault for law in LAWS for fault in law(drawing)]


def shapes_keep_apart(drawing: Drawing) -> Iterator[str]:
    for a, b in combinations(drawing.shapes, 2):
        if overlap(a.box, b.box):
            yield f"{a.element.key} lies on {b.element.key}"


def labels_keep_apart(drawing: Drawing) -> Iterator[str]:
    for label in drawing.labels:
        for shape in drawing.shapes:
            if overlap(label.box, shape.box):
                yield f"label {label.formula} of {label.owner} lies on {shape.element.key}"
        for line in drawing.lines:
            if any(overlap(label.box, as_box(*piece)) for piece in pairwise(line.points)):
                yield f"label {label.formula} of {label.owner} lies on {line.wire.source}-{line.wire.target}"
    for x, y in combinations(drawing.labels, 2):
        if overlap(x.box, y.box):
            yield f"label {x.formula} of {x.owner} lies on {y.formula} of {y.owner}"


def all_is_inside(drawing: Drawing) -> Iterator[str]:
    whole = (0.0, 0.0, drawing.width, drawing.height)
    boxes = {shape.element.key: shape.box for shape in drawing.shapes}
    boxes |= {f"label {label.formula}": label.box for label in drawing.labels}
    for line in drawing.lines:
        boxes |= {f"{line.wire}": as_box(*piece) for piece in pairwise(line.points)}
    for name, box in boxes.items():
        if min(box[0] - whole[0], box[1] - whole[1], whole[2] - box[2], whole[3] - box[3]) < 0:
            yield f"{name} is outside of the picture"


def lines_end_at_their_elements(drawing: Drawing) -> Iterator[str]:
    shapes = {shape.element.key: shape for shape in drawing.shapes}
    for line in drawing.lines:
        for key, point in ((line.wire.source, line.points[0]), (line.wire.target, line.points[-1])):
            shape = shapes[key]
            left, top, right, bottom = shape.box
            at_side = point[0] in (left, right) and top <= point[1] <= bottom
            at_side = at_side or (point[1] in (top, bottom) and left <= point[0] <= right)
            if not at_side and not (shape.element.kind is ElementKind.JOIN and point == shape.centre):
                yield f"{line.wire.source}-{line.wire.target} does not touch {key}"


def lines_run_at_right_angles(drawing: Drawing) -> Iterator[str]:
    for line in drawing.lines:
        if any((a[0] == b[0]) == (a[1] == b[1]) for a, b in pairwise(line.points)):
            yield f"{line.wire.source}-{line.wire.target} is oblique, or stands still"


def lines_run_around_elements(drawing: Drawing) -> Iterator[str]:
    for line in drawing.lines:
        for shape in drawing.shapes:
            box = shape.box
            # Its own ends it may touch, not run through.
            inner = (box[0] + 0.1, box[1] + 0.1, box[2] - 0.1, box[3] - 0.1)
            own = shape.element.key in (line.wire.source, line.wire.target)
            if own and shape.element.kind is ElementKind.JOIN:
                continue
            if any(overlap(inner, as_box(*piece)) for piece in pairwise(line.points)):
                yield f"{line.wire.source}-{line.wire.target} runs through {shape.element.key}"


def nets_share_no_piece(drawing: Drawing) -> Iterator[str]:
    def near(a: Line, b: Line) -> bool:
        for p in pairwise(a.points):
            for q in pairwise(b.points):
                for axis in (0, 1):
                    if p[0][axis] == p[1][axis] == q[0][axis] == q[1][axis]:
                        low = max(min(x[1 - axis] for x in p), min(x[1 - axis] for x in q))
                        high = min(max(x[1 - axis] for x in p), max(x[1 - axis] for x in q))
                        if high - low > EPS:
                            return True
        return False

    for a, b in combinations(drawing.lines, 2):
        # Lines into one join touch there; that is what a join is.
        if a.wire.source != b.wire.source and near(a, b):
            yield f"{a.wire.source}-{a.wire.target} and {b.wire.source}-{b.wire.target} share a piece"


def states_run_from_left_to_right(drawing: Drawing) -> Iterator[str]:
    shapes = {shape.element.key: shape for shape in drawing.shapes}
    for key, shape in shapes.items():
        before = shapes.get(key.replace(".after", "_prev"))
        if shape.element.kind is ElementKind.AFTER and before is not None:
            if shape.centre[1] != before.centre[1]:
                yield f"{key} is at another height than {before.element.key}"
            if shape.centre[0] <= before.centre[0]:
                yield f"{key} is left of {before.element.key}"


def names_stand_outside(drawing: Drawing) -> Iterator[str]:
    frames = drawing.frames
    for shape in drawing.shapes:
        if shape.element.kind.is_border == any(overlap(shape.box, frame) for frame in frames):
            yield f"{shape.element.key} is on the wrong side of the frame"


LAWS = (
    shapes_keep_apart,
    labels_keep_apart,
    all_is_inside,
    lines_end_at_their_elements,
    lines_run_at_right_angles,
    lines_run_around_elements,
    nets_share_no_piece,
    states_run_from_left_to_right,
    names_stand_outside,
)


def misread(cell: Cell, diagram: Diagram) -> list[str]:
    """Where a diagram says otherwise than the equations which state depends on what."""
    depends = {cell[name]: {name} for name in cell.inputs} | {v: {v.name} for v in cell.previous}
    for equation in cell.body:
        read = variables(equation.value)
        depends[equation.target] = set().union(*(depends.get(v, set()) for v in read))
    found = []
    for start in (*cell.inputs, *(v.name for v in cell.previous)):
        reached = diagram.reached_from([start]) if start in diagram.elements else frozenset()
        for state in cell.states:
            if (start in depends[cell[state]]) != (f"{state}.after" in reached):
                found.append(f"{state} depends on {start} in one of both only")
    return found
