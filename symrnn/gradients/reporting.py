"""What was measured, recognised and named, put together as one report."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symrnn.callables.subject import Subject
from symrnn.findings.findings import BlindSpot, Diagnosis, Problem
from symrnn.findings.report import GradientReport
from symrnn.gradients.certain import certain_mistakes, joined
from symrnn.gradients.recognition import Recognition
from symrnn.identification.layout import Layout
from symrnn.identification.wording import describe
from symrnn.losses.headed import HeadedLayout, JoinedLayout, describe_head
from symrnn.measuring.verdicts import Judgement
from symrnn.mistakes.catalogue import gradients_exchanged


@dataclass(frozen=True)
class Named:
    """What a diagnosis came to.

    Attributes:
        mistakes: the mistakes, each with its line.
        unexplained: the pieces of gradients that no mistake explains.
        hidden: the mistakes that the inputs could not have shown.
    """

    mistakes: tuple[Diagnosis, ...] = ()
    unexplained: tuple[str, ...] = ()
    hidden: tuple[BlindSpot, ...] = ()


def report(
    subject: Subject, measured: Judgement, recognised: Recognition | None = None, named: Named | None = None
) -> GradientReport:
    """The report of a check.

    Args:
        subject: the functions under test.
        measured: the verdicts.
        recognised: the cell, or why there is none; None where it was not looked for.
        named: the mistakes in terms of the cell; None where there is none.
    """
    misplaced = measured.misplaced  # this is exact, and no cell is needed to see it
    exchanged = (gradients_exchanged.misplaced(misplaced),) if misplaced else ()
    bare = GradientReport(
        gradients=measured.findings,
        problems=tuple(subject.problems),
        diagnoses=exchanged,
        blind_spots=_untried(measured),
        method=measured.method,
        calls=(subject.calls.forward, subject.calls.backward),
    )
    certain = certain_mistakes([one for one in measured.findings if one.name not in misplaced])
    if recognised is not None:
        bare = replace(bare, problems=(*bare.problems, *recognised.problems))
    if named is None:
        bare = replace(bare, diagnoses=(*exchanged, *certain))
        rest = measured.wrong - _arrays_of(bare.diagnoses, frozenset(subject.arrays))
        return bare if recognised is None else replace(bare, unexplained=tuple(sorted(rest)))
    arrays = frozenset(subject.arrays)
    named_arrays = [_arrays_of([one], arrays) for one in named.mistakes]
    mistakes = (*exchanged, *joined(named.mistakes, certain, named_arrays))
    explained = _arrays_of(mistakes, arrays)
    left = {_array_of(label, arrays) for label in named.unexplained} - _arrays_of(certain, arrays)
    unexplained = (measured.wrong - explained) | left
    whole = replace(
        bare,
        problems=(*bare.problems, *_explain_contradictions(measured, explained)),
        diagnoses=mistakes,
        blind_spots=(*named.hidden, *bare.blind_spots),
        unexplained=tuple(sorted(unexplained)),
    )
    if recognised is None or recognised.found is None:
        return whole
    layout = recognised.found.layout
    return replace(whole, cell=name_core(layout), layout=describe_own(recognised.subject, layout))


def _untried(measured: Judgement) -> tuple[BlindSpot, ...]:
    """What right gradients were not tried at."""
    if measured.wrong or not measured.untried:
        return ()
    remedy = "let a function of rng, T and N make the inputs"
    return (BlindSpot((), f"mistakes made only for {' or '.join(measured.untried)}: not tried; {remedy}", 0),)


def _explain_contradictions(measured: Judgement, explained: frozenset[str]) -> tuple[Problem, ...]:
    """Where the verdicts and the mistakes seem to say different things: why they do."""
    found = []
    hidden = [name for name in explained if name not in measured.wrong]
    if hidden and not measured.wrong:
        sentence = f"right at these inputs, wrong at others: {', '.join(sorted(hidden))}"
        remedy = "see the mistakes, and check at other inputs as well"
        found.append(Problem("wrong-elsewhere", f"{sentence}\n  {remedy}"))
    return tuple(found)


def _arrays_of(mistakes: Sequence[Diagnosis], arrays: Collection[str]) -> frozenset[str]:
    """The inputs whose gradients these mistakes make wrong."""
    return frozenset(_array_of(label, arrays) for mistake in mistakes for label in mistake.gradients)


def _array_of(label: str, arrays: Collection[str]) -> str:
    """The input that a label such as `W[:, 6:12]` is a piece of; `state[1]` may be an input or a piece of one."""
    head, bracket, _ = label.rpartition("[")
    return head if bracket and label not in arrays and head in arrays else label


def name_core(layout: Layout) -> str:
    """The name of the cell, without what stands behind it."""
    joined = layout.joined if isinstance(layout, JoinedLayout) else None
    return layout.cell.name if joined is None else joined.core.name


def describe_own(subject: Subject, layout: Layout) -> str:
    """The layout in words, with the shapes of the subject's own inputs and under their own names."""
    frame = layout.frame
    own = subject.arrays.get(subject.flat_names.get(frame.x, ""))
    if own is not None and np.ndim(own) == len(frame.shape):
        layout = replace(layout, frame=replace(frame, shape=tuple(map(int, np.shape(own)))))
    text = describe(layout)
    if isinstance(layout, HeadedLayout) and layout.indices is not None:
        # It was recognised by vectors in the place of the indices, whose shape is not one of the author's.
        text = re.sub(r"^[^;]*", lambda _: f"{layout.frame.x}: an index for each step", text)
    if isinstance(layout, JoinedLayout):
        text += f"\n{describe_head(layout)}"
    for flat, path in sorted(subject.flat_names.items(), key=lambda pair: -len(pair[0])):
        if flat != path:
            text = path.join(re.split(rf"(?<![\w']){re.escape(flat)}(?!\w)", text))
    return text
