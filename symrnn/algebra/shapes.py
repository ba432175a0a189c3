"""Dimensions, and shapes that become known by unification.

A shape is a tuple of sizes: () a scalar, (d_h) a vector, (d_h, d_x) a matrix.  A size is a sum such as d_h + d_x,
because `concat` adds sizes.  Every expression gets a `Slot` whose rank and sizes become known little by little; how the
slots of an operation hang together is said in `constraints`.  This module knows sizes only: not the cell language, and
not SymPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Contradiction(Exception):
    """Two shapes that must agree do not; carries the constraint's place and a sentence."""

    def __init__(self, where: Any, sentence: str) -> None:
        self.where = where
        super().__init__(sentence)


@dataclass(eq=False)
class Unknown:
    """A size that is not known yet; `value` is set when it is."""

    value: Size | None = None


Atom = str | Unknown


@dataclass(frozen=True)
class Size:
    """A sum of whole multiples of named (or unknown) sizes, and a number."""

    terms: tuple[tuple[Atom, int], ...] = ()
    constant: int = 0

    @staticmethod
    def of(atom: Atom) -> Size:
        """The size with this name."""
        return Size(((atom, 1),))

    @staticmethod
    def collect(terms: Iterable[tuple[Atom, int]], constant: int) -> Size:
        """Add up multiples; those that cancel go."""
        sums: dict[Atom, int] = {}
        for atom, count in terms:
            sums[atom] = sums.get(atom, 0) + count
        return Size(tuple((atom, count) for atom, count in sums.items() if count), constant)

    def __add__(self, other: Size) -> Size:
        return Size.collect([*self.terms, *other.terms], self.constant + other.constant)

    def times(self, factor: int) -> Size:
        """A whole multiple."""
        return Size.collect([(atom, count * factor) for atom, count in self.terms], self.constant * factor)

    def resolved(self) -> Size:
        """The same size with every known value put in."""
        size = self
        while any(isinstance(atom, Unknown) and atom.value is not None for atom, _ in size.terms):
            for atom, _ in size.terms:
                if isinstance(atom, Unknown) and atom.value is not None:
                    atom.value = atom.value._substituted()  # so a long chain is walked once, not every time
            size = size._substituted()
        return size

    def _substituted(self) -> Size:
        """The same size with the known values put in as they stand."""
        terms: list[tuple[Atom, int]] = []
        constant = self.constant
        for atom, count in self.terms:
            value = atom.value if isinstance(atom, Unknown) else None
            if value is None:
                terms.append((atom, count))
            else:
                terms += [(inner, count * n) for inner, n in value.terms]
                constant += count * value.constant
        return Size.collect(terms, constant)

    @property
    def is_sum(self) -> bool:
        """Whether it is a size that something can have: nothing is subtracted, and it is not zero."""
        return self.constant >= 0 and all(count > 0 for _, count in self.terms) and bool(self.terms or self.constant)

    @property
    def unknowns(self) -> list[Unknown]:
        """What is still unknown in it."""
        return [atom for atom, _ in self.resolved().terms if isinstance(atom, Unknown)]

    def __str__(self) -> str:
        size = self.resolved()
        if size.unknowns and not size.is_sum:  # a difference with something unknown says nothing to a reader
            return "?"
        parts = [
            ("?" if isinstance(atom, Unknown) else atom)
            if count == 1
            else f"{count}*{'?' if isinstance(atom, Unknown) else atom}"
            for atom, count in size.terms
        ]
        if size.constant or not parts:
            parts.append(str(size.constant))
        return " + ".join(parts)


Sizes = tuple[Size, ...]


@dataclass(eq=False)
class Slot:
    """The shape of one expression, as far as it is known.  Slots that must be equal share one root.

    Attributes:
        label: what has the shape, for messages; its `str` is shown.
        sizes: the shape, or None.
        origin: where the shape comes from.
        parent: the slot that holds the shape in its place.
        watchers: what to call once, when the shape becomes known; kept where the shape is going to be.
    """

    label: Any
    sizes: Sizes | None = None
    origin: Any = ""
    parent: Slot | None = None
    watchers: list[Callable[[], None]] = field(default_factory=list)

    @property
    def root(self) -> Slot:
        """The slot that holds the shape."""
        root = self
        while root.parent is not None:
            root = root.parent
        slot = self
        while slot.parent is not None and slot.parent is not root:  # the next question finds it in one step
            step, slot.parent = slot.parent, root
            slot = step
        return root

    @property
    def rank(self) -> int | None:
        """0, 1 or 2, or None while it is not known."""
        sizes = self.root.sizes
        return None if sizes is None else len(sizes)

    @property
    def dims(self) -> Sizes:
        """The sizes; only asked for when the rank is known."""
        sizes = self.root.sizes
        assert sizes is not None
        return sizes

    def __str__(self) -> str:
        sizes = self.root.sizes
        return "an unknown shape" if sizes is None else f"({', '.join(str(size) for size in sizes)})"

    def described(self) -> str:
        """Label, shape, and where the shape comes from."""
        label, origin = str(self.label), str(self.root.origin)
        return f"{label} has shape {self}" + (f", as {origin}" if origin not in ("", label) else "")


def equate_sizes(a: Size, b: Size) -> bool:
    """Make two sizes equal by solving for an unknown; False where they differ."""
    difference = (a + b.times(-1)).resolved()
    if not difference.terms:
        return difference.constant == 0
    unknowns = [(atom, count) for atom, count in difference.terms if isinstance(atom, Unknown)]
    for atom, count in unknowns:
        rest = [(other, n) for other, n in difference.terms if other is not atom]
        if any(n % count for _, n in rest) or difference.constant % count:
            continue
        solution = Size.collect([(other, -n // count) for other, n in rest], -difference.constant // count)
        # While other sizes are open, one may be a difference: whoever reads it last sees whether it became a sum.
        if len(unknowns) > 1 or solution.is_sum:
            atom.value = solution
            return True
    return False


def equate(a: Slot, b: Slot, where: Any, why: str) -> None:
    """Make two slots the same shape.

    Raises:
        Contradiction: their ranks or sizes differ.
    """
    left, right = a.root, b.root
    if left is right:
        return
    if left.sizes is None or right.sizes is None:
        unknown, known = (left, right) if left.sizes is None else (right, left)
        unknown.parent = known
        if not known.origin:
            known.origin = unknown.origin
        _tell(unknown, known)
        return
    same = len(left.sizes) == len(right.sizes)
    if not same or not all(equate_sizes(x, y) for x, y in zip(left.sizes, right.sizes, strict=True)):
        raise Contradiction(where, f"{why}: {a.described()}; {b.described()}")
    right.parent = left


def _tell(unknown: Slot, known: Slot) -> None:
    """Call those who wait for a shape, or let them wait where it is going to be."""
    waiting, unknown.watchers = unknown.watchers, []
    if known.sizes is not None:
        for call in waiting:
            call()
        return
    more, fewer = (waiting, known.watchers) if len(waiting) > len(known.watchers) else (known.watchers, waiting)
    more.extend(fewer)  # moving the fewer ones keeps the work small however long the chain of slots is
    known.watchers = more


def settle(slot: Slot, sizes: Sizes, where: Any, why: str, origin: Any = None) -> None:
    """Say what a slot's shape is; `origin` (the place, if not said) is what messages name as its reason."""
    equate(slot, Slot("the operation", sizes, origin or where), where, why)


def named(sizes: Sizes) -> Mapping[str, None]:
    """The names that occur in a shape, in order."""
    return {atom: None for size in sizes for atom, _ in size.resolved().terms if isinstance(atom, str)}
