"""How the shapes of an operation hang together: one kind of constraint per kind of operation.

A constraint learns from the slots whose rank is known.  What it learns depends on the ranks of its own slots and on
nothing else, so that `solving` asks it again only when one of these has become known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symrnn.algebra.shapes import Contradiction, Size, Sizes, Slot, Unknown, equate, equate_sizes, settle

_NOTHING = Size()


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
        # Only a scalar comes of scalars alone.
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
        # A scalar beside a vector is legal, but an operand of which nothing is known is meant to be as large.
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
                # W @ x is the product that cells are made of.
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
            # NumPy's .T of a vector is the vector itself, so that whoever writes it means something else.
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


@dataclass
class EqualPart(Constraint):
    """One of `count` equal parts of the rows of a vector or matrix."""

    count: int = 1

    def advance(self) -> None:
        """The whole has `count` times as many rows as a part."""
        (whole,) = self.operands
        if whole.rank is None and self.out.rank is None:
            return
        if whole.rank == 0:
            raise Contradiction(self.where, f"a scalar has no parts; {whole.described()}")
        if whole.rank is None:
            rows, *columns = _with_rows(self.out, self.where)
            settle(whole, (rows.times(self.count), *columns), self.where, "the whole does not have the shape needed")
        elif self.out.rank is None:
            settle(
                self.out, (Size.of(Unknown()), *whole.dims[1:]), self.where, "the part does not have the shape needed"
            )
        rows, *columns = _with_rows(self.out, self.where)
        # The whole as a multiple of the part, and never the other way round: sizes add and multiply, and are not
        # divided.
        if not equate_sizes(rows.times(self.count), whole.dims[0]):
            problem = f"{whole.described()}, which is not {self.count} parts of {rows}".replace(" of ?", "")
            raise Contradiction(self.where, problem)
        settle(self.out, (rows, *whole.dims[1:]), self.where, "the part does not have the shape it must have")
        self.done = True

    def assume(self, last_resort: bool) -> bool:
        """The whole is a vector."""
        settle(self.operands[0], (Size.of(Unknown()),), self.where, "a vector is needed here")
        return True


@dataclass
class Rows(Constraint):
    """The rows of a vector or matrix from `start` up to, not including, `stop`; up to the end where that is None.

    `furthest` says that no other rows of the same value are known to reach further.
    """

    start: Size = _NOTHING
    stop: Size | None = None
    furthest: bool = True

    def advance(self) -> None:
        """The number of rows is the difference."""
        (whole,) = self.operands
        if whole.rank is None and self.out.rank is None:
            return
        if whole.rank == 0:
            raise Contradiction(self.where, f"a scalar has no rows; {whole.described()}")
        if whole.rank is None:
            columns = _with_rows(self.out, self.where)[1:]
            settle(whole, (Size.of(Unknown()), *columns), self.where, "the whole does not have the shape needed")
        count = Size.of(Unknown()) if self.stop is None else self.stop + self.start.times(-1)
        settle(self.out, (count, *whole.dims[1:]), self.where, "the rows do not have the shape they must have")
        if self.stop is not None:
            # The whole may still turn out to be larger, so the rows say nothing of its size until the last resort.
            self.done = not whole.dims[0].unknowns
        elif equate_sizes(whole.dims[0], self.start + self.out.dims[0]):
            self.done = True
        else:
            raise Contradiction(self.where, f"{whole.described()}; there are no rows from {self.start} on")

    def assume(self, last_resort: bool) -> bool:
        """The whole is a vector, and ends with the furthest rows."""
        (whole,) = self.operands
        if whole.rank is None:
            settle(whole, (Size.of(Unknown()),), self.where, "a vector is needed here")
            return True
        if not (last_resort and self.furthest and self.stop is not None):
            return False
        self.done = True
        # Who cuts a value into parts uses it up: the part that reaches furthest ends where the value ends.
        return equate_sizes(whole.dims[0], self.stop)

    def verify(self) -> None:
        """Whether the rows are there, when everything is known.

        Raises:
            Contradiction: they are not.
        """
        (whole,) = self.operands
        behind = whole.dims[0] + (self.stop or self.start).times(-1)
        if not (behind.resolved() == Size() or behind.resolved().is_sum):
            asked = f"up to {self.stop}" if self.stop else f"from {self.start} on"
            raise Contradiction(self.where, f"{whole.described()}; it has no rows {asked}")


def _with_rows(slot: Slot, where: Any) -> Sizes:
    if not slot.rank:
        raise Contradiction(where, f"a vector or a matrix is needed here; {slot.described()}")
    return slot.dims


@dataclass
class AxisReduction(Constraint):
    """Along one axis of a matrix, to a vector; along that of a vector, to a scalar.

    Attributes:
        axis: 0, 1, or -1 for the last one.
    """

    axis: int = 0

    def advance(self) -> None:
        """The axis goes."""
        (a,) = self.operands
        if a.rank is None:
            return
        axis = _axis(self, a, self.axis)
        rest = (*a.dims[:axis], *a.dims[axis + 1 :])
        settle(self.out, rest, self.where, "the result does not have the shape it must have")
        self.done = True

    def assume(self, last_resort: bool) -> bool:
        """What has axes is a matrix."""
        if last_resort and self.operands[0].rank is None:
            settle(self.operands[0], (Size.of(Unknown()), Size.of(Unknown())), self.where, "a matrix is needed here")
            return True
        return False


@dataclass
class AxisMap(AxisReduction):
    """Along one axis, to a value of the same shape."""

    def advance(self) -> None:
        """The shape stays."""
        (a,) = self.operands
        if a.rank is None:
            return
        _axis(self, a, self.axis)
        equate(self.out, a, self.where, "the value does not have the shape it must have")
        self.done = True


def _axis(self: Constraint, slot: Slot, axis: int) -> int:
    rank = len(slot.dims)
    if not -rank <= axis < rank:
        raise Contradiction(self.where, f"there is no axis {axis}; {slot.described()}")
    return axis % rank


@dataclass
class Spread(Constraint):
    """A vector in every column (axis 1) or every row (axis 0) of a matrix, whose other size something else tells.

    Attributes:
        axis: where copies stand side by side.
    """

    axis: int = 0

    def advance(self) -> None:
        """One size is the vector's."""
        (v,) = self.operands
        if v.rank is None:
            settle(v, (Size.of(Unknown()),), self.where, "a vector is needed here")
        if v.rank != 1:
            raise Contradiction(self.where, f"a vector is needed here; {v.described()}")
        free = Size.of(Unknown())
        sizes = (v.dims[0], free) if self.axis == 1 else (free, v.dims[0])
        settle(self.out, sizes, self.where, "the value does not have the shape it must have")
        self.done = True
