# ruff: noqa
# fmt: off
"""A class that leaves its states in attributes: forward() returns nothing, backward() takes no cache; columns."""
import numpy as np


class Rnn:
    def __init__(self, inputs=3, hidden=6, outputs=2):
        rs = np.random.RandomState(5)
        self.u = rs.uniform(-.7, .7, (hidden, inputs))
        self.w = rs.uniform(-.7, .7, (hidden, hidden))
        self.v = rs.uniform(-.7, .7, (outputs, hidden))

    def forward(self, x):
        T = x.shape[1]
        self.x = x
        self.s = np.zeros((self.w.shape[0], T + 1))
        self.o = np.zeros((self.v.shape[0], T))
        for t in range(T):
            self.s[:, t] = np.tanh(self.u.dot(x[:, t]) + self.w.dot(self.s[:, t - 1]))
            self.o[:, t] = self.v.dot(self.s[:, t])

    def backward(self, d_o):
        self.du, self.dw, self.dv = (np.zeros(m.shape) for m in (self.u, self.w, self.v))
        ds = np.zeros(self.w.shape[0])
        for t in range(d_o.shape[1] - 1, -1, -1):
            self.dv += np.outer(d_o[:, t], self.s[:, t])
            ds = ds + self.v.T.dot(d_o[:, t])
            dz = ds * (1 - self.s[:, t] ** 2)
            self.du += np.outer(dz, self.x[:, t])
            self.dw += np.outer(dz, self.s[:, t - 1])
            ds = self.w.T.dot(dz)


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import against, copied, cotangents, hold

HELD = True
ABOUT = "forward leaves its outputs in an attribute and returns nothing; columns over time"
CALL = 'check_gradients(*from_object(m.Rnn(), attributes=["u", "w", "v"], outputs=["o"], inputs={"x": a["x"]}))'


def example(rng):
    return {"x": rng.normal(size=(3, 5)), "u": 0.6 * rng.normal(size=(6, 3)), "w": 0.6 * rng.normal(size=(6, 6)), "v": rng.normal(size=(2, 6))}


def evaluate(m, a):
    net = m.Rnn()
    hold(net, {k: a[k] for k in "uwv"})
    net.forward(a["x"])
    given = cotangents(net.o)
    net.backward(copied(given))
    return against(net.o, given), {k: getattr(net, "d" + k) for k in "uwv"}


MISTAKES = [
    S("ds = self.w.T.dot(dz)", "ds = self.w.dot(dz)", "transpose"),
    S("np.outer(dz, self.s[:, t - 1])", "np.outer(dz, self.s[:, t])", "wrong-time-index", also=("wrong-operand",)),
    S("ds = ds + self.v.T", "ds = self.v.T", "recurrent-path-cut"),
    S("dz = ds * (1 - self.s[:, t] ** 2)", "dz = ds", "missing-derivative"),
    S("(1 - self.s[:, t] ** 2)", "(1 - self.s[:, t - 1] ** 2)", "wrong-time-index", also=("wrong-operand",)),
    S("self.dv += np.outer", "self.dv = np.outer", "missing-accumulation"),
    S("self.du += np.outer(dz, self.x[:, t])", "self.du += np.outer(ds, self.x[:, t])", "missing-derivative", also=("wrong-operand",)),
    S("self.dw += np.outer(dz, self.s[:, t - 1])", "self.dw += np.outer(self.s[:, t - 1], dz)", "transpose"),
    S("np.outer(d_o[:, t], self.s[:, t])", "np.outer(d_o[:, t], self.s[:, t - 1])", "wrong-time-index", also=("wrong-operand",)),
]
