"""Variables that are read in place of others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from sympy import S

from symrnn.algebra import nodes
from symrnn.algebra.functions import GATES
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import TermPlace, places
from symrnn.mistakes.backward_pass import AdjointEquation
from symrnn.mistakes.catalogue.missing_factor import lost_factors
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite, in_brackets, in_slope, put_at, reads_adjoint
from symrnn.mistakes.swaps import Swap, are_alike, other_adjoints, other_values, swapped, swapped_in_one_place
from symrnn.printers import text

TAG = "wrong-operand"


def _swaps(on: MistakeSite, line: AdjointEquation, old: Variable) -> Iterator[Swap]:
    """Another adjoint, parameter or value of the same shape."""
    for other in other_adjoints(on, line, old):
        if other.lost is None and other.added is None and not are_alike(on, old, other.new):
            yield Swap(other.new, _said(other.new, old), 5 + (line.role == "intermediate"))
    if not old.is_sent_back and not old.mark and old.time is None:
        for new in (on.cell[name] for name in on.cell.parameters):
            if new.shape == old.shape and new != old:
                yield Swap(new, _said(new, old), 5)
    yield from (Swap(new, _said(new, old), 4) for new in other_values(on, old) if new.base != old.base)


def _said(new: Expr, old: Expr) -> str:
    return f"has {text(new)} in place of {text(old)}"


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A factor left out of an operand, an activation without a name, 1 - z for z, a variable, a part for a whole."""
    yield from _bare_activations(on)
    for reads_other, part, edits in lost_factors(on):
        if reads_other:
            yield Mistake(TAG, f"loses the factor {in_brackets(part)}", 4, edits, families=(("factor", part),))
    yield from _complements(on)
    yield from swapped(on, TAG, _swaps)
    yield from _parts(on)


def wide(on: MistakeSite) -> Iterator[Mistake]:
    """A variable in one of several places, a part of an equation for a value, rows of another weight."""
    yield from swapped_in_one_place(on, TAG, _swaps)
    for old, new, edits in wholes_for_parts(on):
        if old not in nodes.variables(new):
            yield Mistake(TAG, _said(new, old), 9, edits)
    yield from _blocks(on)


def _bare_activations(on: MistakeSite) -> Iterator[Mistake]:
    """The argument of an activation, or another value, where the activation has no name of its own."""
    unnamed: dict[Expr, Variable] = {
        place.node: place.node.operands[0]
        for equation in on.derivation.forward
        for place in places(equation.value)
        if place.above and isinstance(place.node, nodes.Act) and isinstance(place.node.operands[0], Variable)
    }
    for position, _line, number, term in on.terms():
        for place in places(term):
            node = place.node
            if in_slope(on, place):
                continue
            others: list[tuple[Expr, int]]
            if node in unnamed:
                # Its own argument first: c for tanh(c) is what people forget.
                others = [(value, 4 if value in node.operands else 6) for value in on.values]
            elif isinstance(node, Variable) and not any(above in unnamed for above in place.above):
                others = [(value, 5) for value in sorted(unnamed, key=text) if node.base == unnamed[value].base]
            else:
                continue
            for new, rank in others:
                if new.shape == node.shape:
                    yield Mistake(TAG, _said(new, node), rank, put_at(position, number, place, new))


def _complements(on: MistakeSite) -> Iterator[Mistake]:
    """A gate where 1 minus the gate should be, or the other way round."""
    for position, _line, number, term in on.terms():
        for place in places(term):
            if in_slope(on, place):
                continue
            gate = _complement(place.node)
            if gate is not None:
                words = f"has {text(gate)} in place of {in_brackets(place.node)}"
                yield Mistake(TAG, words, 5, put_at(position, number, place, gate))
            elif _is_gate(on, place) and not any(_complement(node) is not None for node in place.above):
                other = nodes.subtract(nodes.ones(place.node.shape), place.node)
                words = f"has {in_brackets(other)} in place of {text(place.node)}"
                yield Mistake(TAG, words, 5, put_at(position, number, place, other))


def _complement(node: Expr) -> Expr | None:
    if isinstance(node, nodes.Sum) and len(node.args) == 2 and isinstance(node.args[0], nodes.Ones):
        inner = nodes.negate(node.args[1])
        return inner if isinstance(inner, Variable) else None
    return None


def _is_gate(on: MistakeSite, place: TermPlace) -> bool:
    return any(slope.of == place.node and slope.function in GATES for slope in on.slopes)


def _parts(on: MistakeSite) -> Iterator[Mistake]:
    """A value in place of what is computed from it, such as h for U h + b."""
    for position, _line, number, term in on.terms():
        for place in places(term):
            node = place.node
            if not isinstance(node, nodes.Sum | nodes.Product) or reads_adjoint(node):
                continue
            for new in sorted(nodes.variables(node), key=text):
                if new.shape == node.shape and new.shape[1] == 1:
                    words = f"has {text(new)} in place of {in_brackets(node)}"
                    yield Mistake(TAG, words, 5, put_at(position, number, place, new))


def wholes_for_parts(on: MistakeSite) -> Iterator[tuple[Variable, Expr, tuple[Edit, ...]]]:
    """A part of an equation in place of a value, such as U h for h: the value, what is read for it, and the edit."""
    every = (place.node for equation in on.derivation.forward for place in places(equation.value) if place.above)
    wholes = sorted({node for node in every if isinstance(node, nodes.Sum | nodes.Product | nodes.Hadamard)}, key=text)
    for position, _line, number, term in on.terms():
        for old in sorted(nodes.variables(term) & set(on.values), key=text):
            for new in wholes:
                if new.shape == old.shape and new.shape[1] == 1:
                    yield old, new, (Edit(position, number, term.xreplace({old: new})),)


def _blocks(on: MistakeSite) -> Iterator[Mistake]:
    """The rows of one weight read from another, where both are kept in one array."""
    weights = [on.cell[name] for name in on.cell.parameters if on.cell[name].shape[1] != 1]
    for own, other in permutations(weights, 2):
        if own.shape[0] != other.shape[0]:
            continue
        cols, beside = own.shape[1], other.shape[1]
        for first in (True, False):
            both = [own, other] if first else [other, own]
            stacked = nodes.stack(*(nodes.transpose(weight) for weight in both))
            start = beside if first else S.Zero
            wrong = nodes.rows(stacked, start, start + cols)
            for position, _, number, term in on.terms("input", "carry"):
                new = term.xreplace({nodes.transpose(own): wrong})
                if new != term:
                    words = f"reads rows of {text(other)} for {text(own)}, from the wrong end of the array of both"
                    edits = (Edit(position, number, new),)
                    yield Mistake(TAG, words, 7, edits, families=(("rows", first),))


MISTAKE = MistakeClass(
    TAG,
    "one variable is used in place of another",
    precedence=150,
    likely=likely,
    wide=wide,
    wrong=(
        Example("gru", "dr = drh * h[t]", "dr = drh * n[t]"),
        Example("gru", "dan.T @ (r[t] * h[t])", "dan.T @ h[t]"),
    ),
    right=(
        Example("gru", "dr = drh * h[t]", "dr = h[t] * drh"),
        Example("gru", "dan.T @ (r[t] * h[t])", "dan.T @ (h[t] * r[t])"),
    ),
)
