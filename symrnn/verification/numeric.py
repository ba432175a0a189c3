"""Checks in floating point: the derivation against complex steps through the author's text.

A complex step takes Im f(x + i h) / h at h = 1e-30: exact to rounding, without the cancellation of a difference
quotient.  The text runs in complex numbers, the derivation's expressions in real ones.

Source: Squire & Trapp (1998), Using complex variables to estimate derivatives of real functions, SIAM Review 40(1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.nodes import Variable
from symrnn.calculus.derivation import Derivation
from symrnn.language.evaluate import run
from symrnn.verification.blocks import StepBlocks
from symrnn.verification.diagnose import show_jacobian, show_step
from symrnn.verification.layout import Layout, show, vec
from symrnn.verification.parameters import PARAMETERS, ParameterForms
from symrnn.verification.points import NOWHERE, Array, Ground, relative_error, search
from symrnn.verification.report import Check
from symrnn.verification.rounding import expression_errors, sequence_errors, unexplained

METHOD = "complex step"
STEP = 1e-30
TOLERANCE = 1e-12
"""Rounding alone reached 4e-14 over 60 seeds of 33 cells, in sums that cancel; a wrong term is off by far more."""


@dataclass(frozen=True)
class Finding:
    """One comparison: how far off, of what, and a sentence for when that is too far."""

    error: float
    sentence: str


def check_numerically(
    derivation: Derivation, layouts: Sequence[Layout], seed: int, forms: ParameterForms | None = None
) -> Iterator[Check]:
    """Every Jacobian block, every Jacobian of a parameter and every gradient of one step, each at all layouts.

    Args:
        derivation: what is checked.
        layouts: the sizes.
        seed: of the random numbers.
        forms: the Jacobians of the parameters, where they have been derived already.
    """
    rng = np.random.default_rng(seed)
    forms = forms or ParameterForms(derivation)
    claimed = forms.claimed
    blocks: list[Finding] = []
    parameters: list[Finding] = []
    gradients: list[Finding] = []
    points = [(layout, Point.draw(derivation, layout, rng)) for layout in layouts]
    layouts = [layout for layout, point in points if point is not None] or layouts
    for _, point in points:
        if point is None:  # such as a variance at size 1, which is always 0: other sizes will do
            continue
        with np.errstate(all="ignore"):  # what overflows is not finite, and fails by that
            blocks += point.blocks(claimed, _blocks(derivation))
            parameters += point.blocks(claimed, forms.pairs)
            gradients += point.gradients(rng)
    if all(point is None for _, point in points):
        blocks = parameters = gradients = [Finding(np.inf, f"{NOWHERE}, at {show(layouts)}")]
    yield conclude("Jacobian blocks of one step", METHOD, show(layouts), blocks, TOLERANCE)
    if derivation.cell.parameters:
        yield conclude(PARAMETERS, METHOD, show(layouts), parameters, TOLERANCE)
    yield conclude("gradients of one step", METHOD, show(layouts), gradients, TOLERANCE)


def _blocks(derivation: Derivation) -> list[tuple[Variable, Variable]]:
    """Every Jacobian block: states with respect to states at t-1 and inputs."""
    cell = derivation.cell
    arguments = (*cell.previous, *(cell[name] for name in cell.inputs))
    return [(cell[s], wrt) for s in cell.states for wrt in arguments]


def conclude(name: str, method: str, sizes: str, findings: Sequence[Finding], tolerance: float) -> Check:
    """A check from all comparisons; an error that is no number fails."""
    wrong = [finding for finding in findings if not finding.error <= tolerance]
    error = max((finding.error for finding in findings if finding.error >= 0), default=0.0)
    if any(np.isnan(finding.error) for finding in findings):
        error = np.nan
    detail = "\n".join(dict.fromkeys(finding.sentence for finding in wrong))
    return Check(name, method, sizes, float(error), tolerance, not wrong, detail)


class Point:
    """A legal point of a step, and the true derivatives there.

    Attributes:
        derivation: what is checked.
        layout: the sizes.
        evaluate: the derivation's expressions at the point.
        truth: (state, argument) -> its Jacobian block by complex steps, by identifier.
    """

    def __init__(self, derivation: Derivation, layout: Layout, evaluate: Evaluator) -> None:
        self.derivation = derivation
        self.layout = layout
        self.evaluate = evaluate
        self._arguments = {v.name: evaluate.values[v.name] for v in layout.variables}
        self.truth: dict[tuple[str, str], Array] = {}
        with np.errstate(all="ignore"):
            for variable in layout.variables:
                self._differentiate(variable)

    @classmethod
    def draw(cls, derivation: Derivation, layout: Layout, rng: np.random.Generator) -> Point | None:
        """A random legal point, or None where none is found."""
        shapes = {v.name: layout.shape(v) for v in layout.variables}
        evaluate = search(rng, shapes, Ground(derivation, layout).step)
        return None if evaluate is None else cls(derivation, layout, evaluate)

    def _differentiate(self, variable: Variable) -> None:
        value = self._arguments[variable.name]
        columns: list[Mapping[str, Array]] = []
        for index in np.ndindex(value.shape[::-1]):
            moved = value.astype(complex)
            moved[index[::-1]] += 1j * STEP  # column after column, the order of vec
            columns.append(
                run(self.derivation.cell.syntax, self.layout.arguments(self._arguments | {variable.name: moved}))
            )
        for state in self.derivation.cell.states:
            shape = self.layout.shape(self.derivation.cell[state])
            rates = [vec(np.reshape(np.imag(names[state]), shape)) / STEP for names in columns]
            self.truth[state, variable.name] = np.concatenate(rates, axis=1)

    def blocks(self, claimed: StepBlocks, pairs: Iterable[tuple[Variable, Variable]]) -> Iterator[Finding]:
        """Jacobians, each of a state with respect to an argument of the step."""
        for of, wrt in pairs:
            expr, truth = claimed.written(of, wrt), self.truth[of.name, wrt.name]
            value = self.evaluate(expr) if expr is not None else self._by_chain_rule(claimed, of, wrt)
            error = relative_error(value, truth)
            if error > TOLERANCE and expr is not None:  # 1 - tanh² has few digits left where it is small
                bound = expression_errors(self.derivation, self.layout, self._arguments, expr)
                error = relative_error(truth + unexplained(value - truth, bound), truth)
            yield Finding(error, f"{show_jacobian(self.derivation, of, wrt)} = {claimed.shown(of, wrt)} is wrong")

    def _by_chain_rule(self, claimed: StepBlocks, of: Variable, wrt: Variable) -> Array:
        entries = vec(self._arguments[wrt.name]).size
        return claimed.moved({wrt: np.eye(entries)}, self.evaluate)[of]

    def gradients(self, rng: np.random.Generator) -> Iterator[Finding]:
        """The adjoint of every argument, for random cotangents of all states."""
        cell, values = self.derivation.cell, self.evaluate.values
        assert isinstance(values, dict)
        cotangents = {state: rng.standard_normal(self.layout.shape(cell[state])) for state in cell.states}
        for state, cotangent in cotangents.items():
            values[self.derivation.cotangents[state].name] = cotangent
        for step in self.derivation.steps:
            values[step.target.name] = self.evaluate(step.value)
        for variable in self.layout.variables:
            step = self.derivation.of(variable.name)
            truth = sum(self.truth[state, variable.name].T @ vec(cotangents[state]) for state in cell.states)
            value = vec(values[step.target.name])
            error = relative_error(value, truth)
            if error > TOLERANCE:
                inputs = {name: self._arguments[name] for name in cell.inputs}
                (bounds,) = sequence_errors(self.derivation, self.layout, self._arguments, [inputs | cotangents])
                error = relative_error(truth + unexplained(value - truth, vec(bounds[variable.name])), truth)
            yield Finding(error, f"{show_step(step)}, or one that it uses, is wrong")
