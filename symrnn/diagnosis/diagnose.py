"""The diagnosis of a pair of functions that compute a known cell: questions, search, and what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symrnn.budget import unlimited
from symrnn.calculus.derivation import Derivation
from symrnn.callables.subject import Subject
from symrnn.diagnosis.explanation import FoundMistake
from symrnn.diagnosis.loss_questions import LossQuestionnaire
from symrnn.diagnosis.operands import other_operands
from symrnn.diagnosis.products import other_products
from symrnn.diagnosis.questions import Answer, Questionnaire
from symrnn.diagnosis.search import EXACT, MistakeSearch
from symrnn.diagnosis.wording import diagnosis
from symrnn.findings.findings import Diagnosis
from symrnn.identification.layout import Layout
from symrnn.losses.headed import HeadedLayout
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.catalogue import bad_accumulator, extra_path
from symrnn.mistakes.catalogue.forward_backward_mismatch import as_if_of, neighbours
from symrnn.mistakes.mistake import Mistake, made


@dataclass(frozen=True)
class Outcome:
    """What a diagnosis came to.

    Attributes:
        diagnoses: the mistakes, each exact.
        unexplained: gradients that are wrong at some question, and that no mistake of the catalogue explains.
        asked: how many questions were answered.
        program: the backward pass with all mistakes that were found.
        right: the right one.
        answers: what was answered.
        found: the mistakes as the search has them, beside each diagnosis.
        near: mistakes that come close to what is unexplained, and are not what was made.
        complete: whether the search came to its end; it may run out of time.
    """

    diagnoses: tuple[Diagnosis, ...]
    unexplained: tuple[str, ...]
    asked: int
    right: BackwardPass
    answers: tuple[Answer, ...] = ()
    found: tuple[FoundMistake, ...] = ()
    near: tuple[Diagnosis, ...] = ()
    complete: bool = True


def diagnose(
    subject: Subject,
    layout: Layout,
    original: Derivation,
    seed: int = 0,
    labels: Mapping[str, str] | None = None,
) -> Outcome:
    """Name the mistakes of a backward pass.

    Args:
        subject: the functions.
        layout: the cell that forward computes, and how it holds it.
        original: the derivation of that cell.
        seed: of all numbers.
        labels: how pieces of arrays are called, where not as the layout does.
    """
    questionnaire = _questionnaire(subject, layout, original, seed, labels)
    derivation, suspects = _own_cell(questionnaire, original)
    # Asked anew: the numbers are drawn where this cell is finite, and the answers are read by it.
    if derivation is not original:
        questionnaire = _questionnaire(subject, layout, derivation, seed, labels)
    answers = tuple(
        answer for question in questionnaire.questions() if (answer := questionnaire.ask(question)) is not None
    )
    right = BackwardPass.right(derivation)
    if not answers:
        return Outcome((), (), 0, right)
    timed = "T" in layout.frame.axes
    search = MistakeSearch(right, answers, questionnaire.taken, suspects, questionnaire.tolerance, timed)
    found, unexplained = tuple(search.run()), search.unexplained
    # What was found is put into words, however little time is left.
    with unlimited():
        return _outcome(search, found, unexplained, layout)


def _outcome(search: MistakeSearch, found: tuple[FoundMistake, ...], unexplained: set[str], layout: Layout) -> Outcome:
    """What a search came to, with what it could not find by trying."""
    right, answers = search.right, search.answers
    program = made(right, (one.mistake for one in found))
    others = other_operands(program, answers, unexplained, layout.reference) if unexplained else []
    others += other_products(program, answers, unexplained, layout.reference) if unexplained else []
    known = {label for other in others for label in other.gradients}
    found = tuple(_of_explained(one, unexplained - known) for one in found if not set(one.labels) <= known)
    found = tuple(one for one in found if one.labels)
    diagnoses = [diagnosis(one, right, layout.reference) for one in found]
    near = [diagnosis(one, right, layout.cell.name, exact=False) for one in search.near]
    return Outcome(
        (*_offsets(answers), *others, *diagnoses),
        tuple(sorted(unexplained - known)),
        len(answers),
        right,
        tuple(answers),
        found,
        tuple(near),
        search.complete,
    )


def _of_explained(found: FoundMistake, unexplained: set[str]) -> FoundMistake:
    """A mistake with the gradients that it explains: one that stays wrong is not what you get when it is made."""
    labels = tuple(label for label in found.labels if label not in unexplained)
    simple = sum(label not in unexplained for label in found.labels[: found.simple])
    return replace(found, labels=labels, simple=simple)


def _questionnaire(
    subject: Subject, layout: Layout, derivation: Derivation, seed: int, labels: Mapping[str, str] | None
) -> Questionnaire:
    """What asks the functions, by what they return: states, or a loss."""
    if isinstance(layout, HeadedLayout):
        return LossQuestionnaire(subject, layout, derivation, seed, labels)
    return Questionnaire(subject, layout, derivation, seed, labels)


def _own_cell(questionnaire: Questionnaire, original: Derivation) -> tuple[Derivation, Sequence[Mistake]]:
    """The cell that forward does compute: the one it should, or one that differs from it in an equation."""
    if questionnaire.forward_agrees(original) is not False:
        return original, ()
    # Only where forward disagrees: every neighbour is a derivation.
    for changed, other in neighbours(original.cell):
        if questionnaire.forward_agrees(other):
            return other, list(as_if_of(BackwardPass.right(other), original, changed))
    return original, ()


def _offsets(answers: Sequence[Answer]) -> list[Diagnosis]:
    """Gradients that are not zero where the cotangents are."""
    largest: dict[str, float] = {}
    for answer in answers:
        for piece, offset in zip(answer.observed, answer.offsets, strict=True):
            largest[piece.array] = max(largest.get(piece.array, 0.0), offset)
    names = tuple(name for name, offset in largest.items() if offset > EXACT or np.isnan(offset))
    if not names:
        return []
    decay = {round(answer.decays.get(name, 0.0), 12) for answer in answers for name in names}
    # One multiple at every question is a weight decay; that of 1 is an array returned for its gradient.
    if len(decay) == 1 and not decay & {0.0, 1.0}:
        return [extra_path.of_arrays(names, decay.pop())]
    cell = answers[0].tape.derivation.cell
    summed = {piece.array for answer in answers for piece in answer.observed if piece.name in cell.parameters}
    return [bad_accumulator.of_parameters(names) if set(names) <= summed else extra_path.of_arrays(names, None)]
