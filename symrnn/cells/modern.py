"""Cells since 2017: gates that do not see the state, exponential gates, linear recurrences."""

from __future__ import annotations

from symrnn.cells.catalogue import modern as family


@family.cell
def mingru(x, h, *, W_z, b_z, W_n, b_n):
    """Minimal gated recurrent unit for parallel scans (minGRU).

    Source: Feng, Tung, Ahmed, Bengio & Hajimirsadeghi (2024), "Were RNNs All We Needed?", arXiv:2410.01201, section
        3.1.
    Variant: gate and candidate see the input only; z_t weighs the candidate; no activation on the candidate.
    Not: the log-space form, whose candidate is positive; the MGU, whose gate sees the state.

        z_t = sigmoid(W_z x_t + b_z)             update gate
        n_t = W_n x_t + b_n                      candidate
        h_t = (1 - z_t) * h_{t-1} + z_t * n_t    state

    Symbols: W input weights; b biases.
    """
    z = sigmoid(W_z @ x + b_z)
    n = W_n @ x + b_n
    h = (1 - z) * h + z * n
    return h


@family.cell
def minlstm(x, h, *, W_f, b_f, W_i, b_i, W_n, b_n):
    """Minimal long short-term memory for parallel scans (minLSTM).

    Source: Feng, Tung, Ahmed, Bengio & Hajimirsadeghi (2024), "Were RNNs All We Needed?", arXiv:2410.01201, section
        3.2.
    Variant: gates and candidate see the input only; the gates are scaled to add up to 1, by their logarithms:
        f / (f + i) is sigmoid(log f - log i), which is no 0/0 where both underflow; no output gate, one state.
    Not: the log-space form, whose candidate is positive; the form without the scaling of the gates.

        f_t = log_sigmoid(W_f x_t + b_f)                                   logarithm of the forget gate
        i_t = log_sigmoid(W_i x_t + b_i)                                   logarithm of the input gate
        n_t = W_n x_t + b_n                                                candidate
        h_t = sigmoid(f_t - i_t) * h_{t-1} + sigmoid(i_t - f_t) * n_t      state

    Symbols: W input weights; b biases.
    """
    f = log_sigmoid(W_f @ x + b_f)
    i = log_sigmoid(W_i @ x + b_i)
    n = W_n @ x + b_n
    h = sigmoid(f - i) * h + sigmoid(i - f) * n
    return h


@family.cell
def sru(x: "d_h", h, c, *, W, W_f, v_f, b_f, W_r, v_r, b_r):
    """Simple recurrent unit (SRU).

    Source: Lei, Zhang, Wang, Dai & Artzi (2018), "Simple Recurrent Units for Highly Parallelizable Recurrence",
        arXiv:1709.02755, version 5, equations 1 to 4.
    Variant: the gates see the memory through vectors; the highway part adds the input itself, which is as wide as
        the state; without the scaling of the highway part at the start.
    Not: the first versions of the paper, whose gates see the input only and whose output has an activation on c.

        f_t = sigmoid(W_f x_t + v_f * c_{t-1} + b_f)    forget gate
        r_t = sigmoid(W_r x_t + v_r * c_{t-1} + b_r)    reset gate of the highway part
        c_t = f_t * c_{t-1} + (1 - f_t) * W x_t         memory
        h_t = r_t * c_t + (1 - r_t) * x_t               output

    Symbols: W input weights; v recurrent weights, one per entry; b biases.
    """
    f = sigmoid(W_f @ x + v_f * c + b_f)
    r = sigmoid(W_r @ x + v_r * c + b_r)
    c = f * c + (1 - f) * (W @ x)
    h = r * c + (1 - r) * x
    return h, c


@family.cell
def slstm(x, h, c, n, m, *, W_i, U_i, b_i, W_f, U_f, b_f, W_z, U_z, b_z, W_o, U_o, b_o):
    """Scalar long short-term memory with exponential gates (sLSTM).

    Source: Beck, Poeppel, Spanring, Auer, Prudnikova, Kopp, Klambauer, Brandstetter & Hochreiter (2024), "xLSTM:
        Extended Long Short-Term Memory", arXiv:2405.04517, equations 8 to 17.
    Variant: with the stabiliser m; the forget gate is a sigmoid (the paper also allows exp); one head, so full
        recurrent matrices.  As in the authors' code the stabiliser is that of the input gate alone where the normaliser
        is 0, as it is at the start: there is nothing in the memory that the other one would have to scale, and the
        input gate could underflow beside it, which left 0/0.
    Not: the form without stabiliser, which overflows.

        a_t = W_i x_t + U_i h_{t-1} + b_i                           logarithm of the input gate
        e_t = log_sigmoid(W_f x_t + U_f h_{t-1} + b_f) + m_{t-1}    logarithm of the forget gate, and the old stabiliser
        z_t = tanh(W_z x_t + U_z h_{t-1} + b_z)                     candidate
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)                  output gate
        k_t = step(abs(n_{t-1}))                                    1 where the memory holds something, else 0
        m_t = maximum(k_t * e_t + (1 - k_t) * a_t, a_t)             stabiliser
        i_t = exp(a_t - m_t)                                        stabilised input gate
        f_t = exp(minimum(e_t - m_t, 0))                            stabilised forget gate
        c_t = f_t * c_{t-1} + i_t * z_t                             memory
        n_t = f_t * n_{t-1} + i_t                                   normaliser
        h_t = o_t * c_t / n_t                                       output

    Symbols: W input weights; U recurrent weights; b biases.
    """
    a = W_i @ x + U_i @ h + b_i
    e = log_sigmoid(W_f @ x + U_f @ h + b_f) + m
    z = tanh(W_z @ x + U_z @ h + b_z)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    k = step(abs(n))
    m = maximum(k * e + (1 - k) * a, a)
    i = exp(a - m)
    f = exp(minimum(e - m, 0))
    c = f * c + i * z
    n = f * n + i
    h = o * c / n
    return h, c, n, m


@family.cell
def mlstm(x, h, C: "d_h, d_k", n, m: "()", *, W_q, b_q, W_k, b_k, W_v, b_v, w_i, b_i: "()", w_f, b_f: "()", W_o, b_o):
    """Long short-term memory with a matrix for a memory (mLSTM).

    Source: Beck, Poeppel, Spanring, Auer, Prudnikova, Kopp, Klambauer, Brandstetter & Hochreiter (2024), "xLSTM:
        Extended Long Short-Term Memory", arXiv:2405.04517, equations 19 to 27, with the stabiliser of equations 15
        to 17.
    Variant: one head; scalar gates; the forget gate is a sigmoid (the paper also allows exp); with the stabiliser
        m, so that the normaliser is bounded below by exp(-m) where it is bounded by 1 without; m is not negative, so
        that this bound cannot overflow where both gates are nearly closed (the paper's m may be negative: it drops out
        of h all the same).
    Not: the authors' code, which adds 1e-6 to the normaliser; a fast weight programmer without gates.

        q_t = W_q x_t + b_q                                       query
        k_t = W_k x_t / sqrt(size(n_{t-1})) + b_k                 key
        v_t = W_v x_t + b_v                                       value
        a_t = w_i x_t + b_i                                       logarithm of the input gate
        e_t = log_sigmoid(w_f x_t + b_f) + m_{t-1}                logarithm of the forget gate, and the old stabiliser
        o_t = sigmoid(W_o x_t + b_o)                              output gate
        m_t = maximum(maximum(e_t, a_t), 0)                       stabiliser
        i_t = exp(a_t - m_t)                                      stabilised input gate
        f_t = exp(e_t - m_t)                                      stabilised forget gate
        C_t = f_t * C_{t-1} + i_t * v_t k_t^T                     memory
        n_t = f_t * n_{t-1} + i_t * k_t                           normaliser
        h_t = o_t * C_t q_t / maximum(abs(n_t q_t), exp(-m_t))    output

    Symbols: W input weights; b biases; w input weights of the scalar gates.
    """
    q = W_q @ x + b_q
    k = W_k @ x / sqrt(size(n)) + b_k
    v = W_v @ x + b_v
    a = w_i @ x + b_i
    e = log_sigmoid(w_f @ x + b_f) + m
    o = sigmoid(W_o @ x + b_o)
    m = maximum(maximum(e, a), 0)
    i = exp(a - m)
    f = exp(e - m)
    C = f * C + i * outer(v, k)
    n = f * n + i * k
    h = o * (C @ q) / maximum(abs(n @ q), exp(-m))
    return h, C, n, m


@family.cell
def lru(x, h, p: "d_p", q, *, nu, theta, gamma, B_p, B_q, C_p, C_q, D):
    """Linear recurrent unit in real numbers (LRU).

    Source: Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu & De (2023), "Resurrecting Recurrent Neural Networks for
        Long Sequences", arXiv:2303.06349, section 3.
    Variant: the complex state is p + i q, with d_p entries; its diagonal recurrence is exp(-exp(nu) + i
        exp(theta)), its input is scaled by exp(gamma); the output is the real part of C times the state, plus D x.
    Not: the whole block of the paper, with normalisation, gated linear unit and skip connection.

        r_t = exp(-exp(nu))                                    modulus of the recurrence
        a_t = r_t * cos(exp(theta))                            its real part
        b_t = r_t * sin(exp(theta))                            its imaginary part
        s_t = exp(gamma)                                       scale of the input
        u_t = a_t * p_{t-1} - b_t * q_{t-1} + s_t * B_p x_t    new real part
        q_t = b_t * p_{t-1} + a_t * q_{t-1} + s_t * B_q x_t    state, imaginary part
        p_t = u_t                                              state, real part
        h_t = C_p p_t - C_q q_t + D x_t                        output

    Symbols: nu logarithm of the decay; theta logarithm of the angle; gamma logarithm of the input's scale; B input
        weights, real and imaginary part; C output weights, real and imaginary part; D weights from the input to the
        output.
    """
    r = exp(-exp(nu))
    a = r * cos(exp(theta))
    b = r * sin(exp(theta))
    s = exp(gamma)
    u = a * p - b * q + s * (B_p @ x)
    q = b * p + a * q + s * (B_q @ x)
    p = u
    h = C_p @ p - C_q @ q + D @ x
    return h, p, q
