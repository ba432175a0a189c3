"""Step 0 with another state than the initial one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import places
from symrnn.arrays import Array
from symrnn.mistakes.backward_pass import at_first
from symrnn.mistakes.batched import Frame
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.line_finder import LineFinder, LineRule
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import InitialGradient
from symrnn.mistakes.site import MistakeSite, reads_adjoint
from symrnn.mistakes.tape import Tape
from symrnn.printers import text

TAG = "initial-state"

_READ = {"zero": "zeros", "last": "the last state", "own": "the state of step 0 itself"}
"""What step 0 may read for the initial state, as `Tape.first` has it, and what that is in words."""


@dataclass(frozen=True)
class InitialStateRead(Effect):
    """Step 0 reads something else for some initial states.

    Attributes:
        by_name: state -> what it reads, as `Tape.first` has it.
    """

    by_name: tuple[tuple[str, str], ...]
    order: ClassVar[int] = 1
    between_steps: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return LineFinder.anywhere

    def reads(self, tape: Tape, t: int, frame: Frame) -> None:
        """The states at t-1, at step 0."""
        if t == 0:
            frame.update({f"{name}_prev": tape.first(name, how) for name, how in self.by_name})


def adjoint_of_step_0(run: Any, state: str, late: Mapping[str, Array]) -> Array:
    """The gradient of the state of step 0."""
    found: Array = run.adjoints[state]
    return found


def handed_on_by_step_1(run: Any, state: str, late: Mapping[str, Array]) -> Array:
    """What step 1 hands on."""
    return late[state]


_RETURNED = (
    (adjoint_of_step_0, "the gradient of the state of step 0 is"),
    (handed_on_by_step_1, "what step 1 hands on is"),
)


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """Another initial state for the whole of step 0 or for one equation; the gradient of another state."""
    states = on.cell.states
    for how, what in _READ.items():
        for chosen in [(state,) for state in states] + ([tuple(states)] if len(states) > 1 else []):
            names = " and ".join(text(on.cell[f"{state}_prev"]) for state in chosen)
            words = f"at step 0, {what} is read for {names}".replace("zeros is", "zeros are")
            effect = InitialStateRead(tuple((state, how) for state in chosen))
            yield Mistake(TAG, words, 3, effects=(effect,), about=tuple(f"{state}_prev" for state in chosen))
    for state in states:
        for gradient, what in _RETURNED:
            words = f"{what} returned as the gradient of the initial state, {text(on.cell[f'{state}_prev'])} at step 0"
            effects = (InitialGradient(((state, gradient),)),)
            families = (("returned", gradient),)
            yield Mistake(TAG, words, 3, effects=effects, families=families, about=(f"{state}_prev",))
    yield from _in_one_equation(on)


def _in_one_equation(on: MistakeSite) -> Iterator[Mistake]:
    for position, line, number, term in on.terms():
        for old in (variable for variable in on.cell.previous if variable in nodes.variables(term)):
            for how, what in _READ.items():
                edits = (Edit(position, number, term.xreplace({old: at_first(old, how)})),)
                words = f"reads {what} for {text(old)} at step 0"
                families = (("first", how, old, line.role), ("first", how, old, _in_a_product(term, old)))
                yield Mistake(TAG, words, 4, edits, families=families)


def _in_a_product(term: Expr, value: Variable) -> bool:
    """Whether a value is read as a factor of something that the forward pass may have stored, such as r ⊙ h."""
    products = (place.node for place in places(term) if isinstance(place.node, nodes.Hadamard))
    return any(value in nodes.variables(node) and not reads_adjoint(node) for node in products)


MISTAKE = MistakeClass(
    TAG,
    "step 0 reads something else than the initial state",
    precedence=200,
    likely=likely,
    wrong=(
        Example("rnn", "dU += da.T @ h[t]", "dU += da.T @ (h[t] if t else 0 * h[t])"),
        Example("rnn", '"h_prev": carry', '"h_prev": dh'),
    ),
    right=(
        Example("rnn", "dU += da.T @ h[t]", "dU += da.T @ (h[t] if t else h[0])"),
        Example("rnn", '"h_prev": carry', '"h_prev": da @ U'),
    ),
)
