"""For each mistake, the line of the backward pass that makes it: the function is watched once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.diagnosis.diagnose import Outcome
from symrnn.diagnosis.explanation import FoundMistake, without
from symrnn.diagnosis.questions import LARGE, Answer
from symrnn.diagnosis.trials import MistakenPass
from symrnn.diagnosis.wording import formula
from symrnn.findings.findings import Diagnosis, SourceLine
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.case import EACH, MistakeCase, same
from symrnn.mistakes.catalogue import CATALOGUE
from symrnn.mistakes.line_finder import LineFinder
from symrnn.mistakes.mistake import Mistake, made
from symrnn.source_lines.assigned import AssignedValues, assigned_in
from symrnn.source_lines.source import told, watch
from symrnn.source_lines.statements import named_in


def add_lines(subject: Subject, outcome: Outcome) -> tuple[Diagnosis, ...]:
    """The diagnoses, each with the line that makes the mistake where one was found."""
    lines = find_lines(subject, outcome.right, outcome.answers, outcome.found)
    first = len(outcome.diagnoses) - len(outcome.found)  # before them stand those that no single line makes
    pointed = [replace(one, line=line) for one, line in zip(outcome.diagnoses[first:], lines, strict=True)]
    return (*outcome.diagnoses[:first], *pointed)


def find_lines(
    subject: Subject, right: BackwardPass, answers: Sequence[Answer], found: Sequence[FoundMistake]
) -> list[SourceLine | None]:
    """The line of each mistake that was found; None where none carries the wrong numbers, or there is no source."""
    traces: dict[int, list[AssignedValues]] = {}
    lines: list[SourceLine | None] = []
    for shown in _cases(right, answers, found):
        if shown is None:
            lines.append(None)
            continue
        answer, case = shown
        key = id(answer)
        if key not in traces:
            traces[key] = _watch(subject, answer)
        line = LineFinder(case, traces[key]).find(CATALOGUE[case.mistake.tag].find_line)
        expected = ""
        if line is not None and line.quantity:
            expected = formula(right.line(line.quantity.removesuffix(EACH)))
        assigned = None if line is None else line.assignment
        lines.append(None if assigned is None else told(assigned.statement, assigned.variable, expected))
    return lines


def _watch(subject: Subject, answer: Answer) -> list[AssignedValues]:
    """What the lines assign when a question is asked."""

    def run() -> Any:
        return subject.gradients(answer.point, answer.given)

    try:
        seen = watch(run, [subject.backward])
        if not seen.records:  # forward may be what computes them
            seen = watch(run, [subject.forward])
    except SubjectError:
        return []
    return assigned_in(seen)


def _cases(
    right: BackwardPass, answers: Sequence[Answer], found: Sequence[FoundMistake]
) -> Iterator[tuple[Answer, MistakeCase] | None]:
    """Each mistake at a question that shows it well: several steps and examples, and usual numbers if these do."""
    asked = sorted(answers, key=_plainness)
    whole = MistakenPass(made(right, (one.mistake for one in found)), asked)
    for one in found:
        rest = MistakenPass(without(right, found, one), asked)
        shown = next((place for place in range(len(asked)) if _differ(whole, rest, place)), None)
        yield None if shown is None else _case(asked[shown], one.mistake, right, whole.program, rest.program)


def _case(
    answer: Answer, mistake: Mistake, right: BackwardPass, whole: BackwardPass, rest: BackwardPass
) -> tuple[Answer, MistakeCase]:
    named = {piece.name: named_in(piece.array) for piece in answer.observed}
    arrays = {name: words[0] for name, words in named.items() if words}
    return answer, MistakeCase(answer.tape, answer.cotangents, answer.finals, mistake, right, whole, rest, arrays)


def _plainness(answer: Answer) -> tuple[Any, ...]:
    asked = answer.question
    return asked.scale >= LARGE, asked.zero, bool(asked.outputs), asked.steps < 2, asked.batch < 2, asked.steps


def _differ(whole: MistakenPass, rest: MistakenPass, place: int) -> bool:
    pairs = zip(whole.expected(place), rest.expected(place), strict=True)
    return any(not same([a], [b]) for a, b in pairs)
