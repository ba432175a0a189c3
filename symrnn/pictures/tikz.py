r"""A drawing -> TikZ: the same places as in SVG, labels as LaTeX sets them.

Only the basic package is needed, no library of it; colours have names that a document may define before.
"""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.pictures.drawing import HEAD, ROUND, Drawing, Label, Position, Shape, apart, towards
from symrnn.pictures.elements import ElementKind

_SCALE = 0.75
"""Points for a pixel: letters of 15 pixels become 11 points, about those of a document."""

_COLOURS = {
    "frame": ("F5F6F9", "C5CAD6"),
    "gate": ("FFE9A8", "1B1B1F"),
    "box": ("DCE8FC", "1B1B1F"),
    "circle": ("FFD9D2", "1B1B1F"),
    "way": ("E64980", "C2255C"),
}
_BLANKS = str.maketrans({"\n": " "})


def write_document(drawing: Drawing, name: str, origin: str) -> str:
    """The drawing as a document that has the drawing's size."""
    return (
        "\\documentclass[tikz,border=2pt]{standalone}\n\\usepackage{amsmath,amssymb}\n\\begin{document}\n"
        f"{write_picture(drawing, name, origin)}\\end{{document}}\n"
    )


def write_picture(drawing: Drawing, name: str, origin: str) -> str:
    """The drawing as a `tikzpicture`."""
    return "\n".join(_lines(drawing, name, origin)) + "\n"


def _lines(drawing: Drawing, name: str, origin: str) -> Iterator[str]:
    yield f"% {origin}"
    yield f"% {name.translate(_BLANKS)}: \\usepackage{{tikz,amsmath,amssymb}} in the preamble"
    for kind, (fill, edge) in _COLOURS.items():
        yield f"\\providecolor{{symrnn{kind}}}{{HTML}}{{{fill}}}\\providecolor{{symrnn{kind}line}}{{HTML}}{{{edge}}}"
    yield f"\\begin{{tikzpicture}}[x={_SCALE}pt, y=-{_SCALE}pt, line width=.7pt, every node/.style={{inner sep=0pt}},"
    yield f"  wire/.style={{rounded corners={ROUND * _SCALE}pt}}, head/.style={{-latex}}]"
    for left, top, right, bottom in drawing.frames:
        corners = f"({_at((left, top))}) rectangle ({_at((right, bottom))})"
        yield f"  \\draw[symrnnframeline, fill=symrnnframe, rounded corners=8pt] {corners};"
    sharp = frozenset(place for _, place in drawing.dots)
    for line in drawing.lines:
        if line.way:
            width = 5.5 if line.way == "direct" else 3.0
            style = f"symrnnway!{60 if line.way == 'direct' else 35}, line width={width}pt, line cap=round"
            yield f"  \\draw[{style}, {_path(line.own, sharp)};"
    for line in drawing.lines:
        yield f"  \\draw[{'head, ' if line.has_head else ''}{_path(line.own, sharp)};"
    yield from (_arrow_back(*line.marked) for line in drawing.lines if line.marked)
    for _, place in drawing.dots:
        yield f"  \\fill ({_at(place)}) circle[radius=1.7pt];"
    for shape in drawing.shapes:
        yield _element(shape)
    for label in drawing.labels:
        yield _label(label)
    yield "\\end{tikzpicture}"


def _path(points: tuple[Position, ...], sharp: frozenset[Position]) -> str:
    """The end of a line's options, and its corners; those where another line branches off are sharp."""
    shown, are_round = [f"({_at(points[0])})"], True
    for point in points[1:]:
        if (point not in sharp) != are_round:
            are_round = not are_round
            shown.append("[wire]" if are_round else "[sharp corners]")
        shown.append(f"-- ({_at(point)})")
    return f"wire] {' '.join(shown)}"


def _arrow_back(a: Position, b: Position) -> str:
    """The head of a gradient's arrow in the middle of a piece, against the data's direction."""
    tip, tail = (towards(a, b, (apart(a, b) + length) / 2) for length in (-HEAD, HEAD))
    return f"  \\draw[symrnnwayline, -latex, line width=.8pt] ({_at(tail)}) -- ({_at(tip)});"


def _element(shape: Shape) -> str:
    element, place = shape.element, _at(shape.centre)
    if element.kind is ElementKind.JOIN:
        return f"  \\fill ({place}) circle[radius=2.2pt];"
    is_circle = element.kind is ElementKind.CIRCLE
    size = f"minimum width={shape.width * _SCALE:.4g}pt, minimum height={shape.height * _SCALE:.4g}pt"
    shown = f"${shape.label}$" if shape.label else ""
    if element.kind.is_text:
        return f"  \\node at ({place}) {{{shown}}};"
    corners = shape.height / 2 * _SCALE if is_circle else 3.0
    style = f"draw=symrnn{element.kind}line, fill=symrnn{element.kind}, rounded corners={corners:.4g}pt, {size}"
    dot = f" \\fill ({place}) circle[radius=1.6pt];" if shape.has_dot else ""
    return f"  \\node[{style}] at ({place}) {{{shown}}};{dot}"


def _label(label: Label) -> str:
    anchor = {"start": "base west", "middle": "base", "end": "base east"}[label.anchor]
    colour = ", symrnnwayline" if label.kind == "note" else ""
    return f"  \\node[anchor={anchor}, font=\\footnotesize{colour}] at ({_at(label.place)}) {{${label.formula}$}};"


def _at(place: Position) -> str:
    return f"{place[0]:.1f},{place[1]:.1f}"
