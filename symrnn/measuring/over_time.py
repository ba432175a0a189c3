"""Gradients that are right for one step and wrong for two: what two steps tell of them, each by an experiment.

A cotangent on the first step alone needs nothing that is carried back; one on the last step alone shows what is.  What
is carried shows in the gradients of the initial states and of the first step's input, which no sum over time enters.
A class of mistakes is named where an experiment could have refuted it and did not; otherwise what was seen is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.conventions import names_start
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.findings.findings import Suggestion
from symrnn.measuring.evidence import Evidence
from symrnn.measuring.sizes import SEED, make_thin

_THREE = 3
"""Steps of which the rank of a weight's gradient tells how many are in its sum: more than two, and few enough for the
rank not to be that of the weight."""
_SEEN = "it is right for a sequence of one step and wrong for two"


@dataclass(frozen=True)
class _AtTwoSteps:
    """The functions at two steps.

    Attributes:
        whole: with cotangents on everything.
        first: with a cotangent on the first step alone; None where no output is the first step's.
        last: with cotangents on the last step alone.
        sequences: input -> the axis that is time's.
    """

    whole: Evidence
    first: Evidence | None
    last: Evidence
    sequences: Mapping[str, int]


def tell_apart(
    subject: Subject,
    method: str,
    names: Sequence[str],
    one: Arrays,
    two: Arrays,
) -> dict[str, Suggestion]:
    """For each input whose gradient is right at one step and wrong at two: the classes that it may be, and why.

    Args:
        subject: the functions.
        method: how the truth is found.
        names: the inputs.
        one: arrays for one step.
        two: arrays for two.
    """
    try:
        asked = _ask(subject, method, one, two)
        return {name: _suggest(asked, name) for name in names}
    # Other people's functions may refuse two steps, or return other outputs there: then only what was seen is said.
    except (SubjectError, KeyError, ValueError, IndexError):
        return {name: Suggestion("", _SEEN) for name in names}


def find_left_out(
    subject: Subject, evidence: Evidence, names: Sequence[str], one: Arrays, two: Arrays | None
) -> dict[str, Suggestion]:
    """The gradients that are zero for one step, where they should not be, and are not for more.

    Args:
        subject: the functions.
        evidence: at their own inputs.
        names: the inputs.
        one: arrays for one step.
        two: arrays for two; None where there are none.
    """
    if not names:
        return {}
    method = evidence.truth.method
    try:
        at_one = Evidence(subject, SEED, one, method, quick=True)
        zero = [name for name in names if name in at_one.gradients and not np.any(at_one.gradients[name])]
        zero = [name for name in zero if np.any(evidence.gradients[name]) and _is_off(at_one, name)]
        asked = None if two is None or not zero else _ask(subject, method, one, two)
    except (SubjectError, KeyError, ValueError, IndexError):
        return {}
    return {name: _suggest_left_out(subject, asked, name) for name in zero}


def _suggest_left_out(subject: Subject, asked: _AtTwoSteps | None, name: str) -> Suggestion:
    """Which step is left out of a sum, if one is: without what that step has to add, the gradient is right."""
    zero = "for a sequence of one step it is zero, and should not be"
    if asked is None or name in asked.sequences:
        return Suggestion("", zero)
    for out, kept, which, other in (
        (asked.first, asked.last, "first", "last"),
        (asked.last, asked.first, "last", "first"),
    ):
        if out is None or kept is None or np.any(out.gradients[name]) or not np.any(kept.gradients[name]):
            continue
        if _is_off(out, name) and not _is_off(kept, name):
            told = (
                f"; for two, a cotangent on the {which} step alone gives zero, and on the {other} alone the right one"
            )
            return Suggestion("missing-accumulation", f"{zero}{told}: the {which} step is left out of the sum")
    for what, arrays in _without_first_step(subject, asked):
        try:
            there = Evidence(subject, SEED, arrays, asked.whole.truth.method, quick=True)
        except SubjectError:
            continue
        if np.any(there.gradients.get(name, 0)) and not _is_off(there, name) and _is_off(asked.whole, name):
            told = f"; for two it is right where {what} is zero, so that the first has nothing to add"
            return Suggestion("missing-accumulation", f"{zero}{told}: the first step is left out of the sum")
    return Suggestion("", zero)


def _without_first_step(subject: Subject, asked: _AtTwoSteps) -> Iterator[tuple[str, dict[str, Array]]]:
    """Two steps, the first of which has nothing to add to some weights' gradients: its input, or its state, is zero."""
    point = {name: asked.whole.point[name] for name in asked.whole.arrays}
    for name, axis in asked.sequences.items():
        changed = np.array(point[name])
        changed[(slice(None),) * axis + (0,)] = 0
        yield f"{name} at the first step", {**point, name: changed}
    starts = {name: np.zeros_like(array) for name, array in asked.whole.point.items() if names_start(name)}
    if starts:
        yield ", ".join(starts), {**point, **starts}


def _ask(subject: Subject, method: str, one: Arrays, two: Arrays) -> _AtTwoSteps:
    first, last = _make_masks(subject.outputs(one), subject.outputs(two))
    seen = any(np.any(mask) for mask in first.values())
    axes = {
        name: next(n for n, (a, b) in enumerate(zip(np.shape(one[name]), np.shape(two[name]), strict=True)) if a != b)
        for name in two
        if name in one and np.ndim(one[name]) == np.ndim(two[name]) and np.shape(one[name]) != np.shape(two[name])
    }
    return _AtTwoSteps(
        Evidence(subject, SEED, two, method, quick=True),
        Evidence(subject, SEED, two, method, quick=True, mask=first) if seen else None,
        Evidence(subject, SEED, two, method, quick=True, mask=last),
        axes,
    )


def _make_masks(one: Arrays, two: Arrays) -> tuple[dict[str, Array], dict[str, Array]]:
    """Which entries of the outputs are the first step's, and which are the last one's."""
    listed = set(one) != set(two)  # a list with an array a step
    first: dict[str, Array] = {}
    last: dict[str, Array] = {}
    for path, array in two.items():
        axes = [n for n, size in enumerate(array.shape) if path in one and one[path].shape[n : n + 1] != (size,)]
        index = np.indices(array.shape)[axes[0]] if axes else np.full(array.shape, not (listed and path in one), int)
        first[path], last[path] = (index == 0) * 1.0, (index > 0) * 1.0
    return first, last


def _suggest(asked: _AtTwoSteps, name: str) -> Suggestion:
    # From what is certain to what is likely: nothing arrives at all; all that is carried is right, and the sum is not;
    # it is wrong where nothing is carried; it is wrong, and so is what is carried.
    if cut := _nothing_carried(asked):
        return Suggestion("recurrent-path-cut", f"{_SEEN}; {cut}")
    flow = [one for one in asked.whole.gradients if names_start(one) or one in asked.sequences]
    right = [one for one in flow if not _is_off(asked.whole, one)]
    if flow and len(right) == len(flow):
        return _suggest_for_sum(asked, name, ", ".join(right))
    if asked.first is not None and _is_off(asked.first, name):
        sentence = (
            f"{_SEEN}; with a cotangent on the first step alone it is wrong as well, where nothing is carried back"
        )
        return _suggest_elsewhere(asked, name, sentence)
    carried = [one for one in flow if one != name and _is_off(asked.last, one)]
    rest = f"; with a cotangent on the last step alone that of {', '.join(carried)} is wrong as well" if carried else ""
    return Suggestion("", _SEEN + rest)


def _suggest_elsewhere(asked: _AtTwoSteps, name: str, sentence: str) -> Suggestion:
    """Values of another step are read: the first step's gradient changes with the input of the second."""
    assert asked.first is not None
    for sequence, axis in asked.sequences.items():
        changed = np.array(asked.whole.point[sequence])
        changed[(slice(None),) * axis + (-1,)] += 0.5
        there = {**asked.first.arrays, sequence: changed}
        cotangents = asked.first.cotangents
        gradients = asked.first.subject.gradients(there, cotangents)
        size = float(np.max(np.abs(asked.first.gradients[name]), initial=0))
        # What rounding may change: the step's own numbers are the same.
        if float(np.max(np.abs(gradients[name] - asked.first.gradients[name]), initial=0)) > 1e-6 * size:
            seen = f"and it changes with {sequence} at the second step, which the first does not depend on"
            return Suggestion("stale-cache", f"{sentence}, {seen}", ("wrong-time-index",))
    return Suggestion("", sentence)


# One direction is enough: the gradient is known to be wrong somewhere, and the question is only where.
def _is_off(evidence: Evidence, name: str) -> bool:
    product = evidence.product(name, 0)
    return not product.agrees(evidence.coarse)


def _nothing_carried(asked: _AtTwoSteps) -> str:
    """How it shows that a cotangent on the last step does not reach the first; empty where it does, or is not seen."""
    told = []
    for name, gradient in asked.last.gradients.items():
        if not (names_start(name) or name in asked.sequences):
            continue
        first = asked.first
        # A gradient that is zero whatever the cotangents is one that is not computed: no sign of what is carried.
        if first is None or not np.any(first.gradients[name]) or _is_off(first, name):
            continue
        if name in asked.sequences:
            axis = asked.sequences[name]
            if np.any(np.take(gradient, 0, axis)) or not asked.last.moved(name, np.indices(gradient.shape)[axis] == 0):
                return ""
            told.append(f"{name} is zero at the first")
        elif np.any(gradient) or not _is_off(asked.last, name):
            return ""
        else:
            told.append(f"{name} is zero")
    if not told:
        return ""
    return f"with a cotangent on the last step alone the gradient of {', that of '.join(told)}: nothing is carried back"


def _suggest_for_sum(asked: _AtTwoSteps, name: str, right: str) -> Suggestion:
    """What is carried back is right: the sum over time is not, or what is multiplied in it."""
    sentence = f"{_SEEN}; that of {right} is right"
    gradient = asked.whole.gradients[name]
    if asked.first is not None and not np.any(asked.first.gradients[name]) and _is_off(asked.first, name):
        told = "a cotangent on the first step alone gives zero for it"
        tag = "missing-accumulation" if name not in asked.sequences else ""
        return Suggestion(tag, f"{sentence}; {told}")
    if sum(size > 1 for size in gradient.shape) < 2:  # no outer product, such as a bias: nothing more can be asked
        return Suggestion("", sentence)
    rank = _find_rank(asked.whole.subject, name)
    if rank == 1:
        rest = "for three steps and one example its rank is 1, as that of a single step's term is"
        return Suggestion("missing-accumulation", f"{sentence}; {rest}")
    if rank is not None:
        sentence += f"; for three steps and one example its rank is {rank}, so that several steps are in its sum"
    return Suggestion("", sentence)


def _find_rank(subject: Subject, name: str) -> int | None:
    """The rank of a matrix's gradient for three steps and one example; None where that cannot be asked."""
    # Three steps and one example: a sum over the steps has rank 3, a single step's term rank 1, whatever the sizes.
    arrays = make_thin(subject, _THREE)
    if arrays is None:
        return None
    answer = subject.outputs(arrays)
    rng = np.random.default_rng(SEED)
    gradient = subject.gradients(arrays, {path: rng.normal(size=array.shape) for path, array in answer.items()})[name]
    matrix = gradient.reshape([size for size in gradient.shape if size != 1])
    if matrix.ndim != 2 or min(matrix.shape) < 2:
        return None
    sizes = np.linalg.svd(matrix, compute_uv=False)
    # of matrices with entries of order one, singular values that rounding makes are some 1e-16, or 1e-7 in single
    return int(np.sum(sizes > 1e-6 * max(float(sizes[0]), 1e-300)))
