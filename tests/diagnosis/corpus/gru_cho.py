"""GRU, reset before the product, z keeps the old state; columns, one matrix per gate."""

import numpy as np

from tests.diagnosis.corpus.planted import LARGE, Planted

CELL = "gru_zold"
ABOUT = "W @ x with examples in columns, gates r z, candidate hh, reset before; lists over time; gradients by name"


def make_inputs(rng, T, N):
    n_in, n = 3, 5
    p = {"x": rng.normal(size=(T, n_in, N)), "h_init": rng.normal(size=(n, N))}
    for k in "rzh":
        p["W" + k] = 0.7 * rng.normal(size=(n, n_in))
        p["U" + k] = 0.6 * rng.normal(size=(n, n))
        p["b" + k] = 0.5 * rng.normal(size=(n, 1))
    return p


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def forward(x, h_init, Wr, Ur, br, Wz, Uz, bz, Wh, Uh, bh):
    h = {-1: h_init}
    r, z, hh = {}, {}, {}
    for t in range(len(x)):
        r[t] = sigmoid(Wr @ x[t] + Ur @ h[t - 1] + br)
        z[t] = sigmoid(Wz @ x[t] + Uz @ h[t - 1] + bz)
        hh[t] = np.tanh(Wh @ x[t] + Uh @ (r[t] * h[t - 1]) + bh)
        h[t] = z[t] * h[t - 1] + (1 - z[t]) * hh[t]
    return np.array([h[t] for t in range(len(x))]), (x, h, r, z, hh, (Wr, Ur, Wz, Uz, Wh, Uh))


def backward(dh_out, cache):
    x, h, r, z, hh, (Wr, Ur, Wz, Uz, Wh, Uh) = cache
    dWr, dWz, dWh = np.zeros_like(Wr), np.zeros_like(Wz), np.zeros_like(Wh)
    dUr, dUz, dUh = np.zeros_like(Ur), np.zeros_like(Uz), np.zeros_like(Uh)
    dbr, dbz, dbh = (np.zeros((len(Ur), 1)) for _ in range(3))
    dx = [None] * len(x)
    dhnext = np.zeros_like(h[-1])
    for t in reversed(range(len(x))):
        dh = dh_out[t] + dhnext
        dhh = dh * (1 - z[t])
        dhh_l = dhh * (1 - hh[t] ** 2)
        dWh += np.dot(dhh_l, x[t].T)
        dUh += np.dot(dhh_l, (r[t] * h[t - 1]).T)
        dbh += np.sum(dhh_l, axis=1, keepdims=True)

        drhp = np.dot(Uh.T, dhh_l)
        dr = drhp * h[t - 1]
        dr_l = dr * r[t] * (1 - r[t])
        dWr += np.dot(dr_l, x[t].T)
        dUr += np.dot(dr_l, h[t - 1].T)
        dbr += np.sum(dr_l, axis=1, keepdims=True)

        dz = dh * (h[t - 1] - hh[t])
        dz_l = dz * z[t] * (1 - z[t])
        dWz += np.dot(dz_l, x[t].T)
        dUz += np.dot(dz_l, h[t - 1].T)
        dbz += np.sum(dz_l, axis=1, keepdims=True)

        dh_fz_inner = np.dot(Uz.T, dz_l)
        dh_fz = dh * z[t]
        dh_fhh = drhp * r[t]
        dh_fr = np.dot(Ur.T, dr_l)
        dhnext = dh_fz_inner + dh_fz + dh_fhh + dh_fr
        dx[t] = Wh.T @ dhh_l + Wr.T @ dr_l + Wz.T @ dz_l
    return {
        "x": np.array(dx),
        "h_init": dhnext,
        "Wr": dWr,
        "Ur": dUr,
        "br": dbr,
        "Wz": dWz,
        "Uz": dUz,
        "bz": dbz,
        "Wh": dWh,
        "Uh": dUh,
        "bh": dbh,
    }


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "dh = dh_out[t] + dhnext", "dh = dh_out[t]"),
    Planted(
        "missing-path",
        "h carry: the direct one",
        "dhnext = dh_fz_inner + dh_fz + dh_fhh + dh_fr",
        "dhnext = dh_fz_inner + dh_fhh + dh_fr",
        also=("recurrent-path-cut",),
    ),
    Planted(
        "missing-path", "h carry: through r", "dh_fz + dh_fhh + dh_fr", "dh_fz + dh_fhh", also=("recurrent-path-cut",)
    ),
    Planted(
        "missing-path",
        "h carry: through the candidate",
        "dh_fz + dh_fhh + dh_fr",
        "dh_fz + dh_fr",
        also=("recurrent-path-cut",),
    ),
    Planted(
        "missing-path",
        "h carry: through z",
        "dhnext = dh_fz_inner + dh_fz",
        "dhnext = dh_fz",
        also=("recurrent-path-cut",),
    ),
    Planted(
        "missing-path",
        "h carry: only the direct one",
        "dhnext = dh_fz_inner + dh_fz + dh_fhh + dh_fr",
        "dhnext = dh_fz",
        also=("recurrent-path-cut",),
    ),
    Planted("missing-path", "δz: the old state", "dz = dh * (h[t - 1] - hh[t])", "dz = -dh * hh[t]"),
    Planted("missing-path", "δz: the candidate", "dz = dh * (h[t - 1] - hh[t])", "dz = dh * h[t - 1]"),
    Planted("missing-path", "δx: the gate r", "Wh.T @ dhh_l + Wr.T @ dr_l + Wz", "Wh.T @ dhh_l + Wz"),
    Planted("derivative-at-output", "δa_h", "(1 - hh[t] ** 2)", "(1 - np.tanh(hh[t]) ** 2)"),
    Planted("derivative-at-output", "δa_z", "dz * z[t] * (1 - z[t])", "dz * sigmoid(z[t]) * (1 - sigmoid(z[t]))"),
    Planted(
        "derivative-at-output",
        "both gates",
        "dz * z[t] * (1 - z[t])",
        "dz * sigmoid(z[t]) * (1 - sigmoid(z[t]))",
        more=(("dr * r[t] * (1 - r[t])", "dr * sigmoid(r[t]) * (1 - sigmoid(r[t]))"),),
    ),
    Planted("missing-derivative", "δa_r", "dr * r[t] * (1 - r[t])", "dr"),
    Planted("missing-derivative", "δa_z: 1 - z", "dz * z[t] * (1 - z[t])", "dz * z[t]", also=("wrong-derivative",)),
    Planted("missing-derivative", "δa_h", "dhh * (1 - hh[t] ** 2)", "dhh"),
    Planted("wrong-derivative", "δa_h: no square", "(1 - hh[t] ** 2)", "(1 - hh[t])"),
    Planted("wrong-derivative", "δa_r: that of tanh", "dr * r[t] * (1 - r[t])", "dr * (1 - r[t] ** 2)"),
    Planted("wrong-time-index", "dUr", "np.dot(dr_l, h[t - 1].T)", "np.dot(dr_l, h[t].T)", also=("wrong-operand",)),
    Planted("wrong-time-index", "dUh", "(r[t] * h[t - 1]).T", "(r[t] * h[t]).T", also=("wrong-operand",)),
    Planted("wrong-time-index", "δz", "(h[t - 1] - hh[t])", "(h[t] - hh[t])", also=("wrong-operand",)),
    Planted("wrong-time-index", "h carry: r of another step", "drhp * r[t]\n", "drhp * r[max(t - 1, 0)]\n"),
    Planted(
        "initial-state",
        "δr reads h[T - 1] at step 0",
        "dr = drhp * h[t - 1]",
        "dr = drhp * h[(t - 1) % len(x)]",
        also=("wrong-time-index",),
    ),
    Planted(
        "initial-state",
        "dUz at step 0",
        "np.dot(dz_l, h[t - 1].T)",
        "(np.dot(dz_l, h[t - 1].T) if t else 0)",
        also=("missing-accumulation",),
    ),
    Planted("missing-accumulation", "dbz", "dbz += ", "dbz = "),
    Planted("missing-accumulation", "dWh", "dWh += ", "dWh = "),
    Planted("mean-for-sum", "dbh over the batch", "dbh += np.sum(", "dbh += np.mean("),
    Planted(
        "mean-for-sum",
        "all biases",
        "dbh += np.sum(",
        "dbh += np.mean(",
        more=(("dbr += np.sum(", "dbr += np.mean("), ("dbz += np.sum(", "dbz += np.mean(")),
    ),
    Planted(
        "double-counted",
        "h carry: the direct one",
        "dh_fz = dh * z[t]",
        "dh_fz = 2 * dh * z[t]",
        also=("extra-factor",),
    ),
    Planted(
        "double-counted",
        "dWz",
        "dWz += np.dot(dz_l, x[t].T)",
        "dWz += np.dot(dz_l, x[t].T)\n        dWz += np.dot(dz_l, x[t].T)",
        also=("wrong-scale",),
    ),
    Planted("bad-accumulator", "biases", "np.zeros((len(Ur), 1)) for _", "np.ones((len(Ur), 1)) for _"),
    Planted(
        "extra-path",
        "h carry: 1 - z to the candidate as well",
        "dh_fz = dh * z[t]",
        "dh_fz = dh * z[t] + dhh",
        also=("missing-factor",),
    ),
    Planted("extra-factor", "δz", "dz = dh * (h[t - 1] - hh[t])", "dz = dh * (h[t - 1] - hh[t]) * r[t]"),
    Planted("extra-factor", "h carry through r", "dh_fr = np.dot(Ur.T, dr_l)", "dh_fr = np.dot(Ur.T, dr_l) * r[t]"),
    Planted("extra-factor", "δr: r", "dr = drhp * h[t - 1]", "dr = drhp * h[t - 1] * r[t]"),
    Planted("transpose", "Uh", "drhp = np.dot(Uh.T, dhh_l)", "drhp = np.dot(Uh, dhh_l)"),
    Planted("transpose", "Uz", "np.dot(Uz.T, dz_l)", "np.dot(Uz, dz_l)"),
    Planted("transpose", "dUr", "np.dot(dr_l, h[t - 1].T)", "np.dot(h[t - 1], dr_l.T)"),
    Planted("wrong-operand", "dUh without r", "(r[t] * h[t - 1]).T", "h[t - 1].T", also=("forward-backward-mismatch",)),
    Planted(
        "wrong-operand",
        "dUz with r h",
        "np.dot(dz_l, h[t - 1].T)",
        "np.dot(dz_l, (r[t] * h[t - 1]).T)",
        also=("extra-factor",),
    ),
    Planted("wrong-operand", "h carry through r with Uz", "dh_fr = np.dot(Ur.T, dr_l)", "dh_fr = np.dot(Uz.T, dr_l)"),
    Planted("wrong-operand", "δhh: z for 1 - z", "dhh = dh * (1 - z[t])", "dhh = dh * z[t]"),
    Planted("wrong-operand", "h carry: 1 - z for z", "dh_fz = dh * z[t]", "dh_fz = dh * (1 - z[t])"),
    Planted("wrong-operand", "δx: Wr for Wz", "Wz.T @ dz_l", "Wr.T @ dz_l"),
    Planted(
        "diagonal-wrong-side", "r before the product", "dh_fhh = drhp * r[t]", "dh_fhh = np.dot(Uh.T, dhh_l * r[t])"
    ),
    Planted("diagonal-wrong-side", "δr", "dr = drhp * h[t - 1]", "dr = np.dot(Uh.T, dhh_l * h[t - 1])"),
    Planted("gate-swapped", "dbz from δa_r", "dbz += np.sum(dz_l", "dbz += np.sum(dr_l"),
    Planted("gate-swapped", "returned Wr and Wz", '"Wr": dWr,', '"Wr": dWz,', more=(('"Wz": dWz,', '"Wz": dWr,'),)),
    Planted(
        "stale-cache",
        "r of the last step",
        "dr * r[t] * (1 - r[t])",
        "dr * r[len(x) - 1] * (1 - r[len(x) - 1])",
        also=("wrong-time-index",),
    ),
    Planted(
        "corrupted-cache",
        "r h in place",
        "hh[t] = np.tanh(Wh @ x[t] + Uh @ (r[t] * h[t - 1]) + bh)",
        "rh = r[t]\n        rh *= h[t - 1]\n        hh[t] = np.tanh(Wh @ x[t] + Uh @ rh + bh)",
    ),
    Planted("sign", "δz", "dz = dh * (h[t - 1] - hh[t])", "dz = dh * (hh[t] - h[t - 1])"),
    Planted(
        "truncated",
        "2 steps",
        "dh = dh_out[t] + dhnext",
        "dh = dh_out[t] + (dhnext if t % 2 else 0)",
        also=("recurrent-path-cut",),
    ),
    Planted(
        "clipped-in-recursion",
        "h carry",
        "dhnext = dh_fz_inner + dh_fz + dh_fhh + dh_fr",
        "dhnext = np.clip(dh_fz_inner + dh_fz + dh_fhh + dh_fr, -0.5, 0.5)",
    ),
    Planted(
        "clipped",
        "U",
        "    return {\n",
        "    for d in (dUr, dUz, dUh):\n        np.clip(d, -8, 8, out=d)\n    return {\n",
        needs=LARGE,
    ),
    Planted(
        "forward-backward-mismatch",
        "reset after the product in the forward pass",
        "Uh @ (r[t] * h[t - 1])",
        "r[t] * (Uh @ h[t - 1])",
        also=("diagonal-wrong-side",),
    ),
    Planted(
        "forward-backward-mismatch",
        "z on the candidate in the forward pass",
        "z[t] * h[t - 1] + (1 - z[t]) * hh[t]",
        "(1 - z[t]) * h[t - 1] + z[t] * hh[t]",
    ),
]
