# ruff: noqa
# fmt: off
"""A bidirectional RNN whose directions share a function, outputs summed, batch first."""
import numpy as np


def run(x, p):
    N, T, _ = x.shape
    h, kept = np.zeros((N, p["U"].shape[0])), []
    out = np.zeros((N, T, p["U"].shape[0]))
    for t in range(T):
        u = 1 / (1 + np.exp(-(x[:, t] @ p["Wu"] + h @ p["Uu"] + p["bu"])))
        cand = np.tanh(x[:, t] @ p["W"] + h @ p["U"] + p["b"])
        kept.append((x[:, t], h, u, cand))
        h = u * h + (1 - u) * cand
        out[:, t] = h
    return out, kept


def run_back(dout, kept, p):
    grads = {k: np.zeros_like(v) for k, v in p.items()}
    dx = []
    dh = 0
    for t in range(dout.shape[1])[::-1]:
        x, h, u, cand = kept[t]
        dh = dh + dout[:, t]
        du = dh * (h - cand) * u * (1 - u)
        dc = dh * (1 - u) * (1 - cand ** 2)
        grads["Wu"] += x.T @ du
        grads["Uu"] += h.T @ du
        grads["bu"] += du.sum(0)
        grads["W"] += x.T @ dc
        grads["U"] += h.T @ dc
        grads["b"] += dc.sum(0)
        dx.append(du @ p["Wu"].T + dc @ p["W"].T)
        dh = dh * u + du @ p["Uu"].T + dc @ p["U"].T
    return np.stack(dx[::-1], axis=1), grads


def forward(x, left, right):
    a, kept_a = run(x, left)
    b, kept_b = run(x[:, ::-1], right)
    return a + b[:, ::-1], (kept_a, kept_b, left, right)


def backward(dout, cache):
    kept_a, kept_b, left, right = cache
    dx, dleft = run_back(dout, kept_a, left)
    dx_b, dright = run_back(dout[:, ::-1], kept_b, right)
    return {"x": dx + dx_b[:, ::-1], "left": dleft, "right": dright}


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import of_pair

HELD = True
ABOUT = "minimal gated unit in two directions with one function, summed; nested dicts"
CALL = "check_gradients(m.forward, m.backward, a)"


def example(rng):
    sizes = {"Wu": (4, 6), "Uu": (6, 6), "bu": (6,), "W": (4, 6), "U": (6, 6), "b": (6,)}
    return {"x": rng.normal(size=(3, 5, 4))} | {way: {k: 0.6 * rng.normal(size=s) for k, s in sizes.items()} for way in ("left", "right")}


def evaluate(m, a):
    return of_pair(m.forward, m.backward, a)


MISTAKES = [
    S("run_back(dout[:, ::-1], kept_b, right)", "run_back(dout, kept_b, right)", "wrong-time-index", also=("wrong-operand",)),
    S("dx + dx_b[:, ::-1]", "dx + dx_b", "wrong-time-index", also=("wrong-operand",)),
    S("\"x\": dx + dx_b[:, ::-1]", "\"x\": dx", "missing-path"),
    S("dh * (h - cand) * u", "dh * (cand - h) * u", "sign", also=("wrong-operand",)),
    S("dh = dh * u + du", "dh = dh * (1 - u) + du", "wrong-operand", also=("extra-path", "missing-path", "missing-factor")),
    S("dc = dh * (1 - u) * (1 - cand ** 2)", "dc = dh * (1 - cand ** 2)", "missing-factor"),
    S("dc = dh * (1 - u) * (1 - cand ** 2)", "dc = dh * (1 - u) * (1 - np.tanh(cand) ** 2)", "derivative-at-output"),
    S("dc @ p[\"U\"].T", "dc @ p[\"U\"]", "transpose"),
    S("grads[\"bu\"] += du.sum(0)", "grads[\"bu\"] += dc.sum(0)", "gate-swapped", also=("wrong-operand",)),
    S("grads[\"U\"] += h.T @ dc", "grads[\"U\"] = h.T @ dc", "missing-accumulation"),
    S("dh = dh + dout[:, t]", "dh = dout[:, t]", "recurrent-path-cut"),
]
