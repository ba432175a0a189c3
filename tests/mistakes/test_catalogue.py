"""Laws of the catalogue, over all of its generators: what they make can be run, is a mistake, and is found again."""

from __future__ import annotations

import ast
import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import symrnn.measuring
from symrnn import cells, derive
from symrnn.diagnosis.explanation import FoundMistake, without
from symrnn.diagnosis.lines import _cases
from symrnn.diagnosis.search import MistakeSearch
from symrnn.diagnosis.trials import GradientsReached, MistakenPass
from symrnn.diagnosis.wording import diagnosis
from symrnn.findings.findings import Suggestion
from symrnn.findings.sentences import describe_suggestion
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.catalogue import CATALOGUE, bounds, likely, multiples, wide
from symrnn.mistakes.catalogue.forward_backward_mismatch import as_if_of, neighbours
from symrnn.mistakes.catalogue.recurrent_path_cut import CarryCut
from symrnn.mistakes.effects import merged
from symrnn.mistakes.mistake import Edit, Mistake, made
from symrnn.mistakes.shared import GradientScaled
from symrnn.mistakes.site import MistakeSite
from tests.diagnosis.planting import OUTPUTS, answers, asked, differs, right

CELLS = ("rnn", "gru", "lstm", "lstm_peephole")


def site(name: str, timed: bool = True) -> MistakeSite:
    return MistakeSite(right(name), OUTPUTS, ("last",) if timed else (), timed)


@cache
def every(name: str) -> list[Mistake]:
    on = site(name)
    return [*likely(on), *wide(on)]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("tag", CATALOGUE)
def test_a_class_makes_its_own_mistakes_or_says_what_finds_it(tag: str) -> None:
    one = CATALOGUE[tag]
    makers = [make for make in (one.likely, one.wide) if make is not None]
    made = {mistake.tag for name in CELLS for make in makers for mistake in make(site(name))}
    assert made == ({tag} if makers else set())
    assert bool(one.found_by) != bool(makers or one.bounds or one.multiples)


def test_precedences_differ() -> None:
    assert len({one.precedence for one in CATALOGUE.values()}) == len(CATALOGUE)


def test_bounds_are_read_off() -> None:
    (answer,) = answers("gru", right("gru"))[-1:]
    measured = answer.measured(right("gru"))
    assert {mistake.tag for mistake in bounds(site("gru"), measured)} == {"clipped", "clipped-in-recursion"}
    assert not multiples(site("gru"), measured)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", CELLS)
def test_every_mistake_says_what_it_is(name: str) -> None:
    for mistake in every(name):
        assert mistake.tag in CATALOGUE
        assert mistake.words
        assert mistake.edits or mistake.effects
        assert "  " not in mistake.words


@pytest.mark.parametrize("name", CELLS)
def test_mistakes_reach_no_other_gradients_than_they_say(name: str) -> None:
    program = right(name)
    chosen = random.Random(name).sample(every(name), 60)
    for number in (0, 5):
        found = answers(name, program)
        steps = found[number].question.steps
        reach = GradientsReached(program, steps)
        for mistake in chosen:
            touched = reach.of(mistake)
            errors = MistakenPass(mistake.made_in(program), found).errors(number)
            names = [piece.name for piece in found[number].observed]
            moved = {key for key, error in zip(names, errors, strict=True) if error > 1e-9}
            assert touched is None or moved <= touched, mistake


@pytest.mark.parametrize("name", CELLS)
def test_a_run_that_is_continued_is_the_whole_run(name: str) -> None:
    program = right(name)
    found = answers(name, program)
    base, reach = MistakenPass(program, found), GradientsReached(program, 3)
    tails = [(mistake, reach.tail(mistake)) for mistake in every(name)]
    chosen = random.Random(name).sample([one for one in tails if one[1]], 30)
    for mistake, tail in chosen:
        changed = mistake.made_in(program)
        fast, whole = MistakenPass(changed, found, (mistake,), base, tail), MistakenPass(changed, found)
        for number in (0, 7):
            for a, b in zip(fast.expected(number), whole.expected(number), strict=True):
                assert np.array_equal(a, b, equal_nan=True), mistake


@pytest.mark.parametrize("name", CELLS)
def test_a_step_that_is_edited_is_the_whole_step(name: str) -> None:
    program = right(name)
    found = answers(name, program)
    base = MistakenPass(program, found)
    for mistake in random.Random(name).sample(every(name), 60):
        changed = mistake.made_in(program)
        fast, whole = MistakenPass(changed, found, (mistake,), base), MistakenPass(changed, found)
        for number in (1, 2):
            for a, b in zip(fast.expected(number), whole.expected(number), strict=True):
                assert np.allclose(a, b, rtol=1e-12, atol=1e-14, equal_nan=True), mistake


def test_a_term_that_step_0_lacks_may_be_changed() -> None:
    program = right("rnn")
    place = next(n for n, line in enumerate(program.lines) if line.role == "carry")
    line = program.lines[place]
    added = Mistake("extra-path", "has a term too many", 7, (Edit(place, -1, line.terms[0]),), scope="later")
    number = len(line.terms)
    gone = Mistake("missing-path", "lacks it again", 2, (Edit(place, number, None),))
    changed = gone.made_in(added.made_in(program))
    assert len(changed.lines[place].terms) == number + 1
    assert changed.start[place] == line
    with pytest.raises(IndexError):
        gone.made_in(program)


def test_a_mistake_that_another_one_needs_is_not_left_out_alone() -> None:
    program = right("rnn")
    place = next(n for n, line in enumerate(program.lines) if line.role == "carry")
    line = program.lines[place]
    added = FoundMistake(Mistake("extra-path", "has a term too many", 7, (Edit(place, -1, line.terms[0]),)), program)
    gone = FoundMistake(Mistake("missing-path", "lacks it again", 2, (Edit(place, len(line.terms), None),)), program)
    assert without(program, [added, gone], added) == program
    assert without(program, [added, gone], gone) == added.mistake.made_in(program)
    given = answers("rnn", made(program, [added.mistake, gone.mistake]))
    assert next(iter(_cases(program, given, [added, gone]))) is None  # both together change nothing


def test_a_mistake_at_some_steps_only() -> None:
    program = right("lstm")
    scoped = [mistake for mistake in every("lstm") if mistake.scope]
    assert {mistake.scope for mistake in scoped} == {"first", "later"}
    for mistake in random.Random(0).sample(scoped, 10):
        changed = mistake.made_in(program)
        kept, made = (changed.lines, changed.start) if mistake.scope == "first" else (changed.start, changed.lines)
        assert kept == program.lines
        assert made != program.lines
        assert {place for place, line in enumerate(made) if line != program.lines[place]} <= {
            edit.line for edit in mistake.edits
        }


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["rnn", "gru"])
def test_what_is_planted_is_found_again(name: str) -> None:
    program = right(name)
    planned = likely(site(name))
    missed = []
    planted = 0
    for mistake in random.Random(name).sample(planned, 8):
        wrong = mistake.made_in(program)
        if not differs(name, wrong, program):
            continue
        planted += 1
        search = MistakeSearch(program, answers(name, wrong), OUTPUTS)
        found = search.run()
        assert found, mistake
        assert not search.unexplained, mistake
        tags = {one.mistake.tag for one in found}
        if tags != {mistake.tag}:
            missed.append((mistake.tag, tags))
            whole = program
            for one in found:
                whole = one.mistake.made_in(whole)
            assert not differs(name, wrong, whole), mistake  # another name for the same function
            assert len(found) == 1 or len(mistake.edits) > 1
        for one in found:
            assert diagnosis(one, program, name).sentence.endswith((".", "`."))
    assert planted > 4
    assert len(missed) <= planted / 4, missed


def test_mistakes_of_the_loop_are_made_together() -> None:
    cut, scaled = CarryCut(frozenset({"h"})), GradientScaled((("b", 2.0), ("W", 3.0)))
    assert merged((cut,), (scaled,)) == merged((scaled,), (cut,)) == (cut, scaled)
    both = merged((cut, scaled), (CarryCut(frozenset({"c"})), GradientScaled((("W", 4.0),))))
    assert both == (CarryCut(frozenset({"c", "h"})), GradientScaled((("b", 2.0), ("W", 4.0))))
    assert merged((), ()) == ()


def test_a_function_of_one_step_has_no_loop() -> None:
    found = likely(site("lstm", timed=False))
    assert found
    assert not any(mistake.between_steps for mistake in found)
    assert not {"recurrent-path-cut", "missing-accumulation", "truncated"} & {mistake.tag for mistake in found}


def test_two_mistakes_of_one_class_in_an_equation_are_one() -> None:
    a = Mistake("missing-path", "lacks A", 2, (Edit(3, 0, None),))
    b = Mistake("missing-path", "lacks B", 2, (Edit(3, 1, None),))
    both = a.joined(b)
    assert both is not None
    assert both.words == "lacks A and lacks B"
    assert both.edits == (*a.edits, *b.edits)
    assert a.joined(Mistake("sign", "has A negated", 2, (Edit(3, 1, None),))) is None
    assert a.joined(Mistake("missing-path", "is cut", 2, effects=(CarryCut(frozenset({"h"})),))) is None


def test_the_questions_are_answered_by_the_right_program() -> None:
    given = answers("gru", right("gru"))
    trial = MistakenPass(right("gru"), given)
    assert all(np.all(trial.errors(place) == 0) for place in range(len(given)))
    assert len(asked("gru")) > 5


def test_the_gradient_of_what_forward_does_not_use() -> None:
    cell = cells["rnn"]
    found = [
        mistake.tag
        for changed, other in neighbours(cell)
        for mistake in as_if_of(BackwardPass.right(other), derive(cell), changed)
    ]
    assert "phantom-gradient" in found
    assert "forward-backward-mismatch" in found


def tags_suggested() -> set[str]:
    """The tags in the suggestions of `measuring`, a room that the catalogue is above of."""
    folder = Path(symrnn.measuring.__file__).parent
    calls = [node for file in folder.glob("*.py") for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    found: set[str] = set()
    for node in calls:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Suggestion":
            tags = [
                node.args[0],
                *node.args[2:],
                *(key.value for key in node.keywords if key.arg not in ("sentence", "proved")),
            ]
            words = [part.value for tag in tags for part in ast.walk(tag) if isinstance(part, ast.Constant)]
            # "" is a suggestion that says what is seen and of no class
            found |= {word for word in words if isinstance(word, str) and word and "/" not in word}
    return found


def test_what_is_suggested_without_a_cell_is_of_the_catalogue() -> None:
    suggested = tags_suggested()
    assert len(suggested) > 10
    assert suggested <= set(CATALOGUE)


def test_a_report_says_what_a_class_is() -> None:
    for tag, one in CATALOGUE.items():
        assert describe_suggestion(Suggestion(tag, "seen")) == f"seen ({tag}: {one.meaning})"
