# ruff: noqa
# fmt: off
"""A GRU in single precision: buffers are allocated once as float32 and written in place."""
import numpy as np

F = np.float32


def _s(v):
    return (F(1) / (F(1) + np.exp(-v))).astype(F)


def gru_fwd(x, h0, W, U, b, Un, bn):
    """x (T, N, D); W (D, 3H) for r, z, n; U (H, 2H) for r, z; Un (H, H)."""
    T, N, D = x.shape
    H = h0.shape[1]
    h = np.empty((T + 1, N, H), dtype=F)
    r = np.empty((T, N, H), dtype=F)
    z = np.empty((T, N, H), dtype=F)
    n = np.empty((T, N, H), dtype=F)
    q = np.empty((T, N, H), dtype=F)
    h[0] = h0
    for t in range(T):
        xw = x[t] @ W
        hu = h[t] @ U
        r[t] = _s(xw[:, :H] + hu[:, :H] + b[:H])
        z[t] = _s(xw[:, H:2 * H] + hu[:, H:] + b[H:2 * H])
        q[t] = h[t] @ Un + bn
        n[t] = np.tanh(xw[:, 2 * H:] + b[2 * H:] + r[t] * q[t])
        h[t + 1] = (F(1) - z[t]) * n[t] + z[t] * h[t]
    return h[1:], (x, h, r, z, n, q, W, U, Un)


def gru_bwd(dout, cache):
    x, h, r, z, n, q, W, U, Un = cache
    T, N, D = x.shape
    H = h.shape[2]
    dx, dW, dU = np.empty_like(x), np.zeros_like(W), np.zeros_like(U)
    db, dUn, dbn = np.zeros(3 * H, dtype=F), np.zeros_like(Un), np.zeros(H, dtype=F)
    dh = np.zeros((N, H), dtype=F)
    da = np.empty((N, 3 * H), dtype=F)
    for t in range(T - 1, -1, -1):
        dh = dh + dout[t]
        dz = dh * (h[t] - n[t])
        dn = dh * (F(1) - z[t]) * (F(1) - n[t] * n[t])
        dq = dn * r[t]
        da[:, :H] = dn * q[t] * r[t] * (F(1) - r[t])
        da[:, H:2 * H] = dz * z[t] * (F(1) - z[t])
        da[:, 2 * H:] = dn
        dW += x[t].T @ da
        dU += h[t].T @ da[:, :2 * H]
        db += da.sum(axis=0)
        dUn += h[t].T @ dq
        dbn += dq.sum(axis=0)
        dx[t] = da @ W.T
        dh = dh * z[t] + da[:, :2 * H] @ U.T + dq @ Un.T
    return dx, dh, dW, dU, db, dUn, dbn


# --- planted
import numpy as np
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_pair

HELD = True
ABOUT = "GRU in float32, buffers allocated once and written in place; reset after the product"
STEP, TOLERANCE = 2e-2, 2e-3
CALL = "check_gradients(m.gru_fwd, m.gru_bwd, a)"


def example(rng):
    sizes = {"x": (4, 3, 4), "h0": (3, 5), "W": (4, 15), "U": (5, 10), "b": (15,), "Un": (5, 5), "bn": (5,)}
    return {k: (0.7 * rng.normal(size=s)).astype(np.float32) for k, s in sizes.items()}


def evaluate(m, a):
    return of_pair(m.gru_fwd, m.gru_bwd, a)


MISTAKES = [
    S("dh = dh * z[t] + da", "dh = dh * (F(1) - z[t]) + da", "wrong-operand", also=("gate-swapped", "extra-path", "missing-path")),
    S("dz = dh * (h[t] - n[t])", "dz = dh * (h[t + 1] - n[t])", "wrong-time-index", also=("wrong-operand",)),
    S("dz = dh * (h[t] - n[t])", "dz = dh * h[t]", "missing-path"),
    S("dq = dn * r[t]", "dq = dn", "missing-factor"),
    S("dbn += dq.sum(axis=0)", "dbn += dq.mean(axis=0)", "mean-for-sum"),
    S("dq @ Un.T", "dq @ Un", "transpose"),
    S("da[:, :H] = dn * q[t] * r[t]", "da[:, :H] = dn * h[t] * r[t]", "wrong-operand", also=("missing-factor",)),
    S("* (F(1) - n[t] * n[t])", "* (F(1) - np.tanh(n[t]) ** 2)", "derivative-at-output"),
    S("da[:, H:2 * H] = dz * z[t] * (F(1) - z[t])", "da[:, H:2 * H] = dz * z[t]", "wrong-derivative", also=("missing-factor",)),
    S("dh = dh + dout[t]", "dh = dout[t]", "recurrent-path-cut"),
    S("dUn += h[t].T @ dq", "dUn += h[t + 1].T @ dq", "wrong-time-index", also=("wrong-operand",)),
    S("db += da.sum(axis=0)", "db = da.sum(axis=0)", "missing-accumulation"),
]
