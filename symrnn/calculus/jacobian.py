"""Jacobian blocks of a step, and the paths that they consist of.

∂y/∂x has y's entries as rows (numerator layout); a matrix-valued variable counts as vec of it, column after column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation, derive
from symrnn.calculus.rules import chain, local_jacobian
from symrnn.errors import InputError, UnknownNameError
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class Path:
    """One way on which a change of `wrt` reaches `of` within a step.

    Attributes:
        of: where the path ends.
        wrt: where it begins.
        through: the named variables between them, from `wrt` to `of`.
        value: the product of the local Jacobians along it.
    """

    of: Variable
    wrt: Variable
    through: tuple[Variable, ...]
    value: Expr

    @property
    def name(self) -> str:
        """The variables that it runs through, or "direct"."""
        return "direct" if not self.through else "through " + ", ".join(v.name for v in self.through)

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


def paths(cell: Cell | Derivation, of: str, wrt: str) -> tuple[Path, ...]:
    """Every path from `wrt` to `of` within one step, the shortest first; their values add up to the Jacobian.

    Args:
        cell: the cell, or its derivation.
        of: a state, gate or other variable at t.
        wrt: a state at t-1 (`"h_prev"`), an input, a parameter or another variable at t.

    Raises:
        UnknownNameError: the cell has no such variable.
    """
    derivation = cell if isinstance(cell, Derivation) else derive(cell)
    end, start = _variable(derivation, of), _variable(derivation, wrt)
    edges: dict[Variable, list[tuple[Variable, Expr]]] = {}
    for equation in derivation.forward:
        for share in local_jacobian(equation.value, equation.target, derivation.rules):
            edges.setdefault(share.variable, []).append((equation.target, share.value))

    def walk(at: Variable, through: tuple[Variable, ...], factors: tuple[Expr, ...]) -> Iterator[Path]:
        if at == end:
            named = tuple(v for v in through if not derivation.is_preactivation(v))
            value = chain(*factors) if factors else nodes.Eye(end.shape[0] * end.shape[1])
            yield Path(end, start, named, value)
            return
        for target, factor in edges.get(at, ()):
            inner = () if target == end else (target,)
            yield from walk(target, through + inner, (factor, *factors))

    return tuple(sorted(walk(start, (), ()), key=lambda path: len(path.through)))


def jacobian(cell: Cell | Derivation, of: str, wrt: str, kind: str = "cell") -> Expr:
    """The Jacobian of one variable of a step with respect to another.

    Args:
        cell: the cell, or its derivation.
        of: a state, gate or other variable at t.
        wrt: a state at t-1 (`"h_prev"`), an input, a parameter or another variable at t.
        kind: "cell" for the derivative of the step with its other arguments held fixed; "direct" for the explicit
            occurrence alone, every other named variable held fixed.

    Returns:
        A SymPy matrix expression, of's entries by wrt's entries.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: there is no such kind.
    """
    if kind not in ("cell", "direct"):
        raise InputError(f"no kind {kind!r} of Jacobian\n  there are 'cell' and 'direct'")
    derivation = cell if isinstance(cell, Derivation) else derive(cell)
    found = [path.value for path in paths(derivation, of, wrt) if kind == "cell" or not path.through]
    end, start = _variable(derivation, of), _variable(derivation, wrt)
    return nodes.add(nodes.zeros((end.shape[0] * end.shape[1], start.shape[0] * start.shape[1])), *found)


def _variable(derivation: Derivation, name: str) -> Variable:
    known: dict[str, Variable] = dict(derivation.cell.symbols) | {e.target.name: e.target for e in derivation.forward}
    if name not in known:
        message = f"the cell {derivation.cell.name} has no variable {name!r}\n  it has {', '.join(known)}"
        raise UnknownNameError(message)
    return known[name]
