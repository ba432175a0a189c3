"""Long short-term memory and its relatives: cells with a memory c beside the output h.

f, i, o are the forget, input and output gate, g is the candidate; W maps the input, U the previous output, b is a
bias, c_* a second one on the recurrent side; `*` in the docstrings is element by element.
"""

from __future__ import annotations

from symrnn.cells.catalogue import lstm_family as family
from symrnn.language.recurrence import Cell
from symrnn.variants import (
    coupled,
    with_concatenated_weights,
    with_peepholes,
    with_projection,
    with_two_biases,
    without_activation,
    without_biases,
    without_gate,
)


@family.cell
def lstm(x, h, c, *, W_f, U_f, b_f, W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o):
    """Long short-term memory with a forget gate.

    Source: Hochreiter & Schmidhuber (1997), "Long Short-Term Memory", Neural Computation 9(8); forget gate: Gers,
        Schmidhuber & Cummins (2000), "Learning to Forget", Neural Computation 12(10).
    Variant: forget gate, no peepholes, one bias per gate, tanh on the candidate and on the output.
    Not: the cell of 1997 (lstm_1997), which cannot forget; PyTorch's, which has two biases.

        f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)    forget gate
        i_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)    input gate
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)       candidate
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)    output gate
        c_t = f_t * c_{t-1} + i_t * g_t               memory
        h_t = o_t * tanh(c_t)                         output

    Symbols: W input weights; U recurrent weights; b biases.
    """
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    i = sigmoid(W_i @ x + U_i @ h + b_i)
    g = tanh(W_g @ x + U_g @ h + b_g)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    c = f * c + i * g
    h = o * tanh(c)
    return h, c


@family.variant
def lstm_concat() -> Cell:
    """Long short-term memory with one matrix per gate on [h; x].

    Source: Olah (2015), "Understanding LSTM Networks", with weights on [h_{t-1}, x_t].
    Variant: the standard cell; W_k is [U_k, W_k] of the split form, recurrent columns first.
    Not: another function than lstm; TensorFlow 1's BasicLSTMCell, which has [x; h] and all gates in one matrix.
    """
    return with_concatenated_weights(lstm.cell, "hx")


@family.variant
def lstm_no_bias() -> Cell:
    """Long short-term memory without biases.

    Source: PyTorch, torch.nn.LSTM(bias=False); the cell is that of Gers, Schmidhuber & Cummins (2000).
    Variant: the standard cell without biases.
    Not: a cell that forgets little at the start: without b_f the forget gate begins near 1/2.
    """
    return without_biases(lstm.cell)


@family.variant
def lstm_two_biases() -> Cell:
    """Long short-term memory with two biases per gate.

    Source: PyTorch, torch.nn.LSTM; cuDNN; ONNX, operator LSTM.
    Variant: the standard cell; a bias on the input side (b, PyTorch's bias_ih) and one on the recurrent side (c,
        bias_hh).
    Not: another function than lstm: only b + c counts, though a gradient step on both moves twice as far.
    """
    return with_two_biases(lstm.cell)


@family.variant
def lstm_1997() -> Cell:
    """Long short-term memory without a forget gate.

    Source: Hochreiter & Schmidhuber (1997), "Long Short-Term Memory", Neural Computation 9(8).
    Variant: the memory only adds up; squashing by tanh where the paper has logistic functions scaled to [-2, 2] and
        [-1, 1]; one cell per memory block.
    Not: the paper's training, which cuts the gradient off at the gates.
    """
    return without_gate(lstm.cell, "f")


@family.variant
def lstm_peephole() -> Cell:
    """Long short-term memory with peepholes.

    Source: Gers, Schraudolph & Schmidhuber (2002), "Learning Precise Timing with LSTM Recurrent Networks", JMLR 3;
        in this form Graves (2013), "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850,
        equations 7 to 11.
    Variant: f and i see the old memory, o sees the new one; diagonal peepholes; one bias per gate; tanh on the
        output.
    Not: cells in which o sees the old memory, as in several implementations; the cell of Gers et al. has no tanh on
        the output.
    """
    return with_peepholes(lstm.cell)


@family.variant
def lstm_peephole_two_biases() -> Cell:
    """Long short-term memory with peepholes and two biases per gate.

    Source: ONNX, operator LSTM with its input P.
    Variant: f and i see the old memory, o sees the new one; a bias on the input side (b, ONNX's Wb) and one on the
        recurrent side (c, Rb).
    Not: another function than lstm_peephole: only b + c counts.
    """
    return with_two_biases(lstm_peephole.cell)


@family.variant
def lstm_cifg() -> Cell:
    """Long short-term memory with coupled input and forget gate (CIFG).

    Source: Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber (2017), "LSTM: A Search Space Odyssey",
        arXiv:1503.04069, without peepholes.
    Variant: f = 1 - i; i keeps its parameters.
    Not: lstm_odyssey_cifg, which has peepholes; a GRU, which has no output gate and no memory beside h.
    """
    return coupled(lstm.cell, "f", "i")


@family.variant
def lstm_projected() -> Cell:
    """Long short-term memory with a projected output (LSTMP).

    Source: Sak, Senior & Beaufays (2014), "Long Short-Term Memory Based Recurrent Neural Network Architectures",
        arXiv:1402.1128, without its peepholes and its second, non-recurrent projection.
    Variant: the output h has d_h entries, the memory c has d_c; one bias per gate.
    Not: a layer on top of an LSTM: the projected output is what the gates see.
    """
    return with_projection(lstm.cell)


@family.variant
def lstm_projected_two_biases() -> Cell:
    """Long short-term memory with a projected output and two biases per gate.

    Source: PyTorch, torch.nn.LSTM(proj_size=...).
    Variant: d_h is proj_size, d_c is hidden_size, W_h is weight_hr; a bias on the input side (b) and one on the
        recurrent side (c).
    Not: a layer on top of an LSTM: the projected output is what the gates see.
    """
    return with_projection(lstm_two_biases.cell)


@family.variant
def lstm_output_linear() -> Cell:
    """Long short-term memory without tanh on the output.

    Source: Gers, Schraudolph & Schmidhuber (2002), "Learning Precise Timing with LSTM Recurrent Networks", JMLR 3,
        which leaves the output squashing out; here without its peepholes.
    Variant: h = o * c.
    Not: bounded: h may be as large as the memory.
    """
    return without_activation(lstm.cell, "h")


@family.cell
def lstm_layer_norm(
    x,
    h,
    c,
    *,
    W_f,
    U_f,
    b_f,
    v_f,
    w_f,
    W_i,
    U_i,
    b_i,
    v_i,
    w_i,
    W_g,
    U_g,
    b_g,
    v_g,
    w_g,
    W_o,
    U_o,
    b_o,
    v_o,
    w_o,
    v_c,
    b_c,
):
    """Layer-normalised long short-term memory.

    Source: Ba, Kiros & Hinton (2016), "Layer Normalization", arXiv:1607.06450, supplementary material, with one
        shift b in place of the sum of the two normalisations' shifts and the bias.
    Variant: W x and U h are normalised each on its own, over the entries of all four gates together; the output
        sees the normalised memory, the memory itself stays as it is; 1e-5 is added to the variances.
    Not: TensorFlow 1's LayerNormBasicLSTMCell, which normalises gate by gate and keeps the normalised memory.

        a_t = [W_f x_t; W_i x_t; W_g x_t; W_o x_t]                      input side of all gates
        e_t = [U_f h_{t-1}; U_i h_{t-1}; U_g h_{t-1}; U_o h_{t-1}]      recurrent side of all gates
        m_t = mean(a_t)                                                 mean of the input side
        n_t = mean(e_t)                                                 mean of the recurrent side
        p_t = 1 + mean(abs(a_t - m_t))                                  scale, which drops out: no square overflows
        q_t = 1 + mean(abs(e_t - n_t))                                  the same of the recurrent side
        k_t = (a_t - m_t) / p_t                                         centred input side
        r_t = (e_t - n_t) / q_t                                         centred recurrent side
        s_t = p_t * sqrt(mean(k_t^2) + 1e-05 / p_t / p_t)               deviation of the input side
        u_t = q_t * sqrt(mean(r_t^2) + 1e-05 / q_t / q_t)               deviation of the recurrent side
        f_t = sigmoid(v_f * (W_f x_t - m_t) / s_t + w_f * (U_f h_{t-1} - n_t) / u_t + b_f)    forget gate
        i_t = sigmoid(v_i * (W_i x_t - m_t) / s_t + w_i * (U_i h_{t-1} - n_t) / u_t + b_i)    input gate
        g_t = tanh(v_g * (W_g x_t - m_t) / s_t + w_g * (U_g h_{t-1} - n_t) / u_t + b_g)    candidate
        o_t = sigmoid(v_o * (W_o x_t - m_t) / s_t + w_o * (U_o h_{t-1} - n_t) / u_t + b_o)    output gate
        c_t = f_t * c_{t-1} + i_t * g_t                                 memory
        d_t = c_t - mean(c_t)                                           centred memory
        h_t = o_t * tanh(v_c * d_t / sqrt(mean(d_t^2) + 1e-05) + b_c)    output

    Symbols: W input weights; U recurrent weights; b shifts; v gains of the input side, and of the memory; w gains
        of the recurrent side.
    """
    a = concat(W_f @ x, W_i @ x, W_g @ x, W_o @ x)
    e = concat(U_f @ h, U_i @ h, U_g @ h, U_o @ h)
    m = mean(a)
    n = mean(e)
    p = 1 + mean(abs(a - m))
    q = 1 + mean(abs(e - n))
    k = (a - m) / p
    r = (e - n) / q
    s = p * sqrt(mean(k**2) + 1e-5 / p / p)
    u = q * sqrt(mean(r**2) + 1e-5 / q / q)
    f = sigmoid(v_f * (W_f @ x - m) / s + w_f * (U_f @ h - n) / u + b_f)
    i = sigmoid(v_i * (W_i @ x - m) / s + w_i * (U_i @ h - n) / u + b_i)
    g = tanh(v_g * (W_g @ x - m) / s + w_g * (U_g @ h - n) / u + b_g)
    o = sigmoid(v_o * (W_o @ x - m) / s + w_o * (U_o @ h - n) / u + b_o)
    c = f * c + i * g
    d = c - mean(c)
    h = o * tanh(v_c * d / sqrt(mean(d**2) + 1e-5) + b_c)
    return h, c
