"""Real-time recurrent learning: the recursion as equations and as code, against backpropagation through time."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from symrnn import cells, generate
from symrnn.algebra import nodes
from symrnn.algebra.evaluate import Evaluator
from symrnn.calculus.rtrl import rtrl
from symrnn.errors import UnknownNameError
from symrnn.language.evaluate import NUMPY
from symrnn.printers import latex, text
from symrnn.runs.sizes import CellAtSizes, vec

T, N = 20, 2
CELLS = (
    "lstm gru gru_reset_after rnn mlstm slstm lstm_projected lstm_peephole lstm_layer_norm indrnn sru scrn rhn lru "
    "minimal_rnn lstm_concat"
).split()


def network(name: str, steps: int = T, batch: int = N) -> tuple[CellAtSizes, Any, Any, Any, Any, Any]:
    cell, rng = cells[name], np.random.default_rng(3)
    sizes = {"d_x": 3, "d_h": 4} | {s: 2 for s in cell.sizes if s not in ("d_x", "d_h")}
    layout = CellAtSizes(cell, {s: sizes[s] for s in cell.sizes})

    def draw(variable: str, *lead: int) -> Any:
        return rng.normal(scale=0.6, size=(*lead, *layout.text_shape(cell[variable])))

    params = {p: draw(p) for p in cell.parameters}
    inputs = [draw(x, steps, batch) for x in cell.inputs]
    state = {s: draw(s, batch) for s in cell.states}
    bars = draw(cell.states[0], steps, batch)
    return layout, params, inputs, state, bars, {s: draw(s, batch) for s in cell.states}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", CELLS)
def test_rtrl_is_backpropagation_through_time(name: str) -> None:
    _, params, inputs, state, bars, ends = network(name)
    module = generate(cells[name], functions=["rtrl"])
    _, final, tape = module.forward(params, *inputs, state=state)
    expected = module.backward(params, tape, bars, state_bar=ends)[0]
    grads, last, sensitivity = module.rtrl(params, *inputs, bars, state=state, state_bar=ends)
    assert list(grads) == list(expected)
    for key, value in expected.items():
        assert np.linalg.norm(grads[key] - value) <= 1e-12 * max(np.linalg.norm(value), 1e-3), key
    for key, value in final.items():
        np.testing.assert_allclose(last[key], value, rtol=1e-12)
    for key, array in params.items():
        for s, value in final.items():
            assert sensitivity[key][s].shape == (*np.shape(array), *value.shape)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "mlstm"])
def test_the_equations_give_the_same_sensitivities(name: str) -> None:
    """The Kronecker form, evaluated step by step, against the code."""
    layout, params, inputs, state, bars, _ = network(name, batch=1)
    cell = cells[name]
    recursion = rtrl(cell)
    module = generate(cell, functions=["rtrl"])
    grads, _, sensitivity = module.rtrl(params, *inputs, bars, state=state)
    values = {p: layout.matrix(cell[p], v) for p, v in params.items()}
    values |= {f"{s}_prev": layout.matrix(cell[s], v[0]) for s, v in state.items()}
    for r in recursion.recursions:
        values[r.before[r.state].name] = np.zeros(layout.shape(r.target))
    totals: dict[Any, Any] = {}
    for t in range(T):
        values |= {x: layout.matrix(cell[x], v[t, 0]) for x, v in zip(cell.inputs, inputs, strict=True)}
        for s in cell.states:
            own = bars[t, 0] if s == cell.states[0] else np.zeros(layout.text_shape(cell[s]))
            values[recursion.derivation.loss(s).name] = layout.matrix(cell[s], own)
        evaluate = Evaluator(values, layout.sizes, NUMPY)
        for equation in recursion.derivation.forward:
            values[equation.target.name] = evaluate(equation.value)
        for r in recursion.recursions:
            values[r.target.name] = evaluate(r.value)
        for left, term in recursion.gradients:
            totals[left] = totals.get(left, 0) + evaluate(term)
        values = values | {r.before[r.state].name: values[r.target.name] for r in recursion.recursions}
        values |= {f"{s}_prev": values[s] for s in cell.states}
    for r in recursion.recursions:
        rows = layout.matrix(cell[r.parameter], params[r.parameter]).size
        found = sensitivity[r.parameter][r.state]
        by_rows = found.reshape(*layout.shape(cell[r.parameter]), *layout.shape(cell[r.state]))
        columns = by_rows.transpose(1, 0, 3, 2).reshape(rows, -1).T  # both in the order of vec
        assert np.linalg.norm(columns - values[r.target.name]) <= 1e-12 * max(np.linalg.norm(columns), 1e-3)
    for parameter, total in zip(dict.fromkeys(r.parameter for r in recursion.recursions), totals.values(), strict=True):
        expected = vec(layout.matrix(cell[parameter], grads[parameter]))
        assert np.linalg.norm(total - expected) <= 1e-12 * max(np.linalg.norm(expected), 1e-3)


def test_the_recursion_reads_as_in_a_textbook() -> None:
    found = rtrl(cells.rnn, ["W"]).of("h", "W")
    assert text(found.value) == "x_tᵀ ⊗ diag(1 - h_t^2) + diag(1 - h_t^2) U S_{h,W,t-1}"
    assert latex(found.target) == "S_{h,W,t}"
    assert list(found.blocks) == ["h"]


def test_a_state_that_does_not_reach_another_has_no_block() -> None:
    found = rtrl(cells.lstm, ["W_f"])
    assert list(found.of("c", "W_f").blocks) == ["h", "c"]
    assert [r.state for r in found.recursions] == ["h", "c"]
    assert not any(nodes.is_zero(block) for r in found.recursions for block in r.blocks.values())
    assert str(found).count("\n") == 2


def test_a_gradient_is_a_sum_over_time() -> None:
    found = rtrl(cells.rnn)
    shown = "vec(∂L/∂W) = Σ_t S_{h,W,t}ᵀ ∂ℓ/∂h_t"
    assert str(found).splitlines()[3] == shown == str(found.gradients[0])
    assert repr(found.gradients[0]) == f"<{shown}>"
    assert r" &= \sum_t S_{h,W,t}^{\top} \frac{\partial \ell}{\partial h_t} \\" in found.latex()
    assert str(rtrl(cells.lstm, ["b_f"]).gradients[0]) == (
        "∂L/∂b_f = Σ_t (S_{h,b_f,t}ᵀ ∂ℓ/∂h_t + S_{c,b_f,t}ᵀ ∂ℓ/∂c_t)"
    )
    assert repr(found) == "<sensitivities of rnn: 6 equations>"


@pytest.mark.sampled(16)
@pytest.mark.parametrize("name", cells.names())
def test_what_has_no_step_is_a_sum_and_nothing_else_is(name: str) -> None:
    lines = str(rtrl(cells[name])).splitlines()
    assert all(("Σ_t" in line) == line.startswith(("vec(∂L", "∂L")) for line in lines)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="rnn has no parameter 'V'\n  it has W, U, b"):
        rtrl(cells.rnn, ["V"])
    with pytest.raises(UnknownNameError, match="there are h for W"):
        rtrl(cells.rnn, ["W"]).of("c", "W")


def test_only_what_is_wanted_is_computed() -> None:
    _, params, inputs, state, bars, _ = network("lstm")
    module = generate(cells.lstm, functions=["rtrl"])
    whole = module.rtrl(params, *inputs, bars, state=state)[0]
    some, _, sensitivity = module.rtrl(params, *inputs, bars, state=state, parameters=("b_o", "U_f"))
    assert list(some) == ["U_f", "b_o"] == list(sensitivity)
    for name, value in some.items():
        np.testing.assert_allclose(value, whole[name], rtol=1e-12)
    assert module.rtrl(params, *inputs, bars, state=state, parameters=())[0] == {}


def peak(module: Any, *arguments: Any) -> int:
    tracemalloc.start()
    try:
        module.rtrl(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_time() -> None:
    module = generate(cells.lstm, functions=["rtrl"])
    peaks = []
    for steps in (10, 400):
        _, params, inputs, _, bars, _ = network("lstm", steps)
        peaks.append(peak(module, params, *inputs, bars))
    assert peaks[1] <= 1.02 * peaks[0] + 2000
    entries = sum(np.size(v) for v in params.values()) * 4 * N  # of one state's sensitivity
    assert peaks[0] <= 20 * 8 * entries


WRONG = {
    "an unknown parameter": ({"parameters": ["V"]}, r"parameters: expected different ones of \['W', 'U', 'b'\], got"),
    "a parameter twice": ({"parameters": ["W", "W"]}, "parameters: expected different ones"),
    "sensitivities of others": (
        {"parameters": ["W"], "sensitivity": {"U": {}}},
        r"sensitivity: expected a dict with the keys \['W'\]",
    ),
    "sensitivities of no state": (
        {"parameters": ["W"], "sensitivity": {"W": {}}},
        r"sensitivity\['W'\]: missing \['h'\]",
    ),
    "a wrong shape": (
        {"parameters": ["W"], "sensitivity": {"W": {"h": np.zeros((4, 3, 4, N))}}},
        r"sensitivity\['W'\]\['h'\]: expected shape \(d_h, d_x, N, d_h\)",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_named(case: str) -> None:
    further, message = WRONG[case]
    _, params, inputs, _, bars, _ = network("rnn")
    with pytest.raises(ValueError, match=message):
        generate(cells.rnn, functions=["rtrl"]).rtrl(params, *inputs, bars, **further)
