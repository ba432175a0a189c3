"""How the frameworks lay out the weights of their recurrent layers: one table, as data.

A row says which of the library's cells a layer computes, and for each of the layer's arrays which of that cell's
parameters stand where in it.  Gates have the library's letters here (f i g o, r z n); `letters` are the framework's.
Reading, writing and explaining are generic over the rows; this file knows the frameworks by name only and imports
none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from symrnn.errors import InputError, UnknownNameError
from symrnn.freezing import Frozen
from symrnn.showing import Shown
from symrnn.suggestions import did_you_mean, folded

Blocks = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Entry:
    """One array of a layer, as blocks of the cell's parameters.

    Attributes:
        name: the array's name; `{layer}` and `{reverse}` stand for the layer's number and direction.
        blocks: parameter names; rows of blocks from top to bottom, the blocks of a row from left to right.  A vector
            is a column.
        columns: the array is the transpose of that: it stands on the right, as in x @ W.
        optional: a layer may be without it, which means zeros.
        refilled: each block has the numbers of its parameter row after row, and the parameter's shape turned round: it
            is the parameter read as an array of the other shape, not its transpose.
    """

    name: str
    blocks: Blocks
    columns: bool = False
    optional: bool = False
    refilled: bool = False

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the parameters in it."""
        return tuple(name for row in self.blocks for name in row)


@dataclass(frozen=True, repr=False)
class Convention(Shown):
    """One layer of one framework.

    Attributes:
        framework: its name in this table.
        kind: the function, one name for all frameworks; the part before the first `_` is its family.
        layers: what the framework calls it.
        cell: the library's cell that it computes, with exactly its parameters.
        gates: the order in which the gates are stacked, or listed.
        letters: the framework's own names of the gates, in the same order.
        entries: the layer's arrays, in the framework's order.
        states: the order of the states in the layer's state tuple.
        container: how the arrays come: see `symrnn.interop.containers`.
        bias_side: where a single bias per gate is stored.
        forget_bias: what the layer adds to the forget gate's bias when it runs.
        initial: the framework's defaults before training.
        signs: attributes of the framework's own object and the values that they must have.
        former: the framework makes such layers no longer; they are read, and written only where they are named.
        source: where this was read.
    """

    framework: str
    kind: str
    layers: tuple[str, ...]
    cell: str
    gates: tuple[str, ...]
    letters: tuple[str, ...]
    entries: tuple[Entry, ...]
    states: tuple[str, ...]
    container: str
    bias_side: str = ""
    forget_bias: float = 0.0
    initial: str = ""
    signs: Mapping[str, Any] = field(default_factory=lambda: Frozen({}), hash=False)
    former: bool = False
    source: str = ""

    @property
    def family(self) -> str:
        """The kind of cell without its variant: rnn, lstm, gru or mgu."""
        return self.kind.split("_")[0]

    @property
    def title(self) -> str:
        """The row's name in messages."""
        return f"{self.framework} {self.kind} ({', '.join(self.layers)})"

    @property
    def slots(self) -> tuple[str, ...]:
        """The parameters that have a place in the arrays."""
        return tuple(name for entry in self.entries for name in entry.slots)


def slot(side: str, gate: str) -> str:
    """The library's name of a gate's parameter: `W_f`, or `W` in a cell without gates."""
    return f"{side}_{gate}" if gate else side


def _stack(gates: str, *sides: str) -> Blocks:
    # A row of blocks for each gate, and in it a block for each side.
    return tuple(tuple(slot(side, gate) for side in sides) for gate in gates or ("",))


def _each(path: str, side: str, gates: str, letters: str, leaf: str = "kernel") -> tuple[Entry, ...]:
    """An array of its own per gate; `path` has the framework's letter in it."""
    return tuple(
        Entry(f"{path.format(letter)}/{leaf}", ((slot(side, gate),),), columns=True)
        for gate, letter in zip(gates, letters.split(), strict=True)
    )


_STATES = {"rnn": ("h",), "gru": ("h",), "mgu": ("h",), "lstm": ("h", "c")}


def _row(
    framework: str, kind: str, layers: str, cell: str, gates: str, letters: str, *entries: Entry, **more: Any
) -> Convention:
    """A row of the table; the defaults are what most frameworks do."""
    more = {"container": "dict", "states": _STATES[kind.split("_")[0]]} | more
    more["signs"] = Frozen(more.get("signs", {}))
    named = tuple(layers.split(", "))
    # Gates have one letter each, so a text is a list of them; a cell without gates has one, without a name.
    return Convention(
        framework, kind, named, cell, tuple(gates) or ("",), tuple(letters.split()) or ("",), entries, **more
    )


# --- PyTorch ----------------------------------------------------------------------------------------------------------

_TORCH = {
    "initial": "all uniform within ±1/sqrt(hidden_size)",
    "source": "torch.nn.RNN, LSTM, GRU, RNNCell, LSTMCell, GRUCell, PyTorch 2.13",
}


def _torch(gates: str, suffix: str = "_l{layer}{reverse}") -> tuple[Entry, ...]:
    return (
        Entry(f"weight_ih{suffix}", _stack(gates, "W")),
        Entry(f"weight_hh{suffix}", _stack(gates, "U")),
        Entry(f"bias_ih{suffix}", _stack(gates, "b"), optional=True),
        Entry(f"bias_hh{suffix}", _stack(gates, "c"), optional=True),
    )


_TORCH_ROWS = (
    _row("torch", "rnn", "RNN", "rnn_two_biases", "", "", *_torch(""), signs={"mode": "RNN_TANH"}, **_TORCH),
    _row("torch", "rnn_relu", "RNN", "rnn_relu_two_biases", "", "", *_torch(""), signs={"mode": "RNN_RELU"}, **_TORCH),
    _row(
        "torch", "lstm", "LSTM", "lstm_two_biases", "ifgo", "i f g o",
        *_torch("ifgo"), signs={"mode": "LSTM"}, **_TORCH,
    ),
    _row(
        "torch", "lstm_projected", "LSTM", "lstm_projected_two_biases", "ifgo", "i f g o",
        *_torch("ifgo"), Entry("weight_hr_l{layer}{reverse}", (("W_h",),)), signs={"mode": "LSTM"}, **_TORCH,
    ),
    _row(
        "torch", "gru_reset_after", "GRU", "gru_reset_after_two_biases", "rzn", "r z n",
        *_torch("rzn"), signs={"mode": "GRU"}, **_TORCH,
    ),
    _row(
        "torch", "rnn", "RNNCell", "rnn_two_biases", "", "",
        *_torch("", ""), signs={"nonlinearity": "tanh"}, **_TORCH,
    ),
    _row(
        "torch", "rnn_relu", "RNNCell", "rnn_relu_two_biases", "", "",
        *_torch("", ""), signs={"nonlinearity": "relu"}, **_TORCH,
    ),
    _row("torch", "lstm", "LSTMCell", "lstm_two_biases", "ifgo", "i f g o", *_torch("ifgo", ""), **_TORCH),
    _row(
        "torch", "gru_reset_after", "GRUCell", "gru_reset_after_two_biases", "rzn", "r z n",
        *_torch("rzn", ""), **_TORCH,
    ),
)  # fmt: skip


# --- Keras 3 ----------------------------------------------------------------------------------------------------------

_KERAS = {
    "container": "list",
    "bias_side": "one vector beside both kernels",
    "source": "keras.layers.SimpleRNN, LSTM, GRU, Keras 3.15",
}
_GLOROT = "kernel Glorot uniform, recurrent kernel orthogonal, bias 0"
_GATED = {"activation": "tanh", "recurrent_activation": "sigmoid"}


def _kernels(gates: str, *sides: str) -> tuple[Entry, ...]:
    """The arrays of x @ kernel + h @ recurrent_kernel + bias, gates side by side; two biases are two rows."""
    return (
        Entry("kernel", _stack(gates, "W"), columns=True),
        Entry("recurrent_kernel", _stack(gates, "U"), columns=True),
        Entry("bias", _stack(gates, *sides), columns=True, optional=True),
    )


_KERAS_ROWS = (
    _row(
        "keras", "rnn", "SimpleRNN, SimpleRNNCell", "rnn", "", "",
        *_kernels("", "b"), initial=_GLOROT, signs={"activation": "tanh"}, **_KERAS,
    ),
    _row(
        "keras", "rnn_relu", "SimpleRNN, SimpleRNNCell", "rnn_relu", "", "",
        *_kernels("", "b"), initial=_GLOROT, signs={"activation": "relu"}, **_KERAS,
    ),
    _row(
        "keras", "lstm", "LSTM, LSTMCell", "lstm", "ifgo", "i f c o", *_kernels("ifgo", "b"),
        initial=_GLOROT + ", 1 for the forget gate (unit_forget_bias)", signs=_GATED, **_KERAS,
    ),
    _row(
        "keras", "gru_reset_after", "GRU(reset_after=True), GRUCell(reset_after=True)", "gru_reset_after_two_biases",
        "zrn", "z r h",
        *_kernels("zrn", "b", "c"), initial=_GLOROT, signs=_GATED | {"reset_after": True}, **_KERAS,
    ),
    _row(
        "keras", "gru_reset_before", "GRU(reset_after=False), GRUCell(reset_after=False)", "gru_zold", "zrn", "z r h",
        *_kernels("zrn", "b"), initial=_GLOROT, signs=_GATED | {"reset_after": False}, **_KERAS,
    ),
)  # fmt: skip


# Keras 2 on a GPU: the kernels are cuDNN's own numbers in Keras's shapes, and both biases follow one another.
_KERAS_CUDNN = {
    "container": "list",
    "former": True,
    "initial": _GLOROT,
    "source": "keras.layers.CuDNNLSTM and CuDNNGRU, and the conversion of their weights, Keras 2.4",
}


def _make_refilled(gates: str) -> tuple[Entry, ...]:
    return (
        Entry("kernel", _stack(gates, "W"), columns=True, refilled=True),
        Entry("recurrent_kernel", _stack(gates, "U"), columns=True, refilled=True),
        Entry("bias", _stack(gates, "b") + _stack(gates, "c")),
    )


_KERAS_FORMER_ROWS = (
    _row("keras", "lstm", "CuDNNLSTM", "lstm_two_biases", "ifgo", "i f c o", *_make_refilled("ifgo"), **_KERAS_CUDNN),
    _row(
        "keras", "gru_reset_after", "CuDNNGRU", "gru_reset_after_two_biases", "zrn", "z r h",
        *_make_refilled("zrn"), **_KERAS_CUDNN,
    ),
)  # fmt: skip


# --- Flax -------------------------------------------------------------------------------------------------------------

_LECUN = "kernels LeCun normal, recurrent kernels orthogonal, bias 0"
_LINEN = {"container": "tree", "initial": _LECUN, "source": "flax.linen, recurrent.py, Flax 0.12"}
_NNX = {"container": "tree", "initial": _LECUN, "source": "flax.nnx, nn/recurrent.py, Flax 0.12"}
_CARRY = {"states": ("c", "h")}
_ON_INPUT, _ON_RECURRENT = {"bias_side": "input side"}, {"bias_side": "recurrent side"}


def _dense(path: str, blocks: Blocks, bias: Blocks = ()) -> tuple[Entry, ...]:
    kernel = Entry(f"{path}/kernel", blocks, columns=True)
    return (kernel, Entry(f"{path}/bias", bias, columns=True)) if bias else (kernel,)


_FLAX_ROWS = (
    _row(
        "flax", "rnn", "SimpleCell", "rnn", "", "",
        *_dense("i", (("W",),), (("b",),)), *_dense("h", (("U",),)), **_ON_INPUT, **_LINEN,
    ),
    _row(
        "flax", "lstm", "LSTMCell, OptimizedLSTMCell", "lstm", "ifgo", "i f g o",
        *_each("i{}", "W", "ifgo", "i f g o"), *_each("h{}", "U", "ifgo", "i f g o"),
        *_each("h{}", "b", "ifgo", "i f g o", "bias"), **_CARRY, **_ON_RECURRENT, **_LINEN,
    ),
    _row(
        "flax", "gru_reset_after", "GRUCell", "gru_reset_after", "rzn", "r z n",
        *_each("i{}", "W", "rzn", "r z n"), *_each("i{}", "b", "rzn", "r z n", "bias"),
        *_each("h{}", "U", "rzn", "r z n"), *_each("h{}", "c", "n", "n", "bias"), **_ON_INPUT, **_LINEN,
    ),
    _row(
        "flax", "mgu", "MGUCell", "mgu_flax", "fn", "f n",
        *_each("i{}", "W", "fn", "f n"), *_each("i{}", "b", "fn", "f n", "bias"),
        *_each("h{}", "U", "fn", "f n"), *_each("h{}", "c", "n", "n", "bias"),
        **_ON_INPUT, **_LINEN | {"initial": _LECUN + ", 1 for the forget gate"},
    ),
    _row(
        "nnx", "rnn", "SimpleCell", "rnn", "", "",
        *_dense("dense_i", (("W",),), (("b",),)), *_dense("dense_h", (("U",),)), **_ON_INPUT, **_NNX,
    ),
    _row(
        "nnx", "lstm", "LSTMCell", "lstm", "ifgo", "i f_ g o",
        *_each("i{}", "W", "ifgo", "i f_ g o"), *_each("h{}", "U", "ifgo", "i f g o"),
        *_each("h{}", "b", "ifgo", "i f g o", "bias"), **_CARRY, **_ON_RECURRENT, **_NNX,
    ),
    _row(
        "nnx", "lstm", "OptimizedLSTMCell", "lstm", "ifgo", "i f g o",
        *_dense("dense_i", _stack("ifgo", "W")), *_dense("dense_h", _stack("ifgo", "U"), _stack("ifgo", "b")),
        **_CARRY, **_ON_RECURRENT, **_NNX,
    ),
    _row(
        "nnx", "gru_reset_after", "GRUCell", "gru_reset_after_one_bias", "rzn", "r z n",
        *_dense("dense_i", _stack("rzn", "W"), _stack("rzn", "b")), *_dense("dense_h", _stack("rzn", "U")),
        **_ON_INPUT, **_NNX,
    ),
)  # fmt: skip


# --- ONNX -------------------------------------------------------------------------------------------------------------

_ONNX = {
    "container": "directions",
    "initial": "none: the operator has no training",
    "source": "ONNX operators RNN, LSTM, GRU, opset 22",
}


def _onnx(gates: str) -> tuple[Entry, ...]:
    both = _stack(gates, "b") + _stack(gates, "c")
    return (Entry("W", _stack(gates, "W")), Entry("R", _stack(gates, "U")), Entry("B", both, optional=True))


_ONNX_ROWS = (
    _row("onnx", "rnn", "RNN", "rnn_two_biases", "", "", *_onnx(""), **_ONNX),
    _row("onnx", "rnn_relu", "RNN(activations=Relu)", "rnn_relu_two_biases", "", "", *_onnx(""), **_ONNX),
    _row("onnx", "lstm", "LSTM", "lstm_two_biases", "iofg", "i o f c", *_onnx("iofg"), **_ONNX),
    _row(
        "onnx", "lstm_peephole", "LSTM with P", "lstm_peephole_two_biases", "iofg", "i o f c",
        *_onnx("iofg"), Entry("P", _stack("iof", "p")), **_ONNX,
    ),
    _row(
        "onnx", "gru_reset_before", "GRU(linear_before_reset=0)", "gru_zold_two_biases", "zrn", "z r h",
        *_onnx("zrn"), **_ONNX,
    ),
    _row(
        "onnx", "gru_reset_after", "GRU(linear_before_reset=1)", "gru_reset_after_two_biases", "zrn", "z r h",
        *_onnx("zrn"), **_ONNX,
    ),
)  # fmt: skip


# --- cuDNN, TensorFlow 1, haste ---------------------------------------------------------------------------------------

_CUDNN = {
    "container": "flat",
    "initial": "none: a buffer of the caller",
    "source": "jax.experimental.rnn, JAX 0.10, for the LSTM; NVIDIA's cudnnGetRNNWeightParams for the others' gates",
}
_TF1 = {
    "bias_side": "one vector beside the common kernel",
    "source": "tensorflow/python/ops/rnn_cell_impl.py, TensorFlow 1",
}
_HASTE = {"bias_side": "one vector beside both kernels", "source": "haste, frameworks/pytorch/lstm.py and gru.py"}
_XAVIER = "kernels Xavier uniform and recurrent kernels orthogonal per gate, bias 0"


def _joint(path: str, gates: str) -> tuple[Entry, ...]:
    """The arrays of [x, h] @ kernel + bias: the input's rows above the state's."""
    return (
        Entry(f"{path}kernel", _stack(gates, "W", "U"), columns=True),
        Entry(f"{path}bias", _stack(gates, "b"), columns=True),
    )


_OTHER_ROWS = (
    _row("cudnn", "rnn", "RNN_TANH", "rnn_two_biases", "", "", *_torch(""), **_CUDNN),
    _row("cudnn", "rnn_relu", "RNN_RELU", "rnn_relu_two_biases", "", "", *_torch(""), **_CUDNN),
    _row("cudnn", "lstm", "LSTM", "lstm_two_biases", "ifgo", "i f g o", *_torch("ifgo"), **_CUDNN),
    _row("cudnn", "gru_reset_after", "GRU", "gru_reset_after_two_biases", "rzn", "r z h", *_torch("rzn"), **_CUDNN),
    _row("tf1", "rnn", "BasicRNNCell", "rnn", "", "", *_joint("", ""), initial="kernel Glorot uniform, bias 0", **_TF1),
    _row(
        "tf1", "lstm", "BasicLSTMCell, LSTMCell", "lstm", "igfo", "i j f o", *_joint("", "igfo"),
        forget_bias=1.0, initial="kernel Glorot uniform, bias 0", **_CARRY, **_TF1,
    ),
    _row(
        "tf1", "lstm_peephole", "LSTMCell(use_peepholes=True)", "lstm_peephole", "igfo", "i j f o", *_joint("", "igfo"),
        *(Entry(f"w_{gate}_diag", ((f"p_{gate}",),)) for gate in "fio"),
        forget_bias=1.0, initial="kernel Glorot uniform, bias 0", **_CARRY, **_TF1,
    ),
    _row(
        "tf1", "lstm_projected", "LSTMCell(num_proj)", "lstm_projected", "igfo", "i j f o",
        *_joint("", "igfo"), Entry("projection/kernel", (("W_h",),), columns=True),
        forget_bias=1.0, initial="kernels Glorot uniform, bias 0", **_CARRY, **_TF1,
    ),
    _row(
        "tf1", "gru_reset_before", "GRUCell", "gru_zold", "rzn", "r u c",
        *_joint("gates/", "rz"), *_joint("candidate/", "n"),
        initial="kernels Glorot uniform, gates' bias 1, candidate's 0", **_TF1,
    ),
    _row(
        "haste", "lstm", "LSTM", "lstm", "igfo", "i g f o",
        *_kernels("igfo", "b"), initial=_XAVIER + ", 1 for the forget gate", **_HASTE,
    ),
    _row(
        "haste", "gru_reset_after", "GRU", "gru_reset_after_two_biases", "zrn", "z r g", *_kernels("zrn", "b"),
        Entry("recurrent_bias", _stack("zrn", "c"), columns=True, optional=True), initial=_XAVIER, **_HASTE,
    ),
)  # fmt: skip

# --- Paddle, MXNet, MLX, OpenVINO, MATLAB ----------------------------------------------------------------------------

_PADDLE = {"initial": "all uniform within ±1/sqrt(hidden_size)", "source": "paddle.nn.SimpleRNN, LSTM, GRU, Paddle 2.6"}
_MXNET = {
    "initial": "the initializer of the caller",
    "source": "mxnet.gluon.rnn.RNN, LSTM, GRU, rnn_layer.py and rnn_cell.py, MXNet 1.9",
}
_MLX = {
    "bias_side": "one vector beside both kernels",
    "initial": "all uniform within ±1/sqrt(hidden_size)",
    "source": "mlx.nn.RNN, LSTM, GRU, layers/recurrent.py, MLX 0.29",
}
_OPENVINO = {
    "container": "directions",
    "bias_side": "one vector, the sum of both",
    "initial": "none: the operation has no training",
    "source": "OpenVINO operation LSTMSequence, opset 5",
}
_MATLAB = {
    "container": "columns",
    "bias_side": "one vector beside both kernels",
    "initial": "kernels Glorot and orthogonal, 1 for the forget gate's bias",
    "source": "MATLAB Deep Learning Toolbox, lstmLayer",
}


def _gluon(gates: str) -> tuple[Entry, ...]:
    return (
        Entry("{side}{layer}_i2h_weight", _stack(gates, "W")),
        Entry("{side}{layer}_h2h_weight", _stack(gates, "U")),
        Entry("{side}{layer}_i2h_bias", _stack(gates, "b")),
        Entry("{side}{layer}_h2h_bias", _stack(gates, "c")),
    )


def _mlx(kind: str, gates: str, names: str, cell: str, letters: str, *more: Entry) -> tuple[Convention, ...]:
    """Both orientations: since 2025 the gates are along rows; the recurrent matrix's shape tells them apart."""
    x, h, b = names.split()
    layer = kind.partition("_")[0].upper()
    return tuple(
        _row(
            "mlx", kind, layer, cell, gates, letters,
            Entry(x, _stack(gates, "W"), columns=columns), Entry(h, _stack(gates, "U"), columns=columns),
            Entry(b, _stack(gates, "b"), optional=True), *more, former=columns, **_MLX,
        )
        for columns in (False, True)
    )  # fmt: skip


_FURTHER_ROWS = (
    _row("paddle", "rnn", "SimpleRNN", "rnn_two_biases", "", "", *_torch(""), **_PADDLE),
    _row("paddle", "rnn_relu", "SimpleRNN(activation=relu)", "rnn_relu_two_biases", "", "", *_torch(""), **_PADDLE),
    _row("paddle", "lstm", "LSTM", "lstm_two_biases", "ifgo", "i f c o", *_torch("ifgo"), **_PADDLE),
    _row("paddle", "gru_reset_after", "GRU", "gru_reset_after_two_biases", "rzn", "r z c", *_torch("rzn"), **_PADDLE),
    _row("mxnet", "rnn", "RNN(activation=tanh)", "rnn_two_biases", "", "", *_gluon(""), **_MXNET),
    _row("mxnet", "rnn_relu", "RNN", "rnn_relu_two_biases", "", "", *_gluon(""), **_MXNET),
    _row("mxnet", "lstm", "LSTM", "lstm_two_biases", "ifgo", "i f c o", *_gluon("ifgo"), **_MXNET),
    _row("mxnet", "gru_reset_after", "GRU", "gru_reset_after_two_biases", "rzn", "r z o", *_gluon("rzn"), **_MXNET),
    *_mlx("rnn", "", "Wxh Whh bias", "rnn", ""),
    *_mlx("lstm", "ifgo", "Wx Wh bias", "lstm", "i f g o"),
    *_mlx("gru_reset_after", "rzn", "Wx Wh b", "gru_reset_after", "r z n", Entry("bhn", (("c_n",),), optional=True)),
    _row(
        "openvino", "lstm", "LSTMSequence", "lstm", "figo", "f i c o",
        Entry("W", _stack("figo", "W")), Entry("R", _stack("figo", "U")), Entry("B", _stack("figo", "b")), **_OPENVINO,
    ),
    _row(
        "matlab", "lstm", "lstmLayer", "lstm", "ifgo", "i f g o",
        Entry("InputWeights", _stack("ifgo", "W")), Entry("RecurrentWeights", _stack("ifgo", "U")),
        Entry("Bias", _stack("ifgo", "b")), **_MATLAB,
    ),
)  # fmt: skip

CONVENTIONS: tuple[Convention, ...] = (
    _TORCH_ROWS + _KERAS_ROWS + _KERAS_FORMER_ROWS + _FLAX_ROWS + _ONNX_ROWS + _OTHER_ROWS + _FURTHER_ROWS
)
"""All rows, framework by framework."""

_OTHERWISE: Mapping[str, str | tuple[str, ...]] = MappingProxyType(
    {
        "pytorch": "torch", "torch.nn": "torch", "libtorch": "torch", "tensorflow": ("keras", "tf1"),
        "tf": ("keras", "tf1"), "tf2": "keras", "tf.keras": "keras", "tensorflow1": "tf1", "jax": ("flax", "cudnn"),
        "linen": "flax", "flax.linen": "flax", "flax.nnx": "nnx", "onnxruntime": "onnx", "ort": "onnx",
        "paddlepaddle": "paddle", "gluon": "mxnet", "nvidia": "cudnn", "lasagne": "haste",
    }
)  # fmt: skip
"""What people call a framework -> its names here."""
_AS_ONNX = "put the gates, in the order of its documentation, into the arrays W, R and B of an ONNX operator"
_REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "coreml": f"load the model that it was converted from; or {_AS_ONNX}",
        "dl4j": _AS_ONNX,
        "tflite": f"its weights may be quantised: load the Keras model that it was made from; or {_AS_ONNX}",
        "flux": f"its arrays have no names, and their order has changed: {_AS_ONNX}",
    }
)
"""Frameworks that people ask for and that the table has no row for -> what to do instead."""


def frameworks() -> tuple[str, ...]:
    """The frameworks' names: torch, keras, flax (linen), nnx (Flax's newer modules), onnx, cudnn, tf1, haste, ..."""
    return tuple(dict.fromkeys(row.framework for row in CONVENTIONS))


def kinds(framework: str) -> tuple[str, ...]:
    """The kinds of cells that a framework has a row for."""
    return tuple(dict.fromkeys(row.kind for row in rows(framework)))


def rows(framework: str, kind: str | None = None) -> tuple[Convention, ...]:
    """The rows of a framework.

    Args:
        framework: one of `frameworks()`.
        kind: a kind (`"gru_reset_after"`), the framework's own name of a layer (`"GRUCell"`), or a family (`"gru"`),
            in this order; None for all.

    Raises:
        UnknownNameError: there is no such framework.
        InputError: the framework has no such kind.
    """
    mine = tuple(row for row in CONVENTIONS if row.framework == framework)
    if not mine:
        instead = _REFUSED.get(folded(framework) if isinstance(framework, str) else "")
        if instead:
            raise InputError(f"{framework}: its layers are not in the table of conventions\n  {instead}")
        hint = did_you_mean(framework, frameworks(), called=_OTHERWISE)
        raise UnknownNameError(f"no framework {framework!r}\n  {hint}there are {', '.join(frameworks())}")
    if kind is None:
        return mine
    # From the narrowest meaning to the widest: gru is a family, and no layer's name.
    by_kind = [row for row in mine if row.kind == kind]
    by_layer = [row for row in mine if kind in row.layers]
    found = by_kind or by_layer or [row for row in mine if row.family == kind]
    if not found:
        known = ", ".join(dict.fromkeys([row.kind for row in mine] + [name for row in mine for name in row.layers]))
        names = [name for row in mine for name in (row.kind, *row.layers)]
        elsewhere = any(kind in (row.kind, row.family, *row.layers) for row in CONVENTIONS)  # spelt right, and not here
        hint = "" if elsewhere else did_you_mean(kind, names)
        raise InputError(f"{framework} has no kind {kind!r}\n  {hint}it has {known}")
    return tuple(found)
