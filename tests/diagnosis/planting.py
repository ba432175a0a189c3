"""Mistakes of the catalogue planted in the program itself, for any cell of the library: answers without functions."""

from __future__ import annotations

from functools import cache

import numpy as np

from symrnn import cells, derive
from symrnn.algebra.evaluate import ShapesAtSizes
from symrnn.diagnosis.questions import USUAL, Answer, Observed, Question
from symrnn.diagnosis.trials import MistakenPass
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.tape import Tape

OUTPUTS = ("h", "last")
QUESTIONS = (
    Question(1, 1, ("h",)),
    Question(1, 1, ("last",)),
    Question(1, 2),
    Question(2, 1, zero=True),
    Question(2, 1, ("h",)),
    Question(2, 1, ("last",)),
    Question(4, 1),
    Question(3, 2),
    Question(5, 3, scale=USUAL),
)
Array = np.ndarray


@cache
def right(name: str) -> BackwardPass:
    """The backward pass of a cell of the library."""
    return BackwardPass.right(derive(cells[name]))


@cache
def asked(name: str) -> tuple[Answer, ...]:
    """The questions, without what was observed; "h" is the first state at all steps, "last" all states at the last."""
    derivation = right(name).derivation
    cell = derivation.cell
    sizes = dict(zip(cell.sizes, (6, 4, 5, 3), strict=False))
    shape_of, answers = ShapesAtSizes(sizes).in_text, []
    for number, question in enumerate(QUESTIONS):
        rng = np.random.default_rng(number)

        def drawn(key: str, *lead: int, rng: np.random.Generator = rng) -> Array:
            shape = shape_of(cell[key])
            return rng.normal(size=(*lead, *shape)) / (1 if lead else np.sqrt(max((1, *shape[1:]))))

        steps, batch = question.steps, question.batch
        params = {key: drawn(key) for key in cell.parameters}
        x = {key: drawn(key, steps, batch) for key in cell.inputs}
        state = {key: np.abs(drawn(key, batch)) * (not question.zero) for key in cell.states}
        tape = Tape(derivation, sizes, params, x, state)
        cotangents: dict[str, dict[str, Array]] = {path: {} for path in OUTPUTS}
        for path in OUTPUTS:
            on = question.scale * (not question.outputs or path in question.outputs)
            for place, key in enumerate(cell.states):
                value = np.zeros_like(tape.courses[key])
                if path == "last":
                    value[-1] = on * rng.normal(size=value[-1].shape)
                elif place == 0:
                    value[1:] = on * rng.normal(size=value[1:].shape)
                cotangents[path][key] = value
        answers.append(Answer(question, tape, cotangents, (), (), ("last",)))
    return tuple(answers)


def answers(name: str, program: BackwardPass) -> tuple[Answer, ...]:
    """What functions would answer whose backward pass is this program."""
    found = []
    for answer in asked(name):
        with np.errstate(all="ignore"):
            gradients = program.gradients(answer.tape, answer.cotangents, answer.finals)
        observed = tuple(Observed(key, key, key, None, value) for key, value in gradients.items())
        found.append(
            Answer(answer.question, answer.tape, answer.cotangents, observed, (0.0,) * len(observed), answer.finals)
        )
    return tuple(found)


def differs(name: str, program: BackwardPass, other: BackwardPass) -> bool:
    """Whether two programs give different gradients at some question."""
    given = answers(name, program)
    trial = MistakenPass(other, given)
    return any(np.any(trial.errors(asked) > 1e-9) for asked in range(len(given)))
