"""pdflatex sets the pictures, alone and inside of a document."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from symrnn.language.recurrence import Cell
from symrnn.pictures import draw
from symrnn.printers import NOTATIONS

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed"),
]

NAMES = """
def drawn(x, h_0, *, W_x_y, U1, lam: "()", b_tilde):
    h_0 = tanh(W_x_y @ x + lam * (U1 @ h_0) + b_tilde)
    return h_0
"""


def assert_compiles(text: str, folder: Path) -> None:
    (folder / "picture.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "picture.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, timeout=240, check=False)
    log = (folder / "picture.log").read_text(encoding="utf-8", errors="replace").replace("\n", "")
    assert run.returncode == 0, log[-2000:]
    assert "Missing character" not in log


def test_a_document_of_its_own(tmp_path: Path) -> None:
    assert_compiles(draw("lstm", steps=2, gradient="c").tex, tmp_path)


def test_several_in_another_document(tmp_path: Path) -> None:
    pictures = [draw("slstm", notation=name, weights=True).tikz for name in NOTATIONS]
    pictures += [draw("lstm_layer_norm").tikz, draw("gru", detail="operations", gradient="h").tikz]
    pictures += [draw(Cell.from_source(NAMES), weights=True).tikz]
    head = "\\documentclass{article}\n\\usepackage{tikz,amsmath,amssymb}\n\\begin{document}\n"
    assert_compiles(head + "\n\\clearpage\n".join(pictures) + "\\end{document}\n", tmp_path)
