"""The command line as a test calls it."""

from __future__ import annotations

import sys

import pytest

from symrnn.cli.app import main


def call_main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command line."""
    monkeypatch.setattr(sys, "argv", ["symrnn", *arguments])
    code = 0
    try:
        main()
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else 0 if leave.code is None else 1
    out, err = capsys.readouterr()
    return code, out, err
