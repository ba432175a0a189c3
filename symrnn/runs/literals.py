"""Texts whose literals are numbers of a kind: 1 / 3 is a third in the field, and 0.1 a tenth."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from symrnn.language.definition import Definition
from symrnn.runs.field import Number

Literal = Callable[[Any], Any]
"""The number that a literal of a text is."""


class _Literals(ast.NodeTransformer):
    """Makes the literals of an expression exact numbers, so that 1 / 3 is a third; exponents stay."""

    def __init__(self, number: Literal) -> None:
        self._number = number

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        node.left = self.visit(node.left)
        # An exponent counts factors: over the field it is a whole number and no element.
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
