"""Diagnoses of hand-written functions: a sample of the corpus, right functions, precision, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symrnn import derive
from symrnn.callables.subject import Subject
from symrnn.diagnosis.diagnose import Outcome, diagnose
from symrnn.diagnosis.questions import LARGE, Question, Questionnaire
from symrnn.diagnosis.trials import MistakenPass
from symrnn.identification import Layout
from symrnn.mistakes.catalogue import CATALOGUE
from tests.diagnosis.corpus import NAMES, load
from tests.diagnosis.diagnosing import cell_of, diagnosed, inputs_of, known, named, sample

SINGLES, PAIRS, TRIPLES = 1.0, 0.9, 0.75
"""How many of each are named."""

SAMPLED = {
    1: ("gru_cho", "gru_functional", "lstm_separate", "own_softgate"),
    2: ("gru_functional", "own_softgate", "rnn_batch_first", "rnn_lists"),
    3: ("rnn_batch_first", "rnn_concat", "rnn_lists", "rnn_relu"),
}
"""By how many at once: the benchmark of diagnoses has all of them, and takes its time."""


def subject_of(name: str, change: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda f: f) -> Subject:
    loaded = load(name)
    return Subject(change(loaded.forward), change(loaded.backward), inputs_of(loaded))


def layout_of(name: str) -> Layout:
    layout = known(name)[0]
    assert layout is not None
    return layout


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", NAMES)
def test_right_functions_have_no_mistake(name: str) -> None:
    outcome = diagnosed(name)
    assert outcome.diagnoses == ()
    assert outcome.near == ()
    assert outcome.unexplained == ()
    assert outcome.asked >= 7


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("size", "count", "share"),
    # Several at once take as long as all else here; of ordinary tests, `test_search` has some.
    [(1, 1, SINGLES), (1, 3, SINGLES), (2, 2, PAIRS), (3, 1, TRIPLES)],
)
def test_mistakes_are_named(size: int, count: int, share: float) -> None:
    good, missed = 0, []
    for name in SAMPLED[size]:
        for planted in sample(name, size, count):
            outcome = diagnosed(name, *planted)
            assert outcome.diagnoses or outcome.unexplained  # detected, at least
            if named(outcome, planted):
                good += 1
            else:
                missed.append((name, [one.site for one in planted]))
    assert good >= share * (good + len(missed)), missed


def mistaken(name: str, site: str) -> Outcome:
    (planted,) = [one for one in load(name).mistakes if one.site == site]
    outcome = diagnosed(name, planted)
    assert named(outcome, [planted])
    return outcome


@pytest.mark.sampled(12)
@pytest.mark.parametrize(
    ("name", "site", "tag"),
    [
        ("own_twospeed", "h carry: the slope after the product", "diagonal-wrong-side"),
        ("gru_chung", "order z r n", "gate-swapped"),
        ("gru_chung", "4 steps", "truncated"),
        ("gru_chung", "δh", "clipped-in-recursion"),
        ("lstm_step", "c carry from δc_T only", "missing-path"),
        ("lstm_step", "by the norm", "clipped"),
        ("lstm_class", "δh written over h", "corrupted-cache"),
        ("lstm_class", "sigmoid on the candidate", "forward-backward-mismatch"),
        ("gru_torch", "cotangents a step early", "wrong-time-index"),
        ("rnn_batch_first", "out is squared in place", "corrupted-cache"),
        ("rnn_batch_first", "the slope before the product", "diagonal-wrong-side"),
        ("rnn_concat", "dW: the deltas of the next step", "wrong-time-index"),
        ("rnn_concat", "the recurrent rows are the first ones", "wrong-operand"),
        ("rnn_relu", "δa: a leaky slope", "wrong-derivative"),
    ],
)
def test_particular_mistakes(name: str, site: str, tag: str) -> None:
    outcome = mistaken(name, site)
    (found,) = outcome.diagnoses
    assert found.mistake == tag
    assert found.agreement <= 1e-9
    assert found.exact


def test_a_sentence_says_what_and_where() -> None:
    (found,) = mistaken("gru_chung", "h carry: gates").diagnoses
    assert found.sentence == (
        "The gradients of h0 and, through time, 10 others are what you get when δ←h_{t-1} = U_rᵀ δa_{r,t} + "
        "U_zᵀ δa_{z,t} + (U_nᵀ δa_{n,t}) ⊙ r_t + δh_t ⊙ (1 - z_t) lacks the term U_rᵀ δa_{r,t} and lacks the term "
        f"U_zᵀ δa_{{z,t}}. Agreement: {found.agreement:.0e}. Equation (13) of `symrnn derive gru`."
    )
    assert found.equation == 13
    assert found.gradients[0] == "h0"
    assert len(found.gradients) == 11
    assert found.mistake in CATALOGUE
    assert found.latex


def test_functions_in_single_precision() -> None:
    def single(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            return rounded(function(*rounded(args), **rounded(kwargs)))

        return called

    layout = layout_of("gru_cho")
    outcome = diagnose(subject_of("gru_cho", single), layout, derive(layout.cell))
    assert outcome.asked >= 7
    assert outcome.diagnoses == ()
    assert outcome.unexplained == ()


def rounded(value: Any) -> Any:
    """Every array in single precision."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float32)
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return type(value)(map(rounded, value)) if isinstance(value, tuple | list) else value


def interview(name: str) -> Questionnaire:
    return Questionnaire(subject_of(name), layout_of(name), derive(cell_of(load(name))))


def test_questions_isolate_what_they_can() -> None:
    asked = interview("lstm_class").questions()
    assert asked[0] == Question(1, 1, asked[0].outputs)
    assert {question.steps for question in asked} >= {1, 2, 4, 5}
    assert asked[-1].scale == LARGE
    assert len(set(asked)) == len(asked)
    assert {question.steps for question in interview("lstm_step").questions()} == {1}


def test_an_answer_is_what_the_derived_pass_gives() -> None:
    talk = interview("gru_torch")
    for question in talk.questions():
        answer = talk.ask(question)
        assert answer is not None
        outcome_program = diagnosed("gru_torch").right
        assert np.all(MistakenPass(outcome_program, [answer]).errors(0) <= talk.tolerance)
        assert {piece.array for piece in answer.observed} == set(talk.subject.arrays)


def test_a_question_to_one_output_leaves_the_others_alone() -> None:
    talk = interview("lstm_class")
    for path in talk.outputs:
        answer = talk.ask(Question(2, 1, (path,)))
        assert answer is not None
        assert {key for key, value in answer.given.items() if np.any(value)} == {path}


def test_zero_states_are_asked_for() -> None:
    talk = interview("gru_cho")
    answer = talk.ask(Question(2, 1, zero=True))
    assert answer is not None
    assert not np.any(answer.tape.courses["h"][0])


def test_forward_is_compared_with_the_cell() -> None:
    talk = interview("gru_cho")
    assert talk.forward_agrees(talk.derivation) is True


def test_choices_are_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    (planted,) = [one for one in load("rnn_relu").mistakes if one.site == "the mask after the product"]
    assert named(diagnosed("rnn_relu", planted), [planted])
    monkeypatch.setattr("symrnn.diagnosis.search._INCOMPLETE", 0)
    monkeypatch.setattr("symrnn.diagnosis.search._SEVERAL", 0)
    assert not named(diagnosed("rnn_relu", planted), [planted])
