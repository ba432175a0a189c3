"""The search: several mistakes at once, what stays unexplained, and near misses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from symrnn.diagnosis.explanation import FoundMistake
from symrnn.diagnosis.search import MistakeSearch
from symrnn.diagnosis.wording import diagnosis
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.catalogue import likely
from symrnn.mistakes.catalogue.recurrent_path_cut import CarryCut
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.site import MistakeSite
from tests.diagnosis.planting import OUTPUTS, answers, right


def position(program: BackwardPass, name: str) -> int:
    return next(index for index, line in enumerate(program.lines) if line.of.name == name)


def one(name: str, tag: str, line: str, part: str) -> Mistake:
    """The mistake of a class in the equation of a variable's adjoint, by a part of its words."""
    program = right(name)
    where = position(program, line)
    found = [
        mistake
        for mistake in likely(MistakeSite(program, OUTPUTS, ("last",)))
        if mistake.tag == tag and part in mistake.words and {edit.line for edit in mistake.edits} == {where}
    ]
    return found[0]


def searched(name: str, *planted: Mistake) -> tuple[MistakeSearch, list[FoundMistake]]:
    """The search for what is planted, and what it found."""
    wrong = right(name)
    for mistake in planted:
        wrong = mistake.made_in(wrong)
    search = MistakeSearch(right(name), answers(name, wrong), OUTPUTS)
    return search, search.run()


CASES = [
    ("lstm", [("missing-derivative", "a_g", "g_t"), ("transpose", "h_prev", "U_f")]),
    ("lstm", [("derivative-at-output", "c", "tanh"), ("wrong-time-index", "U_o", "h_t in place")]),
    ("lstm", [("sign", "a_i", "opposite"), ("sign", "f", "opposite")]),
    ("gru", [("missing-path", "h_prev", "U_r"), ("missing-path", "h_prev", "U_z")]),
    ("gru", [("transpose", "h_prev", "U_r"), ("double-counted", "h_prev", "U_z")]),
    ("gru", [("missing-derivative", "a_r", "(1 - r_t)"), ("missing-path", "z", "n_t"), ("transpose", "U_n", "is tr")]),
    ("rnn", [("missing-derivative", "a_h", "h_t"), ("wrong-time-index", "U", "h_t in")]),
]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("name", "planted"), CASES)
def test_several_mistakes_are_named(name: str, planted: list[tuple[str, str, str]]) -> None:
    chosen = [one(name, *each) for each in planted]
    search, found = searched(name, *chosen)
    assert {each.mistake.tag for each in found} == {mistake.tag for mistake in chosen}
    assert not search.unexplained
    assert not search.near


def test_a_right_program_has_no_mistake() -> None:
    search, found = searched("lstm")
    assert found == []
    assert not search.unexplained


@pytest.mark.long
def test_each_mistake_has_the_gradients_that_it_makes_wrong() -> None:
    planted = one("lstm", "transpose", "U_g", "is transposed"), one("lstm", "sign", "b_o", "opposite")
    _, found = searched("lstm", *planted)
    assert {each.mistake.tag: each.labels for each in found} == {"transpose": ("U_g",), "sign": ("b_o",)}


def noisy(name: str, label: str, size: float) -> MistakeSearch:
    """A search where one gradient is off by noise."""
    rng = np.random.default_rng(3)
    changed = []
    for answer in answers(name, right(name)):
        pieces = [
            replace(p, value=p.value * (1 + size * rng.normal(size=p.value.shape))) if p.label == label else p
            for p in answer.observed
        ]
        changed.append(replace(answer, observed=tuple(pieces)))
    return MistakeSearch(right(name), changed, OUTPUTS)


@pytest.mark.long
def test_what_no_mistake_explains_is_said() -> None:
    search = noisy("gru", "W_z", 0.5)
    assert search.run() == []
    assert search.unexplained == {"W_z"}
    assert not search.near


def test_a_near_miss_is_not_a_diagnosis() -> None:
    wrong = one("rnn", "transpose", "U", "is transposed").made_in(right("rnn"))
    changed = []
    for answer in answers("rnn", wrong):
        pieces = [replace(p, value=p.value * (1 + 1e-5)) if p.label == "U" else p for p in answer.observed]
        pieces = [replace(p, value=p.value + 1e-6 * np.abs(p.value)) if p.label == "U" else p for p in pieces]
        changed.append(replace(answer, observed=tuple(pieces)))
    search = MistakeSearch(right("rnn"), changed, OUTPUTS)
    assert search.run() == []
    assert search.unexplained == {"U"}
    (near, *_) = search.near
    assert near.mistake.tag == "transpose"
    told = diagnosis(near, right("rnn"), "rnn", exact=False)
    assert not told.exact
    assert "near miss" in told.sentence
    assert 1e-7 < told.agreement < 1e-3


@pytest.mark.long
def test_an_agreement_is_that_of_the_whole() -> None:
    cut = Mistake(
        "recurrent-path-cut", "δh is not handed on", 0, effects=(CarryCut(frozenset({"h"})),), about=("h_prev",)
    )
    _, (found,) = searched("lstm", cut)
    assert found.mistake.tag == "recurrent-path-cut"
    assert found.agreement <= 1e-9
    assert found.simple <= len(found.labels)


@pytest.mark.long
def test_an_edit_that_adds_a_term() -> None:
    program = right("lstm")
    where = position(program, "h_prev")
    extra = Mistake("extra-path", "adds δh", 8, (Edit(where, -1, program.line("h").target),))
    _, (found,) = searched("lstm", extra)
    assert found.mistake.tag == "extra-path"
