"""Checked syntax -> shapes: collects a slot per expression and a constraint per operation, and solves them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from symrnn.algebra import constraints, shapes
from symrnn.algebra.shapes import Size, Sizes, Slot, Unknown
from symrnn.algebra.solving import solve
from symrnn.errors import Place, ShapeError, UndeterminedError
from symrnn.language.annotations import MAX_SIZE, read_annotation, too_large
from symrnn.language.axes import axis_of, spread_axis
from symrnn.language.definition import Argument, Assignment, Definition
from symrnn.language.operations import OPERATIONS
from symrnn.language.parts import bounds, equal_part

_REMEDY = 'change the equation, or say what is meant with an annotation such as W: "d_h, d_x"'


@dataclass(frozen=True)
class _Where:
    """A piece of the text, for messages about shapes; written out only when a message is."""

    node: ast.AST
    place: Place

    @property
    def text(self) -> str:
        text = self._written() or ast.unparse(self.node)
        # A message has one line for it; the caret below shows the place anyway.
        return text if len(text) <= 60 else text[:57] + "..."

    def _written(self) -> str:
        """The author's own words, where they are on one line."""
        start, end = getattr(self.node, "col_offset", None), getattr(self.node, "end_col_offset", None)
        if start is None or end is None or self.node.lineno != self.node.end_lineno:  # type: ignore[attr-defined]
            return ""
        # Python counts columns in bytes.
        return self.place.text.encode()[start:end].decode(errors="ignore")

    def __str__(self) -> str:
        return self.text


@dataclass
class Inference:
    """The shapes of one definition.

    Attributes:
        definition: whose shapes.
        ranks: argument -> its rank, where the usual reading is not meant; None where nothing is known.
        slots: name -> its slot; a state has one for both times.
        expressions: `id` of a syntax node -> its slot.
    """

    definition: Definition
    ranks: Mapping[str, int | None] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    expressions: dict[int, Slot] = field(default_factory=dict)
    _constraints: list[constraints.Constraint] = field(default_factory=list)
    _sizes: dict[str, Unknown] = field(default_factory=dict)  # sizes that rows are cut at and nothing else names

    def run(self) -> None:
        """Find every shape.

        Raises:
            ShapeError: shapes contradict each other.
            CellError: an annotation is not a shape.
        """
        inputs = {argument.name for argument in self.definition.inputs}
        for argument in self.definition.arguments:
            self.slots[argument.name] = self._argument(argument, argument.name in inputs)
        # A state has one shape at all times, so what an equation says of it holds for t-1 too.
        for state in self.definition.returned:
            self.slots[f"{state}_prev"] = self.slots[state]
        try:
            for assignment in self.definition.assignments:
                self._assignment(assignment)
            # Only when all are known together: W @ x gives nothing until something says what x is.
            solve(self._constraints)
            for constraint in self._constraints:
                if isinstance(constraint, constraints.Rows):
                    constraint.verify()
        except shapes.Contradiction as error:
            where: _Where = error.where
            raise ShapeError(where.place, f"in '{where}': {error}", _REMEDY) from None
        for name, atom in self._sizes.items():
            # A size that nothing else determines is a size of its own, called as the author calls it.
            atom.value = atom.value or Size.of(name)

    def _argument(self, argument: Argument, is_input: bool) -> Slot:
        definition = self.definition
        if argument.default is not None:
            return self._constant(argument)
        if argument.annotation is not None:
            place = definition.place(argument.annotation)
            return Slot(argument.name, read_annotation(argument.annotation, place), f"annotated in line {place.line}")
        if argument.name in self.ranks:
            rank = self.ranks[argument.name]
            return Slot(argument.name, None if rank is None else tuple(Size.of(Unknown()) for _ in range(rank)))
        if is_input:
            return Slot(argument.name, (Size.of(f"d_{argument.name}"),), f"the input {argument.name}")
        # The first state is the cell's output, and its size the hidden one.
        if argument.name == definition.returned[0]:
            return Slot(argument.name, (Size.of("d_h"),), f"the first state {argument.name}")
        return Slot(argument.name)

    def _constant(self, argument: Argument) -> Slot:
        """A constant is one number."""
        if argument.annotation is not None:
            place = self.definition.place(argument.annotation)
            if read_annotation(argument.annotation, place) != ():
                raise ShapeError(place, f"the constant {argument.name!r} is a scalar", "remove the annotation")
        return Slot(argument.name, (), f"the constant {argument.name}")

    def _assignment(self, assignment: Assignment) -> None:
        value = self._visit(assignment.value)
        target = self.slots.setdefault(assignment.name, Slot(assignment.name))  # a state keeps its shape over time
        if assignment.annotation is not None:
            place = self.definition.place(assignment.annotation)
            sizes = read_annotation(assignment.annotation, place)
            where = _Where(assignment.annotation, place)
            shapes.settle(
                target, sizes, where, "the annotation contradicts the shape", f"annotated in line {place.line}"
            )
        self._constrain(constraints.Same, assignment.node, target, [value])

    def shape_of(self, name: str) -> Sizes:
        """The shape of a name.

        Raises:
            ShapeError: the equations do not determine it.
        """
        slot = self.slots[name]
        if slot.rank is None:
            raise self._undetermined(name, "")
        shape = tuple(size.resolved() for size in slot.dims)
        if any(isinstance(atom, shapes.Unknown) for size in shape for atom, _ in size.terms):
            raise self._undetermined(name, f": {slot}, where ? may be anything")
        if not all(size.is_sum for size in shape):
            raise ShapeError(self._place(name), f"{name!r} would have the shape {slot}", self._annotate(name))
        if any(too_large(size) for size in shape):
            problem = f"{name!r} would have the shape {slot}"
            raise ShapeError(self._place(name), problem, f"fixed sizes are at most {MAX_SIZE}")
        return shape

    def _undetermined(self, name: str, known: str) -> ShapeError:
        problem = f"the shape of {name!r} is not determined by the equations{known}"
        return UndeterminedError(self._place(name), problem, self._annotate(name))

    def _place(self, name: str) -> Place:
        named: list[Argument | Assignment] = [*self.definition.arguments, *self.definition.assignments]
        return self.definition.place(next(one.node for one in named if one.name == name))

    def _annotate(self, name: str) -> str:
        slot = self.slots[name]
        sizes = [str(size).replace("?", "d_k") for size in slot.dims] if slot.rank else ["d_k"]
        return f'annotate it, as in {name}: "{", ".join(sizes)}"'

    def _constrain(self, kind: type[constraints.Constraint], node: ast.AST, out: Slot, operands: list[Slot]) -> Slot:
        self._constraints.append(kind(_Where(node, self.definition.place(node)), out, operands))
        return out

    def _part(self, node: ast.Subscript) -> Slot:
        where = _Where(node, self.definition.place(node))
        out = Slot(where)
        part = equal_part(node)
        if part is not None:
            self._constraints.append(constraints.EqualPart(where, out, [self._visit(part[0])], part[2]))
            return out
        lower, upper = bounds(node)
        start = Size() if lower is None else self.size(lower)
        stop = None if upper is None else self.size(upper)
        rows = constraints.Rows(where, out, [self._visit(node.value)], start, stop, self._is_furthest(node))
        self._constraints.append(rows)
        return out

    def _is_furthest(self, node: ast.Subscript) -> bool:
        """Whether no other rows of the same name reach further, as their text says: 4 * d_h is more than 2 * d_h."""
        whole = ast.unparse(node.value)
        ends = [
            self.size(other.slice.upper)
            for line in self.definition.assignments
            for other in ast.walk(line.value)
            if isinstance(other, ast.Subscript) and isinstance(other.slice, ast.Slice) and other.slice.upper
            if ast.unparse(other.value) == whole
        ]
        if not isinstance(node.slice, ast.Slice) or node.slice.upper is None:
            return True
        own = self.size(node.slice.upper)
        return all((own + end.times(-1)) == Size() or (own + end.times(-1)).is_sum for end in ends)

    def size(self, node: ast.expr) -> Size:
        """The size that rows are cut at."""
        match node:
            case ast.Name(id=name):
                # A name that shapes have already is that size; any other may turn out to be a sum of these.
                known = {n for slot in self.slots.values() if slot.rank for n in shapes.named(slot.dims)}
                return Size.of(name if name in known else self._sizes.setdefault(name, Unknown()))
            case ast.Constant(value=int(value)):
                return Size(constant=value)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self.size(left) + self.size(right)
            case ast.BinOp(left=left, right=right):
                first, second = self.size(left), self.size(right)
                if not first.terms:
                    return second.times(first.constant)
                if not second.terms:
                    return first.times(second.constant)
        raise ShapeError(
            self.definition.place(node), f"{ast.unparse(node)} is no size", "cut at sums of sizes: 2*d_h + 3"
        )

    def _visit(self, node: ast.expr) -> Slot:
        slot = self.expressions[id(node)] = self._slot(node)
        return slot

    def _slot(self, node: ast.expr) -> Slot:
        if isinstance(node, ast.Name):
            return self.slots[node.id]
        if isinstance(node, ast.Subscript) and spread_axis(node) is None:
            return self._part(node)
        out = Slot(_Where(node, self.definition.place(node)))
        match node:
            case ast.Constant():
                out.sizes = ()
                return out
            case ast.BinOp(op=ast.Pow(), left=operand) | ast.UnaryOp(operand=operand):
                return self._constrain(constraints.Same, node, out, [self._visit(operand)])
            case ast.BinOp(op=op, left=left, right=right):
                kind: type[constraints.Constraint] = (
                    constraints.MatrixProduct if isinstance(op, ast.MatMult) else constraints.Elementwise
                )
                return self._constrain(kind, node, out, [self._visit(left), self._visit(right)])
            case ast.Attribute(value=operand):
                return self._constrain(constraints.MatrixTranspose, node, out, [self._visit(operand)])
            case ast.Call(func=ast.Name(id=name), args=[arg]) if axis_of(node) is not None:
                along = OPERATIONS[name].shapes_along
                assert along is not None
                where = _Where(node, self.definition.place(node))
                self._constraints.append(along(where, out, [self._visit(arg)], axis_of(node) or 0))
                return out
            case ast.Subscript(value=vector):
                where = _Where(node, self.definition.place(node))
                self._constraints.append(constraints.Spread(where, out, [self._visit(vector)], spread_axis(node) or 0))
                return out
            case ast.Call(func=ast.Name(id=name), args=args):
                operands = [self._visit(arg) for arg in args]
                relation = OPERATIONS[name].shapes if name in OPERATIONS else constraints.Elementwise
                return self._constrain(relation, node, out, operands)
        raise AssertionError(f"unchecked syntax: {ast.dump(node)}")
