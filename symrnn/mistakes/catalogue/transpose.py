"""Matrices that are transposed, or should be."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import TermPlace, places
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite, put_at
from symrnn.printers import text

TAG = "transpose"


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A square matrix, a square block of one, or a square gradient that is transposed, or should be."""
    for position, line, number, term in on.terms():
        for place in places(term):
            node = place.node
            # Any other matrix would not run when it is transposed.
            square = node.shape[0] == node.shape[1] and node.shape[0] != 1
            if isinstance(node, nodes.Transposed) and square and isinstance(node.arg, Variable):
                words = f"has {text(node.arg)} in place of {text(node)}"
                yield Mistake(TAG, words, 4, put_at(position, number, place, node.arg), families=("all", node))
            # Adjoints of matrices are no weights: their transposes are those of whole gradients, below.
            elif isinstance(node, Variable) and square and not node.mark and not _is_transposed(place):
                words = f"has {text(nodes.transpose(node))} in place of {text(node)}"
                yield Mistake(TAG, words, 4, put_at(position, number, place, nodes.transpose(node)))
            block = _block(node)
            if block is not None and block[0].shape[0] == block[0].shape[1]:
                turned = nodes.transpose(block[0])
                words = f"has {text(turned)} in place of {text(block[0])}"
                edits = put_at(position, number, place, nodes.matmul(turned, *block[1]))
                yield Mistake(TAG, words, 4, edits, families=("all", block[0]))
        if line.role == "parameter" and line.of.shape[0] == line.of.shape[1] and line.of.shape[0] != 1:
            edits = (Edit(position, number, nodes.transpose(term)),)
            yield Mistake(TAG, "is transposed", 4, edits, families=(on.group(line),))


def _block(node: Expr) -> tuple[Expr, tuple[Expr, ...]] | None:
    """Rows of a product as the product with these rows of its matrix: the matrix, and what it is multiplied with."""
    if not (isinstance(node, nodes.Slice) and isinstance(node.operand, nodes.Product)):
        return None
    number, (matrix, *rest) = node.operand.as_coeff_matrices()
    return (nodes.rows(matrix, *node.bounds), tuple(rest)) if number == 1 and rest else None


def _is_transposed(place: TermPlace) -> bool:
    return bool(place.above) and isinstance(place.above[-1], nodes.Transposed)


MISTAKE = MistakeClass(
    TAG,
    "a matrix is transposed where it should not be, or is not where it should be",
    precedence=180,
    likely=likely,
    wrong=(
        Example("rnn", "carry = da @ U", "carry = da @ U.T"),
        Example("rnn", "dU += da.T @ h[t]", "dU += h[t].T @ da"),
    ),
    right=(
        Example("rnn", "carry = da @ U", "carry = (U.T @ da.T).T"),
        Example("rnn", "dU += da.T @ h[t]", "dU += (h[t].T @ da).T"),
    ),
)
