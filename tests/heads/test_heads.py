"""Heads: what they come to against NumPy, their gradients against differences, and how they are joined to cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symrnn import cells, verify
from symrnn.errors import UnknownNameError
from symrnn.heads import HEADS, find_head, with_head
from symrnn.heads.library import MANY_OF, ONE_OF
from symrnn.variants.slips import with_slips

H, WIDTH = 4, 3


def softmax(y: Any) -> Any:
    return np.exp(y) / np.exp(y).sum()


LOSSES = {
    "softmax-cross-entropy": lambda y, k: -np.log(softmax(y)) @ k,
    "sigmoid-cross-entropy": lambda y, k: (
        -(k * np.log(1 / (1 + np.exp(-y))) + (1 - k) * np.log(1 / (1 + np.exp(y)))).sum()
    ),
    "squared-error": lambda y, k: ((y - k) ** 2).sum() / 2,
    "sigmoid-squared-error": lambda y, k: ((1 / (1 + np.exp(-y)) - k) ** 2).sum() / 2,
    "tanh-squared-error": lambda y, k: ((np.tanh(y) - k) ** 2).sum() / 2,
    "relu-squared-error": lambda y, k: ((np.maximum(y, 0) - k) ** 2).sum() / 2,
    "softmax-squared-error": lambda y, k: ((softmax(y) - k) ** 2).sum() / 2,
    "state-squared-error": lambda y, k: ((y - k) ** 2).sum() / 2,
    "state-softmax-cross-entropy": lambda y, k: -np.log(softmax(y)) @ k,
    "state-weighted-sum": lambda y, k: y @ k,
    "squares": lambda y, k: y @ y / 2,
    "state-squares": lambda y, k: y @ y / 2,
    "state-sum": lambda y, k: y.sum(),
}
READOUTS = {
    "readout": lambda y: y,
    "sigmoid-readout": lambda y: 1 / (1 + np.exp(-y)),
    "tanh-readout": np.tanh,
    "relu-readout": lambda y: np.maximum(y, 0),
    "softmax-readout": softmax,
    "softplus-readout": lambda y: np.log1p(np.exp(y)),
    "exp-readout": np.exp,
}


def test_every_head_has_a_loss_or_a_function_here() -> None:
    assert set(LOSSES) == {name for name, head in HEADS.items() if head.has_loss}
    assert set(READOUTS) == {name for name, head in HEADS.items() if not head.has_loss}


@pytest.mark.parametrize("name", READOUTS)
def test_a_readout_is_the_function_that_its_name_says(name: str) -> None:
    joined, rng = with_head("rnn", HEADS[name]), np.random.default_rng(1)
    x, h, V, b = rng.normal(size=2), rng.normal(size=H), rng.normal(size=(WIDTH, H)), rng.normal(size=WIDTH)
    params = {"W": rng.normal(size=(H, 2)), "U": rng.normal(size=(H, H)), "b": rng.normal(size=H)}
    state, out = joined.cell.definition(x, h, 0 * b, **params, V=V, b_y=b)
    assert np.allclose(out, READOUTS[name](V @ state + b))
    assert joined.cell.sizes == ("d_x", "d_h", "d_y")


def test_heads_stand_beside_one_another() -> None:
    joined = with_head(with_head("rnn", HEADS["readout"]), HEADS["sigmoid-readout"])
    assert joined.reference == "rnn --head readout --head sigmoid-readout"
    assert joined.core is cells["rnn"]
    assert joined.sizes == ("d_y", "d_z")
    assert len(joined.cell.states) == 3
    verify(joined.cell).raise_if_failed()


@pytest.mark.parametrize("name", LOSSES)
def test_a_head_is_the_loss_that_its_name_says(name: str) -> None:
    head, rng = HEADS[name], np.random.default_rng(1)
    joined = with_head("rnn", head)
    width = WIDTH if head.reads_out else H
    k = (
        np.eye(width)[1]
        if head.target == ONE_OF
        else rng.integers(0, 2, width)
        if head.target == MANY_OF
        else rng.normal(size=width)
    )
    x, h, k = rng.normal(size=2), rng.normal(size=H), np.asarray(k, float)
    params = {"W": rng.normal(size=(H, 2)), "U": rng.normal(size=(H, H)), "b": rng.normal(size=H)}
    aim = [k] if "k" in joined.names else []
    own = {"V": rng.normal(size=(WIDTH, H)), "b_y": rng.normal(size=WIDTH)} if head.reads_out else {}
    state, loss = joined.cell.definition(x, h, *aim, 0.0, **params, **{joined.names[n]: v for n, v in own.items()})
    assert np.allclose(state, cells["rnn"].definition(x, h, **params))
    y = own["V"] @ state + own["b_y"] if own else state
    assert np.allclose(loss, LOSSES[name](y, k))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", HEADS)
def test_a_joined_cell_is_verified_like_any_other(name: str) -> None:
    verify(with_head("gru", HEADS[name]).cell).raise_if_failed()


@pytest.mark.parametrize("name", HEADS)
def test_the_slips_of_a_joined_cell_can_be_listed(name: str) -> None:
    assert list(with_slips(with_head("rnn", HEADS[name]).cell))


def test_the_head_takes_names_that_the_cell_has_not() -> None:
    from symrnn import Cell

    cell = Cell.from_source("def odd(x, y, *, V, k, s):\n    y = tanh(V @ x + k @ y + s)\n    return y\n")
    joined = with_head(cell, HEADS["softmax-cross-entropy"])
    assert joined.cell.states[0] == "y"
    assert set(joined.names.values()).isdisjoint({"x", "y", "V", "k", "s"})
    assert joined.core is cell
    assert joined.reference == "odd --head softmax-cross-entropy"


def test_a_head_that_is_not_there() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'squared-error'"):
        find_head("square-error")
