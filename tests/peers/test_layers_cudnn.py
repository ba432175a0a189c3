"""The flat buffer of cuDNN's LSTM, as JAX packs and documents it, against JAX's own reference implementation."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn import generate
from symrnn.interop import Flat, dump, load
from tests.peers.agreement import D, H, N, T, assert_close

pytestmark = pytest.mark.peer
jax = pytest.importorskip("jax", reason="JAX is not installed; it comes with the extra 'peers'")
jax.config.update("jax_enable_x64", True)

from jax.experimental import rnn  # noqa: E402


@pytest.mark.parametrize("bidirectional", [False, True])
def test_two_layers(bidirectional: bool) -> None:
    directions = 1 + bidirectional
    rng = np.random.default_rng(0)
    size = rnn.get_num_params_in_lstm(D, H, 2, bidirectional)
    buffer = rng.standard_normal(size)
    x = rng.standard_normal((T, N, D))
    h_0, c_0 = (rng.standard_normal((2 * directions, N, H)) for _ in range(2))
    parts = rnn.unpack_lstm_weights(jax.numpy.asarray(buffer), D, H, 2, bidirectional)
    lengths = np.full(N, T, np.int32)
    y, h_n, c_n = rnn.lstm_ref(np.swapaxes(x, 0, 1), h_0, c_0, *parts, lengths, D, H, 2, 0.0, bidirectional)
    flat = Flat(D, H, num_layers=2, bidirectional=bidirectional)
    value = x
    for layer in range(2):
        outputs = []
        for reverse in range(directions):
            number = layer * directions + reverse
            loaded = load("cudnn", buffer, "lstm", flat=flat, layer=layer, reverse=bool(reverse))
            state = {"h": h_0[number], "c": c_0[number]}
            h, end, _ = generate(loaded.cell).forward(loaded.params, value[::-1] if reverse else value, state)
            outputs.append(h[::-1] if reverse else h)
            assert_close("h_n", end["h"], h_n[number], 1e-12)
            assert_close("c_n", end["c"], c_n[number], 1e-12)
        value = np.concatenate(outputs, axis=-1)
    assert_close("y", value, np.swapaxes(y, 0, 1), 1e-12)


def test_one_layer_there_and_back() -> None:
    buffer = np.random.default_rng(1).standard_normal(rnn.get_num_params_in_lstm(D, H, 1, False))
    loaded = load("cudnn", buffer, "lstm", flat=Flat(D, H))
    np.testing.assert_array_equal(dump("cudnn", loaded.cell, loaded.params), buffer)
