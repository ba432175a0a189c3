"""The library as a whole: every cell, whatever there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from symrnn import cells, derive, variants, verify
from symrnn.cells.known_as import KNOWN_AS
from symrnn.documents import derivation_document, write
from symrnn.errors import UnknownNameError
from symrnn.language import read_cells_file
from symrnn.language.recurrence import Cell
from symrnn.variants.wording import Wording, equation_texts, stem

NAMES = pytest.mark.parametrize("name", cells.names())
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.sampled(8)
@pytest.mark.parametrize("name", cells.names())
def test_cell_passes_every_check(name: str) -> None:
    verify(cells[name]).raise_if_failed()


@NAMES
def test_cell_is_found_in_every_way(name: str) -> None:
    assert isinstance(cells.lookup(name), Cell)
    assert cells[name] is cells.lookup(name)
    assert getattr(cells, name) is cells.lookup(name)
    assert name in dir(cells)
    assert cells[name].name == name
    assert name in cells.names(cells.family(name))


@NAMES
def test_cell_says_where_it_is_from_and_what_it_is_not(name: str) -> None:
    cell = cells[name]
    assert cell.title
    assert not cell.title.endswith(".")
    for heading in ("Source", "Variant", "Not"):
        assert cell.section(heading), heading
        assert cell.section(heading).endswith(".")
    assert bool(cell.section("Wrong")) == (cells.family(name) == "as found")


@NAMES
def test_docstring_states_every_equation_as_the_text_has_it(name: str) -> None:
    cell = cells[name]
    written = [
        re.split(r"\s{2,}", line.strip())[0] for line in cell.docstring.splitlines() if re.match(r"\s*\w+_t = ", line)
    ]
    lines = [(line.name, line.value) for line in cell.syntax.assignments]
    assert written == [text for _, text in equation_texts(lines, (*cell.parameters, *cell.constants), cell.states)]


@NAMES
def test_docstring_explains_every_symbol(name: str) -> None:
    cell = cells[name]
    wording = Wording.read(cell.docstring)
    for line in cell.syntax.assignments:
        assert wording.notes.get(line.name), line.name
    for parameter in (*cell.parameters, *cell.constants):
        assert wording.symbols.get(parameter) or wording.symbols.get(stem(parameter)), parameter


@NAMES
def test_text_reads_back_as_the_same_cell(name: str) -> None:
    assert Cell.from_source(cells[name].source) == cells[name]


@pytest.mark.sampled(12)
@pytest.mark.parametrize("name", cells.names())
def test_derivation_is_written_in_every_form(name: str) -> None:
    document = derivation_document(derive(cells[name]))
    for form in ("text", "markdown", "tex"):
        assert cells[name].title[:20] in write(document, form)


@pytest.mark.parametrize("family", ["simple", "long_short_term", "gated", "modern", "as_found"])
def test_a_file_of_the_library_is_a_cell_file(family: str) -> None:
    path = Path(cells.__file__).parent / f"{family}.py"
    name = {"simple": "mgu", "long_short_term": "lstm", "gated": "gru", "modern": "slstm", "as_found": "gru_found_b"}
    assert read_cells_file(path, name[family]) == cells[name[family]]


def test_families_hold_every_cell_once() -> None:
    held = [name for family in cells.families() for name in cells.names(family)]
    assert held == list(cells.names())
    assert len(set(held)) == len(held)
    with pytest.raises(
        UnknownNameError, match=r"no family 'grus' in the library\n  did you mean 'gru'\? there are plain, lstm, "
    ):
        cells.names("grus")


def test_aliases_name_cells_and_no_two_alike() -> None:
    folded = ["".join(row.alias.split()).casefold() for row in KNOWN_AS]
    assert len(set(folded)) == len(folded)
    for row in KNOWN_AS:
        assert cells.resolve(row.alias) == row.cell
        assert cells[row.alias] is cells[row.cell]
        assert row in cells.aliases(row.cell)
        assert row.alias not in cells.names()


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("torch.GRU", "gru_reset_after_two_biases"),
        ("keras.GRU", "gru_reset_after_two_biases"),
        ("keras.GRU(reset_after=False)", "gru_zold"),
        ("flax.GRUCell", "gru_reset_after"),
        ("cudnn.GRU", "gru_reset_after_two_biases"),
        ("onnx.GRU", "gru_zold_two_biases"),
        ("onnx.GRU( linear_before_reset = 1 )", "gru_reset_after_two_biases"),
        ("cho 2014", "gru_zold"),
        ("Chung 2014", "gru"),
        ("torch.LSTM(proj_size)", "lstm_projected_two_biases"),
    ],
)
def test_frameworks_and_papers_find_their_cell(alias: str, name: str) -> None:
    assert cells[alias].name == name


def test_unknown_cell_is_refused_with_close_names() -> None:
    with pytest.raises(UnknownNameError, match=r"no cell 'lsmt' in the library\n  did you mean 'lstm'"):
        cells["lsmt"]
    with pytest.raises(UnknownNameError, match=r"did you mean 'torch.GRU'"):
        cells["torch.gruu"]
    with pytest.raises(AttributeError, match="no cell 'lsmt'"):
        cells.lsmt  # noqa: B018
    with pytest.raises(UnknownNameError, match=r"\n  the library has \d+ cells"):
        cells["?"]


def test_the_library_is_a_mapping() -> None:
    assert list(cells) == list(cells.keys()) == list(cells.names())
    assert len(cells) == len(cells.names()) == len(cells.values())
    assert "lstm" in cells
    assert "torch.LSTM" in cells
    assert "lsmt" not in cells
    assert 3 not in cells
    assert cells.get("gru") is cells.gru
    assert cells.get("nothing") is None
    assert dict(cells.items())["gru"] is cells.gru
    assert {"lstm", "names", "items"} <= set(dir(cells))


def test_names_are_known_without_reading_a_cell() -> None:
    code = (
        "import sys; from symrnn import cells; print(len(cells.names()), cells.family('mlstm'), cells['GRU v3'].name);"
    )
    code += "print(sum('cell' in vars(e) for e in cells._ENTRIES.values()))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert out == [str(len(cells.names())), "modern", "gru_zold", "2"]  # gru_zold is made from gru


def test_the_readme_lists_cells_and_transformations() -> None:
    for family in cells.families():
        assert f"| {family} | {' '.join(f'`{name}`' for name in cells.names(family))} |" in README
    for name in variants.__all__:
        assert f"`{name}`" in README
