"""Constants of a cell: with other numbers, and as they are given on the command line."""

from __future__ import annotations

import pytest

from symrnn import Cell
from symrnn.errors import InputError
from symrnn.language.constants import read_numbers, with_constants

LEAKY = Cell.from_source(
    "def leaky(x, h, *, W, U, alpha=0.1, beta=2):\n    h = (1 - alpha) * h + alpha * tanh(W @ x + beta * (U @ h))\n"
    "    return h\n"
)


def test_the_numbers_that_are_given_change_and_the_others_stay() -> None:
    changed = with_constants(LEAKY, {"alpha": "-0.25"})
    assert {name: float(number) for name, number in changed.constants.items()} == {"alpha": -0.25, "beta": 2.0}
    assert changed.equations != LEAKY.equations or changed.source != LEAKY.source
    assert with_constants(LEAKY, {}) is LEAKY


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"gamma": 1}, "has no constant 'gamma'(.|\n)*alpha, beta"),
        ({"alpha": "many"}, "no number"),
        ({"alpha": float("inf")}, "no number"),
        ({"alpha": True}, "no number"),
    ],
)
def test_what_is_no_number_of_a_constant_is_refused(values, said) -> None:
    with pytest.raises(InputError, match=said):
        with_constants(LEAKY, values)


def test_numbers_are_read_as_they_are_typed() -> None:
    assert read_numbers(["alpha = 0.2", "beta=-1"]) == {"alpha": "0.2", "beta": "-1"}
    with pytest.raises(InputError, match="--set alpha: no number"):
        read_numbers(["alpha"])
