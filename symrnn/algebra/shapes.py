"""Dimensions, and the inference of shapes by unification.

A shape is a tuple of sizes: () a scalar, (d_h) a vector, (d_h, d_x) a matrix.  A size is a sum such as d_h + d_x,
because `concat` adds sizes.  Every expression gets a `Slot` whose rank and sizes become known little by little;
`Constraint`s say how the slots of an operation hang together; `solve` runs them to the end.  This module knows sizes
only: not the cell language, and not SymPy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
        result = Size(constant=self.constant)
        for atom, count in self.terms:
            known = isinstance(atom, Unknown) and atom.value is not None
            result += (atom.value.resolved() if known else Size.of(atom)).times(count)  # type: ignore[union-attr]
        return result

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
    """

    label: Any
    sizes: Sizes | None = None
    origin: Any = ""
    parent: Slot | None = None

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
        return
    same = len(left.sizes) == len(right.sizes)
    if not same or not all(equate_sizes(x, y) for x, y in zip(left.sizes, right.sizes, strict=True)):
        raise Contradiction(where, f"{why}: {a.described()}; {b.described()}")
    right.parent = left


def settle(slot: Slot, sizes: Sizes, where: Any, why: str, origin: Any = None) -> None:
    """Say what a slot's shape is; `origin` (the place, if not said) is what messages name as its reason."""
    equate(slot, Slot("the operation", sizes, origin or where), where, why)


@dataclass
class Constraint:
    """How the slots of one operation hang together.

    Attributes:
        where: the place in the text, for messages; its `str` names it.
        out: the result.
        operands: what goes in, in order.
        done: whether nothing is left to learn from it.
    """

    where: Any
    out: Slot
    operands: Sequence[Slot]
    done: bool = field(default=False, init=False)

    def advance(self) -> None:
        """Learn what can be learned; set `done` when that is all."""
        raise NotImplementedError

    def assume(self, last_resort: bool) -> bool:
        """Take the usual reading where the equations leave a choice; False where there is none to take."""
        return False


class Elementwise(Constraint):
    """Operands of one shape, or scalars, which are repeated."""

    def advance(self) -> None:
        """Large operands share one shape, which is the result's."""
        why = "the shapes of an element-by-element operation differ"
        if self.out.rank == 0:
            for slot in self.operands:
                settle(slot, (), self.where, "a scalar is needed here")
        large = [slot for slot in self.operands if slot.rank]
        for slot in large:
            equate(slot, large[0], self.where, why)
        if large:
            equate(self.out, large[0], self.where, why)
        if all(slot.rank is not None for slot in self.operands):
            if not large:
                settle(self.out, (), self.where, "the operation gives a scalar")
            self.done = True

    def assume(self, last_resort: bool) -> bool:
        """Unknown operands are as large as the result."""
        if not (self.out.rank or last_resort):
            return False
        open_ones = [slot for slot in self.operands if slot.rank is None and slot.root is not self.out.root]
        for slot in open_ones:
            equate(slot, self.out, self.where, "the shapes of an element-by-element operation differ")
        return bool(open_ones)  # what is one already teaches nothing, and asking again would never end


class Same(Constraint):
    """A function of each entry: the result has the operand's shape."""

    def advance(self) -> None:
        """The two shapes are one."""
        equate(self.out, self.operands[0], self.where, "the value does not have the shape it must have")
        self.done = True


class MatrixProduct(Constraint):
    """NumPy's `@` on vectors and matrices."""

    def advance(self) -> None:
        """The inner sizes agree, the outer ones remain."""
        a, b = self.operands
        if a.rank is None or b.rank is None:
            return
        if 0 in (a.rank, b.rank):
            raise Contradiction(self.where, f"@ takes no scalars; use *: {a.described()}; {b.described()}")
        if not equate_sizes(a.dims[-1], b.dims[0]):
            inner = f"the inner sizes {a.dims[-1]} and {b.dims[0]} of @ differ"
            raise Contradiction(self.where, f"{inner}: {a.described()}; {b.described()}")
        settle(self.out, a.dims[:-1] + b.dims[1:], self.where, "the product does not have the shape it must have")
        self.done = True

    def assume(self, last_resort: bool) -> bool:
        """What meets a vector is a matrix, unless a scalar must come out."""
        a, b = self.operands
        if a.rank is None and b.rank is None:
            if last_resort:
                return self._vector(b) and self._matrix(a)
            return False
        unknown, known = (a, b) if a.rank is None else (b, a)
        if unknown.rank is not None:
            return False
        if known.rank == 1:  # W @ x and x @ W: a matrix, unless a scalar must come out
            return self._vector(unknown) if self.out.rank == 0 else self._matrix(unknown)
        if self.out.rank is not None:
            return self._vector(unknown) if self.out.rank == 1 else self._matrix(unknown)
        return last_resort and self._vector(unknown)

    def _vector(self, slot: Slot) -> bool:
        settle(slot, (Size.of(Unknown()),), self.where, "a vector is needed here")
        return True

    def _matrix(self, slot: Slot) -> bool:
        settle(slot, (Size.of(Unknown()), Size.of(Unknown())), self.where, "a matrix is needed here")
        return True


class MatrixTranspose(Constraint):
    """`.T` of a matrix; a vector has none, as in NumPy."""

    def advance(self) -> None:
        """The sizes change places."""
        (a,) = self.operands
        if a.rank is None and self.out.rank is None:
            return
        for slot in (a, self.out):
            if slot.rank not in (None, 2):
                raise Contradiction(self.where, f".T is for matrices; {slot.described()} (for v kᵀ write outer(v, k))")
        if a.rank is None:
            settle(a, self.out.dims[::-1], self.where, "a matrix is needed here")
        settle(self.out, a.dims[::-1], self.where, "the transpose does not have the shape it must have")
        self.done = True

    def assume(self, last_resort: bool) -> bool:
        """The operand is a matrix."""
        settle(self.operands[0], (Size.of(Unknown()), Size.of(Unknown())), self.where, "a matrix is needed here")
        return True


class Vectors(Constraint):
    """An operation on vectors: `result(sizes)` says what comes out of their sizes."""

    def result(self, sizes: Sizes) -> Sizes:
        """The shape that comes out."""
        raise NotImplementedError

    def advance(self) -> None:
        """Every operand is a vector."""
        if any(slot.rank is None for slot in self.operands):
            return
        for slot in self.operands:
            if slot.rank != 1:
                raise Contradiction(self.where, f"a vector is needed here; {slot.described()}")
        sizes = self.result(tuple(slot.dims[0] for slot in self.operands))
        settle(self.out, sizes, self.where, "the result does not have the shape it must have")
        self.done = True

    def assume(self, last_resort: bool) -> bool:
        """What is unknown is a vector."""
        for slot in self.operands:
            if slot.rank is None:
                settle(slot, (Size.of(Unknown()),), self.where, "a vector is needed here")
        return True


class Concatenation(Vectors):
    """Vectors one after another: the sizes add."""

    def result(self, sizes: Sizes) -> Sizes:
        """The sum of the sizes."""
        return (sum(sizes, Size()),)


class OuterProduct(Vectors):
    """v kᵀ."""

    def result(self, sizes: Sizes) -> Sizes:
        """The sizes of both vectors."""
        return sizes


class VectorMap(Vectors):
    """A function of a vector as a whole that gives a vector of the same size."""

    def result(self, sizes: Sizes) -> Sizes:
        """The vector's size."""
        return sizes


class Reduction(Constraint):
    """All entries to one scalar."""

    def advance(self) -> None:
        """The result is a scalar."""
        settle(self.out, (), self.where, "a sum over all entries is a scalar")
        self.done = self.operands[0].rank is not None

    def assume(self, last_resort: bool) -> bool:
        """What is summed is a vector."""
        if last_resort:
            settle(self.operands[0], (Size.of(Unknown()),), self.where, "a vector is needed here")
        return last_resort


def solve(constraints: Sequence[Constraint]) -> None:
    """Run the constraints until nothing more is learned, taking the usual reading where there is a choice.

    Raises:
        Contradiction: the constraints cannot all hold.
    """
    pending = list(constraints)
    while pending:
        before = _knowledge(pending)
        for constraint in pending:
            constraint.advance()
        pending = [constraint for constraint in pending if not constraint.done]
        if _knowledge(pending) != before:
            continue
        if not any(constraint.assume(False) for constraint in pending) and not any(
            constraint.assume(True) for constraint in pending
        ):
            return


def _knowledge(pending: Sequence[Constraint]) -> tuple[int, int]:
    slots = [slot for constraint in pending for slot in (constraint.out, *constraint.operands)]
    return len(pending), sum(slot.rank is not None for slot in slots)


def named(sizes: Sizes) -> Mapping[str, None]:
    """The names that occur in a shape, in order."""
    return {atom: None for size in sizes for atom, _ in size.resolved().terms if isinstance(atom, str)}
