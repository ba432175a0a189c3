"""What the tests of several rooms share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.cli.calling import call_main


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in an empty directory: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    return partial(call_main, monkeypatch, capsys)
