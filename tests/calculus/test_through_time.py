"""Total derivatives as a recursion over one-step blocks."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn import Cell, cells, derive, jacobian
from symrnn.algebra.evaluate import Evaluator
from symrnn.calculus.through_time import StepwiseDerivative, through_time
from symrnn.calculus.window import ask, earlier
from symrnn.errors import InputError
from symrnn.language.evaluate import NUMPY
from symrnn.proofs.survey import true_jacobians
from symrnn.runs.arbitrary import for_every_number
from symrnn.runs.points import relative_error
from symrnn.runs.replay import Replay, replay_numerically
from symrnn.runs.sizes import layouts


def shown(total: StepwiseDerivative) -> list[str]:
    return [line for line in str(total).splitlines() if line.startswith(("∂", "d"))]


def test_the_recursion_of_an_lstm() -> None:
    wrt = "∂c_{t-3}|_{h_{t-3}}"
    assert shown(through_time(cells.lstm, "c", "c_prev", 3)) == [
        f"∂h_{{t-2}}/{wrt} = J_{{h,c,t-2}}",
        f"∂c_{{t-2}}/{wrt} = J_{{c,c,t-2}}",
        f"∂h_{{t-1}}/{wrt} = J_{{h,h,t-1}} ∂h_{{t-2}}/{wrt} + J_{{h,c,t-1}} ∂c_{{t-2}}/{wrt}",
        f"∂c_{{t-1}}/{wrt} = J_{{c,h,t-1}} ∂h_{{t-2}}/{wrt} + J_{{c,c,t-1}} ∂c_{{t-2}}/{wrt}",
        f"∂c_t/{wrt} = J_{{c,h,t}} ∂h_{{t-1}}/{wrt} + J_{{c,c,t}} ∂c_{{t-1}}/{wrt}",
    ]


def test_a_total_derivative_begins_within_the_step_of_its_state() -> None:
    total = through_time(cells.lstm, "c", "c_prev", 2, kind="total")
    assert shown(total) == [
        "dh_{t-2}/dc_{t-2} = D_{h,c,t-2}",
        "dh_{t-1}/dc_{t-2} = J_{h,h,t-1} dh_{t-2}/dc_{t-2} + J_{h,c,t-1}",
        "dc_{t-1}/dc_{t-2} = J_{c,h,t-1} dh_{t-2}/dc_{t-2} + J_{c,c,t-1}",
        "dc_t/dc_{t-2} = J_{c,h,t} dh_{t-1}/dc_{t-2} + J_{c,c,t} dc_{t-1}/dc_{t-2}",
    ]
    assert {str(block.symbol): str(block.stands_for) for block in total.forms} == {
        "D_{h,c,t}": "dh_t/dc_t",
        "J_{h,h,t}": "∂h_t/∂h_{t-1}|_{c_{t-1}}",
        "J_{h,c,t}": "∂h_t/∂c_{t-1}|_{h_{t-1}}",
        "J_{c,h,t}": "∂c_t/∂h_{t-1}|_{c_{t-1}}",
        "J_{c,c,t}": "∂c_t/∂c_{t-1}|_{h_{t-1}}",
    }
    assert "D_{h,c,t} = diag(o_t ⊙ (1 - tanh^2(c_t)))" in str(total)


def test_the_denominator_layout_turns_the_recursion_round() -> None:
    total = through_time(cells.lstm, "c", "c_prev", 2, layout="denominator")
    assert str(total).splitlines()[2:] == [
        "∂c_t/∂c_{t-2}|_{h_{t-2}} = ∂h_{t-1}/∂c_{t-2}|_{h_{t-2}} J_{c,h,t} + ∂c_{t-1}/∂c_{t-2}|_{h_{t-2}} J_{c,c,t}",
        "J_{h,c,t} = diag(o_t ⊙ (1 - tanh^2(c_t)) ⊙ f_t)",
        "J_{c,c,t} = diag(f_t)",
        "J_{c,h,t} = U_fᵀ diag(c_{t-1} ⊙ f_t ⊙ (1 - f_t)) + U_iᵀ diag(g_t ⊙ i_t ⊙ (1 - i_t))"
        " + U_gᵀ diag(i_t ⊙ (1 - g_t^2))",
    ]
    assert r"\left.\frac{\partial c_{t-1}}{\partial c_{t-2}}\right|_{h_{t-2}} \, J_{c,c,t}" in total.latex()
    assert repr(total) == "<∂c_t/∂c_{t-2}|_{h_{t-2}} over 2 steps: 3 rows>"


def test_matrices_are_stacked() -> None:
    total = through_time(cells.mlstm, "C", "C_prev", 2)
    bottom = "∂vec(C_{t-2})|_{t-2}"  # of three other states the time is enough
    assert shown(total)[-1] == f"∂vec(C_t)/{bottom} = J_{{C,C,t}} ∂vec(C_{{t-1}})/{bottom}"
    assert "J_{h,n,t}" not in str(total)  # n does not depend on C, so that block is used nowhere


def test_every_block_is_printed_once_at_t() -> None:
    forms = through_time(cells.lstm, "c", "c_prev", 4).forms
    assert [str(block.symbol) for block in forms] == ["J_{h,c,t}", "J_{c,c,t}", "J_{h,h,t}", "J_{c,h,t}"]
    assert [str(block.wrt) for block in forms] == ["c_{t-1}", "c_{t-1}", "h_{t-1}", "h_{t-1}"]


def test_a_block_that_differs_where_something_is_held_is_printed_with_each_step() -> None:
    """Only the last step's h is not held, so only there does s_{t-1} reach s_t through it."""
    cell = Cell.from_source(
        'def pair(x: "d_h", h: "d_h", s: "d_s", *, U, V, R):\n'
        "    h = tanh(x + h + V @ s)\n    s = tanh(U @ h + R @ s)\n    return h, s\n"
    )
    blocks = [
        line for line in str(through_time(cell, "s", "s_prev", 3, holding="h_prev")).splitlines() if line[0] == "J"
    ]
    assert [line for line in blocks if line.startswith("J_{s,s")] == [
        "J_{s,s,t-1} = diag(1 - s_{t-1}^2) R",
        "J_{s,s,t} = diag(1 - s_t^2) R + diag(1 - s_t^2) U diag(1 - h_t^2) V",
    ]


def test_the_value_is_not_built_for_the_recursion() -> None:
    total = through_time(cells.lstm, "c", "c_prev", 300)
    assert "value" not in vars(total)
    assert len(total.rows) == 599
    assert str(total.rows[-1].of) == "c_t"


def test_absurd_numbers_of_steps_are_refused() -> None:
    with pytest.raises(InputError, match="steps=1001: too many steps to unroll\n  give at most 1000"):
        through_time(cells.lstm, "c", "c_prev", 1001)


def test_a_parameter_enters_at_every_step() -> None:
    assert shown(through_time(cells.rnn, "h", "W", 3)) == [
        "∂h_{t-2}/∂vec(W)|_{h_{t-3}} = J_{h,W,t-2}",
        "∂h_{t-1}/∂vec(W)|_{h_{t-3}} = J_{h,W,t-1} + J_{h,h,t-1} ∂h_{t-2}/∂vec(W)|_{h_{t-3}}",
        "∂h_t/∂vec(W)|_{h_{t-3}} = J_{h,W,t} + J_{h,h,t} ∂h_{t-1}/∂vec(W)|_{h_{t-3}}",
    ]


def test_the_recursion_grows_with_the_steps_not_with_the_paths() -> None:
    assert len(through_time(cells.lstm, "h", "h_prev", 20).rows) == 39


def test_names_of_blocks_are_free() -> None:
    cell = Cell.from_source(
        "def blocks(x, h, c, *, W, J_h_c, K_h_c):\n"
        "    c = J_h_c * c + tanh(W @ x)\n    h = tanh(c) * K_h_c\n    return h, c\n"
    )
    blocks = through_time(cell, "h", "c_prev", 1).blocks
    assert [*blocks] == ["Jac_h_c"]
    both = through_time(cells.lstm, "c", "c", 3).blocks  # c of the first step, and c before every other
    assert len({block.symbol for block in both.values()}) == len(both)


def followed(total: StepwiseDerivative, replay: Replay) -> np.ndarray:
    """The derivative by the recursion's own rows, with numbers for its blocks."""
    known: dict[str, np.ndarray] = {}
    for row in total.rows:
        value = 0.0
        for term in row.terms:
            block = replay.evaluate(total.blocks[term.block.symbol.name].value)
            value = value + (block if term.state is None else block @ known[term.state.name])
        known[row.of.name] = value
    return known[total.of.name]


@pytest.mark.parametrize(
    ("name", "of", "wrt", "holding"),
    [
        ("lstm_peephole", "c", "c_prev", ()),
        ("lstm", "c", "c_prev", ()),
        ("lstm", "h", "x", ()),
        ("lstm", "o", "W_f", ()),
        ("lstm", "c", "c_prev", ("o",)),
        ("gru", "h", "h_prev", ("r",)),
        ("scrn", "h", "s_prev", ()),
        ("lstm", "h", "c", ()),
    ],
)
@pytest.mark.parametrize("kind", ["cell", "total"])
def test_the_rows_give_the_derivative(name: str, of: str, wrt: str, holding: tuple[str, ...], kind: str) -> None:
    derivation = for_every_number(name)
    window = ask(derivation, of, wrt, 3, holding, kind)
    chosen = layouts(derivation.cell, [(3, 2)])[0]
    replay = replay_numerically(derivation, chosen, window.reach, np.random.default_rng(2))
    assert replay is not None
    total = through_time(derivation, of, wrt, 3, holding=holding, kind=kind)
    truth = true_jacobians(replay, window)[of, 0]
    assert np.linalg.norm(truth) > 0
    assert relative_error(followed(total, replay), truth) < 1e-13
    assert relative_error(replay.evaluate(total.value), truth) < 1e-13
    assert total.value == jacobian(derivation, of, wrt, kind, steps=3, holding=holding)


def test_the_blocks_stand_for_their_values() -> None:
    total = through_time(cells.lstm, "h", "h_prev", 2)
    block = total.blocks["J_c_h_prev"]
    assert (block.of.name, block.wrt.name) == ("c_prev", "h_minus2")
    assert block.symbol.shape == block.value.shape
    assert block.value == earlier(derive(cells.lstm), jacobian(cells.lstm, "c", "h_prev"), 1)


def test_layout_is_that_of_the_value() -> None:
    total = through_time(cells.lstm, "h", "x", 2, layout="denominator")
    assert total.value == jacobian(cells.lstm, "h", "x", "total", steps=2, layout="denominator")
    assert total.layout == "denominator"
    assert [b.value.shape for b in total.blocks.values()] == [
        b.value.shape for b in through_time(cells.lstm, "h", "x", 2).blocks.values()
    ]


def test_nothing_is_zero() -> None:
    total = through_time(cells.lstm, "f", "o", 1)
    assert total.rows[-1].terms == ()
    assert str(total) == "∂f_t/∂o_t|_{h_{t-1}, c_{t-1}} = 0"
    assert not Evaluator({}, {"d_h": 2}, NUMPY)(total.value).any()


@pytest.mark.parametrize("steps", [0, -3, 2.0, None, "3"])
def test_steps_must_be_whole(steps: object) -> None:
    with pytest.raises(InputError, match="give a whole number of steps, at least 1"):
        through_time(cells.lstm, "h", "h_prev", steps)  # type: ignore[arg-type]
