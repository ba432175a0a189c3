"""The same functions for fewer steps and examples: made anew, or cut where forward shows that this is a beginning."""

from __future__ import annotations

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
