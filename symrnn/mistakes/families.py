"""Every mistake of some classes: in one place, as one slip in several equations, and at some steps only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.mistakes.effects import Effect, merged
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.site import Generator, MistakeSite


def mistakes_of(on: MistakeSite, generators: Iterable[Generator]) -> list[Mistake]:
    """Every mistake of some classes: in one place each, and as one slip in several equations."""
    single = [
        mistake
        for generator in generators
        for mistake in generator(on)
        # A mistake without edits is one that no shape allows; one between steps cannot be made in a single step.
        if (mistake.edits or mistake.effects) and (on.timed or not mistake.between_steps)
    ]
    families: dict[Any, list[Mistake]] = {}
    for mistake in single:
        for family in mistake.families:
            families.setdefault((mistake.tag, family), []).append(mistake)
    # As keys: several families often have the same members, and they are one mistake.
    together = {_together(members): None for members in families.values() if len(members) > 1}
    every = [*single, *together]
    every += [scoped for mistake in every if on.timed for scoped in _scoped(on, mistake)]
    return every + [_seeded(mistake) for mistake in every if on.finals and _is_about_carrying(on, mistake)]


def _is_about_carrying(on: MistakeSite, mistake: Mistake) -> bool:
    """Whether it matters if the cotangents of last states are handed to the last step, or added there."""
    if any(effect.about_carrying for effect in mistake.effects):
        return True
    return any(v.mark in ("loss", "carried") for expr in _expressions(on, mistake) for v in nodes.variables(expr))


def _scoped(on: MistakeSite, mistake: Mistake) -> Iterator[Mistake]:
    """The mistake made at some steps only: programs often write step 0, or what they return, apart from the others."""
    if not mistake.edits or mistake.scope:
        return
    if all(on.program.lines[edit.line].role == "carry" for edit in mistake.edits):
        # Under the same words: what is wrong is what is handed on, whether or not step 0, whose result is returned, has
        # it too.
        yield replace(mistake, scope="later")
        returned = f"{mistake.words}, in what is returned for the initial state"
        yield replace(mistake, words=returned, rank=mistake.rank + 1, scope="first")
    elif any(on.previous & nodes.variables(expr) for expr in _expressions(on, mistake)):
        yield replace(mistake, words=f"{mistake.words}, but for step 0", rank=mistake.rank + 1, scope="later")


def _expressions(on: MistakeSite, mistake: Mistake) -> Iterator[Expr]:
    """What a mistake changes, and what it puts there."""
    for edit in mistake.edits:
        terms = on.program.lines[edit.line].terms
        old = terms[edit.term] if 0 <= edit.term < len(terms) else None
        yield from (expr for expr in (old, edit.new) if expr is not None)


def _seeded(mistake: Mistake) -> Mistake:
    return replace(mistake, rank=mistake.rank + 2, seeded=True)


def _together(members: Sequence[Mistake]) -> Mistake:
    edits: dict[tuple[int, int], Edit] = {}
    effects: tuple[Effect, ...] = ()
    for member in members:
        for edit in member.edits:
            # The first that changes a term: a second change of it would be a mistake in a mistake.
            edits.setdefault((edit.line, edit.term), edit)
        effects = merged(effects, member.effects)
    about = tuple(dict.fromkeys(name for member in members for name in member.about))
    first = members[0]
    # One step less likely than in one place, and far likelier than as many mistakes that have nothing to do with each
    # other.
    return Mistake(first.tag, first.words, first.rank + 1, tuple(edits.values()), effects, (), about)
