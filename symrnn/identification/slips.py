"""A cell with one slip in it: another function, a gate for its complement, an old state for a new one.

A wrong implementation of a cell is most often the cell with one slip.  To find it is to say what came nearest.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symrnn.algebra.functions import FUNCTIONS, MISTAKEN, SQUASHING
from symrnn.language.definition import Assignment, Definition
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class CellSlip:
    """One change of a cell's definition.

    Attributes:
        definition: the changed definition; it may read a state's old value by its name and `_prev`.
        before: the equation as the cell has it.
        after: the equation as it is changed.
    """

    definition: Definition
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.after}, where the cell has {self.before}"


def slips(cell: Cell) -> Iterator[CellSlip]:
    """Every way to change one place of a cell's definition."""
    lines = cell.syntax.assignments
    states = list(cell.states)
    assigned: set[str] = set()
    # One place at a time: two slips would square a hundred changes, each of which costs a run.
    for number, line in enumerate(lines):
        for node, other in _changes(line.value, cell, states, frozenset(assigned)):
            changed = replace(line, value=swap(line.value, node, other))
            definition = replace(cell.syntax, assignments=(*lines[:number], changed, *lines[number + 1 :]))
            yield CellSlip(definition, _text(line), _text(changed))
        assigned.add(line.name)


def _changes(
    value: ast.expr, cell: Cell, states: list[str], assigned: frozenset[str]
) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in ast.walk(value):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[argument]) if name in FUNCTIONS:
                # The function left out is as common as another one in its place.
                yield node, argument
                for other in MISTAKEN:
                    if other != name:
                        yield node, ast.Call(ast.Name(other), [argument], [])
            case ast.BinOp(left=ast.Constant(value=1), op=ast.Sub(), right=right):
                yield node, right
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                yield node, left
                yield node, right
            case ast.BinOp(left=left, op=ast.MatMult(), right=ast.BinOp(left=a, op=ast.Mult(), right=b)):
                # A gate before or after the recurrent product is where published variants of the GRU differ.
                yield node, _times(a, _matrix(left, b))
                yield node, _times(b, _matrix(left, a))
            case ast.BinOp(left=a, op=ast.Mult(), right=ast.BinOp(left=left, op=ast.MatMult(), right=b)):
                yield node, _matrix(left, _times(a, b))
            case ast.BinOp(op=ast.MatMult()):
                # A function too many: one of these squashes nearly every product in a cell.
                yield from ((node, ast.Call(ast.Name(name), [node], [])) for name in SQUASHING)
            case ast.Name(id=name) if name in states:
                if name in assigned:
                    yield node, ast.Name(f"{name}_prev")
                for other in states:
                    if other != name and cell[other].shape == cell[name].shape:
                        yield node, ast.Name(other)
            case ast.Name(id=name) if name in assigned:
                yield node, ast.BinOp(ast.Constant(1), ast.Sub(), node)


def _times(a: ast.expr, b: ast.expr) -> ast.expr:
    return ast.BinOp(a, ast.Mult(), b)


def _matrix(a: ast.expr, b: ast.expr) -> ast.expr:
    return ast.BinOp(a, ast.MatMult(), b)


def swap(node: ast.expr, old: ast.expr, new: ast.expr) -> ast.expr:
    """An expression with one of its nodes replaced; the others are shared with it or copied, never changed."""
    if node is old:
        return new
    # The cell's own syntax tree is shared by all who run it, so it must not be written into.
    changed = copy.copy(node)
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.expr):
            setattr(changed, name, swap(value, old, new))
        elif isinstance(value, list):
            setattr(changed, name, [swap(item, old, new) for item in value])
    return changed


def _text(line: Assignment) -> str:
    return f"{line.name} = {ast.unparse(line.value)}"
