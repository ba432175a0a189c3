# ruff: noqa
# fmt: off
"""A stack of any number of LSTM layers: the weights are lists of arrays, so are the gradients."""
import numpy as np


def expit(a):
    return 1 / (1 + np.exp(-a))


def forward(x, W, U, b):
    saved = []
    for layer in range(len(W)):
        T, N, _ = x.shape
        n = U[layer].shape[0]
        h, c = np.zeros((N, n)), np.zeros((N, n))
        rows, hs = [], []
        for t in range(T):
            a = x[t] @ W[layer] + h @ U[layer] + b[layer]
            i, f, g, o = expit(a[:, :n]), expit(a[:, n:2*n]), np.tanh(a[:, 2*n:3*n]), expit(a[:, 3*n:])
            c_new = f * c + i * g
            rows.append((h, c, i, f, g, o, c_new))
            h, c = o * np.tanh(c_new), c_new
            hs.append(h)
        saved.append((x, rows))
        x = np.stack(hs)
    return x, (saved, W, U)


def backward(dx, cache):
    saved, W, U = cache
    dW, dU, db = [None] * len(W), [None] * len(W), [None] * len(W)
    for layer in reversed(range(len(W))):
        x, rows = saved[layer]
        dhs = dx
        dx = np.zeros_like(x)
        dW[layer], dU[layer], db[layer] = np.zeros_like(W[layer]), np.zeros_like(U[layer]), np.zeros(W[layer].shape[1])
        dh_next, dc_next = 0, 0
        for t in reversed(range(len(x))):
            h, c, i, f, g, o, c_new = rows[t]
            dh = dhs[t] + dh_next
            dc = dc_next + dh * o * (1 - np.tanh(c_new) ** 2)
            da = np.hstack([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), dh * np.tanh(c_new) * o * (1 - o)])
            dW[layer] += x[t].T @ da
            dU[layer] += h.T @ da
            db[layer] += da.sum(axis=0)
            dx[t] = da @ W[layer].T
            dh_next = da @ U[layer].T
            dc_next = dc * f
    return {'x': dx, 'W': dW, 'U': dU, 'b': db}


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_pair

HELD = True
ABOUT = "any number of LSTM layers, weights and gradients in lists of arrays"
CALL = "check_gradients(m.forward, m.backward, a)"


def example(rng):
    def draw(*size): return 0.6 * rng.normal(size=size)
    return {"x": draw(4, 3, 3), "W": [draw(3, 16), draw(4, 20)], "U": [draw(4, 16), draw(5, 20)], "b": [draw(16), draw(20)]}


def evaluate(m, a):
    return of_pair(m.forward, m.backward, a)


MISTAKES = [
    S("dh = dhs[t] + dh_next", "dh = dhs[t]", "recurrent-path-cut"),
    S("dc_next = dc * f", "dc_next = dc_next * f", "missing-path"),
    S("dc = dc_next + dh", "dc = dh", "recurrent-path-cut", also=("missing-path",)),
    S("dc * c * f * (1 - f)", "dc * c_new * f * (1 - f)", "wrong-time-index", also=("wrong-operand",)),
    S("dh_next = da @ U[layer].T", "dh_next = (da @ U[layer].T) * (1 - h ** 2)", "extra-factor"),
    S("db[layer] += da.sum(axis=0)", "db[layer] += da.mean(axis=0)", "mean-for-sum"),
    S("dU[layer] += h.T @ da", "dU[layer] = h.T @ da", "missing-accumulation"),
    S("(1 - np.tanh(c_new) ** 2)", "(1 - np.tanh(np.tanh(c_new)) ** 2)", "derivative-at-output"),
    S("dc * g * i * (1 - i)", "dc * f * i * (1 - i)", "gate-swapped", also=("wrong-operand",)),
    S("(1 - g * g)", "(1 - g)", "wrong-derivative"),
    S("dx[t] = da @ W[layer].T", "dx[t] = 2 * da @ W[layer].T", "wrong-scale", also=("double-counted",)),
    S("dh * np.tanh(c_new) * o * (1 - o)", "dh * np.tanh(c_new) * (1 - o)", "wrong-derivative", also=("missing-factor",)),
]
