"""For each mistake, the line of the backward pass that makes it: the function is watched once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.diagnosis.diagnose import Outcome
from symrnn.diagnosis.explanation import Found
from symrnn.diagnosis.pointing import Pointer
from symrnn.diagnosis.questions import Answer
from symrnn.diagnosis.wanted import EACH, cases
from symrnn.diagnosis.wording import formula
from symrnn.findings.findings import Diagnosis, SourceLine
from symrnn.mistakes.backward_pass import Program
from symrnn.source_lines.carriers import Carrier, carriers_in
from symrnn.source_lines.source import told, watch


def add_lines(subject: Subject, outcome: Outcome) -> tuple[Diagnosis, ...]:
    """The diagnoses, each with the line that makes the mistake where one was found."""
    lines = find_lines(subject, outcome.right, outcome.answers, outcome.found)
    first = len(outcome.diagnoses) - len(outcome.found)  # before them stand those that no single line makes
    pointed = [replace(one, line=line) for one, line in zip(outcome.diagnoses[first:], lines, strict=True)]
    return (*outcome.diagnoses[:first], *pointed)


def find_lines(
    subject: Subject, right: Program, answers: Sequence[Answer], found: Sequence[Found]
) -> list[SourceLine | None]:
    """The line of each mistake that was found; None where none carries the wrong numbers, or there is no source."""
    traces: dict[int, list[Carrier]] = {}
    lines: list[SourceLine | None] = []
    for case in cases(right, answers, found):
        if case is None:
            lines.append(None)
            continue
        key = id(case.answer)
        if key not in traces:
            traces[key] = _watch(subject, case.answer)
        pointed = Pointer(case, traces[key]).point()
        expected = ""
        if pointed is not None and pointed.quantity:
            expected = formula(right.line(pointed.quantity.removesuffix(EACH)))
        lines.append(None if pointed is None else told(pointed.carrier.statement, pointed.carrier.variable, expected))
    return lines


def _watch(subject: Subject, answer: Answer) -> list[Carrier]:
    """What the lines assign when a question is asked."""

    def run() -> Any:
        return subject.gradients(answer.point, answer.given)

    try:
        seen = watch(run, [subject.backward])
        if not seen.records:  # forward may be what computes them
            seen = watch(run, [subject.forward])
    except SubjectError:
        return []
    return carriers_in(seen)
