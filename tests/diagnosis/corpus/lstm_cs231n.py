"""LSTM layer in the manner of a course exercise: a step, and the loop around it.

x is (N, T, D), the gates are columns in the order i, f, o, g.
"""
# ruff: noqa: RUF059

import numpy as np

from tests.diagnosis.corpus.planted import Planted

CELL = "lstm"
ABOUT = "stacked columns i f o g, x @ Wx; a step forward and backward, called by the loops; (N, T, D); c_0 is zeros"


def make_inputs(rng, T, N):
    D, H = 3, 5
    x = rng.normal(size=(N, T, D))
    h0 = rng.normal(size=(N, H))
    Wx, Wh = rng.normal(size=(D, 4 * H)), 0.5 * rng.normal(size=(H, 4 * H))
    return {"x": x, "h0": h0, "Wx": Wx, "Wh": Wh, "b": rng.normal(size=4 * H)}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    i = sigmoid(a[:, 0:H])
    f = sigmoid(a[:, H : 2 * H])
    o = sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H : 4 * H])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    cache = (x, prev_h, prev_c, Wx, Wh, a, i, f, o, g, next_c, next_h)
    return next_h, next_c, cache


def step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, a, i, f, o, g, next_c, next_h = cache
    tanh_c = np.tanh(next_c)
    dnext_c = dnext_c + dnext_h * o * (1 - tanh_c**2)
    dprev_c = dnext_c * f
    df = dnext_c * prev_c
    di = dnext_c * g
    dg = dnext_c * i
    do = dnext_h * tanh_c
    da = np.hstack([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)])
    dx = da.dot(Wx.T)
    dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da)
    dWh = prev_h.T.dot(da)
    db = np.sum(da, axis=0)
    return dx, dprev_h, dprev_c, dWx, dWh, db


def forward(x, h0, Wx, Wh, b):
    prev_h, prev_c = h0, np.zeros_like(h0)
    hs, caches = [], []
    for t in range(x.shape[1]):
        prev_h, prev_c, cache = step_forward(x[:, t], prev_h, prev_c, Wx, Wh, b)
        hs.append(prev_h)
        caches.append(cache)
    return np.stack(hs, axis=1), caches


def backward(dh, caches):
    x, prev_h, _, Wx, Wh = caches[0][:5]
    N, T, H = dh.shape
    dx = np.zeros((N, T, x.shape[1]))
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * H)
    dprev_h, dprev_c = np.zeros((N, H)), np.zeros((N, H))
    for t in reversed(range(T)):
        dx[:, t], dprev_h, dprev_c, dWx_t, dWh_t, db_t = step_backward(dh[:, t] + dprev_h, dprev_c, caches[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    return dx, dprev_h, dWx, dWh, db


MISTAKES: list[Planted] = [
    Planted(
        "recurrent-path-cut",
        "h carry",
        "step_backward(dh[:, t] + dprev_h, dprev_c,",
        "step_backward(dh[:, t], dprev_c,",
    ),
    Planted(
        "recurrent-path-cut",
        "c carry",
        "step_backward(dh[:, t] + dprev_h, dprev_c,",
        "step_backward(dh[:, t] + dprev_h, np.zeros((N, H)),",
        also=("missing-path",),
    ),
    Planted(
        "recurrent-path-cut",
        "both carries",
        "dx[:, t], dprev_h, dprev_c, dWx_t",
        "dx[:, t], dh0, dc0, dWx_t",
        more=(("return dx, dprev_h, dWx, dWh, db", "return dx, dh0, dWx, dWh, db"),),
    ),
    Planted("missing-path", "δc from h", "    dnext_c = dnext_c + dnext_h * o * (1 - tanh_c**2)\n", ""),
    Planted(
        "missing-path",
        "δf without what h sends to c",
        "df = dnext_c * prev_c",
        "df = (dnext_c - dnext_h * o * (1 - tanh_c**2)) * prev_c",
    ),
    Planted(
        "missing-path",
        "dh0 as zeros",
        "return dx, dprev_h, dWx, dWh, db",
        "return dx, np.zeros_like(prev_h), dWx, dWh, db",
        also=("recurrent-path-cut", "initial-state"),
    ),
    Planted(
        "derivative-at-output",
        "δc: tanh of h",
        "tanh_c = np.tanh(next_c)\n",
        "tanh_c = np.tanh(next_c)\n    tanh_h = np.tanh(next_h)\n",
        more=(("(1 - tanh_c**2)", "(1 - tanh_h**2)"),),
        also=("wrong-operand", "wrong-derivative"),
    ),
    Planted("derivative-at-output", "δa_o", "do * o * (1 - o)", "do * sigmoid(o) * (1 - sigmoid(o))"),
    Planted("missing-derivative", "δa_o: factor (1 - o)", "do * o * (1 - o)", "do * o", also=("wrong-derivative",)),
    Planted("missing-derivative", "δa_g", "dg * (1 - g**2)", "dg"),
    Planted(
        "missing-derivative",
        "parentheses: δa_f",
        "df * f * (1 - f)",
        "df * f * 1 - f",
        also=("wrong-derivative", "extra-path"),
    ),
    Planted(
        "derivative-at-preactivation", "δa_i", "di * i * (1 - i)", "di * a[:, :len(i[0])] * (1 - a[:, :len(i[0])])"
    ),
    Planted("derivative-at-preactivation", "δa_g", "dg * (1 - g**2)", "dg * (1 - a[:, -len(g[0]) :] ** 2)"),
    Planted("wrong-derivative", "δa_f: that of tanh", "df * f * (1 - f)", "df * (1 - f**2)"),
    Planted("wrong-derivative", "δa_g: that of a sigmoid", "dg * (1 - g**2)", "dg * g * (1 - g)"),
    Planted("wrong-time-index", "δf", "df = dnext_c * prev_c", "df = dnext_c * next_c", also=("wrong-operand",)),
    Planted(
        "wrong-time-index", "tanh(c)", "tanh_c = np.tanh(next_c)", "tanh_c = np.tanh(prev_c)", also=("wrong-operand",)
    ),
    Planted("wrong-time-index", "dWh", "dWh = prev_h.T.dot(da)", "dWh = next_h.T.dot(da)", also=("wrong-operand",)),
    Planted(
        "wrong-time-index",
        "dh a step early",
        "step_backward(dh[:, t] + dprev_h",
        "step_backward(dh[:, t - 1] + dprev_h",
    ),
    Planted("missing-accumulation", "dWx", "dWx += dWx_t", "dWx = dWx_t"),
    Planted(
        "missing-accumulation",
        "the loop stops before step 0",
        "for t in reversed(range(T)):",
        "for t in range(T - 1, 0, -1):",
        also=("initial-state", "truncated", "recurrent-path-cut"),
    ),
    Planted("mean-for-sum", "db over the batch", "db = np.sum(da, axis=0)", "db = np.mean(da, axis=0)"),
    Planted("mean-for-sum", "dWx over the batch", "dWx = x.T.dot(da)", "dWx = x.T.dot(da) / len(x)"),
    Planted("double-counted", "db", "db += db_t", "db += db + db_t", also=("bad-accumulator",)),
    Planted(
        "double-counted",
        "δc",
        "dprev_c = dnext_c * f",
        "dprev_c = (dnext_c + dnext_h * o * (1 - tanh_c**2)) * f",
        also=("extra-path",),
    ),
    Planted(
        "bad-accumulator",
        "dWh",
        "np.zeros_like(Wh), np.zeros(4 * H)",
        "0.01 * np.random.default_rng(0).normal(size=Wh.shape), np.zeros(4 * H)",
    ),
    Planted(
        "bad-accumulator",
        "h carry",
        "dprev_h, dprev_c = np.zeros((N, H)), np.zeros((N, H))",
        "dprev_h, dprev_c = np.ones((N, H)), np.zeros((N, H))",
        also=("extra-path",),
    ),
    Planted("extra-path", "h carry gets δh", "dprev_h = da.dot(Wh.T)", "dprev_h = da.dot(Wh.T) + dnext_h"),
    Planted(
        "extra-path",
        "the last δh at each step",
        "step_backward(dh[:, t] + dprev_h",
        "step_backward(dh[:, t] + dh[:, -1] + dprev_h",
    ),
    Planted("extra-factor", "δi", "di = dnext_c * g", "di = dnext_c * g * o"),
    Planted("extra-factor", "δo", "do = dnext_h * tanh_c", "do = dnext_h * tanh_c * (1 - tanh_c**2)"),
    Planted(
        "transpose",
        "δh_prev: the block of g",
        "dprev_h = da.dot(Wh.T)",
        "n = len(g[0])\n    dprev_h = da[:, : 3 * n].dot(Wh[:, : 3 * n].T) + da[:, 3 * n :].dot(Wh[:, 3 * n :])",
    ),
    Planted("wrong-operand", "c carry", "dprev_c = dnext_c * f", "dprev_c = dnext_c * o"),
    Planted("wrong-operand", "δg", "dg = dnext_c * i", "dg = dnext_c * f"),
    Planted(
        "wrong-operand",
        "δo: c for tanh(c)",
        "do = dnext_h * tanh_c",
        "do = dnext_h * next_c",
        also=("forward-backward-mismatch",),
    ),
    Planted(
        "gate-swapped", "order i f g o", "do * o * (1 - o), dg * (1 - g**2)]", "dg * (1 - g**2), do * o * (1 - o)]"
    ),
    Planted(
        "gate-swapped",
        "unpacked f, i",
        "Wx, Wh, a, i, f, o, g, next_c, next_h = cache",
        "Wx, Wh, a, f, i, o, g, next_c, next_h = cache",
    ),
    Planted("stale-cache", "the last step's", "dprev_c, caches[t])", "dprev_c, caches[-1])"),
    Planted("stale-cache", "the first step's", "dprev_c, caches[t])", "dprev_c, caches[0])"),
    Planted("corrupted-cache", "g is overwritten", "    dg = dnext_c * i\n", "    dg = dnext_c * i\n    g *= i\n"),
    Planted("wrong-scale", "dx", "dx = da.dot(Wx.T)", "dx = da.dot(Wx.T) / len(x)", also=("mean-for-sum",)),
    Planted("clipped-in-recursion", "δa", "dx = da.dot(Wx.T)", "da = np.clip(da, -0.1, 0.1)\n    dx = da.dot(Wx.T)"),
    Planted("sign", "δa_g", "dg * (1 - g**2)", "dg * (g**2 - 1)"),
    Planted("sign", "δc from h", "dnext_c + dnext_h * o", "dnext_c - dnext_h * o"),
]
