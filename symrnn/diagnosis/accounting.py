"""What an explanation comes to: which of its mistakes are needed, which are one, and what each of them makes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from symrnn.algebra.nodes import Expr
from symrnn.algebra.places import factors, places
from symrnn.diagnosis.explanation import FoundMistake, PartialExplanation, without
from symrnn.diagnosis.trials import MistakenPass
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.mistake import Mistake, made


class ReducedExplanation:
    """The account of an explanation.

    Args:
        right: the program without any mistake.
        explanation: what was found.

    Attributes:
        found: the mistakes, each with the gradients that it makes wrong.
        dropped: how many others were assumed on the way and are not needed: what was found after them may be named
            for what it does to them.
        unexplained: the gradients that are wrong at some question once all of these are assumed.
    """

    def __init__(self, right: BackwardPass, explanation: PartialExplanation) -> None:
        self._right, self._explanation = right, explanation
        needed = self._needed(explanation.found)
        self.dropped = len(explanation.found) - len(needed)
        kept = self._joined(needed)
        self.found = self._attributed(kept)
        self.unexplained = set(explanation.given_up) | self._still_wrong()

    @property
    def cost(self) -> tuple[int, int, int, int]:
        """How bad it is as an explanation: what it leaves, how many mistakes it has, and how unlikely these are."""
        unlikely = sum(found.mistake.rank for found in self.found)
        return len(self.unexplained), len(self.found), self.dropped, unlikely

    def _made(self, chosen: Sequence[FoundMistake]) -> MistakenPass:
        return MistakenPass(made(self._right, (found.mistake for found in chosen)), self._explanation.answers)

    def _possible(self, chosen: Sequence[FoundMistake]) -> bool:
        """Whether mistakes can be made without others: one may be in a term that another has put there."""
        try:
            self._made(chosen)
        except IndexError:
            return False
        return True

    def _score(self, chosen: Sequence[FoundMistake]) -> int:
        return self._explanation.score(self._made(chosen))

    def _needed(self, kept: Sequence[FoundMistake]) -> list[FoundMistake]:
        """The mistakes without which fewer gradients would agree."""
        needed = list(kept)
        # A single mistake is needed, or it would not have been found; a run of the program is spared.
        best = self._score(needed) if len(needed) > 1 else 0
        for found in kept if len(needed) > 1 else ():
            rest = [other for other in needed if other is not found]
            if _built_on(found, needed):  # what stands there now has it in it, and would stay
                continue
            if rest and self._possible(rest) and self._score(rest) >= best:
                needed = rest
        return needed

    def _joined(self, kept: Sequence[FoundMistake]) -> list[FoundMistake]:
        """Merge mistakes that one sentence can describe: several in an equation, or the same in several."""
        joined = list(kept)
        for one, other in combinations(kept, 2):
            both: Mistake | None = None
            if one in joined and other in joined:
                both = one.mistake.joined(other.mistake)
            if both is None:
                continue
            rest = [FoundMistake(both, one.before) if found is one else found for found in joined if found is not other]
            if self._possible(rest) and self._score(rest) == self._score(joined):
                joined = rest
        return joined

    def _attributed(self, kept: Sequence[FoundMistake]) -> list[FoundMistake]:
        whole = self._made(kept)
        attributed = [self._with_labels(found, kept, whole) for found in kept]
        # What changes no gradient for the better is no mistake of this pass.
        return [found for found in attributed if found.labels]

    def _with_labels(self, found: FoundMistake, kept: Sequence[FoundMistake], whole: MistakenPass) -> FoundMistake:
        later = _built_on(found, kept)
        others = [other for other in kept if not any(other is one for one in later)]
        rest = MistakenPass(without(self._right, others, found), self._explanation.answers)
        tolerance = self._explanation.tolerance
        labels: dict[str, float] = {}
        simple = 0
        for asked, answer in enumerate(self._explanation.answers):
            counted = self._explanation.counted(asked)
            pieces = zip(answer.observed, whole.errors(asked), rest.errors(asked), counted, strict=True)
            for piece, error, gone, looked_at in pieces:
                if error <= tolerance < gone and looked_at:
                    labels[piece.label] = max(labels.get(piece.label, 0.0), float(error))
            # The questions come from the simplest on: what shows in the first of them is wrong by itself, and the rest
            # follows from it.
            simple = simple or len(labels)
        agreement = max(labels.values(), default=0.0)
        return FoundMistake(found.mistake, found.before, tuple(labels), agreement, simple)

    def _still_wrong(self) -> set[str]:
        whole = self._made(self.found)
        return {
            piece.label
            for asked, answer in enumerate(self._explanation.answers)
            for piece, error in zip(answer.observed, whole.errors(asked), strict=True)
            if not error <= self._explanation.tolerance
        }


def _built_on(found: FoundMistake, kept: Sequence[FoundMistake]) -> list[FoundMistake]:
    """The later mistakes that were made in what a mistake has put into a term, and have it in them.

    Two slips in one term are two edits of it, and the second has the whole term with both: without the first it would
    put the same there.  It has the first in it where what the first took out of the term is still missing.
    """
    place = next((n for n, other in enumerate(kept) if other is found), len(kept))
    later = []
    for other in kept[place + 1 :]:
        for edit in found.mistake.edits:
            news = [one.new for one in other.mistake.edits if (one.line, one.term) == (edit.line, edit.term)]
            if edit.term < 0 or edit.new is None or not news or news[-1] is None:
                continue
            old = _nodes(found.before.lines[edit.line].terms[edit.term])
            if old - _nodes(edit.new) - _nodes(news[-1]) and _nodes(news[-1]) != _nodes(edit.new):
                later.append(other)
                break
    return later


def _nodes(expr: Expr) -> set[Expr]:
    return {part for place in places(expr) for part in (place.node, *factors(place.node)[1])}
