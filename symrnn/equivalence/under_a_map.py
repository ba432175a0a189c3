"""Two cells under a parameter map: whether they agree, what the map reaches, and numbers where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any

import numpy as np

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.nodes import Variable
from symrnn.arrays import Array
from symrnn.equivalence.parameter_map import ParameterMap
from symrnn.language.definition import Definition
from symrnn.language.evaluate import run
from symrnn.language.recurrence import Cell
from symrnn.runs.literals import exact_text
from symrnn.runs.numbers import FLOATS, Numbers
from symrnn.runs.sizes import CellAtSizes
from symrnn.runs.values import Values
from symrnn.sameness.comparing import Gap, see
from symrnn.sameness.pairs import DelicatePart, Point, bends, bounds, delicate_parts
from symrnn.sameness.tower import TOWERED, draw, fingerprint

# Twenty points of ordinary size first: their numbers are the easiest to check by hand.
_SCALES = (*[1.0] * 20, *[2.0, 0.5, 4.0, 0.1] * 5)
# A difference above a twentieth is seen in the digits that are printed, so no better point is looked for.
_CLEAR, _VISIBLE = 5e-2, 1e-9
"""A difference worth showing, and one beyond rounding."""


@dataclass(frozen=True)
class MapReach:
    """What a map does to parameters.

    Attributes:
        onto: every setting of the target's parameters comes from one of the source's.
        one_to_one: different settings of the source's parameters give different ones of the target's.
    """

    onto: bool
    one_to_one: bool


@dataclass(frozen=True)
class CellCounterexample:
    """Numbers at which two cells differ.

    Attributes:
        sizes: the sizes.
        arguments_a: inputs, states and parameters of the first cell.
        arguments_b: those of the second, which correspond to them.
        states_a: the first cell's new states.
        states_b: the second cell's; both in the names of the map's target.
        state: the state that differs most.
        difference: by how much.
    """

    sizes: Mapping[str, int]
    arguments_a: Mapping[str, Array]
    arguments_b: Mapping[str, Array]
    states_a: Mapping[str, Array]
    states_b: Mapping[str, Array]
    state: str
    difference: float

    def lines(self, a: str, b: str) -> Iterator[str]:
        """The counterexample as text."""
        at = ", ".join(f"{name} = {size}" for name, size in self.sizes.items())
        yield f"at {at}, for instance:"
        for name, value in self.arguments_b.items():
            yield f"  {name} = {_show_array(value, 2)}"
        here, there = _show_array(self.states_a[self.state], 6), _show_array(self.states_b[self.state], 6)
        yield f"  give {self.state} = {here} in {a} against {there} in {b}"


def _show_array(value: Array, digits: int) -> str:
    return np.array2string(np.asarray(value), precision=digits, separator=", ", max_line_width=10**6).replace("\n", "")


# --- agreement --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class MappedCells:
    """A map's target (the first function) and its source at one choice of the source's sizes.

    Both authors' texts are run; nothing derived is involved.
    """

    found: ParameterMap
    layout: CellAtSizes

    @property
    def sizes(self) -> Mapping[str, int]:
        """The source's sizes."""
        return self.layout.sizes

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the source's arguments."""
        return tuple(argument_shapes(self.layout).values())

    @cached_property
    def bends(self) -> bool:
        """Whether anything in the cells is not smooth."""
        return bends(e.value for cell in (self.found.target, self.found.source) for e in cell.body)

    @cached_property
    def delicate(self) -> tuple[DelicatePart, ...]:
        """Where a cell may jump or have no value; its own are those that the other has nothing like."""
        parts = [
            part
            for side, cell in enumerate((self.found.target, self.found.source))
            for part in delicate_parts((e.value for e in cell.body), bounds(cell.body, {}), side)
        ]
        return tuple(dict.fromkeys(self._shared(parts))) if parts else ()

    def _shared(self, parts: Sequence[DelicatePart]) -> Iterator[DelicatePart]:
        rng = Random(0)
        evaluated = self.at([draw(rng, shape) for shape in self.shapes], TOWERED)
        known: dict[DelicatePart, Any] = {}
        for part in parts:
            try:
                known[part] = part.kind, fingerprint(evaluated.part(part))
            except (ArithmeticError, ValueError):
                known[part] = part
        for part in parts:
            alike = [other for other in parts if other.side != part.side and known[other] == known[part]]
            yield replace(part, own=not alike)

    def at(self, point: Point, numbers: Numbers) -> CellsThere:
        """Both cells at a point."""
        values = {name: numbers.lift(x) for name, x in zip(argument_shapes(self.layout), point, strict=True)}
        arguments = self.found.apply(values, self.layout, numbers.literal)
        return CellsThere(self, (arguments, values), numbers)

    def text(self, cell: Cell, numbers: Numbers) -> Definition:
        """A cell's text with its literals as numbers of a kind."""
        key = id(cell), id(numbers)
        if key not in self._texts:
            self._texts[key] = cell.syntax if numbers is FLOATS else exact_text(cell.syntax, numbers.literal)
        return self._texts[key]

    @cached_property
    def _texts(self) -> dict[tuple[int, int], Definition]:
        return {}

    def arguments(self, point: Point) -> dict[str, Array]:
        """The source's arguments at a point, in floating point."""
        return {name: FLOATS.lift(x) for name, x in zip(argument_shapes(self.layout), point, strict=True)}


@dataclass(frozen=True)
class CellsThere:
    """Both cells at one point."""

    cells: MappedCells
    arguments: tuple[Mapping[str, Array], Mapping[str, Array]]
    numbers: Numbers

    def side(self, index: int) -> list[Array]:
        """The new states of the target (0), or of the source (1) as the target's."""
        found, layout = self.cells.found, self.cells.layout
        with np.errstate(all="ignore"):
            if index == 0:
                states = self._run(found.target, self.arguments[0], found.layout(layout))
            else:
                through = self._run(found.source, self.arguments[1], layout)
                states = found.apply(through, layout, self.numbers.literal, "states")
        return list(states.values())

    def _run(self, cell: Cell, arguments: Mapping[str, Array], layout: CellAtSizes) -> dict[str, Array]:
        names = run(self.cells.text(cell, self.numbers), arguments, self.numbers.arithmetic)
        return {s: np.broadcast_to(np.asarray(names[s]), layout.text_shape(cell[s])) for s in cell.states}

    def part(self, part: DelicatePart) -> Array:
        """The value of a part of the target (side 0) or of the source."""
        return np.asarray(self._steps[part.side](part.expr))

    @cached_property
    def _steps(self) -> tuple[Evaluator, Evaluator]:
        found, layout = self.cells.found, self.cells.layout
        target = self._step(found.target, found.layout(layout), self.arguments[0])
        return target, self._step(found.source, layout, self.arguments[1])

    def _step(self, cell: Cell, layout: CellAtSizes, given: Mapping[str, Array]) -> Evaluator:
        values = Values({v.name: layout.matrix(v, given[_name(v)]) for v in layout.variables})
        evaluate = self.numbers.evaluator(values, layout.sizes)
        with np.errstate(all="ignore"):
            values.compute_all(((equation.target, equation.value) for equation in cell.body), evaluate)
        return evaluate


def _name(variable: Variable) -> str:
    """A variable's name in the text."""
    return variable.base if variable.time == -1 else variable.name


def argument_shapes(layout: CellAtSizes) -> dict[str, tuple[int, ...]]:
    """The shapes of all arguments, by the names of the text."""
    return {_name(v): layout.text_shape(v) for v in layout.variables}


def mapped(found: ParameterMap, layouts: Sequence[CellAtSizes]) -> tuple[MappedCells, ...]:
    """The cells under a map at several choices of sizes."""
    return tuple(MappedCells(found, layout) for layout in layouts)


# --- what a map reaches -----------------------------------------------------------------------------------------------


def reach(found: ParameterMap, layout: CellAtSizes) -> MapReach:
    """The rank of a map's linear part, against the numbers of parameters on both sides."""
    shapes = {name: layout.text_shape(found.source[name]) for name in found.source.parameters}
    values = {name: np.zeros(shape) for name, shape in shapes.items()}
    origin = _flat(found, values, layout)
    columns = []
    for name, shape in shapes.items():
        for index in np.ndindex(shape):
            moved = np.zeros(shape)
            moved[index] = 1.0
            columns.append(_flat(found, values | {name: moved}, layout) - origin)
    if not columns or not origin.size:
        return MapReach(not origin.size, not columns)
    # Maps are linear but for their offsets: unit steps from zero are the columns of the linear part.
    rank = int(np.linalg.matrix_rank(np.stack(columns, axis=1)))
    return MapReach(rank == origin.size, rank == len(columns))


def _flat(found: ParameterMap, values: Mapping[str, Array], layout: CellAtSizes) -> Array:
    applied = found.apply(values, layout, float, "parameters")
    return np.concatenate([np.zeros(0), *(np.asarray(value, dtype=float).reshape(-1) for value in applied.values())])


# --- counterexamples --------------------------------------------------------------------------------------------------


def find_counterexample(
    maps: Sequence[ParameterMap], layout: CellAtSizes, target_is_a: bool, seed: int
) -> tuple[ParameterMap, CellCounterexample] | None:
    """Numbers at which the cells differ under each of several maps, and the map that comes nearest there.

    Args:
        maps: maps between the same two cells in the same direction.
        layout: sizes of their source at which they do not hold.
        target_is_a: whether their target is the first of the two cells.
        seed: of the numbers.

    Returns:
        The nearest map and the numbers under it; None where the cells differ by no more than rounding.
    """
    best: tuple[ParameterMap, CellCounterexample] | None = None
    rng = np.random.default_rng(seed)
    for scale in _SCALES:
        values = {name: _short(rng, shape, scale) for name, shape in argument_shapes(layout).items()}
        tried = [(found, _compare(found, layout, values, target_is_a)) for found in maps]
        known = [(found, example) for found, example in tried if example is not None]
        if len(known) < len(maps):  # something overflows here
            continue
        nearest = min(known, key=lambda one: one[1].difference)
        farther = nearest[1].difference > (_VISIBLE if best is None else best[1].difference)
        if farther and _is_certain(MappedCells(nearest[0], layout), values):
            best = nearest
        if best is None:
            continue
        if best[1].difference > _CLEAR:
            break
    return best


def _is_certain(pair: MappedCells, values: Mapping[str, Array]) -> bool:
    """Whether the cells differ at these numbers in more than what floating point makes of them."""
    seen = see(pair, list(values.values()))
    return seen is not None and (seen.gap is not None or [side is None for side in seen.sides].count(True) == 1)


def _short(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> Array:
    """Numbers with two decimals, which a reader can copy, and none of them 0."""
    return np.round(scale * rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 1.0, shape), 2)


def counterexample_at(gap: Gap, target_is_a: bool) -> CellCounterexample:
    """The numbers of a gap; a value that a cell does not have is nan or infinite."""
    pair = gap.pair
    assert isinstance(pair, MappedCells)
    return side_by_side(pair, pair.arguments(gap.point), target_is_a)


def _compare(
    found: ParameterMap, layout: CellAtSizes, values: Mapping[str, Array], target_is_a: bool
) -> CellCounterexample | None:
    """Both cells at numbers in floating point; None where one has no value."""
    example = side_by_side(MappedCells(found, layout), values, target_is_a)
    return example if np.isfinite(example.difference) else None


def side_by_side(pair: MappedCells, values: Mapping[str, Array], target_is_a: bool) -> CellCounterexample:
    """Both cells at numbers in floating point.

    Args:
        pair: the cells.
        values: the source's arguments.
        target_is_a: whether the map's target is the first of the two cells.
    """
    there = pair.at(list(values.values()), FLOATS)
    names = pair.found.target.states
    ours, theirs = (dict(zip(names, there.side(index), strict=True)) for index in (0, 1))
    with np.errstate(all="ignore"):
        far = {name: float(np.max(np.abs(ours[name] - theirs[name]), initial=0.0)) for name in names}
    # A side without a value is farther than any number: that state is the one to show.
    far = {name: gap if np.isfinite(gap) else np.inf for name, gap in far.items()}
    state = max(far, key=lambda name: far[name])
    sides = ((there.arguments[0], ours), (values, theirs))
    (arguments_a, states_a), (arguments_b, states_b) = sides if target_is_a else sides[::-1]
    return CellCounterexample(pair.sizes, arguments_a, arguments_b, states_a, states_b, state, far[state])
