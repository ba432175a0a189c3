"""PDF by the TeX that is installed: chosen by what the document needs, bounded, and whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from symrnn import Cell, derive
from symrnn.calculus.derivation import Derivation
from symrnn.documents import pdf, write
from symrnn.errors import InputError, SymrnnError
from tests.documents.conftest import derivation_of

Install = Callable[..., None]


def titled(title: str) -> Derivation:
    return derive(Cell.from_source(f'def f(x, h, *, W):\n    """{title}."""\n    h = tanh(W @ x + h)\n    return h\n'))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes programs of these names the only ones there are."""

    def installed(*names: str, script: str = "exit 1") -> None:
        for name in names:
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return installed


@pytest.mark.parametrize(
    ("installed", "title", "language", "taken"),
    [
        (("pdflatex", "lualatex"), "Plain", "en", "pdflatex"),
        (("lualatex", "xelatex"), "Plain", "en", "lualatex"),
        (("tectonic",), "Plain", "en", "tectonic"),
        (("pdflatex", "lualatex"), "一个单元", "en", "lualatex"),
        (("pdflatex", "lualatex", "xelatex"), "Plain", "zh", "xelatex"),
    ],
)
def test_an_engine_that_has_the_letters_is_taken(
    install: Install, installed: tuple[str, ...], title: str, language: str, taken: str
) -> None:
    install(*installed)
    with pytest.raises(SymrnnError, match=f"PDF: {taken} stopped"):
        write(titled(title), "pdf", language=language)


@pytest.mark.parametrize(
    ("installed", "title", "said"),
    [
        ((), "Plain", "no TeX is installed: none of pdflatex, lualatex, xelatex, tectonic is there"),
        (("pdflatex",), "一个单元", "pdflatex has no letters beyond Latin, and none of lualatex"),
    ],
)
def test_what_to_install_is_said(install: Install, installed: tuple[str, ...], title: str, said: str) -> None:
    install(*installed)
    with pytest.raises(InputError) as caught:
        write(titled(title), "pdf")
    assert said in str(caught.value)
    for system in ("Debian, Ubuntu: apt install", "Fedora", "macOS", "Windows", "end the file in .tex"):
        assert system in str(caught.value)


def test_what_tex_says_is_told_in_one_message(install: Install) -> None:
    install("pdflatex", script='echo "! Undefined control sequence." > document.log; exit 1')
    with pytest.raises(SymrnnError, match=r"pdflatex stopped: ! Undefined control sequence\.\n  end the file in \.tex"):
        write(titled("Plain"), "pdf")
    install("pdflatex", script='echo "! LaTeX Error: File \\`lmodern.sty\' not found." > document.log; exit 1')
    with pytest.raises(SymrnnError, match=r"pdflatex has no lmodern\.sty\n  Debian"):
        write(titled("Plain"), "pdf")


def test_an_endless_run_is_ended(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_PATIENCE", 0.3)
    install("pdflatex", script="while :; do :; done")
    with pytest.raises(SymrnnError, match=r"did not end within 0\.3 s"):
        write(titled("Plain"), "pdf")


def test_it_runs_again_until_references_are_known(install: Install, tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = f'echo x >> {count}; echo "Rerun to get cross-references right" > document.log; echo made > document.pdf'
    install("pdflatex", script=script)
    assert write(titled("Plain"), "pdf") == b"made\n"
    assert count.read_text() == "x\n" * 3


def test_nothing_is_run_by_the_document(install: Install, tmp_path: Path) -> None:
    said = tmp_path / "said"
    install("pdflatex", script=f'echo "$@" > {said}; exit 1')
    with pytest.raises(SymrnnError):
        write(titled("Plain"), "pdf")
    assert said.read_text().startswith("-no-shell-escape -interaction=nonstopmode -halt-on-error")


@pytest.mark.peer
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_a_pdf_is_made() -> None:
    made = write(derivation_of("lstm"), "pdf")
    assert made.startswith(b"%PDF-")
    assert b"%%EOF" in made[-32:]
    assert made == write(derivation_of("lstm"), "pdf")


@pytest.mark.peer
@pytest.mark.skipif(shutil.which("xelatex") is None, reason="xelatex is not installed")
def test_a_pdf_in_chinese_is_made() -> None:
    assert write(derivation_of("mlstm"), "pdf", language="zh").startswith(b"%PDF-")
