"""What inputs cannot show: each feature hides what it should, and inputs without one hide nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symrnn import derive
from symrnn.callables.subject import Subject
from symrnn.diagnosis.blindspots import blind_spots
from tests.diagnosis.corpus import load
from tests.diagnosis.diagnosing import known

NAME = "lstm_separate"


def spots(steps: int = 5, batch: int = 3, zero: bool = False, untold: str = "") -> dict[str, set[str]]:
    """Reason -> the tags that are hidden for it."""
    loaded = load(NAME)
    inputs: dict[str, Any] = loaded.make_inputs(np.random.default_rng(0), steps, batch)
    layout = known(NAME)[0]
    assert layout is not None
    subject = Subject(loaded.forward, loaded.backward, inputs)
    if zero:
        for part in layout.states:
            subject.arrays[subject.flat_names[part.source.array]][...] = 0.0
    compared = {path for path in subject.arrays if path != untold}
    return {spot.reason: set(spot.mistakes) for spot in blind_spots(subject, layout, derive(layout.cell), compared)}


def test_exposing_inputs_hide_nothing() -> None:
    assert spots() == {}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("reason", "hidden", "how"),
    [
        ("the sequence has one step", {"recurrent-path-cut", "missing-accumulation", "stale-cache"}, {"steps": 1}),
        ("there is one example", {"mean-for-sum"}, {"batch": 1}),
        ("the initial states are zero", {"initial-state"}, {"zero": True}),
    ],
)
def test_each_feature_hides_what_it_should(reason: str, hidden: set[str], how: dict[str, Any]) -> None:
    found = spots(**how)
    (told,) = [tags for given, tags in found.items() if given.startswith(reason)]
    assert hidden <= told


def test_gradients_that_are_not_compared_hide_their_mistakes() -> None:
    first = next(iter(load(NAME).make_inputs(np.random.default_rng(0), 5, 3)))
    found = spots(untold=first)
    assert any(reason.startswith("these gradients are not compared") for reason in found)
