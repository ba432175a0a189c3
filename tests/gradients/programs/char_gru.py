# ruff: noqa
# fmt: off
"""A language model with an embedding and a GRU; token numbers in a batch, rows, mean over the batch."""
import numpy as np


def sig(v):
    return 1.0 / (1.0 + np.exp(-v))


class GRULM:
    def __init__(self, vocab, emb, hid, seed=0):
        r = np.random.RandomState(seed)
        self.p = {}
        self.p["E"] = r.randn(vocab, emb)
        for gate in "rzn":
            self.p["W" + gate] = r.randn(emb, hid) / 2
            self.p["U" + gate] = r.randn(hid, hid) / 2
            self.p["b" + gate] = r.randn(hid) / 2
        self.p["Wout"] = r.randn(hid, vocab) / 2
        self.p["bout"] = r.randn(vocab) / 2
        self.hid = hid

    def loss(self, ids, targets):
        """ids, targets: (N, T)"""
        p = self.p
        N, T = ids.shape
        h = np.zeros((N, self.hid))
        steps, loss = [], 0
        for t in range(T):
            x = p["E"][ids[:, t]]
            r = sig(x @ p["Wr"] + h @ p["Ur"] + p["br"])
            z = sig(x @ p["Wz"] + h @ p["Uz"] + p["bz"])
            n = np.tanh(x @ p["Wn"] + (r * h) @ p["Un"] + p["bn"])
            h_new = (1 - z) * h + z * n
            logits = h_new @ p["Wout"] + p["bout"]
            logits = logits - logits.max(axis=1, keepdims=True)
            probs = np.exp(logits)
            probs /= probs.sum(axis=1, keepdims=True)
            loss += -np.log(probs[np.arange(N), targets[:, t]]).mean()
            steps.append((x, h, r, z, n, h_new, probs))
            h = h_new

        g = {k: np.zeros_like(v) for k, v in p.items()}
        dh_next = 0
        for t in reversed(range(T)):
            x, h, r, z, n, h_new, probs = steps[t]
            dlogits = probs.copy()
            dlogits[np.arange(N), targets[:, t]] -= 1
            dlogits /= N
            g["Wout"] += h_new.T @ dlogits
            g["bout"] += dlogits.sum(axis=0)
            dh_new = dlogits @ p["Wout"].T + dh_next
            dn = dh_new * z * (1 - n ** 2)
            dz = dh_new * (n - h) * z * (1 - z)
            drh = dn @ p["Un"].T
            dr = drh * h * r * (1 - r)
            for gate, d, left in (("r", dr, h), ("z", dz, h), ("n", dn, r * h)):
                g["W" + gate] += x.T @ d
                g["U" + gate] += left.T @ d
                g["b" + gate] += d.sum(axis=0)
            dx = dr @ p["Wr"].T + dz @ p["Wz"].T + dn @ p["Wn"].T
            np.add.at(g["E"], ids[:, t], dx)
            dh_next = dh_new * (1 - z) + drh * r + dr @ p["Ur"].T + dz @ p["Uz"].T
        self.grads = g
        return loss


# --- planted
import numpy as np
from tests.gradients.programs.planted import Slip as S

HELD = True
ABOUT = "GRU language model: a class whose loss() leaves its gradients in a dict; embedding of token numbers"
CALL = 'check_gradients(*from_object(m.GRULM(6, 4, 5), "loss", None, ["p"], "grads", {"ids": a["ids"], "targets": a["targets"]}))'


def example(rng):
    a = {"ids": np.array([[0, 2, 5, 1], [3, 2, 2, 4], [1, 0, 3, 5]]), "targets": np.array([[2, 5, 1, 4], [2, 2, 4, 0], [0, 3, 5, 5]])}
    a |= {"E": rng.normal(size=(6, 4)), "Wout": rng.normal(size=(5, 6)), "bout": rng.normal(size=6)}
    for k in "rzn":
        a |= {"W" + k: 0.6 * rng.normal(size=(4, 5)), "U" + k: 0.6 * rng.normal(size=(5, 5)), "b" + k: 0.6 * rng.normal(size=5)}
    return a


def evaluate(m, a):
    net = m.GRULM(6, 4, 5)
    net.p = {k: a[k] for k in net.p}
    loss = net.loss(a["ids"], a["targets"])
    return float(loss), net.grads


MISTAKES = [
    S("dr = drh * h * r * (1 - r)", "dr = drh * h_new * r * (1 - r)", "wrong-time-index", also=("wrong-operand",)),
    S("dz = dh_new * (n - h) * z * (1 - z)", "dz = dh_new * (h - n) * z * (1 - z)", "sign", also=("wrong-operand",)),
    S(" + drh * r ", " + drh ", "missing-factor"),
    S("dh_new * (1 - z) + ", "", "missing-path"),
    S("drh = dn @ p[\"Un\"].T", "drh = dn @ p[\"Un\"]", "transpose"),
    S("(\"n\", dn, r * h)", "(\"n\", dn, h)", "missing-factor", also=("wrong-operand",)),
    S("np.add.at(g[\"E\"], ids[:, t], dx)", "g[\"E\"][ids[:, t]] += dx", "missing-accumulation"),
    S("            dlogits /= N\n", "", "wrong-scale", line="dlogits[np.arange(N)", also=("mean-for-sum", "missing-factor"), lines=("dlogits = probs.copy()",)),
    S("dn = dh_new * z * (1 - n ** 2)", "dn = dh_new * (1 - n ** 2)", "missing-factor"),
    S("g[\"bout\"] += dlogits.sum(axis=0)", "g[\"bout\"] += dlogits.mean(axis=0)", "mean-for-sum"),
    S("dh_new = dlogits @ p[\"Wout\"].T + dh_next", "dh_new = dlogits @ p[\"Wout\"].T", "recurrent-path-cut"),
    S("dx = dr @ p[\"Wr\"].T + dz", "dx = dr @ p[\"Wz\"].T + dz", "wrong-operand", also=("gate-swapped",)),
    S("z * (1 - n ** 2)", "z * (1 - np.tanh(n) ** 2)", "derivative-at-output"),
]
