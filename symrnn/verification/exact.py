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
from symrnn.runs.field_point import FieldPoint, draw_point
from symrnn.runs.literals import exact_text
from symrnn.runs.sizes import CellAtSizes, vec
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
from symrnn.verification.judging import check_at_points
from symrnn.verification.parameters import ParameterForms
from symrnn.verification.report import Check

Test = Callable[[FieldPoint], str]
"""Looks at one point; returns what is wrong, or an empty text."""


def check_exactly(
    derivation: Derivation, layouts: Sequence[CellAtSizes], seed: int, forms: ParameterForms | None = None
) -> Iterator[Check]:
    """Every exact check of a derivation, each at all layouts; `forms` where they have been derived already."""
    definition, rng = exact_text(derivation.cell.syntax), Random(seed)
    # One point for all tests: what they say of one another's equations holds at the same numbers.
    points = [(layout, draw_point(derivation, definition, layout, rng)) for layout in layouts]
    return check_at_points(_tests(derivation, forms or ParameterForms(derivation)), points)


def _tests(derivation: Derivation, forms: ParameterForms) -> Iterator[tuple[str, Test]]:
    cell, blocks = derivation.cell, forms.claimed
    yield "forward equations", _forward
    # Parameters are left to `ParameterForms`, which checks both of the forms in which they are documented.
    arguments = [*cell.previous, *(cell[name] for name in cell.inputs)]
    if are_separate(len(arguments), len(cell.states)):
        for of in cell.states:
            for wrt in arguments:
                yield show_jacobian(derivation, cell[of], wrt), _block(blocks, cell[of], wrt)
    else:
        yield (
            counted("Jacobians of the states", len(arguments), len(cell.states), BY_CHAIN_RULE),
            lambda point: wrong_jacobians(point, blocks, arguments),
        )
    if cell.parameters:
        yield forms.name, forms.test
    yield "adjoint of one step", _adjoint
    yield f"backpropagation through time, T={STEPS}", _through_time


def _forward(point: FieldPoint) -> str:
    computed = point.run({})
    wrong = [
        f"{show_equation(point.derivation, e)} is not what the text computes"
        for e in point.derivation.forward
        # Pre-activations are the derivation's, and have no name in the text.
        if e.target.name in computed and not same(computed[e.target.name], point.values[e.target.name])
    ]
    return "\n".join(wrong)


def _block(blocks: StepBlocks, of: Variable, wrt: Variable) -> Test:
    def test(point: FieldPoint) -> str:
        direction = point.direction[wrt.name]
        moved = point.moved_by(wrt.name)[of.name]
        if same(blocks.along(of, wrt, vec(direction), point.evaluate), vec(slopes(moved))):
            return ""
        wrong = f"{show_jacobian(point.derivation, of, wrt)} = {blocks.shown(of, wrt)} is wrong"
        return "\n".join([wrong, *wrong_factors(point, of, wrt)])

    return test


def _adjoint(point: FieldPoint) -> str:
    explained = Number(0)
    for variable in point.layout.variables:
        explained += inner(point.adjoint(variable), point.direction[variable.name])
    return "" if explained == change(point, point.moved) else explain_adjoint(point)


def _through_time(point: FieldPoint) -> str:
    unrolled = Unrolled(point)
    if unrolled.holds:
        return ""
    lines = [f"{show_step(step)} is wrong" for step in wrong_steps(point)] + unrolled.wrong_recursions()
    return "\n".join(lines) or "each equation holds on its own, yet together they do not give the gradients"
