# ruff: noqa
# fmt: off
"""A series of numbers, each predicted from the ones before; columns, squared error at every step."""
import numpy as np


def train_step(series, Wxh, Whh, Why, bh, by):
    T = len(series) - 1
    hs = {-1: np.zeros((len(Whh), 1))}
    ys = {}
    loss = 0
    for t in range(T):
        hs[t] = np.tanh(Wxh * series[t] + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        loss += 0.5 * np.sum((ys[t] - series[t + 1]) ** 2)
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dh_next = np.zeros_like(hs[0])
    for t in reversed(range(T)):
        e = ys[t] - series[t + 1]
        dWhy += e * hs[t].T
        dby += e
        dh = Why.T * e + dh_next
        dz = dh * (1 - hs[t] ** 2)
        dWxh += dz * series[t]
        dWhh += np.dot(dz, hs[t - 1].T)
        dbh += dz
        dh_next = np.dot(Whh.T, dz)
    return loss, dWxh, dWhh, dWhy, dbh, dby


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_loss

HELD = True
ABOUT = "series of numbers, targets are the inputs one step later; columns"
CALL = 'check_gradients(*from_loss(m.train_step, a, "Wxh Whh Why bh by".split()))'


def example(rng):
    sizes = {"Wxh": (6, 1), "Whh": (6, 6), "Why": (1, 6), "bh": (6, 1), "by": (1, 1)}
    return {"series": [0.1, -0.7, 1.2, 0.4, -0.3, 0.9]} | {k: 0.6 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    return of_loss(m, m.train_step, a, ["loss", "Wxh", "Whh", "Why", "bh", "by"])


MISTAKES = [
    S("np.dot(Whh.T, dz)", "np.dot(Whh, dz)", "transpose"),
    S("np.dot(dz, hs[t - 1].T)", "np.dot(dz, hs[t].T)", "wrong-time-index", also=("wrong-operand",)),
    S("dh = Why.T * e + dh_next", "dh = Why.T * e", "recurrent-path-cut"),
    S("e = ys[t] - series[t + 1]", "e = ys[t] - series[t]", "wrong-time-index", also=("wrong-operand",)),
    S("e = ys[t] - series[t + 1]", "e = series[t + 1] - ys[t]", "sign"),
    S("e = ys[t] - series[t + 1]", "e = 2 * (ys[t] - series[t + 1])", "wrong-scale", also=("double-counted",)),
    S("dWxh += dz * series[t]", "dWxh += dz * series[t + 1]", "wrong-time-index", also=("wrong-operand",)),
    S("dz = dh * (1 - hs[t] ** 2)", "dz = dh * (1 - hs[t])", "wrong-derivative"),
    S("dbh += dz", "dbh = dz", "missing-accumulation"),
    S("dWhy += e * hs[t].T", "dWhy += e * hs[t - 1].T", "wrong-time-index", also=("wrong-operand",)),
    S("    return loss, dWxh", "    for d in (dWxh, dWhh, dWhy): np.clip(d, -0.5, 0.5, out=d)\n    return loss, dWxh", "clipped"),
]
