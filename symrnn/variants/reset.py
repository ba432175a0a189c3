"""The place of the reset gate: before the recurrent product, U @ (r * h), or after it, r * (U @ h)."""

from __future__ import annotations

import ast

from symrnn.language.recurrence import Cell
from symrnn.variants.biases import biases_of
from symrnn.variants.draft import Draft
from symrnn.variants.expressions import (
    SignedTerm,
    is_matrix_product,
    is_product,
    map_sums,
    matrix_product,
    name,
    product,
    sum_of,
    terms,
)


def with_reset_after(cell: Cell) -> Cell:
    """The cell with gates that act after the recurrent product: r * (U @ h) instead of U @ (r * h).

    A recurrent bias (c_*) of the same sum goes into the bracket: r * (U @ h + c).  Another function, not another
    parametrisation.

    Raises:
        InputError: the cell has no product U @ (r * h) of a gate r and a state h.
    """
    draft = Draft.of("with_reset_after", cell)
    # Recurrent ones only: b belongs to the input's side and stays outside of the bracket.
    biases, found = {one for one in biases_of(draft) if one.startswith("c")}, []

    def change(those: list[SignedTerm]) -> list[SignedTerm] | None:
        inside = [term for term in those if isinstance(term.value, ast.Name) and term.value.id in biases]
        result: list[SignedTerm] = []
        for term in those:
            before = _match_before(draft, term.value)
            if before is not None:
                matrix, gate, state = before
                bracket = sum_of([SignedTerm(matrix_product(matrix, name(state))), *inside])
                result.append(SignedTerm(product(name(gate), bracket), term.negative))
                found.append(gate)
            elif term not in inside:
                result.append(term)
        return result if any(_match_before(draft, term.value) for term in those) else None

    changed = draft.map_values(lambda value: map_sums(value, change))
    if not found:
        raise draft.refuse("has no product U @ (r * h) of a gate and a state", "use it as it is")
    return changed.said("reset_after", "the gate acts after the recurrent product").cell()


def with_reset_before(cell: Cell) -> Cell:
    """The cell with gates that act before the recurrent product: U @ (r * h) instead of r * (U @ h).

    A bias in the bracket, r * (U @ h + c), becomes a term of the sum around it.

    Raises:
        InputError: the cell has no product r * (U @ h) of a gate r and a state h.
    """
    draft = Draft.of("with_reset_before", cell)
    found = []

    def change(those: list[SignedTerm]) -> list[SignedTerm] | None:
        if not any(_match_after(draft, term.value) for term in those):
            return None
        result: list[SignedTerm] = []
        for term in those:
            after = _match_after(draft, term.value)
            if after is None:
                result.append(term)
                continue
            gate, matrix, state, rest = after
            moved = matrix_product(matrix, product(name(gate), name(state)))
            result += [SignedTerm(moved, term.negative), *rest]
            found.append(gate)
        return result

    changed = draft.map_values(lambda value: map_sums(value, change))
    if not found:
        raise draft.refuse("has no product r * (U @ h) of a gate and a state", "use it as it is")
    return changed.said("reset_before", "the gate acts before the recurrent product").cell()


def _match_before(draft: Draft, node: ast.expr) -> tuple[ast.expr, str, str] | None:
    """(U, r, h) of U @ (r * h), or None."""
    if not is_matrix_product(node) or not isinstance(node, ast.BinOp) or not is_product(node.right):
        return None
    pair = _match_gate_and_state(draft, node.right)
    return (node.left, *pair) if pair else None


def _match_gate_and_state(draft: Draft, node: ast.expr) -> tuple[str, str] | None:
    assert isinstance(node, ast.BinOp)
    both = [part.id for part in (node.left, node.right) if isinstance(part, ast.Name)]
    gates = [one for one in both if one in draft.gates]
    states = [one for one in both if one in draft.states]
    return (gates[0], states[0]) if len(both) == 2 and gates and states else None


def _match_after(draft: Draft, node: ast.expr) -> tuple[str, ast.expr, str, list[SignedTerm]] | None:
    """(r, U, h, other terms of the bracket) of r * (U @ h + ...), or None."""
    if not is_product(node) or not isinstance(node, ast.BinOp):
        return None
    # r * (U @ h) and (U @ h) * r.
    for gate, bracket in ((node.left, node.right), (node.right, node.left)):
        if not isinstance(gate, ast.Name) or gate.id not in draft.gates:
            continue
        inner = terms(bracket)
        for term in inner:
            others = [other for other in inner if other is not term]
            pair = _match_matrix_and_state(draft, term)
            # Only biases beside the product: anything else would not become the same sum outside of the bracket.
            if pair is not None and all(isinstance(other.value, ast.Name) for other in others):
                return gate.id, *pair, others
    return None


def _match_matrix_and_state(draft: Draft, term: SignedTerm) -> tuple[ast.expr, str] | None:
    """(U, h) of U @ h, or None."""
    node = term.value
    if term.negative or not is_matrix_product(node) or not isinstance(node, ast.BinOp):
        return None
    state = node.right.id if isinstance(node.right, ast.Name) else ""
    return (node.left, state) if state in draft.states else None
