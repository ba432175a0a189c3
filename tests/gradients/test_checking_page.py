"""The page on how a mistake is found: its numbers are those of the code."""

from __future__ import annotations

from inspect import signature
from pathlib import Path

import pytest

from symrnn import check_gradients
from symrnn.gradients import check
from symrnn.repairs import code, search

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "checking.md").read_text(encoding="utf-8").split())
WORDS = {5: "five", 6: "six", 10: "ten"}


@pytest.mark.parametrize(
    "sentence",
    [
        f"up to {WORDS[search._MOST]} mistakes are mended",
        f"more than {WORDS[search._MOST]} mistakes",
        f"more than {code._LONGEST} lines",
        f"seconds of processor time, {signature(check_gradients).parameters['budget'].default:g} unless",
        f"the equations get {WORDS[int(check._FOR_EQUATIONS)]} seconds",
        f"the name of the cell, {WORDS[int(check._FOR_NAME)]}.",
    ],
)
def test_its_numbers_are_those_of_the_code(sentence: str) -> None:
    assert sentence.lower() in PAGE.lower()


def test_its_share_of_the_time_is_that_of_the_code() -> None:
    assert "three fifths" in PAGE.lower()
    assert check._FOR_MENDING == 3 / 5
