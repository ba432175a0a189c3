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
        ("LSTM", {"activations": ["Sigmoid", "Mish", "Tanh"]}, r"activations=\('Sigmoid', 'Mish', 'Tanh'\)"),
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


def sigma(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


#: ONNX's name, alpha, beta -> the function, as ONNX's text has it.
NAMED: dict[str, tuple[list[float], list[float], Any]] = {
    "HardSigmoid": ([], [], lambda a: np.clip(0.2 * a + 0.5, 0, 1)),
    "LeakyRelu": ([0.1], [], lambda a: np.where(a < 0, 0.1 * a, a)),
    "ThresholdedRelu": ([0.2], [], lambda a: np.where(a > 0.2, a, 0)),
    "Elu": ([0.7], [], lambda a: np.where(a < 0, 0.7 * (np.exp(a) - 1), a)),
    "Softsign": ([], [], lambda a: a / (1 + np.abs(a))),
    "Softplus": ([], [], lambda a: np.log(1 + np.exp(a))),
    "Affine": ([0.8], [0.1], lambda a: 0.8 * a + 0.1),
    "ScaledTanh": ([0.8], [1.5], lambda a: 0.8 * np.tanh(1.5 * a)),
}


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("place", [0, 1, 2], ids=["gates", "candidate", "output"])
def test_other_activations(name: str, place: int) -> None:
    inputs = node("lstm", "lstm")
    alpha, beta, function = NAMED[name]
    functions: list[Any] = [sigma, np.tanh, np.tanh]
    names = ["Sigmoid", "Tanh", "Tanh"]
    functions[place], names[place] = function, name
    found = run_node("LSTM", inputs, {"activations": names, "activation_alpha": alpha, "activation_beta": beta})
    f, g, h_of = functions
    W, R, B = (np.asarray(inputs[key])[0] for key in "WRB")
    H = R.shape[1]
    h = c = np.zeros((inputs["X"].shape[1], H))
    for t, x in enumerate(inputs["X"]):
        i, o, forget, candidate = np.split(x @ W.T + h @ R.T + B[: 4 * H] + B[4 * H :], 4, axis=1)
        c = f(forget) * c + f(i) * g(candidate)
        h = f(o) * h_of(c)
        np.testing.assert_allclose(found["Y"][t, 0], h, rtol=1e-9, atol=1e-9)
