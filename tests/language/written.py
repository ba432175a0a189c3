"""Cells as papers and programs write them, and what must be read from each.

The texts are our own, in the manner of textbooks, lecture notes, NumPy exercises, and code for PyTorch, TensorFlow, JAX
and Theano: names with their time, functions with their module, all gates in one product, constants with a value.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """A cell's text, and what is read from it.

    Attributes:
        name: a name for the case.
        text: the text.
        roles: inputs, states and parameters, each in order, between semicolons.
        equations: the forward equations as plain text prints them, from the last on.
        shapes: shapes of some parameters.
    """

    name: str
    text: str
    roles: str
    equations: tuple[str, ...]
    shapes: tuple[tuple[str, tuple[str, ...]], ...] = ()


WRITTEN = (
    Written(
        "textbook",
        """
def elman(x_t, h_prev, *, W_hx, W_hh, b_h):
    h_t = tanh(W_hx @ x_t + W_hh @ h_prev + b_h)
    return h_t
""",
        "x; h; W_hx W_hh b_h",
        ("h_t = tanh(W_hx x_t + W_hh h_{t-1} + b_h)",),
    ),
    Written(
        "dated in and out",
        """
def dated(x_t, h_t, *, W, U):
    h_t = tanh(W @ x_t + U @ h_t)
    return h_t
""",
        "x; h; W U",
        ("h_t = tanh(W x_t + U h_{t-1})",),
    ),
    Written(
        "lecture notes in NumPy",
        """
def lstm_step_forward(x, prev_h, prev_c, *, Wx, Wh, b):
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    i = sigmoid(a[:H])
    f = sigmoid(a[H:2 * H])
    o = sigmoid(a[2 * H:3 * H])
    g = np.tanh(a[3 * H:4 * H])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c
""",
        "x; h c; Wx Wh b",
        ("h_t = o_t ⊙ tanh(c_t)", "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t", "g_t = tanh((a_t)[3 d_h + 1:4 d_h])"),
        (("Wx", ("d_x", "4*d_h")), ("b", ("4*d_h",))),
    ),
    Written(
        "an online course",
        """
def lstm_cell(xt, a_prev, c_prev, *, Wf, bf, Wi, bi, Wc, bc, Wo, bo):
    concat_ax = np.concatenate((a_prev, xt), axis=0)
    ft = sigmoid(np.dot(Wf, concat_ax) + bf)
    it = sigmoid(np.dot(Wi, concat_ax) + bi)
    cct = np.tanh(np.dot(Wc, concat_ax) + bc)
    c_next = ft * c_prev + it * cct
    ot = sigmoid(np.dot(Wo, concat_ax) + bo)
    a_next = ot * np.tanh(c_next)
    return a_next, c_next
""",
        "x; a c; Wf bf Wi bi Wc bc Wo bo",
        ("a_t = o_t ⊙ tanh(c_t)",),
        (("Wf", ("d_h", "d_h + d_x")),),
    ),
    Written(
        "PyTorch cell with chunk",
        """
def step(x, hx, cx, *, weight_ih, weight_hh, bias_ih, bias_hh):
    gates = F.linear(x, weight_ih, bias_ih) + F.linear(hx, weight_hh, bias_hh)
    ingate, forgetgate, cellgate, outgate = gates.chunk(4, 0)
    cy = torch.sigmoid(forgetgate) * cx + torch.sigmoid(ingate) * torch.tanh(cellgate)
    hy = torch.mul(torch.sigmoid(outgate), torch.tanh(cy))
    return hy, cy
""",
        "x; h c; weight_ih weight_hh bias_ih bias_hh",
        ("h_t = σ(outgate_t) ⊙ tanh(c_t)",),
        (("weight_ih", ("4*d_h", "d_x")),),
    ),
    Written(
        "all gates of one product",
        """
def lstm(x, h, c, *, W, U, b):
    a_i, a_f, a_g, a_o = split(W @ x + U @ h + b, 4)
    c = sigmoid(a_f) * c + sigmoid(a_i) * tanh(a_g)
    h = sigmoid(a_o) * tanh(c)
    return h, c
""",
        "x; h c; W U b",
        ("h_t = σ(a_{o,t}) ⊙ tanh(c_t)",),
        (("W", ("4*d_h", "d_x")), ("U", ("4*d_h", "d_h")), ("b", ("4*d_h",))),
    ),
    Written(
        "Theano names",
        """
def gru(x_t, h_tm1, *, W_z, U_z, W_r, U_r, W_h, U_h):
    z_t = T.nnet.sigmoid(T.dot(x_t, W_z) + T.dot(h_tm1, U_z))
    r_t = T.nnet.sigmoid(T.dot(x_t, W_r) + T.dot(h_tm1, U_r))
    hh_t = T.tanh(T.dot(x_t, W_h) + T.dot(r_t * h_tm1, U_h))
    h_t = z_t * h_tm1 + (1 - z_t) * hh_t
    return h_t
""",
        "x; h; W_z U_z W_r U_r W_h U_h",
        ("h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ hh_t",),
        (("W_z", ("d_x", "d_h")),),
    ),
    Written(
        "gates side by side",
        """
def mgu(x, h_old, *, W_f, U_f, W_h, U_h):
    f, s = jax.nn.sigmoid(W_f @ x + U_f @ h_old), jnp.matmul(W_h, x)
    h_new = (1 - f) * h_old + f * jnp.tanh(s + U_h @ (f * h_old))
    return h_new
""",
        "x; h; W_f U_f W_h U_h",
        ("h_t = (1 - f_t) ⊙ h_{t-1} + f_t ⊙ tanh(s_t + U_h (f_t ⊙ h_{t-1}))",),
    ),
    Written(
        "the old state read after the new one",
        """
def peephole(x_t, h_prev, c_prev, *, W_f, p_f, W_o, p_o, W_g):
    f_t = sigmoid(W_f @ x_t + p_f * c_prev)
    c_t = f_t * c_prev + (1 - f_t) * tanh(W_g @ concat(x_t, h_prev))
    h_t = sigmoid(W_o @ x_t + p_o * c_prev) * tanh(c_t)
    return h_t, c_t
""",
        "x; h c; W_f p_f W_o p_o W_g",
        ("h_t = σ(W_o x_t + p_o ⊙ c_{t-1}) ⊙ tanh(c_t)",),
    ),
    Written(
        "TensorFlow with split",
        """
def basic_lstm(inputs, h, c, *, kernel, bias):
    gate_inputs = tf.matmul(tf.concat([inputs, h], 0), kernel) + bias
    i, j, f, o = tf.split(value=gate_inputs, num_or_size_splits=4, axis=0)
    new_c = c * tf.sigmoid(f) + tf.sigmoid(i) * tf.tanh(j)
    new_h = tf.tanh(new_c) * tf.sigmoid(o)
    return new_h, new_c
""",
        "inputs; h c; kernel bias",
        ("h_t = tanh(c_t) ⊙ σ(o_t)",),
        (("kernel", ("d_h + d_inputs", "4*d_h")),),
    ),
    Written(
        "torch split by size",
        """
def sru(x, c_prev, *, weight, bias):
    u = weight @ x + bias
    z, f, r = torch.split(u, hidden_size, dim=0)
    c = f.sigmoid() * c_prev + (1 - f.sigmoid()) * z * r.sigmoid()
    return c
""",
        "x; c; weight bias",
        ("c_t = σ(f_t) ⊙ c_{t-1} + (1 - σ(f_t)) ⊙ z_t ⊙ σ(r_t)",),
        (("weight", ("3*d_h", "d_x")),),
    ),
    Written(
        "methods of arrays",
        """
def methods(x, h_t_1, *, W, U, b):
    h_t = (W.dot(x)).add(U.T.dot(h_t_1) + b).tanh()
    return h_t
""",
        "x; h; W U b",
        ("h_t = tanh(W x_t + Uᵀ h_{t-1} + b)",),
    ),
)
