"""A cell of somebody's own with two states: a fast one, and a slow memory that a learned vector mixes."""

import numpy as np

from tests.diagnosis.corpus.planted import LARGE, Planted

CELL = None
ABOUT = "not in the library: a fast state and a slow one with a learned rate per entry; columns; namedtuples"
DEFINITION = '''
def twospeed(x, h, s, *, A, B, C: "d_h, d_s", P: "d_s, d_h", q: "d_s", b):
    """A fast state and a slow one, mixed at a rate of its own for each entry."""
    h = tanh(A @ x + B @ h + C @ s + b)
    v = sigmoid(P @ h + q * s)
    s = v * s + (1 - v) * (P @ h)
    return h, s
'''


def make_inputs(rng, T, N):
    D, H, S = 3, 5, 2
    return {
        "A": 0.5 * rng.normal(size=(H, D)),
        "B": 0.4 * rng.normal(size=(H, H)),
        "C": 0.6 * rng.normal(size=(H, S)),
        "P": 0.7 * rng.normal(size=(S, H)),
        "q": rng.normal(size=(S, 1)),
        "b": 0.5 * rng.normal(size=(H, 1)),
        "x": rng.normal(size=(T, D, N)),
        "h0": rng.normal(size=(H, N)),
        "s0": rng.normal(size=(S, N)),
    }


def sig(a):
    return 1 / (1 + np.exp(-a))


def forward(A, B, C, P, q, b, x, h0, s0):
    hs, ss, ps, vs = [h0], [s0], [], []
    for xt in x:
        h = np.tanh(A @ xt + B @ hs[-1] + C @ ss[-1] + b)
        p = P @ h
        v = sig(p + q * ss[-1])
        s = v * ss[-1] + (1 - v) * p
        hs.append(h)
        ss.append(s)
        ps.append(p)
        vs.append(v)
    return (np.stack(hs[1:]), ss[-1]), (A, B, C, P, q, x, hs, ss, ps, vs)


def backward(cotangents, cache):
    Dh, Ds_last = cotangents
    A, B, C, P, q, x, hs, ss, ps, vs = cache
    dA, dB, dC, dP, dq, db = (np.zeros_like(w) for w in (A, B, C, P, q, A[:, :1]))
    dx = np.zeros_like(x)
    dh_back = np.zeros_like(hs[0])
    ds = Ds_last
    for t in range(len(x))[::-1]:
        h, h_old, s_old, p, v = hs[t + 1], hs[t], ss[t], ps[t], vs[t]
        dv = ds * (s_old - p)
        dav = dv * v * (1 - v)
        dp = ds * (1 - v) + dav
        dq += (dav * s_old).sum(axis=1, keepdims=True)
        dP += dp @ h.T
        dh = Dh[t] + dh_back + P.T @ dp
        dah = dh * (1 - h**2)
        dA += dah @ x[t].T
        dB += dah @ h_old.T
        dC += dah @ s_old.T
        db += dah.sum(axis=1, keepdims=True)
        dx[t] = A.T @ dah
        dh_back = B.T @ dah
        ds = ds * v + q * dav + C.T @ dah
    return dA, dB, dC, dP, dq, db, dx, dh_back, ds


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "Dh[t] + dh_back + P.T", "Dh[t] + P.T"),
    Planted(
        "recurrent-path-cut",
        "s carry",
        "ds = ds * v + q * dav + C.T @ dah",
        "ds = np.zeros_like(ds)",
        also=("missing-path",),
    ),
    Planted("missing-path", "s carry: direct", "ds = ds * v + q * dav", "ds = q * dav", also=("recurrent-path-cut",)),
    Planted("missing-path", "s carry: through v", " + q * dav", "", also=("recurrent-path-cut",)),
    Planted("missing-path", "s carry: through h", " + C.T @ dah", "", also=("recurrent-path-cut",)),
    Planted("missing-path", "δp: through v", "dp = ds * (1 - v) + dav", "dp = ds * (1 - v)"),
    Planted("missing-path", "δp: direct", "dp = ds * (1 - v) + dav", "dp = dav"),
    Planted("missing-path", "δv: the old state", "(s_old - p)", "(-p)"),
    Planted("missing-path", "δh: from s", " + P.T @ dp", ""),
    Planted("missing-output", "s_T", "ds = Ds_last", "ds = np.zeros_like(Ds_last)"),
    Planted("missing-output", "h_t", "dh = Dh[t] + dh_back", "dh = dh_back"),
    Planted("derivative-at-output", "δa_v", "dv * v * (1 - v)", "dv * sig(v) * (1 - sig(v))"),
    Planted("derivative-at-output", "δa_h", "(1 - h**2)", "(1 - np.tanh(h) ** 2)"),
    Planted("derivative-at-preactivation", "δa_v", "dv * v * (1 - v)", "dv * (p + q * s_old) * (1 - p - q * s_old)"),
    Planted("missing-derivative", "δa_v", "dv * v * (1 - v)", "dv * v", also=("wrong-derivative",)),
    Planted("missing-derivative", "δa_h", "dh * (1 - h**2)", "dh"),
    Planted("wrong-derivative", "δa_v: that of tanh", "dv * v * (1 - v)", "dv * (1 - v**2)"),
    Planted("wrong-derivative", "δa_h", "(1 - h**2)", "(1 - h)"),
    Planted("wrong-time-index", "dP: the old h", "dp @ h.T", "dp @ h_old.T", also=("wrong-operand",)),
    Planted("wrong-time-index", "dB: the new h", "dah @ h_old.T", "dah @ h.T", also=("wrong-operand",)),
    Planted("wrong-time-index", "dC: the new s", "dah @ s_old.T", "dah @ ss[t + 1].T", also=("wrong-operand",)),
    Planted("wrong-time-index", "dq: the new s", "(dav * s_old)", "(dav * ss[t + 1])", also=("wrong-operand",)),
    Planted(
        "initial-state",
        "dC at step 0",
        "dah @ s_old.T",
        "dah @ (s_old if t else 0 * s_old).T",
        also=("missing-accumulation",),
    ),
    Planted("initial-state", "dB at step 0", "dah @ h_old.T", "dah @ hs[t or len(x)].T", also=("wrong-time-index",)),
    Planted("missing-accumulation", "dq", "dq += ", "dq = "),
    Planted("missing-accumulation", "dP", "dP += ", "dP = "),
    Planted("mean-for-sum", "db", "db += dah.sum(", "db += dah.mean("),
    Planted("mean-for-sum", "dq", "dq += (dav * s_old).sum(", "dq += (dav * s_old).mean("),
    Planted(
        "double-counted",
        "δh",
        "dh = Dh[t] + dh_back + P.T @ dp",
        "dh = Dh[t] + dh_back + 2 * P.T @ dp",
        also=("extra-factor",),
    ),
    Planted("bad-accumulator", "s carry", "ds = Ds_last", "ds = Ds_last + ss[-1]", also=("extra-path",)),
    Planted(
        "bad-accumulator",
        "dA is A",
        "dx = np.zeros_like(x)",
        "dA = A.copy()\n    dx = np.zeros_like(x)",
        also=("extra-path",),
    ),
    Planted(
        "extra-path",
        "s_T's cotangent at each step",
        "dv = ds * (s_old - p)",
        "ds = ds + (Ds_last if t < len(x) - 1 else 0)\n        dv = ds * (s_old - p)",
    ),
    Planted("extra-factor", "s carry: direct", "ds = ds * v + q", "ds = ds * v * v + q"),
    Planted("extra-factor", "dq", "(dav * s_old)", "(dav * s_old * v)"),
    Planted("transpose", "B", "B.T @ dah", "B @ dah"),
    Planted("transpose", "dB", "dah @ h_old.T", "h_old @ dah.T"),
    Planted("wrong-operand", "s carry: 1 - v", "ds = ds * v + q", "ds = ds * (1 - v) + q"),
    Planted("wrong-operand", "dC: p for s", "dah @ s_old.T", "dah @ p.T"),
    Planted("wrong-operand", "δp: v for 1 - v", "dp = ds * (1 - v)", "dp = ds * v"),
    Planted(
        "diagonal-wrong-side",
        "h carry: the slope after the product",
        "dh_back = B.T @ dah",
        "dh_back = (B.T @ dh) * (1 - h**2)",
    ),
    Planted("stale-cache", "v of the last step", "ps[t], vs[t]", "ps[t], vs[-1]", also=("wrong-time-index",)),
    Planted("corrupted-cache", "v in place", "dav = dv * v * (1 - v)", "v *= 1 - v\n        dav = dv * v"),
    Planted("wrong-scale", "dP", "dP += dp", "dP += 2 * dp", also=("double-counted",)),
    Planted(
        "clipped",
        "every weight",
        "    return dA, dB, dC, dP, dq, db, dx",
        "    dA, dB, dC, dP = (np.clip(d, -5, 5) for d in (dA, dB, dC, dP))\n    return dA, dB, dC, dP, dq, db, dx",
        needs=LARGE,
    ),
    Planted("clipped-in-recursion", "s carry", "+ C.T @ dah\n", "+ C.T @ dah\n        ds = np.clip(ds, -0.5, 0.5)\n"),
    Planted("sign", "δv", "(s_old - p)", "(p - s_old)"),
    Planted(
        "forward-backward-mismatch",
        "the new h reads p only in v",
        "s = v * ss[-1] + (1 - v) * p",
        "s = v * ss[-1] + (1 - v) * np.tanh(p)",
        also=("wrong-operand", "missing-derivative"),
    ),
]
