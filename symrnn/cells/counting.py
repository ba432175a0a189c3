"""How large a cell is: parameters, multiply-adds of a step, gates and states, as formulas in the sizes.

Multiply-adds are those of the products `@` and `outer`, as the author's text writes them, those written twice counted
once: for one example and one step, an (m, n) matrix times a vector of n entries takes m n.  Products of entries,
additions and functions are not counted: they grow with d_h where these grow with its square.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

import sympy

from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.shapes import Sizes
from symrnn.language.inference import Inference
from symrnn.language.recurrence import Cell

GATING = frozenset(row.name for row in FUNCTIONS.values() if row.gate)
"""The functions whose positive values let something pass."""

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Counts:
    """The size of a cell.

    Attributes:
        parameters: the number of parameters, a SymPy polynomial in the sizes d_x, d_h, ...
        multiply_adds: the multiply-adds of one step for one example, likewise.
        gates: the number of gates: values of a function in `GATING` that change with time and multiply another value.
        states: the number of states.
    """

    parameters: sympy.Expr
    multiply_adds: sympy.Expr
    gates: int
    states: int


def count(cell: Cell) -> Counts:
    """Count a cell's parameters, multiply-adds, gates and states.

    >>> from symrnn import cells
    >>> formula(count(cells.lstm).parameters)
    '4 d_h d_x + 4 d_h² + 4 d_h'
    """
    shapes = [cell[name].shape for name in cell.parameters]
    products = sum((_cost(*pair) for pair in _find_products(cell)), sympy.S.Zero)
    return Counts(
        parameters=sympy.expand(sum((rows * cols for rows, cols in shapes), sympy.S.Zero)),
        multiply_adds=sympy.expand(products),
        gates=_count_gates(cell),
        states=len(cell.states),
    )


def formula(polynomial: sympy.Expr, short: bool = False) -> str:
    """A polynomial in sizes as plain text.

    Args:
        polynomial: the polynomial.
        short: whether to write n for d_h and m for d_x, without spaces in a term.
    """
    letters = {"d_h": "n", "d_x": "m"} if short else {}
    # d_h first within a term, as in d_h d_x.
    symbols = sorted(polynomial.free_symbols, key=lambda symbol: (symbol.name != "d_h", symbol.name))
    if not symbols:
        return str(polynomial)
    terms = sympy.Poly(polynomial, *symbols).terms()

    def rank(term: tuple[tuple[int, ...], sympy.Expr]) -> tuple[int, int, tuple[int, ...]]:
        powers = term[0]
        # By degree; of one degree, mixed terms before squares.
        return -sum(powers), -sum(power > 0 for power in powers), tuple(-power for power in powers)

    shown = ""
    for powers, coefficient in sorted(terms, key=rank):
        factors = [
            letters.get(symbol.name, symbol.name) + (str(power).translate(_SUPERSCRIPTS) if power > 1 else "")
            for symbol, power in zip(symbols, powers, strict=True)
            if power
        ]
        size = abs(coefficient)
        number = [] if size == 1 and factors else [str(size)]
        lead = ("-" if coefficient < 0 else "") if not shown else (" - " if coefficient < 0 else " + ")
        shown += lead + (_join_tightly(number, factors) if short else " ".join([*number, *factors]))
    return shown


def _join_tightly(number: list[str], factors: list[str]) -> str:
    """A term without spaces, with dots where letters would run together."""
    # nm² is readable; d_h d_x without a dot is not.
    single = all(factor[1:].strip(string.digits.translate(_SUPERSCRIPTS)) == "" for factor in factors)
    return "".join(number) + ("" if single else "·").join(factors)


# --- products ---------------------------------------------------------------------------------------------------------


def _find_products(cell: Cell) -> Iterator[tuple[Sizes, Sizes]]:
    """The shapes of both sides of every product, each product once."""
    inference = Inference(cell.syntax)
    inference.run()
    seen: set[str] = set()
    for line in cell.syntax.assignments:
        for node in ast.walk(line.value):
            sides = _find_sides(node)
            # By its text: who writes U @ h twice computes it once, or could.
            if sides and ast.unparse(node) not in seen:
                seen.add(ast.unparse(node))
                left, right = (inference.expressions[id(side)].dims for side in sides)
                yield left, right if isinstance(node, ast.BinOp) else (*left, *right)
        if line.name in cell.states:  # the same text now means another value
            seen = {text for text in seen if not re.search(rf"\b{line.name}\b", text)}


def _find_sides(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    match node:
        case ast.BinOp(op=ast.MatMult(), left=left, right=right):
            return left, right
        case ast.Call(func=ast.Name(id="outer"), args=[left, right]):
            return left, right
    return None


def _cost(left: Sizes, right: Sizes) -> sympy.Expr:
    """The entries of the left side, for each column of the right one; an outer product's right side is a row."""
    result = sympy.S.One
    for size in (*left, *right[1:]):
        known = size.resolved()
        # Sizes of the language, such as d_x + d_h, become polynomials, so that those of all products add up.
        terms = [times * sympy.Symbol(str(atom), integer=True, positive=True) for atom, times in known.terms]
        result *= sympy.Add(*terms, sympy.Integer(known.constant))
    return result


# --- gates ------------------------------------------------------------------------------------------------------------


def _count_gates(cell: Cell) -> int:
    """The values of gating functions that change with time and multiply or divide something, entry by entry."""
    lines = cell.syntax.assignments
    # A gate may be named in one line and multiplied in another.
    weighing = {node.id for line in lines for node in _find_factors(line.value) if isinstance(node, ast.Name)}
    moving = {*cell.inputs, *cell.states}
    found: list[ast.AST] = []
    for line in lines:
        candidates = [*_find_factors(line.value), *([line.value] if line.name in weighing else [])]
        found += [node for node in candidates if _is_gating(node) and _moves(node, moving)]
        # Lines in order: what is computed from something that moves, moves.
        if _moves(line.value, moving):
            moving.add(line.name)
    return len({id(node) for node in found})


def _find_factors(node: ast.AST, inside: bool = False) -> Iterator[ast.AST]:
    """The factors of entry-by-entry products and quotients, and the terms of such factors, as z in (1 - z) * h."""
    if inside and isinstance(node, ast.Name | ast.Call):
        yield node
    match node:
        case ast.Call(args=args):
            for arg in args:
                yield from _find_factors(arg)
        case ast.BinOp(op=op, left=left, right=right):
            kept = isinstance(op, ast.Mult | ast.Div) or (inside and isinstance(op, ast.Add | ast.Sub))
            for side in (left, right):
                yield from _find_factors(side, kept)
        case ast.UnaryOp(operand=operand):
            yield from _find_factors(operand, inside)


def _is_gating(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GATING


def _moves(node: ast.AST, moving: set[str]) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id in moving for inner in ast.walk(node))
