"""Arrays that forward does not read, taken for the parameters that it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from symrnn import cells
from symrnn.diagnosis.unread import with_unread
from symrnn.identification import Layout, identify
from tests.diagnosis.corpus import load
from tests.diagnosis.diagnosing import diagnosed, named


def lstm(x: Any, W: Any, U: Any, b: Any, h: Any, c: Any, biased: tuple[int, ...] = ()) -> Any:
    """An LSTM on rows; only the gates in `biased` have a bias."""
    n = h.shape[1]
    hs = []
    for row in x:
        a = (row @ W + h @ U).reshape(len(h), 4, n)
        for gate in biased:
            a[:, gate] = a[:, gate] + b[gate * n : (gate + 1) * n]
        i, f, o = (1 / (1 + np.exp(-a[:, gate])) for gate in (0, 1, 3))
        c = f * c + i * np.tanh(a[:, 2])
        h = o * np.tanh(c)
        hs.append(h)
    return np.stack(hs)


def drawn() -> Mapping[str, Any]:
    rng = np.random.default_rng(0)
    shapes = {"x": (5, 2, 3), "W": (3, 16), "U": (4, 16), "b": (16,), "h": (2, 4), "c": (2, 4)}
    return {name: 0.7 * rng.normal(size=shape) for name, shape in shapes.items()}


def layout_of(arrays: Mapping[str, Any]) -> Layout:
    found = identify(lambda **own: lstm(**own), arrays, among=[cells["lstm"]]).layout
    assert found is not None
    return found


def test_a_stacked_bias_is_cut_in_the_order_of_the_gates() -> None:
    arrays = drawn()
    layout = layout_of(arrays)
    assert set(layout.missing) == {"b_f", "b_i", "b_g", "b_o"}
    whole = with_unread(layout, arrays)
    assert whole.missing == ()
    params = whole.params(arrays)
    for place, name in enumerate(("b_i", "b_f", "b_g", "b_o")):
        assert np.array_equal(params[name], arrays["b"][4 * place : 4 * place + 4])


def test_what_fits_in_several_ways_or_in_none_is_left_alone() -> None:
    arrays = drawn()
    layout = layout_of(arrays)
    for shape in ((4,), (15,), (4, 4), ()):
        assert with_unread(layout, {**arrays, "b": np.zeros(shape)}) == layout
    assert with_unread(with_unread(layout, arrays), arrays) == with_unread(layout, arrays)


@pytest.mark.parametrize(
    ("name", "site"), [("rnn_batch_first", "b_hh is not read"), ("lstm_step", "forward without b")]
)
def test_a_gradient_of_what_is_not_read_is_named(name: str, site: str) -> None:
    (planted,) = [one for one in load(name).mistakes if one.site == site]
    outcome = diagnosed(name, planted)
    assert named(outcome, [planted])
    (found,) = outcome.diagnoses
    assert found.mistake == "phantom-gradient"
    assert found.equation is None
    assert "which the forward pass does not use" in found.sentence
