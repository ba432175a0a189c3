"""Fragments in documents of other people: journals' columns, hyperlinks, two derivations of one cell."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.compiled import HOSTS, Run, compile_fragments, is_installed, read_log, write_fragments
from symrnn import cells, choices, derive

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed"),
]
# A plain cell, one of every kind of line, and the longest formulas.
SAMPLE = ("rnn", "lstm", "gru_reset_after", "mlstm")


def assert_clean(run: Run) -> None:
    assert run.errors == []
    assert run.boxes == []
    assert (run.undefined, run.twice) == (0, 0)
    assert run.pages > 0


@pytest.mark.parametrize("host", HOSTS)
def test_fragments_fit_their_host(host: str, tmp_path: Path) -> None:
    width, needed, preamble = HOSTS[host]
    if not is_installed(needed):
        pytest.skip(f"{needed} is not installed")
    fragments = [one for level in choices.LEVELS for one in write_fragments(SAMPLE, level, width)]
    assert_clean(compile_fragments(preamble, fragments, tmp_path))


def test_one_cell_twice_has_labels_of_its_own(tmp_path: Path) -> None:
    derivation = derive(cells.gru)
    twice = [
        (name, derivation.latex(notation, prefix=name)) for name, notation in (("one", "bold"), ("two", "partial"))
    ]
    preamble = HOSTS["page"][2] + "\\usepackage{hyperref}\n"
    assert_clean(compile_fragments(preamble, twice, tmp_path))
    same = compile_fragments(preamble, [("one", derivation.latex()), ("two", derivation.latex())], tmp_path)
    assert same.twice > 0


@pytest.mark.parametrize("gates", choices.GATES)
def test_mentions_are_the_numbers_of_the_host(gates: str, tmp_path: Path) -> None:
    """The host's own equation comes first, so what is (1) in the derivation is (2) there."""
    fragment = derive(cells.lstm).latex(gates=gates, sections="forward,backward,time")
    assert_clean(compile_fragments(HOSTS["page"][2], [("lstm", fragment)], tmp_path))
    aux = (tmp_path / "host.aux").read_text(encoding="utf-8")
    numbers = dict(re.findall(r"\\newlabel\{lstm:([^}]*)\}\{\{(.*?)\}\{\d+\}", aux))
    assert numbers["h_bar:time"] == r"{\ref {lstm:h_bar}$'$}"  # the number of (7) with a prime, whatever it is
    if gates == "each":
        assert [numbers[label] for label in "figoch"] == ["2", "3", "4", "5", "6", "7"]


def test_a_brief_lstm_is_one_page(tmp_path: Path) -> None:
    document = derive(cells.lstm).latex(fragment=False, level="brief")
    (tmp_path / "host.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "host.tex"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=240)
    run = read_log((tmp_path / "host.log").read_text(encoding="utf-8", errors="replace"))
    assert (run.errors, run.boxes, run.pages) == ([], [], 1)


def test_what_does_not_fit_is_noticed(tmp_path: Path) -> None:
    wide = [("lstm", derive(cells.lstm).latex(width="page"))]
    assert compile_fragments(HOSTS["column"][2], wide, tmp_path).boxes
    assert compile_fragments(HOSTS["page"][2], [("a", "\\undefinedcommand $\\eqref{none}$")], tmp_path).errors
    assert compile_fragments(HOSTS["page"][2], [("a", "\\eqref{none}")], tmp_path).undefined
