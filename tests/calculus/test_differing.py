"""Two cells equation by equation: equal up to names and order is the same, and whatever else was changed is seen."""

from __future__ import annotations

from itertools import pairwise

import pytest

from symrnn import Cell, cells, derive, diff
from symrnn.errors import InputError, UnknownNameError

GRU = """
def gru(x, h, *, W_r, U_r, b_r, W_z, U_z, b_z, W_n, U_n, b_n):
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    n = tanh(W_n @ x + U_n @ (r * h) + b_n)
    h = (1 - z) * h + z * n
    return h
"""
IN_OTHER_LETTERS = """
def mine(v, s, *, A_u, B_u, c_u, A_q, B_q, c_q, A, B, c):
    u = sigmoid(c_u + A_u @ v + B_u @ s)
    q = sigmoid(A_q @ v + B_q @ s + c_q)
    y = tanh(B @ (s * q) + A @ v + c)
    s = y * u + s * (1 - u)
    return s
"""


def changed(text: str, old: str, new: str) -> Cell:
    assert text.count(old) == 1
    return Cell.from_source(text.replace(old, new))


def differing_targets(one: Cell, other: Cell) -> set[str]:
    rows = [row for row in diff(one, other).rows if row.part == "forward" and row.change != "same"]
    return {line.target.base for row in rows for line in (row.one,) if line is not None}


@pytest.mark.parametrize("name", ["rnn", "lstm_peephole", "gru_reset_after", "mgu", "slstm"])
def test_a_cell_is_the_same_as_itself(name: str) -> None:
    found = diff(name, cells.lookup(name))
    assert not found
    assert found.renamed == ()
    assert found.count("same") == len(found.rows) == len(derive(name).forward) + len(derive(name).steps)


def test_other_letters_and_another_order_are_the_same() -> None:
    found = diff(Cell.from_source(GRU), Cell.from_source(IN_OTHER_LETTERS))
    assert not found
    names = {one.base: other.base for one, other in found.renamed}
    assert names | {"W_n": "A", "r": "q", "z": "u", "n": "y", "U_r": "B_q", "h": "s", "x": "v"} == names


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("(1 - u)", "u", "h"),
        ("y * u +", "y * u -", "h"),
        ("A_q @ v + ", "A_q @ v - ", "a_r"),
        ("B @ (s * q)", "B @ s * q", "a_n"),
        ("A @ v +", "A @ s +", "a_n"),
        ("tanh(", "relu(", "n"),
        ("y * u", "2 * y * u", "h"),
    ],
)
def test_a_planted_difference_is_seen(old: str, new: str, where: str) -> None:
    assert where in differing_targets(Cell.from_source(GRU), changed(IN_OTHER_LETTERS, old, new))


def test_the_terms_that_differ_are_named() -> None:
    rows = diff("lstm", "lstm_peephole").rows
    row = next(row for row in rows if row.one and row.one.target.name == "a_f")
    assert row.change == "changed"
    assert row.one is not None
    assert row.other is not None
    assert row.one.differing == ()
    assert [str(term) for term in row.other.differing] == ["p_f ⊙ c_{t-1}"]


def test_a_gate_is_no_other_gate() -> None:
    """The reset gate of a GRU has the form of the LSTM's forget gate, and another part."""
    names = diff("lstm", "gru").counterparts.names
    assert {"i": "z", "g": "n", "h": "h"}.items() <= names.items()
    assert not {"f", "o", "c"} & names.keys()


@pytest.mark.parametrize(("one", "other"), [*pairwise(["rnn", "indrnn", "mgu", "gru", "lstm", "scrn"])])
def test_the_other_way_round_it_is_the_same_comparison(one: str, other: str) -> None:
    there, back = diff(one, other), diff(other, one)
    assert there.count("removed") == back.count("added")
    assert there.count("same") == back.count("same")
    assert {b: a for a, b in there.counterparts.names.items()} == back.counterparts.names


def test_constants_with_other_values_are_a_difference() -> None:
    head = "def leaky(x, h, *, W, U, b, alpha=0.1):\n"
    text = f"{head}    h = (1 - alpha) * h + alpha * tanh(W @ x + U @ h + b)\n    return h\n"
    found = diff(Cell.from_source(text), changed(text, "0.1", "0.25"))
    assert found
    assert [(v.name, float(one), float(other)) for v, one, other in found.values] == [("alpha", 0.1, 0.25)]
    assert "0.25" in str(found)


def test_what_is_no_cell_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        diff("gru", "nothing")
    with pytest.raises(InputError, match="expected a cell"):
        diff("gru", None)  # type: ignore[arg-type]
