"""Weights and frameworks by the names that people have for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symrnn import cells, interop
from symrnn.errors import InputError, UnknownNameError
from tests.interop.layers import D, H, random_params, run_definition

RNG = np.random.default_rng(0)
LSTM = {"kernel": (D, 4 * H), "recurrent_kernel": (H, 4 * H), "bias": (4 * H,)}


def arrays(shapes: dict[str, tuple[int, ...]], pattern: str = "{}") -> dict[str, np.ndarray]:
    return {pattern.format(name): RNG.normal(size=shape) for name, shape in shapes.items()}


# --- Keras 2 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["lstm_1/", "lstm/lstm_cell/", "bidirectional/forward_lstm/lstm_cell_2/", ""])
@pytest.mark.parametrize("said", [True, False])
def test_names_of_variables_end_in_a_number(prefix: str, said: bool) -> None:
    weights = arrays(LSTM, prefix + "{}:0")
    loaded = interop.load("keras", weights, prefix=prefix if said else None)
    assert loaded.cell is cells.lstm
    np.testing.assert_array_equal(loaded.params["W_f"], weights[f"{prefix}kernel:0"][:, H : 2 * H].T)


def test_a_file_s_groups_are_a_tree() -> None:
    weights = {"lstm_1": {"lstm_1": arrays(LSTM, "{}:0")}, "dense": {"dense": {"kernel:0": np.ones((H, 3))}}}
    assert interop.load("keras", weights).cell is cells.lstm


def from_cudnn(weights: list[np.ndarray], gates: int) -> list[np.ndarray]:
    """Keras's own conversion of CuDNN layers: the kernel of each gate keeps its shape and changes its order."""
    kernel, recurrent, bias = weights
    kernels = [part.T.reshape(part.shape, order="F") for part in np.hsplit(kernel, gates)]
    recurrents = [part.T for part in np.hsplit(recurrent, gates)]
    biases = np.sum(np.split(bias, 2), axis=0) if gates == 4 else bias.reshape(2, -1)
    return [np.hstack(kernels), np.hstack(recurrents), biases]


@pytest.mark.parametrize(("gates", "cell"), [(4, "lstm_two_biases"), (3, "gru_reset_after_two_biases")])
@pytest.mark.parametrize("form", [list, dict])
def test_cudnn_s_layers_are_read_as_keras_reads_them(gates: int, cell: str, form: type) -> None:
    shapes = {"kernel": (D, gates * H), "recurrent_kernel": (H, gates * H), "bias": (2 * gates * H,)}
    weights = arrays(shapes)
    loaded = interop.load("keras", list(weights.values()) if form is list else weights)
    assert loaded.cell.name == cell
    plain = interop.load("keras", from_cudnn(list(weights.values()), gates))
    ours, theirs = (run_definition(one.cell, one.params) for one in (loaded, plain))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-14)


def test_a_former_layer_is_written_where_it_is_named() -> None:
    params = random_params(cells.lstm_two_biases)
    assert interop.dump("keras", "lstm_two_biases", params)[2].shape == (4 * H,)
    assert interop.dump("keras", "lstm_two_biases", params, "CuDNNLSTM")[2].shape == (8 * H,)


# --- further frameworks -----------------------------------------------------------------------------------------------


def test_mlx_has_its_matrices_in_both_orientations() -> None:
    now = {"Wx": (4 * H, D), "Wh": (4 * H, H), "bias": (4 * H,)}
    weights = arrays(now)
    before = {name: array.T if array.ndim == 2 else array for name, array in weights.items()}
    ours, theirs = interop.load("mlx", weights).params, interop.load("mlx", before).params
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name])


def test_a_column_is_a_vector() -> None:
    shapes = {"InputWeights": (4 * H, D), "RecurrentWeights": (4 * H, H), "Bias": (4 * H, 1)}
    weights = arrays(shapes)
    np.testing.assert_array_equal(interop.load("matlab", weights).params["b_f"], weights["Bias"][H : 2 * H, 0])


def test_openvino_has_the_forget_gate_first() -> None:
    weights = arrays({"W": (1, 4 * H, D), "R": (1, 4 * H, H), "B": (1, 4 * H)})
    np.testing.assert_array_equal(interop.load("openvino", weights).params["W_f"], weights["W"][0, :H])


def test_gluon_s_directions_are_letters() -> None:
    shapes = {"i2h_weight": (3 * H, D), "h2h_weight": (3 * H, H), "i2h_bias": (3 * H,), "h2h_bias": (3 * H,)}
    weights = arrays(shapes, "l0_{}") | arrays(shapes, "r0_{}")
    with pytest.raises(InputError, match="say which one: reverse=False or reverse=True"):
        interop.load("mxnet", weights)
    loaded = interop.load("mxnet", weights, reverse=True)
    np.testing.assert_array_equal(loaded.params["W_r"], weights["r0_i2h_weight"][:H])


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("pytorch", "did you mean 'torch'?"),
        ("PyTorch", "did you mean 'torch'?"),
        ("Torch", "did you mean 'torch'?"),
        ("tensorflow", "did you mean 'keras' or 'tf1'?"),
        ("tf", "did you mean 'keras' or 'tf1'?"),
        ("tf.keras", "did you mean 'keras'?"),
        ("kears", "did you mean 'keras'?"),
        ("jax", "did you mean 'flax' or 'cudnn'?"),
        ("gluon", "did you mean 'mxnet'?"),
    ],
)
def test_other_names_of_frameworks_are_known(name: str, meant: str) -> None:
    for call in (lambda: interop.explain(name, "keras", "lstm"), lambda: interop.load(name, {})):
        with pytest.raises(UnknownNameError) as caught:
            call()
        assert meant in str(caught.value)


@pytest.mark.parametrize("name", ["coreml", "CoreML", "core_ml", "tflite", "TFLite", "dl4j", "Flux"])
def test_frameworks_without_a_row_are_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: its layers are not in the table of conventions\n  .*W, R and B"):
        interop.load(name, {})


EXTRA: dict[str, tuple[str, dict[str, tuple[int, ...]], str]] = {
    "torch": (
        "torch",
        {"weight_ih_l0": (4 * H, D), "weight_hh_l0": (4 * H, H), "weight_hi_l0": (4 * H, H)},
        "weight_hi_l0 is no array of this layer",
    ),
    "keras": ("keras", LSTM | {"gamma": (H,)}, "gamma is no array of this layer"),
    "onnx": ("onnx", {"W": (1, 4 * H, D), "R": (1, 4 * H, H), "b": (1, 8 * H)}, "b is no array of this layer"),
    "matlab": (
        "matlab",
        {"InputWeights": (4 * H, D), "RecurrentWeights": (4 * H, H), "Bias": (4 * H,), "CellState": (H,)},
        "CellState is no array of this layer",
    ),
}


@pytest.mark.parametrize("case", EXTRA)
def test_an_array_that_nothing_reads_is_named(case: str) -> None:
    framework, shapes, message = EXTRA[case]
    with pytest.raises(InputError) as caught:
        interop.load(framework, arrays(shapes))
    assert message in str(caught.value)


def test_other_parts_of_a_model_are_no_arrays_of_the_layer() -> None:
    weights: dict[str, Any] = arrays({"weight_ih_l0": (4 * H, D), "weight_hh_l0": (4 * H, H)}, "encoder.rnn.{}")
    weights |= arrays({"weight": (3, H), "bias": (3,)}, "encoder.head.{}")
    assert interop.load("torch", weights).cell is cells.lstm_two_biases
    bare = {name.rpartition(".")[2] if "rnn" in name else name: array for name, array in weights.items()}
    assert interop.load("torch", bare).cell is cells.lstm_two_biases
