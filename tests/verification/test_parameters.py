"""Jacobians of the parameters are checked in both forms, and planted errors in either are named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symrnn import cells, derive
from symrnn.algebra import nodes
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.rules import RULES
from symrnn.runs.sizes import layouts
from symrnn.verification.exact import check_exactly
from symrnn.verification.numeric import check_numerically
from symrnn.verification.parameters import PARAMETERS
from symrnn.verification.report import Check


def checks(derivation: Derivation) -> list[Check]:
    chosen = layouts(derivation.cell, [(2, 3)])
    every = [*check_exactly(derivation, chosen, 0), *check_numerically(derivation, chosen, 0)]
    return [check for check in every if check.name == PARAMETERS]


@pytest.mark.parametrize("name", ["lstm", "gru_reset_after", "mlstm", "lru", "lstm_projected"])
def test_both_checks_pass(name: str) -> None:
    exact, numeric = checks(derive(cells.lookup(name)))
    assert exact.passed, exact.detail
    assert numeric.passed, numeric.detail
    assert (exact.method, numeric.method) == ("exact", "complex step")


def swapped_kronecker(node: nodes.Expr, value: nodes.Expr) -> list[tuple[nodes.Expr, nodes.Expr]]:
    """The factors of I ⊗ x taken for those of xᵀ ⊗ I, for recurrent matrices: shapes fit, the order is wrong."""
    return [
        (x, nodes.kronecker(*j.args[::-1]) if x == cells.lstm["U_f"] else j)
        for x, j in RULES["Product"].jacobian(node, value)
    ]


def test_a_wrong_kronecker_product_is_named_by_both() -> None:
    wrong = replace(RULES["Product"], jacobian=swapped_kronecker)
    exact, numeric = checks(derive(cells.lstm, {**RULES, "Product": wrong}))
    for check in (exact, numeric):
        assert not check.passed
        assert "∂h_t/∂vec(U_f)|_{h_{t-1}, c_{t-1}} = " in check.detail
        assert "∂c_t/∂vec(U_f)|_{h_{t-1}, c_{t-1}} = " in check.detail
        assert "vec(W_f)" not in check.detail
        assert "∂vec(U_f)|_{h_{t-1}, c_{t-1}} = diag(c_{t-1} ⊙ f_t ⊙ (1 - f_t)) ⊗ h_{t-1}ᵀ is wrong" in check.detail


def test_a_wrong_jacobian_of_one_parameter_leaves_the_blocks_of_states_right() -> None:
    """What the other checks of Jacobians do not see is seen here."""
    row = RULES["Sum"]

    def negated(node: nodes.Expr, value: nodes.Expr) -> list[tuple[nodes.Expr, nodes.Expr]]:
        return [(x, nodes.negate(j) if x == cells.gru["b_z"] else j) for x, j in row.jacobian(node, value)]

    derivation = derive(cells.gru, {**RULES, "Sum": replace(row, jacobian=negated)})
    failed = [check for check in check_exactly(derivation, layouts(cells.gru, [(2, 3)]), 0) if not check.passed]
    assert [check.name for check in failed] == [PARAMETERS]
    assert failed[0].detail.startswith("∂h_t/∂b_z|_{h_{t-1}} = ")


def test_a_wrong_gradient_is_named() -> None:
    row = RULES["Product"]

    def doubled(node: nodes.Expr, value: nodes.Expr, g: nodes.Expr) -> list[tuple[nodes.Expr, nodes.Expr]]:
        return [(x, nodes.scale(2, y) if x == cells.lstm["W_o"] else y) for x, y in row.adjoint(node, value, g)]

    exact, numeric = checks(derive(cells.lstm, {**RULES, "Product": replace(row, adjoint=doubled)}))
    assert not exact.passed
    assert exact.detail.splitlines()[0].endswith(") δW_{o,t} = 2 δa_{o,t} x_tᵀ is wrong")
    assert exact.detail.count("is wrong") == 1
    assert numeric.passed  # its Jacobians are right
