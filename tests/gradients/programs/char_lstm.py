# ruff: noqa
# fmt: off
"""A character model with an LSTM on [h; x], a dictionary for everything, one example at a time in columns."""
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward_backward(inputs, targets, h_prev, c_prev, Wf, bf, Wi, bi, Wc, bc, Wo, bo, Wy, by):
    H = h_prev.shape[0]
    V = Wy.shape[0]
    z_s, f_s, i_s, g_s, o_s, c_s, h_s, p_s = {}, {}, {}, {}, {}, {-1: c_prev}, {-1: h_prev}, {}
    loss = 0
    for t, ix in enumerate(inputs):
        x = np.zeros((V, 1))
        x[ix] = 1
        z_s[t] = np.vstack((h_s[t - 1], x))
        f_s[t] = sigmoid(np.dot(Wf, z_s[t]) + bf)
        i_s[t] = sigmoid(np.dot(Wi, z_s[t]) + bi)
        g_s[t] = np.tanh(np.dot(Wc, z_s[t]) + bc)
        c_s[t] = f_s[t] * c_s[t - 1] + i_s[t] * g_s[t]
        o_s[t] = sigmoid(np.dot(Wo, z_s[t]) + bo)
        h_s[t] = o_s[t] * np.tanh(c_s[t])
        y = np.dot(Wy, h_s[t]) + by
        p_s[t] = np.exp(y) / np.sum(np.exp(y))
        loss += -np.log(p_s[t][targets[t], 0])

    dWf, dWi, dWc, dWo, dWy = [np.zeros_like(w) for w in (Wf, Wi, Wc, Wo, Wy)]
    dbf, dbi, dbc, dbo, dby = [np.zeros_like(b) for b in (bf, bi, bc, bo, by)]
    dh_next = np.zeros_like(h_prev)
    dc_next = np.zeros_like(c_prev)
    for t in reversed(range(len(inputs))):
        dy = p_s[t].copy()
        dy[targets[t]] -= 1
        dWy += np.dot(dy, h_s[t].T)
        dby += dy
        dh = np.dot(Wy.T, dy) + dh_next
        do = dh * np.tanh(c_s[t])
        do = do * o_s[t] * (1 - o_s[t])
        dWo += np.dot(do, z_s[t].T)
        dbo += do
        dc = dc_next + dh * o_s[t] * (1 - np.tanh(c_s[t]) ** 2)
        dg = dc * i_s[t]
        dg = dg * (1 - g_s[t] ** 2)
        dWc += np.dot(dg, z_s[t].T)
        dbc += dg
        di = dc * g_s[t]
        di = i_s[t] * (1 - i_s[t]) * di
        dWi += np.dot(di, z_s[t].T)
        dbi += di
        df = dc * c_s[t - 1]
        df = f_s[t] * (1 - f_s[t]) * df
        dWf += np.dot(df, z_s[t].T)
        dbf += df
        dz = np.dot(Wf.T, df) + np.dot(Wi.T, di) + np.dot(Wc.T, dg) + np.dot(Wo.T, do)
        dh_next = dz[:H, :]
        dc_next = f_s[t] * dc
    return loss, dWf, dbf, dWi, dbi, dWc, dbc, dWo, dbo, dWy, dby, h_s[len(inputs) - 1], c_s[len(inputs) - 1]


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_loss

HELD = False
ABOUT = "character LSTM in one function, concatenated input, arguments one by one"
CALL = 'check_gradients(*from_loss(m.forward_backward, a, "Wf bf Wi bi Wc bc Wo bo Wy by".split() + [None, None]))'


def example(rng):
    a = {"inputs": [0, 3, 1, 2, 1], "targets": [3, 1, 2, 1, 0], "h_prev": rng.normal(size=(6, 1)), "c_prev": rng.normal(size=(6, 1))}
    for k in "fico":
        a |= {"W" + k: 0.5 * rng.normal(size=(6, 10)), "b" + k: 0.5 * rng.normal(size=(6, 1))}
    return a | {"Wy": 0.5 * rng.normal(size=(4, 6)), "by": 0.5 * rng.normal(size=(4, 1))}


def evaluate(m, a):
    return of_loss(m, m.forward_backward, a, ["loss", *"Wf bf Wi bi Wc bc Wo bo Wy by".split(), None, None])


MISTAKES = [
    S("dc = dc_next + dh * o_s[t] * (1 - np.tanh(c_s[t]) ** 2)", "dc = dh * o_s[t] * (1 - np.tanh(c_s[t]) ** 2)", "recurrent-path-cut", also=("missing-path",)),
    S("df = dc * c_s[t - 1]", "df = dc * c_s[t]", "wrong-time-index", also=("wrong-operand",)),
    S("dbi += di", "dbi += df", "gate-swapped", more=(("        di = dc * g_s[t]\n", "        df = dc * c_s[t - 1]\n        df = f_s[t] * (1 - f_s[t]) * df\n        di = dc * g_s[t]\n"),), line="dbi += df"),
    S("(1 - np.tanh(c_s[t]) ** 2)", "(1 - np.tanh(np.tanh(c_s[t])) ** 2)", "derivative-at-output"),
    S("dg = dg * (1 - g_s[t] ** 2)", "dg = dg * (1 - np.tanh(g_s[t]) ** 2)", "derivative-at-output"),
    S("dc_next = f_s[t] * dc", "dc_next = dc", "missing-factor", also=("missing-path",)),
    S("dg = dc * i_s[t]", "dg = dc * f_s[t]", "gate-swapped", also=("wrong-operand",)),
    S("        do = do * o_s[t] * (1 - o_s[t])\n", "", "missing-derivative", line="do = dh * np.tanh(c_s[t])"),
    S(" + np.dot(Wc.T, dg)", "", "missing-path", line="dz = np.dot(Wf.T, df)"),
    S("dh_next = dz[:H, :]", "dh_next = np.zeros_like(h_prev)", "recurrent-path-cut", also=("missing-path",)),
    S("dby += dy", "dby = dy", "missing-accumulation"),
    S("dh = np.dot(Wy.T, dy) + dh_next", "dh = np.dot(Wy.T, dy) + 2 * dh_next", "double-counted", also=("wrong-scale",)),
    S("di = i_s[t] * (1 - i_s[t]) * di", "di = i_s[t] * (1 + i_s[t]) * di", "wrong-derivative", also=("sign",)),
    S("    return loss, dWf", "    for d in (dWf, dWi, dWc, dWo, dWy):\n        np.clip(d, -0.3, 0.3, out=d)\n    return loss, dWf", "clipped"),
    S("dc_next = f_s[t] * dc", "dc_next = f_s[t - 1 if t else 0] * dc", "wrong-time-index", also=("wrong-operand",)),
]
