"""Arrays cut into tiles: rectangular pieces, each the size of one gate's weights.

A stacked weight of shape (4H, D) is four tiles of shape (H, D) under one another, a concatenated one of shape
(H, D + H) is two side by side, a bias packed as a row is a tile of one row.  This file knows lengths only, not what
they mean and not which tile belongs to which gate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import permutations, product
from math import prod

import numpy as np

from symrnn.arrays import Array, Arrays

Dims = tuple[int, ...]

# Pieces that one array is cut into, and positions of an axis taken one by one: gates of two layers in two directions
# are 16, and every further cut multiplies the guesses.
_MOST_PIECES = 32
# Unequal parts side by side: state, input and a second state are what is concatenated; a bias is one more row. Without
# a bound every length is a sum in very many ways.
_MOST_PARTS = 3


@dataclass(frozen=True, order=True)
class Span:
    """The positions start, start + step, ... before stop of one axis."""

    start: int
    stop: int
    step: int = 1

    @property
    def positions(self) -> range:
        """The positions."""
        return range(self.start, self.stop, self.step)

    def __len__(self) -> int:
        return len(self.positions)

    def text(self, length: int) -> str:
        """The span of an axis of this length, as an index is written."""
        if len(self) == 1:
            return str(self.start)
        if self.step > 1:
            return f"{self.start or ''}::{self.step}"
        return f"{self.start or ''}:{self.stop if self.stop < length else ''}"

    @property
    def slice(self) -> slice:
        """The span as an index."""
        return slice(self.start, self.stop, self.step)


@dataclass(frozen=True, order=True)
class Tile:
    """A piece of an array: one span per axis.

    Attributes:
        array: the array's name.
        spans: the positions along each axis.
        lead: axes that `read` puts in front, in this order: time and batch.  They do not count as the tile's own.
    """

    array: str
    spans: tuple[Span, ...]
    lead: tuple[int, ...] = ()

    @cached_property
    def own(self) -> tuple[int, ...]:
        """The axes of the tile itself: those along which it is longer than 1."""
        return tuple(a for a, span in enumerate(self.spans) if a not in self.lead and len(span) > 1)

    @cached_property
    def dims(self) -> Dims:
        """The lengths of its own axes."""
        return tuple(len(self.spans[axis]) for axis in self.own)

    def named(self, array: str) -> Tile:
        """The same tile of another array."""
        return Tile(array, self.spans, self.lead)

    def overlaps(self, other: Tile) -> bool:
        """Whether two tiles have numbers in common."""
        return self.array == other.array and all(
            set(a.positions).intersection(b.positions) for a, b in zip(self.spans, other.spans, strict=True)
        )

    def read(self, array: Array) -> Array:
        """The tile's numbers: leading axes, then its own."""
        piece = np.asarray(array)[self._index()]
        front = tuple(piece.shape[axis] for axis in self.lead)
        return piece.transpose(self._order).reshape(front + self.dims)

    def label(self, shape: Dims) -> str:
        """How the tile is written as a piece of its array: `W`, `W[:, 6:12]`, `W[2]`, `W[::4]`."""
        whole = [
            span == Span(0, length) or a in self.lead
            for a, (span, length) in enumerate(zip(self.spans, shape, strict=True))
        ]
        if all(whole):
            return self.array
        last = len(whole) - whole[::-1].index(False)
        written = [":" if whole[a] else self.spans[a].text(shape[a]) for a in range(last)]
        return f"{self.array}[{', '.join(written)}]"

    def write(self, array: Array, value: Array) -> None:
        """Put numbers into the tile's place; what `read` would return."""
        array[self._index()] = self._back(value)

    def add(self, array: Array, value: Array) -> None:
        """Add numbers in the tile's place."""
        array[self._index()] += self._back(value)

    def _index(self) -> tuple[slice, ...]:
        return tuple(slice(None) if axis in self.lead else span.slice for axis, span in enumerate(self.spans))

    @cached_property
    def _order(self) -> tuple[int, ...]:
        kept = (*self.lead, *self.own)
        return (*kept, *(axis for axis in range(len(self.spans)) if axis not in kept))

    def _back(self, value: Array) -> Array:
        order = self._order
        front = np.shape(value)[: len(self.lead)]
        whole = np.reshape(value, (*front, *self.dims, *[1] * (len(order) - len(front) - len(self.dims))))
        return whole.transpose(np.argsort(order)) if order else whole


def key(dims: Dims) -> Dims:
    """Tiles of the same key may be one another's transposes."""
    return tuple(sorted(dims))


# The same few shapes are cut for every frame and group of cells; cutting is the costly part of a search.
@lru_cache(maxsize=4096)
def cuts(
    shape: Dims, allowed: frozenset[Dims], lead: tuple[int, ...] = (), interleaved: bool = False
) -> tuple[tuple[Tile, ...], ...]:
    """The ways to cut a whole array into tiles, likely ones first; the tiles have no name yet.

    Args:
        shape: the array's shape.
        allowed: the keys that tiles may have.
        lead: axes that are time or batch and are not cut.
        interleaved: whether stacked gates alternate row by row, rather than following one another in blocks.
    """
    lengths = sorted({length for dims in allowed for length in dims})
    ways = [
        [(Span(0, length),)] if axis in lead else list(_axis_cuts(length, lengths, interleaved))
        for axis, length in enumerate(shape)
    ]
    found: dict[tuple[Tile, ...], None] = {}
    for choice in product(*ways):
        # The bound is of all axes together: each alone is bounded already.
        if prod(map(len, choice)) > _MOST_PIECES:
            continue
        tiles = tuple(Tile("", spans, lead) for spans in product(*choice))
        if all(key(tile.dims) in allowed for tile in tiles):
            found[tiles] = None
    return tuple(found)


def _axis_cuts(length: int, lengths: Collection[int], interleaved: bool) -> Iterator[tuple[Span, ...]]:
    """The ways to cut an axis: whole, into equal or unequal pieces (once or repeated), into single positions."""
    if length == 1 or length in lengths:
        yield (Span(0, length),)
    for piece in lengths:
        count, rest = divmod(length, piece) if piece else (0, 1)
        if rest == 0 and 2 <= count <= _MOST_PIECES:
            blocks = tuple(Span(k * piece, (k + 1) * piece) for k in range(count))
            yield tuple(Span(k, length, count) for k in range(count)) if interleaved else blocks
    # Concatenated weights may be stacked again, gate by gate, so the same parts may repeat.
    for count in range(1, _MOST_PIECES):
        for parts in concatenations(length // count, lengths) if length % count == 0 else ():
            ends = np.cumsum(parts * count).tolist()
            yield tuple(Span(end - part, end) for part, end in zip(parts * count, ends, strict=True))
    if 2 <= length <= _MOST_PIECES:
        yield tuple(Span(k, k + 1) for k in range(length))


def concatenations(length: int, lengths: Collection[int]) -> Iterator[Dims]:
    """Unequal parts that add up to a length, in every order; one part may be a single row, as of a packed bias."""
    parts = sorted({*lengths, 1} - {0}, reverse=True)
    for combination in _sums(length, parts, _MOST_PARTS + 1):
        if (
            len(set(combination)) > 1
            # A second single row would make every length a sum with any other.
            and combination.count(1) <= 1
            and len(combination) <= _MOST_PARTS + (1 in combination)
        ):
            yield from sorted(set(permutations(combination)))


def _sums(length: int, parts: list[int], most: int) -> Iterator[Dims]:
    if length == 0:
        yield ()
    if length <= 0 or not parts or not most:
        return
    first, *rest = parts
    if first <= length:
        for tail in _sums(length - first, parts, most - 1):
            yield (first, *tail)
    yield from _sums(length, rest, most)


def shapes(arrays: Arrays) -> dict[str, Dims]:
    """The shape of every array."""
    return {name: np.shape(array) for name, array in arrays.items()}
