"""Cells with other constants: with other numbers, with parameters in their place, with their numbers written out.

A constant is an argument with a value, `alpha=0.1`: it is not trained and has no gradient.  What has to hold whatever
its value is shown of the cell in which it is a parameter; what is asked of the cell as it stands, of the cell in which
the number stands for the letter.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from symrnn.errors import InputError
from symrnn.language.recurrence import Cell

Change = Callable[[ast.FunctionDef], None]


def _changed(cell: Cell, change: Change) -> Cell:
    """The cell of the same text with a change."""
    # By way of the text, so that the changed cell passes every check that a written one passes.
    tree = ast.parse(cell.source)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    change(function)
    return Cell.from_source(ast.unparse(ast.fix_missing_locations(tree)) + "\n")


def with_constants(cell: Cell, values: Mapping[str, Any]) -> Cell:
    """The cell with other numbers for its constants.

    Args:
        cell: the cell.
        values: name of a constant -> its number; the others stay as they are.

    Raises:
        InputError: there is no such constant, or a value is no finite number.
    """
    numbers = {name: _number(cell, name, value) for name, value in values.items()}

    def change(function: ast.FunctionDef) -> None:
        arguments = function.args
        for place, argument in enumerate(arguments.kwonlyargs):
            if argument.arg in numbers:
                arguments.kw_defaults[place] = numbers[argument.arg]

    return _changed(cell, change) if numbers else cell


def _number(cell: Cell, name: str, value: object) -> ast.expr:
    if name not in cell.constants:
        known = f"its constants are {', '.join(cell.constants)}" if cell.constants else "it has none"
        raise InputError(f"{cell.name} has no constant {name!r}\n  {known}")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, bool) or not abs(number) <= 1e6:
        raise InputError(f"{name}={value!r}: no number from -1e6 to 1e6\n  give one, as in {name}=0.1")
    # A negative literal is a minus in front of a positive one, and only that is in the language.
    literal: ast.expr = ast.Constant(abs(number))
    return ast.UnaryOp(ast.USub(), literal) if number < 0 else literal


def read_numbers(texts: Iterable[str]) -> dict[str, str]:
    """The numbers of texts such as alpha=0.2, by name.

    Raises:
        InputError: a text is none.
    """
    found = {}
    for text in texts:
        name, sign, number = text.partition("=")
        if not sign:
            raise InputError(f"--set {text}: no number\n  write NAME=NUMBER, as in --set alpha=0.2")
        found[name.strip()] = number.strip()
    return found


def opened(cell: Cell) -> Cell:
    """The cell whose constants are parameters: what holds of it holds for every number."""

    def change(function: ast.FunctionDef) -> None:
        for argument in function.args.kwonlyargs:
            if argument.arg in cell.constants:
                # Without its number nothing says that it is a scalar.
                argument.annotation = ast.Constant("()")
        function.args.kw_defaults = [None] * len(function.args.kwonlyargs)

    return _changed(cell, change) if cell.constants else cell


def closed(cell: Cell) -> Cell:
    """The cell with its constants' numbers in the equations."""

    def change(function: ast.FunctionDef) -> None:
        arguments = function.args
        kept = [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is None]
        numbers = {a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None}
        arguments.kwonlyargs, arguments.kw_defaults = [a for a, _ in kept], [d for _, d in kept]
        function.body = [_NumberReader(numbers).visit(statement) for statement in function.body]

    return _changed(cell, change) if cell.constants else cell


class _NumberReader(ast.NodeTransformer):
    def __init__(self, numbers: Mapping[str, ast.expr]) -> None:
        self._numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The number of a constant."""
        return self._numbers.get(node.id, node)


def shown(number: Fraction) -> str:
    """A constant's number as people write it: 0.1 for a tenth, 1/3 for a third."""
    decimal = float(number)
    # A decimal only where it is the number itself: 0.333 for a third would be another cell.
    return f"{decimal:g}" if Fraction(repr(decimal)) == number else f"{number.numerator}/{number.denominator}"
