"""Which tile of a callable is which tile of a cell: told by how the outputs respond when one tile is nudged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.probe import Answer, Probe
from symrnn.identification.candidates import Candidate, Course
from symrnn.identification.frames import Leads, SequenceFrame, View, views
from symrnn.identification.layout import Layout, ParameterPart, StatePart
from symrnn.identification.points import ProbePoint
from symrnn.identification.tiles import Tile, key
from symrnn.identification.tilings import Tiling

Labels = tuple[tuple[Tile, str], ...]
"""Tile of an initial state and the state that it is."""

# Numbers of steps that are enough to tell cells apart: states act on each other again, and a short run is cheap.
_SHORT = (3, 2, 4)
# How many views of one state are looked at: some functions return a state twice, more views say nothing new.
_MOST_VIEWS = 2
# How many times the tolerance a response must be before it counts as one: below it, rounding could name the tile.
_VISIBLE = 1e3


def gap(value: Array, truth: Array) -> float:
    """The largest difference, relative to the largest entry of the truth."""
    if value.shape != truth.shape:
        return float("inf")
    with np.errstate(all="ignore"):
        error = float(np.max(np.abs(value - truth), initial=0.0))
        size = float(np.max(np.abs(truth), initial=0.0))
    relative = error / size if size else error
    return relative if np.isfinite(relative) else float("inf")


@dataclass
class Questions:
    """What was asked about one frame, and remembered.

    Attributes:
        probe: the callable.
        frame: the sequence and the sizes.
        leads: where time and batch are in the outputs.
    """

    probe: Probe
    frame: SequenceFrame
    leads: Leads
    _answers: dict[Any, Answer | None] = field(default_factory=dict)
    _courses: dict[Any, tuple[Candidate, Course]] = field(default_factory=dict)
    _views: dict[Any, list[View]] = field(default_factory=dict)
    _short: SequenceFrame | None = None
    _hopeless: dict[Any, set[Tile]] = field(default_factory=dict)

    def hopeless(self, candidate: Candidate, given: tuple[str, ...], tiling: Tiling, *others: Any) -> set[Tile]:
        """The tiles that were found to be none of the cell's, with these matrices and states; to be added to."""
        matrices = tuple(tile for tile in tiling.weights if len(tile.dims) > 1)
        return self._hopeless.setdefault(
            (candidate.sized, str(candidate.slip or ""), given, matrices, tiling.states, *others), set()
        )

    @property
    def short(self) -> SequenceFrame:
        """The frame of the questions: fewer steps than the inputs have, where the callable allows it."""
        if self._short is None:
            self._short = next(filter(self._allowed, self._shorter()), self.frame)
        return self._short

    def _shorter(self) -> list[SequenceFrame]:
        steps = self.frame.steps or 0
        taken = {*self.frame.shape, self.frame.hidden}
        # A length that another axis has would make time and that axis alike, so such a number of steps is passed over.
        return [self.frame.with_steps(n) for n in _SHORT if n < steps and n not in taken][:1]

    def _allowed(self, short: SequenceFrame) -> bool:
        x = self.frame.own(self.frame.standard(self.probe.arrays[self.frame.x])[: short.steps])
        answer = self.probe(**{self.frame.x: x})
        return answer is not None and bool(views(short, answer, [short.state_dims], self.leads))

    def answer(
        self, tiling: Tiling, point: ProbePoint, nudged: Tile | None = None, labels: Labels = ()
    ) -> Answer | None:
        """The callable's outputs at a point, with one tile nudged away.

        States are alike unless there are labels: then each has the numbers of its label.
        """
        weights = tuple(tile for tile in tiling.weights if len(tile.dims) in point.ranks)  # others are zero
        asked = (weights, tiling.states, point, nudged, labels)
        if asked not in self._answers:
            self._answers[asked] = self.probe(**self._arrays(tiling, point, nudged, dict(labels)))
        return self._answers[asked]

    def _arrays(
        self, tiling: Tiling, point: ProbePoint, nudged: Tile | None, labels: Mapping[Tile, str]
    ) -> dict[str, Array]:
        frame = self.short
        batch = frame.batch or 1
        names = {tile.array for tile in (*tiling.weights, *tiling.states)}
        arrays = {name: np.zeros_like(self.probe.arrays[name]) for name in names}
        for tile in tiling.weights:
            # Unknown tiles of one shape hold equal numbers, so that the answer does not depend on which gate is which.
            value = point.value(tile.dims)
            tile.write(arrays[tile.array], value + point.nudge(tile.dims) if tile == nudged else value)
        for tile in tiling.states:
            value = point.state(tile.dims, batch, labels.get(tile, ""))
            value = value + point.state_nudge(tile.dims) if tile == nudged else value
            tile.write(arrays[tile.array], value if tile.lead else value[0])
        arrays[frame.x] = frame.own(point.x((frame.steps or 1, batch, frame.features)))
        return arrays

    def course(
        self,
        candidate: Candidate,
        given: tuple[str, ...],
        point: ProbePoint,
        nudged: Tile | str | None = None,
        flipped: bool = False,
        apart: bool = False,
    ) -> Course:
        """The cell's states at a point, for the first example, with one tile or state nudged away.

        Initial states are alike unless `apart`.
        """
        # Hashing a candidate would go through its whole cell; its identity is as good while it is kept alive.
        asked = (id(candidate), given, point, nudged, flipped, apart)
        if asked not in self._courses:  # the candidate is kept, so that its identity stays its own
            self._courses[asked] = candidate, self._run(candidate, given, point, nudged, flipped, apart)
        return self._courses[asked][1]

    def _run(
        self,
        candidate: Candidate,
        given: tuple[str, ...],
        point: ProbePoint,
        nudged: Tile | str | None,
        flipped: bool,
        apart: bool,
    ) -> Course:
        frame = self.short
        values = {tile: point.value(tile.dims) for tile in candidate.sized.tiles}
        dims = {name: candidate.sized.state_dims[name] for name in given}
        initial = {name: point.state(own, frame.batch or 1, name if apart else "")[0] for name, own in dims.items()}
        if isinstance(nudged, Tile):
            move = point.nudge(nudged.dims)
            values[nudged] = values[nudged] + (move.T if flipped else move)
        elif nudged is not None:
            move = point.state_nudge(dims[nudged])
            initial[nudged] = initial[nudged] + (move.T if flipped else move)
        x = point.x((frame.steps or 1, frame.batch or 1, frame.features))[:, 0]
        return candidate.course(candidate.parameters(values), x, initial)

    def views(self, candidate: Candidate, answer: Answer) -> list[View]:
        """The tilings of the outputs as states of a cell."""
        keys = candidate.sized.state_keys
        asked = (keys, tuple((path, array.shape) for path, array in answer.items()))
        if asked not in self._views:
            self._views[asked] = views(self.short, answer, keys, self.leads)
        return self._views[asked]


@dataclass(frozen=True)
class Pairing:
    """Views of the outputs and the states that they are at a point.

    Attributes:
        pairs: state and view.
        error: how far the cell's first state is from the best view of it.
    """

    pairs: tuple[tuple[str, View], ...]
    error: float

    def value(self, answer: Answer) -> Array:
        """The states in an answer, in one vector."""
        return np.concatenate([view.read(answer)[:, 0].ravel() for _, view in self.pairs])

    def expected(self, course: Course) -> Array:
        """The same from the cell's own course."""
        return np.concatenate([view.expected(course[state]).ravel() for state, view in self.pairs])


def pair(candidate: Candidate, course: Course, answer: Answer, found: Iterable[View], tolerance: float) -> Pairing:
    """The views that agree with a state; where none agrees with the first state, the nearest one."""
    errors = {
        (state, view): gap(view.read(answer)[:, 0], view.expected(course[state]))
        for view in found
        for state in candidate.cell.states
    }
    first = {pair: error for pair, error in errors.items() if pair[0] == candidate.cell.states[0]}
    if not first:
        return Pairing((), float("inf"))
    best = min(first, key=lambda pair: first[pair])
    agreeing = [one for one, error in errors.items() if error <= tolerance]
    states = Counter(view for _, view in agreeing)
    sure = [one for one in agreeing if states[one[1]] == 1]  # states that are alike here need not be elsewhere
    by_state = [[one for one in sure if one[0] == state][:_MOST_VIEWS] for state in candidate.cell.states]
    # Views of other states are trusted only beside a first state that agrees; otherwise they may agree by chance.
    return Pairing(tuple(dict.fromkeys([best, *chain(*by_state)])) if best in agreeing else (best,), first[best])


@dataclass(frozen=True)
class NudgeTarget:
    """A tile or a state of a cell, in one of its orientations, and the response to its nudge."""

    what: Tile | str
    dims: tuple[int, ...]
    flipped: bool
    response: Array


@dataclass(frozen=True)
class TileAssignment:
    """What each of a callable's tiles is.

    Attributes:
        chosen: tile and target.
        alike: groups of tiles with the same effect.
        tied: whether some tiles have the effect of several targets, so that the choice is a guess.
    """

    chosen: tuple[tuple[Tile, NudgeTarget], ...]
    alike: tuple[tuple[Tile, ...], ...] = ()
    tied: bool = False


def nudge_targets(
    questions: Questions,
    candidate: Candidate,
    given: tuple[str, ...],
    point: ProbePoint,
    pairing: Pairing,
    apart: bool = False,
) -> list[NudgeTarget]:
    """Everything of a cell that can be nudged."""
    tiles = (tile for tile in candidate.sized.tiles if tile.array not in candidate.followers)
    dims: dict[Tile | str, tuple[int, ...]] = {tile: tile.dims for tile in tiles}
    dims |= {name: candidate.sized.state_dims[name] for name in given}
    found = []
    for what, own in dims.items():
        # A square tile fits either way round, so its shape does not tell whether the callable holds it transposed.
        for flipped in (False, True) if len(own) == 2 and own[0] == own[1] else (False,):
            course = questions.course(candidate, given, point, what, flipped, apart)
            found.append(NudgeTarget(what, own, flipped, pairing.expected(course)))
    return found


def measure_responses(
    questions: Questions, tiling: Tiling, point: ProbePoint, pairing: Pairing, labels: Labels = ()
) -> dict[Tile, Array] | None:
    """How the callable responds to a nudge of each of its tiles; None where it raises."""
    found = {}
    for tile in (*tiling.weights, *tiling.states):
        answer = questions.answer(tiling, point, tile, labels)
        if answer is None or any(view.tile.array not in answer for _, view in pairing.pairs):
            return None
        found[tile] = pairing.value(answer)
    return found


def assign(
    tiling: Tiling,
    found: Mapping[Tile, Array],
    wanted: Sequence[NudgeTarget],
    still: Array,
    tolerance: float,
    visible: bool,
    hopeless: set[Tile],
) -> TileAssignment | None:
    """The target of every tile, or None where a tile has no effect or the effect of none of the cell's: a hopeless one.

    Tiles with the same effect are taken in order.  Several vectors may have the effect of one: they are added.
    Unless `visible`, tiles without effect are those of the cell without effect.
    """
    # Responses are differences of outputs: their rounding is that of the outputs, however small the response.
    scale = max(1.0, float(np.max(np.abs(still), initial=0.0)))
    groups: dict[tuple[int, ...], list[Tile]] = {}
    for tile, response in found.items():
        if visible and not float(np.max(np.abs(response - still))) > _VISIBLE * tolerance * scale:
            hopeless.add(tile)
            return None
        is_state = tile in tiling.states
        hits = [
            number
            for number, target in enumerate(wanted)
            if isinstance(target.what, str) == is_state
            and key(target.dims) == key(tile.dims)
            and float(np.max(np.abs(response - target.response))) <= tolerance * scale
        ]
        if not hits:
            hopeless.add(tile)
            return None
        groups.setdefault(tuple(hits), []).append(tile)
    return _in_order(groups, wanted, frozenset(tiling.states))


def _in_order(
    groups: Mapping[tuple[int, ...], Sequence[Tile]], wanted: Sequence[NudgeTarget], states: frozenset[Tile]
) -> TileAssignment | None:
    chosen: list[tuple[Tile, NudgeTarget]] = []
    tied = False
    for hits, tiles in groups.items():
        # A target counts once whichever way round it fits; of two orientations the first, unflipped one is kept.
        places = list({wanted[number].what: wanted[number] for number in reversed(hits)}.values())[::-1]
        # Only vectors are added to one another in practice, as PyTorch does with its two biases.
        several = len(tiles[0].dims) < 2 and tiles[0] not in states
        if len(tiles) > len(places) and not several:
            return None
        chosen += zip(tiles, _spread(tiles, places), strict=True)
        tied = tied or len(places) > 1
    alike = tuple(tuple(tiles) for tiles in groups.values() if len(tiles) > 1)
    return TileAssignment(tuple(chosen), alike, tied)


def _spread(tiles: Sequence[Tile], places: Sequence[NudgeTarget]) -> list[NudgeTarget]:
    """The places of tiles that have the same effect: in order within each array, or evenly."""
    by_array: dict[str, int] = {}
    order = []
    for tile in tiles:
        order.append(by_array.get(tile.array, 0))
        by_array[tile.array] = order[-1] + 1
    if set(by_array.values()) != {len(places)} and len(tiles) > len(places):
        # With more tiles than places, neighbours share a place: they are most often written for the same gate.
        order = [position * len(places) // len(tiles) for position in range(len(tiles))]
    elif set(by_array.values()) != {len(places)}:
        order = list(range(len(tiles)))
    return [places[position] for position in order]


def assign_nearest(
    found: Mapping[Tile, Array],
    wanted: Sequence[NudgeTarget],
    still: Array,
    course: Array,
    states: frozenset[Tile],
) -> TileAssignment:
    """The target of every tile whose effect is nearest to the tile's own; each target is used once if it can be."""
    distances = sorted(
        (
            # A response that is not finite sorts last; NaN itself would leave the order undefined.
            float(np.nan_to_num(np.max(np.abs((response - still) - (target.response - course))), nan=1e300)),
            position,
            number,
        )
        for position, (tile, response) in enumerate(found.items())
        for number, target in enumerate(wanted)
        if isinstance(target.what, str) == (tile in states) and key(target.dims) == key(tile.dims)
    )
    tiles = list(found)
    chosen: dict[Tile, NudgeTarget] = {}
    for again in (False, True):  # vectors that are left over are added to others
        used = {target.what for target in chosen.values()}
        for _, position, number in distances:
            tile, target = tiles[position], wanted[number]
            if tile not in chosen and (
                target.what not in used or (again and len(tile.dims) < 2 and tile not in states)
            ):
                chosen[tile] = target
                used.add(target.what)
    return TileAssignment(tuple(chosen.items()))


def build_layout(frame: SequenceFrame, candidate: Candidate, assignment: TileAssignment) -> Layout:
    """The layout in which every tile is what its target says."""
    parts, states = [], []
    for tile, target in assignment.chosen:
        if isinstance(target.what, Tile):
            turned = target.flipped if len(set(tile.dims)) == 1 else tile.dims != target.what.dims
            parts.append(ParameterPart(target.what, tile, turned))
        else:
            turned = (
                target.flipped if len(set(tile.dims)) == 1 else tile.dims != candidate.sized.state_dims[target.what]
            )
            states.append(StatePart(target.what, tile, turned))
    covered = {part.target for part in parts}
    lacking = (tile.array for tile in candidate.sized.tiles if tile not in covered)
    missing = tuple(dict.fromkeys(name for name in lacking if name not in candidate.followers))
    return Layout(
        candidate, frame, tuple(parts), tuple(states), missing=missing, alike=assignment.alike, tied=assignment.tied
    )
