"""Checked syntax -> Cell: infer the shapes, then build the expression nodes."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import sympy

from symrnn.algebra import nodes, shapes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.shapes import Size, Sizes, Unknown
from symrnn.algebra.spelling import tell_apart
from symrnn.errors import CellError
from symrnn.freezing import Frozen
from symrnn.language.axes import axis_of, spread_axis
from symrnn.language.definition import Argument, Assignment, Definition
from symrnn.language.expressions import exponent
from symrnn.language.inference import Inference
from symrnn.language.measuring import cut_names, measured
from symrnn.language.operations import OPERATIONS
from symrnn.language.parts import bounds, equal_part
from symrnn.language.readings import infer
from symrnn.language.recurrence import Cell, Equation, freeze

#: A literal beyond these bounds has no use in a cell; exact arithmetic would carry it along forever.
_LARGEST, _FINEST = 10**9, 10**30
# Exact arithmetic multiplies out what generated code would overflow on long before.
_HIGHEST_POWER = 64


def translate(definition: Definition) -> Cell:
    """Build the cell.

    Raises:
        ShapeError: shapes contradict each other or are not determined.
        CellError: an annotation is not a shape, a number is out of bounds, or a name is both a size and a variable.
    """
    definition, inference = infer(definition)
    shape_of = {name: inference.shape_of(name) for name in inference.slots}
    sizes = list(dict.fromkeys(name for shape in shape_of.values() for name in shapes.named(shape)))
    _refuse_clashes(definition, sizes)
    symbols = _symbols(definition, shape_of, sizes)
    builder = _Builder(definition, inference, symbols)
    body = tuple(builder.equations())
    definition = measured(definition, inference)
    return Cell(
        name=definition.name,
        docstring=definition.docstring,
        inputs=tuple(argument.name for argument in definition.inputs),
        states=definition.returned,
        parameters=tuple(argument.name for argument in definition.keyword_only if argument.default is None),
        constants=Frozen(builder.numbers(definition.constants)),
        body=body,
        symbols=freeze(symbols),
        syntax=definition,
        sizes=tuple(sizes),
    )


def _refuse_clashes(definition: Definition, sizes: list[str]) -> None:
    named: list[Argument | Assignment] = [*definition.arguments, *definition.assignments]
    cut = cut_names(definition)
    for one in named:
        if one.name in sizes or one.name in cut:
            problem = f"{one.name!r} names both a size and a variable"
            raise CellError(definition.place(one.node), problem, "rename the variable, or the size in the annotations")


@lru_cache(maxsize=1024)
def _dim(size: Size) -> sympy.Expr:
    atoms = [count * sympy.Symbol(str(atom), integer=True, positive=True) for atom, count in size.terms]
    return sympy.Add(*atoms, sympy.Integer(size.constant))


def _shape(sizes: Sizes) -> nodes.Shape:
    dims = [_dim(size.resolved()) for size in sizes] + [sympy.S.One] * (2 - len(sizes))
    return dims[0], dims[1]


def _symbols(definition: Definition, shape_of: Mapping[str, Sizes], sizes: list[str]) -> dict[str, nodes.Variable]:
    """Identifier -> variable; names that would look alike are told apart here, once for all that is printed."""
    inputs = [arg.name for arg in definition.inputs]
    parameters = [arg.name for arg in definition.keyword_only]
    computed = [assignment.name for assignment in definition.assignments]
    timed = dict.fromkeys([*definition.returned, *inputs, *computed], True)
    looks = tell_apart(timed | dict.fromkeys(parameters, False), sizes)

    def variable(base: str, time: int | None, name: str) -> nodes.Variable:
        return nodes.Variable(name, *_shape(shape_of[base]), base, time, looks=looks[base])

    return {
        **{name: variable(name, 0, name) for name in inputs},
        **{f"{name}_prev": variable(name, -1, f"{name}_prev") for name in definition.returned},
        **{name: variable(name, None, name) for name in parameters},
        **{name: variable(name, 0, name) for name in computed},
    }


@dataclass
class _Builder:
    """Builds nodes from syntax whose shapes are known."""

    definition: Definition
    inference: Inference
    symbols: dict[str, nodes.Variable]
    assigned: set[str] = field(default_factory=set)
    _folded: dict[int, Fraction | None] = field(default_factory=dict)

    def equations(self) -> list[Equation]:
        result = []
        for assignment in self.definition.assignments:
            target = self.symbols[assignment.name]
            value = self._fitted(assignment.value, target.shape)
            if value.shape != target.shape:  # the inference would be at fault, not the author
                raise AssertionError(f"{assignment.name}: {value.shape} is not {target.shape}")
            result.append(Equation(target, value))
            self.assigned.add(assignment.name)
        return result

    def numbers(self, expressions: Mapping[str, ast.expr]) -> dict[str, Fraction]:
        """The numbers that expressions of literals are."""
        found = {name: self._fold(node) for name, node in expressions.items()}
        return {name: number for name, number in found.items() if number is not None}

    def _variable(self, name: str) -> nodes.Variable:
        if name.removesuffix("_prev") in self.definition.returned and name not in self.assigned:
            return self.symbols[f"{name.removesuffix('_prev')}_prev"]
        return self.symbols[name]

    def _literal(self, node: ast.expr) -> sympy.Rational | None:
        """The number that an expression of literals is, or None."""
        value = self._fold(node)
        return None if value is None else sympy.Rational(value.numerator, value.denominator)

    def _fold(self, node: ast.expr) -> Fraction | None:
        if id(node) not in self._folded:
            self._folded[id(node)] = self._bounded(self._compute(node), node)
        return self._folded[id(node)]

    def _bounded(self, value: Fraction | None, node: ast.expr) -> Fraction | None:
        if value is not None and abs(value) > _LARGEST:
            raise CellError(self.definition.place(node), "the number is too large", "numbers go up to 1e9 in size")
        if value is not None and value.denominator > _FINEST:
            raise CellError(self.definition.place(node), "the number is too fine", "numbers have up to 30 digits")
        return value

    def _compute(self, node: ast.expr) -> Fraction | None:
        """Arithmetic of literals only, exactly."""
        match node:
            case ast.Constant():
                return Fraction(repr(node.value))
            case ast.UnaryOp():
                inner = self._fold(node.operand)
                return None if inner is None else -inner
            case ast.BinOp(op=ast.Pow()):
                base, power = self._fold(node.left), exponent(node.right)
                assert power is not None
                if base == 0 and power < 0:
                    raise self._division_by_zero(node.left)
                return None if base is None else base**power
            case ast.BinOp():
                left, right = self._fold(node.left), self._fold(node.right)
                if isinstance(node.op, ast.Div) and right == 0:
                    raise self._division_by_zero(node.right)
                if left is None or right is None or type(node.op) not in _ARITHMETIC:
                    return None
                return _ARITHMETIC[type(node.op)](left, right)
        return None

    def _division_by_zero(self, node: ast.expr) -> CellError:
        return CellError(self.definition.place(node), "division by zero", "change the number")

    def _power(self, base: nodes.Expr, power: int, node: ast.expr) -> nodes.Expr:
        if nodes.is_zero(base) and power < 0:
            raise self._division_by_zero(node)
        inner = nodes.coefficient(base)[1]
        if isinstance(inner, nodes.Power) and abs(int(inner.args[1]) * power) > _HIGHEST_POWER:
            problem = f"powers of powers beyond {_HIGHEST_POWER} are not allowed"
            raise CellError(self.definition.place(node), problem, "name an intermediate value, or use exp and log")
        return nodes.power(base, power)

    def _fitted(self, node: ast.expr, shape: nodes.Shape) -> nodes.Expr:
        """The node's expression, a scalar repeated into `shape` where that is larger."""
        literal = self._literal(node)
        if literal is not None:
            return nodes.number(literal, shape)
        value = self._build(node)
        return nodes.fill(value, shape) if nodes.is_scalar(value) else value

    def _build(self, node: ast.expr) -> nodes.Expr:
        literal = self._literal(node)
        if literal is not None:
            return nodes.number(literal, nodes.ONE_BY_ONE)
        match node:
            case ast.Name():
                return self._variable(node.id)
            case ast.UnaryOp():
                return nodes.negate(self._build(node.operand))
            case ast.Attribute():
                return nodes.transpose(self._build(node.value))
            case ast.BinOp():
                return self._binary(node)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node)
            case ast.Subscript():
                return self._part(node) if spread_axis(node) is None else self._spread(node)
        raise AssertionError(f"unchecked syntax: {ast.dump(node)}")

    def _part(self, node: ast.Subscript) -> nodes.Expr:
        """Rows of a value."""
        part = equal_part(node)
        if part is not None:
            rows = self._out_shape(node)[0]
            return nodes.rows(self._build(part[0]), part[1] * rows, (part[1] + 1) * rows)
        whole = self._build(node.value)
        lower, upper = bounds(node)
        start = sympy.S.Zero if lower is None else _dim(self.inference.size(lower).resolved())
        return nodes.rows(
            whole, start, whole.shape[0] if upper is None else _dim(self.inference.size(upper).resolved())
        )

    def _out_shape(self, node: ast.expr) -> nodes.Shape:
        return _shape(self.inference.expressions[id(node)].dims)

    def _binary(self, node: ast.BinOp) -> nodes.Expr:
        if isinstance(node.op, ast.Pow):
            power = exponent(node.right)
            assert power is not None
            return self._power(self._build(node.left), power, node.left)
        if isinstance(node.op, ast.MatMult):
            return self._product(self._build(node.left), self._build(node.right))
        shape = self._out_shape(node)
        left, right = self._literal(node.left), self._literal(node.right)
        if isinstance(node.op, ast.Mult | ast.Div):
            if isinstance(node.op, ast.Div) and right is not None:
                right = 1 / right
            if right is not None:
                return nodes.scale(right, self._build(node.left))
            if left is not None and isinstance(node.op, ast.Mult):
                return nodes.scale(left, self._build(node.right))
        a, b = self._fitted(node.left, shape), self._fitted(node.right, shape)
        match node.op:
            case ast.Add():
                return nodes.add(a, b)
            case ast.Sub():
                return nodes.subtract(a, b)
            case ast.Mult():
                return nodes.hadamard(a, b)
        return nodes.hadamard(a, self._power(b, -1, node.right))

    @staticmethod
    def _product(a: nodes.Expr, b: nodes.Expr) -> nodes.Expr:
        """NumPy's `@`: a vector on the left is a row."""
        if nodes.is_column(a):
            if nodes.is_column(b):
                return nodes.matmul(nodes.transpose(a), b)
            return nodes.matmul(nodes.transpose(b), a)
        return nodes.matmul(a, b)

    def _spread(self, node: ast.Subscript) -> nodes.Expr:
        """A vector for every column or every row of the matrix that it meets."""
        axis = spread_axis(node) or 0
        other = self.inference.expressions[id(node)].dims[axis].resolved()
        if any(isinstance(atom, Unknown) for atom, _ in other.terms):
            problem = f"nothing tells how many {'columns' if axis else 'rows'} there are"
            raise CellError(self.definition.place(node), problem, "combine it with a matrix: A + v[:, None]")
        return nodes.spread(self._build(node.value), _dim(other), axis)

    def _call(self, name: str, node: ast.Call) -> nodes.Expr:
        if name in FUNCTIONS:
            shape = self._out_shape(node)
            return nodes.act(name, *(self._fitted(arg, shape) for arg in node.args))
        args = [self._build(arg) for arg in node.args]
        axis, row = axis_of(node), OPERATIONS[name]
        return row.build(*args) if axis is None else row.along(args[0], axis)


_ARITHMETIC: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
