"""Effects that several classes of mistakes have, with the rules that find their lines."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from symrnn.arrays import Array
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.line_finder import FoundLine, LineFinder, LineRule, named_base
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.site import MistakeSite
from symrnn.mistakes.tape import Tape
from symrnn.source_lines.assigned import assigning
from symrnn.source_lines.statements import operands

Change = Callable[[Array], Array]


def unused(value: Array) -> Array:
    """Zeros in place of a cotangent."""
    return np.zeros_like(value)


def everywhere(value: Array) -> Array:
    """The last step's cotangent at every step, and nothing for the initial state."""
    return np.concatenate([value[:1], np.broadcast_to(value[-1:], value[1:].shape)])


def at_last(value: Array) -> Array:
    """The cotangent of the last step only."""
    return np.concatenate([np.zeros_like(value[:-1]), value[-1:]])


def returned_as_taken(finder: LineFinder) -> FoundLine | None:
    """The line that returns a value that is right elsewhere."""
    return finder.returned(taken=True)


def computed_or_returned(finder: LineFinder) -> FoundLine | None:
    """The line of an equation; or where the gradient is changed after it was summed."""
    return finder.in_equations() or finder.returned()


@dataclass(frozen=True)
class CotangentUsed(Effect):
    """An output's cotangent is not used as it is.

    Attributes:
        by_name: output -> what is done with its cotangents (T + 1, N, ...).
    """

    by_name: tuple[tuple[str, Change], ...]

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return cotangent_line

    def cotangents(self, output: str, value: Array) -> Array:
        """The cotangents as they are used."""
        return next((change(value) for name, change in self.by_name if name == output), value)


@dataclass(frozen=True)
class OwnGradients(Effect):
    """The gradients of some variables are not what their equations give; no other gradient is concerned.

    Attributes:
        by_name: variable -> what is done with its gradient.
    """

    by_name: tuple[tuple[str, Any], ...]
    of_equation: ClassVar[bool] = True
    own_only: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return computed_or_returned

    def reached(self) -> frozenset[str]:
        """The variables."""
        return frozenset(dict(self.by_name))


@dataclass(frozen=True)
class TermsCounted(OwnGradients):
    """The terms of the steps do not count once each in the gradient of a parameter.

    Attributes:
        by_name: parameter -> how often the term of step t counts, of so many steps.
    """

    by_name: tuple[tuple[str, Callable[[int, int], int]], ...]
    between_steps: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return LineFinder.summed

    def counts(self, name: str, t: int, steps: int) -> int | None:
        """How often the term of step t counts."""
        return next((count(t, steps) for known, count in self.by_name if known == name), None)


@dataclass(frozen=True)
class GradientScaled(OwnGradients):
    """A gradient is multiplied by a number.

    Attributes:
        by_name: variable -> the number, or a function of the batch size N and the number T of steps that gives it.
    """

    by_name: tuple[tuple[str, float | Callable[[int, int], float]], ...]

    def multiple(self, name: str, tape: Tape) -> float:
        """The number."""
        factor = dict(self.by_name).get(name, 1.0)
        return float(factor(tape.batch, tape.steps) if callable(factor) else factor)


@dataclass(frozen=True)
class InitialGradient(Effect):
    """The gradient of an initial state is something else than what step 0 hands on.

    Attributes:
        by_name: state -> `gradient(run, state, late)`, where `late` is what step 1 hands on.
    """

    by_name: tuple[tuple[str, Callable[[Any, str, Mapping[str, Array]], Array]], ...]
    between_steps: ClassVar[bool] = True
    order: ClassVar[int] = 5

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return returned_as_taken

    def reached(self) -> frozenset[str]:
        """The states at t-1."""
        return frozenset(f"{state}_prev" for state, _ in self.by_name)

    def returns_initial(self, run: Any, state: str, late: Mapping[str, Array]) -> Array | None:
        """What is returned instead."""
        return next((gradient(run, state, late) for known, gradient in self.by_name if known == state), None)


@dataclass(frozen=True)
class ReadBeyond(Effect):
    """An equation reads a value outside the sequence.

    Attributes:
        edge: what it finds there; see `Tape.at`.
    """

    edge: str
    between_steps: ClassVar[bool] = True
    own_only: ClassVar[bool] = True

    def reached(self) -> frozenset[str]:
        """No gradient by itself: it goes with an equation that reads such a value."""
        return frozenset()

    def beyond(self) -> str | None:
        """What is outside the sequence."""
        return self.edge


# --- what is done with the cotangent of an output --------------------------------------------------------------------


@dataclass(frozen=True)
class OtherUse:
    """What may be done with the cotangent of an output.

    Attributes:
        change: the cotangents (T + 1, N, ...) -> those that are used.
        words: the mistake, with `{}` for the output.
        rank: how unlikely it is.
        single: whether it can be done in a pass over a single step.
    """

    change: Change
    words: str
    rank: int
    single: bool = False


def other_uses(on: MistakeSite, tag: str, uses: Sequence[OtherUse]) -> Iterator[Mistake]:
    """The cotangent of each output, used in other ways."""
    for output in on.outputs:
        for use in uses:
            if on.timed or use.single:
                effect = CotangentUsed(((output, use.change),))
                yield Mistake(tag, use.words.format(output), use.rank, effects=(effect,), about=(output,))


def cotangent_line(finder: LineFinder) -> FoundLine | None:
    """An output whose cotangent is not used as it should be."""
    ways = [
        pair for effect in finder.case.mistake.effects if isinstance(effect, CotangentUsed) for pair in effect.by_name
    ]
    outputs = [path for path, _ in ways]
    states = [state for path in outputs for state in finder.case.cotangents.get(path, {})]
    states = [state for state in dict.fromkeys(states) if finder.case.differs(state)]
    # A cotangent that is not used may leave a state's adjoint at zero, and zeros have no line by their values.
    zero = finder.zeros_in_loop() if finder.is_zero(states) else None
    if zero is not None:
        return FoundLine(zero, states[0])
    # Where the adjoint that is carried is all there is, its own line has the wrong value too, and is right.
    found = _not_of_carry(finder, states, finder.of_quantities(states))
    if found is None or not set(outputs) <= set(finder.case.finals):
        return found
    if any(change is not unused for _, change in ways):  # it may come in with what is handed to the last step
        return found if isinstance(found.assignment.statement.node, ast.AugAssign) else None
    read = operands(found.assignment.statement)
    starts = [
        one
        for one in finder.assigned
        if one.is_zero and named_base(one) in read and min(one.moments) < min(found.assignment.moments)
    ]
    return FoundLine(starts[-1], found.quantity) if starts else found


def _not_of_carry(finder: LineFinder, states: Sequence[str], found: FoundLine | None) -> FoundLine | None:
    """If the line found only computes the carried gradient, the line that reads it instead."""
    carries = [name for name in (f"{state}_prev" for state in states) if name in finder.case.wrong]
    for name in carries:
        own = {
            one.statement
            for one in assigning(finder.assigned, finder.case.wrong[name], False)
            if one.computes and not one.calls
        }
        if found is None or found.assignment.statement not in own:
            continue
        every = assigning(finder.assigned, finder.case.wrong[found.quantity], False)
        rest = [one for one in every if one.statement not in own and (one.computes or one.renames or one.handed)]
        return FoundLine(rest[0], found.quantity) if rest else None
    return found
