"""A cell at chosen sizes as a function of its tiles, run by its own definition: what callables are held to."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, permutations, product
from typing import Any

import numpy as np
import sympy

from symrnn.algebra.evaluate import ShapesAtSizes, at_sizes
from symrnn.algebra.functions import GATES
from symrnn.algebra.nodes import is_column, is_scalar
from symrnn.arrays import Array, Arrays
from symrnn.budget import go_on
from symrnn.errors import InputError
from symrnn.identification.slips import CellSlip, slips
from symrnn.identification.tiles import Dims, Span, Tile, key
from symrnn.language.evaluate import run
from symrnn.language.recurrence import Cell

Course = Arrays
"""State -> its values (T + 1, ...), the initial one first."""

# Sizes besides those of input and first state. All lengths that occur are tried for each, so every further one
# multiplies the candidates by some ten.
_MOST_FREE_SIZES = 2
# Of so many vectors every group may be one; the groups double with each.
_MOST_ALIKE = 5


@dataclass(frozen=True)
class SizedCell:
    """A cell at chosen sizes, cut into tiles.

    Attributes:
        cell: the cell.
        sizes: name and number of every size.
        orders: for every axis that is a sum of sizes, the order of its parts.
    """

    cell: Cell = field(repr=False)
    sizes: tuple[tuple[str, int], ...]
    orders: tuple[tuple[Any, tuple[Any, ...]], ...] = ()

    @cached_property
    def shapes(self) -> Mapping[str, Dims]:
        """The shape of every input, parameter and state, as the definition takes it."""
        shape_of = ShapesAtSizes(dict(self.sizes)).in_text
        return {
            name: shape_of(self.cell[name]) for name in (*self.cell.inputs, *self.cell.parameters, *self.cell.states)
        }

    @cached_property
    def state_dims(self) -> Mapping[str, Dims]:
        """The shape of every state, without axes of length 1."""
        return {name: tuple(n for n in self.shapes[name] if n > 1) for name in self.cell.states}

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """The tiles of all parameters, in their order."""
        return tuple(tile for name in self.cell.parameters for tile in self._tiles(name))

    @cached_property
    def keys(self) -> frozenset[Dims]:
        """The keys of its tiles."""
        return frozenset(key(tile.dims) for tile in self.tiles)

    @cached_property
    def state_keys(self) -> frozenset[Dims]:
        """The keys of its states."""
        return frozenset(key(dims) for dims in self.state_dims.values())

    @cached_property
    def counts(self) -> Mapping[Dims, int]:
        """How many matrix tiles it has of each key."""
        return count_matrices(tile.dims for tile in self.tiles)

    def _tiles(self, name: str) -> Iterator[Tile]:
        axes = [self._spans(dim) for dim in self.cell[name].shape[: len(self.shapes[name])]]
        yield from (Tile(name, spans) for spans in product(*axes))

    def _spans(self, dim: Any) -> list[Span]:
        parts = dict(self.orders).get(dim, (dim,))
        ends = np.cumsum([int(at_sizes(part, dict(self.sizes))) for part in parts]).tolist()
        return [Span(start, end) for start, end in zip([0, *ends], ends, strict=False)]


@dataclass(frozen=True)
class Candidate:
    """A cell at chosen sizes, perhaps with signs and offsets that a callable may have built in.

    Attributes:
        sized: the cell and its tiles.
        negated: parameters that the callable holds with the opposite sign.
        raised: parameters to which the callable adds 1 when it runs.
        doubled: vectors that the callable adds twice.
        shared: groups of vectors that are one in the callable; it holds the first of each group.
        slip: one change of the definition.
    """

    sized: SizedCell
    negated: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    slip: CellSlip | None = None
    doubled: tuple[str, ...] = ()
    shared: tuple[tuple[str, ...], ...] = ()

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.sized.cell

    def parameters(self, values: Mapping[Tile, Array]) -> dict[str, Array]:
        """The cell's parameters when its tiles have these values in the callable's arrays."""
        arrays = {name: np.zeros(self.sized.shapes[name]) for name in self.cell.parameters}
        for tile, value in values.items():
            tile.write(arrays[tile.array], value)
        return self.adjusted(arrays)

    def adjusted(self, arrays: Arrays) -> dict[str, Array]:
        """Parameters with the callable's signs, offsets and multiples put in."""
        held = dict(arrays)
        for first, *others in self.shared:
            held |= dict.fromkeys(others, held[first])
        # The 1 is added after the sign, as programs do with a forget bias.
        return {name: self.sign(name) * array + (name in self.raised) for name, array in held.items()}

    def unadjusted(self, arrays: Arrays) -> dict[str, Array]:
        """Parameters as the callable holds them: the inverse of `adjusted`.

        Raises:
            InputError: the callable has one vector for several that differ.
        """
        held = {name: (array - (name in self.raised)) / self.sign(name) for name, array in arrays.items()}
        for first, *others in self.shared:
            if any(np.any(held[name] != held[first]) for name in others):
                names = ", ".join((first, *others))
                raise InputError(f"{names}: the callable has one vector for all of them\n  they must be equal")
            held |= {name: np.zeros_like(held[name]) for name in others}
        return held

    def sign(self, name: str) -> int:
        """What the callable multiplies a parameter by."""
        return (-1 if name in self.negated else 1) * (2 if name in self.doubled else 1)

    @property
    def followers(self) -> frozenset[str]:
        """The parameters for which the callable has no vector of their own."""
        return frozenset(name for group in self.shared for name in group[1:])

    def merged(self) -> Iterator[Candidate]:
        """The same cell with a vector that is added twice, or with one vector for several."""
        groups: dict[Dims, list[str]] = {}
        for name in self.cell.parameters:
            if len(self.sized.shapes[name]) == 1:
                groups.setdefault(self.sized.shapes[name], []).append(name)
        vectors = [name for names in groups.values() for name in names]
        yield from (replace(self, doubled=(name,)) for name in vectors)
        # Programs with two biases per gate, tied to one array, add all of them twice.
        if len(vectors) > 1:
            yield replace(self, doubled=tuple(vectors))
        for names in groups.values():
            alike = names[:_MOST_ALIKE]
            groups_of = [group for n in range(len(alike), 1, -1) for group in combinations(alike, n)]
            yield from (replace(self, shared=(group,)) for group in groups_of)
            # Two groups at most: a bias shared by some gates and another shared by the rest.
            apart = (two for two in combinations(groups_of, 2) if set(two[0]).isdisjoint(two[1]))
            yield from (replace(self, shared=two) for two in apart)

    def course(self, parameters: Arrays, x: Array, initial: Arrays) -> Course:
        """Run the definition over one example.

        Args:
            parameters: the cell's parameters.
            x: (T, D).
            initial: the states before the first step; zeros where missing.
        """
        go_on()  # every way to look for a cell runs it
        states = {name: np.zeros(self.sized.shapes[name]) for name in self.cell.states}
        states |= {name: np.reshape(value, states[name].shape) for name, value in initial.items()}
        kept = {name: [value] for name, value in states.items()}
        (x_name,) = self.cell.inputs
        definition = self.slip.definition if self.slip else self.cell.syntax
        # A wrong guess may overflow; what is not finite loses the comparison, and a warning would tell nobody anything.
        with np.errstate(all="ignore"):
            for x_t in x:
                # Slips read old states under these names even where the cell itself never does.
                before = {f"{name}_prev": value for name, value in states.items()}
                names = run(definition, {**parameters, **states, **before, x_name: x_t})
                states = {name: names[name] for name in states}
                for name, value in states.items():
                    kept[name].append(value)
        return {
            name: np.stack(values).reshape(len(x) + 1, *self.sized.state_dims[name]) for name, values in kept.items()
        }

    def variants(self) -> Iterator[Candidate]:
        """The same cell with one gate's sign turned round, or with 1 added to one vector at run time."""
        for names in _gates(self.cell):
            yield replace(self, negated=names)
        for name in self.cell.parameters:
            if len(self.sized.shapes[name]) == 1:
                yield replace(self, raised=(name,))

    def slipped(self) -> Iterator[Candidate]:
        """The same cell with one slip in its definition."""
        for slip in slips(self.cell):
            changed = replace(self, slip=slip)
            if changed._fits:
                yield changed

    @cached_property
    def _fits(self) -> bool:
        """Whether the definition can be run: a slip may not fit the sizes."""
        shapes = self.sized.shapes
        parameters = {name: np.zeros(shapes[name]) for name in self.cell.parameters}
        try:
            self.course(parameters, np.zeros((1, *shapes[self.cell.inputs[0]])), {})
        except ValueError:
            return False
        return True


def count_matrices(dims: Iterable[Dims]) -> dict[Dims, int]:
    """How many matrices there are of each key."""
    counts: dict[Dims, int] = {}
    for own in dims:
        if len(own) == 2:
            counts[key(own)] = counts.get(key(own), 0) + 1
    return counts


def _gates(cell: Cell) -> Iterator[tuple[str, ...]]:
    """For every gate, the parameters in its argument: with the opposite sign they give 1 minus the gate."""
    seen = set()
    for assignment in cell.syntax.assignments:
        for node in ast.walk(assignment.value):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[argument]) if name in GATES:
                    read = {name.id for name in ast.walk(argument) if isinstance(name, ast.Name)}
                    names = tuple(name for name in cell.parameters if name in read)
                    if names and names not in seen:
                        seen.add(names)
                        yield names


def candidates(cell: Cell, features: int, hidden: int, lengths: Sequence[int]) -> Iterator[Candidate]:
    """A cell at the sizes of a callable, in every way that its own sizes allow.

    Args:
        cell: the cell; one with other than one input gives nothing.
        features: D.
        hidden: H.
        lengths: what further sizes may be.
    """
    if len(cell.inputs) != 1 or len(cell.shape_names(cell.inputs[0])) != 1:
        return
    # The input and the first state fix two sizes; a cell with a number for a size fits only callables with that length.
    known: dict[Any, int] = {}
    for name, length in ((cell.inputs[0], features), (cell.states[0], hidden)):
        dim = cell[name].shape[0]
        if known.setdefault(dim, length) != length or (dim.is_Integer and int(dim) != length):
            return
    free = [name for name in cell.sizes if name not in {str(dim) for dim in known}]
    if len(free) > _MOST_FREE_SIZES:
        return
    fixed = {str(dim): length for dim, length in known.items() if dim.is_Symbol}
    for chosen in product(lengths, repeat=len(free)):
        sizes = fixed | dict(zip(free, chosen, strict=True))
        if sizes.keys() == set(cell.sizes):
            for orders in _orders(cell):
                yield Candidate(SizedCell(cell, tuple(sizes.items()), orders))


def _orders(cell: Cell) -> Iterator[tuple[tuple[Any, tuple[Any, ...]], ...]]:
    """The orders that the parts of a concatenated axis may have."""
    sums = {dim: None for name in cell.parameters for dim in cell[name].shape if isinstance(dim, sympy.Add)}
    # The text of a cell says in which order it concatenates; all orders are tried only where it does not.
    written = _written(cell)
    choices = [[(dim, parts) for parts in written.get(dim) or dict.fromkeys(permutations(_parts(dim)))] for dim in sums]
    yield from product(*choices)


def _written(cell: Cell) -> dict[Any, dict[tuple[Any, ...], None]]:
    """Sum of sizes -> the orders in which the cell's text concatenates vectors of these sizes."""
    found: dict[Any, dict[tuple[Any, ...], None]] = {}
    for line in cell.syntax.assignments:
        for node in ast.walk(line.value):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "concat":
                sizes = [_length(cell, argument) for argument in node.args]
                if None not in sizes:
                    found.setdefault(sum(sizes), {})[tuple(sizes)] = None
    return found


def _length(cell: Cell, argument: ast.expr) -> Any:
    """The length of an argument of concat: that of the vectors in it, or None where they differ."""
    names = [node.id for node in ast.walk(argument) if isinstance(node, ast.Name)]
    variables = [cell.symbols.get(name) or cell.symbols.get(f"{name}_prev") for name in names]
    lengths = {v.shape[0] for v in variables if v is not None and is_column(v) and not is_scalar(v)}
    return lengths.pop() if len(lengths) == 1 else None


def _parts(dim: Any) -> list[Any]:
    """The sizes that a sum adds up: d_h, d_h, d_x for 2 d_h + d_x."""
    parts: list[Any] = []
    for term in dim.args:
        count, size = term.as_coeff_Mul()
        parts += [size] * int(count) if size != 1 else [term]
    return parts
