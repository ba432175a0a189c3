"""A cell's text taken apart for comparison: one value a unit, and how each parameter is used.

A unit is one call of a function of the table, or the rest of an equation around such calls.  Names are made unique, so
that units may be computed in any order in which what they read comes first: `_h` is the state h at t, `_1` a call.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.shapes import Size
from symrnn.arrays import Array
from symrnn.language.definition import Definition
from symrnn.language.inference import Inference
from symrnn.language.reader import fold
from symrnn.language.recurrence import Cell
from symrnn.runs.literals import exact_expression
from symrnn.runs.sizes import CellAtSizes
from symrnn.sameness.tower import TowerNumber

_NOTHING = Size()
_FUNCTIONS = {*FUNCTIONS, "softmax"}


@dataclass(frozen=True)
class ParameterPiece:
    """A parameter, or the part of it that meets one part of a `concat`.

    Attributes:
        parameter: the parameter's name.
        axis: along which it is cut: 0 rows, 1 columns; -1 not at all.
        start: the size before the part.
        stop: the size up to its end.
        last: whether the parameter ends with it.
    """

    parameter: str
    axis: int = -1
    start: Size = _NOTHING
    stop: Size = _NOTHING
    last: bool = True

    @property
    def text(self) -> str:
        """The piece in the language of maps."""
        if self.axis < 0:
            return self.parameter
        start = "" if self.start == _NOTHING else str(self.start)
        part = f"{start}:{'' if self.last else self.stop}"
        return f"{self.parameter}[:, {part}]" if self.axis else f"{self.parameter}[{part}]"

    def cut(self, value: Array, sizes: Mapping[str, int]) -> Array:
        """The part of a value of the parameter."""
        if self.axis < 0:
            return value
        part = slice(number(self.start, sizes), number(self.stop, sizes))
        return value[:, part] if self.axis else value[part]


@dataclass(frozen=True, eq=False)
class PieceUse:
    """One place where a piece is used.

    Attributes:
        piece: which.
        kind: "columns" in W @ v, "rows" in W.T @ v or v @ W, "entries" in p * v, "added" for anything else.
        other: v, or None where it is added.
        shown: v as text.
        factor: the number that the product, or what is added, is multiplied by in the unit: -2 in b - 2 * (W @ x).
    """

    piece: ParameterPiece
    kind: str
    other: ast.expr | None
    shown: str
    factor: Fraction = Fraction(1)


@dataclass(frozen=True, eq=False)
class CellUnit:
    """One value.

    Attributes:
        name: its name.
        line: the equation that it is part of, as written.
        value: its expression, with the numbers of the field for literals.
        called: whether it is a function's value.
        state: the state that it is, or "".
        reads: the names that it reads, each with the number that it is multiplied by there.
        uses: the uses of parameters in it.
        constant: what a literal adds to the function's argument, such as 1 in sigmoid(a + 1).
    """

    name: str
    line: str
    value: ast.expr
    called: bool
    state: str
    reads: Mapping[str, Fraction]
    uses: tuple[PieceUse, ...]
    constant: Fraction


def number(size: Size, sizes: Mapping[str, int]) -> int:
    """A size as a number."""
    return size.constant + sum(count * sizes[str(atom)] for atom, count in size.resolved().terms)


class CellUnits:
    """A cell's text at one choice of sizes.

    Args:
        cell: the cell.
        layout: its sizes.
    """

    def __init__(self, cell: Cell, layout: CellAtSizes) -> None:
        self.cell = cell
        self.layout = layout
        self._inference = Inference(cell.syntax)
        self._inference.run()
        self._joined = _joins(cell.syntax)
        self.pieces: dict[str, tuple[ParameterPiece, ...]] = {name: self._cut(name) for name in cell.parameters}
        self.units = tuple(self._read())

    def shape(self, piece: ParameterPiece) -> tuple[int, ...]:
        """A piece's shape at the sizes."""
        return self._shape(piece, self.layout)

    def _shape(self, piece: ParameterPiece, layout: CellAtSizes) -> tuple[int, ...]:
        shape = list(layout.text_shape(self.cell[piece.parameter]))
        if piece.axis >= 0:
            shape[piece.axis] = number(piece.stop, layout.sizes) - number(piece.start, layout.sizes)
        return tuple(shape)

    def labels(self, sizes: Mapping[str, int]) -> dict[ParameterPiece, tuple[int, ...]]:
        """The pieces' shapes at other sizes."""
        layout = CellAtSizes(self.cell, sizes)
        return {piece: self._shape(piece, layout) for pieces in self.pieces.values() for piece in pieces}

    @cached_property
    def schedule(self) -> tuple[CellUnit, ...]:
        """The units in an order in which the states come as early as they can: the sooner a choice is tested."""
        by_name = {unit.name: unit for unit in self.units}

        def needed(unit: CellUnit) -> set[CellUnit]:
            below = (needed(by_name[name]) for name in unit.reads if name in by_name)
            return {unit}.union(*below)

        # The state that rests on the least first.
        closures = sorted((needed(unit) for unit in self.units if unit.state), key=len)
        return tuple(dict.fromkeys(unit for closure in closures for unit in self.units if unit in closure))

    # --- pieces -------------------------------------------------------------------------------------------------------

    def _cut(self, name: str) -> tuple[ParameterPiece, ...]:
        found = {
            (axis, tuple(map(str, self._parts(joined))), joined)
            for line in self.cell.syntax.assignments
            for axis, joined in _meetings(line.value, name, self._joined)
        }
        axis, _, joined = min(found, key=lambda one: one[:2])
        if axis < 0 or len({(axis, parts) for axis, parts, _ in found}) != 1:
            # Used whole somewhere, or cut in two ways: then no cut serves everywhere.
            return (ParameterPiece(name),)
        pieces: list[ParameterPiece] = []
        start, sizes = _NOTHING, self._parts(joined)
        for index, size in enumerate(sizes):
            pieces.append(ParameterPiece(name, axis, start, start + size, index == len(sizes) - 1))
            start += size
        return tuple(pieces)

    def _parts(self, joined: ast.Call | None) -> tuple[Size, ...]:
        if joined is None:
            return ()
        return tuple(self._inference.expressions[id(part)].dims[0].resolved() for part in joined.args)

    # --- units --------------------------------------------------------------------------------------------------------

    def _read(self) -> Iterator[CellUnit]:
        done: dict[str, str] = {}
        count = 0
        for line in self.cell.syntax.assignments:
            shown = f"{line.name} = {ast.unparse(line.value)}"
            renamed = _Renamed(done).visit(copy.deepcopy(line.value))
            state = line.name if line.name in self.cell.states else ""
            name = f"_{line.name}" if state else line.name
            calls = _Calls(count)
            rest = calls.visit(renamed)
            parts = list(calls.found)
            count += len(parts)
            # Otherwise the line would be a unit that only renames its call, and cost a step of the search.
            if parts and isinstance(rest, ast.Name) and rest.id == parts[-1][0]:
                parts[-1] = (name, parts[-1][1])  # the whole line is a call
            else:
                parts.append((name, rest))
            for part, value in parts:
                yield self._unit(part, shown, value, state if part == name else "")
            if isinstance(rest, ast.Call) and _is_concat(rest) and not state:
                self._joined[line.name] = rest  # with the states' names made unique
            if state:
                done[line.name] = name

    def _unit(self, name: str, line: str, value: ast.expr, state: str) -> CellUnit:
        called = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _FUNCTIONS
        uses = tuple(self._uses(value))
        reads: dict[str, Fraction] = {}
        for node, above in _with_parents(value):
            if isinstance(node, ast.Name):
                reads[node.id] = reads.get(node.id, Fraction(0)) + _factor(node, above)
        constant = _constant(value.args[0]) if isinstance(value, ast.Call) and called else Fraction(0)
        return CellUnit(name, line, exact_expression(value, TowerNumber.of), called, state, reads, uses, constant)

    def _uses(self, value: ast.expr) -> Iterator[PieceUse]:
        for node, above in _with_parents(value):
            if not isinstance(node, ast.Name) or node.id not in self.pieces:
                continue
            kind, other = _meeting(node, above)
            factor = _factor(node, above)
            pieces = self.pieces[node.id]
            joined = _resolve(other, self._joined)
            for index, piece in enumerate(pieces):
                part = joined.args[index] if piece.axis >= 0 and joined is not None else other
                if part is None:
                    yield PieceUse(piece, kind, None, "", factor)
                else:
                    number, bare = _scaled(part)
                    yield PieceUse(
                        piece, kind, exact_expression(bare, TowerNumber.of), ast.unparse(part), factor * number
                    )


class _Renamed(ast.NodeTransformer):
    """Gives the states at t their own names."""

    def __init__(self, done: Mapping[str, str]) -> None:
        self._done = done

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._done.get(node.id, node.id))


class _Calls(ast.NodeTransformer):
    """Takes the calls of functions out of an expression, the innermost first."""

    def __init__(self, count: int) -> None:
        self.found: list[tuple[str, ast.expr]] = []
        self._count = count

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(arg) for arg in node.args]
        if isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
            self._count += 1
            self.found.append((f"_{self._count}", node))
            return ast.Name(self.found[-1][0])
        return node


def _with_parents(node: ast.expr, above: tuple[ast.expr, ...] = ()) -> Iterator[tuple[ast.expr, tuple[ast.expr, ...]]]:
    """Every expression below, with those around it, the nearest last."""
    yield node, above
    for child in node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _with_parents(child, (*above, node))


def _meeting(node: ast.expr, above: Sequence[ast.expr]) -> tuple[str, ast.expr | None]:
    """How a parameter is used, and what it is multiplied with."""
    kind, around = "columns", list(above)
    # Transposes and numbers around it do not change what it meets.
    while around and (isinstance(around[-1], ast.Attribute) or _is_scaling(around[-1])):
        node = around.pop()
        if isinstance(node, ast.Attribute):
            kind = "rows" if kind == "columns" else "columns"
    match around[-1] if around else None:
        case ast.BinOp(op=ast.MatMult(), left=left, right=right):
            if left is node:
                return kind, right
            return ("rows" if kind == "columns" else "columns"), left
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            return "entries", right if left is node else left
    return "added", None


def _is_scaling(node: ast.expr) -> bool:
    """Whether an expression is a number times another, or less it."""
    return _scaled(node)[1] is not node


def _scaled(node: ast.expr) -> tuple[Fraction, ast.expr]:
    """An expression as a number times another one."""
    match node:
        case ast.UnaryOp(operand=inner) if fold(node) is None:
            number, rest = _scaled(inner)
            return -number, rest
        case ast.BinOp(op=ast.Mult() | ast.Div(), left=left, right=right):
            by, into = fold(right), fold(left)
            if by and into is None:
                number, rest = _scaled(left)
                return (number * by if isinstance(node.op, ast.Mult) else number / by), rest
            if into and by is None and isinstance(node.op, ast.Mult):
                number, rest = _scaled(right)
                return number * into, rest
    return Fraction(1), node


def _factor(node: ast.expr, above: Sequence[ast.expr]) -> Fraction:
    """What a part of an expression is multiplied by in it; 1 where it is not simply a term of a sum."""
    factor = Fraction(1)
    for around in reversed(above):
        match around:
            case ast.UnaryOp():
                factor = -factor
            case ast.BinOp(op=ast.Sub(), right=right) if right is node:
                factor = -factor
            case ast.BinOp(op=ast.Mult(), left=left, right=right):
                factor *= fold(right if left is node else left) or 1
            case ast.BinOp(op=ast.Div(), left=left, right=right) if left is node:
                factor /= fold(right) or 1
            case ast.BinOp(op=ast.Div() | ast.Pow()):
                return Fraction(1)
        node = around
    return factor


def _meetings(value: ast.expr, name: str, joined: Mapping[str, ast.Call]) -> Iterator[tuple[int, ast.Call | None]]:
    """The axis along which a parameter meets a `concat`, wherever it is used; -1 and None where it meets none."""
    for node, above in _with_parents(value):
        if isinstance(node, ast.Name) and node.id == name:
            kind, other = _meeting(node, above)
            found = _resolve(other, joined)
            yield ({"columns": 1, "rows": 0}.get(kind, -1), found) if found is not None else (-1, None)


def _joins(definition: Definition) -> dict[str, ast.Call]:
    """The names that stand for a `concat`."""
    return {
        line.name: line.value
        for line in definition.assignments
        if isinstance(line.value, ast.Call) and _is_concat(line.value) and line.name not in definition.returned
    }


def _resolve(node: ast.expr | None, joined: Mapping[str, ast.Call]) -> ast.Call | None:
    if isinstance(node, ast.Name):
        return joined.get(node.id)
    return node if isinstance(node, ast.Call) and _is_concat(node) else None


def _is_concat(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "concat"


def literals(cell: Cell) -> tuple[Fraction, ...]:
    """The numbers written in a cell's text, without signs and exponents."""
    found: dict[Fraction, None] = {}
    for line in cell.syntax.assignments:
        for node, above in _with_parents(line.value):
            power = any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Pow) for one in above)
            if isinstance(node, ast.Constant) and type(node.value) in (int, float) and not power:
                found[Fraction(repr(node.value))] = None
    return tuple(number for number in found if number)


def _constant(node: ast.expr) -> Fraction:
    """The sum of the literals in a chain of additions."""
    match node:
        case ast.Constant():
            return Fraction(repr(node.value))
        case ast.UnaryOp():
            return -_constant(node.operand)
        case ast.BinOp(op=ast.Add()):
            return _constant(node.left) + _constant(node.right)
        case ast.BinOp(op=ast.Sub()):
            return _constant(node.left) - _constant(node.right)
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            number, rest = _scaled(node)
            return number * _constant(rest) if rest is not node else Fraction(0)
    return Fraction(0)
