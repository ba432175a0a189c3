"""A linear readout is told by numbers, and taken away by the identity in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from symrnn.callables.subject import Subject
from symrnn.measuring.readout import find_linear_inputs, without_readout

Array = np.ndarray
RNG = np.random.default_rng(0)
INPUTS = {name: RNG.normal(size=shape) for name, shape in {"x": (5, 3), "W": (3, 4), "V": (4, 6), "b": (6,)}.items()}


def forward(x: Array, W: Array, V: Array, b: Array, power: int = 1) -> Array:
    return np.tanh(x @ W) @ V**power + b


def nothing(dy: Array, x: Array, W: Array, V: Array, b: Array) -> Any:
    return x, W, V, b


def test_the_readout_is_what_the_outputs_are_linear_in() -> None:
    assert find_linear_inputs(Subject(forward, nothing, INPUTS)) == ("V", "b")
    curved = Subject(lambda x, W, V, b: forward(x, W, V, b, power=3), nothing, INPUTS)
    assert find_linear_inputs(curved) == ("b",)
    assert find_linear_inputs(loss()) == ()


def loss() -> Subject:
    return Subject(lambda **given: (forward(**given).sum(), given), lambda cache: nothing(None, **cache), INPUTS)


def test_without_its_readout_the_function_gives_its_states() -> None:
    subject = Subject(forward, nothing, INPUTS)
    found = list(without_readout(subject, ("V", "b")))
    assert [one.held for one in found] == [("V", "b")]
    np.testing.assert_allclose(found[0].subject.answer["output"], np.tanh(INPUTS["x"] @ INPUTS["W"]))
    assert found[0].subject.names == ("x", "W")
    assert subject.names == ("x", "W", "V", "b")
