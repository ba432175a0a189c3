"""A mistake in a backward pass as data: the terms and the effects that make the wrong pass out of the right one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.mistakes.backward_pass import AdjointEquation, BackwardPass
from symrnn.mistakes.effects import Effect, merged


@dataclass(frozen=True)
class Edit:
    """A term of a line and what stands in its place: other terms, or nothing.  `term` -1 adds to the line."""

    line: int
    term: int
    new: Expr | None


@dataclass(frozen=True)
class Mistake:
    """One change of a backward pass that a person might have made.

    Attributes:
        tag: its class, a key of the catalogue.
        words: what it does, as the rest of a sentence about the equation.
        rank: how unlikely it is beside others that have the same effect.
        edits: the terms that it changes.
        effects: what it changes beside the equations.
        families: what mistakes share that one slip of the pen makes in several equations; one way or another.
        about: the variables that it is about, where it changes no equation.
        scope: the steps at which it changes the equations: "first" for step 0, "later" for all others; otherwise all.
        seeded: whether it is one of a pass in which the cotangents of last states come in with what is carried.
    """

    tag: str
    words: str
    rank: int
    edits: tuple[Edit, ...] = ()
    effects: tuple[Effect, ...] = ()
    families: tuple[Any, ...] = ()
    about: tuple[str, ...] = ()
    scope: str = ""
    seeded: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it changes equations and nothing else."""
        return not self.effects and not self.seeded

    @property
    def between_steps(self) -> bool:
        """Whether it is about what one step has to do with another."""
        return any(effect.between_steps for effect in self.effects)

    def made_in(self, program: BackwardPass) -> BackwardPass:
        """A program with this mistake."""
        # By identity: while step 0 has no equations of its own the two are one tuple, which is edited once.
        same = program.start is program.lines
        lines = program.lines if self.scope == "first" else self._edited(program.lines)
        start = program.start if self.scope == "later" else lines if same and not self.scope else None
        start = self._edited(program.start, lenient=True) if start is None else start
        effects = merged(program.effects, self.effects)
        return replace(program, lines=lines, start=start, effects=effects, seeded=program.seeded or self.seeded)

    def _edited(self, lines: tuple[AdjointEquation, ...], lenient: bool = False) -> tuple[AdjointEquation, ...]:
        """The equations with the edits; step 0 may lack a term that the others have."""
        if not self.edits:
            return lines
        changes: dict[int, list[Expr]] = {}
        for edit in self.edits:
            line = lines[edit.line]
            if lenient and edit.term >= len(line.terms):
                continue
            terms = changes.setdefault(edit.line, list(line.terms))
            new = nodes.zeros(line.of.shape) if edit.new is None else edit.new  # the others keep their places
            if edit.term < 0:
                terms.append(new)
            else:
                terms[edit.term] = new
        kept = enumerate(lines)
        return tuple(replace(line, terms=tuple(changes[p])) if p in changes else line for p, line in kept)

    def joined(self, other: Mistake) -> Mistake | None:
        """Both as one: two of a class in the same equations, or the same in different ones; else None."""
        if self.tag != other.tag or not (self.edits and other.edits) or not (self.is_plain and other.is_plain):
            return None
        if self.scope != other.scope:
            return None
        here, there = ({edit.line for edit in mistake.edits} for mistake in (self, other))
        # Two things wrong in one equation are said in one sentence, and so is one thing wrong in two; anything else is
        # two mistakes.
        if here == there and self.words != other.words:
            words = f"{self.words} and {other.words}"
        elif self.words == other.words:
            words = self.words
        else:
            return None
        return replace(self, words=words, edits=(*self.edits, *other.edits), families=())

    def lines(self, program: BackwardPass) -> tuple[AdjointEquation, ...]:
        """The equations that it changes."""
        return tuple(program.lines[position] for position in dict.fromkeys(edit.line for edit in self.edits))


def made(program: BackwardPass, chosen: Iterable[Mistake]) -> BackwardPass:
    """A program with some mistakes, one after the other.

    Raises:
        IndexError: one of them is in a term that another, which is not among them, has put there.
    """
    for mistake in chosen:
        program = mistake.made_in(program)
    return program
