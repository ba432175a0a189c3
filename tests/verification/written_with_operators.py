"""Eleven cells as people write them with stated derivatives, further functions and axes.

The first half was at hand when the operators were built, the second was held back until they worked.
"""

from __future__ import annotations

FIRST = {
    "leaky integrate and fire, with a surrogate gradient": """
def lif(x, s, v, *, W, U, b):
    v = 0.9 * v * (1 - stop_gradient(s)) + W @ x + U @ s + b
    s = straight_through(step(v - 1), sigmoid(4 * v))
    return s, v
""",
    "LSTM with weights and gates rounded to sixteenths": """
def quantised_lstm(x, h, c, *, W_f, U_f, b_f, W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o):
    f = sigmoid(straight_through(round(16 * W_f) / 16, W_f) @ x + U_f @ h + b_f)
    i = sigmoid(W_i @ x + U_i @ h + b_i)
    i_q = straight_through(round(16 * i) / 16, i)
    g = tanh(W_g @ x + U_g @ h + b_g)
    o = sigmoid(W_o @ x + U_o @ h + b_o)
    c = f * c + i_q * g
    h = o * tanh(c)
    return h, c
""",
    "reader of a memory with a slot a row, softmax over the slots": """
def reader(x, h, M: "d_m, d_h", *, W_k, W_q, W_e: "d_m, d_x", W, U):
    k = tanh(W_k @ x)
    w = softmax(M @ k + W_e @ x)
    M = M * (1 - 0.1 * w[:, None]) + outer(w, tanh(W_q @ h))
    h = tanh(W @ x + U @ (w @ M))
    return h, M
""",
    "layer normalisation over the rows of a matrix-valued state": """
def normalised(x, h, M: "d_m, d_h", *, W, v: "d_m", g: "d_h"):
    m = mean(M, axis=1)
    D = M - m[:, None]
    s = sqrt(mean(D**2, axis=1) + 1e-2)
    M = D / s[:, None] * g[None, :] + outer(v, tanh(W @ x + h))
    h = sum(M, axis=0)
    return h, M
""",
    "attention whose scores are normalised along the last axis": """
def attention(x, h, K: "d_m, d_h", V: "d_m, d_h", *, W_k, W_v, W_q, p: "d_m", r: "d_m, d_m"):
    K = 0.5 * K + outer(p, W_k @ x)
    V = 0.5 * V + outer(softmax(p), W_v @ x)
    A = softmax(K @ K.T + r, axis=-1)
    h = tanh(W_q @ x + mean(A @ V, axis=0))
    return h, K, V
""",
}

HELD_BACK = {
    "LSTM of Keras 2, with its hard sigmoid": """
def keras2_lstm(x, h, c, *, W_f, U_f, b_f, W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o):
    f = hard_sigmoid(W_f @ x + U_f @ h + b_f, 0.2)
    i = hard_sigmoid(W_i @ x + U_i @ h + b_i, 0.2)
    g = tanh(W_g @ x + U_g @ h + b_g)
    o = hard_sigmoid(W_o @ x + U_o @ h + b_o, 0.2)
    c = f * c + i * g
    h = o * tanh(c)
    return h, c
""",
    "leaky echo state network, trained readout apart": """
def esn(x, h, *, W_in, W, a: "()"):
    h = (1 - a) * h + a * leaky_relu(stop_gradient(W_in) @ x + stop_gradient(W) @ h)
    return h
""",
    "cell with a gate of gelu": """
def gelu_gated(x, h, *, W, U, b, V, c):
    u = gelu(W @ x + U @ h + b)
    z = hard_sigmoid(V @ x + c)
    h = (1 - z) * h + z * u
    return h
""",
    "clockwork: a unit moves where the clock is a multiple of its period": """
def clockwork(x, h, n: "()", *, W, U, b, period):
    on = 1 - step((n + 0.5) % period - 1)
    h = on * tanh(W @ x + U @ h + b) + (1 - on) * h
    n = n + 1
    return h, n
""",
    "memory of which the largest of every slot is read": """
def pooled(x, h, M: "d_m, d_h", *, W, U, v: "d_m", w):
    M = 0.9 * M + outer(v, tanh(W @ x))
    p = max(M, axis=0)
    h = tanh(p + U @ h) * max(w * h) + 0.1 * max(M)
    return h, M
""",
    "memory that fades with a power of the time": """
def power_law(x, h, m: "d_m", t: "()", *, W, U, b, a):
    t = t + 1
    m = m + (1 + t**2) ** -sigmoid(a) * tanh(W @ x + b)
    h = tanh(U @ m)
    return h, m, t
""",
}
