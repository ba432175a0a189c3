"""A diagnosis at small sizes, where the functions allow other sizes than their own: nothing depends on how many."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.budget import OutOfTimeError, unlimited
from symrnn.calculus.derivation import Derivation
from symrnn.callables.subject import Subject
from symrnn.diagnosis.diagnose import Outcome, diagnose
from symrnn.diagnosis.unread import with_unread
from symrnn.errors import InputError
from symrnn.identification.layout import Layout
from symrnn.identification.resizing import resize
from symrnn.losses.headed import JoinedLayout
from symrnn.mistakes.backward_pass import BackwardPass

_SMALL = 7
"""The largest size at which mistakes are looked for.  Thousands are tried, and each costs products of this size; the
further sizes are one less each, so that they differ and no matrix fits in another's place."""


def diagnose_resized(subject: Subject, layout: Layout, derivation: Derivation, seed: int) -> Outcome:
    """Name the mistakes of a backward pass, at small sizes where it can be asked there.

    Args:
        subject: the functions.
        layout: the cell that forward computes, and how it holds it.
        derivation: of that cell.
        seed: of all numbers.

    Returns:
        What was found; an incomplete outcome where time runs out.
    """
    layout = with_unread(layout, {flat: subject.arrays[path] for flat, path in subject.flat_names.items()})
    try:
        for resized in _resized(layout):
            try:
                small = diagnose(subject, resized, derivation, seed, _labels(resized, layout))
            except InputError:
                continue
            if small.asked:
                return small
        return diagnose(subject, layout, derivation, seed)
    except OutOfTimeError:
        with unlimited():
            return Outcome((), (), 0, BackwardPass.right(derivation), complete=False)


def _resized(layout: Layout) -> Iterator[Layout]:
    """The layout at small sizes: all of them, or all but those of readouts, since a buffer may be of a fixed size."""
    readouts = set(layout.joined.sizes) if isinstance(layout, JoinedLayout) and layout.joined else set()
    for kept in [set(), readouts] if readouts else [set()]:
        free = {name: size for name, size in layout.sizes.items() if name not in kept}
        if max(free.values(), default=0) > _SMALL:
            try:
                yield resize(
                    layout, {name: min(size, _SMALL - place) for place, (name, size) in enumerate(free.items())}
                )
            except InputError:
                continue


def _labels(small: Layout, own: Layout) -> dict[str, str]:
    """What the pieces of a resized layout's arrays are called at the own sizes."""
    pairs = zip(small.parts, own.parts, strict=True)
    return {a.source.label(small.shapes[a.source.array]): b.source.label(own.shapes[b.source.array]) for a, b in pairs}
