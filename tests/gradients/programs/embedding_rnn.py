# ruff: noqa
# fmt: off
"""A word model: rows of an embedding are looked up by number; the readout is tied to the embedding."""
import numpy as np


def bptt(words, next_words, h, E, U, W, b, c):
    N = len(words)
    e, s, o = {}, {-1: h}, {}
    J = 0.
    for i in range(N):
        e[i] = E[words[i]]
        s[i] = np.tanh(U @ e[i] + W @ s[i - 1] + b)
        score = E @ s[i] + c
        o[i] = np.exp(score) / np.exp(score).sum()
        J -= np.log(o[i][next_words[i]])
    gE, gU, gW, gb, gc = np.zeros_like(E), np.zeros_like(U), np.zeros_like(W), np.zeros_like(b), np.zeros_like(c)
    later = np.zeros_like(h)
    for i in range(N - 1, -1, -1):
        go = o[i].copy()
        go[next_words[i]] -= 1.
        gE += np.outer(go, s[i])
        gc += go
        ga = (E.T @ go + later) * (1 - s[i] ** 2)
        gU += np.outer(ga, e[i])
        gW += np.outer(ga, s[i - 1])
        gb += ga
        gE[words[i]] += U.T @ ga
        later = W.T @ ga
    return J, gE, gU, gW, gb, gc


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_loss

HELD = False
ABOUT = "word model with an embedding that is tied to the readout; vectors"
CALL = 'check_gradients(*from_loss(m.bptt, a, list("EUWbc")))'


def example(rng):
    sizes = {"h": (6,), "E": (5, 6), "U": (6, 6), "W": (6, 6), "b": (6,), "c": (5,)}
    return {"words": [0, 3, 1, 3, 2], "next_words": [3, 1, 3, 2, 4]} | {k: 0.6 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    return of_loss(m, m.bptt, a, ["loss", *"EUWbc"])


MISTAKES = [
    S("        gE[words[i]] += U.T @ ga\n", "", "missing-path", line="gE += np.outer"),
    S("gE[words[i]] += U.T @ ga", "gE[words[i]] += U @ ga", "transpose"),
    S("gE[words[i]] += U.T @ ga", "gE[words[i]] = U.T @ ga", "missing-accumulation", also=("missing-path",)),
    S("gE += np.outer(go, s[i])", "gE += np.outer(go, s[i - 1])", "wrong-time-index", also=("wrong-operand",)),
    S("later = W.T @ ga", "later = W @ ga", "transpose"),
    S("gW += np.outer(ga, s[i - 1])", "gW += np.outer(ga, s[i])", "wrong-time-index", also=("wrong-operand",)),
    S("gW += np.outer(ga, s[i - 1])", "gW += np.outer(s[i - 1], ga)", "transpose"),
    S("ga = (E.T @ go + later) * (1 - s[i] ** 2)", "ga = E.T @ go * (1 - s[i] ** 2) + later", "missing-derivative"),
    S("(E.T @ go + later)", "(E.T @ go)", "recurrent-path-cut"),
    S("gc += go", "gc = go", "missing-accumulation"),
    S("* (1 - s[i] ** 2)", "* (1 - s[i - 1] ** 2)", "wrong-time-index", also=("wrong-operand",)),
]
