"""Random cells: the derivation, the exact test, complex steps and the generated code agree on every one of them.

`tests/targets/test_random_modules.py` compares them with a truth that shares nothing with the package.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from symrnn import Cell, derive
from symrnn.algebra import nodes
from symrnn.calculus.rules import RULES
from symrnn.runs.points import NOWHERE
from symrnn.runs.sizes import layouts
from symrnn.targets.generation import generate
from symrnn.verification.exact import check_exactly
from symrnn.verification.generated import check_generated
from symrnn.verification.numeric import check_numerically
from symrnn.verification.report import Check
from tests.strategies import random_cells

EVERY = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a cell that fails is short enough as it is
)


def assert_agrees(checks: list[Check]) -> int:
    """Everything passes that can be checked; how many checks found no point at which they could be made."""
    assert checks
    nowhere = [check for check in checks if not check.passed and NOWHERE in check.detail]
    wrong = [check for check in checks if not check.passed and check not in nowhere]
    assert not wrong, "\n".join(f"{check.name}: {check.detail}" for check in wrong)
    return len(nowhere)


ROUNDING = (
    """
def drawn(
    x: "(d_x)", u: "(d_k)", h: "(d_h)", *, W1: "(d_x, d_k)", W2: "(d_k, d_k)", W3: "(d_h + d_x, d_k)",
    v4: "(d_h + d_x)", W5: "(d_h + d_x, d_x)", W6: "(d_k, d_h + d_x)", v7: "(d_x)"
):
    a0 = (W1 + 0.1).T
    a1 = (W2.T @ exp(tanh(u)))
    a2 = (W3.T @ (v4 + v4))
    a3 = softmax((v4 @ W5))
    a4 = (0.1 * W1).T
    a5 = exp(tanh((v4 ** 3)))
    a6 = softmax((W6 @ v4))
    a7 = (concat(h, v7) ** 2)
    h = (
        softmax((h * 0.1)) + 0.5 * sum(x) + 0.5 * sum(a0) + 0.5 * sum(a1) + 0.5 * sum(a2) + 0.5 * sum(a3) +
        0.5 * sum(a4) + 0.5 * sum(a5) + 0.5 * sum(a6) + 0.5 * sum(a7)
    )
    return h
""",
    """
def drawn(
    x: "(d_x)", u: "(d_k)", h: "(d_h)", *, W1: "(d_x, d_k)", W2: "(d_k, d_k)", W3: "(d_h + d_x, d_k)",
    v4: "(d_h + d_x)", W5: "(d_h + d_x, d_x)", W6: "(d_k, d_h + d_x)", v7: "(d_x)"
):
    a0 = (W1 + 0.1).T
    a1 = (W2.T @ exp(tanh(u)))
    a2 = (W3.T @ (v4 + v4))
    a3 = softmax((v4 @ W5))
    a4 = (0.1 * W1).T
    a5 = exp(tanh((v4 ** 2)))
    a6 = softmax((W6 @ v4))
    a7 = (concat(h, v7) ** 2)
    h = (
        softmax((h * 0.1)) + 0.5 * sum(x) + 0.5 * sum(a0) + 0.5 * sum(a1) + 0.5 * sum(a2) + 0.5 * sum(a3) +
        0.5 * sum(a4) + 0.5 * sum(a5) + 0.5 * sum(a6) + 0.5 * sum(a7)
    )
    return h
""",
    """
def drawn(
    x: "(d_x)", u: "(d_k)", h: "(d_h)", *, W1: "(d_h, d_k)", p2: "()", W3: "(d_h, d_h)", v4: "(d_h)",
    W5: "(d_h, d_h + d_x)", W6: "(d_h + d_x, d_k)", W7: "(d_k, d_x)", W8: "(d_x, d_x)",
    W9: "(d_x, d_h)", W10: "(d_h, d_x)", W11: "(d_h + d_x, d_x)", v12: "(d_h + d_x)", W13: "(d_x, d_k)"
):
    a0 = ((W1 / (2 + p2 ** 2)) ** 3)
    a1 = size((W3 @ v4))
    a2 = ((2 + (a1 + p2) ** 2) ** -1)
    a3 = (W5 @ W6)
    a4 = mean((W7 @ W8))
    a5 = mean((1 - u))
    a6 = exp(tanh((u / (2 + a5 ** 2))))
    a7 = (W9 @ (W10 @ x))
    a8 = ((1 - h) / 0.5)
    a9 = outer(softmax(a6), (W11.T @ v12))
    a10 = (W10 @ W13)
    h = (
        sign((h ** 3) - 0.37) + 0.5 * sum(a0) + a2 + 0.5 * sum(a3) + a4 + 0.5 * sum(a7) + 0.5 * sum(a8) +
        0.5 * sum(a9) + 0.5 * sum(a10)
    )
    return h
""",
    """
def drawn(
    x: "(d_x)", h: "(d_h)", *, v1: "(d_k)", W2: "(d_h + d_x, d_h + d_x)", W3: "(d_x, d_k)",
    W4: "(d_h, d_k)", W5: "(d_k, d_k)"
):
    a0 = log_sigmoid(outer(v1, x))
    a1 = (W2 @ concat(h, x))
    a2 = ((2 + sin(h) ** 2) ** -1)
    a3 = sin((a1 @ a1))
    a4 = elu(W3 - 0.37).T
    h = (W4 @ (W5.T @ v1)) + 0.5 * sum(a0) + 0.5 * sum(a2) + a3 + 0.5 * sum(a4)
    return h
""",
    """
def drawn(
    x: "(d_x)", h: "(d_h)", *, W1: "(d_h, d_h)", W2: "(d_h, d_k)", v3: "(d_h + d_x)", W4: "(d_x, d_x)",
    W5: "(d_k, d_h)", W6: "(d_k, d_x)", v7: "(d_h + d_x)"
):
    a0 = cos((W1 @ W2))
    a1 = relu(log_sigmoid(v3) - 0.37)
    a2 = tanh((h / 1e-1))
    a3 = ((2 + (0.1 + v3) ** 2) ** -1)
    a4 = silu((x @ W4))
    a5 = (1 - W5).T
    a6 = size((W2 - a5))
    a7 = (mean(v7) + (W6 - a6))
    h = ((a2 + 1) ** 3) + 0.5 * sum(a0) + 0.5 * sum(a1) + 0.5 * sum(a3) + 0.5 * sum(a4) + 0.5 * sum(a7)
    return h
""",
)
"""Cells with a gradient that is 0 because large terms cancel, with steps that magnify rounding, and with a slope
1 - tanh² that has few digits left: what is wrong there is rounding."""


@given(random_cells())
@settings(EVERY, max_examples=15)
def test_derivations_agree_with_the_text(cell: Cell) -> None:
    derivation = derive(cell)
    chosen = layouts(cell, [(2, 3)])
    assert_agrees([*check_exactly(derivation, chosen, 0), *check_numerically(derivation, chosen, 0)])


@given(random_cells())
@settings(EVERY, max_examples=15)
def test_generated_code_agrees_with_the_text(cell: Cell) -> None:
    assert_agrees(list(check_generated(derive(cell), generate(cell), 0)))


def test_most_cells_can_be_checked() -> None:
    """A strategy that draws cells without smooth points would make the tests above empty."""
    found = []

    @given(random_cells())
    @settings(EVERY, max_examples=40)
    def every(cell: Cell) -> None:
        derivation = derive(cell)
        found.append(assert_agrees(list(check_numerically(derivation, layouts(cell, [(2, 3)]), 0))))

    every()
    assert np.mean([count == 0 for count in found]) > 0.8


def test_a_wrong_rule_is_found() -> None:
    """The check can fail: with one sign changed in the table, random cells disagree."""
    row = RULES["Stack"]
    wrong = replace(row, adjoint=lambda *a: [(x, nodes.negate(g)) for x, g in row.adjoint(*a)])

    @given(random_cells())
    @settings(EVERY, max_examples=200)
    def every(cell: Cell) -> None:
        derivation = derive(cell, {**RULES, "Stack": wrong})
        assert_agrees(list(check_exactly(derivation, layouts(cell, [(2, 3)]), 0)))

    with pytest.raises(AssertionError, match="adjoint of one step"):
        every()


@pytest.mark.parametrize("text", ROUNDING)
def test_rounding_is_no_error(text: str) -> None:
    cell = Cell.from_source(text)
    assert assert_agrees(list(check_generated(derive(cell), generate(cell), 0))) == 0
    assert assert_agrees(list(check_numerically(derive(cell), layouts(cell, [(1, 1), (2, 3)]), 0))) == 0


TWICE = """
def drawn(
    x: "(d_x)", u: "(d_k)", h: "(d_h)", c: "()", m: "(d_k)", *, W1: "(d_h, d_h + d_x)", W2: "(d_h + d_x, d_k)",
    v3: "(d_h + d_x)", W4: "(d_h, d_k)", W5: "(d_k, d_k)", W6: "(d_x, d_k)"
):
    a0 = abs(softplus(h) - 0.37)
    a1 = log_sigmoid((1 - a0))
    a2 = sigmoid((W1 @ W2))
    a3 = exp(tanh(sin(c)))
    a4 = ((2 + (1 - v3) ** 2) ** -1)
    a5 = sqrt((1 + a4) ** 2 + 0.5)
    a6 = outer((W4 @ u), (m @ W5))
    m = (W6.T @ softmax(x))
    c = ((x - c) @ (a3 - x))
    h = (0.5 + softplus(a0)) + 0.5 * sum(a1) + 0.5 * sum(a2) + 0.5 * sum(a5) + 0.5 * sum(a6)
    return h, c, m
"""
"""In the adjoint of x the term x occurs twice beside one with a minus in front."""


def test_a_term_that_occurs_twice_stays_twice() -> None:
    cell = Cell.from_source(TWICE)
    derivation, chosen = derive(cell), layouts(cell, [(1, 1), (2, 3)])
    assert assert_agrees([*check_exactly(derivation, chosen, 0), *check_numerically(derivation, chosen, 0)]) == 0
    assert assert_agrees(list(check_generated(derivation, generate(cell), 0))) == 0
