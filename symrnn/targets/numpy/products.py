"""Matrix products -> NumPy source: where a chain of factors is split, and a table of what each pair of kinds becomes.

A factor is a scalar, a row, a column or a matrix per example, and it has leading axes or not: both decide the source,
for each of the two operands, whatever expressions they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.printers.precedence import Level
from symrnn.targets.numpy.values import Kind, is_batched, kind, rank

AXES = ("", "[..., None]", "[..., None, None]")
"""What follows a batched scalar's source so that it multiplies a value with so many axes of its own."""

Factors = Sequence[Expr]


class Printer(Protocol):
    """What the products need of a printer: the source of an array that has its value's whole shape."""

    def full(self, expr: Expr, batch: bool = False, outer: Level = Level.SUM) -> str:
        """The source, in brackets if it binds more loosely than `outer`."""
        ...


def product(printer: Printer, factors: Factors) -> tuple[str, Level]:
    """The source of a product, evaluated in the order that keeps the intermediate values small."""
    if len(factors) == 1:
        return printer.full(column(factors[0]), outer=Level.ATOM), Level.ATOM
    left, right = split(factors)
    return PRODUCTS[chain_kind(left), chain_kind(right)](printer, left, right)


def split(factors: Factors) -> tuple[Factors, Factors]:
    """The two operands of the last multiplication.

    Where a column meets a row, everything on either side comes first.  Else a column is multiplied from the right and
    a row from the left, so that no matrix meets a matrix.
    """
    # Between a column and a row first: each side is a vector, and only the last step makes a matrix.
    parts = outer_parts(factors)
    if parts:
        return parts
    # A row is multiplied from the left and a column from the right, so that no two matrices meet.
    place = len(factors) - 1 if chain_kind(factors) == "row" else 1
    return factors[:place], factors[place:]


def outer_parts(factors: Factors) -> tuple[Factors, Factors] | None:
    """Split a product between a column and a row, or None where there is no such place."""
    for position, factor in enumerate(factors[:-1], 1):
        if factor.shape[1] == 1:
            return factors[:position], factors[position:]
    return None


def chain_kind(factors: Factors) -> Kind:
    """What a product of these factors is."""
    return kind((factors[0].shape[0], factors[-1].shape[1]))


def column(expr: Expr) -> Expr:
    """The column whose array a row has; any other value as it is."""
    return expr.arg if isinstance(expr, nodes.Transposed) and rank(expr.shape) < 2 else expr


# --- one rule per pair of kinds ---


def _closed(printer: Printer, factors: Factors) -> str:
    code, level = product(printer, factors)
    return code if level >= Level.ATOM else f"({code})"


def _repeated(printer: Printer, scalar: Factors, other: Factors) -> str:
    """A scalar, ready to multiply each entry of the other operand."""
    axes = rank((other[0].shape[0], other[-1].shape[1]))
    return _closed(printer, scalar) + (AXES[axes] if any(map(is_batched, scalar)) else "")


def _scalar_first(printer: Printer, scalar: Factors, other: Factors) -> tuple[str, Level]:
    return f"{_repeated(printer, scalar, other)} * {_closed(printer, other)}", Level.HADAMARD


def _scalar_last(printer: Printer, other: Factors, scalar: Factors) -> tuple[str, Level]:
    return f"{_closed(printer, other)} * {_repeated(printer, scalar, other)}", Level.HADAMARD


def _inner(printer: Printer, row: Factors, col: Factors) -> tuple[str, Level]:
    return f"({_closed(printer, row)} * {_closed(printer, col)}).sum(axis=-1)", Level.ATOM


def _outer(printer: Printer, col: Factors, row: Factors) -> tuple[str, Level]:
    return f"{_closed(printer, col)}[..., :, None] * {_closed(printer, row)}[..., None, :]", Level.HADAMARD


def _matrix_column(printer: Printer, matrix: Factors, col: Factors) -> tuple[str, Level]:
    (factor,) = matrix  # `split` takes columns from the right
    if is_batched(factor):
        return f"({printer.full(factor, outer=Level.ATOM)} @ {_closed(printer, col)}[..., None])[..., 0]", Level.ATOM
    return f"{_closed(printer, col)} @ {printer.full(nodes.transpose(factor), outer=Level.ATOM)}", Level.PRODUCT


def _row_matrix(printer: Printer, row: Factors, matrix: Factors) -> tuple[str, Level]:
    return _matrix_column(printer, [nodes.transpose(factor) for factor in matrix], row)


def _matrices(printer: Printer, left: Factors, right: Factors) -> tuple[str, Level]:
    return f"{_closed(printer, left)} @ {_closed(printer, right)}", Level.PRODUCT


PRODUCTS: Mapping[tuple[Kind, Kind], Callable[[Printer, Factors, Factors], tuple[str, Level]]] = MappingProxyType(
    {
        ("scalar", "scalar"): _scalar_first,
        ("scalar", "row"): _scalar_first,
        ("column", "scalar"): _scalar_last,
        ("column", "row"): _outer,
        ("row", "column"): _inner,
        ("matrix", "column"): _matrix_column,
        ("row", "matrix"): _row_matrix,
        ("matrix", "matrix"): _matrices,
    }
)
"""(kind of the left operand, kind of the right one) -> the source of their product; other pairs are never split so."""
