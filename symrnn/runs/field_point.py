"""A derivation at random numbers of the field, and the author's text at the same numbers."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from random import Random

from symrnn.algebra.nodes import Expr, Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.language.definition import Definition
from symrnn.language.evaluate import run
from symrnn.runs.field import FIELD, along, draw, make_at_point, slopes
from symrnn.runs.numbers import RESIDUES
from symrnn.runs.sizes import CellAtSizes
from symrnn.runs.stepping import StepValues


class FieldPoint:
    """A derivation at random numbers: arguments, cotangents, and one direction in which all arguments move.

    Attributes:
        derivation: what is checked.
        layout: the sizes.
        text: the author's text over the field.
        direction: how every argument moves, by identifier.
        values: every variable of the step and of its derivation, by identifier.
        evaluate: gives expressions their values; it reads `values`.
        moved: every name that the text assigns, when all arguments move so.
    """

    def __init__(self, derivation: Derivation, text: Definition, layout: CellAtSizes, rng: Random) -> None:
        self.derivation = derivation
        self.layout = layout
        self.text = text
        self._rng = rng
        # Drawn before the values: one direction for all arguments tests every entry at once.
        self.direction = {v.name: self.draw(v) for v in layout.variables}
        self._step = StepValues(derivation, layout, RESIDUES, {v.name: self.draw(v) for v in layout.variables})
        self.values, self.evaluate = self._step.values, self._step.evaluate
        self._step.go_back({state: self.draw(derivation.cell[state]) for state in derivation.cotangents})
        self._moved_by: dict[str, dict[str, Array]] = {}
        self.moved = self.run(self.direction)

    @property
    def arguments(self) -> dict[str, Array]:
        """The arguments of the step, by identifier."""
        return {v.name: self.values[v.name] for v in self.layout.variables}

    def draw(self, variable: Variable) -> Array:
        """Random numbers in a variable's shape."""
        return draw(self._rng, self.layout.shape(variable))

    def run(self, directions: Mapping[str, Array]) -> dict[str, Array]:
        """Every name that the text assigns, when the named arguments move in these directions."""
        moving = {name: along(self.values[name], direction) for name, direction in directions.items()}
        return run_in_columns(self.text, self.layout, self.arguments | moving)

    def moved_by(self, name: str) -> dict[str, Array]:
        """Every name that the text assigns, when one argument moves in its direction."""
        if name not in self._moved_by:
            self._moved_by[name] = self.run({name: self.direction[name]})
        return self._moved_by[name]

    def slope(self, expr: Expr, variable: Variable, direction: Array) -> Array:
        """How an expression moves when one variable does; nothing but that expression is run."""
        moving = {variable.name: along(self.values[variable.name], direction)}
        return slopes(RESIDUES.evaluator(ChainMap(moving, self.values), self.layout.sizes)(expr))

    def adjoint(self, variable: Variable) -> Array:
        """The adjoint that the derivation gives a variable."""
        return self._step.adjoint(variable.name)


def run_in_columns(text: Definition, layout: CellAtSizes, point: Mapping[str, Array]) -> dict[str, Array]:
    """Every name that the text assigns, in rows and columns, from arguments in rows and columns."""
    names = run(text, layout.arguments(point), FIELD)
    return {line.name: layout.matrix(layout.cell[line.name], names[line.name]) for line in text.assignments}


def draw_point(derivation: Derivation, text: Definition, layout: CellAtSizes, rng: Random) -> FieldPoint | None:
    """A point at which nothing divides by zero, or None where none is found."""
    return make_at_point(lambda: FieldPoint(derivation, text, layout, rng))
