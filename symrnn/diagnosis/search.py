"""Which mistakes explain a backward pass: find one, assume it, and go on with what is still wrong.

The questions are asked in an order in which each shows new equations.  At the first question with a wrong answer,
every mistake of the catalogue is tried that can reach a wrong gradient; the one that makes most gradients agree, and
none disagree that agreed, is assumed to have been made.  Only where none does, several are tried at once: their effects
add up in a sum, and multiply in a product.

What explains the first questions need not be what was done.  Where an explanation leaves something, or takes several
mistakes, choices are taken back, the last first, and what was next to them is followed instead.  Of all explanations
the one is kept that leaves least, and of these the one with the fewest and the likeliest mistakes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice, tee
from typing import Any

import numpy as np

from symrnn.budget import OutOfTimeError, unlimited
from symrnn.diagnosis.accounting import ReducedExplanation
from symrnn.diagnosis.explanation import FoundMistake, PartialExplanation
from symrnn.diagnosis.questions import LARGE, SMALL, Answer
from symrnn.diagnosis.trials import GradientsReached, MistakenPass
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.catalogue import bounds, likely, multiples, wide
from symrnn.mistakes.combining import combinations_that_explain
from symrnn.mistakes.mistake import Mistake, made
from symrnn.mistakes.site import MistakeSite

Choices = Iterator[PartialExplanation]

EXACT = 1e-9
"""Up to which error a mistake explains a gradient in double precision: the measure is that of the questions."""
_SHORT = 24
"""Mistakes with the same gain that are told apart at all questions, which costs a run of the program each."""
_MOST = 16
"""Mistakes in one explanation; a pass with more is wrong throughout, and no list of mistakes helps its author."""
_TOGETHER = 160
"""Effects that are combined: pairs of so many are some ten thousand, which a product of matrices looks through."""
_CLOSE, _LITTLE = 1e-3, 0.02
"""What a near miss may leave of an error: in itself, so that it is seen to be near, and as a part of what there was."""
_FIRSTS = 40
"""Slips in a term in which a second one is looked for, where nothing else explains it: each has some hundred."""
_WAYS = 40
"""Combinations that are tried in the program, of those that explain one gradient: others are explained by chance."""
_BESIDE = 3
"""Choices beside the best that are kept to be followed later; each may double the search."""
_INCOMPLETE, _SEVERAL = 12, 3
"""How many choices are taken back where something is unexplained, and where there are more than two mistakes."""
_WORK = 40_000
"""How many mistakes are looked at before no choice is taken back any more."""


@dataclass(eq=False)
class _OpenChoice:
    """Where an explanation could have gone on in another way."""

    choices: Choices
    depth: int
    passed: int = 1


@dataclass
class MistakeSearch:
    """One search.

    Attributes:
        right: the program without any mistake.
        answers: what the functions answered, in the order of the questions.
        outputs: the outputs that may have a cotangent.
        suspects: mistakes to try before all others.
        tolerance: up to which error two gradients are the same.
        timed: whether the functions run over several steps.
        unexplained: the gradients that stay wrong at some question, once it has run.
        near: mistakes that come close to some of these, and are not assumed.
        complete: whether the search came to its end; it may run out of time.
    """

    right: BackwardPass
    answers: Sequence[Answer]
    outputs: Sequence[str]
    suspects: Sequence[Mistake] = ()
    tolerance: float = EXACT
    timed: bool = True
    unexplained: set[str] = field(default_factory=set)
    near: tuple[FoundMistake, ...] = ()
    complete: bool = True
    _best: ReducedExplanation | None = None
    _work: int = 0

    def run(self) -> list[FoundMistake]:
        """The mistakes, in the order found."""
        try:
            for explanation in self._explanations():
                account = ReducedExplanation(self.right, explanation)
                # The first of equals stays: it came from likelier choices.
                if self._best is None or account.cost < self._best.cost:
                    self._best, self.near = account, explanation.near
        except OutOfTimeError:  # what was found until now is exact, and there may be more
            self.complete = False
        if self._best is None:
            self.unexplained = self._wrong_at_first() if not self.complete else set()
            return []
        self.unexplained = self._best.unexplained
        return self._best.found

    def _wrong_at_first(self) -> set[str]:
        """The gradients that differ from the derived ones at some question."""
        with unlimited():
            plain = MistakenPass(self.right, self.answers)
            return {
                piece.label
                for asked, answer in enumerate(self.answers)
                for piece, error in zip(answer.observed, plain.errors(asked), strict=True)
                if not error <= self.tolerance
            }

    # which choices are followed

    def _explanations(self) -> Iterator[PartialExplanation]:
        """Explanations, the first choice everywhere first."""
        start = PartialExplanation(MistakenPass(self.right, self.answers), self.tolerance)
        open_: list[_OpenChoice] = []
        yield from self._followed(start, open_)
        taken_back = 0
        while open_ and taken_back < self._patience() and self._work < _WORK:
            last_first = -1 if self._best is not None and self._best.unexplained else 1
            # Each choice once before any twice. Where something is unexplained the last choice was the wrong one most
            # often; where all is explained by too many mistakes, the first.
            junction = min(open_, key=lambda one: (one.passed, last_first * one.depth))
            taken_back += 1
            junction.passed += 1
            other = next(junction.choices, None)
            if other is None:
                open_.remove(junction)
            else:
                yield from self._followed(other, open_)

    def _patience(self) -> int:
        if self._best is None:
            return 0
        if self._best.unexplained or self._best.dropped:
            return _INCOMPLETE
        # a single mistake that explains everything would have been seen at the first choice
        return _SEVERAL if len(self._best.found) > 2 else 0

    def _followed(self, explanation: PartialExplanation, open_: list[_OpenChoice]) -> Iterator[PartialExplanation]:
        """The explanation that first choices lead to from here; none if it gets no better than what is known."""
        while (asked := explanation.first_wrong()) is not None and len(explanation.found) < _MOST:
            if not self._may_be_better(explanation):
                return
            choices = self._choices(explanation, asked)
            explanation = next(choices)
            open_.append(_OpenChoice(choices, len(open_)))
        yield explanation

    def _may_be_better(self, explanation: PartialExplanation) -> bool:
        if self._best is None:
            return True
        known = len(self._best.unexplained), len(self._best.found) + self._best.dropped
        return (len(explanation.given_up), len(explanation.found)) < known

    def _choices(self, explanation: PartialExplanation, asked: int) -> Choices:
        """How an explanation may go on from a question that it does not explain, the likeliest way first."""
        # Made once, as they are asked for: the wide mistakes are never made where a likely one explains everything.
        first, then, again = tee(self._tried(explanation, asked), 3)
        any_ = False
        whole = self._whole(explanation, asked, first)
        if whole is not None:
            any_ = True
            yield explanation.with_mistakes(whole.mistakes)
        for tried in then:
            for one in self._best_of(explanation, asked, tried):
                any_ = True
                yield explanation.with_mistakes(one.mistakes)
        harmless = [one for tried in again for one in tried if explanation.keeps(one, asked)]
        for chosen in self._several(explanation, asked, harmless):
            any_ = True
            yield explanation.with_mistakes(chosen)
        if not any_:
            for chosen in self._in_one_term(explanation, asked, harmless):
                any_ = True
                yield explanation.with_mistakes(chosen)
        if not any_:
            yield explanation.giving_up(asked, self._near(explanation, asked, harmless))

    # one mistake

    def _tried(self, explanation: PartialExplanation, asked: int) -> Iterator[list[MistakenPass]]:
        """The mistakes that can reach what is wrong, the likely ones first, each in the program."""
        on = MistakeSite(explanation.program, self.outputs, self.answers[0].finals, self.timed)
        answer = self.answers[asked]
        wrong = zip(answer.observed, explanation.wrong(asked), strict=True)
        names = {piece.name for piece, bad in wrong if bad}
        reach = GradientsReached(explanation.program, answer.question.steps)
        single = [earlier for earlier in range(asked) if self.answers[earlier].question.steps == 1]
        for candidates in self._candidates(on, answer):
            tried = []
            for mistake in candidates:
                touched = reach.of(mistake)
                if touched is None or touched & names:
                    changed = mistake.made_in(explanation.program)
                    one = MistakenPass(changed, self.answers, (mistake,), explanation.trial, reach.tail(mistake))
                    if all(explanation.keeps(one, earlier) for earlier in single):  # quick to tell, and often not so
                        tried.append(one)
            self._work += len(candidates)
            yield tried

    def _candidates(self, on: MistakeSite, answer: Answer) -> Iterator[list[Mistake]]:
        if answer.question.scale != SMALL:
            # Small cotangents stay below any bound, so that clipping shows in the larger ones only.
            yield bounds(on, answer.measured(on.program))
        if answer.question.scale == LARGE:
            return
        if on.program is self.right:
            yield list(self.suspects)
        yield likely(on)
        yield multiples(on, answer.measured(on.program))
        yield wide(on)

    def _whole(
        self, explanation: PartialExplanation, asked: int, stages: Iterable[list[MistakenPass]]
    ) -> MistakenPass | None:
        """The likeliest mistake that explains everything."""
        for tried in stages:
            whole = [
                one
                for one in tried
                if all(
                    np.array_equal(explanation.right(place, one), explanation.counted(place))
                    # The question at hand first: nearly all mistakes fail there.
                    for place in (asked, *range(asked), *range(asked + 1, len(self.answers)))
                )
            ]
            if whole:
                return min(whole, key=lambda one: one.mistakes[0].rank)
        return None

    def _best_of(
        self, explanation: PartialExplanation, asked: int, tried: Iterable[MistakenPass]
    ) -> list[MistakenPass]:
        """Those that gain something and lose nothing: first the one after which most agrees here, then elsewhere."""
        gains = [(int(explanation.right(asked, one).sum()), one) for one in tried if explanation.gains(one, asked)]
        gains.sort(key=lambda one: (-one[0], one[1].mistakes[0].rank))
        best: list[MistakenPass] = []
        for _, group in groupby(gains, key=lambda one: one[0]):
            keeping = (one for _, one in group if all(explanation.keeps(one, earlier) for earlier in range(asked)))
            short = list(islice(keeping, _SHORT))
            short.sort(key=lambda one: (-explanation.score(one), one.mistakes[0].rank))
            best += self._apart(short, best)
            if len(best) > _BESIDE:
                break
        return best[: _BESIDE + 1]

    def _apart(self, ranked: Sequence[MistakenPass], known: Sequence[MistakenPass]) -> list[MistakenPass]:
        """Mistakes with different effects: the first of each effect."""
        seen = {self._effect(one) for one in known}
        found = []
        for one in ranked:
            effect = self._effect(one)
            if effect not in seen:
                seen.add(effect)
                found.append(one)
        return found

    def _effect(self, trial: MistakenPass) -> tuple[bytes, ...]:
        return tuple(np.round(trial.errors(asked), 7).tobytes() for asked in range(len(self.answers)))

    # several at once

    def _several(
        self, explanation: PartialExplanation, asked: int, harmless: Sequence[MistakenPass]
    ) -> Iterator[tuple[Mistake, ...]]:
        """Mistakes that together make a gradient right, each of which changes nothing that agrees."""
        if self.answers[asked].question.scale == LARGE:
            return
        base = explanation.trial.expected(asked)
        ranked = sorted(harmless, key=lambda one: one.mistakes[0].rank)
        for place in np.flatnonzero(explanation.wrong(asked)).tolist():
            observed = self.answers[asked].observed[place].value.ravel()
            touching: dict[bytes, MistakenPass] = {}
            for one in ranked:
                value = one.expected(asked)[place]
                if not np.array_equal(value, base[place]) and np.all(np.isfinite(value)):
                    # Of mistakes with one effect on this gradient the likeliest; the others would make the same sums.
                    touching.setdefault(np.round(value, 12).tobytes(), one)
            chosen = list(touching.values())[:_TOGETHER]
            effects = [one.expected(asked)[place].ravel() for one in chosen]
            ways = combinations_that_explain(observed, base[place].ravel(), effects, self.tolerance)
            good: list[Any] = []
            for places in islice(ways, _WAYS):
                together = self._with(explanation, [chosen[index].mistakes[0] for index in places])
                if explanation.gains(together, asked):
                    good.append((explanation.score(together), *_likely(together.mistakes), -len(good), together))
            if good:
                yield from (one[-1].mistakes for one in sorted(good, reverse=True)[: _BESIDE + 1])
                return

    def _in_one_term(
        self, explanation: PartialExplanation, asked: int, harmless: Sequence[MistakenPass]
    ) -> Iterator[tuple[Mistake, ...]]:
        """Two slips in one term: the second is made in what the first has put there, so their effects do not add."""
        if self.answers[asked].question.scale == LARGE:
            return
        wrong = np.flatnonzero(explanation.wrong(asked)).tolist()
        base = explanation.trial.expected(asked)
        firsts: dict[bytes, MistakenPass] = {}
        for one in sorted(harmless, key=lambda one: one.mistakes[0].rank):
            (mistake,) = one.mistakes
            values = [one.expected(asked)[place] for place in wrong]
            moved = any(not np.array_equal(value, base[place]) for value, place in zip(values, wrong, strict=True))
            if moved and mistake.is_plain and not mistake.scope and len(mistake.edits) == 1:
                firsts.setdefault(b"".join(np.round(value, 12).tobytes() for value in values), one)
        for one in islice(firsts.values(), _FIRSTS):
            (edit,) = one.mistakes[0].edits
            on = MistakeSite(one.program, self.outputs, self.answers[0].finals, self.timed)
            for second in likely(on):
                places = {(other.line, other.term) for other in second.edits}
                if places == {(edit.line, edit.term)} and second.is_plain and not second.scope:
                    chosen = (*one.mistakes, second)
                    changed = MistakenPass(second.made_in(one.program), self.answers, chosen, explanation.trial)
                    if explanation.gains(changed, asked):
                        yield chosen
                        return

    def _with(self, explanation: PartialExplanation, chosen: Sequence[Mistake]) -> MistakenPass:
        return MistakenPass(made(explanation.program, chosen), self.answers, tuple(chosen))

    # what comes close

    def _near(
        self, explanation: PartialExplanation, asked: int, harmless: Sequence[MistakenPass]
    ) -> FoundMistake | None:
        """The mistake that leaves least of what is wrong with a gradient, if that is little."""
        wrong = explanation.wrong(asked)
        before = explanation.trial.errors(asked)
        close = np.maximum(self.tolerance, np.minimum(_CLOSE, _LITTLE * before))
        best: tuple[int, float, int] | None = None
        for place, one in enumerate(harmless):
            errors = one.errors(asked)
            near = wrong & (errors <= close) & (errors > self.tolerance)
            if near.any():
                best = max(best or (0, 0.0, 0), (int(near.sum()), -float(errors[near].max()), -place))
        if best is None:
            return None
        one = harmless[-best[2]]
        near = wrong & (one.errors(asked) <= close) & (one.errors(asked) > self.tolerance)
        labels = [p.label for p, close_ in zip(self.answers[asked].observed, near, strict=True) if close_]
        return FoundMistake(one.mistakes[0], explanation.program, tuple(labels), -best[1], len(labels))


def _likely(chosen: Sequence[Mistake]) -> tuple[int, int, int]:
    """Few mistakes rather than many, of one class rather than of several, and of likely ones."""
    return -len(chosen), -len({mistake.tag for mistake in chosen}), -sum(mistake.rank for mistake in chosen)
