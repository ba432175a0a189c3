"""GRU with z on the candidate, as in lecture notes; rows, Keras-like stacked columns r z n, reset before."""

import numpy as np

from tests.diagnosis.corpus.planted import Planted

CELL = "gru"
ABOUT = "batch first (N, T, D), kernel (D, 3H) and recurrent kernel (H, 3H) in columns r z n; arrays over time; a list"


def make_inputs(rng, T, N):
    D, H = 4, 3
    return {
        "kernel": rng.normal(size=(D, 3 * H)),
        "recurrent": 0.8 * rng.normal(size=(H, 3 * H)),
        "bias": rng.normal(size=3 * H),
        "x": rng.normal(size=(N, T, D)),
        "h0": rng.normal(size=(N, H)),
    }


def sigmoid(x):
    return np.exp(x) / (1 + np.exp(x))


def forward(kernel, recurrent, bias, x, h0):
    N, T, _ = x.shape
    H = h0.shape[1]
    dtype = np.result_type(kernel, recurrent, bias, x, h0)
    h = np.zeros((N, T + 1, H), dtype)
    r, z, n = np.zeros((3, N, T, H), dtype)
    h[:, 0] = h0
    for t in range(T):
        a = x[:, t] @ kernel + bias
        rz = sigmoid(a[:, : 2 * H] + h[:, t] @ recurrent[:, : 2 * H])
        r[:, t], z[:, t] = rz[:, :H], rz[:, H:]
        n[:, t] = np.tanh(a[:, 2 * H :] + (r[:, t] * h[:, t]) @ recurrent[:, 2 * H :])
        h[:, t + 1] = (1 - z[:, t]) * h[:, t] + z[:, t] * n[:, t]
    return h[:, 1:], (kernel, recurrent, x, h, r, z, n)


def backward(dh_seq, cache):
    kernel, recurrent, x, h, r, z, n = cache
    N, T, H = r.shape
    U_r, U_z, U_n = recurrent[:, :H], recurrent[:, H : 2 * H], recurrent[:, 2 * H :]
    delta = np.zeros((N, T, 3 * H))
    dh = np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        dh = dh + dh_seq[:, t]
        delta_n = dh * z[:, t] * (1 - n[:, t] ** 2)
        delta_z = dh * (n[:, t] - h[:, t]) * z[:, t] * (1 - z[:, t])
        drh = delta_n @ U_n.T
        delta_r = drh * h[:, t] * r[:, t] * (1 - r[:, t])
        delta[:, t] = np.hstack([delta_r, delta_z, delta_n])
        dh = dh * (1 - z[:, t]) + drh * r[:, t] + delta_z @ U_z.T + delta_r @ U_r.T
    d_kernel = np.einsum("ntd,ntk->dk", x, delta)
    d_rz = np.einsum("nth,ntk->hk", h[:, :-1], delta[..., : 2 * H])
    d_n = np.einsum("nth,ntk->hk", r * h[:, :-1], delta[..., 2 * H :])
    d_bias = delta.sum(axis=(0, 1))
    return [d_kernel, np.hstack([d_rz, d_n]), d_bias, delta @ kernel.T, dh]


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "dh = dh + dh_seq[:, t]", "dh = dh_seq[:, t]"),
    Planted(
        "missing-path",
        "h carry: direct",
        "dh = dh * (1 - z[:, t]) + drh * r[:, t]",
        "dh = drh * r[:, t]",
        also=("recurrent-path-cut",),
    ),
    Planted(
        "missing-path",
        "h carry: candidate",
        "(1 - z[:, t]) + drh * r[:, t] +",
        "(1 - z[:, t]) +",
        also=("recurrent-path-cut",),
    ),
    Planted("missing-path", "h carry: gates", " + delta_z @ U_z.T + delta_r @ U_r.T", "", also=("recurrent-path-cut",)),
    Planted("missing-path", "δz: the old state", "dh * (n[:, t] - h[:, t]) *", "dh * n[:, t] *"),
    Planted("missing-path", "δx: the candidate", "delta @ kernel.T", "delta[..., : 2 * H] @ kernel[:, : 2 * H].T"),
    Planted(
        "missing-path",
        "δr: not computed",
        "np.hstack([delta_r, delta_z, delta_n])",
        "np.hstack([0 * delta_r, delta_z, delta_n])",
    ),
    Planted("derivative-at-output", "δa_n", "n[:, t] ** 2", "np.tanh(n[:, t]) ** 2"),
    Planted("derivative-at-output", "δa_z", "z[:, t] * (1 - z[:, t])\n", "sigmoid(z[:, t]) * (1 - sigmoid(z[:, t]))\n"),
    Planted("missing-derivative", "δa_r", "h[:, t] * r[:, t] * (1 - r[:, t])", "h[:, t]"),
    Planted("missing-derivative", "δa_n", " * (1 - n[:, t] ** 2)", ""),
    Planted(
        "missing-derivative", "δa_z: z", "* z[:, t] * (1 - z[:, t])\n", "* (1 - z[:, t])\n", also=("wrong-derivative",)
    ),
    Planted("wrong-derivative", "δa_n: 1 + n²", "(1 - n[:, t] ** 2)", "(1 + n[:, t] ** 2)"),
    Planted("wrong-derivative", "δa_n: of a sigmoid", "(1 - n[:, t] ** 2)", "n[:, t] * (1 - n[:, t])"),
    Planted(
        "wrong-time-index",
        "d_rz",
        '"nth,ntk->hk", h[:, :-1], delta',
        '"nth,ntk->hk", h[:, 1:], delta',
        also=("wrong-operand",),
    ),
    Planted("wrong-time-index", "d_n", "r * h[:, :-1], delta", "r * h[:, 1:], delta", also=("wrong-operand",)),
    Planted("wrong-time-index", "δr", "drh * h[:, t] *", "drh * h[:, t + 1] *", also=("wrong-operand",)),
    Planted(
        "wrong-time-index",
        "h carry: z of the next step",
        "dh * (1 - z[:, t]) + drh",
        "dh * (1 - z[:, min(t + 1, T - 1)]) + drh",
    ),
    Planted(
        "initial-state",
        "d_rz without step 0",
        "h[:, :-1], delta[..., : 2 * H])",
        "h[:, 1:-1], delta[:, 1:, : 2 * H])",
        also=("missing-accumulation",),
    ),
    Planted(
        "initial-state",
        "d_n: the last for the initial state",
        "r * h[:, :-1], delta",
        "r * np.roll(h[:, 1:], 1, axis=1), delta",
        also=("wrong-time-index",),
    ),
    Planted("missing-accumulation", "bias: last step", "delta.sum(axis=(0, 1))", "delta[:, -1].sum(axis=0)"),
    Planted(
        "missing-accumulation",
        "kernel without step 0",
        '"ntd,ntk->dk", x, delta',
        '"ntd,ntk->dk", x[:, 1:], delta[:, 1:]',
    ),
    Planted("mean-for-sum", "bias", "delta.sum(axis=(0, 1))", "delta.sum(axis=1).mean(axis=0)"),
    Planted(
        "mean-for-sum",
        "kernel over time",
        '"ntd,ntk->dk", x, delta)',
        '"ntd,ntk->dk", x, delta) / T',
        also=("wrong-scale",),
    ),
    Planted("double-counted", "δz's h path", "+ delta_z @ U_z.T", "+ delta_z @ U_z.T + delta_z @ U_z.T"),
    Planted(
        "bad-accumulator",
        "h carry starts with the last state",
        "dh = np.zeros((N, H))",
        "dh = h[:, -1]",
        also=("extra-path",),
    ),
    Planted(
        "extra-path",
        "h carry: z δh of the other convention",
        "dh = dh * (1 - z[:, t]) +",
        "dh = dh * (1 - z[:, t]) + dh * z[:, t] +",
        also=("wrong-operand", "missing-factor"),
    ),
    Planted(
        "extra-factor",
        "h carry: r on the direct path",
        "dh = dh * (1 - z[:, t]) +",
        "dh = dh * (1 - z[:, t]) * r[:, t] +",
    ),
    Planted("extra-factor", "δa_z", "dh * (n[:, t] - h[:, t]) *", "dh * (n[:, t] - h[:, t]) * n[:, t] *"),
    Planted("transpose", "U_n", "drh = delta_n @ U_n.T", "drh = delta_n @ U_n"),
    Planted("transpose", "U_r", "delta_r @ U_r.T", "delta_r @ U_r"),
    Planted("transpose", "d_n", '"nth,ntk->hk", r * h[:, :-1]', '"nth,ntk->kh", r * h[:, :-1]'),
    Planted(
        "wrong-operand",
        "d_n without r",
        "r * h[:, :-1], delta",
        "h[:, :-1], delta",
        also=("forward-backward-mismatch",),
    ),
    Planted("wrong-operand", "δn: 1 - z", "dh * z[:, t] * (1 - n", "dh * (1 - z[:, t]) * (1 - n"),
    Planted("wrong-operand", "d_n: z for r", "r * h[:, :-1], delta", "z * h[:, :-1], delta"),
    Planted(
        "diagonal-wrong-side", "h carry: r inside", "drh * r[:, t] + delta_z", "(delta_n * r[:, t]) @ U_n.T + delta_z"
    ),
    Planted(
        "gate-swapped",
        "order z r n",
        "np.hstack([delta_r, delta_z, delta_n])",
        "np.hstack([delta_z, delta_r, delta_n])",
    ),
    Planted("wrong-operand", "U blocks read as z r n", "U_r, U_z, U_n =", "U_z, U_r, U_n =", also=("gate-swapped",)),
    Planted("stale-cache", "n of the last step", "n[:, t] ** 2", "n[:, -1] ** 2", also=("wrong-time-index",)),
    Planted(
        "corrupted-cache",
        "n overwritten with its slope",
        "delta_n = dh * z[:, t] * (1 - n[:, t] ** 2)",
        "n[:, t] = 1 - n[:, t] ** 2\n        delta_n = dh * z[:, t] * n[:, t]",
    ),
    Planted(
        "corrupted-cache",
        "r overwritten with r h",
        "a[:, 2 * H :] + (r[:, t] * h[:, t]) @",
        "a[:, 2 * H :] + np.multiply(r[:, t], h[:, t], out=r[:, t]) @",
    ),
    Planted(
        "truncated",
        "4 steps",
        "dh = np.zeros((N, H))\n    for t in range(T - 1, -1, -1):\n",
        "dh = np.zeros((N, H))\n    for t in range(T - 1, max(T - 5, -1), -1):\n",
        also=("missing-accumulation", "initial-state"),
    ),
    Planted("wrong-scale", "bias", "delta.sum(axis=(0, 1))", "2 * delta.sum(axis=(0, 1))", also=("double-counted",)),
    Planted("sign", "δa_z", "(n[:, t] - h[:, t])", "(h[:, t] - n[:, t])"),
    Planted("clipped-in-recursion", "δh", "dh = dh + dh_seq[:, t]", "dh = np.clip(dh + dh_seq[:, t], -1, 1)"),
    Planted(
        "forward-backward-mismatch",
        "reset after in the forward pass",
        "(r[:, t] * h[:, t]) @ recurrent[:, 2 * H :]",
        "r[:, t] * (h[:, t] @ recurrent[:, 2 * H :])",
    ),
]
