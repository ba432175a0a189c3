"""Exact checks of the equations of forward mode: tangents, tangents of the adjoints, sensitivities.

Truth are numbers of the field that carry a slope: through the author's text for what the states do, and through the
backward equations for what the adjoints do.  Neither knows the tangent rules.  One random direction tests every entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from symrnn.algebra.nodes import Variable
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.rtrl import SensitivityRecursion, rtrl
from symrnn.calculus.second_order import SecondOrder, SecondStep, second_order
from symrnn.calculus.tangent import TangentStep
from symrnn.printers import text
from symrnn.runs.field import FIELD, Array, along, same, slopes
from symrnn.runs.sizes import Layout, show, vec
from symrnn.runs.trial import ExactEvaluator, Trial, exact_text, run_text, try_out
from symrnn.verification.report import EXACT, Check

STEPS = 3
"""Sensitivities: what a step adds, what it passes on, and what it passes on of what was passed on."""

NEEDS = {"jvp": ("tangents",), "hvp": ("tangents", "adjoints"), "rtrl": ("sensitivities",), "truncate": ()}
"""Generated function -> the equations that it rests on."""

Test = Callable[[SecondOrder, Trial], str]


def check_forward_mode(
    derivation: Derivation, layouts: Sequence[Layout], seed: int, functions: Sequence[str] = tuple(NEEDS)
) -> Iterator[Check]:
    """The exact checks of the equations that these functions rest on, each at all layouts."""
    wanted = {what for name in functions for what in NEEDS.get(name, ())}
    if not wanted:
        return
    definition, rng = exact_text(derivation.cell.syntax), Random(seed)
    trials = [try_out(derivation, definition, layout, rng) for layout in layouts]
    equations = second_order(derivation)
    for what, (name, test) in _TESTS.items():
        if what in wanted:
            wrong = [(at, _run(test, equations, trial)) for at, trial in zip(layouts, trials, strict=True)]
            wrong = [(layout, detail) for layout, detail in wrong if detail]
            detail = f"{wrong[0][1]}\nseen at {show([layout for layout, _ in wrong])}" if wrong else ""
            yield Check(name, EXACT, show(layouts), len(wrong), None, not wrong, detail)


def _run(test: Test, equations: SecondOrder, trial: Trial | None) -> str:
    nowhere = "no point found at which nothing divides by zero"
    try:
        return nowhere if trial is None else test(equations, trial)
    except ZeroDivisionError:
        return nowhere


def _moved(equations: SecondOrder, trial: Trial) -> dict[str, Array]:
    """Everything in the step and its derivation, with slopes: arguments and cotangents move at random."""
    values = {v.name: along(trial.values[v.name], trial.direction[v.name]) for v in trial.layout.variables}
    evaluate = ExactEvaluator(values, trial.layout.sizes, FIELD)
    for equation in trial.derivation.forward:
        values[equation.target.name] = evaluate(equation.value)
    for variable in equations.derivation.cotangents.values():
        values[variable.name] = along(trial.values[variable.name], trial.draw(variable))
    for step in trial.derivation.steps:
        values[step.target.name] = evaluate(step.value)
    return values


def _tangents(equations: SecondOrder, trial: Trial) -> str:
    """Each tangent equation against the text where the author named the variable, else against its equation."""
    truth = {name: slopes(value) for name, value in _moved(equations, trial).items()}
    truth |= {name: slopes(value) for name, value in trial.moved.items()}
    return "\n".join(_wrong(equations, trial, truth, first=True))


def _adjoints(equations: SecondOrder, trial: Trial) -> str:
    truth = {name: slopes(value) for name, value in _moved(equations, trial).items()}
    return "\n".join(_wrong(equations, trial, truth, first=False))


def _wrong(equations: SecondOrder, trial: Trial, truth: dict[str, Array], first: bool) -> Iterator[str]:
    """The equations that do not hold, each on its own: what they build on is taken from the truth."""
    values, pairs = dict(trial.values), dict(equations.tangent.tangents)
    pairs |= {equations.derivation.cotangents[s]: v for s, v in equations.cotangents.items()}
    pairs |= {step.step.target: step.target for step in equations.steps}
    for variable, moving in pairs.items():
        values[moving.name] = truth[variable.name].reshape(trial.layout.shape(variable))
    evaluate = ExactEvaluator(values, trial.layout.sizes, FIELD)
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


def _sensitivities(equations: SecondOrder, trial: Trial) -> str:
    """The recursion over some steps against the text over these steps, one parameter moving at a time."""
    recursion = rtrl(equations.derivation)
    return "\n".join(
        line for name in trial.layout.cell.parameters for line in _wrong_recursions(trial, recursion, name)
    )


def _wrong_recursions(trial: Trial, recursion: SensitivityRecursion, name: str) -> list[str]:
    layout, cell = trial.layout, trial.layout.cell
    direction = trial.direction[name]
    point = {v.name: trial.values[v.name] for v in layout.variables}
    point[name] = along(point[name], direction)
    rows = [r for r in recursion.recursions if r.parameter == name]
    carried = {r.before[r.state].name: _zeros(trial, r.target) for r in rows}
    for _ in range(STEPS):
        point |= {x: trial.draw(cell[x]) for x in cell.inputs}
        values: dict[str, Array] = {key: _at_rest(value) for key, value in point.items()} | carried
        evaluate = ExactEvaluator(values, layout.sizes, FIELD)
        for equation in trial.derivation.forward:
            values[equation.target.name] = evaluate(equation.value)
        names = run_text(trial.text, layout, point)
        wrong = []
        for r in rows:
            found = carried[r.before[r.state].name] = _whole(evaluate(r.value))
            if not same(found @ vec(direction), vec(slopes(names[r.state]))):
                wrong.append(f"{text(r.target)} = {text(r.value)} is wrong")
        if wrong:
            return wrong
        point |= {f"{s}_prev": names[s] for s in cell.states}
    return []


def _at_rest(value: Array) -> Array:
    return along(value, 0 * value)


def _zeros(trial: Trial, variable: Variable) -> Array:
    return 0 * trial.draw(variable)


_TESTS: dict[str, tuple[str, Test]] = {
    "tangents": ("tangents of one step", _tangents),
    "adjoints": ("tangents of the adjoints", _adjoints),
    "sensitivities": (f"sensitivities of the states, T={STEPS}", _sensitivities),
}
