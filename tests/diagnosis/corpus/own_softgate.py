"""A cell of somebody's own: a sigmoid gate that keeps, and a softplus gate that writes."""

import numpy as np

from tests.diagnosis.corpus.planted import Planted

CELL = None
ABOUT = "not in the library: a keep gate (sigmoid), a write gate (softplus); rows, W (D, H); dicts of lists"
DEFINITION = '''
def softgate(x, h, *, W_k, U_k, b_k, W_s, U_s, b_s, W_m, U_m, b_m):
    """A gate that keeps, a softplus gate that writes."""
    k = sigmoid(W_k @ x + U_k @ h + b_k)
    s = softplus(W_s @ x + U_s @ h + b_s)
    m = tanh(W_m @ x + U_m @ (k * h) + b_m)
    h = k * h + s * m
    return h
'''


def make_inputs(rng, T, N):
    D, H = 3, 4
    inputs = {"x": rng.normal(size=(T, N, D)), "h0": rng.normal(size=(N, H))}
    for g in ("k", "s", "m"):
        inputs[f"W_{g}"] = 0.5 * rng.normal(size=(D, H))
        inputs[f"U_{g}"] = 0.4 * rng.normal(size=(H, H))
        inputs[f"b_{g}"] = 0.5 * rng.normal(size=H)
    return inputs


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softplus(a):
    return np.log1p(np.exp(a))


def forward(x, h0, W_k, U_k, b_k, W_s, U_s, b_s, W_m, U_m, b_m):
    saved = {name: [] for name in ("h", "k", "a_s", "s", "m")}
    h = h0
    out = []
    for x_t in x:
        k = sigmoid(x_t @ W_k + h @ U_k + b_k)
        a_s = x_t @ W_s + h @ U_s + b_s
        s = softplus(a_s)
        m = np.tanh(x_t @ W_m + (k * h) @ U_m + b_m)
        for name, value in (("h", h), ("k", k), ("a_s", a_s), ("s", s), ("m", m)):
            saved[name].append(value)
        h = k * h + s * m
        out.append(h)
    return np.stack(out), {**saved, "x": x, "W": (W_k, W_s, W_m), "U": (U_k, U_s, U_m)}


def backward(grad_out, saved):
    x = saved["x"]
    W_k, W_s, W_m = saved["W"]
    U_k, U_s, U_m = saved["U"]
    gW_k, gW_s, gW_m = np.zeros_like(W_k), np.zeros_like(W_s), np.zeros_like(W_m)
    gU_k, gU_s, gU_m = np.zeros_like(U_k), np.zeros_like(U_s), np.zeros_like(U_m)
    gb_k, gb_s, gb_m = 0, 0, 0
    gx = np.zeros_like(x)
    gh = np.zeros_like(saved["h"][0])
    for t in range(len(x) - 1, -1, -1):
        h, k, a_s, s, m = (saved[name][t] for name in ("h", "k", "a_s", "s", "m"))
        gh = gh + grad_out[t]
        g_s = gh * m
        g_m = gh * s
        ga_m = g_m * (1 - m * m)
        g_kh = ga_m @ U_m.T
        g_k = gh * h + g_kh * h
        ga_s = g_s * sigmoid(a_s)
        ga_k = g_k * k * (1 - k)

        gW_k += x[t].T @ ga_k
        gW_s += x[t].T @ ga_s
        gW_m += x[t].T @ ga_m
        gU_k += h.T @ ga_k
        gU_s += h.T @ ga_s
        gU_m += (k * h).T @ ga_m
        gb_k += ga_k.sum(0)
        gb_s += ga_s.sum(0)
        gb_m += ga_m.sum(0)
        gx[t] = ga_k @ W_k.T + ga_s @ W_s.T + ga_m @ W_m.T
        gh = gh * k + g_kh * k + ga_k @ U_k.T + ga_s @ U_s.T
    names = ("W_k", "U_k", "b_k", "W_s", "U_s", "b_s", "W_m", "U_m", "b_m")
    values = (gW_k, gU_k, gb_k, gW_s, gU_s, gb_s, gW_m, gU_m, gb_m)
    return {"x": gx, "h0": gh, **dict(zip(names, values, strict=True))}


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "gh = gh + grad_out[t]", "gh = grad_out[t]"),
    Planted(
        "missing-path",
        "h carry: direct",
        "gh = gh * k + g_kh * k + ga_k",
        "gh = g_kh * k + ga_k",
        also=("recurrent-path-cut",),
    ),
    Planted(
        "missing-path",
        "h carry: through m",
        "gh = gh * k + g_kh * k + ga_k",
        "gh = gh * k + ga_k",
        also=("recurrent-path-cut",),
    ),
    Planted("missing-path", "h carry: through s", " + ga_s @ U_s.T", "", also=("recurrent-path-cut",)),
    Planted("missing-path", "δk: through m", "g_k = gh * h + g_kh * h", "g_k = gh * h"),
    Planted("missing-path", "δk: direct", "g_k = gh * h + g_kh * h", "g_k = g_kh * h"),
    Planted("missing-path", "δx: W_s", " + ga_s @ W_s.T", ""),
    Planted("derivative-at-output", "δa_s: sigmoid of the softplus", "g_s * sigmoid(a_s)", "g_s * sigmoid(s)"),
    Planted("derivative-at-output", "δa_k", "g_k * k * (1 - k)", "g_k * sigmoid(k) * (1 - sigmoid(k))"),
    Planted("derivative-at-output", "δa_m", "(1 - m * m)", "(1 - np.tanh(m) ** 2)"),
    Planted("missing-derivative", "δa_s", "g_s * sigmoid(a_s)", "g_s"),
    Planted("missing-derivative", "δa_k", "g_k * k * (1 - k)", "g_k"),
    Planted("missing-derivative", "δa_m", "g_m * (1 - m * m)", "g_m"),
    Planted(
        "wrong-derivative",
        "δa_s: the sigmoid's",
        "g_s * sigmoid(a_s)",
        "g_s * sigmoid(a_s) * (1 - sigmoid(a_s))",
        also=("extra-factor",),
    ),
    Planted("wrong-derivative", "δa_s: relu's", "g_s * sigmoid(a_s)", "g_s * (a_s > 0)"),
    Planted("wrong-derivative", "δa_m: the sigmoid's", "g_m * (1 - m * m)", "g_m * m * (1 - m)"),
    Planted("wrong-time-index", "gU_k", "gU_k += h.T", "gU_k += (k * h + s * m).T", also=("wrong-operand",)),
    Planted(
        "wrong-time-index", "δk: the new h", "g_k = gh * h +", "g_k = gh * (k * h + s * m) +", also=("wrong-operand",)
    ),
    Planted("wrong-time-index", "gW_s: x of another step", "gW_s += x[t].T", "gW_s += x[t - 1].T"),
    Planted(
        "initial-state",
        "h at step 0",
        "gh = gh + grad_out[t]",
        "h = h if t > 0 else np.zeros_like(h)\n        gh = gh + grad_out[t]",
    ),
    Planted("missing-accumulation", "gb_s", "gb_s += ga_s.sum", "gb_s = ga_s.sum"),
    Planted("missing-accumulation", "gU_m", "gU_m += (k", "gU_m = (k"),
    Planted("mean-for-sum", "gb_k", "gb_k += ga_k.sum(0)", "gb_k += ga_k.mean(0)"),
    Planted(
        "double-counted", "h carry: direct", "gh = gh * k + g_kh", "gh = 2 * gh * k + g_kh", also=("extra-factor",)
    ),
    Planted("bad-accumulator", "biases", "gb_k, gb_s, gb_m = 0, 0, 0", "gb_k, gb_s, gb_m = 1, 1, 1"),
    Planted("bad-accumulator", "gW_m", "np.zeros_like(W_m)", "W_m.copy()", also=("extra-path",)),
    Planted("extra-path", "h carry: s", "gh = gh * k + g_kh", "gh = gh * k + gh * s + g_kh"),
    Planted("extra-factor", "δm", "g_m = gh * s", "g_m = gh * s * k"),
    Planted("extra-factor", "h carry", "g_kh * k + ga_k", "g_kh * k * k + ga_k"),
    Planted("transpose", "U_m", "g_kh = ga_m @ U_m.T", "g_kh = ga_m @ U_m"),
    Planted("transpose", "gU_s", "h.T @ ga_s", "ga_s.T @ h"),
    Planted("wrong-operand", "gU_m without k", "(k * h).T @ ga_m", "h.T @ ga_m", also=("forward-backward-mismatch",)),
    Planted("wrong-operand", "h carry: s for k", "gh = gh * k + g_kh", "gh = gh * s + g_kh"),
    Planted("wrong-operand", "δs: h for m", "g_s = gh * m", "g_s = gh * h"),
    Planted("wrong-operand", "U_s for U_k", "ga_k @ U_k.T", "ga_k @ U_s.T"),
    Planted("diagonal-wrong-side", "k inside", "g_kh * k + ga_k", "(ga_m * k) @ U_m.T + ga_k"),
    Planted(
        "gate-swapped",
        "gb_k and gb_s",
        "gb_k += ga_k.sum(0)",
        "gb_k += ga_s.sum(0)",
        more=(("gb_s += ga_s.sum(0)", "gb_s += ga_k.sum(0)"),),
    ),
    Planted("gate-swapped", "gW_s", "x[t].T @ ga_s", "x[t].T @ ga_k"),
    Planted(
        "stale-cache",
        "m of the last step",
        "gh = gh + grad_out[t]",
        'm = saved["m"][-1]\n        gh = gh + grad_out[t]',
        also=("wrong-time-index",),
    ),
    Planted("corrupted-cache", "k in place", "g_k * k * (1 - k)", "g_k * np.multiply(k, 1 - k, out=k)"),
    Planted("wrong-scale", "gW_k", "gW_k += x[t].T", "gW_k += 0.5 * x[t].T"),
    Planted("clipped-in-recursion", "h carry", "gh = gh + grad_out[t]", "gh = np.clip(gh, -0.5, 0.5) + grad_out[t]"),
    Planted("sign", "δa_s", "ga_s = g_s", "ga_s = -g_s"),
    Planted("forward-backward-mismatch", "exp in the forward pass", "return np.log1p(np.exp(a))", "return np.exp(a)"),
    Planted(
        "forward-backward-mismatch",
        "k after the product in the forward pass",
        "(k * h) @ U_m + b_m",
        "k * (h @ U_m) + b_m",
        also=("diagonal-wrong-side",),
    ),
]
