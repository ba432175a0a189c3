"""Weights there and back: every row, every refusal, and each map between cells checked by running both."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from symrnn import Cell, cells
from symrnn.errors import InputError, UnknownNameError
from symrnn.interop import CONVENTIONS, Convention, Flat, NoImageError, dump, load
from symrnn.interop.forms import FORMS, carry, lost
from tests.interop.layers import D, H, random_params, run_definition

ROWS = pytest.mark.parametrize("row", CONVENTIONS, ids=lambda row: f"{row.framework}-{row.layers[0]}-{row.kind}")


def options(row: Convention) -> dict[str, Any]:
    return {"flat": Flat(D, H)} if row.container == "flat" else {}


@ROWS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_there_and_back(row: Convention, dtype: type) -> None:
    params = random_params(cells[row.cell], dtype=dtype)
    weights = dump(row.framework, row.cell, params, row.layers[0])
    loaded = load(row.framework, weights, row.kind, **options(row))
    assert loaded.cell is cells[row.cell]
    assert loaded.params.keys() == params.keys()
    rounding = 4 * np.finfo(dtype).eps if row.forget_bias else 0  # b_f - 1 + 1
    for name, value in params.items():
        assert loaded.params[name].dtype == dtype
        np.testing.assert_allclose(loaded.params[name], value, rtol=0, atol=rounding * (name == "b_f"), err_msg=name)


@ROWS
def test_parameters_are_copies(row: Convention) -> None:
    params = random_params(cells[row.cell])
    weights = dump(row.framework, row.cell, params, row.kind)
    loaded = load(row.framework, weights, row.kind, **options(row))
    for value in loaded.params.values():
        assert value.flags.writeable
        value[...] = np.nan
    again = load(row.framework, weights, row.kind, **options(row))
    assert all(np.isfinite(value).all() for value in again.params.values())


PAIRS = [(a, b) for a in FORMS for b in FORMS if a != b and FORMS[a].function == FORMS[b].function]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_maps_between_cells_keep_the_function(a: str, b: str) -> None:
    """Parameters that the map would drop are set to the neutral value that it asks for."""
    source, target = cells[a], cells[b]
    square = "d_c" in source.sizes and "d_c" not in target.sizes
    params = random_params(source, d_c=H if square else H + 1)
    for name, neutral in lost(source, target).items():
        params[name] = np.eye(*params[name].shape) if neutral == "the identity" else np.zeros_like(params[name])
    same = {"d_c": H} if "d_c" not in source.sizes or square else {}
    moved = carry(source, target, params)
    for ours, theirs in zip(run_definition(source, params, **same), run_definition(target, moved, **same), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_what_a_map_would_drop_is_refused(a: str, b: str) -> None:
    source, target = cells[a], cells[b]
    for name in lost(source, target):
        params = random_params(source)
        with pytest.raises(NoImageError, match=f"W_h has no place there|{name} has no place there"):
            carry(source, target, {key: value if key == name else 0 * value for key, value in params.items()})


def test_one_bias_to_two_is_zero_and_two_to_one_is_the_sum() -> None:
    params = random_params(cells.lstm)
    weights = dump("torch", "lstm", params)
    assert not weights["bias_hh_l0"].any()
    assert list(weights) == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    two = random_params(cells.lstm_two_biases)
    bias = dump("keras", "lstm_two_biases", two)[2]
    np.testing.assert_array_equal(bias[:H], two["b_i"] + two["c_i"])


def test_z_on_the_candidate_changes_its_sign() -> None:
    params = random_params(cells.gru)
    kernel, recurrent, bias = dump("keras", cells.gru, params)
    np.testing.assert_array_equal(kernel[:, :H], -params["W_z"].T)
    np.testing.assert_array_equal(recurrent[:, :H], -params["U_z"].T)
    np.testing.assert_array_equal(bias[:H], -params["b_z"])
    np.testing.assert_array_equal(kernel[:, H : 2 * H], params["W_r"].T)


@pytest.mark.parametrize(
    ("framework", "cell", "text"),
    [
        ("torch", "gru", r"gru has no exact image in torch\n  torch gru_reset_after \(GRU\): no weights make"),
        ("tf1", "gru_reset_after", "no weights make gru_zold .* compute gru_reset_after"),
        ("nnx", "gru_reset_after", "c_n has no place there, so c_n must be zero: it is off by up to [0-9.]+"),
        ("torch", "lstm_peephole", "p_f has no place there, so p_f must be zero"),
        ("keras", "lstm_projected", r"W_h has no place there, so W_h must be the identity: its shape is \(6, 7\)"),
        ("torch", "mgu_flax", "no exact image in torch"),
    ],
)
def test_what_has_no_image_is_refused(framework: str, cell: str, text: str) -> None:
    with pytest.raises(NoImageError, match=text):
        dump(framework, cell, random_params(cells[cell]))


def test_cells_without_a_counterpart_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="the cell 'indrnn' has no counterpart in a framework"):
        dump("torch", cells.indrnn, {})
    other = Cell.from_source("def rnn(x, h, *, W, U, b):\n    h = tanh(W @ x - U @ h + b)\n    return h\n")
    with pytest.raises(InputError, match="this cell 'rnn' is not the library's: its equations differ"):
        dump("torch", other, random_params(other))


def test_parameters_are_checked() -> None:
    params = random_params(cells.rnn)
    with pytest.raises(InputError, match=r"rnn: missing \['b'\], unknown \['B'\]"):
        dump("torch", "rnn", {"W": params["W"], "U": params["U"], "B": params["b"]})
    with pytest.raises(InputError, match=re.escape("rnn: U: expected shape (d_h, d_h) with d_h = 6, got (6, 4)")):
        dump("torch", "rnn", params | {"U": params["W"]})
    with pytest.raises(InputError, match="b: expected an array of float16, float32 or float64, got int64"):
        dump("torch", "rnn", params | {"b": np.arange(H)})


def torch_weights(**more: Any) -> dict[str, np.ndarray]:
    return dump("torch", "lstm_two_biases", random_params(cells.lstm_two_biases), **more)


def test_shapes_are_named() -> None:
    weights = torch_weights()
    wrong = weights | {"weight_hh_l0": weights["weight_hh_l0"][:, :-1]}
    text = "torch lstm (LSTM): weight_hh_l0: expected shape (4 d_h, d_h) = (24, 6), got (24, 5)\n  with d_h = 6"
    with pytest.raises(InputError, match=re.escape(text)):
        load("torch", wrong, "lstm")
    with pytest.raises(InputError, match=re.escape("bias_ih_l0: expected shape (4 d_h) = (24,), got (24, 1)")):
        load("torch", weights | {"bias_ih_l0": weights["bias_ih_l0"][:, None]}, "lstm")
    with pytest.raises(
        InputError, match=r"these weights fit no layer of torch\n  torch: .*\n .*\n  torch lstm \(LSTM\): "
    ):
        load("torch", wrong)


def test_names_are_named() -> None:
    weights = torch_weights()
    with pytest.raises(InputError, match="expected arrays named weight_ih_l0, weight_hh_l0, got W, R"):
        load("torch", {"W": 1, "R": 2}, "lstm")
    del weights["bias_hh_l0"]
    with pytest.raises(InputError, match="all biases or none; missing bias_hh_l0"):
        load("torch", weights, "lstm")
    with pytest.raises(InputError, match="expected a dict of arrays, got list"):
        load("torch", [1, 2], "lstm")


def test_without_biases_they_are_zero() -> None:
    weights = {name: value for name, value in torch_weights().items() if "weight" in name}
    loaded = load("torch", weights)
    assert loaded.cell is cells.lstm_two_biases
    assert not any(loaded.params[name].any() for name in loaded.params if name[0] in "bc")


def test_layers_directions_and_prefixes() -> None:
    weights = torch_weights(layer=0) | torch_weights(layer=1) | torch_weights(layer=1, reverse=True)
    with pytest.raises(InputError, match="there is weight_ih_l1 too\n  say which one: layer=0, layer=1"):
        load("torch", weights)
    with pytest.raises(InputError, match="there is weight_ih_l1_reverse too\n  say which one: reverse=False"):
        load("torch", weights, layer=1)
    assert load("torch", weights, layer=0).cell is cells.lstm_two_biases
    assert load("torch", weights, layer=1, reverse=True).cell is cells.lstm_two_biases
    with pytest.raises(InputError, match="expected arrays named weight_ih_l2, weight_hh_l2"):
        load("torch", weights, "lstm", layer=2)
    model = (
        torch_weights(prefix="encoder.rnn.") | torch_weights(prefix="decoder.rnn.") | {"head.weight": np.ones((2, 2))}
    )
    with pytest.raises(InputError, match=r"say which one: prefix= one of 'encoder\.rnn\.', 'decoder\.rnn\.'"):
        load("torch", model, "lstm")
    loaded = load("torch", model, prefix="decoder.rnn.")
    np.testing.assert_array_equal(loaded.params["W_i"], model["decoder.rnn.weight_ih_l0"][:H])


def test_what_the_arrays_do_not_tell_is_asked() -> None:
    with pytest.raises(InputError, match="do not tell what the layer computes\n  say kind='rnn' or 'rnn_relu'"):
        load("torch", dump("torch", "rnn", random_params(cells.rnn)))
    onnx = dump("onnx", "gru_zold", random_params(cells.gru_zold))
    with pytest.raises(InputError, match="say kind='gru_reset_before' or 'gru_reset_after'"):
        load("onnx", onnx)


def test_nothing_is_left_out_silently() -> None:
    peephole = dump("onnx", "lstm_peephole", random_params(cells.lstm_peephole))
    assert load("onnx", peephole).cell is cells.lstm_peephole_two_biases
    with pytest.raises(InputError, match="P has no place in this kind of layer"):
        load("onnx", peephole, "lstm")


def test_onnx_directions() -> None:
    one = dump("onnx", "lstm", random_params(cells.lstm))
    two = {name: np.concatenate([value, 2 * value]) for name, value in one.items()}
    with pytest.raises(InputError, match="there are two directions\n  say which one: reverse=False"):
        load("onnx", two)
    np.testing.assert_array_equal(load("onnx", two, reverse=True).params["W_o"], 2 * one["W"][0, H : 2 * H])
    with pytest.raises(
        InputError, match=r"expected a first axis of 1 or 2 directions, the same for all, got W \(24, 4\)"
    ):
        load("onnx", {name: value[0] for name, value in one.items()})


def test_keras_lists() -> None:
    weights = dump("keras", "lstm", random_params(cells.lstm))
    both = weights + [2 * value for value in weights]
    with pytest.raises(InputError, match="a list of two directions\n  say which one"):
        load("keras", both, "lstm")
    np.testing.assert_array_equal(load("keras", both, reverse=True).params["b_i"], 2 * weights[2][:H])
    with pytest.raises(InputError, match="expected a list of 2 or 3 arrays, got 5"):
        load("keras", both[:5], "lstm")
    paths = dict(
        zip(["lstm/lstm_cell/kernel", "lstm/lstm_cell/recurrent_kernel", "lstm/lstm_cell/bias"], weights, strict=True)
    )
    np.testing.assert_array_equal(load("keras", paths).params["W_o"], load("keras", weights).params["W_o"])


def test_flat_buffers_of_several_layers() -> None:
    """Weights of every layer and direction first, then their biases, as JAX documents it."""
    rng = np.random.default_rng(0)
    widths = [D, D, 2 * H, 2 * H]
    layers = [[rng.standard_normal(s) for s in [(4 * H, w), (4 * H, H), (4 * H,), (4 * H,)]] for w in widths]
    buffer = np.concatenate([a.ravel() for part in (slice(0, 2), slice(2, 4)) for one in layers for a in one[part]])
    flat = Flat(D, H, num_layers=2, bidirectional=True)
    for number, arrays in enumerate(layers):
        loaded = load("cudnn", buffer, "lstm", flat=flat, layer=number // 2, reverse=bool(number % 2))
        np.testing.assert_array_equal(loaded.params["W_g"], arrays[0][2 * H : 3 * H])
        np.testing.assert_array_equal(loaded.params["U_o"], arrays[1][3 * H :])
        np.testing.assert_array_equal(loaded.params["b_f"], arrays[2][H : 2 * H])
        np.testing.assert_array_equal(loaded.params["c_i"], arrays[3][:H])
    with pytest.raises(InputError, match="layer=None, and there are 2"):
        load("cudnn", buffer, "lstm", flat=flat)
    with pytest.raises(InputError, match=f"expected 288 numbers for .*, got {buffer.size}"):
        load("cudnn", buffer, "lstm", flat=Flat(D, H))
    with pytest.raises(InputError, match="expected a flat array, and its sizes"):
        load("cudnn", buffer, "lstm")


def test_the_forget_bias_added_at_run_time() -> None:
    params = random_params(cells.lstm)
    weights = dump("tf1", "lstm", params)
    np.testing.assert_allclose(weights["bias"][2 * H : 3 * H], params["b_f"] - 1)
    np.testing.assert_allclose(load("tf1", weights, forget_bias=0.0).params["b_f"], params["b_f"] - 1)
    np.testing.assert_allclose(dump("tf1", "lstm", params, forget_bias=0.5)["bias"][2 * H : 3 * H], params["b_f"] - 0.5)
    with pytest.raises(InputError, match="adds nothing to its biases when it runs"):
        load("keras", dump("keras", "lstm", params), forget_bias=1.0)


@pytest.mark.parametrize(
    ("framework", "more"),
    [("keras", {"layer": 1}), ("flax", {"reverse": True}), ("torch", {"flat": Flat(D, H)}), ("onnx", {"layer": 2})],
)
def test_arguments_that_would_be_ignored_are_refused(framework: str, more: dict[str, Any]) -> None:
    params = random_params(cells.lstm)
    (option,) = more
    with pytest.raises(InputError, match=f"{option}= says nothing about weights of {framework} here"):
        load(framework, dump(framework, "lstm", params), "lstm", **more)
    if option != "flat":
        with pytest.raises(InputError, match=f"{option}= says nothing about weights of {framework} here"):
            dump(framework, "lstm", params, **more)


def test_one_direction_has_no_reverse() -> None:
    with pytest.raises(InputError, match="there is one direction only"):
        load("onnx", dump("onnx", "lstm", random_params(cells.lstm)), "lstm", reverse=True)
    paths = dict(
        zip(["a/kernel", "a/recurrent_kernel"], dump("keras", "lstm", random_params(cells.lstm)), strict=False)
    )
    with pytest.raises(InputError, match="say prefix= instead of reverse="):
        load("keras", paths, "lstm", reverse=True)


def test_what_is_no_array_of_floats() -> None:
    weights = torch_weights()
    for wrong, text in [([[1.0], [1.0, 2.0]], "inhomogeneous"), (np.ones((24, 4), complex), "got complex128")]:
        with pytest.raises(InputError, match=f"weight_ih_l0: expected an array of float16.*{text}"):
            load("torch", weights | {"weight_ih_l0": wrong}, "lstm")


def test_names_of_layers_are_kinds_too() -> None:
    params = random_params(cells.lstm)
    assert set(dump("nnx", "lstm", params, "OptimizedLSTMCell")) == {"dense_i", "dense_h"}
    assert set(dump("nnx", "lstm", params)) == {"ii", "if_", "ig", "io", "hi", "hf", "hg", "ho"}
    assert list(dump("torch", "lstm", params, "LSTMCell")) == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
