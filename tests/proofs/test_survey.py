"""Surveys of Jacobians: every pair is looked at, and a wrong one is named by both ways of looking."""

import pytest

from symrnn import cells, derive
from symrnn.algebra import nodes
from symrnn.proofs import survey as module
from symrnn.proofs.claims import AtStart, Formula, spell
from symrnn.proofs.jacobians import check_jacobian, paths_add_up
from symrnn.proofs.survey import JacobianQuestion, survey

SMALL = [(2, 3)]


@pytest.mark.parametrize("question", [JacobianQuestion("direct"), JacobianQuestion("total", 2)], ids=str)
def test_right_jacobians_pass_both_ways(question: JacobianQuestion) -> None:
    exact, numeric = survey(derive("gru"), question, sizes=SMALL)
    assert exact.passed, exact.detail
    assert numeric.passed, numeric.detail
    assert exact.name == numeric.name
    assert str(question) in exact.name


def test_a_wrong_jacobian_is_named_by_both(monkeypatch: pytest.MonkeyPatch) -> None:
    right = module.jacobian
    monkeypatch.setattr(module, "jacobian", lambda *a, **k: nodes.scale(2, right(*a, **k)))
    for check in survey(derive("gru"), JacobianQuestion("cell"), of=["h"], wrt=["h_prev"], sizes=SMALL):
        assert not check.passed
        assert check.detail == "∂h_t/∂h_{t-1} is wrong"


def test_no_pair_is_no_proof() -> None:
    exact, numeric = survey(derive("gru"), JacobianQuestion("cell", 1, ("h_prev",)), of=["h"], wrt=["h_prev"])
    assert not exact.passed
    assert not numeric.passed


def test_one_jacobian_and_its_paths() -> None:
    assert check_jacobian(cells.lstm, "c", "c_prev", sizes=SMALL).passed
    assert paths_add_up(cells.lstm, "h", "c_prev", sizes=SMALL).passed


def test_words_and_formulas_are_printed_in_a_notation() -> None:
    lstm = cells.lstm
    assert spell(("of ", lstm["c_prev"], ", before all ", AtStart(lstm["c_prev"]))) == "of c_{t-1}, before all c_0"
    assert Formula("|<0>| < <1>", "<0> < <1>", (lstm["h"], lstm["c"])).render()[1] == "h_t < c_t"
