"""Expressions -> text in some syntax; strict (a node without a rule is an error) and order-keeping."""

from __future__ import annotations

from symrnn.algebra.nodes import Expr
from symrnn.printers.mathematics import MathPrinter
from symrnn.printers.notation import NOTATIONS, Notation
from symrnn.printers.syntax import LATEX, TEXT

__all__ = ["NOTATIONS", "Notation", "latex", "text"]


def latex(expr: Expr, notation: Notation = NOTATIONS["subscript"]) -> str:
    """An expression in LaTeX."""
    return MathPrinter(LATEX, notation)(expr)


def text(expr: Expr, notation: Notation = NOTATIONS["subscript"]) -> str:
    """An expression in plain text, for a terminal."""
    return MathPrinter(TEXT, notation)(expr)
