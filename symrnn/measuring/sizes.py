"""The same functions at other sizes: a shorter sequence, one example, a zero initial state."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.conventions import names_start
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.measuring.evidence import Evidence
from symrnn.measuring.truth import SINGLE

SEED = 1
"""Of the inputs at other sizes; not the usual 0, so that these are not the beginning of the inputs that are checked."""


def make_shorter(subject: Subject, steps: int) -> dict[str, Array] | None:
    """Inputs with this number of steps: made anew, or cut from the sequence; None where neither can be done.

    A sequence is told by causality: with its first entries alone, forward returns the first entries of its outputs.
    """
    if (made := make_anew(subject, T=steps)) is not None:
        return made
    for name, array in subject.arrays.items():
        if (
            # Time is the first axis of a sequence, by the usual layout; a vector's first axis is its entries.
            array.ndim >= 2
            and array.shape[0] > steps
            and _is_beginning(subject, {name: array[:steps]}, 0, array.shape[0])
        ):
            return {name: array[:steps]}
    return None


def make_fewer(subject: Subject, examples: int) -> dict[str, Array] | None:
    """Inputs with this number of examples: made anew, or every input with a batch axis cut; None if neither works."""
    if (made := make_anew(subject, N=examples)) is not None:
        return made
    # A batch is the first or the second axis; each of their sizes is tried, in an order that is the same every time.
    for size in sorted({n for a in subject.arrays.values() if a.ndim >= 2 for n in a.shape[:2] if n > examples}):
        for cut in _propose_cuts(subject, size, examples):
            if _is_beginning(subject, cut, None, size):
                return cut
    return None


def make_thin(subject: Subject, steps: int) -> dict[str, Array] | None:
    """Inputs with this number of steps and one example; None where they cannot be made."""
    if (made := make_anew(subject, T=steps, N=1)) is not None:
        return made
    short = make_shorter(subject, steps)
    if short is None:
        return None
    # Three steps of one example where both can be cut; of all examples where the batch axis is not found.
    single = make_fewer(subject, 1) or {}
    cut = {name: np.take(single[name], range(steps), 0) if name in single else array for name, array in short.items()}
    return single | cut


def make_unstarted(subject: Subject) -> dict[str, Array] | None:
    """The inputs with initial states of zero; None where no input is named as one, or they are zero already."""
    found = {
        name: np.zeros_like(array) for name, array in subject.arrays.items() if names_start(name) and np.any(array)
    }
    return found or None


@dataclass(frozen=True)
class SeenElsewhere:
    """Gradients at another point.

    Attributes:
        wrong: the inputs whose gradients are wrong there.
        told: those whose right gradient is not zero there: where it is, any that is zero as well is right.
    """

    wrong: frozenset[str]
    told: frozenset[str]


def look_at(subject: Subject, arrays: Arrays, method: str, names: Collection[str]) -> SeenElsewhere | None:
    """Some gradients at another point; None where the functions cannot be checked there."""
    try:
        evidence = Evidence(subject, SEED, arrays, method, quick=True)
        wrong, told = set(evidence.reading.refused), set()
        for name in sorted(set(names) & set(evidence.gradients)):
            product = evidence.product(name, 0)
            if not product.agrees(evidence.coarse):
                wrong.add(name)
            if product.expected != 0:
                told.add(name)
    except (SubjectError, KeyError, ValueError):
        return None
    return SeenElsewhere(frozenset(wrong), frozenset(told))


def make_anew(subject: Subject, **sizes: int) -> dict[str, Array] | None:
    """Inputs of other sizes by the caller's own function; None where there is none that makes these sizes.

    Args:
        subject: the functions.
        sizes: the numbers of steps, `T`, and of examples, `N`.
    """
    try:
        made = subject.made(SEED, **sizes)
        return made if made is not None and set(made) >= set(subject.arrays) else None
    except SubjectError:
        return None


def _propose_cuts(subject: Subject, size: int, examples: int) -> Iterator[dict[str, Array]]:
    """Ways to cut a batch axis: the second of what has three axes, the first of what has two."""
    rank = {name: array for name, array in subject.arrays.items() if array.ndim >= 2}
    # A matrix whose first axis has the batch's size by chance must not be cut: named states first, then any matrix.
    states = {n: a[:examples] for n, a in rank.items() if a.ndim == 2 and a.shape[0] == size and names_start(n)}
    sequences = {n: a[:, :examples] for n, a in rank.items() if a.ndim == 3 and a.shape[1] == size}
    others = {n: a[:examples] for n, a in rank.items() if a.ndim == 2 and a.shape[0] == size}
    for cut in (sequences | states, states, sequences | others, others):
        if cut:
            yield cut


def _is_beginning(subject: Subject, cut: Arrays, axis: int | None, size: int) -> bool:
    """Whether forward with the cut inputs gives a part of its outputs, along an axis of that size."""
    try:
        answer = subject.outputs(cut)
    except SubjectError:
        return False
    partial = False
    for path, array in answer.items():
        whole = subject.answer.get(path)
        if whole is None or whole.ndim != array.ndim:
            return False
        if whole.shape == array.shape:
            # With fewer examples every output has fewer; a last state keeps its shape where only steps are cut.
            if axis is None and whole.ndim:
                return False
            continue
        places = [n for n, (one, two) in enumerate(zip(whole.shape, array.shape, strict=True)) if one != two]
        if len(places) != 1 or whole.shape[places[0]] != size or axis not in (None, places[0]):
            return False
        part = np.take(whole, range(array.shape[places[0]]), axis=places[0])
        # A product of fewer rows may be summed in another order; another part of a sequence has other numbers at all.
        partial = bool(np.allclose(part, array, rtol=1e-6 if subject.epsilon < SINGLE else 1e-3, atol=1e-12))
        if not partial:
            return False
    listed = axis is not None and set(answer) < set(subject.answer)  # an array a step
    return partial or (listed and all(np.allclose(array, subject.answer[path]) for path, array in answer.items()))
