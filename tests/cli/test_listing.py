"""The library and its verification at the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from symrnn import cells
from symrnn.cells.counting import count, formula
from symrnn.cli.listing import short_source, verifications
from symrnn.verification import many
from symrnn.verification.report import Check, Report

Run = Callable[..., tuple[int, str, str]]


# --- the library ------------------------------------------------------------------------------------------------------


def test_the_list_has_every_cell_under_its_family_in_100_columns(run: Run) -> None:
    code, out, err = run("cells")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 100
    listed = [line.split()[0] for line in lines if line.split()[:1] and line.split()[0] in cells.names()]
    families = [name for name in cells.families() if any(line.startswith(f"{name}  ") for line in lines)]
    assert families == list(cells.families())
    assert [name for name in cells.names() if name in listed] == list(cells.names())


def test_a_line_of_the_list_has_states_gates_formulas_and_source(run: Run) -> None:
    out = run("cells", "--family", "lstm")[1]
    (line,) = [line for line in out.splitlines() if line.startswith("lstm ") and "h, c" in line]
    assert line.split() == "lstm h, c 3 4nm + 4n² + 4n 4nm + 4n² Hochreiter 1997".split()


def test_one_family_can_be_listed(run: Run) -> None:
    out = run("cells", "--family", "gru")[1]
    listed = {line.split()[0] for line in out.splitlines() if line} & set(cells.names())
    assert listed >= set(cells.names("gru"))
    assert not listed & set(cells.names("lstm"))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", cells.names())
def test_every_cell_has_a_page(run: Run, name: str) -> None:
    code, out, err = run("cells", name)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 110  # accents that combine take no column
    flat = " ".join(out.split())
    cell, counts = cells[name], count(cells[name])
    for heading in ("Source", "Variant", "Not", "Wrong"):
        assert " ".join(cell.section(heading).split()) in flat
    for part in ("Forward equations", "Names and shapes", formula(counts.parameters), formula(counts.multiply_adds)):
        assert part in flat
    for alias in cells.aliases(name):
        assert f"- {alias.alias}" in out


def test_a_cell_of_ones_own_has_a_page_too(run: Run) -> None:
    Path("lstm.py").write_text("def lstm(x, h, *, W):\n    h = tanh(W @ x + h)\n    return h\n")
    code, out, _ = run("cells", "lstm.py")
    assert code == 0
    assert "Family" not in out  # it is not the library's
    assert "parameters: d_h d_x" in out


def test_a_cell_is_found_by_the_name_that_it_has_elsewhere(run: Run) -> None:
    assert run("cells", "torch.GRU") == run("cells", "gru_reset_after_two_biases")


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Hochreiter & Schmidhuber (1997), Neural Computation", "Hochreiter 1997"),
        ("Zhou, Wu, Zhang & Zhou (2016), arXiv:1603.09420.", "Zhou 2016"),
        ("Elman (1990)", "Elman 1990"),
        ("Flax, flax.linen.MGUCell (0.12); Zhou (2016)", "Flax"),
        ("PyTorch, torch.nn.LSTM; cuDNN", "PyTorch"),
        ("", ""),
    ],
)
def test_sources_are_shortened_to_who_and_when(text: str, short: str) -> None:
    assert short_source(text) == short


# --- verifying all of it ----------------------------------------------------------------------------------------------


@pytest.fixture
def small_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "names", lambda family=None: ("rnn", "gru", "indrnn"))


@pytest.mark.usefixtures("small_library")
@pytest.mark.parametrize("jobs", [(), ("--jobs", "1"), ("-j", "2")])
def test_verify_all_is_a_line_for_each_cell(run: Run, jobs: tuple[str, ...]) -> None:
    code, out, err = run("verify", "--all", *jobs)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["cell", "exact", "numeric", "worst", "error", "verdict"]
    assert [line[0] for line in lines[1:4]] == ["rnn", "gru", "indrnn"]
    assert all(line[1:3] == ["6", "9"] and line[-1] == "passed" for line in lines[1:4])
    assert out.endswith("\n3 cells: all passed\n")


@pytest.mark.usefixtures("small_library")
def test_verify_all_shows_in_full_what_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Check("adjoint", "exact", "d_h = 2", 1, None, False, "equation (3) is wrong")
    monkeypatch.setattr(many, "verify", lambda cell: Report(cell.name, (wrong,) if cell.name == "gru" else (RIGHT,)))
    code, out, _ = run("verify", "--all", "--jobs", "1")
    assert code == 1
    assert "equation (3) is wrong" in out
    assert out.count("check  ") == 1
    assert out.endswith("\n3 cells: 1 failed, gru\n")


RIGHT = Check("forward", "generated code", "T=5", 1e-15, 1e-12, True)


def test_named_cells_are_shown_in_full_and_once(run: Run) -> None:
    out = run("verify", "rnn", "indrnn", "rnn", "--jobs", "2")[1]
    assert [line for line in out.splitlines() if "checks passed" in line] == [
        "rnn: all 15 checks passed",
        "indrnn: all 15 checks passed",
    ]


def test_an_error_that_is_no_number_is_the_worst() -> None:
    nan = Check("forward", "generated code", "T=5", float("nan"), 1e-12, False)
    table = verifications([Report("rnn", (RIGHT, nan))])[0]
    assert list(table.columns[3].cells) == ["nan"]
    assert list(table.columns[2].cells) == ["1 of 2"]


@pytest.mark.parametrize("whole_terminal", [True, False])
def test_an_interrupt_leaves_cleanly(whole_terminal: bool) -> None:
    command = [sys.executable, "-m", "symrnn", "verify", "--all", "--jobs", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    time.sleep(3)
    if whole_terminal:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert_ends(process.pid)


def assert_ends(group: int) -> None:
    """Nobody of a process group is left, or not for long."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError("a process is left")
