"""Cells with a slip in them: another function, a gate for its complement, an old state for a new one.

A wrong implementation is most often the right one with a slip in one place, or with the same slip in several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from symrnn.algebra import nodes
from symrnn.algebra.functions import MISTAKEN, SQUASHING
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import TermPlace, places
from symrnn.language.recurrence import Cell, Equation
from symrnn.printers import text

_Kind = tuple[object, ...]
"""What changes of several equations have in common: a word, and what the change is about."""


def with_slips(cell: Cell) -> Iterator[tuple[tuple[int, ...], Cell]]:
    """Every cell that differs from one in an equation, or in several in the same way, with their indices.

    A slip may make a cell of a kind that cannot be derived.
    """
    single: list[tuple[int, _Kind | None, Expr]] = []
    for index, equation in enumerate(cell.body):
        # One value by two slips is one cell; the first slip that gives it names it, hence from the end.
        changes = {value: kind for kind, value in reversed(list(_find_changes(cell, index, equation)))}
        single += [(index, kind, value) for value, kind in reversed(changes.items())]
    together: dict[_Kind, dict[int, list[Expr]]] = {}
    for index, kind, value in single:
        if kind is not None:
            together.setdefault(kind, {}).setdefault(index, []).append(value)
    found = [{index: value} for index, _, value in single]
    for by_index in together.values():  # the first such change of each equation, the second of each, ...
        for place in range(max(map(len, by_index.values()))):
            alike = {index: values[place] for index, values in by_index.items() if place < len(values)}
            found += [alike] if len(alike) > 1 else []
    for change in found:
        body = tuple(
            Equation(equation.target, change[index]) if index in change else equation
            for index, equation in enumerate(cell.body)
        )
        yield tuple(change), replace(cell, body=body)


def _find_changes(cell: Cell, index: int, equation: Equation) -> Iterator[tuple[_Kind | None, Expr]]:
    """Every changed value of an equation, each with its kind: changes of one kind in several equations go together."""
    known = {earlier.target for earlier in cell.body[:index]}
    for place in places(equation.value):
        for kind, new in _find_replacements(cell, place, known):
            try:
                yield kind, place.put(new)
            except ValueError:  # shapes that do not fit
                continue
    # A set has no order, and the same cells must come in the same order every time.
    read = sorted(known & nodes.variables(equation.value), key=text)
    for gate in read:
        yield None, _swap_complement(equation.value, gate)
    for a, b in combinations(read, 2):
        if a.shape == b.shape:
            yield None, equation.value.xreplace({a: b, b: a})


def _swap_complement(value: Expr, gate: Variable) -> Expr:
    """1 - z for z and z for 1 - z, everywhere in an equation."""
    other = nodes.subtract(nodes.ones(gate.shape), gate)
    # By way of a third symbol, or z would become 1 - z and then z again.
    mark = gate.marked("other", f"{gate.name}_other")
    return value.xreplace({other: mark}).xreplace({gate: other}).xreplace({mark: gate})


def _find_replacements(cell: Cell, place: TermPlace, known: set[Variable]) -> Iterator[tuple[_Kind | None, Expr]]:
    node = place.node
    ones = nodes.ones(node.shape)
    if isinstance(node, nodes.Act) and len(node.operands) == 1:
        yield ("linear", node.name), node.operands[0]
        yield from ((("act", node.name, o), nodes.act(o, *node.operands)) for o in MISTAKEN if o != node.name)
    elif isinstance(node, nodes.Sum):
        for gone in node.args:
            yield _find_kind(cell, gone), nodes.add(*(term for term in node.args if term != gone))
        # Where a bias would stand: inside of a function, or in a sum that is the whole equation.
        if any(isinstance(above, nodes.Act) for above in place.above) or not place.above:
            yield None, nodes.add(*node.args, ones)  # a bias of one, as forget gates have it
            yield None, nodes.subtract(node, ones)
    elif isinstance(node, Variable) and not node.mark:
        others = [*known, *cell.previous]
        yield from ((("time", node), other) for other in others if other.base == node.base and other != node)
        if node in known:
            yield None, nodes.subtract(ones, node)
    elif isinstance(node, nodes.Product | nodes.Hadamard):
        yield from ((None, other) for other in _move_product(node))
        # A function where there is none, around W x: one of those that cells are made of.
        if isinstance(node, nodes.Product) and node.shape[1] == 1 and isinstance(node.args[-1], Variable):
            yield from ((None, nodes.act(name, node)) for name in SQUASHING)


def _find_kind(cell: Cell, term: Expr) -> _Kind | None:
    """What a term of a sum is in any gate, such as a bias or a weight times h; None where it has no parameter."""
    own = {cell[name] for name in cell.parameters}
    read = nodes.variables(term)
    return ("without", term.shape, frozenset(read - own)) if read & own else None


def _move_product(node: Expr) -> Iterator[Expr]:
    """W (r ⊙ h) for r ⊙ (W h), and the other way round."""
    if isinstance(node, nodes.Product) and len(node.args) == 2 and isinstance(node.args[1], nodes.Hadamard):
        matrix, product = node.args
        for part in product.args if not matrix.is_Number else ():
            rest = [other for other in product.args if other != part]
            if part.shape == node.shape:
                yield nodes.hadamard(part, nodes.matmul(matrix, nodes.hadamard(*rest)))
    elif isinstance(node, nodes.Hadamard):
        for product in node.args:
            rest = [other for other in node.args if other != product]
            if isinstance(product, nodes.Product) and product.args[-1].shape == node.shape:
                *matrices, vector = product.args
                yield nodes.matmul(*matrices, nodes.hadamard(*rest, vector))
