"""A backward pass of another cell than the forward pass: one that differs in an equation, or alike in several."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from symrnn.algebra import nodes
from symrnn.calculus.derivation import Derivation, derive
from symrnn.errors import SymrnnError
from symrnn.language.recurrence import Cell
from symrnn.mistakes.backward_pass import AdjointEquation, BackwardPass
from symrnn.mistakes.catalogue import phantom_gradient
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite
from symrnn.printers import text
from symrnn.variants.slips import with_slips

TAG = "forward-backward-mismatch"


def wide(on: MistakeSite) -> Iterator[Mistake]:
    """The backward passes of all cells that differ by a slip, each run on this cell's values."""
    right = BackwardPass.right(on.derivation)
    changed = {position for position, line in enumerate(right.lines) if on.program.lines[position] != line}
    for mistake in _all_others(on.cell):
        # An equation that is changed already is no longer the one that the edit's places count in.
        if not changed & {edit.line for edit in mistake.edits}:
            yield mistake


@lru_cache(maxsize=64)  # the neighbours of a cell are some hundred derivations
def neighbours(cell: Cell) -> tuple[tuple[tuple[int, ...], Derivation], ...]:
    """Every cell that differs from one by a slip, with the indices of the equations that differ."""
    return tuple(_derived(cell))


def _derived(cell: Cell) -> Iterator[tuple[tuple[int, ...], Derivation]]:
    for changed, other in with_slips(cell):
        try:
            yield changed, derive(other)
        # A slip may make a cell that cannot be derived.
        except (SymrnnError, ValueError):
            continue


def _recomputed(program: BackwardPass, other: Cell, changed: tuple[int, ...]) -> Iterator[Mistake]:
    """Values that the backward pass computes again, as the other cell has them."""
    ways: list[tuple[Edit, ...]] = [(), ()]
    for index in changed:
        target, value = program.derivation.cell.body[index].target, other.body[index].value
        for position, line in enumerate(program.lines):
            for number, term in enumerate(line.terms):
                if target in nodes.variables(term):
                    edit = Edit(position, number, term.xreplace({target: value}))
                    ways[0] += (edit,)
                    ways[1] += (edit,) if program.derivation.is_preactivation(line.of) else ()
    yield from (Mistake(TAG, _said(program.derivation.cell, other, changed), 7, e) for e in ways)


def _said(own: Cell, other: Cell, changed: tuple[int, ...]) -> str:
    here, there = (
        " and ".join(f"{text(cell.body[index].target)} = {text(cell.body[index].value)}" for index in changed)
        for cell in (own, other)
    )
    return f"the backward pass is that of {there}, but the forward pass has {here}"


@lru_cache(maxsize=64)
def _all_others(cell: Cell) -> tuple[Mistake, ...]:
    right = BackwardPass.right(derive(cell))
    return tuple(one for changed, other in neighbours(cell) for one in as_if_of(right, other, changed))


def as_if_of(program: BackwardPass, other: Derivation, changed: tuple[int, ...]) -> Iterator[Mistake]:
    """The backward pass of another cell, in place of a program's own.

    Args:
        program: the right one.
        other: the derivation of a cell that differs in some equations.
        changed: which equations these are.
    """
    yield from _recomputed(program, other.cell, changed)
    edits = _differences(program, BackwardPass.right(other))
    if not edits:
        return
    unread = tuple(edit for edit in edits if _is_unread(program.lines[edit.line]))
    if unread:  # the rest of the backward pass may read what the forward pass has stored
        yield phantom_gradient.of_unread(program, unread)
    if unread == edits:
        return
    words = _said(program.derivation.cell, other.cell, changed)
    yield Mistake(TAG, words, 8, edits)


def _is_unread(line: AdjointEquation) -> bool:
    return line.role == "parameter" and all(map(nodes.is_zero, line.terms))


def _differences(own: BackwardPass, other: BackwardPass) -> tuple[Edit, ...]:
    """What makes a program's equations the other's; none where these read what this cell has not."""
    theirs = {line.of.name: line for line in other.lines}
    if set(theirs) != {line.of.name for line in own.lines}:
        return ()
    edits: list[Edit] = []
    for position, line in enumerate(own.lines):
        terms = theirs[line.of.name].terms
        edits += [Edit(position, number, None) for number, term in enumerate(line.terms) if term not in terms]
        edits += [Edit(position, -1, term) for term in terms if term not in line.terms]
    return tuple(edits)


MISTAKE = MistakeClass(
    TAG,
    "forward and backward are of different cells",
    precedence=280,
    wide=wide,
    whole_clause=True,
    wrong=(
        Example("rnn", "da = dh * (1 - h[t + 1] ** 2)", "da = dh * h[t + 1] * (1 - h[t + 1])"),
        Example("gru", "dan = dn * (1 - n[t] ** 2)", "dan = dn * n[t] * (1 - n[t])"),
    ),
    right=(
        Example("rnn", "da = dh * (1 - h[t + 1] ** 2)", "da = dh * (1 - h[t + 1] * h[t + 1])"),
        Example("gru", "dan = dn * (1 - n[t] ** 2)", "dan = dn - dn * n[t] ** 2"),
    ),
)
