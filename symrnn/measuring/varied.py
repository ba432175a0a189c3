"""Gradients that are right at the inputs given, looked at elsewhere: other lengths, states, and sizes of values.

A mistake may show at one step alone, for many examples, from a state of zero, or where activations saturate.  What is
made in other sizes by the caller's own function is as good as what it made first; otherwise sequences and batches are
cut, and values are scaled.  What cannot be varied is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.conventions import names_start
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from symrnn.measuring.evidence import ERRORS, Evidence
from symrnn.measuring.sizes import SEED, make_anew, make_fewer, make_shorter, make_unstarted

_LONG, _MANY = 11, 6
"""Steps and examples that are more than usual ones: mistakes that begin somewhere have begun there."""
_SMALL, _LARGE = 0.05, 4.0
"""What values are multiplied by: a twentieth leaves activations in their linear part, four times as large saturates."""
_STRONGEST = 8.0
"""The root mean square up to which values are enlarged: beyond it activations are saturated to the last digit, and what
a gradient is there is rounding."""
_WORK = 2e7
"""Numbers in the inputs, times calls of forward, that all of this may come to: a second or so."""
_CALLS = 4
"""Calls of forward for each place: its outputs, its gradients, and a derivative."""


@dataclass(frozen=True)
class OtherInputs:
    """Inputs that differ from those given in one thing.

    Attributes:
        words: what they are, as in "wrong for a sequence of one step".
        sized: whether they have more steps or examples, which only the caller's own function can make.
        make: makes the arrays that differ; None where they cannot be made.
    """

    words: str
    sized: bool
    make: Callable[[Subject], Arrays | None]


@dataclass(frozen=True)
class SeenVaried:
    """What was found elsewhere.

    Attributes:
        wrong: input -> where its gradient is wrong, and the evidence there.
        untried: the larger numbers of steps and examples that could not be tried.
    """

    wrong: Mapping[str, tuple[OtherInputs, Evidence]]
    untried: tuple[str, ...]


def look_around(evidence: Evidence, names: Sequence[str], is_wrong: Callable[[Evidence, str], bool]) -> SeenVaried:
    """Look at gradients that are right elsewhere as well.

    Args:
        evidence: at the inputs given.
        names: the inputs whose gradients are right there.
        is_wrong: the verdict on one gradient, which excuses rounding and kinks.
    """
    subject, numbers = evidence.subject.unnoticed(), sum(np.size(one) for one in evidence.point.values())
    wrong: dict[str, tuple[OtherInputs, Evidence]] = {}
    untried: list[str] = []
    if numbers * _CALLS * len(PLACES) > _WORK:
        return SeenVaried({}, ())
    for place in PLACES:
        there = _at(subject, evidence, place)
        if there is None:
            untried += [place.words] if place.sized else []
            continue
        try:
            if not _agrees_at_once(there, names):
                found = [name for name in names if name in there.gradients and is_wrong(there, name)]
                wrong |= {name: (place, there) for name in found if name not in wrong}
        except (SubjectError, KeyError, ValueError):
            continue
    return SeenVaried(wrong, tuple(untried))


def _at(subject: Subject, evidence: Evidence, place: OtherInputs) -> Evidence | None:
    """The gradients at a place; None where it cannot be made, or nothing can be computed there."""
    try:
        arrays = place.make(subject)
        if arrays is None:
            return None
        there = Evidence(subject, SEED, arrays, evidence.truth.method, quick=True)
    except (SubjectError, InputError, KeyError, ValueError, IndexError):
        return None
    outputs = there.truth.outputs
    fine = all(np.isfinite(one).all() for one in outputs.values()) and not there.reading.refused
    return there if fine and outputs else None


def _agrees_at_once(evidence: Evidence, names: Sequence[str]) -> bool:
    """Whether all gradients together agree along one direction in all of these inputs."""
    told = [name for name in names if name in evidence.gradients and np.isfinite(evidence.gradients[name]).all()]
    direction = {name: evidence.direction(name, 0) for name in told}
    expected, error = evidence.truth.quick(direction)
    terms = [evidence.gradients[name] * direction[name] for name in told]
    scale = max(float(np.sqrt(sum(np.sum(one**2) for one in terms))), abs(expected))
    return abs(sum(float(np.sum(one)) for one in terms) - expected) <= evidence.coarse * scale + ERRORS * error


def _started(subject: Subject) -> Arrays | None:
    """Initial states that are not zero, where they are."""
    rng = np.random.default_rng(SEED)
    states = {name: array for name, array in subject.arrays.items() if names_start(name) and not np.any(array)}
    return {name: 0.5 * rng.normal(size=np.shape(array)) for name, array in states.items()} or None


def _scaled(factor: float) -> Callable[[Subject], Arrays | None]:
    """All arrays of numbers of both signs, scaled: what is positive, or 0 and 1, may have to be that."""

    def make(subject: Subject) -> Arrays | None:
        scaled = {name: factor * array for name, array in subject.arrays.items() if _is_plain(array)}
        too_large = any(np.sqrt(np.mean(array**2)) > _STRONGEST for array in scaled.values())
        return None if too_large else scaled or None

    return make


def _is_plain(array: Array) -> bool:
    return bool(np.any(array > 0) and np.any(array < 0) and np.any(array != np.round(array)))


PLACES = (
    OtherInputs("a sequence of one step", False, lambda subject: make_shorter(subject, 1)),
    OtherInputs("a sequence of two steps", False, lambda subject: make_shorter(subject, 2)),
    OtherInputs(f"a sequence of {_LONG} steps", True, lambda subject: make_anew(subject, T=_LONG)),
    OtherInputs("one example", False, lambda subject: make_fewer(subject, 1)),
    OtherInputs(f"{_MANY} examples", True, lambda subject: make_anew(subject, N=_MANY)),
    OtherInputs("initial states of zero", False, make_unstarted),
    OtherInputs("initial states that are not zero", False, _started),
    OtherInputs("values a twentieth as large", False, _scaled(_SMALL)),
    OtherInputs("values four times as large", False, _scaled(_LARGE)),
)
"""Where gradients are looked at again."""
