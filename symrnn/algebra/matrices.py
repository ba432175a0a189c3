"""Matrices that Jacobians are made of: identities, diagonals, Kronecker products, and what puts columns in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import S
from sympy.matrices.expressions import DiagMatrix, Identity, KroneckerProduct, MatrixExpr, OneMatrix

from symrnn.algebra.dimensions import is_scalar, show_shape
from symrnn.algebra.intervals import NIL, UNIT, Interval, hull
from symrnn.algebra.node import Expr, Node, OneOperand, PointValues, Shape, make
from symrnn.algebra.ring import coefficient, is_zero, ones, scale, zeros

__all__ = ["Commutation", "Diag", "Eye", "Kronecker", "Vec", "diag", "kronecker", "vec"]


class Eye(Node, Identity):
    """The identity matrix."""

    ink = 2
    is_constant = True

    def evaluated(self, at: PointValues) -> Any:
        """Whole numbers, which take on the type of what they meet."""
        return at.arrays.eye(at.size(self.shape[0]), dtype=int)

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """0 or 1."""
        return UNIT


class Diag(Node, DiagMatrix):
    """The diagonal matrix of a column."""

    ink = 4
    buries_scalars = True

    @staticmethod
    def rebuilt(x: Expr) -> Expr:
        """The diagonal matrix of another column."""
        return diag(x)

    def evaluated(self, at: PointValues) -> Any:
        """Put into zeros: a product with an identity would make no number of what is infinite."""
        value = at(self.args[0])
        result = at.arrays.zeros((*value.shape[:-1], value.shape[-2]), value.dtype)
        places = range(value.shape[-2])
        result[..., places, places] = value[..., 0]
        return result

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """0 beside the diagonal."""
        return hull([NIL, within(self.args[0])])


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


class Kronecker(Node, KroneckerProduct):
    """The Kronecker product; it occurs in Jacobians of matrix-valued states."""

    buries_scalars = True

    @property
    def ink(self) -> int:
        """Its sign; that of a scalar is a multiple, for which nobody writes it."""
        return 3 + 4 * any(map(is_scalar, self.args))

    def __new__(cls, *args: Any) -> Kronecker:
        """Keep the factors as they are; SymPy's constructor would look for numbers to pull out."""
        return make(cls, *args)

    @staticmethod
    def rebuilt(a: Expr, b: Expr) -> Expr:
        """The product of other factors."""
        return kronecker(a, b)

    def evaluated(self, at: PointValues) -> Any:
        """The product of two matrices; of a batch NumPy has none."""
        return at.arrays.kron(*map(at, self.args))

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """Products of entries."""
        return within(self.args[0]) * within(self.args[1])


def kronecker(a: Expr, b: Expr) -> Expr:
    """The Kronecker product; with a scalar identity, the other factor; with zeros, zeros."""
    if is_zero(a) or is_zero(b):
        return zeros((a.shape[0] * b.shape[0], a.shape[1] * b.shape[1]))
    if isinstance(a, Identity) and isinstance(b, Identity):
        return Eye(a.shape[0] * b.shape[0])
    # Only 1 × 1 identities vanish: a larger one puts copies of the other factor beside one another.
    if isinstance(a, Identity) and is_scalar(a):
        return b
    if isinstance(b, Identity) and is_scalar(b):
        return a
    return Kronecker(a, b)


class Vec(OneOperand, Node, MatrixExpr):
    """The columns of a matrix under one another."""

    ink = 3
    buries_scalars = True

    @property
    def shape(self) -> Shape:
        """One column with all entries."""
        rows, cols = self.operand.shape
        return rows * cols, S.One

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        rows = self.operand.shape[0]
        return self.operand[i % rows, i // rows]

    @staticmethod
    def rebuilt(x: Expr) -> Expr:
        """The columns of another matrix."""
        return vec(x)

    def evaluated(self, at: PointValues) -> Any:
        """Column after column, which are the rows of the transpose."""
        # NumPy lays out rows first.
        turned = at.arrays.swapaxes(at(self.operand), -1, -2)
        return turned.reshape(*turned.shape[:-2], -1, 1)

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """What holds the entries of the operand."""
        return within(self.args[0])


def vec(x: Expr) -> Expr:
    """The columns of a matrix under one another; a column is its own, and zeros stay zeros."""
    if x.shape[1] == 1:
        return x
    if is_zero(x):
        return zeros((x.shape[0] * x.shape[1], S.One))
    number, rest = coefficient(x)
    if isinstance(rest, OneMatrix):
        return scale(number, ones((rest.shape[0] * rest.shape[1], S.One)))
    return scale(number, make(Vec, rest))


class Commutation(Node, MatrixExpr):
    """K with K vec(X) = vec(Xᵀ) for X of shape (rows, cols)."""

    ink = 3
    is_constant = True

    @property
    def of_shape(self) -> Shape:
        """The shape of the X meant."""
        return self.args[0], self.args[1]

    @property
    def shape(self) -> Shape:
        """Square, one row per entry of X."""
        return self.args[0] * self.args[1], self.args[0] * self.args[1]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        rows, cols = self.args
        # entry i of vec(Xᵀ) is Xᵀ[i % cols, i // cols] = X[i // cols, i % cols]
        return sympy.KroneckerDelta(j, (i % cols) * rows + i // cols)

    def evaluated(self, at: PointValues) -> Any:
        """The rows of an identity in another order."""
        rows, cols = map(at.size, self.of_shape)
        order = at.arrays.arange(rows * cols).reshape(cols, rows).T.reshape(-1)
        return at.arrays.eye(rows * cols, dtype=int)[order]

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """0 or 1."""
        return UNIT
