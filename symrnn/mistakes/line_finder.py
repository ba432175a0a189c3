"""Which line of somebody's backward pass makes a mistake: the rules that serve several classes of mistakes.

The general rule is `in_equations`; a class with a rule of its own has it in its file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from symrnn.algebra import nodes
from symrnn.arrays import Array
from symrnn.mistakes.case import EACH, MistakeCase
from symrnn.source_lines.assigned import AssignedValues, agree, assigning
from symrnn.source_lines.source import chosen, names_gradient
from symrnn.source_lines.statements import base_of, operands

_MANY = 3
"""Equations that one line must have made wrong, if they share what is wrong."""


@dataclass(frozen=True)
class FoundLine:
    """A line, and the quantity whose equation it should have."""

    assignment: AssignedValues
    quantity: str


LineRule = Callable[["LineFinder"], FoundLine | None]


class LineFinder:
    """Looks for the line of one mistake.

    Args:
        case: the mistake at a question.
        assigned: what the lines assigned when that was asked.
    """

    def __init__(self, case: MistakeCase, assigned: Sequence[AssignedValues]) -> None:
        self.case, self.assigned = case, assigned
        self.cell = case.right.derivation.cell
        self.steps = case.tape.steps
        self.arrays = case.arrays

    def find(self, usual: LineRule) -> FoundLine | None:
        """The line; None where none is sure.

        Args:
            usual: the rule of the class of the mistake, where its effects have none of their own.
        """
        rules = (effect.line_rule() for effect in self.case.mistake.effects)
        return next((rule for rule in rules if rule is not None), usual)(self)

    # --- equations

    def in_equations(self, given: bool = False) -> FoundLine | None:
        """The first statement whose value is the wrong quantity's, and whose reads are right.

        Looked for are the smallest wrong expression, then the quantity, then what is computed next.

        Args:
            given: whether a function that is right may have been given something wrong.
        """
        names = [line.of.name for line in self.case.mistake.lines(self.case.right)] or list(self.case.mistake.about)
        # Zeros are everywhere in a program, so they are looked for among what is assigned in the loop, not by their
        # values.
        if self.is_zero(names):
            return self.of_zero(names)
        return (
            # From the surest to the vaguest: what only the mistake computes, what comes out wrong, and what is computed
            # from that.
            self.of_lost()
            or self.of_pieces(given)
            or self.of_quantities(names)
            or self.of_quantities(self.case.after(names))
            or self.of_quantities([name.removesuffix("_prev") for name in names if name.endswith("_prev")])
        )

    def of_lost(self) -> FoundLine | None:
        """A gradient that is missing wherever it is read: the line that computes zeros for it."""
        edits, lines = self.case.mistake.edits, self.case.right.lines
        if len(edits) < _MANY or any(edit.new is not None for edit in edits):
            return None
        lost = [{v for v in nodes.variables(lines[edit.line].terms[edit.term]) if v.mark} for edit in edits]
        # All of them lack one adjoint: then that is zero, and the equations may be right.
        if not set.intersection(*lost):
            return None
        sizes = self.sizes()
        zero = [one for one in self.assigned if one.is_zero and one.multiplies and one.values[0].size in sizes]
        return FoundLine(zero[0], "") if zero else None

    def of_pieces(self, given: bool) -> FoundLine | None:
        """The line that computes an expression of the mistake's own."""
        known = [*self.case.others.values(), *self.case.terms]
        for name, signed, values in self.case.pieces():
            # A right program has such a value too, so that a line with it may be right.
            if any(agree(values, other) for other in known):
                continue
            found = [one for one in assigning(self.assigned, values, signed) if one.computes]
            if not found:
                continue
            first = found[0]
            if first.variable.startswith("return") and (given or self.is_given(first)):
                continue  # a function that is right, and was given something else
            return FoundLine(self.taken_from(first), name)
        return None

    def is_given(self, assignment: AssignedValues) -> bool:
        """Whether a function computes the derivative of an activation, somewhere rightly, or an activation itself."""
        known = [*self.case.slopes, *self.case.activations]
        return any(assigning([assignment], values, False) for values in known)

    def of_quantities(self, names: Sequence[str]) -> FoundLine | None:
        """The line of the first of some quantities that comes out wrong, and that a line has."""
        # The terms before their sum: the line that makes a term is the wrong one, the sum over the steps only shows it.
        for name in [part for each in names for part in (f"{each}{EACH}", each)]:
            if not self.case.differs(name):
                continue
            called = self.called(name)
            wrong, right = self.case.wrong, self.case.others
            others = {**wrong, **{f"{other} as derived": right[other] for other in right if other != name}}
            assignment = chosen(self.assigned, name, wrong[name], right.get(name), others, called)
            if assignment is not None:
                return FoundLine(self.taken_from(assignment), name)
        return None

    def called(self, name: str) -> tuple[str, Collection[str]] | None:
        """The caller's array that is a variable of the cell, and all of his arrays."""
        array = self.arrays.get(name.removesuffix(EACH))
        return None if array is None else (array, list(dict.fromkeys(self.arrays.values())))

    def taken_from(self, assignment: AssignedValues) -> AssignedValues:
        """The assignment that introduces the wrong value, if nothing else reads it."""
        read = operands(assignment.statement)
        for kind, values in self.case.operands():
            for other in self.assigned:
                base = named_base(other)
                # Several names on one line are unpacked, and say nothing of what is theirs.
                if base not in read or other.statement == assignment.statement or not other.names_one:
                    continue
                fits = {"misread": True, "adjoint": other.renames}.get(kind, self.is_for(other, assignment))
                if fits and self.is_all(other, values):
                    return other
        return assignment

    def is_for(self, assignment: AssignedValues, reader: AssignedValues) -> bool:
        """Whether a name is read by one line only."""
        base = named_base(assignment)
        # A value that others read as well is right there, or they would be wrong too.
        return {one.statement for one in self.assigned if base in operands(one.statement)} <= {reader.statement}

    def is_all(self, assignment: AssignedValues, values: Sequence[Array]) -> bool:
        """Whether a line assigned these values and no others."""
        size = sum(np.size(value) for value in values)
        return bool(sum(value.size for value in assignment.values) == size and assigning([assignment], values, True))

    # --- what is handed on

    def is_zero(self, names: Sequence[str]) -> bool:
        """Whether the quantities come out as zeros."""
        known = [self.case.wrong[name] for name in names if name in self.case.wrong]
        return bool(known) and not any(np.any(step) for steps in known for step in steps)

    def of_zero(self, names: Sequence[str]) -> FoundLine | None:
        """A quantity that is left at zero: the line in the loop that assigns zeros, and keeps them."""
        line = self.zeros_in_loop()
        return None if line is None else FoundLine(line, names[0])

    def sizes(self) -> set[int]:
        """How many entries a state has, for all examples."""
        tape = self.case.tape
        return {tape.batch * int(np.prod(tape.shape(self.cell[name]))) for name in self.cell.states}

    def zeros_in_loop(self) -> AssignedValues | None:
        """The first line that assigns zeros of a state's size at each step, and leaves it at that."""
        sizes = self.sizes()
        for one in sorted(self.assigned, key=lambda one: one.moments[0]):
            # At every step, or at all but one that is written apart; what happens once stands before the loop.
            often = len(one.moments) >= max(2, self.steps - 1)
            if one.is_zero and often and not one.handed and one.values[0].size in sizes and not self.is_added_to(one):
                return one
        return None

    def is_added_to(self, assignment: AssignedValues) -> bool:
        """Whether a later line of the same round of the loop assigns the variable again."""
        same = [one for one in self.assigned if named_base(one) == named_base(assignment) and not one.handed]
        return any(not one.is_zero and one.statement.line > assignment.statement.line for one in same)

    def stays_zero(self, assignment: AssignedValues) -> bool:
        """Whether the variable is never anything but zero."""
        same = [one for one in self.assigned if named_base(one) == named_base(assignment) and not one.handed]
        return all(one.is_zero for one in same)

    def of_quantities_at_all(self, names: Sequence[str]) -> FoundLine | None:
        """Where a quantity is computed, right or wrong."""
        for name in names:
            if name in self.case.wrong:
                every = assigning(self.assigned, self.case.wrong[name], False)
                computing = [one for one in every if one.computes and len(one.moments) >= min(2, self.steps)]
                if computing:
                    return FoundLine(computing[-1], name)
        return None

    def nowhere(self) -> FoundLine | None:
        """No line: what is wrong is that something is not done, or is done to a value that many lines read."""
        return None

    # --- what is returned

    def returned(self, taken: bool = False) -> FoundLine | None:
        """A gradient that is changed after it was summed, or is something else than what was summed.

        Args:
            taken: whether it is a value that is right elsewhere, and not one that is computed there.
        """
        for name in self.case.mistake.about:
            found = self.last_with(name, self.case.totals[name], taken) if name in self.case.totals else None
            if found is not None:
                return FoundLine(found, name)
        return None

    def last_with(self, name: str, value: Array, taken: bool = False) -> AssignedValues | None:
        """The line that gives a variable the value that is returned as a gradient; by its name, or where it returns."""
        last: dict[str, AssignedValues] = {}
        # What is assigned last is what a variable holds when it is returned.
        for one in sorted(self.assigned, key=lambda one: one.moments[-1]):
            last[one.variable] = one
        ends = [one for one in last.values() if not one.handed]
        back = [one for one in ends if isinstance(one.statement.node, ast.Return)]
        called = self.called(name)
        mine = [one for one in ends if called is not None and names_gradient(one.variable, *called)]
        # A name is better than a value: gradients of different arrays may be equal, and a `return` has all of them.
        mine = [one for one in mine if one not in back and _is(one.values[-1], value)]
        if taken:  # what is computed under that name is right, and not what to return
            mine = [one for one in mine if one.is_zero or not one.computes]
        # The last return is that of the outermost function.
        same = mine[:1] or [one for one in back if any(_is(each, value) for each in one.values)][-1:]
        return same[0] if same else None

    def summed(self) -> FoundLine | None:
        """A sum over the steps: the last line of the loop that has the wrong sum."""
        for name in self.case.mistake.about:
            found = assigning(self.assigned, self.case.wrong.get(name, []), False) if self.case.differs(name) else []
            inside = [one for one in found if len(one.moments) > 1 and not one.returns and not one.handed]
            inside = [one for one in inside if (one.computes or one.renames) and not one.variable.startswith("return")]
            if inside:
                # The sum is complete where it is assigned last.
                return FoundLine(max(inside, key=lambda one: one.moments[-1]), name)
        return self.in_equations()

    def anywhere(self) -> FoundLine | None:
        """The first quantity that comes out wrong."""
        found = self.of_quantities([name.removesuffix(EACH) for name in self.case.changed])
        if found is None or len(found.assignment.moments) == self.steps - 1:
            return None  # it is not reached at the step that is wrong
        read = operands(found.assignment.statement)
        unpacked = [one for one in self.assigned if named_base(one) in read and not one.names_one and not one.computes]
        if any(self.is_all(one, values) for values in self.case.misread() for one in unpacked):
            return None  # it was given something wrong
        return found


def named_base(assignment: AssignedValues) -> str:
    """The name of what is assigned to: `dW` for `self.dW[k]`."""
    for target in assignment.statement.targets:
        if target.text == assignment.variable:
            return base_of(target.place)
    return assignment.variable.partition("[")[0].rpartition(".")[2]


def _is(value: Array, wanted: Array) -> bool:
    wanted = np.squeeze(wanted)
    # Somebody may keep weights as (inputs, outputs) where the cell has (outputs, inputs).
    for one in (value, value.T):
        if one.shape == wanted.shape and np.linalg.norm(one - wanted) <= 1e-9 * np.linalg.norm(wanted):
            return True
    return False


def given_otherwise(finder: LineFinder) -> FoundLine | None:
    """The line of an equation, where a function that is right may have been given something wrong."""
    return finder.in_equations(given=True)
