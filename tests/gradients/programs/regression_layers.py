# ruff: noqa
# fmt: off
"""A network of layer objects, each with params and grads by name, for a series of vectors; squared error outside."""
import numpy as np


class Recurrent:
    def __init__(self, n_in, n_hid):
        s = np.random.RandomState(1)
        self.Wx, self.Wh, self.bias = s.randn(n_hid, n_in) * .4, s.randn(n_hid, n_hid) * .4, s.randn(n_hid) * .4
        self.grad_Wx = self.grad_Wh = self.grad_bias = None

    def __call__(self, xs):
        self.xs = xs
        self.hs = np.zeros((xs.shape[0] + 1, xs.shape[1], self.Wh.shape[0]))
        for t, x in enumerate(xs):
            self.hs[t + 1] = np.maximum(0, x @ self.Wx.T + self.hs[t] @ self.Wh.T + self.bias)
        return self.hs[1:]

    def back(self, dhs):
        self.grad_Wx, self.grad_Wh = np.zeros_like(self.Wx), np.zeros_like(self.Wh)
        self.grad_bias = np.zeros_like(self.bias)
        dxs = np.zeros_like(self.xs)
        carry = np.zeros_like(dhs[0])
        for t in reversed(range(len(dhs))):
            dpre = (dhs[t] + carry) * (self.hs[t + 1] > 0)
            self.grad_Wx += dpre.T @ self.xs[t]
            self.grad_Wh += dpre.T @ self.hs[t]
            self.grad_bias += dpre.sum(0)
            dxs[t] = dpre @ self.Wx
            carry = dpre @ self.Wh
        return dxs


class Dense:
    def __init__(self, n_in, n_out):
        s = np.random.RandomState(2)
        self.W, self.b = s.randn(n_out, n_in) * .4, s.randn(n_out) * .4

    def __call__(self, h):
        self.h = h
        return h @ self.W.T + self.b

    def back(self, dy):
        self.grad_W = np.einsum('tno,tnh->oh', dy, self.h)
        self.grad_b = dy.sum(axis=(0, 1))
        return dy @ self.W


class Network:
    def __init__(self):
        self.recurrent = Recurrent(4, 6)
        self.dense = Dense(6, 3)

    def forward(self, x):
        self.y = self.dense(self.recurrent(x))
        return self.y

    def backward(self, dy):
        return self.recurrent.back(self.dense.back(dy))


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import against, copied, cotangents, hold

HELD = True
ABOUT = "layer objects in a network object: relu RNN and a readout, gradients in grad_W"
CALL = 'check_gradients(*from_object(m.Network(), attributes=[k for k in a if k != "x"], inputs={"x": a["x"]}))'


def example(rng):
    a = {"x": rng.normal(size=(5, 3, 4)), "recurrent.Wx": rng.normal(size=(6, 4)), "recurrent.Wh": 0.5 * rng.normal(size=(6, 6))}
    return a | {"recurrent.bias": rng.normal(size=6), "dense.W": rng.normal(size=(3, 6)), "dense.b": rng.normal(size=3)}


def evaluate(m, a):
    net = m.Network()
    hold(net, {k: v for k, v in a.items() if k != "x"})
    out = net.forward(a["x"])
    given = cotangents(out)
    grads = {"x": net.backward(copied(given))}
    for k in ("Wx", "Wh", "bias"):
        grads["recurrent." + k] = getattr(net.recurrent, "grad_" + k)
    return against(out, given), copied(grads | {"dense.W": net.dense.grad_W, "dense.b": net.dense.grad_b})


MISTAKES = [
    S("(self.hs[t + 1] > 0)", "(self.hs[t] > 0)", "wrong-time-index", also=("wrong-operand", "wrong-derivative")),
    S("dpre = (dhs[t] + carry) * (self.hs[t + 1] > 0)", "dpre = dhs[t] * (self.hs[t + 1] > 0)", "recurrent-path-cut"),
    S("carry = dpre @ self.Wh", "carry = dpre @ self.Wh.T", "transpose"),
    S("dpre.T @ self.hs[t]", "dpre.T @ self.hs[t + 1]", "wrong-time-index", also=("wrong-operand",)),
    S("self.grad_bias += dpre.sum(0)", "self.grad_bias += dpre.mean(0)", "mean-for-sum"),
    S("self.grad_Wx += dpre.T", "self.grad_Wx = dpre.T", "missing-accumulation"),
    S("self.grad_b = dy.sum(axis=(0, 1))", "self.grad_b = dy.mean(axis=(0, 1))", "wrong-scale", also=("mean-for-sum",)),
    S("dpre = (dhs[t] + carry) * (self.hs[t + 1] > 0)", "dpre = dhs[t] * (self.hs[t + 1] > 0) + carry", "missing-derivative"),
    S("(dhs[t] + carry) * (self.hs[t + 1] > 0)", "(dhs[t] + carry) * (1 - self.hs[t + 1] ** 2)", "wrong-derivative"),
    S("self.grad_W = np.einsum('tno,tnh->oh', dy, self.h)", "self.grad_W = np.einsum('no,nh->oh', dy[-1], self.h[-1])", "missing-accumulation", also=("missing-path", "truncated")),
    S("dxs[t] = dpre @ self.Wx", "dxs[t] = 0.5 * dpre @ self.Wx", "wrong-scale"),
    S("for t in reversed(range(len(dhs))):", "for t in range(len(dhs) - 1, 0, -1):", "missing-accumulation", also=("initial-state",)),
]
