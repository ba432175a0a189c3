# ruff: noqa
# fmt: off
"""A character model in one script: weights are globals, characters are numbers, columns."""
import numpy as np

data = 'the cat sat on the mat and the dog sat on the log'
chars = sorted(set('abcde'))
vocab_size = len(chars)
hidden_size = 7
rng = np.random.default_rng(0)

Wxh = rng.standard_normal((hidden_size, vocab_size)) * 0.5
Whh = rng.standard_normal((hidden_size, hidden_size)) * 0.5
Why = rng.standard_normal((vocab_size, hidden_size)) * 0.5
bh = rng.standard_normal((hidden_size, 1)) * 0.1
by = rng.standard_normal((vocab_size, 1)) * 0.1


def lossFun(inputs, targets, hprev):
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    # forward
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        ys[t] = Why @ hs[t] + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    # backward
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += dy @ hs[t].T
        dby += dy
        dh = Why.T @ dy + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += dhraw @ xs[t].T
        dWhh += dhraw @ hs[t - 1].T
        dhnext = Whh.T @ dhraw
    return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]


def make_inputs(rng, T, N):
    return {"inputs": list(rng.integers(vocab_size, size=T)), "targets": list(rng.integers(vocab_size, size=T)),
            "hprev": rng.normal(size=(hidden_size, 1))}


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_loss

HELD = False
ABOUT = "character model in one function, weights in globals"
CALL = "check(FILE, loss=True)"


def example(rng):
    a = {"inputs": [0, 3, 1, 4, 2, 1], "targets": [3, 1, 4, 2, 1, 0], "hprev": rng.normal(size=(7, 1))}
    sizes = {"Wxh": (7, 5), "Whh": (7, 7), "Why": (5, 7), "bh": (7, 1), "by": (5, 1)}
    return a | {k: 0.5 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    return of_loss(m, m.lossFun, a, ["loss", "Wxh", "Whh", "Why", "bh", "by", None])


MISTAKES = [
    S("Whh.T @ dhraw", "Whh @ dhraw", "transpose"),
    S("dhraw @ hs[t - 1].T", "dhraw @ hs[t].T", "wrong-time-index", also=("wrong-operand",)),
    S("dh = Why.T @ dy + dhnext", "dh = Why.T @ dy", "recurrent-path-cut"),
    S("dhraw = (1 - hs[t] * hs[t]) * dh", "dhraw = dh", "missing-derivative"),
    S("(1 - hs[t] * hs[t])", "(1 - np.tanh(hs[t]) ** 2)", "derivative-at-output"),
    S("(1 - hs[t] * hs[t])", "hs[t] * (1 - hs[t])", "wrong-derivative"),
    S("dbh += dhraw", "dbh = dhraw", "missing-accumulation"),
    S("dby += dy", "dby = dy", "missing-accumulation"),
    S("dWhy += dy @ hs[t].T", "dWhy += dy @ hs[t - 1].T", "wrong-time-index", also=("wrong-operand",)),
    S("        dy[targets[t]] -= 1\n", "", "missing-path", line="dy = np.copy(ps[t])", also=("wrong-derivative", "missing-output", "wrong-operand")),
    S("dhnext = Whh.T @ dhraw", "dhnext = Whh.T @ dh", "missing-derivative", also=("wrong-operand",)),
    S("    return loss, dWxh", "    for d in [dWxh, dWhh, dWhy, dbh, dby]:\n        np.clip(d, -0.6, 0.6, out=d)\n    return loss, dWxh", "clipped"),
    S("dWhh += dhraw @ hs[t - 1].T", "dWhh += dhraw @ hs[t - 1].T if t > 0 else 0", "missing-accumulation", also=("initial-state",)),
    S("dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh)", "dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.ones_like(Whh)", "bad-accumulator"),
]
