"""Weights and gradients however people hold them: a right layer passes, a scaled gradient is the one that is told."""

from __future__ import annotations

from typing import Any

import pytest

from symrnn import check_gradients
from tests.callables.more_styles import MORE
from tests.callables.styles import HELD, OPEN, Style

STYLES = OPEN | HELD | MORE


@pytest.mark.sampled(8)
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("factor", [1.5, 1.0])
def test_a_style(style: Style, factor: float) -> None:
    made, scaled = style(factor)
    report = check_gradients(*made, diagnose=False)
    problems = {problem.kind for problem in report.problems}
    assert [one.name for one in report.wrong] == ([] if factor == 1 else [scaled]), report
    assert report.passed is (factor == 1.0), report
    assert not problems & {"integer-array", "phantom-gradient", "cache-consumed", "cache-changed"}, report
    names = {one.name for one in report.gradients}
    assert {name for name in names if not name.startswith("x")} == _weights(made), report


def _weights(made: Any) -> set[str]:
    """The leaf paths of what is trained: no data, no initial state, nothing that an optimizer keeps."""
    from symrnn.callables.comparison import collect_floats
    from symrnn.callables.draws import Draws

    paths = collect_floats(Draws(made[2]).first(0))
    left_out = ("x", "y", "X", "Y", "h0", "batch", "state['", "targets", "m[", "v[")
    return {path for path in paths if not path.startswith(left_out)}
