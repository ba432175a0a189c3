"""Formulas as text: the small notation in which a claim about a cell is written.

A formula is an expression in the identifiers of a cell, in column vectors, as documents write it:

- the cell's names (`f`, `h_prev`, `W_f`), pre-activations (`a_f`), and either at earlier steps (`f_prev`, `f_minus2`);
- derivatives of the total loss by their names in the derivation (`c_bar`, `a_f_bar`, `x_bar`) or with a d in front
  (`dc`, `da_f`, `dx`); `c_bar_in` for what reaches c from outside the step;
- `message(c_prev)`, or `dc_prev`, for what the step sends back to c_{t-1}, a part of the derivative of the total loss;
- `dW_f` for the term of one step in the gradient of a parameter, which is the sum of these terms;
- `@` the matrix product, `*` and `/` entry by entry (a scalar is repeated), `+`, `-`, `**`, numbers, `.T` of anything;
- the functions of the cell language, along an axis and with `split(v, 4)[0]` too, and `diag(v)`, `eye(v)` with as many
  rows as v, `ones(v)`, `vec(A)`, `kron(A, B)`;
- Jacobians, in numerator layout: `jacobian(c, c_prev)`, or `cell(c, c_prev)`, of the step as a function of what enters,
  the other states at t-1 held; `total(c, c_prev)` with these moving along; `direct(c, c_prev)`, of one equation alone.
  Over k steps, `cell(c, c_prev, k)` and `total(c, c_prev, k)`.

The text is parsed and never evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.jacobian import jacobian
from symrnn.calculus.window import Window, ask
from symrnn.errors import CellError, InputError, Place, ShapeError, UnknownNameError
from symrnn.language.axes import axis_of
from symrnn.language.expressions import exponent
from symrnn.language.operations import ALONG, OPERATIONS
from symrnn.language.parts import equal_part
from symrnn.language.reader import Reader, read_expression
from symrnn.language.text import Text, parse
from symrnn.suggestions import did_you_mean

Operand = Any
"""An expression, or a number that has no shape yet."""

_FORMS = (
    "a formula has names, numbers, + - * / @ **, .T, the functions of the cell language, diag(v), eye(v), ones(v), "
    "vec(A), kron(A, B), message(h_prev), and direct(y, x), cell(y, x) or total(y, x)"
)
_SIZES = (
    "a formula is in column vectors: * is entry by entry, @ the matrix product, .T a transpose; v kᵀ is written v @ k.T"
)
_EARLIER = re.compile(r"(.+)_(?:(prev)|minus([1-9]\d?))")


def names(derivation: Derivation) -> dict[str, Variable]:
    """Every variable of one step by identifier: the cell's, pre-activations, adjoints and cotangents."""
    known = dict(derivation.cell.symbols) | {e.target.name: e.target for e in derivation.forward}
    known |= {variable.name: variable for variable in derivation.cotangents.values()}
    return known | {step.left.name: step.left for step in derivation.steps}


def meanings(claim: Any, derivation: Derivation) -> tuple[str, ...]:
    """What the symbols in a claim stand for that could be taken for something else: one sentence each.

    Args:
        claim: a text that has been read, or an expression.
        derivation: of the cell.
    """
    found: dict[str, None] = {}
    if isinstance(claim, str):
        source = Text(claim.strip(), "<formula>")
        reader = _FormulaReader(source, derivation)
        for node in ast.walk(parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _DERIVATIVES:
                symbol = reader.question(node.func.id, node).symbol
                found[f"{ast.unparse(node)} is {symbol}, {symbol.meaning()}"] = None
            elif isinstance(node, ast.Name | ast.Call):
                found |= dict.fromkeys(meanings(reader.sent_back(node), derivation))
    elif getattr(claim, "is_Matrix", False):
        for variable in sorted(nodes.variables(claim), key=str):
            if variable.mark == "message":
                state = derivation.cell[f"{variable.base}_prev"]
                whole = state.marked("adjoint", variable.name)
                found[f"{variable} is what the step sends back to {state}, not all of {whole}"] = None
            elif variable.mark == "adjoint" and variable.base in derivation.cell.parameters:
                step = derivation.of(variable.base)
                found[f"{step.left} is the term of one step, {step.target} the sum of these"] = None
    return tuple(found)


def read_formula(text: str, derivation: Derivation) -> Expr:
    """The expression that a text says.

    Raises:
        CellError: the text is no formula.
        UnknownNameError: it has a name that the cell's derivation does not have.
        ShapeError: shapes do not fit.
    """
    source = Text(text.strip(), "<formula>")
    return _FormulaReader(source, derivation).whole(_expression(source))


_SINGLE_SIGN = re.compile(r"(?<![=<>!:])=(?!=)")


def read_equation(text: str, derivation: Derivation, spelled: dict[str, str] | None = None) -> tuple[Expr, Expr]:
    """Both sides of a text such as "dc_prev == dc * f".

    Args:
        text: the text.
        derivation: of the cell.
        spelled: receives, by identifier, how the text writes a variable where that differs.

    Raises:
        CellError: the text is no equation of two formulas.
        UnknownNameError: it has a name that the cell's derivation does not have.
        ShapeError: shapes do not fit.
    """
    source = Text(text.strip(), "<formula>")
    for single in _SINGLE_SIGN.finditer(source.text):
        before = source.text[: single.start()]
        if before.count("(") > before.count(")"):  # sum(A, axis=0)
            continue
        raise CellError(source.find(single.start()), "one = gives a name", "write == between two formulas")
    node = _expression(source)
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq):
        raise CellError(source.place(node), "this is no equation", "write left == right, or give both sides")
    return _FormulaReader(source, derivation, spelled).sides(node.left, node.comparators[0])


def read_sides(
    left: Expr | str | float, right: Expr | str | float, derivation: Derivation, spelled: dict[str, str] | None = None
) -> tuple[Expr, Expr]:
    """Two formulas of one shape; a number alone takes the other's."""
    values = [_side(side, derivation, spelled) for side in (left, right)]
    if not any(isinstance(side, str | int | float) for side in (left, right)):
        return values[0], values[1]
    fitted: tuple[Expr, Expr] = _fitted(values, lambda problem: ShapeError(Place("<formula>"), problem, _SIZES))
    return fitted


def _side(side: Any, derivation: Derivation, spelled: dict[str, str] | None) -> Operand:
    """What one side says, be it a text, an expression or a number."""
    if getattr(side, "is_Matrix", False):
        # An expression of the derivation's has the sum over all steps for a parameter's gradient; a claim is about one
        # step.
        sums = {step.target: step.left for step in derivation.role("parameter")}
        return side.xreplace(sums) if nodes.variables(side) & sums.keys() else side
    if isinstance(side, int | float) and not isinstance(side, bool):
        side = repr(side)
    if not isinstance(side, str):
        problem = f"expected a formula, got {type(side).__name__} {side!r}"
        raise InputError(f"{problem}\n  give a text such as 'dc * f', an expression, or a number")
    source = Text(side.strip(), "<formula>")
    return _FormulaReader(source, derivation, spelled).read(_expression(source))


def _expression(source: Text) -> ast.expr:
    return read_expression(source, "this is no formula", _FORMS)


def _lifted(value: Operand, shape: nodes.Shape) -> Expr:
    if isinstance(value, Fraction):
        return nodes.number(sympy.Rational(value.numerator, value.denominator), shape)
    return nodes.fill(value, shape) if nodes.is_scalar(value) else value


def _fitted(values: list[Operand], fault: Callable[[str], Exception]) -> Any:
    """Operands of one shape; numbers and scalars are repeated."""
    shapes = [value.shape for value in values if not isinstance(value, Fraction)]
    large = [shape for shape in shapes if shape != nodes.ONE_BY_ONE]
    if len(set(large)) > 1:
        shown = " and ".join(nodes.show_shape(shape) for shape in dict.fromkeys(large))
        raise fault(f"the shapes {shown} differ")
    shape = (large or [nodes.ONE_BY_ONE])[0]
    return tuple(_lifted(value, shape) for value in values)


class _FormulaReader(Reader[Expr]):
    """Builds the expression of one text."""

    language = "a formula"
    allowed = _FORMS

    def __init__(self, source: Text, derivation: Derivation, spelled: dict[str, str] | None = None) -> None:
        super().__init__(source)
        self._spelled = {} if spelled is None else spelled
        self._derivation = derivation
        self._known = names(derivation)

    def whole(self, node: ast.expr) -> Expr:
        """A formula on its own."""
        return _lifted(self.read(node), nodes.ONE_BY_ONE)

    def sides(self, left: ast.expr, right: ast.expr) -> tuple[Expr, Expr]:
        """Two formulas of one shape."""
        fitted: tuple[Expr, Expr] = _fitted([self.read(left), self.read(right)], self._shapes(right))
        return fitted

    def _shapes(self, node: ast.expr) -> Callable[[str], Exception]:
        return lambda problem: ShapeError(self.source.place(node), problem, _SIZES)

    def name(self, node: ast.Name) -> Variable:
        """The variable of a name, of which is noted how it was written."""
        variable = self._variable(node.id)
        if variable.name != node.id:
            self._spelled[variable.name] = node.id
        return variable

    def negate(self, value: Expr) -> Expr:
        """Every entry with the opposite sign."""
        return nodes.negate(value)

    def transpose(self, value: Operand) -> Expr:
        """A value transposed."""
        return nodes.transpose(_lifted(value, nodes.ONE_BY_ONE))

    def _variable(self, name: str) -> Variable:
        if name in self._known:
            return self._known[name]
        match = _EARLIER.fullmatch(name)
        back = 0 if match is None else int(match[3] or 1)
        base = self._known.get(match[1]) if match else None
        if base is not None and base.mark == "" and base.time == 0:
            return base.at(-back, name)
        if name.startswith("d") and name[1:] in self._derivation_names:
            return self._derivation.of(name[1:]).left
        hint = did_you_mean(name, self._known)
        there = f"{hint}there are {', '.join(self._known)}"
        raise UnknownNameError(f"the derivation of {self._derivation.cell.name} has no {name!r}\n  {there}")

    @property
    def _derivation_names(self) -> set[str]:
        return {step.of.name for step in self._derivation.steps}

    def _matrix(self, node: ast.expr) -> Expr:
        return _lifted(self.read(node), nodes.ONE_BY_ONE)

    def binary(self, node: ast.BinOp) -> Operand:
        """Two operands entry by entry, a product, or a power."""
        if isinstance(node.op, ast.Pow):
            return self._power(node)
        if isinstance(node.op, ast.MatMult):
            a, b = self._matrix(node.left), self._matrix(node.right)
            if a.shape[1] != b.shape[0]:
                problem = f"the shapes {nodes.show_shape(a.shape)} and {nodes.show_shape(b.shape)} do not chain"
                raise self._shapes(node)(problem)
            return nodes.matmul(a, b)
        join = _ENTRYWISE.get(type(node.op))
        if join is None:
            raise self.refused(node, "this operator is not part of a formula")
        values = [self.read(node.left), self.read(node.right)]
        if isinstance(node.op, ast.Div) and (values[1] == 0 or isinstance(values[1], nodes.Zeros)):
            raise self.refused(node.right, "division by zero")
        if isinstance(node.op, ast.Div) and isinstance(
            values[1], Fraction
        ):  # half of a value, not its quotient by twos
            join, values[1] = nodes.hadamard, 1 / values[1]
        if all(isinstance(value, Fraction) for value in values):
            values[0] = _lifted(values[0], nodes.ONE_BY_ONE)
        return join(*_fitted(values, self._shapes(node)))

    def _power(self, node: ast.BinOp) -> Expr:
        count, base = exponent(node.right), self._matrix(node.left)
        if count is None:
            raise self.refused(node.right, "exponents are whole numbers from 1 to 8, or their negatives")
        if nodes.is_zero(base) and count < 0:
            raise self.refused(node.left, "division by zero")
        return nodes.power(base, count)

    def call(self, node: ast.Call) -> Expr:
        """A function of the cell language, of formulas, or a derivative."""
        match node:
            case ast.Call(func=ast.Name(id=name), keywords=[]):
                return self._call(name, node)
            case ast.Call(func=ast.Name(id=name), args=[whole]) if name in ALONG and axis_of(node) is not None:
                return self._along(name, self._matrix(whole), node)
        raise self.unknown(node)

    def _call(self, name: str, node: ast.Call) -> Expr:
        if name in _DERIVATIVES:
            return self._derivative(name, node)
        if name == "message":
            return self._message(node)
        if name in FUNCTIONS:
            needed, arity = FUNCTIONS[name].needed, FUNCTIONS[name].arity
            if len(node.args) != needed:
                self._count(node, name, arity)
            return nodes.act(name, *_fitted([self.read(arg) for arg in node.args], self._shapes(node)))
        if name not in _STRUCTURAL:
            raise self.refused(node, f"unknown function {name!r}")
        count, build = _STRUCTURAL[name]
        self._count(node, name, count)
        try:
            return build(*(self._matrix(arg) for arg in node.args))
        except ValueError as error:  # a constructor's message says which shapes do not fit
            raise self._shapes(node)(str(error)) from None

    def _count(self, node: ast.Call, name: str, count: int | None) -> None:
        if len(node.args) != count and (count is not None or len(node.args) < 2):
            raise self.refused(node, f"{name} takes {count or 'two or more'} argument(s), got {len(node.args)}")

    def _along(self, name: str, whole: Expr, node: ast.Call) -> Expr:
        axis = axis_of(node)
        axes = 1 if whole.shape[1] == 1 else 2
        if axis is None or not -axes <= axis < axes:
            raise self.refused(node, f"a value of shape {nodes.show_shape(whole.shape)} has no axis {axis}")
        return OPERATIONS[name].along(whole, axis)

    def part(self, node: ast.Subscript) -> Expr:
        """One of the equal parts of a value, as in split(a, 4)[0]."""
        found = equal_part(node)
        if found is None:
            raise self.unknown(node)
        value, part, count = self._matrix(found[0]), found[1], found[2]
        rows = value.shape[0] / count
        if not (0 <= part < count and rows.is_integer):
            raise self.refused(node, f"{nodes.show_shape(value.shape)} has no part {part} of {count} equal ones")
        return nodes.rows(value, part * rows, (part + 1) * rows)

    def _derivative(self, name: str, node: ast.Call) -> Expr:
        asked = self.question(name, node)
        return jacobian(self._derivation, asked.of.name, asked.wrt.name, asked.kind, steps=asked.steps)

    def question(self, name: str, node: ast.Call) -> Window:
        """What a call such as total(c, c_prev, 2) asks for."""
        match node.args if len(node.args) > 2 else [*node.args, ast.Constant(1)]:
            case [ast.Name(id=of), ast.Name(id=wrt), ast.Constant(value=int(steps))]:
                return ask(self._derivation, of, wrt, steps, kind=_DERIVATIVES[name])
        takes = "the names of two variables, and a number of steps where there are several"
        raise self.refused(node, f"{name} takes {takes}, as in {name}(h, h_prev)")

    def _message(self, node: ast.Call) -> Variable:
        known = [v.name for v in self._derivation.cell.previous]
        match node.args:
            case [ast.Name(id=name)] if name in known:
                return self._derivation.of(name).target
        there = ", ".join(f"message({name})" for name in known)
        problem = "message takes the name of a state at t-1, to which the step sends something back"
        raise CellError(self.source.place(node), problem, f"there are {there}")

    def sent_back(self, node: ast.expr) -> Expr | None:
        """The adjoint or message that a name or a call stands for."""
        match node:
            case ast.Name(id=name) if name not in _CALLED:
                return self._variable(name)
            case ast.Call(func=ast.Name(id="message")):
                return self._message(node)
        return None


def _quotient(a: Expr, b: Expr) -> Expr:
    return nodes.hadamard(a, nodes.power(b, -1))


_ENTRYWISE: Mapping[type[ast.operator], Callable[[Expr, Expr], Expr]] = {
    ast.Add: nodes.add,
    ast.Sub: nodes.subtract,
    ast.Mult: nodes.hadamard,
    ast.Div: _quotient,
    ast.Mod: lambda a, b: nodes.act("remainder", a, b),
}

_DERIVATIVES: Mapping[str, str] = {"jacobian": "cell", "cell": "cell", "total": "total", "direct": "direct"}
"""How a kind of Jacobian is asked for."""

_STRUCTURAL: Mapping[str, tuple[int | None, Callable[..., Expr]]] = {
    **{name: (row.count, row.build) for name, row in OPERATIONS.items()},
    "diag": (1, nodes.diag),
    "eye": (1, lambda x: nodes.Eye(x.shape[0])),
    "ones": (1, lambda x: nodes.ones(x.shape)),
    "vec": (1, nodes.vec),
    "kron": (2, nodes.kronecker),
}

_CALLED = {*FUNCTIONS, "split", *_STRUCTURAL, *_DERIVATIVES, "message"}
"""Names that are no variables."""
