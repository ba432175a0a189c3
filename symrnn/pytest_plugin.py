"""The pytest fixture `check_gradients`: a test fails with the report as its message, and no traceback.

Loaded by pytest wherever symrnn is installed, so nothing is imported before the fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from symrnn.findings.report import GradientReport


@pytest.fixture
def check_gradients() -> Callable[..., GradientReport]:
    """Checks hand-written gradients: `check_gradients(forward, backward, inputs, **options)`.

    The arguments are those of `symrnn.check_gradients`.  Where a gradient is not right, or cannot be checked, the test
    fails and shows the report; otherwise the report is returned.
    """

    def check(forward: Callable[..., Any], backward: Callable[..., Any], inputs: Any, **options: Any) -> GradientReport:
        # pytest leaves a frame with this name out of what it prints.
        __tracebackhide__ = True
        from symrnn.errors import SymrnnError
        from symrnn.testing import checked

        try:
            report = checked(forward, backward, inputs, options)
            message = "" if report.passed else report.failure()
        except SymrnnError as error:
            message = str(error)
        if message:  # outside the handler, so that pytest shows no error beneath
            pytest.fail(message, pytrace=False)
        return report

    return check
