"""From what tests found to the lines of a report: the same for every kind of check.

An exact test says in words what is wrong, and nothing where nothing is.  A test in floating point says how far off
something is, of which a tolerance makes a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from symrnn.runs.sizes import CellAtSizes, show
from symrnn.verification.report import EXACT, Check

UNDEFINED = "no point found at which nothing divides by zero"
"""What an exact test says where it has nothing to look at."""

_Looked = TypeVar("_Looked")


@dataclass(frozen=True)
class Deviation:
    """One comparison: how far off, of what, and a sentence for when that is too far."""

    error: float
    sentence: str


def conclude(name: str, method: str, sizes: str, deviations: Sequence[Deviation], tolerance: float) -> Check:
    """A check from all comparisons; an error that is no number fails."""
    wrong = [one for one in deviations if not one.error <= tolerance]
    # A negative error does not exist; nan compares false and is looked for below.
    error = max((one.error for one in deviations if one.error >= 0), default=0.0)
    if any(np.isnan(one.error) for one in deviations):
        error = np.nan
    detail = "\n".join(dict.fromkeys(one.sentence for one in wrong))
    return Check(name, method, sizes, float(error), tolerance, not wrong, detail)


def conclude_exactly(name: str, sizes: str, wrong: Iterable[str], checked: int = 1) -> Check:
    """An exact check from the sentences of all tests that failed; where nothing was checked it does not hold."""
    found = list(wrong)
    return Check(name, EXACT, sizes, len(found), None, not found and checked > 0, "\n".join(dict.fromkeys(found)))


def check_at_points(
    tests: Iterable[tuple[str, Callable[[_Looked], str]]], points: Sequence[tuple[CellAtSizes, _Looked | None]]
) -> Iterator[Check]:
    """Every test at a point for each choice of sizes; what is wrong is told once, with the sizes at which it is seen.

    Args:
        tests: what the report calls it, and what says what is wrong at a point.
        points: choices of sizes, each with a point; None where none was found.
    """
    for name, test in tests:
        wrong = [(layout, said) for layout, point in points if (said := _ask(test, point))]
        detail = f"{wrong[0][1]}\nseen at {show([layout for layout, _ in wrong])}" if wrong else ""
        yield Check(name, EXACT, show([layout for layout, _ in points]), len(wrong), None, not wrong, detail)


def _ask(test: Callable[[Any], str], point: Any) -> str:
    if point is None:
        return UNDEFINED
    try:
        return test(point)
    except ZeroDivisionError:
        return UNDEFINED
    except KeyError as error:
        return f"an equation reads {error} before it has a value"
