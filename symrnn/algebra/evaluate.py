"""The value of an expression at given arrays.

Arrays have the expression's own two axes: (n, 1) a column, (1, 1) a scalar.  Any numbers will do: floats, complex
numbers, or object arrays of exact numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy.matrices.expressions import HadamardPower, HadamardProduct, MatAdd, MatMul

from symrnn.algebra.functions import Arithmetic
from symrnn.algebra.nodes import Act, Commutation, Expr, Fill, Variable
from symrnn.errors import MissingRuleError

Array = Any


def at_sizes(dim: Any, sizes: Mapping[str, int]) -> Any:
    """A size such as d_h + d_x, or a number such as 1/d_h, with the sizes put in by name."""
    return dim.xreplace({symbol: sympy.Integer(sizes[symbol.name]) for symbol in dim.free_symbols})


class Evaluator:
    """Evaluates expressions at one point; equal sub-expressions are computed once.

    Args:
        values: an array per variable, by identifier; read as asked for, so it may grow.
        sizes: a whole number per size (`{"d_h": 3}`).
        arithmetic: the functions of the table over the arrays' kind of number.
    """

    def __init__(self, values: Mapping[str, Array], sizes: Mapping[str, int], arithmetic: Arithmetic) -> None:
        self.values = values
        self.sizes = sizes
        self.arithmetic = arithmetic
        self._known: dict[Expr, Array] = {}

    def size(self, dim: Any) -> int:
        """The number that a size such as d_h + d_x stands for."""
        return int(at_sizes(dim, self.sizes))

    def number(self, coefficient: Any) -> float | int | Fraction:
        """The number in front of a product, whole or as a fraction."""
        value = at_sizes(coefficient, self.sizes)
        return int(value) if value.is_Integer else Fraction(int(value.p), int(value.q))

    def __call__(self, expr: Expr) -> Array:
        """The value of an expression, with two axes."""
        if isinstance(expr, Variable):
            return self.values[expr.name]
        known = self._known.get(expr)
        if known is None:
            rule = _RULES.get(type(expr).__name__)
            if rule is None:
                raise MissingRuleError(f"no rule to evaluate {type(expr).__name__}")
            known = self._known[expr] = rule(self, expr)
        return known


def _sum(self: Evaluator, expr: MatAdd) -> Array:
    first, *rest = (self(term) for term in expr.args)
    for term in rest:
        first = first + term
    return first


def _times(number: float | int | Fraction, value: Array) -> Array:
    if isinstance(number, Fraction):
        if value.dtype == object:
            return number * value
        # p * v / q keeps the type of a float32 array, and 1/10 exact to the last bit
        return value * number.numerator / number.denominator
    return value if number == 1 else number * value


def _product(self: Evaluator, expr: MatMul) -> Array:
    number, matrices = expr.as_coeff_matrices()
    values = [self(matrix) for matrix in matrices]
    result = values[-1]
    for value in reversed(values[:-1]):  # from the right: a column stays a column
        result = value @ result
    return _times(self.number(number), result)


def _hadamard(self: Evaluator, expr: HadamardProduct) -> Array:
    first, *rest = (self(factor) for factor in expr.args)
    for factor in rest:
        first = first * factor
    return first


def _power(self: Evaluator, expr: HadamardPower) -> Array:
    base, exponent = self(expr.args[0]), int(expr.args[1])
    result = _repeated(base, abs(exponent))
    return 1 / result if exponent < 0 else result


def _repeated(base: Array, count: int) -> Array:
    """Base to a positive power by squaring, with products only: these are exact in every arithmetic."""
    if count == 1:
        return base
    half = _repeated(base, count // 2)
    return half * half * base if count % 2 else half * half


def _constant(make: Callable[..., Array]) -> Callable[[Evaluator, Expr], Array]:
    return lambda self, expr: make(tuple(self.size(dim) for dim in expr.shape), dtype=int)


def _act(self: Evaluator, expr: Act) -> Array:
    return getattr(self.arithmetic, expr.name)(*(self(x) for x in expr.operands))


def _argmax(m: Arithmetic, x: Array) -> Array:
    """Goes down the rows as the definition of a maximum of two does, which is all that the field knows of an order."""
    largest, chosen = x[0], [x[0] * 0 + 1]
    for row in x[1:]:
        stays = m.step(largest - row)
        chosen = [*(pick * stays for pick in chosen), 1 - stays]
        largest = largest * stays + row * (1 - stays)
    return np.stack([np.real(pick) if np.iscomplexobj(pick) else pick for pick in chosen])


def _fill(self: Evaluator, expr: Fill) -> Array:
    return np.broadcast_to(self(expr.operand), [self.size(dim) for dim in expr.shape])


def _commutation(self: Evaluator, expr: Commutation) -> Array:
    rows, cols = (self.size(dim) for dim in expr.of_shape)
    order = np.arange(rows * cols).reshape(cols, rows).T.reshape(-1)
    return np.eye(rows * cols, dtype=int)[order]


_RULES: Mapping[str, Callable[[Evaluator, Any], Array]] = {
    "Sum": _sum,
    "Product": _product,
    "Hadamard": _hadamard,
    "Power": _power,
    "Transposed": lambda self, expr: self(expr.arg).T,
    "Ones": _constant(np.ones),
    "Zeros": _constant(np.zeros),
    "Eye": lambda self, expr: np.eye(self.size(expr.shape[0]), dtype=int),
    "Diag": lambda self, expr: np.diag(self(expr.args[0])[:, 0]),
    "Kronecker": lambda self, expr: np.kron(self(expr.args[0]), self(expr.args[1])),
    "Act": _act,
    "Fill": _fill,
    "Total": lambda self, expr: np.sum(self(expr.operand), keepdims=True),
    "Softmax": lambda self, expr: self.arithmetic.softmax(self(expr.operand)),
    "Argmax": lambda self, expr: _argmax(self.arithmetic, self(expr.operand)),
    "Stack": lambda self, expr: np.concatenate([self(part) for part in expr.args]),
    "Slice": lambda self, expr: self(expr.operand)[self.size(expr.bounds[0]) : self.size(expr.bounds[1])],
    "Vec": lambda self, expr: self(expr.operand).reshape(-1, 1, order="F"),
    "Commutation": _commutation,
}
