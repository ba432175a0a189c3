"""Values that several boxes read together run there in one line: W x + U h of four gates is one line with four taps."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, count

from symrnn.freezing import Frozen
from symrnn.pictures.elements import Diagram, Element, ElementKind, Wire

_MOST_AT_BOX, _MOST_AT_JOIN = 4, 3
"""A box has room for so many arrows, and a join has four sides, one of which the line goes on from."""


def join_lines(diagram: Diagram) -> Diagram:
    """The diagram with joins, each in place of the most wires, until no two boxes read two values together.

    Boxes that read more than there is room for around them get joins of their own.
    """
    for number in count(1):
        together = _best(diagram)
        if together is None:
            break
        readers = {one for one, sources in _readings(diagram).items() if together <= sources}
        diagram = _joined(diagram, together, readers, f"join.{number}")
    for key in diagram.elements:
        wires = diagram.into(key)
        if len(wires) > _MOST_AT_BOX:
            diagram = _joined(diagram, frozenset(wire.source for wire in wires), {key}, f"{key}.join")
    return diagram


def _readings(diagram: Diagram) -> dict[str, frozenset[str]]:
    """What each box adds up with weights of its own."""
    return {
        key: frozenset(wire.source for wire in diagram.into(key) if _may_join(diagram, wire))
        for key, element in diagram.elements.items()
        if element.kind is ElementKind.GATE
    }


def _may_join(diagram: Diagram, wire: Wire) -> bool:
    return wire.is_product and not wire.sign and diagram.elements[wire.target].kind is ElementKind.GATE


def _best(diagram: Diagram) -> frozenset[str] | None:
    """The values whose join saves the most wires; the last ones by name where several are as good."""
    read = _readings(diagram)
    found: dict[frozenset[str], int] = {}
    for one, other in combinations(read.values(), 2):
        shared = one & other
        if len(shared) > 1:
            readers = sum(shared <= sources for sources in read.values())
            found[shared] = len(shared) * readers - len(shared) - readers
    return max(found, key=lambda shared: (found[shared], len(shared), sorted(shared)), default=None)


def _joined(diagram: Diagram, together: frozenset[str], readers: set[str], key: str) -> Diagram:
    """The diagram with some values in one line to some of their readers."""
    sources = [source for source in diagram.elements if source in together]
    wires, dots = _gathered(sources, key)
    for wire in diagram.wires:
        if wire.target in readers and wire.source in together:
            if wire.source == _first(diagram, wire.target, together):
                weights = [w.weight for w in diagram.into(wire.target) if w.source in together and w.weight]
                wires.append(Wire(dots[-1], wire.target, ", ".join(weights), "", True))
        else:
            wires.append(wire)
    order: dict[str, Element] = {}
    for one, element in diagram.elements.items():
        order[one] = element
        if one == sources[-1]:
            order |= {dot: Element(dot, ElementKind.JOIN, "") for dot in dots}
    return diagram.with_wires(Frozen(order), wires)


def _gathered(sources: list[str], key: str) -> tuple[list[Wire], list[str]]:
    """Wires into one join; into several, one after the other, where there are more than fit."""
    wires = [Wire(source, key) for source in sources[:_MOST_AT_JOIN]]
    dots, rest = [key], sources[_MOST_AT_JOIN:]
    while rest:
        dots.append(f"{key}.{len(dots) + 1}")
        wires += [Wire(dots[-2], dots[-1]), *(Wire(source, dots[-1]) for source in rest[: _MOST_AT_JOIN - 1])]
        rest = rest[_MOST_AT_JOIN - 1 :]
    return wires, dots


def _first(diagram: Diagram, target: str, together: Iterable[str]) -> str:
    return next(wire.source for wire in diagram.into(target) if wire.source in together)
