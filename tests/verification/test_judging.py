"""From findings to a line of a report: nothing that is wrong, undefined or no number passes."""

import math

import pytest

from symrnn import cells
from symrnn.runs.sizes import layouts
from symrnn.verification.checks import verify
from symrnn.verification.judging import UNDEFINED, Deviation, check_at_points, conclude, conclude_exactly


@pytest.mark.parametrize(
    ("errors", "passed", "error"),
    [
        ([], True, 0.0),
        ([0.0, 1e-3], True, 1e-3),
        ([1e-3, 2e-3], False, 2e-3),
        ([0.0, math.inf], False, math.inf),
        ([math.nan, 0.0], False, math.nan),
    ],
)
def test_the_largest_error_decides(errors: list[float], passed: bool, error: float) -> None:
    deviations = [Deviation(e, f"off by {e}") for e in errors]
    check = conclude("name", "method", "sizes", deviations, 1e-3)
    assert check.passed is passed
    assert check.error == error or (math.isnan(check.error) and math.isnan(error))
    assert check.detail == "\n".join(f"off by {e}" for e in errors if not e <= 1e-3)


def test_exactly_nothing_is_allowed_and_nothing_checked_is_nothing_proved() -> None:
    assert conclude_exactly("name", "sizes", []).passed
    assert not conclude_exactly("name", "sizes", [], checked=0).passed
    wrong = conclude_exactly("name", "sizes", ["a is wrong", "a is wrong", "b is wrong"])
    assert (wrong.passed, wrong.error, wrong.detail) == (False, 3, "a is wrong\nb is wrong")


def test_what_is_wrong_is_told_once_with_the_sizes_at_which_it_is_seen() -> None:
    small, large = layouts(cells.gru, [(1, 1), (2, 3)])

    def test(point: int) -> str:
        if point == 0:
            raise ZeroDivisionError
        if point < 0:
            raise KeyError("a")
        return "too large" if point > 1 else ""

    def said(*points: int | None) -> tuple[bool, float, str]:
        (check,) = check_at_points([("name", test)], list(zip((small, large), points, strict=True)))
        return check.passed, check.error, check.detail

    assert said(1, 1) == (True, 0, "")
    assert said(1, 2) == (False, 1, "too large\nseen at d_x,d_h = 3,2")
    assert said(2, 3) == (False, 2, "too large\nseen at d_x,d_h = 1,1 3,2")
    assert said(1, None) == (False, 1, f"{UNDEFINED}\nseen at d_x,d_h = 3,2")
    assert said(0, 1) == (False, 1, f"{UNDEFINED}\nseen at d_x,d_h = 1,1")
    assert said(-1, 1)[2].startswith("an equation reads 'a' before it has a value")


def test_every_kind_of_check_is_in_a_report() -> None:
    assert {check.method for check in verify("gru").checks} == {"exact", "complex step", "generated code"}
