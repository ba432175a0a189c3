# ruff: noqa
# fmt: off
"""A step of a coupled gate as a jax.custom_vjp, scanned by hand in Python."""
import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)


@jax.custom_vjp
def layer(x, h0, W, U, b):
    return layer_fwd(x, h0, W, U, b)[0]


def layer_fwd(x, h0, W, U, b):
    n = h0.shape[1]
    hs, gates, news = [h0], [], []
    for t in range(x.shape[0]):
        a = x[t] @ W + hs[-1] @ U + b
        f, g = jax.nn.sigmoid(a[:, :n]), jnp.tanh(a[:, n:])
        gates.append(f)
        news.append(g)
        hs.append(f * hs[-1] + (1 - f) * g)
    return jnp.stack(hs[1:]), (x, hs, gates, news, W, U)


def layer_bwd(res, dh):
    x, hs, gates, news, W, U = res
    dx, dW, dU, db, carry = [], 0, 0, 0, 0
    for t in reversed(range(len(news))):
        d = dh[t] + carry
        f, g = gates[t], news[t]
        df = d * (hs[t] - g) * f * (1 - f)
        dg = d * (1 - f) * (1 - g ** 2)
        da = jnp.concatenate([df, dg], axis=1)
        dW += x[t].T @ da
        dU += hs[t].T @ da
        db += da.sum(0)
        dx.append(da @ W.T)
        carry = d * f + da @ U.T
    return jnp.stack(dx[::-1]), carry, dW, dU, db


layer.defvjp(layer_fwd, layer_bwd)


# --- planted
import numpy as np
from tests.gradients.programs.planted import Slip as S
from tests.gradients.programs.truth import cotangents, against

HELD = True
ABOUT = "jax.custom_vjp with both passes written by hand"
CALL = "check_gradients(m.layer, None, a)"


def example(rng):
    sizes = {"x": (4, 3, 4), "h0": (3, 5), "W": (4, 10), "U": (5, 10), "b": (10,)}
    return {k: 0.6 * rng.normal(size=s) for k, s in sizes.items()}


def evaluate(m, a):
    out, pull = m.jax.vjp(m.layer, *a.values())
    given = cotangents(np.asarray(out))
    return against(np.asarray(out), given), dict(zip(a, map(np.asarray, pull(given)), strict=True))


MISTAKES = [
    S("carry = d * f + da @ U.T", "carry = da @ U.T", "missing-path"),
    S("(hs[t] - g) * f * (1 - f)", "(g - hs[t]) * f * (1 - f)", "sign", also=("wrong-operand",)),
    S("(hs[t] - g) * f * (1 - f)", "(hs[t + 1] - g) * f * (1 - f)", "wrong-time-index", also=("wrong-operand",)),
    S("* (1 - g ** 2)", "* (1 - jnp.tanh(g) ** 2)", "derivative-at-output"),
    S("dg = d * (1 - f) *", "dg = d * f *", "wrong-operand", also=("gate-swapped",)),
    S("dU += hs[t].T", "dU += hs[t + 1].T", "wrong-time-index", also=("wrong-operand",)),
    S("db += da.sum(0)", "db += da.mean(0)", "mean-for-sum"),
    S("jnp.stack(dx[::-1])", "jnp.stack(dx)", "wrong-time-index"),
    S("d = dh[t] + carry", "d = dh[t]", "recurrent-path-cut"),
]
