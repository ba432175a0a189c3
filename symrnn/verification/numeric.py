"""Checks in floating point: the derivation against complex steps through the author's text.

A complex step takes Im f(x + i h) / h at h = 1e-30: exact to rounding, without the cancellation of a difference
quotient.  The text runs in complex numbers, the derivation's expressions in real ones.

Source: Squire & Trapp (1998), Using complex variables to estimate derivatives of real functions, SIAM Review 40(1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from symrnn.algebra.nodes import Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.language.evaluate import run
from symrnn.runs.blocks import StepBlocks
from symrnn.runs.numbers import FLOATS
from symrnn.runs.points import NOWHERE, Ground, relative_error, search
from symrnn.runs.rounding import expression_errors, moved_errors, sequence_errors, unexplained
from symrnn.runs.sizes import CellAtSizes, show, vec
from symrnn.runs.stepping import StepValues
from symrnn.verification.diagnose import show_jacobian, show_step
from symrnn.verification.jointly import BY_CHAIN_RULE, DIRECTIONS, MOST_NAMED, are_separate, compare, counted
from symrnn.verification.judging import Deviation, conclude
from symrnn.verification.parameters import ParameterForms
from symrnn.verification.report import Check

METHOD = "complex step"
TOLERANCE = 1e-12
"""Rounding alone reached 4e-14 over 60 seeds of 33 cells, in sums that cancel; a wrong term is off by far more."""


def check_numerically(
    derivation: Derivation, layouts: Sequence[CellAtSizes], seed: int, forms: ParameterForms | None = None
) -> Iterator[Check]:
    """Every Jacobian block, every Jacobian of a parameter and every gradient of one step, each at all layouts.

    Where there are many, all arguments move at once, and the lines say of how many derivatives they are; see `jointly`.

    Args:
        derivation: what is checked.
        layouts: the sizes.
        seed: of the random numbers.
        forms: the Jacobians of the parameters, where they have been derived already.
    """
    rng = np.random.default_rng(seed)
    forms = forms or ParameterForms(derivation)
    claimed, cell = forms.claimed, derivation.cell
    arguments = [*cell.previous, *(cell[name] for name in cell.inputs)]
    blocks: list[Deviation] = []
    parameters: list[Deviation] = []
    gradients: list[Deviation] = []
    points = [(layout, LegalPoint.draw(derivation, layout, rng)) for layout in layouts]
    # The report names the sizes at which something was compared.
    layouts = [layout for layout, point in points if point is not None] or layouts
    for _, point in points:
        if point is None:  # such as a variance at size 1, which is always 0: other sizes will do
            continue
        with np.errstate(all="ignore"):  # what overflows is not finite, and fails by that
            blocks += point.jacobians(claimed, arguments, rng)
            parameters += point.jacobians(claimed, [cell[name] for name in cell.parameters], rng)
            gradients += point.gradients(rng)
    if all(point is None for _, point in points):
        blocks = parameters = gradients = [Deviation(np.inf, f"{NOWHERE}, at {show(layouts)}")]
    name = counted("Jacobian blocks of one step", len(arguments), len(cell.states), BY_CHAIN_RULE)
    yield conclude(name, METHOD, show(layouts), blocks, TOLERANCE)
    if cell.parameters:
        yield conclude(forms.name, METHOD, show(layouts), parameters, TOLERANCE)
    name = counted("gradients of one step", len(arguments) + len(cell.parameters))
    yield conclude(name, METHOD, show(layouts), gradients, TOLERANCE)


class LegalPoint:
    """A legal point of a step, and the true derivatives there.

    Attributes:
        derivation: what is checked.
        layout: the sizes.
        evaluate: the derivation's expressions at the point.
    """

    def __init__(self, derivation: Derivation, layout: CellAtSizes, step: StepValues) -> None:
        self.derivation = derivation
        self.layout = layout
        self.evaluate = step.evaluate
        self._step = step
        self._arguments = {v.name: step.values[v.name] for v in layout.variables}
        self._truth: dict[str, Mapping[str, Array]] = {}

    @classmethod
    def draw(cls, derivation: Derivation, layout: CellAtSizes, rng: np.random.Generator) -> LegalPoint | None:
        """A random legal point, or None where none is found."""
        shapes = {v.name: layout.shape(v) for v in layout.variables}
        step = search(rng, shapes, Ground(derivation, layout).step)
        return None if step is None else cls(derivation, layout, step)

    def truth(self, of: str, wrt: str) -> Array:
        """The Jacobian of a state with respect to an argument, by complex steps, both by identifier."""
        if wrt not in self._truth:
            at = self._arguments[wrt]
            columns: list[Mapping[str, Array]] = []
            for index in np.ndindex(at.shape[::-1]):  # column after column, the order of vec
                direction = np.zeros(at.shape)
                direction[index[::-1]] = 1.0
                columns.append(self.rates({wrt: direction}))
            states = self.derivation.cell.states
            self._truth[wrt] = {s: np.concatenate([rates[s] for rates in columns], axis=1) for s in states}
        return self._truth[wrt][of]

    def rates(self, directions: Mapping[str, Array]) -> dict[str, Array]:
        """How the states move, as columns, when some arguments move, by a complex step."""
        moved = {name: FLOATS.move(self._arguments[name], direction) for name, direction in directions.items()}
        names = run(self.derivation.cell.syntax, self.layout.arguments(self._arguments | moved))
        return {
            s: vec(np.reshape(FLOATS.rate(names[s]), self.layout.shape(self.derivation.cell[s])))
            for s in self.derivation.cell.states
        }

    def jacobians(
        self, claimed: StepBlocks, arguments: Sequence[Variable], rng: np.random.Generator
    ) -> Iterator[Deviation]:
        """The Jacobians of all states with respect to some arguments of the step."""
        states = [self.derivation.cell[s] for s in self.derivation.cell.states]
        if are_separate(len(arguments), len(states)):
            return self._blocks(claimed, product(states, arguments))
        return self._at_once(claimed, arguments, rng)

    def _blocks(self, claimed: StepBlocks, pairs: Iterable[tuple[Variable, Variable]]) -> Iterator[Deviation]:
        for of, wrt in pairs:
            expr, truth = claimed.written(of, wrt), self.truth(of.name, wrt.name)
            # The formula as it is printed, where there is one: it is what a reader takes home.
            value = self.evaluate(expr) if expr is not None else self._by_chain_rule(claimed, of, wrt)
            error = relative_error(value, truth)
            if error > TOLERANCE and expr is not None:  # 1 - tanh² has few digits left where it is small
                bound = expression_errors(self.derivation, self.layout, self._arguments, expr)
                error = relative_error(truth + unexplained(value - truth, bound), truth)
            yield Deviation(error, "" if error <= TOLERANCE else self._accused(claimed, of, wrt))

    def _accused(self, claimed: StepBlocks, of: Variable, wrt: Variable) -> str:
        return f"{show_jacobian(self.derivation, of, wrt)} = {claimed.shown(of, wrt)} is wrong"

    def _by_chain_rule(self, claimed: StepBlocks, of: Variable, wrt: Variable) -> Array:
        entries = vec(self._arguments[wrt.name]).size
        return claimed.moved({wrt: np.eye(entries)}, self.evaluate)[of]

    def _at_once(
        self, claimed: StepBlocks, arguments: Sequence[Variable], rng: np.random.Generator
    ) -> Iterator[Deviation]:
        """How the states move when all of the arguments do."""
        cell = self.derivation.cell
        for _ in range(DIRECTIONS):
            directions = {v: rng.standard_normal(self.layout.shape(v)) for v in arguments}
            truths = self.rates({v.name: direction for v, direction in directions.items()})
            changes = {v: vec(direction) for v, direction in directions.items()}
            moved, bounds = claimed.moved(changes, self.evaluate), None
            for state, truth in truths.items():
                value = moved.get(cell[state], 0 * truth)
                error = relative_error(value, truth)
                if error > TOLERANCE:
                    bounds = bounds or moved_errors(self.derivation, self.layout, self._arguments, claimed, changes)
                    bound = bounds.get(cell[state], 0 * truth)
                    error = relative_error(truth + unexplained(value - truth, bound), truth)
                names = ", ".join(v.name for v in arguments[:MOST_NAMED])
                yield Deviation(error, f"a Jacobian of {state} is wrong, with respect to one of {names}, ...")

    def _adjoints(self, rng: np.random.Generator) -> dict[str, Array]:
        """Random cotangents of all states; the adjoints that follow from them are added to the values."""
        cell = self.derivation.cell
        cotangents = {state: rng.standard_normal(self.layout.shape(cell[state])) for state in cell.states}
        self._step.go_back(cotangents)
        return cotangents

    def _rounding(self, cotangents: Mapping[str, Array]) -> Mapping[str, Array]:
        """How far rounding alone can take the adjoints, by the arguments' names."""
        inputs = {name: self._arguments[name] for name in self.derivation.cell.inputs}
        return sequence_errors(self.derivation, self.layout, self._arguments, [inputs], [cotangents])[0]

    def gradients(self, rng: np.random.Generator) -> Iterator[Deviation]:
        """The adjoint of every argument, for random cotangents of all states."""
        cotangents = self._adjoints(rng)
        if are_separate(len(self.layout.variables)):
            return self._gradients(cotangents)
        return self._gradients_at_once(cotangents, rng)

    def _gradients(self, cotangents: Mapping[str, Array]) -> Iterator[Deviation]:
        for variable in self.layout.variables:
            shares = [self.truth(s, variable.name).T @ vec(cotangent) for s, cotangent in cotangents.items()]
            truth = np.asarray(sum(shares))
            value = vec(self._step.adjoint(variable.name))
            error = relative_error(value, truth)
            if error > TOLERANCE:
                bound = vec(self._rounding(cotangents)[variable.name])
                error = relative_error(truth + unexplained(value - truth, bound), truth)
            yield Deviation(
                error, "" if error <= TOLERANCE else f"{self._blamed(variable.name)}, or one that it uses, is wrong"
            )

    def _blamed(self, name: str) -> str:
        return show_step(self.derivation.of(name))

    def _gradients_at_once(self, cotangents: Mapping[str, Array], rng: np.random.Generator) -> Iterator[Deviation]:
        """What the adjoints of all arguments say of how <cotangents, states> moves."""

        def rate(directions: Mapping[str, Array]) -> float:
            rates = self.rates(directions)
            return float(sum(np.sum(vec(cotangent) * rates[s]) for s, cotangent in cotangents.items()))

        every = {v.name: self._step.adjoint(v.name) for v in self.layout.variables}
        error, wrong = compare(every, rate, lambda: self._rounding(cotangents), TOLERANCE, rng)
        blamed = "\n".join(map(self._blamed, wrong)) or "an equation"
        yield Deviation(error, f"{blamed}, or one that it uses, is wrong")
