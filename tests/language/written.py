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
    Written(
        "a book in NumPy",
        """
def lstm(x, h_prev, c_prev, *, Wx, Wh, b):
    A = np.matmul(x, Wx) + np.matmul(h_prev, Wh) + b
    f = A[:H]
    g = A[H:2 * H]
    i = A[2 * H:3 * H]
    o = A[3 * H:]
    f = sigmoid(f)
    g = np.tanh(g)
    i = sigmoid(i)
    o = sigmoid(o)
    c_next = f * c_prev + g * i
    h_next = o * np.tanh(c_next)
    return [h_next, c_next]
""",
        "x; h c; Wx Wh b",
        ("f_t = σ(a_{f,t})", "h_t = o_t ⊙ tanh(c_t)", "a_{o,t} = (A_t)[3 d_h + 1:4 d_h]"),
        (("Wx", ("d_x", "4*d_h")),),
    ),
    Written(
        "assignments that add",
        """
def adding(x, h, c: "d_c", *, W_i, W_g, U, b):
    i = sigmoid(W_i @ x + b)
    c += i * tanh(W_g @ x)
    h = tanh(U @ c)
    return h, c
""",
        "x; h c; W_i W_g U b",
        ("c_t = c_{t-1} + i_t ⊙ tanh(W_g x_t)",),
    ),
    Written(
        "leaky units",
        """
def leaky(u, x, *, W_in, W, alpha=0.3, rho=0.9):
    x = (1 - alpha) * x + alpha * np.tanh(W_in @ u + rho * (W @ x))
    return x
""",
        "u; x; W_in W",
        ("x_t = (1 - α) x_{t-1} + α tanh(W_in u_t + ρ W x_{t-1})",),
        (("W_in", ("d_h", "d_u")),),
    ),
    Written(
        "forward Euler",
        """
def ctrnn(x_t, h_prev, *, W_in, W_rec, b, dt=0.1, tau=2.0):
    h_t = h_prev + dt / tau * (-h_prev + np.tanh(W_rec @ h_prev + W_in @ x_t + b))
    return h_t
""",
        "x; h; W_in W_rec b",
        (),
    ),
    Written(
        "no input at all",
        """
def autonomous(h_prev, *, U):
    h_t = np.tanh(U @ h_prev)
    return h_t
""",
        "; h; U",
        ("h_t = tanh(U h_{t-1})",),
    ),
    Written(
        "an input that is not read",
        """
def bias_only(x, h, *, U, b):
    h = tanh(U @ h + b)
    return h
""",
        "x; h; U b",
        ("h_t = tanh(U h_{t-1} + b)",),
    ),
    Written(
        "delta rule with a scalar gate",
        """
def deltanet(x, o: "d_v", S: "d_v, d_k", *, W_q: "d_k, d_x", W_k: "d_k, d_x", W_v: "d_v, d_x", w):
    k = W_k @ x
    beta = sigmoid(w @ x)
    S = S - beta * outer(S @ k - W_v @ x, k)
    o = S @ (W_q @ x)
    return o, S
""",
        "x; o S; W_q W_k W_v w",
        ("β_t = σ(wᵀ x_t)",),
        (("w", ("d_x",)),),
    ),
    Written(
        "two scalar gates",
        """
def gated_delta(x_t, S_prev: "d_v, d_k", *, W_k, W_v, w_alpha, w_beta):
    k_t = W_k @ x_t
    alpha_t = sigmoid(w_alpha @ x_t)
    beta_t = sigmoid(w_beta @ x_t)
    S_t = alpha_t * (S_prev - beta_t * outer(S_prev @ k_t, k_t)) + beta_t * outer(W_v @ x_t, k_t)
    return S_t
""",
        "x; S; W_k W_v w_alpha w_beta",
        ("α_t = σ(w_αᵀ x_t)",),
        (("w_alpha", ("d_x",)), ("w_beta", ("d_x",))),
    ),
    Written(
        "three scalar gates",
        """
def gated_memory(x_t, S_prev: "d_v, d_k", *, W_k, W_v, w_a, w_b, w_g):
    k_t = W_k @ x_t
    a_t = sigmoid(w_a @ x_t)
    b_t = sigmoid(w_b @ x_t)
    g_t = tanh(w_g @ x_t)
    S_t = a_t * S_prev - b_t * outer(S_prev @ k_t, k_t) + g_t * outer(W_v @ x_t, k_t)
    return S_t
""",
        "x; S; W_k W_v w_a w_b w_g",
        ("a_t = σ(w_aᵀ x_t)",),
        (("w_a", ("d_x",)), ("w_b", ("d_x",)), ("w_g", ("d_x",))),
    ),
    Written(
        "Keras names",
        """
def keras_gru(inputs, h_tm1, *, kernel, recurrent_kernel, bias):
    x_z, x_r, x_h = ops.split(ops.matmul(inputs, kernel) + bias, 3)
    z = keras.activations.sigmoid(x_z + ops.dot(h_tm1, recurrent_kernel[:, :units]))
    h = z * h_tm1 + (1 - z) * ops.tanh(x_h)
    return h
""".replace("recurrent_kernel[:, :units]", "recurrent_kernel")
        .replace("x_z, x_r, x_h", "x_z, x_h")
        .replace(", 3)", ", 2)"),
        "inputs; h; kernel recurrent_kernel bias",
        ("h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ tanh(x_{h,t})",),
        (("kernel", ("d_inputs", "2*d_h")),),
    ),
    Written(
        "GRU of PyTorch in methods",
        """
def gru_cell(inp, hidden_, *, w_ih, w_hh, b_ih, b_hh):
    i_r, i_z, i_n = F.linear(inp, w_ih, b_ih).chunk(3, 0)
    h_r, h_z, h_n = F.linear(hidden_, w_hh, b_hh).chunk(3, 0)
    r = (i_r + h_r).sigmoid()
    z = (i_z + h_z).sigmoid()
    n = (i_n + r * h_n).tanh()
    hidden = (hidden_ - n) * z + n
    return hidden
""",
        "inp; hidden; w_ih w_hh b_ih b_hh",
        ("hidden_t = (hidden_{t-1} - n_t) ⊙ z_t + n_t",),
        (("w_ih", ("3*d_h", "d_inp")),),
    ),
    Written(
        "softplus and clip",
        """
def positive(x, h, *, W, U):
    a = jnp.clip(W @ x + U @ h, -1.0, 1.0)
    h = jax.nn.softplus(a) - math.log(2.0)
    return h
""",
        "x; h; W U",
        (),
    ),
    Written(
        "short names of time",
        """
def short(xt, ht_1, *, Wx, Wh):
    ht = np.tanh(np.dot(Wx, xt) + np.dot(Wh, ht_1))
    return ht
""",
        "x; h; Wx Wh",
        ("h_t = tanh(Wx x_t + Wh h_{t-1})",),
    ),
)

HELD_BACK = (
    Written(
        "minus one in words",
        """
def words(x_t, h_t_minus_1, *, W, U, b):
    h_t = np.maximum(0, W @ x_t + U @ h_t_minus_1 + b)
    return h_t
""",
        "x; h; W U b",
        ("h_t = max(0, W x_t + U h_{t-1} + b)",),
    ),
    Written(
        "old and new",
        """
def old_new(x, old_state, *, W, U):
    new_state = torch.tanh(torch.matmul(W, x) + torch.matmul(U, old_state))
    return new_state
""",
        "x; state; W U",
        ("state_t = tanh(W x_t + U state_{t-1})",),
    ),
    Written(
        "previous in full",
        """
def previous(x, h_previous, *, W, U):
    h_current = np.tanh(W.dot(x) + U.dot(h_previous))
    return h_current
""",
        "x; h; W U",
        ("h_t = tanh(W x_t + U h_{t-1})",),
    ),
    Written(
        "reset gate after the product, stacked",
        """
def gru_after(x, h, *, W, U, b, c):
    xr, xz, xn = np.split(W @ x + b, 3)
    hr, hz, hn = np.split(U @ h + c, 3)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = np.tanh(xn + r * hn)
    h = (1 - z) * n + z * h
    return h
""",
        "x; h; W U b c",
        ("h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}",),
        (("W", ("3*d_h", "d_x")), ("c", ("3*d_h",))),
    ),
    Written(
        "indices of numpy's split",
        """
def by_index(x, h, *, W, U):
    a, s = np.split(W @ x, [n])
    h = np.tanh(a + U @ h) * scipy.special.expit(s)
    return h
""",
        "x; h; W U",
        ("h_t = tanh(a_t + U h_{t-1}) ⊙ σ(s_t)",),
        (("W", ("2*d_h", "d_x")),),
    ),
    Written(
        "part of the gates at once",
        """
def two_at_once(x, h, *, W, U, V):
    g = torch.sigmoid(W @ x + U @ h)
    z, r = g[:d_h], g[d_h:]
    h = z * h + (1 - z) * torch.tanh(V @ x + r * h)
    return h
""",
        "x; h; W U V",
        ("z_t = (g_t)[1:d_h]", "r_t = (g_t)[d_h + 1:2 d_h]"),
        (("W", ("2*d_h", "d_x")),),
    ),
    Written(
        "projection to another size",
        """
def lstmp(x_t, r_prev: "d_r", c_prev: "d_c", *, W, U, b, P):
    i, f, g, o = torch.chunk(W @ x_t + U @ r_prev + b, 4)
    c_t = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    r_t = P @ (torch.sigmoid(o) * torch.tanh(c_t))
    return r_t, c_t
""",
        "x; r c; W U b P",
        ("r_t = P (σ(o_t) ⊙ tanh(c_t))",),
        (("W", ("4*d_c", "d_x")), ("P", ("d_r", "d_c"))),
    ),
    Written(
        "constants of all kinds",
        """
def damped(x, h, v, *, W, U, lam=1e-3, gamma=-0.5, third=1/3):
    v = (1 - lam) * v + third * np.tanh(W @ x + U @ h)
    h = h + gamma * v
    return h, v
""",
        "x; h v; W U",
        ("h_t = h_{t-1} + γ v_t",),
    ),
    Written(
        "coupled oscillators",
        """
def cornn(x_t, y_prev, z_prev, *, W, W_hat, V, b, dt=0.05, gamma=1.0, eps=0.5):
    z_t = z_prev + dt * (np.tanh(W @ y_prev + W_hat @ z_prev + V @ x_t + b) - gamma * y_prev - eps * z_prev)
    y_t = y_prev + dt * z_t
    return y_t, z_t
""",
        "x; y z; W W_hat V b",
        ("y_t = y_{t-1} + dt z_t",),
    ),
    Written(
        "highway",
        """
def highway(x, s, *, W_h, R_h, W_t, R_t):
    hh = tanh(W_h @ x + R_h @ s)
    tt = sigmoid(W_t @ x + R_t @ s)
    s = hh * tt + s * (1 - tt)
    return s
""",
        "x; s; W_h R_h W_t R_t",
        ("s_t = hh_t ⊙ tt_t + s_{t-1} ⊙ (1 - tt_t)",),
    ),
    Written(
        "linear attention",
        """
def linear_attention(x, y: "d_v", S, *, W_q, W_k: "d_k, d_x", W_v: "d_v, d_x"):
    S = S + np.outer(W_v @ x, W_k @ x)
    y = S @ (W_q @ x)
    return y, S
""",
        "x; y S; W_q W_k W_v",
        ("y_t = S_t W_q x_t",),
        (("S_prev", ("d_v", "d_k")),),
    ),
    Written(
        "spelled with numpy throughout",
        """
def throughout(x, h, *, W, U, b):
    h = numpy.add(numpy.multiply(numpy.subtract(1, numpy.reciprocal(2)), h), numpy.sin(numpy.add(W @ x, U @ h) + b))
    return h
""",
        "x; h; W U b",
        (),
    ),
    Written(
        "mixture by a gate of one number",
        """
def mixed(x_t, h_prev, *, W, U, w: "d_x", b: "()"):
    g_t = torch.sigmoid(w @ x_t + b)
    h_t = g_t * h_prev + (1 - g_t) * torch.tanh(W @ x_t + U @ h_prev)
    return h_t
""",
        "x; h; W U w b",
        ("g_t = σ(wᵀ x_t + b)",),
        (("w", ("d_x",)),),
    ),
    Written(
        "state written x, input u",
        """
def state_space(u_t, x_prev, *, A, B):
    x_t = A @ x_prev + B @ u_t
    return x_t
""",
        "u; x; A B",
        ("x_t = A x_{t-1} + B u_t",),
        (("B", ("d_h", "d_u")),),
    ),
    Written(
        "tf.nn and keywords",
        """
def tf_cell(x, h, *, W, U, b):
    h = tf.nn.relu(tf.linalg.matvec(W, x) + tf.linalg.matvec(U, h) + b)
    return h
""",
        "x; h; W U b",
        ("h_t = relu(W x_t + U h_{t-1} + b)",),
    ),
    Written(
        "changed step by step",
        """
def stepwise(x, h, *, W, U, b):
    a = W @ x
    a = a + U @ h
    a += b
    h = np.tanh(a)
    return h
""",
        "x; h; W U b",
        ("h_t = tanh(a_t)",),
    ),
)
"""Written before the language could read them, and run only when the ones above were read."""
