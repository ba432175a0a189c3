"""One guess held against one cell: first where all tiles are alike, then tile by tile."""

from __future__ import annotations

from dataclasses import dataclass, field

from symrnn.identification.candidates import Candidate
from symrnn.identification.layout import Layout
from symrnn.identification.matching import (
    Labels,
    Questions,
    TileAssignment,
    assign,
    assign_nearest,
    build_layout,
    measure_responses,
    nudge_targets,
    pair,
)
from symrnn.identification.points import ProbePoint
from symrnn.identification.tilings import Tiling


@dataclass(frozen=True)
class TilingTrial:
    """A tiling held against a cell.

    Attributes:
        questions: what the callable answered.
        tiling: the guess at the callable's arrays.
        candidate: the cell.
        given: the states whose initial values the callable takes.
        point: where they were compared.
        error: how far the cell's first state is from the outputs there.
    """

    questions: Questions = field(repr=False)
    tiling: Tiling
    candidate: Candidate
    given: tuple[str, ...]
    point: ProbePoint
    error: float


def try_tiling(
    questions: Questions, tiling: Tiling, candidate: Candidate, given: tuple[str, ...], point: ProbePoint
) -> TilingTrial:
    """Hold a tiling against a cell at a point where all tiles are alike."""
    answer = questions.answer(tiling, point)
    error = float("inf")
    if answer is not None:
        course = questions.course(candidate, given, point)
        error = pair(candidate, course, answer, questions.views(candidate, answer), questions.probe.tolerance).error
    return TilingTrial(questions, tiling, candidate, given, point, error)


def find_layout(trial: TilingTrial, exact: bool = True, visible: bool = True) -> Layout | None:
    """The layout that the responses to nudges show, or None where they contradict the cell.

    Args:
        trial: the tiling and the cell.
        exact: whether responses must be the same; otherwise the nearest ones are taken.
        visible: whether every tile must have an effect at the trial's point.
    """
    assignment = _assignment(trial, (), exact, visible)
    labels = (
        tuple((tile, target.what) for tile, target in assignment.chosen if isinstance(target.what, str))
        if (assignment is not None)
        else ()
    )
    # Labels cost a second round of questions, so states are told apart only where being alike has left a choice.
    if assignment is not None and assignment.tied and len(labels) > 1:  # tell states apart, and what acts on them
        assignment = _assignment(trial, labels, exact, visible) or assignment
    return None if assignment is None else build_layout(trial.questions.frame, trial.candidate, assignment)


def _assignment(trial: TilingTrial, labels: Labels, exact: bool, visible: bool) -> TileAssignment | None:
    """What tiles are, with all states alike, or with states that differ by their labels."""
    questions, candidate, point = trial.questions, trial.candidate, trial.point
    held = candidate.negated, candidate.doubled, candidate.shared
    hopeless = questions.hopeless(candidate, trial.given, trial.tiling, point, held, labels, visible)
    # A tile that fitted nothing once fits nothing again with the same matrices; this saves later questions.
    if exact and not hopeless.isdisjoint(trial.tiling.weights):
        return None
    answer = questions.answer(trial.tiling, point, None, labels)
    if answer is None:
        return None
    apart = bool(labels)
    course = questions.course(candidate, trial.given, point, apart=apart)
    tolerance = questions.probe.tolerance
    pairing = pair(candidate, course, answer, questions.views(candidate, answer), tolerance)
    found = measure_responses(questions, trial.tiling, point, pairing, labels) if pairing.pairs else None
    if found is None:
        return None
    wanted = nudge_targets(questions, candidate, trial.given, point, pairing, apart)
    still = pairing.value(answer)
    if exact:
        return assign(trial.tiling, found, wanted, still, tolerance, visible, hopeless)
    return assign_nearest(found, wanted, still, pairing.expected(course), frozenset(trial.tiling.states))
