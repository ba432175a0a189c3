"""Gated recurrent units: cells whose gates mix the old state with a candidate."""

from __future__ import annotations

from symrnn.language import cell


@cell
def gru(x, h, *, W_r, U_r, b_r, W_z, U_z, b_z, W_n, U_n, b_n):
    """Gated recurrent unit, reset before the product.

    Source: Chung, Gulcehre, Cho & Bengio (2014), "Empirical Evaluation of Gated Recurrent Neural Networks on Sequence
        Modeling", arXiv:1412.3555, section 3.2, with biases; Cho et al. (2014), arXiv:1406.1078, has z on the old
        state.
    Variant: the reset gate acts on h before U_n; z_t weighs the candidate; one bias per gate.

        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)              reset gate
        z_t = sigmoid(W_z x_t + U_z h_{t-1} + b_z)              update gate
        n_t = tanh(W_n x_t + U_n (r_t * h_{t-1}) + b_n)         candidate
        h_t = (1 - z_t) * h_{t-1} + z_t * n_t                   state
    """
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    n = tanh(W_n @ x + U_n @ (r * h) + b_n)
    h = (1 - z) * h + z * n
    return h


@cell
def gru_reset_after(x, h, *, W_r, U_r, b_r, W_z, U_z, b_z, W_n, U_n, b_n, c_n):
    """Gated recurrent unit, reset after the product.

    Source: the GRU of PyTorch (torch.nn.GRU), cuDNN and Keras (reset_after=True); Cho et al. (2014), arXiv:1406.1078,
        first version.
    Variant: the reset gate acts on U_n h; z_t weighs the old state; the candidate has a bias inside the reset (c_n)
        and one outside (b_n).  PyTorch's b_ih + b_hh are summed in b_r and b_z; its b_hn is c_n.

        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)              reset gate
        z_t = sigmoid(W_z x_t + U_z h_{t-1} + b_z)              update gate
        n_t = tanh(W_n x_t + b_n + r_t * (U_n h_{t-1} + c_n))   candidate
        h_t = (1 - z_t) * n_t + z_t * h_{t-1}                   state
    """
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    z = sigmoid(W_z @ x + U_z @ h + b_z)
    n = tanh(W_n @ x + b_n + r * (U_n @ h + c_n))
    h = (1 - z) * n + z * h
    return h
