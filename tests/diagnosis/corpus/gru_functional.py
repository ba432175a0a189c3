"""A GRU without biases in a functional style: a step returns a dict, the backward pass folds over the dicts."""

from functools import reduce

import numpy as np

from tests.diagnosis.corpus.planted import Planted

CELL = "gru_zold_no_bias"
ABOUT = "no biases; a pure step and its pullback, dicts per step, weights in a nested dict; nothing assigned in place"


def make_inputs(rng, T, N):
    D, H = 5, 3
    weights = {
        f"{kind}_{gate}": rng.normal(size=(size, H)) * 0.7 for gate in "rzn" for kind, size in (("W", D), ("U", H))
    }
    return {"xs": rng.normal(size=(T, N, D)), "h": rng.normal(size=(N, H)), **weights}


def sigma(a):
    return 1 / (1 + np.exp(-a))


def d_sigma(a):
    return sigma(a) * (1 - sigma(a))


def d_tanh(a):
    return 1 - np.tanh(a) ** 2


def step(w, x, h):
    a_r = x @ w["W_r"] + h @ w["U_r"]
    a_z = x @ w["W_z"] + h @ w["U_z"]
    r, z = sigma(a_r), sigma(a_z)
    rh = r * h
    a_n = x @ w["W_n"] + rh @ w["U_n"]
    n = np.tanh(a_n)
    return {
        "x": x,
        "h": h,
        "a_r": a_r,
        "a_z": a_z,
        "a_n": a_n,
        "r": r,
        "z": z,
        "n": n,
        "rh": rh,
        "out": z * h + (1 - z) * n,
    }


def pullback(w, s, g):
    d_n = g * (1 - s["z"]) * d_tanh(s["a_n"])
    d_z = g * (s["h"] - s["n"]) * d_sigma(s["a_z"])
    d_rh = d_n @ w["U_n"].T
    d_r = d_rh * s["h"] * d_sigma(s["a_r"])
    d_h = g * s["z"] + d_rh * s["r"] + d_r @ w["U_r"].T + d_z @ w["U_z"].T
    d_x = d_r @ w["W_r"].T + d_z @ w["W_z"].T + d_n @ w["W_n"].T
    d_w = {
        "W_r": s["x"].T @ d_r,
        "U_r": s["h"].T @ d_r,
        "W_z": s["x"].T @ d_z,
        "U_z": s["h"].T @ d_z,
        "W_n": s["x"].T @ d_n,
        "U_n": s["rh"].T @ d_n,
    }
    return d_h, d_x, d_w


def forward(xs, h, **w):
    trace = reduce(lambda done, x: [*done, step(w, x, done[-1]["out"] if done else h)], xs, [])
    return np.stack([s["out"] for s in trace]), (w, trace)


def backward(gs, cache):
    w, trace = cache

    def fold(carry, item):
        d_h, d_xs, total = carry
        s, g = item
        d_h, d_x, d_w = pullback(w, s, g + d_h)
        return d_h, [d_x, *d_xs], {k: total[k] + d_w[k] for k in total}

    start = (np.zeros_like(trace[0]["h"]), [], {k: np.zeros_like(v) for k, v in w.items()})
    d_h, d_xs, total = reduce(fold, zip(trace[::-1], gs[::-1], strict=True), start)
    return {"xs": np.stack(d_xs), "h": d_h, **total}


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "pullback(w, s, g + d_h)", "pullback(w, s, g)"),
    Planted("missing-path", "h carry: direct", 'd_h = g * s["z"] + d_rh', "d_h = d_rh", also=("recurrent-path-cut",)),
    Planted("missing-path", "h carry: candidate", ' + d_rh * s["r"] +', " +", also=("recurrent-path-cut",)),
    Planted("missing-path", "h carry: r", ' + d_r @ w["U_r"].T', "", also=("recurrent-path-cut",)),
    Planted("missing-path", "δx: z", ' + d_z @ w["W_z"].T', ""),
    Planted("missing-path", "δz: the candidate", 'g * (s["h"] - s["n"])', 'g * s["h"]'),
    Planted(
        "derivative-at-output",
        "helpers given the outputs: every gate",
        'd_sigma(s["a_z"])',
        'd_sigma(s["z"])',
        more=(('d_sigma(s["a_r"])', 'd_sigma(s["r"])'),),
    ),
    Planted("derivative-at-output", "δa_n", 'd_tanh(s["a_n"])', 'd_tanh(s["n"])'),
    Planted("derivative-at-output", "δa_r", 'd_sigma(s["a_r"])', 'd_sigma(s["r"])'),
    Planted(
        "derivative-at-preactivation", "helper: both gates", "return sigma(a) * (1 - sigma(a))", "return a * (1 - a)"
    ),
    Planted("derivative-at-preactivation", "helper: tanh", "return 1 - np.tanh(a) ** 2", "return 1 - a**2"),
    Planted("missing-derivative", "δa_n", ' * d_tanh(s["a_n"])', ""),
    Planted(
        "missing-derivative",
        "helper: σ for σ'",
        "return sigma(a) * (1 - sigma(a))",
        "return sigma(a)",
        also=("wrong-derivative",),
    ),
    Planted("missing-derivative", "δa_r", ' * d_sigma(s["a_r"])', ""),
    Planted("wrong-derivative", "helper: tanh without the square", "1 - np.tanh(a) ** 2", "1 - np.tanh(a)"),
    Planted("wrong-derivative", "δa_n: the sigmoid's", 'd_tanh(s["a_n"])', 'd_sigma(s["a_n"])'),
    Planted("wrong-derivative", "δa_z: that of tanh", 'd_sigma(s["a_z"])', 'd_tanh(s["a_z"])'),
    Planted("wrong-time-index", "U_r: the new h", '"U_r": s["h"].T', '"U_r": s["out"].T', also=("wrong-operand",)),
    Planted("wrong-time-index", "δz: the new h", '(s["h"] - s["n"])', '(s["out"] - s["n"])', also=("wrong-operand",)),
    Planted("wrong-time-index", "cotangents forward", "zip(trace[::-1], gs[::-1]", "zip(trace[::-1], gs"),
    Planted("wrong-time-index", "δx backward", "[d_x, *d_xs]", "[*d_xs, d_x]"),
    Planted("missing-accumulation", "every parameter", "total[k] + d_w[k] for k", "d_w[k] for k"),
    Planted(
        "missing-accumulation",
        "step 0 left out",
        "zip(trace[::-1], gs[::-1], strict=True)",
        "zip(trace[:0:-1], gs[:0:-1], strict=True)",
        more=(('np.stack(d_xs), "h"', 'np.stack([np.zeros_like(d_xs[0]), *d_xs]), "h"'),),
        also=("initial-state", "truncated", "recurrent-path-cut"),
    ),
    Planted(
        "mean-for-sum",
        "every parameter over the batch",
        "total[k] + d_w[k] for k",
        "total[k] + d_w[k] / len(g) for k",
        also=("wrong-scale",),
    ),
    Planted(
        "mean-for-sum",
        "every parameter over time",
        "total[k] + d_w[k] for k",
        "total[k] + d_w[k] / len(gs) for k",
        also=("wrong-scale",),
    ),
    Planted(
        "double-counted",
        "h carry: candidate",
        'd_rh * s["r"] +',
        'd_rh * s["r"] + d_rh * s["r"] +',
        also=("extra-factor",),
    ),
    Planted(
        "double-counted",
        "every parameter",
        "total[k] + d_w[k] for k",
        "2 * total[k] + d_w[k] for k",
        also=("bad-accumulator",),
    ),
    Planted("bad-accumulator", "every parameter", "np.zeros_like(v) for k, v", "v for k, v", also=("extra-path",)),
    Planted(
        "bad-accumulator",
        "h carry",
        'start = (np.zeros_like(trace[0]["h"])',
        'start = (trace[0]["h"]',
        also=("extra-path",),
    ),
    Planted("extra-path", "h carry: n", "d_h = g *", 'd_h = d_n @ w["U_n"].T + g *'),
    Planted("extra-factor", "h carry through z", 'd_z @ w["U_z"].T\n', 'd_z @ w["U_z"].T * s["z"]\n'),
    Planted("extra-factor", "U_z with r", '"U_z": s["h"].T', '"U_z": s["rh"].T', also=("wrong-operand",)),
    Planted("transpose", "U_n", 'd_n @ w["U_n"].T', 'd_n @ w["U_n"]'),
    Planted("transpose", "U_z", 'd_z @ w["U_z"].T', 'd_z @ w["U_z"]'),
    Planted("transpose", "dU_n", 's["rh"].T @ d_n', 'd_n.T @ s["rh"]'),
    Planted(
        "wrong-operand", "U_n without r", '"U_n": s["rh"].T', '"U_n": s["h"].T', also=("forward-backward-mismatch",)
    ),
    Planted("wrong-operand", "δr: r h for h", 'd_rh * s["h"] *', 'd_rh * s["rh"] *', also=("extra-factor",)),
    Planted("wrong-operand", "h carry: 1 - z", 'd_h = g * s["z"]', 'd_h = g * (1 - s["z"])'),
    Planted("wrong-operand", "δx: W_r for W_z", 'd_z @ w["W_z"].T', 'd_z @ w["W_r"].T'),
    Planted("diagonal-wrong-side", "h carry", 'd_rh * s["r"] +', '(d_n * s["r"]) @ w["U_n"].T +'),
    Planted("diagonal-wrong-side", "δr", 'd_r = d_rh * s["h"]', 'd_r = (d_n * s["h"]) @ w["U_n"].T'),
    Planted("gate-swapped", "W_z from δa_r", 's["x"].T @ d_z', 's["x"].T @ d_r'),
    Planted(
        "gate-swapped",
        "U_r and U_z",
        '"U_r": s["h"].T @ d_r',
        '"U_r": s["h"].T @ d_z',
        more=(('"U_z": s["h"].T @ d_z', '"U_z": s["h"].T @ d_r'),),
    ),
    Planted("stale-cache", "the last step's", "s, g = item", "_, g = item\n        s = trace[-1]"),
    Planted(
        "stale-cache",
        "the first step's x",
        "s, g = item",
        's, g = item\n        s = {**s, "x": trace[0]["x"]}',
        also=("wrong-time-index",),
    ),
    Planted("wrong-scale", "U_n", 's["rh"].T @ d_n', '0.5 * s["rh"].T @ d_n'),
    Planted(
        "initial-state",
        "the first step's h",
        "s, g = item",
        's, g = item\n        s = s if s is not trace[0] else {**s, "h": np.zeros_like(s["h"])}',
    ),
    Planted(
        "clipped",
        "every parameter",
        '"h": d_h, **total}',
        '"h": d_h, **{k: np.clip(v, -1, 1) for k, v in total.items()}}',
    ),
    Planted(
        "clipped-in-recursion", "h carry", "pullback(w, s, g + d_h)", "pullback(w, s, g + np.clip(d_h, -0.5, 0.5))"
    ),
    Planted("sign", "δz", '(s["h"] - s["n"])', '(s["n"] - s["h"])'),
    Planted(
        "sign",
        "every gradient",
        '"h": d_h, **total}',
        '"h": -d_h, **{k: -v for k, v in total.items()}}',
        more=(('{"xs": np.stack(d_xs),', '{"xs": -np.stack(d_xs),'),),
        also=("wrong-scale",),
    ),
    Planted("forward-backward-mismatch", "reset after", 'rh @ w["U_n"]', 'r * (h @ w["U_n"])'),
]
