# ruff: noqa
# fmt: off
"""A many-to-one network whose fit() runs forward and back for one sequence and changes the weights."""
import numpy as np


class SequenceRegressor:
    """Predicts a number from a sequence."""

    def __init__(self, input_dim=3, hidden_dim=5):
        r = np.random.default_rng(11)
        self.Wa = r.normal(size=(input_dim, hidden_dim)) * 0.5
        self.Wb = r.normal(size=(hidden_dim, hidden_dim)) * 0.5
        self.bh = r.normal(size=(1, hidden_dim)) * 0.5
        self.Wc = r.normal(size=(hidden_dim, 1)) * 0.5
        self.bc = r.normal(size=(1, 1)) * 0.5

    def predict(self, X):
        h = np.zeros((X.shape[0], self.Wb.shape[0]))
        self.states = [h]
        for t in range(X.shape[1]):
            h = np.tanh(X[:, t, :] @ self.Wa + h @ self.Wb + self.bh)
            self.states.append(h)
        return h @ self.Wc + self.bc

    def fit(self, X, y, lr=0.1):
        n = X.shape[0]
        y_hat = self.predict(X)
        error = y_hat - y
        loss = 0.5 * np.sum(error ** 2) / n

        d_out = error / n
        gWc = self.states[-1].T @ d_out
        gbc = d_out.sum(axis=0, keepdims=True)
        gWa, gWb, gbh = 0 * self.Wa, 0 * self.Wb, 0 * self.bh
        dh = d_out @ self.Wc.T
        for t in range(X.shape[1] - 1, -1, -1):
            da = dh * (1.0 - self.states[t + 1] ** 2)
            gWa += X[:, t, :].T @ da
            gWb += self.states[t].T @ da
            gbh += da.sum(axis=0, keepdims=True)
            dh = da @ self.Wb.T

        for W, g in ((self.Wa, gWa), (self.Wb, gWb), (self.bh, gbh), (self.Wc, gWc), (self.bc, gbc)):
            W -= lr * g
        return loss


# --- planted
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import copied, hold

HELD = True
ABOUT = "fit() returns the loss and changes the weights in place; many-to-one, squared error"
WEIGHTS = ("Wa", "Wb", "bh", "Wc", "bc")
CALL = 'check_gradients(*from_object(m.SequenceRegressor(), "fit", None, "Wa Wb bh Wc bc".split(), updates={"sgd": 0.1}, inputs={"X": a["X"], "y": a["y"]}))'


def example(rng):
    sizes = {"Wa": (3, 5), "Wb": (5, 5), "bh": (1, 5), "Wc": (5, 1), "bc": (1, 1)}
    return {"X": rng.normal(size=(4, 6, 3)), "y": rng.normal(size=(4, 1))} | {k: 0.6 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    net = m.SequenceRegressor()
    hold(net, {k: a[k] for k in WEIGHTS})
    loss = net.fit(a["X"], a["y"])
    return float(loss), {k: (a[k] - getattr(net, k)) / 0.1 for k in WEIGHTS}


MISTAKES = [
    S("dh = da @ self.Wb.T", "dh = da @ self.Wb", "transpose"),
    S("            dh = da @ self.Wb.T\n", "            dh = da\n", "missing-path", also=("missing-factor", "wrong-operand")),
    S("self.states[t].T @ da", "self.states[t + 1].T @ da", "wrong-time-index", also=("wrong-operand",)),
    S("self.states[t + 1] ** 2)", "self.states[t] ** 2)", "wrong-time-index", also=("wrong-operand",)),
    S("d_out = error / n", "d_out = error", "wrong-scale", also=("mean-for-sum", "missing-factor")),
    S("d_out = error / n", "d_out = 2 * error / n", "wrong-scale", also=("double-counted",)),
    S("gbh += da.sum(axis=0, keepdims=True)", "gbh += da.mean(axis=0, keepdims=True)", "mean-for-sum"),
    S("gWa += X[:, t, :].T @ da", "gWa = X[:, t, :].T @ da", "missing-accumulation", also=("truncated",)),
    S("gWc = self.states[-1].T @ d_out", "gWc = self.states[-2].T @ d_out", "wrong-time-index", also=("wrong-operand",)),
    S("da = dh * (1.0 - self.states[t + 1] ** 2)", "da = dh * self.states[t + 1] * (1.0 - self.states[t + 1])", "wrong-derivative"),
    S("            dh = da @ self.Wb.T\n", "            dh = da @ self.Wb.T + d_out @ self.Wc.T\n", "extra-path"),
    S("gbc = d_out.sum(axis=0, keepdims=True)", "gbc = d_out.mean(axis=0, keepdims=True)", "mean-for-sum"),
]
