"""The way of a gradient through a cell: which wires a state's adjoint comes back on, and by what it is multiplied.

A change of a state at t-1 reaches the states at t on some wires; the gradient comes back on the same ones.  Those of
the state's own rail are the direct way, on which it is multiplied by one factor a step.
"""

from __future__ import annotations

from dataclasses import dataclass

from symrnn.algebra.nodes import Diag, Expr, Eye, Variable
from symrnn.calculus.derivation import derive, shift
from symrnn.calculus.jacobian import count_paths, paths
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell
from symrnn.pictures.elements import Diagram, ElementKind, Wire
from symrnn.printers import Notation, latex
from symrnn.suggestions import did_you_mean

_LONGEST = 60
"""Characters of LaTeX of a factor that fits above a circle: a product of some gates, no sum over several ways."""

_MOST_PATHS = 64
"""Paths to look at for the one along the rail: cells of the library have a few, chains of equations millions."""


@dataclass(frozen=True)
class GradientWays:
    """How a gradient comes back through one step.

    Attributes:
        ways: wire -> "direct" or "other".
        notes: key of an element -> LaTeX of what the gradient is there.
        reached: the states at t from which it comes.
    """

    ways: dict[Wire, str]
    notes: dict[str, str]
    reached: frozenset[str]


def check_state(cell: Cell, state: str | None) -> None:
    """Refuse what is no state of the cell.

    Raises:
        InputError: it is none.
    """
    if state is not None and state not in cell.states:
        hint = did_you_mean(state, cell.states)
        known = ", ".join(cell.states)
        raise InputError(f"gradient {state!r}: {cell.name} has no such state\n  {hint}its states are {known}")


def find_ways(
    cell: Cell,
    diagram: Diagram,
    rails: dict[str, tuple[str, ...]],
    entering: frozenset[str],
    notation: Notation,
    later: int = 0,
) -> GradientWays:
    """The ways on which gradients come back to some states at t-1.

    Args:
        cell: the cell.
        diagram: its diagram.
        rails: state -> the elements on its rail.
        entering: the states at t-1.
        notation: how names look.
        later: how many steps later than t the step is.
    """
    starts = [diagram.states[state][0] for state in entering]
    after = diagram.reached_from(starts)
    ends = [
        key for key, e in diagram.elements.items() if e.kind in (ElementKind.AFTER, ElementKind.OUTPUT) and key in after
    ]
    before = diagram.reaching(ends)
    ways = {wire: "other" for wire in diagram.wires if wire.source in after & before and wire.target in after & before}
    notes = {key: _adjoint(cell, key, notation, later) for key in ends}
    for state in entering & set(rails):
        along = diagram.along(state, rails[state])
        ways |= {wire: "direct" for wire in ways if wire in along}
        factor = _factor(cell, state, rails[state])
        if factor is not None:
            shown = _shown(shift(factor, later), notation)
            if len(shown) <= _LONGEST:
                notes[rails[state][0]] = shown
    reached = frozenset(state for state, (_, end) in diagram.states.items() if end in after)
    return GradientWays(ways, notes, reached)


def adjoint_label(cell: Cell, state: str, notation: Notation, later: int) -> str:
    """The adjoint of a state as the printers write it."""
    return latex(shift(_adjoint_of(cell, state), later), notation)


def _adjoint(cell: Cell, key: str, notation: Notation, later: int) -> str:
    return adjoint_label(cell, key.rpartition(".")[0], notation, later)


def _adjoint_of(cell: Cell, state: str) -> Variable:
    variable = cell[state]
    return variable.marked("adjoint", f"{variable.name}_bar")


def _factor(cell: Cell, state: str, rail: tuple[str, ...]) -> Expr | None:
    """The Jacobian along the rail; None where that is no single path of the calculus."""
    derivation = derive(cell)
    if count_paths(derivation, state, f"{state}_prev") > _MOST_PATHS:
        return None
    along = [
        path
        for path in paths(derivation, state, f"{state}_prev")
        if all(variable.name in rail for variable in path.through)
    ]
    return along[0].value if len(along) == 1 else None


def _shown(factor: Expr, notation: Notation) -> str:
    """A diagonal as the product entry by entry that it is."""
    if isinstance(factor, Eye):
        return "1"
    if isinstance(factor, Diag):
        inner = latex(factor.args[0], notation)
        inner = f"({inner})" if type(factor.args[0]).__name__ == "Sum" else inner
        return rf"{inner} \ {notation.hadamard}" if notation.hadamard.startswith("\\") else inner
    return latex(factor, notation)
