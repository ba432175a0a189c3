"""Cells that are hard to put on paper."""

from __future__ import annotations

import pytest

from symrnn import Cell, cells, derive
from symrnn.calculus.derivation import Derivation
from symrnn.printers import NOTATIONS
from tests.library import MAIN

PEEPHOLE = '''
def peephole(x, h, c, *, W_f, U_f, b_f, p_f, W_i, U_i, b_i, p_i, W_g, U_g, b_g, W_o, U_o, b_o, p_o):
    """Long short-term memory with peepholes.

    Source: Gers & Schmidhuber (2000).
    """
    f = sigmoid(W_f @ x + U_f @ h + p_f * c + b_f)
    i = sigmoid(W_i @ x + U_i @ h + p_i * c + b_i)
    g = tanh(W_g @ x + U_g @ h + b_g)
    c = f * c + i * g
    o = sigmoid(W_o @ x + U_o @ h + p_o * c + b_o)
    h = o * tanh(c)
    return h, c
'''

MATRIX_STATE = '''
def matrix_state(x, h, C, *, W_q: "d_k, d_x", W_k: "d_k, d_x", W_v: "d_v, d_x", w_i: "d_x", w_f: "d_x", V: "d_h, d_v"):
    """A matrix as memory."""
    q = W_q @ x
    k = 0.5 * (W_k @ x)
    v = W_v @ x
    i = exp(w_i @ x)
    f = sigmoid(w_f @ x)
    C = f * C + i * outer(v, k)
    h = V @ ((C @ q) / maximum(abs(sum(q * k)), 1))
    return h, C
'''

LONG_NAMES = '''
def long_names(x, h, candidate, *, W_tilde_f, U_new, h1: "d_h", alpha: "()", beta: "()", gamma_max, A: "d_h, d_h"):
    """Everything at once."""
    candidate = relu(W_tilde_f @ x - alpha * (U_new @ h)) + abs(candidate) ** 2
    m = maximum(candidate, 0.1 * h1) / (1 + h ** 2)
    s = softmax(A @ m + beta)
    r = sqrt(1 + s ** 2) - (m - s) / 3
    u = -(r - h) * (s - m) ** 3 + 2 / (1 + m ** 2)
    e = alpha * beta * sum(u * h) / (1 + alpha ** 2)
    h = e * (u * gamma_max) - tanh(u) ** 2 / e + alpha * beta + log_sigmoid(u) ** 2 + mean(u)
    return h, candidate
'''

CONCATENATED = '''
def concatenated(x, h, *, W_z: "d_h, d_h + d_x", b_z):
    """One matrix for both."""
    z = sigmoid(W_z @ concat(h, x) + b_z)
    h = (1 - z) * h + z * tanh(h)
    return h
'''

CLASHING = '''
def clashing(x, h, *, W, U, delta: "()", L: "d_h", T: "d_h, d_h"):
    """Its letters are the document's own."""
    h = delta * tanh(W @ x + U @ h) * L + T @ h
    return h
'''

ODD_WORDS = r"""100% of $5 & #1 a_b {c} ^ ~ \ <d> [e](f) *g* `h` |i| é ü ß ø “j” – 中 🙂 λ "k" --- ''"""


def odd_words_text() -> str:
    docstring = ODD_WORDS.replace("\\", "\\\\")
    head = f'    """{docstring}\n\n    Source: {docstring} {"long" * 30}\n    Variant: 50%\n    """'
    return f"def odd_words(x, h, *, W, U):\n{head}\n    h = tanh(W @ x + U @ h)\n    return h\n"


HARD = {
    "peephole": PEEPHOLE,
    "matrix_state": MATRIX_STATE,
    "long_names": LONG_NAMES,
    "concatenated": CONCATENATED,
    "clashing": CLASHING,
    "odd_words": odd_words_text(),
}
EVERY = (*MAIN, *HARD)


def derivation_of(name: str) -> Derivation:
    return derive(Cell.from_source(HARD[name]) if name in HARD else cells.lookup(name))


@pytest.fixture(scope="session", params=EVERY)
def derivation(request: pytest.FixtureRequest) -> Derivation:
    """The derivation of the library's main cells and of every hard one."""
    return derivation_of(request.param)


NOTATIONS_EACH = 3
"""Every document is written in so many notations, by turns: every notation meets some, and none meets all."""


@pytest.fixture(params=range(NOTATIONS_EACH))
def notation(request: pytest.FixtureRequest, derivation: Derivation) -> str:
    """A notation for a derivation."""
    turn = EVERY.index(derivation.cell.name)
    return list(NOTATIONS)[(NOTATIONS_EACH * turn + request.param) % len(NOTATIONS)]


assert NOTATIONS_EACH * len(EVERY) >= len(NOTATIONS)
