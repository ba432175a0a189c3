# ruff: noqa
# fmt: off
"""An encoder and a decoder, each a tanh RNN; the decoder starts from the encoder's last state; cross-entropy per step."""
import numpy as np


def seq2seq_loss(src, dst_in, dst_out, p):
    """src, dst_in, dst_out: lists of token numbers; p: dict of weights; vectors."""
    enc = [np.zeros(p['We'].shape[0])]
    for token in src:
        enc.append(np.tanh(p['Ee'][token] + p['We'] @ enc[-1] + p['be']))
    dec, probs, loss = [enc[-1]], [], 0
    for token, goal in zip(dst_in, dst_out):
        dec.append(np.tanh(p['Ed'][token] + p['Wd'] @ dec[-1] + p['bd']))
        z = np.exp(p['Wv'] @ dec[-1] + p['bv'])
        probs.append(z / z.sum())
        loss -= np.log(probs[-1][goal])

    d = {k: np.zeros_like(v) for k, v in p.items()}
    dnext = np.zeros_like(enc[0])
    for t in range(len(dst_in) - 1, -1, -1):
        dlogit = probs[t].copy()
        dlogit[dst_out[t]] -= 1
        d['Wv'] += np.outer(dlogit, dec[t + 1])
        d['bv'] += dlogit
        dh = p['Wv'].T @ dlogit + dnext
        draw = dh * (1 - dec[t + 1] ** 2)
        d['Ed'][dst_in[t]] += draw
        d['Wd'] += np.outer(draw, dec[t])
        d['bd'] += draw
        dnext = p['Wd'].T @ draw
    for t in range(len(src) - 1, -1, -1):
        draw = dnext * (1 - enc[t + 1] ** 2)
        d['Ee'][src[t]] += draw
        d['We'] += np.outer(draw, enc[t])
        d['be'] += draw
        dnext = p['We'].T @ draw
    return loss, d


# --- planted
from tests.gradients.programs.planted import Slip as S

HELD = True
ABOUT = "encoder-decoder, last state handed over, token numbers, dicts"
CALL = 'check_gradients(*from_loss(m.seq2seq_loss, {"src": [0, 3, 1, 2], "dst_in": [0, 2, 1], "dst_out": [2, 1, 3], "p": a}, ["p"]))'


def example(rng):
    sizes = {"Ee": (4, 6), "We": (6, 6), "be": (6,), "Ed": (4, 6), "Wd": (6, 6), "bd": (6,), "Wv": (4, 6), "bv": (4,)}
    return {k: 0.6 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    loss, grads = m.seq2seq_loss([0, 3, 1, 2], [0, 2, 1], [2, 1, 3], a)
    return float(loss), grads


MISTAKES = [
    S("dnext = p['Wd'].T @ draw", "dnext = p['Wd'] @ draw", "transpose"),
    S("dnext = p['We'].T @ draw", "dnext = draw", "missing-path", also=("missing-factor", "wrong-operand")),
    S("    for t in range(len(src) - 1, -1, -1):", "    dnext = np.zeros_like(dnext)\n    for t in range(len(src) - 1, -1, -1):", "missing-path", also=("zero-gradient", "recurrent-path-cut", "missing-output")),
    S("np.outer(draw, dec[t])", "np.outer(draw, dec[t + 1])", "wrong-time-index", also=("wrong-operand",)),
    S("np.outer(draw, enc[t])", "np.outer(draw, enc[t + 1])", "wrong-time-index", also=("wrong-operand",)),
    S("draw = dnext * (1 - enc[t + 1] ** 2)", "draw = dnext", "missing-derivative"),
    S("dh = p['Wv'].T @ dlogit + dnext", "dh = p['Wv'].T @ dlogit", "recurrent-path-cut"),
    S("d['Ed'][dst_in[t]] += draw", "d['Ed'][dst_in[t]] += dh", "missing-derivative", also=("wrong-operand",)),
    S("d['bv'] += dlogit", "d['bv'] = dlogit", "missing-accumulation"),
    S("dh * (1 - dec[t + 1] ** 2)", "dh * (1 - np.tanh(dec[t + 1]) ** 2)", "derivative-at-output"),
]
