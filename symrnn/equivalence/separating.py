"""A cell with its stacked parameters taken apart: one product for all gates becomes one product a gate.

`a = W @ x + b` and `i, f = split(a, 2)` say what `i = W_0 @ x + b_0` and `f = W_1 @ x + b_1` say, with blocks of
rows in place of W and b.  Taking rows is moved inwards, through sums, functions and products, until it meets
parameters.  What corresponds is found between cells so taken apart, and told of the parameters that the author has.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise

from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.shapes import Size
from symrnn.errors import SymrnnError
from symrnn.language.axes import spread_axis
from symrnn.language.definition import Assignment
from symrnn.language.inference import Inference
from symrnn.language.parts import bounds, equal_part
from symrnn.language.recurrence import Cell

_NOTHING = Size()
Line = tuple[str, ast.expr]
"""A name and its value."""


class _Whole(Exception):
    """Rows of something are wanted that is only known as a whole."""


@dataclass(frozen=True)
class ParameterBlock:
    """Some rows or columns of a parameter, under a name of their own.

    Attributes:
        name: the name.
        axis: 0 for rows, 1 for columns.
        start: the size before them.
        stop: the size up to their end.
        last: whether the parameter ends with them.
    """

    name: str
    axis: int
    start: Size
    stop: Size
    last: bool = False

    def cut(self, parameter: str) -> ast.expr:
        """The block as a part of the parameter."""
        start = "" if self.start == _NOTHING else self.start
        part = f"{start}:{'' if self.last else self.stop}"
        return ast.parse(f"{parameter}[:, {part}]" if self.axis else f"{parameter}[{part}]", mode="eval").body


@dataclass(frozen=True)
class SeparatedCell:
    """A cell taken apart.

    Attributes:
        cell: the cell with a parameter for every block.
        blocks: parameter of the original -> its blocks in order; those that are not cut are not in it.
    """

    cell: Cell
    blocks: Mapping[str, tuple[ParameterBlock, ...]] = field(default_factory=dict)

    def read(self, text: str) -> ast.expr:
        """A text of the language of maps about the cell taken apart, about the original."""
        parts = {block.name: block.cut(name) for name, blocks in self.blocks.items() for block in blocks}
        read: ast.expr = _Original(parts).visit(ast.parse(text, mode="eval").body)
        return read

    def spelled(self, sentence: str) -> str:
        """A sentence about the cell taken apart, with the original's parts in it."""
        for name, blocks in self.blocks.items():
            for block in blocks:
                sentence = re.sub(rf"\b{block.name}\b", ast.unparse(block.cut(name)), sentence)
        return sentence

    def assembled(self, texts: Mapping[str, str], source: SeparatedCell) -> dict[str, str]:
        """A map from a source to the cell taken apart as one of the originals, as far as it is complete."""
        own = {block.name for blocks in self.blocks.values() for block in blocks}
        found = {name: ast.unparse(source.read(text)) for name, text in texts.items() if name not in own}
        for name, blocks in self.blocks.items():
            if all(block.name in texts for block in blocks):
                found[name] = _joined(
                    [source.read(texts[block.name]) for block in blocks], blocks[0].axis, self._join(blocks[0])
                )
        return found

    def _join(self, block: ParameterBlock) -> str:
        return "hstack" if block.axis else "vstack" if len(self.cell.shape_names(block.name)) == 2 else "concat"


def separate(cell: Cell) -> SeparatedCell:
    """A cell with its stacked parameters taken apart, where it can be; otherwise as it is."""
    if not any(isinstance(node, ast.Subscript) for line in cell.syntax.assignments for node in ast.walk(line.value)):
        return SeparatedCell(cell)
    try:
        return _Separation(cell).result()
    # Taking apart is a help and no condition: what cannot be cut is compared as it stands.
    except (_Whole, SymrnnError):
        return SeparatedCell(cell)


class _Separation:
    """Takes one cell apart."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._inference = Inference(cell.syntax)
        self._inference.run()
        self._assigned = {line.name: line for line in cell.syntax.assignments}
        self._taken = {*self._inference.slots, *cell.sizes}
        self._blocks: dict[str, dict[str, ParameterBlock]] = {}
        self._parts: dict[tuple[str, str], tuple[str, ast.expr]] = {}

    def result(self) -> SeparatedCell:
        lines = self._rewritten()
        if not self._blocks:
            return SeparatedCell(self._cell)
        blocks = {name: self._ordered(name, found) for name, found in self._blocks.items()}
        named = {block.name for found in blocks.values() for block in found}
        lines = self._put_in(lines, named)
        if blocks.keys() & {name for _, value in lines for name in _names(value)}:
            raise _Whole
        return SeparatedCell(Cell.from_source(self._text(lines, blocks)), blocks)

    def _rewritten(self) -> list[Line]:
        """The lines that the states rest on; rows that nothing reads cut no parameter."""
        needed, lines = set(self._cell.states), []
        # From the states back: what is only read as a whole by rows that are cut is not needed as a whole.
        for line in reversed(self._cell.syntax.assignments):
            parts = [part for (of, _), part in self._parts.items() if of == line.name]
            kept = [*parts, *([(line.name, self._plain(line.value))] if line.name in needed else [])]
            needed |= {name for _, value in kept for name in _names(value)}
            lines += kept[::-1]
        return lines[::-1]

    def _put_in(self, lines: Sequence[Line], blocks: Set[str]) -> list[Line]:
        """The lines with what has blocks in it written where it is read, so that a function tells what it may be."""
        kept: list[Line] = []
        places = {name: place for place, (name, _) in enumerate(lines)}
        known: dict[str, ast.expr] = {}
        for place, (name, value) in enumerate(lines):
            written = _ValuesForNames(known).visit(copy.deepcopy(value))
            reads = [other for _, later in lines[place + 1 :] for other in _names(later) if other == name]
            readers = [later for later, (_, text) in enumerate(lines) if name in _names(text)]
            changed = {places[other] for other in _names(written) if other in self._cell.states}
            moves = len(reads) == 1 and all(readers[0] <= at or at < place for at in changed)
            if moves and _is_no_call(written) and name not in self._cell.states and blocks & set(_names(written)):
                known[name] = written
            else:
                kept.append((name, written))
        return kept

    def _ordered(self, name: str, found: Mapping[str, ParameterBlock]) -> tuple[ParameterBlock, ...]:
        """The blocks of a parameter, one beside the other from its beginning to its end."""
        blocks = sorted(found.values(), key=lambda block: _at(block.start))
        whole = self._dims(name)[blocks[0].axis]
        ends = [_NOTHING, *(block.stop for block in blocks)]
        beside = zip([*(block.start for block in blocks), whole], ends, strict=True)
        # Blocks that leave a gap or overlap are not all of the parameter, and a map of them would be none of it.
        if len({block.axis for block in blocks}) > 1 or not all(_less(a, b) == _NOTHING for a, b in beside):
            raise _Whole
        last = blocks[-1]
        return (*blocks[:-1], ParameterBlock(last.name, last.axis, last.start, last.stop, True))

    def _text(self, lines: Sequence[tuple[str, ast.expr]], blocks: Mapping[str, tuple[ParameterBlock, ...]]) -> str:
        given = [f'{name}: "{self._shape(name)}"' for name in (*self._cell.inputs, *self._cell.states)]
        for name in self._cell.parameters:
            for block in blocks.get(name, ()):
                dims = [str(size) for size in self._dims(name)]
                dims[block.axis] = str(_less(block.stop, block.start))
                given.append(f'{block.name}: "{", ".join(dims)}"')
            if name not in blocks:
                given.append(f'{name}: "{self._shape(name)}"')
        count = len(self._cell.inputs) + len(self._cell.states)
        head = (
            f"def {self._cell.name}({', '.join([*given[:count], *(['*'] if given[count:] else []), *given[count:]])}):"
        )
        body = [f"    {name} = {ast.unparse(value)}" for name, value in lines]
        return "\n".join([head, *body, f"    return {', '.join(self._cell.states)}", ""])

    def _dims(self, name: str) -> tuple[Size, ...]:
        return tuple(size.resolved() for size in self._inference.slots[name].dims)

    def _shape(self, name: str) -> str:
        return ", ".join(map(str, self._dims(name))) or "()"

    # --- taking rows --------------------------------------------------------------------------------------------------

    def _plain(self, node: ast.expr) -> ast.expr:
        """An expression in which no rows are taken; the author's is left as it is."""
        if isinstance(node, ast.Subscript) and spread_axis(node) is None:
            return self._rows(*self._span(node))
        result = copy.copy(node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(result, name, self._plain(value))
            elif isinstance(value, list):
                setattr(result, name, [self._plain(one) if isinstance(one, ast.expr) else one for one in value])
        return result

    def _rank(self, node: ast.expr) -> int:
        return len(self._inference.expressions[id(node)].dims) if id(node) in self._inference.expressions else 0

    def _span(self, node: ast.Subscript) -> tuple[ast.expr, Size, Size]:
        """What rows are taken of, and from where to where."""
        part = equal_part(node)
        whole = node.value if part is None else part[0]
        size = self._inference.expressions[id(whole)].dims[0].resolved()
        if part is not None:
            rows = _divided(size, part[2])
            return whole, rows.times(part[1]), rows.times(part[1] + 1)
        lower, upper = bounds(node)
        start = _NOTHING if lower is None else self._inference.size(lower).resolved()
        return whole, start, size if upper is None else self._inference.size(upper).resolved()

    def _rows(self, node: ast.expr, start: Size, stop: Size) -> ast.expr:
        """Some rows of a vector, with nothing cut but parameters."""
        if self._rank(node) == 0:
            return self._plain(node)
        if self._rank(node) != 1:
            raise _Whole
        match node:
            case ast.Name(id=name):
                return self._rows_of_name(name, start, stop)
            case ast.UnaryOp(op=op, operand=operand):
                return ast.UnaryOp(op, self._rows(operand, start, stop))
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return ast.BinOp(self._rows(left, start, stop), ast.Pow(), right)
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                if self._rank(left) == 2:
                    return ast.BinOp(self._of_matrix(left, 0, start, stop), ast.MatMult(), self._plain(right))
                return ast.BinOp(self._plain(left), ast.MatMult(), self._of_matrix(right, 1, start, stop))
            case ast.BinOp(op=op, left=left, right=right):
                return ast.BinOp(self._rows(left, start, stop), op, self._rows(right, start, stop))
            case ast.Call(func=ast.Name(id=name), args=args) if name in FUNCTIONS:
                return ast.Call(ast.Name(name), [self._rows(arg, start, stop) for arg in args], [])
            case ast.Subscript() if spread_axis(node) is None:
                whole, before, _ = self._span(node)
                return self._rows(whole, before + start, before + stop)
        raise _Whole

    def _rows_of_name(self, name: str, start: Size, stop: Size) -> ast.expr:
        if start == _NOTHING == _less(stop, self._dims(name)[0]):
            return ast.Name(name)
        if name in self._cell.parameters:
            return ast.Name(self._block(name, 0, start, stop))
        line: Assignment | None = self._assigned.get(name)
        if line is None or name in self._cell.states:
            raise _Whole
        key = name, f"{start}:{stop}"
        if key not in self._parts:
            value = self._rows(line.value, start, stop)
            self._parts[key] = self._free(name), value
        return ast.Name(self._parts[key][0])

    def _of_matrix(self, node: ast.expr, axis: int, start: Size, stop: Size) -> ast.expr:
        match node:
            case ast.Name(id=name) if name in self._cell.parameters:
                if start == _NOTHING == _less(stop, self._dims(name)[axis]):
                    return ast.Name(name)
                return ast.Name(self._block(name, axis, start, stop))
            case ast.Attribute(attr="T", value=value):
                return ast.Attribute(self._of_matrix(value, 1 - axis, start, stop), "T")
        raise _Whole

    def _block(self, name: str, axis: int, start: Size, stop: Size) -> str:
        blocks = self._blocks.setdefault(name, {})
        key = f"{axis} {start}:{stop}"
        if key not in blocks:
            blocks[key] = ParameterBlock(self._free(name), axis, start, stop)
        return blocks[key].name

    def _free(self, name: str) -> str:
        # Two underscores, which authors do not write.
        own = next(one for one in (f"{name}__{k}" for k in range(10**6)) if one not in self._taken)
        self._taken.add(own)
        return own


class _ValuesForNames(ast.NodeTransformer):
    """Writes values for names."""

    def __init__(self, known: Mapping[str, ast.expr]) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._known.get(node.id, node)


def _is_no_call(value: ast.expr) -> bool:
    return not isinstance(value, ast.Call)


def _names(node: ast.expr) -> list[str]:
    return [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]


class _Original(ast.NodeTransformer):
    """Writes the parts of the original parameters for the blocks; rows of columns are one cut."""

    def __init__(self, parts: Mapping[str, ast.expr]) -> None:
        self._parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._parts.get(node.id, node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        inner = self.visit(node.value)
        if isinstance(inner, ast.Subscript):
            rows, columns = zip(_cuts(inner), _cuts(node), strict=True)
            if None in rows and None in columns:
                cuts = [next((cut for cut in both if cut is not None), ast.Slice()) for both in (rows, columns)]
                return ast.Subscript(inner.value, ast.Tuple(cuts))
        return ast.Subscript(inner, node.slice)


def _cuts(node: ast.Subscript) -> tuple[ast.expr | None, ast.expr | None]:
    """The rows and the columns that are taken; None for all."""
    cuts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice, ast.Slice()]
    first, second = (None if _is_all(cut) else cut for cut in cuts)
    return first, second


def _is_all(cut: ast.expr) -> bool:
    return isinstance(cut, ast.Slice) and cut.lower is None and cut.upper is None


def _joined(parts: Sequence[ast.expr], axis: int, name: str) -> str:
    """Parts beside one another along an axis; those of one parameter from its beginning to its end are that."""
    first = parts[0]
    if len(parts) == 1:
        return ast.unparse(first)
    if all(isinstance(part, ast.Subscript) for part in parts):
        wholes = {ast.unparse(part.value) for part in parts if isinstance(part, ast.Subscript)}
        cuts = [_cuts(part) for part in parts if isinstance(part, ast.Subscript)]
        along = [cut[axis] for cut in cuts]
        if len(wholes) == 1 and all(cut[1 - axis] is None for cut in cuts) and _follow(along):
            return wholes.pop()
    return f"{name}({', '.join(map(ast.unparse, parts))})"


def _follow(cuts: Sequence[ast.expr | None]) -> bool:
    found = [cut for cut in cuts if isinstance(cut, ast.Slice)]
    if len(found) != len(cuts) or found[0].lower is not None or found[-1].upper is not None:
        return False
    inner = ((a.upper, b.lower) for a, b in pairwise(found))
    return all(a is not None and b is not None and ast.unparse(a) == ast.unparse(b) for a, b in inner)


def _less(size: Size, other: Size) -> Size:
    return (size + other.times(-1)).resolved()


def _divided(size: Size, count: int) -> Size:
    if any(n % count for _, n in size.terms) or size.constant % count:
        raise _Whole
    return Size(tuple((atom, n // count) for atom, n in size.terms), size.constant // count)


def _at(size: Size) -> int:
    """A number that orders sizes as they are ordered at most sizes."""
    # A size counts more than any number beside it: fixed sizes in cells are small.
    return size.constant + 1000 * sum(count for _, count in size.terms)
