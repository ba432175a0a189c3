"""Backpropagation through time, exactly: the unrolled equations against the unrolled text."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping

from symrnn.algebra.nodes import Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Step, shift
from symrnn.printers import text
from symrnn.runs.field import Number, along, inner, same, slopes
from symrnn.runs.field_point import FieldPoint, run_in_columns
from symrnn.runs.numbers import RESIDUES
from symrnn.runs.stepping import Frame, StepValues, over_steps

STEPS = 3
"""The first step, one between, and the last: a fourth would repeat the second."""


class Unrolled:
    """A sequence at random numbers: the states from the text, the adjoints from the equations through time.

    Attributes:
        frames: the variables of each step by identifier, those of the step after it included; the last frame is a
            step behind the end, which sends nothing back.
        change: how the loss Σ_t <∂ℓ/∂h_t, h_t> moves when every argument does, from the text.
    """

    def __init__(self, trial: FieldPoint) -> None:
        self.trial = trial
        self.derivation = trial.derivation
        cell = self.derivation.cell
        self._inputs = [cell[name] for name in cell.inputs]
        self._directions = [{v.name: trial.draw(v) for v in self._inputs} for _ in range(STEPS + 1)]
        self.frames: list[dict[str, Array]] = []
        self.change = Number(0)
        self._run_forward()
        self._run_backward()

    def _run_forward(self) -> None:
        trial, cell = self.trial, self.derivation.cell
        fixed = {name: trial.values[name] for name in cell.parameters} | {v.name: trial.draw(v) for v in cell.previous}
        start = {name: along(value, trial.direction[name]) for name, value in fixed.items()}
        inputs = ({name: along(trial.draw(cell[name]), d) for name, d in one.items()} for one in self._directions)

        def step(_: int, point: Frame) -> tuple[dict[str, Array], Mapping[str, Array]]:
            at_rest = {name: RESIDUES.rest(value) for name, value in point.items()}
            values = StepValues(self.derivation, trial.layout, RESIDUES, at_rest).values
            return values, run_in_columns(trial.text, trial.layout, point)

        reached = over_steps(step, lambda each: {f"{s}_prev": each[1][s] for s in cell.states}, start, inputs)
        for number, (frame, names) in enumerate(reached):
            for s in cell.states:
                loss = frame[self.derivation.loss(s).name] = trial.draw(cell[s])
                # The step behind the end is run for its variables; the loss does not see it.
                self.change += inner(loss, slopes(names[s])) if number < STEPS else Number(0)
            self.frames.append(frame)

    def _run_backward(self) -> None:
        last = self.frames[-1]
        for step in self.derivation.steps:
            # Zeros in the right shape: nothing is sent back from behind the end.
            last[step.target.name] = 0 * last[step.of.name]
        signals = self._signals()
        equations = [(step.target.name, self.derivation.unrolled(step)) for step in self.derivation.steps]
        for time in reversed(range(STEPS)):
            frame, after = self.frames[time], self.frames[time + 1]
            for variable in signals:
                # A cell may have a name of its own that looks like a later step; that one keeps its value.
                frame.setdefault(shift(variable, 1).name, after[variable.name])
            evaluate = RESIDUES.evaluator(frame, self.trial.layout.sizes)
            for name, value in equations:
                frame[name] = evaluate(value)

    def _signals(self) -> list[Variable]:
        forward = [equation.target for equation in self.derivation.forward]
        adjoints = [step.target for step in self.derivation.steps if step.target.time is not None]
        return [*self._inputs, *self.derivation.cell.previous, *forward, *adjoints]

    @property
    def holds(self) -> bool:
        """Whether the gradients of the equations explain how the loss moves."""
        direction, frames = self.trial.direction, self.frames[:STEPS]
        total = Number(0)
        for step in self.derivation.role("parameter"):
            total += _sum(inner(frame[step.target.name], direction[step.of.name]) for frame in frames)
        for step in self.derivation.role("carry"):
            total += inner(frames[0][step.target.name], direction[step.of.name])
        for step in self.derivation.role("input"):
            pairs = zip(frames, self._directions, strict=False)
            total += _sum(inner(frame[step.target.name], own[step.of.name]) for frame, own in pairs)
        return total == self.change

    def wrong_recursions(self) -> list[str]:
        """The states whose adjoint is not the step's own, with what the next step sends back as its cotangent."""
        return [
            f"equation ({step.number}) through time, {text(step.target)} = {text(self.derivation.unrolled(step))}, "
            "is wrong"
            for step in self.derivation.role("state")
            if not self._recurs(step)
        ]

    def _recurs(self, step: Step) -> bool:
        state = step.of.name
        carry = self.derivation.of(f"{state}_prev").target.name
        for frame, after in zip(self.frames, self.frames[1:], strict=False):
            cotangent = {self.derivation.cotangents[state].name: frame[self.derivation.loss(state).name] + after[carry]}
            evaluate = RESIDUES.evaluator(ChainMap(cotangent, frame), self.trial.layout.sizes)
            if not same(evaluate(step.value), frame[step.target.name]):
                return False
        return True


def _sum(numbers: Iterable[Number]) -> Number:
    return sum(numbers, Number(0))
