"""Which of the lines that carry wrong numbers is the one to name, for each kind of mistake."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.algebra import nodes
from symrnn.diagnosis.wanted import EACH, Case
from symrnn.source_lines.carriers import Carrier, agree, carrying
from symrnn.source_lines.source import chosen, names_gradient
from symrnn.source_lines.statements import base_of, named_in, operands

Array = Any
_MANY = 3
"""Equations that one line must have made wrong, if they share what is wrong."""


@dataclass(frozen=True)
class Pointed:
    """A line, and the quantity whose equation it should have."""

    carrier: Carrier
    quantity: str


class Pointer:
    """Looks for the line of one mistake.

    Args:
        case: the mistake at a question.
        carriers: what the lines assigned when that was asked.
    """

    def __init__(self, case: Case, carriers: Sequence[Carrier]) -> None:
        self.case, self.carriers = case, carriers
        self.loop = case.mistake.loop
        self.cell = case.right.derivation.cell
        self.steps = case.answer.question.steps
        pieces = case.answer.observed
        self.arrays = {piece.name: named_in(piece.array)[0] for piece in pieces if named_in(piece.array)}

    def point(self) -> Pointed | None:
        """The line; None where none is sure."""
        for applies, rule in _RULES:
            if applies(self):
                return rule(self)
        return self.in_equations()

    # --- equations

    def in_equations(self) -> Pointed | None:
        """The line of an equation: of the smallest wrong expression, of the quantity, or of what is computed next."""
        names = [line.of.name for line in self.case.mistake.lines(self.case.right)] or list(self.case.mistake.about)
        if self.is_zero(names):
            return self.of_zero(names)
        return (
            self.of_lost()
            or self.of_pieces()
            or self.of_quantities(names)
            or self.of_quantities(self.case.after(names))
            or self.of_quantities([name.removesuffix("_prev") for name in names if name.endswith("_prev")])
        )

    def of_lost(self) -> Pointed | None:
        """A gradient that is missing wherever it is read: the line that computes zeros for it."""
        edits, lines = self.case.mistake.edits, self.case.right.lines
        if len(edits) < _MANY or any(edit.new is not None for edit in edits):
            return None
        lost = [{v for v in nodes.variables(lines[edit.line].terms[edit.term]) if v.mark} for edit in edits]
        if not set.intersection(*lost):
            return None
        sizes = self.sizes()
        zero = [one for one in self.carriers if one.is_zero and one.multiplies and one.values[0].size in sizes]
        return Pointed(zero[0], "") if zero else None

    def of_pieces(self) -> Pointed | None:
        """The line that computes an expression of the mistake's own."""
        known = list(self.case.others.values())
        given = self.case.mistake.tag in ("derivative-at-output", "derivative-at-preactivation")
        for name, signed, values in self.case.pieces():
            if any(agree(values, other) for other in known):
                continue
            found = [one for one in carrying(self.carriers, values, signed) if one.computes]
            if not found:
                continue
            first = found[0]
            if first.variable.startswith("return") and (given or self.is_given(first)):
                continue  # a function that is right, and was given something else
            return Pointed(self.taken_from(first), name)
        return None

    def is_given(self, carrier: Carrier) -> bool:
        """Whether a function computes the derivative of an activation, somewhere rightly, or an activation itself."""
        known = [*self.case.slopes, *self.case.activations]
        return any(carrying([carrier], values, False) for values in known)

    def of_quantities(self, names: Sequence[str]) -> Pointed | None:
        """The line of the first of some quantities that comes out wrong, and that a line has."""
        for name in [part for each in names for part in (f"{each}{EACH}", each)]:
            if not self.case.differs(name):
                continue
            called = self.called(name)
            wrong, right = self.case.wrong, self.case.others
            others = {**wrong, **{f"{other} as derived": right[other] for other in right if other != name}}
            carrier = chosen(self.carriers, name, wrong[name], right.get(name), others, called)
            if carrier is not None:
                return Pointed(self.taken_from(carrier), name)
        return None

    def called(self, name: str) -> tuple[str, Collection[str]] | None:
        """The caller's array that is a variable of the cell, and all of his arrays."""
        array = self.arrays.get(name.removesuffix(EACH))
        return None if array is None else (array, list(dict.fromkeys(self.arrays.values())))

    def taken_from(self, carrier: Carrier) -> Carrier:
        """The line that gives the wrong value a name, if that name is read for it alone."""
        read = operands(carrier.statement)
        for kind, values in self.case.operands():
            for other in self.carriers:
                base = named_base(other)
                if base not in read or other.statement == carrier.statement or not other.names_one:
                    continue
                fits = {"misread": True, "adjoint": other.renames}.get(kind, self.is_for(other, carrier))
                if fits and self.is_all(other, values):
                    return other
        return carrier

    def is_for(self, carrier: Carrier, reader: Carrier) -> bool:
        """Whether a name is read by one line only."""
        base = named_base(carrier)
        return {one.statement for one in self.carriers if base in operands(one.statement)} <= {reader.statement}

    def is_all(self, carrier: Carrier, values: Sequence[Array]) -> bool:
        """Whether a line assigned these values and no others."""
        size = sum(np.size(value) for value in values)
        return bool(sum(value.size for value in carrier.values) == size and carrying([carrier], values, True))

    # --- what is handed on

    def is_zero(self, names: Sequence[str]) -> bool:
        """Whether the quantities come out as zeros."""
        known = [self.case.wrong[name] for name in names if name in self.case.wrong]
        return bool(known) and not any(np.any(step) for steps in known for step in steps)

    def of_zero(self, names: Sequence[str]) -> Pointed | None:
        """A quantity that is left at zero: the line in the loop that assigns zeros, and keeps them."""
        line = self.zeros_in_loop()
        return None if line is None else Pointed(line, names[0])

    def sizes(self) -> set[int]:
        """How many entries a state has, for all examples."""
        answer = self.case.answer
        return {answer.question.batch * int(np.prod(answer.tape.shape(self.cell[name]))) for name in self.cell.states}

    def zeros_in_loop(self) -> Carrier | None:
        """The first line that assigns zeros of a state's size at each step, and leaves it at that."""
        sizes = self.sizes()
        for one in sorted(self.carriers, key=lambda one: one.moments[0]):
            often = len(one.moments) >= max(2, self.steps - 1)
            if one.is_zero and often and not one.handed and one.values[0].size in sizes and not self.is_added_to(one):
                return one
        return None

    def is_added_to(self, carrier: Carrier) -> bool:
        """Whether a later line of the same round of the loop assigns the variable again."""
        same = [one for one in self.carriers if named_base(one) == named_base(carrier) and not one.handed]
        return any(not one.is_zero and one.statement.line > carrier.statement.line for one in same)

    def stays_zero(self, carrier: Carrier) -> bool:
        """Whether the variable is never anything but zero."""
        same = [one for one in self.carriers if named_base(one) == named_base(carrier) and not one.handed]
        return all(one.is_zero for one in same)

    def handed_on(self) -> Pointed | None:
        """A state whose gradient is not handed on."""
        mistake = self.case.mistake
        names = [name.removesuffix("_prev") for name in mistake.about] + [
            line.of.base for line in mistake.lines(self.case.right)
        ]
        states = [state for state in self.cell.states if state in names] or list(self.cell.states)
        zero = self.zeros_in_loop()
        if zero is not None:
            return Pointed(zero, f"{states[0]}_prev")
        found = self.of_quantities(states)
        if found is None:
            return self.of_quantities_at_all([f"{state}_prev" for state in states])
        read = operands(found.carrier.statement)
        outer = [step for state in states for step in [list(self.case.run.outer[state][1:])]]
        for steps in outer:
            for one in self.carriers:
                if one.handed and one.variable in read and carrying([one], steps, True):
                    return Pointed(one, found.quantity)
        never = [one for one in self.carriers if one.is_zero and named_base(one) in read and self.stays_zero(one)]
        if never or len(found.carrier.moments) < self.steps - 1:
            return self.of_quantities_at_all([f"{found.quantity}_prev"])
        return found

    def of_quantities_at_all(self, names: Sequence[str]) -> Pointed | None:
        """Where a quantity is computed, right or wrong."""
        for name in names:
            if name in self.case.wrong:
                every = carrying(self.carriers, self.case.wrong[name], False)
                computing = [one for one in every if one.computes and len(one.moments) >= min(2, self.steps)]
                if computing:
                    return Pointed(computing[-1], name)
        return None

    def from_outside(self) -> Pointed | None:
        """An output whose cotangent is not used as it should be."""
        outputs = [path for path, _ in self.loop.outer]
        states = [state for path in outputs for state in self.case.answer.cotangents.get(path, {})]
        states = [state for state in dict.fromkeys(states) if self.case.differs(state)]
        zero = self.zeros_in_loop() if self.is_zero(states) else None
        if zero is not None:
            return Pointed(zero, states[0])
        found = self.not_of_carry(states, self.of_quantities(states))
        if found is None or not set(outputs) <= set(self.case.answer.finals):
            return found
        if any(how != "none" for _, how in self.loop.outer):  # it may come in with what is handed to the last step
            return found if isinstance(found.carrier.statement.node, ast.AugAssign) else None
        read = operands(found.carrier.statement)
        starts = [
            one
            for one in self.carriers
            if one.is_zero and named_base(one) in read and min(one.moments) < min(found.carrier.moments)
        ]
        return Pointed(starts[-1], found.quantity) if starts else found

    def not_of_carry(self, states: Sequence[str], found: Pointed | None) -> Pointed | None:
        """Another line, where one is that of what is handed on, which is all that is left of a state's gradient."""
        carries = [name for name in (f"{state}_prev" for state in states) if name in self.case.wrong]
        for name in carries:
            own = {
                one.statement
                for one in carrying(self.carriers, self.case.wrong[name], False)
                if one.computes and not one.calls
            }
            if found is None or found.carrier.statement not in own:
                continue
            every = carrying(self.carriers, self.case.wrong[found.quantity], False)
            rest = [one for one in every if one.statement not in own and (one.computes or one.renames or one.handed)]
            return Pointed(rest[0], found.quantity) if rest else None
        return found

    # --- what is returned

    def returned(self) -> Pointed | None:
        """A gradient that is changed after it was summed, or is something else than what was summed."""
        for name in self.case.mistake.about:
            found = self.last_with(name, self.case.totals[name]) if name in self.case.totals else None
            if found is not None:
                return Pointed(found, name)
        return None

    def last_with(self, name: str, value: Array) -> Carrier | None:
        """The line that gives a variable the value that is returned as a gradient; by its name, or where it returns."""
        last: dict[str, Carrier] = {}
        for one in sorted(self.carriers, key=lambda one: one.moments[-1]):
            last[one.variable] = one
        ends = [one for one in last.values() if not one.handed]
        back = [one for one in ends if isinstance(one.statement.node, ast.Return)]
        called = self.called(name)
        mine = [one for one in ends if called is not None and names_gradient(one.variable, *called)]
        mine = [one for one in mine if one not in back and _is(one.values[-1], value)]
        if self.loop.returned:  # what is computed under that name is right, and not what to return
            mine = [one for one in mine if one.is_zero or not one.computes]
        same = mine[:1] or [one for one in back if any(_is(each, value) for each in one.values)][-1:]
        return same[0] if same else None

    def summed(self) -> Pointed | None:
        """A sum over the steps: the last line of the loop that has the wrong sum."""
        for name in self.case.mistake.about:
            found = carrying(self.carriers, self.case.wrong.get(name, []), False) if self.case.differs(name) else []
            inside = [one for one in found if len(one.moments) > 1 and not one.returns and not one.handed]
            inside = [one for one in inside if (one.computes or one.renames) and not one.variable.startswith("return")]
            if inside:
                return Pointed(max(inside, key=lambda one: one.moments[-1]), name)
        return self.in_equations()

    def clamped(self) -> Pointed | None:
        """What is bounded at each step."""
        names = [name for name, _ in self.loop.clamps]
        for name, (how, bound) in self.loop.clamps if names[0] in self.case.wrong else ():
            if how == "handed":
                values = [np.clip(step, -bound, bound) for step in self.case.wrong[name][1:]]
                found = [one for one in carrying(self.carriers, values, True) if one.computes]
                if found:
                    return Pointed(found[0], name)
                names = []
        later = [name.removesuffix("_prev") for name, _ in self.loop.clamps]
        return self.of_quantities(names) or self.of_quantities(later) or self.of_quantities(self.case.after(later))

    def anywhere(self) -> Pointed | None:
        """The first quantity that comes out wrong."""
        found = self.of_quantities([name.removesuffix(EACH) for name in self.case.changed])
        if found is None or len(found.carrier.moments) == self.steps - 1:
            return None  # it is not reached at the step that is wrong
        read = operands(found.carrier.statement)
        unpacked = [one for one in self.carriers if named_base(one) in read and not one.names_one and not one.computes]
        if any(self.is_all(one, values) for values in self.case.misread() for one in unpacked):
            return None  # it was given something wrong
        return found if len(self.loop.frozen) < 2 else None  # it reads what another line took from the wrong step

    def nowhere(self) -> Pointed | None:
        """No line."""
        return None

    def stacked(self) -> Pointed | None:
        """The line that stacks the gradients of the gates, where they are exchanged wherever they are read."""
        adjoints = {v for edit in self.case.mistake.edits if edit.new is not None for v in nodes.variables(edit.new)}
        values = [self.case.values(v) for v in sorted(adjoints, key=lambda v: v.name) if v.is_sent_back]
        groups = [
            {one.statement: one for one in carrying(self.carriers, each, False) if not one.computes} for each in values
        ]
        both = [s for s in (groups[0] if groups else {}) if all(s in group for group in groups)]
        stacking = [s for s in both if not isinstance(s.node, ast.Return)]
        return Pointed(groups[0][stacking[0]], "") if stacking else self.in_equations()


def named_base(carrier: Carrier) -> str:
    """The name of what is assigned to: `dW` for `self.dW[k]`."""
    for target in carrier.statement.targets:
        if target.text == carrier.variable:
            return base_of(target.place)
    return carrier.variable.partition("[")[0].rpartition(".")[2]


def _is(value: Array, wanted: Array) -> bool:
    wanted = np.squeeze(wanted)
    for one in (value, value.T):
        if one.shape == wanted.shape and np.linalg.norm(one - wanted) <= 1e-9 * np.linalg.norm(wanted):
            return True
    return False


def _is_stacking(one: Pointer) -> bool:
    mistake = one.case.mistake
    return mistake.tag == "gate-swapped" and len(mistake.lines(one.case.right)) > 2


_RULES: tuple[tuple[Callable[[Pointer], Any], Callable[[Pointer], Pointed | None]], ...] = (
    (lambda one: one.loop.outer, Pointer.from_outside),
    (lambda one: one.loop.clamps, Pointer.clamped),
    (lambda one: one.loop.cut or one.loop.kept or one.loop.length, Pointer.handed_on),
    (lambda one: one.loop.returned, Pointer.returned),
    (
        lambda one: one.loop.bounds or one.loop.norms,
        lambda one: one.of_quantities(one.case.mistake.about) or one.returned(),
    ),
    (lambda one: one.loop.sums, Pointer.summed),
    (lambda one: one.loop.factors or one.loop.series, lambda one: one.in_equations() or one.returned()),
    (lambda one: one.loop.skipped or one.loop.span or one.case.mistake.tag == "corrupted-cache", Pointer.nowhere),
    (lambda one: one.loop.starts or one.loop.frozen, Pointer.anywhere),
    (_is_stacking, Pointer.stacked),
)
"""What a mistake is about, and where to look for its line."""
