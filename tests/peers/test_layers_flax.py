"""Weights to and from Flax's cells, linen and nnx: equal outputs, final states and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symrnn.interop import load
from symrnn.interop.conventions import rows
from tests.peers.agreement import Answer, Case, D, H, N, assert_agrees

pytestmark = pytest.mark.peer
jax = pytest.importorskip("jax", reason="JAX is not installed; it comes with the extra 'peers'")
pytest.importorskip("flax", reason="Flax is not installed; it comes with the extra 'peers'")
jax.config.update("jax_enable_x64", True)

import flax.linen as nn  # noqa: E402
from flax import nnx  # noqa: E402
from jax import numpy as jnp  # noqa: E402

Step = Callable[[Any, Any, Any], tuple[Any, Any]]


def linen(name: str) -> Step:
    cell = getattr(nn, name)(H, dtype=jnp.float64, param_dtype=jnp.float64)
    return lambda weights, carry, x: cell.apply({"params": weights}, carry, x)


def modern(name: str) -> Step:
    cell = getattr(nnx, name)(D, H, dtype=jnp.float64, param_dtype=jnp.float64, rngs=nnx.Rngs(0))
    definition, params, rest = nnx.split(cell, nnx.Param, ...)

    def step(weights: Any, carry: Any, x: Any) -> tuple[Any, Any]:
        nnx.replace_by_pure_dict(params, weights)
        return nnx.merge(definition, params, rest)(carry, x)

    return step


CELLS = {
    ("flax", "SimpleCell"): linen,
    ("flax", "LSTMCell"): linen,
    ("flax", "OptimizedLSTMCell"): linen,
    ("flax", "GRUCell"): linen,
    ("flax", "MGUCell"): linen,
    ("nnx", "SimpleCell"): modern,
    ("nnx", "LSTMCell"): modern,
    ("nnx", "OptimizedLSTMCell"): modern,
    ("nnx", "GRUCell"): modern,
}


def runner(framework: str, layer: str) -> Callable[[str, Any, Case], Answer]:
    """The cell over all steps, and JAX's gradients of everything."""
    order = rows(framework, layer)[0].states
    step = CELLS[framework, layer](layer)

    def outputs(weights: Any, x: Any, start: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        carry = tuple(start[s] for s in order) if len(order) > 1 else start[order[0]]
        h = []
        for x_t in x:
            carry, y = step(weights, carry, x_t)
            h.append(y)
        return jnp.stack(h), dict(zip(order, carry if len(order) > 1 else (carry,), strict=True))

    def run(kind: str, weights: Any, case: Case) -> Answer:
        (h, end), pullback = jax.vjp(outputs, jax.tree.map(jnp.asarray, weights), case.x, case.start)
        weights_bar, x_bar, start_bar = pullback((jnp.asarray(case.h_bar), jax.tree.map(jnp.asarray, case.end_bar)))
        return Answer(np.asarray(h), end, weights_bar, x_bar, start_bar)

    return run


@pytest.mark.parametrize(("framework", "layer"), CELLS)
def test_outputs_and_gradients(framework: str, layer: str) -> None:
    assert_agrees(framework, layer, runner(framework, layer))


def test_every_row_has_a_test() -> None:
    assert {(row.framework, name) for f in ("flax", "nnx") for row in rows(f) for name in row.layers} == set(CELLS)


def test_variables_as_flax_returns_them() -> None:
    """The whole tree of `init`, with its collection, and nnx's state, as they are."""
    variables = nn.MGUCell(H).init(jax.random.key(0), jnp.zeros((N, H)), jnp.zeros((N, D)))
    loaded = load("flax", variables)
    assert loaded.cell.name == "mgu_flax"
    assert loaded.params["b_f"].tolist() == [1.0] * H  # its initial forget bias
    state = nnx.state(nnx.GRUCell(D, H, rngs=nnx.Rngs(0)), nnx.Param)
    assert load("nnx", state).params["U_n"].shape == (H, H)
