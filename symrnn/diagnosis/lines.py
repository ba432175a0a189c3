"""For each mistake, the line of the backward pass that makes it: the function is watched once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symrnn.checking import Subject, SubjectError
from symrnn.checking.findings import SourceLine
from symrnn.diagnosis.model import Program, as_number
from symrnn.diagnosis.questions import LARGE, Answer
from symrnn.diagnosis.search import Found
from symrnn.diagnosis.source import locate, watch
from symrnn.diagnosis.wording import formula

Array = Any

_EACH = "@each"
"""Marks a parameter's terms, one for each step, beside their sum."""


def find_lines(
    subject: Subject, backward: Callable[..., Any], right: Program, answers: Sequence[Answer], found: Sequence[Found]
) -> list[SourceLine | None]:
    """The line of each mistake that was found; None where none carries the wrong numbers, or there is no source."""
    asked = [answer for answer in answers if answer.question.scale < LARGE and not answer.question.zero]
    if not asked or not found:
        return [None] * len(found)
    answer = max(asked, key=lambda one: (one.question.steps > 1, one.question.batch > 1, -one.question.steps))

    def run() -> Any:
        return subject.gradients(answer.point, answer.given)

    try:
        seen = watch(run, [backward])
    except SubjectError:
        return [None] * len(found)
    whole = right
    for one in found:
        whole = one.mistake.made_in(whole)
    wrong = _quantities(whole, answer)
    lines = []
    for one in found:
        without = right
        for other in found:
            without = without if other is one else other.mistake.made_in(without)
        named = [name for name in _places(one, right) if name in wrong]
        expected = {name: formula(right.line(name.removesuffix(_EACH))) for name in named}
        searched = {name: wrong[name] for name in named}
        lines.append(locate(seen, searched, _quantities(without, answer), expected, others=wrong))
    return lines


def _places(found: Found, right: Program) -> list[str]:
    """The quantities that a mistake makes wrong at once, the nearest to it first."""
    mistake, loop = found.mistake, found.mistake.loop
    if loop.cut or loop.kept or loop.length or loop.clamps:  # wrong where the step before takes what is handed on
        handed = [name.removesuffix("_prev") for name in mistake.about]
        states = right.derivation.cell.states
        return [state for state in states if state in handed] or list(states)
    names = [line.of.name for line in mistake.lines(right)] or list(mistake.about)
    return [quantity for name in names for quantity in (f"{name}{_EACH}", name)]


def _quantities(program: Program, answer: Answer) -> Mapping[str, Sequence[Array]]:
    """Variable -> the values that a program computes for its adjoint, at each step; of a parameter, the sum as well."""
    tape, parameters = answer.tape, program.derivation.cell.parameters
    totals = program.gradients(tape, answer.cotangents, answer.finals)
    found: dict[str, Sequence[Array]] = {}
    for name, steps in program.values(tape, answer.cotangents, answer.finals).items():
        if name in parameters:
            factor = dict(program.loop.factors).get(name, 1.0)
            number = as_number(factor, tape)
            found[f"{name}{_EACH}"] = [step.sum(axis=0) * number for step in steps]
            found[name] = [totals[name]]
        else:
            found[name] = steps
    return found
