"""Forward mode: how every variable of a step moves when the step's arguments do.

ẏ stands for the derivative of y in one direction: along a line on which every argument v moves by its tangent v̇.  The
equations follow from the forward equations one by one, in their order.  Through time, the tangents of the states are
carried from step to step as the states are.

Source: Wengert (1964), A simple automatic derivative evaluation program, CACM 7(8); Griewank & Walther (2008),
Evaluating Derivatives, ch. 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.arguments import listed
from symrnn.calculus.derivation import Derivation, derivation_of
from symrnn.calculus.equations import Equations, NamedEquation
from symrnn.calculus.naming import Names
from symrnn.calculus.rules import RuleTable, push_forward
from symrnn.errors import UnknownNameError
from symrnn.language.recurrence import Cell, Equation


@dataclass(frozen=True)
class TangentStep:
    """One tangent equation: `target = value`.

    Attributes:
        number: its number, counted from 1.
        target: the tangent that it defines, such as ċ_t.
        of: the variable that moves so.
        value: its expression.
        equation: the forward equation that it follows from.
        rules: the names of the rules used, in the order of use.
        role: what the variable is.
    """

    number: int
    target: Variable
    of: Variable
    value: Expr
    equation: Equation
    rules: tuple[str, ...]
    role: Literal["state", "intermediate"]

    @property
    def is_needed(self) -> bool:
        """Whether any other equation could mention the tangent; one that is zero is left out of the others."""
        return self.role == "state" or not nodes.is_zero(self.value)


@dataclass(frozen=True, repr=False)
class TangentDerivation(Equations):
    """The tangent equations of one step.

    Attributes:
        derivation: the derivation whose forward equations were differentiated.
        steps: one equation for each forward equation, in their order.
        directions: the tangents of the step's arguments, by identifier: `directions["W_f"]`, `directions["h_prev"]`.
        rules: the rule table used.
    """

    derivation: Derivation
    steps: tuple[TangentStep, ...]
    directions: Mapping[str, Variable]
    rules: RuleTable = field(repr=False, compare=False)

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.derivation.cell

    def of(self, name: str) -> TangentStep:
        """The equation for the tangent of the variable with this identifier."""
        for step in self.steps:
            if step.of.name == name:
                return step
        known = ", ".join(step.of.name for step in self.steps)
        raise UnknownNameError(f"no tangent of {name!r} in the derivation of {self.cell.name}\n  there are {known}")

    @property
    def tangents(self) -> Mapping[Variable, Variable]:
        """Variable -> its tangent: the arguments that move, what moves with them, and the states at t."""
        arguments = {self.cell[name]: variable for name, variable in self.directions.items()}
        return arguments | {step.of: step.target for step in self.steps if step.is_needed}

    @property
    def title(self) -> str:
        """What the equations are."""
        return f"tangents of {self.cell.name}"

    @property
    def lines(self) -> tuple[NamedEquation, ...]:
        """Both sides of every equation."""
        return tuple(NamedEquation(step.target, step.value) for step in self.steps)


def tangent(
    cell: Cell | Derivation | str, wrt: str | Iterable[str] | None = None, rules: RuleTable | None = None
) -> TangentDerivation:
    """Differentiate one step of a cell, forward.

    Args:
        cell: the cell, or its derivation.
        wrt: the arguments that move, by identifier: inputs, parameters, states at t-1 (`"h_prev"`); all of them by
            default.
        rules: the rule table; by default that of the derivation.

    Returns:
        The equations ẏ = ..., one for each forward equation.

    Raises:
        UnknownNameError: the cell has no such argument.
    """
    derivation = derivation_of(cell)
    inner, table = derivation.cell, rules or derivation.rules
    arguments = {v.name: v for v in (*(inner[n] for n in inner.inputs), *inner.previous)}
    arguments |= {name: inner[name] for name in inner.parameters}
    moving = tuple(arguments) if wrt is None else listed(wrt, "wrt")
    for name in moving:
        if name not in arguments:
            known = ", ".join(arguments)
            raise UnknownNameError(f"{inner.name} has no argument {name!r} that could move\n  it has {known}")
    names = names_of(derivation)
    # In the cell's order, whatever order was asked for: the same question gives the same names.
    directions = {name: tangent_of(arguments[name], names) for name in arguments if name in moving}
    tangents = {arguments[name]: variable for name, variable in directions.items()}
    steps: list[TangentStep] = []
    for equation in derivation.forward:
        found = push_forward(equation.value, equation.target, tangents, table)
        target, number = tangent_of(equation.target, names), len(steps) + 1
        role: Literal["state", "intermediate"] = "state" if equation.target.name in inner.states else "intermediate"
        steps.append(TangentStep(number, target, equation.target, found.value, equation, found.rules, role))
        # What does not move has a symbol and no tangent: the equations after it do not mention it.
        if not nodes.is_zero(found.value):
            tangents[equation.target] = target
    return TangentDerivation(derivation, tuple(steps), directions, table)


def names_of(derivation: Derivation) -> Names:
    """The registry of every name that a derivation mentions."""
    taken = dict(derivation.cell.symbols)
    taken |= {equation.target.name: equation.target for equation in derivation.forward}
    taken |= {step.target.name: step.target for step in derivation.steps}
    taken |= {variable.name: variable for variable in derivation.cotangents.values()}
    return Names(taken)


def tangent_of(variable: Variable, names: Names) -> Variable:
    """The symbol for how a variable moves, under a free name; an adjoint's tangent stays an adjoint's."""
    mark = f"{variable.mark} tangent".strip()
    name = names.claim(f"{variable.name}_dot", f"{variable.name}_tangent", f"{variable.name}_moved")
    return names.add(variable.marked(mark, name))
