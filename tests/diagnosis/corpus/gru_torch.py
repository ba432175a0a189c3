"""torch.nn.GRU in NumPy: weight_ih (3H, D), weight_hh (3H, H), gates r z n, reset after the product."""
# ruff: noqa: E501

import numpy as np

from tests.diagnosis.corpus.planted import Planted

CELL = "gru_reset_after_two_biases"
ABOUT = "stacked rows r z n, two biases, x @ W.T; input side hoisted out of the loop; outputs h and h_T; a tuple"


def make_inputs(rng, T, N):
    D, H = 3, 5
    k = 1 / np.sqrt(2)
    return {
        "x": rng.normal(size=(T, N, D)),
        "h0": rng.normal(size=(N, H)),
        "weight_ih": k * rng.normal(size=(3 * H, D)),
        "weight_hh": k * rng.normal(size=(3 * H, H)),
        "bias_ih": k * rng.normal(size=3 * H),
        "bias_hh": k * rng.normal(size=3 * H),
    }


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(x, h0, weight_ih, weight_hh, bias_ih, bias_hh):
    gx = x @ weight_ih.T + bias_ih
    h, steps, out = h0, [], []
    for t in range(len(x)):
        gh = h @ weight_hh.T + bias_hh
        i_r, i_z, i_n = np.split(gx[t], 3, axis=1)
        h_r, h_z, h_n = np.split(gh, 3, axis=1)
        r = sigmoid(i_r + h_r)
        z = sigmoid(i_z + h_z)
        n = np.tanh(i_n + r * h_n)
        steps.append((h, r, z, n, h_n))
        h = (1 - z) * n + z * h
        out.append(h)
    return np.stack(out), h, {"x": x, "w_ih": weight_ih, "w_hh": weight_hh, "steps": steps}


def backward(dout, dhT, cache):
    x, w_ih, w_hh = cache["x"], cache["w_ih"], cache["w_hh"]
    steps = cache["steps"]
    H = w_hh.shape[1]
    dw_hh, db_hh = np.zeros_like(w_hh), np.zeros(3 * H)
    dgx = np.zeros((*x.shape[:2], 3 * H))
    dh = dhT
    for t in reversed(range(len(steps))):
        h_prev, r, z, n, h_n = steps[t]
        dh = dh + dout[t]
        dn = dh * (1 - z)
        dz = dh * (h_prev - n)
        da_n = dn * (1 - n**2)
        da_z = dz * z * (1 - z)
        dr = da_n * h_n
        da_r = dr * r * (1 - r)
        dgx[t] = np.concatenate([da_r, da_z, da_n], axis=1)
        dgh = np.concatenate([da_r, da_z, da_n * r], axis=1)
        dw_hh += dgh.T @ h_prev
        db_hh += dgh.sum(axis=0)
        dh = dh * z + dgh @ w_hh
    dx = dgx @ w_ih
    flat = dgx.reshape(-1, 3 * H)
    dw_ih = flat.T @ x.reshape(-1, x.shape[2])
    db_ih = flat.sum(axis=0)
    return dx, dh, dw_ih, dw_hh, db_ih, db_hh


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "dh = dh * z + dgh @ w_hh", "dh = np.zeros_like(dh)"),
    Planted(
        "recurrent-path-cut",
        "h carry: only the product",
        "dh = dh * z + dgh @ w_hh",
        "dh = dgh @ w_hh",
        also=("missing-path",),
    ),
    Planted(
        "missing-path",
        "h carry: only the direct one",
        "dh = dh * z + dgh @ w_hh",
        "dh = dh * z",
        also=("recurrent-path-cut",),
    ),
    Planted(
        "missing-path",
        "h carry: without n",
        "dgh @ w_hh",
        "dgh[:, : 2 * H] @ w_hh[: 2 * H]",
        also=("recurrent-path-cut",),
    ),
    Planted("missing-path", "δz: the old state", "dz = dh * (h_prev - n)", "dz = dh * -n"),
    Planted("missing-output", "h_T", "dh = dhT\n", "dh = np.zeros_like(dhT)\n"),
    Planted("missing-output", "every h_t", "        dh = dh + dout[t]\n", ""),
    Planted("derivative-at-output", "δa_n", "(1 - n**2)", "(1 - np.tanh(n) ** 2)"),
    Planted("derivative-at-output", "δa_r", "dr * r * (1 - r)", "dr * sigmoid(r) * (1 - sigmoid(r))"),
    Planted("missing-derivative", "δa_r: 1 - r", "dr * r * (1 - r)", "dr * r", also=("wrong-derivative",)),
    Planted("missing-derivative", "δa_n", "dn * (1 - n**2)", "dn"),
    Planted(
        "missing-derivative", "δr from dn before the tanh", "dr = da_n * h_n", "dr = dn * h_n", also=("wrong-operand",)
    ),
    Planted(
        "derivative-at-preactivation",
        "δa_z",
        "steps.append((h, r, z, n, h_n))",
        "steps.append((h, r, z, n, h_n, i_z + h_z))",
        more=(
            ("h_prev, r, z, n, h_n = steps[t]", "h_prev, r, z, n, h_n, a_z = steps[t]"),
            ("dz * z * (1 - z)", "dz * a_z * (1 - a_z)"),
        ),
    ),
    Planted("wrong-derivative", "δa_n: that of a sigmoid", "dn * (1 - n**2)", "dn * n * (1 - n)"),
    Planted("wrong-derivative", "δa_z: that of tanh", "dz * z * (1 - z)", "dz * (1 - z**2)"),
    Planted(
        "wrong-time-index",
        "dw_hh: the new h",
        "dgh.T @ h_prev",
        "dgh.T @ ((1 - z) * n + z * h_prev)",
        also=("wrong-operand",),
    ),
    Planted("wrong-time-index", "cotangents a step early", "dh = dh + dout[t]", "dh = dh + dout[t - 1]"),
    Planted(
        "initial-state",
        "dw_hh skips step 0",
        "        dw_hh += dgh.T @ h_prev\n",
        "        if t > 0:\n            dw_hh += dgh.T @ h_prev\n",
        also=("missing-accumulation",),
    ),
    Planted("initial-state", "δz at step 0", "dz = dh * (h_prev - n)", "dz = dh * ((h_prev if t > 0 else 0) - n)"),
    Planted("missing-accumulation", "dw_hh", "dw_hh += ", "dw_hh = "),
    Planted("missing-accumulation", "db_hh", "db_hh += ", "db_hh = "),
    Planted("missing-accumulation", "db_ih: one step", "db_ih = flat.sum(axis=0)", "db_ih = dgx[-1].sum(axis=0)"),
    Planted("mean-for-sum", "db_ih over time and batch", "db_ih = flat.sum(axis=0)", "db_ih = flat.mean(axis=0)"),
    Planted("mean-for-sum", "db_hh over the batch", "db_hh += dgh.sum(axis=0)", "db_hh += dgh.mean(axis=0)"),
    Planted(
        "double-counted",
        "h carry",
        "dh = dh * z + dgh @ w_hh",
        "dh = dh * z + 2 * (dgh @ w_hh)",
        also=("extra-factor",),
    ),
    Planted("double-counted", "h_T", "dh = dhT\n", "dh = dhT + dhT\n"),
    Planted("bad-accumulator", "dw_hh", "np.zeros_like(w_hh), np.zeros(3 * H)", "np.ones_like(w_hh), np.zeros(3 * H)"),
    Planted("extra-path", "h carry: h_T again", "dh = dh * z + dgh @ w_hh", "dh = dh * z + dgh @ w_hh + dhT"),
    Planted(
        "wrong-operand",
        "h carry: δh for z δh",
        "dh = dh * z + dgh @ w_hh",
        "dh = dh + dgh @ w_hh",
        also=("extra-path", "missing-path", "missing-factor"),
    ),
    Planted("extra-factor", "δr", "dr = da_n * h_n", "dr = da_n * h_n * h_prev"),
    Planted(
        "extra-factor",
        "dgx: r on the input side",
        "dgx[t] = np.concatenate([da_r, da_z, da_n], axis=1)",
        "dgx[t] = np.concatenate([da_r, da_z, da_n * r], axis=1)",
        also=("wrong-operand",),
    ),
    Planted(
        "wrong-operand",
        "dgh without r",
        "[da_r, da_z, da_n * r]",
        "[da_r, da_z, da_n]",
        also=("missing-path", "forward-backward-mismatch", "missing-factor"),
    ),
    Planted(
        "phantom-gradient",
        "bias_hh is not read",
        "gh = h @ weight_hh.T + bias_hh",
        "gh = h @ weight_hh.T",
        also=("forward-backward-mismatch",),
    ),
    Planted(
        "transpose",
        "h carry: n's block",
        "dh = dh * z + dgh @ w_hh",
        "dh = dh * z + dgh[:, : 2 * H] @ w_hh[: 2 * H] + dgh[:, 2 * H :] @ w_hh[2 * H :].T",
    ),
    Planted(
        "transpose",
        "dw_hh: r's block",
        "        dw_hh += dgh.T @ h_prev\n",
        "        dw_hh[:H] += h_prev.T @ da_r\n        dw_hh[H:] += dgh[:, H:].T @ h_prev\n",
    ),
    Planted("wrong-operand", "δr: h for U h + b", "dr = da_n * h_n", "dr = da_n * h_prev"),
    Planted("wrong-operand", "dn: z", "dn = dh * (1 - z)", "dn = dh * z"),
    Planted(
        "wrong-operand",
        "dw_hh with r h: the other reset",
        "dgh.T @ h_prev",
        "dgh.T @ (r * h_prev)",
        also=("extra-factor", "forward-backward-mismatch"),
    ),
    Planted(
        "diagonal-wrong-side",
        "r after the product",
        "dh = dh * z + dgh @ w_hh",
        "dh = dh * z + dgh[:, : 2 * H] @ w_hh[: 2 * H] + (da_n @ w_hh[2 * H :]) * r",
    ),
    Planted(
        "gate-swapped",
        "r and z on the input side",
        "np.concatenate([da_r, da_z, da_n], axis=1)",
        "np.concatenate([da_z, da_r, da_n], axis=1)",
    ),
    Planted(
        "gate-swapped",
        "r and z everywhere",
        "np.concatenate([da_r, da_z, da_n], axis=1)",
        "np.concatenate([da_z, da_r, da_n], axis=1)",
        more=(("[da_r, da_z, da_n * r]", "[da_z, da_r, da_n * r]"),),
    ),
    Planted("stale-cache", "the last step's", "= steps[t]", "= steps[-1]"),
    Planted(
        "corrupted-cache",
        "h updated in place",
        "h = (1 - z) * n + z * h\n        out.append(h)",
        "h *= z\n        h += (1 - z) * n\n        out.append(h.copy())",
        more=(("h, steps, out = h0, [], []", "h, steps, out = h0.copy(), [], []"),),
        also=("stale-cache", "wrong-time-index"),
    ),
    Planted("wrong-scale", "dx", "dx = dgx @ w_ih", "dx = 0.5 * dgx @ w_ih"),
    Planted(
        "clipped",
        "all parameters",
        "db_ih = flat.sum(axis=0)",
        "db_ih = flat.sum(axis=0)\n    dw_ih, dw_hh, db_ih, db_hh = (np.clip(g, -1, 1) for g in (dw_ih, dw_hh, db_ih, db_hh))",
    ),
    Planted(
        "clipped-in-recursion",
        "by the norm",
        "dh = dh * z + dgh @ w_hh",
        "dh = dh * z + dgh @ w_hh\n        dh = dh / max(1, np.linalg.norm(dh))",
    ),
    Planted(
        "truncated",
        "3 steps",
        "dh = dh * z + dgh @ w_hh",
        "dh = (dh * z + dgh @ w_hh) * ((len(steps) - t) % 3 != 0)",
        also=("recurrent-path-cut",),
    ),
    Planted("sign", "δz", "dz = dh * (h_prev - n)", "dz = dh * (n - h_prev)"),
    Planted("sign", "δn", "dn = dh * (1 - z)", "dn = dh * (z - 1)"),
    Planted("forward-backward-mismatch", "z and 1 - z", "h = (1 - z) * n + z * h", "h = z * n + (1 - z) * h"),
]
