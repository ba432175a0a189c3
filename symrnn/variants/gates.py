"""Gates: left out, coupled, complemented, made to see each other."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from symrnn.language.recurrence import Cell
from symrnn.variants.draft import Draft, DraftLine
from symrnn.variants.expressions import (
    SignedTerm,
    complement,
    matrix_product,
    name,
    parse,
    replace_names,
    rewrite,
    simplified,
    sum_of,
    with_term,
)


def without_gate(cell: Cell, gate: str) -> Cell:
    """The cell with a gate that is always open: the gate is 1, and its parameters are gone.

    Args:
        cell: the cell.
        gate: the target of an equation `gate = sigmoid(...)`.

    Raises:
        InputError: it is not a gate of the cell.
    """
    draft = Draft.of("without_gate", cell)
    draft.gate(gate)
    one: dict[str, ast.expr] = {gate: ast.Constant(1)}
    changed = replace(draft, lines=tuple(line for line in draft.lines if line.name != gate))
    changed = changed.map_values(lambda value: simplified(replace_names(value, one))).pruned()
    return changed.said(f"no_{gate}", f"no gate {gate}: it is 1").cell()


def coupled(cell: Cell, gate: str, to: str) -> Cell:
    """The cell with a gate that is the complement of another one: gate = 1 - to.

    The first gate named loses its equation and its parameters; `coupled(lstm, "f", "i")` is the CIFG LSTM, f = 1 - i.

    Args:
        cell: the cell.
        gate: the gate that goes.
        to: the gate that stays.

    Raises:
        InputError: one of them is not a gate of the cell, or they are the same.
    """
    draft = Draft.of("coupled", cell)
    for one in (gate, to):
        draft.gate(one)
    if gate == to:
        raise draft.refuse(f"cannot couple {gate!r} to itself", "name two gates")
    changed = draft.with_value(gate, parse(f"1 - {to}"))
    order = [line.name for line in draft.lines]
    # 1 - i can be computed once there is an i.
    if order.index(gate) < order.index(to):
        changed = changed.moved_after(gate, to)
    return changed.pruned().said(f"coupled_{gate}", f"{gate} is coupled to {to}: {gate} = 1 - {to}").cell()


def complemented(cell: Cell, gate: str) -> Cell:
    """The cell with the other polarity of a gate: where it read z it reads 1 - z, and the other way round.

    The same family of functions: negate the parameters of the gate's equation, since 1 - sigmoid(a) = sigmoid(-a).

    Args:
        cell: the cell.
        gate: the target of an equation `gate = sigmoid(...)`.

    Raises:
        InputError: it is not a gate of the cell.
    """
    draft = Draft.of("complemented", cell)
    draft.gate(gate)
    swapped = complement(name(gate))

    def rule(part: ast.expr) -> ast.expr | None:
        # By its text, since syntax trees compare by identity; it is the one way that this language has to write it.
        if ast.unparse(part) == f"1 - {gate}":
            return name(gate)
        return swapped if isinstance(part, ast.Name) and part.id == gate else None

    changed = draft.map_values(lambda value: rewrite(value, rule))
    return changed.said(f"complemented_{gate}", f"{gate} and 1 - {gate} have changed places").cell()


def with_full_gate_recurrence(cell: Cell, gates: Sequence[str] | None = None) -> Cell:
    """The cell whose gates see all the gates of the step before, through matrices R_ab from gate a to gate b.

    The gates become states.  What they add is summed up before the first of them is assigned: r_b for the gate b.

    Args:
        cell: the cell.
        gates: which gates; all of them where none is named.

    Raises:
        InputError: one of them is not a gate of the cell, or there are none.
    """
    draft = Draft.of("with_full_gate_recurrence", cell)
    chosen = tuple(gates) if gates is not None else draft.gates
    if not chosen:
        raise draft.refuse("has no gates", "a gate is an equation name = sigmoid(...)")
    for gate in chosen:
        line = draft.gate(gate)
        added = f"r_{gate}"
        if added in draft.names:
            raise draft.refuse(f"uses the name {added!r} already", "rename it with renamed(cell, names={...})")
        draft = draft.with_value(gate, with_term(line.value, name(added)))
    before = []
    for gate in chosen:
        products = [matrix_product(name(f"R_{other}{gate}"), name(other)) for other in chosen]
        # Before the first equation a gate's name still means its value at t-1, which is what the sum is about.
        before.append(DraftLine(f"r_{gate}", sum_of([SignedTerm(value) for value in products])))
        for other in chosen:
            draft = draft.with_parameter(f"R_{other}{gate}", None, "weights from gate to gate")
    draft = replace(
        draft,
        lines=(*before, *draft.lines),
        states=(*draft.states, *chosen),
        positional=dict(draft.positional) | dict.fromkeys(chosen),
        wording=replace(
            draft.wording, notes=dict(draft.wording.notes) | {line.name: "from all gates" for line in before}
        ),
    )
    return draft.said("full_gate_recurrence", f"{', '.join(chosen)} see all of them at t-1").cell()
