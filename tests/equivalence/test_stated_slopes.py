"""Cells with the same values whose derivatives differ, because one of them states its own: a verdict says so."""

from __future__ import annotations

import pytest

from symrnn import Cell, cells, equivalent
from symrnn.algebra.functions import FUNCTIONS
from symrnn.equivalence.stated_slopes import stated_functions


def cell(right: str, name: str) -> Cell:
    text = f"def {name}(x, h, *, W, U, b):\n    a = W @ x + U @ h + b\n    h = {right}\n    return h\n"
    return Cell.from_source(text)


DIFFER = {
    "a stopped state": ("tanh(a) + stop_gradient(h)", "tanh(a) + h"),
    "a stopped pre-activation": ("h * tanh(stop_gradient(a))", "h * tanh(a)"),
    "a surrogate": ("h + straight_through(step(a), sigmoid(a))", "h + step(a)"),
    "two surrogates": ("straight_through(step(a), sigmoid(a)) + h", "straight_through(step(a), tanh(a)) + h"),
    "a stopped shift": ("exp(a - stop_gradient(h))", "exp(a - h)"),
    "one of two": ("stop_gradient(h) * h + a", "h * h + a"),
}
ALIKE = {
    "the same surrogate": ("h + straight_through(step(a), sigmoid(a))", "straight_through(step(a), sigmoid(a)) + h"),
    "a shift that does not matter": ("softmax(a - stop_gradient(max(a)))", "softmax(a)"),
    "a surrogate of the value": ("straight_through(tanh(a), tanh(a)) + h", "h + tanh(a)"),
    "a stopped constant": ("a + h * stop_gradient(1)", "a + h"),
    "nothing stated": ("tanh(a) + h", "h + tanh(a)"),
}


@pytest.mark.parametrize("case", DIFFER)
def test_different_derivatives_are_told(case: str) -> None:
    left, right = DIFFER[case]
    for one, other in ((left, right), (right, left)):
        result = equivalent(cell(one, "f"), cell(other, "g"))
        assert result.holds, str(result)
        assert result.derivatives.startswith("but their derivatives differ")
        assert result.derivatives in str(result)
    assert any(name in result.derivatives for name, row in FUNCTIONS.items() if row.stated)


@pytest.mark.parametrize("case", ALIKE)
def test_of_the_same_derivatives_nothing_is_told(case: str) -> None:
    left, right = ALIKE[case]
    result = equivalent(cell(left, "f"), cell(right, "g"))
    assert result.verdict == "same", str(result)
    assert result.derivatives == ""
    assert "derivatives" not in str(result)


def test_under_a_map_too() -> None:
    text = cells.gru.source
    stopped = Cell.from_source(
        text.replace("def gru", "def stopped").replace("(1 - z) * h", "(1 - z) * stop_gradient(h)")
    )
    negated = Cell.from_source(text.replace("def gru", "def negated").replace("sigmoid(W_z @ x", "sigmoid(-W_z @ x"))
    result = equivalent(stopped, negated)
    assert result, str(result)
    assert result.changes == {"W_z": "-W_z"}
    assert result.derivatives


def test_which_functions_state_theirs() -> None:
    assert stated_functions(cell("stop_gradient(h) + straight_through(step(a), a)", "f")) == (
        "stop_gradient",
        "straight_through",
    )
    assert stated_functions(cells.lstm) == ()
