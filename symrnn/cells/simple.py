"""Cells without gates."""

from __future__ import annotations

from symrnn.language import cell


@cell
def rnn(x, h, *, W, U, b):
    """Simple recurrent network.

    Source: Elman (1990), "Finding Structure in Time", Cognitive Science 14, with tanh; PyTorch's RNN.
    Variant: tanh, one bias.

        h_t = tanh(W x_t + U h_{t-1} + b)

    W maps the input, U the previous state; b is the bias.
    """
    h = tanh(W @ x + U @ h + b)
    return h
