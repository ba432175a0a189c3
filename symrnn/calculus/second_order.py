"""Second order: how the backward equations move, which are equations of the same language.

Let L be the loss, g(θ) its gradient with respect to everything that a network is given (parameters, inputs, initial
states), and v a direction.  The forward equations give how every variable moves along v (ẏ); the backward equations,
differentiated in the same way, give how every adjoint moves (δ̇y).  The tangent of ∂L/∂W is the block of the
Hessian-vector product H v that belongs to W; it is written ∂L̇/∂W, since L̇ = <g, v>.

Forward over reverse: the cost is a small multiple of that of the gradient, and no Hessian is ever formed.

Source: Pearlmutter (1994), Fast exact multiplication by the Hessian, Neural Computation 6(1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation, Role, Step, derivation_of
from symrnn.calculus.equations import Equations, NamedEquation
from symrnn.calculus.rules import RuleTable, push_forward
from symrnn.calculus.tangent import TangentDerivation, names_of, tangent, tangent_of
from symrnn.errors import UnknownNameError
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class SecondStep:
    """One equation of second order: the tangent of one backward equation.

    Attributes:
        number: its number, following the tangents of the forward equations.
        target: the tangent of an adjoint that it defines, such as δ̇c_t; for a parameter, its block of H v.
        of: the variable whose adjoint that is.
        value: its expression; for a parameter, the term of one time step.
        step: the backward equation that it follows from.
        rules: the names of the rules used, in the order of use.
    """

    number: int
    target: Variable
    of: Variable
    value: Expr
    step: Step
    rules: tuple[str, ...]

    @property
    def role(self) -> Role:
        """What the variable is; "carry" is a state at t-1."""
        return self.step.role


@dataclass(frozen=True, repr=False)
class SecondOrder(Equations):
    """The equations of second order of one step.

    Attributes:
        derivation: the forward and backward equations.
        tangent: the tangents of the forward equations.
        steps: the tangents of the backward equations, in their order.
        cotangents: state name -> the symbol for how what reaches it from outside the step moves.
        losses: state name -> the symbol for how the loss's own partial derivative moves; zero where the loss is
            linear in the state.
    """

    derivation: Derivation
    tangent: TangentDerivation
    steps: tuple[SecondStep, ...]
    cotangents: Mapping[str, Variable]
    losses: Mapping[str, Variable]
    rules: RuleTable = field(repr=False, compare=False)

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.derivation.cell

    @property
    def title(self) -> str:
        """What the equations are."""
        return f"second order of {self.cell.name}"

    @property
    def lines(self) -> tuple[NamedEquation, ...]:
        """Both sides of every equation: the tangents of the forward equations, then those of the backward ones.

        The block of a parameter is a sum over all steps, whose term stands on the right.
        """
        return (*self.tangent.lines, *(NamedEquation(step.target, step.value) for step in self.steps))

    def of(self, name: str) -> SecondStep:
        """The equation for how the adjoint of the variable with this identifier moves."""
        for step in self.steps:
            if step.of.name == name:
                return step
        known = ", ".join(step.of.name for step in self.steps)
        raise UnknownNameError(f"no adjoint of {name!r} in the derivation of {self.cell.name}\n  there are {known}")

    def through_time(self, state: str) -> Expr:
        """How the cotangent of a state at t moves in an unrolled network: with the loss's part, and with step t+1."""
        return nodes.add(self.losses[state], _move_later(self.of(f"{state}_prev").value))


def second_order(cell: Cell | Derivation | str, rules: RuleTable | None = None) -> SecondOrder:
    """Differentiate the forward and the backward equations of one step, both forward.

    Args:
        cell: the cell, or its derivation.
        rules: the rule table for the tangents; by default that of the derivation.

    Returns:
        The equations that a Hessian-vector product consists of.
    """
    derivation = derivation_of(cell)
    table = rules or derivation.rules
    first = tangent(derivation, rules=table)
    tangents: dict[Variable, Expr] = dict(first.tangents)
    names = names_of(derivation)
    for variable in first.tangents.values():
        names.add(variable)
    cotangents = {state: tangent_of(variable, names) for state, variable in derivation.cotangents.items()}
    losses = {state: tangent_of(derivation.loss(state), names) for state in derivation.cell.states}
    tangents |= {derivation.cotangents[state]: variable for state, variable in cotangents.items()}
    steps: list[SecondStep] = []
    for step in derivation.steps:
        found = push_forward(step.value, step.target, tangents, table)
        # Also where it is zero: the equations after it are written with this symbol.
        target = tangents[step.target] = tangent_of(step.target, names)
        number = len(first.steps) + len(steps) + 1
        steps.append(SecondStep(number, target, step.of, found.value, step, found.rules))
    return SecondOrder(derivation, first, tuple(steps), cotangents, losses, table)


def _move_later(expr: Expr) -> Expr:
    """The same expression one time step later; parameters and their tangents stay."""
    moved = {
        # From t-1 to t: h_prev_dot is h_dot there.
        v: v.at(v.time + 1, v.name + "_next" if v.time == 0 else v.name.replace("_prev", "", 1))
        for v in nodes.variables(expr)
        if v.time is not None
    }
    return expr.xreplace(moved)
