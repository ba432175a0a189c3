"""The search: guesses from shapes, lazily, each held against the callable's own numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from symrnn.callables.probe import Probe
from symrnn.identification.agreement import Match, measure
from symrnn.identification.candidates import Candidate, candidates
from symrnn.identification.frames import Leads, SequenceFrame, frames, views
from symrnn.identification.matching import Questions
from symrnn.identification.points import ProbePoint
from symrnn.identification.refining import refine
from symrnn.identification.surroundings import Surroundings
from symrnn.identification.tiles import Dims, shapes
from symrnn.identification.tilings import Tiling, limits, tilings
from symrnn.identification.trials import TilingTrial, find_layout, try_tiling
from symrnn.language.recurrence import Cell

CONSTANT = "the outputs are the same whatever the arguments: let the function take its initial states"
"""Remark on a function such as a cell that stays at zero if it begins there."""

_ZERO = ProbePoint()
# Tilings that are tried where the callable has more or fewer matrices than any cell: each costs a run of every cell's
# definition, and those with the fewest in excess come first.
_LOOSE = 12
# Cells that are brought nearer by exchanges, which takes a second or so each; the nearest at the first look is nearly
# always among the first few.
_REFINED = 8
# How many of the nearest cells are named: the next ones have nothing in common with the callable.
_NEAREST_SHOWN = 3
# Trials in which slips are looked for, shared among the cells: each has ten to a hundred slips, and a slip takes as
# long as a question.
_SLIPPED = 16
# Changed cells that are tried in all, a few seconds' worth: what remains of a search for slips once a cell of many
# equations is in question.
_CHANGED = 2500


@dataclass
class CellSearch:
    """One search.

    Attributes:
        probe: the callable.
        library: the cells that it may compute.
        merged: whether a vector may be added twice, or be several of a cell's.
        trials: what was held against what.
    """

    probe: Probe
    library: Sequence[Cell]
    merged: bool = True
    trials: list[TilingTrial] = field(default_factory=list)
    _asked: dict[SequenceFrame, Questions | None] = field(default_factory=dict)
    _failed: set[Any] = field(default_factory=set)

    def matches(self) -> list[Match]:
        """Every cell that agrees, the plainest tiling first."""
        if not any(self._around.depends.values()):
            self.probe.remarks.append(CONSTANT)
            return []
        for questions, arrays in self._frames():
            # Blocks are what nearly everybody writes; alternating rows double the tilings, so they wait.
            for interleaved in (False, True):
                found = self._in_frame(questions, arrays, interleaved)
                if found:
                    return _plainest(found)
        likely = sorted(self._at_zero(), key=lambda trial: trial.error)
        found = [match for match, _ in self._changed(Candidate.variants, likely)]
        # Merged vectors come last: they only explain cells whose matrices agree already.
        if not found and self.merged:
            agreeing = [trial for trial in likely if trial.error <= self.probe.tolerance]
            found = [match for match, _ in self._changed(Candidate.merged, agreeing, _fits_vectors)]
        return _plainest(found)

    def nearest(self) -> list[Match]:
        """The cells that come nearest, where none agrees: first those that agree but for one slip."""
        found = list(self._slipped()) or list(self._refined())
        found.sort(key=lambda match: (len(match.layout.missing), match.agreement))
        best: dict[str, Match] = {}
        for match in found:
            if np.isfinite(match.agreement):
                best.setdefault(match.name, match)
        return list(best.values())[:_NEAREST_SHOWN]

    def _slipped(self) -> Iterator[Match]:
        for match, leads in self._changed(Candidate.slipped, self._likeliest()):
            # The layout is handed out with the cell as it is; the slip is told beside it.
            layout = replace(match.layout, candidate=replace(match.layout.candidate, slip=None))
            agreement = measure(self.probe, layout, leads).agreement
            yield replace(match, layout=layout, agreement=agreement, slip=match.layout.candidate.slip)

    def _likeliest(self) -> list[TilingTrial]:
        """Trials to look for slips in: of every cell those that cut the arrays into the fewest pieces."""
        of_cell: dict[str, dict[Any, TilingTrial]] = {}
        for trial in sorted(self._at_zero(), key=_pieces_and_error):
            read = trial.tiling, trial.given, trial.candidate.sized.orders
            of_cell.setdefault(trial.candidate.cell.name, {}).setdefault(read, trial)
        each = max(1, _SLIPPED // max(1, len(of_cell)))
        chosen = [trial for trials in of_cell.values() for trial in list(trials.values())[:each]]
        return sorted(chosen, key=_pieces_and_error)[:_SLIPPED]

    def _refined(self) -> Iterator[Match]:
        best: dict[str, TilingTrial] = {}
        for trial in sorted(self.trials or self._loose(), key=lambda trial: trial.error):
            best.setdefault(trial.candidate.cell.name, trial)
        for trial in list(best.values())[:_REFINED]:
            layout = find_layout(trial, exact=False)
            if layout is not None:
                yield refine(self.probe, layout, trial.questions.leads)

    @cached_property
    def _around(self) -> Surroundings:
        return Surroundings(self.probe)

    def _frames(self) -> Iterator[tuple[Questions, Mapping[str, Dims]]]:
        """The frames that the outputs allow, each with the other arrays that its states depend on."""
        depends = self._around.depends
        alive = frozenset[str]().union(*depends.values())
        sizes = {name: shape for name, shape in shapes(self.probe.arrays).items() if name in alive}
        for frame in frames(sizes, {array.shape for array in self.probe.answer.values()}):
            questions = self._questions(frame)
            if questions is None:
                continue
            paths = {view.tile.array for view in views(frame, self.probe.answer, [frame.state_dims], questions.leads)}
            cores = [frozenset[str]().union(*(depends[path] for path in paths))]
            # Outputs that depend on fewer arrays: a readout behind the cell brings weights that are none of the cell's.
            cores += sorted({depends[path] for path in paths}, key=len, reverse=True)
            for core in dict.fromkeys(cores):
                if frame.x in core:
                    yield questions, {name: sizes[name] for name in sizes if name in core and name != frame.x}

    def _questions(self, frame: SequenceFrame) -> Questions | None:
        if frame not in self._asked:
            leads = self._around.leads(frame)
            self._asked[frame] = None if leads is None else Questions(self.probe, frame, leads)
        return self._asked[frame]

    def _in_frame(self, questions: Questions, arrays: Mapping[str, Dims], interleaved: bool) -> list[Match]:
        """The matches of the first tilings that have some, one tiling for cells of the same shapes."""
        found: list[Match] = []
        for group in self._groups(questions.frame, arrays):
            for tiling in self._tilings(questions.frame, arrays, group, interleaved):
                fitting = [candidate for candidate in group if tiling.fits(candidate)]
                matched = [match for candidate in fitting for match in self._hold(questions, tiling, candidate)]
                found += matched
                if matched:
                    break
        return found

    def _tilings(
        self,
        frame: SequenceFrame,
        arrays: Mapping[str, Dims],
        group: Sequence[Candidate],
        interleaved: bool = False,
        loose: bool = False,
    ) -> Iterator[Tiling]:
        bounds = limits([candidate.sized for candidate in group], loose)
        return tilings(frame, arrays, bounds, self._around.alone, interleaved)

    def _groups(self, frame: SequenceFrame, arrays: Mapping[str, Dims]) -> list[list[Candidate]]:
        """The cells at this frame's sizes, those with the same shapes together."""
        lengths = sorted({length for shape in arrays.values() for length in shape} | {frame.features, frame.hidden})
        groups: dict[Any, list[Candidate]] = {}
        for cell in self.library:
            for candidate in candidates(cell, frame.features, frame.hidden, lengths):
                groups.setdefault((candidate.sized.keys, candidate.sized.state_keys), []).append(candidate)
        return list(groups.values())

    def _hold(self, questions: Questions, tiling: Tiling, candidate: Candidate) -> Iterator[Match]:
        """Hold a tiling against a cell at every kind of point, until one settles it."""
        alike = []
        for given in tiling.given_states(candidate):
            for point in tiling.points(candidate):
                weights = tuple(tile for tile in tiling.weights if len(tile.dims) in point.ranks)
                asked = (questions.short, weights, tiling.states, id(candidate.sized), given, point)
                if asked in self._failed:
                    continue
                trial = try_tiling(questions, tiling, candidate, given, point)
                self.trials.append(trial)
                if trial.error <= self.probe.tolerance:
                    alike.append(trial)
                else:
                    self._failed.add(asked)
        # Tiles without effect at a point can be anything; a point that shows all of them is preferred.
        for visible in (True, False):
            for trial in alike:
                match = self._settle(trial, visible)
                if match is not None:
                    yield match
                    return

    def _settle(self, trial: TilingTrial, visible: bool = True) -> Match | None:
        if trial.error > self.probe.tolerance:
            return None
        layout = find_layout(trial, visible=visible)
        if layout is None:
            return None
        match = measure(self.probe, layout, trial.questions.leads)
        # A tie was settled by a guess, so exchanges may still make it right; otherwise they cannot.
        if match.agreement > self.probe.tolerance and layout.tied:
            match = refine(self.probe, layout, trial.questions.leads)
        return match if match.agreement <= self.probe.tolerance else None

    def _at_zero(self) -> list[TilingTrial]:
        return [trial for trial in self.trials if trial.point == _ZERO]

    def _changed(
        self,
        change: Callable[[Candidate], Iterator[Candidate]],
        trials: Sequence[TilingTrial],
        fits: Callable[[TilingTrial, Candidate], bool] = lambda trial, candidate: True,
    ) -> Iterator[tuple[Match, Leads]]:
        """Cells that agree once they are changed in some way."""
        every = ((trial, candidate) for trial in trials for candidate in change(trial.candidate))
        changed = (one for one in every if fits(*one))
        for trial, candidate in islice(changed, _CHANGED):
            again = try_tiling(trial.questions, trial.tiling, candidate, trial.given, trial.point)
            match = self._settle(again)
            if match is not None:
                yield match, trial.questions.leads

    def _loose(self) -> Iterator[TilingTrial]:
        """Trials with cells that have more or fewer matrices than the callable, fewest in excess first."""
        found = [
            (_excess(tiling, candidate), questions, tiling, candidate)
            for questions, arrays in self._frames()
            for group in self._groups(questions.frame, arrays)
            for tiling in self._tilings(questions.frame, arrays, group, loose=True)
            for candidate in group
            if tiling.state_fit(candidate)
        ]
        for _, questions, tiling, candidate in sorted(found, key=lambda one: one[0])[:_LOOSE]:
            for given in tiling.given_states(candidate):
                yield try_tiling(questions, tiling, candidate, given, _ZERO)


def _pieces_and_error(trial: TilingTrial) -> tuple[int, float]:
    return len(trial.tiling.weights) + len(trial.tiling.states), trial.error


def _fits_vectors(trial: TilingTrial, candidate: Candidate) -> bool:
    """Whether the callable has as many vectors as are left of the cell's where some are one."""
    theirs = sum(len(tile.dims) == 1 for tile in trial.tiling.weights)
    own = sum(len(tile.dims) == 1 for tile in candidate.sized.tiles)
    return theirs == own - len(candidate.followers)


def _excess(tiling: Tiling, candidate: Candidate) -> int:
    wanted = {**dict.fromkeys(tiling.counts, 0), **candidate.sized.counts}
    return sum(abs(tiling.counts.get(own, 0) - count) for own, count in wanted.items())


def _plainest(found: Sequence[Match]) -> list[Match]:
    """Matches without additions and changes first; such with missing parameters only where there are no others."""
    whole = [match for match in found if not match.layout.missing]
    best: dict[tuple[str, object], Match] = {}
    for match in sorted(whole or found, key=_oddness):
        # Sorted by oddness before, so the plainest of equal layouts is the one kept.
        best.setdefault((match.name, match.layout.parts), match)
    return list(best.values())


def _oddness(match: Match) -> tuple[int, ...]:
    layout = match.layout
    added = len(layout.parts) - len({part.target for part in layout.parts})
    candidate = layout.candidate
    changed = sum(map(len, (candidate.negated, candidate.raised, candidate.doubled, candidate.followers)))
    # A built-in change of the cell is the strangest claim; outputs that are no state are the most ordinary.
    return changed, len(layout.missing), added, len(match.unexplained)
