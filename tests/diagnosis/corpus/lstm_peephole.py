"""LSTM with peepholes: i and f look at the old cell, o at the new one."""

import numpy as np

from tests.diagnosis.corpus.planted import Planted

CELL = "lstm_peephole"
ABOUT = "dict of parameters, pre-activation deltas kept per step, parameter gradients as products after the loop"


def make_inputs(rng, T, N):
    D, H = 3, 4
    params = {}
    for k in ("z", "i", "f", "o"):
        params["W" + k] = 0.5 * rng.normal(size=(H, D))
        params["R" + k] = 0.5 * rng.normal(size=(H, H))
        params["b" + k] = 0.5 * rng.normal(size=H)
    for k in ("i", "f", "o"):
        params["p" + k] = rng.normal(size=H)
    return {"x": rng.normal(size=(T, N, D)), "y0": rng.normal(size=(N, H)), "c0": rng.normal(size=(N, H)), **params}


def sigm(a):
    return 1 / (1 + np.exp(-a))


def forward(x, y0, c0, **P):
    y, c = [y0], [c0]
    z, i, f, o = [], [], [], []
    for t in range(x.shape[0]):
        zb = x[t] @ P["Wz"].T + y[t] @ P["Rz"].T + P["bz"]
        ib = x[t] @ P["Wi"].T + y[t] @ P["Ri"].T + P["pi"] * c[t] + P["bi"]
        fb = x[t] @ P["Wf"].T + y[t] @ P["Rf"].T + P["pf"] * c[t] + P["bf"]
        z.append(np.tanh(zb))
        i.append(sigm(ib))
        f.append(sigm(fb))
        c.append(z[t] * i[t] + c[t] * f[t])
        ob = x[t] @ P["Wo"].T + y[t] @ P["Ro"].T + P["po"] * c[t + 1] + P["bo"]
        o.append(sigm(ob))
        y.append(np.tanh(c[t + 1]) * o[t])
    y, c, z, i, f, o = map(np.array, (y, c, z, i, f, o))
    return y[1:], c[-1], (x, y, c, z, i, f, o, P)


def backward(dY, dcT, cache):
    x, y, c, z, i, f, o, P = cache
    T = x.shape[0]
    dz, di, df, do = (np.zeros_like(z) for _ in range(4))
    dy = np.zeros_like(y[0])
    dc = dcT.copy()
    for t in range(T - 1, -1, -1):
        dy = dy + dY[t]
        hc = np.tanh(c[t + 1])
        do[t] = dy * hc * o[t] * (1 - o[t])
        dc = dc + dy * o[t] * (1 - hc**2) + P["po"] * do[t]
        df[t] = dc * c[t] * f[t] * (1 - f[t])
        di[t] = dc * z[t] * i[t] * (1 - i[t])
        dz[t] = dc * i[t] * (1 - z[t] ** 2)
        dy = dz[t] @ P["Rz"] + di[t] @ P["Ri"] + df[t] @ P["Rf"] + do[t] @ P["Ro"]
        dc = dc * f[t] + P["pi"] * di[t] + P["pf"] * df[t]

    deltas = {"z": dz, "i": di, "f": df, "o": do}
    grads = {"x": sum(deltas[k] @ P["W" + k] for k in deltas), "y0": dy, "c0": dc}
    for k, d in deltas.items():
        grads["W" + k] = np.tensordot(d, x, axes=([0, 1], [0, 1]))
        grads["R" + k] = np.tensordot(d, y[:-1], axes=([0, 1], [0, 1]))
        grads["b" + k] = d.sum(axis=(0, 1))
    grads["pi"] = (di * c[:-1]).sum(axis=(0, 1))
    grads["pf"] = (df * c[:-1]).sum(axis=(0, 1))
    grads["po"] = (do * c[1:]).sum(axis=(0, 1))
    return grads


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "dy = dy + dY[t]", "dy = dY[t]"),
    Planted(
        "recurrent-path-cut",
        "c carry, peepholes too",
        'dc = dc * f[t] + P["pi"] * di[t] + P["pf"] * df[t]',
        "dc = np.zeros_like(dc)",
        also=("missing-path",),
    ),
    Planted(
        "missing-path",
        "c carry: the direct one",
        'dc = dc * f[t] + P["pi"]',
        'dc = P["pi"]',
        also=("recurrent-path-cut",),
    ),
    Planted("missing-path", "δc: peephole of o", ' + P["po"] * do[t]', ""),
    Planted("missing-path", "c carry: peephole of i", ' + P["pi"] * di[t]', "", also=("recurrent-path-cut",)),
    Planted(
        "missing-path",
        "c carry: both peepholes",
        ' + P["pi"] * di[t] + P["pf"] * df[t]',
        "",
        also=("recurrent-path-cut",),
    ),
    Planted("missing-path", "h carry: Rz", 'dy = dz[t] @ P["Rz"] + di', "dy = di", also=("recurrent-path-cut",)),
    Planted("missing-output", "c_T", "dc = dcT.copy()", "dc = np.zeros_like(dcT)"),
    Planted("missing-output", "h_t before the last", "dy = dy + dY[t]", "dy = dy + (dY[t] if t == T - 1 else 0)"),
    Planted("derivative-at-output", "δa_z", "1 - z[t] ** 2", "1 - np.tanh(z[t]) ** 2"),
    Planted("derivative-at-output", "δa_o", "dy * hc * o[t] * (1 - o[t])", "dy * hc * sigm(o[t]) * (1 - sigm(o[t]))"),
    Planted("derivative-at-preactivation", "δc", "(1 - hc**2)", "(1 - c[t + 1] ** 2)"),
    Planted("missing-derivative", "δa_i", "z[t] * i[t] * (1 - i[t])", "z[t]"),
    Planted(
        "missing-derivative", "δa_f: (1 - f)", "c[t] * f[t] * (1 - f[t])", "c[t] * f[t]", also=("wrong-derivative",)
    ),
    Planted("missing-derivative", "δc", "dy * o[t] * (1 - hc**2)", "dy * o[t]"),
    Planted("wrong-derivative", "δa_z", "dc * i[t] * (1 - z[t] ** 2)", "dc * i[t] * z[t] * (1 - z[t])"),
    Planted("wrong-derivative", "δc: relu's", "(1 - hc**2)", "(hc > 0)"),
    Planted("wrong-time-index", "po with the old c", "(do * c[1:])", "(do * c[:-1])", also=("wrong-operand",)),
    Planted("wrong-time-index", "pi with the new c", "(di * c[:-1])", "(di * c[1:])", also=("wrong-operand",)),
    Planted(
        "wrong-time-index",
        "pi: c_t with the next step's delta, step 0 left out",
        "(di * c[:-1])",
        "(di[1:] * c[1:-1])",
        also=("initial-state", "missing-accumulation"),
    ),
    Planted("wrong-time-index", "R", "np.tensordot(d, y[:-1]", "np.tensordot(d, y[1:]", also=("wrong-operand",)),
    Planted("wrong-time-index", "c carry: the next f", "dc = dc * f[t] +", "dc = dc * f[min(t + 1, T - 1)] +"),
    Planted("wrong-time-index", "δf", "dc * c[t] * f[t]", "dc * c[t + 1] * f[t]", also=("wrong-operand",)),
    Planted(
        "initial-state",
        "R without step 0",
        "np.tensordot(d, y[:-1]",
        "np.tensordot(d[1:], y[1:-1]",
        also=("missing-accumulation",),
    ),
    Planted(
        "initial-state", "pf without step 0", "(df * c[:-1])", "(df[1:] * c[1:-1])", also=("missing-accumulation",)
    ),
    Planted("missing-accumulation", "biases: the last step only", "d.sum(axis=(0, 1))", "d[-1].sum(axis=0)"),
    Planted("mean-for-sum", "biases over the batch", "d.sum(axis=(0, 1))", "d.mean(axis=1).sum(axis=0)"),
    Planted(
        "mean-for-sum", "po over the batch", "(do * c[1:]).sum(axis=(0, 1))", "(do * c[1:]).mean(axis=1).sum(axis=0)"
    ),
    Planted(
        "double-counted",
        "po added before and after",
        'dc = dc * f[t] + P["pi"]',
        'dc = dc * f[t] + P["po"] * do[t] + P["pi"]',
        also=("extra-path",),
    ),
    Planted("double-counted", "δh", "dy = dy + dY[t]", "dy = 2 * dy + dY[t]", also=("extra-factor",)),
    Planted(
        "bad-accumulator",
        "h carry starts with y_T",
        "dy = np.zeros_like(y[0])",
        "dy = y[-1].copy()",
        also=("extra-path",),
    ),
    Planted(
        "extra-path",
        "a peephole of z",
        'dc = dc * f[t] + P["pi"] * di[t]',
        'dc = dc * f[t] + P["pi"] * dz[t] + P["pi"] * di[t]',
    ),
    Planted("extra-factor", "peephole of o", 'P["po"] * do[t]\n', 'P["po"] * do[t] * o[t]\n'),
    Planted("extra-factor", "δz", "dz[t] = dc * i[t]", "dz[t] = dc * i[t] * z[t]"),
    Planted(
        "phantom-gradient",
        "the forward pass has no peephole of o",
        ' + P["po"] * c[t + 1]',
        "",
        also=("forward-backward-mismatch",),
    ),
    Planted(
        "forward-backward-mismatch",
        "o sees the old c in the forward pass",
        'P["po"] * c[t + 1]',
        'P["po"] * c[t]',
        also=("wrong-time-index",),
    ),
    Planted(
        "forward-backward-mismatch",
        "no peephole of i at step 0 in the forward pass",
        'P["pi"] * c[t] +',
        '(t > 0) * P["pi"] * c[t] +',
    ),
    Planted("transpose", "h carry: Ro", 'do[t] @ P["Ro"]', 'do[t] @ P["Ro"].T'),
    Planted(
        "transpose",
        "all R",
        "np.tensordot(d, y[:-1], axes=([0, 1], [0, 1]))",
        "np.tensordot(y[:-1], d, axes=([0, 1], [0, 1]))",
    ),
    Planted("wrong-operand", "peephole of f with p_i", 'P["pf"] * df[t]', 'P["pi"] * df[t]'),
    Planted("wrong-operand", "po with h for c", "(do * c[1:])", "(do * y[1:])"),
    Planted("wrong-operand", "δf: h for c", "dc * c[t] * f[t]", "dc * y[t] * f[t]"),
    Planted("gate-swapped", "pi from δa_f", "(di * c[:-1])", "(df * c[:-1])"),
    Planted(
        "gate-swapped",
        "deltas of i and f",
        '{"z": dz, "i": di, "f": df, "o": do}',
        '{"z": dz, "i": df, "f": di, "o": do}',
    ),
    Planted(
        "stale-cache",
        "hc of the last step",
        "hc = np.tanh(c[t + 1])",
        "hc = np.tanh(c[-1])",
        also=("wrong-time-index",),
    ),
    Planted(
        "corrupted-cache",
        "δf in place",
        "df[t] = dc * c[t] * f[t] * (1 - f[t])",
        "f[t] *= 1 - f[t]\n        df[t] = dc * c[t] * f[t]",
    ),
    Planted(
        "clipped-in-recursion",
        "c carry",
        '        dc = dc * f[t] + P["pi"] * di[t] + P["pf"] * df[t]\n',
        '        dc = np.clip(dc * f[t] + P["pi"] * di[t] + P["pf"] * df[t], -0.5, 0.5)\n',
    ),
    Planted(
        "wrong-scale",
        "all W",
        "np.tensordot(d, x, axes=([0, 1], [0, 1]))",
        "np.tensordot(d, x, axes=([0, 1], [0, 1])) / T",
        also=("mean-for-sum",),
    ),
    Planted("sign", "peephole of f", ' + P["pf"] * df[t]', ' - P["pf"] * df[t]'),
]
