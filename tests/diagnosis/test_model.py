"""The backward pass that can be changed: unchanged, it is the generated one; changed, it is what the change says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from symrnn import Cell, cells, derive, generate
from symrnn.algebra.evaluate import at_sizes
from symrnn.mistakes.backward_pass import Program
from symrnn.mistakes.loop import Loop
from symrnn.mistakes.tape import Tape, text_shape

T, N = 3, 2
SIZES = (4, 3, 5, 2)
Array = np.ndarray


def point(cell: Cell, steps: int = T, batch: int = N) -> tuple[Program, Tape, dict[str, Any], dict[str, Array]]:
    """A program, a forward pass, cotangents of all states as one output, and the shapes' numbers."""
    derivation = derive(cell)
    sizes = dict(zip(cell.sizes, SIZES, strict=False))
    rng = np.random.default_rng(5)

    def drawn(name: str, *lead: int) -> Array:
        shape = tuple(int(at_sizes(dim, sizes)) for dim in cell[name].shape)
        return rng.uniform(0.2, 0.8, (*lead, *text_shape(cell, name, shape)))

    params = {name: drawn(name) for name in cell.parameters}
    x = {name: drawn(name, steps, batch) for name in cell.inputs}
    state = {name: drawn(name, batch) for name in cell.states}
    tape = Tape(derivation, sizes, params, x, state)
    cotangents = {"all": {name: rng.normal(size=tape.courses[name].shape) for name in cell.states}}
    for course in cotangents["all"].values():
        course[0] = 0.0
    return Program.right(derivation), tape, cotangents, {**params, **x, **state}


def loss(cell: Cell, numbers: dict[str, Array], tape: Tape, cotangents: dict[str, Any]) -> Any:
    """The loss that the cotangents are of, at other numbers."""
    run = Tape(
        tape.derivation,
        tape.sizes,
        {name: numbers[name] for name in cell.parameters},
        {name: numbers[name] for name in cell.inputs},
        {name: numbers[name] for name in cell.states},
    )
    return sum(np.sum(cotangents["all"][name] * run.courses[name]) for name in cell.states)


@pytest.mark.parametrize("name", cells.names())
def test_the_program_gives_the_derivative_of_the_forward_pass(name: str) -> None:
    cell = cells[name]
    program, tape, cotangents, numbers = point(cell)
    found = program.gradients(tape, cotangents)
    rng = np.random.default_rng(1)
    directions = {key: rng.normal(size=value.shape) for key, value in numbers.items()}
    along = 0.0
    for key, value in directions.items():
        gradient = found[f"{key}_prev" if key in cell.states else key]
        along += float(np.sum(gradient * value.reshape(gradient.shape)))

    def moved(step: float) -> float:
        return float(loss(cell, {k: v + step * directions[k] for k, v in numbers.items()}, tape, cotangents))

    def central(step: float) -> float:
        return (moved(step) - moved(-step)) / (2 * step)

    expected = (4 * central(5e-5) - central(1e-4)) / 3
    assert along == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "lstm_peephole", "rhn", "mlstm"])
def test_the_program_agrees_with_the_generated_code(name: str) -> None:
    cell = cells[name]
    program, tape, cotangents, numbers = point(cell)
    module = generate(cell)
    state = {key: numbers[key] for key in cell.states}
    params = {key: numbers[key] for key in cell.parameters}
    first, *others = cell.states
    _, _, kept = module.forward(params, numbers[cell.inputs[0]], state)
    bars = {key: np.reshape(value[1:], (T, *numbers[key].shape)) for key, value in cotangents["all"].items()}
    last = {key: value[-1] for key, value in bars.items() if key != first}
    for key in others:  # what generated code takes: cotangents of the output, and of the last states
        cotangents["all"][key][:-1] = 0.0
    grads, x_bar, state_bar = module.backward(params, kept, bars[first], {first: 0 * state[first], **last})
    found = program.gradients(tape, cotangents)
    for key, value in grads.items():
        assert np.allclose(found[key], value, rtol=1e-11, atol=1e-13), key
    assert np.allclose(found[cell.inputs[0]], x_bar, rtol=1e-11, atol=1e-13)
    for key, value in state_bar.items():
        assert np.allclose(found[f"{key}_prev"], value, rtol=1e-11, atol=1e-13), key


CHANGES = [
    Loop(cut=frozenset({"c"})),
    Loop(kept=frozenset({"h"})),
    Loop(sums=(("W_i", "not first"),)),
    Loop(sums=(("b_f", "doubled"),)),
    Loop(factors=(("b_o", "1/N"),)),
    Loop(skipped=frozenset({-1})),
    Loop(span=2),
    Loop(frozen=(("o", -1),)),
    Loop(starts=(("h", "zero"),)),
    Loop(returned=(("c", "adjoint"),)),
    Loop(clamps=(("h_prev", ("entry", 1e-3)),)),
    Loop(clamps=(("c", ("norm", 1e-3)),)),
    Loop(bounds=(("W_g", 1e-3),)),
    Loop(norms=((("W_g", "U_g"), 1e-3),)),
    Loop(series=(("x", "reversed"),)),
    Loop(length=(2, 0, "first")),
    Loop(outer=(("all", "last step"),)),
]


@pytest.mark.parametrize("loop", CHANGES, ids=lambda loop: repr(loop)[:0] or str(CHANGES.index(loop)))
def test_every_change_of_the_loop_changes_a_gradient(loop: Loop) -> None:
    program, tape, cotangents, _ = point(cells["lstm"])
    right = program.gradients(tape, cotangents)
    wrong = replace(program, loop=loop).gradients(tape, cotangents)
    assert any(not np.allclose(right[name], wrong[name], rtol=1e-9, atol=0) for name in right)


def test_clipped_gradients_are_within_their_bounds() -> None:
    program, tape, cotangents, _ = point(cells["lstm"])
    found = replace(program, loop=Loop(bounds=(("W_g", 0.01),))).gradients(tape, cotangents)
    assert np.abs(found["W_g"]).max() == 0.01
    found = replace(program, loop=Loop(norms=((("W_g", "b_g"), 0.01),))).gradients(tape, cotangents)
    assert np.sqrt(np.sum(found["W_g"] ** 2) + np.sum(found["b_g"] ** 2)) == pytest.approx(0.01)


def test_a_mean_is_the_sum_by_the_number_of_examples() -> None:
    program, tape, cotangents, _ = point(cells["gru"])
    right = program.gradients(tape, cotangents)
    for factor, number in (("1/N", N), ("1/T", T), ("1/NT", N * T)):
        wrong = replace(program, loop=Loop(factors=(("b_z", factor),))).gradients(tape, cotangents)
        assert np.allclose(wrong["b_z"] * number, right["b_z"])
