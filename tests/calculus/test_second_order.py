"""Second order: the equations, and Hessian-vector products against autograd through the author's text, twice."""

from __future__ import annotations

from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from symrnn import Cell, cells, generate
from symrnn.algebra.functions import Arithmetic
from symrnn.calculus.second_order import second_order
from symrnn.errors import UnknownNameError
from symrnn.language.evaluate import run
from symrnn.printers import text

TOLERANCE = 1e-10
T, N, D, H = 4, 2, 3, 5

AUTOGRAD = Arithmetic(
    exp=anp.exp,
    log=anp.log,
    sqrt=anp.sqrt,
    tanh=anp.tanh,
    step=lambda x: anp.where(x > 0, 1.0, 0.0),
    sigmoid=lambda x: 0.5 + 0.5 * anp.tanh(0.5 * x),
)

CELLS = (
    "rnn lstm gru gru_reset_after rnn_relu indrnn antisymmetric_rnn scrn ugrnn ligru mgu minimal_rnn fastgrnn rhn cfn "
    "janet lstm_peephole lstm_projected lstm_cifg gru_zold mingru minlstm sru"
).split()


def test_the_equations_read_as_in_a_textbook() -> None:
    found = second_order(cells.lstm)
    assert text(found.of("a_f").value) == "δ̇f_t ⊙ f_t ⊙ (1 - f_t) + δf_t ⊙ ḟ_t ⊙ (1 - 2 f_t)"
    assert text(found.of("a_g").value) == "δ̇g_t ⊙ (1 - g_t^2) - 2 δg_t ⊙ g_t ⊙ ġ_t"
    assert text(found.of("c_prev").value) == "δ̇c_t ⊙ f_t + δc_t ⊙ ḟ_t"
    assert text(found.of("W_f").target) == "∂L̇/∂W_f"
    assert found.of("W_f").role == "parameter"
    assert r"\frac{\partial \dot{L}}{\partial W_f} &= \sum_t \left(\dot{\delta} a_{f,t}" in found.latex()
    assert "∂L̇/∂W_f = Σ_t (δ̇a_{f,t} x_tᵀ + δa_{f,t} (ẋ_t)ᵀ)" in str(found)
    assert str(found).count("Σ_t") == len(cells.lstm.parameters)
    assert repr(found) == f"<second order of lstm: {len(found.lines)} equations>"


def test_the_equations_are_numbered_and_named_apart() -> None:
    for name in cells.names():
        found = second_order(cells[name])
        numbers = [s.number for s in (*found.tangent.steps, *found.steps)]
        assert numbers == list(range(1, len(numbers) + 1))
        targets = [s.target.name for s in (*found.tangent.steps, *found.steps)]
        adjoints = [s.target.name for s in found.derivation.steps]
        assert len({*targets, *adjoints, *cells[name].symbols}) == len(targets) + len(adjoints) + len(
            cells[name].symbols
        )


def test_through_time_the_next_step_sends_back_two_things() -> None:
    assert text(second_order(cells.rnn).through_time("h")) == "∂ℓ̇/∂h_t + (U̇)ᵀ δa_{h,t+1} + Uᵀ δ̇a_{h,t+1}"


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="no adjoint of 'q'"):
        second_order(cells.rnn).of("q")


class Problem:
    """A network, a loss that is curved in the outputs, and a direction."""

    def __init__(self, cell: Cell) -> None:
        self.cell, rng = cell, np.random.default_rng(5)
        size = {"d_x": D, "d_h": H} | {s: 4 for s in cell.sizes if s not in ("d_x", "d_h")}
        if cell.name in ("sru",):
            size["d_x"] = H

        def draw(name: str, *lead: int) -> Any:
            return rng.normal(scale=0.7, size=(*lead, *(size[d] for d in cell.shape_names(name))))

        self.point = (
            {p: draw(p) for p in cell.parameters},
            {x: draw(x, T, N) for x in cell.inputs},
            {s: draw(s, N) for s in cell.states},
        )
        self.way = tuple({n: rng.normal(size=v.shape) for n, v in group.items()} for group in self.point)
        self.aim = rng.normal(size=(T, N, *(size[d] for d in cell.shape_names(cell.states[0]))))
        self.ends = {s: rng.normal(size=v.shape) for s, v in self.point[2].items()}

    def loss(self, params: Any, inputs: Any, state: Any) -> Any:
        """Half the squared error of the outputs, and something linear in the final states."""
        value = 0.0
        for n in range(N):
            now = {s: v[n] for s, v in state.items()}
            for t in range(T):
                names = run(self.cell.syntax, {**params, **{x: v[t, n] for x, v in inputs.items()}, **now}, AUTOGRAD)
                now = {s: names[s] for s in self.cell.states}
                value = value + anp.sum((now[self.cell.states[0]] - self.aim[t, n]) ** 2) / 2
            value = value + sum(anp.sum(self.ends[s][n] * now[s]) for s in self.cell.states)
        return value

    def slope(self, *point: Any) -> Any:
        """The loss's derivative along the direction."""
        grads = [autograd.grad(self.loss, k)(*point) for k in range(3)]
        return sum(anp.sum(g[n] * self.way[k][n]) for k, g in enumerate(grads) for n in g)

    def product(self) -> list[dict[str, Any]]:
        """The Hessian times the direction: autograd twice."""
        return [autograd.grad(self.slope, k)(*self.point) for k in range(3)]


def hvp_of_squared_error(module: Any, problem: Problem, way: Any = None) -> list[dict[str, Any]]:
    params, inputs, state = problem.point
    moving, cell = way or problem.way, problem.cell
    directions = {"params_dot": moving[0], **{f"{x}_dot": v for x, v in moving[1].items()}, "state_dot": moving[2]}
    h, _, _ = module.forward(params, *inputs.values(), state=state)
    h_dot, _ = module.jvp(params, *inputs.values(), state=state, **directions)
    out = cell.states[0]
    grads_dot, *input_dots, state_dot = module.hvp(
        params,
        *inputs.values(),
        h - problem.aim,
        state=state,
        state_bar=problem.ends,
        **directions,
        **{f"{out}_bar_dot": h_dot},
    )
    return [grads_dot, dict(zip(cell.inputs, input_dots, strict=True)), state_dot]


def assert_same(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    scale = np.sqrt(sum(np.sum(v**2) for group in expected for v in group.values()))
    for group, truth in zip(found, expected, strict=True):
        for name, value in truth.items():
            assert np.linalg.norm(group[name] - value) <= TOLERANCE * max(np.linalg.norm(value), 1e-3 * scale), name


@pytest.mark.sampled(12)
@pytest.mark.parametrize("name", CELLS)
def test_hvp_agrees_with_autograd_twice(name: str) -> None:
    problem = Problem(cells[name])
    assert_same(hvp_of_squared_error(generate(cells[name], functions=["jvp", "hvp"]), problem), problem.product())


@pytest.mark.parametrize("name", ["lstm", "gru", "mlstm", "slstm"])
def test_the_hessian_is_symmetric(name: str) -> None:
    problem, module = Problem(cells[name]), generate(cells[name], functions=["jvp", "hvp"])
    rng = np.random.default_rng(9)
    other = tuple({n: rng.normal(size=v.shape) for n, v in group.items()} for group in problem.way)
    pairs = [(problem.way, hvp_of_squared_error(module, problem, other)), (other, None)]
    pairs[1] = (other, hvp_of_squared_error(module, problem))
    a, b = (sum(np.sum(g[n] * v[n]) for g, v in zip(way, found, strict=True) for n in g) for way, found in pairs)
    assert abs(a - b) <= 1e-11 * abs(a)
    assert abs(a) > 1e-3


def test_a_loss_without_curvature_and_a_linear_cell_have_no_second_derivative_in_the_states() -> None:
    module = generate(cells.rnn_linear, functions=["hvp"])
    params = module.initialize(D, H, 0)
    x, bar = np.ones((T, N, D)), np.ones((T, N, H))
    grads_dot, x_bar_dot, state_bar_dot = module.hvp(params, x, bar, x_dot=x, state_dot={"h": np.ones((N, H))})
    assert not x_bar_dot.any()
    assert not state_bar_dot["h"].any()
    assert grads_dot["W"].any() or grads_dot["U"].any()
