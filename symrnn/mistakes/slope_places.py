"""The places where the derivative of an activation stands in the equations, for the classes that get it wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.algebra.places import TermPlace, factors, places, without
from symrnn.mistakes.backward_pass import AdjointEquation
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.site import MistakeSite, called, in_brackets, put_at
from symrnn.mistakes.slope import Slope
from symrnn.printers import text

Instead = Callable[[Slope], Iterable[tuple[str, Expr]]]
"""What people write for a derivative: what they took it for, in words, and the expression."""


@dataclass(frozen=True)
class SlopePlace:
    """A derivative of an activation in a term.

    Attributes:
        position: which equation.
        number: which of its terms.
        place: the product that has the derivative as a factor.
        slope: the derivative.
        rest: the product without it.
        whole: the derivative alone, with the shape of the rest.
    """

    position: int
    number: int
    place: TermPlace
    slope: Slope
    rest: Expr
    whole: Expr

    @property
    def shown(self) -> str:
        """The derivative as text."""
        return " ⊙ ".join(in_brackets(part) for part in self.slope.factors)

    def mistake(self, tag: str, words: str, rank: int, new: Expr, key: Any, alike: Any = None) -> Mistake:
        """The mistake that puts something in place of the product.

        Args:
            tag: its class.
            words: what it does.
            rank: how unlikely it is.
            new: what is put there.
            key: what it has in common with the same mistake at other derivatives of this function.
            alike: what it has in common with those of other functions; the words by default.
        """
        families = ("slope", self.slope.function, tag, key), ("slope", tag, words if alike is None else alike)
        return Mistake(tag, words, rank, put_at(self.position, self.number, self.place, new), families=families)

    def summands(self, on: MistakeSite) -> Iterator[Summand]:
        """The sums that a bracket can be forgotten in: (a + b) ⊙ s written a + b ⊙ s."""
        _, parts = factors(self.rest)
        lines: dict[Expr, AdjointEquation] = {line.target: line for line in on.program.lines}
        for part in parts:
            line = lines.get(part)
            if line is None:
                continue
            if len(line.terms) == 1:  # such as δf = δc ⊙ c, where δc is the sum
                yield from self._inner_summands(lines, line.terms[0], tuple(other for other in parts if other != part))
                continue
            others = [other for other in parts if other != part]
            for bare in line.terms:
                sloped = nodes.add(*(summand for summand in line.terms if summand != bare))
                yield Summand(self, part, bare, tuple(others), sloped)

    def _inner_summands(
        self, lines: Mapping[Expr, AdjointEquation], product: Expr, others: tuple[Expr, ...]
    ) -> Iterator[Summand]:
        """The sums in a product that an adjoint is."""
        number, parts = factors(product)
        for part in parts if number == 1 else ():
            line = lines.get(part)
            if line is not None and len(line.terms) > 1:
                rest = (*others, *(other for other in parts if other != part))
                for bare in line.terms:
                    sloped = nodes.add(*(summand for summand in line.terms if summand != bare))
                    yield Summand(self, part, bare, rest, sloped)


@dataclass(frozen=True)
class Summand:
    """One summand of an adjoint that is multiplied with a derivative.

    Attributes:
        at: where.
        adjoint: the adjoint, a sum.
        bare: the summand.
        others: what else it is multiplied with.
        sloped: the other summands.
    """

    at: SlopePlace
    adjoint: Expr
    bare: Expr
    others: tuple[Expr, ...]
    sloped: Expr

    def mistake(self, tag: str, words: str, rank: int, instead: Expr | None) -> Mistake:
        """The mistake with something else than the derivative, or nothing, at this summand."""
        whole = self.at.whole
        bare = (self.bare, *self.others) if instead is None else (self.bare, *self.others, instead)
        if instead is None:
            sloped = nodes.hadamard(nodes.hadamard(self.sloped, *self.others), whole)
        else:
            sloped = nodes.hadamard(self.sloped, *self.others, whole)
        target, _ = factors(self.at.rest)
        new = nodes.scale(target, nodes.add(nodes.hadamard(*bare), sloped))
        return Mistake(tag, words, rank, put_at(self.at.position, self.at.number, self.at.place, new))

    def told(self, instead: Expr) -> str:
        """That something else stands in place of the derivative here."""
        part = f"{text(self.adjoint)}, {called(self.bare)}"
        return f"has {in_brackets(instead)} in place of {text(self.at.whole)} on a part of {part}"


def slope_places(on: MistakeSite) -> tuple[SlopePlace, ...]:
    """Every derivative of an activation in the equations."""
    found = on.known.get("slope places")
    if found is None:
        found = on.known["slope places"] = tuple(_slope_places(on))
    return found


def _slope_places(on: MistakeSite) -> Iterator[SlopePlace]:
    for position, _line, number, term in on.terms():
        for place in places(term):
            # A product has its factors in a row; a derivative that is the whole term is no product.
            if isinstance(place.node, nodes.Hadamard | nodes.Product) or not place.above:
                for slope in on.slopes:
                    rest = without(place.node, slope.factors)
                    if rest is not None:
                        # The number belongs to the derivative, and goes with it.
                        rest = nodes.scale(1 / slope.number, rest)
                        whole = nodes.scale(slope.number, nodes.hadamard(nodes.ones(rest.shape), *slope.factors))
                        yield SlopePlace(position, number, place, slope, rest, whole)


def others_in_place(on: MistakeSite, tag: str, instead: Instead) -> Iterator[Mistake]:
    """Something else in place of each derivative, for the whole of an adjoint or for one of its summands."""
    for at in slope_places(on):
        slope = at.slope
        others = list(instead(slope))
        for key, (said, other) in enumerate(others):
            words = f"has {in_brackets(other)} in place of {at.shown}: the derivative of {slope.function} {said}"
            yield at.mistake(tag, words, 4, nodes.hadamard(at.rest, other), (key, said))
        for summand in at.summands(on):
            for said, other in others:
                words = f"{summand.told(other)}: the derivative of {slope.function} {said}"
                yield summand.mistake(tag, words, 6, nodes.scale(slope.number, other))


def elsewhere_on_summands(
    on: MistakeSite, tag: str, values: Callable[[Slope, Expr], Iterable[Expr]]
) -> Iterator[Mistake]:
    """The derivative at another value than its own, for one summand of an adjoint."""
    for at in slope_places(on):
        for summand in at.summands(on):
            for other in values(at.slope, at.whole):
                yield summand.mistake(tag, summand.told(other), 6, other)
