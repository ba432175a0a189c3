"""The intermediate form of a program: statements that know what they read and write.

Expressions stay as they are in the derivation, per example; a statement inside a `Loop` is about one time step, a
statement outside is about all steps at once.  The batch axis, array layouts and the target language are the
printers' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from sympy import Symbol

from symrnn.algebra.nodes import Expr, Variable, variables
from symrnn.algebra.rebuilding import valued
from symrnn.calculus.derivation import Derivation, Role
from symrnn.calculus.second_order import SecondOrder
from symrnn.calculus.tangent import TangentDerivation
from symrnn.language.recurrence import told_sizes


@dataclass(frozen=True)
class _Computation:
    target: Variable
    value: Expr

    @cached_property
    def reads(self) -> frozenset[Variable]:
        """The variables that the value needs."""
        return frozenset(variables(self.value))

    @property
    def writes(self) -> frozenset[Variable]:
        """The target."""
        return frozenset({self.target})

    def __post_init__(self) -> None:  # a statement computes values: what is there for derivatives goes
        object.__setattr__(self, "value", valued(self.value))


class Assign(_Computation):
    """`target = value`."""


class Accumulate(_Computation):
    """`target += value`, summed over the batch, and over time where it stands outside the loop."""


Statement = Assign | Accumulate


@dataclass(frozen=True)
class Loop:
    """The body once per time step, forward or backward in time."""

    body: tuple[Statement, ...]
    direction: Literal["forward", "backward"]

    @property
    def reads(self) -> frozenset[Variable]:
        """What any statement of the body reads."""
        return frozenset(v for statement in self.body for v in statement.reads)

    @property
    def writes(self) -> frozenset[Variable]:
        """What any statement of the body writes."""
        return frozenset(v for statement in self.body for v in statement.writes)


@dataclass(frozen=True)
class Function:
    """Statements for all steps at once, a loop over time, and more statements for all steps at once.

    Attributes:
        before: what does not depend on the loop.
        loop: what does.
        after: what only reads the loop's results.
    """

    before: tuple[Statement, ...]
    loop: Loop
    after: tuple[Statement, ...]

    def __iter__(self) -> Iterator[Statement]:
        return iter((*self.before, *self.loop.body, *self.after))

    @property
    def reads(self) -> frozenset[Variable]:
        """What any statement reads."""
        return frozenset(v for statement in self for v in statement.reads)

    @property
    def writes(self) -> frozenset[Variable]:
        """What any statement writes."""
        return frozenset(v for statement in self for v in statement.writes)

    def with_body(self, body: tuple[Statement, ...]) -> Function:
        """The same function with another loop body."""
        return replace(self, loop=replace(self.loop, body=body))


@dataclass(frozen=True)
class Program:
    """The forward and the backward pass of a cell, or how they move in a direction.

    Attributes:
        derivation: what the program computes.
        forward: inputs, initial states and parameters -> states.
        backward: cotangents and the tape -> gradients.
        tangent: the equations of forward mode, where the forward pass computes tangents too.
        second: the equations of second order, where the backward pass computes the tangents of the adjoints too.
    """

    derivation: Derivation
    forward: Function
    backward: Function
    tangent: TangentDerivation | None = None
    second: SecondOrder | None = None

    @property
    def arguments(self) -> tuple[Variable, ...]:
        """The inputs, the parameters and the constants, and the tangents of those that have one."""
        cell = self.derivation.cell
        return self._with_tangents(cell[name] for name in (*cell.inputs, *cell.parameters, *cell.constants))

    @property
    def states(self) -> tuple[Variable, ...]:
        """The states at t, and their tangents."""
        cell = self.derivation.cell
        return self._with_tangents(cell[name] for name in cell.states)

    @property
    def previous(self) -> tuple[Variable, ...]:
        """The states at t-1, and their tangents."""
        return self._with_tangents(self.derivation.cell.previous)

    @property
    def losses(self) -> tuple[Variable, ...]:
        """The loss's partial derivatives with respect to the states, and how they move."""
        own = tuple(self.derivation.loss(state) for state in self.derivation.cell.states)
        return own + (tuple(self.second.losses.values()) if self.second else ())

    def adjoints(self, *roles: Role) -> tuple[Variable, ...]:
        """The adjoints of the variables with these roles, and their tangents."""
        steps = [step.target for step in self.derivation.steps if step.role in roles]
        return (*steps, *(s.target for s in (self.second.steps if self.second else ()) if s.role in roles))

    def _with_tangents(self, variables: Iterable[Variable]) -> tuple[Variable, ...]:
        own = tuple(variables)
        moving = self.tangent.tangents if self.tangent else {}
        return own + tuple(moving[v] for v in own if v in moving)

    @property
    def tape(self) -> tuple[Variable, ...]:
        """What the backward pass needs of the forward pass, in the order in which it is computed; inputs first.

        An input is also kept where nothing else tells the size of its gradient.
        """
        cell, states = self.derivation.cell, set(self.states)
        known = [cell[name] for name in cell.inputs]
        known += [v for statement in self.forward for v in statement.writes]
        needed = self.backward.reads
        # The backward pass is given the tape, the parameters and the states; a size that none of their shapes has would
        # be unknown there.
        told = {*states, *(cell[name] for name in cell.parameters), *(v for v in known if v in needed)}
        sizes = told_sizes(told)
        silent = {cell[name] for name in cell.inputs if not _sizes(cell[name]) <= sizes}
        return tuple(v for v in known if (v in needed or v in silent) and v not in states)

    def check(self) -> Program:
        """The program itself, after making sure that nothing is read before it is written.

        Raises:
            AssertionError: a pass has broken the program.
        """
        given = {*self.arguments, *self.previous}
        _check_order(self.forward, given)
        # The backward pass may read all that forward computes: what it does read becomes the tape.
        given |= {*self.states, *self.losses} | self.forward.writes
        given |= set(self.adjoints("carry"))  # set before the loop, renewed in it
        _check_order(self.backward, given)
        return self


def _sizes(variable: Variable) -> set[Symbol]:
    return {size for dim in variable.shape for size in dim.free_symbols}


def _check_order(function: Function, given: set[Variable]) -> None:
    known = set(given)
    for statement in function:
        unknown = statement.reads - known
        # An assertion: a program in a wrong order is a fault of a pass, nothing that a user could mend.
        assert not unknown, f"{statement.target} reads {sorted(v.name for v in unknown)} before it is written"
        known |= statement.writes
