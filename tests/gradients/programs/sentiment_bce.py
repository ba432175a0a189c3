# ruff: noqa
# fmt: off
"""A many-to-one LSTM that says yes or no: sigmoid and binary cross-entropy on the last state; gates in one product."""
import numpy as np


def sigma(v):
    return 1 / (1 + np.exp(-v))


class SentimentLSTM:
    def __init__(self, D=4, H=5):
        g = np.random.default_rng(3)
        self.params = dict(Wx=g.normal(size=(D, 4 * H)) * .5, Wh=g.normal(size=(H, 4 * H)) * .5, b=g.normal(size=4 * H) * .5,
                           w_out=g.normal(size=H), b_out=np.zeros(1))
        self.H = H

    def loss_and_grad(self, x, label):
        """x: (N, T, D) word vectors; label: (N,) zeros and ones."""
        p, H = self.params, self.H
        N, T, D = x.shape
        h, c = np.zeros((N, H)), np.zeros((N, H))
        tape = []
        for t in range(T):
            a = x[:, t] @ p['Wx'] + h @ p['Wh'] + p['b']
            i, f, o = sigma(a[:, :H]), sigma(a[:, H:2 * H]), sigma(a[:, 2 * H:3 * H])
            g = np.tanh(a[:, 3 * H:])
            c_prev, h_prev = c, h
            c = f * c_prev + i * g
            tanh_c = np.tanh(c)
            h = o * tanh_c
            tape.append((h_prev, c_prev, i, f, o, g, tanh_c))
        score = h @ p['w_out'] + p['b_out']
        prob = sigma(score)
        loss = -np.mean(label * np.log(prob) + (1 - label) * np.log(1 - prob))

        dscore = (prob - label) / N
        grads = {k: np.zeros_like(v) for k, v in p.items()}
        grads['w_out'] = h.T @ dscore
        grads['b_out'][0] = dscore.sum()
        dh = np.outer(dscore, p['w_out'])
        dc = np.zeros_like(dh)
        for t in reversed(range(T)):
            h_prev, c_prev, i, f, o, g, tanh_c = tape[t]
            dc = dc + dh * o * (1 - tanh_c ** 2)
            da = np.concatenate([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dh * tanh_c * o * (1 - o), dc * i * (1 - g ** 2)], axis=1)
            grads['Wx'] += x[:, t].T @ da
            grads['Wh'] += h_prev.T @ da
            grads['b'] += da.sum(axis=0)
            dh = da @ p['Wh'].T
            dc = dc * f
        return loss, grads


# --- planted
from tests.gradients.programs.planted import Slip as S

HELD = True
ABOUT = "many-to-one LSTM with sigmoid and binary cross-entropy; a class with a dict of parameters"
WEIGHTS = ("Wx", "Wh", "b", "w_out", "b_out")
CALL = 'check_gradients(*from_object(m.SentimentLSTM(), "loss_and_grad", None, ["params"], inputs={"x": a["x"], "label": a["label"]}))'


def example(rng):
    sizes = {"x": (6, 4, 4), "Wx": (4, 20), "Wh": (5, 20), "b": (20,), "w_out": (5,), "b_out": (1,)}
    return {"label": np.array([0.0, 1, 1, 0, 1, 0])} | {k: 0.7 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    net = m.SentimentLSTM()
    net.params = {k: a[k] for k in WEIGHTS}
    loss, grads = net.loss_and_grad(a["x"], a["label"])
    return float(loss), grads


import numpy as np

MISTAKES = [
    S("dscore = (prob - label) / N", "dscore = (prob - label)", "wrong-scale", also=("mean-for-sum", "missing-factor")),
    S("dscore = (prob - label) / N", "dscore = (prob - label) * prob * (1 - prob) / N", "extra-factor"),
    S("dh = da @ p['Wh'].T", "dh = da @ p['Wh'].T + np.outer(dscore, p['w_out'])", "extra-path"),
    S("dc = dc * f\n", "dc = dc * i\n", "gate-swapped", also=("wrong-operand",)),
    S("dc * c_prev * f * (1 - f)", "dc * c_prev * f", "wrong-derivative", also=("missing-factor",)),
    S("dc = dc + dh * o * (1 - tanh_c ** 2)", "dc = dh * o * (1 - tanh_c ** 2)", "recurrent-path-cut", also=("missing-path",)),
    S("dh * tanh_c * o * (1 - o)", "dh * g * o * (1 - o)", "wrong-operand", also=("gate-swapped",)),
    S("grads['b'] += da.sum(axis=0)", "grads['b'] += da.mean(axis=0)", "mean-for-sum"),
    S("grads['Wh'] += h_prev.T @ da", "grads['Wh'] += h_prev.T @ da if t else 0", "missing-accumulation", also=("initial-state",),
      more=(("h, c = np.zeros((N, H)), np.zeros((N, H))", "h, c = np.full((N, H), 0.5), np.zeros((N, H))"),), line="grads['Wh'] +="),
    S("grads['w_out'] = h.T @ dscore", "grads['w_out'] = h_prev.T @ dscore", "wrong-time-index", also=("wrong-operand",)),
    S("dc * i * (1 - g ** 2)", "dc * i * (1 - g)", "wrong-derivative"),
    S("(1 - tanh_c ** 2)", "(1 - np.tanh(tanh_c) ** 2)", "derivative-at-output"),
    S("for t in reversed(range(T)):", "for t in reversed(range(1, T)):", "missing-accumulation", also=("initial-state", "truncated")),
]
