"""The intermediate form of a program: statements that know what they read and write.

Expressions stay as they are in the derivation, per example; a statement inside a `Loop` is about one time step, a
statement outside is about all steps at once.  The batch axis, array layouts and the target language are the
printers' business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from symrnn.algebra.nodes import Expr, Variable, variables
from symrnn.calculus.derivation import Derivation


@dataclass(frozen=True)
class _Statement:
    target: Variable
    value: Expr

    @property
    def reads(self) -> frozenset[Variable]:
        """The variables that the value needs."""
        return frozenset(variables(self.value))

    @property
    def writes(self) -> frozenset[Variable]:
        """The target."""
        return frozenset({self.target})


class Assign(_Statement):
    """`target = value`."""


class Accumulate(_Statement):
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
    """The forward and the backward pass of a cell.

    Attributes:
        derivation: what the program computes.
        forward: inputs, initial states and parameters -> states.
        backward: cotangents and the tape -> gradients.
    """

    derivation: Derivation
    forward: Function
    backward: Function

    @property
    def tape(self) -> tuple[Variable, ...]:
        """What the backward pass needs of the forward pass, in the order in which it is computed; inputs first."""
        cell = self.derivation.cell
        known = [cell[name] for name in cell.inputs]
        known += [v for statement in self.forward for v in statement.writes]
        needed = self.backward.reads
        return tuple(v for v in known if v in needed and v.name not in cell.states)

    def check(self) -> Program:
        """The program itself, after making sure that nothing is read before it is written.

        Raises:
            AssertionError: a pass has broken the program.
        """
        cell = self.derivation.cell
        given = {cell[name] for name in (*cell.inputs, *cell.parameters)} | set(cell.previous)
        _check_order(self.forward, given)
        given |= {cell[name] for name in cell.states} | self.forward.writes
        given |= {self.derivation.loss(state) for state in cell.states}
        given |= {step.target for step in self.derivation.role("carry")}  # set before the loop, renewed in it
        _check_order(self.backward, given)
        return self


def _check_order(function: Function, given: set[Variable]) -> None:
    known = set(given)
    for statement in function:
        unknown = statement.reads - known
        assert not unknown, f"{statement.target} reads {sorted(v.name for v in unknown)} before it is written"
        known |= statement.writes
