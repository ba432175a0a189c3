"""Rewritings of matrix products and Kronecker products: what meets a diagonal, ones, or a Kronecker product.

Each function is a row of the table in `rewriting`, which has their identities.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import pairwise

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.algebra.sums import matrix_factors
from symrnn.algebra.weight import weight


def _is_row(x: Expr) -> bool:
    return bool(x.shape[0] == 1)


def _is_column(x: Expr) -> bool:
    return bool(x.shape[1] == 1)


def _of_neighbours(join: Callable[[Expr, Expr], Expr | None]) -> Callable[[Expr], Expr | None]:
    """The rewriting of a product in which the first two neighbours that can be joined are."""

    @wraps(join)
    def rewrite(node: Expr) -> Expr | None:
        number, factors = matrix_factors(node)
        for i, (left, right) in enumerate(pairwise(factors)):
            joined = join(left, right)
            if joined is not None:
                return nodes.scale(number, nodes.matmul(*factors[:i], joined, *factors[i + 2 :]))
        return None

    return rewrite


def diagonal_times(node: Expr) -> Expr | None:
    """Neighbouring diagonal matrices become one; a diagonal matrix meets a column or a row entry by entry.

    The column may be a product: diag(a) C q is a ⊙ (C q).
    """
    number, factors = matrix_factors(node)
    columns = [position for position, factor in enumerate(factors) if _is_column(factor)]
    candidates = []
    for i, factor in enumerate(factors):
        if not isinstance(factor, nodes.Diag):
            continue
        entries = factor.args[0]
        last = next((j for j in columns if j > i), None)
        if last is not None:
            joined = nodes.hadamard(entries, nodes.matmul(*factors[i + 1 : last + 1]))
            candidates.append(nodes.matmul(*factors[:i], joined, *factors[last + 1 :]))
        if i and _is_row(factors[i - 1]):
            row = nodes.transpose(nodes.hadamard(nodes.transpose(factors[i - 1]), entries))
            candidates.append(nodes.matmul(*factors[: i - 1], row, *factors[i + 1 :]))
        if i + 1 < len(factors) and isinstance(factors[i + 1], nodes.Diag):
            both = nodes.diag(nodes.hadamard(entries, factors[i + 1].args[0]))
            candidates.append(nodes.matmul(*factors[:i], both, *factors[i + 2 :]))
    # qᵀ diag(k) 𝟏 is qᵀ k: which neighbour the diagonal meets first is told by what comes out.
    return min((nodes.scale(number, one) for one in candidates), key=weight, default=None)


@_of_neighbours
def mixed(left: Expr, right: Expr) -> Expr | None:
    """The factors of neighbouring Kronecker products multiply; a matrix A counts as A ⊗ 1 or as 1 ⊗ A."""
    if not isinstance(left, nodes.Kronecker) and not isinstance(right, nodes.Kronecker):
        return None
    for a, b in _as_kronecker(left):
        for c, d in _as_kronecker(right):
            if a.shape[1] == c.shape[0] and b.shape[1] == d.shape[0]:
                return _kronecker(nodes.matmul(a, c), nodes.matmul(b, d))
    return None


def _as_kronecker(x: Expr) -> list[tuple[Expr, Expr]]:
    one = nodes.Eye(1)
    return [tuple(x.args)] if isinstance(x, nodes.Kronecker) else [(x, one), (one, x)]


@_of_neighbours
def times_vec(left: Expr, right: Expr) -> Expr | None:
    """A Kronecker product and what it is multiplied with, where that is vec of a matrix."""
    if not isinstance(left, nodes.Kronecker) or not isinstance(right, nodes.Vec):
        return None
    b, a = left.args
    fits = b.shape[1] == right.operand.shape[1]
    return nodes.vec(nodes.matmul(a, right.operand, nodes.transpose(b))) if fits else None


def kronecker_of_vectors(node: nodes.Kronecker) -> Expr | None:
    """A row and a column, in either order, are an outer product; a scalar is a multiple."""
    written = _kronecker(*node.args)
    return None if isinstance(written, nodes.Kronecker) else written


def _kronecker(a: Expr, b: Expr) -> Expr:
    """A Kronecker product without its sign, where there is a way to write it so."""
    if nodes.is_scalar(a) or nodes.is_scalar(b):
        scalar, other = (a, b) if nodes.is_scalar(a) else (b, a)
        return nodes.hadamard(nodes.fill(scalar, other.shape), other)
    if _is_row(a) and _is_column(b):
        return nodes.matmul(b, a)
    return nodes.matmul(a, b) if _is_column(a) and _is_row(b) else nodes.kronecker(a, b)


def vec_of_outer(node: nodes.Vec) -> Expr | None:
    """The columns of a bᵀ are the entries of b times a."""
    number, factors = matrix_factors(node.operand)
    if not factors or not _is_row(factors[-1]):
        return None
    return nodes.scale(number, nodes.kronecker(nodes.transpose(factors[-1]), nodes.matmul(*factors[:-1])))


def scalar_within(node: Expr) -> Expr | None:
    """An inner product between other factors stands in front of them."""
    number, factors = matrix_factors(node)
    for start, first in enumerate(factors):
        for stop in range(start + 2, len(factors) + 1):
            if _is_row(first) and _is_column(factors[stop - 1]) and stop - start < len(factors):
                rest = nodes.matmul(*factors[:start], *factors[stop:])
                scalar = nodes.matmul(*factors[start:stop])
                return nodes.scale(number, nodes.hadamard(nodes.fill(scalar, node.shape), rest))
    return None


@_of_neighbours
def times_ones(left: Expr, right: Expr) -> Expr | None:
    """A row that is a product entry by entry, times ones, is an inner product; ones times such a column as well."""
    # A row and a column; between matrices ones add up, and no shorter way says so.
    if not (_is_row(left) and _is_column(right)):
        return None
    ones, product = (left, right) if isinstance(left, nodes.Ones) else (right, nodes.transpose(left))
    if not isinstance(ones, nodes.Ones) or not isinstance(product, nodes.Hadamard):
        return None
    first, *others = product.args
    return nodes.matmul(nodes.transpose(first), nodes.hadamard(*others))


@_of_neighbours
def ones_meet(left: Expr, right: Expr) -> Expr | None:
    """𝟏ᵀ (s 𝟏) = n s: a row of ones and a column of one number, whose common length nothing else on the page tells."""
    if not (_is_row(left) and isinstance(left, nodes.Ones) and _is_column(right)):
        return None
    if not isinstance(right, nodes.Ones | nodes.Fill):
        return None
    scalar = right.operand if isinstance(right, nodes.Fill) else nodes.ones(nodes.ONE_BY_ONE)
    return nodes.scale(left.shape[1], scalar)


@_of_neighbours
def rows_of_identity(left: Expr, right: Expr) -> Expr | None:
    """The rows of the identity times a matrix: these rows of the matrix."""
    if not isinstance(left, nodes.Slice) or not isinstance(left.operand, nodes.Eye):
        return None
    return nodes.rows(right, *left.bounds)
