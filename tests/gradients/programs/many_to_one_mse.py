# ruff: noqa
# fmt: off
"""Many-to-one regression: the last state predicts a vector, mean squared error inside, gradients returned."""
import numpy as np


def compute_gradients(X, y, Wx, Wh, bh, Wy, by):
    # X: [batch, time, features], y: [batch, outputs]
    batch, steps, _ = X.shape
    H = np.zeros((steps + 1, batch, Wh.shape[0]))
    for t in range(steps):
        H[t + 1] = np.tanh(X[:, t].dot(Wx) + H[t].dot(Wh) + bh)
    out = H[steps].dot(Wy) + by
    diff = out - y
    loss = (diff ** 2).mean()

    dout = 2.0 * diff / diff.size
    dWy = H[steps].T.dot(dout)
    dby = dout.sum(0)
    dH = dout.dot(Wy.T)
    dWx, dWh, dbh = np.zeros(Wx.shape), np.zeros(Wh.shape), np.zeros(bh.shape)
    for t in reversed(range(steps)):
        dH_raw = dH * (1 - H[t + 1] ** 2)
        dWx += X[:, t].T.dot(dH_raw)
        dWh += H[t].T.dot(dH_raw)
        dbh += dH_raw.sum(0)
        dH = dH_raw.dot(Wh.T)
    return loss, (dWx, dWh, dbh, dWy, dby)


# --- planted
from tests.gradients.programs.planted import Slip as S

HELD = False
ABOUT = "many-to-one, mean squared error inside, loss and a tuple of gradients"
WEIGHTS = ("Wx", "Wh", "bh", "Wy", "by")
CALL = 'check_gradients(*from_loss(lambda **k: (lambda loss, g: (loss, *g))(*m.compute_gradients(**k)), a, "Wx Wh bh Wy by".split()))'


def example(rng):
    sizes = {"X": (4, 6, 3), "y": (4, 2), "Wx": (3, 5), "Wh": (5, 5), "bh": (5,), "Wy": (5, 2), "by": (2,)}
    return {k: 0.7 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    loss, grads = m.compute_gradients(**a)
    return float(loss), dict(zip(WEIGHTS, grads, strict=True))


MISTAKES = [
    S("dout = 2.0 * diff / diff.size", "dout = diff / diff.size", "wrong-scale", also=("missing-factor",)),
    S("dout = 2.0 * diff / diff.size", "dout = 2.0 * diff / batch", "wrong-scale", also=("mean-for-sum",)),
    S("dout = 2.0 * diff / diff.size", "dout = 2.0 * (y - out) / diff.size", "sign"),
    S("dH = dH_raw.dot(Wh.T)", "dH = dH_raw.dot(Wh)", "transpose"),
    S("dH = dH_raw.dot(Wh.T)", "dH = dH_raw.dot(Wh.T) + dout.dot(Wy.T)", "extra-path"),
    S("dWh += H[t].T.dot(dH_raw)", "dWh += H[t + 1].T.dot(dH_raw)", "wrong-time-index", also=("wrong-operand",)),
    S("dbh += dH_raw.sum(0)", "dbh += dH_raw.mean(0)", "mean-for-sum"),
    S("dH_raw = dH * (1 - H[t + 1] ** 2)", "dH_raw = dH * (1 - H[t] ** 2)", "wrong-time-index", also=("wrong-operand",)),
    S("dH_raw = dH * (1 - H[t + 1] ** 2)", "dH_raw = dH", "missing-derivative"),
    S("for t in reversed(range(steps)):", "for t in reversed(range(steps - 3, steps)):", "truncated", also=("missing-accumulation",)),
    S("dWy = H[steps].T.dot(dout)", "dWy = H[steps - 1].T.dot(dout)", "wrong-time-index", also=("wrong-operand",)),
    S("dWx += X[:, t].T", "dWx = X[:, t].T", "missing-accumulation"),
    S("dH = dout.dot(Wy.T)", "dH = dout.dot(Wy.T) * (1 - H[steps] ** 2)", "extra-factor"),
]
