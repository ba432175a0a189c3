"""Which arrays are weights and which are states, and into which tiles each is cut: guesses from shapes alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, count, islice, product

from symrnn.identification.candidates import Candidate, SizedCell, count_matrices
from symrnn.identification.frames import SequenceFrame
from symrnn.identification.points import ProbePoint
from symrnn.identification.tiles import Dims, Tile, cuts, key

# Tilings of one frame that are held against cells; likely ones come first, and each costs at least a question.
_MOST_TILINGS = 400
# Steps of the search for tilings: it is exponential in the number of shapes where few are ruled out, and this is about
# a second at most.
_MOST_LOOKS = 20_000
# How the names of states begin; hints that say which guess to try first, never which one is right.
_STATE_NAMES = ("h", "c", "s", "m", "n", "prev", "init", "y")


@dataclass(frozen=True)
class ShapeRoles:
    """What arrays of one shape are.

    Attributes:
        weights: tiles of weights.
        states: tiles of states.
    """

    weights: tuple[Tile, ...]
    states: tuple[Tile, ...]

    @cached_property
    def matrices(self) -> Mapping[Dims, int]:
        """How many matrices of each key are among the weights."""
        return count_matrices(tile.dims for tile in self.weights)


@dataclass(frozen=True)
class Tiling:
    """A guess at what the callable's arrays are.

    Attributes:
        frame: the sequence and the sizes.
        weights: the tiles of all weights, array by array.
        states: the tiles of the initial states; the batch, where there is one, is their leading axis.
    """

    frame: SequenceFrame
    weights: tuple[Tile, ...]
    states: tuple[Tile, ...]

    def fits(self, candidate: Candidate) -> bool:
        """Whether the numbers of matrices and of states allow a cell.

        Vectors may be more than the cell has (two biases that are added) or fewer (no biases).
        """
        return self.counts == candidate.sized.counts and self.keys <= candidate.sized.keys and self.state_fit(candidate)

    @cached_property
    def counts(self) -> Mapping[Dims, int]:
        """How many matrices there are of each key."""
        return count_matrices(tile.dims for tile in self.weights)

    @cached_property
    def keys(self) -> frozenset[Dims]:
        """The keys of the weights."""
        return frozenset(key(tile.dims) for tile in self.weights)

    def points(self, candidate: Candidate) -> Iterator[ProbePoint]:
        """The points at which a cell can be recognised, whatever the order of the tiles.

        Vectors and scalars can be other than zero where the cell has as many of them.
        """
        yield ProbePoint()
        mine = [key(tile.dims) for tile in self.weights]
        theirs = [key(tile.dims) for tile in candidate.sized.tiles]
        # Matrices alone come first: any number of biases is the same while they are zero, so most cells are settled
        # there.
        for ranks in ({0, 2}, {0, 1, 2}):
            own, other = (sorted(k for k in keys if len(k) < 2 and len(k) in ranks) for keys in (mine, theirs))
            if own == other and own:
                yield ProbePoint(frozenset(ranks))

    def state_fit(self, candidate: Candidate) -> bool:
        """Whether the cell has as many states of these shapes."""
        free = [key(dims) for dims in candidate.sized.state_dims.values()]
        for tile in self.states:
            if key(tile.dims) not in free:
                return False
            free.remove(key(tile.dims))
        return True

    def given_states(self, candidate: Candidate) -> Iterator[tuple[str, ...]]:
        """Which of the cell's states may be the ones given, where the callable takes fewer than the cell has."""
        wanted = sorted(key(tile.dims) for tile in self.states)
        for names in combinations(candidate.cell.states, len(wanted)):
            if sorted(key(candidate.sized.state_dims[name]) for name in names) == wanted:
                yield names


@dataclass(frozen=True)
class Limits:
    """What the cells that come into question allow.

    Attributes:
        keys: the keys that tiles of weights may have.
        state_keys: the keys that states may have.
        matrices: for each cell, how many matrices of each key there are; any number where it is empty.
        states: how many states of each key there may be.
    """

    keys: frozenset[Dims]
    state_keys: frozenset[Dims]
    matrices: tuple[Mapping[Dims, int], ...]
    states: Mapping[Dims, int]

    def allow(self, choices: Sequence[ShapeRoles], more: Mapping[Dims, int] | None = None) -> bool:
        """Whether there may be so many matrices and states of each key.

        Args:
            choices: what is chosen.
            more: how many further matrices of each key there can be; any number if None.
        """
        matrices, states = Counter[Dims](), Counter[Dims]()
        for choice in choices:
            matrices.update(choice.matrices)
            states.update(key(tile.dims) for tile in choice.states)
        if any(number > self.states.get(own, 0) for own, number in states.items()):
            return False
        return not self.matrices or any(
            all(number <= wanted.get(own, 0) for own, number in matrices.items())
            and (more is None or all(matrices[own] + more.get(own, 0) >= number for own, number in wanted.items()))
            for wanted in self.matrices
        )

    @property
    def most_states(self) -> int:
        """How many states there may be."""
        return sum(self.states.values())


def limits(cells: Sequence[SizedCell], loose: bool = False) -> Limits:
    """What cells with the same keys allow; any number of matrices if `loose`."""
    states = Counter[Dims]()
    for cell in cells:
        states |= Counter(key(dims) for dims in cell.state_dims.values())
    matrices = {tuple(sorted(cell.counts.items())): cell.counts for cell in cells}
    return Limits(cells[0].keys, cells[0].state_keys, () if loose else tuple(matrices.values()), states)


def tilings(
    frame: SequenceFrame,
    arrays: Mapping[str, Dims],
    bounds: Limits,
    alone: Callable[[str, int], bool],
    interleaved: bool = False,
) -> Iterator[Tiling]:
    """The tilings that fit the shapes, likely ones first.

    Args:
        frame: the sequence and the sizes.
        arrays: the shapes of the other arrays that the states depend on.
        bounds: what the cells allow.
        alone: whether positions along an axis of an array act one by one, as examples do.
        interleaved: whether stacked gates alternate row by row.
    """
    groups: dict[tuple[Dims, tuple[int, ...]], list[str]] = {}
    for name, shape in arrays.items():
        batch = tuple(axis for axis, length in enumerate(shape) if length == frame.batch and alone(name, axis))
        groups.setdefault((shape, batch), []).append(name)
    choices = []
    # Arrays with an axis for the batch have the fewest readings; they end hopeless combinations early.
    for (shape, batch), names in sorted(groups.items(), key=lambda group: not group[0][1]):
        choices.append(list(_choices(names, shape, batch, frame.batch is None, bounds, interleaved)))
        if not choices[-1]:
            return
    order = {name: position for position, name in enumerate(arrays)}
    for choice in islice(_diagonally(choices, bounds), _MOST_TILINGS):
        weights = sorted((tile for part in choice for tile in part.weights), key=lambda tile: order[tile.array])
        yield Tiling(frame, tuple(weights), tuple(tile for part in choice for tile in part.states))


def _diagonally(choices: Sequence[Sequence[ShapeRoles]], bounds: Limits) -> Iterator[tuple[ShapeRoles, ...]]:
    """The combinations that the limits allow, those made of first choices first."""
    left = [sum(len(options) - 1 for options in choices[place:]) for place in range(len(choices) + 1)]
    more = [Counter[Dims]()]
    for options in reversed(choices):
        most = Counter[Dims]()
        for option in options:
            most |= Counter(option.matrices)
        more.insert(0, more[0] + most)
    looks = count()

    def combine(taken: tuple[ShapeRoles, ...], steps: int) -> Iterator[tuple[ShapeRoles, ...]]:
        place = len(taken)
        # A branch is dropped as soon as what is left cannot spend the steps, or cannot supply the matrices that are
        # wanted.
        if steps > left[place] or next(looks) > _MOST_LOOKS or not bounds.allow(taken, more[place]):
            return
        if place == len(choices):
            yield taken
            return
        for position in range(min(steps, len(choices[place]) - 1) + 1):
            yield from combine((*taken, choices[place][position]), steps - position)

    # By the total distance from the first choices: a depth-first order would exhaust the last array before the first
    # changes.
    for steps in range(left[0] + 1):
        yield from combine((), steps)


def _choices(
    names: Sequence[str], shape: Dims, batch: tuple[int, ...], single: bool, bounds: Limits, interleaved: bool
) -> Iterator[ShapeRoles]:
    """What arrays of one shape may be; those that are weights are cut alike, and those that are states too."""
    # A batch as long as a size of the cell may be that size, so the array may be a weight after all.
    coincides = any(shape[axis] in dims for axis in batch for dims in bounds.keys)
    as_weights = cuts(shape, bounds.keys, (), interleaved) if coincides or not batch else ()
    as_states = [tiles for tiles in _state_cuts(shape, batch, bounds) if len(tiles) == 1 or not as_weights]
    for chosen in _subsets(names, bool(as_weights), bool(as_states), bool(batch) or single, bounds.most_states):
        rest = [name for name in names if name not in chosen]
        for weight_cut, state_cut in product(as_weights if rest else [()], as_states if chosen else [()]):
            choice = ShapeRoles(
                tuple(tile.named(name) for name in rest for tile in weight_cut),
                tuple(tile.named(name) for name in chosen for tile in state_cut),
            )
            if bounds.allow([choice]):
                yield choice


def _state_cuts(shape: Dims, batch: tuple[int, ...], bounds: Limits) -> list[tuple[Tile, ...]]:
    """With an axis for the batch, or without one: then all examples begin alike."""
    leads: list[tuple[int, ...]] = [(axis,) for axis in batch]
    found = {tiles: None for lead in [*leads, ()] for tiles in cuts(shape, bounds.state_keys, lead)}
    return [tiles for tiles in found if len(tiles) <= bounds.most_states]


def _subsets(names: Sequence[str], weights: bool, states: bool, free: bool, most: int) -> list[tuple[str, ...]]:
    """Which of the arrays are states, likely choices first.

    Args:
        names: arrays of one shape.
        weights: whether they may be weights.
        states: whether they may be states.
        free: whether any of them may be states; otherwise none, or those whose names say so.
        most: how many states there may be.
    """
    if not (weights and states):
        return [tuple(names)] if states else [()] if weights else []
    # Without an axis for the batch, every subset of vectors might be states; a name is then the only cheap evidence.
    hinted = tuple(name for name in names if name.lower().lstrip("_").startswith(_STATE_NAMES))
    if not free:
        return list(dict.fromkeys([(), hinted if len(hinted) <= most else ()]))
    found = [subset for count in range(min(len(names), most) + 1) for subset in combinations(names, count)]
    return sorted(found, key=lambda subset: (len(set(hinted).symmetric_difference(subset)), len(subset)))
