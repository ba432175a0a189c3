"""Gradients in somebody's tests: the assertion, and the fixture, as pytest shows them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symrnn.errors import InputError, SymrnnError
from symrnn.testing import assert_gradients

Array = np.ndarray


def forward(a: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    return a * b, (a, b)


def backward(dy: Array, cache: tuple[Array, Array]) -> tuple[Array, Array]:
    a, b = cache
    return dy * b, dy * a


def swapped(dy: Array, cache: tuple[Array, Array]) -> tuple[Array, Array]:
    _, b = cache
    return dy * b, dy * b


def inputs(rng: np.random.Generator) -> dict[str, Array]:
    return {"a": rng.normal(size=3), "b": rng.normal(size=3)}


def test_right_gradients_pass_and_give_the_report() -> None:
    report = assert_gradients(forward, backward, inputs, diagnose=False)
    assert report.passed
    assert [finding.name for finding in report.gradients] == ["a", "b"]


def test_wrong_gradients_stop_with_the_report() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_gradients(forward, swapped, inputs, diagnose=False)
    text = str(caught.value)
    assert text == caught.value.report.failure()  # type: ignore[attr-defined]
    assert text.splitlines()[0] == "wrong: 2 gradients compared: 1 wrong, 1 right."


def test_options_are_passed_on() -> None:
    def negative(dy: Array, cache: tuple[Array, Array]) -> list[Array]:
        return [-part for part in backward(dy, cache)]

    with pytest.raises(AssertionError):
        assert_gradients(forward, negative, inputs, diagnose=False)
    assert assert_gradients(forward, negative, inputs, negated=True, diagnose=False).passed


def test_what_cannot_be_checked_is_an_error_that_arises_here() -> None:
    with pytest.raises(SymrnnError) as caught:
        assert_gradients(forward, backward, 3)  # type: ignore[arg-type]
    assert isinstance(caught.value, InputError)
    files = {Path(entry.path).name for entry in caught.traceback}
    assert files == {"test_testing.py", "testing.py"}


TESTS = """\
import numpy as np
import pytest
from symrnn.testing import assert_gradients

def forward(a, b):
    return a * b, (a, b)

def backward(dy, cache):
    a, b = cache
    return dy * b, dy * a

def swapped(dy, cache):
    _, b = cache
    return dy * b, dy * b

def inputs(rng):
    return {"a": rng.normal(size=3), "b": rng.normal(size=3)}

def test_right(check_gradients):
    assert check_gradients(forward, backward, inputs, diagnose=False).passed

def test_wrong(check_gradients):
    check_gradients(forward, swapped, inputs, diagnose=False)

def test_unusable(check_gradients):
    check_gradients(forward, backward, 3)

def test_negated(check_gradients):
    check_gradients(forward, lambda dy, cache: [-g for g in backward(dy, cache)], inputs, negated=True, diagnose=False)

def test_asserted():
    assert_gradients(forward, swapped, inputs, diagnose=False)
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Name of a test -> what pytest shows of it; `summary` for the end."""
    directory = tmp_path_factory.mktemp("theirs")
    (directory / "test_theirs.py").write_text(TESTS)
    # Blocked under the name of its entry point, so that it is loaded once, here, whether that is installed or not.
    plugin = ["-p", "no:symrnn", "-p", "symrnn.pytest_plugin", "-p", "no:cacheprovider"]
    done = _python("-m", "pytest", "test_theirs.py", "-W", "error", *plugin, directory=directory)
    assert done.returncode == 1, done.stdout + done.stderr
    parts: dict[str, str] = {}
    name = ""
    for line in done.stdout.splitlines():
        title = line.strip("_ ") if line.startswith("___") else "summary" if "short test summary" in line else ""
        name = title or name
        parts[name] = parts.get(name, "") + line + "\n"
    return parts


def _python(*arguments: str, directory: Path) -> Any:
    return subprocess.run(
        [sys.executable, *arguments], cwd=directory, capture_output=True, text=True, check=False, encoding="utf-8"
    )


def test_the_fixture_fails_exactly_where_gradients_are_wrong(shown: dict[str, str]) -> None:
    assert "3 failed, 2 passed" in shown["summary"]
    assert "test_wrong - Failed: wrong: 2 grad" in shown["summary"]
    assert "VerificationError: wrong" in shown["summary"]
    assert set(shown) >= {"test_wrong", "test_unusable", "test_asserted"}


def test_the_failure_message_is_the_report_and_nothing_else(shown: dict[str, str]) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_gradients(forward, swapped, inputs, diagnose=False)
    report = [line.rstrip() for line in str(caught.value).splitlines() if line.strip()]
    lines = [line.rstrip() for line in shown["test_wrong"].splitlines()[1:] if line.strip()]
    assert lines == report


def test_what_cannot_be_checked_is_one_message(shown: dict[str, str]) -> None:
    lines = shown["test_unusable"].splitlines()[1:]
    assert lines[0].startswith("inputs: expected a dict")
    assert len(lines) == 2


def test_the_assertion_shows_their_line_and_the_report_only(shown: dict[str, str]) -> None:
    text = shown["test_asserted"]
    assert ">       assert_gradients(forward, swapped, inputs, diagnose=False)" in text
    assert "E   " in text
    assert "testing.py" not in text.replace("test_theirs.py", "")
    assert "check_gradients(" not in text


def test_the_plugin_imports_nothing_before_it_is_used(tmp_path: Path) -> None:
    code = "import sys, pytest, symrnn.pytest_plugin, symrnn.testing\n"
    code += "heavy = {'numpy', 'sympy', 'rich', 'typer', 'latexify', 'symrnn.callables', 'symrnn.gradients.check'}\n"
    code += "found = heavy & set(sys.modules)\nassert not found, found"
    done = _python("-c", code, directory=tmp_path)
    assert done.returncode == 0, done.stderr
