"""One step of an LSTM, forward and backward, as the exercise wants it."""
# ruff: noqa: E501, RUF059

import numpy as np

from tests.diagnosis.corpus.planted import LARGE, Planted

CELL = "lstm"
ABOUT = "a single step, stacked columns i f o g, x @ Wx; a tuple of gradients; everything in the cache"
SINGLE_STEP = True


def make_inputs(rng, T, N):
    D, H = 5, 4
    return {
        "x": rng.normal(size=(N, D)),
        "prev_h": rng.normal(size=(N, H)),
        "prev_c": rng.normal(size=(N, H)),
        "Wx": 0.7 * rng.normal(size=(D, 4 * H)),
        "Wh": 0.7 * rng.normal(size=(H, 4 * H)),
        "b": 0.5 * rng.normal(size=4 * H),
    }


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(x, prev_h, prev_c, Wx, Wh, b):
    a = x @ Wx + prev_h @ Wh + b
    ai, af, ao, ag = np.split(a, 4, axis=1)
    i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
    next_c = f * prev_c + i * g
    next_c_tanh = np.tanh(next_c)
    next_h = o * next_c_tanh
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, (ai, af, ao, ag), (i, f, o, g), next_c, next_c_tanh)


def backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, (ai, af, ao, ag), (i, f, o, g), next_c, next_c_tanh = cache

    dtanh = dnext_h * o
    dc = dnext_c + dtanh * (1 - np.square(next_c_tanh))
    do = dnext_h * next_c_tanh
    di, dg = dc * g, dc * i
    df = dc * prev_c
    dprev_c = dc * f

    dai = di * sigmoid(ai) * (1 - sigmoid(ai))
    daf = df * sigmoid(af) * (1 - sigmoid(af))
    dao = do * sigmoid(ao) * (1 - sigmoid(ao))
    dag = dg * (1 - np.tanh(ag) ** 2)
    da = np.concatenate((dai, daf, dao, dag), axis=1)

    dx = da @ Wx.T
    dprev_h = da @ Wh.T
    dWx = x.T @ da
    dWh = prev_h.T @ da
    db = da.sum(axis=0)
    return dx, dprev_h, dprev_c, dWx, dWh, db


MISTAKES: list[Planted] = [
    Planted("missing-path", "δc from h", "dc = dnext_c + dtanh * (1 - np.square(next_c_tanh))", "dc = dnext_c"),
    Planted(
        "missing-path",
        "c carry from δc_T only",
        "dprev_c = dc * f",
        "dprev_c = dnext_c * f",
        also=("recurrent-path-cut",),
    ),
    Planted(
        "missing-path", "δf from h only", "df = dc * prev_c", "df = (dc - dnext_c) * prev_c", also=("missing-output",)
    ),
    Planted(
        "missing-path",
        "δh_prev without f",
        "dprev_h = da @ Wh.T",
        "da_ = np.concatenate((dai, 0 * daf, dao, dag), axis=1)\n    dprev_h = da_ @ Wh.T",
    ),
    Planted("missing-output", "c_T", "dc = dnext_c + dtanh", "dc = dtanh"),
    Planted(
        "derivative-at-output", "δa_i", "di * sigmoid(ai) * (1 - sigmoid(ai))", "di * sigmoid(i) * (1 - sigmoid(i))"
    ),
    Planted(
        "derivative-at-output",
        "all gates: the split is of the gates",
        "(ai, af, ao, ag), (i, f, o, g), next_c, next_c_tanh = cache",
        "_, (i, f, o, g), next_c, next_c_tanh = cache\n    ai, af, ao, ag = i, f, o, g",
    ),
    Planted("derivative-at-output", "δc", "np.square(next_c_tanh)", "np.square(np.tanh(next_c_tanh))"),
    Planted(
        "missing-derivative",
        "δa_o",
        "do * sigmoid(ao) * (1 - sigmoid(ao))",
        "do * sigmoid(ao)",
        also=("wrong-derivative",),
    ),
    Planted(
        "missing-derivative",
        "δa_f: σ for σ'",
        "df * sigmoid(af) * (1 - sigmoid(af))",
        "df * sigmoid(af)",
        also=("wrong-derivative",),
    ),
    Planted("missing-derivative", "δc", "dtanh * (1 - np.square(next_c_tanh))", "dtanh"),
    Planted("missing-derivative", "δa_g", "dg * (1 - np.tanh(ag) ** 2)", "dg"),
    Planted("derivative-at-preactivation", "δa_f", "df * sigmoid(af) * (1 - sigmoid(af))", "df * af * (1 - af)"),
    Planted("derivative-at-preactivation", "δa_g", "(1 - np.tanh(ag) ** 2)", "(1 - ag**2)"),
    Planted(
        "derivative-at-preactivation",
        "all gates",
        "di * sigmoid(ai) * (1 - sigmoid(ai))",
        "di * ai * (1 - ai)",
        more=(
            ("df * sigmoid(af) * (1 - sigmoid(af))", "df * af * (1 - af)"),
            ("do * sigmoid(ao) * (1 - sigmoid(ao))", "do * ao * (1 - ao)"),
        ),
    ),
    Planted(
        "wrong-derivative", "δa_i: that of tanh", "di * sigmoid(ai) * (1 - sigmoid(ai))", "di * (1 - np.tanh(ai) ** 2)"
    ),
    Planted(
        "wrong-derivative",
        "δa_g: that of a sigmoid",
        "dg * (1 - np.tanh(ag) ** 2)",
        "dg * sigmoid(ag) * (1 - sigmoid(ag))",
    ),
    Planted("wrong-derivative", "δc: no square", "np.square(next_c_tanh)", "next_c_tanh"),
    Planted("wrong-time-index", "δf", "df = dc * prev_c", "df = dc * next_c", also=("wrong-operand",)),
    Planted(
        "initial-state", "δf with zeros", "df = dc * prev_c", "df = dc * np.zeros_like(prev_c)", also=("missing-path",)
    ),
    Planted(
        "initial-state",
        "dWh with zeros",
        "dWh = prev_h.T @ da",
        "dWh = np.zeros_like(prev_h).T @ da",
        also=("missing-path",),
    ),
    Planted("mean-for-sum", "db over the batch", "db = da.sum(axis=0)", "db = da.mean(axis=0)", also=("wrong-scale",)),
    Planted(
        "mean-for-sum",
        "dWh over the batch",
        "dWh = prev_h.T @ da",
        "dWh = prev_h.T @ da / len(x)",
        also=("wrong-scale",),
    ),
    Planted("double-counted", "δc from h", "dc = dnext_c + dtanh", "dc = dnext_c + 2 * dtanh", also=("extra-factor",)),
    Planted("double-counted", "δc_T", "dc = dnext_c + dtanh", "dc = 2 * dnext_c + dtanh", also=("extra-factor",)),
    Planted(
        "bad-accumulator",
        "db added to what was there",
        "db = da.sum(axis=0)",
        "db = np.ones(da.shape[1]) + da.sum(axis=0)",
        also=("extra-path",),
    ),
    Planted("extra-path", "dprev_h gets δh", "dprev_h = da @ Wh.T", "dprev_h = da @ Wh.T + dnext_h"),
    Planted("extra-path", "weight decay in dWx", "dWx = x.T @ da", "dWx = x.T @ da + 1e-3 * Wx"),
    Planted("extra-factor", "c carry", "dprev_c = dc * f", "dprev_c = dc * f * prev_c"),
    Planted("extra-factor", "δo", "do = dnext_h * next_c_tanh", "do = dnext_h * next_c_tanh * o"),
    Planted(
        "phantom-gradient",
        "forward without b",
        "a = x @ Wx + prev_h @ Wh + b",
        "a = x @ Wx + prev_h @ Wh",
        also=("forward-backward-mismatch",),
    ),
    Planted(
        "transpose",
        "δh_prev: every block",
        "dprev_h = da @ Wh.T",
        "dprev_h = sum(p @ w for p, w in zip((dai, daf, dao, dag), np.split(Wh, 4, axis=1), strict=True))",
    ),
    Planted(
        "transpose",
        "dWh: the block of o",
        "dWh = prev_h.T @ da",
        "dWh = np.concatenate((prev_h.T @ dai, prev_h.T @ daf, dao.T @ prev_h, prev_h.T @ dag), axis=1)",
    ),
    Planted("wrong-operand", "δi and δg exchanged", "di, dg = dc * g, dc * i", "di, dg = dc * i, dc * g"),
    Planted(
        "wrong-operand",
        "δo",
        "do = dnext_h * next_c_tanh",
        "do = dnext_h * next_c",
        also=("missing-derivative", "forward-backward-mismatch"),
    ),
    Planted("wrong-operand", "c carry", "dprev_c = dc * f", "dprev_c = dc * i"),
    Planted("gate-swapped", "stacking i o f g", "(dai, daf, dao, dag)", "(dai, dao, daf, dag)"),
    Planted("gate-swapped", "δa_f twice", "(dai, daf, dao, dag)", "(daf, daf, dao, dag)"),
    Planted(
        "gate-swapped",
        "order of the split",
        "ai, af, ao, ag = np.split(a, 4, axis=1)",
        "ai, af, ag, ao = np.split(a, 4, axis=1)",
        also=("forward-backward-mismatch",),
    ),
    Planted("forward-backward-mismatch", "h without tanh", "next_h = o * next_c_tanh", "next_h = o * next_c"),
    Planted(
        "forward-backward-mismatch",
        "forget bias in the forward pass",
        "sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)",
        "sigmoid(ai), sigmoid(af + 1), sigmoid(ao), np.tanh(ag)",
    ),
    Planted(
        "wrong-scale",
        "δa_g: the slope of tanh(x/2)",
        "dg * (1 - np.tanh(ag) ** 2)",
        "0.5 * dg * (1 - np.tanh(ag) ** 2)",
        also=("extra-factor", "wrong-derivative"),
    ),
    Planted(
        "clipped",
        "all parameters",
        "db = da.sum(axis=0)",
        "db = da.sum(axis=0)\n    dWx, dWh, db = (np.clip(d, -1, 1) for d in (dWx, dWh, db))",
    ),
    Planted(
        "clipped",
        "by the norm",
        "db = da.sum(axis=0)",
        "db = da.sum(axis=0)\n    norm = np.sqrt(sum(np.sum(d * d) for d in (dWx, dWh, db)))\n    dWx, dWh, db = (d * min(1, 20 / norm) for d in (dWx, dWh, db))",
        needs=LARGE,
    ),
    Planted("sign", "δa_o", "dao = do", "dao = -do"),
    Planted("sign", "dprev_c", "dprev_c = dc * f", "dprev_c = -dc * f"),
]
