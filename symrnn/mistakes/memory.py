"""Stored values that an operation in place has changed before they are read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import shift
from symrnn.mistakes.mistake import Edit, Grounds, Mistake, reads_adjoint
from symrnn.mistakes.terms import sites
from symrnn.printers import text


def changed_in_place(on: Grounds) -> Iterator[Mistake]:
    """A stored value that is overwritten with what is computed from it, in the forward pass or in the backward one."""
    for equation in on.derivation.forward:
        for old, new in _results(on, equation.value):
            yield from _overwritten(on, old, new)
        for old in (variable for variable in on.cell.previous if variable.base == equation.target.base):
            yield from _overwritten(on, old, equation.target)
    for position, line in enumerate(on.program.lines):
        for number, term in enumerate(line.terms):
            for old, new in dict.fromkeys(_results(on, term)):
                yield from _overwritten(on, old, new, (position, number))


def _results(on: Grounds, expr: Expr) -> Iterator[tuple[Variable, Expr]]:
    """Each value in an expression, with what is computed from it alone or from it and one more."""
    for site in sites(expr):
        node = site.node
        if isinstance(node, nodes.Hadamard):
            parts = [part for part in node.args if not reads_adjoint(part)]
            found = [nodes.hadamard(*pair) for pair in combinations(parts, 2)]
        elif isinstance(node, nodes.Power) and isinstance(node.args[0], Variable) and not node.args[0].mark:
            found, parts = [node], []
        elif isinstance(node, nodes.Sum | nodes.Act) and not reads_adjoint(node):
            found, parts = [node], list(node.args if isinstance(node, nodes.Sum) else node.operands)
        else:
            continue
        for new in found:
            read = nodes.variables(new) & set(on.values)
            yield from ((old, new) for old in sorted(read, key=text) if old.shape == new.shape)


def _overwritten(on: Grounds, old: Variable, new: Expr, place: tuple[int, int] | None = None) -> Iterator[Mistake]:
    """The value read everywhere else, after the place that overwrites it, or wherever the loop comes to it later."""
    if old.shape != new.shape:
        return
    edits = [
        Edit(position, number, term.xreplace({old: new}))
        for position, _, number, term in on.terms()
        if old in nodes.variables(term) and (position, number) != place
    ]
    words = f"reads {text(old)} when {text(new)} is stored there"
    if old.base in on.cell.states and old not in on.previous:  # the whole course, before the loop runs
        yield from _overwritten_before(on, old, new, words)
    complement = nodes.subtract(nodes.ones(old.shape), old)  # which leaves a slope such as z (1 - z) as it is
    other = new != complement and not (isinstance(new, Variable) and new.base == old.base)
    many = other and len({edit.line for edit in edits}) > 1  # what is wrong wherever it is read was stored wrong
    if many or not isinstance(new, nodes.Hadamard):  # in a single equation it is a factor too many
        yield Mistake("corrupted-cache", words, 4 if many else 6, tuple(edits))
    if place is not None:
        later = tuple(edit for edit in edits if edit.line > place[0])
        if 0 < len(later) < len(edits):
            yield Mistake("corrupted-cache", words, 6, later)


def _overwritten_before(on: Grounds, old: Variable, new: Expr, words: str) -> Iterator[Mistake]:
    """The state of the step before, overwritten in the same way."""
    (before,) = nodes.variables(shift(old, -1))
    edits = tuple(
        Edit(position, number, term.xreplace({before: shift(new, -1)}))
        for position, _, number, term in on.terms()
        if before in nodes.variables(term)
    )
    yield Mistake("corrupted-cache", words.replace(text(old), text(before), 1), 6, edits)
