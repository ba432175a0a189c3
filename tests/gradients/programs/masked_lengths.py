# ruff: noqa
# fmt: off
"""Padded sequences: the state of an example stays as it is after its last step."""
import numpy as np


def masked_forward(x, lengths, h0, Wx, Wh, b):
    T = x.shape[0]
    hs, news, masks = [h0], [], []
    for t in range(T):
        m = (t < lengths).astype(float)[:, None]
        new = np.tanh(x[t] @ Wx + hs[-1] @ Wh + b)
        hs.append(m * new + (1 - m) * hs[-1])
        news.append(new)
        masks.append(m)
    return np.stack(hs[1:]), (x, hs, news, masks, Wx, Wh)


def masked_backward(dhs, cache):
    x, hs, news, masks, Wx, Wh = cache
    dx = np.zeros_like(x)
    dWx, dWh, db = 0, 0, 0
    dh = np.zeros_like(hs[0])
    for t in reversed(range(len(x))):
        m = masks[t]
        dh = dh + dhs[t]
        da = m * dh * (1 - news[t] ** 2)
        dWx = dWx + x[t].T @ da
        dWh = dWh + hs[t].T @ da
        db = db + da.sum(axis=0)
        dx[t] = da @ Wx.T
        dh = (1 - m) * dh + da @ Wh.T
    return {"x": dx, "h0": dh, "Wx": dWx, "Wh": dWh, "b": db}


# --- planted
import numpy as np
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_pair

HELD = False
ABOUT = "tanh RNN over padded sequences with lengths"
CALL = "check_gradients(m.masked_forward, m.masked_backward, a)"


def example(rng):
    sizes = {"x": (5, 4, 3), "h0": (4, 6), "Wx": (3, 6), "Wh": (6, 6), "b": (6,)}
    return {"lengths": np.array([5, 2, 4, 3])} | {k: 0.6 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    return of_pair(m.masked_forward, m.masked_backward, a)


MISTAKES = [
    S("dh = (1 - m) * dh + da @ Wh.T", "dh = da @ Wh.T", "missing-path"),
    S("dh = (1 - m) * dh + da @ Wh.T", "dh = dh + da @ Wh.T", "missing-factor", also=("extra-path",)),
    S("da = m * dh * (1 - news[t] ** 2)", "da = dh * (1 - news[t] ** 2)", "missing-factor"),
    S("(1 - news[t] ** 2)", "(1 - hs[t + 1] ** 2)", "wrong-operand", more=(("da = m * dh", "da = dh"),), also=("missing-factor",)),
    S("hs[t].T @ da", "hs[t + 1].T @ da", "wrong-time-index", also=("wrong-operand",)),
    S("da @ Wh.T", "da @ Wh", "transpose"),
    S("db = db + da.sum(axis=0)", "db = db + da.mean(axis=0)", "mean-for-sum"),
    S("dh = dh + dhs[t]", "dh = dhs[t]", "recurrent-path-cut"),
    S("dWx = dWx + x[t].T @ da", "dWx = x[t].T @ da", "missing-accumulation"),
    S("(1 - news[t] ** 2)", "(1 - np.tanh(news[t]) ** 2)", "derivative-at-output"),
    S("dx[t] = da @ Wx.T", "dx[t] = dh @ Wx.T", "missing-derivative", also=("missing-factor", "wrong-operand")),
]
