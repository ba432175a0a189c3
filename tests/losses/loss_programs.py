"""Whole programs that return a loss and its gradients, as people write them, each with mistakes to plant.

A program is a text, so that a mistake is one line with other words, and its line is known.  All of them are right as
they stand, which the tests hold against finite differences.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Slip:
    """A mistake to plant: a piece of a line, what is written in its place, and the classes that may be named."""

    old: str
    new: str
    tags: str


@dataclass(frozen=True)
class Program:
    """One program: its function is called `learn`, and returns the loss and then the gradients of `weights`."""

    text: str
    weights: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    cell: str
    head: str
    slips: tuple[Slip, ...]
    data: dict[str, tuple[tuple[int, ...], int]] = field(default_factory=dict)
    lists: tuple[str, ...] = ()

    def inputs(self) -> dict[str, Any]:
        """Arguments of the function; `data` are indices: a shape, and how many there are."""
        rng = np.random.default_rng(8)
        found: dict[str, Any] = {name: rng.integers(0, many, shape) for name, (shape, many) in self.data.items()}
        found |= {name: found[name].tolist() for name in self.lists}
        return found | {name: rng.normal(size=shape) * 0.7 for name, shape in self.shapes.items()}


CHAR_RNN = Program(
    """import numpy as np


def learn(inputs, targets, hprev, Wxh, Whh, Why, bh, by):
    vocab = Wxh.shape[1]
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        ys[t] = Why @ hs[t] + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
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
    return loss, dWxh, dWhh, dWhy, dbh, dby
""",
    ("Wxh", "Whh", "Why", "bh", "by"),
    {"hprev": (6, 1), "Wxh": (6, 5), "Whh": (6, 6), "Why": (5, 6), "bh": (6, 1), "by": (5, 1)},
    "rnn",
    "softmax-cross-entropy",
    (
        Slip("dhnext = Whh.T @ dhraw", "dhnext = Whh @ dhraw", "transpose"),
        Slip("dWhh += dhraw @ hs[t - 1].T", "dWhh += dhraw @ hs[t].T", "wrong-time-index"),
        Slip("dWxh += dhraw @", "dWxh += dh @", "missing-derivative missing-factor"),
        Slip("dh = Why.T @ dy + dhnext", "dh = Why.T @ dy", "recurrent-path-cut missing-path"),
        Slip("dbh += dhraw", "dbh = dhraw", "missing-accumulation"),
        Slip("dby += dy", "dby += 2 * dy", "wrong-scale"),
        Slip("dWhy += dy @ hs[t].T", "dWhy += dy @ hs[t - 1].T", "wrong-time-index"),
        Slip("        dy[targets[t]] -= 1\n", "", "missing-path"),
        Slip("(1 - hs[t] * hs[t]) * dh", "(1 - np.tanh(hs[t]) ** 2) * dh", "derivative-at-output"),
        Slip("dWhy += dy @ hs[t].T", "dWhy += ps[t] @ hs[t].T", "wrong-operand missing-path"),
        Slip("dh = Why.T @ dy + dhnext", "dh = Why.T @ ps[t] + dhnext", "wrong-operand missing-path"),
        Slip("dhnext = Whh.T @ dhraw", "dhnext = Whh.T @ dh", "missing-derivative missing-factor"),
    ),
    {"inputs": ((7,), 5), "targets": ((7,), 5)},
    ("inputs", "targets"),
)

CHAR_LSTM = Program(
    """import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def learn(inputs, targets, hprev, cprev, Wf, Wi, Wc, Wo, Wy, bf, bi, bc, bo, by):
    vocab, hidden = Wy.shape[0], Wy.shape[1]
    z, f, i, g, o, c, h, p = {}, {}, {}, {}, {}, {-1: cprev}, {-1: hprev}, {}
    loss = 0.0
    for t, index in enumerate(inputs):
        x = np.zeros((vocab, 1))
        x[index] = 1
        z[t] = np.vstack((h[t - 1], x))
        f[t] = sigmoid(Wf @ z[t] + bf)
        i[t] = sigmoid(Wi @ z[t] + bi)
        g[t] = np.tanh(Wc @ z[t] + bc)
        o[t] = sigmoid(Wo @ z[t] + bo)
        c[t] = f[t] * c[t - 1] + i[t] * g[t]
        h[t] = o[t] * np.tanh(c[t])
        v = Wy @ h[t] + by
        e = np.exp(v - v.max())
        p[t] = e / e.sum()
        loss -= np.log(p[t][targets[t], 0])
    dWf, dWi, dWc, dWo, dWy = (np.zeros_like(w) for w in (Wf, Wi, Wc, Wo, Wy))
    dbf, dbi, dbc, dbo, dby = (np.zeros_like(w) for w in (bf, bi, bc, bo, by))
    dh_next, dc_next = np.zeros_like(hprev), np.zeros_like(cprev)
    for t in reversed(range(len(inputs))):
        dv = p[t].copy()
        dv[targets[t]] -= 1
        dWy += dv @ h[t].T
        dby += dv
        dh = Wy.T @ dv + dh_next
        do = dh * np.tanh(c[t]) * o[t] * (1 - o[t])
        dc = dc_next + dh * o[t] * (1 - np.tanh(c[t]) ** 2)
        dg = dc * i[t] * (1 - g[t] ** 2)
        di = dc * g[t] * i[t] * (1 - i[t])
        df = dc * c[t - 1] * f[t] * (1 - f[t])
        dWf += df @ z[t].T
        dWi += di @ z[t].T
        dWc += dg @ z[t].T
        dWo += do @ z[t].T
        dbf += df
        dbi += di
        dbc += dg
        dbo += do
        dz = Wf.T @ df + Wi.T @ di + Wc.T @ dg + Wo.T @ do
        dh_next = dz[:hidden]
        dc_next = f[t] * dc
    return loss, dWf, dWi, dWc, dWo, dWy, dbf, dbi, dbc, dbo, dby
""",
    ("Wf", "Wi", "Wc", "Wo", "Wy", "bf", "bi", "bc", "bo", "by"),
    {"hprev": (4, 1), "cprev": (4, 1)}
    | dict.fromkeys(("Wf", "Wi", "Wc", "Wo"), (4, 9))
    | {"Wy": (5, 4), "by": (5, 1)}
    | dict.fromkeys(("bf", "bi", "bc", "bo"), (4, 1)),
    "lstm",
    "softmax-cross-entropy",
    (
        Slip("dc = dc_next + dh", "dc = dh", "recurrent-path-cut missing-path"),
        Slip("dc_next = f[t] * dc", "dc_next = dc", "missing-factor"),
        Slip("df = dc * c[t - 1]", "df = dc * c[t]", "wrong-time-index"),
        Slip("dbi += di", "dbi += df", "gate-swapped"),
        Slip("dh = Wy.T @ dv + dh_next", "dh = Wy.T @ dv", "recurrent-path-cut missing-path"),
        Slip("dc * i[t] * (1 - g[t] ** 2)", "dc * i[t]", "missing-derivative missing-factor"),
        Slip("dWy += dv @ h[t].T", "dWy += dv @ h[t - 1].T", "wrong-time-index"),
        Slip("        dv[targets[t]] -= 1\n", "", "missing-path"),
        Slip("+ Wo.T @ do", "", "missing-path"),
    ),
    {"inputs": ((6,), 5), "targets": ((6,), 5)},
    ("inputs",),
)

LAST_STEP = Program(
    """import numpy as np


def learn(X, y, W, U, b, V, c):
    N, T, D = X.shape
    h = [np.zeros((N, len(U)))]
    for t in range(T):
        h.append(np.tanh(X[:, t] @ W + h[-1] @ U + b))
    error = h[-1] @ V + c - y
    loss = (error**2).sum() / (2 * N)
    dy = error / N
    dV, dc = h[-1].T @ dy, dy.sum(axis=0)
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    dh = dy @ V.T
    for t in range(T - 1, -1, -1):
        da = dh * (1 - h[t + 1] ** 2)
        dW += X[:, t].T @ da
        dU += h[t].T @ da
        db += da.sum(axis=0)
        dh = da @ U.T
    return loss, dW, dU, db, dV, dc
""",
    ("W", "U", "b", "V", "c"),
    {"X": (3, 5, 4), "y": (3, 2), "W": (4, 6), "U": (6, 6), "b": (6,), "V": (6, 2), "c": (2,)},
    "rnn",
    "squared-error",
    (
        Slip("dh = da @ U.T", "dh = da @ U", "transpose"),
        Slip("dU += h[t].T @ da", "dU += h[t + 1].T @ da", "wrong-time-index"),
        Slip("db += da.sum(axis=0)", "db += da.mean(axis=0)", "mean-for-sum"),
        Slip("dy = error / N", "dy = error", "wrong-scale mean-for-sum sum-for-mean extra-factor"),
        Slip("da = dh * (1 - h[t + 1] ** 2)", "da = dh * (1 - h[t + 1])", "wrong-derivative"),
        Slip("dh = da @ U.T", "dh = dh @ U.T", "missing-derivative missing-factor"),
        Slip("h[-1].T @ dy, dy.sum(axis=0)", "h[-2].T @ dy, dy.sum(axis=0)", "wrong-time-index"),
    ),
)

CHAR_GRU = Program(
    """import numpy as np


def sig(v):
    return 1.0 / (1.0 + np.exp(-v))


def learn(ids, goal, h0, Wz, Uz, bz, Wr, Ur, br, Wn, Un, bn, Why, by):
    T = len(ids)
    hs, zs, rs, ns, ps = [h0], [], [], [], []
    loss = 0.0
    for t in range(T):
        h = hs[-1]
        z = sig(Wz[:, ids[t]] + Uz @ h + bz)
        r = sig(Wr[:, ids[t]] + Ur @ h + br)
        n = np.tanh(Wn[:, ids[t]] + Un @ (r * h) + bn)
        hs.append((1 - z) * h + z * n)
        y = Why @ hs[-1] + by
        p = np.exp(y) / np.exp(y).sum()
        loss -= np.log(p[goal[t]]) / T
        zs.append(z), rs.append(r), ns.append(n), ps.append(p)
    grads = {"Wz": 0 * Wz, "Uz": 0 * Uz, "bz": 0 * bz, "Wr": 0 * Wr, "Ur": 0 * Ur, "br": 0 * br, "Wn": 0 * Wn}
    grads |= {"Un": 0 * Un, "bn": 0 * bn, "Why": 0 * Why, "by": 0 * by}
    carried = np.zeros_like(h0)
    for t in reversed(range(T)):
        h, z, r, n = hs[t], zs[t], rs[t], ns[t]
        dy = ps[t].copy()
        dy[goal[t]] -= 1
        dy /= T
        grads["Why"] += np.outer(dy, hs[t + 1])
        grads["by"] += dy
        dh = Why.T @ dy + carried
        dn = dh * z * (1 - n**2)
        dz = dh * (n - h) * z * (1 - z)
        dr = (Un.T @ dn) * h * r * (1 - r)
        carried = dh * (1 - z) + Uz.T @ dz + Ur.T @ dr + r * (Un.T @ dn)
        grads["Wz"][:, ids[t]] += dz
        grads["Wr"][:, ids[t]] += dr
        grads["Wn"][:, ids[t]] += dn
        grads["Uz"] += np.outer(dz, h)
        grads["Ur"] += np.outer(dr, h)
        grads["Un"] += np.outer(dn, r * h)
        grads["bz"] += dz
        grads["br"] += dr
        grads["bn"] += dn
    return (loss, *(grads[k] for k in ("Wz", "Uz", "bz", "Wr", "Ur", "br", "Wn", "Un", "bn", "Why", "by")))
""",
    ("Wz", "Uz", "bz", "Wr", "Ur", "br", "Wn", "Un", "bn", "Why", "by"),
    {"h0": (5,)}
    | dict.fromkeys(("Wz", "Wr", "Wn"), (5, 6))
    | dict.fromkeys(("Uz", "Ur", "Un"), (5, 5))
    | dict.fromkeys(("bz", "br", "bn"), (5,))
    | {"Why": (6, 5), "by": (6,)},
    "gru",
    "softmax-cross-entropy",
    (
        Slip("dh * (n - h) * z", "dh * n * z", "missing-path missing-factor wrong-operand missing-term"),
        Slip("np.outer(dn, r * h)", "np.outer(dn, h)", "missing-factor"),
        Slip(" + r * (Un.T @ dn)", " + Un.T @ dn", "missing-factor"),
        Slip("carried = dh * (1 - z) + ", "carried = ", "missing-path"),
        Slip('grads["br"] += dr', 'grads["br"] += dz', "gate-swapped"),
        Slip("        dy /= T\n", "", "wrong-scale mean-for-sum extra-factor"),
        Slip("dh = Why.T @ dy + carried", "dh = Why.T @ dy", "recurrent-path-cut missing-path"),
        Slip('grads["Why"] += np.outer(dy, hs[t + 1])', 'grads["Why"] += np.outer(dy, hs[t])', "wrong-time-index"),
    ),
    {"ids": ((6,), 6), "goal": ((6,), 6)},
)

LSTM_CLASSIFIER = Program(
    """import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def step_forward(x, h, c, W, U, b):
    H = h.shape[1]
    a = x @ W + h @ U + b
    i, f, o, g = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 2 * H : 3 * H]), np.tanh(a[:, 3 * H :])
    new = f * c + i * g
    return o * np.tanh(new), new, (x, h, c, i, f, o, g, new)


def step_backward(dh, dc, cache, U):
    x, h, c, i, f, o, g, new = cache
    dc = dc + dh * o * (1 - np.tanh(new) ** 2)
    di, df, dg = dc * g, dc * c, dc * i
    do = dh * np.tanh(new)
    da = np.hstack((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)))
    return x.T @ da, h.T @ da, da.sum(axis=0), da @ U.T, dc * f


def learn(x, labels, W, U, b, V, d):
    T, N, _ = x.shape
    h = c = np.zeros((N, len(U)))
    caches, hs = [], []
    for t in range(T):
        h, c, cache = step_forward(x[t], h, c, W, U, b)
        caches.append(cache)
        hs.append(h)
    scores = hs[-1] @ V + d
    scores = scores - scores.max(axis=1, keepdims=True).real
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), labels]).mean()
    dscores = p.copy()
    dscores[np.arange(N), labels] -= 1
    dscores /= N
    dV = hs[-1].T @ dscores
    dd = dscores.sum(axis=0)
    dW, dU, db = 0, 0, 0
    dh, dc = dscores @ V.T, np.zeros_like(c)
    for t in reversed(range(T)):
        gW, gU, gb, dh, dc = step_backward(dh, dc, caches[t], U)
        dW, dU, db = dW + gW, dU + gU, db + gb
    return loss, dW, dU, db, dV, dd
""",
    ("W", "U", "b", "V", "d"),
    {"x": (5, 3, 4), "W": (4, 24), "U": (6, 24), "b": (24,), "V": (6, 2), "d": (2,)},
    "lstm",
    "softmax-cross-entropy",
    (
        Slip("dc = dc + dh * o", "dc = dh * o", "recurrent-path-cut missing-path"),
        Slip("da @ U.T, dc * f", "da @ U.T, dc", "missing-factor"),
        Slip("dc * g, dc * c, dc * i", "dc * g, dc * new, dc * i", "wrong-time-index"),
        Slip("da.sum(axis=0)", "da.mean(axis=0)", "mean-for-sum"),
        Slip("    dscores /= N\n", "", "wrong-scale mean-for-sum extra-factor"),
        Slip("    dscores[np.arange(N), labels] -= 1\n", "", "missing-path"),
        Slip("dg * (1 - g**2)", "dg * (1 - g)", "wrong-derivative"),
    ),
    {"labels": ((3,), 2)},
)

TAGGER = Program(
    """import numpy as np


def learn(xs, marks, h0, A, B, k, R, u):
    T, N = xs.shape[:2]
    hs = np.zeros((T + 1, N, B.shape[0]), dtype=(xs[0, 0, 0] + h0[0, 0] + A[0, 0] + B[0, 0] + k[0]).dtype)
    hs[0] = h0
    for t in range(T):
        hs[t + 1] = np.tanh(xs[t] @ A.T + hs[t] @ B.T + k)
    q = 1 / (1 + np.exp(-(hs[1:] @ R.T + u)))
    loss = -np.mean(marks * np.log(q) + (1 - marks) * np.log(1 - q))
    dq = (q - marks) / q.size
    dR = np.einsum("tno,tnh->oh", dq, hs[1:])
    du = dq.sum(axis=(0, 1))
    dA, dB, dk, back = 0 * A, 0 * B, 0 * k, 0 * h0
    for t in range(T)[::-1]:
        dh = dq[t] @ R + back
        da = dh * (1 - hs[t + 1] ** 2)
        dA = dA + da.T @ xs[t]
        dB = dB + da.T @ hs[t]
        dk = dk + da.sum(0)
        back = da @ B
    return loss, dA, dB, dk, dR, du, back
""",
    ("A", "B", "k", "R", "u", "h0"),
    {"xs": (5, 2, 4), "h0": (2, 6), "A": (6, 4), "B": (6, 6), "k": (6,), "R": (3, 6), "u": (3,)},
    "rnn",
    "sigmoid-cross-entropy",
    (
        Slip("back = da @ B", "back = da @ B.T", "transpose"),
        Slip("dq = (q - marks) / q.size", "dq = (q - marks) / T", "wrong-scale mean-for-sum extra-factor"),
        Slip("dB = dB + da.T @ hs[t]", "dB = dB + da.T @ hs[t + 1]", "wrong-time-index"),
        Slip("dA = dA + da.T @ xs[t]", "dA = da.T @ xs[t]", "missing-accumulation"),
        Slip("dh = dq[t] @ R + back", "dh = dq[t] @ R", "recurrent-path-cut missing-path"),
        Slip("dq, hs[1:])", "dq, hs[:-1])", "wrong-time-index"),
    ),
    {"marks": ((5, 2, 3), 2)},
)

PROGRAMS = {
    "char_rnn": CHAR_RNN,
    "char_lstm": CHAR_LSTM,
    "last_step": LAST_STEP,
    "char_gru": CHAR_GRU,
    "lstm_classifier": LSTM_CLASSIFIER,
    "tagger": TAGGER,
}
