# ruff: noqa
# fmt: off
"""A network whose backward pass updates the weights by a step of gradient descent."""
import numpy as np


class ElmanNet:

    def __init__(self, n_in=4, n_hidden=6, n_out=3, seed=0):
        gen = np.random.default_rng(seed)
        self.W_in = gen.normal(scale=0.5, size=(n_hidden, n_in))
        self.W_rec = gen.normal(scale=0.5, size=(n_hidden, n_hidden))
        self.b_rec = gen.normal(scale=0.5, size=(n_hidden, 1))
        self.W_out = gen.normal(scale=0.5, size=(n_out, n_hidden))
        self.b_out = gen.normal(scale=0.5, size=(n_out, 1))
        self.n_hidden = n_hidden

    def forward(self, x):
        self.x = x
        self.h = [np.zeros((self.n_hidden, 1))]
        self.y = []
        for x_t in x:
            self.h.append(np.tanh(self.W_in @ x_t + self.W_rec @ self.h[-1] + self.b_rec))
            self.y.append(self.W_out @ self.h[-1] + self.b_out)
        return np.array(self.y)

    def backward(self, dy, learning_rate=0.05):
        dW_in = np.zeros(self.W_in.shape)
        dW_rec = np.zeros(self.W_rec.shape)
        db_rec = np.zeros(self.b_rec.shape)
        dW_out = np.zeros(self.W_out.shape)
        db_out = np.zeros(self.b_out.shape)
        delta = np.zeros((self.n_hidden, 1))
        for t in range(len(self.x))[::-1]:
            dW_out += dy[t] @ self.h[t + 1].T
            db_out += dy[t]
            delta = (self.W_out.T @ dy[t] + self.W_rec.T @ delta) * (1 - self.h[t + 1] ** 2)
            dW_in += delta @ self.x[t].T
            dW_rec += delta @ self.h[t].T
            db_rec += delta
        self.W_in -= learning_rate * dW_in
        self.W_rec -= learning_rate * dW_rec
        self.b_rec -= learning_rate * db_rec
        self.W_out -= learning_rate * dW_out
        self.b_out -= learning_rate * db_out


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import against, copied, cotangents, hold

HELD = False
ABOUT = "backward updates the weights of its object by gradient descent"
WEIGHTS = ("W_in", "W_rec", "b_rec", "W_out", "b_out")
CALL = 'check_gradients(*from_object(m.ElmanNet(), attributes="W_in W_rec b_rec W_out b_out".split(), updates={"sgd": 0.05}, inputs={"x": a["x"]}))'


def example(rng):
    sizes = {"W_in": (6, 4), "W_rec": (6, 6), "b_rec": (6, 1), "W_out": (3, 6), "b_out": (3, 1)}
    return {"x": rng.normal(size=(5, 4, 1))} | {k: 0.5 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    net = m.ElmanNet()
    hold(net, {k: a[k] for k in WEIGHTS})
    out = copied(net.forward(a["x"]))
    given = cotangents(out)
    net.backward(copied(given))
    return against(out, given), {k: (a[k] - getattr(net, k)) / 0.05 for k in WEIGHTS}


MISTAKES = [
    S("self.W_rec.T @ delta)", "self.W_rec @ delta)", "transpose"),
    S("            db_rec += delta\n", "            db_rec += delta\n            self.W_rec -= learning_rate * delta @ self.h[t].T\n", "forward-backward-mismatch",
      more=(("        self.W_rec -= learning_rate * dW_rec\n", ""),), also=("corrupted-cache",), line="self.W_rec -="),
    S("delta @ self.h[t].T", "delta @ self.h[t + 1].T", "wrong-time-index", also=("wrong-operand",)),
    S("(self.W_out.T @ dy[t] + self.W_rec.T @ delta) * (1 - self.h[t + 1] ** 2)", "(self.W_out.T @ dy[t]) * (1 - self.h[t + 1] ** 2)", "recurrent-path-cut"),
    S("(self.W_out.T @ dy[t] + self.W_rec.T @ delta) * (1 - self.h[t + 1] ** 2)", "self.W_out.T @ dy[t] * (1 - self.h[t + 1] ** 2) + self.W_rec.T @ delta", "missing-derivative"),
    S("(1 - self.h[t + 1] ** 2)", "(1 - self.h[t] ** 2)", "wrong-time-index", also=("wrong-operand",)),
    S("db_out += dy[t]", "db_out = dy[t]", "missing-accumulation"),
    S("self.b_rec -= learning_rate * db_rec", "self.b_rec += learning_rate * db_rec", "sign"),
    S("self.W_in -= learning_rate * dW_in", "self.W_in -= learning_rate * dW_in / len(self.x)", "wrong-scale", also=("mean-for-sum",)),
    S("dW_out += dy[t] @ self.h[t + 1].T", "dW_out += dy[t] @ self.h[t].T", "wrong-time-index", also=("wrong-operand",)),
    S("        self.W_in -=", "        for d in (dW_in, dW_rec, db_rec):\n            np.clip(d, -1, 1, out=d)\n        self.W_in -=", "clipped", line="np.clip(d"),
    S("(1 - self.h[t + 1] ** 2)", "(1 - np.tanh(self.h[t + 1]) ** 2)", "derivative-at-output"),
]
