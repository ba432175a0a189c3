# ruff: noqa
# fmt: off
"""An LSTM in functions for a cell and a sequence, parameters and gradients in dicts, columns, readout in the cell."""
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_cell_forward(xt, a_prev, c_prev, p):
    concat = np.concatenate((a_prev, xt), axis=0)
    ft = sigmoid(p["Wf"] @ concat + p["bf"])
    it = sigmoid(p["Wi"] @ concat + p["bi"])
    cct = np.tanh(p["Wc"] @ concat + p["bc"])
    c_next = ft * c_prev + it * cct
    ot = sigmoid(p["Wo"] @ concat + p["bo"])
    a_next = ot * np.tanh(c_next)
    return a_next, c_next, (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, concat)


def lstm_forward(x, a0, parameters):
    n_x, m, T_x = x.shape
    n_a = a0.shape[0]
    a, c = np.zeros((n_a, m, T_x)), np.zeros((n_a, m, T_x))
    a_next, c_next = a0, np.zeros_like(a0)
    caches = []
    for t in range(T_x):
        a_next, c_next, cache = lstm_cell_forward(x[:, :, t], a_next, c_next, parameters)
        a[:, :, t] = a_next
        c[:, :, t] = c_next
        caches.append(cache)
    return a, (caches, parameters)


def lstm_cell_backward(da_next, dc_next, cache, p):
    (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, concat) = cache
    n_a, m = a_next.shape
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    dc = dc_next + ot * (1 - np.square(np.tanh(c_next))) * da_next
    dcct = dc * it * (1 - np.square(cct))
    dit = dc * cct * it * (1 - it)
    dft = dc * c_prev * ft * (1 - ft)
    g = {}
    g["dWf"], g["dbf"] = dft @ concat.T, np.sum(dft, axis=1, keepdims=True)
    g["dWi"], g["dbi"] = dit @ concat.T, np.sum(dit, axis=1, keepdims=True)
    g["dWc"], g["dbc"] = dcct @ concat.T, np.sum(dcct, axis=1, keepdims=True)
    g["dWo"], g["dbo"] = dot @ concat.T, np.sum(dot, axis=1, keepdims=True)
    da_prev = p["Wf"][:, :n_a].T @ dft + p["Wi"][:, :n_a].T @ dit + p["Wc"][:, :n_a].T @ dcct + p["Wo"][:, :n_a].T @ dot
    dxt = p["Wf"][:, n_a:].T @ dft + p["Wi"][:, n_a:].T @ dit + p["Wc"][:, n_a:].T @ dcct + p["Wo"][:, n_a:].T @ dot
    dc_prev = dc * ft
    return dxt, da_prev, dc_prev, g


def lstm_backward(da, caches):
    (caches, parameters) = caches
    n_a, m, T_x = da.shape
    n_x = caches[0][8].shape[0]
    dx = np.zeros((n_x, m, T_x))
    total = {"d" + k: np.zeros_like(v) for k, v in parameters.items()}
    da_prevt, dc_prevt = np.zeros((n_a, m)), np.zeros((n_a, m))
    for t in reversed(range(T_x)):
        dxt, da_prevt, dc_prevt, g = lstm_cell_backward(da[:, :, t] + da_prevt, dc_prevt, caches[t], parameters)
        dx[:, :, t] = dxt
        for k in g:
            total[k] += g[k]
    return dict(total, dx=dx, da0=da_prevt)


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import against, copied, cotangents

HELD = True
ABOUT = "LSTM cell and sequence functions, caches in lists, dicts of parameters and gradients, columns (n_x, m, T)"
WEIGHTS = ("Wf", "bf", "Wi", "bi", "Wc", "bc", "Wo", "bo")
CALL = 'check_gradients(m.lstm_forward, m.lstm_backward, {"x": a["x"], "a0": a["a0"], "parameters": {k: v for k, v in a.items() if k not in ("x", "a0")}})'


def example(rng):
    a = {"x": rng.normal(size=(3, 4, 5)), "a0": rng.normal(size=(6, 4))}
    for k in "fico":
        a |= {"W" + k: 0.5 * rng.normal(size=(6, 9)), "b" + k: 0.5 * rng.normal(size=(6, 1))}
    return a


def evaluate(m, a):
    out, cache = m.lstm_forward(a["x"], a["a0"], {k: a[k] for k in WEIGHTS})
    given = cotangents(out)
    return against(out, given), copied({k[1:]: v for k, v in m.lstm_backward(copied(given), cache).items()})


MISTAKES = [
    S("dc_prev = dc * ft", "dc_prev = dc_next * ft", "missing-path"),
    S("dft = dc * c_prev * ft * (1 - ft)", "dft = dc_next * c_prev * ft * (1 - ft)", "missing-path", also=("wrong-operand",)),
    S("dft = dc * c_prev * ft * (1 - ft)", "dft = dc * c_next * ft * (1 - ft)", "wrong-time-index", also=("wrong-operand",)),
    S("dot = da_next * np.tanh(c_next) * ot * (1 - ot)", "dot = da_next * c_next * ot * (1 - ot)", "wrong-operand", also=("missing-factor", "derivative-at-preactivation")),
    S("dcct = dc * it * (1 - np.square(cct))", "dcct = dc * it * (1 - np.square(np.tanh(cct)))", "derivative-at-output"),
    S("g[\"dWi\"], g[\"dbi\"] = dit @ concat.T, np.sum(dit,", "g[\"dWi\"], g[\"dbi\"] = dit @ concat.T, np.sum(dft,", "gate-swapped"),
    S("(1 - np.square(np.tanh(c_next))) * da_next", "(1 - np.tanh(c_next)) * da_next", "wrong-derivative"),
    S("p[\"Wf\"][:, :n_a].T @ dft + ", "", "missing-path"),
    S("total[k] += g[k]", "total[k] = g[k]", "missing-accumulation"),
    S("da[:, :, t] + da_prevt, dc_prevt, caches[t]", "da[:, :, t], dc_prevt, caches[t]", "recurrent-path-cut"),
    S("caches[t], parameters)", "caches[T_x - 1], parameters)", "stale-cache", more=(), also=()),
    S("np.sum(dot, axis=1, keepdims=True)", "np.sum(dot, axis=1, keepdims=True) / m", "mean-for-sum"),
    S("dit = dc * cct * it * (1 - it)", "dit = dc * cct * (1 - it)", "wrong-derivative", also=("missing-factor",)),
    S("return dict(total, dx=dx, da0=da_prevt)", "return dict(total, dx=dx, da0=da[:, :, 0])", "wrong-operand", also=("missing-path", "initial-state", "recurrent-path-cut")),
]
