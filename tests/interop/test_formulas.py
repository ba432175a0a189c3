"""The frameworks that cannot be installed here, as their sources compute: each layer written out once more by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symrnn import cells, generate
from symrnn.interop import dump, load
from symrnn.interop.conventions import rows
from tests.interop.layers import D, H, random_params

N = 3
Weights = dict[str, np.ndarray]


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def basic_rnn(w: Weights, x: np.ndarray, h: np.ndarray) -> dict[str, np.ndarray]:
    return {"h": np.tanh(np.concatenate([x, h], 1) @ w["kernel"] + w["bias"])}


def tf1_lstm(w: Weights, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> dict[str, np.ndarray]:
    """BasicLSTMCell, and LSTMCell with peepholes or a projection if the weights have them."""
    p_i, p_f, p_o = (w.get(f"w_{gate}_diag", np.zeros(1)) for gate in "ifo")
    i, j, f, o = np.split(np.concatenate([x, h], 1) @ w["kernel"] + w["bias"], 4, axis=1)
    c_new = sigmoid(f + 1.0 + p_f * c) * c + sigmoid(i + p_i * c) * np.tanh(j)
    h_new = sigmoid(o + p_o * c_new) * np.tanh(c_new)
    return {"h": h_new @ w["projection/kernel"] if "projection/kernel" in w else h_new, "c": c_new}


def tf1_gru(w: Weights, x: np.ndarray, h: np.ndarray) -> dict[str, np.ndarray]:
    r, u = np.split(sigmoid(np.concatenate([x, h], 1) @ w["gates/kernel"] + w["gates/bias"]), 2, axis=1)
    c = np.tanh(np.concatenate([x, r * h], 1) @ w["candidate/kernel"] + w["candidate/bias"])
    return {"h": u * h + (1 - u) * c}


def haste_lstm(w: Weights, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> dict[str, np.ndarray]:
    i, g, f, o = np.split(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4, axis=1)
    c_new = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return {"h": sigmoid(o) * np.tanh(c_new), "c": c_new}


def haste_gru(w: Weights, x: np.ndarray, h: np.ndarray) -> dict[str, np.ndarray]:
    z, r, g = np.split(x @ w["kernel"] + w["bias"], 3, axis=1)
    z_h, r_h, g_h = np.split(h @ w["recurrent_kernel"] + w["recurrent_bias"], 3, axis=1)
    z, r = sigmoid(z + z_h), sigmoid(r + r_h)
    return {"h": z * h + (1 - z) * np.tanh(g + r * g_h)}


STEPS: dict[tuple[str, str], Callable[..., dict[str, Any]]] = {
    ("tf1", "rnn"): basic_rnn,
    ("tf1", "lstm"): tf1_lstm,
    ("tf1", "lstm_peephole"): tf1_lstm,
    ("tf1", "lstm_projected"): tf1_lstm,
    ("tf1", "gru_reset_before"): tf1_gru,
    ("haste", "lstm"): haste_lstm,
    ("haste", "gru_reset_after"): haste_gru,
}


@pytest.mark.parametrize(("framework", "kind"), STEPS)
def test_a_step(framework: str, kind: str) -> None:
    rng = np.random.default_rng(2)
    row = rows(framework, kind)[0]
    loaded = load(framework, dump(framework, row.cell, random_params(cells[row.cell]), kind), kind)
    sizes = {"d_h": H, "d_c": H + 1}
    state = {s: rng.standard_normal((N, *(sizes[d] for d in loaded.cell.shape_names(s)))) for s in loaded.cell.states}
    x = rng.standard_normal((N, D))
    ours = generate(loaded.cell).step(loaded.params, x, state)
    theirs = STEPS[framework, kind](dump(framework, loaded.cell, loaded.params, kind), x, **state)
    for name in loaded.cell.states:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=1e-13, err_msg=name)


def test_every_row_of_these_frameworks_has_its_formula() -> None:
    assert set(STEPS) == {(row.framework, row.kind) for name in ("tf1", "haste") for row in rows(name)}
