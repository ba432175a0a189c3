"""Backward passes written by hand in JAX: a right one passes, and of a wrong one the wrong gradient is told."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables import from_jax
from symrnn.gradients.checkfile import check_file
from tests.peers.drawn_inputs import SIZES, draw, make

pytestmark = pytest.mark.peer
jax = pytest.importorskip("jax", reason="JAX is not installed; it comes with the extra 'peers'")


def states(x: Any, A: Any, B: Any, c: Any) -> Any:
    def step(h: Any, x_t: Any) -> Any:
        h = jax.numpy.tanh(x_t @ A + h @ B + c)
        return h, h

    return jax.lax.scan(step, jax.numpy.zeros((x.shape[1], 6), c.dtype), x)[1]


def slopes(dh: Any, x: Any, h: Any, A: Any, B: Any) -> list[Any]:
    before = jax.numpy.concatenate([0 * h[:1], h[:-1]])
    back, a = 0, [None] * len(x)
    for t in reversed(range(len(x))):
        a[t] = (dh[t] + back) * (1 - h[t] ** 2)
        back = a[t] @ B.T
    a = jax.numpy.stack(a)
    sums = [jax.numpy.einsum("tni,tnj->ij", one, a) for one in (x, before)]
    return [a @ A.T, *sums, a.sum((0, 1))]


def custom(factor: float) -> Any:
    @jax.custom_vjp
    def layer(x: Any, A: Any, B: Any, c: Any) -> Any:
        return states(x, A, B, c)

    def fwd(x: Any, A: Any, B: Any, c: Any) -> Any:
        h = states(x, A, B, c)
        return h, (x, h, A, B)

    def bwd(residuals: Any, dh: Any) -> Any:
        dx, dA, dB, dc = slopes(dh, *residuals)
        return dx, dA, factor * dB, dc

    layer.defvjp(fwd, bwd)
    return layer


def of_a_step(factor: float) -> Any:
    """A step with a rule of its own inside of a scan; its weights are a dict, its kind no argument to differentiate."""

    @functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
    def step(kind: str, p: Any, h: Any, x: Any) -> Any:
        return jax.numpy.tanh(x @ p["A"] + h @ p["B"] + p["c"])

    def fwd(kind: str, p: Any, h: Any, x: Any) -> Any:
        new = step(kind, p, h, x)
        return new, (p, h, x, new)

    def bwd(kind: str, kept: Any, dh: Any) -> Any:
        p, h, x, new = kept
        a = dh * (1 - new**2)
        return {"A": x.T @ a, "B": factor * h.T @ a, "c": a.sum(0)}, a @ p["B"].T, a @ p["A"].T

    step.defvjp(fwd, bwd)

    def layer(p: Any, x: Any) -> Any:
        def run(h: Any, x_t: Any) -> Any:
            h = step("tanh", p, h, x_t)
            return h, h

        return jax.lax.scan(run, jax.numpy.zeros((x.shape[1], 6), x.dtype), x)[1]

    return from_jax(jax.jit(layer), {"p": draw("A", "B", "c"), **draw("x")})


def two_functions(factor: float) -> Any:
    def forward(x: Any, A: Any, B: Any, c: Any) -> Any:
        h = states(x, A, B, c)
        return h, (x, h, A, B)

    def backward(dh: Any, cache: Any) -> Any:
        dx, dA, dB, dc = slopes(dh, *cache)
        return dx, dA, factor * dB, dc

    return from_jax(jax.jit(forward), draw(*SIZES), jax.jit(backward))


def a_loss(layer: Any) -> Any:
    @functools.partial(jax.jit, static_argnames="power")
    def loss(x: Any, A: Any, B: Any, c: Any, power: int) -> Any:
        return (layer(x, A, B, c) ** power).sum()

    return loss


WAYS = {
    "custom_vjp": lambda factor: from_jax(jax.jit(custom(factor)), make),
    "a step in a scan": of_a_step,
    "two functions": two_functions,
    "a loss that calls it": lambda factor: from_jax(a_loss(custom(factor)), draw(*SIZES) | {"power": 2}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("factor", [1.0, 1.25])
def test_a_way(way: str, factor: float) -> None:
    report = check_gradients(*WAYS[way](factor), diagnose=False)
    assert [one.name for one in report.wrong] == ([] if factor == 1 else ["p['B']" if "step" in way else "B"]), report
    assert report.passed is (factor == 1.0), report
    assert len(report.gradients) == 4


def test_single_precision_is_the_framework_s_again_afterwards() -> None:
    with jax.enable_x64(False):  # whatever another test's framework asked for
        check_gradients(*WAYS["custom_vjp"](1.0), diagnose=False)
        assert jax.numpy.ones(2).dtype == np.float32


FILE = """
import jax
from jax import numpy as jnp


@jax.custom_vjp
def scale(x, W):
    return jnp.tanh(x @ W)


def _there(x, W):
    y = scale(x, W)
    return y, (x, W, y)


def _back(kept, dy):
    x, W, y = kept
    da = dy * (1 - y**2)
    return da @ W.T, FACTOR * x.T @ da


scale.defvjp(_there, _back)


def make_inputs(rng, T, N):
    return {"x": rng.normal(size=(N, 4)), "W": rng.normal(size=(4, 3))}
"""


@pytest.mark.parametrize("factor", [1, 2])
def test_a_file_with_a_rule_is_checked(factor: int, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FILE.replace("FACTOR", str(factor)))
    found = check_file(tmp_path / "mine.py")
    (report,) = found.reports.values()
    assert [one.name for one in report.wrong] == ([] if factor == 1 else ["W"])
    assert "*from_jax(mine.scale, mine.make_inputs)" in found.programs["scale"]
