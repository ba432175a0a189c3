"""What a function returns, as named arrays: every leaf, steps in a list joined, and no cache."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from symrnn.callables.outputs import drop_cache, flatten, read_arrays

Array = np.ndarray
STEPS = [np.arange(6.0).reshape(2, 3) + 10 * t for t in range(4)]


@dataclasses.dataclass
class Returned:
    h: Array
    steps: int


def test_steps_in_a_list_are_joined_beside_being_kept() -> None:
    found = flatten(STEPS)
    assert list(found) == [*(f"output[{t}]" for t in range(4)), "output[:]"]
    np.testing.assert_array_equal(found["output[:]"], np.stack(STEPS))


def test_steps_under_their_numbers_are_joined_in_the_order_of_these() -> None:
    found = flatten({2: STEPS[2], -1: STEPS[0], 0: STEPS[1]})
    np.testing.assert_array_equal(found["output[:]"], np.stack(STEPS[:3]))
    assert "output[:]" not in flatten({"a": STEPS[0], "b": STEPS[1]})


def test_the_first_of_every_pair_is_a_sequence_of_its_own() -> None:
    found = flatten([(step, step[0]) for step in STEPS])
    np.testing.assert_array_equal(found["output[:][1]"], np.stack(STEPS)[:, 0])
    assert not [path for path in flatten([STEPS[0], STEPS[1][0]]) if "[:]" in path]  # of different shapes


@pytest.mark.parametrize("value", [None, "h", b"h", True, 3, np.arange(3), object()])
def test_what_is_no_array_of_floats_is_left_out(value: Any) -> None:
    assert list(flatten((value, STEPS[0]))) == ["output[1]"]
    assert list(read_arrays((value, STEPS[0]))) == ["output[1]"]


def test_both_ways_to_read_have_the_same_paths() -> None:
    value = {"h": STEPS[0], "rest": (Returned(STEPS[1], 3), 0.5)}
    assert list(read_arrays(value)) == ["output['h']", "output['rest'][0].h", "output['rest'][1]"]
    assert [path for path in flatten(value) if "[:]" not in path] == list(read_arrays(value))


def test_a_complex_step_passes_through() -> None:
    assert read_arrays(STEPS[0] + 1e-20j)["output"].dtype == np.complex128


def test_a_cache_holds_arguments_and_stands_last() -> None:
    h, W = np.ones((2, 3)), np.ones((3, 3))
    states = np.ones((4, 2, 3))
    assert drop_cache((states, [h, h]), [h, W]) == (states, [h, h])  # states alone, though one is the initial one
    assert drop_cache((states, (h, W)), [h, W]) == (states,)
    assert drop_cache([states, (h, W)], [h, W]) == [states, (h, W)]
    assert drop_cache(((h, W),), [h, W]) == ((h, W),)
