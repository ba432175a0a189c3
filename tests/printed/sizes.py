"""How large the ones, identities and zeros of a printed formula are: what its neighbours, or a subscript, say.

Every part of a formula has two sizes.  Terms, and factors entry by entry, have the same; neighbours in a product meet;
a number or a scalar is repeated as needed.  Ones are a column beside other factors, and a term as large as the others.
A formula in which a size stays open, or has two values, cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod

from symrnn.algebra.functions import FUNCTIONS
from tests.printed.reading import Node, UnreadableError

Shape = tuple[int, int]


class Size:
    """A number that may not be known yet; joined ones are the same."""

    def __init__(self, value: int | None = None) -> None:
        self._value, self._joined = value, self

    @property
    def _root(self) -> Size:
        root = self
        while root._joined is not root:
            root = root._joined
        return root

    @property
    def value(self) -> int | None:
        return self._root._value

    @property
    def known(self) -> int:
        if self.value is None:
            raise UnreadableError("nothing tells the size of ones, of an identity or of zeros")
        return self.value

    def settle(self, value: int) -> None:
        if self.value not in (None, value):
            raise UnreadableError(f"a size is {self.value} and {value}")
        self._root._value = value

    def join(self, other: Size) -> None:
        mine, theirs = self._root, other._root
        if mine is theirs:
            return
        if mine._value is None:
            mine, theirs = theirs, mine
        if theirs._value is not None:
            mine.settle(theirs._value)
        theirs._joined = mine


@dataclass(frozen=True)
class Part:
    """A part of a formula.

    Attributes:
        rows: its rows.
        cols: its columns.
        build: the part with all sizes, once they are known.
        is_scalar: whether it is a number or a scalar, which goes with any shape.
        is_ones: whether it is made of ones, numbers and scalars.
    """

    rows: Size
    cols: Size
    build: Callable[[], Node]
    is_scalar: bool = False
    is_ones: bool = False

    def join(self, other: Part) -> None:
        self.rows.join(other.rows)
        self.cols.join(other.cols)


def sized(tree: Node, shape_of: Callable[[str], Shape], number_of: Callable[[Node], int], shape: Shape) -> Node:
    """The formula with every size written into it.

    Args:
        tree: the formula.
        shape_of: the shape of what a printed name stands for.
        number_of: the value of a formula of sizes.
        shape: that of the left side.

    Raises:
        UnreadableError: a size is open, or has two values.
    """
    reading = _Reading(shape_of, number_of)
    whole = reading.part(tree)
    if not whole.is_scalar:
        whole.rows.join(Size(shape[0]))
        whole.cols.join(Size(shape[1]))
    reading.solve()
    return whole.build()


class _Reading:
    def __init__(self, shape_of: Callable[[str], Shape], number_of: Callable[[Node], int]) -> None:
        self.shape_of, self.number_of = shape_of, number_of
        self.composed: list[tuple[Callable[..., int], Size, list[Size]]] = []
        self.columns: list[Size] = []
        self.blocks: list[tuple[Size, Size]] = []

    def part(self, tree: Node) -> Part:
        return _RULES[tree.kind](self, tree)

    def inside(self, tree: Node) -> Part:
        """A part among others, where ones are a column and 0 has a size."""
        if tree == _ZERO:
            return self._zeros(tree, ())
        part = self.part(tree)
        if part.is_ones:
            part.cols.settle(1)
        return part

    def solve(self) -> None:
        """What follows from sums and products of sizes.

        Where nothing tells more, zeros in a stack are as large as the identity there; other
        zeros, and ones, are columns.
        """
        self._propagate()
        for zeros, identity in self.blocks:
            if zeros.value is None and identity.value is not None:
                zeros.settle(identity.value)
                self._propagate()
        for cols in self.columns:
            if cols.value is None:
                cols.settle(1)
                self._propagate()

    def _compose(self, combine: Callable[..., int], whole: Size, pieces: list[Size]) -> None:
        """A size is the sum or product of others; where these are known it is known at once."""
        self.composed.append((combine, whole, pieces))
        if all(size.value is not None for size in pieces):
            whole.settle(combine([size.known for size in pieces]))

    def _propagate(self) -> None:
        waiting = None
        while waiting != (waiting := [c for c in self.composed if any(size.value is None for size in (c[1], *c[2]))]):
            for combine, whole, pieces in waiting:
                known = [size.value for size in pieces if size.value is not None]
                still_open = [size for size in pieces if size.value is None]
                if not still_open:
                    whole.settle(combine(known))
                elif len(still_open) == 1 and whole.value is not None:
                    rest = whole.value - sum(known) if combine is sum else whole.value // max(1, prod(known))
                    still_open[0].settle(rest)
        for combine, whole, pieces in self.composed:
            if all(size.value is not None for size in (whole, *pieces)):
                whole.settle(combine([size.known for size in pieces]))

    # --- rules ---

    def _fixed(self, tree: Node, shape: Shape) -> Part:
        return Part(Size(shape[0]), Size(shape[1]), lambda: tree, is_scalar=shape == (1, 1))

    def _entrywise(self, parts: Mapping[int, Part], build: Callable[[], Node]) -> Part:
        """Same shapes; numbers and scalars are repeated."""
        others = [part for part in parts.values() if not part.is_scalar]
        for a, b in pairwise(others):
            a.join(b)
        if not others:
            return Part(Size(1), Size(1), build, is_scalar=True)
        return replace(others[0], build=build, is_ones=all(part.is_ones for part in others))

    def _of_all(self, tree: Node) -> Part:
        parts = {n: self.part(part) for n, part in enumerate(tree.parts)}
        return self._entrywise(parts, lambda: Node(tree.kind, tuple(part.build() for part in parts.values())))

    def _product(self, tree: Node) -> Part:
        parts = [self.part(part) for part in tree.parts]
        build = lambda: Node("product", tuple(part.build() for part in parts))  # noqa: E731
        others = [part for part in parts if not part.is_scalar]
        if len(others) < 2:
            return replace(others[0], build=build) if others else Part(Size(1), Size(1), build, is_scalar=True)
        for part in others:
            if part.is_ones:
                part.cols.settle(1)
        for a, b in pairwise(others):
            a.cols.join(b.rows)
        first, last = others[0].rows, others[-1].cols
        return Part(first, last, build, is_scalar=(first.value, last.value) == (1, 1))

    def _beside(self, tree: Node) -> Part:
        """Side by side in a notation without a sign: two columns, or two rows, are multiplied entry by entry."""
        parts = [self.part(part) for part in tree.parts]
        runs: list[tuple[Node, Part]] = []
        for source, part in zip(tree.parts, parts, strict=True):
            before = runs[-1][1] if runs else None
            if before is not None and _are_alike(before, part):
                joined = Node("times", (runs[-1][0], source))
                runs[-1] = joined, self.part(joined)
            else:
                runs.append((source, part))
        return self._product(Node("product", tuple(source for source, _ in runs))) if len(runs) > 1 else runs[0][1]

    def _inner(self, tree: Node) -> Part:
        return Part(Size(1), Size(1), self._of_all(tree).build, is_scalar=True)

    def _kronecker(self, tree: Node) -> Part:
        parts = [self.inside(part) for part in tree.parts]
        whole = Part(Size(), Size(), lambda: Node("kronecker", tuple(part.build() for part in parts)))
        self._compose(prod, whole.rows, [part.rows for part in parts])
        self._compose(prod, whole.cols, [part.cols for part in parts])
        return whole

    def _transposed(self, tree: Node) -> Part:
        part = self.inside(tree.parts[0])
        return Part(part.cols, part.rows, lambda: Node("transposed", (part.build(),)), part.is_scalar)

    def _call(self, tree: Node) -> Part:
        name, arguments = tree.parts
        entrywise = name in FUNCTIONS
        parts = {n: (self.part if entrywise else self.inside)(argument) for n, argument in enumerate(arguments)}
        build = lambda: Node("call", (name, tuple(part.build() for part in parts.values())))  # noqa: E731
        if entrywise:
            return self._entrywise(parts, build)
        (part,) = parts.values()
        if name == "diag":
            return Part(part.rows, part.rows, build)
        if name == "vec":
            rows = Size()
            self._compose(prod, rows, [part.rows, part.cols])
            return Part(rows, Size(1), build)
        return replace(part, build=build, is_ones=False)

    def _stack(self, tree: Node) -> Part:
        parts = [self.inside(part) for part in tree.parts]
        for a, b in pairwise(parts):
            a.cols.join(b.cols)
        identities = [part.rows for part, source in zip(parts, tree.parts, strict=True) if source.kind == "identity"]
        zeros = [part.rows for part, source in zip(parts, tree.parts, strict=True) if source == _ZERO]
        self.blocks += [(block, identities[0]) for block in zeros if identities]
        rows = Size()
        self._compose(sum, rows, [part.rows for part in parts])
        return Part(rows, parts[0].cols, lambda: Node("stack", tuple(part.build() for part in parts)))

    def _slice(self, tree: Node) -> Part:
        part, (start, stop) = self.inside(tree.parts[0]), map(self.number_of, tree.parts[1:])
        return Part(Size(stop - start + 1), part.cols, lambda: Node("slice", (part.build(), *tree.parts[1:])))

    def _commutation(self, tree: Node) -> Part:
        size = Size(prod(map(self.number_of, tree.parts)))
        return Part(size, size, lambda: tree)

    def _ones(self, tree: Node) -> Part:
        rows, cols = self._said(tree.parts, square=False)
        if not tree.parts:
            self.columns.append(cols)
        return Part(rows, cols, lambda: Node("ones", (rows.known, cols.known)), is_ones=not tree.parts)

    def _identity(self, tree: Node) -> Part:
        size, _ = self._said(tree.parts, square=True)
        return Part(size, size, lambda: Node("identity", (size.known,)))

    def _zeros(self, tree: Node, parts: tuple[Node, ...] | None = None) -> Part:
        rows, cols = self._said(tree.parts if parts is None else parts, square=False)
        self.columns.append(cols)
        return Part(rows, cols, lambda: Node("zeros", (rows.known, cols.known)))

    def _said(self, subscript: tuple[Node, ...], square: bool) -> tuple[Size, Size]:
        """The sizes that a subscript says; one alone is that of a column, or of a square."""
        numbers = [self.number_of(part) for part in subscript]
        if not numbers:
            return Size(), Size()
        return Size(numbers[0]), Size(numbers[1] if len(numbers) == 2 else numbers[0] if square else 1)


def _are_alike(a: Part, b: Part) -> bool:
    """Whether both are columns, or both rows, of more than one entry."""
    sides = [
        (a.cols.value, b.cols.value, a.rows.value, b.rows.value),
        (a.rows.value, b.rows.value, a.cols.value, b.cols.value),
    ]
    return any((one, other) == (1, 1) and 1 not in long for one, other, *long in sides)


_ZERO = Node("number", (0.0,))

_RULES: Mapping[str, Callable[[_Reading, Node], Part]] = {
    "name": lambda self, tree: self._fixed(tree, self.shape_of(tree.parts[0])),
    "number": lambda self, tree: self._fixed(tree, (1, 1)),
    "sum": _Reading._of_all,
    "over time": _Reading._of_all,
    "negative": _Reading._of_all,
    "times": _Reading._of_all,
    "by": _Reading._of_all,
    "product": _Reading._product,
    "beside": _Reading._beside,
    "kronecker": _Reading._kronecker,
    "inner": _Reading._inner,
    "transposed": _Reading._transposed,
    "power": _Reading._of_all,
    "call": _Reading._call,
    "stack": _Reading._stack,
    "slice": _Reading._slice,
    "commutation": _Reading._commutation,
    "ones": _Reading._ones,
    "identity": _Reading._identity,
    "zeros": _Reading._zeros,
}
