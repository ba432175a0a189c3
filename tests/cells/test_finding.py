"""What may stand where a cell is wanted, and what is said of anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from symrnn import cells, derive
from symrnn.cells.finding import find_cell
from symrnn.errors import CellError, InputError, UnknownNameError

TEXT = "def {name}(x, h, *, W, U):\n    h = tanh(W @ x + U @ h)\n    return h\n"


def test_a_cell_is_found_by_itself_by_name_and_by_what_has_it() -> None:
    for wanted in (cells.gru, "gru", derive("gru")):
        assert find_cell(wanted) == cells.gru
    assert find_cell("torch.LSTM") == cells["torch.LSTM"]


def test_a_cell_is_found_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "two.py"
    file.write_text(TEXT.format(name="first") + "\n\n" + TEXT.format(name="second"), encoding="utf-8")
    assert find_cell(f"{file}:second").name == "second"
    with pytest.raises(CellError, match="several cells are defined here: first, second"):
        find_cell(str(file))


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        ("lstn", UnknownNameError, "lstm"),
        ("def f(x):\n    return x", InputError, r"a text of 2 lines(.|\n)*from_source"),
        ([cells.gru, cells.lstm], InputError, "got 2 in a list"),
        (3, InputError, "expected a cell"),
    ],
)
def test_anything_else_is_refused_with_a_remedy(wanted, error, said) -> None:
    with pytest.raises(error, match=said):
        find_cell(wanted)
