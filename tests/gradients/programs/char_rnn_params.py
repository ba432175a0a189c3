# ruff: noqa
# fmt: off
"""A character model as a function of a dict of parameters; one-hot rows in batches, loss is a mean."""
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def loss_and_grads(params, X, Y, h0):
    """X and Y are one-hot, (T, N, V)."""
    T, N, V = X.shape
    U, W, V_out, b, c = params['U'], params['W'], params['V'], params['b'], params['c']
    h = [h0]
    probs = []
    loss = 0.0
    for t in range(T):
        h.append(np.tanh(X[t].dot(U) + h[-1].dot(W) + b))
        p = softmax(h[-1].dot(V_out) + c)
        probs.append(p)
        loss -= np.sum(Y[t] * np.log(p)) / (N * T)

    grads = {k: np.zeros_like(v) for k, v in params.items()}
    dh_next = np.zeros_like(h0)
    for t in range(T - 1, -1, -1):
        do = (probs[t] - Y[t]) / (N * T)
        grads['V'] += h[t + 1].T.dot(do)
        grads['c'] += do.sum(axis=0)
        dh = do.dot(V_out.T) + dh_next
        dz = dh * (1 - h[t + 1] ** 2)
        grads['U'] += X[t].T.dot(dz)
        grads['W'] += h[t].T.dot(dz)
        grads['b'] += dz.sum(axis=0)
        dh_next = dz.dot(W.T)
    return loss, grads


# --- planted
import numpy as np
from tests.gradients.programs.planted import Slip as S

HELD = True
ABOUT = "character model with a dict of parameters and gradients, one-hot rows, mean loss"
CALL = 'check_gradients(*from_loss(m.loss_and_grads, {"params": {k: a[k] for k in "UWVbc"}, "X": a["X"], "Y": a["Y"], "h0": a["h0"]}, ["params"]))'


def example(rng):
    a = {k: np.eye(5)[rng.integers(5, size=(6, 3))] for k in "XY"} | {"h0": rng.normal(size=(3, 7))}
    sizes = {"U": (5, 7), "W": (7, 7), "V": (7, 5), "b": (7,), "c": (5,)}
    return a | {k: 0.5 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    loss, grads = m.loss_and_grads({k: a[k] for k in "UWVbc"}, a["X"], a["Y"], a["h0"])
    return float(loss), grads


MISTAKES = [
    S("h[t].T.dot(dz)", "h[t + 1].T.dot(dz)", "wrong-time-index", also=("wrong-operand",)),
    S("dz.dot(W.T)", "dz.dot(W)", "transpose"),
    S("do = (probs[t] - Y[t]) / (N * T)", "do = (probs[t] - Y[t])", "wrong-scale", also=("mean-for-sum", "missing-factor")),
    S("do = (probs[t] - Y[t]) / (N * T)", "do = (probs[t] - Y[t]) / N", "wrong-scale", also=("mean-for-sum", "missing-factor")),
    S("dh = do.dot(V_out.T) + dh_next", "dh = do.dot(V_out.T)", "recurrent-path-cut"),
    S("dh = do.dot(V_out.T) + dh_next", "dh = do.dot(V_out.T) - dh_next", "sign"),
    S("dz = dh * (1 - h[t + 1] ** 2)", "dz = dh * (1 - h[t + 1])", "wrong-derivative"),
    S("dz = dh * (1 - h[t + 1] ** 2)", "dz = dh * (1 - h[t] ** 2)", "wrong-time-index", also=("wrong-operand",)),
    S("grads['b'] += dz.sum(axis=0)", "grads['b'] += dz.mean(axis=0)", "mean-for-sum"),
    S("grads['c'] += do.sum(axis=0)", "grads['c'] = do.sum(axis=0)", "missing-accumulation"),
    S("grads['V'] += h[t + 1].T.dot(do)", "grads['V'] += h[t].T.dot(do)", "wrong-time-index", also=("wrong-operand",)),
    S("    return loss, grads", "    grads = {k: np.clip(g, -0.05, 0.05) for k, g in grads.items()}\n    return loss, grads", "clipped"),
    S("grads['U'] += X[t].T.dot(dz)", "grads['U'] += X[t].T.dot(dh)", "missing-derivative", also=("wrong-operand",)),
]
