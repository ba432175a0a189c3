"""A diagnosis at small sizes, where the functions allow other sizes than their own: nothing depends on how many."""

from __future__ import annotations

from symrnn.calculus.derivation import Derivation
from symrnn.callables.subject import Subject
from symrnn.diagnosis.diagnose import Outcome, diagnose
from symrnn.diagnosis.unread import with_unread
from symrnn.errors import InputError
from symrnn.identification.layout import Layout
from symrnn.identification.resizing import resize

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
    """
    layout = with_unread(layout, {flat: subject.arrays[path] for flat, path in subject.flat_names.items()})
    if max(layout.sizes.values(), default=0) > _SMALL:
        sizes = {name: min(size, _SMALL - place) for place, (name, size) in enumerate(layout.sizes.items())}
        try:
            resized = resize(layout, sizes)
            small = diagnose(subject, resized, derivation, seed, _labels(resized, layout))
        except InputError:
            small = None
        if small is not None and small.asked:
            return small
    return diagnose(subject, layout, derivation, seed)


def _labels(small: Layout, own: Layout) -> dict[str, str]:
    """What the pieces of a resized layout's arrays are called at the own sizes."""
    pairs = zip(small.parts, own.parts, strict=True)
    return {a.source.label(small.shapes[a.source.array]): b.source.label(own.shapes[b.source.array]) for a, b in pairs}
