"""One step as a graph: the variables that the author named, and the local Jacobian on each edge between two of them.

A pre-activation belongs to the equation of its function, so it is a node only where it is asked about.  What is
frozen passes nothing on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, cast

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.rules import Note, chain, local_jacobian

Way = tuple[tuple[Variable, ...], tuple[Expr, ...]]
"""The variables between start and end, and the Jacobians from the end to the start."""

# Few enough to read, path by path, as papers print them; J (A + B) is shorter, and hides which paths there are.
_WRITTEN_OUT = 64
"""A block of more paths than this is nested, J (A + B) rather than J A + J B: paths may grow exponentially."""


class Extent(NamedTuple):
    """How long a derivative is where it is written out.

    Attributes:
        ways: the number of ways that it is a sum over.
        factors: the number of local Jacobians in all their products.
        nested: the same where what ways have in common at their end is written once, J (A + B).
    """

    ways: int
    factors: int
    nested: int


class Link(NamedTuple):
    """One line of the chain rule: the derivative of one variable by those that its equation reads.

    Attributes:
        of: the variable.
        terms: each local Jacobian, and the variable that it comes from, whose own derivative follows it.
    """

    of: Variable
    terms: tuple[tuple[Expr, Variable], ...]


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
        self._order = {target: position for position, target in enumerate(self._equations)}
        self._hidden = {v for v in self._equations if derivation.is_preactivation(v) and v not in shown}
        self._frozen = frozenset(frozen)
        self._incoming: dict[Variable, Mapping[Variable, Expr]] = {}
        self._upstream: dict[Variable, tuple[Variable, ...]] = {}
        self._extents: dict[Variable, Mapping[Variable, Extent]] = {}

    def incoming(self, target: Variable) -> Mapping[Variable, Expr]:
        """The local Jacobians of a variable's own equation, by the variables that it reads."""
        if target not in self._incoming:
            self._incoming[target] = self._derive_incoming(target)
        return self._incoming[target]

    def _derive_incoming(self, target: Variable) -> Mapping[Variable, Expr]:
        found: dict[Variable, list[Expr]] = {}
        equation = self._equations.get(target)
        for share in local_jacobian(equation.value, target, self._rules, self._note) if equation else ():
            # Through a pre-activation to what it reads; these come before it, so the recursion is as deep as functions
            # are nested.
            if share.variable in self._hidden:
                for source, inner in self.incoming(share.variable).items():
                    found.setdefault(source, []).append(chain(share.value, inner, note=self._note))
            # What is frozen is a constant here: nothing is added for it, which leaves zero where it is all there is.
            elif share.variable not in self._frozen:
                found.setdefault(share.variable, []).append(share.value)
        return {source: nodes.add(*values) for source, values in found.items()}

    def _find_needed(self, end: Variable) -> tuple[Variable, ...]:
        """The variables with equations from which a way leads to the end, in the order of the equations."""
        if end not in self._upstream:
            found, waiting = {end}, [end]
            while waiting:
                # By a list of what is still to be looked at: chains of equations are longer than Python's recursion.
                fresh = set(self.incoming(waiting.pop())) & self._equations.keys() - found
                found |= fresh
                waiting += fresh
            self._upstream[end] = tuple(sorted(found & self._order.keys(), key=self._order.__getitem__))
        return self._upstream[end]

    def count(self, start: Variable, end: Variable) -> int:
        """The number of ways from start to end."""
        return self.extent(start, end).ways

    def extent(self, start: Variable, end: Variable) -> Extent:
        """How long the derivative from start to end is where it is written out."""
        if start not in self._extents:
            self._extents[start] = self._measure_extents(start)
        return self._extents[start].get(end, Extent(0, 0, 0))

    def _measure_extents(self, start: Variable) -> Mapping[Variable, Extent]:
        """How long the derivative of every variable by the start is, in one pass over the equations."""
        found = {start: Extent(1, 0, 0)}
        for target in self._equations:
            if target != start:
                before = [found[source] for source in self.incoming(target) if source in found]
                if before:
                    found[target] = Extent(
                        sum(x.ways for x in before),
                        sum(x.factors + x.ways for x in before),
                        sum(x.nested + 1 for x in before),
                    )
        return found

    def length(self, start: Variable, end: Variable) -> int:
        """The number of local Jacobians in `block`."""
        extent = self.extent(start, end)
        return extent.factors if extent.ways <= _WRITTEN_OUT else extent.nested

    def ways(self, start: Variable, end: Variable) -> list[Way]:
        """Every way from start to end, the shortest first."""
        outgoing: dict[Variable, list[tuple[Variable, Expr]]] = {}
        for target in self._find_needed(end):
            for source, value in self.incoming(target).items():
                outgoing.setdefault(source, []).append((target, value))
        found: list[Way] = [] if start != end else [((), ())]
        through: list[Variable] = []
        factors: list[Expr] = []
        waiting = [iter(outgoing.get(start, ()))] if start != end else []
        while waiting:  # depth first, without Python's recursion, which a long chain of equations would exceed
            for target, factor in waiting[-1]:
                if target == end:
                    found.append((tuple(through), (factor, *reversed(factors))))
                    continue
                through.append(target)
                factors.append(factor)
                waiting.append(iter(outgoing.get(target, ())))
                break
            else:
                waiting.pop()
                del through[-1:], factors[-1:]
        # A stable sort: ways of one length stay in the order of the equations, the same in every run.
        return sorted(found, key=lambda way: len(way[0]))

    def rows(self, start: Variable, end: Variable) -> tuple[Link, ...]:
        """The chain rule from start to end: each variable between them once, after those that its equation reads."""
        reached = {start}
        found: list[Link] = []
        for target in self._find_needed(end):
            terms = tuple((value, source) for source, value in self.incoming(target).items() if source in reached)
            if terms and target != start:
                reached.add(target)
                found.append(Link(target, terms))
        return tuple(found)

    def push(self, changes: Mapping[Variable, Array], evaluate: Callable[[Expr], Array]) -> dict[Variable, Array]:
        """How changes of some variables move every variable that they reach, by the chain rule at numbers.

        Args:
            changes: a column with the entries of each that moves, or several columns.
            evaluate: gives a local Jacobian its value.
        """
        moved = dict(changes)
        for target in self._equations:
            if target not in self._hidden and target not in changes:
                sources = [(value, source) for source, value in self.incoming(target).items() if source in moved]
                if sources:
                    # There is at least one, so the 0 that `sum` begins with is never the answer.
                    total = sum(evaluate(value) @ moved[source] for value, source in sources)
                    moved[target] = cast(Array, total)
        return moved

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
        for target, terms in self.rows(start, end):
            known[target] = nodes.add(*(chain(value, known[source]) for value, source in terms))
        return known[end]


def graph_of(derivation: Derivation, shown: Collection[Variable] = (), frozen: Collection[Variable] = ()) -> StepGraph:
    """The graph of a step; the same one for every question in which the same variables are hidden and frozen.

    Its local Jacobians are derived when they are first asked for.  A survey asks for those of every pair of variables.
    """
    # By what is hidden, not by what is shown: a variable that is no pre-activation makes no difference there.
    hidden = frozenset(e.target for e in derivation.forward if derivation.is_preactivation(e.target)).difference(shown)
    known = derivation.graphs
    if (hidden, frozenset(frozen)) not in known:
        known[hidden, frozenset(frozen)] = StepGraph(derivation, shown, frozen)
    graph: StepGraph = known[hidden, frozenset(frozen)]
    return graph


def entries(variable: Variable) -> Any:
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
    return chain(*factors, note=note) if factors else identity(end)
