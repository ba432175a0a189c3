"""Total derivatives as a recursion over one-step blocks."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn import Cell, cells, derive, jacobian
from symrnn.algebra.evaluate import Evaluator
from symrnn.calculus.through_time import TotalDerivative, through_time
from symrnn.calculus.window import ask, earlier
from symrnn.errors import InputError
from symrnn.language.evaluate import NUMPY
from symrnn.verification.layout import layouts
from symrnn.verification.points import relative_error
from symrnn.verification.replay import Replay, replay_numerically
from symrnn.verification.survey import true_jacobians


def shown(total: TotalDerivative) -> list[str]:
    return [line for line in str(total).splitlines() if line.startswith("∂")]


def test_the_recursion_of_an_lstm() -> None:
    assert shown(through_time(cells.lstm, "c", "c_prev", 3)) == [
        "∂h_minus2/∂c_minus3 = J_h_c_minus2",
        "∂c_minus2/∂c_minus3 = J_c_c_minus2",
        "∂h_prev/∂c_minus3 = J_h_h_prev ∂h_minus2/∂c_minus3 + J_h_c_prev ∂c_minus2/∂c_minus3",
        "∂c_prev/∂c_minus3 = J_c_h_prev ∂h_minus2/∂c_minus3 + J_c_c_prev ∂c_minus2/∂c_minus3",
        "∂c/∂c_minus3 = J_c_h ∂h_prev/∂c_minus3 + J_c_c ∂c_prev/∂c_minus3",
    ]


def test_a_parameter_enters_at_every_step() -> None:
    assert shown(through_time(cells.rnn, "h", "W", 3)) == [
        "∂h_minus2/∂W = J_h_W_minus2",
        "∂h_prev/∂W = J_h_W_prev + J_h_h_prev ∂h_minus2/∂W",
        "∂h/∂W = J_h_W + J_h_h ∂h_prev/∂W",
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


def followed(total: TotalDerivative, replay: Replay) -> np.ndarray:
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
        ("lstm", "c", "c_prev", ()),
        ("lstm", "h", "x", ()),
        ("lstm", "o", "W_f", ()),
        ("lstm", "c", "c_prev", ("o",)),
        ("gru", "h", "h_prev", ("r",)),
        ("scrn", "h", "s_prev", ()),
        ("lstm", "h", "c", ()),
    ],
)
def test_the_rows_give_the_derivative(name: str, of: str, wrt: str, holding: tuple[str, ...]) -> None:
    derivation = derive(cells[name])
    replay = replay_numerically(derivation, layouts(cells[name], [(3, 2)])[0], 3, np.random.default_rng(2))
    assert replay is not None
    total = through_time(derivation, of, wrt, 3, holding=holding)
    truth = true_jacobians(replay, ask(derivation, of, wrt, 3, holding))[of, 0]
    assert np.linalg.norm(truth) > 0
    assert relative_error(followed(total, replay), truth) < 1e-13
    assert relative_error(replay.evaluate(total.value), truth) < 1e-13
    assert total.value == jacobian(derivation, of, wrt, "total", steps=3, holding=holding)


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
    assert str(total) == "∂f/∂o = 0"
    assert not Evaluator({}, {"d_h": 2}, NUMPY)(total.value).any()


@pytest.mark.parametrize("steps", [0, -3, 2.0, None, "3"])
def test_steps_must_be_whole(steps: object) -> None:
    with pytest.raises(InputError, match="give a whole number of steps, at least 1"):
        through_time(cells.lstm, "h", "h_prev", steps)  # type: ignore[arg-type]
