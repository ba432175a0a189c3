"""Programs with a mistake in them, each run once on every question that it is tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.algebra import nodes
from symrnn.arrays import Array
from symrnn.budget import go_on
from symrnn.diagnosis.questions import Answer
from symrnn.mistakes.backward_pass import BackwardPass, Run
from symrnn.mistakes.mistake import Mistake


@dataclass(eq=False)
class MistakenPass:
    """A program, and how far its gradients are from those observed.

    Attributes:
        program: the program.
        answers: what was observed, question by question.
        mistakes: what makes the program from the one that is repaired.
        base: the one that is repaired, where these mistakes change the equations of some gradients alone.
        touched: the names of these gradients.
    """

    program: BackwardPass
    answers: Sequence[Answer]
    mistakes: tuple[Mistake, ...] = ()
    base: MistakenPass | None = None
    touched: frozenset[str] | None = None
    _runs: dict[int, Run] = field(default_factory=dict)
    _expected: dict[int, list[Array]] = field(default_factory=dict)
    _errors: dict[int, Array] = field(default_factory=dict)
    _floors: dict[int, float] = field(default_factory=dict)

    def _run(self, asked: int) -> Run:
        if asked in self._runs:
            return self._runs[asked]
        go_on()
        run = self.answers[asked].run(self.program)
        with np.errstate(all="ignore"):
            run.found = run.gradients()
        if self.base is None:  # the others are thousands, and nothing is computed from their runs
            self._runs[asked] = run
        return run

    def expected(self, asked: int) -> list[Array]:
        """What the program gives for each piece of an answer."""
        if asked not in self._expected:
            observed = self.answers[asked].observed
            found = self._changed(asked)
            if found is None or self.base is None:
                found = self._run(asked).found
                self._expected[asked] = [piece.expected(found) for piece in observed]
            else:
                known = zip(observed, self.base.expected(asked), strict=True)
                self._expected[asked] = [p.expected(found) if p.name in found else old for p, old in known]
        return self._expected[asked]

    def _changed(self, asked: int) -> dict[str, Array] | None:
        """The gradients that differ from the base's, where these alone can be computed."""
        if self.base is None:
            return None
        go_on()
        with np.errstate(all="ignore"):
            if self.touched is not None:
                # Only these equations are evaluated anew: all adjoints are those of the base.
                return self.base._run(asked).again(self.program, self.touched)
            own, other = self.program, self.base.program
            plain = (own.effects, own.seeded) == (other.effects, other.seeded)
            plain = plain and not any(effect.whole_run for effect in own.effects)
            # In one step an edit changes what reads it, and nothing comes back by way of another step.
            if self.answers[asked].question.steps == 1 and plain:
                return self.base._run(asked).edited(self.program)
        return None

    def errors(self, asked: int) -> Array:
        """For each piece of an answer, how far it is from what the program gives."""
        if asked not in self._errors:
            expected, observed = self.expected(asked), self.answers[asked].observed
            known: Sequence[Array | None] = self.base.expected(asked) if self.base else [None] * len(expected)
            errors = self.base.errors(asked).copy() if self.base else np.zeros(len(expected))
            floor = self._floor(asked)
            for place, (piece, new, old) in enumerate(zip(observed, expected, known, strict=True)):
                # By identity: pieces that the mistake cannot reach are the base's own arrays.
                if new is not old:
                    errors[place] = piece.distance(new, floor)
            self._errors[asked] = errors
        return self._errors[asked]

    def _floor(self, asked: int) -> float:
        """The size of a gradient that is rounding beside the others."""
        if self.base is not None:
            return self.base._floor(asked)
        if asked not in self._floors:
            self._floors[asked] = 1e-13 * max((float(np.linalg.norm(e)) for e in self.expected(asked)), default=0.0)
        return self._floors[asked]


class GradientsReached:
    """Which gradients a mistake can change.

    Args:
        program: that the mistake is made in.
        steps: of the question; with more than one, what is carried back reaches the equations again.
    """

    def __init__(self, program: BackwardPass, steps: int) -> None:
        self.program, self.steps = program, steps

    @cached_property
    def _lines(self) -> list[frozenset[str]]:
        """For each line, the gradients that its value goes into."""
        lines = self.program.lines
        read = [frozenset(v.name for term in line.terms for v in nodes.variables(term)) for line in lines]
        carried = {line.of.base: line for line in lines if line.role == "carry"}
        found = [{line.of.name} for line in lines]
        # Twice over time: what is handed on reaches the equations before it in the loop one round later.
        for _ in range(2 if self.steps > 1 else 1):
            for position in reversed(range(len(lines))):
                line = lines[position]
                for later, names in enumerate(read):
                    if line.target.name in names and later > position:
                        found[position] |= found[later]
                if line.role == "carry" and self.steps > 1:
                    found[position] |= found[self._state(carried, line.of.base)]
        return [frozenset(names) for names in found]

    def _state(self, carried: Any, name: str) -> int:
        return next(i for i, line in enumerate(self.program.lines) if line.role == "state" and line.of.name == name)

    def of(self, mistake: Mistake) -> frozenset[str] | None:
        """The gradients; None where all may change."""
        found: set[str] = set()
        for effect in mistake.effects:
            reached = effect.reached()
            if reached is None:
                return None
            found |= reached
        return None if mistake.seeded else frozenset(found.union(*(self._lines[edit.line] for edit in mistake.edits)))

    def tail(self, mistake: Mistake) -> frozenset[str] | None:
        """The gradients whose own equations it changes, where it changes nothing else; otherwise None."""
        if mistake.scope or mistake.seeded or not all(effect.own_only for effect in mistake.effects):
            return None
        if any(effect.joins_gradients for effect in self.program.effects):
            return None
        names = {name for effect in mistake.effects for name in effect.reached() or ()}
        names |= {self.program.lines[edit.line].of.name for edit in mistake.edits}
        cell = self.program.derivation.cell
        return frozenset(names) if names and names <= {*cell.parameters, *cell.inputs} else None
