"""Gated recurrent units: cells whose gates mix the old state with a candidate.

Three things vary: where the reset gate r acts (before or after the product with U_n), what the update gate z weighs
(the candidate n or the old state h), and how many biases there are.  The names say what differs from `gru`.
"""

from __future__ import annotations

from symrnn.cells.catalogue import gru_family as family
from symrnn.language.recurrence import Cell
from symrnn.variants import (
    complemented,
    with_reset_after,
    with_two_biases,
    without_biases,
)


@family.cell
def gru(x, h, *, W_r, U_r, b_r, W_z, U_z, b_z, W_n, U_n, b_n):
    """Gated recurrent unit, reset before the product.

    Source: Chung, Gulcehre, Cho & Bengio (2014), "Empirical Evaluation of Gated Recurrent Neural Networks on
        Sequence Modeling", arXiv:1412.3555, section 3.2, with biases.
    Variant: the reset gate acts on h before U_n; z_t weighs the candidate; one bias per gate.
    Not: the cell of Cho et al. (2014) and of the frameworks, in which z_t weighs the old state (gru_zold);
        PyTorch's, in which the reset acts after the product.

        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)         reset gate
        z_t = sigmoid(W_z x_t + U_z h_{t-1} + b_z)         update gate
        n_t = tanh(W_n x_t + U_n (r_t * h_{t-1}) + b_n)    candidate
        h_t = (1 - z_t) * h_{t-1} + z_t * n_t              state

    Symbols: W input weights; U recurrent weights; b biases.
    """
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    n = tanh(W_n @ x + U_n @ (r * h) + b_n)
    h = (1 - z) * h + z * n
    return h


@family.cell
def gru_reset_after(x, h, *, W_r, U_r, b_r, W_z, U_z, b_z, W_n, U_n, b_n, c_n):
    """Gated recurrent unit, reset after the product.

    Source: Flax, flax.linen.GRUCell; the cell of PyTorch, cuDNN and Keras (reset_after=True) once the two biases of
        r and z are summed.
    Variant: the reset gate acts on U_n h + c_n; z_t weighs the old state; the candidate has a bias inside the reset
        (c_n, PyTorch's b_hn) and one outside (b_n).
    Not: the cell of Chung et al. (2014) or Cho et al. (2014): no parameters make reset before and after the same
        function.

        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)               reset gate
        z_t = sigmoid(W_z x_t + U_z h_{t-1} + b_z)               update gate
        n_t = tanh(W_n x_t + b_n + r_t * (U_n h_{t-1} + c_n))    candidate
        h_t = (1 - z_t) * n_t + z_t * h_{t-1}                    state

    Symbols: W input weights; U recurrent weights; b biases; c bias inside the reset.
    """
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    n = tanh(W_n @ x + b_n + r * (U_n @ h + c_n))
    h = (1 - z) * n + z * h
    return h


@family.variant
def gru_no_bias() -> Cell:
    """Gated recurrent unit without biases.

    Source: Chung, Gulcehre, Cho & Bengio (2014), "Empirical Evaluation of Gated Recurrent Neural Networks on
        Sequence Modeling", arXiv:1412.3555, section 3.2, as printed.
    Variant: the reset gate acts on h before U_n; z_t weighs the candidate; no biases.
    Not: gru_zold_no_bias, in which z_t weighs the old state.
    """
    return without_biases(gru.cell)


@family.variant
def gru_two_biases() -> Cell:
    """Gated recurrent unit with two biases per gate.

    Source: the cell of Chung et al. (2014), arXiv:1412.3555, with the biases of ONNX's operator GRU.
    Variant: the reset gate acts on h before U_n; z_t weighs the candidate; a bias on the input side (b) and one on
        the recurrent side (c).
    Not: another function than gru: only b + c counts.
    """
    return with_two_biases(gru.cell)


@family.variant
def gru_zold() -> Cell:
    """Gated recurrent unit, reset before the product, z on the old state.

    Source: Cho, van Merrienboer, Gulcehre, Bahdanau, Bougares, Schwenk & Bengio (2014), "Learning Phrase
        Representations using RNN Encoder-Decoder", arXiv:1406.1078, equations 5 to 8, with biases; Keras,
        GRU(reset_after=False).
    Variant: the reset gate acts on h before U_n; z_t weighs the old state; one bias per gate.
    Not: gru in another form of words: the function is the same under z -> 1 - z, so negate W_z, U_z and b_z.
    """
    return complemented(gru.cell, "z")


@family.variant
def gru_zold_no_bias() -> Cell:
    """Gated recurrent unit without biases, z on the old state.

    Source: Cho, van Merrienboer, Gulcehre, Bahdanau, Bougares, Schwenk & Bengio (2014), "Learning Phrase
        Representations using RNN Encoder-Decoder", arXiv:1406.1078, equations 5 to 8, as printed.
    Variant: the reset gate acts on h before U_n; z_t weighs the old state; no biases.
    Not: gru_no_bias, in which z_t weighs the candidate.
    """
    return without_biases(gru_zold.cell)


@family.variant
def gru_zold_two_biases() -> Cell:
    """Gated recurrent unit with two biases per gate, z on the old state.

    Source: ONNX, operator GRU with linear_before_reset=0.
    Variant: the reset gate acts on h before U_n; z_t weighs the old state; a bias on the input side (b) and one on
        the recurrent side (c).
    Not: another function than gru_zold: only b + c counts.
    """
    return with_two_biases(gru_zold.cell)


@family.variant
def gru_reset_after_two_biases() -> Cell:
    """Gated recurrent unit, reset after the product, with two biases per gate.

    Source: PyTorch, torch.nn.GRU; cuDNN; Keras, GRU(reset_after=True); ONNX, operator GRU with
        linear_before_reset=1.
    Variant: the reset gate acts on U_n h + c_n; z_t weighs the old state; a bias on the input side (b) and one on
        the recurrent side (c).
    Not: another function than gru_reset_after, where b + c are summed in r and z; a function that a cell with the
        reset before the product can compute.
    """
    return with_reset_after(gru_zold_two_biases.cell)


@family.variant
def gru_reset_after_no_bias() -> Cell:
    """Gated recurrent unit without biases, reset after the product.

    Source: PyTorch, torch.nn.GRU(bias=False).
    Variant: the reset gate acts after the product with U_n; z_t weighs the old state; no biases.
    Not: gru_zold_no_bias: no parameters make reset before and after the same function.
    """
    return without_biases(gru_reset_after.cell)


@family.variant
def gru_reset_after_one_bias() -> Cell:
    """Gated recurrent unit with one bias per gate, reset after the product.

    Source: Flax, flax.nnx.GRUCell.
    Variant: the reset gate acts after the product with U_n; z_t weighs the old state; the candidate's bias is
        outside the reset.
    Not: gru_reset_after, which has a second bias inside the reset and computes more functions.
    """
    return with_reset_after(gru_zold.cell)


@family.variant
def gru_reset_after_zcandidate() -> Cell:
    """Gated recurrent unit, reset after the product, z on the candidate.

    Source: gru_reset_after with the update gate of Chung et al. (2014), arXiv:1412.3555.
    Variant: the reset gate acts on U_n h + c_n; z_t weighs the candidate; the candidate has a bias inside the reset
        (c_n) and one outside (b_n).
    Not: PyTorch's cell as it stands: negate W_z, U_z and b_z.
    """
    return complemented(gru_reset_after.cell, "z")


@family.variant
def gru_reset_after_zcandidate_no_bias() -> Cell:
    """Gated recurrent unit without biases, reset after the product, z on the candidate.

    Source: gru_reset_after_no_bias with the update gate of Chung et al. (2014), arXiv:1412.3555.
    Variant: the reset gate acts after the product with U_n; z_t weighs the candidate; no biases.
    Not: gru_no_bias: no parameters make reset before and after the same function.
    """
    return complemented(gru_reset_after_no_bias.cell, "z")


@family.variant
def gru_reset_after_zcandidate_one_bias() -> Cell:
    """Gated recurrent unit with one bias per gate, reset after the product, z on the candidate.

    Source: gru_reset_after_one_bias with the update gate of Chung et al. (2014), arXiv:1412.3555.
    Variant: the reset gate acts after the product with U_n; z_t weighs the candidate; the candidate's bias is
        outside the reset.
    Not: gru_reset_after_zcandidate_inner_bias, whose bias is inside.
    """
    return complemented(gru_reset_after_one_bias.cell, "z")


@family.variant
def gru_reset_after_zcandidate_two_biases() -> Cell:
    """Gated recurrent unit with two biases per gate, reset after the product, z on the candidate.

    Source: gru_reset_after_two_biases with the update gate of Chung et al. (2014), arXiv:1412.3555.
    Variant: the reset gate acts on U_n h + c_n; z_t weighs the candidate; a bias on the input side (b) and one on
        the recurrent side (c).
    Not: PyTorch's cell as it stands: negate W_z, U_z, b_z and c_z.
    """
    return complemented(gru_reset_after_two_biases.cell, "z")


@family.cell
def gru_reset_after_zcandidate_inner_bias(x, h, *, W_r, U_r, b_r, W_z, U_z, b_z, W_n, U_n, b_n):
    """Gated recurrent unit with the candidate's only bias inside the reset, z on the candidate.

    Source: tutorials that print tanh(W x + r * (U h + b)), such as the one of the family "as found", its equations
        for zeta and r.
    Variant: the reset gate acts on U_n h + b_n; z_t weighs the candidate; one bias per gate.
    Not: PyTorch's cell, which has a bias outside the reset too; gru_reset_after_zcandidate_one_bias, whose bias is
        outside.

        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)         reset gate
        z_t = sigmoid(W_z x_t + U_z h_{t-1} + b_z)         update gate
        n_t = tanh(W_n x_t + r_t * (U_n h_{t-1} + b_n))    candidate
        h_t = (1 - z_t) * h_{t-1} + z_t * n_t              state

    Symbols: W input weights; U recurrent weights; b biases.
    """
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    n = tanh(W_n @ x + r * (U_n @ h + b_n))
    h = (1 - z) * h + z * n
    return h
