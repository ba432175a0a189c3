"""Gradients that are bounded, entry by entry or by their norm: seen by scaling the cotangents, or by the bound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symrnn.arrays import Array
from symrnn.findings.findings import Suggestion
from symrnn.measuring.evidence import LARGE
from symrnn.measuring.wrong_gradient import SAME, WrongGradient

_SAME_NORM = 1e-12
"""How near the norm of gradients must be to a number of two digits to be scaled down to it: some rounding errors."""
_MANY = 3
"""Entries of one absolute value that are taken for clipped ones; two may be equal by symmetry."""
_MOST_ENTRIES = 300
"""Entries that are compared one by one with the truth, each for a run of forward or two."""


def suggest_clipped(case: WrongGradient) -> Suggestion | None:
    """Clipping, as larger cotangents show it, or as a bound that people write does."""
    if not case.evidence.nonlinear(case.name):
        return None if case.left_over else _suggest_saturated(case)
    larger, right = case.evidence.enlarged[case.name], case.evidence.diminished.get(case.name)
    top = float(np.max(np.abs(larger), initial=0))
    if case.evidence.accumulated(case.name) and right is not None and not case.holds(right):
        return None
    equal = int(np.sum(np.abs(larger) == top))
    small = "; for small cotangents it is right" if right is not None and case.holds(right) else ""
    if equal >= min(_MANY, larger.size):
        sentence = f"for cotangents a million times as large, {equal} of {larger.size} entries are ±{top:.6g}"
        clipped = right is not None and np.array_equal(larger, np.clip(LARGE * right, -top, top))
        proved = f"is clipped to [-{top:.6g}, {top:.6g}], entry by entry" if small and clipped else ""
    else:
        norm = float(np.linalg.norm(larger))
        sentence = f"it does not grow with the cotangents; for a million times as large ones its norm is {norm:.6g}"
        proved = _bounded(case) if small else ""
    return Suggestion("clipped", sentence + small, proved=proved)


def _bounded(case: WrongGradient) -> str:
    """The norm that a gradient is scaled down to, alone or with others; nothing where it is not the direction's own."""
    evidence = case.evidence
    shrunk: dict[str, float] = {}
    for name, larger in evidence.enlarged.items():
        small = evidence.diminished.get(name)
        if small is None or larger.shape != small.shape or not np.any(small):
            continue
        ratio = float(np.sum(larger * small) / np.sum(small**2) / LARGE)
        if np.linalg.norm(larger - ratio * LARGE * small) <= SAME * np.linalg.norm(larger):
            shrunk[name] = ratio
    ratio = shrunk.get(case.name, 1.0)
    if not abs(ratio) < 1 - SAME:
        return ""
    together = [name for name, other in shrunk.items() if abs(other / ratio - 1) <= SAME]
    norm = float(np.sqrt(sum(np.sum(evidence.enlarged[name] ** 2) for name in together)))
    others = f", that of {', '.join(together)} together" if len(together) > 1 else ""
    return f"is scaled down to a norm of at most {norm:.6g}{others}"


def _suggest_saturated(case: WrongGradient) -> Suggestion | None:
    """Clipping as it shows without scaling the cotangents: several entries are equally large, and too small."""
    sizes = np.abs(case.gradient)
    top = float(np.max(sizes, initial=0))
    equal = int(np.sum(sizes == top))
    if top == 0 or equal == sizes.size or not (equal >= _MANY or _is_chosen(top, sizes)):
        return None
    expected = case.location.worst.expected if case.location and case.location.worst else 0.0
    if abs(expected) <= top:
        return None
    proved = f"is clipped to [-{top:.6g}, {top:.6g}], entry by entry" if _is_saturated(case, top) else ""
    if not proved and equal < _MANY:
        return None
    are = "entries are" if equal > 1 else "entries is"
    sentence = f"{equal} of {sizes.size} {are} ±{top:.6g}, and one of them should be {expected:.6g}"
    return Suggestion("clipped", sentence, proved=proved)


def _is_chosen(bound: float, sizes: Array) -> bool:
    """Whether a bound is a number that people write, such as 2 or 0.25, among others that are not."""
    return _is_written(bound) and not all(_is_written(float(size)) for size in sizes.ravel()[:_MOST_ENTRIES])


def _is_written(number: float) -> bool:
    """Whether a number has two digits at most; a computed one has that by chance once in 1e13 times."""
    return number == float(f"{number:.2g}")


def _is_saturated(case: WrongGradient, top: float) -> bool:
    """Whether the gradient is right but for entries of one size, and each of these should be larger by itself."""
    places = [tuple(map(int, place)) for place in np.argwhere(np.abs(case.gradient) == top)]
    if len(places) > _MOST_ENTRIES:
        return False
    candidate = case.gradient.copy()
    values, _ = case.evidence.truth.entries(case.name, places)
    for place, value in zip(places, values, strict=True):
        if value * candidate[place] < top * top * (1 - SAME):
            return False
        candidate[place] = value
    return case.holds(candidate)


def shrunk_norm(case: WrongGradient, factor: float, common: Sequence[str]) -> str:
    """The norm that a loss's gradients are scaled down to; a function whose cotangents can be chosen is asked."""
    gradients = case.evidence.gradients
    if not (case.evidence.subject.calling.implicit and 0 < factor < 1):
        return ""
    norm = float(np.sqrt(sum(np.sum(gradients[name] ** 2) for name in (case.name, *common))))
    nearest = float(f"{norm:.2g}")
    if abs(norm / nearest - 1) > _SAME_NORM:
        return ""
    others = f", that of {', '.join(sorted((case.name, *common)))} together" if common else ""
    return f"is scaled down to a norm of {nearest:g}{others}"
