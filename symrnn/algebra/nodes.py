"""The constructors of expressions.

Build expressions with these functions, never with SymPy's operators: those re-sort, and accept symbolic shapes that do
not fit.  A constructor flattens, drops neutral elements and checks shapes; it never re-orders.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy
from sympy import Integer, Rational, S
from sympy.matrices.expressions import DiagMatrix, Identity, OneMatrix, Transpose, ZeroMatrix

from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.kinds import (
    SYMPY,
    Act,
    Argmax,
    Commutation,
    Diag,
    Expr,
    Eye,
    Fill,
    Hadamard,
    Kronecker,
    Ones,
    Power,
    Product,
    Shape,
    Slice,
    Softmax,
    Stack,
    Sum,
    Total,
    Transposed,
    Variable,
    Vec,
    Zeros,
    coefficient,
    parts,
)

__all__ = [
    "ONE_BY_ONE",
    "SYMPY",
    "Act",
    "Argmax",
    "Commutation",
    "Diag",
    "Expr",
    "Eye",
    "Fill",
    "Hadamard",
    "Kronecker",
    "Ones",
    "Power",
    "Product",
    "Shape",
    "Slice",
    "Softmax",
    "Stack",
    "Sum",
    "Total",
    "Transposed",
    "Variable",
    "Vec",
    "Zeros",
    "act",
    "add",
    "along",
    "argmax",
    "coefficient",
    "denominator",
    "diag",
    "fill",
    "hadamard",
    "is_column",
    "is_scalar",
    "is_zero",
    "kronecker",
    "matmul",
    "negate",
    "number",
    "ones",
    "parts",
    "power",
    "rows",
    "scale",
    "show_shape",
    "softmax",
    "spread",
    "stack",
    "subtract",
    "total",
    "transpose",
    "variables",
    "vec",
    "zeros",
]

ONE_BY_ONE: Shape = (S.One, S.One)


def is_scalar(x: Expr) -> bool:
    """Whether the value is a scalar, which is any value of shape (1, 1)."""
    return bool(x.shape == ONE_BY_ONE)


def is_column(x: Expr) -> bool:
    """Whether the value is a vector: a column that is not a scalar."""
    return bool(x.shape[1] == 1 and x.shape[0] != 1)


def show_shape(shape: Iterable[Any]) -> str:
    """A shape as text: `(d_h)` for a column, `()` for a scalar."""
    rows, cols = shape
    dims = () if (rows, cols) == ONE_BY_ONE else (rows,) if cols == 1 else (rows, cols)
    return f"({', '.join(str(d) for d in dims)})"


def _same_shape(what: str, terms: Iterable[Expr]) -> Shape:
    shapes = [term.shape for term in terms]
    if not shapes:
        raise ValueError(f"{what}: at least one operand is needed")
    for shape in shapes[1:]:
        if shape != shapes[0]:
            raise ValueError(f"{what}: shapes {show_shape(shapes[0])} and {show_shape(shape)} differ")
    return shapes[0]  # type: ignore[no-any-return]


def ones(shape: Shape) -> Expr:
    """All entries one."""
    return Ones(*shape)


def zeros(shape: Shape) -> Expr:
    """All entries zero."""
    return Zeros(*shape)


def is_zero(x: Expr) -> bool:
    """Whether the expression is the literal zero."""
    return isinstance(x, ZeroMatrix)


def add(*terms: Expr) -> Expr:
    """The sum of terms of one shape, in this order; zeros and the brackets of inner sums go."""
    shape = _same_shape("sum", terms)
    flat: list[Expr] = []
    for term in terms:
        if isinstance(term, Sum):
            flat.extend(term.args)
        elif not is_zero(term):
            flat.append(term)
    if not flat:
        return zeros(shape)
    return flat[0] if len(flat) == 1 else sympy.Basic.__new__(Sum, *flat)


def scale(number: Any, x: Expr) -> Expr:
    """A number (or a dimension, in a mean) times a value."""
    inner, rest = coefficient(x)
    number = S(number) * inner
    if number == 0:
        return zeros(x.shape)
    if number == 1 or is_zero(rest):
        return rest
    factors = rest.args if isinstance(rest, Product) else (rest,)
    return sympy.Basic.__new__(Product, number, *factors)


def negate(x: Expr) -> Expr:
    """Minus the value; the terms of a sum are negated one by one."""
    if isinstance(x, Sum):
        return add(*(negate(term) for term in x.args))
    return scale(-1, x)


def subtract(a: Expr, b: Expr) -> Expr:
    """A - b."""
    return add(a, negate(b))


def matmul(*factors: Expr) -> Expr:
    """The matrix product, flattened; numbers go to the front, identities go.

    A scalar among the factors multiplies the product of the others entry by entry.
    """
    if not factors:
        raise ValueError("product: at least one operand is needed")
    number: Any = S.One
    flat: list[Expr] = []
    for factor in factors:
        inner, rest = coefficient(factor)
        number *= inner
        flat.extend(rest.args if isinstance(rest, Product) else (rest,))
    for left, right in pairwise(flat):
        if left.shape[1] != right.shape[0]:
            raise ValueError(f"product: shapes {show_shape(left.shape)} and {show_shape(right.shape)} do not chain")
    shape = (flat[0].shape[0], flat[-1].shape[1])
    if any(is_zero(factor) for factor in flat):
        return zeros(shape)
    kept = [factor for factor in flat if not isinstance(factor, Identity)] or flat[:1]
    scalars = [factor for factor in kept if is_scalar(factor)]
    if scalars and len(kept) > 1:
        others = [factor for factor in kept if not is_scalar(factor)]
        repeated = [fill(scalar, shape) for scalar in scalars]
        return scale(number, hadamard(*repeated, matmul(*others)) if others else hadamard(*repeated))
    return scale(number, kept[0] if len(kept) == 1 else sympy.Basic.__new__(Product, *kept))


def hadamard(*factors: Expr) -> Expr:
    """The element-by-element product, flattened; numbers go to the front, ones go."""
    shape = _same_shape("element-by-element product", factors)
    number: Any = S.One
    flat: list[Expr] = []
    for factor in factors:
        inner, rest = coefficient(factor)
        number *= inner
        flat.extend(rest.args if isinstance(rest, Hadamard) else (rest,))
    if any(is_zero(factor) for factor in flat):
        return zeros(shape)
    kept = [factor for factor in flat if not isinstance(factor, OneMatrix)] or flat[:1]
    return scale(number, kept[0] if len(kept) == 1 else sympy.Basic.__new__(Hadamard, *kept))


def power(x: Expr, exponent: int) -> Expr:
    """Each entry to a power, a whole number."""
    if S(exponent) != int(exponent):
        raise ValueError(f"power: the exponent {exponent} is not a whole number")
    if is_zero(x) and exponent < 0:
        raise ValueError("power: division by zero")
    if exponent == 1:
        return x
    number, rest = coefficient(x)
    if exponent == 0 or isinstance(rest, OneMatrix):
        return scale(S(number) ** exponent, ones(x.shape))
    if isinstance(rest, Fill):
        return scale(number**exponent, fill(power(rest.operand, exponent), rest.shape))
    if isinstance(rest, Power):
        return scale(number**exponent, power(rest.args[0], int(rest.args[1]) * exponent))
    return scale(number**exponent, sympy.Basic.__new__(Power, rest, Integer(exponent)))


def denominator(factor: Expr) -> Expr | None:
    """What a factor such as x⁻² divides by, here x²; None for a factor that does not divide."""
    if isinstance(factor, Fill):
        inner = denominator(factor.operand)
        return None if inner is None else fill(inner, factor.shape)
    if isinstance(factor, Power) and factor.args[1] < 0:
        return power(factor.args[0], -int(factor.args[1]))
    return None


def transpose(x: Expr) -> Expr:
    """The transpose; of a product, the transposes in reverse order; of a scalar multiple, that of the value."""
    number, rest = coefficient(x)
    if is_scalar(rest) or isinstance(rest, Identity | DiagMatrix):
        return x
    if isinstance(rest, Transpose):
        return scale(number, rest.arg)
    if isinstance(rest, Ones):
        return scale(number, ones(rest.shape[::-1]))
    if is_zero(rest):
        return zeros(rest.shape[::-1])
    if isinstance(rest, Product):
        return scale(number, matmul(*(transpose(factor) for factor in reversed(rest.args))))
    if isinstance(rest, Fill):
        return scale(number, fill(rest.operand, rest.shape[::-1]))
    if isinstance(rest, Hadamard) and any(isinstance(factor, Fill) for factor in rest.args):
        scalars = [transpose(factor) for factor in rest.args if isinstance(factor, Fill)]
        others = [factor for factor in rest.args if not isinstance(factor, Fill)]
        return scale(number, hadamard(*scalars, *([transpose(hadamard(*others))] if others else [])))
    return scale(number, sympy.Basic.__new__(Transposed, rest))


def act(name: str, *operands: Expr) -> Expr:
    """A function of the table on each entry."""
    if name not in FUNCTIONS:
        raise KeyError(f"no function {name!r} in the table")
    operands += tuple(number(value, operands[0].shape) for value in FUNCTIONS[name].missing(len(operands)))
    if len(operands) != FUNCTIONS[name].arity:
        raise ValueError(f"{name} takes {FUNCTIONS[name].arity} argument(s), got {len(operands)}")
    _same_shape(name, operands)
    return Act(name, *operands)


def fill(x: Expr, shape: Shape) -> Expr:
    """A scalar in every entry of `shape`."""
    if not is_scalar(x):
        raise ValueError(f"fill: expected a scalar, got shape {show_shape(x.shape)}")
    if shape == ONE_BY_ONE:
        return x
    number, rest = coefficient(x)
    if isinstance(rest, OneMatrix):
        return scale(number, ones(shape))
    if is_zero(rest):
        return zeros(shape)
    return scale(number, sympy.Basic.__new__(Fill, rest, *map(S, shape)))


def total(x: Expr) -> Expr:
    """The sum of all entries."""
    if is_scalar(x):
        return x
    if is_zero(x):
        return zeros(ONE_BY_ONE)
    number, rest = coefficient(x)
    return scale(number, sympy.Basic.__new__(Total, rest))


def softmax(x: Expr) -> Expr:
    """The softmax of a column; of a matrix, that of each of its columns."""
    return sympy.Basic.__new__(Softmax, x)


def argmax(x: Expr) -> Expr:
    """1 at the largest entry of each column, else 0."""
    return sympy.Basic.__new__(Argmax, x)


def along(x: Expr, axis: int) -> Expr:
    """The sums along an axis, as a column: 0 sums every column of a matrix, 1 every row."""
    if x.shape[1] == 1:
        return total(x)
    rows_first = transpose(x) if axis == 0 else x
    return matmul(rows_first, ones((rows_first.shape[1], S.One)))


def spread(x: Expr, count: Any, axis: int) -> Expr:
    """A column in each of `count` columns (axis 1), or as a row in each of `count` rows (axis 0)."""
    if axis == 1:
        return matmul(x, ones((S.One, count)))
    return matmul(ones((count, S.One)), transpose(x))


def stack(*parts: Expr) -> Expr:
    """Columns under one another."""
    if not parts:
        raise ValueError("concat: at least one operand is needed")
    if len({part.shape[1] for part in parts}) != 1:
        raise ValueError("concat: the parts must have the same number of columns")
    return parts[0] if len(parts) == 1 else sympy.Basic.__new__(Stack, *parts)


def rows(x: Expr, start: Any, stop: Any) -> Expr:
    """The rows from `start` up to, not including, `stop`."""
    # Sizes are positive, so a difference that is no number is taken to fit: d_h + d_x - d_h does.
    if any(S(room).is_negative for room in (start, stop - start, x.shape[0] - stop)):
        raise ValueError(f"rows {start} to {stop} of a value with shape {show_shape(x.shape)}")
    if start == 0 and stop == x.shape[0]:
        return x
    return sympy.Basic.__new__(Slice, x, S(start), S(stop))


def diag(x: Expr) -> Expr:
    """The diagonal matrix of a column; of ones, the identity."""
    if x.shape[1] != 1:
        raise ValueError(f"diag: expected a vector, got shape {show_shape(x.shape)}")
    number, rest = coefficient(x)
    if is_zero(x):
        return zeros((x.shape[0], x.shape[0]))
    if is_scalar(x):
        return x
    return scale(number, Eye(x.shape[0]) if isinstance(rest, OneMatrix) else Diag(rest))


def vec(x: Expr) -> Expr:
    """The columns of a matrix under one another; a column is its own, and zeros stay zeros."""
    if x.shape[1] == 1:
        return x
    if is_zero(x):
        return zeros((x.shape[0] * x.shape[1], S.One))
    number, rest = coefficient(x)
    if isinstance(rest, OneMatrix):
        return scale(number, ones((rest.shape[0] * rest.shape[1], S.One)))
    return scale(number, sympy.Basic.__new__(Vec, rest))


def kronecker(a: Expr, b: Expr) -> Expr:
    """The Kronecker product; with a scalar identity, the other factor; with zeros, zeros."""
    if is_zero(a) or is_zero(b):
        return zeros((a.shape[0] * b.shape[0], a.shape[1] * b.shape[1]))
    if isinstance(a, Identity) and isinstance(b, Identity):
        return Eye(a.shape[0] * b.shape[0])
    if isinstance(a, Identity) and is_scalar(a):
        return b
    if isinstance(b, Identity) and is_scalar(b):
        return a
    return Kronecker(a, b)


def number(value: Rational | Fraction | int, shape: Shape) -> Expr:
    """A literal in every entry of `shape`."""
    return scale(Rational(str(value)) if isinstance(value, Fraction) else value, ones(shape))


def variables(x: Expr) -> set[Variable]:
    """The variables an expression reads."""
    return {part for part in parts(x) if isinstance(part, Variable)}
