"""Ones, identities and zeros say their size where nothing beside them does, and nowhere else."""

from __future__ import annotations

import pytest
from sympy import Symbol

from symrnn import Cell, derive
from symrnn.algebra import nodes
from symrnn.algebra.nodes import Variable
from symrnn.documents import write
from symrnn.printers import latex, text

n, m, k = (Symbol(name, integer=True, positive=True) for name in ("d_h", "d_x", "d_k"))
a, x = Variable("a", n, 1, time=0), Variable("x", m, 1, time=0)
W, V, s = Variable("W", n, n), Variable("V", n, m), Variable("s", 1, 1, time=0)
Q = Variable("Q", k, k)
eye, column, row = nodes.Eye(n), nodes.ones((n, 1)), nodes.ones((1, n))
summed = nodes.total(nodes.act("exp", nodes.scale(2, nodes.ones((m, 1)))))

TOLD = {
    "by the left side": (nodes.kronecker(nodes.transpose(x), eye), "x_tᵀ ⊗ I"),
    "by another factor": (
        nodes.total(nodes.hadamard(a, nodes.add(a, nodes.fill(s, (n, 1))))),
        "𝟏ᵀ (a_t ⊙ (a_t + s_t 𝟏))",
    ),
    "by a neighbour in a product": (nodes.matmul(row, a), "𝟏ᵀ a_t"),
    "by another term": (nodes.matmul(nodes.subtract(nodes.diag(a), eye), a), "(diag(a_t) - I) a_t"),
    "by the other part of a stack": (nodes.stack(a, nodes.zeros((m, 1))), "[a_t; 0]"),
    "a matrix, by another term": (nodes.add(V, nodes.fill(s, (n, m))), "V + s_t 𝟏"),
    "by an identity in a stack": (
        nodes.matmul(nodes.ones((1, 3 * n)), nodes.stack(nodes.zeros((n, n)), eye, nodes.zeros((n, n))), W),
        "𝟏ᵀ [0; I; 0] W",
    ),
    "by the other factor of a Kronecker product": (
        nodes.matmul(nodes.kronecker(eye, nodes.transpose(x)), nodes.vec(nodes.transpose(V))),
        "(I ⊗ x_tᵀ) vec(Vᵀ)",
    ),
}  # fmt: skip
"""What tells the size -> expression, and how it is printed."""

OPEN = {
    "both factors of a Kronecker product": (nodes.kronecker(nodes.ones((1, m)), eye), "𝟏_{d_x}ᵀ ⊗ I"),
    "the inner size of a product": (
        nodes.matmul(a, nodes.ones((1, n + m)), nodes.stack(eye, nodes.zeros((m, n)))),
        "a_t 𝟏_{d_h + d_x}ᵀ [I; 0]",
    ),
    "blocks beside an identity that are not as large": (
        nodes.matmul(nodes.ones((1, 2 * n + m)), nodes.stack(nodes.zeros((m, n)), eye, nodes.zeros((n, n))), W),
        "𝟏_{2 d_h + d_x}ᵀ [0_{d_x×d_h}; I; 0] W",
    ),
    "both parts of a stack": (
        nodes.matmul(nodes.ones((1, n + m)), nodes.stack(column, nodes.zeros((m, 1)))),
        "𝟏_{d_h + d_x}ᵀ [𝟏_{d_h}; 0]",
    ),
    "all terms of a sum": (nodes.vec(nodes.add(eye, nodes.matmul(column, row))), "vec(I_{d_h} + 𝟏 𝟏ᵀ)"),
    "what is summed": (nodes.total(nodes.fill(nodes.act("tanh", s), (n, 1))), "𝟏_{d_h}ᵀ (tanh(s_t) 𝟏)"),
    "a function of a number": (nodes.total(nodes.act("tanh", nodes.scale(2, column))), "𝟏_{d_h}ᵀ (tanh(2) 𝟏)"),
    "a function of zeros": (nodes.total(nodes.act("exp", nodes.zeros((n, 1)))), "𝟏_{d_h}ᵀ (exp(0) 𝟏)"),
    "a matrix of ones as a factor": (nodes.matmul(nodes.fill(s, (n, m)), x), "(s_t 𝟏_{d_h×d_x}) x_t"),
    "a quotient that is repeated": (nodes.matmul(nodes.fill(nodes.power(s, -1), (n, m)), x), "(1/s_t 𝟏_{d_h×d_x}) x_t"),
    "a function's matrix of ones": (
        nodes.matmul(row, nodes.act("tanh", nodes.scale(2, nodes.ones((n, m))))),
        "𝟏ᵀ (tanh(2) 𝟏_{d_h×d_x})",
    ),
    "a matrix of ones beside an identity": (
        nodes.matmul(nodes.kronecker(eye, nodes.ones((n, n))), nodes.vec(W)),
        "(I ⊗ 𝟏_{d_h×d_h}) vec(W)",
    ),
    "a term in the column of a diagonal": (
        nodes.diag(nodes.add(a, nodes.fill(summed, (n, 1)))),
        "diag(a_t + (𝟏_{d_x}ᵀ (exp(2) 𝟏)) 𝟏)",
    ),
    "a matrix of ones in a factor": (
        nodes.matmul(W, nodes.subtract(nodes.fill(s, (n, m)), nodes.ones((n, m))), x),
        "W (s_t 𝟏_{d_h×d_x} - 1) x_t",
    ),
    "a matrix of ones, transposed": (
        nodes.transpose(nodes.subtract(nodes.fill(s, (n, m)), nodes.ones((n, m)))),
        "(s_t 𝟏_{d_h×d_x} - 1)ᵀ",
    ),
    "zeros in a stack": (nodes.kronecker(nodes.stack(nodes.zeros((n + m, k)), Q), eye), "[0_{(d_h + d_x)×d_k}; Q] ⊗ I"),
}  # fmt: skip
"""Whose size nothing tells -> expression, and how it is printed: the first one says it, and tells the others."""


@pytest.mark.parametrize("case", [*TOLD, *OPEN])
def test_sizes_are_said_where_they_are_open(case: str) -> None:
    expr, expected = {**TOLD, **OPEN}[case]
    assert text(expr) == expected


def test_in_latex() -> None:
    expr, _ = OPEN["both factors of a Kronecker product"]
    assert latex(expr) == r"\mathbf{1}_{d_x}^{\top} \otimes I"
    assert latex(OPEN["zeros in a stack"][0]) == r"[0_{(d_h + d_x) \times d_k}; Q] \otimes I"


@pytest.mark.parametrize(
    ("name", "said"), [("I", "A subscript of 𝟏, 𝕀 or 0"), ("A", "A subscript of 𝟏, I or 0"), (None, "")]
)
def test_the_conventions_explain_what_occurs(name: str | None, said: str) -> None:
    """A cell that sums the rows of a softmax; and one in which every size is told."""
    term = f"sum(softmax({name}, axis=0), axis=0)" if name else "W"
    cell = Cell.from_source(
        f'def f(h, *, {name or "W"}: "{"d_k, d_h" if name else "d_h"}"):\n    h = h * {term}\n    return h'
    )
    conventions, *_ = write(derive(cell), "text").split("\n1. ")
    assert ("A subscript of" in conventions) is bool(said)
    assert said in conventions
