"""Notations on the command line: names, files, several together, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_files_and_several_together(run: Any, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[letters]\nhidden = 'y'\n", encoding="utf-8")
    code, out, _ = run("derive", "rnn", "--notation", f"angle,{mine}")
    assert code == 0
    assert "y^⟨t⟩ = tanh" in out
    code, out, _ = run("generate", "rnn", "--notation", str(mine))
    assert "# (1) y_t = tanh(W x_t + U y_{t-1} + b)" in out
    code, out, _ = run("jacobian", "rnn", "h", "h_prev", "--notation", f"{mine},bold")
    assert "∂y_t/∂y_{t-1}" in out


@pytest.mark.parametrize("command", [("derive", "rnn"), ("generate", "rnn"), ("jacobian", "rnn", "h", "h_prev")])
def test_what_is_wrong_with_a_file_is_said_in_one_message(run: Any, tmp_path: Path, command: tuple[str, ...]) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("bold = true\ntime = 'angel'\n", encoding="utf-8")
    code, out, err = run(*command, "--notation", str(wrong))
    assert (code, out) == (2, "")
    assert "wrong.toml:2: time = 'angel' is none of its values" in err
    assert "did you mean 'angle'?" in err
    assert "Traceback" not in err
