"""One step as a graph: the variables that the author named, and the local Jacobian on each edge between two of them.

A pre-activation belongs to the equation of its function, so it is a node only where it is asked about.  What is
frozen passes nothing on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import reduce

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.rules import Note, chain, local_jacobian

Way = tuple[tuple[Variable, ...], tuple[Expr, ...]]
"""The variables between start and end, and the Jacobians from the end to the start."""

_WRITTEN_OUT = 64
"""A block of more paths than this is nested, J (A + B) rather than J A + J B: paths may grow exponentially."""


class StepGraph:
    """The graph of a step.

    Args:
        derivation: the cell's equations and the rule table.
        shown: pre-activations that are nodes.
        frozen: nodes that pass nothing on.
        note: is told which rewritings are applied to the local Jacobians.
    """

    def __init__(
        self,
        derivation: Derivation,
        shown: Collection[Variable] = (),
        frozen: Collection[Variable] = (),
        note: Note | None = None,
    ) -> None:
        self._note = note
        self._rules = derivation.rules
        self._equations = {equation.target: equation for equation in derivation.forward}
        self._hidden = {v for v in self._equations if derivation.is_preactivation(v) and v not in shown}
        self._frozen = frozenset(frozen)
        self._incoming: dict[Variable, Mapping[Variable, Expr]] = {}
        self._upstream: dict[Variable, tuple[Variable, ...]] = {}

    def incoming(self, target: Variable) -> Mapping[Variable, Expr]:
        """The local Jacobians of a variable's own equation, by the variables that it reads."""
        if target not in self._incoming:
            self._incoming[target] = self._local(target)
        return self._incoming[target]

    def _local(self, target: Variable) -> Mapping[Variable, Expr]:
        found: dict[Variable, list[Expr]] = {}
        equation = self._equations.get(target)
        for share in local_jacobian(equation.value, target, self._rules, self._note) if equation else ():
            if share.variable in self._hidden:
                for source, inner in self.incoming(share.variable).items():
                    found.setdefault(source, []).append(chain(share.value, inner, note=self._note))
            elif share.variable not in self._frozen:
                found.setdefault(share.variable, []).append(share.value)
        return {source: nodes.add(*values) for source, values in found.items()}

    def _needed(self, end: Variable) -> tuple[Variable, ...]:
        """The variables with equations from which a way leads to the end, in the order of the equations."""
        if end not in self._upstream:
            found, waiting = {end}, [end]
            while waiting:
                fresh = set(self.incoming(waiting.pop())) & self._equations.keys() - found
                found |= fresh
                waiting += fresh
            self._upstream[end] = tuple(v for v in self._equations if v in found)
        return self._upstream[end]

    def count(self, start: Variable, end: Variable) -> int:
        """The number of ways from start to end."""
        count = {start: 1}
        for target in self._needed(end):
            if target != start:
                count[target] = sum(count.get(source, 0) for source in self.incoming(target))
        return count.get(end, 0)

    def ways(self, start: Variable, end: Variable) -> list[Way]:
        """Every way from start to end, the shortest first."""
        outgoing: dict[Variable, list[tuple[Variable, Expr]]] = {}
        for target in self._needed(end):
            for source, value in self.incoming(target).items():
                outgoing.setdefault(source, []).append((target, value))

        def walk(at: Variable, through: tuple[Variable, ...], factors: tuple[Expr, ...]) -> Iterator[Way]:
            if at == end:
                yield through[:-1], factors
                return
            for target, factor in outgoing.get(at, ()):
                yield from walk(target, (*through, target), (factor, *factors))

        return sorted(walk(start, (), ()), key=lambda way: len(way[0]))

    def direct(self, start: Variable, end: Variable) -> Expr:
        """The Jacobian of the end's own equation, every other named variable held."""
        if start == end:
            return identity(end)
        return self.incoming(end).get(start, no_change(end, start))

    def block(self, start: Variable, end: Variable) -> Expr:
        """The Jacobian of the end with respect to the start: the sum over the ways."""
        if self.count(start, end) <= _WRITTEN_OUT:
            values = [product(end, factors) for _, factors in self.ways(start, end)]
            return nodes.add(no_change(end, start), *values)
        known = {start: identity(start)}
        for target in self._needed(end):
            if target == start:
                continue
            terms = [chain(value, known[source]) for source, value in self.incoming(target).items() if source in known]
            if terms:
                known[target] = nodes.add(*terms)
        return known[end]


def entries(variable: Variable) -> Expr:
    """The number of entries of a variable."""
    return variable.shape[0] * variable.shape[1]


def identity(variable: Variable) -> Expr:
    """The Jacobian of a variable with respect to itself."""
    return nodes.Eye(entries(variable))


def no_change(of: Variable, wrt: Variable) -> Expr:
    """The Jacobian of a variable with respect to one that it does not depend on."""
    return nodes.zeros((entries(of), entries(wrt)))


def product(end: Variable, factors: Collection[Expr], note: Note | None = None) -> Expr:
    """The product of the Jacobians along a way; of no factor, the identity."""
    return reduce(lambda later, before: chain(later, before, note=note), factors) if factors else identity(end)
