"""What surrounds the backward equations: the loop over the steps, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Loop:
    """What surrounds the equations.  The defaults are right; everything else is a mistake.

    Attributes:
        cut: states whose gradient is not handed on to the step before.
        kept: states for which every step is handed what the last step is handed.
        seeded: whether the cotangents of last states come in as what a step behind the last hands on.
        outer: output -> what is done with its cotangent, one of `OUTER`.
        sums: parameter -> how often the terms of the steps count in its gradient, one of `WEIGHTS`.
        factors: variable -> the factor on its gradient: a number, or "1/N", "1/T", "1/NT".
        skipped: steps that the backward loop leaves out: 0 for the first, -1 for the last.
        span: how many steps the backward loop runs over, from the last one back.
        frozen: variable -> the step whose value every step reads: 0 or -1.
        starts: state -> what step 0 reads for the initial state: "zero", "last" or "own".
        returned: state -> what is returned for the initial state, where it is not what step 0 hands on.
        clamps: adjoint -> how its value is bounded at each step, "entry" by entry or by its "norm", and the bound; of
            a state at t-1, "handed" bounds what is handed on but not what is returned for the initial state; "carried"
            bounds it where it goes into what is handed on, and nowhere else.
        bounds: variable -> how far an entry of its gradient may be from 0; beyond, it is clipped.
        norms: variables -> the largest norm of their gradients taken together; beyond, these are scaled to it.
        series: input -> the steps that its gradient is returned at, one of `SERIES`.
        length: the steps of a window out of which nothing is carried, at which step a window begins, and whether steps
            count from the "first" or the "last"; or, with "end", only as many steps at the end carry anything.
        windowed: the states that this is so for; all if there are none.
        returns: whether a window that ends at step 0 leaves the gradients of the initial states at zero, too.
        edge: what a value outside the sequence is, where an equation reads one; see `Tape.at`.
    """

    cut: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    seeded: bool | None = None
    outer: tuple[tuple[str, str], ...] = ()
    sums: tuple[tuple[str, str], ...] = ()
    factors: tuple[tuple[str, Any], ...] = ()
    skipped: frozenset[int] = frozenset()
    span: int | None = None
    frozen: tuple[tuple[str, int], ...] = ()
    starts: tuple[tuple[str, str], ...] = ()
    returned: tuple[tuple[str, str], ...] = ()
    clamps: tuple[tuple[str, tuple[str, float]], ...] = ()
    bounds: tuple[tuple[str, float], ...] = ()
    norms: tuple[tuple[tuple[str, ...], float], ...] = ()
    series: tuple[tuple[str, str], ...] = ()
    length: tuple[int, int, str] | None = None
    windowed: frozenset[str] = frozenset()
    returns: bool | None = None
    edge: str | None = None

    @property
    def between_steps(self) -> bool:
        """Whether it is about what one step has to do with another: there is no such mistake in a single step."""
        told = (
            self.cut,
            self.kept,
            self.sums,
            self.skipped,
            self.frozen,
            self.starts,
            self.length,
            self.series,
            self.span,
        )
        late = any(how != "zero" for _, how in self.returned)
        return any(told) or late or self.edge is not None


RIGHT = Loop()
"""The loop as derived."""


def _everywhere(value: Array) -> Array:
    return np.concatenate([value[:1], np.broadcast_to(value[-1:], value[1:].shape)])  # not before the first step


def _at_last(value: Array) -> Array:
    return np.concatenate([np.zeros_like(value[:-1]), value[-1:]])


OUTER: Mapping[str, Callable[[Array], Array]] = {
    "none": np.zeros_like,
    "twice": lambda value: 2 * value,
    "negative": lambda value: -value,
    "every step": _everywhere,
    "last step": _at_last,
    "every step and again": lambda value: _everywhere(value) + _at_last(value),
    "last at every step": lambda value: value + _everywhere(value) * (np.arange(len(value)) > 0).reshape(-1, 1, 1, 1),
    "reversed": lambda value: np.concatenate([value[:1], value[:0:-1]]),
    "next": lambda value: np.concatenate([value[:1], value[2:], np.zeros_like(value[:1])]),
    "previous": lambda value: np.concatenate([value[:1], np.zeros_like(value[:1]), value[1:-1]]),
    "next around": lambda value: np.concatenate([value[:1], np.roll(value[1:], -1, axis=0)]),
    "previous around": lambda value: np.concatenate([value[:1], np.roll(value[1:], 1, axis=0)]),
    "twice before the last step": lambda value: np.concatenate([value[:1], 2 * value[1:-1], value[-1:]]),
    "everywhere": lambda value: np.broadcast_to(value[-1:], value.shape),
    "not at the last step": lambda value: np.concatenate([value[:-1], np.zeros_like(value[-1:])]),
    "not at the first step": lambda value: value * (np.arange(len(value)) != 1).reshape(-1, 1, 1, 1),
}
"""What is done with a cotangent (T + 1, N, ...) that should be used as it is."""

SERIES: Mapping[str, Callable[[Array], Array]] = {
    "reversed": lambda value: value[::-1],
    "next": lambda value: np.roll(value, -1, axis=0),
    "previous": lambda value: np.roll(value, 1, axis=0),
}
"""What is done with an input's gradient (T, N, ...) that should be returned as it is."""

WEIGHTS: Mapping[str, Callable[[int, int], int]] = {
    "first": lambda t, steps: t == 0,
    "last": lambda t, steps: t == steps - 1,
    "not first": lambda t, steps: t != 0,
    "not last": lambda t, steps: t != steps - 1,
    "doubled": lambda t, steps: 2**t,
}
"""How often the term of step t counts in a sum in which it should count once."""

FIRST = {"zero": "zeros", "last": "the last state", "own": "the state of step 0 itself"}
"""What step 0 may read for the initial state, and what that is in words."""
