"""RNN with relu, in the style of a step function decorated with its own backward closure."""

import numpy as np

from tests.diagnosis.corpus.planted import LARGE, Planted

CELL = "rnn_relu"
ABOUT = "relu; each step returns a closure that goes back; weights (H, D) and (H, H), rows; last state only as output"


def make_inputs(rng, T, N):
    D, H = 3, 6
    return {
        "U": 0.5 * rng.normal(size=(H, D)),
        "V": 0.6 * rng.normal(size=(H, H)),
        "c": 0.3 + 0.5 * rng.normal(size=H),
        "s0": np.abs(rng.normal(size=(N, H))),
        "x": rng.normal(size=(T, N, D)),
    }


def affine(U, V, c, x, s):
    def back(d):
        return d.T @ x, d.T @ s, d.sum(axis=0), d @ V, d @ U

    return x @ U.T + s @ V.T + c, back


def relu(a):
    mask = a > 0

    def back(dy):
        return dy * mask

    return a * mask, back


def forward(U, V, c, s0, x):
    s, backs = s0, []
    for t in range(x.shape[0]):
        a, affine_back = affine(U, V, c, x[t], s)
        s, relu_back = relu(a)
        backs.append((affine_back, relu_back))
    return s, (backs, U, V, c, x)


def backward(ds, cache):
    backs, U, V, c, x = cache
    dU, dV, dc, dx = np.zeros_like(U), np.zeros_like(V), np.zeros_like(c), np.zeros_like(x)
    for t in range(len(backs) - 1, -1, -1):
        affine_back, relu_back = backs[t]
        da = relu_back(ds)
        du, dv, db, ds, dx[t] = affine_back(da)
        dU += du
        dV += dv
        dc += db
    return dU, dV, dc, ds, dx


MISTAKES: list[Planted] = [
    Planted(
        "recurrent-path-cut",
        "h carry",
        "        da = relu_back(ds)\n",
        "        da = relu_back(ds if t == len(backs) - 1 else np.zeros_like(ds))\n",
        also=("missing-output",),
    ),
    Planted("missing-derivative", "δa", "return dy * mask", "return dy"),
    Planted("wrong-derivative", "δa: that of abs", "return dy * mask", "return dy * np.sign(a.real)"),
    Planted("wrong-derivative", "δa: a leaky slope", "return dy * mask", "return dy * np.where(mask, 1, 0.01)"),
    Planted("wrong-derivative", "δa: that of tanh", "return dy * mask", "return dy * (1 - (a * mask) ** 2)"),
    Planted(
        "wrong-operand",
        "δa: a for [a > 0]",
        "return dy * mask",
        "return dy * a * mask",
        also=("extra-factor", "wrong-derivative"),
    ),
    Planted("wrong-derivative", "δa: the mask inverted", "return dy * mask", "return dy * ~mask"),
    Planted(
        "wrong-time-index",
        "dV: the new state",
        "return s, (backs, U, V, c, x)",
        "states.append(s)\n    return s, (backs, U, V, c, x, states)",
        more=(
            ("s, backs = s0, []", "s, backs, states = s0, [], []"),
            ("a, affine_back = affine", "states.append(s)\n        a, affine_back = affine"),
            ("backs, U, V, c, x = cache", "backs, U, V, c, x, states = cache"),
            ("dV += dv", "dV += da.T @ states[t + 1]"),
        ),
        also=("wrong-operand",),
    ),
    Planted("wrong-time-index", "dx of the step before", "dx[t] = affine_back(da)", "dx[t - 1] = affine_back(da)"),
    Planted(
        "initial-state",
        "forward from zeros",
        "s, backs = s0, []",
        "s, backs = np.zeros_like(s0), []",
        also=("forward-backward-mismatch", "phantom-gradient"),
    ),
    Planted("initial-state", "dV without step 0", "dV += dv", "dV += dv * (t > 0)", also=("missing-accumulation",)),
    Planted("missing-accumulation", "dU", "dU += du", "dU = du"),
    Planted("missing-accumulation", "dV", "dV += dv", "dV = dv"),
    Planted("missing-accumulation", "dc", "dc += db", "dc = db"),
    Planted("mean-for-sum", "dc", "d.sum(axis=0)", "d.mean(axis=0)"),
    Planted("mean-for-sum", "dU over the batch", "return d.T @ x,", "return d.T @ x / len(x),", also=("wrong-scale",)),
    Planted(
        "mean-for-sum",
        "over time",
        "    return dU, dV, dc, ds, dx",
        "    T = len(backs)\n    return dU / T, dV / T, dc / T, ds, dx",
        also=("wrong-scale",),
    ),
    Planted("double-counted", "dc", "dc += db", "dc += db + db", also=("wrong-scale",)),
    Planted("double-counted", "dV added to itself", "dV += dv", "dV += dV + dv", also=("bad-accumulator",)),
    Planted("bad-accumulator", "dV is V", "np.zeros_like(V)", "V.copy()", also=("extra-path",)),
    Planted("bad-accumulator", "dc: ones", "np.zeros_like(c)", "np.ones_like(c)"),
    Planted(
        "extra-path",
        "the final cotangent at each step",
        "    for t in range(len(backs) - 1, -1, -1):\n",
        "    dlast = ds\n    for t in range(len(backs) - 1, -1, -1):\n",
        more=(("da = relu_back(ds)", "da = relu_back(ds + dlast * (t < len(backs) - 1))"),),
    ),
    Planted("extra-path", "h carry gets da", "d @ V, d @ U", "d @ V + d, d @ U"),
    Planted("extra-factor", "h carry", "d @ V, d @ U", "(d @ V) * s, d @ U"),
    Planted(
        "phantom-gradient", "no bias in the forward pass", "s @ V.T + c", "s @ V.T", also=("forward-backward-mismatch",)
    ),
    Planted("transpose", "h carry", "d @ V, d @ U", "d @ V.T, d @ U"),
    Planted("transpose", "dV", "d.T @ s, d.sum", "s.T @ d, d.sum"),
    Planted(
        "diagonal-wrong-side",
        "the mask after the product",
        "da = relu_back(ds)",
        "da = ds",
        more=(("dx[t] = affine_back(da)", "dx[t] = affine_back(da)\n        ds = relu_back(ds)"),),
        also=("missing-derivative",),
    ),
    Planted(
        "stale-cache",
        "one closure for all steps",
        "affine_back, relu_back = backs[t]",
        "affine_back, relu_back = backs[-1]",
    ),
    Planted(
        "stale-cache",
        "the last step's mask",
        "affine_back, relu_back = backs[t]",
        "affine_back, relu_back = backs[t][0], backs[-1][1]",
        also=("wrong-time-index",),
    ),
    Planted("wrong-scale", "dU", "return d.T @ x,", "return 2 * d.T @ x,", also=("double-counted",)),
    Planted(
        "clipped",
        "all",
        "    return dU, dV, dc, ds, dx",
        "    return *(np.clip(g, -5, 5) for g in (dU, dV, dc)), ds, dx",
        needs=LARGE,
    ),
    Planted("clipped-in-recursion", "δa", "da = relu_back(ds)", "da = np.clip(relu_back(ds), -0.2, 0.2)"),
    Planted(
        "truncated",
        "2 steps",
        "range(len(backs) - 1, -1, -1)",
        "range(len(backs) - 1, max(len(backs) - 3, -1), -1)",
        also=("missing-accumulation", "recurrent-path-cut"),
    ),
    Planted("sign", "h carry", "d @ V, d @ U", "-d @ V, d @ U"),
]
