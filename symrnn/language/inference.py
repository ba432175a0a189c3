"""Checked syntax -> shapes: collects a slot per expression and a constraint per operation, and solves them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from symrnn.algebra import constraints, shapes
from symrnn.algebra.shapes import Size, Sizes, Slot
from symrnn.algebra.solving import solve
from symrnn.errors import Place, ShapeError
from symrnn.language.annotations import MAX_SIZE, read_annotation, too_large
from symrnn.language.definition import Argument, Assignment, Definition

_CALLS: dict[str, type[constraints.Constraint]] = {
    "concat": constraints.Concatenation,
    "softmax": constraints.VectorMap,
    "outer": constraints.OuterProduct,
    "sum": constraints.Reduction,
    "mean": constraints.Reduction,
    "size": constraints.Reduction,
}
_REMEDY = 'change the equation, or say what is meant with an annotation such as W: "d_h, d_x"'


@dataclass(frozen=True)
class _Where:
    """A piece of the text, for messages about shapes; written out only when a message is."""

    node: ast.AST
    place: Place

    @property
    def text(self) -> str:
        text = ast.unparse(self.node)
        return text if len(text) <= 60 else text[:57] + "..."

    def __str__(self) -> str:
        return self.text


@dataclass
class Inference:
    """The shapes of one definition.

    Attributes:
        definition: whose shapes.
        slots: name -> its slot; a state has one for both times.
        expressions: `id` of a syntax node -> its slot.
    """

    definition: Definition
    slots: dict[str, Slot] = field(default_factory=dict)
    expressions: dict[int, Slot] = field(default_factory=dict)
    _constraints: list[constraints.Constraint] = field(default_factory=list)

    def run(self) -> None:
        """Find every shape.

        Raises:
            ShapeError: shapes contradict each other.
            CellError: an annotation is not a shape.
        """
        inputs = {argument.name for argument in self.definition.inputs}
        for argument in self.definition.arguments:
            self.slots[argument.name] = self._argument(argument, argument.name in inputs)
        try:
            for assignment in self.definition.assignments:
                self._assignment(assignment)
            solve(self._constraints)
        except shapes.Contradiction as error:
            where: _Where = error.where
            raise ShapeError(where.place, f"in '{where}': {error}", _REMEDY) from None

    def _argument(self, argument: Argument, is_input: bool) -> Slot:
        definition = self.definition
        if argument.annotation is not None:
            place = definition.place(argument.annotation)
            return Slot(argument.name, read_annotation(argument.annotation, place), f"annotated in line {place.line}")
        if is_input:
            return Slot(argument.name, (Size.of(f"d_{argument.name}"),), f"the input {argument.name}")
        if argument.name == definition.returned[0]:
            return Slot(argument.name, (Size.of("d_h"),), f"the first state {argument.name}")
        return Slot(argument.name)

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
        return ShapeError(self._place(name), problem, self._annotate(name))

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

    def _visit(self, node: ast.expr) -> Slot:
        slot = self.expressions[id(node)] = self._slot(node)
        return slot

    def _slot(self, node: ast.expr) -> Slot:
        if isinstance(node, ast.Name):
            return self.slots[node.id]
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
            case ast.Call(func=ast.Name(id=name), args=args):
                operands = [self._visit(arg) for arg in args]
                return self._constrain(_CALLS.get(name, constraints.Elementwise), node, out, operands)
        raise AssertionError(f"unchecked syntax: {ast.dump(node)}")
