# ruff: noqa
# fmt: off
"""An LSTM layer of objects: every gate holds its weights and its gradients."""
import numpy as np


class Gate:
    def __init__(self, n_in, n_hid, kind, seed):
        rng = np.random.default_rng(seed)
        self.kind = kind
        self.W = rng.normal(0, 0.5, (n_in, n_hid))
        self.U = rng.normal(0, 0.5, (n_hid, n_hid))
        self.b = rng.normal(0, 0.5, n_hid)
        self.zero_grad()

    def zero_grad(self):
        self.dW, self.dU, self.db = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.b)

    def forward(self, x, h):
        a = x @ self.W + h @ self.U + self.b
        return np.tanh(a) if self.kind == 'tanh' else 1 / (1 + np.exp(-a))

    def backward(self, dout, out, x, h):
        if self.kind == 'tanh':
            da = dout * (1 - out ** 2)
        else:
            da = dout * out * (1 - out)
        self.dW += x.T @ da
        self.dU += h.T @ da
        self.db += da.sum(axis=0)
        return da @ self.W.T, da @ self.U.T


class LSTMLayer:
    def __init__(self, n_in=4, n_hid=6):
        self.n_hid = n_hid
        self.forget_gate = Gate(n_in, n_hid, 'sigmoid', 1)
        self.input_gate = Gate(n_in, n_hid, 'sigmoid', 2)
        self.output_gate = Gate(n_in, n_hid, 'sigmoid', 3)
        self.candidate = Gate(n_in, n_hid, 'tanh', 4)

    def forward(self, x):
        h = np.zeros((x.shape[1], self.n_hid))
        c = np.zeros_like(h)
        self.memory = []
        out = []
        for x_t in x:
            f = self.forget_gate.forward(x_t, h)
            i = self.input_gate.forward(x_t, h)
            o = self.output_gate.forward(x_t, h)
            g = self.candidate.forward(x_t, h)
            c_new = f * c + i * g
            self.memory.append((x_t, h, c, f, i, o, g, c_new))
            c, h = c_new, o * np.tanh(c_new)
            out.append(h)
        return np.array(out)

    def backward(self, dout):
        for gate in (self.forget_gate, self.input_gate, self.output_gate, self.candidate):
            gate.zero_grad()
        dh = np.zeros_like(dout[0])
        dc = np.zeros_like(dout[0])
        dx = []
        for t in range(len(dout) - 1, -1, -1):
            x, h, c, f, i, o, g, c_new = self.memory[t]
            dh = dh + dout[t]
            dc = dc + dh * o * (1 - np.tanh(c_new) ** 2)
            dxo, dho = self.output_gate.backward(dh * np.tanh(c_new), o, x, h)
            dxf, dhf = self.forget_gate.backward(dc * c, f, x, h)
            dxi, dhi = self.input_gate.backward(dc * g, i, x, h)
            dxg, dhg = self.candidate.backward(dc * i, g, x, h)
            dh = dho + dhf + dhi + dhg
            dc = dc * f
            dx.insert(0, dxo + dxf + dxi + dxg)
        return np.array(dx)


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import against, copied, cotangents, hold

HELD = False
ABOUT = "LSTM of gate objects, weights and gradients in attributes of attributes"
GATES = ("forget_gate", "input_gate", "output_gate", "candidate")
CALL = 'check_gradients(*from_object(m.LSTMLayer(), attributes=[k for k in a if k != "x"], inputs={"x": a["x"]}))'


def example(rng):
    a = {"x": rng.normal(size=(4, 3, 4))}
    for gate in GATES:
        a |= {gate + ".W": 0.5 * rng.normal(size=(4, 6)), gate + ".U": 0.5 * rng.normal(size=(6, 6)), gate + ".b": 0.5 * rng.normal(size=6)}
    return a


def evaluate(m, a):
    net = m.LSTMLayer()
    hold(net, {k: v for k, v in a.items() if k != "x"})
    out = net.forward(a["x"])
    given = cotangents(out)
    grads = {"x": net.backward(copied(given))}
    for gate in GATES:
        grads |= {f"{gate}.{k}": getattr(getattr(net, gate), "d" + k) for k in "WUb"}
    return against(out, given), copied(grads)


MISTAKES = [
    S("dc = dc * f\n", "dc = dc * f * 0\n", "recurrent-path-cut", also=("missing-path",)),
    S("self.forget_gate.backward(dc * c, f, x, h)", "self.forget_gate.backward(dc * c_new, f, x, h)", "wrong-time-index", also=("wrong-operand",)),
    S("self.input_gate.backward(dc * g, i, x, h)", "self.input_gate.backward(dc * i, i, x, h)", "gate-swapped", also=("wrong-operand",)),
    S("dh = dho + dhf + dhi + dhg", "dh = dho + dhf + dhi", "missing-path"),
    S("da = dout * (1 - out ** 2)", "da = dout * (1 - np.tanh(out) ** 2)", "derivative-at-output"),
    S("self.db += da.sum(axis=0)", "self.db += da.mean(axis=0)", "mean-for-sum"),
    S("self.dU += h.T @ da", "self.dU = h.T @ da", "missing-accumulation"),
    S("da @ self.U.T", "da @ self.U", "transpose"),
    S("(1 - np.tanh(c_new) ** 2)", "(1 - np.tanh(c_new))", "wrong-derivative"),
    S("self.output_gate.backward(dh * np.tanh(c_new), o, x, h)", "self.output_gate.backward(dh * c_new, o, x, h)", "wrong-operand", also=("missing-factor", "derivative-at-preactivation")),
    S("self.candidate.backward(dc * i, g, x, h)", "self.candidate.backward(dc, g, x, h)", "missing-factor"),
    S("dh = dh + dout[t]", "dh = dout[t]", "recurrent-path-cut"),
    S("dx.insert(0, dxo + dxf + dxi + dxg)", "dx.append(dxo + dxf + dxi + dxg)", "wrong-time-index"),
]
