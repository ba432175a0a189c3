"""What a wrong gradient looks like, without knowing the cell: a table of tests, each with its sentence.

Every test asks whether something made of the returned gradient, such as its half or its transpose, is the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.callables.conventions import names_start
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.findings.findings import Suggestion
from symrnn.measuring.evidence import LARGE, Evidence
from symrnn.measuring.locating import Location
from symrnn.measuring.over_time import find_left_out, tell_apart
from symrnn.measuring.sizes import find_wrong, make_fewer, make_shorter, make_unstarted

_SAME = 1e-7
"""How near a factor must be to a number such as 2 or 1/3 to be called that: the factor is a ratio of two products,
each known to about 1e-9, and cancellation costs some digits."""
_MANY = 3
"""Entries of one absolute value that are taken for clipped ones; two may be equal by symmetry."""
_Change = Callable[[Subject], Arrays | None]
"""Makes inputs of another size, or says by None that it cannot."""
_MOST_ENTRIES = 300
"""Entries that are compared one by one with the truth, each for a run of forward or two."""
_MOST_BLOCKS = 8
"""Blocks up to which a slice is numbered as one of them: gates side by side are 2 to 6, twice that for two layers."""


@dataclass(frozen=True)
class WrongGradient:
    """One wrong gradient with its surroundings.

    Attributes:
        evidence: what was measured.
        name: the input.
        wrong: every input whose gradient is wrong.
        location: where it is wrong, if that was looked for.
    """

    evidence: Evidence
    name: str
    wrong: Sequence[str]
    location: Location | None

    @property
    def gradient(self) -> Array:
        """What backward returns."""
        return self.evidence.gradients[self.name]

    def holds(self, candidate: Array) -> bool:
        """Whether a candidate is the right gradient."""
        return self.evidence.holds(self.name, candidate)


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
        for name, suggestion in _suggest_elsewhere(evidence, unmoved):
            found.setdefault(name, []).append(suggestion)
    return {name: tuple(rows) for name, rows in found.items()}


# One gradient by itself.


def _suggest_zero(case: WrongGradient) -> Suggestion | None:
    if np.any(case.gradient):
        return None
    alone = " it is the only one that is wrong;" if len(case.wrong) == 1 else ""
    sentence = f"it is zero throughout;{alone} the outputs do depend on {case.name}"
    if names_start(case.name):  # what is not carried back is zero there as well
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
    common = [name for name in others if (other := case.evidence.factor(name)) and abs(other / factor - 1) < _SAME]
    too = f"; so are those of {', '.join(common)}" if common else ""
    if abs(factor + 1) < _SAME:
        proved = "is the right one with the opposite sign"
        return Suggestion("sign", f"it is the right gradient with the opposite sign{too}", proved=proved)
    if abs(factor - 2) < _SAME:
        proved = "is exactly 2 times the right one"
        return Suggestion("double-counted", f"it is exactly 2 times the right gradient{too}", proved=proved)
    # An error of the factor is one of 1/factor over its square.
    axes = _find_axes(case, round(1 / factor)) if abs(1 / factor - round(1 / factor)) < _SAME / factor**2 else []
    if axes:
        part = round(1 / factor)
        sentence = f"it is exactly 1/{part} of the right gradient, and {part} is the size of {axes[0]}"
        proved = f"is exactly 1/{part} of the right one, and {part} is the size of {axes[0]}"
        tag = "mean-for-sum" if _is_mean(case) else "wrong-scale"
        return Suggestion(tag, sentence + too, proved=proved)
    axes = _find_axes(case, round(factor)) if abs(factor - round(factor)) < _SAME * abs(factor) else []
    size = f", and {round(factor)} is the size of {axes[0]}" if axes else ""
    proved = f"is exactly {factor:.10g} times the right one{size}"
    return Suggestion("wrong-scale", f"it is exactly {factor:.10g} times the right gradient{size}{too}", proved=proved)


def _is_mean(case: WrongGradient) -> bool:
    """Whether the gradient is right where there is one example, or one step, in place of several."""
    subject, method = case.evidence.subject.unnoticed(), case.evidence.truth.method
    changes: tuple[_Change, ...] = (lambda subject: make_fewer(subject, 1), lambda subject: make_shorter(subject, 1))
    for change in changes:
        there = _ask(subject, change)
        if there is None or (wrong := find_wrong(subject, there, method, [case.name])) is None:
            continue
        if case.name not in wrong:
            return True
    return False


def _find_axes(case: WrongGradient, size: int) -> list[str]:
    """The axes of that size: of outputs, then of inputs."""
    if size < 2:
        return []
    arrays = case.evidence.cotangents | {path: a for path, a in case.evidence.point.items() if np.ndim(a)}
    return [f"axis {n} of {path}" for path, array in arrays.items() for n, s in enumerate(np.shape(array)) if s == size]


def _suggest_accumulated(case: WrongGradient) -> Suggestion | None:
    left = case.evidence.accumulated(case.name)
    # what rounding leaves of terms that cancel; a sum that starts elsewhere is off by its first value
    if left <= 1e-12 * float(np.max(np.abs(case.gradient), initial=0)):
        return None
    if case.evidence.subject.calling.implicit:
        return None
    kept = case.gradient - case.evidence.at_zero[case.name]
    rest = "; without that it is right" if case.holds(kept) else ""
    proved = "is not zero where every cotangent is, and right but for that" if rest else ""
    sentence = f"it is not zero for zero cotangents: its largest entry is {left:.3g}{rest}"
    return Suggestion("bad-accumulator", sentence, proved=proved)


def _suggest_clipped(case: WrongGradient) -> Suggestion | None:
    if not case.evidence.nonlinear(case.name):
        return None if _suggest_accumulated(case) else _suggest_saturated(case)
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
        if np.linalg.norm(larger - ratio * LARGE * small) <= _SAME * np.linalg.norm(larger):
            shrunk[name] = ratio
    ratio = shrunk.get(case.name, 1.0)
    if not abs(ratio) < 1 - _SAME:
        return ""
    together = [name for name, other in shrunk.items() if abs(other / ratio - 1) <= _SAME]
    norm = float(np.sqrt(sum(np.sum(evidence.enlarged[name] ** 2) for name in together)))
    others = ", all of them together" if len(together) > 1 else ""
    return f"is scaled down to a norm of at most {norm:.6g}{others}"


def _suggest_saturated(case: WrongGradient) -> Suggestion | None:
    """Clipping as it shows without scaling the cotangents: several entries are equally large, and too small."""
    sizes = np.abs(case.gradient)
    top = float(np.max(sizes, initial=0))
    equal = int(np.sum(sizes == top))
    if top == 0 or equal < _MANY or equal == sizes.size or not np.any(case.gradient != case.gradient.ravel()[0]):
        return None
    expected = case.location.worst.expected if case.location and case.location.worst else 0.0
    if abs(expected) <= top:
        return None
    proved = f"is clipped to [-{top:.6g}, {top:.6g}], entry by entry" if _is_saturated(case, top) else ""
    sentence = f"{equal} of {sizes.size} entries are ±{top:.6g}, and one of them should be {expected:.6g}"
    return Suggestion("clipped", sentence, proved=proved)


def _is_saturated(case: WrongGradient, top: float) -> bool:
    """Whether the gradient is right but for entries of one size, and each of these should be larger by itself."""
    places = [tuple(map(int, place)) for place in np.argwhere(np.abs(case.gradient) == top)]
    if len(places) > _MOST_ENTRIES:
        return False
    candidate = case.gradient.copy()
    values, _ = case.evidence.truth.entries(case.name, places)
    for place, value in zip(places, values, strict=True):
        if value * candidate[place] < top * top * (1 - _SAME):
            return False
        candidate[place] = value
    return case.holds(candidate)


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
        return Suggestion("wrong-time-index", "it is the right gradient with its first axis reversed")
    # By one step: that is what reading h_t for h_{t-1}, or the other way round, comes to.
    for step in (1, -1):
        moved = np.roll(gradient, step, axis=0)
        if case.holds(moved):
            return Suggestion("wrong-time-index", "it is the right gradient moved by one along its first axis")
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
        return "missing-path", ", and zero"
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
        # The factor is a quotient of differences here, hence coarser than `_SAME`.
        tag = "double-counted" if abs(factor - 2) < 1e-6 else "sign" if abs(factor + 1) < 1e-6 else "wrong-scale"
        return tag, f", and {factor:.6g} times the right ones"
    # Only the first of the first axis: time runs there in most code, and step 0 is the one with a state of its own.
    if axis == 0 and first == last == 0 and _looks_sequential(case):
        return "initial-state", ", so step 0 is treated differently"
    return "missing-path", ""


def _looks_sequential(case: WrongGradient) -> bool:
    return any(c.ndim >= 2 and c.shape[0] == case.gradient.shape[0] for c in case.evidence.cotangents.values())


TESTS: tuple[Callable[[WrongGradient], Suggestion | None], ...] = (
    _suggest_zero,
    _suggest_phantom,
    _suggest_accumulated,
    _suggest_clipped,
    _suggest_factor,
    _suggest_transposed,
    _suggest_swapped,
    _suggest_shifted,
    _suggest_sliced,
)
"""Every test of a single gradient, the plainest first."""


# The same functions elsewhere.


def _suggest_elsewhere(evidence: Evidence, wrong: list[str]) -> list[tuple[str, Suggestion]]:
    """What becomes right at one step, at one example, or from a zero initial state."""
    subject, method = evidence.subject.unnoticed(), evidence.truth.method
    found: list[tuple[str, Suggestion]] = []
    for tag, change, more, sentence in _QUESTIONS:
        there = _ask(subject, change)
        if there is None or (gone := find_wrong(subject, there, method, wrong)) is None:
            continue
        # A gradient that is wrong at two as well: otherwise it may be right at one because of the other numbers there.
        control = None if more is None else _ask(subject, more)
        still = None if control is None else find_wrong(subject, control, method, wrong)
        read = _find_askable(subject, there)
        # An empty array is right at any size; only what can be asked for there counts.
        names = [name for name in wrong if name not in gone and (still is None or name in still) and name in read]
        if tag == "recurrent-path-cut":
            found += find_left_out(subject, evidence, [name for name in wrong if name in gone], there).items()
        if tag == "recurrent-path-cut" and control is not None:
            found += tell_apart(subject, method, names, there, control).items() if names else ()
        else:
            found += [(name, Suggestion(tag, sentence)) for name in names]
    return found


def _ask(subject: Subject, change: _Change) -> Arrays | None:
    """The inputs changed; None where they cannot be, or forward refuses them."""
    try:
        return change(subject)
    except SubjectError:
        return None


def _find_askable(subject: Subject, arrays: Arrays) -> set[str]:
    """The inputs whose gradient can be asked for there at all: those that are not zero in size."""
    return {name for name in subject.arrays if np.size(arrays.get(name, subject.arrays[name]))}


_QUESTIONS: tuple[tuple[str, _Change, _Change | None, str], ...] = (
    (
        "recurrent-path-cut",
        lambda subject: make_shorter(subject, 1),
        lambda subject: make_shorter(subject, 2),
        "it is right for a sequence of one step and wrong for two",
    ),
    (
        "mean-for-sum",
        lambda subject: make_fewer(subject, 1),
        lambda subject: make_fewer(subject, 2),
        "it is right for a batch of one example and wrong for two",
    ),
    ("initial-state", make_unstarted, None, "it is right where the initial state is zero"),
)
