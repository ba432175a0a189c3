"""The line of somebody's function that computes a wrong quantity, found by the numbers that it assigned."""

from __future__ import annotations

import ast
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symrnn.checking.findings import SourceLine
from symrnn.diagnosis.formula import formula
from symrnn.diagnosis.statements import Statement
from symrnn.diagnosis.tracing import Trace, trace, watch

__all__ = ["Trace", "locate", "trace", "watch"]

Array = Any
Steps = Sequence[Array]
"""The values of a quantity, one for each time step."""

TOLERANCE = 1e-9
_MOST_PLACES = 64


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
    lines = _lines(seen)
    for name, steps in wrong.items():
        if name in right and _agree(steps, right[name]):
            continue
        signed = name in right and _agree([-np.asarray(step) for step in steps], right[name])
        alike = any(_agree(steps, values) for values in _before(name, others or {}))
        chosen = _chosen(_carriers(lines, steps, signed), alike)
        if chosen is not None:
            return _told(chosen, expected if isinstance(expected, str) else expected.get(name, ""))
    return None


def _before(name: str, values: Mapping[str, Steps]) -> list[Steps]:
    """The values that come before those of a name; all of them, if that is not there."""
    names = list(values)
    return [values[other] for other in names[: names.index(name) if name in values else None]]


def _told(line: _Line, expected: str) -> SourceLine:
    statement = line.statement
    name = os.path.basename(statement.file)
    return SourceLine(name, statement.line, statement.text, formula(statement), line.variable, expected)


def _chosen(carriers: Sequence[_Line], is_another: bool) -> _Line | None:
    """The line to name, of those that assign the value, in the order in which they did.

    Where the wrong value is the right one of another quantity, the first to compute it is that quantity's own line,
    and the mistake is where it is taken next.
    """
    computing = [line for line in carriers if line.statement.computes]
    if is_another and computing:
        after = [line for line in carriers if line.statement != computing[0].statement and not line.returns]
        return (after or computing)[0]
    return next(iter(computing or carriers), None)


def _agree(steps: Steps, others: Steps) -> bool:
    if len(steps) != len(others):
        return False
    pairs = [(np.squeeze(a), np.squeeze(b)) for a, b in zip(steps, others, strict=True)]
    return all(a.shape == b.shape and _close(a, b) for a, b in pairs)


def _close(got: Array, expected: Array) -> bool:
    return bool(np.linalg.norm(got - expected) <= TOLERANCE * np.linalg.norm(expected))


# --- what the lines assigned ------------------------------------------------------------------------------------------


@dataclass
class _Line:
    """What one statement assigned to one variable, in the order of the run.

    Attributes:
        statement: the statement.
        variable: the variable, as written.
        values: what it was assigned, without axes of length one.
        moments: when.
        sizes: the absolute values of all entries, sorted.
    """

    statement: Statement
    variable: str
    values: list[Array] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    sizes: Array = None

    @property
    def returns(self) -> bool:
        """Whether it only returns what was computed before."""
        return isinstance(self.statement.node, ast.Return) and not self.statement.computes

    def find(self, wanted: Array, signed: bool) -> int | None:
        """When it first assigned a value that contains the one wanted, or its negative if the sign says nothing."""
        peak = np.max(np.abs(wanted))
        near = np.searchsorted(self.sizes, peak * (1 - TOLERANCE))
        if near == len(self.sizes) or self.sizes[near] > peak * (1 + TOLERANCE):
            return None
        both = zip(self.moments, self.values, strict=True)
        return next((moment for moment, value in both if _contains(value, wanted, signed)), None)


def _lines(seen: Trace) -> list[_Line]:
    found: dict[tuple[Statement, str], _Line] = {}
    for moment, record in enumerate(seen.records):
        if record.value.size and np.all(np.isfinite(record.value)):
            line = found.setdefault((record.statement, record.variable), _Line(record.statement, record.variable))
            line.values.append(np.squeeze(record.value))
            line.moments.append(moment)
    for line in found.values():
        line.sizes = np.sort(np.abs(np.concatenate([value.ravel() for value in line.values])))
    return list(found.values())


def _carriers(lines: Sequence[_Line], steps: Steps, signed: bool) -> list[_Line]:
    """The lines that assigned these values, in the order of the run; none for zeros, which are everywhere."""
    wanted = [np.squeeze(np.asarray(step, dtype=np.float64)) for step in steps]
    if not all(np.all(np.isfinite(step)) for step in wanted):
        return []
    for reading in _READINGS:
        parts = _sizable(list(reading(wanted)))
        moments = {id(line): _first(line, parts, signed) for line in lines} if parts else {}
        found = [line for line in lines if moments.get(id(line)) is not None]
        if found:
            return sorted(found, key=lambda line: moments[id(line)] or 0)
    return []


def _sizable(parts: Sequence[Array]) -> list[Array]:
    """Those that are more than the rounding of others; which may be zero in one program and not in another."""
    sizes = [float(np.linalg.norm(part)) for part in parts]
    return [part for part, size in zip(parts, sizes, strict=True) if size > TOLERANCE * max(sizes)]


def _first(line: _Line, parts: Sequence[Array], signed: bool) -> int | None:
    """When a line first assigned one of these parts, if it assigned all of them."""
    moments: list[int] = []
    for part in parts:
        moment = line.find(part, signed)
        if moment is None:
            return None
        moments.append(moment)
    return min(moments)


def _by_example(steps: list[Array]) -> Iterator[Array]:
    return (example for step in steps if step.ndim > 1 for example in step)


def _total(steps: list[Array]) -> Iterator[Array]:
    if len(steps) > 1 and len({step.shape for step in steps}) == 1:
        yield np.sum(steps, axis=0)


def _of_batch(steps: list[Array]) -> list[Array]:
    return [step.sum(axis=0) for step in steps if step.ndim == 3]


_READINGS: tuple[Callable[[list[Array]], Any], ...] = (
    lambda steps: steps,
    _total,
    _of_batch,
    lambda steps: _total(_of_batch(steps)),
    _by_example,
)
"""How a quantity may be spread over what a line assigns; the plainest first."""


# --- one array in another ---------------------------------------------------------------------------------------------


def _contains(value: Array, wanted: Array, signed: bool) -> bool:
    """Whether an array, or a part of it, is the one wanted: its axes in any order, and negated unless `signed`."""
    if wanted.ndim > value.ndim or wanted.size > value.size:
        return False
    peak = np.unravel_index(int(np.argmax(np.abs(wanted))), wanted.shape)
    size = abs(wanted[peak])
    near = np.argwhere(np.abs(np.abs(value) - size) <= TOLERANCE * size)
    orders = list(itertools.permutations(range(value.ndim), wanted.ndim))
    places = [place for place in near[:_MOST_PLACES] if not signed or value[tuple(place)] * wanted[peak] > 0]
    return any(_is_at(value, wanted, place, peak, axes) for place in places for axes in orders)


def _is_at(value: Array, wanted: Array, place: Array, peak: tuple[Any, ...], axes: tuple[int, ...]) -> bool:
    """Whether the part of `value` whose entry `place` is the peak of `wanted` is `wanted`, up to its sign."""
    cut: list[Any] = list(place)
    for axis, at, length in zip(axes, peak, wanted.shape, strict=True):
        start = place[axis] - at
        if start < 0 or start + length > value.shape[axis]:
            return False
        cut[axis] = slice(start, start + length)
    rest = sorted(axes)  # the axes that are left, as they stand in the part
    part = np.transpose(value[tuple(cut)], [rest.index(axis) for axis in axes])
    return _close(part if value[tuple(place)] * wanted[peak] > 0 else -part, wanted)
