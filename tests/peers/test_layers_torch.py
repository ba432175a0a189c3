"""Weights to and from PyTorch's layers: equal outputs, final states and gradients."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symrnn import generate, interop
from symrnn.interop import load
from tests.peers.agreement import Answer, C, Case, D, H, N, T, assert_agrees, assert_close

pytestmark = pytest.mark.peer
torch = pytest.importorskip("torch", reason="PyTorch is not installed; it comes with the extra 'peers'")

LAYERS = {
    "rnn": lambda **more: torch.nn.RNN(D, H, **more),
    "rnn_relu": lambda **more: torch.nn.RNN(D, H, nonlinearity="relu", **more),
    "lstm": lambda **more: torch.nn.LSTM(D, H, **more),
    "lstm_projected": lambda **more: torch.nn.LSTM(D, C, proj_size=H, **more),
    "gru_reset_after": lambda **more: torch.nn.GRU(D, H, **more),
}


def tensor(array: np.ndarray) -> Any:
    return torch.tensor(array, requires_grad=True)


def run(kind: str, weights: dict[str, np.ndarray], case: Case) -> Answer:
    layer = LAYERS[kind]().double()
    layer.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    x, start = tensor(case.x), {s: tensor(value[None]) for s, value in case.start.items()}
    given = tuple(start.values())
    h, final = layer(x, given if len(given) > 1 else given[0])
    end = dict(zip(start, final if isinstance(final, tuple) else (final,), strict=True))
    bars = [torch.tensor(case.h_bar), *(torch.tensor(case.end_bar[s][None]) for s in end)]
    torch.autograd.backward([h, *end.values()], bars)
    return Answer(
        h.detach().numpy(),
        {s: value.detach().numpy()[0] for s, value in end.items()},
        {name: value.grad for name, value in layer.named_parameters()},
        x.grad.numpy(),
        {s: value.grad.numpy()[0] for s, value in start.items()},
    )


@pytest.mark.parametrize("kind", LAYERS)
def test_outputs_and_gradients(kind: str) -> None:
    assert_agrees("torch", kind, run)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_module_with_layers_and_directions(kind: str) -> None:
    """Two layers, two directions, loaded from the module itself and put in place of its forward."""
    layer = LAYERS[kind](num_layers=2, bidirectional=True).double()
    x = torch.randn(T, N, D, dtype=torch.float64)
    with torch.no_grad():
        expected = layer(x)[0].numpy()
    value = x.numpy()
    for number in range(2):
        parts = []
        for reverse in (False, True):
            loaded = load("torch", layer, layer=number, reverse=reverse)
            h, _, _ = generate(loaded.cell).forward(loaded.params, value[::-1] if reverse else value)
            parts.append(h[::-1] if reverse else h)
        value = np.concatenate(parts, axis=-1)
    assert_close("h", value, expected, 1e-12)


def test_the_readmes_example(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "interop.load" in block]
    names: dict[str, Any] = {
        "torch": torch,
        "interop": interop,
        "generate": generate,
        "x": np.ones((5, 3, 4), np.float32),
    }
    exec(compile(example, "README.md", "exec"), names)
    assert names["loaded"].cell.name == "lstm_two_biases"
    assert names["h"].shape == (5, 3, 6)
    assert set(names["weights"]) == {"W", "R", "B"}
    assert "no exact image exists" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell"])
def test_single_cells_without_biases(name: str) -> None:
    cell = getattr(torch.nn, name)(D, H, bias=False)
    x = torch.randn(N, D)
    with torch.no_grad():
        expected = cell(x)
    loaded = load("torch", cell)
    new = generate(loaded.cell).step(loaded.params, x.numpy())
    assert new["h"].dtype == np.float32
    assert_close("h", new["h"], (expected[0] if name == "LSTMCell" else expected).numpy(), 1e-6)
