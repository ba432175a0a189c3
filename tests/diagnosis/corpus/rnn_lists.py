"""A vanilla RNN with an output layer left out: dicts of columns over time, in the style of a hundred-line gist."""
# ruff: noqa: RUF059

import numpy as np

from tests.diagnosis.corpus.planted import LARGE, Planted

CELL = "rnn"
ABOUT = "Wxh, Whh, bh; columns; hs[-1] is the initial state; gradients in a tuple in the inputs' order"


def make_inputs(rng, T, N):
    vocab_size, hidden_size = 4, 6
    inputs = {"inputs": rng.normal(size=(T, vocab_size, N)), "hprev": rng.normal(size=(hidden_size, N))}
    inputs["Wxh"] = 0.4 * rng.normal(size=(hidden_size, vocab_size))
    inputs["Whh"] = 0.4 * rng.normal(size=(hidden_size, hidden_size))
    inputs["bh"] = 0.4 * rng.normal(size=(hidden_size, 1))
    return inputs


def forward(inputs, hprev, Wxh, Whh, bh):
    xs, hs, zs = {}, {}, {}
    hs[-1] = np.copy(hprev)
    for t in range(len(inputs)):
        xs[t] = inputs[t]
        zs[t] = np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh
        hs[t] = np.tanh(zs[t])
    return np.array([hs[t] for t in range(len(inputs))]), hs[len(inputs) - 1], (xs, hs, zs, Wxh, Whh, bh)


def backward(dhs, dhlast, cache):
    xs, hs, zs, Wxh, Whh, bh = cache
    T = len(xs)
    dWxh, dWhh, dbh = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(bh)
    dxs = np.zeros((T, *xs[0].shape))
    dhnext = dhlast
    for t in reversed(range(T)):
        dh = dhs[t] + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += np.sum(dhraw, axis=1, keepdims=True)
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t - 1].T)
        dxs[t] = np.dot(Wxh.T, dhraw)
        dhnext = np.dot(Whh.T, dhraw)
    return dxs, dhnext, dWxh, dWhh, dbh


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "dh = dhs[t] + dhnext", "dh = dhs[t]", also=("missing-output",)),
    Planted(
        "recurrent-path-cut",
        "never assigned",
        "dhnext = np.dot(Whh.T, dhraw)",
        "dhprev = np.dot(Whh.T, dhraw)",
        more=(("return dxs, dhnext,", "return dxs, dhprev,"),),
        also=("extra-path",),
    ),
    Planted("missing-output", "h_T", "dhnext = dhlast", "dhnext = np.zeros_like(dhlast)"),
    Planted(
        "missing-output", "h_t before the last", "dh = dhs[t] + dhnext", "dh = (dhs[t] if t == T - 1 else 0) + dhnext"
    ),
    Planted("missing-output", "every h_t", "dh = dhs[t] + dhnext", "dh = dhnext"),
    Planted(
        "missing-path",
        "the initial state's gradient",
        "return dxs, dhnext,",
        "return dxs, np.zeros_like(dhnext),",
        also=("recurrent-path-cut", "initial-state"),
    ),
    Planted("derivative-at-output", "δa", "(1 - hs[t] * hs[t])", "(1 - np.tanh(hs[t]) ** 2)"),
    Planted("derivative-at-preactivation", "δa", "(1 - hs[t] * hs[t])", "(1 - zs[t] * zs[t])"),
    Planted("missing-derivative", "δa", "dhraw = (1 - hs[t] * hs[t]) * dh", "dhraw = dh"),
    Planted(
        "missing-derivative",
        "parentheses: the carry without it",
        "dhraw = (1 - hs[t] * hs[t]) * dh",
        "dhraw = (1 - hs[t] * hs[t]) * dhs[t] + dhnext",
    ),
    Planted("missing-derivative", "the carry only", "np.dot(Whh.T, dhraw)", "np.dot(Whh.T, dh)"),
    Planted("wrong-derivative", "δa: no square", "(1 - hs[t] * hs[t])", "(1 - hs[t])"),
    Planted("wrong-derivative", "δa: the sigmoid's", "(1 - hs[t] * hs[t])", "hs[t] * (1 - hs[t])"),
    Planted("wrong-derivative", "δa: relu's", "(1 - hs[t] * hs[t])", "(hs[t] > 0)"),
    Planted("wrong-derivative", "δa: 1 / (1 + a²)", "(1 - hs[t] * hs[t])", "(1 / (1 + zs[t] ** 2))"),
    Planted("wrong-time-index", "dWhh: the new h", "hs[t - 1].T", "hs[t].T", also=("wrong-operand",)),
    Planted(
        "wrong-time-index",
        "the slope one step late",
        "(1 - hs[t] * hs[t])",
        "(1 - hs[t - 1] * hs[t - 1])",
        also=("wrong-operand",),
    ),
    Planted("wrong-time-index", "dWxh", "np.dot(dhraw, xs[t].T)", "np.dot(dhraw, xs[max(t - 1, 0)].T)"),
    Planted(
        "initial-state",
        "dWhh at step 0 skipped",
        "np.dot(dhraw, hs[t - 1].T)",
        "np.dot(dhraw, hs[t - 1].T) if t > 0 else 0",
        also=("missing-accumulation",),
    ),
    Planted(
        "initial-state", "dWhh at step 0 reads the last", "hs[t - 1].T", "hs[(t - 1) % T].T", also=("wrong-time-index",)
    ),
    Planted(
        "initial-state",
        "forward from zeros",
        "hs[-1] = np.copy(hprev)",
        "hs[-1] = np.zeros_like(hprev)",
        also=("forward-backward-mismatch", "phantom-gradient"),
    ),
    Planted("missing-accumulation", "dWhh", "dWhh += ", "dWhh = "),
    Planted("missing-accumulation", "dbh", "dbh += ", "dbh = "),
    Planted(
        "missing-accumulation",
        "the loop stops early",
        "for t in reversed(range(T)):",
        "for t in reversed(range(1, T)):",
        also=("initial-state", "truncated", "recurrent-path-cut"),
    ),
    Planted("mean-for-sum", "dbh", "dbh += np.sum(", "dbh += np.mean("),
    Planted(
        "mean-for-sum",
        "weights over the batch",
        "np.dot(dhraw, xs[t].T)",
        "np.dot(dhraw, xs[t].T) / dh.shape[1]",
        more=(("np.dot(dhraw, hs[t - 1].T)", "np.dot(dhraw, hs[t - 1].T) / dh.shape[1]"),),
    ),
    Planted("double-counted", "dhs", "dh = dhs[t] + dhnext", "dh = 2 * dhs[t] + dhnext"),
    Planted(
        "double-counted",
        "h_T at the last step",
        "dh = dhs[t] + dhnext",
        "dh = dhs[t] + dhnext + (dhlast if t == T - 1 else 0)",
    ),
    Planted("bad-accumulator", "dWhh", "np.zeros_like(Whh)", "np.copy(Whh)", also=("extra-path",)),
    Planted("bad-accumulator", "dbh: ones", "np.zeros_like(bh)", "np.ones_like(bh)"),
    Planted(
        "extra-path",
        "dhlast at each step",
        "dh = dhs[t] + dhnext",
        "dh = dhs[t] + dhnext + (dhlast if t < T - 1 else 0)",
    ),
    Planted("extra-path", "h carry gets dh", "dhnext = np.dot(Whh.T, dhraw)", "dhnext = np.dot(Whh.T, dhraw) + dh"),
    Planted("extra-factor", "h carry", "np.dot(Whh.T, dhraw)", "np.dot(Whh.T, dhraw * hs[t])"),
    Planted("extra-factor", "the slope twice", "(1 - hs[t] * hs[t]) * dh", "(1 - hs[t] * hs[t]) ** 2 * dh"),
    Planted(
        "phantom-gradient",
        "the forward pass has no bias",
        "np.dot(Whh, hs[t - 1]) + bh",
        "np.dot(Whh, hs[t - 1])",
        also=("forward-backward-mismatch",),
    ),
    Planted("transpose", "h carry", "np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)"),
    Planted("transpose", "dWhh", "np.dot(dhraw, hs[t - 1].T)", "np.dot(hs[t - 1], dhraw.T)"),
    Planted(
        "diagonal-wrong-side",
        "h carry: the slope after the product",
        "dhnext = np.dot(Whh.T, dhraw)",
        "dhnext = (1 - hs[t] * hs[t]) * np.dot(Whh.T, dh)",
    ),
    Planted(
        "stale-cache",
        "h of the last step",
        "(1 - hs[t] * hs[t])",
        "(1 - hs[T - 1] * hs[T - 1])",
        also=("wrong-time-index",),
    ),
    Planted("wrong-scale", "dxs", "dxs[t] = np.dot", "dxs[t] = 0.5 * np.dot"),
    Planted(
        "clipped",
        "all parameters",
        "    return dxs, dhnext",
        "    for dparam in [dWxh, dWhh, dbh]:\n        np.clip(dparam, -5, 5, out=dparam)\n    return dxs, dhnext",
        needs=LARGE,
    ),
    Planted(
        "clipped-in-recursion",
        "h carry",
        "dhnext = np.dot(Whh.T, dhraw)",
        "dhnext = np.clip(np.dot(Whh.T, dhraw), -0.3, 0.3)",
    ),
    Planted(
        "truncated",
        "3 steps",
        "dh = dhs[t] + dhnext",
        "dh = dhs[t] + (dhnext if (T - 1 - t) % 3 else (dhlast if t == T - 1 else 0))",
        also=("recurrent-path-cut",),
    ),
    Planted("sign", "h carry", "dh = dhs[t] + dhnext", "dh = dhs[t] - dhnext"),
    Planted("sign", "dbh", "dbh += ", "dbh -= "),
    Planted("forward-backward-mismatch", "sigmoid in the forward pass", "np.tanh(zs[t])", "1 / (1 + np.exp(-zs[t]))"),
]
