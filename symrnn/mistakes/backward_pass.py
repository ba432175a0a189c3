"""The derived backward pass through time, as something that can be changed and run.

A program is the derivation's backward equations, term by term, and the loop around them.  Run as it is, it gives the
right gradients; with an equation or the loop changed, those of somebody who made that mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.simplify import simplify
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation, Role
from symrnn.mistakes.batched import Frame, compiled
from symrnn.mistakes.effects import Effect, changes_of
from symrnn.mistakes.tape import Tape

Cotangents = Mapping[str, Mapping[str, Array]]
"""Output -> state -> its cotangents (T + 1, N, ...), the initial state's first."""


@dataclass(frozen=True)
class AdjointEquation:
    """One backward equation: `target` is the sum of `terms`.

    Attributes:
        of: the variable whose adjoint it gives.
        target: the adjoint.
        role: what the variable is.
        number: the equation's number in the derivation.
        terms: what is added up; for a parameter, at each step.
    """

    of: Variable
    target: Variable
    role: Role
    number: int
    terms: tuple[Expr, ...]


@dataclass(frozen=True)
class BackwardPass:
    """A backward pass, right or wrong.

    Attributes:
        derivation: the right one.
        lines: the equations.
        start: the equations at step 0, which programs often write down apart from the others.
        effects: what is changed beside the equations; nothing, if it is right.
        seeded: whether the cotangents of last states come in as what a step behind the last hands on; both ways are
            right, and a mistake may matter in one of them only.
    """

    derivation: Derivation = field(repr=False, compare=False)
    lines: tuple[AdjointEquation, ...]
    start: tuple[AdjointEquation, ...]
    effects: tuple[Effect, ...] = ()
    seeded: bool = False

    @classmethod
    def right(cls, derivation: Derivation) -> BackwardPass:
        """The backward pass as derived."""
        lines = []
        for step in derivation.steps:
            terms = [simplify(share.value) for _, share in step.shares]
            if step.role == "state":
                # A state's cotangent as its two parts: what people forget is what the loss sends or what the next step
                # sends, seldom both.
                terms[:0] = [derivation.loss(step.of.name), carried_part(derivation, step.of.name)]
            lines.append(AdjointEquation(step.of, step.target, step.role, step.number, tuple(terms)))
        always = tuple(lines)
        return cls(derivation, always, always)

    def at(self, t: int) -> tuple[AdjointEquation, ...]:
        """The equations at a step."""
        return self.lines if t else self.start

    def line(self, name: str) -> AdjointEquation:
        """The equation of the adjoint of a variable."""
        return next(line for line in self.lines if line.of.name == name)

    def gradients(self, tape: Tape, cotangents: Cotangents, finals: Collection[str] = ()) -> dict[str, Array]:
        """Every gradient that this program gives.

        Args:
            tape: the values of a forward pass.
            cotangents: those of its outputs.
            finals: the outputs that are last states.

        Returns:
            Parameter -> its gradient; input -> (T, N, ...); state at t-1, such as `h_prev` -> (N, ...).
        """
        return Run(self, tape, cotangents, finals).gradients()

    def values(self, tape: Tape, cotangents: Cotangents, finals: Collection[str] = ()) -> dict[str, list[Array]]:
        """What the equations give: variable -> the values of its adjoint at each step, each (N, rows, columns)."""
        run = Run(self, tape, cotangents, finals)
        run.gradients()
        # The loop runs back, so that the last step's values were seen first.
        return {name: values[::-1] for name, values in run.seen.items()}


class Run:
    """One run of a backward pass.

    Args:
        program: the backward pass.
        tape: the values of a forward pass.
        cotangents: those of its outputs.
        finals: the outputs that are last states.

    Attributes:
        outer: state -> what reaches it from the outputs (T + 1, N, rows, columns).
        seed: state -> what the last step is handed.
        handed: state -> what the step before it in the loop handed on.
        adjoints: state -> its adjoint at the step that the loop came to last.
        frames: step -> the values that it read and computed.
        seen: variable -> the values of its adjoint, from the last step back.
        found: the gradients, where somebody has kept them here.
    """

    def __init__(self, program: BackwardPass, tape: Tape, cotangents: Cotangents, finals: Collection[str]) -> None:
        self.program, self.tape = program, tape
        # Added at the last step or handed to it, a cotangent comes to the same sum; only what reads the two parts of a
        # state's cotangent apart, or changes what is carried, can tell.
        self.seeds = frozenset(finals) if program.seeded else frozenset()
        self.cell = program.derivation.cell
        self._changes = changes_of(program.effects)
        self.sums: dict[str, Array] = {}
        self.frames: dict[int, Frame] = {}
        self.found: dict[str, Array] = {}
        self.seen: dict[str, list[Array]] = {}
        self.next: Frame | None = None
        self.series: dict[str, Array] = {name: np.zeros_like(tape.courses[name]) for name in self.cell.inputs}
        self.outer = {name: self._outer(name, cotangents, False) for name in self.cell.states}
        self.seed = {name: self._outer(name, cotangents, True)[-1] for name in self.cell.states}
        self.adjoints: dict[str, Array] = {name: np.zeros_like(value) for name, value in self.seed.items()}

    def again(self, program: BackwardPass, names: Collection[str]) -> dict[str, Array]:
        """Gradients of parameters and inputs of another program, one that computes the same adjoints as this one.

        Args:
            program: differs in the equations of these gradients alone.
            names: whose gradients.
        """
        other = self._of(program)
        other.series = {name: np.zeros_like(self.series[name]) for name in names if name in self.series}
        for t, known in self.frames.items():
            frame = Frame(self.tape, t, known, other._edge)
            frame.after = known.after
            for line in (line for line in program.at(t) if line.of.name in names):
                other._keep(line, other._value(line, frame), t)
        return {name: other._found(name) for name in names}

    def edited(self, program: BackwardPass) -> dict[str, Array]:
        """The gradients that another program changes, by what it changes: for a single step and the same effects."""
        other = self._of(program)
        other.series, other.handed = dict(self.series), dict(self.handed)
        frame = Frame(self.tape, 0, self.frames[0], other._edge)
        changed: set[str] = set()
        names: list[str] = []
        for line, known in zip(program.at(0), self.program.at(0), strict=True):
            # By identity: a mistake leaves the equations that it does not edit the same objects.
            if line is known and not any(changed & _reads(term) for term in line.terms):
                continue
            value = frame[line.target.name] = other._value(line, frame)
            changed.add(line.target.name)
            if line.role in ("parameter", "input", "carry"):
                names.append(line.of.name)
                other.series |= {line.of.name: np.zeros_like(value)[None]} if line.role == "input" else {}
                other.handed |= {line.of.base: value} if line.role == "carry" else {}
                other._keep(line, value, 0)
        other.adjoints = {state: other._adjoint(frame, state, state) for state in self.cell.states}
        return {
            name: other._initial(name, other.handed) if name in self._initials else other._found(name) for name in names
        }

    def _of(self, program: BackwardPass) -> Run:
        """This run for another program, before anything is summed."""
        other = copy(self)
        other.program, other._changes, other.sums = program, changes_of(program.effects), {}
        return other

    @property
    def _edge(self) -> str:
        """What is outside the sequence; by default what Python's lists have there."""
        return next((edge for beyond in self._changes["beyond"] if (edge := beyond())), "around")

    @cached_property
    def _initials(self) -> Mapping[str, str]:
        return {f"{state}_prev": state for state in self.cell.states}

    def _initial(self, name: str, late: Mapping[str, Array]) -> Array:
        """The gradient of an initial state."""
        state = self._initials[name]
        # The first effect that has something to say: two cannot both decide what is returned.
        ways = (gradient(self, state, late) for gradient in self._changes["returns_initial"])
        returned = next((way for way in ways if way is not None), self.handed[state])
        value = returned + self.outer[state][0]
        shape = self.tape.shape.in_text(self.cell[state])
        return self._returned(name, value.reshape(self.tape.batch, *shape))

    def gradients(self) -> dict[str, Array]:
        """Every gradient."""
        steps = self.tape.steps
        carried = {name: self._carried(name, seed, steps) for name, seed in self.seed.items()}
        self.handed = dict(carried)
        late = dict(carried)
        for t in reversed(range(steps)):
            if all(runs(t, steps) for runs in self._changes["runs"]):
                # Before the step runs, so that after the loop it is what step 1 handed on.
                late = dict(self.handed)
                carried = self._step(t, carried)
        found = {name: self._found(name) for name in (*self.cell.parameters, *self.cell.inputs)}
        found |= {name: self._initial(name, late) for name in self._initials}
        for change in self._changes["returns_all"]:
            found = change(found)
        return found

    def _found(self, name: str) -> Array:
        if name in self.cell.parameters:
            shape = self.tape.shape.in_text(self.cell[name])
            return self._returned(name, np.reshape(self.sums.get(name, np.zeros(shape)), shape))
        series = self.series[name]
        for change in self._changes["returns_series"]:
            series = change(name, series)
        shape = self.tape.shape.in_text(self.cell[name])
        return self._returned(name, series.reshape(self.tape.steps, self.tape.batch, *shape))

    def _outer(self, state: str, cotangents: Cotangents, seeds: bool) -> Array:
        """What reaches a state over time from the outputs; or from those that are handed to the last step."""
        total = np.zeros_like(self.tape.courses[state])
        for path, states in cotangents.items():
            if state in states and (path in self.seeds) == seeds:
                value = np.reshape(states[state], total.shape)
                for change in self._changes["cotangents"]:
                    value = change(path, value)
                total = total + value
        return total

    def _step(self, t: int, carried: Mapping[str, Array]) -> dict[str, Array]:
        derivation = self.program.derivation
        frame = self.tape.frame(t, self._edge)
        for read in self._changes["reads"]:
            read(self.tape, t, frame)
        frame.after = self.next
        for state in self.cell.states:
            outer = self.outer[state][t + 1]
            frame[derivation.cotangents[state].name] = outer + carried[state]
            frame[derivation.loss(state).name] = outer
            frame[carried_part(derivation, state).name] = carried[state]
        for line in self.program.at(t):
            # Only what is handed on may read other values than the rest of its step: a bound there does not bound the
            # gradients of weights.
            value = self._value(line, self._handing_on(frame) if line.role == "carry" else frame)
            for change in self._changes["computes"]:
                # Before it is put into the frame, so that the equations after it read what the program would.
                value = change(line.of.name, value)
            frame[line.target.name] = value
            self.seen.setdefault(line.of.name, []).append(value)
            self._keep(line, value, t)
        self.frames[t] = frame
        self.next = frame
        self.adjoints = {state: self._adjoint(frame, state, state) for state in self.cell.states}
        self.handed = {state: self._adjoint(frame, f"{state}_prev", state) for state in self.cell.states}
        return {state: self._carried(state, value, t) for state, value in list(self.handed.items())}

    def _handing_on(self, frame: Frame) -> Frame:
        """The values that the equations of what is handed on read."""
        for change in self._changes["hands_on"]:
            frame = change(frame, {line.of.name: line.target.name for line in self.program.lines})
        return frame

    def _value(self, line: AdjointEquation, frame: Frame) -> Array:
        value: Any = 0.0
        for term in line.terms:
            value = value + compiled(term)(frame)
        whole: Array = self._nothing(line.of) + value if np.ndim(value) < 3 else value  # no terms but zeros
        return whole

    def _keep(self, line: AdjointEquation, value: Array, t: int) -> None:
        if line.role == "parameter":
            self._accumulate(line.of.name, value, t)
        elif line.role == "input":
            self.series[line.of.name][t] = value

    def _adjoint(self, frame: Frame, name: str, state: str) -> Array:
        value = frame.get(self.program.derivation.of(name).target.name)
        return self._nothing(self.cell[state]) if value is None else value

    def _nothing(self, variable: Variable) -> Array:
        return np.zeros((self.tape.batch, *self.tape.shape(variable)))

    def _carried(self, state: str, value: Array, t: int) -> Array:
        ways = (carries(self, state, value, t) for carries in self._changes["carries"])
        return next((way for way in ways if way is not None), value)

    def _accumulate(self, name: str, value: Array, t: int) -> None:
        ways = (counts(name, t, self.tape.steps) for counts in self._changes["counts"])
        weight = next((way for way in ways if way is not None), 1)
        # A term that never counts leaves the sum unmade, and zeros of the right shape are returned for it.
        if weight:
            self.sums[name] = self.sums.get(name, 0.0) + weight * value.sum(axis=0)

    def _returned(self, name: str, value: Array) -> Array:
        number = self.multiple(name)
        value = value if number == 1.0 else value * number
        for change in self._changes["returns"]:
            value = change(name, value)
        return value

    def multiple(self, name: str) -> float:
        """The number that the gradient of a variable is multiplied with."""
        number = 1.0
        for multiple in self._changes["multiple"]:
            number *= multiple(name, self.tape)
        return number


@lru_cache(maxsize=100_000)
def _reads(expr: Expr) -> frozenset[str]:
    """The names of the variables in an expression."""
    return frozenset(variable.name for variable in nodes.variables(expr))


def at_first(previous: Variable, how: str) -> Variable:
    """A state at t-1 that is something else at step 0, as `Tape.first` has it; for a single equation."""
    return previous.marked(f"first:{how}", f"{previous.name}_first_{how}")


def at_step(variable: Variable, step: int) -> Variable:
    """A variable that has, at every step, the value of the first step (0) or of the last (-1)."""
    return variable.marked(f"step:{step}", f"{variable.name}_step_{step}")


def of_next_step(adjoint: Variable) -> Variable:
    """An adjoint as the step after has computed it; zero at the last step."""
    return adjoint.marked(f"next:{adjoint.name}", f"{adjoint.name}_next")


def carried_part(derivation: Derivation, state: str) -> Variable:
    """What the step after sends back to a state, without what the loss sends."""
    return derivation.cell[state].marked("carried", f"{state}_bar_carried")
