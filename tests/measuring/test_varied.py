"""Right gradients are looked at elsewhere: what is right stays so, what cannot be tried is told, and at what cost."""

from __future__ import annotations

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables.subject import Subject
from symrnn.measuring.varied import PLACES
from symrnn.measuring.verdicts import measure
from tests.callables.implementations import PAIRS, rnn_backward, rnn_forward, rnn_inputs


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", PAIRS)
def test_what_is_right_is_right_everywhere(name: str, seed: int) -> None:
    forward, backward, make = PAIRS[name]
    assert not measure(Subject(forward, backward, make, seed=seed), seed).wrong
    assert not measure(Subject(forward, backward, make(np.random.default_rng(seed))), seed).wrong


def test_everything_can_be_tried_where_inputs_are_made() -> None:
    assert measure(Subject(rnn_forward, rnn_backward, rnn_inputs)).untried == ()
    subject = Subject(rnn_forward, rnn_backward, rnn_inputs)
    made = [place.words for place in PLACES if place.make(subject) is not None]
    assert made == [place.words for place in PLACES if place.words != "initial states that are not zero"]
    zero = rnn_inputs(np.random.default_rng(0)) | {"h0": np.zeros((3, 6))}
    fixed = [place.words for place in PLACES if place.make(Subject(rnn_forward, rnn_backward, zero)) is not None]
    assert "initial states that are not zero" in fixed


def test_what_cannot_be_tried_is_a_blind_spot() -> None:
    fixed = rnn_inputs(np.random.default_rng(0))
    report = check_gradients(rnn_forward, rnn_backward, fixed)
    assert report.passed
    assert "only for a sequence of 11 steps or 6 examples: not" in str(report)
    assert not check_gradients(rnn_forward, rnn_backward, rnn_inputs).blind_spots


def test_looking_around_costs_some_tens_of_calls() -> None:
    subject = Subject(rnn_forward, rnn_backward, rnn_inputs)
    measure(subject)
    assert subject.forward_calls < 100
    assert subject.backward_calls < 20


def test_a_saturated_point_is_no_mistake() -> None:
    large = {name: 5 * array for name, array in rnn_inputs(np.random.default_rng(2)).items()}
    assert not measure(Subject(rnn_forward, rnn_backward, large)).wrong


@pytest.mark.sampled(4)
@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1e-5, 1e-6])
def test_a_uniform_error_is_a_scale(scale: float) -> None:
    def backward(dhs: np.ndarray, dh_T: np.ndarray, cache: object) -> list[np.ndarray]:
        grads = list(rnn_backward(dhs, dh_T, cache))
        return [*grads[:2], (1 + scale) * grads[2], *grads[3:]]

    report = check_gradients(rnn_forward, backward, rnn_inputs, cell="rnn")
    assert report.mistakes == ("wrong-scale",), str(report)
    assert f"{1 + scale:.10g} times" in report.diagnoses[0].sentence
    assert not report.unexplained
