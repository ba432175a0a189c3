"""A notebook is valid, and what it says of its code is checked when it runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from symrnn import Cell, cells, derive
from symrnn.documents import jacobian_document, write
from tests.documents.conftest import derivation_of

AUTONOMOUS = "def auto(h, *, U):\n    h = tanh(U @ h)\n    return h\n"
SEVERAL = 'def two(x, u: "d_u", h, *, W, U, V: "d_h, d_u"):\n    h = tanh(W @ x + V @ u + U @ h)\n    return h\n'


def code_of(text: str) -> list[str]:
    return [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


def run_cells(code: list[str]) -> None:
    names: dict[str, Any] = {"__name__": "notebook"}
    for one in code:
        exec(one, names)


@pytest.mark.parametrize("name", ["lstm", "matrix_state"])
def test_the_check_of_a_notebook_passes(name: str) -> None:
    run_cells(code_of(write(derivation_of(name), "ipynb")))


@pytest.mark.parametrize("text", [AUTONOMOUS, SEVERAL])
def test_inputs_are_as_many_as_the_cell_has(text: str) -> None:
    run_cells(code_of(write(derive(Cell.from_source(text)), "ipynb")))


def test_the_check_of_a_notebook_can_fail() -> None:
    functions, check = code_of(write(derive(cells.rnn), "ipynb"))
    wrong = functions + "\n\nright = backward\ndef backward(*args):\n"
    wrong += "    grads, *more = right(*args)\n    return {**grads, 'U': 1.01 * grads['U']}, *more\n"
    with pytest.raises(AssertionError):
        run_cells([wrong, check])


def test_a_notebook_has_the_sections_of_the_document() -> None:
    text = write(derive(cells.gru), "ipynb")
    cells_ = json.loads(text)["cells"]
    assert cells_[0]["source"].startswith("# Gated recurrent unit")
    assert [c["source"].partition("\n")[0] for c in cells_ if c["id"] in ("forward", "backward")] == [
        "## 1. Forward equations",
        "## 2. Backward through one step",
    ]
    assert len({c["id"] for c in cells_}) == len(cells_)


def test_a_jacobian_s_notebook_has_no_code() -> None:
    assert code_of(write(jacobian_document(derive(cells.gru), "h", "h_prev"), "ipynb")) == []


@pytest.mark.peer
def test_a_notebook_is_valid() -> None:
    nbformat = pytest.importorskip("nbformat")
    for language in ("en", "zh"):
        nbformat.validate(nbformat.reads(write(derivation_of("lstm"), "ipynb", language=language), 4))
