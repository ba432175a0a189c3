# ruff: noqa
# fmt: off
"""One step of a GRU and its backward pass, columns; no sequence anywhere."""
import numpy as np


def logistic(a):
    return 1 / (1 + np.exp(-a))


def gru_step(x, h, Wr, Ur, br, Wz, Uz, bz, Wc, Uc, bc):
    r = logistic(Wr @ x + Ur @ h + br)
    z = logistic(Wz @ x + Uz @ h + bz)
    c = np.tanh(Wc @ x + Uc @ (r * h) + bc)
    return z * h + (1 - z) * c, (x, h, r, z, c, Wr, Ur, Wz, Uz, Wc, Uc)


def gru_step_backward(dh_new, cache):
    x, h, r, z, c, Wr, Ur, Wz, Uz, Wc, Uc = cache
    dz = dh_new * (h - c) * z * (1 - z)
    dc = dh_new * (1 - z) * (1 - c ** 2)
    drh = Uc.T @ dc
    dr = drh * h * r * (1 - r)
    dx = Wr.T @ dr + Wz.T @ dz + Wc.T @ dc
    dh = dh_new * z + drh * r + Ur.T @ dr + Uz.T @ dz
    def s(d): return d.sum(axis=1, keepdims=True)
    return dx, dh, dr @ x.T, dr @ h.T, s(dr), dz @ x.T, dz @ h.T, s(dz), dc @ x.T, dc @ (r * h).T, s(dc)


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_pair

HELD = False
ABOUT = "a single step of a GRU, columns, gradients in a tuple"
CALL = "check_gradients(m.gru_step, m.gru_step_backward, a)"


def example(rng):
    a = {"x": rng.normal(size=(4, 3)), "h": rng.normal(size=(6, 3))}
    for k in "rzc":
        a |= {"W" + k: 0.6 * rng.normal(size=(6, 4)), "U" + k: 0.6 * rng.normal(size=(6, 6)), "b" + k: 0.6 * rng.normal(size=(6, 1))}
    return a


def evaluate(m, a):
    return of_pair(m.gru_step, m.gru_step_backward, a)


MISTAKES = [
    S("dh_new * (h - c)", "dh_new * (c - h)", "sign", also=("wrong-operand",)),
    S("dh = dh_new * z + ", "dh = ", "missing-path"),
    S("drh * r + Ur", "drh + Ur", "missing-factor"),
    S("Ur.T @ dr + Uz", "Ur @ dr + Uz", "transpose"),
    S("dc @ (r * h).T", "dc @ h.T", "missing-factor", also=("wrong-operand",)),
    S("dr = drh * h * r * (1 - r)", "dr = drh * h * (1 - r)", "wrong-derivative", also=("missing-factor",)),
    S("dr = drh * h * r", "dr = drh * r", "missing-factor"),
    S("s(dr), dz @ x.T", "s(dz), dz @ x.T", "gate-swapped"),
    S("Wr.T @ dr + Wz.T @ dz", "Wz.T @ dr + Wr.T @ dz", "wrong-operand", also=("gate-swapped",)),
    S("(1 - c ** 2)", "(1 - np.tanh(c) ** 2)", "derivative-at-output"),
    S("return d.sum(axis=1, keepdims=True)", "return d.mean(axis=1, keepdims=True)", "mean-for-sum"),
]
