"""An explanation in the making: mistakes that were found, the program with them, and what it does not explain yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from symrnn.arrays import Array
from symrnn.diagnosis.questions import Answer
from symrnn.diagnosis.trials import MistakenPass
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.mistake import Mistake, made


@dataclass(frozen=True)
class FoundMistake:
    """A mistake that was found.

    Attributes:
        mistake: which.
        before: the program that it was made in.
        labels: the gradients that it makes wrong, those that show it most simply first.
        agreement: how far these are from the program with all mistakes found.
        simple: how many of the labels are wrong at the first question that shows the mistake.
    """

    mistake: Mistake
    before: BackwardPass
    labels: tuple[str, ...] = ()
    agreement: float = 0.0
    simple: int = 0


@dataclass(frozen=True)
class PartialExplanation:
    """How far an explanation has come.

    Attributes:
        trial: the program with the mistakes found.
        tolerance: up to which error two gradients are the same.
        found: these mistakes.
        given_up: gradient -> the question from which on it is not looked at.
        failures: how often no mistake was found.
        near: mistakes that come close to what was given up.
    """

    trial: MistakenPass
    tolerance: float
    found: tuple[FoundMistake, ...] = ()
    given_up: Mapping[str, int] = field(default_factory=dict)
    failures: int = 0
    near: tuple[FoundMistake, ...] = ()

    @property
    def answers(self) -> Sequence[Answer]:
        """What is to be explained, question by question."""
        return self.trial.answers

    @property
    def program(self) -> BackwardPass:
        """The program with the mistakes found."""
        return self.trial.program

    # what agrees

    def counted(self, asked: int) -> Array:
        """Mask of the gradients still to be explained: one that was given up is not looked at from there on."""
        never = len(self.answers)
        return np.array([self.given_up.get(p.label, never) > asked for p in self.answers[asked].observed], dtype=bool)

    def right(self, asked: int, trial: MistakenPass | None = None) -> Array:
        """Which pieces of an answer agree with a trial, this explanation's own if none is given."""
        return ((trial or self.trial).errors(asked) <= self.tolerance) & self.counted(asked)

    def wrong(self, asked: int) -> Array:
        """Which pieces of an answer are not explained."""
        return self.counted(asked) & ~self.right(asked)

    def first_wrong(self) -> int | None:
        """The first question with an answer that is not explained."""
        return next((asked for asked in range(len(self.answers)) if self.wrong(asked).any()), None)

    def mostly_wrong(self, asked: int) -> bool:
        """Whether most gradients are given up because of what is carried back."""
        counted = self.counted(asked)
        # With most of them wrong over several steps, what is handed on is wrong, and every later question shows only
        # that.
        return self.answers[asked].question.steps > 1 and bool(2 * counted.sum() < counted.size)

    def score(self, trial: MistakenPass) -> int:
        """How many gradients agree with a trial, over all questions."""
        return int(sum(self.right(asked, trial).sum() for asked in range(len(self.answers))))

    def keeps(self, other: MistakenPass, asked: int) -> bool:
        """Whether nothing that agrees disagrees with another trial."""
        return not np.any(self.right(asked) & ~self.right(asked, other))

    def gains(self, other: MistakenPass, asked: int) -> bool:
        """Whether more agrees with another trial, and nothing less."""
        gained = self.right(asked, other) & ~self.right(asked)
        return bool(gained.any()) and self.keeps(other, asked)

    # going on

    def with_mistakes(self, chosen: Iterable[Mistake]) -> PartialExplanation:
        """The explanation with some mistakes more."""
        found, trial = list(self.found), self.trial
        for mistake in chosen:
            found.append(FoundMistake(mistake, trial.program))
            trial = MistakenPass(mistake.made_in(trial.program), self.answers)
        return replace(self, found=tuple(found), trial=trial)

    def giving_up(self, asked: int, near: FoundMistake | None = None) -> PartialExplanation:
        """The explanation without what is wrong at a question; that is all, where later answers show no more."""
        failures = self.failures + 1
        given_up = replace(self, given_up=self._left(asked), failures=failures)
        if failures > 1 or given_up.mostly_wrong(asked):
            for later in range(asked, len(self.answers)):
                given_up = replace(given_up, given_up=given_up._left(later))
        return replace(given_up, near=(*self.near, near) if near else self.near)

    def _left(self, asked: int) -> dict[str, int]:
        pieces = zip(self.answers[asked].observed, self.wrong(asked), strict=True)
        return {piece.label: asked for piece, bad in pieces if bad} | dict(self.given_up)


def without(right: BackwardPass, found: Iterable[FoundMistake], one: FoundMistake) -> BackwardPass:
    """The program with all mistakes but one; without any of them where another is in a term that this one puts there.

    Args:
        right: the program without any mistake.
        found: the mistakes.
        one: which of them is left out.
    """
    try:
        return made(right, (other.mistake for other in found if other is not one))
    except IndexError:
        return right
