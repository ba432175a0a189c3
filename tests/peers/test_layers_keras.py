"""Weights to and from Keras's layers: equal outputs, final states and gradients.

Keras's own `tanh` computes in float32 on its JAX backend whatever the layer's type, and so do its matrix products on
the backend of PyTorch (its type promotion turns every float64 into float32).  On JAX, a layer that is given
`activation=jax.numpy.tanh` computes all of it in float64: that is how the equations and the layout are compared here.
With the default activation the layers agree as far as float32 allows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symrnn import generate
from symrnn.errors import InputError
from symrnn.interop import dump, load
from symrnn.interop.conventions import rows
from tests.peers.agreement import Answer, Case, D, H, N, T, assert_agrees, assert_close

pytestmark = [
    pytest.mark.peer,
    # Keras's variables do not know NumPy 2's keyword `copy` of `__array__`
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
]
jax = pytest.importorskip("jax", reason="JAX is not installed; it comes with the extra 'peers'")
jax.config.update("jax_enable_x64", True)
os.environ["KERAS_BACKEND"] = "jax"
keras = pytest.importorskip("keras", reason="Keras is not installed; it comes with the extra 'peers'")

from jax import numpy as jnp  # noqa: E402

LAYERS: dict[str, Callable[..., Any]] = {
    "rnn": lambda **more: keras.layers.SimpleRNN(H, **more),
    "lstm": lambda **more: keras.layers.LSTM(H, **more),
    "gru_reset_after": lambda **more: keras.layers.GRU(H, reset_after=True, **more),
    "gru_reset_before": lambda **more: keras.layers.GRU(H, reset_after=False, **more),
}


def build(kind: str, **more: Any) -> Any:
    layer = LAYERS[kind](return_sequences=True, return_state=True, **more)
    layer.build((N, T, D))
    return layer


def run(kind: str, weights: list[np.ndarray], case: Case) -> Answer:
    layer = build(kind, dtype="float64", activation=jnp.tanh)
    names = rows("keras", kind)[0].states
    fixed = [variable.value for variable in layer.non_trainable_variables]

    def outputs(values: Any, x: Any, start: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        states = [start[s] for s in names]
        (h, *end), _ = layer.stateless_call(values, fixed, jnp.swapaxes(x, 0, 1), initial_state=states)
        return jnp.swapaxes(h, 0, 1), dict(zip(names, end, strict=True))

    (h, end), pullback = jax.vjp(outputs, [jnp.asarray(w) for w in weights], jnp.asarray(case.x), case.start)
    weights_bar, x_bar, start_bar = pullback(
        (jnp.asarray(case.h_bar), {s: jnp.asarray(v) for s, v in case.end_bar.items()})
    )
    return Answer(np.asarray(h), end, weights_bar, x_bar, start_bar)


@pytest.mark.parametrize("kind", LAYERS)
def test_outputs_and_gradients(kind: str) -> None:
    assert_agrees("keras", kind, run)


def test_relu() -> None:
    layer = build("rnn", activation="relu")
    loaded = load("keras", layer)
    assert loaded.cell.name == "rnn_relu"
    x = np.random.default_rng(1).standard_normal((T, N, D), np.float32)
    h, _, _ = generate(loaded.cell).forward(loaded.params, x)
    assert_close("h", h, np.swapaxes(layer(np.swapaxes(x, 0, 1))[0], 0, 1), 1e-5)


@pytest.mark.parametrize("kind", LAYERS)
def test_layers_as_they_come(kind: str) -> None:
    """A layer of default type and activation, loaded from the object, and the other way round with set_weights."""
    rng = np.random.default_rng(2)
    layer = build(kind)
    layer.set_weights([rng.standard_normal(w.shape) for w in layer.get_weights()])
    loaded = load("keras", layer)
    x = rng.standard_normal((T, N, D), np.float32)
    h, _, _ = generate(loaded.cell).forward(loaded.params, x)
    assert h.dtype == np.float32
    assert_close("h", h, np.swapaxes(layer(np.swapaxes(x, 0, 1))[0], 0, 1), 1e-5)  # both in float32
    other = build(kind)
    other.set_weights(dump("keras", loaded.cell, loaded.params, kind))
    np.testing.assert_array_equal(other(np.swapaxes(x, 0, 1))[0], layer(np.swapaxes(x, 0, 1))[0])


def test_variables_by_their_paths() -> None:
    layer = build("lstm")
    weights = {variable.path: variable.value for variable in layer.weights}
    loaded = load("keras", weights)
    assert loaded.cell.name == "lstm"
    assert loaded.params["b_f"].tolist() == [1.0] * H  # unit_forget_bias


def test_bidirectional() -> None:
    layer = keras.layers.Bidirectional(keras.layers.GRU(H, return_sequences=True))
    x = np.random.default_rng(3).standard_normal((T, N, D), np.float32)
    expected = np.swapaxes(layer(np.swapaxes(x, 0, 1)), 0, 1)
    parts = []
    for reverse in (False, True):
        loaded = load("keras", layer, reverse=reverse)
        h, _, _ = generate(loaded.cell).forward(loaded.params, x[::-1] if reverse else x)
        parts.append(h[::-1] if reverse else h)
    assert_close("h", np.concatenate(parts, -1), expected, 1e-5)


@pytest.mark.parametrize(
    ("kind", "more"), [("lstm", {"activation": "relu"}), ("lstm", {"recurrent_activation": "hard_sigmoid"})]
)
def test_other_activations_are_refused(kind: str, more: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"expected .*activation='(tanh|sigmoid)', got '(relu|hard_sigmoid)'"):
        load("keras", build(kind, **more))
    both = keras.layers.Bidirectional(LAYERS[kind](**more))
    both.build((N, T, D))
    with pytest.raises(InputError, match="no row of the table is this Bidirectional"):
        load("keras", both, reverse=False)
