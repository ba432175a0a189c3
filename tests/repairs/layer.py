"""A layer written by hand, with a loss: right as it stands; the tests plant mistakes in its text."""

import numpy as np


def logistic(a):
    return 1 / (1 + np.exp(-a))


def forward(x, h0, Wz, Uz, bz, Wn, Un, bn, V, d):
    h, tape, hs = h0, [], []
    for t in range(len(x)):
        z = logistic(x[t] @ Wz + h @ Uz + bz)
        n = np.tanh(x[t] @ Wn + h @ Un + bn)
        tape.append((h, z, n))
        h = (1 - z) * h + z * n
        hs.append(h)
    return np.stack(hs) @ V + d, (x, tape, hs, Wz, Uz, Wn, Un, V)


def backward(dy, cache):
    x, tape, hs, Wz, Uz, Wn, Un, V = cache
    dx, dWz, dUz, dWn, dUn, dV = [np.zeros_like(one) for one in (x, Wz, Uz, Wn, Un, V)]
    dbz, dbn = np.zeros(Uz.shape[0]), np.zeros(Un.shape[0])
    dd = dy.sum(axis=(0, 1))
    dh_next = np.zeros_like(hs[0])
    for t in range(len(x) - 1, -1, -1):
        h, z, n = tape[t]
        dV += hs[t].T @ dy[t]
        dh = dy[t] @ V.T + dh_next
        dn = dh * z * (1 - n**2)
        dz = dh * (n - h) * z * (1 - z)
        dWz += x[t].T @ dz
        dUz += h.T @ dz
        dbz += dz.sum(axis=0)
        dWn += x[t].T @ dn
        dUn += h.T @ dn
        dbn += dn.sum(axis=0)
        dx[t] = dz @ Wz.T + dn @ Wn.T
        dh_next = dh * (1 - z) + dz @ Uz.T + dn @ Un.T
    return dx, dh_next, dWz, dUz, dbz, dWn, dUn, dbn, dV, dd


def make_inputs(rng, T, N):
    shapes = {"x": (T, N, 3), "h0": (N, 4), "Wz": (3, 4), "Uz": (4, 4), "bz": (4,), "Wn": (3, 4), "Un": (4, 4)}
    shapes |= {"bn": (4,), "V": (4, 2), "d": (2,)}
    return {name: 0.8 * rng.normal(size=shape) for name, shape in shapes.items()}
