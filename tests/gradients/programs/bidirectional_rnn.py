# ruff: noqa
# fmt: off
"""A bidirectional tanh RNN, both states side by side, and a readout; rows."""
import numpy as np


def birnn_forward(x, Wf, Uf, bf, Wb, Ub, bb, V, c):
    T, N, _ = x.shape
    hf, hb = np.zeros((T + 1, N, len(bf))), np.zeros((T + 1, N, len(bb)))
    for t in range(T):
        hf[t + 1] = np.tanh(x[t] @ Wf + hf[t] @ Uf + bf)
    for t in range(T - 1, -1, -1):
        hb[t] = np.tanh(x[t] @ Wb + hb[t + 1] @ Ub + bb)
    both = np.concatenate([hf[1:], hb[:-1]], axis=2)
    return both @ V + c, (x, hf, hb, both, Wf, Uf, Wb, Ub, V)


def birnn_backward(dy, cache):
    x, hf, hb, both, Wf, Uf, Wb, Ub, V = cache
    T, H = len(x), Uf.shape[0]
    g = {"V": np.tensordot(both, dy, ((0, 1), (0, 1))), "c": dy.sum((0, 1)), "x": np.zeros_like(x)}
    for k, v in (("Wf", Wf), ("Uf", Uf), ("Wb", Wb), ("Ub", Ub)):
        g[k] = np.zeros_like(v)
    g["bf"], g["bb"] = np.zeros(H), np.zeros(Ub.shape[0])
    dboth = dy @ V.T
    carry = 0
    for t in range(T - 1, -1, -1):
        da = (dboth[t, :, :H] + carry) * (1 - hf[t + 1] ** 2)
        g["Wf"] += x[t].T @ da
        g["Uf"] += hf[t].T @ da
        g["bf"] += da.sum(0)
        g["x"][t] += da @ Wf.T
        carry = da @ Uf.T
    carry = 0
    for t in range(T):
        db = (dboth[t, :, H:] + carry) * (1 - hb[t] ** 2)
        g["Wb"] += x[t].T @ db
        g["Ub"] += hb[t + 1].T @ db
        g["bb"] += db.sum(0)
        g["x"][t] += db @ Wb.T
        carry = db @ Ub.T
    return g


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_pair

HELD = False
ABOUT = "bidirectional tanh RNN with a readout"
CALL = "check_gradients(m.birnn_forward, m.birnn_backward, a)"


def example(rng):
    sizes = {"x": (5, 3, 4), "Wf": (4, 6), "Uf": (6, 6), "bf": (6,), "Wb": (4, 7), "Ub": (7, 7), "bb": (7,), "V": (13, 2), "c": (2,)}
    return {k: 0.6 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    return of_pair(m.birnn_forward, m.birnn_backward, a)


MISTAKES = [
    S("    for t in range(T):\n        db =", "    for t in range(T - 1, -1, -1):\n        db =", "wrong-time-index", also=("recurrent-path-cut", "wrong-operand"), line="for t in range(T - 1, -1, -1):"),
    S("hb[t + 1].T @ db", "hb[t].T @ db", "wrong-time-index", also=("wrong-operand",)),
    S("hf[t].T @ da", "hf[t + 1].T @ da", "wrong-time-index", also=("wrong-operand",)),
    S("        g[\"x\"][t] += db @ Wb.T", "        g[\"x\"][t] = db @ Wb.T", "missing-path", also=("missing-accumulation",)),
    S("carry = db @ Ub.T", "carry = db @ Ub", "transpose"),
    S("(dboth[t, :, :H] + carry) *", "dboth[t, :, :H] *", "recurrent-path-cut"),
    S("* (1 - hb[t] ** 2)", "* (1 - hb[t + 1] ** 2)", "wrong-time-index", also=("wrong-operand",)),
    S("* (1 - hf[t + 1] ** 2)", "* (1 - np.tanh(hf[t + 1]) ** 2)", "derivative-at-output"),
    S("g[\"bb\"] += db.sum(0)", "g[\"bb\"] += db.mean(0)", "mean-for-sum"),
    S("g[\"Wb\"] += x[t].T", "g[\"Wb\"] = x[t].T", "missing-accumulation"),
    S("\"c\": dy.sum((0, 1))", "\"c\": dy.mean((0, 1))", "mean-for-sum", also=("wrong-scale",)),
]
