"""One object in place of two functions; those of frameworks are among the tests of peers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables.whole import as_pair
from symrnn.errors import InputError

Array = Any


def draw(rng: np.random.Generator) -> dict[str, Array]:
    return {"x": rng.normal(size=(3, 4)), "W": rng.normal(size=(4, 2)), "target": rng.normal(size=(3, 2))}


def loss_and_gradient(x: Array, W: Array, target: Array) -> tuple[float, Array]:
    error = x @ W - target
    dW = x.T @ error
    return 0.5 * float(np.sum(error**2)), dW


def loss_and_wrong_gradient(x: Array, W: Array, target: Array) -> tuple[float, Array]:
    loss, dW = loss_and_gradient(x, W, target)
    dW = 2 * dW
    return loss, dW


def test_a_function_with_its_gradients_is_checked_without_a_second_one() -> None:
    assert check_gradients(loss_and_gradient, None, draw, without=["x", "target"], diagnose=False).passed
    report = check_gradients(loss_and_wrong_gradient, None, draw, without=["x", "target"], diagnose=False)
    assert [one.name for one in report.wrong] == ["W"]


def test_it_is_the_pair_that_the_adapter_makes() -> None:
    forward, backward, inputs = as_pair(loss_and_gradient, draw)
    assert callable(forward)
    assert callable(backward)
    assert inputs is not None


@pytest.mark.parametrize("whole", [None, 3], ids=["nothing", "a number"])
def test_what_is_no_function_is_refused(whole: Any) -> None:
    with pytest.raises(InputError, match="forward: expected a function, got"):
        check_gradients(whole, None, {"x": np.ones((3, 4))})


def test_a_function_without_gradients_is_told_what_to_return() -> None:
    (problem,) = check_gradients(lambda x: x, None, {"x": np.ones((3, 4))}).problems
    assert "the function should return a loss" in problem.sentence
