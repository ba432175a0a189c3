"""Cells as documents print them, which are not what they are called: kept so that they can be recognised.

Each says what is wrong, and where.  The line numbers are those of the document that the cell was found in.
"""

from __future__ import annotations

from symrnn.cells.catalogue import found as family


@family.cell
def lstm_double_output_gate(x, h, c, *, W_f, U_f, b_f, W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o):
    """LSTM that is gated twice at its output.

    Source: as found in a tutorial on RNN, LSTM and GRU (in Chinese, with NumPy listings), section 2, line 59: y = h
        * o.
    Variant: lstm, with the output gate applied to an output that has been gated already, h = o * (o * tanh(c)).
    Not: the standard LSTM, h = o * tanh(c).
    Wrong: the output is o^2 * tanh(c): the last equation gates h_t, which is o * tanh(c) already, once more.

        f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)    forget gate
        i_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)    input gate, there called update gate
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)       candidate
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)    output gate
        c_t = f_t * c_{t-1} + i_t * g_t               memory
        h_t = o_t * o_t * tanh(c_t)                   output, gated twice

    Symbols: W input weights; U recurrent weights; b biases.
    """
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    i = sigmoid(W_i @ x + U_i @ h + b_i)
    g = tanh(W_g @ x + U_g @ h + b_g)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    c = f * c + i * g
    h = o * (o * tanh(c))
    return h, c


@family.cell
def lstm_found_candidate(x: "d_h", h, c, *, W_f, U_f, b_f, W_i, U_i, b_i, W_o, U_o, b_o):
    """LSTM whose candidate is made of the input gate and the input.

    Source: as found in a tutorial on RNN, LSTM and GRU (in Chinese, with NumPy listings), section 2, line 54, in
        words: tanh of the update gate's output plus the input.
    Variant: lstm with the candidate tanh(i + x), which wants an input as wide as the state.
    Not: the standard LSTM, g = tanh(W_g x + U_g h + b_g).
    Wrong: the candidate has no parameters and does not see the state but through the gate; the equation is not
        given there.

        f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)    forget gate
        i_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)    input gate, there called update gate
        g_t = tanh(i_t + x_t)                         candidate
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)    output gate
        c_t = f_t * c_{t-1} + i_t * g_t               memory
        h_t = o_t * tanh(c_t)                         output

    Symbols: W input weights; U recurrent weights; b biases.
    """
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    i = sigmoid(W_i @ x + U_i @ h + b_i)
    g = tanh(i + x)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    c = f * c + i * g
    h = o * tanh(c)
    return h, c


@family.cell
def lstm_found_slope_gate(x, h, c, *, W_f, U_f, b_f, W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o):
    """LSTM whose forget gate is the slope of a sigmoid.

    Source: as found in a tutorial on RNN, LSTM and GRU (in Chinese, with NumPy listings), section 4, line 165: f =
        Gamma * (1 - Gamma).
    Variant: lstm, with the forget gate replaced by its own slope and all else right.
    Not: the standard LSTM, f = sigmoid(...).
    Wrong: s * (1 - s) is the derivative of the sigmoid and never more than 1/4, so ten steps keep less than a
        millionth of the memory.

        s_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)    what should be the forget gate, there Gamma
        f_t = s_t * (1 - s_t)                         forget gate
        i_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)    input gate
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)       candidate
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)    output gate
        c_t = f_t * c_{t-1} + i_t * g_t               memory
        h_t = o_t * tanh(c_t)                         output

    Symbols: W input weights; U recurrent weights; b biases.
    """
    s = sigmoid(W_f @ x + U_f @ h + b_f)
    f = s * (1 - s)
    i = sigmoid(W_i @ x + U_i @ h + b_i)
    g = tanh(W_g @ x + U_g @ h + b_g)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    c = f * c + i * g
    h = o * tanh(c)
    return h, c


@family.cell
def lstm_found_zero(x: "d_h", h, c, *, W_f, U_f, b_f, W_i, U_i, b_i, W_o, U_o, b_o, W_h, U_h, b_h):
    """LSTM that never leaves the zero state.

    Source: as found in a tutorial on RNN, LSTM and GRU (in Chinese, with NumPy listings), section 4, lines 127 to
        165.
    Variant: as printed, with two readings without which it is no cell: the input is x_t everywhere, and the output
        gate's H^<t>, which would be circular, is H^<t-1>.
    Not: the standard LSTM.
    Wrong: there is no candidate; what is written to the memory is x * s * h^2, which stays 0 from a zero state; the
        output gate has -b_o and gates twice; the forget gate is the slope of a sigmoid.

        r_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)            "forget gate", there Gamma
        s_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)            "input gate", there Theta
        u_t = sigmoid(W_o x_t + U_o h_{t-1} - b_o)            "output gate", there Lambda
        a_t = x_t * s_t * h_{t-1}                             "input gate" product, there C_t
        k_t = h_{t-1} * u_t                                   "output gate" product, there H_t
        i_t = a_t * h_{t-1}                                   "input cell"
        o_t = sigmoid(W_h x_t + U_h (k_t * h_{t-1}) + b_h)    "output cell"
        f_t = r_t * (1 - r_t)                                 forget gate
        c_t = f_t * c_{t-1} + i_t                             memory
        h_t = o_t * tanh(c_t)                                 output

    Symbols: W input weights; U recurrent weights; b biases.
    """
    r = sigmoid(W_f @ x + U_f @ h + b_f)
    s = sigmoid(W_i @ x + U_i @ h + b_i)
    u = sigmoid(W_o @ x + U_o @ h - b_o)
    a = x * s * h
    k = h * u
    i = a * h
    o = sigmoid(W_h @ x + U_h @ (k * h) + b_h)
    f = r * (1 - r)
    c = f * c + i
    h = o * tanh(c)
    return h, c


@family.cell
def gru_found_reset_mix(x: "d_h", h, *, W_m, U_m, b_m, W_r, U_r, b_r, W_n, U_n, b_n):
    """GRU that mixes with its reset gate.

    Source: as found in a tutorial on RNN, LSTM and GRU (in Chinese, with NumPy listings), section 2, line 96.
    Variant: as printed; x is as wide as h, since the candidate adds it to a state and multiplies both by one
        matrix. The gate zeta and the state of lines 72 and 88 are not used.
    Not: the standard GRU, h = (1 - z) * h + z * n.
    Wrong: the weights 1 - m and m * (1 - m) do not add up to 1, and the candidate's is at most 1/4; what mixes is
        called the reset gate there, and the update gate is never used.

        m_t = sigmoid(W_m x_t + U_m h_{t-1} + b_m)           "reset gate" that mixes, there rho
        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)           gate that resets
        n_t = tanh(W_n (x_t + r_t * (U_n h_{t-1} + b_n)))    candidate
        h_t = (1 - m_t) * (h_{t-1} + m_t * n_t)              state

    Symbols: W weights of the input, and in W_n of the sum; U recurrent weights; b biases.
    """
    m = sigmoid(W_m @ x + U_m @ h + b_m)
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    n = tanh(W_n @ (x + r * (U_n @ h + b_n)))
    h = (1 - m) * (h + m * n)
    return h


@family.cell
def gru_found_b(x, h, *, W_m, U_m, b_m, W_r, U_r, b_r, W_z, U_z, b_z):
    """GRU with a candidate inside a candidate.

    Source: as found in a tutorial on RNN, LSTM and GRU (in Chinese, with NumPy listings), section 4, lines 179 to
        201.
    Variant: as printed; its gate Gamma (line 185) is left out, since nothing reads it.
    Not: the standard GRU, h = (1 - z) * h + z * n.
    Wrong: z is no gate but a pre-activation; r never resets the state but scales a nested tanh; the state is mixed
        twice, by what is called the reset gate, so that the old state's weight is m^2 - m + 1 and |h| may exceed 1.

        m_t = sigmoid(W_m x_t + U_m h_{t-1} + b_m)                      "reset gate" that mixes, there mu
        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)                      gate
        z_t = W_z x_t + U_z h_{t-1} + b_z                               pre-activation
        n_t = (1 - m_t) * h_{t-1} + r_t * tanh(z_t + r_t * tanh(z_t + W_z x_t + U_z h_{t-1} + b_z))    candidate
        h_t = m_t * h_{t-1} + (1 - m_t) * n_t                           state

    Symbols: W input weights; U recurrent weights; b biases.
    """
    m = sigmoid(W_m @ x + U_m @ h + b_m)
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    z = W_z @ x + U_z @ h + b_z
    n = (1 - m) * h + r * tanh(z + r * tanh(z + W_z @ x + U_z @ h + b_z))
    h = m * h + (1 - m) * n
    return h


@family.cell
def gru_found_b_product(x, h, *, W_m, U_m, b_m, W_r, U_r, b_r):
    """GRU whose candidate is the old state times a gate.

    Source: as found in a tutorial on RNN, LSTM and GRU (in Chinese, with NumPy listings), section 4, lines 201 and
        203: H' = H''_{t-1} * r.
    Variant: lines 179, 191 and 201 with line 203 for the candidate.
    Not: gru_found_b, which takes line 195 for the candidate: the document gives both.
    Wrong: the candidate has no input, so that the state only shrinks, and stays 0 from a zero state.

        m_t = sigmoid(W_m x_t + U_m h_{t-1} + b_m)    "reset gate" that mixes, there mu
        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)    gate
        n_t = h_{t-1} * r_t                           candidate
        h_t = m_t * h_{t-1} + (1 - m_t) * n_t         state

    Symbols: W input weights; U recurrent weights; b biases.
    """
    m = sigmoid(W_m @ x + U_m @ h + b_m)
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    n = h * r
    h = m * h + (1 - m) * n
    return h


@family.cell
def gru_found_listing(x, h, *, W_r, U_r, b_r, W_n, U_n, b_n, W_z, U_z, b_z):
    """GRU of a program listing, with two candidates.

    Source: as found in a tutorial on RNN, LSTM and GRU (in Chinese, with NumPy listings), section 5, lines 302 to
        310 (a NumPy class).
    Variant: what the program computes in a step, in column vectors.
    Not: the standard GRU with the reset after the product, z from h_{t-1}, and h = (1 - z) * h + z * a.
    Wrong: the update gate sees the candidate instead of the state; a second candidate takes 1 - z for a reset gate
        and the first candidate for a state; the reset gate mixes.

        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)           reset gate, there zr
        a_t = tanh(W_n x_t + r_t * (U_n h_{t-1} + b_n))      first candidate, there rt
        z_t = sigmoid(W_z x_t + U_z a_t + b_z)               update gate, there zz
        n_t = tanh(W_n x_t + (1 - z_t) * (U_n a_t + b_n))    second candidate, there ht
        h_t = r_t * n_t + (1 - r_t) * h_{t-1}                state

    Symbols: W input weights; U recurrent weights; b biases.
    """
    r = sigmoid(W_r @ x + U_r @ h + b_r)
    a = tanh(W_n @ x + r * (U_n @ h + b_n))
    z = sigmoid(W_z @ x + U_z @ a + b_z)
    n = tanh(W_n @ x + (1 - z) * (U_n @ a + b_n))
    h = r * n + (1 - r) * h
    return h
