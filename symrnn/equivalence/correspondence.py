"""Which inputs, states and sizes of two cells correspond, and the search for the rest in one direction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice, permutations, product
from random import Random

from symrnn.arrays import Array
from symrnn.equivalence.parameter_map import MapExpression, ParameterMap, pair_sizes, read_map
from symrnn.equivalence.parameter_search import ParameterSearch, SourceValues
from symrnn.equivalence.parameter_uses import CellUnits, ParameterPiece, literals
from symrnn.equivalence.separating import SeparatedCell, separate
from symrnn.language.recurrence import Cell
from symrnn.runs.field import TRIES
from symrnn.runs.sizes import CellAtSizes, layouts
from symrnn.sameness.tower import draw

GENERIC = (2, 3)
ONES = (1, 1)
"""(d_h, d_x).  At sizes of 1, U (r h) and r (U h) are the same: what holds there only is found there."""


@dataclass(frozen=True)
class SearchRound:
    """One round of the search.

    Attributes:
        at: d_h and d_x.
        strict: whether the map may not make any parameter 0, or two the same.
        flipped: whether some states have the opposite sign.
    """

    at: tuple[int, int]
    strict: bool
    flipped: bool = False


ROUNDS = (
    SearchRound(GENERIC, strict=True),
    SearchRound(ONES, strict=True),
    SearchRound(GENERIC, strict=True, flipped=True),
    SearchRound(GENERIC, strict=False),
    SearchRound(ONES, strict=False),
)
"""The rounds: what is likelier, and makes a better map, first."""

# Those that keep names come first; every further pairing is a search of its own.
_PAIRINGS = 12
_SCALES = 5
"""So many numbers of the texts are tried as factors; each makes every round longer by as much."""
# Each is then judged at all sizes, which takes a proof; at size 1 the first map found is often not the one.
_SOLUTIONS = 24
# With a relu, half of the values are 0 at one point: of four points one shows most of them.
_LANDSCAPES = 4
# Sizes as different primes: a product or a sum of sizes is then never mistaken for another size.
_PRIMES = (1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049, 1051, 1061, 1063, 1069, 1087, 1091, 1093, 1097)


@dataclass
class SearchDirection:
    """The search in one direction.

    Attributes:
        target: the cell whose parameters are looked for.
        source: the cell that they are made of.
        depth: how many values of the target had a counterpart in the source, at best.
        stuck: the value of the target that has none, in words.
        nearest: the map as far as it came.
        exhausted: whether the search was stopped before its end.
        paired: whether inputs and states correspond in some way.
    """

    target: Cell
    source: Cell
    depth: int = -1
    stuck: str = ""
    nearest: Mapping[str, str] | None = None
    exhausted: bool = False
    paired: bool = False

    def maps(self, effort: SearchRound, seed: int) -> Iterator[ParameterMap]:
        """Maps under which the cells agree at one choice of sizes.

        Args:
            effort: which maps are searched for.
            seed: of the random numbers.
        """
        target, source = self._parts
        layout = layouts(source.cell, [effort.at])[0]
        found = flipped if effort.flipped else pairings
        for names in islice(found(target.cell, source.cell), _PAIRINGS):
            sizes = _sizes(target.cell, source.cell, names)
            search = None if sizes is None else _search(target.cell, layout, names, sizes, effort, seed)
            if search is None or sizes is None:
                continue
            self.paired = True
            for chosen in islice(search, _SOLUTIONS):
                texts = target.assembled(search.texts(chosen), source)
                yield read_map(self.target, self.source, names | texts, sizes)
            self.exhausted = self.exhausted or search.exhausted
            # Only the first round tells the user something: the later ones allow maps that nobody means.
            if effort == ROUNDS[0] and len(search.target.schedule) > search.deepest > self.depth:
                self.depth, self.stuck = search.deepest, source.spelled(target.spelled(search.stuck))
                self.nearest = names | target.assembled(search.texts(search.best), source)

    @cached_property
    def _parts(self) -> tuple[SeparatedCell, SeparatedCell]:
        """Target and source with their stacked parameters taken apart."""
        return separate(self.target), separate(self.source)

    def completed(self) -> ParameterMap | None:
        """The nearest map, with what it lacks filled in by name, by shape, or as 0; None where nothing corresponds."""
        if self.nearest is None:
            return None
        names = {name: self.nearest[name] for name in (*self.target.inputs, *self.target.states)}
        sizes = _sizes(self.target, self.source, names)
        texts = dict(self.nearest)
        for name in self.target.parameters:
            texts.setdefault(name, self._like(name, sizes or {}))
        return read_map(self.target, self.source, texts, sizes)

    def _like(self, name: str, sizes: Mapping[str, str]) -> str:
        shape = tuple(sizes.get(size, size) for size in self.target.shape_names(name))
        alike = [other for other in self.source.parameters if self.source.shape_names(other) == shape]
        return name if name in alike else alike[0] if alike else "0"


def _search(
    target: Cell,
    layout: CellAtSizes,
    names: Mapping[str, str],
    sizes: Mapping[str, str],
    effort: SearchRound,
    seed: int,
) -> ParameterSearch | None:
    there = CellAtSizes(target, {name: layout.sizes[sizes[name]] for name in target.sizes})
    ours, theirs = CellUnits(target, there), CellUnits(layout.cell, layout)
    # Shapes are compared at these, values at the small sizes: equal shapes at 2 and 3 may be chance.
    primes = dict(zip(layout.cell.sizes, _PRIMES, strict=False))
    labels = theirs.labels(primes), ours.labels({name: primes[sizes[name]] for name in target.sizes})
    land = _draw_source_values(theirs, labels[0], Random(seed))
    if land is None:
        return None
    own = {name: _signed(names[name], land.values) for name in (*target.inputs, *target.states)}
    states = {name: _signed(names[name], land.states) for name in target.states}
    return ParameterSearch(
        ours, land, states, own, labels[1], effort.strict, effort.at == GENERIC, _scales(ours, theirs)
    )


def _signed(text: str, values: Mapping[str, Array]) -> Array:
    return -values[text[1:]] if text.startswith("-") else values[text]


def _scales(*readings: CellUnits) -> tuple[Fraction, ...]:
    """1, and the numbers of the texts and what they are the inverse of."""
    numbers = {number for reading in readings for number in literals(reading.cell)}
    return tuple(dict.fromkeys([Fraction(1), *(x for n in sorted(numbers)[:_SCALES] for x in (n, 1 / n))]))


def _draw_source_values(
    source: CellUnits, labels: Mapping[ParameterPiece, tuple[int, ...]], rng: Random
) -> SourceValues | None:
    """The source where most values differ from one another: a relu may give 0, which says little."""
    lands: list[SourceValues] = []
    for _ in range(TRIES):
        variables = source.layout.variables
        values = {v.base if v.time == -1 else v.name: draw(rng, source.layout.text_shape(v)) for v in variables}
        try:
            lands.append(SourceValues(source, source.layout, values, labels))
        except ZeroDivisionError:
            continue
        if len(lands) == _LANDSCAPES:
            break
    return max(lands, key=lambda land: len(land.occurs), default=None)


def unchanged(target: Cell, source: Cell) -> Iterator[ParameterMap]:
    """The maps that change nothing but names: to each the same name, and to each what stands in its place."""
    ours, theirs = ((*cell.inputs, *cell.states, *cell.parameters) for cell in (target, source))
    by_name = dict(zip(ours, ours, strict=True)) if set(ours) == set(theirs) else None
    in_order = dict(zip(ours, theirs, strict=True)) if len(ours) == len(theirs) else None
    for names in (by_name, in_order if in_order != by_name else None):
        if names is None or any(_rank(target, here) != _rank(source, there) for here, there in names.items()):
            continue
        kinds = all((here in target.states) == (there in source.states) for here, there in names.items())
        # The output is the first state: two cells whose outputs do not correspond are not one, however well the
        # rest fits.
        kinds = kinds and names[target.states[0]] == source.states[0]  # the output
        paired = {name: names[name] for name in (*target.inputs, *target.states)}
        sizes = _sizes(target, source, paired) if kinds else None
        if sizes is not None and all(_fits(target, source, names, name, sizes) for name in target.parameters):
            yield read_map(target, source, names, sizes)


def _fits(target: Cell, source: Cell, names: Mapping[str, str], name: str, sizes: Mapping[str, str]) -> bool:
    shape = tuple(_renamed(size, sizes) for size in target.shape_names(name))
    return shape == source.shape_names(names[name])


def _renamed(size: str, sizes: Mapping[str, str]) -> str:
    return re.sub(r"[A-Za-z_]\w*", lambda found: sizes.get(found[0], found[0]), size)


# --- inputs, states, sizes --------------------------------------------------------------------------------------------


def pairings(target: Cell, source: Cell) -> Iterator[dict[str, str]]:
    """The ways in which inputs and states may correspond; the outputs always do."""
    if len(target.inputs) != len(source.inputs) or len(target.states) != len(source.states):
        return
    for inputs in _orders(target.inputs, source.inputs):
        for states in _orders(target.states[1:], source.states[1:]):
            paired = dict(zip((*target.inputs, *target.states), (*inputs, source.states[0], *states), strict=True))
            if all(_rank(target, here) == _rank(source, there) for here, there in paired.items()):
                yield paired


def flipped(target: Cell, source: Cell) -> Iterator[dict[str, str]]:
    """The pairings with the opposite sign for some states."""
    states = target.states
    for paired in pairings(target, source):
        for signs in product(("", "-"), repeat=len(states)):
            if "-" in signs:
                yield paired | {s: f"{sign}{paired[s]}" for s, sign in zip(states, signs, strict=True)}


def _orders(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[str, ...]]:
    """The second names in every order, those equal to the first names in front."""
    # All orders of seven names; a cell with more has names that say what corresponds.
    every = islice(permutations(theirs), 5040)
    return sorted(every, key=lambda order: -sum(x == y for x, y in zip(ours, order, strict=True)))


def _rank(cell: Cell, name: str) -> int:
    return len(cell.shape_names(f"{name}_prev" if name in cell.states else name))


def _sizes(target: Cell, source: Cell, names: Mapping[str, str]) -> Mapping[str, str] | None:
    known = (*source.inputs, *source.states)
    return pair_sizes(target, source, {name: MapExpression.read(name, text, known, ()) for name, text in names.items()})
