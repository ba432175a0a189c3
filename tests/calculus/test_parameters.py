"""Derivatives with respect to parameters, as sums over time."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn import cells, jacobian
from symrnn.algebra.evaluate import Evaluator
from symrnn.calculus.parameters import parameter_jacobian
from symrnn.calculus.window import ask, earlier
from symrnn.errors import InputError, UnknownNameError
from symrnn.language.evaluate import NUMPY, run
from symrnn.printers import text
from symrnn.proofs.survey import true_jacobians
from symrnn.runs.arbitrary import for_every_number
from symrnn.runs.points import relative_error
from symrnn.runs.replay import Replay, replay_numerically
from symrnn.runs.sizes import layouts, vec

STEPS = 3


def replayed(name: str, sizes: tuple[int, int] = (3, 2)) -> Replay:
    derivation = for_every_number(name)
    chosen = layouts(derivation.cell, [sizes])[0]
    replay = replay_numerically(derivation, chosen, STEPS, np.random.default_rng(4))
    assert replay is not None
    return replay


def test_kronecker_form() -> None:
    terms = parameter_jacobian(cells.rnn, "h", "W", 2).terms
    assert [text(term) for term in terms] == [
        "x_tᵀ ⊗ diag(1 - h_t^2)",
        "diag(1 - h_t^2) U (x_{t-1}ᵀ ⊗ diag(1 - h_{t-1}^2))",
    ]
    assert text(parameter_jacobian(cells.rnn, "h", "U", 1).value) == "h_{t-1}ᵀ ⊗ diag(1 - h_t^2)"
    assert text(parameter_jacobian(cells.rnn, "h", "b", 1).value) == "diag(1 - h_t^2)"


def test_denominator_form() -> None:
    terms = parameter_jacobian(cells.rnn, "h", "W", 2, layout="denominator").terms
    assert [text(term) for term in terms] == [
        "x_t ⊗ diag(1 - h_t^2)",
        "(x_{t-1} ⊗ diag(1 - h_{t-1}^2)) Uᵀ diag(1 - h_t^2)",
    ]


def test_it_is_shown_as_equations() -> None:
    found = parameter_jacobian(cells.rnn, "h", "W", 2)
    assert str(found).splitlines() == [
        "∂h_t/∂vec(W)|_{h_{t-2}} = x_tᵀ ⊗ diag(1 - h_t^2) + diag(1 - h_t^2) U (x_{t-1}ᵀ ⊗ diag(1 - h_{t-1}^2))",
        "δW_t + δW_{t-1} = δa_{h,t} x_tᵀ + δa_{h,t-1} x_{t-1}ᵀ",
    ]
    left = r"\frac{\partial h_t}{\partial \operatorname{vec}(W)}\right|_{h_{t-2}}"
    assert left + r" &= x_t^{\top} \otimes \operatorname{diag}" in found.latex()
    assert repr(found) == "<∂h_t/∂vec(W)|_{h_{t-2}} over 2 steps>"


def test_gradient_form() -> None:
    found = parameter_jacobian(cells.lstm, "h", "W_f", 3)
    assert [text(term) for term in found.gradients] == [
        "δa_{f,t} x_tᵀ",
        "δa_{f,t-1} x_{t-1}ᵀ",
        "δa_{f,t-2} x_{t-2}ᵀ",
    ]
    assert found.gradient.shape == cells.lstm["W_f"].shape
    assert found.gradients == parameter_jacobian(cells.lstm, "h", "W_f", 3, layout="denominator").gradients


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", ["lstm", "gru", "lstm_concat", "scrn"])
def test_the_sum_is_the_derivative(name: str) -> None:
    replay = replayed(name)
    derivation = replay.derivation
    for wrt in derivation.cell.parameters:
        for of in (*derivation.cell.states, derivation.forward[1].target.name):
            window = ask(derivation, of, wrt, STEPS)
            truth = true_jacobians(replay, window)[window.of.base, 0]
            found = parameter_jacobian(derivation, of, wrt, STEPS)
            assert relative_error(replay.evaluate(found.value), truth) < 1e-13
            assert relative_error(replay.evaluate(jacobian(derivation, of, wrt, "total", steps=STEPS)), truth) < 1e-13


@pytest.mark.parametrize(("name", "of", "wrt"), [("lstm", "h", "U_f"), ("gru", "h", "W_z"), ("lstm", "c", "b_i")])
def test_each_term_is_that_of_its_step(name: str, of: str, wrt: str) -> None:
    """The parameter is given a value of its own at every step of the text, and each is moved alone."""
    replay = replayed(name)
    cell = replay.derivation.cell
    fixed = {p: replay.arguments[p, None].reshape(replay.layout.text_shape(cell[p])) for p in cell.parameters}

    def final(moved_step: int, change: np.ndarray) -> np.ndarray:
        state = {s: replay.arguments[s, -STEPS][:, 0] for s in cell.states}
        for back in reversed(range(STEPS)):
            parameters = fixed | ({wrt: fixed[wrt] + change} if back == moved_step else {})
            names = run(cell.syntax, parameters | state | {"x": replay.arguments["x", -back][:, 0]})
            state = {s: names[s] for s in cell.states}
        return np.imag(names[of]) / 1e-30

    terms = parameter_jacobian(replay.derivation, of, wrt, STEPS).terms
    shape = fixed[wrt].shape
    for back in range(STEPS):
        columns = []
        for index in np.ndindex(shape[::-1]):
            change = np.zeros(shape, dtype=complex)
            change[index[::-1]] = 1e-30j
            columns.append(final(back, change))
        truth = np.stack(columns, axis=1)
        assert np.linalg.norm(truth) > 0
        assert np.linalg.norm(replay.evaluate(terms[back]) - truth) <= 1e-13 * np.linalg.norm(truth)


@pytest.mark.parametrize("name", ["lstm", "gru", "lstm_concat"])
def test_both_forms_are_one(name: str) -> None:
    """Of a loss <g, h_t>, the terms of the gradient are those of the Jacobian, transposed, times g."""
    replay = replayed(name)
    derivation, cell = replay.derivation, replay.derivation.cell
    values = dict(replay.evaluate.values)
    cotangent = np.random.default_rng(5).standard_normal((3, 1))
    carried = {state: np.zeros((3, 1)) for state in cell.states} | {"h": cotangent}
    for back in range(STEPS):

        def at(variable: object, back: int = back) -> str:
            return str(earlier(derivation, variable, back).name)

        evaluator = Evaluator(values, replay.layout.sizes, NUMPY)
        for state, value in carried.items():
            values[at(derivation.cotangents[state])] = value
        for step in derivation.steps:
            values[at(step.target) if step.target.time is not None else f"{step.target.name}@{back}"] = evaluator(
                earlier(derivation, step.value, back)
            )
        carried = {s: values[at(derivation.of(f"{s}_prev").target)] for s in cell.states}
    evaluator = Evaluator(values, replay.layout.sizes, NUMPY)
    for wrt in cell.parameters:
        found = parameter_jacobian(derivation, "h", wrt, STEPS)
        for term, gradient in zip(found.terms, found.gradients, strict=True):
            assert relative_error(vec(evaluator(gradient)), evaluator(term).T @ cotangent) < 1e-13
        assert relative_error(vec(evaluator(found.gradient)), evaluator(found.value).T @ cotangent) < 1e-13


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("h", "h_prev", 2), "of='h', wrt='h_prev': wrt must be a parameter\n  the parameters of lstm are W_f, U_f"),
        (("W_f", "W_f", 2), "of must be a variable of a step, not a parameter"),
        (("h", "W_f", 0), "steps=0"),
    ],
)
def test_refusals(arguments: tuple[str, str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parameter_jacobian(cells.lstm, *arguments)
    with pytest.raises(UnknownNameError):
        parameter_jacobian(cells.lstm, "h", "W_q")
    with pytest.raises(InputError, match="no layout 'row'"):
        parameter_jacobian(cells.lstm, "h", "W_f", layout="row")
