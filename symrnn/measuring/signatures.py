"""What a wrong gradient looks like, without knowing the cell: a table of tests, each with its sentence.

Every test asks whether something made of the returned gradient, such as its half or its transpose, is the right one.  A
sentence says what was seen, and is true whatever the mistake is; a class of mistakes stands beside it only where the
experiment could have refuted it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.conventions import names_start
from symrnn.findings.findings import Suggestion
from symrnn.measuring.clipping import shrunk_norm, suggest_clipped
from symrnn.measuring.elsewhere import changed_inputs, suggest_elsewhere
from symrnn.measuring.evidence import Evidence
from symrnn.measuring.locating import Location
from symrnn.measuring.sizes import look_at, make_fewer, make_shorter
from symrnn.measuring.wrong_gradient import SAME, WrongGradient

_MOST_BLOCKS = 8
"""Blocks up to which a slice is numbered as one of them: gates side by side are 2 to 6, twice that for two layers."""


def suggest(
    evidence: Evidence, wrong: Sequence[str], located: Mapping[str, Location], moved: Mapping[str, str]
) -> dict[str, tuple[Suggestion, ...]]:
    """The classes of mistakes that each wrong gradient looks like, the plainest first."""
    found: dict[str, list[Suggestion]] = {name: [_suggest_exchange(name, moved)] for name in moved}
    for name in wrong:
        if name not in evidence.gradients or not np.isfinite(evidence.gradients[name]).all():
            continue
        case = WrongGradient(evidence, name, wrong, located.get(name))
        found.setdefault(name, [])
        found[name] += [suggestion for test in TESTS if (suggestion := test(case)) is not None]
    # A gradient in another's place is explained by that alone: at other sizes it would only look wrong again.
    unmoved = [name for name in located if name not in moved]
    if unmoved:
        for name, suggestion in suggest_elsewhere(evidence, unmoved):
            found.setdefault(name, []).append(suggestion)
    return {name: tuple(rows) for name, rows in found.items()}


# One gradient by itself.


def _suggest_zero(case: WrongGradient) -> Suggestion | None:
    if np.any(case.gradient):
        return None
    alone = " it is the only one that is wrong;" if len(case.wrong) == 1 else ""
    sentence = f"it is zero throughout;{alone} the outputs do depend on {case.name}"
    if names_start(case.name) and len(case.wrong) > 1:  # what is not carried back is zero there as well
        return Suggestion("zero-gradient", sentence, ("recurrent-path-cut",))
    others = [case.evidence.gradients[name] for name in case.wrong if name in case.evidence.gradients]
    some = len(case.wrong) == 1 or any(map(np.any, others))  # otherwise it is the cotangents that are not used
    return Suggestion(
        "zero-gradient", sentence, proved="is zero throughout, and the outputs depend on it" if some else ""
    )


def _suggest_phantom(case: WrongGradient) -> Suggestion | None:
    # Exactly zero, along several directions: a derivative that is merely small is not absent.
    if any(case.evidence.expected(case.name, place)[0] != 0 for place in range(4)) or not np.any(case.gradient):
        return None
    proved = "is not zero, and the outputs do not depend on it: forward does not use it"
    return Suggestion("phantom-gradient", f"the outputs do not depend on {case.name} at all", proved=proved)


def _suggest_factor(case: WrongGradient) -> Suggestion | None:
    # Clipping by the norm gives a multiple of the right gradient too, but another one for other cotangents.
    factor = case.evidence.factor(case.name)
    if factor is None or case.evidence.nonlinear(case.name):
        return None
    others = [name for name in case.wrong if name != case.name and name in case.evidence.gradients]
    common = [name for name in others if (other := case.evidence.factor(name)) and abs(other / factor - 1) < SAME]
    too = f"; so are those of {', '.join(common)}" if common else ""
    if abs(factor + 1) < SAME:
        proved = "is the right one with the opposite sign"
        return Suggestion("sign", f"it is the right gradient with the opposite sign{too}", proved=proved)
    if abs(factor - 2) < SAME:
        proved = "is exactly 2 times the right one"
        return Suggestion("double-counted", f"it is exactly 2 times the right gradient{too}", proved=proved)
    # An error of the factor is one of 1/factor over its square.
    axes = _find_axes(case, round(1 / factor)) if abs(1 / factor - round(1 / factor)) < SAME / factor**2 else []
    if axes:
        part = round(1 / factor)
        sentence = f"it is exactly 1/{part} of the right gradient, and {part} is the size of {axes[0]}"
        proved = f"is exactly 1/{part} of the right one, and {part} is the size of {axes[0]}"
        tag = "mean-for-sum" if _is_mean(case) else "wrong-scale"
        return Suggestion(tag, sentence + too, proved=proved)
    if proved := shrunk_norm(case, factor, common):
        return Suggestion("clipped", f"it is {factor:.10g} times the right gradient{too}", proved=proved)
    axes = _find_axes(case, round(factor)) if abs(factor - round(factor)) < SAME * abs(factor) else []
    size = f", and {round(factor)} is the size of {axes[0]}" if axes else ""
    proved = f"is exactly {factor:.10g} times the right one{size}"
    return Suggestion("wrong-scale", f"it is exactly {factor:.10g} times the right gradient{size}{too}", proved=proved)


def _is_mean(case: WrongGradient) -> bool:
    """Whether the gradient is right where there is one example, or one step, in place of several."""
    subject, method = case.evidence.subject.unnoticed(), case.evidence.truth.method
    for change in (make_fewer, make_shorter):
        there = changed_inputs(subject, change, 1)
        seen = None if there is None else look_at(subject, there, method, [case.name])
        if seen is not None and case.name in seen.told - seen.wrong:
            return True
    return False


def _find_axes(case: WrongGradient, size: int) -> list[str]:
    """The axes of that size: of outputs, then of inputs."""
    if size < 2:
        return []
    arrays = case.evidence.cotangents | {path: a for path, a in case.evidence.point.items() if np.ndim(a)}
    return [f"axis {n} of {path}" for path, array in arrays.items() for n, s in enumerate(np.shape(array)) if s == size]


def _suggest_accumulated(case: WrongGradient) -> Suggestion | None:
    left = case.left_over
    if not left:
        return None
    kept = case.gradient - case.evidence.at_zero[case.name]
    rest = "; without that it is right" if case.holds(kept) else ""
    proved = "is not zero where every cotangent is, and right but for that" if rest else ""
    sentence = f"it is not zero for zero cotangents: its largest entry is {left:.3g}{rest}"
    return Suggestion("bad-accumulator", sentence, proved=proved)


def _suggest_transposed(case: WrongGradient) -> Suggestion | None:
    gradient = case.gradient
    if gradient.ndim != 2 or gradient.shape[0] != gradient.shape[1] or not case.holds(gradient.T):
        return None
    return Suggestion("transpose", "its transpose is the right gradient", proved="is the transpose of the right one")


def _suggest_shifted(case: WrongGradient) -> Suggestion | None:
    gradient = case.gradient
    if gradient.ndim < 2 or gradient.shape[0] < 2:
        return None
    if case.holds(gradient[::-1]):
        proved = "is the right one with its first axis reversed"
        return Suggestion("wrong-time-index", "it is the right gradient with its first axis reversed", proved=proved)
    # By one step: that is what reading h_t for h_{t-1}, or the other way round, comes to.
    for step in (1, -1):
        moved = np.roll(gradient, step, axis=0)
        if case.holds(moved):
            sentence = "it is the right gradient moved by one along its first axis"
            proved = "is the right one moved by one along its first axis"
            return Suggestion("wrong-time-index", sentence, proved=proved)
    return None


# One gradient against the others.


def _suggest_swapped(case: WrongGradient) -> Suggestion | None:
    gradient = case.gradient
    if not np.any(gradient):
        return None
    for name, other in case.evidence.gradients.items():
        if name == case.name or other.shape != gradient.shape or not gradient.size:
            continue
        if np.array_equal(other, gradient):
            which = "both are wrong" if name in case.wrong else f"that of {name} is right"
            return Suggestion("gate-swapped", f"it equals the gradient of {name} in every entry; {which}")
        if name in case.wrong and case.evidence.holds(name, gradient):
            return None if case.holds(other) else Suggestion("gate-swapped", f"it is the right gradient of {name}")
    return None


def find_misplaced(evidence: Evidence, wrong: Sequence[str]) -> dict[str, str]:
    """The gradients that are right and stand in the place of another: whose it is -> where it is, in any shape."""
    returned = {name: evidence.gradients[name] for name in wrong if name in evidence.gradients}
    returned |= {name: array for name, array in evidence.reading.misshapen.items() if name in wrong}
    found: dict[str, str] = {}
    for name in wrong:
        shape = np.shape(evidence.point[name])
        fitting = [one for one, array in returned.items() if one != name and array.shape == shape and np.any(array)]
        fitting = [one for one in fitting if evidence.holds(name, returned[one])]
        if len(fitting) == 1:
            found[name] = fitting[0]
    return found if len(set(found.values())) == len(found) else {}


def _suggest_exchange(name: str, places: Mapping[str, str]) -> Suggestion:
    other = places[name]
    if places.get(other) == name:
        sentence = f"exchanged with that of {other}: each is the right gradient of the other one"
    else:
        sentence = f"the right one is what is returned for {other}"
    return Suggestion("gradients-exchanged", sentence)


def _suggest_sliced(case: WrongGradient) -> Suggestion | None:
    """Only some rows or columns are wrong: what is wrong with them."""
    if case.location is None or not case.location.slices or case.gradient.size < 2:
        return None
    # Along the axis on which least is wrong: a gate's block of rows says more than all of the columns.
    axis, (first, last) = min(case.location.slices.items(), key=lambda item: item[1][1] - item[1][0])
    count, width = case.gradient.shape[axis], last - first + 1
    one, many = _name_places(case.gradient.ndim, axis)
    where = f"{one} {first} of {count} is wrong" if width == 1 else f"{many} {first} to {last} of {count} are wrong"
    blocks = count // width
    whole = width > 1 and blocks <= _MOST_BLOCKS and count % width == 0 and first % width == 0
    block = f", block {first // width + 1} of {blocks}" if whole else ""
    tag, sentence = _describe_slice(case, axis, first, last)
    inside = np.zeros(case.gradient.shape, bool)
    inside[(slice(None),) * axis + (slice(first, last + 1),)] = True
    if any(case.evidence.moved(case.name, ~inside, place) for place in range(2)):
        return None  # what was found by halving may have missed something
    return Suggestion(tag, f"only {where}{block}{sentence}; the rest is right")


def _name_places(dimensions: int, axis: int) -> tuple[str, str]:
    """What one and several places along an axis are called."""
    if dimensions == 1:
        return "entry", "entries"
    if dimensions == 2:
        return (("row", "rows"), ("column", "columns"))[axis]
    return f"index of axis {axis}, number", f"indices of axis {axis}, numbers"


def _describe_slice(case: WrongGradient, axis: int, first: int, last: int) -> tuple[str, str]:
    """The tag and the clause for a wrong slice: zero, a multiple, or equal to another block."""
    gradient = case.gradient
    window = [slice(None)] * gradient.ndim
    window[axis] = slice(first, last + 1)
    part, width = gradient[tuple(window)], last - first + 1

    def filled(values: Array) -> Array:
        candidate = gradient.copy()
        candidate[tuple(window)] = values
        return candidate

    if not np.any(part):
        return "", ", and zero"
    # Gates stand side by side in blocks of one width; a block that equals another was computed from the wrong gate.
    for start in range(0, gradient.shape[axis] - width + 1, width):
        other = [slice(None)] * gradient.ndim
        other[axis] = slice(start, start + width)
        if start != first and np.array_equal(gradient[tuple(other)], part):
            return "gate-swapped", f", and equal to {start} to {start + width - 1}"
    product = case.evidence.product(case.name, 0)
    inside = float(np.sum(part * case.evidence.direction(case.name, 0)[tuple(window)]))
    right = product.expected - (product.got - inside)
    if inside and right and case.holds(filled(part * (right / inside))):
        factor = inside / right
        # The factor is a quotient of differences here, hence coarser than `SAME`.
        tag = "double-counted" if abs(factor - 2) < 1e-6 else "sign" if abs(factor + 1) < 1e-6 else "wrong-scale"
        return tag, f", and {factor:.6g} times the right ones"
    return "", ""


TESTS: tuple[Callable[[WrongGradient], Suggestion | None], ...] = (
    _suggest_zero,
    _suggest_phantom,
    _suggest_accumulated,
    suggest_clipped,
    _suggest_factor,
    _suggest_transposed,
    _suggest_swapped,
    _suggest_shifted,
    _suggest_sliced,
)
"""Every test of a single gradient, the plainest first."""
