"""Exact checks of the equations of forward mode: tangents, tangents of the adjoints, sensitivities.

Truth are numbers of the field that carry a slope: through the author's text for what the states do, and through the
backward equations for what the adjoints do.  Neither knows the tangent rules.  One random direction tests every entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random

from symrnn.algebra.nodes import Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.rtrl import SensitivityRecursion, rtrl
from symrnn.calculus.second_order import SecondOrder, SecondStep, second_order
from symrnn.calculus.tangent import TangentStep
from symrnn.printers import text
from symrnn.runs.field import along, same, slopes
from symrnn.runs.field_point import FieldPoint, draw_point, run_in_columns
from symrnn.runs.literals import exact_text
from symrnn.runs.numbers import RESIDUES
from symrnn.runs.sizes import CellAtSizes, vec
from symrnn.runs.stepping import Frame, StepValues, over_steps
from symrnn.verification.judging import check_at_points
from symrnn.verification.report import Check

STEPS = 3
"""Sensitivities: what a step adds, what it passes on, and what it passes on of what was passed on."""

NEEDS = {"jvp": ("tangents",), "hvp": ("tangents", "adjoints"), "rtrl": ("sensitivities",), "truncate": ()}
"""Generated function -> the equations that it rests on."""

Test = Callable[[SecondOrder, FieldPoint], str]


def check_forward_mode(
    derivation: Derivation, layouts: Sequence[CellAtSizes], seed: int, functions: Sequence[str] = tuple(NEEDS)
) -> Iterator[Check]:
    """The exact checks of the equations that these functions rest on, each at all layouts."""
    wanted = {what for name in functions for what in NEEDS.get(name, ())}
    if not wanted:
        return
    definition, rng = exact_text(derivation.cell.syntax), Random(seed)
    points = [(layout, draw_point(derivation, definition, layout, rng)) for layout in layouts]
    equations = second_order(derivation)
    tests = [(name, partial(test, equations)) for what, (name, test) in _TESTS.items() if what in wanted]
    yield from check_at_points(tests, points)


def _moved(equations: SecondOrder, trial: FieldPoint) -> dict[str, Array]:
    """Everything in the step and its derivation, with slopes: arguments and cotangents move at random."""
    arguments = {name: along(value, trial.direction[name]) for name, value in trial.arguments.items()}
    step = StepValues(trial.derivation, trial.layout, RESIDUES, arguments)
    cotangents = equations.derivation.cotangents
    step.go_back({s: along(trial.values[v.name], trial.draw(v)) for s, v in cotangents.items()})
    return step.values


def _tangents(equations: SecondOrder, trial: FieldPoint) -> str:
    """Each tangent equation against the text where the author named the variable, else against its equation."""
    truth = {name: slopes(value) for name, value in _moved(equations, trial).items()}
    # The text last: where it has a value, that is the truth.
    truth |= {name: slopes(value) for name, value in trial.moved.items()}
    return "\n".join(_wrong(equations, trial, truth, first=True))


def _adjoints(equations: SecondOrder, trial: FieldPoint) -> str:
    truth = {name: slopes(value) for name, value in _moved(equations, trial).items()}
    return "\n".join(_wrong(equations, trial, truth, first=False))


def _wrong(equations: SecondOrder, trial: FieldPoint, truth: dict[str, Array], first: bool) -> Iterator[str]:
    """The equations that do not hold, each on its own: what they build on is taken from the truth."""
    # Each equation reads true tangents, not those of the equations before it: one that is wrong spoils no other.
    values, pairs = dict(trial.values), dict(equations.tangent.tangents)
    pairs |= {equations.derivation.cotangents[s]: v for s, v in equations.cotangents.items()}
    pairs |= {step.step.target: step.target for step in equations.steps}
    for variable, moving in pairs.items():
        values[moving.name] = truth[variable.name].reshape(trial.layout.shape(variable))
    evaluate = RESIDUES.evaluator(values, trial.layout.sizes)
    claims: list[tuple[TangentStep | SecondStep, Variable]] = []
    if first:
        claims += [(step, step.of) for step in equations.tangent.steps]
    else:
        claims += [(step, step.step.target) for step in equations.steps]
    for step, variable in claims:
        if not same(_whole(evaluate(step.value)), truth[variable.name].reshape(trial.layout.shape(variable))):
            yield f"equation ({step.number}) {text(step.target)} = {text(step.value)} is wrong"


def _whole(value: Array) -> Array:
    return 0 * slopes(value) + value  # plain whole numbers, of zeros, become numbers of the field


def _sensitivities(equations: SecondOrder, trial: FieldPoint) -> str:
    """The recursion over some steps against the text over these steps, one parameter moving at a time."""
    recursion = rtrl(equations.derivation)
    return "\n".join(
        line for name in trial.layout.cell.parameters for line in _wrong_recursions(trial, recursion, name)
    )


def _wrong_recursions(trial: FieldPoint, recursion: SensitivityRecursion, name: str) -> list[str]:
    layout, cell = trial.layout, trial.layout.cell
    direction = trial.direction[name]
    rows = [r for r in recursion.recursions if r.parameter == name]
    # Before the first step nothing depends on a parameter.
    sensitivities = {r.before[r.state].name: 0 * trial.draw(r.target) for r in rows}
    start = trial.arguments | {name: along(trial.values[name], direction)}
    inputs = ({x: trial.draw(cell[x]) for x in cell.inputs} for _ in range(STEPS))

    def step(_: int, point: Frame) -> tuple[dict[str, Array], list[str]]:
        at_rest = {key: RESIDUES.rest(value) for key, value in point.items()} | sensitivities
        evaluate = StepValues(trial.derivation, layout, RESIDUES, at_rest).evaluate
        names, wrong = run_in_columns(trial.text, layout, point), []
        for r in rows:
            found = sensitivities[r.before[r.state].name] = _whole(evaluate(r.value))
            if not same(found @ vec(direction), vec(slopes(names[r.state]))):
                wrong.append(f"{text(r.target)} = {text(r.value)} is wrong")
        return names, wrong

    reached = over_steps(step, lambda each: {f"{s}_prev": each[0][s] for s in cell.states}, start, inputs)
    return next((wrong for _, wrong in reached if wrong), [])


_TESTS: dict[str, tuple[str, Test]] = {
    "tangents": ("tangents of one step", _tangents),
    "adjoints": ("tangents of the adjoints", _adjoints),
    "sensitivities": (f"sensitivities of the states, T={STEPS}", _sensitivities),
}
