"""Sums and products of expressions, and what is neutral in them.

Build expressions with these functions and those of the modules beside, never with SymPy's operators: those re-sort, and
accept symbolic shapes that do not fit.  A constructor flattens, drops neutral elements and checks shapes; it never
re-orders.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import Any

import sympy
from sympy import Rational, S
from sympy.matrices.expressions import (
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    MatrixExpr,
    OneMatrix,
    ZeroMatrix,
)

from symrnn.algebra.dimensions import ONE_BY_ONE, is_scalar, same_shape, show_shape
from symrnn.algebra.intervals import (
    NIL,
    ONE,
    POSITIVE,
    REALS,
    UNIT,
    ZERO_TO_ONE,
    Interval,
    raised,
    several,
    weighted_mean,
)
from symrnn.algebra.node import Expr, Node, OneOperand, PointValues, Shape, make

__all__ = [
    "Fill",
    "Hadamard",
    "Ones",
    "Product",
    "Sum",
    "Zeros",
    "add",
    "coefficient",
    "combination",
    "fill",
    "fraction_of",
    "hadamard",
    "is_complement",
    "is_negative",
    "is_zero",
    "matmul",
    "negate",
    "number",
    "ones",
    "scale",
    "subtract",
    "zeros",
]


# More than what the same scalar costs in front: a repetition (2), and the sign of its product (1).
_BURIED = 4


class Sum(Node, MatAdd):
    """Terms in the author's order."""

    @property
    def ink(self) -> int:
        """A plus sign or a minus sign for each."""
        return len(self.args)

    @property
    def minus_signs(self) -> int:
        """One in front of all of it; one between terms is no worse than a plus."""
        return int(is_negative(self.args[0]))

    @staticmethod
    def rebuilt(*terms: Expr) -> Expr:
        """The sum of other terms."""
        return add(*terms)

    def evaluated(self, at: PointValues) -> Any:
        """The sum, from the left."""
        return reduce(operator.add, map(at, self.args))

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """The sum of the intervals, and that of a weighted mean where it is one."""
        plain = reduce(operator.add, map(within, self.args))
        mixed = combination(self)
        if mixed is None:
            return plain
        weights, values = zip(*mixed, strict=True)
        bounds = list(map(within, weights))
        if not all(bound.within(UNIT) for bound in bounds):
            return plain
        return plain.meet(weighted_mean(list(map(within, values)), all(bound.within(ZERO_TO_ONE) for bound in bounds)))


class Product(Node, MatMul):
    """A matrix product, with an optional number in front."""

    def _entry(self, i: Any, j: Any, expand: bool = True, **kwargs: Any) -> Any:
        number, rest = coefficient(self)
        factors = rest.args if isinstance(rest, Product) else (rest,)
        inner = [factor.shape[1] for factor in factors[:-1]]
        # With symbols for sizes there is no list of terms to write out.
        if not all(size.is_Integer for size in inner):
            return super()._entry(i, j, expand=expand, **kwargs)
        # Written out: SymPy would sum over symbolic indices first, which takes it minutes.
        first, *others = factors
        columns = [*map(range, inner), [j]]
        row = [first[i, column] for column in columns[0]]
        for factor, wanted in zip(others, columns[1:], strict=True):
            row = [sympy.Add(*(x * factor[k, column] for k, x in enumerate(row))) for column in wanted]
        return number * row[0]

    @property
    def ink(self) -> int:
        """A number in front, unless it is 1 or a mere sign; a scalar between matrices looks like one of them."""
        return 3 * (coefficient(self)[0] not in (1, -1)) + _BURIED * self._has_scalar_within

    @property
    def _has_scalar_within(self) -> bool:
        """Whether some neighbours among the factors, not all of them, are a row and a column: a (bᵀ c)."""
        factors = self.operands
        starts = [position for position, factor in enumerate(factors) if factor.shape[0] == 1]
        ends = [position for position, factor in enumerate(factors) if factor.shape[1] == 1]
        return any(0 < end - start < len(factors) - 1 for start in starts for end in ends)

    @property
    def minus_signs(self) -> int:
        """That of the number in front."""
        return int(is_negative(self))

    @property
    def buries_scalars(self) -> bool:
        """Between matrices, where it looks like one of them."""
        return len(self.operands) > 1

    @staticmethod
    def rebuilt(*args: Any) -> Expr:
        """The number in front, and other factors."""
        numbers = [arg for arg in args if not getattr(arg, "is_Matrix", False)]
        factors = [arg for arg in args if getattr(arg, "is_Matrix", False)]
        product = matmul(*factors) if len(factors) > 1 else factors[0]
        return scale(numbers[0], product) if numbers else product

    def evaluated(self, at: PointValues) -> Any:
        """From the right: a column stays a column."""
        number, matrices = self.as_coeff_matrices()
        first, *others = (at(matrix) for matrix in reversed(list(matrices)))
        return at.scaled(number, reduce(lambda result, value: value @ result, others, first))

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """A sum of as many products as there are entries in between."""
        number, rest = coefficient(self)
        factors = rest.args if isinstance(rest, Product) else (rest,)
        result = reduce(operator.mul, map(within, factors))
        for left, right in pairwise(factors):
            result = result if left.shape[1] == right.shape[0] == 1 else several(result)
        return _number_interval(number) * result


class Hadamard(Node, HadamardProduct):
    """An element-by-element product in the author's order."""

    @property
    def ink(self) -> int:
        """A sign between any two."""
        return len(self.args) - 1

    @staticmethod
    def rebuilt(*factors: Expr) -> Expr:
        """The product of other factors."""
        return hadamard(*factors)

    def evaluated(self, at: PointValues) -> Any:
        """The product, from the left."""
        return reduce(operator.mul, map(at, self.args))

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """A factor that is there several times is a power: x ⊙ x is not negative."""
        counts = Counter(self.args)
        return reduce(operator.mul, (raised(within(factor), count) for factor, count in counts.items()))


class Ones(Node, OneMatrix):
    """All entries one."""

    is_constant = True

    @property
    def ink(self) -> int:
        """As a scalar, a digit, so that f - f g is f (1 - g); else a bold one, whose size has to be looked for."""
        return 3 if is_scalar(self) else 5

    def evaluated(self, at: PointValues) -> Any:
        """Whole numbers, which take on the type of what they meet."""
        return at.arrays.ones([at.size(dim) for dim in self.shape], dtype=int)

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """1."""
        return ONE


class Zeros(Node, ZeroMatrix):
    """All entries zero."""

    ink = 1
    is_constant = True

    def evaluated(self, at: PointValues) -> Any:
        """Whole numbers, which take on the type of what they meet."""
        return at.arrays.zeros([at.size(dim) for dim in self.shape], dtype=int)

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """0."""
        return NIL


class Fill(OneOperand, Node, MatrixExpr):
    """A scalar repeated into every entry of a shape."""

    ink = 2
    is_rearranged = True

    @property
    def shape(self) -> Shape:
        """The shape filled."""
        return self.args[1], self.args[2]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return self.operand[0, 0]

    @staticmethod
    def rebuilt(scalar: Expr, rows: Any, cols: Any) -> Expr:
        """Another scalar in every entry."""
        return fill(scalar, (rows, cols))

    def evaluated(self, at: PointValues) -> Any:
        """A view of the scalar."""
        value = at(self.operand)
        return at.arrays.broadcast_to(value, (*value.shape[:-2], *(at.size(dim) for dim in self.shape)))

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """What holds the entries of the operand."""
        return within(self.args[0])


def coefficient(x: Expr) -> tuple[Any, Expr]:
    """Split the number in front from the rest: 2 W x gives (2, W x)."""
    if isinstance(x, Product) and not getattr(x.args[0], "is_Matrix", False):
        rest = x.args[1:]
        return x.args[0], rest[0] if len(rest) == 1 else make(Product, *rest)
    return S.One, x


def is_negative(term: Expr) -> bool:
    """Whether a minus stands in front."""
    return bool(coefficient(term)[0].could_extract_minus_sign())


def fraction_of(number: Any) -> Fraction:
    """A rational number of SymPy's as a fraction; its parts may be integers of another library."""
    return Fraction(int(number.p), int(number.q))


def _number_interval(number: Any) -> Interval:
    """A number in front of a product, which may depend on sizes: 1/d_h."""
    if isinstance(number, Rational):
        exact = fraction_of(number)
        return Interval(exact, exact)
    return POSITIVE if number.is_positive else -POSITIVE if number.is_negative else REALS


# --- constructors ---


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
    shape = same_shape("sum", terms)
    flat: list[Expr] = []
    for term in terms:
        # Flat, so that a sum is the same however it was put together.
        if isinstance(term, Sum):
            flat.extend(term.args)
        elif not is_zero(term):
            flat.append(term)
    if not flat:
        return zeros(shape)
    return flat[0] if len(flat) == 1 else make(Sum, *flat)


def scale(number: Any, x: Expr) -> Expr:
    """A number (or a dimension, in a mean) times a value."""
    inner, rest = coefficient(x)
    number = S(number) * inner
    if number == 0:
        return zeros(x.shape)
    if number == 1 or is_zero(rest):
        return rest
    factors = rest.args if isinstance(rest, Product) else (rest,)
    return make(Product, number, *factors)


def negate(x: Expr) -> Expr:
    """Minus the value; the terms of a sum are negated one by one."""
    # Term by term: -(a - b) would hide that it is b - a.
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
    # All of them identities: one stays.
    kept = [factor for factor in flat if not isinstance(factor, Identity)] or flat[:1]
    # A scalar between matrices is no matrix product for NumPy, and reads like one: it becomes a repeated factor.
    scalars = [factor for factor in kept if is_scalar(factor)]
    if scalars and len(kept) > 1:
        others = [factor for factor in kept if not is_scalar(factor)]
        repeated = [fill(scalar, shape) for scalar in scalars]
        return scale(number, hadamard(*repeated, matmul(*others)) if others else hadamard(*repeated))
    return scale(number, kept[0] if len(kept) == 1 else make(Product, *kept))


def hadamard(*factors: Expr) -> Expr:
    """The element-by-element product, flattened; numbers go to the front, ones go."""
    shape = same_shape("element-by-element product", factors)
    number: Any = S.One
    flat: list[Expr] = []
    for factor in factors:
        inner, rest = coefficient(factor)
        number *= inner
        flat.extend(rest.args if isinstance(rest, Hadamard) else (rest,))
    if any(is_zero(factor) for factor in flat):
        return zeros(shape)
    # All of them ones: the first stays, since a product needs a factor that has the shape.
    kept = [factor for factor in flat if not isinstance(factor, OneMatrix)] or flat[:1]
    return scale(number, kept[0] if len(kept) == 1 else make(Hadamard, *kept))


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
    return scale(number, make(Fill, rest, *map(S, shape)))


def number(value: Rational | Fraction | int, shape: Shape) -> Expr:
    """A literal in every entry of `shape`."""
    return scale(Rational(str(value)) if isinstance(value, Fraction) else value, ones(shape))


def combination(expr: Expr) -> tuple[tuple[Expr, Expr], tuple[Expr, Expr]] | None:
    """The (weight, value) pairs of a sum w ⊙ u + (1 - w) ⊙ v of two terms; None for any other expression."""
    if not isinstance(expr, Sum) or len(expr.args) != 2:
        return None
    first, second = (term.args if isinstance(term, Hadamard) else (term,) for term in expr.args)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            if is_complement(a, b) or is_complement(b, a):
                rest = [(*args[:k], *args[k + 1 :]) for args, k in ((first, i), (second, j))]
                u, v = (hadamard(ones(expr.shape), *parts) for parts in rest)
                return (a, u), (b, v)
    return None


def is_complement(a: Expr, b: Expr) -> bool:
    """Whether a is written as 1 - b."""
    if isinstance(a, Fill) and isinstance(b, Fill):
        return is_complement(a.operand, b.operand)
    return bool(a == subtract(ones(b.shape), b))
