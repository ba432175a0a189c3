import dataclasses

import pytest

from symrnn.errors import VerificationError
from symrnn.verification.report import Check, Report

GOOD = Check("forward equations", "exact", "d_h = 1 2", 0, None, True)
CLOSE = Check("gradients of one step", "complex step", "d_h = 1 2", 3.14e-16, 1e-12, True)
WRONG = Check("adjoint", "exact", "d_h = 1 2", 2, None, False, "equation (16) δa = δf is wrong\nand more")
FAR = Check("backward", "generated code", "T=5", 0.25, 1e-12, False, "grads['W'] is wrong")


def test_a_report_is_a_table():
    assert str(Report("lstm", (GOOD, CLOSE))) == (
        "check                  method        sizes      error    tolerance  verdict\n"
        "---------------------  ------------  ---------  -------  ---------  -------\n"
        "forward equations      exact         d_h = 1 2  0        exact      passed\n"
        "gradients of one step  complex step  d_h = 1 2  3.1e-16  1e-12      passed\n"
        "\n"
        "lstm: all 2 checks passed"
    )


def test_failures_follow_with_their_details():
    text = str(Report("lstm", (GOOD, WRONG, FAR)))
    assert text.endswith(
        "\n\nadjoint (exact): not proved\n"
        "  equation (16) δa = δf is wrong\n"
        "  and more\n\n"
        "backward (generated code): FAILED\n"
        "  grads['W'] is wrong\n\n"
        "lstm: 2 of 3 checks failed"
    )


@pytest.mark.parametrize(
    ("checks", "passed"), [((GOOD,), True), ((GOOD, CLOSE), True), ((GOOD, WRONG), False), ((FAR,), False), ((), False)]
)
def test_a_report_passes_when_every_check_does(checks, passed):
    report = Report("lstm", checks)
    assert report.passed is passed
    if passed:
        report.raise_if_failed()
    else:
        with pytest.raises(VerificationError) as caught:
            report.raise_if_failed()
        assert str(caught.value) == str(report)


def test_reports_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GOOD.passed = False
    with pytest.raises(dataclasses.FrozenInstanceError):
        Report("lstm", ()).cell = "gru"


@pytest.mark.parametrize(
    ("check", "verdict"), [(GOOD, "passed"), (CLOSE, "passed"), (WRONG, "not proved"), (FAR, "FAILED")]
)
def test_what_fails_exactly_is_not_proved(check, verdict):
    assert check.verdict == check.row[-1] == verdict
