"""Terms that are left out of an equation, for the classes of mistakes that are of this kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import places
from symrnn.mistakes.backward_pass import AdjointEquation
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.site import MistakeSite, called
from symrnn.printers import text


@dataclass(frozen=True)
class DroppedTerm:
    """A term without which an equation may have been written.

    Attributes:
        position: which equation.
        number: which of its terms.
        term: the term.
        alone: whether it is the only one, so that nothing is left.
        cuts_path: whether nothing is carried back to a state without it.
        families: what it has in common with terms of other equations that one slip leaves out.
    """

    position: int
    number: int
    term: Expr
    alone: bool
    cuts_path: bool
    families: tuple[Any, ...]

    def mistake(self, tag: str) -> Mistake:
        """The mistake; where nothing is left, another reason for it, such as a step left out, is likelier."""
        words = "is left at zero" if self.alone else f"lacks the term {called(self.term)}"
        edits = (Edit(self.position, self.number, None),)
        return Mistake(tag, words, 5 if self.alone else 2, edits, families=self.families)


def dropped_terms(on: MistakeSite) -> Iterator[DroppedTerm]:
    """Every term of the equations."""
    for position, line, number, term in on.terms():
        families: tuple[Any, ...] = ()
        if line.role == "parameter":
            families = (("drop", on.group(line)), *_through(term))
        elif line.role in ("carry", "input"):
            # A term is linear in one adjoint, so the first of these is what leaves the step in gradients; what is
            # carried is none of them.
            families = (("drop", on.group(line), _is_product(term)), *_through(term)[line.role == "carry" :])
        elif not is_cotangent(term):
            families = (("drop", line.of),)
        families += tuple(_uses(on, line, term))
        alone = len(line.terms) == 1
        yield DroppedTerm(position, number, term, alone, alone and on.timed and line.role == "carry", families)


def dropped_carries(on: MistakeSite, tag: str) -> Iterator[Mistake]:
    """What is handed on to a state, left at zero where it is a sum."""
    for position, line in enumerate(on.program.lines):
        if len(line.terms) > 1 and line.role == "carry":
            edits = tuple(Edit(position, number, None) for number in range(len(line.terms)))
            yield Mistake(tag, "is left at zero", 2, edits)


def is_cotangent(term: Expr) -> bool:
    """Whether a term is what comes from outside the step, and not from its equations."""
    return isinstance(term, Variable) and term.mark in ("loss", "carried")


def _uses(on: MistakeSite, line: AdjointEquation, term: Expr) -> Iterator[Any]:
    """Each weight with the adjoint that it takes part with: one use of a weight that serves in several places."""
    read = nodes.variables(term)
    weights = {line.of.name} if line.role == "parameter" else {v.name for v in read} & set(on.cell.parameters)
    yield from (("use", weight, v.name) for weight in sorted(weights) for v in sorted(read, key=text) if v.mark)


def _through(term: Expr) -> tuple[Any, ...]:
    """The adjoint that a term is made of: people leave one out in several equations at once."""
    named = sorted(v.name for v in nodes.variables(term) if v.is_sent_back)
    return tuple((where, name) for where in ("outside", "everywhere") for name in named)


def _is_product(term: Expr) -> bool:
    return any(isinstance(place.node, nodes.Product) for place in places(term))


def partial_adjoints(on: MistakeSite) -> Iterator[tuple[int, int, Expr, Variable, list[Expr], Expr]]:
    """The adjoints that terms read and that are sums.

    Yields:
        The position of the equation, the number of its term, the term, the adjoint, its summands, and one of them.
    """
    shares = {line.target: [term for term in line.terms if not nodes.is_zero(term)] for line in on.program.lines}
    for position, line, number, term in on.terms():
        for old in sorted(nodes.variables(term), key=lambda variable: variable.name):
            parts = shares.get(old, [])
            for part in parts if len(parts) > 1 and old != line.target else ():
                yield position, number, term, old, parts, part


def inner_adjoints(on: MistakeSite) -> Iterator[tuple[int, int, Expr, Variable, Expr, Variable, list[Expr]]]:
    """The adjoints that terms read and that are one product with an adjoint in it that is a sum, as δa = (δ + δ) ⊙ a'.

    Yields:
        The position of the equation, the number of its term, the term, the adjoint, its product, the sum, its summands.
    """
    shares = {line.target: [term for term in line.terms if not nodes.is_zero(term)] for line in on.program.lines}
    for position, line, number, term in on.terms("parameter", "input", "carry"):
        for old in sorted(nodes.variables(term), key=lambda variable: variable.name):
            product = shares.get(old, [])
            for inner in sorted(nodes.variables(product[0]), key=lambda v: v.name) if len(product) == 1 else ():
                if len(parts := shares.get(inner, [])) > 1 and old != line.target:
                    yield position, number, term, old, product[0], inner, parts
