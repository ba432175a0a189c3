# ruff: noqa
# fmt: off
"""Functions with caches and dicts of gradients, columns: x is (n_x, m, T_x)."""
import numpy as np


def rnn_cell_step(xt, a_prev, parameters):
    Wax, Waa, ba = parameters["Wax"], parameters["Waa"], parameters["ba"]
    a_next = np.tanh(np.dot(Wax, xt) + np.dot(Waa, a_prev) + ba)
    cache = (a_next, a_prev, xt, parameters)
    return a_next, cache


def rnn_forward(x, a0, parameters):
    caches = []
    n_x, m, T_x = x.shape
    n_a = a0.shape[0]
    a = np.zeros((n_a, m, T_x))
    a_next = a0
    for t in range(T_x):
        a_next, cache = rnn_cell_step(x[:, :, t], a_next, parameters)
        a[:, :, t] = a_next
        caches.append(cache)
    return a, (caches, x)


def rnn_cell_gradients(da_next, cache):
    (a_next, a_prev, xt, parameters) = cache
    Wax, Waa = parameters["Wax"], parameters["Waa"]
    dtanh = (1 - a_next ** 2) * da_next
    dxt = np.dot(Wax.T, dtanh)
    dWax = np.dot(dtanh, xt.T)
    da_prev = np.dot(Waa.T, dtanh)
    dWaa = np.dot(dtanh, a_prev.T)
    dba = np.sum(dtanh, axis=1, keepdims=True)
    return {"dxt": dxt, "da_prev": da_prev, "dWax": dWax, "dWaa": dWaa, "dba": dba}


def rnn_backward(da, caches):
    (caches, x) = caches
    n_a, m, T_x = da.shape
    n_x = x.shape[0]
    dx = np.zeros((n_x, m, T_x))
    dWax = np.zeros((n_a, n_x))
    dWaa = np.zeros((n_a, n_a))
    dba = np.zeros((n_a, 1))
    da_prevt = np.zeros((n_a, m))
    for t in reversed(range(T_x)):
        gradients = rnn_cell_gradients(da[:, :, t] + da_prevt, caches[t])
        da_prevt = gradients["da_prev"]
        dx[:, :, t] = gradients["dxt"]
        dWax += gradients["dWax"]
        dWaa += gradients["dWaa"]
        dba += gradients["dba"]
    da0 = da_prevt
    return {"dx": dx, "da0": da0, "dWax": dWax, "dWaa": dWaa, "dba": dba}


def make_rnn_inputs(rng, T, N):
    parameters = {"Wax": rng.normal(size=(5, 3)), "Waa": rng.normal(size=(5, 5)), "ba": rng.normal(size=(5, 1))}
    return {"x": rng.normal(size=(3, N, T)), "a0": rng.normal(size=(5, N)), "parameters": parameters}


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import against, copied, cotangents

HELD = False
ABOUT = "cell and sequence functions with lists of caches and dicts of gradients; columns (n_x, m, T)"
CALL = "check(FILE)"


def example(rng):
    return {"x": rng.normal(size=(3, 4, 6)), "a0": rng.normal(size=(5, 4)), "Wax": rng.normal(size=(5, 3)), "Waa": 0.5 * rng.normal(size=(5, 5)), "ba": rng.normal(size=(5, 1))}


def evaluate(m, a):
    out, cache = m.rnn_forward(a["x"], a["a0"], {k: a[k] for k in ("Wax", "Waa", "ba")})
    given = cotangents(out)
    return against(out, given), copied({k[1:]: v for k, v in m.rnn_backward(copied(given), cache).items()})


MISTAKES = [
    S("da_prev = np.dot(Waa.T, dtanh)", "da_prev = np.dot(Waa, dtanh)", "transpose"),
    S("dWaa = np.dot(dtanh, a_prev.T)", "dWaa = np.dot(dtanh, a_next.T)", "wrong-time-index", also=("wrong-operand",)),
    S("dba = np.sum(dtanh, axis=1, keepdims=True)", "dba = np.mean(dtanh, axis=1, keepdims=True)", "mean-for-sum"),
    S("da[:, :, t] + da_prevt", "da[:, :, t]", "recurrent-path-cut"),
    S("dtanh = (1 - a_next ** 2) * da_next", "dtanh = (1 - np.tanh(a_next) ** 2) * da_next", "derivative-at-output"),
    S("dtanh = (1 - a_next ** 2) * da_next", "dtanh = (1 - a_next * 2) * da_next", "wrong-derivative"),
    S("dWaa += gradients[\"dWaa\"]", "dWaa = gradients[\"dWaa\"]", "missing-accumulation"),
    S("caches[t])", "caches[-1])", "stale-cache"),
    S("da0 = da_prevt", "da0 = np.zeros((n_a, m))", "missing-path", also=("zero-gradient", "initial-state", "recurrent-path-cut")),
    S("dx[:, :, t] = gradients[\"dxt\"]", "dx[:, :, t] += gradients[\"dxt\"] * 2", "wrong-scale", also=("double-counted",)),
    S("dtanh = (1 - a_next ** 2) * da_next", "dtanh = (1 - a_prev ** 2) * da_next", "wrong-time-index", also=("wrong-operand",)),
    S("dWax = np.dot(dtanh, xt.T)", "dWax = np.dot(da_next, xt.T)", "missing-derivative", also=("wrong-operand",)),
    S("    return {\"dx\": dx, ", "    dWax, dWaa, dba = (np.clip(d, -2, 2) for d in (dWax, dWaa, dba))\n    return {\"dx\": dx, ", "clipped"),
]
