# ruff: noqa
# fmt: off
"""Cells of a notebook: weights, states and gradients are globals; forward() returns the outputs only."""
import numpy as np

np.random.seed(42)
n_inputs, n_hidden, n_outputs = 3, 6, 2

W = np.random.randn(n_inputs, n_hidden) * 0.5
R = np.random.randn(n_hidden, n_hidden) * 0.5
B = np.random.randn(n_hidden) * 0.5
V = np.random.randn(n_hidden, n_outputs) * 0.5
C = np.random.randn(n_outputs) * 0.5

# In [2]

def sigmoid(v):
    return 1 / (1 + np.exp(-v))

def forward(X):
    global H, inputs
    inputs = X
    H = np.zeros((X.shape[0], X.shape[1] + 1, n_hidden))
    for t in range(X.shape[1]):
        H[:, t + 1] = sigmoid(X[:, t] @ W + H[:, t] @ R + B)
    return H[:, 1:] @ V + C

# In [3]

def backward(dY):
    global dW, dR, dB, dV, dC
    dW, dR, dB = np.zeros_like(W), np.zeros_like(R), np.zeros_like(B)
    dV = np.einsum('nth,nto->ho', H[:, 1:], dY)
    dC = dY.sum(axis=(0, 1))
    dH = np.zeros_like(H[:, 0])
    for t in range(inputs.shape[1])[::-1]:
        h = H[:, t + 1]
        dA = (dY[:, t] @ V.T + dH) * h * (1 - h)
        dW += inputs[:, t].T @ dA
        dR += H[:, t].T @ dA
        dB += dA.sum(axis=0)
        dH = dA @ R.T

# In [4]

X = np.random.randn(4, 5, n_inputs)
backward(np.ones_like(forward(X)))
print(dW.shape, dR.shape)


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import against, copied, cotangents, hold

HELD = False
ABOUT = "a notebook: weights, states and gradients in globals; sigmoid RNN with a readout, batch first"
CALL = 'check_gradients(*from_globals(m, "forward", "backward", list("WRBVC"), inputs={"X": a["X"]}))'


def example(rng):
    sizes = {"W": (3, 6), "R": (6, 6), "B": (6,), "V": (6, 2), "C": (2,)}
    return {"X": rng.normal(size=(4, 5, 3))} | {k: rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    hold(m, {k: a[k] for k in "WRBVC"})
    out = m.forward(a["X"])
    given = cotangents(out)
    m.backward(copied(given))
    return against(out, given), copied({k: getattr(m, "d" + k) for k in "WRBVC"})


MISTAKES = [
    S("* h * (1 - h)", "* sigmoid(h) * (1 - sigmoid(h))", "derivative-at-output"),
    S("* h * (1 - h)", "* (1 - h)", "wrong-derivative", also=("missing-factor",)),
    S("* h * (1 - h)", "* (1 - h ** 2)", "wrong-derivative"),
    S("dH = dA @ R.T", "dH = dA @ R", "transpose"),
    S("dR += H[:, t].T @ dA", "dR += H[:, t + 1].T @ dA", "wrong-time-index", also=("wrong-operand",)),
    S("dR += H[:, t].T @ dA", "dR += H[:, t - 1].T @ dA", "wrong-time-index", also=("wrong-operand", "initial-state")),
    S("dB += dA.sum(axis=0)", "dB += dA.mean(axis=0)", "mean-for-sum"),
    S("dC = dY.sum(axis=(0, 1))", "dC = dY[:, -1].sum(axis=0)", "missing-accumulation", also=("missing-path", "truncated")),
    S("(dY[:, t] @ V.T + dH)", "(dY[:, t] @ V.T)", "recurrent-path-cut"),
    S("V.T + dH) * h * (1 - h)", "V.T) * h * (1 - h) + dH", "missing-derivative"),
    S("dV = np.einsum('nth,nto->ho', H[:, 1:], dY)", "dV = np.einsum('nth,nto->ho', H[:, :-1], dY)", "wrong-time-index", also=("wrong-operand",)),
    S("        dH = dA @ R.T\n", "        dH = np.clip(dA @ R.T, -0.2, 0.2)\n", "clipped-in-recursion"),
    S("dW += inputs", "dW -= inputs", "sign"),
]
