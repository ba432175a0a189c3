"""The names by which frameworks and papers know a cell: one table."""

from __future__ import annotations

from typing import NamedTuple


class Alias(NamedTuple):
    """A name that a cell of the library has elsewhere.

    Attributes:
        alias: the name elsewhere; a lookup does not mind capitals and blanks.
        cell: the library's name.
        note: what to know about it, or an empty text.
    """

    alias: str
    cell: str
    note: str = ""


KNOWN_AS: tuple[Alias, ...] = (
    # PyTorch, documentation of torch.nn
    Alias("torch.RNN", "rnn_two_biases"),
    Alias("torch.RNN(nonlinearity=relu)", "rnn_relu_two_biases"),
    Alias("torch.LSTM", "lstm_two_biases"),
    Alias("torch.LSTM(bias=False)", "lstm_no_bias"),
    Alias("torch.LSTM(proj_size)", "lstm_projected_two_biases", "d_h is proj_size, d_c is hidden_size"),
    Alias("torch.GRU", "gru_reset_after_two_biases"),
    Alias("torch.GRU(bias=False)", "gru_reset_after_no_bias"),
    # cuDNN, as JAX and PyTorch document it
    Alias("cudnn.RNN", "rnn_two_biases"),
    Alias("cudnn.LSTM", "lstm_two_biases"),
    Alias("cudnn.GRU", "gru_reset_after_two_biases"),
    Alias("jax.experimental.rnn.lstm", "lstm_two_biases", "the cuDNN LSTM"),
    # Keras 3, its source
    Alias("keras.SimpleRNN", "rnn"),
    Alias("keras.LSTM", "lstm"),
    Alias("keras.LSTM(use_bias=False)", "lstm_no_bias"),
    Alias("keras.GRU", "gru_reset_after_two_biases", "reset_after=True is the default"),
    Alias("keras.GRU(reset_after=True)", "gru_reset_after_two_biases"),
    Alias("keras.GRU(reset_after=False)", "gru_zold"),
    # Flax, its source
    Alias("flax.SimpleCell", "rnn"),
    Alias("flax.LSTMCell", "lstm", "the biases are on the recurrent side"),
    Alias("flax.OptimizedLSTMCell", "lstm", "the biases are on the recurrent side"),
    Alias("flax.GRUCell", "gru_reset_after"),
    Alias("flax.MGUCell", "mgu_flax"),
    Alias("flax.nnx.SimpleCell", "rnn"),
    Alias("flax.nnx.LSTMCell", "lstm", "the biases are on the recurrent side"),
    Alias("flax.nnx.OptimizedLSTMCell", "lstm", "the biases are on the recurrent side"),
    Alias("flax.nnx.GRUCell", "gru_reset_after_one_bias", "no bias inside the reset, other than flax.linen's"),
    # ONNX, the operators' schemas
    Alias("onnx.RNN", "rnn_two_biases"),
    Alias("onnx.RNN(activations=Relu)", "rnn_relu_two_biases"),
    Alias("onnx.LSTM", "lstm_two_biases"),
    Alias("onnx.LSTM(P)", "lstm_peephole_two_biases", "with the input P, the peepholes"),
    Alias("onnx.GRU", "gru_zold_two_biases", "linear_before_reset=0 is the default"),
    Alias("onnx.GRU(linear_before_reset=0)", "gru_zold_two_biases"),
    Alias("onnx.GRU(linear_before_reset=1)", "gru_reset_after_two_biases"),
    # TensorFlow 1 and haste
    Alias("tf1.BasicLSTMCell", "lstm", "a forget bias of 1 is added at run time; [x; h] in one matrix for all gates"),
    Alias("tf1.GRUCell", "gru_zold"),
    Alias("tf1.UGRNNCell", "ugrnn", "a forget bias of 1 is added at run time"),
    Alias("haste.LSTM", "lstm"),
    Alias("haste.GRU", "gru_reset_after_two_biases"),
    # Papers
    Alias("Elman 1990", "rnn_sigmoid", "with logistic units; with tanh it is rnn"),
    Alias("Hochreiter 1997", "lstm_1997"),
    Alias("Gers 2000", "lstm"),
    Alias("Gers 2002", "lstm_peephole", "the paper has no tanh on the output"),
    Alias("Graves 2013", "lstm_peephole"),
    Alias("Sak 2014", "lstm_projected", "the paper has peepholes too"),
    Alias("Cho 2014", "gru_zold", "the paper prints no biases: gru_zold_no_bias"),
    Alias("Chung 2014", "gru", "the paper prints no biases: gru_no_bias"),
    Alias("Greff 2017", "lstm_odyssey_vanilla"),
    Alias("Zhou 2016", "mgu"),
    Alias("Ba 2016", "lstm_layer_norm"),
    # Other names
    Alias("Elman network", "rnn"),
    Alias("IRNN", "rnn_relu", "with U = I and b = 0 at the start of training"),
    Alias("IndRNN", "indrnn"),
    Alias("Li-GRU", "ligru"),
    Alias("LSTMP", "lstm_projected"),
    Alias("CIFG", "lstm_cifg"),
    Alias("vanilla LSTM", "lstm", "in the odyssey's words lstm_odyssey_vanilla"),
    Alias("GRU v1", "gru_reset_after_two_biases", "the reset after the product"),
    Alias("GRU v3", "gru_zold", "the reset before the product"),
)
"""Every alias; the gates' order and the weights' layout are another matter, which these names do not settle."""
