"""One variable read in place of another, for the classes of mistakes that are of this kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import factors, places
from symrnn.mistakes.backward_pass import AdjointEquation
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.shared import ReadBeyond
from symrnn.mistakes.site import MistakeSite, put_at, reads_adjoint


@dataclass(frozen=True)
class Swap:
    """A variable that may be read in place of another.

    Attributes:
        new: the variable.
        words: the mistake.
        rank: how unlikely it is.
    """

    new: Variable
    words: str
    rank: int


Swaps = Callable[[MistakeSite, AdjointEquation, Variable], Iterator[Swap]]
"""What is read in place of a variable in an equation, by one class of mistakes."""


def swapped(on: MistakeSite, tag: str, swaps: Swaps) -> Iterator[Mistake]:
    """One variable in place of another of its shape, wherever it stands in a term."""
    for position, line, number, term in on.terms():
        for old in sorted(nodes.variables(term), key=lambda variable: variable.name):
            for swap in swaps(on, line, old):
                new = swap.new
                edits = (Edit(position, number, term.xreplace({old: new})),)
                for edge in _edges(on, new):
                    families = (
                        ("swap", old, new, on.group(line) if old.mark else line.role, edge),
                        (old, new, edge),
                        ("any", new, line.of, edge),
                    )
                    effects: tuple[Effect, ...] = () if edge is None else (ReadBeyond(edge),)
                    yield Mistake(tag, swap.words, swap.rank, edits, effects, families)


def swapped_in_one_place(on: MistakeSite, tag: str, swaps: Swaps) -> Iterator[Mistake]:
    """One variable in place of another, in one of the places where it stands."""
    for position, line, number, term in on.terms():
        every = [(place, place.node) for place in places(term) if isinstance(place.node, Variable)]
        for place, old in every:
            if sum(other == old for _, other in every) > 1:
                for swap in swaps(on, line, old):
                    edits = put_at(position, number, place, swap.new)
                    # Behind the same swap everywhere: a variable is mistaken for another more often than it is mistyped
                    # once.
                    yield Mistake(tag, f"{swap.words}, in one place", swap.rank + 3, edits)


def _edges(on: MistakeSite, variable: Variable) -> tuple[str | None, ...]:
    """What programs read beyond the ends of the sequence, where a variable is of another step."""
    if variable.mark or variable.time is None or variable in on.values:
        return (None,)
    # A list of states has an entry more than there are steps, unless the last state is not kept: then it wraps around
    # elsewhere.
    return ("around", "rows", "nearest", "zero") if variable.base in on.cell.states else ("around", "nearest", "zero")


@dataclass(frozen=True)
class OtherAdjoint:
    """An adjoint that has been computed before an equation reads another one.

    Attributes:
        new: the adjoint.
        lost: the factor that is left out if it is read; None where there is no such factor.
        added: the factor that is too many if it is read.
    """

    new: Variable
    lost: Expr | None
    added: Expr | None


def other_adjoints(on: MistakeSite, line: AdjointEquation, old: Variable) -> tuple[OtherAdjoint, ...]:
    """The adjoints that may be read in place of one that an equation reads."""
    if not old.is_sent_back:
        return ()
    key = line.target, old
    if key not in on.known:
        own = on.program.lines.index(line)
        on.known[key] = tuple(
            OtherAdjoint(new, lost := _left_out(on, old, new), None if lost is not None else _left_out(on, new, old))
            # Only adjoints that are computed already: a program that reads another one does not run.
            for new in on.adjoints
            if new.shape == old.shape and new != old and own > on.position(new)
        )
    return on.known[key]  # type: ignore[no-any-return]


def _left_out(on: MistakeSite, old: Variable, new: Variable) -> Expr | None:
    """What takes one adjoint to another, element by element, such as the derivative that δf is multiplied with."""
    terms = on.program.lines[on.position(old)].terms
    parts = factors(terms[0])[1] if len(terms) == 1 else ()
    rest = [part for part in parts if part != new]
    alone = len(rest) == len(parts) - 1 and rest and not any(reads_adjoint(part) for part in rest)
    return nodes.hadamard(*rest) if alone else None


def of_preactivation(on: MistakeSite, adjoint: Variable) -> bool:
    """Whether an adjoint is that of an activation's argument, to which the derivative takes it."""
    return on.derivation.is_preactivation(on.program.lines[on.position(adjoint)].of)


def are_alike(on: MistakeSite, a: Variable, b: Variable) -> bool:
    """Whether two variables are both adjoints of gates, or both of what gates are activations of."""
    gates = {slope.of for slope in on.slopes}
    first, second = (on.program.lines[on.position(adjoint)].of for adjoint in (a, b))
    both = on.derivation.is_preactivation(first) == on.derivation.is_preactivation(second)
    return (first in gates) == (second in gates) and both


def other_values(on: MistakeSite, old: Variable) -> Iterator[Variable]:
    """The values of the step that have the shape of one."""
    if not old.mark and old.time is not None and not old.is_sent_back:
        yield from (new for new in on.values if new.shape == old.shape and new != old)
