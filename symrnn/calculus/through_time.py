"""Total derivatives over several steps as a recursion over one-step blocks.

Written out, the derivative over k steps has a number of terms that grows exponentially with k.  As a recursion it has
as many lines as there are states, whatever k is:

    ∂c_t/∂x = J_{c,h,t} ∂h_{t-1}/∂x + J_{c,c,t} ∂c_{t-1}/∂x,    J_{a,b,t} = ∂a_t/∂b_{t-1} over one step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symrnn.algebra import nodes
from symrnn.algebra.kinds import indexed
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation, Names
from symrnn.calculus.graph import StepGraph, no_change
from symrnn.calculus.jacobian import LAYOUTS, check_choice, compose, written
from symrnn.calculus.paths import accumulate
from symrnn.calculus.window import Window, ask, taken_names
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class Block:
    """The Jacobian of one step from one variable to another, with a name.

    Attributes:
        of: where it leads, at its step.
        wrt: where it comes from, at its step.
        symbol: a matrix symbol that stands for it, J_{h,c,t} or J_{h,W_f,t}.
        value: its expression.
    """

    of: Variable
    wrt: Variable
    symbol: Variable
    value: Expr


@dataclass(frozen=True)
class Term:
    """One term of a recursion: a block times the derivative of the state that it comes from.

    Attributes:
        block: the block.
        state: the state at the step before, whose derivative follows; None where the block comes from `wrt` itself.
    """

    block: Block
    state: Variable | None


@dataclass(frozen=True)
class Row:
    """One line of a recursion: the derivative of one variable as a sum of terms; of none, it is zero.

    Attributes:
        of: the variable, at its step.
        terms: the terms.
    """

    of: Variable
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class TotalDerivative:
    """The derivative of one variable with respect to another over several steps.

    Attributes:
        of: what is differentiated, at its step, which is the last.
        wrt: with respect to what, at its step, which is the first; a parameter enters at every step.
        steps: the number of steps.
        layout: the layout of `value`; the blocks and the recursion are in the numerator layout.
        rows: the recursion, from the first step to the last: a row per state and step, and one for `of`.
        value: the derivative written out, an expression of the variables at t, t-1, ....
    """

    of: Variable
    wrt: Variable
    steps: int
    layout: str
    rows: tuple[Row, ...]
    value: Expr

    @cached_property
    def blocks(self) -> Mapping[str, Block]:
        """Every block of the recursion, by the identifier of its symbol: `J_h_c`, `J_h_c_prev`, `J_h_c_minus2`, ..."""
        return {term.block.symbol.name: term.block for row in self.rows for term in row.terms}

    def __str__(self) -> str:
        lines = []
        for row in self.rows:
            terms = [
                term.block.symbol.name + (f" ∂{term.state.name}/∂{self.wrt.name}" if term.state else "")
                for term in row.terms
            ]
            lines.append(f"∂{row.of.name}/∂{self.wrt.name} = {' + '.join(terms) or '0'}")
        lines += [f"{name} = {block.value}" for name, block in self.blocks.items()]
        return "\n".join(lines)


def through_time(
    cell: Cell | Derivation,
    of: str,
    wrt: str,
    steps: int,
    *,
    holding: str | Collection[str] = (),
    layout: str = "numerator",
) -> TotalDerivative:
    """The total derivative over several steps, as a recursion and written out.

    The rows can be read from first to last: each one's terms name blocks and derivatives of rows before it.

    Args:
        cell: the cell, or its derivation.
        of: any variable of the step, meant at the last of the steps.
        wrt: any variable of the step, meant at the first; `"h_prev"` is h_{t-k}.
        steps: the number of steps k.
        holding: variables that are frozen at every step.
        layout: the layout of the value.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: there is no such number of steps or layout, or `of` or `wrt` is held.
    """
    check_choice("layout", layout, LAYOUTS)
    window = ask(cell, of, wrt, steps, holding)
    rows, value = _recursion(window)
    return TotalDerivative(window.end, window.start, window.steps, layout, rows, written(value, layout))


@dataclass(frozen=True)
class _Piece:
    """A derivative, the terms of the row that gives it, and the block where it is one."""

    value: Expr
    terms: tuple[Term, ...] = ()
    block: Block | None = None


def _recursion(window: Window) -> tuple[tuple[Row, ...], Expr]:
    """The rows, and the derivative that they lead to."""
    rows: list[Row] = []
    symbols = _Symbols(window)

    def local(graph: StepGraph, start: Variable, end: Variable, back: int) -> _Piece:
        value = written(graph.block(start, end))
        if nodes.is_zero(value):
            return _Piece(value)
        block = symbols.block(start, end, value, back)
        return _Piece(block.value, (Term(block, None),), block)

    def join(later: _Piece, before: _Piece, state: Variable) -> _Piece:
        value = compose(later.value, before.value)
        if later.block is None or nodes.is_zero(value):
            return _Piece(value)
        return _Piece(value, (Term(later.block, state),))

    def merge(end: Variable, back: int, parts: Sequence[_Piece]) -> _Piece:
        rows.append(Row(window.at(end, back), tuple(term for part in parts for term in part.terms)))
        return _Piece(nodes.add(no_change(end, window.wrt), *(part.value for part in parts)))

    value = accumulate(window, local, join, merge).value
    return tuple(rows), value


class _Symbols:
    """The names of the blocks of one window: J_a_b, or K_a_b where that is taken."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._names = Names(taken_names(window.derivation))
        self._known: dict[tuple[Variable, Variable], Variable] = {}

    def block(self, start: Variable, end: Variable, value: Expr, back: int) -> Block:
        """The block of the step t - back, from its value in the step's own variables."""
        if (start, end) not in self._known:
            stem = f"{end.base}_{start.base}"
            name = self._names.claim(*(f"{letter}_{stem}" for letter in ("J", "K", "Jac", "Jacobian")))
            self._known[start, end] = self._names.add(Variable(name, value.shape[0], value.shape[1], name, 0))
        at = self._window.at
        symbol = at(self._known[start, end], back)
        letter, _, _ = symbol.base.partition("_")
        base = indexed(letter, end.base, start.base)
        shown = Variable(symbol.name, symbol.shape[0], symbol.shape[1], base, symbol.time)
        return Block(at(end, back), at(start, back), shown, at(value, back))
