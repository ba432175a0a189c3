# ruff: noqa
# fmt: off
"""An objective for an optimiser: one flat vector of parameters in, the loss and one flat gradient out."""
import numpy as np

D, H, K = 3, 5, 2
SHAPES = [(H, D), (H, H), (H,), (K, H), (K,)]


def unpack(theta):
    parts, at = [], 0
    for shape in SHAPES:
        size = int(np.prod(shape))
        parts.append(theta[at:at + size].reshape(shape))
        at += size
    return parts


def objective(theta, x, y):
    Wi, Wr, b, Wo, bo = unpack(theta)
    T = len(x)
    h = np.zeros((T + 1, H))
    for t in range(T):
        h[t + 1] = np.tanh(Wi @ x[t] + Wr @ h[t] + b)
    r = h[1:] @ Wo.T + bo - y
    f = 0.5 * np.sum(r * r)
    gWi, gWr, gb = np.zeros_like(Wi), np.zeros_like(Wr), np.zeros_like(b)
    gWo, gbo = r.T @ h[1:], r.sum(axis=0)
    lam = np.zeros(H)
    for t in range(T, 0, -1):
        lam = (Wo.T @ r[t - 1] + Wr.T @ lam) * (1 - h[t] ** 2)
        gWi += np.outer(lam, x[t - 1])
        gWr += np.outer(lam, h[t - 1])
        gb += lam
    return f, np.concatenate([g.ravel() for g in (gWi, gWr, gb, gWo, gbo)])


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_loss

HELD = False
ABOUT = "loss and gradient as functions of one flat vector"
CALL = 'check_gradients(*from_loss(m.objective, a, ["theta"]))'


def example(rng):
    return {"theta": 0.6 * rng.normal(size=15 + 25 + 5 + 10 + 2), "x": rng.normal(size=(5, 3)), "y": rng.normal(size=(5, 2))}


def evaluate(m, a):
    return of_loss(m, m.objective, a, ["loss", "theta"])


MISTAKES = [
    S("Wr.T @ lam", "Wr @ lam", "transpose"),
    S("np.outer(lam, h[t - 1])", "np.outer(lam, h[t])", "wrong-time-index", also=("wrong-operand",)),
    S("(Wo.T @ r[t - 1] + Wr.T @ lam) *", "(Wo.T @ r[t - 1]) *", "recurrent-path-cut"),
    S("* (1 - h[t] ** 2)", "* (1 - h[t - 1] ** 2)", "wrong-time-index", also=("wrong-operand",)),
    S("* (1 - h[t] ** 2)", "* (1 - np.tanh(h[t]) ** 2)", "derivative-at-output"),
    S("gWo, gbo = r.T @ h[1:]", "gWo, gbo = r.T @ h[:-1]", "wrong-time-index", also=("wrong-operand",)),
    S("gb += lam", "gb = lam", "missing-accumulation"),
    S("r.sum(axis=0)", "r.mean(axis=0)", "mean-for-sum", also=("wrong-scale",)),
    S("for t in range(T, 0, -1)", "for t in range(T, 1, -1)", "missing-accumulation", also=("initial-state", "truncated")),
    S("gWi += np.outer", "gWi -= np.outer", "sign"),
]
