"""A backward pass of another cell: one whose forward equations differ in one place, or alike in several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.functions import MISTAKEN
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation, derive
from symrnn.errors import SymrnnError
from symrnn.language.recurrence import Cell, Equation
from symrnn.mistakes.backward_pass import Line, Program
from symrnn.mistakes.mistake import Edit, Grounds, Mistake
from symrnn.mistakes.terms import Site, sites
from symrnn.printers import text


def other_cells(on: Grounds) -> Iterator[Mistake]:
    """The backward passes of all cells that differ in one place, each run on this cell's values."""
    right = Program.right(on.derivation)
    changed = {position for position, line in enumerate(right.lines) if on.program.lines[position] != line}
    for mistake in _all_others(on.cell):
        if not changed & {edit.line for edit in mistake.edits}:
            yield mistake


def _recomputed(program: Program, other: Cell, changed: tuple[int, ...]) -> Iterator[Mistake]:
    """Values that the backward pass computes again, as the other cell has them."""
    ways: list[tuple[Edit, ...]] = [(), ()]
    for index in changed:
        target, value = program.derivation.cell.body[index].target, other.body[index].value
        for position, line in enumerate(program.lines):
            for number, term in enumerate(line.terms):
                if target in nodes.variables(term):
                    edit = Edit(position, number, term.xreplace({target: value}))
                    ways[0] += (edit,)
                    ways[1] += (edit,) if program.derivation.is_preactivation(line.of) else ()
    yield from (
        Mistake("forward-backward-mismatch", _said(program.derivation.cell, other, changed), 7, e) for e in ways
    )


def _said(own: Cell, other: Cell, changed: tuple[int, ...]) -> str:
    here, there = (
        " and ".join(f"{text(cell.body[index].target)} = {text(cell.body[index].value)}" for index in changed)
        for cell in (own, other)
    )
    return f"the backward pass is that of {there}, but the forward pass has {here}"


@lru_cache(maxsize=64)
def _all_others(cell: Cell) -> tuple[Mistake, ...]:
    right = Program.right(derive(cell))
    return tuple(one for changed, other in neighbours(cell) for one in as_if_of(right, other, changed))


def as_if_of(program: Program, other: Derivation, changed: tuple[int, ...]) -> Iterator[Mistake]:
    """The backward pass of another cell, in place of a program's own.

    Args:
        program: the right one.
        other: the derivation of a cell that differs in some equations.
        changed: which equations these are.
    """
    yield from _recomputed(program, other.cell, changed)
    edits = _differences(program, Program.right(other))
    if not edits:
        return
    unread = tuple(edit for edit in edits if _is_unread(program.lines[edit.line]))
    if unread:  # the rest of the backward pass may read what the forward pass has stored
        lines = [program.lines[edit.line] for edit in unread]
        names = ", ".join(dict.fromkeys(text(line.of) for line in lines))
        words = f"there is a gradient of {names}, which the forward pass does not use"
        yield Mistake("phantom-gradient", words, 3, unread, about=tuple(line.of.name for line in lines))
    if unread == edits:
        return
    words = _said(program.derivation.cell, other.cell, changed)
    yield Mistake("forward-backward-mismatch", words, 8, edits)


def _is_unread(line: Line) -> bool:
    return line.role == "parameter" and all(map(nodes.is_zero, line.terms))


@lru_cache(maxsize=64)
def neighbours(cell: Cell) -> tuple[tuple[tuple[int, ...], Derivation], ...]:
    """Every cell that differs from this one in an equation, or in several in the same way, with their indices."""
    single: list[tuple[int, Any, Expr]] = []
    for index, equation in enumerate(cell.body):
        changes = {value: kind for kind, value in reversed(list(_changed(cell, index, equation)))}
        single += [(index, kind, value) for value, kind in reversed(changes.items())]
    together: dict[Any, dict[int, list[Expr]]] = {}
    for index, kind, value in single:
        if kind is not None:
            together.setdefault(kind, {}).setdefault(index, []).append(value)
    found = [{index: value} for index, _, value in single]
    for by_index in together.values():  # the first such change of each equation, the second of each, ...
        for place in range(max(map(len, by_index.values()))):
            alike = {index: values[place] for index, values in by_index.items() if place < len(values)}
            found += [alike] if len(alike) > 1 else []
    return tuple(_derived(cell, found))


def _derived(cell: Cell, changes: Iterable[Mapping[int, Expr]]) -> Iterator[tuple[tuple[int, ...], Derivation]]:
    for change in changes:
        body = tuple(
            Equation(equation.target, change[index]) if index in change else equation
            for index, equation in enumerate(cell.body)
        )
        try:
            yield tuple(change), derive(replace(cell, body=body))
        except (SymrnnError, ValueError):
            continue


def _changed(cell: Cell, index: int, equation: Equation) -> Iterator[tuple[Any, Expr]]:
    """Every other value of an equation, with what it has in common with changes of others."""
    known = {earlier.target for earlier in cell.body[:index]}
    for site in sites(equation.value):
        for kind, new in _instead(cell, site, known):
            try:
                yield kind, site.put(new)
            except ValueError:  # shapes that do not fit
                continue
    read = sorted(known & nodes.variables(equation.value), key=text)
    for gate in read:
        yield None, _complemented(equation.value, gate)
    for a, b in combinations(read, 2):
        if a.shape == b.shape:
            yield None, equation.value.xreplace({a: b, b: a})


def _complemented(value: Expr, gate: Variable) -> Expr:
    """1 - z for z and z for 1 - z, everywhere in an equation."""
    other = nodes.subtract(nodes.ones(gate.shape), gate)
    mark = gate.marked("other", f"{gate.name}_other")
    return value.xreplace({other: mark}).xreplace({gate: other}).xreplace({mark: gate})


def _instead(cell: Cell, site: Site, known: set[Variable]) -> Iterator[tuple[Any, Expr]]:
    node = site.node
    ones = nodes.ones(node.shape)
    if isinstance(node, nodes.Act) and len(node.operands) == 1:
        yield ("linear", node.name), node.operands[0]
        yield from ((("act", node.name, o), nodes.act(o, *node.operands)) for o in MISTAKEN if o != node.name)
    elif isinstance(node, nodes.Sum):
        for gone in node.args:
            yield _kind(cell, gone), nodes.add(*(term for term in node.args if term != gone))
        if any(isinstance(above, nodes.Act) for above in site.above) or not site.above:
            yield None, nodes.add(*node.args, ones)  # a bias of one, as forget gates have it
            yield None, nodes.subtract(node, ones)
    elif isinstance(node, Variable) and not node.mark:
        others = [*known, *cell.previous]
        yield from ((("time", node), other) for other in others if other.base == node.base and other != node)
        if node in known:
            yield None, nodes.subtract(ones, node)
    elif isinstance(node, nodes.Product | nodes.Hadamard):
        yield from ((None, other) for other in _other_side(node))
        if isinstance(node, nodes.Product) and node.shape[1] == 1 and isinstance(node.args[-1], Variable):
            yield from ((None, nodes.act(name, node)) for name in ("tanh", "sigmoid"))


def _kind(cell: Cell, term: Expr) -> Any:
    """What a term of a sum is, apart from the gate that it belongs to: a bias; a weight times some vector."""
    own = {cell[name] for name in cell.parameters}
    read = nodes.variables(term)
    return ("without", term.shape, frozenset(read - own)) if read & own else None


def _other_side(node: Expr) -> Iterator[Expr]:
    """W (r ⊙ h) for r ⊙ (W h), and the other way round."""
    if isinstance(node, nodes.Product) and len(node.args) == 2 and isinstance(node.args[1], nodes.Hadamard):
        matrix, product = node.args
        for part in product.args:
            rest = [other for other in product.args if other != part]
            if part.shape == node.shape:
                yield nodes.hadamard(part, nodes.matmul(matrix, nodes.hadamard(*rest)))
    elif isinstance(node, nodes.Hadamard):
        for product in node.args:
            rest = [other for other in node.args if other != product]
            if isinstance(product, nodes.Product) and product.args[-1].shape == node.shape:
                *matrices, vector = product.args
                yield nodes.matmul(*matrices, nodes.hadamard(*rest, vector))


def _differences(own: Program, other: Program) -> tuple[Edit, ...]:
    """What makes a program's equations the other's; none where these read what this cell has not."""
    theirs = {line.of.name: line for line in other.lines}
    if set(theirs) != {line.of.name for line in own.lines}:
        return ()
    edits: list[Edit] = []
    for position, line in enumerate(own.lines):
        terms = theirs[line.of.name].terms
        edits += [Edit(position, number, None) for number, term in enumerate(line.terms) if term not in terms]
        edits += [Edit(position, -1, term) for term in terms if term not in line.terms]
    return tuple(edits)
