"""torch.nn.LSTM, one layer, in NumPy: weight_ih (4H, D), weight_hh (4H, H), gates i f g o."""
# ruff: noqa: A001, A002, E501, RUF059

import numpy as np

from tests.diagnosis.corpus.planted import LARGE, Planted

CELL = "lstm_two_biases"
ABOUT = "stacked rows in torch's order i f g o, two biases, x @ W.T; outputs (h, (h_T, c_T)); a tuple of gradients"


def make_inputs(rng, T, N):
    D, H = 5, 4
    return {
        "input": rng.standard_normal((T, N, D)),
        "hx": rng.standard_normal((N, H)),
        "cx": rng.standard_normal((N, H)),
        "weight_ih": 0.6 * rng.standard_normal((4 * H, D)),
        "weight_hh": 0.6 * rng.standard_normal((4 * H, H)),
        "bias_ih": rng.standard_normal(4 * H),
        "bias_hh": rng.standard_normal(4 * H),
    }


def sigmoid(x):
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def forward(input, hx, cx, weight_ih, weight_hh, bias_ih, bias_hh):
    hidden = hx.shape[1]
    outputs, saved = [], []
    h, c = hx, cx
    for x in input:
        gates = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh
        i = sigmoid(gates[:, :hidden])
        f = sigmoid(gates[:, hidden : 2 * hidden])
        g = np.tanh(gates[:, 2 * hidden : 3 * hidden])
        o = sigmoid(gates[:, 3 * hidden :])
        c_new = f * c + i * g
        saved.append((h, c, i, f, g, o, c_new))
        c = c_new
        h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), (h, c), (input, weight_ih, weight_hh, saved)


def backward(grad_output, grad_state, ctx):
    input, weight_ih, weight_hh, saved = ctx
    grad_h, grad_c = grad_state
    T = len(saved)
    grad_gates = [None] * T
    for t in range(T - 1, -1, -1):
        h_prev, c_prev, i, f, g, o, c = saved[t]
        grad_h = grad_h + grad_output[t]
        tanh_c = np.tanh(c)
        grad_c = grad_c + grad_h * o * (1 - tanh_c * tanh_c)
        grad_o = grad_h * tanh_c * o * (1 - o)
        grad_i = grad_c * g * i * (1 - i)
        grad_f = grad_c * c_prev * f * (1 - f)
        grad_g = grad_c * i * (1 - g * g)
        grad_gates[t] = np.concatenate([grad_i, grad_f, grad_g, grad_o], axis=1)
        grad_h = grad_gates[t] @ weight_hh
        grad_c = grad_c * f
    grad_gates = np.stack(grad_gates)
    hs = np.stack([entry[0] for entry in saved])
    grad_input = grad_gates @ weight_ih
    grad_weight_ih = np.einsum("tng,tnd->gd", grad_gates, input)
    grad_weight_hh = np.einsum("tng,tnh->gh", grad_gates, hs)
    grad_bias = grad_gates.sum(axis=(0, 1))
    return grad_input, grad_h, grad_c, grad_weight_ih, grad_weight_hh, grad_bias, grad_bias.copy()


MISTAKES: list[Planted] = [
    Planted("recurrent-path-cut", "h carry", "grad_h = grad_gates[t] @ weight_hh", "grad_h = np.zeros_like(h_prev)"),
    Planted(
        "recurrent-path-cut",
        "c carry",
        "grad_c = grad_c * f\n",
        "grad_c = np.zeros_like(grad_c)\n",
        also=("missing-path",),
    ),
    Planted("missing-output", "h at each step", "        grad_h = grad_h + grad_output[t]\n", ""),
    Planted(
        "missing-output",
        "h_T",
        "grad_h, grad_c = grad_state",
        "grad_h, grad_c = np.zeros_like(grad_state[0]), grad_state[1]",
    ),
    Planted(
        "missing-output", "h_T and c_T", "grad_h, grad_c = grad_state", "grad_h = grad_c = np.zeros_like(grad_state[0])"
    ),
    Planted(
        "missing-path",
        "δc: the carry",
        "grad_c = grad_c + grad_h * o *",
        "grad_c = grad_h * o *",
        also=("recurrent-path-cut",),
    ),
    Planted(
        "missing-path",
        "δh_prev without o's rows",
        "grad_h = grad_gates[t] @ weight_hh",
        "grad_h = grad_gates[t][:, : 3 * len(o[0])] @ weight_hh[: 3 * len(o[0])]",
        also=("recurrent-path-cut",),
    ),
    Planted("derivative-at-output", "δa_i", "g * i * (1 - i)", "g * sigmoid(i) * (1 - sigmoid(i))"),
    Planted("derivative-at-output", "δa_g", "(1 - g * g)", "(1 - np.tanh(g) ** 2)"),
    Planted("missing-derivative", "δa_f", "c_prev * f * (1 - f)", "c_prev * f", also=("wrong-derivative",)),
    Planted("missing-derivative", "δa_g", "grad_c * i * (1 - g * g)", "grad_c * i"),
    Planted("derivative-at-preactivation", "δc", "(1 - tanh_c * tanh_c)", "(1 - c * c)"),
    Planted(
        "derivative-at-preactivation",
        "δa_o, cached before the sigmoid",
        "o * (1 - o)",
        "gates_o * (1 - gates_o)",
        more=(
            ("i, f, g, o, c_new))", "i, f, g, o, c_new, gates[:, 3 * hidden :]))"),
            ("h_prev, c_prev, i, f, g, o, c = saved[t]", "h_prev, c_prev, i, f, g, o, c, gates_o = saved[t]"),
        ),
    ),
    Planted("wrong-derivative", "δa_g: no square", "(1 - g * g)", "(1 - g)"),
    Planted("wrong-derivative", "δa_i: sign inside", "g * i * (1 - i)", "g * i * (1 + i)"),
    Planted("wrong-derivative", "δa_o: that of tanh", "tanh_c * o * (1 - o)", "tanh_c * (1 - o * o)"),
    Planted(
        "wrong-time-index",
        "dW_hh: the new h",
        "hs = np.stack([entry[0] for entry in saved])",
        "hs = np.stack([entry[5] * np.tanh(entry[6]) for entry in saved])",
        also=("wrong-operand",),
    ),
    Planted("wrong-time-index", "δf: the new c", "grad_c * c_prev * f", "grad_c * c * f", also=("wrong-operand",)),
    Planted(
        "wrong-time-index",
        "dW_ih: deltas a step late",
        '"tng,tnd->gd", grad_gates, input)',
        '"tng,tnd->gd", grad_gates, np.roll(input, 1, axis=0))',
    ),
    Planted(
        "initial-state",
        "dW_hh: h_0 as zeros",
        "hs = np.stack([entry[0] for entry in saved])",
        "hs = np.stack([np.zeros_like(grad_h)] + [entry[0] for entry in saved[1:]])",
        also=("missing-accumulation",),
    ),
    Planted(
        "initial-state",
        "dW_hh: h_0 wraps round",
        "hs = np.stack([entry[0] for entry in saved])",
        "hs = np.roll(np.stack([entry[5] * np.tanh(entry[6]) for entry in saved]), 1, axis=0)",
        also=("wrong-time-index",),
    ),
    Planted(
        "missing-accumulation",
        "bias of the first step only",
        "grad_bias = grad_gates.sum(axis=(0, 1))",
        "grad_bias = grad_gates[0].sum(axis=0)",
    ),
    Planted(
        "missing-accumulation",
        "dW_ih without step 0",
        '"tng,tnd->gd", grad_gates, input)',
        '"tng,tnd->gd", grad_gates[1:], input[1:])',
    ),
    Planted(
        "mean-for-sum",
        "biases over the batch",
        "grad_bias = grad_gates.sum(axis=(0, 1))",
        "grad_bias = grad_gates.sum(axis=0).mean(axis=0)",
    ),
    Planted(
        "mean-for-sum",
        "biases over time",
        "grad_bias = grad_gates.sum(axis=(0, 1))",
        "grad_bias = grad_gates.mean(axis=0).sum(axis=0)",
    ),
    Planted(
        "mean-for-sum",
        "all parameters over the batch",
        "grad_bias = grad_gates.sum(axis=(0, 1))",
        "grad_bias = grad_gates.sum(axis=(0, 1)) / input.shape[1]",
        more=(
            ('"tng,tnd->gd", grad_gates, input)', '"tng,tnd->gd", grad_gates, input) / input.shape[1]'),
            ('"tng,tnh->gh", grad_gates, hs)', '"tng,tnh->gh", grad_gates, hs) / input.shape[1]'),
        ),
        also=("wrong-scale",),
    ),
    Planted(
        "double-counted",
        "bias_hh",
        "grad_weight_hh, grad_bias, grad_bias.copy()",
        "grad_weight_hh, grad_bias, 2 * grad_bias",
        also=("wrong-scale",),
    ),
    Planted(
        "double-counted",
        "δc from h",
        "grad_c = grad_c + grad_h * o *",
        "grad_c = grad_c + 2 * grad_h * o *",
        also=("extra-factor",),
    ),
    Planted(
        "extra-path",
        "δh: h_T at each step",
        "grad_h = grad_h + grad_output[t]",
        "grad_h = grad_h + grad_output[t] + (grad_state[0] if t < T - 1 else 0)",
    ),
    Planted("extra-factor", "δc", "grad_c = grad_c * f\n", "grad_c = grad_c * f * o\n"),
    Planted(
        "phantom-gradient",
        "bias_hh not read forward",
        "h @ weight_hh.T + bias_hh",
        "h @ weight_hh.T",
        also=("forward-backward-mismatch",),
    ),
    Planted(
        "transpose",
        "δh_prev: a block",
        "grad_h = grad_gates[t] @ weight_hh",
        "n = len(o[0])\n        weight_hh = np.concatenate([ctx[2][:n].T, ctx[2][n:]])\n        grad_h = grad_gates[t] @ weight_hh",
    ),
    Planted(
        "transpose",
        "δh_prev: every block",
        "grad_h = grad_gates[t] @ weight_hh",
        "grad_h = np.einsum('ngh,gkh->nk', grad_gates[t].reshape(-1, 4, len(o[0])), weight_hh.reshape(4, -1, len(o[0])))",
    ),
    Planted("wrong-operand", "δg", "grad_c * i * (1 - g * g)", "grad_c * f * (1 - g * g)"),
    Planted("wrong-operand", "δo", "grad_h * tanh_c * o", "grad_h * c * o", also=("missing-derivative",)),
    Planted(
        "gate-swapped", "stacking: i and f", "[grad_i, grad_f, grad_g, grad_o]", "[grad_f, grad_i, grad_g, grad_o]"
    ),
    Planted(
        "gate-swapped",
        "stacking: order i f o g",
        "[grad_i, grad_f, grad_g, grad_o]",
        "[grad_i, grad_f, grad_o, grad_g]",
    ),
    Planted("stale-cache", "the last step's", "= saved[t]", "= saved[-1]"),
    Planted("wrong-scale", "dW_hh", '"tng,tnh->gh", grad_gates, hs)', '"tng,tnh->gh", grad_gates, hs) / 2'),
    Planted(
        "clipped",
        "returned weights",
        "grad_bias = grad_gates.sum(axis=(0, 1))",
        "grad_bias = grad_gates.sum(axis=(0, 1))\n    grad_weight_ih, grad_weight_hh = np.clip(grad_weight_ih, -5, 5), np.clip(grad_weight_hh, -5, 5)",
        needs=LARGE,
    ),
    Planted(
        "clipped-in-recursion",
        "δh",
        "grad_h = grad_gates[t] @ weight_hh",
        "grad_h = np.clip(grad_gates[t] @ weight_hh, -0.5, 0.5)",
    ),
    Planted(
        "truncated",
        "after 2 steps",
        "grad_c = grad_c * f\n",
        "grad_c = grad_c * f\n        if (T - t) % 2 == 0:\n            grad_h, grad_c = np.zeros_like(grad_h), np.zeros_like(grad_c)\n",
        also=("recurrent-path-cut",),
    ),
    Planted("sign", "δa_f", "grad_f = grad_c", "grad_f = -grad_c"),
    Planted("forward-backward-mismatch", "forward without the output tanh", "h = o * np.tanh(c)", "h = o * c"),
]
