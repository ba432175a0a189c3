"""A vanilla RNN on [x, h] with one matrix, arrays over time, the parameter gradient as one product."""

import numpy as np

from tests.diagnosis.corpus.planted import Planted

CELL = "rnn"
ABOUT = "one matrix (D + H, H) on [x, h], rows; arrays over time; deltas kept, one product after the loop; no list"


def make_inputs(rng, T, N):
    d, n = 5, 3
    return {
        "h0": rng.normal(size=(N, n)),
        "x": rng.normal(size=(T, N, d)),
        "W": rng.normal(size=(d + n, n)) / 2,
        "b": rng.normal(size=n),
    }


def forward(h0, x, W, b):
    v, h = [], [h0]
    for x_t in x:
        v.append(np.concatenate((x_t, h[-1]), axis=1))
        h.append(np.tanh(v[-1] @ W + b))
    return np.stack(h[1:]), (np.stack(v), np.stack(h), W)


def backward(g, cache):
    v, h, W = cache
    T, N, n = g.shape
    d = W.shape[0] - n
    delta = (1 - h[1:] ** 2) * g
    for t in range(T - 1, 0, -1):
        delta[t - 1] += (1 - h[t] ** 2) * (delta[t] @ W[d:].T)
    gv = delta @ W.T
    gW = v.reshape(T * N, d + n).T @ delta.reshape(T * N, n)
    gb = delta.sum(axis=(0, 1))
    return {"h0": gv[0, :, d:], "x": gv[:, :, :d], "W": gW, "b": gb}


MISTAKES: list[Planted] = [
    Planted(
        "recurrent-path-cut",
        "δ carry",
        "        delta[t - 1] += (1 - h[t] ** 2) * (delta[t] @ W[d:].T)\n",
        "        pass\n",
    ),
    Planted(
        "missing-output",
        "h_t before the last",
        "delta[t - 1] += (1",
        "delta[t - 1] = (1",
        also=("missing-path", "missing-accumulation"),
    ),
    Planted(
        "missing-path",
        "h0 not from δ_0",
        '"h0": gv[0, :, d:]',
        '"h0": np.zeros((N, n))',
        also=("recurrent-path-cut", "initial-state"),
    ),
    Planted(
        "derivative-at-output",
        "from the outputs",
        "delta = (1 - h[1:] ** 2) * g",
        "delta = (1 - np.tanh(h[1:]) ** 2) * g",
    ),
    Planted(
        "derivative-at-output",
        "both",
        "delta = (1 - h[1:] ** 2) * g",
        "delta = (1 - np.tanh(h[1:]) ** 2) * g",
        more=(("(1 - h[t] ** 2)", "(1 - np.tanh(h[t]) ** 2)"),),
    ),
    Planted("derivative-at-output", "in the carry", "(1 - h[t] ** 2)", "(1 - np.tanh(h[t]) ** 2)"),
    Planted("missing-derivative", "in the carry", "(1 - h[t] ** 2) * (delta[t] @ W[d:].T)", "delta[t] @ W[d:].T"),
    Planted("missing-derivative", "from the outputs", "delta = (1 - h[1:] ** 2) * g", "delta = g.copy()"),
    Planted("wrong-derivative", "in the carry: no square", "(1 - h[t] ** 2)", "(1 - h[t])"),
    Planted(
        "wrong-derivative",
        "both: no square",
        "delta = (1 - h[1:] ** 2) * g",
        "delta = (1 - h[1:]) * g",
        more=(("(1 - h[t] ** 2)", "(1 - h[t])"),),
    ),
    Planted(
        "wrong-derivative",
        "both: the sigmoid's",
        "delta = (1 - h[1:] ** 2) * g",
        "delta = h[1:] * (1 - h[1:]) * g",
        more=(("(1 - h[t] ** 2)", "h[t] * (1 - h[t])"),),
    ),
    Planted(
        "derivative-at-preactivation",
        "both",
        "return np.stack(h[1:]), (np.stack(v), np.stack(h), W)",
        "a = np.stack(v) @ W + b\n    return np.stack(h[1:]), (np.stack(v), np.stack(h), W, a)",
        more=(
            ("v, h, W = cache", "v, h, W, a = cache"),
            ("(1 - h[1:] ** 2)", "(1 - a**2)"),
            ("(1 - h[t] ** 2)", "(1 - a[t - 1] ** 2)"),
        ),
    ),
    Planted("wrong-time-index", "in the carry", "(1 - h[t] ** 2)", "(1 - h[t + 1] ** 2)"),
    Planted("wrong-time-index", "from the outputs: T + 1 entries read at t", "(1 - h[1:] ** 2)", "(1 - h[:-1] ** 2)"),
    Planted(
        "wrong-time-index",
        "dW: the deltas of the next step",
        "gW = v.reshape(T * N, d + n).T @ delta.reshape(T * N, n)",
        "gW = v[:-1].reshape(-1, d + n).T @ delta[1:].reshape(-1, n)",
    ),
    Planted(
        "wrong-time-index",
        "dW: the new h",
        "gW = v.reshape",
        "v[:, :, d:] = h[1:]\n    gW = v.reshape",
        also=("wrong-operand",),
    ),
    Planted(
        "initial-state",
        "dW: h_0 as zeros",
        "gW = v.reshape",
        "v[0, :, d:] = 0\n    gW = v.reshape",
        also=("missing-accumulation",),
    ),
    Planted(
        "initial-state",
        "the loop stops before step 0",
        "range(T - 1, 0, -1)",
        "range(T - 1, 1, -1)",
        also=("recurrent-path-cut", "truncated"),
    ),
    Planted("missing-accumulation", "db: the first step", "delta.sum(axis=(0, 1))", "delta[0].sum(axis=0)"),
    Planted(
        "missing-accumulation",
        "dW without step 0",
        "gW = v.reshape(T * N, d + n).T @ delta.reshape(T * N, n)",
        "gW = v[1:].reshape(-1, d + n).T @ delta[1:].reshape(-1, n)",
    ),
    Planted("mean-for-sum", "db", "delta.sum(axis=(0, 1))", "delta.mean(axis=(0, 1))"),
    Planted(
        "mean-for-sum",
        "dW over the batch",
        "@ delta.reshape(T * N, n)",
        "@ delta.reshape(T * N, n) / N",
        also=("wrong-scale",),
    ),
    Planted("double-counted", "δ carry", "delta[t - 1] += (1", "delta[t - 1] += 2 * (1", also=("extra-factor",)),
    Planted("double-counted", "db", "delta.sum(axis=(0, 1))", "2 * delta.sum(axis=(0, 1))", also=("wrong-scale",)),
    Planted(
        "bad-accumulator",
        "δ starts with g",
        "delta = (1 - h[1:] ** 2) * g",
        "delta = g + (1 - h[1:] ** 2) * g",
        also=("extra-path",),
    ),
    Planted(
        "extra-path",
        "δ carry: g again",
        "* (delta[t] @ W[d:].T)",
        "* (g[t - 1] + delta[t] @ W[d:].T)",
        also=("double-counted",),
    ),
    Planted("extra-path", "δ carry: the identity", "* (delta[t] @ W[d:].T)", "* (delta[t] + delta[t] @ W[d:].T)"),
    Planted("extra-factor", "the slope twice in the carry", "(1 - h[t] ** 2)", "(1 - h[t] ** 2) ** 2"),
    Planted("transpose", "δ carry", "W[d:].T)", "W[d:])"),
    Planted(
        "wrong-operand",
        "dx and dh of one product exchanged",
        '"h0": gv[0, :, d:], "x": gv[:, :, :d]',
        '"h0": gv[0, :, :n], "x": gv[:, :, n:]',
    ),
    Planted("wrong-operand", "the recurrent rows are the first ones", "W[d:].T)", "W[:n].T)"),
    Planted(
        "diagonal-wrong-side",
        "δ carry",
        "(1 - h[t] ** 2) * (delta[t] @ W[d:].T)",
        "((1 - h[t] ** 2) * delta[t]) @ W[d:].T",
    ),
    Planted("stale-cache", "the last h", "(1 - h[t] ** 2)", "(1 - h[-1] ** 2)", also=("wrong-time-index",)),
    Planted(
        "corrupted-cache",
        "h is squared in place",
        "delta = (1 - h[1:] ** 2) * g",
        "np.square(h, out=h)\n    delta = (1 - h[1:]) * g",
    ),
    Planted("wrong-scale", "h0", "gv[0, :, d:]", "gv[0, :, d:] / N", also=("mean-for-sum",)),
    Planted("clipped-in-recursion", "δ", "* (delta[t] @ W[d:].T)", "* np.clip(delta[t] @ W[d:].T, -0.2, 0.2)"),
    Planted("clipped", "by the norm", '"W": gW', '"W": gW / max(1, np.linalg.norm(gW))'),
    Planted("sign", "δ carry", "delta[t - 1] += (1", "delta[t - 1] -= (1"),
    Planted(
        "phantom-gradient",
        "no bias in the forward pass",
        "v[-1] @ W + b",
        "v[-1] @ W",
        also=("forward-backward-mismatch",),
    ),
    Planted(
        "truncated",
        "2 steps",
        "        delta[t - 1] += (1 - h[t]",
        "        if t % 2:\n            delta[t - 1] += (1 - h[t]",
        also=("recurrent-path-cut",),
    ),
]
