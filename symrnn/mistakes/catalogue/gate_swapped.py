"""Gates that are taken for one another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Variable
from symrnn.calculus.derivation import Role
from symrnn.mistakes.backward_pass import AdjointEquation
from symrnn.mistakes.line_finder import FoundLine, LineFinder
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite
from symrnn.mistakes.swaps import Swap, are_alike, other_adjoints, swapped, swapped_in_one_place
from symrnn.printers import text
from symrnn.source_lines.assigned import assigning

TAG = "gate-swapped"

_ROLES: tuple[tuple[Role, ...], ...] = (
    ("parameter",),
    ("input",),
    ("carry",),
    ("input", "carry"),
    ("parameter", "input"),
    ("parameter", "input", "carry"),
)
"""The equations in which one order of blocks serves."""
_EVERYWHERE: tuple[Role, ...] = ("state", "intermediate", "parameter", "input", "carry")


def _swaps(on: MistakeSite, line: AdjointEquation, old: Variable) -> Iterator[Swap]:
    """The adjoint of another gate."""
    for other in other_adjoints(on, line, old):
        if other.lost is None and other.added is None and are_alike(on, old, other.new):
            words = f"has {text(other.new)} in place of {text(old)}"
            yield Swap(other.new, words, 4 + (line.role == "intermediate"))


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """The adjoint of one gate for that of another, two gradients, or two gates wherever they are read."""
    yield from swapped(on, TAG, _swaps)
    lines = [(position, line) for position, line in enumerate(on.program.lines) if line.role == "parameter"]
    for (p, a), (q, b) in combinations(lines, 2):
        if a.of.shape == b.of.shape and len(a.terms) == len(b.terms) == 1:
            words = f"is exchanged with that of {text(b.of)}"
            yield Mistake(TAG, words, 5, (Edit(p, 0, b.terms[0]), Edit(q, 0, a.terms[0])))
    yield from _mixed_up(on)


def wide(on: MistakeSite) -> Iterator[Mistake]:
    """The same in one of several places."""
    return swapped_in_one_place(on, TAG, _swaps)


def _mixed_up(on: MistakeSite) -> Iterator[Mistake]:
    """Two gates, two of their weights or their adjoints, each read for the other: an order of blocks got wrong."""
    gates = [slope.of for slope in on.slopes if isinstance(slope.of, Variable) and slope.of in on.values]
    weights = [on.cell[name] for name in on.cell.parameters]
    deltas = [line.target for line in on.program.lines if on.derivation.is_preactivation(line.of)]
    for group, ways in ((gates, (_EVERYWHERE,)), (weights, _ROLES), (deltas, _ROLES)):
        for a, b in combinations(group, 2):
            for roles in ways if a.shape == b.shape else ():
                edits = tuple(
                    Edit(position, number, term.xreplace({a: b, b: a}))
                    for position, _, number, term in on.terms(*roles)
                    if {a, b} & nodes.variables(term)
                )
                # In one equation alone it is a variable read for another, which the swaps have.
                if len(edits) > 1:
                    yield Mistake(TAG, f"has {text(a)} and {text(b)} exchanged", 4, edits)


def find_line(finder: LineFinder) -> FoundLine | None:
    """The line that stacks the gradients of the gates, where they are exchanged wherever they are read."""
    mistake = finder.case.mistake
    if (
        len(mistake.lines(finder.case.right)) < 3
    ):  # two equations are exchanged in two lines, not where they are stacked
        return finder.in_equations()
    adjoints = {v for edit in mistake.edits if edit.new is not None for v in nodes.variables(edit.new)}
    values = [finder.case.values(v) for v in sorted(adjoints, key=lambda v: v.name) if v.is_sent_back]
    groups = [
        {one.statement: one for one in assigning(finder.assigned, each, False) if not one.computes} for each in values
    ]
    both = [s for s in (groups[0] if groups else {}) if all(s in group for group in groups)]
    stacking = [s for s in both if not isinstance(s.node, ast.Return)]
    return FoundLine(groups[0][stacking[0]], "") if stacking else finder.in_equations()


MISTAKE = MistakeClass(
    TAG,
    "a gate's gradient is that of another gate",
    precedence=160,
    likely=likely,
    wide=wide,
    find_line=find_line,
    wrong=(
        Example("gru", 'grads["b_r"] += dar.sum', 'grads["b_r"] += daz.sum'),
        Example("gru", 'grads["U_r"] += dar.T', 'grads["U_r"] += daz.T'),
    ),
    right=(
        Example("gru", "dar.sum(axis=0)", "np.ones(len(dar)) @ dar"),
        Example("gru", "dar.T @ h[t]", "(h[t].T @ dar).T"),
    ),
)
