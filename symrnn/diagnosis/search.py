"""Which mistakes explain a backward pass: find one, assume it, and go on with what is still wrong.

The questions are asked in an order in which each shows new equations.  At the first question with a wrong answer,
every mistake of the catalogue is tried that can reach a wrong gradient; the one that makes most gradients agree, and
none disagree that agreed, is assumed to have been made.  Only where none does, several are tried at once: their effects
add up in a sum, and multiply in a product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby, islice
from typing import Any

import numpy as np

from symrnn.diagnosis.catalogue import LIKELY, WIDE
from symrnn.diagnosis.combining import combinations_that_explain
from symrnn.diagnosis.mistake import Grounds, Mistake, mistakes
from symrnn.diagnosis.model import Program
from symrnn.diagnosis.observed import clippings, multiples
from symrnn.diagnosis.questions import LARGE, SMALL, Answer
from symrnn.diagnosis.trials import Reach, Trial

Array = Any

EXACT = 1e-9
_SHORT = 24
_MOST = 16
_FAILURES = 1
_TOGETHER = 160
_CLOSE, _LITTLE = 1e-3, 0.02
_WAYS = 40


@dataclass(frozen=True)
class Found:
    """A mistake that was found.

    Attributes:
        mistake: which.
        before: the program that it was made in.
        labels: the gradients that it makes wrong, those that show it most simply first.
        agreement: how far these are from the program with all mistakes found.
        simple: how many of the labels are wrong at the first question that shows the mistake.
    """

    mistake: Mistake
    before: Program
    labels: tuple[str, ...] = ()
    agreement: float = 0.0
    simple: int = 0


@dataclass
class Search:
    """One search.

    Attributes:
        program: the right one.
        answers: what the functions answered, in the order of the questions.
        outputs: the outputs that may have a cotangent.
        suspects: mistakes to try before all others.
        tolerance: up to which error two gradients are the same.
        timed: whether the functions run over several steps.
        unexplained: the gradients that stay wrong at some question, once it has run.
        near: mistakes that come close to some of these, and are not assumed.
    """

    program: Program
    answers: Sequence[Answer]
    outputs: Sequence[str]
    suspects: Sequence[Mistake] = ()
    tolerance: float = EXACT
    timed: bool = True
    unexplained: set[str] = field(default_factory=set)
    near: list[Found] = field(default_factory=list)
    _found: list[Found] = field(default_factory=list)
    _given_up: dict[str, int] = field(default_factory=dict)

    def run(self) -> list[Found]:
        """The mistakes, in the order found."""
        trial, failures = Trial(self.program, self.answers), 0
        while len(self._found) < _MOST and (asked := self._first_wrong(trial)) is not None:
            chosen = self._next(trial, asked)
            for mistake in chosen:
                self._found.append(Found(mistake, trial.program))
                trial = Trial(mistake.made_in(trial.program), self.answers)
            if not chosen:
                failures += 1
                self._give_up(trial, asked)
            if failures > _FAILURES or (not chosen and self._all_wrong(asked)):  # later answers show no more
                for later in range(asked, len(self.answers)):
                    self._give_up(trial, later)
        found = self._attributed(self._joined(self._needed()))
        self.unexplained = set(self._given_up) | self._still_wrong(found)
        return found

    def _still_wrong(self, found: Sequence[Found]) -> set[str]:
        """The gradients that are wrong at some question once all that is reported is assumed."""
        whole = self._made(found)
        return {
            piece.label
            for asked, answer in enumerate(self.answers)
            for piece, error in zip(answer.observed, whole.errors(asked), strict=True)
            if not error <= self.tolerance
        }

    # what is wrong

    def _first_wrong(self, trial: Trial) -> int | None:
        return next((asked for asked in range(len(self.answers)) if self._wrong(trial, asked).any()), None)

    def _counted(self, asked: int) -> Array:
        """Which pieces of an answer are still looked at: a gradient that was given up is not, from there on."""
        never = len(self.answers)
        return np.array([self._given_up.get(p.label, never) > asked for p in self.answers[asked].observed], dtype=bool)

    def _right(self, trial: Trial, asked: int) -> Array:
        return (trial.errors(asked) <= self.tolerance) & self._counted(asked)

    def _wrong(self, trial: Trial, asked: int) -> Array:
        return self._counted(asked) & ~self._right(trial, asked)

    def _give_up(self, trial: Trial, asked: int) -> None:
        for piece, bad in zip(self.answers[asked].observed, self._wrong(trial, asked), strict=True):
            if bad:
                self._given_up.setdefault(piece.label, asked)

    def _all_wrong(self, asked: int) -> bool:
        """Whether most gradients are given up because of what is carried back."""
        return self.answers[asked].question.steps > 1 and 2 * self._counted(asked).sum() < self._counted(asked).size

    def score(self, trial: Trial) -> int:
        """How many gradients agree, over all questions."""
        return int(sum(self._right(trial, asked).sum() for asked in range(len(self.answers))))

    # one mistake

    def _next(self, trial: Trial, asked: int) -> tuple[Mistake, ...]:
        """The mistakes that explain something of what is wrong at a question; mostly one."""
        on = Grounds(trial.program, self.outputs, self.answers[0].finals, self.timed)
        answer = self.answers[asked]
        names = {piece.name for piece, bad in zip(answer.observed, self._wrong(trial, asked), strict=True) if bad}
        reach = Reach(trial.program, answer.question.steps)
        harmless: list[Trial] = []
        for candidates in self._candidates(on, answer):
            tried = []
            for mistake in candidates:
                touched = reach.of(mistake)
                if touched is None or touched & names:
                    tail = reach.tail(mistake)
                    tried.append(Trial(mistake.made_in(trial.program), self.answers, (mistake,), trial, tail))
            best = self._best(trial, asked, tried)
            if best is not None:
                return best.mistakes
            harmless += [one for one in tried if self._keeps(trial, one, asked)]
        several = self._several(trial, asked, harmless)
        if not several:
            self._note_near(trial, asked, harmless)
        return several

    def _candidates(self, on: Grounds, answer: Answer) -> Iterator[list[Mistake]]:
        if answer.question.scale != SMALL:
            yield list(clippings(on, answer))
        if answer.question.scale == LARGE:
            return
        if on.program is self.program:
            yield list(self.suspects)
        yield mistakes(on, LIKELY)
        yield list(multiples(on, answer))
        yield mistakes(on, WIDE)

    def _keeps(self, trial: Trial, other: Trial, asked: int) -> bool:
        """Whether nothing that agreed with one program disagrees with another."""
        return not np.any(self._right(trial, asked) & ~self._right(other, asked))

    def _gains(self, trial: Trial, other: Trial, asked: int) -> bool:
        gained = self._right(other, asked) & ~self._right(trial, asked)
        return bool(gained.any()) and self._keeps(trial, other, asked)

    def _best(self, trial: Trial, asked: int, tried: Iterable[Trial]) -> Trial | None:
        """The one after which most agrees here, of those that lose nothing; then elsewhere; then the likeliest."""
        gains = [(int(self._right(one, asked).sum()), one) for one in tried if self._gains(trial, one, asked)]
        gains.sort(key=lambda one: (-one[0], one[1].mistakes[0].rank))
        for _, group in groupby(gains, key=lambda one: one[0]):
            short = []
            for _, one in group:
                if all(self._keeps(trial, one, earlier) for earlier in range(asked)):
                    short.append(one)
                if len(short) == _SHORT:
                    break
            if short:
                return max(short, key=lambda one: (self.score(one), -one.mistakes[0].rank))
        return None

    # several at once

    def _several(self, trial: Trial, asked: int, harmless: Sequence[Trial]) -> tuple[Mistake, ...]:
        """Mistakes that together make a gradient right, each of which changes nothing that agrees."""
        if self.answers[asked].question.scale == LARGE:
            return ()
        base = trial.expected(asked)
        wrong = self._wrong(trial, asked)
        for place in np.flatnonzero(wrong).tolist():
            piece = self.answers[asked].observed[place]
            touching: dict[bytes, Trial] = {}
            for one in sorted(harmless, key=lambda one: one.mistakes[0].rank):
                value = one.expected(asked)[place]
                if not np.array_equal(value, base[place]) and np.all(np.isfinite(value)):
                    touching.setdefault(np.round(value, 12).tobytes(), one)
            chosen = list(touching.values())[:_TOGETHER]
            effects = [one.expected(asked)[place].ravel() for one in chosen]
            ways = combinations_that_explain(piece.value.ravel(), base[place].ravel(), effects, self.tolerance)
            good = []
            for places in islice(ways, _WAYS):
                together = self._with(trial, [chosen[index].mistakes[0] for index in places])
                if self._gains(trial, together, asked):
                    good.append(together)
            if good:
                return max(good, key=lambda one: (self.score(one), *_likely(one.mistakes))).mistakes
        return ()

    def _with(self, trial: Trial, chosen: Sequence[Mistake]) -> Trial:
        program = trial.program
        for mistake in chosen:
            program = mistake.made_in(program)
        return Trial(program, self.answers, tuple(chosen))

    # what comes close

    def _note_near(self, trial: Trial, asked: int, harmless: Sequence[Trial]) -> None:
        """Note the mistake that leaves least of what is wrong with a gradient, if that is little."""
        wrong = self._wrong(trial, asked)
        before = trial.errors(asked)
        close = np.maximum(self.tolerance, np.minimum(_CLOSE, _LITTLE * before))
        best: tuple[int, float, int] | None = None
        for place, one in enumerate(harmless):
            errors = one.errors(asked)
            near = wrong & (errors <= close) & (errors > self.tolerance)
            if near.any():
                best = max(best or (0, 0.0, 0), (int(near.sum()), -float(errors[near].max()), -place))
        if best is not None:
            one = harmless[-best[2]]
            near = wrong & (one.errors(asked) <= close) & (one.errors(asked) > self.tolerance)
            labels = [p.label for p, close_ in zip(self.answers[asked].observed, near, strict=True) if close_]
            self.near.append(Found(one.mistakes[0], trial.program, tuple(labels), -best[1], len(labels)))

    # what was found

    def _needed(self) -> list[Found]:
        """The mistakes without which fewer gradients would agree."""
        kept = list(self._found)
        best = self.score(self._made(kept)) if len(kept) > 1 else 0
        for found in list(kept) if len(kept) > 1 else ():
            rest = [other for other in kept if other is not found]
            if rest and self._possible(rest) and self.score(self._made(rest)) >= best:
                kept = rest
        return kept

    def _joined(self, kept: Sequence[Found]) -> list[Found]:
        """The mistakes, those that are one in words as one: several in an equation, or the same in several."""
        joined = list(kept)
        for one, other in combinations(kept, 2):
            both = one.mistake.joined(other.mistake) if one in joined and other in joined else None
            if both is None:
                continue
            rest = [Found(both, one.before) if found is one else found for found in joined if found is not other]
            if self._possible(rest) and self.score(self._made(rest)) == self.score(self._made(joined)):
                joined = rest
        return joined

    def _possible(self, chosen: Sequence[Found]) -> bool:
        """Whether mistakes can be made without others: one may be in a term that another has put there."""
        try:
            self._made(chosen)
        except IndexError:
            return False
        return True

    def _made(self, chosen: Sequence[Found]) -> Trial:
        return self._with(Trial(self.program, self.answers), [found.mistake for found in chosen])

    def _attributed(self, kept: Sequence[Found]) -> list[Found]:
        """The mistakes, each with the gradients that it makes wrong."""
        whole = self._made(kept)
        attributed = [self._with_labels(found, kept, whole) for found in kept]
        return [found for found in attributed if found.labels]

    def _with_labels(self, found: Found, kept: Sequence[Found], whole: Trial) -> Found:
        rest = [other for other in kept if other is not found]
        without = self._made(rest if self._possible(rest) else [])
        labels: dict[str, float] = {}
        simple = 0
        for asked, answer in enumerate(self.answers):
            true, other = whole.errors(asked), without.errors(asked)
            for piece, error, gone, counted in zip(answer.observed, true, other, self._counted(asked), strict=True):
                if error <= self.tolerance < gone and counted:
                    labels[piece.label] = max(labels.get(piece.label, 0.0), float(error))
            simple = simple or len(labels)
        agreement = max(labels.values(), default=0.0)
        return Found(found.mistake, found.before, tuple(labels), agreement, simple)


def _likely(chosen: Sequence[Mistake]) -> tuple[int, int, int]:
    """Few mistakes rather than many, of one class rather than of several, and of likely ones."""
    return -len(chosen), -len({mistake.tag for mistake in chosen}), -sum(mistake.rank for mistake in chosen)
