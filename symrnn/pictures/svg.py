"""A drawing -> SVG: one file with nothing outside of it, whose colours are those of the page that it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from xml.sax.saxutils import escape, quoteattr

from symrnn.pictures.drawing import HEAD, ROUND, SMALL_SIZE, Drawing, Label, Line, Position, Shape, apart, towards
from symrnn.pictures.elements import ElementKind
from symrnn.pictures.lettering import SIZE, Glyphs, runs_of

_ACCENT = 0.4
"""The width of an accent as a part of its size: 0.33 in Times, 0.5 in Latin Modern."""

_STYLE = """
.symrnn { color: #1b1b1f; font-family: "Latin Modern Roman", "CMU Serif", "STIX Two Text", Cambria, "Times New Roman",
  Times, serif; }
.symrnn text { fill: currentColor; }
.symrnn .frame { fill: #f5f6f9; stroke: #c5cad6; }
.symrnn .element rect { stroke: currentColor; stroke-width: 1.1; }
.symrnn .gate rect { fill: #ffe9a8; }
.symrnn .box rect { fill: #dce8fc; }
.symrnn .circle rect { fill: #ffd9d2; }
.symrnn .wire path { fill: none; stroke: currentColor; stroke-width: 1.3; stroke-linejoin: round; }
.symrnn .wire .head, .symrnn .dot { fill: currentColor; stroke: none; }
.symrnn .way { fill: none; stroke: #e64980; stroke-linejoin: round; stroke-linecap: round; }
.symrnn .way.other { stroke-width: 4; opacity: .32; }
.symrnn .way.direct { stroke-width: 8; opacity: .6; }
.symrnn .back { fill: #c2255c; stroke: none; }
.symrnn .note text { fill: #c2255c; }
@media (prefers-color-scheme: dark) {
  .symrnn .way { stroke: #f06595; }
  .symrnn .back, .symrnn .note text { fill: #ff8fb3; }
  .symrnn { color: #e8e8ee; }
  .symrnn .frame { fill: #22242b; stroke: #4a4e5a; }
  .symrnn .gate rect { fill: #6b5510; }
  .symrnn .box rect { fill: #2c4268; }
  .symrnn .circle rect { fill: #7a3a30; }
}
"""


def write_svg(drawing: Drawing, title: str, description: str, origin: str, prefix: str) -> str:
    """The drawing as SVG.

    Args:
        drawing: the drawing.
        title: what it shows, for screen readers.
        description: the same at length.
        origin: what it was made from, for programs.
        prefix: what the identifiers in it begin with, so that several pictures stand in one page.
    """
    return "\n".join(_lines(drawing, title, description, origin, prefix)) + "\n"


def _lines(drawing: Drawing, title: str, description: str, origin: str, prefix: str) -> Iterator[str]:
    width, height = _n(drawing.width), _n(drawing.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="symrnn" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby={quoteattr(f"{prefix}-title {prefix}-desc")}>'
    )
    yield f"<title id={quoteattr(f'{prefix}-title')}>{escape(title)}</title>"
    yield f"<desc id={quoteattr(f'{prefix}-desc')}>{escape(description)}</desc>"
    yield f"<metadata>{escape(origin)}</metadata>"
    yield f"<style>{_STYLE}</style>"
    for left, top, right, bottom in drawing.frames:
        size = f'width="{_n(right - left)}" height="{_n(bottom - top)}"'
        yield f'<rect class="frame" x="{_n(left)}" y="{_n(top)}" {size} rx="12"/>'
    sharp = frozenset(place for _, place in drawing.dots)
    # Below all wires, so that none is covered.
    for line in drawing.lines:
        if line.way:
            yield f'<path class="way {line.way}" d="{_rounded(line.own, sharp)}"/>'
    for line in drawing.lines:
        yield _wire(line, sharp, prefix)
    yield from (_arrow_back(line.way, *line.marked) if line.marked else "" for line in drawing.lines if line.way)
    for source, (x, y) in drawing.dots:
        yield f'<circle class="dot" data-of={quoteattr(source)} cx="{_n(x)}" cy="{_n(y)}" r="2.4"/>'
    for shape in drawing.shapes:
        yield _element(shape, prefix)
    for label in drawing.labels:
        yield _label(label)
    yield "</svg>"


def _wire(line: Line, sharp: frozenset[Position], prefix: str) -> str:
    points, head = _with_head(line.own) if line.has_head else (line.own, "")
    name = quoteattr(f"{prefix}-{line.wire.source}-{line.wire.target}")
    says = f"<title>{escape(f'{line.wire.source} to {line.wire.target}')}</title>"
    return f'<g class="wire" id={name}>{says}<path d="{_rounded(points, sharp)}"/>{head}</g>'


def _arrow_back(way: str, a: Position, b: Position) -> str:
    """The head of the gradient's arrow in the middle of a piece, against the data's direction."""
    size = 1.35 if way == "direct" else 1.0
    tip = towards(a, b, (apart(a, b) - HEAD * size) / 2)
    return _head(tip, towards(b, a, 1.0), b, f"back {way}", size)


def _rounded(points: tuple[Position, ...], sharp: frozenset[Position]) -> str:
    """A way whose corners are round, but for those where another one branches off."""
    found = [f"M{_at(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        if corner in sharp:
            found.append(f"L{_at(corner)}")
            continue
        radius = min(ROUND, apart(before, corner) / 2, apart(corner, after) / 2)
        start, end = towards(corner, before, radius), towards(corner, after, radius)
        found.append(f"L{_at(start)} Q{_at(corner)} {_at(end)}")
    return " ".join([*found, f"L{_at(points[-1])}"])


def _at(point: Position) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _with_head(points: tuple[Position, ...]) -> tuple[tuple[Position, ...], str]:
    end, before = points[-1], points[-2]
    return (*points[:-1], towards(end, before, HEAD * 0.7)), _head(end, end, before, "head", 1.0)


def _head(tip: Position, start: Position, tail: Position, kind: str, size: float) -> str:
    """An arrow's head with its tip at a place, whose line comes from the side of `tail`."""
    back = towards(tip, (tip[0] + tail[0] - start[0], tip[1] + tail[1] - start[1]), HEAD * size)
    dx, dy = back[0] - tip[0], back[1] - tip[1]
    corners = [tip, (back[0] + dy * 0.42, back[1] + dx * 0.42), (back[0] - dy * 0.42, back[1] - dx * 0.42)]
    return f'<path class="{kind}" d="M{" L".join(map(_at, corners))} Z"/>'


def _element(shape: Shape, prefix: str) -> str:
    element, (x, y) = shape.element, shape.centre
    left, top, _, _ = shape.box
    name = quoteattr(f"{prefix}-{element.key}")
    body = ""
    if element.kind is ElementKind.JOIN:
        body = f'<circle class="dot" cx="{_n(x)}" cy="{_n(y)}" r="3"/>'
    elif not element.kind.is_text:
        radius = shape.height / 2 if element.kind is ElementKind.CIRCLE else 4.0
        size = f'width="{_n(shape.width)}" height="{_n(shape.height)}"'
        body = f'<rect x="{_n(left)}" y="{_n(top)}" {size} rx="{_n(radius)}"/>'
    if shape.has_dot:
        body += f'<circle class="dot" cx="{_n(x)}" cy="{_n(y)}" r="2.2"/>'
    elif shape.label:
        body += _text(shape.label, (x, y + 0.33 * SIZE), "middle", SIZE)
    says = f"<title>{escape(element.says)}</title>" if element.says else ""
    return f'<g class="element {element.kind}" id={name}>{says}{body}</g>'


def _label(label: Label) -> str:
    shown = _text(label.formula, label.place, label.anchor, SMALL_SIZE)
    return f'<g class="{label.kind}" data-of={quoteattr(label.owner)}>{shown}</g>'


def _text(formula: str, place: Position, anchor: str, size: float) -> str:
    pieces, height, back = [], 0.0, 0.0
    for run in runs_of(formula):
        full, rise = size * run.scale, run.rise * size
        # An accent comes before its letter, to which the way back leads: then nothing depends on the letter's width.
        for number, accent in enumerate(run.accents):
            over = rise + full * (0.2 * run.is_tall + 0.24 * number)
            ahead = (run.width * size - _ACCENT * full) / 2 + 0.08 * full * run.italic
            pieces.append(_piece(accent, replace(run, italic=False), size, ahead + back, height - over))
            height, back = over, -(ahead + _ACCENT * full)
        pieces.append(_piece(run.text, run, size, back, height - rise))
        height, back = rise, 0.0
    where = f'x="{_n(place[0])}" y="{_n(place[1])}" text-anchor="{anchor}" font-size="{_n(size)}"'
    return f"<text {where}>{''.join(pieces)}</text>"


def _piece(text: str, run: Glyphs, size: float, right: float, down: float) -> str:
    style = [f'{name}="{_n(far)}"' for name, far in (("dx", right), ("dy", down)) if abs(far) >= 0.05]
    style += ['font-style="italic"'] if run.italic else []
    style += ['font-weight="bold"'] if run.bold else []
    style += [f'font-size="{_n(size * run.scale)}"'] if run.scale != 1.0 else []
    return f"<tspan {' '.join(style)}>{escape(text)}</tspan>" if style else escape(text)


def _n(number: float) -> str:
    """A number, short and the same everywhere."""
    return f"{number:.1f}".removesuffix(".0")
