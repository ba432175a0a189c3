"""Cells that are not in the library: one for each corner of the language.  Read as text, never run."""

# The language wants its equations named, and O is what a paper calls it.
# ruff: noqa: RET504, E741


def minimal_gated_unit(x, h, *, W_f, U_f, b_f, W_h, U_h, b_h):
    """Source: Zhou, Wu, Zhang & Zhou (2016), arXiv:1603.09420."""
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    candidate = tanh(W_h @ x + U_h @ (f * h) + b_h)
    h = (1 - f) * h + f * candidate
    return h


def peephole_lstm(x, h, c, *, W_f, U_f, p_f, b_f, W_i, U_i, p_i, b_i, W_g, U_g, b_g, W_o, U_o, p_o, b_o):
    """The output gate sees the new memory.  Source: Gers, Schraudolph & Schmidhuber (2002)."""
    f = sigmoid(W_f @ x + U_f @ h + p_f * c + b_f)
    i = sigmoid(W_i @ x + U_i @ h + p_i * c + b_i)
    g = tanh(W_g @ x + U_g @ h + b_g)
    c = f * c + i * g
    o = sigmoid(W_o @ x + U_o @ h + p_o * c + b_o)
    h = o * tanh(c)
    return h, c


def concatenated(x, h, *, W: "d_h, d_h + d_x", b):
    h = tanh(W @ concat(h, x) + b)
    return h


def concatenated_thrice(x, h, c, *, W: "d_h, d_h + d_x + d_h", V):
    both = concat(h, x, c)
    c = tanh(W @ both)
    h = V @ concat(c, sigmoid(x))
    return h, c


def rectified(x, h, *, W, U, b):
    h = relu(W @ x + U @ h + b)
    return h


def largest(x, h, *, W, U, V, b):
    h = maximum(W @ x + b, U @ h) - minimum(0.5, V @ x)
    return h


def attending(x, h, *, W, U, V: "d_h, d_h", b):
    w = softmax(W @ x + U @ h)
    a = V @ (w * h)
    h = tanh(a + b)
    return h


def pooled(x, h, *, W: "d_h, d_x", U: "d_h, d_h", v, b):
    """The largest entry: of its place no small change is seen."""
    m = max(W @ x + U @ h)
    h = tanh(m * v + b) + 0.5 * h
    return h


def scalar_values(x, h, s, *, w, u, v: "()", W, U):
    s = sigmoid(w @ x + u @ h + v * s)
    h = s * h + (1 - s) * tanh(W @ x + U @ h)
    return h, s


def scalars_only(x: "()", h: "()", *, w: "()", u: "()", b: "()"):
    h = tanh(w * x + u * h + b)
    return h


def fast_weights(x, h, C: "d_v, d_k", *, W_k, W_v, W_q, w_f: "d_x", w_i: "d_x", b: "()", O):
    """A matrix for a memory, as in Schmidhuber (1992) and the mLSTM."""
    k = W_k @ x / 2
    v = W_v @ x
    q = W_q @ x
    f = sigmoid(w_f @ x + b)
    i = exp(w_i @ x)
    C = f * C + i * outer(v, k)
    h = tanh(O @ (C @ q))
    return h, C


def matrix_gate(x, h, C: "d_h, d_x", *, W: "d_h, d_h", V: "d_x, d_x", b: "d_h, d_x"):
    F = sigmoid(W @ C @ V + b)
    C = F * C - (1 - F) * outer(h, x)
    h = tanh(C @ x)
    return h, C


def square_memory(x, h, C: "d_h, d_h", *, A, B, W):
    """Square matrices: a transposed rule keeps its shape."""
    C = tanh(A @ C + C.T @ B) * C**2 + outer(h, h)
    h = C @ (W @ x) + C.T @ h
    return h, C


def wide_memory(x, h, C: "d_h, d_x", *, W, V):
    """A matrix that is read in both ways, and is not square."""
    C = C - outer(h, V @ (h @ C))
    h = tanh(W @ (C.T @ h) + C @ x)
    return h, C


def divided(x, h, *, W, U, b):
    a = W @ x
    h = (U @ h + a) / (1 + a**2) + 1 / (2 + exp(b))
    return h


def powers(x, h, *, W, U):
    a = W @ x + 2
    h = (U @ h) ** 3 * a**-2 + 0.1 * a**1
    return h


def averaged(x, h, *, W, U, b):
    m = mean(h)
    s = sum(x * x)
    h = tanh(W @ x + m * (U @ h) + s * b / 3)
    return h


def normalised(x, h, *, W, U, g, b):
    """Layer normalisation, Ba, Kiros & Hinton (2016)."""
    a = W @ x + U @ h
    d = a - mean(a)
    h = tanh(g * d / sqrt(mean(d * d) + 0.01) + b)
    return h


def row_products(x, h, *, W: "d_x, d_h", U, V: "d_x, d_h"):
    h = tanh(x @ W + U.T @ h + V.T @ x)
    return h


def bilinear(x, h, *, W, p):
    s = h @ (W @ x)
    h = tanh(s * p) + (1 - s) * h
    return h


def literals(x, h, *, W):
    """Literals are exact: a third is a third."""
    h = 1 / 3 * h + 0.1 * (W @ x) - 2 / 7 + (x @ x) * 1.5e-3
    return h


def waves(x, h, *, W, U, b):
    h = sin(W @ x) * cos(U @ h) + log(1 + exp(b)) * softsign(h)
    return h


def activations(x, h, *, W, a, b, c, d, e, f):
    u = W @ x
    h = elu(u) * a + silu(h) * b + softplus(u) * c + log_sigmoid(h) * d + abs(u) * e + sign(h) * step(u) * f
    return h


def rooted(x, h, *, W):
    h = log(W @ x) + sqrt(1 - 0.1 * h * h)
    return h


def fixed_sizes(x: "3", h: "2", *, W, U):
    h = tanh(W @ x + U @ h)
    return h


def partly_fixed(x, h, *, W: "2, d_x", V: "d_h, 2", U):
    h = tanh(V @ relu(W @ x) + U @ h)
    return h


def two_inputs(q, k, h, *, W, V, U):
    h = tanh(W @ q + V @ k) * sigmoid(U @ h)
    return h


def input_as_wide_as_state(x: "d_h", h, *, b):
    """No projection: x is as wide as h."""
    h = tanh(x * h + b)
    return h


def forgetful(x, h, c, *, W, b):
    """A state that nothing reads."""
    c = tanh(W @ x + b)
    h = W @ x * c
    return h, c


def named_oddly(x_t, h, n, *, z, a_f, x, W, f, s_r: "()"):
    """Names that a derivation might want for itself."""
    r = sigmoid(a_f * h + f * n)
    n = tanh(W @ x_t + s_r * x)
    h = r * tanh(z @ h) * n
    return h, n


def scaled_products(x, h, *, W, U, K: "d_k, d_x", V: "d_h, d_k"):
    """Attention's scale: the size of a value as a number."""
    k = K @ x
    h = tanh(V @ k / sqrt(size(k)) + U @ h) + W @ x / size(W)
    return h


def stacked_gates(x, h, c, *, W, U, b):
    """All gates of one product."""
    a_i, a_f, a_o = split(W @ x + U @ h + b, 3)
    c = sigmoid(a_f) * c + tanh(a_i)
    h = sigmoid(a_o) * c
    return h, c


def rows_apart(x, h, *, W: "d_h + d_k, d_x", V):
    """Parts of two lengths."""
    a = tanh(W @ x)
    h = sigmoid(a[:d_h]) * h + V @ a[d_h:]
    return h
