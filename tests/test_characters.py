"""No character that gives orders, turns the reading direction or hides comes out of any door, whatever goes in."""

from __future__ import annotations

import ast
import html
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from symrnn import Cell, check_gradients, derive, generate, jacobian
from symrnn.characters import clean, clean_lines, escaped_program, is_shown, printable
from symrnn.cli.app import main
from symrnn.documents import write
from symrnn.errors import InputError, SymrnnError
from symrnn.language import read_cells_file
from symrnn.printers.notation import find_notation
from symrnn.targets.generation import generate_source
from tests.documents.forms import TEXTS

HIDDEN = [
    *map(chr, (*range(0x20), *range(0x7F, 0xA0))),  # C0, DEL, C1
    *"\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067",
    *"\u2068\u2069\ufeff\ufff9\u3164\u115f\ufe0f\U000e0041\ud800\udc80\udfff",
]
NAMED = {f"U+{ord(c):04X}": c for c in HIDDEN}
QUOTING = ['"""', "'''", "\\", '\\"', "\\N", "\\u", '"', "'", '""', "\\\\", '\\"""', '"\\', "#", "%", "{", "}", "\\x41"]
ESCAPES = "".join(f"<{c}>" for c in HIDDEN)


def cell_with(docstring: str) -> Cell:
    """A cell whose docstring has this value, whatever has to be escaped for it."""
    literal = ascii(docstring)
    return Cell.from_source(f"def f(x, h, *, W):\n    {literal}\n    h = tanh(W @ x + h)\n    return h\n")


def assert_harmless(text: str) -> None:
    """Only what a reader sees, and line ends."""
    found = sorted({f"U+{ord(c):04X}" for c in text if c != "\n" and not is_shown(c) and c != "\u00a0"})
    assert found == []


def outputs(cell: Cell) -> Iterator[str]:
    """Everything that is made of a cell."""
    derivation = derive(cell)
    for form in TEXTS:
        yield write(derivation, form)
    source = generate_source(cell, "numpy", ("jvp", "rtrl"))
    ast.parse(source)
    yield from (source, str(cell), repr(cell), cell.docstring, cell.title, cell.section("Source"))
    yield from (str(cell.equations), str(derivation), str(jacobian(cell, "h", "h_prev")))
    yield str(cell.definition.__doc__)


@pytest.mark.parametrize("character", HIDDEN, ids=NAMED)
def test_what_is_hidden_is_known(character: str) -> None:
    assert not is_shown(character)
    assert_harmless(printable(f"a{character}b"))
    assert "a" in clean(f"a{character}b")
    assert "b" in clean(f"a{character}b")
    assert_harmless(clean_lines(f"a{character}b"))
    assert_harmless(escaped_program(f"a{character}b").replace("\t", "").replace("\r", ""))


def test_nothing_that_is_seen_is_taken_away() -> None:
    for point in range(0x21, 0x2FFF):
        character = chr(point)
        if unicodedata.category(character)[0] in "LNPSM" and character not in HIDDEN and is_shown(character):
            assert printable(character) == character
            assert clean(character) == unicodedata.normalize("NFC", character)
    assert printable("中文 Привет ελ é 🙂") == clean("中文 Привет ελ é 🙂") == "中文 Привет ελ é 🙂"


@pytest.mark.sampled(12)
@pytest.mark.parametrize("words", [ESCAPES, f"{ESCAPES}.\n\n    Source: {ESCAPES}\n    Variant: {ESCAPES}", *QUOTING])
@pytest.mark.parametrize("around", ["Title.\n\n    Source: {}\n    Wrong: {}", "{}", "a {} b"])
def test_docstrings(words: str, around: str) -> None:
    for text in outputs(cell_with(around.replace("{}", words))):
        assert_harmless(text)


def test_a_docstring_keeps_its_words() -> None:
    cell = cell_with("One\x00two\x1b[31m \u202ethree\u202c.\n\n    Source: A\u200b\u2028B (2000)\n")
    assert cell.title == "Onetwo[31m three"
    assert cell.section("Source") == "A B (2000)"
    module = generate(cell_with('a\x00b "quoted" and \\ '))
    assert "ab 'quoted' and" in module.source


@pytest.mark.sampled(12)
@pytest.mark.parametrize("character", HIDDEN, ids=NAMED)
def test_characters_in_the_text_of_a_cell(character: str) -> None:
    text = f'def f(x, h, *, W):\n    """A {character} b."""\n    h = tanh(W @ x + h)  # {character}\n    return h\n'
    try:
        cell = Cell.from_source(text)
    except SymrnnError as error:
        assert_harmless(str(error))
        return
    for shown in outputs(cell):
        assert_harmless(shown.replace("\t", " ").replace("\r", "\n"))
    assert str(Cell.from_source(cell.source)) == str(cell)


@pytest.mark.parametrize("character", HIDDEN, ids=NAMED)
def test_messages(character: str, tmp_path: Path) -> None:
    name = f"a{character}b"
    wrong = [
        lambda: find_notation(name),
        lambda: write(derive(cell_with("")), name),
        lambda: write(derive(cell_with("")), "text", layout=name),
        lambda: jacobian(cell_with(""), name, "h_prev"),
        lambda: jacobian(cell_with(""), "h", "h_prev", name),
        lambda: generate(cell_with(""), target=name),
        lambda: generate(cell_with(""), functions=[name]),
        lambda: read_cells_file(tmp_path / f"{name}.py"),
        lambda: Cell.from_source(f"def f(x, h):\n    h = x + {name}\n    return h\n", file=name),
        lambda: Cell.from_source("def f(x, h):\n    return h\n", name=name, file=name),
        lambda: cell_with("")[name],
    ]
    for act in wrong:
        with pytest.raises(SymrnnError) as caught:
            act()
        assert_harmless(str(caught.value))


def test_every_message_is_made_harmless() -> None:
    assert str(InputError("one\ntwo\x1b[0m\u202e")) == "one\ntwo\\x1b[0m\\u202e"


COMMANDS = [
    ["derive", "{}"],
    ["derive", "lstm", "--to", "{}"],
    ["derive", "lstm", "--notation", "{}"],
    ["derive", "lstm", "--with", "{}"],
    ["derive", "lstm", "--layout", "{}"],
    ["derive", "lstm", "-o", "{}.xyz"],
    ["derive", "{}.py:f"],
    ["jacobian", "lstm", "{}", "h_prev"],
    ["jacobian", "lstm", "h", "h_prev", "--steps", "{}"],
    ["jacobian", "lstm", "h", "h_prev", "--holding", "{}"],
    ["generate", "lstm", "--target", "{}"],
    ["cells", "--family", "{}"],
    ["check", "{}.py"],
    ["verify", "{}"],
    ["{}"],
    ["derive", "--{}"],
    ["derive", "lstm", "{}"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_command_line(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    value = "".join(c for c in HIDDEN if c not in "\0\n" and not "\ud800" <= c <= "\udfff")
    monkeypatch.setattr(sys, "argv", ["symrnn", *(part.replace("{}", f"a{value}b") for part in command)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert_harmless(said.err)
    assert "x1b" in said.err or "--steps" in command


def test_a_report_on_code_with_hidden_characters() -> None:
    def forward(x: float) -> float:
        return x * x

    def backward(x: float, grad: float) -> dict[str, float]:
        raise ValueError(ESCAPES)

    report = check_gradients(forward, backward, {"x": 2.0})
    assert_harmless(str(report))
    assert_harmless(html.unescape(report._repr_html_()))
    assert_harmless(report.to_json())


@pytest.mark.skipif(os.name == "nt", reason="names of files have no such characters there")
def test_a_file_with_such_a_name(tmp_path: Path) -> None:
    name = "a" + "".join(c for c in HIDDEN if c not in "\0\n/" and not "\ud800" <= c <= "\udfff")[:60] + ".py"
    (tmp_path / name).write_text("def f(x, h, *, W):\n    h = W @ x + hh\n    return h\n")
    run = subprocess.run(
        [sys.executable, "-m", "symrnn", "derive", name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 2
    assert_harmless(run.stderr)
