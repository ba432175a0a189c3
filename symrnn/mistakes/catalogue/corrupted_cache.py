"""Stored values that an operation in place has changed before they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import places
from symrnn.calculus.derivation import shift
from symrnn.mistakes.catalogue.wrong_operand import wholes_for_parts
from symrnn.mistakes.line_finder import LineFinder
from symrnn.mistakes.measured import Measured, common_ratios
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import GradientScaled
from symrnn.mistakes.site import MistakeSite, reads_adjoint
from symrnn.mistakes.slope import Slope
from symrnn.mistakes.slope_places import elsewhere_on_summands
from symrnn.printers import text

TAG = "corrupted-cache"

# How near a power has to be to a whole number: far above the rounding of a logarithm, far below any other ratio.
_WHOLE = 1e-9


def _squared(slope: Slope, whole: Expr) -> list[Expr]:
    return [whole.xreplace({slope.of: nodes.power(slope.of, 2)})] if isinstance(slope.of, Variable) else []


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A value that is overwritten with what is computed from it, in the forward pass or in the backward one."""
    yield from elsewhere_on_summands(on, TAG, _squared)
    for equation in on.derivation.forward:
        for old, new in _results(on, equation.value):
            yield from _overwritten(on, old, new)
        # A forward pass that writes the new state into the array of the old one leaves the new one for both.
        for old in (variable for variable in on.cell.previous if variable.base == equation.target.base):
            yield from _overwritten(on, old, equation.target)
    for position, line in enumerate(on.program.lines):
        for number, term in enumerate(line.terms):
            for old, new in dict.fromkeys(_results(on, term)):
                yield from _overwritten(on, old, new, (position, number))


def wide(on: MistakeSite) -> Iterator[Mistake]:
    """A value that one equation reads overwritten: most often it was changed in place."""
    for old, new, edits in wholes_for_parts(on):
        if old in nodes.variables(new):
            yield Mistake(TAG, _said(old, new), 9, edits)


def multiples(on: MistakeSite, measured: Sequence[Measured]) -> Iterator[Mistake]:
    """A value multiplied in place between the gradients that read it: their factors are powers of one number."""
    ratio_of = {name: ratio for ratio, names in common_ratios(measured).items() for name in names}
    for value in (*(on.cell[name] for name in on.cell.inputs), *on.cell.previous):
        lines = [line for line in on.program.lines if line.role == "parameter" and line.of.name in ratio_of]
        found = {line.of.name: ratio_of[line.of.name] for line in lines if value in nodes.variables(line.terms[0])}
        # The factor nearest to 1 is that of a single multiplication.
        root = max((ratio for ratio in found.values() if ratio > 0), key=lambda r: -abs(np.log(r)), default=1.0)
        if len(found) < 2 or root == 1 or min(found.values()) <= 0:
            continue
        powers = np.log(list(found.values())) / np.log(root)
        if np.allclose(powers, np.round(powers), atol=_WHOLE) and len(set(np.round(powers))) == len(powers):
            words = f"{text(value)} is multiplied by {root:.6g} in place each time that it is read"
            yield Mistake(TAG, words, 4, effects=(GradientScaled(tuple(found.items())),), about=tuple(found))


def _said(old: Variable, new: Expr) -> str:
    return f"reads {text(old)} when {text(new)} is stored there"


def _results(on: MistakeSite, expr: Expr) -> Iterator[tuple[Variable, Expr]]:
    """Each value in an expression, with what is computed from it alone or from it and one more."""
    for place in places(expr):
        node = place.node
        if isinstance(node, nodes.Hadamard):
            parts = [part for part in node.args if not reads_adjoint(part)]
            found = [nodes.hadamard(*pair) for pair in combinations(parts, 2)]
        elif (isinstance(node, nodes.Power) and isinstance(node.args[0], Variable) and not node.args[0].mark) or (
            isinstance(node, nodes.Sum | nodes.Act) and not reads_adjoint(node)
        ):
            found = [node]
        else:
            continue
        for new in found:
            read = nodes.variables(new) & set(on.values)
            yield from ((old, new) for old in sorted(read, key=text) if old.shape == new.shape)


def _overwritten(on: MistakeSite, old: Variable, new: Expr, place: tuple[int, int] | None = None) -> Iterator[Mistake]:
    """The value read everywhere else, after the place that overwrites it, or wherever the loop comes to it later."""
    if old.shape != new.shape:
        return
    edits = [
        Edit(position, number, term.xreplace({old: new}))
        for position, _, number, term in on.terms()
        if old in nodes.variables(term) and (position, number) != place
    ]
    words = _said(old, new)
    if old.base in on.cell.states and old not in on.previous:  # the whole course, before the loop runs
        yield from _overwritten_before(on, old, new, words)
    complement = nodes.subtract(nodes.ones(old.shape), old)  # which leaves a slope such as z (1 - z) as it is
    other = new != complement and not (isinstance(new, Variable) and new.base == old.base)
    many = other and len({edit.line for edit in edits}) > 1  # what is wrong wherever it is read was stored wrong
    if many or not isinstance(new, nodes.Hadamard):  # in a single equation it is a factor too many
        yield Mistake(TAG, words, 4 if many else 6, tuple(edits))
    if place is not None:
        later = tuple(edit for edit in edits if edit.line > place[0])
        if 0 < len(later) < len(edits):
            yield Mistake(TAG, words, 6, later)


def _overwritten_before(on: MistakeSite, old: Variable, new: Expr, words: str) -> Iterator[Mistake]:
    """The state of the step before, overwritten in the same way."""
    (before,) = nodes.variables(shift(old, -1))
    edits = tuple(
        Edit(position, number, term.xreplace({before: shift(new, -1)}))
        for position, _, number, term in on.terms()
        if before in nodes.variables(term)
    )
    yield Mistake(TAG, words.replace(text(old), text(before), 1), 6, edits)


MISTAKE = MistakeClass(
    TAG,
    "a stored value is changed before it is read",
    precedence=250,
    likely=likely,
    wide=wide,
    multiples=multiples,
    find_line=LineFinder.nowhere,  # the lines that read it are right, and what changed it may stand in the forward pass
    wrong=(
        Example("gru", 'drh = dan @ p["U_n"]', 'drh = dan @ p["U_n"]\n        r[t] *= h[t]', line=None),
        Example("gru", "dh = dhs[t] + carry", "z[t] *= n[t]\n        dh = dhs[t] + carry", line=None),
    ),
    right=(
        Example("gru", 'drh = dan @ p["U_n"]', 'drh = dan @ p["U_n"]\n        rh = r[t] * h[t]'),
        Example("gru", "dh = dhs[t] + carry", "zn = z[t] * n[t]\n        dh = dhs[t] + carry"),
    ),
)
