"""Runs the constraints on shapes to the end, each only when there is news for it.

The order is that of rounds over all constraints, in the order written, until a round teaches nothing; then the first
one that can takes its usual reading, and the rounds go on.  Whatever would learn nothing is left out, so that the work
grows with the number of constraints and not with the number of rounds.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import partial

from symrnn.algebra.constraints import Constraint


def solve(constraints: Sequence[Constraint]) -> None:
    """Run the constraints until nothing more is learned, taking the usual reading where there is a choice.

    Raises:
        Contradiction: the constraints cannot all hold.
    """
    _Rounds(constraints).run()


class _Rounds:
    """The rounds over the constraints, by their position.

    What cannot take its usual reading now cannot until it has learned something: it is asked again after that.
    """

    def __init__(self, constraints: Sequence[Constraint]) -> None:
        self._constraints = constraints
        self._now = list(range(len(constraints)))  # a heap, as the two below
        self._next: list[int] = []
        self._queued = [True] * len(constraints)
        self._position = -1  # whose turn it is; what comes later in the order is still reached in this round
        self._undecided = {last_resort: list(self._now) for last_resort in (False, True)}
        for position, constraint in enumerate(constraints):
            for slot in (constraint.out, *constraint.operands):
                if slot.rank is None:
                    slot.root.watchers.append(partial(self._hear, position))

    def run(self) -> None:
        """Rounds, and a usual reading whenever they teach nothing."""
        while self._now or self._decide(False) or self._decide(True):
            while self._now:
                self._position = heapq.heappop(self._now)
                self._queued[self._position] = False
                self._constraints[self._position].advance()
            self._now, self._next, self._position = self._next, [], -1
            heapq.heapify(self._now)

    def _hear(self, position: int) -> None:
        """One of the constraint's slots has become known."""
        if self._constraints[position].done or self._queued[position]:
            return
        self._queued[position] = True
        if position > self._position:
            heapq.heappush(self._now, position)
        else:
            self._next.append(position)
        for waiting in self._undecided.values():
            heapq.heappush(waiting, position)

    def _decide(self, last_resort: bool) -> bool:
        """Let the first constraint that can take its usual reading; False where none can."""
        waiting = self._undecided[last_resort]
        while waiting:
            position = waiting[0]
            if not self._constraints[position].done and self._constraints[position].assume(last_resort):
                return True
            heapq.heappop(waiting)
        return False
