"""pdflatex takes what is written, and nothing runs over the margin."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from symrnn import Cell, cells, derive, diff
from symrnn.calculus.derivation import Derivation
from symrnn.documents import diff_document, jacobian_document, write
from symrnn.printers import NOTATIONS

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed"),
]

HOST = r"""\documentclass{article}
\usepackage{amsmath, amssymb}
\begin{document}
A thesis with the narrowest lines of the standard classes.
"""
OVERFULL = re.compile(r"Overfull \\hbox \(([\d.]+)pt too wide\)")


def assert_compiles(text: str, folder: Path, engine: str = "pdflatex") -> None:
    (folder / "document.tex").write_text(text, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, timeout=240, check=False)
    log = (folder / "document.log").read_text(encoding="utf-8", errors="replace").replace("\n", "")
    assert run.returncode == 0, log[-2000:]
    assert [width for width in OVERFULL.findall(log) if float(width) > 1.0] == []
    assert "multiply defined" not in log
    assert "Missing character" not in log


def test_complete_documents_compile(derivation: Derivation, notation: str, tmp_path: Path) -> None:
    assert_compiles(write(derivation, "tex", notation), tmp_path)


def test_fragments_compile_in_another_document(derivation: Derivation, notation: str, tmp_path: Path) -> None:
    assert_compiles(f"{HOST}\n{write(derivation, 'fragment', notation)}\n\\end{{document}}\n", tmp_path)


@pytest.mark.sampled(4)
def test_the_denominator_layout_compiles(derivation: Derivation, tmp_path: Path) -> None:
    assert_compiles(write(derivation, "tex", layout="denominator"), tmp_path)


@pytest.mark.parametrize(("name", "notation"), [("gru", "bold"), ("slstm", "superscript"), ("scrn", "subscript")])
def test_further_sections_compile(name: str, notation: str, tmp_path: Path) -> None:
    assert_compiles(write(derive(cells[name]), "tex", notation, further=("properties", "rewritings")), tmp_path)


@pytest.mark.parametrize(
    ("name", "of", "wrt", "options"),
    [
        ("lstm", "h", "c_prev", {"kind": "total", "steps": 3}),
        ("gru", "h", "W_n", {"kind": "total", "steps": 2, "layout": "denominator"}),
        ("mlstm", "h", "x", {"holding": "m"}),
        ("lstm_layer_norm", "h", "c_prev", {"notation": "angle"}),
    ],
)
def test_one_jacobian_compiles(name: str, of: str, wrt: str, options: dict[str, object], tmp_path: Path) -> None:
    assert_compiles(write(jacobian_document(derive(cells[name]), of, wrt, **options), "tex"), tmp_path)


@pytest.mark.parametrize("width", ["page", "column"])
@pytest.mark.parametrize(("one", "other"), [("gru", "lstm"), ("slstm", "mlstm")])
def test_two_cells_side_by_side_compile(one: str, other: str, width: str, tmp_path: Path) -> None:
    assert_compiles(write(diff_document(diff(one, other)), "tex", width=width), tmp_path)


def in_many_letters() -> Derivation:
    words = "一个简单的循环单元, Привет мир, ελληνικά, ễ x̌, 🙂, مرحبا بالعالم, שלום, हिन्दी, √2"
    text = f'    """{words}.\n\n    Source: {words} {"一个简单的循环单元" * 9}.\n    """\n'
    return derive(Cell.from_source(f"def f(x, h, *, W):\n{text}    h = tanh(W @ x + h)\n    return h\n"))


def test_words_in_any_letters_compile(tmp_path: Path) -> None:
    complete = tmp_path / "complete"  # not beside the other: what LaTeX noted of labels would be read there
    complete.mkdir()
    assert_compiles(write(in_many_letters(), "tex"), complete)
    assert_compiles(f"{HOST}\n{write(in_many_letters(), 'fragment')}\n\\end{{document}}\n", tmp_path)
    assert "compile with lualatex" in (tmp_path / "document.log").read_text(encoding="latin-1").replace("\n", "")


@pytest.mark.skipif(shutil.which("lualatex") is None, reason="lualatex is not installed")
def test_words_in_any_letters_are_set_by_an_engine_with_their_fonts(tmp_path: Path) -> None:
    assert_compiles(write(in_many_letters(), "tex"), tmp_path, "lualatex")
    if shutil.which("pdftotext") is not None:
        run = ["pdftotext", str(tmp_path / "document.pdf"), "-"]
        shown = subprocess.run(run, capture_output=True, encoding="utf-8", check=True).stdout
        assert "Привет" in shown


def test_names_as_they_are_typed_compile(tmp_path: Path) -> None:
    text = 'def f(x, h, *, W1, W_1, h_t, I: "d_h, d_h", sigma: "()"):\n'
    text += "    h = sigma * tanh(W1 @ x + W_1 @ x + h_t * h + I @ h)\n    return h\n"
    for notation in list(NOTATIONS)[::4]:
        assert_compiles(write(derive(Cell.from_source(text)), "tex", notation), tmp_path)


def test_an_uncompilable_document_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="Undefined control sequence"):
        assert_compiles(f"{HOST}\\undefinedcommand\n\\end{{document}}\n", tmp_path)


def test_a_wide_formula_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"\["):
        assert_compiles(f"{HOST}\\[ {'a + ' * 60} a \\]\n\\end{{document}}\n", tmp_path)
