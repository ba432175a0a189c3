"""The statements that assigned given numbers, found in the trace of a run."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.source_lines.statements import Statement
from symrnn.source_lines.tracing import Trace

Steps = Sequence[Array]
"""The values of a quantity, one for each time step."""

TOLERANCE = 1e-9
"""Relative: another order of additions moves a value by some 1e-14, and other quantities are some 1e-3 away or more."""
# Entries as large as the one looked for: more than a few are repetitions, where any of them will do.
_MOST_PLACES = 64


@dataclass
class AssignedValues:
    """What one statement assigned to one variable, in the order of the run.

    Attributes:
        statement: the statement.
        variable: the variable, as written.
        handed: whether it is an argument of a call that the statement makes.
        values: what it was assigned, without axes of length one.
        moments: when.
        sizes: the absolute values of all entries, sorted.
        found: when it first assigned each of the parts that were looked for.
    """

    statement: Statement
    variable: str
    handed: bool = False
    values: list[Array] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    sizes: Array = field(default_factory=lambda: np.zeros(0))
    found: tuple[int, ...] = ()

    @property
    def computes(self) -> bool:
        """Whether the statement computes it, and does not hand it on."""
        return self.statement.computes and not self.handed

    @property
    def returns(self) -> bool:
        """Whether it only returns what was computed before."""
        return isinstance(self.statement.node, ast.Return) and not self.statement.computes

    @property
    def renames(self) -> bool:
        """Whether it is only given a new name."""
        value = getattr(self.statement.node, "value", None)
        while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and not value.args:
            value = value.func.value  # .copy()
        place = isinstance(value, ast.Name | ast.Subscript | ast.Attribute)
        assigns = isinstance(self.statement.node, ast.Assign | ast.AnnAssign)
        return place and assigns and not self.handed and len(self.statement.targets) == 1

    @property
    def names_one(self) -> bool:
        """Whether the statement gives a value to one name, and to no other."""
        return isinstance(self.statement.node, ast.Assign) and len(self.statement.targets) == 1 and not self.handed

    @property
    def multiplies(self) -> bool:
        """Whether it is computed by an operator."""
        return isinstance(getattr(self.statement.node, "value", None), ast.BinOp) and not self.handed

    @property
    def calls(self) -> bool:
        """Whether it is what a call returned, and nothing more."""
        return isinstance(getattr(self.statement.node, "value", None), ast.Call) and not self.handed

    def has_any(self, wanted: Sequence[Array]) -> bool:
        """Whether it assigned one of these values."""
        return any(self.find(value, False) is not None for value in wanted)

    @property
    def is_zero(self) -> bool:
        """Whether it was assigned zeros only."""
        return not self.sizes[-1] > 0

    def find(self, wanted: Array, signed: bool) -> int | None:
        """When it first assigned a value that contains the one wanted, or its negative if the sign says nothing."""
        peak = np.max(np.abs(wanted))
        near = np.searchsorted(self.sizes, peak * (1 - TOLERANCE))
        if near == len(self.sizes) or self.sizes[near] > peak * (1 + TOLERANCE):
            return None
        both = zip(self.moments, self.values, strict=True)
        return next((moment for moment, value in both if contains(value, wanted, signed)), None)

    def find_all(self, parts: Sequence[Array], signed: bool) -> tuple[int, ...]:
        """When it first assigned each of these parts; nothing, unless it assigned all of them."""
        moments: list[int] = []
        for part in parts:
            moment = self.find(part, signed)
            if moment is None:
                return ()
            moments.append(moment)
        return tuple(moments)


def assigned_in(seen: Trace) -> list[AssignedValues]:
    """What every statement of a run assigned to each variable."""
    found: dict[tuple[Statement, str, bool], AssignedValues] = {}
    for moment, record in enumerate(seen.records):
        if record.value.size and np.all(np.isfinite(record.value)):
            key = record.statement, record.variable, record.handed
            assignment = found.setdefault(key, AssignedValues(*key))
            assignment.values.append(np.squeeze(record.value))
            assignment.moments.append(moment)
    for assignment in found.values():
        # Sorted once: the largest entry of what is looked for is then found in a few comparisons, and most statements
        # drop out.
        assignment.sizes = np.sort(np.abs(np.concatenate([value.ravel() for value in assignment.values])))
    return list(found.values())


def assigning(assigned: Sequence[AssignedValues], steps: Steps, signed: bool) -> list[AssignedValues]:
    """Those that assigned these values, in the order of the run; none for zeros, which are everywhere."""
    wanted = [np.squeeze(np.asarray(step, dtype=np.float64)) for step in steps]
    # NaN equals nothing.
    if not all(np.all(np.isfinite(step)) for step in wanted):
        return []
    for reading in _READINGS:
        parts = _sizable(list(reading(wanted)))
        for assignment in assigned:
            assignment.found = assignment.find_all(parts, signed) if parts else ()
        found = [assignment for assignment in assigned if assignment.found]
        if found:
            return sorted(found, key=lambda assignment: min(assignment.found))
    return []


def agree(steps: Steps, others: Steps) -> bool:
    """Whether both are the same values at every step."""
    if len(steps) != len(others):
        return False
    pairs = [(np.squeeze(a), np.squeeze(b)) for a, b in zip(steps, others, strict=True)]
    return all(a.shape == b.shape and _close(a, b) for a, b in pairs)


def _close(got: Array, expected: Array) -> bool:
    return bool(np.linalg.norm(got - expected) <= TOLERANCE * np.linalg.norm(expected))


def _sizable(parts: Sequence[Array]) -> list[Array]:
    """Drop values that are only rounding noise, which may be zero in one program and not in another."""
    sizes = [float(np.linalg.norm(part)) for part in parts]
    return [part for part, size in zip(parts, sizes, strict=True) if size > TOLERANCE * max(sizes)]


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


def contains(value: Array, wanted: Array, signed: bool) -> bool:
    """Whether an array, or a part of it, is the one wanted: its axes in any order, and negated unless `signed`."""
    if wanted.ndim > value.ndim or wanted.size > value.size:
        return False
    # By the largest entry: small ones may be rounding noise, which many places share.
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
