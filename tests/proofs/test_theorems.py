"""Theorems: proved for the library, refuted for cells and rules in which something was changed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from symrnn import Cell, cells, derive
from symrnn.algebra import nodes
from symrnn.calculus.rules import RULES
from symrnn.errors import InputError
from symrnn.proofs.theorems import THEOREMS, Theorem, theorems


def mutated(name: str, old: str, new: str) -> Cell:
    source = cells.lookup(name).source
    assert source.count(old) == 1
    return Cell.from_source(source.replace(old, new))


def one(cell: Cell, name: str) -> Theorem:
    (theorem,) = theorems(cell, only=name)
    return theorem


EXPECTED = {
    "rnn": ["paths", "bounded state", "RTRL = BPTT"],
    "rnn_relu": ["paths", "RTRL = BPTT"],
    "lstm": ["paths", "bounded state", "RTRL = BPTT"],
    "lstm_cifg": ["paths", "convex combination", "bounded state", "RTRL = BPTT"],
    "gru": ["paths", "convex combination", "bounded state", "RTRL = BPTT"],
    "gru_reset_after": ["paths", "convex combination", "bounded state", "RTRL = BPTT"],
    "slstm": ["paths", "RTRL = BPTT", "stabiliser"],
    "mlstm": ["paths", "RTRL = BPTT", "stabiliser"],
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_proved(name: str) -> None:
    found = theorems(cells.lookup(name))
    assert [theorem.name for theorem in found] == EXPECTED[name]
    for theorem in found:
        assert theorem, str(theorem)
        assert "proved" in str(theorem)
        assert theorem.latex.count("{") == theorem.latex.count("}")


def test_every_row_proves_something() -> None:
    assert {name for names in EXPECTED.values() for name in names} == set(THEOREMS)


def test_assumptions_are_stated() -> None:
    assert one(cells.gru, "bounded state").assumptions == "|h_0| ≤ 1"
    assert one(cells.lstm, "bounded state").assumptions == ""
    assert "(-1, 1)" in one(cells.gru, "bounded state").details


def test_weights_are_named() -> None:
    statement = one(cells.gru, "convex combination").statement
    assert statement == (
        "every entry of h_t lies between those of h_{t-1} and n_t, with the weights 1 - z_t and z_t, whose sum is 1"
    )


REFUTED = [
    ("convex combination", mutated("gru", "(1 - z) * h + z * n", "(1 - z) * h + r * n"), "1 - z_t + r_t = 𝟏"),
    ("convex combination", mutated("gru", "(1 - z) * h + z * n", "z * h + (1 - r) * n"), "z_t + 1 - r_t = 𝟏"),
    ("bounded state", mutated("lstm", "h = o * tanh(c)", "h = 2 * o * tanh(c)"), "h reaches"),
    ("bounded state", mutated("gru", "(1 - z) * h + z * n", "(1 - z) * h + (z + 0.5) * n"), "h reaches"),
    ("bounded state", mutated("rnn", "h = tanh(", "h = 1.5 * tanh("), "h reaches"),
    ("stabiliser", mutated("slstm", "h = o * c / n", "h = o * c"), "δm is not 0"),
    ("stabiliser", mutated("slstm", "n = f * n + i", "n = f * n + exp(a)"), "δm is not 0"),
    ("stabiliser", mutated("mlstm", "abs(n @ q), exp(-m)", "abs(n @ q), exp(-2 * m)"), "δm is not 0"),
]


@pytest.mark.parametrize(("name", "cell", "because"), REFUTED, ids=lambda x: x if isinstance(x, str) else "")
def test_what_is_changed_is_refuted(name: str, cell: Cell, because: str) -> None:
    theorem = one(cell, name)
    assert not theorem
    assert because in theorem.details
    numbers = name in ("convex combination", "bounded state")  # the others differ over the field
    assert theorem.verdict == ("false" if numbers else "not proved")
    assert f"\n  {theorem.verdict}" in str(theorem)


def test_a_state_that_reaches_more_is_a_counterexample() -> None:
    cell = Cell.from_source(
        "def q(x, h, *, W_z, W_r, U_z, U_r):\n    z = sigmoid(W_z @ x + U_z @ h)\n    r = sigmoid(W_r @ x + U_r @ h)\n"
        "    h = z * h + z * tanh(r * h)\n    return h\n"
    )
    theorem = one(cell, "bounded state")
    assert re.search(r"\n  false: h reaches 1\.\d+ at x = \[", str(theorem))


NOT_CLAIMED = [
    ("convex combination", "lstm"),
    ("convex combination", "scrn"),  # the weight is a parameter, which may be anything
    ("bounded state", "rnn_relu"),
    ("bounded state", "minlstm"),
    ("stabiliser", "lstm"),
]


@pytest.mark.parametrize(("theorem", "name"), NOT_CLAIMED)
def test_what_does_not_apply_is_left_out(theorem: str, name: str) -> None:
    assert theorems(cells.lookup(name), only=theorem) == ()


def test_a_wrong_jacobian_rule_breaks_paths_and_sensitivities() -> None:
    row = RULES["Hadamard"]
    wrong = replace(row, jacobian=lambda node, value: [(x, nodes.negate(j)) for x, j in row.jacobian(node, value)])
    derivation = derive(cells.lstm, {**RULES, "Hadamard": wrong})
    paths, rtrl = theorems(derivation, only="paths") + theorems(derivation, only="RTRL = BPTT")
    assert not paths
    assert "∂c_t/∂c_{t-1}" in paths.details
    assert not rtrl


def test_a_wrong_adjoint_rule_breaks_only_the_way_back() -> None:
    row = RULES["Product"]

    def transposed(node: nodes.Expr, value: nodes.Expr, g: nodes.Expr) -> object:
        found = row.adjoint(node, value, g)
        return [(x, nodes.scale(2, y) if x == cells.lstm["U_f"] else y) for x, y in found]

    derivation = derive(cells.lstm, {**RULES, "Product": replace(row, adjoint=transposed)})
    paths, rtrl = theorems(derivation, only="paths") + theorems(derivation, only="RTRL = BPTT")
    assert paths
    assert not rtrl
    assert rtrl.details == "false for U_f"


def test_an_unknown_theorem_is_refused() -> None:
    with pytest.raises(InputError, match=r"no theorem 'convexity'\n  .*there are paths, convex combination"):
        theorems(cells.gru, only="convexity")
