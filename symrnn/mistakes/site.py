"""Where mistakes are made: a backward pass with what its cell has, and the places in its terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import TermPlace, without
from symrnn.calculus.derivation import Derivation
from symrnn.mistakes.backward_pass import AdjointEquation, BackwardPass
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.slope import Slope, find_slopes
from symrnn.printers import text


class MistakeSite:
    """A backward pass to make mistakes in, and what is known of its cell.

    Attributes:
        program: the backward pass to make mistakes in.
        outputs: the outputs that may have a cotangent.
        finals: those of them that are last states.
        timed: whether there are several steps; a function of a single one has no loop.
        slopes: the derivatives of its activations.
        known: what several classes need to know of it, and that is worked out once.
    """

    def __init__(
        self, program: BackwardPass, outputs: Sequence[str] = (), finals: Sequence[str] = (), timed: bool = True
    ) -> None:
        self.program, self.timed = program, timed
        self.outputs, self.finals = tuple(outputs), tuple(finals)
        self.derivation: Derivation = program.derivation
        self.cell = self.derivation.cell
        self.slopes: list[Slope] = find_slopes(self.derivation)
        self.known: dict[Any, Any] = {}

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

    def terms(self, *roles: str) -> Iterator[tuple[int, AdjointEquation, int, Expr]]:
        """Every term of the lines with these roles, with its place."""
        for position, line in enumerate(self.program.lines):
            if not roles or line.role in roles:
                for number, term in enumerate(line.terms):
                    if not nodes.is_zero(term):
                        yield position, line, number, term

    def position(self, adjoint: Variable) -> int:
        """Which of the lines gives an adjoint."""
        return next(index for index, line in enumerate(self.program.lines) if line.target == adjoint)

    def group(self, line: AdjointEquation) -> Any:
        """What lines have in common that one statement may compute for several gates: role and shape."""
        return line.role, tuple(line.of.shape)


Generator = Callable[[MistakeSite], Iterator[Mistake]]


def in_brackets(expr: Expr) -> str:
    """An expression as text, in brackets if it is a sum."""
    written = text(expr)
    return f"({written})" if isinstance(expr, nodes.Sum) else written


def in_slope(on: MistakeSite, place: TermPlace) -> bool:
    """Whether a node is part of an activation's derivative: of a factor, where all of its factors are there."""
    around = (*place.above, place.node)
    return any(
        # All factors of the derivative must be there: 1 - z alone is a gate's complement.
        part in around and any(has_slope(node, slope) for node in around[: around.index(part) + 1])
        for slope in on.slopes
        for part in slope.factors
    )


def put_at(position: int, number: int, place: TermPlace, new: Expr) -> tuple[Edit, ...]:
    """The edit that puts an expression at a place; none where the shapes forbid it."""
    try:
        return (Edit(position, number, place.put(new)),)
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
