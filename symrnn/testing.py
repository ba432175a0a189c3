"""Hand-written gradients in a test: an assertion whose message is the report.

For `unittest`, or a plain script, as well as for pytest; which also has the fixture `check_gradients`, see
`symrnn.pytest_plugin`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from symrnn.errors import SymrnnError, VerificationError

if TYPE_CHECKING:
    from symrnn.findings.report import GradientReport

__all__ = ["assert_gradients"]

Inputs = Mapping[str, Any] | Callable[..., Any]


def assert_gradients(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: Inputs, **options: Any
) -> GradientReport:
    """Check hand-written gradients, and stop where one of them is not right.

    Args:
        forward: the forward pass, called as `forward(**inputs)`.
        backward: the backward pass, called with one cotangent an output, and the cache if forward returns one.
        inputs: the arguments of forward; or a function of a generator, or of `rng`, `T` and `N`, that makes them.
        **options: as for `check_gradients`.

    Returns:
        The report, where all is right.

    Raises:
        VerificationError: a gradient is not right; an `AssertionError` whose text is the verdict and the report.
        SymrnnError: the functions cannot be checked.
    """
    __tracebackhide__ = True
    report = checked(forward, backward, inputs, options)
    try:
        report.raise_if_failed()
    except VerificationError as error:
        # Without the frames of this package: the test's own line and the report are what is read.
        raise error.with_traceback(None) from None
    return report


def checked(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: Inputs, options: Mapping[str, Any]
) -> GradientReport:
    """The report; an error of the caller's arises here, not deep inside."""
    __tracebackhide__ = True
    # Here, so that importing an assertion for a test module costs no SymPy; it is needed once a test runs.
    from symrnn.gradients.check import check_gradients

    try:
        report: GradientReport = check_gradients(forward, backward, inputs, **options)
    except SymrnnError as error:
        raise error.with_traceback(None) from None
    return report
