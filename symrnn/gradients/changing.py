"""Weights that change while a backward pass runs: shown by a run in which their changes are put off to its end."""

from __future__ import annotations

import copy
import linecache
import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from symrnn.callables.adapters import ChangesPutOff
from symrnn.callables.comparison import measure_gap
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.findings.findings import Diagnosis, SourceLine
from symrnn.findings.report import GradientReport
from symrnn.findings.sentences import listed
from symrnn.measuring.verdicts import Judgement, measure
from symrnn.mistakes.catalogue import corrupted_cache

_OTHER = 1e-9
"""The relative difference from which a gradient is another one: what a verdict allows for rounding."""


@dataclass(frozen=True)
class PutOff:
    """The functions under test with the changes of their weights put off.

    Attributes:
        subject: they.
        measured: the verdicts on their gradients.
        mistake: that weights change too early.
    """

    subject: Subject
    measured: Judgement
    mistake: Diagnosis

    def report(self, measured: Judgement, rest: Callable[[Subject, Judgement], GradientReport]) -> GradientReport:
        """The verdicts as they were measured, with this mistake and those that are left without it.

        Args:
            measured: the verdicts on the functions as they are.
            rest: the report of other functions.
        """
        found = rest(self.subject, self.measured)
        left = measured.wrong - set(self.mistake.gradients) - self.measured.wrong
        return replace(
            found,
            gradients=measured.findings,
            diagnoses=(self.mistake, *found.diagnoses),
            unexplained=tuple(sorted({*found.unexplained, *left})),
        )


def put_off_changes(subject: Subject, measured: Judgement, seed: int) -> PutOff | None:
    """The functions with their weights changed at the end alone, where that makes other gradients; otherwise None.

    Args:
        subject: the functions.
        measured: the verdicts on their gradients.
        seed: of the verdicts.
    """
    other: ChangesPutOff | None = getattr(subject.backward, "put_off", None)
    if other is None or not measured.wrong:
        return None
    twin = copy.copy(subject)
    twin.backward, twin.problems = other.backward, []
    try:
        again = measure(twin, seed)
    except SubjectError:
        return None
    then, now = measured.evidence.gradients, again.evidence.gradients
    moved = [name for name in then if name in now and measure_gap({"": then[name]}, {"": now[name]})[0] > _OTHER]
    lines = other.changes[-1].lines if other.changes else {}
    several = {name: places for name, places in lines.items() if len(places) > 1}
    if not (moved and several):
        return None
    twin.problems = list(subject.problems)
    return PutOff(twin, again, _mistake(several, moved, again))


def _mistake(several: dict[str, list[tuple[str, int]]], moved: list[str], again: Judgement) -> Diagnosis:
    name, places = next(iter(several.items()))
    file, line = max(set(places), key=places.count)
    others = f", and likewise {listed(list(several)[1:])}," if len(several) > 1 else ""
    right = [one for one in moved if one not in again.wrong]
    cured = f"; with the changes put off to its end {_gradients(right, 'are', 'is')} right" if right else ""
    sentence = (
        f"{name}{others} changes {len(places)} times while the backward pass runs, and what follows reads the changed "
        f"weight: {_gradients(moved, 'differ', 'differs')} by that{cured}."
    )
    shown = SourceLine(os.path.basename(file), line, linecache.getline(file, line).strip(), name, "")
    return Diagnosis(corrupted_cache.TAG, None, "", "", tuple(moved), 0.0, sentence, line=shown)


def _gradients(names: list[str], several: str, one: str) -> str:
    return f"the gradients of {listed(names)} {several}" if len(names) > 1 else f"the gradient of {names[0]} {one}"
