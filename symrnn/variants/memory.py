"""The memory: seen by the gates through peepholes, and projected to the output."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from symrnn.language.recurrence import Cell
from symrnn.variants.draft import Draft
from symrnn.variants.expressions import (
    SignedTerm,
    is_product,
    map_sums,
    matrix_product,
    name,
    names_in,
    product,
    with_term,
)


def with_peepholes(cell: Cell, gates: Sequence[str] | None = None, memory: str = "c") -> Cell:
    """The cell whose gates see the memory, entry by entry: p_f * c inside the gate f.

    A gate that the new memory depends on sees the old one.  A gate that it does not depend on sees the new one: its
    equation is moved behind that of the memory, as the output gate of Gers, Schraudolph & Schmidhuber (2002) wants it.

    Args:
        cell: the cell.
        gates: which gates; all of them where none is named.
        memory: the state that they see.

    Raises:
        InputError: the memory is not a state, or one of the gates is not a gate of the cell.
    """
    draft = Draft.of("with_peepholes", cell)
    chosen = _choose_gates(draft, gates, memory)
    for gate in chosen:
        old = draft.gate(gate)
        if memory in names_in(old.value):
            raise draft.refuse(f"has a gate {gate!r} that sees {memory!r} already", "name the other gates")
        draft = draft.with_value(gate, with_term(old.value, product(name(f"p_{gate}"), name(memory))))
        draft = draft.with_parameter(
            f"p_{gate}", _find_last_matrix(draft, old.value), "peephole weights, one per entry"
        )
        if _may_see_the_new(draft, gate, memory):
            draft = draft.moved_after(gate, memory)
    return draft.said("peephole", f"{', '.join(chosen)} see {memory} through peepholes").cell()


def without_peepholes(cell: Cell, memory: str = "c") -> Cell:
    """The cell whose gates do not see the memory: terms `p * c` with a parameter p are gone from its gates.

    Args:
        cell: the cell.
        memory: the state that they see.

    Raises:
        InputError: the memory is not a state, or no gate sees it in this way.
    """
    draft = Draft.of("without_peepholes", cell)
    _choose_gates(draft, None, memory)

    def is_peephole(node: ast.expr) -> bool:
        if not is_product(node) or not isinstance(node, ast.BinOp):
            return False
        both = [part.id for part in (node.left, node.right) if isinstance(part, ast.Name)]
        return len(both) == 2 and memory in both and any(one in draft.parameters for one in both)

    def change(those: list[SignedTerm]) -> list[SignedTerm] | None:
        kept = [term for term in those if not is_peephole(term.value)]
        # A gate that is a peephole and nothing else would become sigmoid(0).
        return kept if 0 < len(kept) < len(those) else None

    changed = draft
    for gate in draft.gates:
        changed = changed.with_value(gate, map_sums(changed.line(gate).value, change))
    changed = changed.pruned()
    # A peephole has weights of its own, so one less of them is the sign that something went.
    if len(changed.parameters) == len(draft.parameters):
        raise draft.refuse(f"has no gate that sees {memory!r} through p * {memory}", "use it as it is")
    return changed.said("no_peephole", "no peepholes").cell()


def with_projection(cell: Cell, weights: str = "W_h", size: str = "d_c") -> Cell:
    """The cell whose output is projected to another size: h = W_h @ (what it was).

    The output keeps the size d_h; every other state, and the gates with it, get a size of their own.

    Args:
        cell: a cell with a memory beside its output.
        weights: the name of the projection.
        size: the name of the memory's size.

    Raises:
        InputError: the output is the only state, or the name is in use.
    """
    draft = Draft.of("with_projection", cell)
    output = draft.states[0]
    if len(draft.states) == 1:
        raise draft.refuse("has no memory beside its output", "project the output of a cell with two states")
    # By its whole name: the stem W explains input weights.
    draft = draft.with_parameter(weights, None, "projection")
    symbols = dict(draft.wording.symbols) | {weights: "projection"}
    positional = {
        one: size if one in draft.states[1:] and annotation is None else annotation
        for one, annotation in draft.positional.items()
    }
    draft = replace(draft, positional=positional, wording=replace(draft.wording, symbols=symbols))
    draft = draft.with_value(output, matrix_product(name(weights), draft.line(output).value))
    return draft.said("projected", f"{output} is projected by {weights}; the memory has {size} entries").cell()


def _choose_gates(draft: Draft, gates: Sequence[str] | None, memory: str) -> tuple[str, ...]:
    if memory not in draft.states:
        raise draft.refuse(f"has no state {memory!r}", f"its states are {', '.join(draft.states)}")
    chosen = tuple(gates) if gates is not None else draft.gates
    if not chosen:
        raise draft.refuse("has no gates", "a gate is an equation name = sigmoid(...)")
    return chosen


def _find_last_matrix(draft: Draft, value: ast.expr) -> str | None:
    """The last weight matrix that an equation reads, for the new parameter's place in the list."""
    there = [one for one in names_in(value) if one in draft.parameters and len(draft.origin.shape_names(one)) == 2]
    return there[-1] if there else None


def _may_see_the_new(draft: Draft, gate: str, memory: str) -> bool:
    """Whether a gate's equation can stand behind the memory's: nothing up to there reads the gate."""
    order = [line.name for line in draft.lines]
    start, end = order.index(gate), order.index(memory)
    return start < end and not any(gate in names_in(line.value) for line in draft.lines[start + 1 : end + 1])
