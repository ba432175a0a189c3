"""Backpropagation through time, exactly: the unrolled equations against the unrolled text."""

from __future__ import annotations

from collections import ChainMap

from symrnn.algebra.nodes import Variable
from symrnn.calculus.derivation import Step, shift
from symrnn.printers import text
from symrnn.runs.field import FIELD, Array, Number, along, inner, same, slopes
from symrnn.runs.trial import ExactEvaluator, Trial, run_text

STEPS = 3
"""The first step, one between, and the last: a fourth would repeat the second."""


class Unrolled:
    """A sequence at random numbers: the states from the text, the adjoints from the equations through time.

    Attributes:
        frames: the variables of each step by identifier, those of the step after it included; the last frame is a
            step behind the end, which sends nothing back.
        change: how the loss Σ_t <∂ℓ/∂h_t, h_t> moves when every argument does, from the text.
    """

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.derivation = trial.derivation
        cell = self.derivation.cell
        self._parameters = [cell[name] for name in cell.parameters]
        self._inputs = [cell[name] for name in cell.inputs]
        self.frames: list[dict[str, Array]] = []
        self._directions: list[dict[str, Array]] = []
        self.change = Number(0)
        self._run_forward()
        self._run_backward()

    def _run_forward(self) -> None:
        layout = self.trial.layout
        state = {v.name: along(self.trial.draw(v), self.trial.direction[v.name]) for v in self.derivation.cell.previous}
        fixed = {v.name: along(self.trial.values[v.name], self.trial.direction[v.name]) for v in self._parameters}
        for _ in range(STEPS + 1):
            direction = {v.name: self.trial.draw(v) for v in self._inputs}
            series = {v.name: along(self.trial.draw(v), direction[v.name]) for v in self._inputs}
            point = fixed | series | state
            names = run_text(self.trial.text, layout, point)
            frame = {name: _at_rest(value) for name, value in point.items()}
            evaluate = ExactEvaluator(frame, layout.sizes, FIELD)
            for equation in self.derivation.forward:
                frame[equation.target.name] = evaluate(equation.value)
            for s in self.derivation.cell.states:
                frame[self.derivation.loss(s).name] = self.trial.draw(self.derivation.cell[s])
            if len(self.frames) < STEPS:
                for s in self.derivation.cell.states:
                    self.change += inner(frame[self.derivation.loss(s).name], slopes(names[s]))
            self.frames.append(frame)
            self._directions.append(direction)
            state = {f"{s}_prev": names[s] for s in self.derivation.cell.states}

    def _run_backward(self) -> None:
        last = self.frames[-1]
        for step in self.derivation.steps:
            last[step.target.name] = 0 * last[step.of.name]
        signals = self._signals()
        equations = [(step.target.name, self.derivation.unrolled(step)) for step in self.derivation.steps]
        for time in reversed(range(STEPS)):
            frame, after = self.frames[time], self.frames[time + 1]
            for variable in signals:
                frame.setdefault(shift(variable, 1).name, after[variable.name])
            evaluate = ExactEvaluator(frame, self.trial.layout.sizes, FIELD)
            for name, value in equations:
                frame[name] = evaluate(value)

    def _signals(self) -> list[Variable]:
        forward = [equation.target for equation in self.derivation.forward]
        adjoints = [step.target for step in self.derivation.steps if step.target.time is not None]
        return [*self._inputs, *self.derivation.cell.previous, *forward, *adjoints]

    @property
    def holds(self) -> bool:
        """Whether the gradients of the equations explain how the loss moves."""
        total = Number(0)
        for step in self.derivation.role("parameter"):
            total += sum(
                (inner(f[step.target.name], self.trial.direction[step.of.name]) for f in self.frames[:STEPS]), Number(0)
            )
        for step in self.derivation.role("carry"):
            total += inner(self.frames[0][step.target.name], self.trial.direction[step.of.name])
        for step in self.derivation.role("input"):
            pairs = zip(self.frames[:STEPS], self._directions, strict=False)
            total += sum((inner(f[step.target.name], d[step.of.name]) for f, d in pairs), Number(0))
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
            evaluate = ExactEvaluator(ChainMap(cotangent, frame), self.trial.layout.sizes, FIELD)
            if not same(evaluate(step.value), frame[step.target.name]):
                return False
        return True


def _at_rest(value: Array) -> Array:
    return along(value, 0 * value)
