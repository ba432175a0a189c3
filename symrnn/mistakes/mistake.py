"""A mistake in a backward pass as data, and what a generator of mistakes knows of a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation
from symrnn.mistakes.backward_pass import Line, Program
from symrnn.mistakes.loop import RIGHT, Loop
from symrnn.mistakes.terms import Site, Slope, find_slopes, without
from symrnn.printers import text


@dataclass(frozen=True)
class Edit:
    """A term of a line and what stands in its place: other terms, or nothing.  `term` -1 adds to the line."""

    line: int
    term: int
    new: Expr | None


@dataclass(frozen=True)
class Mistake:
    """One change of a backward pass that a person might have made.

    Attributes:
        tag: its class.
        words: what it does, as the rest of a sentence about the equation.
        rank: how unlikely it is beside others that have the same effect.
        edits: the terms that it changes.
        loop: what it changes of the loop.
        families: what mistakes share that one slip of the pen makes in several equations; one way or another.
        about: the variables that it is about, where it changes no equation.
        scope: the steps at which it changes the equations: "first" for step 0, "later" for all others; otherwise all.
    """

    tag: str
    words: str
    rank: int
    edits: tuple[Edit, ...] = ()
    loop: Loop = RIGHT
    families: tuple[Any, ...] = ()
    about: tuple[str, ...] = ()
    scope: str = ""

    def made_in(self, program: Program) -> Program:
        """A program with this mistake."""
        same = program.start is program.lines
        lines = program.lines if self.scope == "first" else self._edited(program.lines)
        start = program.start if self.scope == "later" else lines if same and not self.scope else None
        start = self._edited(program.start, lenient=True) if start is None else start
        return replace(program, lines=lines, start=start, loop=merged(program.loop, self.loop))

    def _edited(self, lines: tuple[Line, ...], lenient: bool = False) -> tuple[Line, ...]:
        """The equations with the edits; step 0 may lack a term that the others have."""
        if not self.edits:
            return lines
        changes: dict[int, list[Expr]] = {}
        for edit in self.edits:
            line = lines[edit.line]
            if lenient and edit.term >= len(line.terms):
                continue
            terms = changes.setdefault(edit.line, list(line.terms))
            new = nodes.zeros(line.of.shape) if edit.new is None else edit.new  # the others keep their places
            if edit.term < 0:
                terms.append(new)
            else:
                terms[edit.term] = new
        kept = enumerate(lines)
        return tuple(replace(line, terms=tuple(changes[p])) if p in changes else line for p, line in kept)

    def joined(self, other: Mistake) -> Mistake | None:
        """Both as one: two of a class in the same equations, or the same in different ones; else None."""
        if self.tag != other.tag or not (self.edits and other.edits) or (self.loop, other.loop) != (RIGHT, RIGHT):
            return None
        if self.scope != other.scope:
            return None
        here, there = ({edit.line for edit in mistake.edits} for mistake in (self, other))
        if here == there and self.words != other.words:
            words = f"{self.words} and {other.words}"
        elif self.words == other.words:
            words = self.words
        else:
            return None
        return replace(self, words=words, edits=(*self.edits, *other.edits), families=())

    def lines(self, program: Program) -> tuple[Line, ...]:
        """The equations that it changes."""
        return tuple(program.lines[position] for position in dict.fromkeys(edit.line for edit in self.edits))


def made(program: Program, chosen: Iterable[Mistake]) -> Program:
    """A program with some mistakes, one after the other.

    Raises:
        IndexError: one of them is in a term that another, which is not among them, has put there.
    """
    for mistake in chosen:
        program = mistake.made_in(program)
    return program


def merged(a: Loop, b: Loop) -> Loop:
    """Both changes of a loop; where they contradict, the second."""
    found: dict[str, Any] = {}
    for entry in fields(Loop):
        old, new, usual = getattr(a, entry.name), getattr(b, entry.name), getattr(RIGHT, entry.name)
        if isinstance(usual, frozenset):
            found[entry.name] = old | new
        elif isinstance(usual, tuple):
            found[entry.name] = tuple((dict(old) | dict(new)).items())
        else:
            found[entry.name] = old if new is None else new
    return Loop(**found)


class Grounds:
    """What the generators know of a program's cell.

    Attributes:
        program: the backward pass to make mistakes in.
        outputs: the outputs that may have a cotangent.
        finals: those of them that are last states.
        timed: whether there are several steps; a function of a single one has no loop.
        slopes: the derivatives of its activations.
    """

    def __init__(
        self, program: Program, outputs: Sequence[str] = (), finals: Sequence[str] = (), timed: bool = True
    ) -> None:
        self.program, self.timed = program, timed
        self.outputs, self.finals = tuple(outputs), tuple(finals)
        self.derivation: Derivation = program.derivation
        self.cell = self.derivation.cell
        self.slopes: list[Slope] = find_slopes(self.derivation)

    @cached_property
    def values(self) -> tuple[Variable, ...]:
        """What a forward pass keeps: inputs, states at t-1, and everything computed at t."""
        cell = self.cell
        return (*(cell[n] for n in cell.inputs), *cell.previous, *(e.target for e in self.derivation.forward))

    @cached_property
    def previous(self) -> frozenset[Variable]:
        """The states at t-1."""
        return frozenset(self.cell.previous)

    @cached_property
    def adjoints(self) -> tuple[Variable, ...]:
        """The adjoints that the equations compute on the way, in their order."""
        return tuple(line.target for line in self.program.lines if line.role in ("state", "intermediate"))

    def terms(self, *roles: str) -> Iterator[tuple[int, Line, int, Expr]]:
        """Every term of the lines with these roles, with its place."""
        for position, line in enumerate(self.program.lines):
            if not roles or line.role in roles:
                for number, term in enumerate(line.terms):
                    if not nodes.is_zero(term):
                        yield position, line, number, term

    def position(self, adjoint: Variable) -> int:
        """Which of the lines gives an adjoint."""
        return next(index for index, line in enumerate(self.program.lines) if line.target == adjoint)

    def group(self, line: Line) -> Any:
        """What lines have in common that one statement may compute for several gates: role and shape."""
        return line.role, tuple(line.of.shape)


Generator = Callable[[Grounds], Iterator[Mistake]]


def in_brackets(expr: Expr) -> str:
    """An expression as text, in brackets if it is a sum."""
    written = text(expr)
    return f"({written})" if isinstance(expr, nodes.Sum) else written


def mistakes(on: Grounds, generators: Iterable[Generator]) -> list[Mistake]:
    """Every mistake of some classes: in one place each, and as one slip in several equations."""
    single = [
        mistake
        for generator in generators
        for mistake in generator(on)
        if (mistake.edits or mistake.loop != RIGHT) and (on.timed or not mistake.loop.between_steps)
    ]
    families: dict[Any, list[Mistake]] = {}
    for mistake in single:
        for family in mistake.families:
            families.setdefault((mistake.tag, family), []).append(mistake)
    together = {_together(members): None for members in families.values() if len(members) > 1}
    every = [*single, *together]
    every += [scoped for mistake in every if on.timed for scoped in _scoped(on, mistake)]
    return every + [_seeded(mistake) for mistake in every if on.finals and _is_about_carrying(on, mistake)]


def _is_about_carrying(on: Grounds, mistake: Mistake) -> bool:
    """Whether it matters if the cotangents of last states are handed to the last step, or added there."""
    if mistake.loop.cut or mistake.loop.kept or mistake.loop.skipped:
        return True
    return any(v.mark in ("loss", "carried") for expr in _expressions(on, mistake) for v in nodes.variables(expr))


def _scoped(on: Grounds, mistake: Mistake) -> Iterator[Mistake]:
    """The mistake made at some steps only: programs often write step 0, or what they return, apart from the others."""
    if not mistake.edits or mistake.scope:
        return
    if all(on.program.lines[edit.line].role == "carry" for edit in mistake.edits):
        yield replace(mistake, scope="later")
        returned = f"{mistake.words}, in what is returned for the initial state"
        yield replace(mistake, words=returned, rank=mistake.rank + 1, scope="first")
    elif any(on.previous & nodes.variables(expr) for expr in _expressions(on, mistake)):
        yield replace(mistake, words=f"{mistake.words}, but for step 0", rank=mistake.rank + 1, scope="later")


def _expressions(on: Grounds, mistake: Mistake) -> Iterator[Expr]:
    """What a mistake changes, and what it puts there."""
    for edit in mistake.edits:
        terms = on.program.lines[edit.line].terms
        old = terms[edit.term] if 0 <= edit.term < len(terms) else None
        yield from (expr for expr in (old, edit.new) if expr is not None)


def _seeded(mistake: Mistake) -> Mistake:
    return replace(mistake, rank=mistake.rank + 2, loop=merged(mistake.loop, Loop(seeded=True)))


def _together(members: Sequence[Mistake]) -> Mistake:
    edits: dict[tuple[int, int], Edit] = {}
    loop = RIGHT
    for member in members:
        for edit in member.edits:
            edits.setdefault((edit.line, edit.term), edit)
        loop = merged(loop, member.loop)
    about = tuple(dict.fromkeys(name for member in members for name in member.about))
    first = members[0]
    return Mistake(first.tag, first.words, first.rank + 1, tuple(edits.values()), loop, (), about)


def in_slope(on: Grounds, site: Site) -> bool:
    """Whether a node is part of an activation's derivative: of a factor, where all of its factors are there."""
    around = (*site.above, site.node)
    return any(
        part in around and any(has_slope(node, slope) for node in around[: around.index(part) + 1])
        for slope in on.slopes
        for part in slope.factors
    )


def put_at(position: int, number: int, site: Site, new: Expr) -> tuple[Edit, ...]:
    """The edit that puts an expression at a site; none where the shapes forbid it."""
    try:
        return (Edit(position, number, site.put(new)),)
    except ValueError:  # shapes that do not fit: nobody's program could run it
        return ()


def has_slope(product: Expr, slope: Slope) -> bool:
    """Whether a product has all factors of a derivative."""
    return without(product, slope.factors) is not None


def reads_adjoint(expr: Expr) -> bool:
    """Whether an expression is linear in an adjoint, rather than made of forward values alone."""
    return any(variable.mark for variable in nodes.variables(expr))


def called(extra: Expr) -> str:
    """A term as text; the parts of a state's cotangent have no symbol and are told in words."""
    mark = extra.mark if isinstance(extra, Variable) else ""
    return {"loss": "what the loss sends", "carried": "what the next step sends back"}.get(mark) or text(extra)
