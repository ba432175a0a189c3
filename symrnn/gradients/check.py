"""Hand-written gradients: checked against their own forward pass, and the mistakes in them named.

`check_gradients` is the whole road, top to bottom: call, measure, mend, recognise, diagnose, point, report.
Each stage takes values and returns one; the functions under test are called by one black box, which every stage may
ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.budget import OutOfTimeError, at_most, unlimited
from symrnn.callables.draws import Draws, Inputs
from symrnn.callables.invocation import SubjectError
from symrnn.callables.stacking import find_listed_steps, stack_steps
from symrnn.callables.subject import Subject
from symrnn.callables.whole import as_pair
from symrnn.cells.finding import find_cell
from symrnn.diagnosis.blindspots import blind_spots
from symrnn.diagnosis.confirming import confirm
from symrnn.diagnosis.lines import add_lines
from symrnn.diagnosis.resized import diagnose_resized
from symrnn.errors import InputError
from symrnn.findings.findings import Problem, Verdict
from symrnn.findings.report import GradientReport
from symrnn.gradients.certain import certain_mistakes
from symrnn.gradients.changing import put_off_changes
from symrnn.gradients.choosing import explains_more, named_as_proved, with_lines, without_excuses
from symrnn.gradients.recognition import Recognition, is_loss, recognise
from symrnn.gradients.reporting import Named, report
from symrnn.identification import Identification, Layout
from symrnn.language.recurrence import Cell
from symrnn.losses.headed import HeadedLayout
from symrnn.measuring.verdicts import Judgement, measure
from symrnn.repairs.repair import Repair, repair

_FOR_MENDING = 0.6
"""The part of the time in which the text of the functions is mended: that names more than the derived equations do, and
the rest is enough for the library to be searched, which takes some seconds."""
_BEFORE_EQUATIONS = 5.0
"""Seconds of that before the equations of a cell whose states are returned are looked at: half of all mistakes are
mended by then, and where a text is no help the equations explain nearly all in as many."""
_FOR_NAME = 5.0
"""Seconds for the cell of a program whose mistakes are known: most cells are found in three, and nobody waits longer
for a name alone."""
_FOR_EQUATIONS = 10.0
"""Seconds for the equations that are wrong where it is known what to change in the text: they are found in five for
most cells, and are worth some waiting, since they tell why."""
_LARGE = 200_000
"""Numbers in the inputs, above which a right pair of functions is not identified unless a cell is named: that runs
forward some hundred times, to find only what the inputs could not have shown."""


def check_gradients(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
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
    budget: float = 30.0,
    early: Callable[[GradientReport], None] | None = None,
) -> GradientReport:
    """Check a hand-written backward pass, and name what is wrong with it.

    Every gradient is compared with the derivative of forward itself, by directional products with random cotangents on
    every output.  Where the text of the functions is at hand, it is changed, slip by slip, until the gradients are
    right: that tells the line and what to write instead.  Where forward computes a known cell, the derived backward
    pass is changed, mistake by mistake, until it agrees with the hand-written one: that tells the equation.

    The functions are called some hundred or thousand times, with other code in them for a while; they get their own
    back, also where something is raised.  Files are read and never written.

    Args:
        forward: the forward pass, `forward(**inputs)`: returns an array, or a tuple, list or dict of arrays, and
            optionally a cache as the last one.
        backward: the backward pass: takes a cotangent for each output, and the cache if there is one.  Returns the
            gradients in the inputs' order, or by their names.  None where forward has it in itself, as a
            `torch.autograd.Function`, a function with `jax.custom_vjp` and one that returns a loss and gradients have.
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
        budget: seconds of processor time for everything after the verdicts: three fifths of them at most for changing
            the text of the functions until the gradients are right, the rest for the cell, the mistakes in its derived
            equations, and what the inputs could not have shown.  Where it ends before a search does, the report says
            which search that is.  The verdicts themselves take the time that they take.
        early: called with a report of the verdicts alone before anything is searched.

    Returns:
        The report.  Problems of the code itself, such as an exception in it, are in the report as well.

    Raises:
        InputError: what is passed here cannot be used.
        UnknownNameError: the library has no such cell.
    """
    known = _named_cell(cell)
    # For Python True is a whole number, and `seed=True` is a slip.
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed={seed!r}\n  give a whole number from 0")
    if not isinstance(budget, int | float) or isinstance(budget, bool) or not budget > 0:
        raise InputError(f"budget={budget!r}\n  give a number of seconds above 0")
    if backward is None:
        forward, backward, inputs = as_pair(forward, inputs)
    returned = {"outputs": outputs, "cache": cache, "order": order, "without": without}
    options = returned | {"negated": negated, "per_step": per_step, "seed": seed}
    try:
        subject = _call(forward, backward, inputs, options)
    except SubjectError as error:
        return GradientReport(problems=(error.problem,))
    try:
        measured = measure(subject, seed)
    except SubjectError as error:
        return GradientReport(problems=(*subject.problems, error.problem))
    if not (diagnose and _leaves_something_to_find(measured, subject, known)):
        return report(subject, measured)
    # The verdicts are there at once, and the search may take half a minute: who waits can read them meanwhile.
    if early is not None:
        early(report(subject, measured))
    with at_most(budget):
        # Before the search, which then starts from gradients that this mistake is no part of.
        if put_off := put_off_changes(subject, measured, seed):
            return put_off.report(measured, lambda one, seen: _search(one, seen, known, seed, budget))
        return _search(subject, measured, known, seed, budget)


def _search(
    subject: Subject, measured: Judgement, known: Cell | Layout | None, seed: int, budget: float
) -> GradientReport:
    """Look for the mistakes, the cell and the blind spots, as far as the time goes."""
    # Gradients that stand in one another's place are read from where they are, so that further mistakes in them can be
    # seen.
    box = subject.placing(measured.misplaced)
    loss, for_mending = is_loss(subject), _FOR_MENDING * budget
    mended = _mend(box, measured, seed, for_mending if loss else min(_BEFORE_EQUATIONS, for_mending))
    if loss and _is_whole(mended):
        return report(subject, measured, _recognise_soon(box, known, seed), Named(mended.mistakes))
    rest = budget if loss else max(_FOR_EQUATIONS, budget - for_mending)
    with at_most(_FOR_EQUATIONS if _is_whole(mended) else rest):
        recognised, derived, late = _diagnose(box, measured, known, seed)
    if not (loss or mended.complete or _is_explained(derived)):
        mended = _mend(box, measured, seed, budget)
    if derived is None or not derived.mistakes or explains_more(mended, derived):
        if mended.mistakes:
            hidden = () if derived is None else derived.hidden
            derived = Named(mended.mistakes, tuple(sorted(mended.left)), hidden)
            recognised, late = without_excuses(recognised), [] if not mended.left else late
    else:
        derived = replace(derived, mistakes=with_lines(derived.mistakes, mended.mistakes))
    found = report(subject, measured, recognised, derived)
    if found.unexplained and not mended.complete:
        late = ["what to write instead", *late]
    return _unfinished(found, " and ".join(late), budget) if late else found


def _mend(box: Subject, measured: Judgement, seed: int, seconds: float) -> Repair:
    """What had to be changed in the text, with what numbers prove of the same gradients."""
    with at_most(seconds):
        mended = repair(box, measured.compared, measured.wrong - set(measured.misplaced), seed)
    certain = certain_mistakes([one for one in measured.findings if one.name not in measured.misplaced])
    return replace(mended, mistakes=named_as_proved(mended.mistakes, certain))


def _is_whole(mended: Repair) -> bool:
    """Whether all gradients were made right."""
    return bool(mended.mistakes) and not mended.left


def _is_explained(derived: Named | None) -> bool:
    """Whether the derived equations explain all that is wrong, to the last digit."""
    return bool(derived and derived.mistakes and not derived.unexplained and all(one.exact for one in derived.mistakes))


def _recognise_soon(subject: Subject, known: Cell | Layout | None, seed: int) -> Recognition | None:
    """The cell behind a loss, if it does not take long: its mistakes are named already."""
    try:
        with at_most(_FOR_NAME):
            return without_excuses(recognise(subject, known, seed))
    except OutOfTimeError:
        return None


def _diagnose(
    subject: Subject, measured: Judgement, known: Cell | Layout | None, seed: int
) -> tuple[Recognition, Named | None, list[str]]:
    """The cell, the mistakes in its derived backward pass, and what was not looked for to the end."""
    try:
        recognised = recognise(subject, known, seed)
    except OutOfTimeError:
        return Recognition(subject, None), None, ["the cell"]
    if recognised.found is None:
        return recognised, None, []
    box, layout, derivation = recognised.subject, recognised.found.layout, recognised.found.derivation
    outcome = diagnose_resized(box, layout, derivation, seed)
    # What has been found is worth nothing unconfirmed and without its line, and both are short.
    with unlimited():
        if not measured.wrong:
            outcome = confirm(box, outcome, seed)
        mistakes = add_lines(box, outcome)
    late = [] if outcome.complete else ["further mistakes"]
    try:
        headed = isinstance(layout, HeadedLayout)
        hidden = () if headed else blind_spots(box, layout, derivation, measured.compared, seed)
    except OutOfTimeError:
        hidden, late = (), [*late, "what these inputs could not show"]
    return recognised, Named(mistakes, outcome.unexplained, hidden), late


def _unfinished(found: GradientReport, what: str, budget: float) -> GradientReport:
    """A report that says what was not looked for to the end."""
    sentence = f"the search for {what} was stopped after {budget:g} s of processor time"
    remedy = f"give it more, as budget={4 * budget:g} (--budget {4 * budget:g}), or name the cell with cell="
    problem = Problem("unfinished", f"{sentence}\n  {remedy}", fatal=False)
    return replace(found, problems=(*found.problems, problem))


def _named_cell(cell: Any) -> Cell | Layout | None:
    """The cell or layout that the caller names; wrong names are said before anything runs."""
    if isinstance(cell, Identification):
        return cell.layout
    return cell if cell is None or isinstance(cell, Layout) else find_cell(cell)


def _call(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: Inputs, options: Mapping[str, Any]
) -> Subject:
    """The functions as a black box, called for the first time; sequences that are lists of steps become arrays."""
    first = inputs if isinstance(inputs, Mapping) else Draws(inputs).first(options["seed"])
    if names := find_listed_steps(first):
        forward, backward, inputs = stack_steps(forward, backward, inputs, names)
    return Subject(forward, backward, inputs, **options)


def _leaves_something_to_find(measured: Judgement, subject: Subject, known: Cell | Layout | None) -> bool:
    """Whether to look for a cell: gradients are wrong for want of more than their order, or mistakes may hide."""
    if not measured.findings:
        return False
    if measured.wrong:
        # Gradients returned in each other's place are told already, and exactly.
        return measured.wrong != set(measured.misplaced)
    return known is not None or _may_hide(measured, subject)


def _may_hide(measured: Judgement, subject: Subject) -> bool:
    """Whether right gradients leave something to find: the inputs may hide mistakes, as one step does, or zeros."""
    large = sum(np.size(array) for array in subject.arrays.values()) > _LARGE
    right = {one.name for one in measured.findings if one.verdict in (Verdict.RIGHT, Verdict.ROUNDING)}
    return not large and right >= set(subject.arrays) and any(map(_hides, subject.arrays.values()))


def _hides(array: Array) -> bool:
    """Whether an array is zero, or has one step or one example by its shape; a column of numbers has not."""
    return array.ndim >= 2 and (not np.any(array) or 1 in array.shape[: max(1, array.ndim - 1)])
