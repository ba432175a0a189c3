"""Long short-term memory and its relatives: cells with a memory c beside the output h."""

from __future__ import annotations

from symrnn.language import cell


@cell
def lstm(x, h, c, *, W_f, U_f, b_f, W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o):
    """Long short-term memory with a forget gate.

    Source: Hochreiter & Schmidhuber (1997), "Long Short-Term Memory", Neural Computation 9(8); forget gate: Gers,
        Schmidhuber & Cummins (2000), "Learning to Forget", Neural Computation 12(10).
    Variant: forget gate, no peepholes, one bias per gate, tanh on the candidate and on the output.

        f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)      forget gate
        i_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)      input gate
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)         candidate
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)      output gate
        c_t = f_t * c_{t-1} + i_t * g_t                 memory
        h_t = o_t * tanh(c_t)                           output
    """
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    i = sigmoid(W_i @ x + U_i @ h + b_i)
    g = tanh(W_g @ x + U_g @ h + b_g)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    c = f * c + i * g
    h = o * tanh(c)
    return h, c
