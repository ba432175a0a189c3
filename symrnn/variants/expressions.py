"""Small functions on the syntax of expressions: find, replace, take sums apart, put them together.

Syntax is never changed in place: every function gives a new tree, or the old one where nothing changes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symrnn.algebra.functions import FUNCTIONS

Rule = Callable[[ast.expr], ast.expr | None]
"""What stands in an expression's place, or None where it stays and its parts are looked at."""


@dataclass(frozen=True)
class SignedTerm:
    """One term of a sum, with its sign."""

    value: ast.expr
    negative: bool = False


def parse(text: str) -> ast.expr:
    """The syntax of an expression that this package wrote itself."""
    return ast.parse(text, mode="eval").body


def name(text: str) -> ast.Name:
    """A name's syntax."""
    return ast.Name(text, ast.Load())


def product(left: ast.expr, right: ast.expr) -> ast.expr:
    """The product left * right, element by element."""
    return ast.BinOp(left, ast.Mult(), right)


def matrix_product(left: ast.expr, right: ast.expr) -> ast.expr:
    """The matrix product left @ right."""
    return ast.BinOp(left, ast.MatMult(), right)


def call(function: str, *arguments: ast.expr) -> ast.expr:
    """The call function(arguments)."""
    return ast.Call(name(function), list(arguments), [])


def is_product(node: ast.expr) -> bool:
    """Whether this is a * b."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)


def is_matrix_product(node: ast.expr) -> bool:
    """Whether this is a @ b."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)


def is_sum(node: ast.expr) -> bool:
    """Whether this is a + b or a - b."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def is_number(node: ast.expr, value: int) -> bool:
    """Whether this is the number."""
    return isinstance(node, ast.Constant) and node.value == value


def rewrite(node: ast.expr, rule: Rule) -> ast.expr:
    """The expression with every part replaced that the rule replaces, from the outside in.

    A replacement is taken as it is: the rule does not see its parts.
    """
    replaced = rule(node)
    if replaced is not None:
        return replaced
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return ast.BinOp(rewrite(left, rule), op, rewrite(right, rule))
        case ast.UnaryOp(op=op, operand=operand):
            return ast.UnaryOp(op, rewrite(operand, rule))
        case ast.Call(func=func, args=args, keywords=keywords):
            return ast.Call(func, [rewrite(argument, rule) for argument in args], keywords)
        case ast.Attribute(value=value, attr=attr):
            return ast.Attribute(rewrite(value, rule), attr, ast.Load())
        case ast.Subscript(value=value, slice=bounds):  # what rows are cut at are numbers and sizes
            return ast.Subscript(rewrite(value, rule), bounds, ast.Load())
    return node


def parts(node: ast.expr) -> Iterator[ast.expr]:
    """The expression and everything in it, from the outside in, left to right; called functions are no parts."""
    yield node
    match node:
        case ast.BinOp(left=left, right=right):
            inner = [left, right]
        case ast.UnaryOp(operand=operand):
            inner = [operand]
        case ast.Call(args=args):
            inner = args
        case ast.Attribute(value=value) | ast.Subscript(value=value):
            inner = [value]
        case _:
            inner = []
    for part in inner:
        yield from parts(part)


def names_in(node: ast.expr) -> list[str]:
    """The names read, in the order written, as often as they stand there."""
    return [part.id for part in parts(node) if isinstance(part, ast.Name)]


def replace_names(node: ast.expr, by: Mapping[str, ast.expr]) -> ast.expr:
    """The expression with names replaced by expressions."""
    return rewrite(node, lambda part: by.get(part.id) if isinstance(part, ast.Name) else None)


def terms(node: ast.expr, negative: bool = False) -> list[SignedTerm]:
    """The terms of a sum, in order; an expression that is no sum is its own only term."""
    if is_sum(node):
        assert isinstance(node, ast.BinOp)
        flipped = isinstance(node.op, ast.Sub)
        return [*terms(node.left, negative), *terms(node.right, negative != flipped)]
    if isinstance(node, ast.UnaryOp):
        return terms(node.operand, not negative)
    return [SignedTerm(node, negative)]


def sum_of(those: Iterable[SignedTerm]) -> ast.expr:
    """The sum of terms, 0 where there are none; a positive term is put first where there is one."""
    ordered = list(those)
    if not ordered:
        return ast.Constant(0)
    first = next((term for term in ordered if not term.negative), None)
    if first is None:
        # -(a + b): a sum of negative terms has no first term to begin with.
        return ast.UnaryOp(ast.USub(), sum_of([SignedTerm(term.value) for term in ordered]))
    # -a + b as b - a, as people write it.
    ordered.remove(first)
    node = first.value
    for term in ordered:
        node = ast.BinOp(node, ast.Sub() if term.negative else ast.Add(), term.value)
    return node


def map_sums(node: ast.expr, change: Callable[[list[SignedTerm]], Sequence[SignedTerm] | None]) -> ast.expr:
    """The expression with its sums changed, the inner ones too.

    Args:
        node: the expression.
        change: gets the terms of a sum (of a single product as well); gives the new ones, or None for no change.
    """

    def rule(part: ast.expr) -> ast.expr | None:
        if not (is_sum(part) or is_matrix_product(part) or is_product(part)):
            return None
        changed = change(terms(part))
        if changed is not None:
            return sum_of(changed)
        if is_sum(part):
            return sum_of([SignedTerm(_rewrite_inside(term.value, rule), term.negative) for term in terms(part)])
        return None

    return rewrite(node, rule)


def _rewrite_inside(node: ast.expr, rule: Rule) -> ast.expr:
    """A term of a sum whose terms have been looked at as a whole: only its parts are rewritten."""
    return rewrite(node, lambda part: None if part is node else rule(part))


def simplified(node: ast.expr) -> ast.expr:
    """Without factors 1, terms 0 and products with 0."""
    match node:
        case ast.BinOp(left=left, op=ast.Mult() as op, right=right):
            left, right = simplified(left), simplified(right)
            if is_number(left, 0) or is_number(right, 0):
                return ast.Constant(0)
            if is_number(left, 1):
                return right
            return left if is_number(right, 1) else ast.BinOp(left, op, right)
        # A sum as a whole, since its signs are those of a chain: a - (b - 1).
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return _simplify_sum(node)
        case ast.BinOp(left=left, op=op, right=right):
            return ast.BinOp(simplified(left), op, simplified(right))
        case ast.UnaryOp(op=op, operand=operand):
            return ast.UnaryOp(op, simplified(operand))
        case ast.Call(func=func, args=args, keywords=keywords):
            return ast.Call(func, [simplified(argument) for argument in args], keywords)
    return node


def _simplify_sum(node: ast.expr) -> ast.expr:
    kept = [SignedTerm(simplified(term.value), term.negative) for term in terms(node)]
    kept = [term for term in kept if not is_number(term.value, 0)]
    ones = [term for term in kept if is_number(term.value, 1)]
    # Only that one: arithmetic with other numbers is left to the algebra.
    if len({term.negative for term in ones}) == 2:  # 1 - 1
        for one in (next(term for term in ones if not term.negative), next(term for term in ones if term.negative)):
            kept.remove(one)
    return sum_of(kept)


def activations(node: ast.expr) -> list[ast.Call]:
    """The calls of elementwise functions of one argument, in the order written."""
    return [part for part in parts(node) if isinstance(part, ast.Call) and _is_activation(part)]


def _is_activation(node: ast.Call) -> bool:
    row = FUNCTIONS.get(function_of(node) or "")
    return row is not None and row.arity == 1


def function_of(node: ast.expr) -> str | None:
    """The name of the function that an expression calls, or None."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None


def complement(node: ast.expr) -> ast.expr:
    """The complement 1 - node; that of 1 - a is a."""
    both = terms(node)
    if len(both) == 2 and is_number(both[0].value, 1) and not both[0].negative and both[1].negative:
        return both[1].value
    return ast.BinOp(ast.Constant(1), ast.Sub(), node)


def with_term(value: ast.expr, term: ast.expr) -> ast.expr:
    """The call sigmoid(a + term) for sigmoid(a), the term before the first of a that is a name, where biases stand."""
    assert isinstance(value, ast.Call)
    old = terms(value.args[0])
    # Never before the first term: a gate of biases alone begins with one.
    place = next((i for i, one in enumerate(old) if i and isinstance(one.value, ast.Name)), len(old))
    return ast.Call(value.func, [sum_of([*old[:place], SignedTerm(term), *old[place:]])], [])
