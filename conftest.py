"""Switches of the test command."""

from __future__ import annotations

import os
from collections import Counter

# Tests run side by side: threads of one product that compete with another test's would only slow both down.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import settings

# The same draws every time: one in a thousand random cells takes minutes, and a run must be comparable with the one
# before it.  `benchmarks/random_cells.py` draws others.
settings.register_profile("tests", derandomize=True, database=None, deadline=None)
settings.load_profile("tests")

# Programs as people write them, read by tests that look first whether their framework is there: no tests themselves.
collect_ignore = ["tests/gradients/programs"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden files instead of comparing with them")
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failure")


@pytest.hookimpl(tryfirst=True)  # before marks are asked for
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test with the mark `sampled` one row in so many is an ordinary test, and the others are long ones."""
    seen: Counter[str] = Counter()
    for item in items:
        sampled = item.get_closest_marker("sampled")
        if sampled is not None and item.get_closest_marker("long") is None:
            name = item.nodeid.partition("[")[0]
            if seen[name] % sampled.args[0]:
                item.add_marker(pytest.mark.long)
            seen[name] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
