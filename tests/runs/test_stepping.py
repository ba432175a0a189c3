"""A cell over steps: the text and the equations agree on every kind of number, and adjoints are what slopes say."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from symrnn import Cell, cells, derive
from symrnn.runs import field
from symrnn.runs.arbitrary import for_every_number
from symrnn.runs.blocks import StepBlocks
from symrnn.runs.field_point import draw_point
from symrnn.runs.literals import exact_text
from symrnn.runs.numbers import FLOATS, RESIDUES, Numbers, SlopedNumbers
from symrnn.runs.points import Ground
from symrnn.runs.replay import replay_exactly
from symrnn.runs.sequence import draw_sequence
from symrnn.runs.sizes import CellAtSizes, layouts, vec
from symrnn.runs.stepping import StepValues, derive_over_steps, go_back_over_steps, over_steps, run_over_steps
from symrnn.runs.unroll import Unrolled
from symrnn.runs.values import arguments, values_at
from symrnn.sameness.certain import CERTAIN, Certain
from symrnn.sameness.tower import TOWERED, TowerNumber
from symrnn.sameness.tower import same as same_in_the_tower
from tests.library import MAIN

STEPS = 3


def as_floats(value: Any) -> Any:
    return np.vectorize(float, otypes=[float])(value)


KINDS: dict[str, tuple[Numbers, Any]] = {
    "floats": (FLOATS, lambda a, b: np.allclose(a, b, rtol=1e-12, atol=1e-14)),
    "residues": (RESIDUES, field.same),
    "certain": (CERTAIN, lambda a, b: np.allclose(as_floats(a), as_floats(b), rtol=1e-14)),
    "tower": (TOWERED, same_in_the_tower),
}
"""Every kind of number on which texts run, with what tells whether two arrays hold the same."""


def given(layout: CellAtSizes, numbers: Numbers) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A start and inputs at quarters, which every kind of number has."""
    rng, cell = np.random.default_rng(3), layout.cell

    def quarters(variable: Any) -> Any:
        values = rng.choice([-1.0, 1.0], layout.shape(variable)) * rng.integers(1, 5, layout.shape(variable)) / 4
        exact = [numbers.literal(float(x)) for x in values.flat]
        return values if numbers is FLOATS else field.array(exact, values.shape)

    start = {v.name: quarters(v) for v in (*cell.previous, *(cell[name] for name in cell.parameters))}
    return start, [{name: quarters(cell[name]) for name in cell.inputs} for _ in range(STEPS)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["lstm", "gru", "mlstm"])
def test_text_and_equations_agree_over_steps(name: str, kind: str) -> None:
    derivation = for_every_number(cells[name])
    (layout,), (numbers, same) = layouts(derivation.cell, [(3, 2)]), KINDS[kind]
    start, inputs = given(layout, numbers)
    text = derivation.cell.syntax if numbers is FLOATS else exact_text(derivation.cell.syntax, numbers.literal)
    by_text = run_over_steps(text, layout.arguments(start), map(layout.arguments, inputs), numbers.arithmetic)
    by_equations = derive_over_steps(derivation, layout, numbers, start, inputs)
    for names, at in zip(by_text, by_equations, strict=True):
        for line in text.assignments:
            assert same(layout.matrix(derivation.cell[line.name], names[line.name]), at.values[line.name])


def test_what_a_step_carries_reaches_the_next_one_only() -> None:
    counted = list(
        over_steps(
            lambda number, point: number + point["s"] + point["x"], lambda s: {"s": s}, {"s": 1}, [{"x": 10}] * 3
        )
    )
    assert counted == [11, 22, 34]


@pytest.mark.parametrize("numbers", [FLOATS, RESIDUES], ids=["floats", "residues"])
@pytest.mark.parametrize("name", ["gru", "slstm"])
def test_adjoints_over_steps_are_how_the_loss_moves(name: str, numbers: SlopedNumbers) -> None:
    derivation = for_every_number(cells[name])
    cell, rng = derivation.cell, np.random.default_rng(0)
    (layout,) = layouts(cell, [(3, 2)])
    start, inputs = given(layout, numbers)
    whole = np.vectorize(numbers.literal, otypes=[float if numbers is FLOATS else object])
    losses = [{s: whole(rng.integers(-3, 4, layout.shape(cell[s]))) for s in cell.states} for _ in range(STEPS)]
    steps = derive_over_steps(derivation, layout, numbers, start, inputs)
    go_back_over_steps(steps, losses)

    def rate(moving: str, at: int | None, direction: Any) -> Any:
        moved_start = start | ({moving: numbers.move(start[moving], direction)} if at is None else {})
        moved = [i | ({moving: numbers.move(i[moving], direction)} if at == t else {}) for t, i in enumerate(inputs)]
        moved_steps = derive_over_steps(derivation, layout, numbers, moved_start, moved)
        return sum(
            np.sum(loss[s] * numbers.rate(one.values[s]))
            for one, loss in zip(moved_steps, losses, strict=True)
            for s in cell.states
        )

    def agree(gradient: Any, moving: str, at: int | None) -> bool:
        direction = whole(rng.integers(1, 9, np.shape(gradient)))
        found, true = np.sum(gradient * direction), rate(moving, at, direction)
        return bool(np.isclose(found, true, rtol=1e-11)) if numbers is FLOATS else bool(found == true)

    for name_ in cell.parameters:
        assert agree(sum(step.adjoint(name_) for step in steps), name_, None)
    for state in cell.previous:
        assert agree(steps[0].adjoint(state.name), state.name, None)
    for at in range(STEPS):
        assert all(agree(steps[at].adjoint(name_), name_, at) for name_ in cell.inputs)


def test_a_factor_of_ones_stays_exact() -> None:
    cell = Cell.from_source("def third(x, h: 'd_x'):\n    h = h + x - 1 / 3\n    return h\n")
    (layout,) = layouts(cell, [(2, 2)])
    for kind in ("residues", "tower", "certain"):
        numbers, _ = KINDS[kind]
        zero = field.array([numbers.literal(0)] * layout.sizes["d_x"], (layout.sizes["d_x"], 1))
        at = StepValues(derive(cell), layout, numbers, {"x": zero, "h_prev": zero})
        assert all(entry * 3 + 1 == numbers.literal(0) or (entry * 3 + 1).is_zero for entry in at.values["h"].flat)


@pytest.mark.parametrize("name", MAIN[:6])
def test_a_step_of_its_own_is_the_step_of_a_sequence(name: str) -> None:
    derivation = for_every_number(cells[name])
    (layout,) = layouts(derivation.cell, [(2, 3)])
    point = draw_point(derivation, exact_text(derivation.cell.syntax), layout, Random(1))
    assert point is not None
    wanted = [equation.target for equation in derivation.forward]
    known = {(name, 0): point.values[name] for name, _, _ in arguments(derivation, layout, wanted)}
    again = values_at(derivation, layout, wanted, known, RESIDUES.evaluator)
    assert all(field.same(again[v.name], point.values[v.name]) for v in wanted)
    assert Unrolled(point).holds
    moved = StepBlocks(derivation).moved(
        {layout.variables[0]: vec(point.direction[layout.variables[0].name])}, point.evaluate
    )
    for state in derivation.cell.states:
        truth = vec(field.slopes(point.moved_by(layout.variables[0].name)[state]))
        assert field.same(moved.get(derivation.cell[state], 0 * truth), truth)


def test_where_something_is_zero_in_a_divisor_no_point_is_found() -> None:
    cell = Cell.from_source("def never(x, h: 'd_x'):\n    h = x / (h - h)\n    return h\n")
    derivation, (layout,) = derive(cell), layouts(cell, [(2, 2)])
    assert draw_point(derivation, exact_text(cell.syntax), layout, Random(0)) is None
    assert draw_sequence(derivation, layout, STEPS, cell.states, Random(0)) is None
    assert replay_exactly(derivation, layout, 2, Random(0)) is None
    assert Ground(derivation, layout).step({"x": np.ones((2, 1)), "h_prev": np.ones((2, 1))}) is None


def test_kinds_of_numbers_do_not_mix_up_a_literal() -> None:
    assert FLOATS.literal("0.1") == 0.1
    assert RESIDUES.literal(0.1) * 10 == 1
    assert TOWERED.literal(0.1) * TowerNumber.of(10) == 1
    assert (CERTAIN.literal(0.1) * 10 - 1).is_zero
    assert not (Certain.of(0.1) * 10 - 1).is_zero  # the binary fraction that the float is


@pytest.mark.parametrize("numbers", [FLOATS, RESIDUES], ids=["floats", "residues"])
@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
def test_values_of_every_shape_move_and_rest(shape: tuple[int, ...], numbers: SlopedNumbers) -> None:
    make = np.vectorize(numbers.literal, otypes=[float if numbers is FLOATS else object])
    value, direction = make(np.full(shape, 3)), make(np.full(shape, 5))
    moved = numbers.move(value, direction)
    assert np.shape(moved) == np.shape(numbers.rest(moved)) == shape
    assert np.all(numbers.rate(moved * moved) == 30)
    assert np.all(numbers.rate(numbers.rest(moved) + 0 * value) == 0)
