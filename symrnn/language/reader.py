"""One walk over the syntax of a formula, whatever the formula is about.

Claims about a cell and maps between cells are both texts of names, numbers, operators and calls.  The walk is here; a
language derived from it says what its names and calls mean, and what it refuses.
"""

from __future__ import annotations

import ast
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Generic, TypeVar

from symrnn.errors import CellError
from symrnn.language.text import Text, parse

Value = TypeVar("Value")

# Numbers in a formula go up to this: what is larger is a slip, and exact arithmetic would carry it along.
_LARGEST = 1e6


class Reader(ABC, Generic[Value]):
    """Reads one formula; a number stays a `Fraction` until something needs it in a shape.

    Args:
        source: the text, for the places in errors.

    Attributes:
        language: what the formula would be part of, as the end of an error's sentence.
        allowed: what there is, as an error's remedy.
    """

    language: str
    allowed: str

    def __init__(self, source: Text) -> None:
        self.source = source

    def read(self, node: ast.expr) -> Value | Fraction:
        """The value of an expression.

        Raises:
            CellError: the language does not have it.
        """
        match node:
            case ast.Constant(value=int() | float() as number) if _is_fine(number):
                # By its digits: 0.1 is meant, not the binary fraction next to it.
                return Fraction(repr(number))
            case ast.Name():
                return self.name(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.read(operand)
                return -value if isinstance(value, Fraction) else self.negate(value)
            case ast.Attribute(attr="T", value=whole):
                return self.transpose(self.read(whole))
            case ast.BinOp():
                return self.binary(node)
            case ast.Call():
                return self.call(node)
            case ast.Subscript():
                return self.part(node)
        raise self.unknown(node)

    def refused(self, node: ast.AST, problem: str, remedy: str = "") -> CellError:
        """The error for what the language does not have."""
        return CellError(self.source.place(node), problem, remedy or self.allowed)

    def unknown(self, node: ast.expr) -> CellError:
        """The error for a kind of expression that the language does not have."""
        return self.refused(node, f"{type(node).__name__.lower()} is not part of {self.language}")

    @abstractmethod
    def name(self, node: ast.Name) -> Value:
        """What a name stands for."""

    @abstractmethod
    def negate(self, value: Value) -> Value:
        """A value with the opposite sign."""

    @abstractmethod
    def transpose(self, value: Value | Fraction) -> Value:
        """A value transposed."""

    @abstractmethod
    def binary(self, node: ast.BinOp) -> Value | Fraction:
        """The value of two operands and an operator between them."""

    @abstractmethod
    def call(self, node: ast.Call) -> Value:
        """The value of a call."""

    @abstractmethod
    def part(self, node: ast.Subscript) -> Value:
        """A part of a value."""


def _is_fine(number: float) -> bool:
    return not isinstance(number, bool) and abs(number) <= _LARGEST


def read_expression(source: Text, otherwise: str, allowed: str) -> ast.expr:
    """The syntax of a text that is one expression.

    Args:
        source: the text.
        otherwise: what is said of any other text.
        allowed: the remedy.

    Raises:
        CellError: it is not one expression.
    """
    body = parse(source).body
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        raise CellError(source.start, otherwise, allowed)
    return body[0].value


def fold(node: ast.expr) -> Fraction | None:
    """The number that an expression of numbers is; None for anything with a name in it."""
    match node:
        case ast.Constant():
            return Fraction(repr(node.value))
        case ast.UnaryOp():
            inner = fold(node.operand)
            return None if inner is None else -inner
        case ast.BinOp():
            left, right = fold(node.left), fold(node.right)
            if left is None or right is None or type(node.op) not in _OF_NUMBERS:
                return None
            # Division by zero has no number; the reader refuses it where it can say the place.
            return None if isinstance(node.op, ast.Div) and not right else _OF_NUMBERS[type(node.op)](left, right)
    return None


_OF_NUMBERS: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
