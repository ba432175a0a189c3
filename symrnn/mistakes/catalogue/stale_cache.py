"""Values of one step that every step reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.mistakes.backward_pass import AdjointEquation, at_step
from symrnn.mistakes.batched import Frame
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.line_finder import FoundLine, LineFinder, LineRule
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite
from symrnn.mistakes.slope import Slope
from symrnn.mistakes.slope_places import elsewhere_on_summands
from symrnn.mistakes.tape import Tape
from symrnn.printers import text

TAG = "stale-cache"

_STEPS = ((-1, "last"), (0, "first"))
_ON_THE_WAY = ("state", "intermediate")
"""The roles of what is neither returned nor handed on."""


def _find_line(finder: LineFinder) -> FoundLine | None:
    """The line that reads one value of another step; where all are, another line has taken them from it."""
    frozen = [pair for e in finder.case.mistake.effects if isinstance(e, ValuesFrozen) for pair in e.by_name]
    found = finder.anywhere()
    return found if len(frozen) < 2 else None


@dataclass(frozen=True)
class ValuesFrozen(Effect):
    """Every step reads the values that some variables have at one step.

    Attributes:
        by_name: variable -> the step, 0 or -1.
    """

    by_name: tuple[tuple[str, int], ...]
    between_steps: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return _find_line

    def reads(self, tape: Tape, t: int, frame: Frame) -> None:
        """The values at that step."""
        for name, step in self.by_name:
            tape.put(frame, name, step % tape.steps)


def _at_one_step(slope: Slope, whole: Expr) -> list[Expr]:
    value = slope.of
    return [whole.xreplace({value: at_step(value, step)}) for step, _ in _STEPS] if isinstance(value, Variable) else []


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """One value, all, or all that are computed, of the first or the last step; in one equation or in all."""
    yield from elsewhere_on_summands(on, TAG, _at_one_step)
    yield from _everywhere(on)
    yield from _in_one_equation(on)
    yield from _on_the_way(on)


def _everywhere(on: MistakeSite) -> Iterator[Mistake]:
    kept = tuple(dict.fromkeys(variable.base for variable in on.values))
    for step, which in _STEPS:
        for name in kept:
            words = f"{name} is read at the {which} step, at every step"
            yield Mistake(TAG, words, 5, effects=(ValuesFrozen(((name, step),)),), about=(name,))
        words = f"every step reads the values of the {which} step"
        yield Mistake(TAG, words, 4, effects=(ValuesFrozen(tuple((name, step) for name in kept)),))
        computed = tuple(name for name in kept if name not in on.cell.inputs)
        words = f"every step reads the states and gates of the {which} step"
        yield Mistake(TAG, words, 5, effects=(ValuesFrozen(tuple((name, step) for name in computed)),))


def _in_one_equation(on: MistakeSite) -> Iterator[Mistake]:
    for position, line, number, term in on.terms():
        for old in sorted(nodes.variables(term) & set(on.values), key=lambda variable: variable.name):
            for step, which in _STEPS:
                edits = (Edit(position, number, term.xreplace({old: at_step(old, step)})),)
                words = f"reads {text(old)} of the {which} step, at every step"
                families: tuple[Any, ...] = ((step, old, line.role), (step, old), (step, old, line.role in _ON_THE_WAY))
                families += tuple((step, slope.function) for slope in _slopes_of(on, line, old))
                yield Mistake(TAG, words, 5, edits, families=families)


def _on_the_way(on: MistakeSite) -> Iterator[Mistake]:
    """Everything but the gradients of the weights with the values of the first or of the last step."""
    for step, which in _STEPS:
        fixed = {value: at_step(value, step) for value in on.values}
        terms = on.terms("state", "intermediate", "carry")
        edits = tuple(
            Edit(p, n, term.xreplace(fixed)) for p, _, n, term in terms if fixed.keys() & nodes.variables(term)
        )
        words = f"has the values of the {which} step in it, at every step"
        yield Mistake(TAG, words, 5, edits)


def _slopes_of(on: MistakeSite, line: AdjointEquation, value: Variable) -> Iterator[Slope]:
    """The derivative that a pre-activation's adjoint has, where that is of a value."""
    if on.derivation.is_preactivation(line.of):
        yield from (slope for slope in on.slopes if slope.of == value)


MISTAKE = MistakeClass(
    TAG,
    "every step reads the values of one step",
    precedence=230,
    likely=likely,
    wrong=(
        Example("rnn", "da = dh * (1 - h[t + 1] ** 2)", "da = dh * (1 - h[-1] ** 2)"),
        Example("gru", 'grads["W_n"] += dan.T @ x[t]', 'grads["W_n"] += dan.T @ x[-1]'),
    ),
    right=(
        Example("rnn", "da = dh * (1 - h[t + 1] ** 2)", "da = dh * (1 - h[t - len(x)] ** 2)"),
        Example("rnn", "dW += da.T @ x[t]", "dW += da.T @ x[t - len(x)]"),
    ),
)
