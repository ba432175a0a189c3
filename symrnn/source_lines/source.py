"""The line of somebody's function that computes a wrong quantity, found by the numbers that it assigned."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.conventions import gradients_of
from symrnn.findings.findings import SourceLine
from symrnn.source_lines.assigned import AssignedValues, Steps, agree, assigned_in, assigning
from symrnn.source_lines.statements import Statement, named_in
from symrnn.source_lines.tracing import Trace, trace, watch

__all__ = ["Trace", "chosen", "locate", "told", "trace", "watch"]


def locate(
    seen: Trace,
    wrong: Mapping[str, Steps],
    right: Mapping[str, Steps],
    expected: str | Mapping[str, str] = "",
    *,
    others: Mapping[str, Steps] | None = None,
) -> SourceLine | None:
    """The line that computes what a mistaken backward pass computes.

    A value is recognised in any layout: rows or columns for the examples, transposed, part of a stacked array, all
    steps in one array or a step at a time in any order, an example at a time, negated (unless the sign is what is
    wrong), or summed over the steps.

    Args:
        seen: a run of the function at the same point.
        wrong: quantity -> its values with the mistake, for each step: (H,) or (H, 1) for one example, (N, H) or
            (N, H, 1) for more; a weight's (rows, columns).  The quantity to look for first comes first.
        right: the values without the mistake; a quantity whose values do not differ is not looked for.
        expected: the derived equation as text, or one for each quantity.
        others: the values of other quantities in the pass with the mistake, in the order in which they are computed: it
            may give one the value of another, as where a derivative is left out.  Those after the quantity itself, if
            it is among them, do not matter.

    Returns:
        The first line that computes such a value; a line that hands it on only where no other has it; None where no
        line of the trace assigns it.
    """
    assigned = assigned_in(seen)
    for name, steps in wrong.items():
        if name in right and agree(steps, right[name]):
            continue
        line = chosen(assigned, name, steps, right.get(name), others or {})
        if line is not None:
            return told(
                line.statement, line.variable, expected if isinstance(expected, str) else expected.get(name, "")
            )
    return None


def told(statement: Statement, variable: str, expected: str = "") -> SourceLine:
    """A statement as the line that is named."""
    name = os.path.basename(statement.file)
    return SourceLine(name, statement.line, statement.text, variable, expected)


def chosen(
    assigned: Sequence[AssignedValues],
    name: str,
    steps: Steps,
    right: Steps | None,
    others: Mapping[str, Steps],
    called: tuple[str, Collection[str]] | None = None,
) -> AssignedValues | None:
    """What computes the wrong values of a quantity; None where that cannot be told.

    Where the wrong value is also that of another quantity, one line is that quantity's own: the first to compute it, if
    the other comes before, and the last, if it comes after.  The mistake is where it is taken next.

    Args:
        assigned: what the lines assigned.
        name: the quantity.
        steps: its wrong values.
        right: its right ones, if they are known.
        others: those of other quantities, in their order.
        called: the caller's array whose gradient it is, and the names of all of his arrays.
    """
    last = [] if right is None else right[-1:]
    signed = agree([-step for step in steps[-1:]], last)  # of the step before it has gone through time
    ways = (assigning(assigned, each, signed) for each in _spans(steps, right))
    found = next((way for way in ways if way), [])
    found = _without_callers([one for one in found if not one.has_any(_lost(steps, right))])
    computing = [one for one in found if one.computes]
    same = [place for place, other in enumerate(others) if other != name and agree(steps, others[other])]
    named = _named(computing or found, called) or (_named(found, called) if same else [])
    if named:
        return named[0]
    if not same or not computing:
        return next(iter(computing or [one for one in found if not one.handed] or found), None)
    own = list(others).index(name) if name in others else len(others)
    # Another quantity has the same values, and comes later: then this one's line is the first of several, or cannot be
    # told.
    if min(same) > own:
        return computing[0] if len({one.statement for one in computing}) > 1 else None
    first = computing[0].statement
    rest = [one for one in found if one.statement != first and (one.computes or one.renames)]
    return (rest or computing)[0]


def _spans(steps: Steps, right: Steps | None) -> Iterator[Steps]:
    """The steps to look for: those that are wrong; all; all but the last, which another line may begin with."""
    if right is None or len(right) != len(steps):
        yield steps
        return
    wrong = [not agree([step], [other]) for step, other in zip(steps, right, strict=True)]
    yield [step for step, is_wrong in zip(steps, wrong, strict=True) if is_wrong]
    yield steps
    if len(steps) > 2:
        yield steps[:-1]


def _lost(steps: Steps, right: Steps | None) -> list[Array]:
    """The right values at steps at which the wrong ones are zero: statements that hold these are innocent."""
    if right is None or len(right) != len(steps) or not any(np.any(step) for step in steps):
        return []
    return [np.squeeze(other) for step, other in zip(steps, right, strict=True) if not np.any(step) and np.any(other)]


def _without_callers(found: Sequence[AssignedValues]) -> list[AssignedValues]:
    """Without those that only call a function that has returned the same before."""
    back = [place for place, one in enumerate(found) if one.variable.startswith("return")]
    return [one for place, one in enumerate(found) if not (one.calls and back and back[0] < place)]


def _named(found: Sequence[AssignedValues], called: tuple[str, Collection[str]] | None) -> list[AssignedValues]:
    """Those that assign to what is named after the gradient of the caller's array."""
    if called is None or len({one.statement for one in found}) < 2:
        return []
    return [one for one in found if names_gradient(one.variable, *called)]


def names_gradient(variable: str, array: str, arrays: Collection[str]) -> bool:
    """Whether a variable is named after the gradient of one of the caller's arrays."""
    return any(gradients_of([word], arrays).get(word) == array for word in named_in(variable))
