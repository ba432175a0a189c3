"""Exact checks: the derivation against the author's text, over the field.

Truth comes from running the text itself on numbers that carry a slope; it shares nothing with the rule table.  The
derivation's expressions are evaluated on the same numbers without slopes.  One random direction tests every entry at
once: <cotangents, J v> = <Jᵀ cotangents, v> for a random v means that every coordinate of every gradient is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from symrnn.algebra.nodes import Variable
from symrnn.calculus.derivation import Derivation
from symrnn.runs.blocks import StepBlocks
from symrnn.runs.field import Number, inner, same, slopes
from symrnn.runs.sizes import Layout, show, vec
from symrnn.runs.trial import Trial, exact_text, try_out
from symrnn.runs.unroll import STEPS, Unrolled
from symrnn.verification.diagnose import (
    change,
    explain_adjoint,
    show_equation,
    show_jacobian,
    show_step,
    wrong_factors,
    wrong_jacobians,
    wrong_steps,
)
from symrnn.verification.jointly import BY_CHAIN_RULE, are_separate, counted
from symrnn.verification.parameters import ParameterForms
from symrnn.verification.report import EXACT, Check

Test = Callable[[Trial], str]
"""Looks at one trial; returns what is wrong, or an empty text."""


def check_exactly(
    derivation: Derivation, layouts: Sequence[Layout], seed: int, forms: ParameterForms | None = None
) -> Iterator[Check]:
    """Every exact check of a derivation, each at all layouts; `forms` where they have been derived already."""
    definition, rng = exact_text(derivation.cell.syntax), Random(seed)
    trials = [try_out(derivation, definition, layout, rng) for layout in layouts]
    for name, test in _tests(derivation, forms or ParameterForms(derivation)):
        wrong = [(layout, _run(test, trial)) for layout, trial in zip(layouts, trials, strict=True)]
        wrong = [(layout, detail) for layout, detail in wrong if detail]
        detail = f"{wrong[0][1]}\nseen at {show([layout for layout, _ in wrong])}" if wrong else ""
        yield Check(name, EXACT, show(layouts), len(wrong), None, not wrong, detail)


def _run(test: Test, trial: Trial | None) -> str:
    nowhere = "no point found at which nothing divides by zero"
    if trial is None:
        return nowhere
    try:
        return test(trial)
    except ZeroDivisionError:
        return nowhere
    except KeyError as error:
        return f"an equation reads {error} before it has a value"


def _tests(derivation: Derivation, forms: ParameterForms) -> Iterator[tuple[str, Test]]:
    cell, blocks = derivation.cell, forms.claimed
    yield "forward equations", _forward
    arguments = [*cell.previous, *(cell[name] for name in cell.inputs)]
    if are_separate(len(arguments), len(cell.states)):
        for of in cell.states:
            for wrt in arguments:
                yield show_jacobian(derivation, cell[of], wrt), _block(blocks, cell[of], wrt)
    else:
        yield (
            counted("Jacobians of the states", len(arguments), len(cell.states), BY_CHAIN_RULE),
            lambda trial: wrong_jacobians(trial, blocks, arguments),
        )
    if cell.parameters:
        yield forms.name, forms.test
    yield "adjoint of one step", _adjoint
    yield f"backpropagation through time, T={STEPS}", _through_time


def _forward(trial: Trial) -> str:
    computed = trial.run({})
    wrong = [
        f"{show_equation(trial.derivation, e)} is not what the text computes"
        for e in trial.derivation.forward
        if e.target.name in computed and not same(computed[e.target.name], trial.values[e.target.name])
    ]
    return "\n".join(wrong)


def _block(blocks: StepBlocks, of: Variable, wrt: Variable) -> Test:
    def test(trial: Trial) -> str:
        direction = trial.direction[wrt.name]
        moved = trial.moved_by(wrt.name)[of.name]
        if same(blocks.along(of, wrt, vec(direction), trial.evaluate), vec(slopes(moved))):
            return ""
        wrong = f"{show_jacobian(trial.derivation, of, wrt)} = {blocks.shown(of, wrt)} is wrong"
        return "\n".join([wrong, *wrong_factors(trial, of, wrt)])

    return test


def _adjoint(trial: Trial) -> str:
    explained = Number(0)
    for variable in trial.layout.variables:
        explained += inner(trial.adjoint(variable), trial.direction[variable.name])
    return "" if explained == change(trial, trial.moved) else explain_adjoint(trial)


def _through_time(trial: Trial) -> str:
    unrolled = Unrolled(trial)
    if unrolled.holds:
        return ""
    lines = [f"{show_step(step)} is wrong" for step in wrong_steps(trial)] + unrolled.wrong_recursions()
    return "\n".join(lines) or "each equation holds on its own, yet together they do not give the gradients"
