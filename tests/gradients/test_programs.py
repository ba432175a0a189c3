"""Whole programs as people write them: right as they stand, and what a check says of them, right and with a mistake.

`python -m benchmarks.programs` measures which mistakes are named; here are the verdicts alone.
"""

from __future__ import annotations

import itertools

import pytest

from symrnn.mistakes.catalogue import CATALOGUE
from tests.gradients.programs.judging import judge
from tests.gradients.programs.loading import NAMES, compatible, data, held, load, peer, source, together, tolerance
from tests.gradients.programs.planted import Slip

NOT_YET_PASSED: dict[str, str] = {}
"""Program -> why a check does not yet pass it although it is right."""

NOT_YET_CAUGHT: dict[str, str] = {}
"""Program -> why a check does not yet see a mistake in it."""

MARKS = {name: [pytest.mark.peer] if peer(name) else [] for name in NAMES}


def programs(not_yet: dict[str, str] | None = None) -> list[object]:
    """Every program; those that fail for a known reason have to fail."""
    rows = []
    for name in NAMES:
        reason = (not_yet or {}).get(name)
        known = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
        rows.append(pytest.param(name, marks=[*MARKS[name], *known]))
    return rows


@pytest.fixture(autouse=True)
def _framework(request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    if name is not None and peer(name):
        pytest.importorskip(peer(name))


# --- the corpus itself -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", programs())
def test_a_program_is_right_as_it_stands(name: str) -> None:
    errors = load(name).errors()
    assert errors
    assert {gradient: error for gradient, error in errors.items() if not error < tolerance(name)} == {}


@pytest.mark.parametrize("name", programs())
def test_every_mistake_shows(name: str) -> None:
    mistakes = data(name).MISTAKES
    assert len(mistakes) >= 8
    assert {tag for slip in mistakes for tag in slip.tags} <= set(CATALOGUE)
    assert len({slip.edits for slip in mistakes}) == len(mistakes)
    hidden = [slip for slip in mistakes if not load(name, slip).wrong()]
    assert hidden == []


@pytest.mark.parametrize("name", NAMES)
def test_every_mistake_has_a_line(name: str) -> None:
    text = source(name)[0].split("\n")
    for slip in data(name).MISTAKES:
        planted, lines = source(name, slip)
        assert lines[0], slip
        assert max(lines[0]) <= len(planted.split("\n")) <= len(text) + 8


def test_half_of_the_programs_are_set_aside() -> None:
    assert abs(2 * sum(map(held, NAMES)) - len(NAMES)) <= 1


def test_several_mistakes_are_always_the_same_and_at_different_places() -> None:
    for size in (2, 3, 5):
        found = together("course_rnn", size, 3)
        assert len(found) == 3
        assert all(len(slips) == size and compatible("course_rnn", *slips) for slips in found)
        assert found == together("course_rnn", size, 3)
        assert all(a != b for a, b in itertools.combinations(found, 2))


def test_the_lines_of_several_mistakes_are_those_of_each() -> None:
    first, second = (
        Slip("h1_next = da1", "h1_next = 2 * da1", "wrong-scale"),
        Slip("    T = len(X)\n    h1", "    h1", "sign", line="h2 = {-1"),
    )
    text, lines = source("two_layers", first, second)
    rows = text.split("\n")
    assert [rows[line - 1].strip() for line in lines[0]] == ["dh1_next = 2 * da1 @ Wh1.T"]
    assert [rows[line - 1].strip() for line in lines[1]] == ["h2 = {-1: h2_0}"]


def test_what_is_not_yet_so_is_about_programs_of_the_corpus() -> None:
    assert {*NOT_YET_PASSED, *NOT_YET_CAUGHT} <= set(NAMES)


def test_a_text_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="occurs 0 times, expected once"):
        load("two_layers", Slip("no such text", "", "sign"))


# --- what a check says -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", programs(NOT_YET_PASSED))
def test_a_right_program_passes(name: str) -> None:
    judged = judge(name, verdict_only=True)
    assert (judged.refused, judged.verdict) == ("", True)


@pytest.mark.parametrize("name", programs(NOT_YET_CAUGHT))
def test_a_mistake_is_seen(name: str) -> None:
    slips = together(name, 1, 1)[0]
    judged = judge(name, *slips, verdict_only=True)
    assert judged.wrong
    assert (judged.refused, judged.verdict) == ("", True)
