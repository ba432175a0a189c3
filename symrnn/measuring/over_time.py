"""What may be wrong with gradients that are right for one step and wrong for two: told apart by two steps alone.

A cotangent on the first step alone needs nothing that is carried back; one on the last step alone shows what is.  What
is carried shows in the gradients of the initial states and of the first step's input, which no sum over time enters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.conventions import names_start
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.findings.findings import Suggestion
from symrnn.measuring.evidence import Evidence
from symrnn.measuring.sizes import SEED, make_thin

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
    # Other people's functions may refuse two steps, or return other outputs there: then all that may be wrong is named.
    except (SubjectError, KeyError, ValueError, IndexError):
        classes = ("missing-accumulation", "wrong-time-index", "stale-cache")
        return {name: Suggestion("recurrent-path-cut", _SEEN, classes) for name in names}


def find_left_out(subject: Subject, evidence: Evidence, names: Sequence[str], one: Arrays) -> dict[str, Suggestion]:
    """The gradients that are zero for one step, and are not for more."""
    if not names:
        return {}
    try:
        gradients = Evidence(subject, SEED, one, evidence.truth.method, quick=True).gradients
    except (SubjectError, KeyError, ValueError):
        return {}
    sentence = "for a sequence of one step it is zero: the first step is left out of the sum"
    zero = [name for name in names if name in gradients and not np.any(gradients[name])]
    return {name: Suggestion("missing-accumulation", sentence) for name in zero if np.any(evidence.gradients[name])}


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
        sentence = "with a cotangent on the first step alone it is wrong as well, where nothing is carried back"
        return Suggestion("stale-cache", f"{_SEEN}; {sentence}", ("wrong-time-index",))
    others = ("stale-cache", "wrong-time-index") if flow else ("missing-accumulation", "stale-cache")
    sentence = f"that of {', '.join(one for one in flow if one not in right)} is wrong as well" if flow else ""
    rest = f"; {sentence}, so that what is carried back is not right" if flow else ""
    return Suggestion("recurrent-path-cut", _SEEN + rest, others)


# One direction is enough: the gradient is known to be wrong somewhere, and the question is only where.
def _is_off(evidence: Evidence, name: str) -> bool:
    product = evidence.product(name, 0)
    return not product.agrees(evidence.coarse)


def _nothing_carried(asked: _AtTwoSteps) -> str:
    """How it shows that a cotangent on the last step does not reach the first; empty where it does, or is not seen."""
    for name, gradient in asked.last.gradients.items():
        if names_start(name) and not np.any(gradient) and _is_off(asked.last, name):
            return f"with a cotangent on the last step alone the gradient of {name} is zero: nothing reaches step 0"
    for name, axis in asked.sequences.items():
        first = asked.last.gradients.get(name)
        if first is None or np.any(np.take(first, 0, axis)):
            continue
        if asked.last.moved(name, np.indices(first.shape)[axis] == 0):
            sentence = f"with a cotangent on the last step alone the gradient of {name} is zero at the first"
            return f"{sentence}: nothing is carried back"
    return ""


def _suggest_for_sum(asked: _AtTwoSteps, name: str, right: str) -> Suggestion:
    """What is carried back is right: the sum over time is not, or what is multiplied in it."""
    sentence = f"{_SEEN}; that of {right} is right, so that what is carried back is right"
    gradient = asked.whole.gradients[name]
    if asked.first is not None and not np.any(asked.first.gradients[name]):
        return Suggestion("missing-accumulation", f"{sentence}; a cotangent on the first step alone gives zero for it")
    if sum(size > 1 for size in gradient.shape) < 2:  # no outer product, such as a bias: a sum of what is carried
        return Suggestion("missing-accumulation", sentence)
    rank = _find_rank(asked.whole.subject, name)
    if rank == 1:
        rest = "for three steps and one example its rank is 1, as that of a single step's term is"
        return Suggestion("missing-accumulation", f"{sentence}; {rest}")
    if rank is not None:
        return Suggestion("wrong-time-index", f"{sentence}; it is summed over the steps", ("stale-cache",))
    return Suggestion("missing-accumulation", sentence, ("wrong-time-index", "stale-cache"))


def _find_rank(subject: Subject, name: str) -> int | None:
    """The rank of a matrix's gradient for three steps and one example; None where that cannot be asked."""
    # Three steps and one example: a sum over the steps has rank 3, a single step's term rank 1, whatever the sizes.
    arrays = make_thin(subject, 3)
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
