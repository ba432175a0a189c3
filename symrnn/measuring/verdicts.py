"""One verdict per gradient, from a few directional products; entries are looked at only where something is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from symrnn.callables.conventions import names_data
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.findings.findings import GradientFinding, Suggestion, Verdict, Worst
from symrnn.measuring.evidence import ERRORS, LARGE, DirectionalProduct, Evidence
from symrnn.measuring.locating import Location, locate
from symrnn.measuring.signatures import find_misplaced, suggest
from symrnn.measuring.truth import COMPLEX_STEP, DIFFERENCES, SINGLE
from symrnn.measuring.varied import OtherInputs, look_around

_WORTHLESS = 1e-2
"""A tolerance at which an agreement says nothing any more: mistakes of one part in a hundred, such as a wrong
constant, would pass."""
_TINY = 1e-9
"""Beside what outputs and cotangents sum up to, an error that says nothing where values were scaled: saturated
activations leave gradients that are rounding."""
# From the harmless to the grave; of several directions the gravest speaks, and doubt (unknown) is less than a kink.
_GRAVITY = (Verdict.RIGHT, Verdict.ROUNDING, Verdict.UNKNOWN, Verdict.KINK, Verdict.WRONG)


@dataclass(frozen=True)
class Judgement:
    """What a check found.

    Attributes:
        findings: one per gradient that backward returns.
        method: how the truth was found.
        evidence: what was measured.
        misplaced: input -> the one in whose place its right gradient was returned.
        untried: the numbers of steps and examples at which right gradients could not be looked at.
    """

    findings: tuple[GradientFinding, ...]
    method: str
    evidence: Evidence
    misplaced: Mapping[str, str] = field(default_factory=dict)
    untried: tuple[str, ...] = ()

    @property
    def wrong(self) -> frozenset[str]:
        """The inputs whose gradients are wrong."""
        return frozenset(finding.name for finding in self.findings if finding.verdict is Verdict.WRONG)

    @property
    def compared(self) -> frozenset[str]:
        """The inputs whose gradients were compared."""
        return frozenset(finding.name for finding in self.findings if finding.verdict is not Verdict.MISSING)


def judge(subject: Subject, seed: int = 0, directions: int = 2) -> tuple[GradientFinding, ...]:
    """Compare every gradient that backward returns with the forward pass.

    Random cotangents go into every output at once.  An input's gradient g is compared by its products ⟨g, v⟩ with
    random normal directions v, so that an error e in any entries shows as ⟨e, v⟩, which is zero with probability
    zero.  It is right where every product agrees with the derivative along v to within 1e-9 ‖g ⊙ v‖.

    Args:
        subject: the functions under test; what is noticed on the way is added to its `problems`.
        seed: of the cotangents and directions.
        directions: how many directions per input.

    Returns:
        A finding per gradient, in the order of the inputs; gradients that backward does not return have none.

    Raises:
        SubjectError: the check cannot be made.
    """
    return measure(subject, seed, directions).findings


def measure(subject: Subject, seed: int = 0, directions: int = 2) -> Judgement:
    """`judge`, with how it was done; what is right at the inputs given is looked at elsewhere as well."""
    with np.errstate(all="ignore"):  # what overflows is found by what comes out
        found = judge_evidence(Evidence(subject, seed, repeat=True), directions)
        return found if found.wrong else _judge_elsewhere(found)


def _judge_elsewhere(found: Judgement) -> Judgement:
    """The judgement with what is wrong at other lengths, from other states, or at other values."""
    right = [one.name for one in found.findings if one.verdict is Verdict.RIGHT]
    seen = look_around(found.evidence, right, _is_wrong_there) if right else None
    if seen is None:
        return found
    findings = [
        _wrong_elsewhere(one, *seen.wrong[one.name]) if one.name in seen.wrong else one for one in found.findings
    ]
    return replace(found, findings=tuple(findings), untried=seen.untried)


def _is_wrong_there(evidence: Evidence, name: str) -> bool:
    found = [_judge_direction(evidence, name, place) for place in range(2)]
    tiny = _TINY * evidence.truth.size
    return all(verdict is Verdict.WRONG and product.gap > tiny for verdict, product, _ in found)


def _wrong_elsewhere(finding: GradientFinding, place: OtherInputs, there: Evidence) -> GradientFinding:
    """A gradient that is right at the inputs given, and wrong at others."""
    found = locate(there, [finding.name])[finding.name]
    sentence = f"right at the inputs given, and wrong for {place.words}"
    suggestion = Suggestion("", f"it is right at the inputs given, and wrong for {place.words}")
    return replace(
        finding,
        verdict=Verdict.WRONG,
        error=found.error,
        worst=found.worst,
        norm_ratio=found.norm_ratio,
        cosine=found.cosine,
        criterion=sentence,
        suggestions=(suggestion,),
    )


def judge_evidence(evidence: Evidence, directions: int = 2) -> Judgement:
    """`judge`, where the evidence may be of other inputs than the subject's own."""
    subject = evidence.subject
    findings = [
        _judge_one(evidence, name, directions)
        if name in evidence.gradients or name in evidence.reading.refused
        else _judge_missing(evidence, name)
        for name in subject.names
        if name in evidence.gradients or name in evidence.reading.refused or _is_expected(evidence, name)
    ]
    _note_emptiness(evidence)
    wrong = [finding.name for finding in findings if finding.verdict is Verdict.WRONG]
    found = locate(evidence, [name for name in wrong if _is_locatable(evidence, name)])
    located = {name: found[name] for name in wrong if name in found}
    moved = find_misplaced(evidence, wrong)
    suggestions = suggest(evidence, wrong, located, moved)
    findings = [_add_location(evidence, one, located.get(one.name), suggestions.get(one.name, ())) for one in findings]
    return Judgement(tuple(findings), evidence.truth.method, evidence, moved)


def _is_expected(evidence: Evidence, name: str) -> bool:
    """Whether a gradient that is not returned should be: of an array that the outputs depend on, and no data."""
    if name not in evidence.reading.absent or not evidence.subject.expects(name) or not np.ndim(evidence.point[name]):
        return False
    # Gradients of data are mostly not wanted; where one came back under an unknown name, it was.
    misspelled = any(problem.kind == "phantom-gradient" for problem in evidence.reading.problems)
    if names_data(name) and not misspelled:
        return False
    try:
        return evidence.expected(name, 0)[0] != 0
    except SubjectError:
        return True


def _judge_missing(evidence: Evidence, name: str) -> GradientFinding:
    shape = tuple(np.shape(evidence.point[name]))
    sentence = (
        f"backward returns no gradient of {name}, and the outputs depend on it; without={name!r} says that on purpose"
    )
    return GradientFinding(name, shape, Verdict.MISSING, float("nan"), evidence.fine, sentence)


def _is_locatable(evidence: Evidence, name: str) -> bool:
    gradient = evidence.gradients.get(name)
    return (
        gradient is not None
        and gradient.size > 0
        and bool(np.isfinite(gradient).all())
        and not _is_limited(evidence, name)
    )


def _note_emptiness(evidence: Evidence) -> None:
    """Say that nothing was computed where there is nothing in an array."""
    empty = [name for name, array in (evidence.point | evidence.cotangents).items() if not np.size(array)]
    if empty:
        shapes = ", ".join(f"{name} {np.shape((evidence.point | evidence.cotangents)[name])}" for name in empty[:6])
        evidence.subject.note("empty", f"there is nothing in {shapes}\n  give at least one step and one example")


def _is_limited(evidence: Evidence, name: str) -> bool:
    """Whether a gradient is right for these cotangents and not for larger ones."""
    # Such a gradient has no wrong entry at these inputs: looking for one would find rounding.
    return all(_judge_direction(evidence, name, place)[0] in (Verdict.RIGHT, Verdict.ROUNDING) for place in range(2))


def _judge_one(evidence: Evidence, name: str, directions: int) -> GradientFinding:
    shape = tuple(np.shape(evidence.point[name]))
    if name in evidence.reading.refused:
        return GradientFinding(
            name, shape, Verdict.WRONG, float("inf"), evidence.fine, "its gradient has a wrong shape or type"
        )
    gradient = evidence.gradients[name]
    if not gradient.size or not any(np.size(cotangent) for cotangent in evidence.cotangents.values()):
        what = "the array is empty" if not gradient.size else "the outputs are empty"
        return GradientFinding(name, shape, Verdict.UNKNOWN, 0.0, evidence.fine, f"{what}: nothing to compare")
    if not np.isfinite(gradient).all():
        return _judge_not_finite(evidence, name, shape)
    try:
        singles = list(_judge_directions(evidence, name, directions))
    except SubjectError as refusal:
        sentence = refusal.problem.sentence.splitlines()[0]
        return GradientFinding(
            name, shape, Verdict.UNKNOWN, float("inf"), evidence.fine, f"near the inputs, {sentence}"
        )
    # The tolerance told is that of the direction that decided.
    verdict, _, tolerance = max(singles, key=lambda one: (_GRAVITY.index(one[0]), one[1].gap))
    error = max(_relative_error(one[1]) for one in singles)
    finding = GradientFinding(
        name, shape, verdict, error, tolerance, _describe_criterion(evidence, verdict, tolerance, directions)
    )
    single = verdict is Verdict.ROUNDING and evidence.coarse > evidence.fine  # not a mere remnant of cancellation
    if (verdict is Verdict.RIGHT or single) and evidence.nonlinear(name):
        return _judge_limited(evidence, finding)
    return finding


def _judge_directions(
    evidence: Evidence, name: str, directions: int
) -> Iterator[tuple[Verdict, DirectionalProduct, float]]:
    """The verdicts along one direction after the other, until one is that it is wrong."""
    for place in range(max(1, directions)):
        single = _judge_direction(evidence, name, place)
        yield single
        if single[0] is Verdict.WRONG:
            return


def _judge_direction(evidence: Evidence, name: str, place: int) -> tuple[Verdict, DirectionalProduct, float]:
    """The verdict along one direction, with the tolerance that decided."""
    product = evidence.product(name, place)
    scale = product.scale or 1.0
    estimated = ERRORS * product.error / scale
    exact = max(evidence.fine, min(estimated, 1e-6))  # a coarser derivative can excuse an error, not prove it absent
    if not np.isfinite(product.expected):
        return Verdict.UNKNOWN, product, exact
    if product.gap <= exact * product.scale:
        return Verdict.RIGHT, product, exact
    # The functions' precision excuses first; how well the derivative is known only after it, and only so far.
    for tolerance in (evidence.coarse, estimated):
        if product.gap <= tolerance * scale:
            return (Verdict.ROUNDING if tolerance < _WORTHLESS else Verdict.UNKNOWN), product, tolerance
    tiny = product.gap <= 1e-12 * evidence.truth.size  # beside what outputs and cotangents sum up to
    if tiny and product.got == 0:  # such as 1 - h² where h rounds to 1
        return Verdict.ROUNDING, product, product.gap / scale
    if tiny or product.gap <= _WORTHLESS * scale:
        noise = 30 * evidence.noise(name, place)  # the spread of some draws, which are few and may be alike
        if product.gap <= noise:
            return Verdict.ROUNDING, product, noise / scale
    if evidence.truth.method == COMPLEX_STEP and evidence.jump <= 1e-3 * product.gap:  # a kink would explain little
        return Verdict.WRONG, product, max(exact, evidence.coarse)
    slopes = evidence.truth.slopes({name: evidence.direction(name, place)})
    # A kink explains the error where the slopes differ by a good part of it, and by more than their own errors.
    if slopes.gap > max(1e-3 * product.gap, 1e-5 * (abs(slopes.ahead) + abs(slopes.behind))):
        return Verdict.KINK, product, exact
    near = (slopes.ahead + slopes.behind) / 2
    # One-sided differences of other steps bear the gradient out, and are exact enough to tell: then the truth is in
    # doubt, not the gradient.
    if abs(product.got - near) <= 4 * slopes.error < 0.2 * product.gap and evidence.truth.method == DIFFERENCES:
        return Verdict.UNKNOWN, product, exact  # differences of other steps do not agree among themselves
    return Verdict.WRONG, product, max(exact, evidence.coarse)


def _relative_error(product: DirectionalProduct) -> float:
    if product.gap == 0:
        return 0.0
    return product.gap / product.scale if product.scale else float("inf")


def _describe_criterion(evidence: Evidence, verdict: Verdict, tolerance: float, directions: int) -> str:
    ways = f"{directions} random direction{'s' if directions != 1 else ''}"
    made = f"⟨gradient, v⟩ against {evidence.truth.method} along {ways} v, to {tolerance:.0e} ‖gradient ⊙ v‖"
    single = max(evidence.subject.epsilon, evidence.subject.gradient_epsilon) > SINGLE
    reasons = {
        Verdict.ROUNDING: "; the functions compute in single precision"
        if single
        else "; the rest is rounding, estimated by repeating both with everything scaled",
        Verdict.KINK: "; the derivatives on both sides differ, so there is no single right answer here",
        Verdict.UNKNOWN: "; the derivative along v could not be found with that precision",
    }
    return made + reasons.get(verdict, "")


def _judge_not_finite(evidence: Evidence, name: str, shape: tuple[int, ...]) -> GradientFinding:
    gradient = evidence.gradients[name]
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(gradient))[0])
    try:
        expected = float(evidence.truth.entries(name, [index])[0][0])
    except SubjectError:
        expected = float("nan")
    verdict = Verdict.WRONG if np.isfinite(expected) else Verdict.UNKNOWN
    worst = Worst(index, float(gradient[index]), expected)
    sentence = "it has entries that are NaN or infinite, where the forward pass has a derivative"
    return GradientFinding(name, shape, verdict, float("inf"), evidence.fine, sentence, worst)


def _judge_limited(evidence: Evidence, finding: GradientFinding) -> GradientFinding:
    """A gradient that is right for these cotangents, and not for a million times as large ones."""
    larger, expected = evidence.enlarged[finding.name], LARGE * evidence.gradients[finding.name]
    # The worst entry told is that of the larger cotangents, where it can be seen.
    gap = np.abs(larger - expected)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.nan_to_num(gap, nan=np.inf))), gap.shape))
    size = float(np.linalg.norm(expected))
    sentence = "right for cotangents of order one; for cotangents a million times as large it does not grow with them"
    return replace(
        finding,
        verdict=Verdict.WRONG,
        error=float(np.linalg.norm(gap)) / size if size else float("inf"),
        criterion=sentence,
        worst=Worst(index, float(larger[index]), float(expected[index])),
        norm_ratio=float(np.linalg.norm(larger)) / size if size else None,
    )


def _add_location(
    evidence: Evidence, finding: GradientFinding, location: Location | None, suggestions: tuple[Suggestion, ...]
) -> GradientFinding:
    """The finding with where it is wrong, and what that looks like."""
    if location is None:
        return replace(finding, suggestions=suggestions)
    factor = evidence.factor(finding.name)
    ratio, cosine = location.norm_ratio, location.cosine
    if factor is not None:  # known exactly, whatever was sampled
        ratio, cosine = abs(factor), float(np.sign(factor))
    return replace(
        finding,
        error=location.error,
        worst=location.worst,
        norm_ratio=ratio,
        cosine=cosine,
        criterion=f"{finding.criterion}; {location.how}",
        suggestions=suggestions,
    )


__all__ = ["Judgement", "judge", "measure"]
