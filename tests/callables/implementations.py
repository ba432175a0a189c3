"""Right hand-written pairs in several conventions; inputs as a function of the generator, T and N."""

from __future__ import annotations

import numpy as np

D, H = 4, 6


def sig(a):
    return 1 / (1 + np.exp(-a))


def rnn_inputs(rng, T=5, N=3):
    sizes = {"x": (T, N, D), "h0": (N, H), "W": (D, H), "U": (H, H), "b": (H,)}
    return {name: rng.normal(size=size) for name, size in sizes.items()}


def rnn_forward(x, h0, W, U, b):
    h, hs = h0, []
    for x_t in x:
        h = np.tanh(x_t @ W + h @ U + b)
        hs.append(h)
    return np.stack(hs), h, (x, h0, W, U, hs)


def rnn_backward(dhs, dh_T, cache):
    x, h0, W, U, hs = cache
    dx, dW, dU, db = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U), np.zeros(len(U))
    dh = dh_T
    for t in reversed(range(len(x))):
        a = (dh + dhs[t]) * (1 - hs[t] ** 2)
        dW += x[t].T @ a
        dU += (hs[t - 1] if t else h0).T @ a
        db += a.sum(0)
        dx[t] = a @ W.T
        dh = a @ U.T
    return dx, dh, dW, dU, db


def lstm_inputs(rng, T=5, N=3):
    sizes = {"x": (T, N, D), "h0": (N, H), "c0": (N, H), "W": (D + H, 4 * H), "b": (4 * H,)}
    return {name: rng.normal(size=size) for name, size in sizes.items()}


def lstm_forward(x, h0, c0, W, b):
    """Concatenated and stacked weights, preallocated outputs, a dict of outputs with the cache in it."""
    T, N, _ = x.shape
    hs, tape, h, c = np.zeros((T, N, H)), [], h0, c0
    for t in range(T):
        z = np.concatenate([x[t], h], axis=1)
        i, f, o, g = np.split(z @ W + b, 4, axis=1)
        i, f, o, g = sig(i), sig(f), sig(o), np.tanh(g)
        before, c = c, f * c + i * g
        h = o * np.tanh(c)
        hs[t] = h
        tape.append((z, i, f, o, g, before, c))
    return {"hs": hs, "c_T": c, "cache": (W, tape)}


def lstm_backward(dhs, dc_T, cache):
    W, tape = cache
    dW, db, dxs, dh, dc = np.zeros_like(W), np.zeros(W.shape[1]), [], 0.0, dc_T
    for t in reversed(range(len(tape))):
        z, i, f, o, g, before, c = tape[t]
        dh = dh + dhs[t]
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        gates = dc * g * i * (1 - i), dc * before * f * (1 - f), dh * np.tanh(c) * o * (1 - o), dc * i * (1 - g**2)
        a = np.concatenate(gates, axis=1)
        dW += z.T @ a
        db += a.sum(0)
        dz = a @ W.T
        dxs.insert(0, dz[:, :D])
        dh, dc = dz[:, D:], dc * f
    return {"dx": dxs, "dh_prev": dh, "dc_prev": dc, "dW": dW, "db": db}


def gru_inputs(rng, T=5, N=3):
    def gate():
        return {"W": rng.normal(size=(H, D)), "U": rng.normal(size=(H, H)), "b": rng.normal(size=(H, 1))}

    params = {name: gate() for name in "zrn"}
    return {"params": params, "xs": [rng.normal(size=(D, N)) for _ in range(T)], "h": rng.normal(size=(H, N))}


def gru_forward(params, xs, h):
    """Columns are examples; nested dicts of weights, lists of steps, no cache."""
    states = []
    for x in xs:
        z, r = (sig(params[k]["W"] @ x + params[k]["U"] @ h + params[k]["b"]) for k in "zr")
        n = np.tanh(params["n"]["W"] @ x + params["n"]["U"] @ (r * h) + params["n"]["b"])
        h = (1 - z) * n + z * h
        states.append(h)
    return states


def gru_backward(dstates, params, xs, h):
    """Runs forward again, and returns gradients nested like the inputs."""
    grads = {k: {name: np.zeros_like(w) for name, w in gate.items()} for k, gate in params.items()}
    states, dxs, dh = [h, *gru_forward(params, xs, h)], [None] * len(xs), 0.0
    for t in reversed(range(len(xs))):
        x, h_prev = xs[t], states[t]
        z, r = (sig(params[k]["W"] @ x + params[k]["U"] @ h_prev + params[k]["b"]) for k in "zr")
        n = np.tanh(params["n"]["W"] @ x + params["n"]["U"] @ (r * h_prev) + params["n"]["b"])
        dh = dh + dstates[t]
        an = dh * (1 - z) * (1 - n**2)
        drh = params["n"]["U"].T @ an
        az, ar = dh * (h_prev - n) * z * (1 - z), drh * h_prev * r * (1 - r)
        for k, a, state in (("z", az, h_prev), ("r", ar, h_prev), ("n", an, r * h_prev)):
            grads[k]["W"] += a @ x.T
            grads[k]["U"] += a @ state.T
            grads[k]["b"] += a.sum(1, keepdims=True)
        dxs[t] = sum(params[k]["W"].T @ a for k, a in (("z", az), ("r", ar), ("n", an)))
        dh = dh * z + drh * r + params["z"]["U"].T @ az + params["r"]["U"].T @ ar
    return grads, dxs, dh


PAIRS = {
    "rnn": (rnn_forward, rnn_backward, rnn_inputs),
    "lstm": (lstm_forward, lstm_backward, lstm_inputs),
    "gru": (gru_forward, gru_backward, gru_inputs),
}
