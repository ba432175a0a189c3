"""For each mistake, the line of the backward pass that makes it: the function is watched once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.diagnosis.explanation import Found
from symrnn.diagnosis.pointing import Pointer
from symrnn.diagnosis.questions import Answer
from symrnn.diagnosis.wanted import EACH, cases
from symrnn.diagnosis.wording import formula
from symrnn.findings.findings import SourceLine
from symrnn.mistakes.backward_pass import Program
from symrnn.source_lines.carriers import Carrier, carriers_in
from symrnn.source_lines.source import told, watch

Array = Any


def find_lines(
    subject: Subject, backward: Callable[..., Any], right: Program, answers: Sequence[Answer], found: Sequence[Found]
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
            traces[key] = _watched(subject, backward, case.answer)
        pointed = Pointer(case, traces[key]).point()
        expected = ""
        if pointed is not None and pointed.quantity:
            expected = formula(right.line(pointed.quantity.removesuffix(EACH)))
        lines.append(None if pointed is None else told(pointed.carrier.statement, pointed.carrier.variable, expected))
    return lines


def _watched(subject: Subject, backward: Callable[..., Any], answer: Answer) -> list[Carrier]:
    """What the lines assign when a question is asked."""

    def run() -> Any:
        return subject.gradients(answer.point, answer.given)

    try:
        seen = watch(run, [backward])
        if not seen.records:  # forward may be what computes them
            seen = watch(run, [subject._forward])
    except SubjectError:
        return []
    return carriers_in(seen)
