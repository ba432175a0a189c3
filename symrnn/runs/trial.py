"""A derivation at random numbers of the field, and the author's text at the same numbers."""

from __future__ import annotations

import ast
import copy
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation
from symrnn.language.definition import Definition
from symrnn.language.evaluate import run
from symrnn.runs.field import FIELD, Array, Number, along, draw, make_at_point, slopes
from symrnn.runs.sizes import Layout

Literal = Callable[[Any], Any]
"""The number that a literal of a text is."""


class ExactEvaluator(Evaluator):
    """Evaluates expressions over the field: the numbers in front of products are field elements, not floats."""

    def number(self, coefficient: Any) -> Any:
        """The number in front of a product."""
        return Number.of(super().number(coefficient))


class _Literals(ast.NodeTransformer):
    """Makes the literals of an expression exact numbers, so that 1 / 3 is a third; exponents stay."""

    def __init__(self, number: Literal) -> None:
        self._number = number

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        node.left = self.visit(node.left)
        if not isinstance(node.op, ast.Pow):
            node.right = self.visit(node.right)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        return node  # an axis

    def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
        cut = isinstance(node.slice, ast.Constant) and isinstance(
            node.value, ast.Call
        )  # a part of a split: its count stays
        if isinstance(node.value, ast.Call) and cut:
            node.value.args[0] = self.visit(node.value.args[0])
        else:
            node.value = self.visit(node.value)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(self._number(node.value))


def exact_expression(node: ast.expr, number: Literal = Number.of) -> Any:
    """An expression with its literals as numbers of the field, or of another kind."""
    return _Literals(number).visit(copy.deepcopy(node))


def exact_text(definition: Definition, number: Literal = Number.of) -> Definition:
    """The text with its literals as numbers of the field, or of another kind."""
    lines = (replace(line, value=exact_expression(line.value, number)) for line in definition.assignments)
    arguments = (
        a if a.default is None else replace(a, default=exact_expression(a.default, number))
        for a in definition.keyword_only
    )
    return replace(definition, assignments=tuple(lines), keyword_only=tuple(arguments))


class Trial:
    """A derivation at random numbers: arguments, cotangents, and one direction in which all arguments move.

    Attributes:
        derivation: what is checked.
        layout: the sizes.
        text: the author's text over the field.
        values: every variable of the step and of its derivation, by identifier.
        evaluate: gives expressions their values; it reads `values`.
        direction: how every argument moves, by identifier.
        moved: every name that the text assigns, when all arguments move so.
    """

    def __init__(self, derivation: Derivation, text: Definition, layout: Layout, rng: Random) -> None:
        self.derivation = derivation
        self.layout = layout
        self.text = text
        self._rng = rng
        self.direction = {v.name: self.draw(v) for v in layout.variables}
        self.values: dict[str, Array] = {v.name: self.draw(v) for v in layout.variables}
        self.evaluate = ExactEvaluator(self.values, layout.sizes, FIELD)
        for equation in derivation.forward:
            self.values[equation.target.name] = self.evaluate(equation.value)
        for state, variable in derivation.cotangents.items():
            self.values[variable.name] = self.draw(derivation.cell[state])
        for step in derivation.steps:
            self.values[step.target.name] = self.evaluate(step.value)
        self._moved_by: dict[str, dict[str, Array]] = {}
        self.moved = self.run(self.direction)

    def draw(self, variable: Variable) -> Array:
        """Random numbers in a variable's shape."""
        return draw(self._rng, self.layout.shape(variable))

    def run(self, directions: Mapping[str, Array]) -> dict[str, Array]:
        """Every name that the text assigns, when the named arguments move in these directions."""
        point = {v.name: self.values[v.name] for v in self.layout.variables}
        point |= {name: along(point[name], direction) for name, direction in directions.items()}
        return run_text(self.text, self.layout, point)

    def moved_by(self, name: str) -> dict[str, Array]:
        """Every name that the text assigns, when one argument moves in its direction."""
        if name not in self._moved_by:
            self._moved_by[name] = self.run({name: self.direction[name]})
        return self._moved_by[name]

    def slope(self, expr: Expr, variable: Variable, direction: Array) -> Array:
        """How an expression moves when one variable does; nothing but that expression is run."""
        moving = {variable.name: along(self.values[variable.name], direction)}
        return slopes(ExactEvaluator(ChainMap(moving, self.values), self.layout.sizes, FIELD)(expr))

    def adjoint(self, variable: Variable) -> Array:
        """The adjoint that the derivation gives a variable."""
        return self.values[self.derivation.of(variable.name).target.name]


def run_text(text: Definition, layout: Layout, point: Mapping[str, Array]) -> dict[str, Array]:
    """Every name that the text assigns, in rows and columns, from arguments in rows and columns."""
    names = run(text, layout.arguments(point), FIELD)
    return {line.name: layout.matrix(layout.cell[line.name], names[line.name]) for line in text.assignments}


def try_out(derivation: Derivation, text: Definition, layout: Layout, rng: Random) -> Trial | None:
    """A trial at a point where nothing divides by zero, or None where none is found."""
    return make_at_point(lambda: Trial(derivation, text, layout, rng))
