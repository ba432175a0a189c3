"""Adjoints that are bounded at each step, so that everything carried back from there is another number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from symrnn.arrays import Array
from symrnn.mistakes.batched import Frame
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.line_finder import FoundLine, LineFinder, LineRule
from symrnn.mistakes.measured import Measured, usual_bounds
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite
from symrnn.printers import text
from symrnn.source_lines.assigned import assigning

TAG = "clipped-in-recursion"


def _find_line(finder: LineFinder) -> FoundLine | None:
    """The line that bounds what is handed on, or the first one with a bounded quantity."""
    effects = finder.case.mistake.effects
    clamps = [pair for effect in effects if isinstance(effect, AdjointsBounded) for pair in effect.by_name]
    names = [name for name, _ in clamps]
    for name, (how, bound) in clamps if names[0] in finder.case.wrong else ():
        if how == "handed":
            # Not step 0: what that hands on is returned, and not bounded.
            values = [np.clip(step, -bound, bound) for step in finder.case.wrong[name][1:]]
            found = [one for one in assigning(finder.assigned, values, True) if one.computes]
            if found:
                return FoundLine(found[0], name)
            names = []
    later = [name.removesuffix("_prev") for name, _ in clamps]
    return finder.of_quantities(names) or finder.of_quantities(later) or finder.of_quantities(finder.case.after(later))


@dataclass(frozen=True)
class AdjointsBounded(Effect):
    """The values of some adjoints are bounded at each step.

    Attributes:
        by_name: variable -> how, and the bound: "entry" by entry or by its "norm"; of a state at t-1, "handed" bounds
            what is handed on but not what is returned for the initial state; "carried" bounds it where it goes into
            what is handed on, and nowhere else.
    """

    by_name: tuple[tuple[str, tuple[str, float]], ...]
    order: ClassVar[int] = 3
    whole_run: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return _find_line

    def _bound(self, name: str, *ways: str) -> float | None:
        how, bound = dict(self.by_name).get(name, ("", 0.0))
        return bound if how in ways else None

    def computes(self, name: str, value: Array) -> Array:
        """The adjoint within its bound."""
        bound = self._bound(name, "entry")
        if bound is not None:
            return np.clip(value, -bound, bound)
        bound = self._bound(name, "norm")
        return value if bound is None else value * (bound / max(float(np.linalg.norm(value)), bound))

    def hands_on(self, frame: Frame, targets: Mapping[str, str]) -> Frame:
        """The adjoints within their bounds, for the equations of what is handed on."""
        bounds = {name: bound for name, (how, bound) in self.by_name if how == "carried"}
        if not bounds:
            return frame
        bounded = Frame(frame.tape, frame.t, frame, frame.edge)
        for name, bound in bounds.items():
            bounded[targets[name]] = np.clip(frame[targets[name]], -bound, bound)
        return bounded

    def carries(self, run: Any, state: str, value: Array, t: int) -> Array | None:
        """What is handed on within its bound."""
        # What comes in behind the last step was handed on by no step, and nobody has bounded it.
        bound = None if t == run.tape.steps else self._bound(f"{state}_prev", "handed")
        return None if bound is None else np.clip(value, -bound, bound)


_WAYS: tuple[tuple[str, Callable[[float], str]], ...] = (
    ("entry", lambda bound: f"clipped to [-{bound:g}, {bound:g}]"),
    ("handed", lambda bound: f"clipped to [-{bound:g}, {bound:g}] as handed on to the step before"),
    ("carried", lambda bound: f"clipped to [-{bound:g}, {bound:g}] in what is handed on"),
    ("norm", lambda bound: f"scaled down to a norm of {bound:g}"),
)


def bounds(on: MistakeSite, measured: Sequence[Measured]) -> Iterator[Mistake]:
    """What is handed on, a state's adjoint, or the adjoints of all gates, bounded at each step."""
    gates = [line for line in on.program.lines if on.derivation.is_preactivation(line.of)]
    states = [line for line in on.program.lines if line.role == "state"]
    carries = [line for line in on.program.lines if line.role == "carry"]
    groups = [[line] for line in (*carries, *states)]
    groups += [group for group in (carries, states) if len(group) > 1]
    groups += [gates]
    for bound in usual_bounds(measured):
        for group in groups:
            named = " and ".join(text(line.target) for line in group)
            are = "are" if len(group) > 1 else "is"
            about = tuple(line.of.name for line in group)
            for how, words in _WAYS:
                if (how != "handed" or group[0].role == "carry") and (how != "carried" or group is gates):
                    effect = AdjointsBounded(tuple((name, (how, bound)) for name in about))
                    said = f"{named} {are} {words(bound)} at each step"
                    yield Mistake(TAG, said, 4, effects=(effect,), about=about)


MISTAKE = MistakeClass(
    TAG,
    "what is carried back in time is clipped at each step",
    precedence=270,
    bounds=bounds,
    wrong=(
        Example("rnn", "carry = da @ U", "carry = np.clip(da @ U, -0.1, 0.1)"),
        Example("rnn", "da = dh * (1 - h[t + 1] ** 2)", "da = np.clip(dh * (1 - h[t + 1] ** 2), -0.1, 0.1)"),
    ),
    right=(
        Example("rnn", "carry = da @ U", "carry = np.clip(da @ U, -1e9, 1e9)"),
        Example("rnn", "da = dh * (1 - h[t + 1] ** 2)", "da = np.clip(dh * (1 - h[t + 1] ** 2), -1e9, 1e9)"),
    ),
)
