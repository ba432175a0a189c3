# ruff: noqa
# fmt: off
"""Tagging of padded sequences: cross-entropy of every step, averaged over the steps that count; batch first."""
import numpy as np


def tagger_loss(x, tags, mask, Wxh, Whh, bh, Who, bo):
    """x (N, T, D), tags (N, T), mask (N, T) of zeros and ones"""
    N, T, D = x.shape
    h = np.zeros((N, T + 1, Whh.shape[0]))
    logp = np.zeros((N, T, Who.shape[1]))
    for t in range(T):
        h[:, t] = np.tanh(x[:, t] @ Wxh + h[:, t - 1] @ Whh + bh)
        s = h[:, t] @ Who + bo
        s = s - s.max(1, keepdims=True)
        logp[:, t] = s - np.log(np.exp(s).sum(1, keepdims=True))
    total = mask.sum()
    rows, cols = np.indices(tags.shape)
    loss = -(logp[rows, cols, tags] * mask).sum() / total
    # gradients
    dscores = np.exp(logp)
    dscores[rows, cols, tags] -= 1
    dscores *= mask[:, :, None]
    dscores /= total
    dWho = np.einsum('nth,nto->ho', h[:, :T], dscores)
    dbo = dscores.sum((0, 1))
    dWxh, dWhh, dbh = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(bh)
    dh_next = np.zeros((N, Whh.shape[0]))
    for t in reversed(range(T)):
        dh = dscores[:, t] @ Who.T + dh_next
        dt = (1 - h[:, t] ** 2) * dh
        dWxh += x[:, t].T @ dt
        dWhh += h[:, t - 1].T @ dt
        dbh += dt.sum(axis=0)
        dh_next = dt @ Whh.T
    return loss, {'dWxh': dWxh, 'dWhh': dWhh, 'dbh': dbh, 'dWho': dWho, 'dbo': dbo}


# --- planted
import numpy as np
from tests.gradients.programs.planted import Slip as S

HELD = True
ABOUT = "masked tagging loss, mean over the steps that count; gradients in a dict; the last row of h is the initial state"
CALL = 'check_gradients(*from_loss(lambda **k: (lambda loss, g: (loss, *g.values()))(*m.tagger_loss(**k)), a, "Wxh Whh bh Who bo".split()))'


def example(rng):
    sizes = {"x": (4, 5, 3), "Wxh": (3, 6), "Whh": (6, 6), "bh": (6,), "Who": (6, 4), "bo": (4,)}
    a = {"tags": np.array([[0, 2, 1, 3, 0], [1, 1, 0, 2, 3], [3, 0, 2, 0, 0], [2, 3, 3, 1, 0]]), "mask": np.tri(5)[[4, 2, 3, 1]]}
    return a | {k: 0.6 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    loss, grads = m.tagger_loss(**a)
    return float(loss), {k[1:]: v for k, v in grads.items()}


MISTAKES = [
    S("    dscores *= mask[:, :, None]\n", "", "missing-factor", line="dscores = np.exp(logp)", also=("extra-path",), lines=("dscores /= total", "dscores[rows")),
    S("dscores /= total", "dscores /= N * T", "wrong-scale", also=("mean-for-sum",)),
    S("dscores /= total", "dscores /= N", "wrong-scale", also=("mean-for-sum",)),
    S("dh_next = dt @ Whh.T", "dh_next = dt @ Whh", "transpose"),
    S("h[:, t - 1].T @ dt", "h[:, t].T @ dt", "wrong-time-index", also=("wrong-operand",)),
    S("dt = (1 - h[:, t] ** 2) * dh", "dt = (1 - h[:, t]) * dh", "wrong-derivative"),
    S("dh = dscores[:, t] @ Who.T + dh_next", "dh = dscores[:, t] @ Who.T", "recurrent-path-cut"),
    S("dbh += dt.sum(axis=0)", "dbh += dt.mean(axis=0)", "mean-for-sum"),
    S("'nth,nto->ho', h[:, :T]", "'nth,nto->ho', h[:, 1:]", "wrong-time-index", also=("wrong-operand",)),
    S("dWxh += x", "dWxh = x", "missing-accumulation"),
    S("    return loss, {", "    dWxh, dWhh = np.clip(dWxh, -.05, .05), np.clip(dWhh, -.05, .05)\n    return loss, {", "clipped"),
]
