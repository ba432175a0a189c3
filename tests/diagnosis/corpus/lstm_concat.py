"""LSTM on the concatenation [h; x], examples in columns, in the style of a well-known specialization's notebook."""

import numpy as np

from tests.diagnosis.corpus.planted import Planted

CELL = "lstm_concat"
ABOUT = "concatenated [h; x], a matrix (H, H + D) per gate, (D, N, T) arrays with time last, gradients by name"


def make_inputs(rng, T, N):
    n_x, n_a = 3, 5
    inputs = {
        "x": rng.standard_normal((n_x, N, T)),
        "a0": rng.standard_normal((n_a, N)),
        "c0": rng.standard_normal((n_a, N)),
    }
    for gate in "fico":
        inputs["W" + gate] = 0.5 * rng.standard_normal((n_a, n_a + n_x))
        inputs["b" + gate] = 0.5 * rng.standard_normal((n_a, 1))
    return inputs


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def forward(x, a0, c0, Wf, bf, Wi, bi, Wc, bc, Wo, bo):
    caches, a_all, c_all = [], [], []
    a_next, c_next = a0, c0
    for t in range(x.shape[2]):
        a_prev, c_prev = a_next, c_next
        concat = np.concatenate([a_prev, x[:, :, t]])
        ft = sigmoid(np.dot(Wf, concat) + bf)
        it = sigmoid(np.dot(Wi, concat) + bi)
        cct = np.tanh(np.dot(Wc, concat) + bc)
        ot = sigmoid(np.dot(Wo, concat) + bo)
        c_next = ft * c_prev + it * cct
        a_next = ot * np.tanh(c_next)
        caches.append((a_next, c_next, a_prev, c_prev, ft, it, cct, ot, x[:, :, t]))
        a_all.append(a_next)
        c_all.append(c_next)
    outputs = {"a": np.stack(a_all, axis=2), "c": np.stack(c_all, axis=2)}
    return outputs, (caches, (Wf, Wi, Wc, Wo))


def cell_backward(da_next, dc_next, cache, weights):
    a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt = cache
    Wf, Wi, Wc, Wo = weights
    n_a = a_next.shape[0]

    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    dcn = dc_next + da_next * ot * (1 - np.square(np.tanh(c_next)))
    dcct = dcn * it * (1 - np.square(cct))
    dit = dcn * cct * it * (1 - it)
    dft = dcn * c_prev * ft * (1 - ft)

    concat = np.concatenate([a_prev, xt])
    grads = {"Wf": np.dot(dft, concat.T), "bf": np.sum(dft, axis=1, keepdims=True)}
    grads["Wi"] = np.dot(dit, concat.T)
    grads["Wc"] = np.dot(dcct, concat.T)
    grads["Wo"] = np.dot(dot, concat.T)
    grads["bi"] = np.sum(dit, axis=1, keepdims=True)
    grads["bc"] = np.sum(dcct, axis=1, keepdims=True)
    grads["bo"] = np.sum(dot, axis=1, keepdims=True)

    da_prev = Wf[:, :n_a].T @ dft + Wi[:, :n_a].T @ dit + Wc[:, :n_a].T @ dcct + Wo[:, :n_a].T @ dot
    dxt = Wf[:, n_a:].T @ dft + Wi[:, n_a:].T @ dit + Wc[:, n_a:].T @ dcct + Wo[:, n_a:].T @ dot
    dc_prev = dcn * ft
    return dxt, da_prev, dc_prev, grads


def backward(d, cache):
    caches, weights = cache
    da, dc = d["a"], d["c"]
    n_x, m = caches[0][-1].shape
    T_x = len(caches)

    gradients = {"x": np.zeros((n_x, m, T_x))}
    da_prevt, dc_prevt = 0, 0
    for t in reversed(range(T_x)):
        step = cell_backward(da[:, :, t] + da_prevt, dc[:, :, t] + dc_prevt, caches[t], weights)
        dxt, da_prevt, dc_prevt, grads = step
        gradients["x"][:, :, t] = dxt
        for name, grad in grads.items():
            gradients[name] = gradients.get(name, 0) + grad
    gradients["a0"] = da_prevt
    gradients["c0"] = dc_prevt
    return gradients


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "cell_backward(da[:, :, t] + da_prevt,", "cell_backward(da[:, :, t],"),
    Planted(
        "recurrent-path-cut",
        "c carry",
        "dc[:, :, t] + dc_prevt, caches[t]",
        "dc[:, :, t], caches[t]",
        also=("missing-path",),
    ),
    Planted(
        "recurrent-path-cut",
        "both",
        "cell_backward(da[:, :, t] + da_prevt, dc[:, :, t] + dc_prevt,",
        "cell_backward(da[:, :, t], dc[:, :, t],",
    ),
    Planted(
        "missing-path", "δc from h", "dcn = dc_next + da_next * ot * (1 - np.square(np.tanh(c_next)))", "dcn = dc_next"
    ),
    Planted(
        "missing-path",
        "δa_g: parentheses",
        "dcct = dcn * it",
        "dcct = (da_next * ot * (1 - np.square(np.tanh(c_next)))) * it",
        also=("recurrent-path-cut",),
    ),
    Planted("missing-path", "δx without o", " + Wc[:, n_a:].T @ dcct + Wo[:, n_a:].T @ dot", " + Wc[:, n_a:].T @ dcct"),
    Planted(
        "missing-path",
        "δh_prev without f",
        "da_prev = Wf[:, :n_a].T @ dft + Wi",
        "da_prev = Wi",
        also=("recurrent-path-cut",),
    ),
    Planted("missing-output", "every c_t", "dc[:, :, t] + dc_prevt, caches[t]", "dc_prevt, caches[t]"),
    Planted(
        "missing-output",
        "every h_t",
        "cell_backward(da[:, :, t] + da_prevt,",
        "cell_backward(np.zeros_like(da[:, :, t]) + da_prevt,",
    ),
    Planted(
        "derivative-at-output",
        "δa_g: the printed formula",
        "dcn * it * (1 - np.square(cct))",
        "dcn * it * (1 - np.square(np.tanh(cct)))",
    ),
    Planted(
        "derivative-at-output",
        "δc: at h",
        "np.square(np.tanh(c_next))",
        "np.square(np.tanh(a_next))",
        also=("wrong-operand", "wrong-derivative"),
    ),
    Planted("missing-derivative", "δa_o", "np.tanh(c_next) * ot * (1 - ot)", "np.tanh(c_next)"),
    Planted(
        "missing-derivative",
        "δa_i: factor i",
        "dcn * cct * it * (1 - it)",
        "dcn * cct * (1 - it)",
        also=("wrong-derivative",),
    ),
    Planted("missing-derivative", "δc", "da_next * ot * (1 - np.square(np.tanh(c_next)))", "da_next * ot"),
    Planted("wrong-derivative", "δc: no square", "(1 - np.square(np.tanh(c_next)))", "(1 - np.tanh(c_next))"),
    Planted("wrong-derivative", "δa_f: that of tanh", "ft * (1 - ft)", "(1 - ft**2)"),
    Planted("derivative-at-preactivation", "δc", "np.square(np.tanh(c_next))", "np.square(c_next)"),
    Planted("wrong-time-index", "δf", "dcn * c_prev * ft", "dcn * c_next * ft", also=("wrong-operand",)),
    Planted(
        "wrong-time-index",
        "the parameters' h",
        "concat = np.concatenate([a_prev, xt])",
        "concat = np.concatenate([a_next, xt])",
        also=("wrong-operand",),
    ),
    Planted(
        "missing-accumulation",
        "all parameters",
        "gradients[name] = gradients.get(name, 0) + grad",
        "gradients[name] = grad",
    ),
    Planted(
        "missing-accumulation",
        "biases",
        "gradients[name] = gradients.get(name, 0) + grad",
        'gradients[name] = grad + (0 if name[0] == "b" else gradients.get(name, 0))',
    ),
    Planted("mean-for-sum", "bc", 'grads["bc"] = np.sum(dcct', 'grads["bc"] = np.mean(dcct'),
    Planted(
        "mean-for-sum",
        "all parameters over time",
        "gradients[name] = gradients.get(name, 0) + grad",
        "gradients[name] = gradients.get(name, 0) + grad / T_x",
        also=("wrong-scale",),
    ),
    Planted(
        "double-counted",
        "Wi",
        'grads["Wi"] = np.dot(dit, concat.T)',
        'grads["Wi"] = np.dot(dit, concat.T) + np.dot(dit, concat.T)',
        also=("wrong-scale",),
    ),
    Planted(
        "double-counted",
        "c carry in δc",
        "dc[:, :, t] + dc_prevt, caches[t]",
        "dc[:, :, t] + 2 * dc_prevt, caches[t]",
        also=("extra-factor",),
    ),
    Planted("extra-path", "δh gets δc", "da_next * np.tanh(c_next)", "(da_next + dc_next) * np.tanh(c_next)"),
    Planted("extra-factor", "δf: the printed formula", "dcn * c_prev * ft", "dcn * c_prev * it * ft"),
    Planted("extra-factor", "c carry", "dc_prev = dcn * ft", "dc_prev = dcn * ft * ft"),
    Planted("transpose", "δh_prev: Wo", "Wo[:, :n_a].T @ dot", "Wo[:, :n_a] @ dot"),
    Planted(
        "transpose",
        "δh_prev: all",
        "Wf[:, :n_a].T @ dft + Wi[:, :n_a].T @ dit + Wc[:, :n_a].T @ dcct + Wo[:, :n_a].T @ dot",
        "Wf[:, :n_a] @ dft + Wi[:, :n_a] @ dit + Wc[:, :n_a] @ dcct + Wo[:, :n_a] @ dot",
    ),
    Planted("wrong-operand", "δh_prev: Wi for Wf", "da_prev = Wf[:, :n_a].T @ dft", "da_prev = Wi[:, :n_a].T @ dft"),
    Planted("wrong-operand", "δx: Wo for Wc", "Wc[:, n_a:].T @ dcct", "Wo[:, n_a:].T @ dcct"),
    Planted("wrong-operand", "δa_g", "dcct = dcn * it", "dcct = dcn * ft"),
    Planted("gate-swapped", "bo from δa_f", 'grads["bo"] = np.sum(dot', 'grads["bo"] = np.sum(dft'),
    Planted("gate-swapped", "Wi from δa_g", 'grads["Wi"] = np.dot(dit', 'grads["Wi"] = np.dot(dcct'),
    Planted("stale-cache", "the first step's", "caches[t], weights)", "caches[0], weights)"),
    Planted("wrong-scale", "x", '["x"][:, :, t] = dxt', '["x"][:, :, t] = dxt / m', also=("mean-for-sum",)),
    Planted("sign", "δa_i", "dit = dcn", "dit = -dcn"),
    Planted("sign", "δa_f: f - 1", "ft * (1 - ft)", "ft * (ft - 1)"),
    Planted(
        "missing-path",
        "a0 not returned",
        'gradients["a0"] = da_prevt',
        'gradients["a0"] = np.zeros_like(caches[0][2])',
        also=("recurrent-path-cut", "initial-state"),
    ),
    Planted(
        "initial-state",
        "c_0 in δf is zeros",
        "caches[t], weights)",
        "caches[t] if t else (*caches[0][:3], np.zeros_like(caches[0][3]), *caches[0][4:]), weights)",
    ),
    Planted(
        "forward-backward-mismatch", "forward with h = o c", "a_next = ot * np.tanh(c_next)", "a_next = ot * c_next"
    ),
]
