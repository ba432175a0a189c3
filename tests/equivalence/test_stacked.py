"""One product for all gates and one product a gate: the same cell, and the map says which block is which."""

from __future__ import annotations

import pytest

from symrnn import Cell, cells, equivalent
from symrnn.equivalence.separating import separate

END = """    c = f * c + i * g
    h = o * tanh(c)
    return h, c
"""
GATES = "    i, f, o = sigmoid(i), sigmoid(f), sigmoid(o)\n    g = tanh(g)\n"
STACKED = {
    "concatenated": """def stacked(x, h, c, *, W: "4*d_h, d_h + d_x", b: "4*d_h"):
    a = W @ concat(h, x) + b
    i, f, o, g = split(a, 4)
"""
    + GATES
    + END,
    "split of a sum": """def stacked(x, h, c, *, W, U, b: "4*d_h"):
    i, f, g, o = split(W @ x + U @ h + b, 4)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    return h, c
""",
    "slices": """def stacked(x, h, c, *, W, U, b: "4*d_h"):
    a = W @ x + U @ h + b
    i = sigmoid(a[:d_h])
    f = sigmoid(a[d_h:2*d_h])
    g = tanh(a[2*d_h:3*d_h])
    o = sigmoid(a[3*d_h:])
"""
    + END,
    "a split of a slice": """def stacked(x, h, c, *, W, U, b: "4*d_h"):
    a = W @ x + U @ h + b
    s = sigmoid(a[:3*d_h])
    g = tanh(a[3*d_h:])
    i, f, o = split(s, 3)
"""
    + END,
    "rows on the left": """def stacked(x, h, c, *, W: "d_x, 4*d_h", U: "d_h, 4*d_h", b: "4*d_h"):
    a = x @ W + h @ U + b
    i, f, g, o = split(a, 4)
"""
    + GATES
    + END,
    "transposed": """def stacked(x, h, c, *, W: "d_x + d_h, 4*d_h", b: "4*d_h"):
    i, f, o, g = split(concat(x, h) @ W + b, 4)
"""
    + GATES
    + END,
    "two products": """def stacked(x, h, c, *, W, U, b: "4*d_h", k: "4*d_h"):
    p = W @ x + b
    q = U @ h + k
    i, f, g, o = split(p + q, 4)
"""
    + GATES
    + END,
    "two halves": """def stacked(x, h, c, *, W, U, b: "2*d_h", V, R, k: "2*d_h"):
    f, i = split(sigmoid(W @ x + U @ h + b), 2)
    a = V @ x + R @ h + k
    o = sigmoid(a[d_h:])
    g = tanh(a[:d_h])
"""
    + END,
    "an even stack and a product of its own": """def stacked(x, h, c, *, W, U, b: "3*d_h", V, R, k):
    i, f, o = split(sigmoid(W @ x + U @ h + b), 3)
    g = tanh(V @ x + R @ h + k)
"""
    + END,
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("way", [lambda a, b: equivalent(a, b), lambda a, b: equivalent(b, a)], ids=["to", "from"])
@pytest.mark.parametrize("case", STACKED)
def test_a_stacked_cell_is_the_separate_one(case, way):
    stacked = Cell.from_source(STACKED[case])
    result = way(stacked, cells.lstm_two_biases if case == "two products" else cells.lstm)
    assert result.verdict == "same", str(result)
    assert result.direction == "both"
    assert "__" not in str(result)
    target, source = (stacked if name == "stacked" else cells[name] for name in (result.target, result.source))
    again = equivalent(target, source, result.map)
    assert again, str(again)


@pytest.mark.parametrize("case", ["concatenated", "slices", "two halves"])  # a search to its end takes seconds
def test_a_mistake_in_a_stack_is_no_map(case):
    other = Cell.from_source(STACKED[case].replace("* tanh(c)", "* tanh(c) + i"))
    result = equivalent(other, cells.lstm)
    assert result.verdict == "not found", str(result)
    assert "__" not in str(result)


def test_the_map_is_printed_readably():
    one = Cell.from_source(STACKED["concatenated"])
    assert equivalent(one, cells.lstm).changes == {
        "W": "vstack(hstack(U_i, W_i), hstack(U_f, W_f), hstack(U_o, W_o), hstack(U_g, W_g))",
        "b": "concat(b_i, b_f, b_o, b_g)",
    }
    changes = equivalent(cells.lstm, one).changes
    assert (changes["W_f"], changes["U_g"]) == ("W[d_h:2 * d_h, d_h:]", "W[3 * d_h:, :d_h]")
    assert changes["b_i"] == "b[:d_h]"


def test_stacks_in_another_order():
    text = STACKED["split of a sum"]
    one, other = Cell.from_source(text), Cell.from_source(text.replace("i, f, g, o =", "f, i, g, o ="))
    assert equivalent(other, one).changes["b"] == "concat(b[d_h:2 * d_h], b[:d_h], b[2 * d_h:3 * d_h], b[3 * d_h:])"
    whole = Cell.from_source(text.replace("W", "V").replace("U", "R"))
    assert equivalent(whole, one).changes == {"V": "W", "R": "U"}


GRU_STACKED = """def stacked(x, h, *, W, U, b: "2*d_h", W_n, U_n, b_n):
    r, z = split(sigmoid(W @ x + U @ h + b), 2)
    n = tanh(W_n @ x + U_n @ (r * h) + b_n)
    h = (1 - z) * h + z * n
    return h
"""
RESET_AFTER = """def stacked(x, h, *, W, U, b: "3*d_h", k: "3*d_h"):
    r_x, z_x, n_x = split(W @ x + b, 3)
    r_h, z_h, n_h = split(U @ h + k, 3)
    r = sigmoid(r_x + r_h)
    z = sigmoid(z_x + z_h)
    n = tanh(n_x + r * n_h)
    h = (1 - z) * n + z * h
    return h
"""
SEPARATE = """def apart(x, h, *, W_r, U_r, b_r, k_r, W_z, U_z, b_z, k_z, W_n, U_n, b_n, k_n):
    r = sigmoid(W_r @ x + b_r + U_r @ h + k_r)
    z = sigmoid(W_z @ x + b_z + U_z @ h + k_z)
    n = tanh(W_n @ x + b_n + r * (U_n @ h + k_n))
    h = (1 - z) * n + z * h
    return h
"""


def test_gated_recurrent_units():
    result = equivalent(Cell.from_source(GRU_STACKED), cells.gru)
    assert result.verdict == "same", str(result)
    result = equivalent(Cell.from_source(RESET_AFTER), Cell.from_source(SEPARATE))
    assert result.verdict == "same", str(result)
    assert result.changes["b"] == "concat(b_r, b_z, b_n)"


@pytest.mark.parametrize(
    "text",
    [
        "def f(x, h, *, W, U, b: '2*d_h', V):\n    a = W @ x + U @ h + b\n"
        "    h = tanh(a[:d_h]) * a[d_h:] + V @ a\n    return h\n",
        "def f(x, h, *, W: 'd_h, d_x', U: 'd_h, d_h'):\n    a = softmax(concat(W @ x, U @ h))\n    p, q = split(a, 2)\n"
        "    h = p + q + 0 * h\n    return h\n",
    ],
)
def test_what_is_used_as_a_whole_stays_whole(text):
    cell = Cell.from_source(text)
    assert separate(cell).cell is cell
    assert equivalent(cell, Cell.from_source(text.replace("def f", "def g")))
