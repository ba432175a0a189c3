"""An LSTM with a matrix per gate; every example is a column."""

import numpy as np

from tests.diagnosis.corpus.planted import Planted

CELL = "lstm"
ABOUT = "separate W_f, U_f, b_f; W @ x with examples in columns; lists over time; gradients by name"


def make_inputs(rng, T, N):
    D, H = 4, 6
    inputs = {"x": rng.normal(size=(T, D, N)), "h0": rng.normal(size=(H, N)), "c0": rng.normal(size=(H, N))}
    for k in "figo":
        inputs["W_" + k] = 0.6 * rng.normal(size=(H, D))
        inputs["U_" + k] = 0.5 * rng.normal(size=(H, H))
        inputs["b_" + k] = rng.normal(size=(H, 1))
    return inputs


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(x, h0, c0, W_f, U_f, b_f, W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o):
    T = len(x)
    h, c = [h0], [c0]
    f, i, g, o = [], [], [], []
    for t in range(T):
        f.append(sigmoid(W_f @ x[t] + U_f @ h[t] + b_f))
        i.append(sigmoid(W_i @ x[t] + U_i @ h[t] + b_i))
        g.append(np.tanh(W_g @ x[t] + U_g @ h[t] + b_g))
        o.append(sigmoid(W_o @ x[t] + U_o @ h[t] + b_o))
        c.append(f[t] * c[t] + i[t] * g[t])
        h.append(o[t] * np.tanh(c[t + 1]))
    weights = (W_f, U_f, W_i, U_i, W_g, U_g, W_o, U_o)
    cache = {"x": x, "h": h, "c": c, "f": f, "i": i, "g": g, "o": o, "weights": weights}
    return np.stack(h[1:]), c[T], cache


def backward(dh_all, dc_last, cache):
    x, h, c = cache["x"], cache["h"], cache["c"]
    f, i, g, o = cache["f"], cache["i"], cache["g"], cache["o"]
    W_f, U_f, W_i, U_i, W_g, U_g, W_o, U_o = cache["weights"]
    H = len(U_f)

    dW_f, dU_f, db_f = np.zeros_like(W_f), np.zeros_like(U_f), np.zeros((H, 1))
    dW_i, dU_i, db_i = np.zeros_like(W_i), np.zeros_like(U_i), np.zeros((H, 1))
    dW_g, dU_g, db_g = np.zeros_like(W_g), np.zeros_like(U_g), np.zeros((H, 1))
    dW_o, dU_o, db_o = np.zeros_like(W_o), np.zeros_like(U_o), np.zeros((H, 1))
    dx = np.zeros_like(x)
    dh_next = np.zeros_like(h[0])
    dc_next = dc_last

    for t in reversed(range(len(x))):
        dh = dh_all[t] + dh_next
        tanh_c = np.tanh(c[t + 1])
        do = dh * tanh_c
        dc = dc_next + dh * o[t] * (1 - tanh_c**2)
        df = dc * c[t]
        di = dc * g[t]
        dg = dc * i[t]

        da_f = df * f[t] * (1 - f[t])
        da_i = di * i[t] * (1 - i[t])
        da_g = dg * (1 - g[t] ** 2)
        da_o = do * o[t] * (1 - o[t])

        dW_f += da_f @ x[t].T
        dW_i += da_i @ x[t].T
        dW_g += da_g @ x[t].T
        dW_o += da_o @ x[t].T
        dU_f += da_f @ h[t].T
        dU_i += da_i @ h[t].T
        dU_g += da_g @ h[t].T
        dU_o += da_o @ h[t].T
        db_f += da_f.sum(axis=1, keepdims=True)
        db_i += da_i.sum(axis=1, keepdims=True)
        db_g += da_g.sum(axis=1, keepdims=True)
        db_o += da_o.sum(axis=1, keepdims=True)

        dx[t] = W_f.T @ da_f + W_i.T @ da_i + W_g.T @ da_g + W_o.T @ da_o
        dh_next = U_f.T @ da_f + U_i.T @ da_i + U_g.T @ da_g + U_o.T @ da_o
        dc_next = f[t] * dc

    return {
        "x": dx,
        "h0": dh_next,
        "c0": dc_next,
        "W_f": dW_f,
        "U_f": dU_f,
        "b_f": db_f,
        "W_i": dW_i,
        "U_i": dU_i,
        "b_i": db_i,
        "W_g": dW_g,
        "U_g": dU_g,
        "b_g": db_g,
        "W_o": dW_o,
        "U_o": dU_o,
        "b_o": db_o,
    }


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "δh: carry not added", "dh = dh_all[t] + dh_next", "dh = dh_all[t]"),
    Planted(
        "recurrent-path-cut",
        "c carry",
        "dc_next = f[t] * dc\n",
        "dc_next = np.zeros_like(dc)\n",
        also=("missing-path",),
    ),
    Planted(
        "recurrent-path-cut",
        "h carry through o only",
        "U_f.T @ da_f + U_i.T @ da_i + U_g.T @ da_g + U_o.T @ da_o",
        "U_o.T @ da_o",
        also=("missing-path",),
    ),
    Planted("missing-path", "δx without W_g", "W_i.T @ da_i + W_g.T @ da_g + W_o", "W_i.T @ da_i + W_o"),
    Planted(
        "missing-path",
        "δh_prev without U_i",
        "U_f.T @ da_f + U_i.T @ da_i + U_g",
        "U_f.T @ da_f + U_g",
        also=("recurrent-path-cut",),
    ),
    Planted("missing-path", "δc without h", "dc = dc_next + dh * o[t] * (1 - tanh_c**2)", "dc = dc_next"),
    Planted("missing-output", "c_T", "dc_next = dc_last", "dc_next = np.zeros_like(c[0])"),
    Planted("derivative-at-output", "δa_g", "dg * (1 - g[t] ** 2)", "dg * (1 - np.tanh(g[t]) ** 2)"),
    Planted("derivative-at-output", "δa_f", "df * f[t] * (1 - f[t])", "df * sigmoid(f[t]) * (1 - sigmoid(f[t]))"),
    Planted("derivative-at-output", "δc", "(1 - tanh_c**2)", "(1 - np.tanh(tanh_c) ** 2)"),
    Planted(
        "missing-derivative", "δa_i: factor (1 - i)", "di * i[t] * (1 - i[t])", "di * i[t]", also=("wrong-derivative",)
    ),
    Planted("missing-derivative", "δa_o: all of it", "do * o[t] * (1 - o[t])", "do"),
    Planted("missing-derivative", "δc", "dh * o[t] * (1 - tanh_c**2)", "dh * o[t]"),
    Planted("derivative-at-preactivation", "δc", "(1 - tanh_c**2)", "(1 - c[t + 1] ** 2)"),
    Planted("wrong-derivative", "δa_g: that of a sigmoid", "dg * (1 - g[t] ** 2)", "dg * g[t] * (1 - g[t])"),
    Planted("wrong-derivative", "δa_g: no square", "(1 - g[t] ** 2)", "(1 - g[t])"),
    Planted("wrong-derivative", "δa_f: that of tanh", "df * f[t] * (1 - f[t])", "df * (1 - f[t] ** 2)"),
    Planted("wrong-time-index", "δf", "df = dc * c[t]", "df = dc * c[t + 1]", also=("wrong-operand",)),
    Planted(
        "wrong-time-index", "tanh(c)", "tanh_c = np.tanh(c[t + 1])", "tanh_c = np.tanh(c[t])", also=("wrong-operand",)
    ),
    Planted("wrong-time-index", "dU_g", "da_g @ h[t].T", "da_g @ h[t + 1].T", also=("wrong-operand",)),
    Planted("wrong-time-index", "all dU", "@ h[t].T", "@ h[t + 1].T", count=4, also=("wrong-operand",)),
    Planted("initial-state", "δf at step 0", "df = dc * c[t]", "df = dc * (c[t] if t > 0 else np.zeros_like(dc))"),
    Planted("missing-accumulation", "dW_o", "dW_o += da_o @ x[t].T", "dW_o = da_o @ x[t].T"),
    Planted("missing-accumulation", "db_f", "db_f += da_f.sum", "db_f = da_f.sum"),
    Planted("mean-for-sum", "db_i over the batch", "db_i += da_i.sum(", "db_i += da_i.mean("),
    Planted(
        "double-counted",
        "δh",
        "dh = dh_all[t] + dh_next",
        "dh = dh_all[t] + dh_all[t] + dh_next",
        also=("wrong-scale",),
    ),
    Planted(
        "double-counted",
        "dU_i",
        "dU_i += da_i @ h[t].T",
        "dU_i += 2 * da_i @ h[t].T",
        also=("wrong-scale", "extra-factor"),
    ),
    Planted(
        "bad-accumulator", "dU_f", "np.zeros_like(W_f), np.zeros_like(U_f)", "np.zeros_like(W_f), np.ones_like(U_f)"
    ),
    Planted(
        "bad-accumulator",
        "dW_g is the weights",
        "dW_g, dU_g, db_g = np.zeros_like(W_g)",
        "dW_g, dU_g, db_g = W_g.copy()",
        also=("extra-path",),
    ),
    Planted(
        "extra-path",
        "δc gets δc_T at each step",
        "dc = dc_next + dh",
        "dc = dc_last + dc_next + dh",
        also=("double-counted",),
    ),
    Planted("extra-factor", "c carry", "dc_next = f[t] * dc\n", "dc_next = f[t] * dc * (1 - f[t])\n"),
    Planted("extra-factor", "δg", "dg = dc * i[t]", "dg = dc * i[t] * o[t]"),
    Planted("transpose", "δh_prev: U_g", "U_g.T @ da_g", "U_g @ da_g"),
    Planted("transpose", "dU_o", "dU_o += da_o @ h[t].T", "dU_o += h[t] @ da_o.T"),
    Planted("wrong-operand", "δi", "di = dc * g[t]", "di = dc * f[t]"),
    Planted("wrong-operand", "δx: W_f for W_i", "+ W_i.T @ da_i", "+ W_f.T @ da_i"),
    Planted("wrong-operand", "c carry", "dc_next = f[t] * dc\n", "dc_next = i[t] * dc\n"),
    Planted("gate-swapped", "db_o", "db_o += da_o.sum", "db_o += da_f.sum"),
    Planted(
        "gate-swapped", "returned W_i and W_f", '"W_f": dW_f,', '"W_f": dW_i,', more=(('"W_i": dW_i,', '"W_i": dW_f,'),)
    ),
    Planted("sign", "δa_i", "da_i = di", "da_i = -di"),
    Planted(
        "truncated",
        "after 3 steps",
        "dh = dh_all[t] + dh_next",
        "dh = dh_all[t] + dh_next * ((len(x) - 1 - t) % 3 != 0)",
        also=("recurrent-path-cut",),
    ),
]
