"""An LSTM layer as an object that keeps its weights, its states and its gradients."""
# ruff: noqa: E501

import numpy as np

from tests.diagnosis.corpus.planted import LARGE, Planted

CELL = "lstm"
ABOUT = "a class with dicts of weights, gradients and states by step; x @ W, W (D, H) per gate; helpers for the slopes"


def make_inputs(rng, T, N):
    D, H = 6, 4
    inputs = {"x": rng.normal(size=(T, N, D)), "h0": rng.normal(size=(N, H)), "c0": rng.normal(size=(N, H))}
    for gate in "ifoc":
        inputs["Wx" + gate] = 0.5 * rng.normal(size=(D, H))
        inputs["Wh" + gate] = 0.6 * rng.normal(size=(H, H))
        inputs["b" + gate] = rng.normal(size=H)
    return inputs


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def dsigmoid(y):
    return y * (1.0 - y)


def dtanh(y):
    return 1.0 - y * y


class LSTM:
    def __init__(self, params):
        self.params = params
        self.grads = {name: np.zeros_like(value) for name, value in params.items()}

    def gate(self, name, x, h):
        p = self.params
        return x @ p["Wx" + name] + h @ p["Wh" + name] + p["b" + name]

    def forward(self, xs, h0, c0):
        self.xs = xs
        self.h, self.c, self.tc = {-1: h0}, {-1: c0}, {}
        self.i, self.f, self.o, self.g = {}, {}, {}, {}
        for t, x in enumerate(xs):
            self.i[t] = sigmoid(self.gate("i", x, self.h[t - 1]))
            self.f[t] = sigmoid(self.gate("f", x, self.h[t - 1]))
            self.o[t] = sigmoid(self.gate("o", x, self.h[t - 1]))
            self.g[t] = np.tanh(self.gate("c", x, self.h[t - 1]))
            self.c[t] = self.f[t] * self.c[t - 1] + self.i[t] * self.g[t]
            self.tc[t] = np.tanh(self.c[t])
            self.h[t] = self.o[t] * self.tc[t]
        return np.array([self.h[t] for t in range(len(xs))])

    def backward(self, dhs):
        p, T = self.params, len(self.xs)
        dxs = np.zeros_like(self.xs)
        dh_next = np.zeros_like(self.h[-1])
        dc_next = np.zeros_like(self.c[-1])
        for t in reversed(range(T)):
            dh = dhs[t] + dh_next
            dc = dc_next + dh * self.o[t] * dtanh(self.tc[t])
            delta = {
                "o": dh * self.tc[t] * dsigmoid(self.o[t]),
                "f": dc * self.c[t - 1] * dsigmoid(self.f[t]),
                "i": dc * self.g[t] * dsigmoid(self.i[t]),
                "c": dc * self.i[t] * dtanh(self.g[t]),
            }
            dh_next = np.zeros_like(dh_next)
            for k, d in delta.items():
                self.grads["Wx" + k] += self.xs[t].T @ d
                self.grads["Wh" + k] += self.h[t - 1].T @ d
                self.grads["b" + k] += d.sum(axis=0)
                dxs[t] += d @ p["Wx" + k].T
                dh_next += d @ p["Wh" + k].T
            dc_next = dc * self.f[t]
        return dxs, dh_next, dc_next


def forward(x, h0, c0, **weights):
    layer = LSTM(weights)
    return layer.forward(x, h0, c0), layer


def backward(dh, layer):
    dx, dh0, dc0 = layer.backward(dh)
    return {"x": dx, "h0": dh0, "c0": dc0, **layer.grads}


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "dh = dhs[t] + dh_next", "dh = dhs[t]"),
    Planted(
        "recurrent-path-cut",
        "c carry",
        "dc_next = dc * self.f[t]",
        "dc_next = np.zeros_like(dc)",
        also=("missing-path",),
    ),
    Planted(
        "recurrent-path-cut",
        "c_0 gets nothing, nor anything before",
        "dc = dc_next + dh * self.o[t]",
        "dc = dh * self.o[t]",
        also=("missing-path",),
    ),
    Planted(
        "missing-path",
        "h carry: only the last gate",
        "dh_next += d @",
        "dh_next = d @",
        also=("missing-accumulation", "recurrent-path-cut"),
    ),
    Planted("missing-path", "δx: only the last gate", "dxs[t] += d @", "dxs[t] = d @", also=("missing-accumulation",)),
    Planted("missing-path", "δc from h", "dc = dc_next + dh * self.o[t] * dtanh(self.tc[t])", "dc = dc_next"),
    Planted(
        "missing-path",
        "h carry without the forget gate",
        "dh_next += d @ p",
        'dh_next += (k != "f") * d @ p',
        also=("recurrent-path-cut",),
    ),
    Planted(
        "derivative-at-output", "helper: every gate", "return y * (1.0 - y)", "return sigmoid(y) * (1.0 - sigmoid(y))"
    ),
    Planted(
        "derivative-at-output",
        "helper: tanh in candidate and output",
        "return 1.0 - y * y",
        "return 1.0 - np.tanh(y) ** 2",
    ),
    Planted("derivative-at-output", "δa_i", "dsigmoid(self.i[t])", "dsigmoid(sigmoid(self.i[t]))"),
    Planted("derivative-at-preactivation", "δc", "dtanh(self.tc[t])", "dtanh(self.c[t])"),
    Planted("missing-derivative", "helper: σ for σ'", "return y * (1.0 - y)", "return y", also=("wrong-derivative",)),
    Planted("missing-derivative", "δa_f", "* dsigmoid(self.f[t])", ""),
    Planted("missing-derivative", "δc", "* dtanh(self.tc[t])", ""),
    Planted("missing-derivative", "δa_g", "* dtanh(self.g[t])", ""),
    Planted("wrong-derivative", "helper: tanh", "return 1.0 - y * y", "return 1.0 - y"),
    Planted(
        "wrong-derivative",
        "helper: sigmoid, square",
        "return y * (1.0 - y)",
        "return y * (1.0 - y) ** 2",
        also=("extra-factor",),
    ),
    Planted("wrong-derivative", "δa_g: that of a sigmoid", "dtanh(self.g[t])", "dsigmoid(self.g[t])"),
    Planted("wrong-derivative", "δa_o: that of tanh", "dsigmoid(self.o[t])", "dtanh(self.o[t])"),
    Planted("wrong-time-index", "dWh", "self.h[t - 1].T @ d", "self.h[t].T @ d", also=("wrong-operand",)),
    Planted("wrong-time-index", "δf", "dc * self.c[t - 1] *", "dc * self.c[t] *", also=("wrong-operand",)),
    Planted(
        "wrong-time-index",
        "c carry: the next step's f",
        "dc_next = dc * self.f[t]",
        "dc_next = dc * self.f[min(t + 1, T - 1)]",
    ),
    Planted(
        "wrong-time-index",
        "c carry: the step before's f",
        "dc_next = dc * self.f[t]",
        "dc_next = dc * self.f[max(t - 1, 0)]",
    ),
    Planted("initial-state", "δf at step 0", "dc * self.c[t - 1] *", "dc * (self.c[t - 1] if t > 0 else 0 * dc) *"),
    Planted(
        "initial-state",
        "dWh at step 0 reads the last state",
        "self.h[t - 1].T @ d",
        "self.h[(t - 1) % T].T @ d",
        also=("wrong-time-index",),
    ),
    Planted(
        "initial-state",
        "overwritten in the forward pass",
        "return np.array([self.h[t]",
        "self.h[-1] = np.zeros_like(h0)\n        return np.array([self.h[t]",
        also=("corrupted-cache",),
    ),
    Planted("missing-accumulation", "Wx of every gate", 'self.grads["Wx" + k] += ', 'self.grads["Wx" + k] = '),
    Planted("missing-accumulation", "b of every gate", 'self.grads["b" + k] += ', 'self.grads["b" + k] = '),
    Planted("mean-for-sum", "b of every gate", "d.sum(axis=0)", "d.mean(axis=0)"),
    Planted("mean-for-sum", "Wx over the batch", "self.xs[t].T @ d", "self.xs[t].T @ d / len(d)"),
    Planted("double-counted", "δh", "dc = dc_next + dh * self.o[t]", "dc = dc_next + (dh + dh_next) * self.o[t]"),
    Planted(
        "double-counted",
        "carry in δc",
        "dc = dc_next + dh * self.o[t]",
        "dc = dc_next + dc_next + dh * self.o[t]",
        also=("extra-factor",),
    ),
    Planted(
        "bad-accumulator", "gradients start as the weights", "np.zeros_like(value) for name", "value.copy() for name"
    ),
    Planted(
        "bad-accumulator",
        "h carry is not reset at each step",
        "            dh_next = np.zeros_like(dh_next)\n",
        "",
        also=("extra-path",),
    ),
    Planted("extra-path", "c carry gets δh", "dc_next = dc * self.f[t]", "dc_next = dc * self.f[t] + dh"),
    Planted("extra-factor", "δi", "dc * self.g[t] * dsigmoid", "dc * self.g[t] * self.o[t] * dsigmoid"),
    Planted("extra-factor", "c carry", "dc_next = dc * self.f[t]", "dc_next = dc * self.f[t] * dsigmoid(self.f[t])"),
    Planted("transpose", "h carry, every gate", 'p["Wh" + k].T', 'p["Wh" + k]'),
    Planted("transpose", "dWh of every gate", "self.h[t - 1].T @ d", "d.T @ self.h[t - 1]"),
    Planted(
        "wrong-operand",
        "h carry through the candidate's matrix",
        'dh_next += d @ p["Wh" + k].T',
        'dh_next += d @ p["Whc"].T',
    ),
    Planted("wrong-operand", "δg: f for i", "dc * self.i[t] * dtanh", "dc * self.f[t] * dtanh"),
    Planted("gate-swapped", "keys of o and i", '"o": dh', '"i": dh', more=(('"i": dc', '"o": dc'),)),
    Planted("stale-cache", "x of the last step", "self.xs[t].T", "self.xs[-1].T"),
    Planted(
        "stale-cache",
        "one tanh(c) for all",
        "self.tc[t] = np.tanh(self.c[t])",
        "self.tc[t] = np.tanh(self.c[t])\n            self.last = self.tc[t]",
        more=(("dtanh(self.tc[t])", "dtanh(self.last)"), ('"o": dh * self.tc[t]', '"o": dh * self.last')),
    ),
    Planted(
        "corrupted-cache",
        "o is scaled in place",
        "dc = dc_next + dh * self.o[t] * dtanh(self.tc[t])",
        "self.o[t] *= dtanh(self.tc[t])\n            dc = dc_next + dh * self.o[t]",
    ),
    Planted(
        "corrupted-cache",
        "δh written over h",
        "dh_next += d @",
        "self.h[t - 1] += 0.0 * self.h[t - 1]\n                self.h[t - 1] *= 0.5\n                dh_next += d @",
        also=("initial-state",),
    ),
    Planted("wrong-scale", "δx", "dxs[t] += d @", "dxs[t] += 0.5 * d @"),
    Planted(
        "clipped",
        "all weights",
        "        return dxs, dh_next, dc_next",
        "        for g in self.grads.values():\n            np.clip(g, -1, 1, out=g)\n        return dxs, dh_next, dc_next",
    ),
    Planted(
        "clipped",
        "by the norm",
        "        return dxs, dh_next, dc_next",
        "        for g in self.grads.values():\n            g *= min(1, 10 / np.linalg.norm(g))\n        return dxs, dh_next, dc_next",
        needs=LARGE,
    ),
    Planted("clipped-in-recursion", "δh", "dh = dhs[t] + dh_next", "dh = np.clip(dhs[t] + dh_next, -1, 1)"),
    Planted("forward-backward-mismatch", "sigmoid on the candidate", 'np.tanh(self.gate("c"', 'sigmoid(self.gate("c"'),
    Planted("sign", "δa_f", "dc * self.c[t - 1] *", "-dc * self.c[t - 1] *"),
]
