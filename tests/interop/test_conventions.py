"""The table itself: every cell exists, every parameter has its place, every order is an order."""

from __future__ import annotations

from collections import Counter

import pytest

from symrnn import cells
from symrnn.cells.known_as import KNOWN_AS
from symrnn.errors import InputError, UnknownNameError
from symrnn.interop import CONVENTIONS, Convention, frameworks, kinds
from symrnn.interop.containers import CONTAINERS
from symrnn.interop.conventions import rows
from symrnn.interop.forms import FORMS

ROWS = pytest.mark.parametrize("row", CONVENTIONS, ids=lambda row: f"{row.framework}-{row.layers[0]}-{row.kind}")


@ROWS
def test_the_arrays_hold_exactly_the_cells_parameters(row: Convention) -> None:
    assert Counter(row.slots) == Counter(cells[row.cell].parameters)


@ROWS
def test_gates_are_the_cells_and_in_the_order_of_the_arrays(row: Convention) -> None:
    weights = [name for name in row.slots if name.startswith("W") and name != "W_h"]
    assert [name.partition("_")[2] for name in weights] == list(row.gates)
    assert len(row.letters) == len(row.gates) == len(set(row.gates))


@ROWS
def test_states_are_the_cells(row: Convention) -> None:
    assert sorted(row.states) == sorted(cells[row.cell].states)


@ROWS
def test_the_rest_of_a_row_is_there(row: Convention) -> None:
    assert row.container in CONTAINERS
    assert row.cell in FORMS
    assert row.source
    assert row.initial
    assert row.forget_bias == 0 or "b_f" in row.slots
    names = [entry.name for entry in row.entries]
    assert len(set(names)) == len(names)


@ROWS
def test_a_row_can_be_named(row: Convention) -> None:
    assert row in rows(row.framework, row.kind)
    assert row in rows(row.framework, row.layers[0])
    assert row.kind in kinds(row.framework)


def test_frameworks() -> None:
    first = ("torch", "keras", "flax", "nnx", "onnx", "cudnn", "tf1", "haste")
    assert frameworks() == (*first, "paddle", "mxnet", "mlx", "openvino", "matlab")


def test_a_family_has_all_its_kinds() -> None:
    assert [row.kind for row in rows("keras", "gru") if not row.former] == ["gru_reset_after", "gru_reset_before"]
    assert [row.layers for row in rows("torch", "gru")] == [("GRU",), ("GRUCell",)]


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="no framework 'caffe'\n  there are torch, keras"):
        rows("caffe")
    with pytest.raises(InputError, match="haste has no kind 'mgu'\n  it has lstm, gru_reset_after, LSTM, GRU"):
        rows("haste", "mgu")


@pytest.mark.parametrize("name", FORMS)
def test_forms_are_cells_of_the_library(name: str) -> None:
    assert name in cells.names()


@ROWS
def test_the_librarys_table_of_names_says_the_same(row: Convention) -> None:
    framework = {"nnx": "flax.nnx"}.get(row.framework, row.framework)
    aliases = {alias.alias: alias.cell for alias in KNOWN_AS}
    for layer in row.layers:
        name = f"{framework}.{layer}"
        if len(rows(row.framework, layer)) == 1 and name in aliases:
            assert aliases[name] == row.cell
