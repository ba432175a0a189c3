"""Every class of mistakes on its examples: the wrong ones are made by it and found in their line, the others right."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.diagnosis.questions import Answer
from symrnn.findings.report import GradientReport
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.case import MistakeCase
from symrnn.mistakes.catalogue import CATALOGUE
from symrnn.mistakes.examples import PROGRAMS
from symrnn.mistakes.families import mistakes_of
from symrnn.mistakes.line_finder import LineFinder
from symrnn.mistakes.measured import Measured
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite
from symrnn.source_lines.assigned import assigned_in
from symrnn.source_lines.source import watch
from tests.diagnosis.planting import OUTPUTS, asked, right
from tests.source_lines.writing import load

WRONG = [(tag, place) for tag, one in CATALOGUE.items() for place in range(len(one.wrong)) if not one.found_by]
RIGHT = [(tag, place) for tag, one in CATALOGUE.items() for place in range(len(one.right)) if not one.found_by]
"""Tag, and which of its examples."""
FEW, MANY = 6, 8
"""The questions of 4 steps for one example, and of 5 steps for 3."""
Array = np.ndarray


def text_of(example: Example) -> str:
    text = PROGRAMS[example.program]
    assert text.count(example.old) == 1, example
    return "import numpy as np\n\n" + text.replace(example.old, example.new)


def arguments(answer: Answer, name: str) -> tuple[Any, ...]:
    """What the hand-written pass is given at a question: copies, since it may change them."""
    cell, tape = right(name).derivation.cell, answer.tape
    kept = {key: np.squeeze(course, axis=-1).copy() for key, course in tape.courses.items() if course.shape[-1] == 1}
    params = {key: value.reshape(cell_shape(cell, key, value)) for key, value in tape.params.items()}
    dhs = np.reshape(answer.cotangents["h"][cell.states[0]], kept[cell.states[0]].shape)[1:]
    last = {s: np.reshape(answer.cotangents["last"][s], kept[s].shape)[-1] for s in cell.states}
    return dhs, last, kept, params


def cell_shape(cell: Any, key: str, value: Array) -> tuple[int, ...]:
    return value.shape if cell[key].shape[1] != 1 else value.shape[:1]


def gradients(function: Any, answer: Answer, name: str) -> dict[str, Array]:
    return dict(function(*arguments(answer, name)))


def expected(program: BackwardPass, answer: Answer) -> dict[str, Array]:
    with np.errstate(all="ignore"):
        return program.gradients(answer.tape, answer.cotangents, answer.finals)


def agree(a: dict[str, Array], b: dict[str, Array]) -> bool:
    assert set(a) == set(b)
    return all(np.allclose(a[key], b[key].reshape(a[key].shape), rtol=1e-9, atol=1e-11) for key in a)


@cache
def made_by(tag: str, name: str) -> tuple[Mistake, ...]:
    on = MistakeSite(right(name), OUTPUTS, ("last",))
    one = CATALOGUE[tag]
    return tuple(mistake for make in (one.likely, one.wide) if make for mistake in mistakes_of(on, [make]))


def measured_by(one: MistakeClass, name: str, found: dict[str, Array], answer: Answer) -> list[Mistake]:
    on = MistakeSite(right(name), OUTPUTS, ("last",))
    own = expected(right(name), answer)
    pieces = [Measured(key, found[key], own[key].reshape(found[key].shape)) for key in found]
    return [mistake for make in (one.multiples, one.bounds) if make for mistake in make(on, pieces)]


def explaining(tag: str, name: str, function: Any) -> list[Mistake]:
    """The mistakes of a class that make the gradients what a function gives, at two questions."""
    few, many = asked(name)[FEW], asked(name)[MANY]
    found = gradients(function, few, name), gradients(function, many, name)
    every = itertools.chain(made_by(tag, name), measured_by(CATALOGUE[tag], name, found[1], many))
    return [
        mistake
        for mistake in every
        if agree(found[0], expected(program := mistake.made_in(right(name)), few))
        and agree(found[1], expected(program, many))
    ]


def test_every_class_has_examples() -> None:
    assert all(len(one.wrong) >= 2 and len(one.right) >= 2 for one in CATALOGUE.values())


def checked(folder: Path, example: Example) -> GradientReport:
    """The report on a simple recurrent network and a changed backward pass; forward does not read `unread`."""
    function = load(folder, text_of(example)).backward

    def forward(x: Array, h0: Array, W: Array, U: Array, b: Array, unread: Array) -> Array:
        h = [h0]
        for value in x:
            h.append(np.tanh(value @ W.T + h[-1] @ U.T + b))
        return np.stack(h[1:])

    def backward(dhs: Array, x: Array, h0: Array, W: Array, U: Array, b: Array, unread: Array) -> dict[str, Array]:
        h = np.concatenate([h0[None], forward(x, h0, W, U, b, unread)])
        found = function(dhs, {"h": np.zeros_like(h0)}, {"x": x, "h": h}, {"W": W, "U": U, "b": b})
        found["h0"] = found.pop("h_prev")
        return {"unread": np.zeros_like(unread), **found}

    shapes = {"x": (5, 3, 2), "h0": (3, 4), "W": (4, 2), "U": (4, 4), "b": (4,), "unread": (4,)}
    rng = np.random.default_rng(0)
    return check_gradients(forward, backward, {name: rng.normal(size=shape) for name, shape in shapes.items()})


CHECKED = [
    (one.tag, is_wrong, n) for one in CATALOGUE.values() if one.found_by for is_wrong in (True, False) for n in (0, 1)
]


@pytest.mark.sampled(12)
@pytest.mark.parametrize(("tag", "is_wrong", "place"), CHECKED)
def test_what_no_class_makes_is_found_by_a_check(tmp_path: Path, tag: str, is_wrong: bool, place: int) -> None:
    examples = CATALOGUE[tag].wrong if is_wrong else CATALOGUE[tag].right
    report = checked(tmp_path, examples[place])
    suggested = {suggestion.mistake for finding in report.gradients for suggestion in finding.suggestions}
    assert report.passed is not is_wrong
    assert (tag in {*report.mistakes, *suggested}) is is_wrong


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_programs_are_right(tmp_path: Path, name: str) -> None:
    function = load(tmp_path, "import numpy as np\n\n" + PROGRAMS[name]).backward
    for answer in asked(name):
        assert agree(gradients(function, answer, name), expected(right(name), answer))


@pytest.mark.parametrize(("tag", "place"), RIGHT, ids=lambda one: str(one))
def test_what_only_looks_like_the_mistake_is_right(tmp_path: Path, tag: str, place: int) -> None:
    example = CATALOGUE[tag].right[place]
    function = load(tmp_path, text_of(example)).backward
    assert example.old != example.new
    for answer in (asked(example.program)[FEW], asked(example.program)[MANY]):
        assert agree(gradients(function, answer, example.program), expected(right(example.program), answer))


@pytest.mark.sampled(12)
@pytest.mark.parametrize(("tag", "place"), WRONG, ids=lambda one: str(one))
def test_the_mistake_is_made_and_its_line_is_found(tmp_path: Path, tag: str, place: int) -> None:
    example = CATALOGUE[tag].wrong[place]
    name, text = example.program, text_of(example)
    function = load(tmp_path, text).backward
    answer = asked(name)[MANY]
    assert not agree(gradients(function, answer, name), expected(right(name), answer))
    mistake = min(explaining(tag, name, function), key=lambda one: one.rank)
    case = MistakeCase(
        answer.tape, answer.cotangents, answer.finals, mistake, right(name), mistake.made_in(right(name)), right(name),
        {key: key for key in answer.tape.params},
    )  # fmt: skip
    seen = watch(lambda: function(*arguments(answer, name)), [function])
    found = LineFinder(case, assigned_in(seen)).find(CATALOGUE[tag].find_line)
    shown = None if found is None else found.assignment.statement.line
    assert shown == line_of(example, text)


def line_of(example: Example, text: str) -> int | None:
    """The number of the line that has to be found."""
    if example.line is None:
        return None
    lines = text.splitlines()
    if example.line:
        (line,) = (number for number, line in enumerate(lines, 1) if example.line in line)
        return line
    before = ("import numpy as np\n\n" + PROGRAMS[example.program]).splitlines()
    return next(number for number, (a, b) in enumerate(zip(before, lines, strict=False), 1) if a != b)
