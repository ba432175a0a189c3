"""The backward pass that can be changed: unchanged, it is the generated one; changed, it is what the change says."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from symrnn import Cell, cells, derive, generate
from symrnn.algebra import nodes
from symrnn.algebra.evaluate import ShapesAtSizes
from symrnn.calculus.derivation import shift
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.catalogue.clipped import EntriesClipped, NormsBounded
from symrnn.mistakes.catalogue.clipped_in_recursion import AdjointsBounded
from symrnn.mistakes.catalogue.double_counted import doubled
from symrnn.mistakes.catalogue.initial_state import InitialStateRead, adjoint_of_step_0
from symrnn.mistakes.catalogue.mean_for_sum import MeanForgotten, over_batch, over_both, over_steps
from symrnn.mistakes.catalogue.missing_accumulation import StepsSkipped, not_first
from symrnn.mistakes.catalogue.missing_path import InitialGradientLost, no_gradient
from symrnn.mistakes.catalogue.recurrent_path_cut import CarryCut, CarryKept
from symrnn.mistakes.catalogue.stale_cache import ValuesFrozen
from symrnn.mistakes.catalogue.truncated import LoopShortened, Windowed
from symrnn.mistakes.catalogue.wrong_time_index import SeriesMoved, series_reversed
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.shared import (
    CotangentUsed,
    GradientScaled,
    InitialGradient,
    OwnGradients,
    ReadBeyond,
    TermsCounted,
    at_last,
)
from symrnn.mistakes.tape import Tape

T, N = 3, 2
SIZES = (4, 3, 5, 2)
Array = np.ndarray


def point(cell: Cell, steps: int = T, batch: int = N) -> tuple[BackwardPass, Tape, dict[str, Any], dict[str, Array]]:
    """A program, a forward pass, cotangents of all states as one output, and the shapes' numbers."""
    derivation = derive(cell)
    sizes = dict(zip(cell.sizes, SIZES, strict=False))
    rng, shape_of = np.random.default_rng(5), ShapesAtSizes(sizes).in_text

    def drawn(name: str, *lead: int) -> Array:
        return rng.uniform(0.2, 0.8, (*lead, *shape_of(cell[name])))

    params = {name: drawn(name) for name in cell.parameters}
    x = {name: drawn(name, steps, batch) for name in cell.inputs}
    state = {name: drawn(name, batch) for name in cell.states}
    tape = Tape(derivation, sizes, params, x, state)
    cotangents = {"all": {name: rng.normal(size=tape.courses[name].shape) for name in cell.states}}
    for course in cotangents["all"].values():
        course[0] = 0.0
    return BackwardPass.right(derivation), tape, cotangents, {**params, **x, **state}


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


EFFECTS: tuple[Effect, ...] = (
    CarryCut(frozenset({"c"})),
    CarryKept(frozenset({"h"})),
    TermsCounted((("W_i", not_first),)),
    TermsCounted((("b_f", doubled),)),
    GradientScaled((("b_o", over_batch),)),
    StepsSkipped(frozenset({-1})),
    LoopShortened(2),
    ValuesFrozen((("o", -1),)),
    InitialStateRead((("h", "zero"),)),
    InitialGradient((("c", adjoint_of_step_0),)),
    InitialGradientLost((("h", no_gradient),)),
    AdjointsBounded((("h_prev", ("entry", 1e-3)),)),
    AdjointsBounded((("c", ("norm", 1e-3)),)),
    EntriesClipped((("W_g", 1e-3),)),
    NormsBounded(((("W_g", "U_g"), 1e-3),)),
    SeriesMoved((("x", series_reversed),)),
    Windowed(2, 0, "first"),
    CotangentUsed((("all", at_last),)),
    MeanForgotten(lambda steps, batch: steps * batch),
)


def test_every_effect_is_tried() -> None:
    def kinds(of: type[Effect]) -> set[type[Effect]]:
        return {of} | {kind for sub in of.__subclasses__() for kind in kinds(sub)}

    assert kinds(Effect) - {Effect, OwnGradients, ReadBeyond} == {type(effect) for effect in EFFECTS}


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: type(effect).__name__)
def test_every_effect_changes_the_gradients_that_it_says(effect: Effect) -> None:
    program, tape, cotangents, _ = point(cells["lstm"])
    right = program.gradients(tape, cotangents)
    wrong = replace(program, effects=(effect,)).gradients(tape, cotangents)
    changed = {name for name in right if not np.allclose(right[name], wrong[name], rtol=1e-9, atol=0)}
    assert changed
    reached = effect.reached()
    assert reached is None or changed <= reached


def test_what_is_read_beyond_the_end_is_what_an_effect_says() -> None:
    program, tape, cotangents, _ = point(cells["rnn"])
    (after,) = nodes.variables(shift(tape.derivation.cell["h"], 1))
    line = next(n for n, line in enumerate(program.lines) if line.of.name == "b")
    lines = list(program.lines)
    lines[line] = replace(lines[line], terms=(nodes.hadamard(lines[line].terms[0], after),))
    other = replace(program, lines=tuple(lines), start=tuple(lines))
    found = [
        replace(other, effects=(ReadBeyond(edge),)).gradients(tape, cotangents)["b"]
        for edge in ("around", "rows", "nearest", "zero")
    ]
    assert all(not np.allclose(a, b) for a, b in itertools.combinations(found, 2))


def test_clipped_gradients_are_within_their_bounds() -> None:
    program, tape, cotangents, _ = point(cells["lstm"])
    found = replace(program, effects=(EntriesClipped((("W_g", 0.01),)),)).gradients(tape, cotangents)
    assert np.abs(found["W_g"]).max() == 0.01
    found = replace(program, effects=(NormsBounded(((("W_g", "b_g"), 0.01),)),)).gradients(tape, cotangents)
    assert np.sqrt(np.sum(found["W_g"] ** 2) + np.sum(found["b_g"] ** 2)) == pytest.approx(0.01)


def test_a_mean_is_the_sum_by_the_number_of_examples() -> None:
    program, tape, cotangents, _ = point(cells["gru"])
    right = program.gradients(tape, cotangents)
    for factor, number in ((over_batch, N), (over_steps, T), (over_both, N * T)):
        wrong = replace(program, effects=(GradientScaled((("b_z", factor),)),)).gradients(tape, cotangents)
        assert np.allclose(wrong["b_z"] * number, right["b_z"])
