"""How a gradient flows through a cell: the direct path of each state, the other paths, and how large each can be.

The direct path from s_{t-k} to s_t runs through no other variable: it is the product of the direct Jacobians of k
steps.  Every other path leaves the state.  The norm of each is bounded by what is on it, and that of the whole
derivative over k steps by a product of k matrices with one entry for each pair of states, the sums of the bounds of the
paths between them.

Source: Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks, ICML, section 2;
Hochreiter & Schmidhuber (1997), Long Short-Term Memory, section 3, on the path that keeps the error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Literal

from symrnn.algebra import nodes
from symrnn.algebra.enclosure import enclose
from symrnn.algebra.intervals import CLOSED_UNIT_BALL, Interval
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.simplify import simplify
from symrnn.calculus.derivation import Derivation, derivation_of, shift
from symrnn.calculus.graph import graph_of
from symrnn.calculus.norms import Bound, Norms
from symrnn.calculus.paths import Path, count_paths, paths
from symrnn.language.recurrence import Cell

MOST_PATHS = 40
"""More paths than this are counted and not listed, as in the section on Jacobians: nobody would read them."""

_WITHIN = CLOSED_UNIT_BALL
"""Where states are assumed to begin: there zeros lie, and whatever a tanh gives."""

Kind = Literal["none", "identity", "diagonal", "matrix"]


@dataclass(frozen=True)
class StateFlow:
    """How a gradient flows from a state at t back to the same state at t-1.

    Attributes:
        state: the state at t.
        factor: the direct Jacobian of one step; zero where the state's equation does not read the state before.
        kind: what the factor is; a scalar, and a scalar times the identity, count as diagonal.
        entries: what is on the diagonal; None of another factor.
        within: an interval that holds these entries.
        bound: of the factor's norm.
        others: the other paths over one step and their bounds; None where they are too many.
        count: the number of the other paths.
    """

    state: Variable
    factor: Expr
    kind: Kind
    entries: Expr | None
    within: Interval | None
    bound: Bound
    others: tuple[tuple[Path, Bound], ...] | None
    count: int

    @property
    def is_steady(self) -> bool:
        """Whether the factor is the same at every step."""
        return all(v.time is None for v in nodes.variables(self.factor))


@dataclass(frozen=True)
class Flow:
    """How gradients flow through a cell.

    Attributes:
        derivation: the cell's equations.
        states: the flow of each state.
        blocks: (state at t, state at t-1), by name -> a bound of the norm of the one's derivative by the other, which
            is a sum over paths; empty where they are too many.
        assumed: the states of which the bounds take for granted that the entries before the first step lie in [-1, 1];
            all later ones do then.
    """

    derivation: Derivation
    states: tuple[StateFlow, ...]
    blocks: Mapping[tuple[str, str], Bound]
    assumed: tuple[Variable, ...]


def flow(cell: Cell | Derivation | str) -> Flow:
    """How gradients flow through a cell.

    Args:
        cell: the cell, or its derivation.

    Raises:
        InputError: it is no cell.
        UnknownNameError: the library has no cell of that name.
    """
    return _FlowReading(derivation_of(cell)).flow()


@dataclass(frozen=True)
class _FlowReading:
    """The flow of one cell, with what all parts of it need."""

    derivation: Derivation

    @cached_property
    def invariant(self) -> dict[Variable, Interval]:
        """The states at t-1 whose entries stay in [-1, 1] when they begin there: the largest set that proves it."""
        cell = self.derivation.cell
        kept = dict.fromkeys(cell.previous, _WITHIN)
        while True:
            # One that leaves may have held up another: what is left is tried again.
            known = self._enclosed(kept)
            left = {v: i for v, i in kept.items() if known[cell[v.base]].within(_WITHIN)}
            if len(left) == len(kept):
                return kept
            kept = left

    def _enclosed(self, given: Mapping[Variable, Interval]) -> dict[Variable, Interval]:
        cell = self.derivation.cell
        known = dict(given)
        known |= {cell[name]: Interval(number, number) for name, number in cell.constants.items()}
        for equation in self.derivation.forward:
            known[equation.target] = enclose(equation.value, known)
        return known

    @cached_property
    def known(self) -> dict[Variable, Interval]:
        """What every value of this step lies in, and the states at t-1."""
        return self._enclosed(self.invariant)

    @cached_property
    def norms(self) -> Norms:
        """Bounds from what every value of this step and the one before lies in."""
        before = {shift(v, -1): interval for v, interval in self.known.items() if v.time == 0}
        # What holds of a state at t is not known of the one before the first step, unless it was assumed.
        given = {v: i for v, i in before.items() if v not in self.derivation.cell.previous}
        return Norms({**given, **self.known})

    def flow(self) -> Flow:
        cell = self.derivation.cell
        states = tuple(self._of_state(cell[name]) for name in cell.states)
        between = self._between()
        nothing = Bound.number(0)
        blocks = {pair: reduce(add, map(self.norms.norm, values), nothing) for pair, values in between.items()}
        shown = [state.factor for state in states] + [p.value for s in states for p, _ in s.others or ()]
        shown += [value for values in between.values() for value in values]
        return Flow(self.derivation, states, blocks, self._assumed({v for x in shown for v in nodes.variables(x)}))

    def _assumed(self, read: set[Variable]) -> tuple[Variable, ...]:
        """The states that something rests on: an interval of what is read, or the proof that such a state stays."""
        cell, known = self.derivation.cell, self.known
        weaker = {v: self._enclosed({u: i for u, i in self.invariant.items() if u != v}) for v in self.invariant}
        changed = {v: {u for u in known if known[u] != less.get(u)} for v, less in weaker.items()}
        needed = {v for v in self.invariant if read & (changed[v] | {shift(u, -1) for u in changed[v] if u.time == 0})}
        while True:
            held_up = {v for v in self.invariant if any(not weaker[v][cell[u.base]].within(_WITHIN) for u in needed)}
            if held_up <= needed:
                return tuple(v for v in self.invariant if v in needed)
            needed |= held_up

    def _of_state(self, state: Variable) -> StateFlow:
        name = state.name
        before = self.derivation.cell[f"{name}_prev"]
        factor = simplify(graph_of(self.derivation).direct(before, state))
        direct = 0 if nodes.is_zero(factor) else 1
        count = count_paths(self.derivation, name, before.name, kind="total") - direct
        listed = count <= MOST_PATHS
        found = paths(self.derivation, name, before.name, kind="total") if listed else ()
        others = tuple((path, self.norms.norm(path.value)) for path in found if path.through)
        entries = _diagonal(factor)
        return StateFlow(
            state,
            factor,
            _kind(factor, entries),
            entries,
            None if entries is None else self.norms.interval(entries),
            self.norms.norm(factor),
            others if listed else None,
            count,
        )

    def _between(self) -> dict[tuple[str, str], list[Expr]]:
        """The paths from every state to every state, multiplied out; nothing where they are too many."""
        cell, graph = self.derivation.cell, graph_of(self.derivation)
        pairs = [(s, r) for s in cell.states for r in cell.states]
        if sum(graph.count(cell[f"{r}_prev"], cell[s]) for s, r in pairs) > MOST_PATHS:
            return {}
        return {(s, r): [path.value for path in paths(self.derivation, s, f"{r}_prev")] for s, r in pairs}


def _diagonal(factor: Expr) -> Expr | None:
    """What is on the diagonal of a factor, a column or a scalar; None where it is no diagonal matrix."""
    number, rest = nodes.coefficient(factor)
    if nodes.is_zero(factor):
        return None
    if nodes.is_scalar(factor):
        return factor
    if isinstance(rest, nodes.Diag):
        return nodes.scale(number, rest.args[0])
    if isinstance(rest, nodes.Eye):
        return nodes.number(number, nodes.ONE_BY_ONE)
    if isinstance(rest, nodes.Hadamard) and isinstance(rest.args[-1], nodes.Eye):
        scalars = [part.operand for part in rest.args[:-1] if isinstance(part, nodes.Fill)]
        if len(scalars) == len(rest.args) - 1:
            return nodes.scale(number, nodes.hadamard(*scalars))
    return None


def _kind(factor: Expr, entries: Expr | None) -> Kind:
    if nodes.is_zero(factor):
        return "none"
    if entries is None:
        return "matrix"
    return "identity" if isinstance(factor, nodes.Eye) else "diagonal"
