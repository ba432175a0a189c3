"""None, one or two biases in every sum of matrix products.

A bias is a parameter that stands as a term of its own in a sum with a matrix product: b_f in `W_f @ x + U_f @ h + b_f`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from symrnn.language.recurrence import Cell
from symrnn.variants.draft import Draft
from symrnn.variants.expressions import (
    SignedTerm,
    is_matrix_product,
    is_product,
    map_sums,
    name,
    names_in,
    parts,
    product,
    sum_of,
    terms,
)

# The letter of biases on the recurrent side, beside b on the input side: what two_biases writes and one_bias looks for.
_RECURRENT = "c"


def without_biases(cell: Cell) -> Cell:
    """The cell without its biases.

    Raises:
        InputError: it has none.
    """
    draft = Draft.of("without_biases", cell)
    biases = biases_of(draft)
    if not biases:
        raise draft.refuse("has no biases", "use it as it is")

    def change(those: list[SignedTerm]) -> list[SignedTerm] | None:
        kept = [term for term in those if not (isinstance(term.value, ast.Name) and term.value.id in biases)]
        # A changed sum is taken as it is by `map_sums`, so brackets within it are looked at here.
        return [_change_inside(term, change) for term in kept] if len(kept) < len(those) else None

    return draft.map_values(lambda value: map_sums(value, change)).pruned().said("no_bias", "no biases").cell()


def with_two_biases(cell: Cell) -> Cell:
    """The cell with two biases in every gate: b_* on the input side, c_* on the recurrent side.

    The recurrent bias stands beside the recurrent product: inside the bracket of `r * (U @ h + c)`, where it makes
    another function and not only another parametrisation.  A sum that has both already keeps them.

    Raises:
        InputError: no bias stands in a sum with a recurrent product, or a name that is needed is in use.
    """
    draft = Draft.of("with_two_biases", cell)
    biases, added = biases_of(draft), dict[str, str]()

    def change(those: list[SignedTerm]) -> list[SignedTerm] | None:
        bias = next((t.value.id for t in those if isinstance(t.value, ast.Name) and t.value.id in biases), None)
        place = next((i for i, term in enumerate(those) if _is_recurrent(term.value, draft.states)), None)
        # Without a recurrent product there is no second side; a sum that has its c_* already is as it should be.
        if bias is None or place is None or bias.startswith(_RECURRENT) or twin(bias) in draft.parameters:
            return None
        added[bias] = twin(bias)
        recurrent = those[place]
        rest = [t for t in those if t is not recurrent and not (isinstance(t.value, ast.Name) and t.value.id == bias)]
        # The order of papers: input product, its bias, recurrent product, its bias.
        first = rest[:1]
        return [*first, SignedTerm(name(bias)), *_add_bias(recurrent, twin(bias)), *rest[1:]]

    changed = draft.map_values(lambda value: map_sums(value, change))
    if not added:
        raise draft.refuse("has no bias in a sum with a recurrent product U @ h", "give it one, or use it as it is")
    for bias, other in added.items():
        changed = changed.with_parameter(other, bias, "biases on the recurrent side")
    symbols = dict(changed.wording.symbols) | {"b": "biases on the input side"}
    changed = replace(changed, wording=replace(changed.wording, symbols=symbols))
    return changed.said("two_biases", "a bias on the input side (b) and one on the recurrent side (c)").cell()


def with_one_bias(cell: Cell) -> Cell:
    """The cell with one bias where a sum has two: b + c becomes b, which is the same function of the inputs.

    A c_* inside the bracket of `r * (U @ h + c)` stands in a sum of its own and stays.

    Raises:
        InputError: no sum has both b_* and c_*.
    """
    draft = Draft.of("with_one_bias", cell)
    biases = biases_of(draft)
    removed = set()

    def change(those: list[SignedTerm]) -> list[SignedTerm] | None:
        there = {term.value.id for term in those if isinstance(term.value, ast.Name)} & biases
        # A cell may call its only bias c_f: the twin of itself is no second one.
        double = {twin(bias) for bias in there if twin(bias) != bias} & there
        removed.update(double)
        kept = [t for t in those if not (isinstance(t.value, ast.Name) and t.value.id in double)]
        return kept if double else None

    changed = draft.map_values(lambda value: map_sums(value, change))
    if not removed:
        raise draft.refuse("has no sum with two biases b_* and c_*", "use it as it is")
    # A c_* that was left out of one sum may stand in another: only what nothing reads is gone.
    changed = changed.pruned()
    kept_inside = sorted(biases_of(changed) & {twin(bias) for bias in changed.parameters})
    meaning = {"b": "biases"} | ({"c": "bias inside the reset"} if kept_inside else {})
    symbols = {stem: text for stem, text in changed.wording.symbols.items() if stem not in ("b", "c")} | meaning
    changed = replace(changed, wording=replace(changed.wording, symbols=symbols))
    return changed.said("one_bias", "the two biases of a sum are one").cell()


def biases_of(draft: Draft) -> set[str]:
    """The parameters that are biases."""
    found: set[str] = set()

    def change(those: list[SignedTerm]) -> None:
        if any(is_matrix_product(part) for term in those for part in parts(term.value)):
            found.update(t.value.id for t in those if isinstance(t.value, ast.Name) and t.value.id in draft.parameters)

    draft.map_values(lambda value: map_sums(value, change))
    return found


def twin(bias: str) -> str:
    """The recurrent side's name for a bias: c_f for b_f."""
    return _RECURRENT + bias[1:]


def _change_inside(term: SignedTerm, change: Callable[[list[SignedTerm]], Sequence[SignedTerm] | None]) -> SignedTerm:
    return SignedTerm(map_sums(term.value, change), term.negative)


def _is_recurrent(node: ast.expr, states: Collection[str]) -> bool:
    """Whether a term is U @ h, or a gate times that."""
    return any(is_matrix_product(part) and set(names_in(part)) & set(states) for part in parts(node))


def _add_bias(term: SignedTerm, bias: str) -> list[SignedTerm]:
    if is_product(term.value):
        assert isinstance(term.value, ast.BinOp)
        left, right = term.value.left, term.value.right
        inside = sum_of([*terms(right), SignedTerm(name(bias))])
        return [SignedTerm(product(left, inside), term.negative)]
    return [term, SignedTerm(name(bias), term.negative)]
