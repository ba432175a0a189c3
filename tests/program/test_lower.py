"""What stands in the two loops: every equation once, and the loss and the next step where they come in."""

from __future__ import annotations

from functools import cache

import pytest

from symrnn import cells, derive
from symrnn.calculus.second_order import second_order
from symrnn.calculus.tangent import tangent
from symrnn.program.ir import Accumulate, Assign, Function, Program
from symrnn.program.lower import lower, lower_second_order, lower_tangent
from tests.library import MAIN


@cache
def second(name: str) -> Program:
    return lower_second_order(second_order(name))


def lines(function: Function, *names: str) -> list[str]:
    return [f"{s.target} = {s.value}" for s in function.loop.body if s.target.name in names]


def test_the_loss_comes_in_at_the_first_state_and_the_next_step_at_every_one() -> None:
    assert lines(lower(derive(cells.lstm)).backward, "h_bar", "c_bar") == [
        "δh_t = ∂ℓ/∂h_t + δ←h_{t-1}",
        "δc_t = δ←c_{t-1} + δh_t ⊙ o_t ⊙ (1 - tanh^2(c_t))",
    ]


def test_their_tangents_come_in_at_the_same_places() -> None:
    assert lines(second("lstm").backward, "h_bar", "h_bar_dot", "c_bar", "c_bar_dot") == [
        "δh_t = ∂ℓ/∂h_t + δ←h_{t-1}",
        "δ̇h_t = ∂ℓ̇/∂h_t + δ̇←h_{t-1}",
        "δc_t = δ←c_{t-1} + δh_t ⊙ o_t ⊙ (1 - tanh^2(c_t))",
        "δ̇c_t = δ̇←c_{t-1} + δ̇h_t ⊙ o_t ⊙ (1 - tanh^2(c_t)) + δh_t ⊙ ȯ_t ⊙ (1 - tanh^2(c_t))"
        " - 2 δh_t ⊙ o_t ⊙ tanh(c_t) ⊙ (1 - tanh^2(c_t)) ⊙ ċ_t",
    ]


@pytest.mark.parametrize("name", MAIN)
def test_each_equation_of_the_loop_back_is_there_once(name: str) -> None:
    derivation, body = derive(cells[name]), lower(derive(cells[name])).backward.loop.body
    assert sorted(s.target.name for s in body) == sorted(step.target.name for step in derivation.steps)
    assert {s.target for s in body if isinstance(s, Accumulate)} == {s.target for s in derivation.role("parameter")}


@pytest.mark.parametrize("name", MAIN)
def test_second_order_computes_of_the_first_only_what_it_reads(name: str) -> None:
    program, found = second(name), second_order(name)
    body = program.backward.loop.body
    tangents = {step.target for step in found.steps}
    assert {s.target for s in body} >= tangents
    assert {s.target for s in body if isinstance(s, Accumulate)} == {
        step.target for step in found.steps if step.role == "parameter"
    }
    first = {s.target for s in body} - tangents
    carried = {step.target for step in found.derivation.role("carry")}
    assert carried <= first <= carried | program.backward.loop.reads
    assert not first & {step.target for step in found.derivation.role("parameter")}


@pytest.mark.parametrize("name", MAIN)
def test_a_tangent_follows_its_equation(name: str) -> None:
    moved = tangent(derive(cells[name]))
    program = lower_tangent(moved)
    assert not program.backward.loop.body
    order = [s.target for s in program.forward.loop.body if isinstance(s, Assign)]
    expected = [
        target
        for equation, step in zip(moved.derivation.forward, moved.steps, strict=True)
        for target in ((equation.target, step.target) if step.is_needed else (equation.target,))
    ]
    assert order == expected
