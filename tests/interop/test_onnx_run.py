"""ONNX nodes: what no cell computes is refused, and what surrounds the cell is right where no evaluator is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symrnn import cells
from symrnn.errors import InputError
from symrnn.interop import dump
from symrnn.interop.onnx_run import run_node
from tests.interop.layers import D, random_params

T, N = 5, 3


def node(cell: str, kind: str) -> dict[str, np.ndarray]:
    x = np.random.default_rng(0).standard_normal((T, N, D))
    return {"X": x, **dump("onnx", cell, random_params(cells[cell]), kind)}


@pytest.mark.parametrize(
    ("op", "attributes", "text"),
    [
        ("LSTM", {"clip": 1.0}, "no cell of the table computes this LSTM node: clip"),
        ("LSTM", {"input_forget": 1}, "input_forget"),
        ("LSTM", {"activations": ["Sigmoid", "Relu", "Tanh"]}, r"activations=\('Sigmoid', 'Relu', 'Tanh'\)"),
        ("LSTM", {"colour": 1}, "colour"),
        ("LSTM", {"direction": "bidirectional"}, r"direction with 2 parts, and W has shape \(1, 24, 4\)"),
        ("Conv", {}, "this Conv node: unknown operator"),
    ],
)
def test_refusals(op: str, attributes: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        run_node(op, node("lstm", "lstm"), attributes)


def test_explicit_defaults_are_accepted() -> None:
    inputs = node("lstm", "lstm")
    explicit = {"direction": "forward", "activations": ["Sigmoid", "Tanh", "Tanh"], "clip": None, "input_forget": 0}
    plain, said = run_node("LSTM", inputs), run_node("LSTM", inputs, explicit | {"hidden_size": 6, "layout": 0})
    assert list(plain) == ["Y", "Y_h", "Y_c"]
    for name, value in plain.items():
        np.testing.assert_array_equal(value, said[name])


def test_the_reset_attribute_chooses_the_cell() -> None:
    inputs = node("gru_reset_after_two_biases", "gru_reset_after")
    before, after = run_node("GRU", inputs), run_node("GRU", inputs, {"linear_before_reset": 1})
    assert np.abs(before["Y"] - after["Y"]).max() > 0.01
