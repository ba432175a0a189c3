"""LSTM with coupled gates, f = 1 - i, written with one einsum per product."""

import numpy as np

from tests.diagnosis.corpus.planted import Planted

CELL = "lstm_cifg"
ABOUT = "coupled f = 1 - i; W of shape (3, H, D) with gates i g o on the first axis; einsum; namedtuple as cache"


def make_inputs(rng, T, N):
    D, H = 4, 5
    return {
        "W": 0.6 * rng.normal(size=(3, H, D)),
        "U": 0.6 * rng.normal(size=(3, H, H)),
        "b": rng.normal(size=(3, H)),
        "x": rng.normal(size=(T, N, D)),
        "h0": rng.normal(size=(N, H)),
        "c0": rng.normal(size=(N, H)),
    }


def logistic(v):
    return 1.0 / (1.0 + np.exp(-v))


def forward(W, U, b, x, h0, c0):
    tape = []
    h, c = h0, c0
    hs = []
    for x_t in x:
        pre = np.einsum("kij,nj->kni", W, x_t) + np.einsum("kij,nj->kni", U, h) + b[:, None]
        i, g, o = logistic(pre[0]), np.tanh(pre[1]), logistic(pre[2])
        c_new = (1 - i) * c + i * g
        tape.append((x_t, h, c, i, g, o, c_new))
        h, c = o * np.tanh(c_new), c_new
        hs.append(h)
    return np.stack(hs), c, (W, U, tape)


def backward(hs_bar, c_bar, cache):
    W, U, tape = cache
    W_bar, U_bar, b_bar = np.zeros_like(W), np.zeros_like(U), np.zeros(W.shape[:2])
    x_bar = []
    h_bar = np.zeros_like(c_bar)
    for out_bar, (x, h_old, c_old, i, g, o, c) in zip(hs_bar[::-1], tape[::-1], strict=True):
        h_bar = h_bar + out_bar
        s = np.tanh(c)
        c_bar = c_bar + h_bar * o * (1 - s * s)
        i_bar = c_bar * (g - c_old)
        g_bar = c_bar * i
        o_bar = h_bar * s
        pre_bar = np.stack([i_bar * i * (1 - i), g_bar * (1 - g * g), o_bar * o * (1 - o)])
        W_bar += np.einsum("kni,nj->kij", pre_bar, x)
        U_bar += np.einsum("kni,nj->kij", pre_bar, h_old)
        b_bar += np.einsum("kni->ki", pre_bar)
        x_bar.append(np.einsum("kni,kij->nj", pre_bar, W))
        h_bar = np.einsum("kni,kij->nj", pre_bar, U)
        c_bar = c_bar * (1 - i)
    return W_bar, U_bar, b_bar, np.stack(x_bar[::-1]), h_bar, c_bar


MISTAKES: list[Planted] = [
    Planted("missing-path", "δi: the coupled gate", "c_bar * (g - c_old)", "c_bar * g"),
    Planted("missing-path", "δi: the candidate", "c_bar * (g - c_old)", "-c_bar * c_old"),
    Planted("sign", "δi: the coupled gate", "c_bar * (g - c_old)", "c_bar * (g + c_old)"),
    Planted("sign", "δi", "c_bar * (g - c_old)", "c_bar * (c_old - g)"),
    Planted("wrong-operand", "c carry: i for 1 - i", "c_bar = c_bar * (1 - i)", "c_bar = c_bar * i"),
    Planted("wrong-operand", "δg: 1 - i for i", "g_bar = c_bar * i", "g_bar = c_bar * (1 - i)"),
    Planted("recurrent-path-cut", "c carry", "c_bar = c_bar * (1 - i)", "c_bar = 0 * c_bar", also=("missing-path",)),
    Planted("recurrent-path-cut", "h carry", "h_bar = h_bar + out_bar", "h_bar = out_bar"),
    Planted(
        "missing-path",
        "h carry through the last two gates only",
        '"kni,kij->nj", pre_bar, U)',
        '"kni,kij->nj", pre_bar[1:], U[1:])',
        also=("recurrent-path-cut",),
    ),
    Planted(
        "missing-output",
        "c_T",
        "    h_bar = np.zeros_like(c_bar)\n",
        "    h_bar = np.zeros_like(c_bar)\n    c_bar = np.zeros_like(c_bar)\n",
    ),
    Planted("derivative-at-output", "δa_o", "o_bar * o * (1 - o)", "o_bar * logistic(o) * (1 - logistic(o))"),
    Planted("derivative-at-output", "δa_g", "g_bar * (1 - g * g)", "g_bar * (1 - np.tanh(g) ** 2)"),
    Planted("missing-derivative", "δa_i", "i_bar * i * (1 - i)", "i_bar"),
    Planted("missing-derivative", "δc", "h_bar * o * (1 - s * s)", "h_bar * o"),
    Planted(
        "missing-derivative", "δa_i: factor i", "i_bar * i * (1 - i)", "i_bar * (1 - i)", also=("wrong-derivative",)
    ),
    Planted("derivative-at-preactivation", "δc", "(1 - s * s)", "(1 - c * c)"),
    Planted("wrong-derivative", "δc", "(1 - s * s)", "s * (1 - s)"),
    Planted("wrong-time-index", "U", "pre_bar, h_old)", "pre_bar, o * np.tanh(c))", also=("wrong-operand",)),
    Planted("wrong-time-index", "δi", "(g - c_old)", "(g - c)", also=("wrong-operand",)),
    Planted("wrong-time-index", "cotangents in forward order", "zip(hs_bar[::-1], tape", "zip(hs_bar, tape"),
    Planted("wrong-time-index", "x's gradients in backward order", "np.stack(x_bar[::-1])", "np.stack(x_bar)"),
    Planted("missing-accumulation", "U", "U_bar += ", "U_bar = "),
    Planted("missing-accumulation", "b", "b_bar += ", "b_bar = "),
    Planted("mean-for-sum", "b over the batch", '"kni->ki", pre_bar)', '"kni->ki", pre_bar) / pre_bar.shape[1]'),
    Planted("mean-for-sum", "W over the batch", '"kni,nj->kij", pre_bar, x)', '"kni,nj->kij", pre_bar, x) / len(x)'),
    Planted("double-counted", "U in the loop", "U_bar += np", "U_bar += U_bar + np", also=("bad-accumulator",)),
    Planted("bad-accumulator", "b", "np.zeros(W.shape[:2])", "np.ones(W.shape[:2])"),
    Planted(
        "extra-path", "c carry gets the last cotangent", "c_bar = c_bar * (1 - i)", "c_bar = c_bar * (1 - i) + h_bar"
    ),
    Planted("extra-factor", "c carry", "c_bar = c_bar * (1 - i)", "c_bar = c_bar * (1 - i) * o"),
    Planted("extra-factor", "δo", "o_bar = h_bar * s", "o_bar = h_bar * s * s"),
    Planted("transpose", "h carry: all gates", '"kni,kij->nj", pre_bar, U)', '"kni,kji->nj", pre_bar, U)'),
    Planted("transpose", "U", '"kni,nj->kij", pre_bar, h_old)', '"kni,nj->kji", pre_bar, h_old)'),
    Planted(
        "gate-swapped",
        "order i o g",
        "[i_bar * i * (1 - i), g_bar * (1 - g * g), o_bar * o * (1 - o)]",
        "[i_bar * i * (1 - i), o_bar * o * (1 - o), g_bar * (1 - g * g)]",
    ),
    Planted("gate-swapped", "b", '"kni->ki", pre_bar)', '"kni->ki", pre_bar[[0, 2, 1]])'),
    Planted(
        "stale-cache",
        "the last step's",
        "in zip(hs_bar[::-1], tape[::-1], strict=True)",
        "in zip(hs_bar[::-1], [tape[-1]] * len(tape), strict=True)",
    ),
    Planted("forward-backward-mismatch", "f is i in the forward pass", "(1 - i) * c + i * g", "i * c + i * g"),
    Planted(
        "forward-backward-mismatch",
        "i is the forget gate in the forward pass",
        "(1 - i) * c + i * g",
        "i * c + (1 - i) * g",
    ),
    Planted(
        "clipped-in-recursion",
        "h carry",
        '        h_bar = np.einsum("kni,kij->nj", pre_bar, U)\n',
        '        h_bar = np.clip(np.einsum("kni,kij->nj", pre_bar, U), -0.2, 0.2)\n',
    ),
    Planted("wrong-scale", "x", "np.stack(x_bar[::-1])", "np.stack(x_bar[::-1]) / 2"),
    Planted(
        "initial-state",
        "h0's gradient is not carried through U",
        "np.stack(x_bar[::-1]), h_bar, c_bar",
        "np.stack(x_bar[::-1]), pre_bar.sum(axis=0), c_bar",
        also=("missing-path", "missing-factor", "wrong-operand"),
    ),
]
