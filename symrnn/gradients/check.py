"""Hand-written gradients: checked against their own forward pass, and the mistakes in them named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.callables.draws import Draws
from symrnn.callables.invocation import SubjectError
from symrnn.callables.stacking import listed_steps, with_arrays
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from symrnn.findings.findings import Diagnosis, GradientFinding, Problem, Verdict
from symrnn.findings.report import GradientReport
from symrnn.gradients.recognition import cell_within, described

if TYPE_CHECKING:
    from symrnn.diagnosis.diagnose import Outcome
    from symrnn.identification import Identification
    from symrnn.identification.layout import Layout
    from symrnn.language.recurrence import Cell

Array = Any
Inputs = Mapping[str, Any] | Callable[..., Any]

_LARGE = 200_000
"""Numbers in the inputs, above which a right pair of functions is not identified unless a cell is named."""
_SMALL = 7
_READOUT_WRONG = (
    "with {0} as the identity every gradient of the cell is right: the mistake is in how the outputs' cotangents are "
    "carried back through {0}"
)


def check_gradients(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: Inputs,
    *,
    cell: Cell | str | Layout | Identification | None = None,
    outputs: int | Sequence[Any] | None = None,
    cache: bool | None = None,
    order: Sequence[str] | None = None,
    without: Sequence[str] = (),
    negated: bool = False,
    per_step: bool = False,
    seed: int = 0,
    diagnose: bool = True,
) -> GradientReport:
    """Check a hand-written backward pass, and name what is wrong with it.

    Every gradient is compared with the derivative of forward itself, by directional products with random cotangents on
    every output.  Where forward computes a known cell, the derived backward pass is changed, mistake by mistake, until
    it agrees with the hand-written one.

    Args:
        forward: the forward pass, `forward(**inputs)`: returns an array, or a tuple, list or dict of arrays, and
            optionally a cache as the last one.
        backward: the backward pass: takes a cotangent for each output, and the cache if there is one.  Returns the
            gradients in the inputs' order, or by their names.
        inputs: the arguments of forward by name; or a function of a generator `rng`, or of `rng`, `T` and `N`, that
            makes them.
        cell: the cell that forward computes, if it is known: a `Cell`, or the name of one in the library; or what
            `identify` found.  Otherwise the library is searched.
        outputs: which of what forward returns are outputs: how many, or their indices or names; None to infer it.
        cache: whether forward returns a cache; None to infer it.
        order: the names of the inputs in the order of the gradients, where it is not that of the inputs.
        without: the inputs whose gradients are left out on purpose.  Otherwise a gradient that is not returned makes
            the verdict, unless None is returned in its place, or it is of a single number, or of data by its name:
            `x`, `xs`, `inputs`, `targets`.
        negated: whether the gradients are returned with the opposite sign on purpose.
        per_step: whether parameter gradients are returned for each time step.
        seed: of all random numbers; equal seeds give equal reports.
        diagnose: whether to look for the cell, the mistakes and the blind spots, or to compare only.

    Returns:
        The report.  Problems of the code itself, such as an exception in it, are in the report as well.

    Raises:
        InputError: what is passed here cannot be used.
        UnknownNameError: the library has no such cell.
    """
    known = _known(cell)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed={seed!r}\n  give a whole number from 0")
    try:
        if names := listed_steps(inputs if isinstance(inputs, Mapping) else Draws(inputs).first(seed)):
            forward, backward, inputs = with_arrays(forward, backward, inputs, names)
        subject = Subject(
            forward,
            backward,
            inputs,
            outputs=outputs,
            cache=cache,
            order=order,
            without=without,
            negated=negated,
            per_step=per_step,
            seed=seed,
        )
    except SubjectError as error:
        return GradientReport(problems=(error.problem,))
    from symrnn.measuring.verdicts import judgement

    try:
        judged = judgement(subject, seed)
    except SubjectError as error:
        return GradientReport(problems=(*subject.problems, error.problem))
    report = GradientReport(
        gradients=judged.findings,
        problems=tuple(subject.problems),
        diagnoses=_exchanged(judged.misplaced),
        method=judged.method,
        calls=(subject.forward_calls, subject.backward_calls),
    )
    subject.places = dict(judged.misplaced)  # what else is wrong is looked for with each gradient in its place
    return _diagnosed(subject, backward, report, known, seed) if diagnose and judged.findings else report


def _known(cell: Any) -> Any:
    """The cell or layout that the caller names; wrong names are said before anything runs."""
    from symrnn.cells.finding import find_cell
    from symrnn.identification import Identification, Layout

    if isinstance(cell, Identification):
        return cell.layout
    return cell if cell is None or isinstance(cell, Layout) else find_cell(cell)


def _diagnosed(
    subject: Subject, backward: Callable[..., Any], report: GradientReport, known: Any, seed: int
) -> GradientReport:
    wrong = {finding.name for finding in report.gradients if finding.verdict is Verdict.WRONG}
    if wrong and wrong == {name for diagnosis in report.diagnoses for name in diagnosis.gradients}:
        return report
    if not wrong and known is None and not _may_hide(subject, report):
        return report
    whole = subject
    subject, layout, problems = cell_within(subject, known, seed)
    if layout is None:
        explained = {name for diagnosis in report.diagnoses for name in diagnosis.gradients}
        unexplained = tuple(sorted(wrong - explained))
        calls = (subject.forward_calls, subject.backward_calls)
        return replace(report, problems=(*report.problems, *problems), unexplained=unexplained, calls=calls)
    from symrnn.diagnosis.blindspots import blind_spots

    compared = {finding.name for finding in report.gradients if finding.verdict is not Verdict.MISSING}
    outcome = _outcome(subject, layout, seed)
    if not wrong and (outcome.diagnoses or outcome.unexplained) and not _wrong_elsewhere(subject, outcome, seed):
        outcome = replace(outcome, diagnoses=(), found=(), unexplained=())
    diagnoses = [*report.diagnoses, *_with_lines(subject, backward, outcome)]
    named = {_array_of(label) for diagnosis in diagnoses for label in diagnosis.gradients}
    diagnoses += _phantoms([one for one in report.gradients if one.name not in named], subject, layout)
    if subject is not whole and wrong & set(subject.arrays) and not outcome.diagnoses and not outcome.unexplained:
        problems = (
            *problems,
            Problem("readout", _READOUT_WRONG.format(next(iter(getattr(subject, "held", ())), "it")), fatal=False),
        )
    explained = {_array_of(label) for diagnosis in diagnoses for label in diagnosis.gradients}
    hidden = [name for name in explained if name not in wrong]
    if hidden and not wrong:
        listed = ", ".join(sorted(hidden))
        told = (
            f"right at these inputs, wrong at others: {listed}\n  see the mistakes, and check at other inputs as well"
        )
        problems = (*problems, Problem("wrong-elsewhere", told))
    return replace(
        report,
        problems=(*report.problems, *problems),
        diagnoses=tuple(diagnoses),
        blind_spots=blind_spots(subject, layout, compared, seed),
        cell=layout.cell.name,
        layout=described(subject, layout),
        unexplained=tuple(sorted((wrong - explained) | {_array_of(label) for label in outcome.unexplained})),
        calls=(subject.forward_calls, subject.backward_calls),
    )


def _may_hide(subject: Subject, report: GradientReport) -> bool:
    """Whether right gradients leave something to find: the inputs may hide mistakes, as one step does, or zeros."""
    large = sum(np.size(array) for array in subject.arrays.values()) > _LARGE
    compared = {finding.name for finding in report.gradients if finding.verdict in (Verdict.RIGHT, Verdict.ROUNDING)}
    return not large and compared >= set(subject.arrays) and any(map(_hides, subject.arrays.values()))


def _hides(array: Array) -> bool:
    """Whether an array is zero, or has one step or one example by its shape; a column of numbers has not."""
    return array.ndim >= 2 and (not np.any(array) or 1 in array.shape[: max(1, array.ndim - 1)])


def _outcome(subject: Subject, layout: Layout, seed: int) -> Outcome:
    """The diagnosis, at small sizes where the functions allow other sizes than their own."""
    from symrnn.diagnosis.diagnose import diagnose
    from symrnn.diagnosis.unread import with_unread

    layout = with_unread(layout, {flat: subject.arrays[path] for flat, path in subject.flat_names.items()})
    if max(layout.sizes.values(), default=0) > _SMALL:
        sizes = {name: min(size, _SMALL - place) for place, (name, size) in enumerate(layout.sizes.items())}
        try:
            resized = layout.resized(sizes)
            small = diagnose(subject, resized, seed, _labels(resized, layout))
        except InputError:
            small = None
        if small is not None and small.asked:
            return small
    return diagnose(subject, layout, seed)


def _wrong_elsewhere(subject: Subject, outcome: Outcome, seed: int) -> bool:
    """Whether forward itself says that a gradient is wrong where the diagnosis says so; it is not taken on trust."""
    from symrnn.measuring.evidence import Evidence
    from symrnn.measuring.verdicts import judged

    answers = [answer for answer in outcome.answers if answer.question.scale <= 1]
    for answer in sorted(answers, key=lambda answer: -answer.question.steps):
        try:
            findings = judged(Evidence(subject, seed, dict(answer.point))).findings
        except SubjectError:
            continue
        if any(finding.verdict is Verdict.WRONG for finding in findings):
            return True
    return False


def _labels(small: Layout, own: Layout) -> dict[str, str]:
    """What the pieces of a resized layout's arrays are called at the own sizes."""
    pairs = zip(small.parts, own.parts, strict=True)
    return {a.source.label(small.shapes[a.source.array]): b.source.label(own.shapes[b.source.array]) for a, b in pairs}


def _with_lines(subject: Subject, backward: Callable[..., Any], outcome: Outcome) -> list[Diagnosis]:
    """The diagnoses, each with the line that makes the mistake where one was found."""
    from symrnn.diagnosis.lines import find_lines

    lines = find_lines(subject, backward, outcome.right, outcome.answers, outcome.found)
    first = len(outcome.diagnoses) - len(outcome.found)
    told = [replace(d, line=line) for d, line in zip(outcome.diagnoses[first:], lines, strict=True)]
    return [*outcome.diagnoses[:first], *told]


def _exchanged(misplaced: Mapping[str, str]) -> tuple[Diagnosis, ...]:
    """Gradients that are right and stand in the places of others; this is exact, and no cell is needed to see it."""
    if not misplaced:
        return ()
    told = "; ".join(f"what is returned for {other} is the gradient of {name}" for name, other in misplaced.items())
    sentence = f"Gradients are exchanged: {told}."
    return (Diagnosis("gradients-exchanged", None, "", "", tuple(misplaced), 0.0, sentence),)


def _phantoms(findings: Sequence[GradientFinding], subject: Subject, layout: Layout) -> list[Diagnosis]:
    """Gradients of arrays that forward does not read."""
    read = {subject.flat_names[flat] for flat in layout.names if flat in subject.flat_names}
    names = tuple(
        one.name
        for one in findings
        if one.verdict is Verdict.WRONG
        and one.name not in read
        and any(suggestion.mistake == "phantom-gradient" for suggestion in one.suggestions)
    )
    if not names:
        return []
    sentence = f"There is a gradient of {', '.join(names)}, which forward does not use: it should be zero."
    return [Diagnosis("phantom-gradient", None, "", "", names, 0.0, sentence)]


def _array_of(label: str) -> str:
    """The input that a label such as `W[:, 6:12]` is a piece of; keys such as `params['W']` belong to its name."""
    head, bracket, rest = label.rpartition("[")
    return head if bracket and (":" in rest or rest[:-1].isdigit()) and not rest.startswith("'") else label
