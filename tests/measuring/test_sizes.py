"""The same functions for fewer steps and examples: made anew, or cut where forward shows that this is a beginning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from symrnn.callables.subject import Subject
from symrnn.measuring.sizes import make_fewer, make_shorter, make_thin, make_unstarted
from tests.callables.implementations import rnn_backward, rnn_forward, rnn_inputs

FIXED = rnn_inputs(np.random.default_rng(0))


@pytest.mark.parametrize("inputs", [FIXED, rnn_inputs], ids=["cut", "made"])
def test_steps_and_examples_become_fewer(inputs: object) -> None:
    subject = Subject(rnn_forward, rnn_backward, inputs)  # type: ignore[arg-type]
    short, few, thin = make_shorter(subject, 2), make_fewer(subject, 1), make_thin(subject, 3)
    assert short is not None
    assert few is not None
    assert thin is not None
    assert short["x"].shape == (2, 3, 4)
    assert (few["x"].shape, few["h0"].shape) == ((5, 1, 4), (1, 6))
    assert (thin["x"].shape, thin["h0"].shape) == ((3, 1, 4), (1, 6))
    assert subject.outputs(thin)["output[0]"].shape == (3, 1, 6)


def test_what_is_cut_is_the_beginning_of_a_sequence() -> None:
    subject = Subject(rnn_forward, rnn_backward, FIXED)
    short = make_shorter(subject, 2)
    assert short is not None
    assert list(short) == ["x"]
    np.testing.assert_array_equal(short["x"], FIXED["x"][:2])


def test_a_function_without_time_is_not_cut() -> None:
    subject = Subject(
        lambda x, W: np.tanh(x.T @ W), lambda dh, x, W: (x, W), {"x": FIXED["x"][0], "W": np.ones((3, 2))}
    )
    assert make_shorter(subject, 1) is None
    assert make_thin(subject, 1) is None


def test_only_states_that_are_not_zero_yet_become_zero() -> None:
    subject = Subject(rnn_forward, rnn_backward, FIXED)
    none = make_unstarted(subject)
    assert none is not None
    assert list(none) == ["h0"]
    assert not none["h0"].any()
    assert make_unstarted(Subject(rnn_forward, rnn_backward, FIXED | none)) is None


def averaged(x: np.ndarray, W: np.ndarray) -> tuple[np.ndarray]:
    return ((x - x.mean(axis=0)) @ W,)


def final_or_all(x: np.ndarray, W: np.ndarray) -> np.ndarray:
    """For fewer steps the output has another rank."""
    return np.tanh(x @ W) if len(x) > 4 else np.tanh(x[0] @ W)


def as_dict(x: np.ndarray, W: np.ndarray) -> dict[str, np.ndarray]:
    """For fewer steps the output has another name."""
    return {"all" if len(x) > 4 else "few": np.tanh(x @ W)}


def constant(x: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The shape of the output does not depend on the number of steps."""
    return np.tanh(x[:2] @ W)


@pytest.mark.parametrize("forward", [averaged, final_or_all, as_dict, constant])
def test_what_is_not_the_beginning_of_the_same_outputs_is_not_cut(forward: Callable[..., object]) -> None:
    given = {"x": FIXED["x"], "W": FIXED["W"]}
    subject = Subject(forward, lambda d, x, W: (x, W), given)
    assert make_shorter(subject, 3) is None


def test_a_vector_is_no_sequence() -> None:
    """Its first entries have as many outputs as it has; it is still not cut along time."""
    subject = Subject(lambda b: np.tanh(b), lambda d, b: d * (1 - np.tanh(b) ** 2), {"b": FIXED["b"]})
    assert make_shorter(subject, 2) is None


def test_a_sequence_is_not_cut_to_the_steps_that_it_has() -> None:
    subject = Subject(rnn_forward, rnn_backward, FIXED)
    assert make_shorter(subject, 4) is not None
    assert make_shorter(subject, 5) is None


def test_an_example_is_cut_from_everything_that_has_one() -> None:
    """The batch is the first axis of named states; a matrix with as many rows by chance stays whole."""
    inputs = rnn_inputs(np.random.default_rng(1), N=4)  # as many examples as features
    few = make_fewer(Subject(rnn_forward, rnn_backward, inputs), 2)
    assert few is not None
    assert {name: array.shape for name, array in few.items()} == {"x": (5, 2, 4), "h0": (2, 6)}
