"""One matrix on the joined vector [h; x], or one for each part."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace

from symrnn.language.recurrence import Cell
from symrnn.variants.draft import Draft
from symrnn.variants.expressions import (
    SignedTerm,
    call,
    function_of,
    is_matrix_product,
    map_sums,
    matrix_product,
    name,
    names_in,
    parts,
)

_Pair = tuple[str, str]


def with_concatenated_weights(cell: Cell, order: str = "hx") -> Cell:
    """The cell with one matrix per gate on the joined vector: W @ concat(h, x) instead of W @ x + U @ h.

    The input's matrix keeps its name and takes the recurrent one's columns in.  A sum whose two products do not stand
    side by side, such as W @ x + r * (U @ h), keeps its two matrices.

    Args:
        cell: the cell.
        order: "hx" for [h; x], recurrent part first, or "xh" for [x; h].

    Raises:
        InputError: no sum has a product with an input and one with a state; or the order is neither of the two.
    """
    draft = Draft.of("with_concatenated_weights", cell)
    if order not in ("hx", "xh"):
        raise draft.refuse(f"cannot be joined in the order {order!r}", 'write "hx" for [h; x] or "xh" for [x; h]')
    pairs = _find_pairs(draft)
    if not pairs:
        raise draft.refuse("has no sum W @ x + U @ h of its own two matrices", "use it as it is")

    def change(those: list[SignedTerm]) -> list[SignedTerm] | None:
        found = _find_pair(draft, those)
        # A matrix that is used elsewhere too cannot be joined here alone.
        if found is None or (_weight(found[0]), _weight(found[1])) not in pairs:
            return None
        first, second = found
        vectors = [_vector(second), _vector(first)] if order == "hx" else [_vector(first), _vector(second)]
        joined = SignedTerm(matrix_product(name(_weight(first)), call("concat", *vectors)))
        return [joined if term is first else term for term in those if term is not second]

    parameters = dict(draft.parameters)
    for first_name, second_name in pairs:
        # Said outright: the width of a joined matrix, d_h + d_x, cannot be read off the equations.
        (rows, width), (_, depth) = draft.origin.shape_names(first_name), draft.origin.shape_names(second_name)
        parameters[first_name] = f"{rows}, {depth} + {width}" if order == "hx" else f"{rows}, {width} + {depth}"
        del parameters[second_name]
    changed = replace(draft.map_values(lambda value: map_sums(value, change)), parameters=parameters)
    shown = "[h; x]" if order == "hx" else "[x; h]"
    symbols = dict(changed.wording.symbols) | {"W": f"weights on concat({', '.join(order)})"}
    changed = replace(changed, wording=replace(changed.wording, symbols=symbols))
    return changed.said("concat", f"one matrix per gate on {shown}").cell()


def with_split_weights(cell: Cell) -> Cell:
    """The cell with a matrix for each of two joined vectors: W @ x + U @ h instead of W @ concat(h, x).

    The input's matrix keeps its name W_*, the recurrent one is called U_*.

    Raises:
        InputError: the cell has no product W @ concat(a, b) with one input and one recurrent part; or a name that is
            needed is in use.
    """
    draft = Draft.of("with_split_weights", cell)
    found: dict[str, str] = {}

    def rule(those: list[SignedTerm]) -> list[SignedTerm] | None:
        result: list[SignedTerm] = []
        for term in those:
            split = _match_joined(draft, term.value)
            if split is None:
                result.append(term)
                continue
            weight, vector, recurrent = split
            # The names that the library has: W_f on the input, U_f on the state.
            found[weight] = "U" + weight[1:]
            result += [
                SignedTerm(matrix_product(name(weight), vector), term.negative),
                SignedTerm(matrix_product(name(found[weight]), recurrent), term.negative),
            ]
        return result if len(result) > len(those) else None

    changed = draft.map_values(lambda value: map_sums(value, rule))
    if not found:
        raise draft.refuse("has no product W @ concat(h, x) of a parameter named W", "use it as it is")
    changed = replace(changed, parameters={one: None if one in found else a for one, a in draft.parameters.items()})
    for weight, other in found.items():
        changed = changed.with_parameter(other, weight, "recurrent weights")
    symbols = dict(changed.wording.symbols) | {"W": "input weights"}
    changed = replace(changed, wording=replace(changed.wording, symbols=symbols))
    return changed.said("split", "a matrix for x and one for h in every gate").cell()


def _find_pairs(draft: Draft) -> list[_Pair]:
    """(W, U) for the matrices that always stand side by side."""
    found: list[_Pair] = []

    def collect(those: list[SignedTerm]) -> None:
        pair = _find_pair(draft, those)
        if pair is not None:
            found.append((_weight(pair[0]), _weight(pair[1])))

    draft.map_values(lambda value: map_sums(value, collect))
    used = Counter(one for line in draft.lines for one in names_in(line.value))
    together = Counter(found)
    return [(a, b) for (a, b), count in together.items() if used[a] == count and used[b] == count]


def _find_pair(draft: Draft, those: list[SignedTerm]) -> tuple[SignedTerm, SignedTerm] | None:
    """The products with an input and with a state in a sum, where there is one of each."""
    products = [term for term in those if _is_weighted(draft, term) and not term.negative]
    inputs = [term for term in products if set(names_in(_vector(term))) <= set(draft.inputs)]
    states = [term for term in products if set(names_in(_vector(term))) & set(draft.states)]
    return (inputs[0], states[0]) if len(inputs) == 1 and len(states) == 1 else None


def _is_weighted(draft: Draft, term: SignedTerm) -> bool:
    node = term.value
    if not is_matrix_product(node) or not isinstance(node, ast.BinOp) or not isinstance(node.left, ast.Name):
        return False
    plain = not any(function_of(part) for part in parts(node.right))
    return node.left.id in draft.parameters and plain and len(draft.origin.shape_names(node.left.id)) == 2


def _weight(term: SignedTerm) -> str:
    assert isinstance(term.value, ast.BinOp)
    assert isinstance(term.value.left, ast.Name)
    return term.value.left.id


def _vector(term: SignedTerm) -> ast.expr:
    assert isinstance(term.value, ast.BinOp)
    return term.value.right


def _match_joined(draft: Draft, node: ast.expr) -> tuple[str, ast.expr, ast.expr] | None:
    """(W, input part, recurrent part) of W @ concat(a, b), or None."""
    if not is_matrix_product(node) or not isinstance(node, ast.BinOp) or not isinstance(node.left, ast.Name):
        return None
    call_of, weight = node.right, node.left.id
    if function_of(call_of) != "concat" or not weight.startswith("W") or weight not in draft.parameters:
        return None
    assert isinstance(call_of, ast.Call)
    inputs = [part for part in call_of.args if set(names_in(part)) <= set(draft.inputs)]
    others = [part for part in call_of.args if part not in inputs]
    return (weight, inputs[0], others[0]) if len(inputs) == 1 and len(others) == 1 else None
