"""Cells as people write them in different ways, and others that only look alike: forty pairs and their verdicts."""

import pytest

from symrnn import Cell, equivalent

RNN = "def rnn(x, h, *, W, U, b):\n    h = {}\n    return h\n"


def text(body, params, states="h"):
    lines = "".join(f"    {line}\n" for line in body)
    return f"def f(x, {states}, *, {params}):\n{lines}    return {states}\n"


LSTM_PARAMETERS = "W_f, U_f, b_f, W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o"
LSTM = [
    "f = sigmoid(W_f @ x + U_f @ h + b_f)",
    "i = sigmoid(W_i @ x + U_i @ h + b_i)",
    "g = tanh(W_g @ x + U_g @ h + b_g)",
    "o = sigmoid(W_o @ x + U_o @ h + b_o)",
    "c = f * c + i * g",
    "h = o * tanh(c)",
]


def changed(lines, *changes):
    out = "\n".join(lines)
    for a, b in changes:
        assert a in out, a
        out = out.replace(a, b)
    return out.split("\n")


GRU_PARAMETERS = "W_r, U_r, b_r, W_z, U_z, b_z, W_n, U_n, b_n"
GRU = [
    "r = sigmoid(W_r @ x + U_r @ h + b_r)",
    "z = sigmoid(W_z @ x + U_z @ h + b_z)",
    "n = tanh(W_n @ x + U_n @ (r * h) + b_n)",
    "h = (1 - z) * h + z * n",
]

PAIRS = []
# written first
PAIRS.append(
    (
        "same",
        "sigmoid by tanh (hard-ware code)",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(
            changed(
                LSTM, ("f = sigmoid(W_f @ x + U_f @ h + b_f)", "f = 0.5 * (tanh(0.5 * (W_f @ x + U_f @ h + b_f)) + 1)")
            ),
            LSTM_PARAMETERS,
            "h, c",
        ),
    )
)
PAIRS.append(
    (
        "same",
        "1/(1+exp)",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(
            changed(LSTM, ("o = sigmoid(W_o @ x + U_o @ h + b_o)", "o = 1 / (1 + exp(-(W_o @ x + U_o @ h + b_o)))")),
            LSTM_PARAMETERS,
            "h, c",
        ),
    )
)
PAIRS.append(
    (
        "same",
        "exp/(1+exp)",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(
            changed(
                LSTM,
                (
                    "o = sigmoid(W_o @ x + U_o @ h + b_o)",
                    "e = exp(W_o @ x + U_o @ h + b_o)\n    o = e / (1 + e)".replace("    ", ""),
                ),
            ),
            LSTM_PARAMETERS,
            "h, c",
        ),
    )
)
PAIRS.append(
    (
        "same",
        "gru lerp",
        text(GRU, GRU_PARAMETERS),
        text(changed(GRU, ("(1 - z) * h + z * n", "n + (1 - z) * (h - n)")), GRU_PARAMETERS),
    )
)
PAIRS.append(
    (
        "same",
        "update gate for keep gate",
        text(GRU, GRU_PARAMETERS),
        text(changed(GRU, ("(1 - z) * h + z * n", "z * h + (1 - z) * n")), GRU_PARAMETERS),
    )
)
PAIRS.append(
    (
        "same",
        "two biases (pytorch)",
        RNN.format("tanh(W @ x + U @ h + b)"),
        "def t(x, h, *, W, U, b, d):\n    h = tanh(W @ x + b + U @ h + d)\n    return h\n",
    )
)
PAIRS.append(
    (
        "same",
        "row vectors",
        RNN.format("tanh(W @ x + U @ h + b)"),
        'def t(x, h, *, W: "d_x, d_h", U, b):\n    h = tanh(x @ W + h @ U + b)\n    return h\n',
    )
)
PAIRS.append(
    (
        "same",
        "stacked xh",
        RNN.format("tanh(W @ x + U @ h + b)"),
        "def t(x, h, *, W, b):\n    h = tanh(W @ concat(x, h) + b)\n    return h\n",
    )
)
PAIRS.append(
    (
        "same",
        "forget bias 1",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(changed(LSTM, ("U_f @ h + b_f", "U_f @ h + b_f + 1.0")), LSTM_PARAMETERS, "h, c"),
    )
)
PAIRS.append(
    (
        "same",
        "leaky: alpha (1-a)h + a tanh",
        RNN.format("0.9 * h + 0.1 * tanh(W @ x + U @ h + b)"),
        RNN.format("h + 0.1 * (tanh(W @ x + U @ h + b) - h)"),
    )
)
PAIRS.append(("same", "minus theta", RNN.format("relu(W @ x + U @ h + b)"), RNN.format("relu(W @ x + U @ h - b)")))
PAIRS.append(
    ("same", "scaled tanh", RNN.format("tanh(W @ x + U @ h + b)"), RNN.format("tanh(0.5 * W @ x + U @ h + b)"))
)
PAIRS.append(
    (
        "same",
        "tanh via exp(2a)",
        RNN.format("tanh(W @ x + U @ h + b)"),
        text(["e = exp(2 * (W @ x + U @ h + b))", "h = (e - 1) / (e + 1)"], "W, U, b"),
    )
)
PAIRS.append(
    (
        "same",
        "silu",
        RNN.format("silu(W @ x + U @ h + b)"),
        text(["a = W @ x + U @ h + b", "h = a * sigmoid(a)"], "W, U, b"),
    )
)
PAIRS.append(
    (
        "special case",
        "diagonal",
        RNN.format("tanh(W @ x + U * h + b)").replace("U, b", 'U: "d_h", b'),
        RNN.format("tanh(W @ x + U @ h + b)"),
    )
)
PAIRS.append(
    (
        "special case",
        "coupled",
        text(
            (
                [
                    "i = sigmoid(W_i @ x + U_i @ h + b_i)",
                    "g = tanh(W_g @ x + U_g @ h + b_g)",
                    "o = sigmoid(W_o @ x + U_o @ h + b_o)",
                    "c = (1 - i) * c + i * g",
                    "h = o * tanh(c)",
                ]
            ),
            "W_i, U_i, b_i, W_g, U_g, b_g, W_o, U_o, b_o",
            "h, c",
        ),
        text(LSTM, LSTM_PARAMETERS, "h, c"),
    )
)
PAIRS.append(
    ("different", "step at zero", RNN.format("step(W @ x + U @ h + b)"), RNN.format("1 - step(-(W @ x + U @ h + b))"))
)
PAIRS.append(
    (
        "different",
        "normalise without eps",
        text(["a = W @ x + U @ h + b", "h = a / a * tanh(a)"], "W, U, b"),
        RNN.format("tanh(W @ x + U @ h + b)"),
    )
)
PAIRS.append(
    ("not found", "softsign for tanh", RNN.format("tanh(W @ x + U @ h + b)"), RNN.format("softsign(W @ x + U @ h + b)"))
)
PAIRS.append(
    (
        "not found",
        "reset after",
        text(GRU, GRU_PARAMETERS),
        text(changed(GRU, ("U_n @ (r * h)", "r * (U_n @ h)")), GRU_PARAMETERS),
    )
)
# kept aside until the search was finished
PAIRS.append(
    ("same", "relu by max", RNN.format("relu(W @ x + U @ h + b)"), RNN.format("maximum(W @ x + U @ h + b, 0)"))
)
PAIRS.append(
    (
        "same",
        "relu by abs",
        RNN.format("relu(W @ x + U @ h + b)"),
        text(["a = W @ x + U @ h + b", "h = 0.5 * (a + abs(a))"], "W, U, b"),
    )
)
PAIRS.append(
    (
        "same",
        "clip symmetrical",
        RNN.format("maximum(-1, minimum(1, W @ x + U @ h + b))"),
        RNN.format("-minimum(1, maximum(-1, W @ x + U @ h + b))"),
    )
)
PAIRS.append(
    (
        "same",
        "cell state with opposite sign",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(
            changed(LSTM, ("c = f * c + i * g", "c = f * c - i * g"), ("h = o * tanh(c)", "h = -o * tanh(c)")),
            LSTM_PARAMETERS,
            "h, c",
        ),
    )
)
PAIRS.append(
    (
        "same",
        "state scaled 2 inside",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(
            changed(LSTM, ("g = tanh(W_g", "g = 2 * sigmoid(2 * (W_g"), ("U_g @ h + b_g)", "U_g @ h + b_g)) - 1")),
            LSTM_PARAMETERS,
            "h, c",
        ),
    )
)
PAIRS.append(
    (
        "same",
        "softmax attention shift",
        RNN.format("softmax(W @ x + U @ h + b)"),
        text(["a = W @ x + U @ h + b", "e = exp(a - mean(a))", "h = e / sum(e)"], "W, U, b"),
    )
)
PAIRS.append(
    (
        "same",
        "forget = 1 - sigmoid",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(changed(LSTM, ("c = f * c", "c = (1 - f) * c")), LSTM_PARAMETERS, "h, c"),
    )
)
PAIRS.append(
    (
        "same",
        "both biases of gru doubled",
        text(GRU, GRU_PARAMETERS),
        text(
            changed(GRU, ("U_z @ h + b_z", "U_z @ h + b_z + b_z"), ("U_r @ h + b_r", "b_r + U_r @ h + b_r")),
            GRU_PARAMETERS,
        ),
    )
)
PAIRS.append(
    (
        "same",
        "split output (gates joined in one order)",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(
            changed(LSTM, ("W_o @ x + U_o @ h", "U_o @ h + W_o @ x"), ("c = f * c + i * g", "c = g * i + c * f")),
            LSTM_PARAMETERS,
            "h, c",
        ),
    )
)
PAIRS.append(
    (
        "same",
        "exponential decay",
        text(["h = exp(-relu(b)) * h + W @ x"], "W, b"),
        text(["h = h / exp(relu(b)) + W @ x"], "W, b"),
    )
)
PAIRS.append(
    (
        "same",
        "minimal gated: complement in candidate",
        text(
            ["f = sigmoid(W_f @ x + U_f @ h + b_f)", "h = (1 - f) * h + f * tanh(W_h @ x + U_h @ (f * h) + b_h)"],
            "W_f, U_f, b_f, W_h, U_h, b_h",
        ),
        text(
            [
                "f = sigmoid(-(W_f @ x) - U_f @ h - b_f)",
                "h = f * h + (1 - f) * tanh(W_h @ x + U_h @ ((1 - f) * h) + b_h)",
            ],
            "W_f, U_f, b_f, W_h, U_h, b_h",
        ),
    )
)
PAIRS.append(
    (
        "same",
        "leaky relu homogeneity",
        RNN.format("maximum(0.1 * (W @ x + U @ h + b), W @ x + U @ h + b)"),
        text(["a = 5 * (W @ x + U @ h + b)", "h = maximum(0.02 * a, a / 5)"], "W, U, b"),
    )
)
PAIRS.append(
    (
        "same",
        "layer norm scale invariance",
        text(["a = W @ x + U @ h", "d = a - mean(a)", "h = b * d / sqrt(mean(d * d))"], "W, U, b"),
        text(["a = 2 * (W @ x + U @ h)", "d = a - mean(a)", "h = b * d / sqrt(mean(d * d))"], "W, U, b"),
    )
)
PAIRS.append(
    (
        "special case",
        "one bias in three gates",
        text(
            changed(LSTM, ("b_f", "b"), ("b_i", "b"), ("b_o", "b")),
            "W_f, U_f, W_i, U_i, W_g, U_g, b_g, W_o, U_o, b",
            "h, c",
        ),
        text(LSTM, LSTM_PARAMETERS, "h, c"),
    )
)
PAIRS.append(
    (
        "special case",
        "no peephole",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(changed(LSTM, ("U_f @ h + b_f", "U_f @ h + p * c + b_f")), LSTM_PARAMETERS + ", p", "h, c"),
    )
)
PAIRS.append(
    (
        "special case",
        "identity recurrent, no gate",
        RNN.format("tanh(W @ x + h + b)").replace("U, ", ""),
        RNN.format("tanh(W @ x + U @ h + b)"),
    )
)
PAIRS.append(
    (
        "different",
        "sign for 2 step - 1",
        RNN.format("sign(W @ x + U @ h + b)"),
        RNN.format("2 * step(W @ x + U @ h + b) - 1"),
    )
)
PAIRS.append(
    (
        "not found",
        "log-space",
        text(["h = exp(log(sigmoid(b)) + log(h)) + W @ x"], "W, b"),
        text(["h = exp(log(sigmoid(b))) * exp(log(abs(h))) + W @ x"], "W, b"),
    )
)
PAIRS.append(
    (
        "not found",
        "old memory",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(
            changed(LSTM, ("c = f * c + i * g\nh = o * tanh(c)", "h = o * tanh(c)\nc = f * c + i * g")),
            LSTM_PARAMETERS,
            "h, c",
        ),
    )
)
PAIRS.append(
    (
        "not found",
        "gates exchanged twice",
        text(LSTM, LSTM_PARAMETERS, "h, c"),
        text(
            changed(LSTM, ("h = o * tanh(c)", "h = o * i * tanh(c)"), ("f * c + i * g", "f * c + f * g")),
            LSTM_PARAMETERS,
            "h, c",
        ),
    )
)


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("verdict", "name", "first", "second"), PAIRS, ids=[name for _, name, *_ in PAIRS])
def test_the_verdict(verdict: str, name: str, first: str, second: str) -> None:
    result = equivalent(Cell.from_source(first), Cell.from_source(second))
    assert result.verdict == verdict, str(result)
    assert bool(result) == (verdict == "same")
    assert (result.counterexample is not None) == (verdict in ("different", "not found"))
