"""A batched LSTM with everything in one matrix: a row of biases, then the rows of input and hidden state."""
# ruff: noqa: E501

import numpy as np

from tests.diagnosis.corpus.planted import LARGE, Planted

CELL = "lstm"
ABOUT = "one matrix (1 + D + H, 4H) with the biases as its first row, gates i f o g, preallocated arrays (T, N, .)"
COMPLEX = False


def make_inputs(rng, T, N):
    D, H = 4, 3
    return {
        "X": rng.normal(size=(T, N, D)),
        "WLSTM": rng.normal(size=(1 + D + H, 4 * H)) / np.sqrt(2),
        "c0": rng.normal(size=(N, H)),
        "h0": rng.normal(size=(N, H)),
    }


def forward(X, WLSTM, c0, h0):
    n, b, input_size = X.shape
    d = WLSTM.shape[1] // 4
    xphpb = WLSTM.shape[0]
    Hin = np.zeros((n, b, xphpb))
    Hout = np.zeros((n, b, d))
    IFOG = np.zeros((n, b, d * 4))
    IFOGf = np.zeros((n, b, d * 4))
    C = np.zeros((n, b, d))
    Ct = np.zeros((n, b, d))
    for t in range(n):
        prevh = Hout[t - 1] if t > 0 else h0
        Hin[t, :, 0] = 1
        Hin[t, :, 1 : 1 + input_size] = X[t]
        Hin[t, :, 1 + input_size :] = prevh
        IFOG[t] = Hin[t].dot(WLSTM)
        IFOGf[t, :, : 3 * d] = 1.0 / (1.0 + np.exp(-IFOG[t, :, : 3 * d]))
        IFOGf[t, :, 3 * d :] = np.tanh(IFOG[t, :, 3 * d :])
        prevc = C[t - 1] if t > 0 else c0
        C[t] = IFOGf[t, :, :d] * IFOGf[t, :, 3 * d :] + IFOGf[t, :, d : 2 * d] * prevc
        Ct[t] = np.tanh(C[t])
        Hout[t] = IFOGf[t, :, 2 * d : 3 * d] * Ct[t]
    cache = {"WLSTM": WLSTM, "IFOGf": IFOGf, "IFOG": IFOG, "C": C, "Ct": Ct, "Hin": Hin, "Hout": Hout, "c0": c0}
    return Hout, C[-1], Hout[-1], cache


def backward(dHout_in, dcn, dhn, cache):
    WLSTM, IFOGf, IFOG = cache["WLSTM"], cache["IFOGf"], cache["IFOG"]
    C, Ct, Hin, c0 = cache["C"], cache["Ct"], cache["Hin"], cache["c0"]
    n, b, d = C.shape
    input_size = WLSTM.shape[0] - d - 1

    dIFOG = np.zeros(IFOG.shape)
    dIFOGf = np.zeros(IFOGf.shape)
    dWLSTM = np.zeros(WLSTM.shape)
    dHin = np.zeros(Hin.shape)
    dC = np.zeros(C.shape)
    dX = np.zeros((n, b, input_size))
    dh0 = np.zeros((b, d))
    dc0 = np.zeros((b, d))
    dHout = dHout_in.copy()

    dC[n - 1] += dcn
    dHout[n - 1] += dhn
    for t in reversed(range(n)):
        tanhCt = Ct[t]
        dIFOGf[t, :, 2 * d : 3 * d] = tanhCt * dHout[t]
        dC[t] += (1 - tanhCt**2) * (IFOGf[t, :, 2 * d : 3 * d] * dHout[t])
        if t > 0:
            dIFOGf[t, :, d : 2 * d] = C[t - 1] * dC[t]
            dC[t - 1] += IFOGf[t, :, d : 2 * d] * dC[t]
        else:
            dIFOGf[t, :, d : 2 * d] = c0 * dC[t]
            dc0 = IFOGf[t, :, d : 2 * d] * dC[t]
        dIFOGf[t, :, :d] = IFOGf[t, :, 3 * d :] * dC[t]
        dIFOGf[t, :, 3 * d :] = IFOGf[t, :, :d] * dC[t]

        dIFOG[t, :, 3 * d :] = (1 - IFOGf[t, :, 3 * d :] ** 2) * dIFOGf[t, :, 3 * d :]
        y = IFOGf[t, :, : 3 * d]
        dIFOG[t, :, : 3 * d] = (y * (1.0 - y)) * dIFOGf[t, :, : 3 * d]

        dWLSTM += np.dot(Hin[t].T, dIFOG[t])
        dHin[t] = dIFOG[t].dot(WLSTM.T)

        dX[t] = dHin[t, :, 1 : 1 + input_size]
        if t > 0:
            dHout[t - 1] += dHin[t, :, 1 + input_size :]
        else:
            dh0 += dHin[t, :, 1 + input_size :]
    return dX, dWLSTM, dc0, dh0


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "dHout[t - 1] += dHin[t, :, 1 + input_size :]", "pass"),
    Planted(
        "recurrent-path-cut",
        "c carry",
        "            dC[t - 1] += IFOGf[t, :, d : 2 * d] * dC[t]\n",
        "",
        also=("missing-path",),
    ),
    Planted(
        "recurrent-path-cut",
        "c carry is overwritten",
        "dC[t] += (1 - tanhCt**2)",
        "dC[t] = (1 - tanhCt**2)",
        also=("missing-path", "missing-output"),
    ),
    Planted(
        "missing-path", "δc from h", "        dC[t] += (1 - tanhCt**2) * (IFOGf[t, :, 2 * d : 3 * d] * dHout[t])\n", ""
    ),
    Planted(
        "missing-output",
        "h carry replaces δh",
        "dHout[t - 1] += dHin[t, :, 1 + input_size :]",
        "dHout[t - 1] = dHin[t, :, 1 + input_size :]",
        also=("missing-path",),
    ),
    Planted(
        "missing-path",
        "dc0 stays zero",
        "dc0 = IFOGf[t, :, d : 2 * d] * dC[t]",
        "pass",
        also=("recurrent-path-cut", "initial-state"),
    ),
    Planted(
        "missing-path",
        "dh0 stays zero",
        "dh0 += dHin[t, :, 1 + input_size :]",
        "pass",
        also=("recurrent-path-cut", "initial-state"),
    ),
    Planted("missing-output", "c_T", "    dC[n - 1] += dcn\n", ""),
    Planted("missing-output", "h_T", "    dHout[n - 1] += dhn\n", ""),
    Planted(
        "initial-state", "δf at step 0 skipped", "dIFOGf[t, :, d : 2 * d] = c0 * dC[t]", "pass", also=("missing-path",)
    ),
    Planted(
        "initial-state",
        "C[t - 1] wraps round",
        "c0 * dC[t]\n",
        "C[t - 1] * dC[t]\n",
        also=("wrong-time-index", "wrong-operand"),
    ),
    Planted("derivative-at-output", "δa_g", "1 - IFOGf[t, :, 3 * d :] ** 2", "1 - np.tanh(IFOGf[t, :, 3 * d :]) ** 2"),
    Planted("derivative-at-output", "δc", "(1 - tanhCt**2)", "(1 - np.tanh(tanhCt) ** 2)"),
    Planted("missing-derivative", "δc", "dC[t] += (1 - tanhCt**2) * (IFOGf", "dC[t] += (IFOGf"),
    Planted("missing-derivative", "three gates: factor (1 - y)", "(y * (1.0 - y))", "y", also=("wrong-derivative",)),
    Planted("missing-derivative", "δa_g", "(1 - IFOGf[t, :, 3 * d :] ** 2) * dIFOGf", "dIFOGf"),
    Planted("derivative-at-preactivation", "three gates", "y = IFOGf[t, :, : 3 * d]", "y = IFOG[t, :, : 3 * d]"),
    Planted("derivative-at-preactivation", "δa_g", "1 - IFOGf[t, :, 3 * d :] ** 2", "1 - IFOG[t, :, 3 * d :] ** 2"),
    Planted(
        "derivative-at-preactivation",
        "δc",
        "tanhCt = Ct[t]",
        "tanhCt = C[t]",
        more=(("= tanhCt * dHout[t]", "= Ct[t] * dHout[t]"),),
    ),
    Planted("wrong-derivative", "three gates: that of tanh", "(y * (1.0 - y))", "(1.0 - y * y)"),
    Planted(
        "wrong-derivative",
        "δa_g: that of a sigmoid, one slice too many",
        "y = IFOGf[t, :, : 3 * d]\n        dIFOG[t, :, : 3 * d] = (y * (1.0 - y)) * dIFOGf[t, :, : 3 * d]",
        "y = IFOGf[t]\n        dIFOG[t] = (y * (1.0 - y)) * dIFOGf[t]",
    ),
    Planted("wrong-time-index", "δf: C[t]", "= C[t - 1] * dC[t]", "= C[t] * dC[t]", also=("wrong-operand",)),
    Planted(
        "wrong-time-index",
        "dW: input rows of another step",
        "np.dot(Hin[t].T, dIFOG[t])",
        "np.dot(Hin[t - 1].T, dIFOG[t])",
    ),
    Planted("missing-accumulation", "dW", "dWLSTM += np.dot", "dWLSTM = np.dot"),
    Planted(
        "missing-accumulation",
        "dW skips step 0",
        "dWLSTM += np.dot(Hin[t].T, dIFOG[t])",
        "dWLSTM += np.dot(Hin[t].T, dIFOG[t]) if t > 0 else 0",
    ),
    Planted(
        "mean-for-sum",
        "biases only",
        "    return dX, dWLSTM, dc0, dh0",
        "    dWLSTM[0] /= b\n    return dX, dWLSTM, dc0, dh0",
        also=("wrong-scale",),
    ),
    Planted(
        "mean-for-sum",
        "dW over the batch",
        "    return dX, dWLSTM, dc0, dh0",
        "    return dX, dWLSTM / b, dc0, dh0",
        also=("wrong-scale",),
    ),
    Planted("double-counted", "h_T", "dHout[n - 1] += dhn", "dHout[n - 1] += dhn + dhn"),
    Planted("double-counted", "δc", "dC[t] += (1 - tanhCt**2)", "dC[t] += dC[t] + (1 - tanhCt**2)"),
    Planted("bad-accumulator", "dW", "dWLSTM = np.zeros(WLSTM.shape)", "dWLSTM = np.ones(WLSTM.shape)"),
    Planted("bad-accumulator", "dC starts with C", "dC = np.zeros(C.shape)", "dC = C.copy()", also=("extra-path",)),
    Planted("extra-path", "h_T's cotangent at each step", "dHout[n - 1] += dhn", "dHout += dhn"),
    Planted(
        "extra-factor",
        "c carry",
        "dC[t - 1] += IFOGf[t, :, d : 2 * d] * dC[t]",
        "dC[t - 1] += IFOGf[t, :, d : 2 * d] * tanhCt * dC[t]",
    ),
    Planted("extra-factor", "δo", "= tanhCt * dHout[t]", "= tanhCt * dHout[t] * IFOGf[t, :, 2 * d : 3 * d]"),
    Planted(
        "wrong-operand",
        "c carry through i",
        "dC[t - 1] += IFOGf[t, :, d : 2 * d] * dC[t]",
        "dC[t - 1] += IFOGf[t, :, :d] * dC[t]",
    ),
    Planted(
        "wrong-operand",
        "δi: c for g",
        "dIFOGf[t, :, :d] = IFOGf[t, :, 3 * d :] * dC[t]",
        "dIFOGf[t, :, :d] = C[t] * dC[t]",
    ),
    Planted(
        "wrong-operand",
        "i and g",
        "dIFOGf[t, :, :d] = IFOGf[t, :, 3 * d :] * dC[t]\n        dIFOGf[t, :, 3 * d :] = IFOGf[t, :, :d] * dC[t]",
        "dIFOGf[t, :, :d] = IFOGf[t, :, :d] * dC[t]\n        dIFOGf[t, :, 3 * d :] = IFOGf[t, :, 3 * d :] * dC[t]",
        also=("gate-swapped",),
    ),
    Planted(
        "stale-cache",
        "gates of the last step",
        "y = IFOGf[t, :, : 3 * d]",
        "y = IFOGf[-1, :, : 3 * d]",
        also=("wrong-time-index",),
    ),
    Planted(
        "corrupted-cache",
        "Hin is shifted in place",
        "dWLSTM += np.dot(Hin[t].T",
        "Hin[t, :, 1:] -= Hin[t, :, 1:].mean(axis=0)\n        dWLSTM += np.dot(Hin[t].T",
    ),
    Planted(
        "corrupted-cache",
        "c overwritten in the forward pass",
        "Ct[t] = np.tanh(C[t])\n        Hout[t] = IFOGf[t, :, 2 * d : 3 * d] * Ct[t]",
        "Ct[t] = np.tanh(C[t])\n        Hout[t] = IFOGf[t, :, 2 * d : 3 * d] * Ct[t]\n        IFOGf[t, :, 2 * d : 3 * d] *= Ct[t]",
    ),
    Planted(
        "clipped",
        "by element",
        "    return dX, dWLSTM, dc0, dh0",
        "    np.clip(dWLSTM, -5, 5, out=dWLSTM)\n    return dX, dWLSTM, dc0, dh0",
        needs=LARGE,
    ),
    Planted(
        "clipped-in-recursion",
        "h carry",
        "dHout[t - 1] += dHin[t, :, 1 + input_size :]",
        "dHout[t - 1] += np.clip(dHin[t, :, 1 + input_size :], -0.3, 0.3)",
    ),
    Planted("wrong-scale", "dX", "dX[t] = dHin", "dX[t] = 2 * dHin", also=("double-counted",)),
    Planted(
        "truncated",
        "3 steps",
        "            dC[t - 1] += IFOGf[t, :, d : 2 * d] * dC[t]\n",
        "            dC[t - 1] += IFOGf[t, :, d : 2 * d] * dC[t] * (n - t < 3)\n",
        more=(
            (
                "dHout[t - 1] += dHin[t, :, 1 + input_size :]",
                "dHout[t - 1] += dHin[t, :, 1 + input_size :] * (n - t < 3)",
            ),
        ),
        also=("recurrent-path-cut",),
    ),
    Planted("sign", "h carry", "dHout[t - 1] += dHin", "dHout[t - 1] -= dHin"),
]
