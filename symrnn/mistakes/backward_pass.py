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
from symrnn.calculus.derivation import Derivation, Role
from symrnn.mistakes.batched import Frame, compiled
from symrnn.mistakes.loop import OUTER, RIGHT, SERIES, WEIGHTS, Loop
from symrnn.mistakes.tape import Tape, text_shape

Array = Any
Cotangents = Mapping[str, Mapping[str, Array]]
"""Output -> state -> its cotangents (T + 1, N, ...), the initial state's first."""


@dataclass(frozen=True)
class Line:
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
class Program:
    """A backward pass, right or wrong.

    Attributes:
        derivation: the right one.
        lines: the equations.
        start: the equations at step 0, which programs often write down apart from the others.
        loop: what surrounds them.
    """

    derivation: Derivation = field(repr=False, compare=False)
    lines: tuple[Line, ...]
    start: tuple[Line, ...]
    loop: Loop = RIGHT

    @classmethod
    def right(cls, derivation: Derivation) -> Program:
        """The backward pass as derived."""
        lines = []
        for step in derivation.steps:
            terms = [simplify(share.value) for _, share in step.shares]
            if step.role == "state":
                terms[:0] = [derivation.loss(step.of.name), carried_part(derivation, step.of.name)]
            lines.append(Line(step.of, step.target, step.role, step.number, tuple(terms)))
        always = tuple(lines)
        return cls(derivation, always, always)

    def at(self, t: int) -> tuple[Line, ...]:
        """The equations at a step."""
        return self.lines if t else self.start

    def line(self, name: str) -> Line:
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
        return {name: values[::-1] for name, values in run.seen.items()}


class Run:
    """One run of a program."""

    def __init__(self, program: Program, tape: Tape, cotangents: Cotangents, finals: Collection[str]) -> None:
        self.program, self.tape, self.loop = program, tape, program.loop
        self.seeds = frozenset(finals) if self.loop.seeded else frozenset()
        self.cell = program.derivation.cell
        self.sums: dict[str, Array] = {}
        self.frames: dict[int, Frame] = {}
        self.found: dict[str, Array] = {}
        self.seen: dict[str, list[Array]] = {}
        self.next: Frame | None = None
        self.series: dict[str, Array] = {name: np.zeros_like(tape.courses[name]) for name in self.cell.inputs}
        self.outer = {name: self._outer(name, cotangents, False) for name in self.cell.states}
        self.seed = {name: self._outer(name, cotangents, True)[-1] for name in self.cell.states}
        self.adjoints: dict[str, Array] = {name: np.zeros_like(value) for name, value in self.seed.items()}

    def again(self, program: Program, names: Collection[str]) -> dict[str, Array]:
        """Gradients of parameters and inputs of another program, one that computes the same adjoints as this one.

        Args:
            program: differs in the equations of these gradients alone.
            names: whose gradients.
        """
        other = self._of(program)
        other.series = {name: np.zeros_like(self.series[name]) for name in names if name in self.series}
        for t, known in self.frames.items():
            frame = Frame(self.tape, t, known, program.loop.edge or "around")
            frame.after = known.after
            for line in (line for line in program.at(t) if line.of.name in names):
                other._keep(line, other._value(line, frame), t)
        return {name: other._found(name) for name in names}

    def edited(self, program: Program) -> dict[str, Array]:
        """The gradients that another program changes, by what it changes: for a single step and the same loop."""
        other = self._of(program)
        other.series, other.handed = dict(self.series), dict(self.handed)
        frame = Frame(self.tape, 0, self.frames[0], program.loop.edge or "around")
        changed: set[str] = set()
        names: list[str] = []
        for line, known in zip(program.at(0), self.program.at(0), strict=True):
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

    def _of(self, program: Program) -> Run:
        """This run for another program, before anything is summed."""
        other = copy(self)
        other.program, other.loop, other.sums = program, program.loop, {}
        return other

    @cached_property
    def _initials(self) -> Mapping[str, str]:
        return {f"{state}_prev": state for state in self.cell.states}

    def _initial(self, name: str, late: Mapping[str, Array]) -> Array:
        """The gradient of an initial state."""
        state = self._initials[name]
        value = self._returned(state, late) + self.outer[state][0]
        shape = text_shape(self.cell, state, value.shape[1:])
        return self._bounded(name, value.reshape(self.tape.batch, *shape))

    def gradients(self) -> dict[str, Array]:
        """Every gradient."""
        carried = {name: np.zeros_like(seed) if name in self.loop.cut else seed for name, seed in self.seed.items()}
        self.handed = dict(carried)
        late = dict(carried)
        for t in reversed(range(max(0, self.tape.steps - (self.loop.span or self.tape.steps)), self.tape.steps)):
            if t in {step % self.tape.steps for step in self.loop.skipped}:
                continue
            late = dict(self.handed)
            carried = self._step(t, carried)
        found = {name: self._found(name) for name in (*self.cell.parameters, *self.cell.inputs)}
        found |= {name: self._initial(name, late) for name in self._initials}
        for names, bound in self.loop.norms:
            size = np.sqrt(sum(np.sum(found[name] ** 2) for name in names))
            found |= {name: found[name] * (bound / max(size, bound)) for name in names}
        return found

    def _found(self, name: str) -> Array:
        if name in self.cell.parameters:
            return self._bounded(name, self._parameter(name))
        shape = text_shape(self.cell, name, self.series[name].shape[2:])
        series = SERIES.get(dict(self.loop.series).get(name, ""), np.asarray)(self.series[name])
        return self._bounded(name, series.reshape(self.tape.steps, self.tape.batch, *shape))

    def _outer(self, state: str, cotangents: Cotangents, seeds: bool) -> Array:
        """What reaches a state over time from the outputs; or from those that are handed to the last step."""
        total = np.zeros_like(self.tape.courses[state])
        chosen = dict(self.loop.outer)
        for path, states in cotangents.items():
            if state in states and (path in self.seeds) == seeds:
                value = np.reshape(states[state], total.shape)
                total = total + OUTER[chosen[path]](value) if path in chosen else total + value
        return total

    def _step(self, t: int, carried: Mapping[str, Array]) -> dict[str, Array]:
        derivation = self.program.derivation
        frame, clamps = self.tape.frame(t, self.loop), dict(self.loop.clamps)
        frame.after = self.next
        for state in self.cell.states:
            outer = self.outer[state][t + 1]
            frame[derivation.cotangents[state].name] = outer + carried[state]
            frame[derivation.loss(state).name] = outer
            frame[carried_part(derivation, state).name] = carried[state]
        for line in self.program.at(t):
            value = self._value(line, self._bounded_for(line, frame, clamps))
            how, bound = clamps.get(line.of.name, ("", 0.0))
            value = _clamped(value, how, bound) if how in ("entry", "norm") else value
            frame[line.target.name] = value
            self.seen.setdefault(line.of.name, []).append(value)
            self._keep(line, value, t)
        self.frames[t] = frame
        self.next = frame
        self.adjoints = {state: self._adjoint(frame, state, state) for state in self.cell.states}
        self.handed = {state: self._adjoint(frame, f"{state}_prev", state) for state in self.cell.states}
        return {state: self._carried(state, value, t) for state, value in self.handed.items()}

    def _bounded_for(self, line: Line, frame: Frame, clamps: Mapping[str, tuple[str, float]]) -> Frame:
        """The values that an equation reads: what is handed on may be made of bounded adjoints."""
        bounds = {name: bound for name, (how, bound) in clamps.items() if how == "carried"}
        if line.role != "carry" or not bounds:
            return frame
        bounded = Frame(self.tape, frame.t, frame, frame.edge)
        for name, bound in bounds.items():
            target = self.program.line(name).target.name
            bounded[target] = np.clip(frame[target], -bound, bound)
        return bounded

    def _value(self, line: Line, frame: Frame) -> Array:
        value: Any = 0.0
        for term in line.terms:
            value = value + compiled(term)(frame)
        return self._nothing(line.of) + value if np.ndim(value) < 3 else value  # no terms but zeros

    def _keep(self, line: Line, value: Array, t: int) -> None:
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
        if state in self.loop.cut:
            return np.zeros_like(value)
        if self._is_edge(t) and (state in self.loop.windowed or not self.loop.windowed):
            if self.loop.returns:
                self.handed[state] = np.zeros_like(value)
            return np.zeros_like(value)
        if state in self.loop.kept:
            return self.seed[state]
        how, bound = dict(self.loop.clamps).get(f"{state}_prev", ("", 0.0))
        return np.clip(value, -bound, bound) if how == "handed" else value

    def _is_edge(self, t: int) -> bool:
        """Whether nothing is carried out of a step because its window ends there."""
        length, begin, origin = self.loop.length or (0, 0, "")
        if origin == "end":
            return bool(self.tape.steps - t >= length)
        return bool(length) and ((t if origin == "first" else self.tape.steps - t) - begin) % length == 0

    def _accumulate(self, name: str, value: Array, t: int) -> None:
        wanted = dict(self.loop.sums).get(name)
        weight = 1 if wanted is None else WEIGHTS[wanted](t, self.tape.steps)
        if weight:
            self.sums[name] = self.sums.get(name, 0.0) + weight * value.sum(axis=0)

    def _parameter(self, name: str) -> Array:
        shape = self.tape.shape(self.cell[name])
        return np.reshape(self.sums.get(name, np.zeros(shape)), text_shape(self.cell, name, shape))

    def _returned(self, state: str, late: Mapping[str, Array]) -> Array:
        how = dict(self.loop.returned).get(state)
        if how == "adjoint":
            return self.adjoints[state]
        if how == "late":
            return late[state]
        return np.zeros_like(self.handed[state]) if how == "zero" else self.handed[state]

    def _bounded(self, name: str, value: Array) -> Array:
        factor = dict(self.loop.factors).get(name, 1.0)
        number = as_number(factor, self.tape)
        value = value if number == 1.0 else value * number
        bound = dict(self.loop.bounds).get(name)
        return value if bound is None else np.clip(value, -bound, bound)


@lru_cache(maxsize=100_000)
def _reads(expr: Expr) -> frozenset[str]:
    """The names of the variables in an expression."""
    return frozenset(variable.name for variable in nodes.variables(expr))


def _clamped(value: Array, how: str, bound: float) -> Array:
    if how == "entry":
        return np.clip(value, -bound, bound)
    return value * (bound / max(float(np.linalg.norm(value)), bound))


def as_number(factor: Any, tape: Tape) -> float:
    """The factor on a gradient as a number; see `Loop.factors`."""
    batch, steps = tape.batch, tape.steps
    return float({"1/N": 1 / batch, "1/T": 1 / steps, "1/NT": 1 / (batch * steps)}.get(factor, factor))


def at_first(previous: Variable, how: str) -> Variable:
    """A state at t-1 that is something else at step 0, one of `FIRST`; for a single equation."""
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
