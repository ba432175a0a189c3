"""Operators that stand for a function of the table: they are read as calls, and nothing else knows them."""

from __future__ import annotations

import ast

from symrnn.language.expressions import OPERATORS, exponent


class _OperatorsAsCalls(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        name = OPERATORS.get(type(node.op))
        if name is None or (isinstance(node.op, ast.Pow) and exponent(node.right) is not None):
            return node
        return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), [node.left, node.right], []), node)


def core(node: ast.expr) -> ast.expr:
    """An expression of the language in the core of it: `a % b` is remainder(a, b), `a ** b` is power(a, b).

    A power whose exponent is a whole number stays one.
    """
    result: ast.expr = _OperatorsAsCalls().visit(node)
    return result
