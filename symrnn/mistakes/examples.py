"""Hand-written backward passes that are right, as text: the examples of the classes of mistakes are changes of these.

Each is a function `backward` of the cotangents `dhs` (T, N, H) of the first state at every step, of those of the last
states, and of what a forward pass kept: values over time, states with the initial one first.  It returns the gradients
by the names of the cell's variables, those of the initial states as `h_prev`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_RNN = """\
def backward(dhs, last, kept, params):
    x, h = kept["x"], kept["h"]
    W, U, b = params["W"], params["U"], params["b"]
    dx = np.zeros_like(x)
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    carry = last["h"]
    for t in reversed(range(len(x))):
        dh = dhs[t] + carry
        da = dh * (1 - h[t + 1] ** 2)
        dW += da.T @ x[t]
        dU += da.T @ h[t]
        db += da.sum(axis=0)
        dx[t] = da @ W
        carry = da @ U
    return {"x": dx, "W": dW, "U": dU, "b": db, "h_prev": carry}
"""

_GRU = """\
def backward(dhs, last, kept, params):
    x, h, r, z, n = kept["x"], kept["h"], kept["r"], kept["z"], kept["n"]
    p = params
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    dx = np.zeros_like(x)
    carry = last["h"]
    for t in reversed(range(len(x))):
        dh = dhs[t] + carry
        dn = dh * z[t]
        dz = dh * (n[t] - h[t])
        dan = dn * (1 - n[t] ** 2)
        drh = dan @ p["U_n"]
        dr = drh * h[t]
        daz = dz * z[t] * (1 - z[t])
        dar = dr * r[t] * (1 - r[t])
        grads["W_r"] += dar.T @ x[t]
        grads["W_z"] += daz.T @ x[t]
        grads["W_n"] += dan.T @ x[t]
        grads["U_r"] += dar.T @ h[t]
        grads["U_z"] += daz.T @ h[t]
        grads["U_n"] += dan.T @ (r[t] * h[t])
        grads["b_r"] += dar.sum(axis=0)
        grads["b_z"] += daz.sum(axis=0)
        grads["b_n"] += dan.sum(axis=0)
        dx[t] = dar @ p["W_r"] + daz @ p["W_z"] + dan @ p["W_n"]
        carry = dh * (1 - z[t]) + drh * r[t] + dar @ p["U_r"] + daz @ p["U_z"]
    return {"x": dx, "h_prev": carry, **grads}
"""

_LSTM = """\
def backward(dhs, last, kept, params):
    x, h, c = kept["x"], kept["h"], kept["c"]
    f, i, g, o = kept["f"], kept["i"], kept["g"], kept["o"]
    p = params
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    dx = np.zeros_like(x)
    dh_next, dc_next = last["h"], last["c"]
    for t in reversed(range(len(x))):
        dh = dhs[t] + dh_next
        tanh_c = np.tanh(c[t + 1])
        dc = dh * o[t] * (1 - tanh_c**2) + dc_next
        da = {
            "f": dc * c[t] * f[t] * (1 - f[t]),
            "i": dc * g[t] * i[t] * (1 - i[t]),
            "g": dc * i[t] * (1 - g[t] ** 2),
            "o": dh * tanh_c * o[t] * (1 - o[t]),
        }
        for gate, delta in da.items():
            grads["W_" + gate] += delta.T @ x[t]
            grads["U_" + gate] += delta.T @ h[t]
            grads["b_" + gate] += delta.sum(axis=0)
            dx[t] += delta @ p["W_" + gate]
        dh_next = sum(delta @ p["U_" + gate] for gate, delta in da.items())
        dc_next = dc * f[t]
    return {"x": dx, "h_prev": dh_next, "c_prev": dc_next, **grads}
"""

PROGRAMS: Mapping[str, str] = MappingProxyType({"rnn": _RNN, "gru": _GRU, "lstm": _LSTM})
"""Cell of the library -> a right backward pass of it."""
