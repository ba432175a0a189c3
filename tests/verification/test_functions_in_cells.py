"""Every function of the table in a cell of its own: right everywhere, and a wrong slope is caught."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from symrnn import Cell, derive, generate, verify
from symrnn.algebra.functions import FUNCTIONS, ScalarFunction
from symrnn.calculus import rules
from symrnn.calculus.remarks import remarks
from symrnn.printers import text
from symrnn.runs.sizes import layouts
from symrnn.verification.exact import check_exactly
from symrnn.verification.numeric import check_numerically

ROWS = list(FUNCTIONS.values())
ARGUMENTS = {"": "{} - 0.37", "not zero": "exp({})"}
POSITIVE = "(({}) ** 2 + 0.5)"


def cell_of(row: ScalarFunction) -> Cell:
    """h_t = f(a, b, ...) W x + b h: every argument moves with everything."""
    given = ["W @ x + U @ h + b", "tanh(V @ x + b)", "0.1 * tanh(h) + 0.5"][: row.arity]
    domain = row.domain or ("",) * row.arity
    arguments = ", ".join(
        ARGUMENTS.get(word, POSITIVE).format(value) for word, value in zip(domain, given, strict=True)
    )
    V = ", V" if row.arity > 1 else ""
    equation = f"h = {row.name}({arguments}) * sum(x) + b * h"
    return Cell.from_source(f"def one(x, h, *, W, U, b{V}):\n    {equation}\n    return h\n")


@pytest.mark.sampled(12)
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_it_goes_all_the_way(row: ScalarFunction) -> None:
    cell = cell_of(row)
    verify(cell, sizes=[(2, 3)], functions=("jvp", "hvp", "rtrl", "truncate")).raise_if_failed()
    written = derive(cell)
    assert row.name in FUNCTIONS
    assert "<0>" not in written.latex() + str(written)


SLOPES = [(row, position) for row in ROWS for position in range(row.arity)]


@pytest.mark.parametrize(("row", "position"), SLOPES, ids=[f"{row.name}-{position}" for row, position in SLOPES])
def test_a_wrong_slope_is_caught(row: ScalarFunction, position: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = cell_of(row)
    right = row.slopes[position]
    wrong = (*row.slopes[:position], lambda *args: right(*args) + 1, *row.slopes[position + 1 :])
    monkeypatch.setattr(rules, "FUNCTIONS", {**FUNCTIONS, row.name: replace(row, slopes=wrong)})
    derivation, chosen = derive(cell), layouts(cell, [(2, 3)])
    assert not all(check.passed for check in check_exactly(derivation, chosen, 0))
    assert not all(check.passed for check in check_numerically(derivation, chosen, 0))


# --- stated derivatives -----------------------------------------------------------------------------------------------

SPIKING = """def lif(x, s, v, *, W, U, b):
    v = 0.9 * v * (1 - stop_gradient(s)) + W @ x + U @ s + b
    s = straight_through(step(v - 1), sigmoid(4 * v))
    return s, v
"""


def hand_written(p: dict[str, Any], x: np.ndarray, s_bar: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The spikes and the gradients of <s_bar, s>, as one writes them for a spiking network."""
    T, N, _ = x.shape
    s, v = np.zeros((T + 1, N, len(p["b"]))), np.zeros((T + 1, N, len(p["b"])))
    for t in range(T):
        v[t + 1] = 0.9 * v[t] * (1 - s[t]) + x[t] @ p["W"].T + s[t] @ p["U"].T + p["b"]
        s[t + 1] = v[t + 1] > 1
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    ds, dv = np.zeros_like(s[0]), np.zeros_like(s[0])
    for t in reversed(range(T)):
        gate = 1 / (1 + np.exp(-4 * v[t + 1]))
        dv = dv + (s_bar[t] + ds) * 4 * gate * (1 - gate)
        grads["W"] += dv.T @ x[t]
        grads["U"] += dv.T @ s[t]
        grads["b"] += dv.sum(axis=0)
        ds, dv = dv @ p["U"], 0.9 * dv * (1 - s[t])
    return s[1:], grads


def test_the_gradient_of_a_spiking_cell_is_that_of_its_surrogate() -> None:
    module, rng = generate(Cell.from_source(SPIKING)), np.random.default_rng(0)
    params = module.initialize(4, 6, rng=rng)
    params = {name: 1.5 * rng.standard_normal(value.shape) for name, value in params.items()}
    x, s_bar = rng.standard_normal((5, 3, 4)), rng.standard_normal((5, 3, 6))
    spikes, _, tape = module.forward(params, x)
    grads, *_ = module.backward(params, tape, s_bar)
    expected, truth = hand_written(params, x, s_bar)
    assert set(np.unique(spikes)) == {0.0, 1.0}
    np.testing.assert_array_equal(spikes, expected)
    for name, value in truth.items():
        np.testing.assert_allclose(grads[name], value, rtol=1e-12, atol=1e-12)


def told(source: str) -> list[str]:
    found = remarks(derive(Cell.from_source(source)))
    return ["".join(part if isinstance(part, str) else text(part) for part in one) for one in found]


def test_stated_derivatives_are_told() -> None:
    assert told(SPIKING) == [
        "In the equation of v_t, s_{t-1} counts as constant; this is stated, not derived.",
        "In the equation of s_t, the derivative of a_{1,s,t} is replaced by that of a_{2,s,t}; "
        "this is stated, not derived.",
    ]


def test_gradients_that_are_zero_everywhere_are_told() -> None:
    lines = told("def dead(x, h, *, W, U, b):\n    h = step(W @ x + U @ h + b)\n    return h\n")
    assert (
        lines[0]
        == "In the equation of h_t, the derivative of step(a_{h,t}) is 0 wherever it exists: no gradient passes."
    )
    assert lines[1:] == [f"The gradient of {name} is 0 everywhere." for name in ("x_t", "h_{t-1}", "W", "U", "b")]


@pytest.mark.parametrize("name", ["documents", "report"])
def test_documents_and_reports_say_it(name: str) -> None:
    cell = Cell.from_source(SPIKING)
    shown: Iterator[str] = iter([derive(cell).latex()] if name == "documents" else [str(verify(cell, sizes=[(2, 3)]))])
    assert "this is stated, not derived" in next(shown)


def test_nothing_is_told_of_an_ordinary_cell() -> None:
    assert told("def rnn(x, h, *, W, U, b):\n    h = tanh(relu(W @ x) + U @ h + b)\n    return h\n") == []


# --- operators that stand for functions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a ** 0.5", "power(a, 0.5)"),
        ("a ** -h", "power(a, -h)"),
        ("2 ** a", "power(2, a)"),
        ("a % 2", "remainder(a, 2)"),
        ("hard_sigmoid(a)", "hard_sigmoid(a, 1 / 6, 0.5)"),
        ("hard_sigmoid(a, 0.2)", "hard_sigmoid(a, 0.2, 0.5)"),
        ("leaky_relu(a)", "leaky_relu(a, 0.01)"),
    ],
)
def test_operators_and_left_out_arguments(written: str, meant: str) -> None:
    one, other = (
        Cell.from_source(f"def c(x, h, *, W):\n    a = exp(W @ x)\n    h = {value} + h\n    return h\n")
        for value in (written, meant)
    )
    assert one.equations == other.equations
