"""Hand-written gradients: checked against their own forward pass, and the mistakes in them named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.checking import Diagnosis, GradientFinding, Problem, Subject, SubjectError, Verdict
from symrnn.checking.report import GradientReport
from symrnn.errors import InputError

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


def check_gradients(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: Inputs,
    *,
    cell: Cell | str | Layout | Identification | None = None,
    outputs: int | Sequence[Any] | None = None,
    cache: bool | None = None,
    order: Sequence[str] | None = None,
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
        subject = Subject(
            forward,
            backward,
            inputs,
            outputs=outputs,
            cache=cache,
            order=order,
            negated=negated,
            per_step=per_step,
            seed=seed,
        )
    except SubjectError as error:
        return GradientReport(problems=(error.problem,))
    from symrnn.checking.verdicts import judgement

    try:
        judged = judgement(subject, seed)
    except SubjectError as error:
        return GradientReport(problems=(*subject.problems, error.problem))
    report = GradientReport(
        gradients=judged.findings,
        problems=_weighed(subject.problems),
        method=judged.method,
        calls=(subject.forward_calls, subject.backward_calls),
    )
    return _diagnosed(subject, backward, report, known, seed) if diagnose and judged.findings else report


def _weighed(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """A gradient that is missing is a failure where another is returned that belongs to no input: a misspelled name."""
    misspelled = any(problem.kind == "phantom-gradient" for problem in problems)
    return tuple(
        replace(problem, fatal=True) if misspelled and problem.kind == "missing-gradient" else problem
        for problem in problems
    )


def _known(cell: Any) -> Any:
    """The cell or layout that the caller names; wrong names are said before anything runs."""
    from symrnn import cells
    from symrnn.identification import Identification, Layout
    from symrnn.language.recurrence import Cell

    if isinstance(cell, str):
        return cells.lookup(cell)
    if isinstance(cell, Identification):
        return cell.layout
    if cell is None or isinstance(cell, Cell | Layout):
        return cell
    remedy = "pass a Cell, the name of one of the library, or what identify found"
    raise InputError(f"cell: expected a cell, got {type(cell).__name__}\n  {remedy}")


def _diagnosed(
    subject: Subject, backward: Callable[..., Any], report: GradientReport, known: Any, seed: int
) -> GradientReport:
    wrong = {finding.name for finding in report.gradients if finding.verdict is Verdict.WRONG}
    if not wrong and known is None and sum(np.size(array) for array in subject.arrays.values()) > _LARGE:
        return report
    layout, problems = _layout(subject, known, seed)
    if layout is None:
        return replace(report, problems=(*report.problems, *problems), unexplained=tuple(sorted(wrong)))
    from symrnn.diagnosis.blindspots import blind_spots

    outcome = _outcome(subject, layout, seed)
    if not wrong and (outcome.diagnoses or outcome.unexplained) and not _wrong_elsewhere(subject, outcome, seed):
        outcome = replace(outcome, diagnoses=(), found=(), unexplained=())
    diagnoses = _with_lines(subject, backward, outcome)
    diagnoses += _phantoms(report.gradients, subject, layout)
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
        blind_spots=blind_spots(subject, layout, {finding.name for finding in report.gradients}, seed),
        cell=layout.cell.name,
        layout=layout.describe(),
        unexplained=tuple(sorted((wrong - explained) | {_array_of(label) for label in outcome.unexplained})),
        calls=(subject.forward_calls, subject.backward_calls),
    )


def _layout(subject: Subject, known: Any, seed: int) -> tuple[Layout | None, tuple[Problem, ...]]:
    """The cell that forward computes, with its layout; or why there is none."""
    from symrnn.identification import Layout, identify

    if isinstance(known, Layout):
        return known, ()
    among = None if known is None else [known]
    for arrays in _draws(subject, seed):
        own = {flat: arrays[path] for flat, path in subject.flat_names.items()}
        try:
            found = identify(subject.flat_forward, own, among=among, nearest=False)
        except InputError as error:
            return None, (Problem("not-identified", str(error), fatal=False),)
        if found.layout is not None:
            layout = _with_all_axes(subject, found.layout)
            if _holds(subject, layout, seed):
                return layout, ()
    if known is None:
        told = "forward computes no cell of the library: mistakes are not named\n  pass its definition as cell="
        return None, (Problem("no-cell", told, fatal=False),)
    return _near(subject, known)


def _draws(subject: Subject, seed: int) -> Iterator[Mapping[str, Array]]:
    """The arrays given; then others with other numbers of steps and examples: equal sizes may hide what is what."""
    yield subject.arrays
    for T, N in ((5, 2), (7, 11)):
        made = subject.made(seed, T, N)
        if made is not None and all(path in made for path in subject.arrays):
            yield made


def _holds(subject: Subject, layout: Layout, seed: int) -> bool:
    """Whether forward is the cell in this layout for other steps and examples too; equal sizes can deceive."""
    from symrnn.calculus.derivation import derive
    from symrnn.diagnosis.questions import Interview

    derivation = derive(layout.cell)
    return Interview(subject, layout, derivation, seed).forward_agrees(derivation) is not False


def _with_all_axes(subject: Subject, layout: Layout) -> Layout:
    """The layout with the axes for time and examples that do not show because they have length 1, if there are any."""
    from symrnn.identification import identify

    x, axes = layout.frame.x, layout.frame.axes
    arrays = {flat: subject.arrays[path] for flat, path in subject.flat_names.items()}
    if len(axes) != np.ndim(arrays[x]):
        return layout
    states = {part.source.array for part in layout.states}
    for axis in (place for place, role in enumerate(axes) if role == "1"):
        for length, lengthened in ((5, {x}), (7, {x, *states})):  # steps, or examples
            longer = {
                name: _repeated(array, axis if name == x else None, length) if name in lengthened else array
                for name, array in arrays.items()
            }
            try:
                found = identify(subject.flat_forward, longer, among=[layout.cell], nearest=False)
            except InputError:
                continue
            if found.layout is not None and set(found.layout.frame.axes) > set(axes) - {"1"}:
                arrays, layout = longer, found.layout
                axes = layout.frame.axes
                break
    return layout


def _repeated(array: Array, axis: int | None, length: int) -> Array:
    """An array with its axis of length 1, the first such if none is named, made longer."""
    if axis is None:
        axis = next((place for place, size in enumerate(np.shape(array)) if size == 1), None)
    return array if axis is None else np.repeat(array, length, axis=axis)


def _near(subject: Subject, known: Cell) -> tuple[Layout | None, tuple[Problem, ...]]:
    """What forward computes where it is not the cell that it should be: another one, or what comes nearest to it."""
    from symrnn.identification import identify

    arrays = {flat: subject.arrays[path] for flat, path in subject.flat_names.items()}
    told = f"forward does not compute {known.name}"
    other = identify(subject.flat_forward, arrays, nearest=False)
    if other.layout is not None:
        return other.layout, (Problem("other-cell", f"{told} but {other.name}", fatal=False),)
    near = identify(subject.flat_forward, arrays, among=[known]).nearest
    if not near:
        return None, (Problem("other-cell", told, fatal=False),)
    slip = f": it has {near[0].slip}" if near[0].slip else ""
    return near[0].layout, (Problem("other-cell", f"{told}{slip}", fatal=False),)


def _outcome(subject: Subject, layout: Layout, seed: int) -> Outcome:
    """The diagnosis, at small sizes where the functions allow other sizes than their own."""
    from symrnn.diagnosis.diagnose import diagnose

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
    from symrnn.checking.evidence import Evidence
    from symrnn.checking.verdicts import judged

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
