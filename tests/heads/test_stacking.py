"""Layers of a cell as one cell: its document is true line by line, and its gradients are those of a network by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symrnn import cells, generate, stack, verify
from symrnn.calculus.derivation import derive
from symrnn.documents import write
from symrnn.errors import InputError
from symrnn.heads import find_head, with_head
from tests.printed.test_printed import assert_true

T, D, H, K = 4, 3, 2, 5
GATES = "figo"


def network(params: dict[str, Any], x: Any, k: Any) -> Any:
    """Two LSTM layers, a softmax on the upper one, and the cross-entropy of the last step; by hand."""

    def sigma(a: Any) -> Any:
        return 1 / (1 + np.exp(-a))

    h, c = [np.zeros(H, complex)] * 2, [np.zeros(H, complex)] * 2
    for step in range(T):
        below = x[step]
        for layer in (1, 2):
            f, i, g, o = (
                params[f"W_{n}_{layer}"] @ below + params[f"U_{n}_{layer}"] @ h[layer - 1] + params[f"b_{n}_{layer}"]
                for n in GATES
            )
            c[layer - 1] = sigma(f) * c[layer - 1] + sigma(i) * np.tanh(g)
            below = h[layer - 1] = sigma(o) * np.tanh(c[layer - 1])
    logits = params["V"] @ h[1] + params["b_y"]
    return np.log(np.exp(logits).sum()) - k @ logits


def test_two_layers_and_a_head_have_the_gradients_of_a_network_by_hand() -> None:
    cell = with_head(stack("lstm", 2), find_head("softmax-cross-entropy")).cell
    rng = np.random.default_rng(3)
    sizes = {"d_x": D, "d_h": H, "d_y": K}
    shapes = {name: tuple(sizes[one] for one in cell.shape_names(name)) for name in cell.parameters}
    params = {name: 0.7 * rng.normal(size=shape) for name, shape in shapes.items()}
    x, k = rng.normal(size=(T, D)), np.eye(K)[rng.integers(0, K, T)]
    module = generate(cell)
    _, _, tape = module.forward(params, x[:, None], k[:, None])
    outside = {name: np.zeros((1, *(sizes[one] for one in cell.shape_names(name)))) for name in cell.states}
    grads = module.backward(params, tape, None, {**outside, "l": np.ones(1)})[0]
    assert set(grads) == set(params)
    for name, value in params.items():
        expected = np.zeros(value.shape)
        for place in np.ndindex(value.shape):
            moved = value.astype(complex)
            moved[place] += 1e-30j
            expected[place] = network({**params, name: moved}, x, k[-1]).imag / 1e-30
        assert np.abs(expected).max() > 1e-6
        assert np.allclose(grads[name], expected, rtol=1e-9, atol=1e-12), name


def test_the_document_of_two_layers_is_true() -> None:
    assert assert_true(stack("rnn", 2), forms=("text",)) == 0


@pytest.mark.parametrize("name", ["gru", "slstm"])
def test_layers_are_verified_like_any_cell(name: str) -> None:
    stacked = stack(name, 2)
    assert stacked.states[0] == "h_2"
    assert len(stacked.parameters) == 2 * len(cells[name].parameters)
    verify(stacked).raise_if_failed()


def test_what_a_layer_hands_down_is_shown() -> None:
    document = write(derive(stack("rnn", 3)), "text")
    assert "x_{3,t} = h_{2,t}" in document
    assert "δh_{2,t}   = h̄_{2,t} + δx_{3,t}" in document or "= h̄_{2,t} + δx_{3,t}" in document


def test_one_layer_is_the_cell() -> None:
    assert stack("lstm", 1) is cells.lstm


@pytest.mark.parametrize("layers", [0, -1, 100])
def test_no_such_number_of_layers(layers: int) -> None:
    with pytest.raises(InputError, match="ask for 1 to"):
        stack("lstm", layers)


@pytest.mark.parametrize(
    ("at", "formula", "reads"),
    [
        ("every", "L = Σ_{t=1}^{T} l_t", "∂ℓ/∂l_t = 1 at every step."),
        ("last", "L = l_T", "∂ℓ/∂l_t = 1 at t = T, and 0 at the steps before."),
    ],
)
def test_the_loss_of_the_sequence(at: str, formula: str, reads: str) -> None:
    derivation = derive(with_head("lstm", find_head("softmax-cross-entropy")).cell)
    section = write(derivation, "text", loss_at=at).split("2. Loss")[1].split("3. ")[0]
    assert formula in section
    assert reads in " ".join(section.split())
    assert "∂ℓ/∂h_t = ∂ℓ/∂c_t = 0" in section
    assert "Loss" not in write(derivation, "text").split("1. Forward")[1].split("3. ")[0]


def test_a_cell_without_a_loss_has_none() -> None:
    with pytest.raises(InputError, match="has no loss"):
        write(derive(cells.lstm), "text", loss_at="last")
