"""A tanh RNN, batch first, two biases, with the pre-activation delta carried back in place of dh."""
# ruff: noqa: E501

import numpy as np

from tests.diagnosis.corpus.planted import LARGE, Planted

CELL = "rnn_two_biases"
ABOUT = "(N, T, D); w_ih, w_hh, b_ih, b_hh; deltas of pre-activations carried; final state as second output; by name"


def make_inputs(rng, T, N):
    D, H = 6, 4
    return {
        "x": rng.normal(size=(N, T, D)),
        "h0": rng.normal(size=(N, H)),
        "w_ih": 0.4 * rng.normal(size=(H, D)),
        "b_ih": 0.4 * rng.normal(size=H),
        "w_hh": 0.4 * rng.normal(size=(H, H)),
        "b_hh": 0.4 * rng.normal(size=H),
    }


def forward(x, h0, w_ih, b_ih, w_hh, b_hh):
    hs = [h0]
    for t in range(x.shape[1]):
        hs.append(np.tanh(x[:, t] @ w_ih.T + b_ih + hs[t] @ w_hh.T + b_hh))
    out = np.stack(hs[1:], axis=1)
    return out, out[:, -1], {"x": x, "h0": h0, "out": out, "w_ih": w_ih, "w_hh": w_hh}


def backward(dout, dlast, cache):
    x, h0, out, w_ih, w_hh = (cache[k] for k in ("x", "h0", "out", "w_ih", "w_hh"))
    N, T, H = out.shape
    dx = np.empty(x.shape)
    dw_ih = np.zeros(w_ih.shape)
    dw_hh = np.zeros(w_hh.shape)
    db_ih = np.zeros(H)
    db_hh = np.zeros(H)
    delta_next = np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        h_prev = out[:, t - 1] if t > 0 else h0
        error = dout[:, t] + delta_next @ w_hh
        if t == T - 1:
            error += dlast
        delta = error * (1 - out[:, t] ** 2)
        dw_ih += delta.T @ x[:, t]
        dw_hh += delta.T @ h_prev
        db_ih += delta.sum(axis=0)
        db_hh += delta.sum(0)
        dx[:, t] = delta @ w_ih
        delta_next = delta
    dh0 = delta_next @ w_hh
    return {"x": dx, "h0": dh0, "w_ih": dw_ih, "b_ih": db_ih, "w_hh": dw_hh, "b_hh": db_hh}


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "never assigned", "        delta_next = delta\n", ""),
    Planted(
        "recurrent-path-cut",
        "the carry is not used",
        "error = dout[:, t] + delta_next @ w_hh",
        "error = dout[:, t].copy()",
    ),
    Planted(
        "missing-path",
        "h0's gradient",
        "dh0 = delta_next @ w_hh",
        "dh0 = np.zeros(h0.shape)",
        also=("recurrent-path-cut", "initial-state"),
    ),
    Planted("missing-output", "h_T", "            error += dlast\n", "            pass\n"),
    Planted("missing-output", "all h_t", "error = dout[:, t] + delta_next @ w_hh", "error = delta_next @ w_hh"),
    Planted("missing-output", "h_T replaces dout", "error += dlast", "error = dlast"),
    Planted("derivative-at-output", "δ", "(1 - out[:, t] ** 2)", "(1 - np.tanh(out[:, t]) ** 2)"),
    Planted("missing-derivative", "δ", "error * (1 - out[:, t] ** 2)", "error"),
    Planted("missing-derivative", "δ, in the carry only", "delta_next = delta\n", "delta_next = error\n"),
    Planted("wrong-derivative", "δ", "(1 - out[:, t] ** 2)", "out[:, t] * (1 - out[:, t])"),
    Planted("wrong-derivative", "δ: exponent", "(1 - out[:, t] ** 2)", "(1 - out[:, t]) ** 2"),
    Planted(
        "wrong-time-index",
        "h_prev",
        "h_prev = out[:, t - 1] if t > 0 else h0",
        "h_prev = out[:, t]",
        also=("wrong-operand",),
    ),
    Planted("wrong-time-index", "the slope", "(1 - out[:, t] ** 2)", "(1 - h_prev**2)", also=("wrong-operand",)),
    Planted("wrong-time-index", "x", "delta.T @ x[:, t]", "delta.T @ x[:, t - 1]"),
    Planted("wrong-time-index", "dout from the other end", "error = dout[:, t]", "error = dout[:, T - 1 - t]"),
    Planted("initial-state", "zeros for h0", "if t > 0 else h0", "if t > 0 else np.zeros_like(h0)"),
    Planted(
        "initial-state",
        "h_prev wraps round",
        "h_prev = out[:, t - 1] if t > 0 else h0",
        "h_prev = out[:, t - 1]",
        also=("wrong-time-index",),
    ),
    Planted(
        "initial-state",
        "h0's gradient is δ",
        "dh0 = delta_next @ w_hh",
        "dh0 = delta_next",
        also=("missing-path", "missing-factor", "wrong-operand"),
    ),
    Planted("missing-accumulation", "dw_ih", "dw_ih += ", "dw_ih = "),
    Planted("missing-accumulation", "dw_hh", "dw_hh += ", "dw_hh = "),
    Planted("missing-accumulation", "db_hh", "db_hh += ", "db_hh = "),
    Planted("mean-for-sum", "db_ih", "db_ih += delta.sum(axis=0)", "db_ih += delta.mean(axis=0)"),
    Planted(
        "mean-for-sum",
        "parameters over time",
        "    dh0 = delta_next @ w_hh\n",
        "    dh0 = delta_next @ w_hh\n    dw_ih, dw_hh, db_ih, db_hh = (d / T for d in (dw_ih, dw_hh, db_ih, db_hh))\n",
        also=("wrong-scale",),
    ),
    Planted(
        "double-counted",
        "biases: both into one",
        "        db_ih += delta.sum(axis=0)\n        db_hh += delta.sum(0)\n",
        "        db_ih += delta.sum(axis=0)\n        db_hh = db_ih\n        db_hh += delta.sum(0)\n",
        also=("wrong-scale",),
    ),
    Planted("double-counted", "h_T at the last step", "error += dlast", "error += 2 * dlast"),
    Planted("bad-accumulator", "dw_ih", "dw_ih = np.zeros(w_ih.shape)", "dw_ih = w_ih.copy()", also=("extra-path",)),
    Planted("bad-accumulator", "db_hh", "db_hh = np.zeros(H)", "db_hh = np.ones(H)"),
    Planted(
        "bad-accumulator",
        "carry starts with h_T",
        "delta_next = np.zeros((N, H))",
        "delta_next = out[:, -1]",
        also=("extra-path",),
    ),
    Planted(
        "extra-path",
        "h_T's cotangent at each step",
        "        if t == T - 1:\n            error += dlast\n",
        "        error += dlast\n",
    ),
    Planted(
        "extra-path",
        "the carry without the product as well",
        "error = dout[:, t] + delta_next @ w_hh",
        "error = dout[:, t] + delta_next @ w_hh + delta_next",
    ),
    Planted(
        "missing-path",
        "the carry: no product",
        "error = dout[:, t] + delta_next @ w_hh",
        "error = dout[:, t] + delta_next",
        also=("missing-factor", "wrong-operand"),
    ),
    Planted(
        "extra-factor",
        "the carry: the slope twice",
        "delta_next = delta\n",
        "delta_next = delta * (1 - out[:, t] ** 2)\n",
    ),
    Planted("extra-factor", "δ", "error * (1 - out[:, t] ** 2)", "error * (1 - out[:, t] ** 2) * out[:, t]"),
    Planted(
        "phantom-gradient",
        "b_hh is not read",
        "hs[t] @ w_hh.T + b_hh",
        "hs[t] @ w_hh.T",
        also=("forward-backward-mismatch",),
    ),
    Planted("transpose", "the carry", "dout[:, t] + delta_next @ w_hh", "dout[:, t] + delta_next @ w_hh.T"),
    Planted("transpose", "the carry, everywhere", "delta_next @ w_hh", "delta_next @ w_hh.T", count=2),
    Planted("transpose", "dw_hh", "delta.T @ h_prev", "h_prev.T @ delta"),
    Planted(
        "extra-factor",
        "dw_hh: times the new h",
        "dw_hh += delta.T @ h_prev",
        "dw_hh += delta.T @ (h_prev * out[:, t])",
        also=("wrong-operand",),
    ),
    Planted(
        "diagonal-wrong-side",
        "the slope before the product",
        "delta = error * (1 - out[:, t] ** 2)",
        "delta = dout[:, t] * (1 - out[:, t] ** 2) + (delta_next * (1 - out[:, t] ** 2)) @ w_hh\n        if t == T - 1:\n            delta += dlast * (1 - out[:, t] ** 2)",
    ),
    Planted(
        "stale-cache", "the last output", "(1 - out[:, t] ** 2)", "(1 - out[:, -1] ** 2)", also=("wrong-time-index",)
    ),
    Planted(
        "stale-cache",
        "h_prev of the first step",
        "h_prev = out[:, t - 1] if t > 0 else h0",
        "h_prev = h0",
        also=("wrong-time-index",),
    ),
    Planted(
        "corrupted-cache",
        "out is squared in place",
        "delta_next = np.zeros((N, H))\n    for",
        "delta_next = np.zeros((N, H))\n    slope = 1 - np.square(out, out=out)\n    for",
        more=(("error * (1 - out[:, t] ** 2)", "error * slope[:, t]"),),
    ),
    Planted("wrong-scale", "w_ih", '"w_ih": dw_ih', '"w_ih": dw_ih / 2'),
    Planted("clipped", "w_hh", '"w_hh": dw_hh', '"w_hh": np.clip(dw_hh, -10, 10)', needs=LARGE),
    Planted("clipped-in-recursion", "δ", "delta_next = delta\n", "delta_next = np.clip(delta, -0.5, 0.5)\n"),
    Planted(
        "truncated",
        "3 steps",
        "delta_next = delta\n",
        "delta_next = delta if (T - t) % 3 else np.zeros((N, H))\n",
        also=("recurrent-path-cut",),
    ),
    Planted("sign", "δ", "delta = error *", "delta = -error *"),
]
