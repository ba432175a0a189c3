# ruff: noqa
# fmt: off
"""Two stacked tanh layers and a linear readout, written out in one pair of functions."""
import numpy as np


def model_forward(X, h1_0, h2_0, Wx1, Wh1, b1, Wx2, Wh2, b2, Wo, bo):
    T = len(X)
    h1 = {-1: h1_0}
    h2 = {-1: h2_0}
    out = []
    for t in range(T):
        h1[t] = np.tanh(X[t] @ Wx1 + h1[t - 1] @ Wh1 + b1)
        h2[t] = np.tanh(h1[t] @ Wx2 + h2[t - 1] @ Wh2 + b2)
        out.append(h2[t] @ Wo + bo)
    return np.stack(out), (X, h1, h2, Wx1, Wh1, Wx2, Wh2, Wo)


def model_backward(dout, cache):
    X, h1, h2, Wx1, Wh1, Wx2, Wh2, Wo = cache
    T = len(X)
    dX = np.zeros_like(X)
    dWx1, dWh1, db1 = np.zeros_like(Wx1), np.zeros_like(Wh1), np.zeros(Wh1.shape[0])
    dWx2, dWh2, db2 = np.zeros_like(Wx2), np.zeros_like(Wh2), np.zeros(Wh2.shape[0])
    dWo, dbo = np.zeros_like(Wo), np.zeros(Wo.shape[1])
    dh1_next = np.zeros_like(h1[0])
    dh2_next = np.zeros_like(h2[0])
    for t in reversed(range(T)):
        dWo += h2[t].T @ dout[t]
        dbo += dout[t].sum(axis=0)

        dh2 = dout[t] @ Wo.T + dh2_next
        da2 = dh2 * (1 - h2[t] ** 2)
        dWx2 += h1[t].T @ da2
        dWh2 += h2[t - 1].T @ da2
        db2 += da2.sum(axis=0)
        dh2_next = da2 @ Wh2.T

        dh1 = da2 @ Wx2.T + dh1_next
        da1 = dh1 * (1 - h1[t] ** 2)
        dWx1 += X[t].T @ da1
        dWh1 += h1[t - 1].T @ da1
        db1 += da1.sum(axis=0)
        dh1_next = da1 @ Wh1.T
        dX[t] = da1 @ Wx1.T
    return dX, dh1_next, dh2_next, dWx1, dWh1, db1, dWx2, dWh2, db2, dWo, dbo


def make_inputs(rng, T, N):
    sizes = {"X": (T, N, 3), "h1_0": (N, 5), "h2_0": (N, 6), "Wx1": (3, 5), "Wh1": (5, 5), "b1": (5,), "Wx2": (5, 6),
             "Wh2": (6, 6), "b2": (6,), "Wo": (6, 2), "bo": (2,)}
    return {name: rng.normal(size=size) * 0.6 for name, size in sizes.items()}


# --- planted
import numpy as np
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_pair

HELD = False
ABOUT = "two stacked tanh layers and a readout, a pair of functions"
CALL = "check(FILE)"


def example(rng):
    sizes = {"X": (5, 3, 3), "h1_0": (3, 5), "h2_0": (3, 6), "Wx1": (3, 5), "Wh1": (5, 5), "b1": (5,), "Wx2": (5, 6),
             "Wh2": (6, 6), "b2": (6,), "Wo": (6, 2), "bo": (2,)}
    return {name: rng.normal(size=size) * 0.6 for name, size in sizes.items()}


def evaluate(m, a):
    return of_pair(m.model_forward, m.model_backward, a)


MISTAKES = [
    S("dh1 = da2 @ Wx2.T + dh1_next", "dh1 = da2 @ Wx2.T", "recurrent-path-cut"),
    S("dh1 = da2 @ Wx2.T + dh1_next", "dh1 = dh2 @ Wx2.T + dh1_next", "missing-derivative", also=("wrong-operand",)),
    S("dh2 = dout[t] @ Wo.T + dh2_next", "dh2 = dout[t] @ Wo.T", "recurrent-path-cut"),
    S("dWx2 += h1[t].T @ da2", "dWx2 += h1[t - 1].T @ da2", "wrong-time-index", also=("wrong-operand",)),
    S("dWh2 += h2[t - 1].T @ da2", "dWh2 += h2[t].T @ da2", "wrong-time-index", also=("wrong-operand",)),
    S("dh1_next = da1 @ Wh1.T", "dh1_next = da1 @ Wh1", "transpose"),
    S("dh2_next = da2 @ Wh2.T", "dh2_next = da2 @ Wh2", "transpose"),
    S("da1 = dh1 * (1 - h1[t] ** 2)", "da1 = dh1 * (1 - np.tanh(h1[t]) ** 2)", "derivative-at-output"),
    S("da2 = dh2 * (1 - h2[t] ** 2)", "da2 = dh2 * (1 - h2[t - 1] ** 2)", "wrong-time-index", also=("wrong-operand",)),
    S("db1 += da1.sum(axis=0)", "db1 += da2[:, :5].sum(axis=0)", "wrong-operand"),
    S("db2 += da2.sum(axis=0)", "db2 += da2.mean(axis=0)", "mean-for-sum"),
    S("dbo += dout[t].sum(axis=0)", "dbo = dout[t].sum(axis=0)", "missing-accumulation"),
    S("dX[t] = da1 @ Wx1.T", "dX[t] = dh1 @ Wx1.T", "missing-derivative", also=("wrong-operand",)),
    S("dWh1 += h1[t - 1].T @ da1", "dWh1 += h1[t - 1].T @ da1 if t else 0", "missing-accumulation", also=("initial-state",)),
]
