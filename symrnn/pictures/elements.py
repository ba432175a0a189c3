"""A diagram as data: what is drawn, and what is joined to what, before anything has a place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from symrnn.freezing import Frozen


class ElementKind(StrEnum):
    """How an element is drawn, and with it where it may stand."""

    INPUT = "input"
    BEFORE = "before"
    AFTER = "after"
    OUTPUT = "output"
    PARAMETER = "parameter"
    GATE = "gate"
    BOX = "box"
    CIRCLE = "circle"
    JOIN = "join"

    @property
    def is_text(self) -> bool:
        """Whether it is a name without a frame."""
        return self in _TEXTS

    @property
    def is_border(self) -> bool:
        """Whether it stands outside of the cell's frame."""
        return self in _TEXTS and self is not ElementKind.PARAMETER


_TEXTS = frozenset(
    {ElementKind.INPUT, ElementKind.BEFORE, ElementKind.AFTER, ElementKind.OUTPUT, ElementKind.PARAMETER}
)


@dataclass(frozen=True)
class Element:
    """One thing that is drawn.

    Attributes:
        key: its identifier; that of a variable where it is the variable's value.
        kind: how it is drawn.
        label: LaTeX of what is written in it.
        name: LaTeX of the variable that is written beside it; empty where there is none.
        says: what it computes, in plain text.
    """

    key: str
    kind: ElementKind
    label: str
    name: str = ""
    says: str = ""


@dataclass(frozen=True)
class Wire:
    """A value on its way from the element that computes it to one that reads it.

    Attributes:
        source: key of the element that it comes from.
        target: key of the element that reads it.
        weight: LaTeX of the parameters that it is multiplied by on the way; empty where there are none.
        sign: what stands at its tip where that matters: a minus, a division sign, an exponent.
        is_product: whether the weight is a matrix, so that entries are mixed.
    """

    source: str
    target: str
    weight: str = ""
    sign: str = ""
    is_product: bool = False

    def with_another(self, other: Wire) -> Wire:
        """One wire for two that bring the same value to the same element, each with its weight."""
        weight = ", ".join(w for w in (self.weight, other.weight) if w)
        sign = self.sign if self.sign == other.sign else ""
        return replace(self, weight=weight, sign=sign, is_product=self.is_product or other.is_product)


@dataclass(frozen=True)
class Diagram:
    """Elements in an order in which each comes after those that it reads, and the wires between them.

    Attributes:
        elements: key -> element.
        wires: the wires, in the order in which the equations read the values.
        states: name of a state -> keys of its ends (at t-1, at t).
    """

    elements: Mapping[str, Element]
    wires: tuple[Wire, ...]
    states: Mapping[str, tuple[str, str]] = field(default_factory=lambda: Frozen({}))

    def __post_init__(self) -> None:
        order = {key: place for place, key in enumerate(self.elements)}
        for wire in self.wires:
            if wire.source not in order or wire.target not in order:
                raise ValueError(f"a wire from {wire.source} to {wire.target}: there is no such element")
            if order[wire.source] >= order[wire.target]:
                raise ValueError(f"{wire.target} reads {wire.source}, which comes after it")

    def into(self, key: str) -> tuple[Wire, ...]:
        """The wires that end at an element."""
        return tuple(wire for wire in self.wires if wire.target == key)

    def out_of(self, key: str) -> tuple[Wire, ...]:
        """The wires that begin at an element."""
        return tuple(wire for wire in self.wires if wire.source == key)

    def along(self, state: str, way: tuple[str, ...]) -> frozenset[Wire]:
        """The wires from one end of a state to the other that run through these elements, in order."""
        start, end = self.states[state]
        pairs = set(zip((start, *way), (*way, end), strict=True))
        return frozenset(wire for wire in self.wires if (wire.source, wire.target) in pairs)

    def reached_from(self, keys: Iterable[str]) -> frozenset[str]:
        """These elements, and all that read them."""
        found = set(keys)
        for key in self.elements:
            if any(wire.source in found for wire in self.into(key)):
                found.add(key)
        return frozenset(found)

    def reaching(self, keys: Iterable[str]) -> frozenset[str]:
        """These elements, and all that they read."""
        found = set(keys)
        for key in reversed(list(self.elements)):
            if any(wire.target in found for wire in self.out_of(key)):
                found.add(key)
        return frozenset(found)

    def with_wires(self, elements: Mapping[str, Element], wires: Iterable[Wire]) -> Diagram:
        """The same states with other elements and wires."""
        return replace(self, elements=elements, wires=tuple(wires))
