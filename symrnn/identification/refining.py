"""The nearest layout of a cell: improved by exchanging what tiles are, as long as that brings the cell nearer."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from symrnn.arrays import Arrays
from symrnn.callables.probe import Answer, Probe
from symrnn.identification.agreement import Match, measure, random_trials
from symrnn.identification.frames import Leads, View
from symrnn.identification.layout import Layout, ParameterPart
from symrnn.identification.tiles import key
from symrnn.language.recurrence import Cell

# Exchanges one after another; a layout of four gates is put in order by fewer than it has tiles, a dozen or two.
_ROUNDS = 30
# A distance that no exchange makes smaller but by rounding.
_EXACT = 1e-12


def refine(probe: Probe, layout: Layout, leads: Leads) -> Match:
    """The best match that exchanges lead to, from a first guess at the layout."""
    match = measure(probe, layout, leads)
    # Only the first state is followed: every parameter acts on it within a few steps, and one view makes a look cheap.
    first = [output.view for output in match.layout.outputs if output.state == layout.cell.states[0]]
    trials = random_trials(probe, layout)
    if not first or not trials or not np.isfinite(match.agreement):
        return match
    arrays, answer = trials[0]
    distance = _Distance(layout, first[0], arrays, answer)
    best, error = layout, distance(layout)
    for _ in range(_ROUNDS):
        # The number n settles ties, since layouts have no order, and keeps the result the same each time.
        nearer = min(((distance(other), n, other) for n, other in enumerate(_exchanges(best))), default=None)
        if nearer is None or not nearer[0] < error or error < _EXACT:
            break
        error, _, best = nearer
    # The distance is of one output at one point; the full measure may still prefer the first guess.
    return min(match, measure(probe, best, leads), key=lambda match: match.agreement)


class _Distance:
    """How far a layout's first state is from one output, for the first example at a random point."""

    def __init__(self, layout: Layout, view: View, arrays: Arrays, answer: Answer) -> None:
        self._view = view
        self._value = view.read(answer)[:, 0]
        self._x = layout.x(arrays)[:, 0]
        self._pieces = {part.source: part.source.read(arrays[part.source.array]) for part in layout.parts}
        self._states = {
            part.source: value[0] if part.source.lead else value
            for part in layout.states
            for value in [part.source.read(arrays[part.source.array])]
        }

    def __call__(self, layout: Layout) -> float:
        sized = layout.candidate.sized
        params = {name: np.zeros(sized.shapes[name]) for name in layout.cell.parameters}
        for part in layout.parts:
            piece = self._pieces[part.source]
            part.target.add(params[part.target.array], piece.T if part.transposed else piece)
        initial = {
            part.state: self._states[part.source].T if part.transposed else self._states[part.source]
            for part in layout.states
        }
        course = layout.candidate.course(layout.candidate.adjusted(params), self._x, initial)
        with np.errstate(all="ignore"):
            expected = self._view.expected(course[layout.cell.states[0]])
            # A mean falls with every tile put right; the largest error often stays until the last one is.
            error = float(np.mean(np.abs(self._value - expected)))
        return error if np.isfinite(error) else float("inf")


def _exchanges(layout: Layout) -> Iterator[Layout]:
    """Layouts one exchange away: of two tiles, of two gates, of a matrix and its transpose, of two states."""
    parts = layout.parts
    for i, j in combinations(range(len(parts)), 2):
        if key(parts[i].source.dims) == key(parts[j].source.dims) and parts[i].target != parts[j].target:
            yield replace(layout, parts=_with_targets(parts, {i: parts[j], j: parts[i]}))
    for i, part in enumerate(parts):
        if len(part.source.dims) == 2 and len(set(part.source.dims)) == 1:
            turned = replace(part, transposed=not part.transposed)
            yield replace(layout, parts=(*parts[:i], turned, *parts[i + 1 :]))
    # Two gates exchanged tile by tile are worse halfway, where a descent would stop; so they change as a whole too.
    yield from _gate_exchanges(layout)
    for i, j in combinations(range(len(layout.states)), 2):
        states = list(layout.states)
        a, b = states[i], states[j]
        if key(a.source.dims) == key(b.source.dims):
            states[i], states[j] = replace(a, state=b.state), replace(b, state=a.state)
            yield replace(layout, states=tuple(states))


def _with_targets(parts: Sequence[ParameterPart], others: Mapping[int, ParameterPart]) -> tuple[ParameterPart, ...]:
    """The parts, some of them with another one's target; a square tile keeps its orientation."""
    changed = list(parts)
    for number, other in others.items():
        part = parts[number]
        square = len(set(part.source.dims)) == 1
        turned = part.transposed if square else part.source.dims != other.target.dims
        changed[number] = replace(part, target=other.target, transposed=turned)
    return tuple(changed)


def _gate_exchanges(layout: Layout) -> Iterator[Layout]:
    """Two gates change places with everything that they have in common."""
    gates: dict[int, list[int]] = {}
    of = gates_of(layout.cell)
    for number, part in enumerate(layout.parts):
        gates.setdefault(of[part.target.array], []).append(number)
    parts = layout.parts
    for a, b in combinations(gates.values(), 2):
        others: dict[int, ParameterPart] = {}
        left = list(b)
        for i in a:
            twin = next((j for j in left if key(parts[j].target.dims) == key(parts[i].target.dims)), None)
            if twin is not None:
                left.remove(twin)
                others |= {i: parts[twin], twin: parts[i]}
        if others:
            yield replace(layout, parts=_with_targets(parts, others))


def gates_of(cell: Cell) -> Mapping[str, int]:
    """Parameter -> a number that parameters of the same gate have in common.

    A gate is the innermost function call around a parameter, or the equation where there is none.
    """
    found: dict[str, int] = {}

    def visit(node: ast.AST, gate: int) -> None:
        if isinstance(node, ast.Name):
            found.setdefault(node.id, gate)
        for child in ast.iter_child_nodes(node):
            visit(child, id(node) if isinstance(node, ast.Call) else gate)

    for assignment in cell.syntax.assignments:
        visit(assignment.value, id(assignment))
    return {name: found[name] for name in cell.parameters}
