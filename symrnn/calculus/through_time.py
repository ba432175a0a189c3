"""Total derivatives over several steps as a recursion over one-step blocks.

Written out, the derivative over k steps has a number of terms that grows exponentially with k.  As a recursion it has
as many lines as there are states, whatever k is:

    ∂c_t/∂x = J_{c,h,t} ∂h_{t-1}/∂x + J_{c,c,t} ∂c_{t-1}/∂x,    J_{a,b,t} = ∂a_t/∂b_{t-1} over one step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from symrnn.algebra import nodes
from symrnn.algebra.kinds import indexed
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation, Names
from symrnn.calculus.graph import StepGraph
from symrnn.calculus.jacobian import LAYOUTS, check_choice, laid_out, total, written
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
        form: its expression as it would be at t.
        window: the question that it is a part of.
    """

    of: Variable
    wrt: Variable
    symbol: Variable
    form: Expr
    window: Window = field(compare=False, repr=False)

    @cached_property
    def value(self) -> Expr:
        """Its expression at its step."""
        return self.window.at(self.form, -(self.symbol.time or 0))


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


@dataclass(frozen=True, repr=False)
class TotalDerivative:
    """The derivative of one variable with respect to another over several steps.

    Attributes:
        of: what is differentiated, at its step, which is the last.
        wrt: with respect to what, at its step, which is the first; a parameter enters at every step.
        steps: the number of steps.
        layout: the layout of `value`, and of what is printed; the blocks are in the numerator layout.
        rows: the recursion, from the first step to the last: a row per state and step, and one for `of`.
        forms: every block once, as it is at t; where something held makes it another one at some steps, each of its
            forms at the latest step that has it.
        window: the question.
    """

    of: Variable
    wrt: Variable
    steps: int
    layout: str
    rows: tuple[Row, ...]
    forms: tuple[Block, ...]
    window: Window = field(compare=False)

    @cached_property
    def value(self) -> Expr:
        """The derivative written out, an expression of the variables at t, t-1, ....

        Its length grows with the number of paths; the recursion's grows with the number of steps.
        """
        return written(total(self.window), self.layout)

    @cached_property
    def blocks(self) -> Mapping[str, Block]:
        """Every block of the recursion, by the identifier of its symbol: `J_h_c`, `J_h_c_prev`, `J_h_c_minus2`, ..."""
        return {term.block.symbol.name: term.block for row in self.rows for term in row.terms}

    def factors(self, term: Term) -> tuple[tuple[Variable, Variable] | Variable, ...]:
        """What is multiplied in a term, in the order of the layout: a block's symbol, and (of, wrt) for ∂of/∂wrt."""
        if term.state is None:
            return (term.block.symbol,)
        pair = (term.block.symbol, (term.state, self.wrt))
        return pair if self.layout == "numerator" else pair[::-1]

    def latex(self) -> str:
        """The recursion and its blocks as a LaTeX `align*`, in the notation of time as a subscript."""
        rows = (f"{left} &= {right}" for left, right in self._lines(sympy.latex, _FRACTION, r" \, "))
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def __str__(self) -> str:
        return "\n".join(f"{left} = {right}" for left, right in self._lines(str, "∂{}/∂{}", " "))

    def __repr__(self) -> str:
        return f"<∂{nodes.vec(self.of)}/∂{nodes.vec(self.wrt)} over {self.steps} steps: {len(self.rows)} rows>"

    def _repr_latex_(self) -> str:
        return self.latex()

    def _lines(self, show: Callable[[Expr], str], ratio: str, gap: str) -> Iterator[tuple[str, str]]:
        def shown(factor: tuple[Variable, Variable] | Variable) -> str:
            return ratio.format(*(show(nodes.vec(v)) for v in factor)) if isinstance(factor, tuple) else show(factor)

        for row in self.rows:
            terms = (gap.join(map(shown, self.factors(term))) for term in row.terms)
            yield shown((row.of, self.wrt)), " + ".join(terms) or "0"
        for block in self.forms:
            yield show(block.symbol), show(laid_out(block.value, self.layout))


_FRACTION = r"\frac{{\partial {}}}{{\partial {}}}"


def through_time(
    cell: Cell | Derivation | str,
    of: str,
    wrt: str,
    steps: int,
    *,
    holding: str | Collection[str] = (),
    layout: str = "numerator",
) -> TotalDerivative:
    """The total derivative over several steps, as a recursion; its `value` writes it out.

    The rows can be read from first to last: each one's terms name blocks and derivatives of rows before it.

    Args:
        cell: the cell, or its derivation.
        of: any variable of the step, meant at the last of the steps.
        wrt: any variable of the step, meant at the first; `"h_prev"` is h_{t-k}.
        steps: the number of steps k.
        holding: variables that are frozen at every step.
        layout: the layout of the value and of the recursion as printed.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: there is no such number of steps or layout, or `of` or `wrt` is held.
    """
    check_choice("layout", layout, LAYOUTS)
    window = ask(cell, of, wrt, steps, holding)
    symbols = _Symbols(window)
    rows = _recursion(window, symbols)
    used = {term.block.symbol.base for row in rows for term in row.terms}
    forms = tuple(block for block in symbols.forms() if block.symbol.base in used)
    return TotalDerivative(window.end, window.start, window.steps, layout, rows, forms, window)


def _recursion(window: Window, symbols: _Symbols) -> tuple[Row, ...]:
    """The rows; a derivative without terms is zero, and so is what it is multiplied with."""
    rows: list[Row] = []

    def local(graph: StepGraph, start: Variable, end: Variable, back: int) -> tuple[Term, ...]:
        block = symbols.block(graph, start, end, back)
        return (Term(block, None),) if block else ()

    def join(later: tuple[Term, ...], before: tuple[Term, ...], state: Variable) -> tuple[Term, ...]:
        return tuple(Term(term.block, state) for term in later) if before else ()

    def merge(end: Variable, back: int, parts: Sequence[tuple[Term, ...]]) -> tuple[Term, ...]:
        rows.append(Row(window.at(end, back), tuple(term for part in parts for term in part)))
        return rows[-1].terms

    accumulate(window, local, join, merge)
    return tuple(rows)


class _Symbols:
    """The blocks of one window and their names: J_a_b, or K_a_b where that is taken."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._names = Names(taken_names(window.derivation))
        self._known: dict[tuple[Variable, Variable], Variable] = {}
        self._values: dict[tuple[StepGraph, Variable, Variable], Expr] = {}
        self._latest: dict[tuple[Variable, Variable], dict[Expr, int]] = {}

    def block(self, graph: StepGraph, start: Variable, end: Variable, back: int) -> Block | None:
        """The block of the step t - back; none where it is zero."""
        key = (graph, start, end)
        if key not in self._values:
            self._values[key] = written(graph.block(start, end))
        value = self._values[key]
        if nodes.is_zero(value):
            return None
        self._latest.setdefault((start, end), {})[value] = back  # steps come in their order
        return self._block(start, end, value, back)

    def forms(self) -> tuple[Block, ...]:
        """Every block once, at t; one that is not the same at all steps, at the latest step of each of its forms."""
        return tuple(
            self._block(start, end, value, back if len(latest) > 1 else 0)
            for (start, end), latest in self._latest.items()
            for value, back in latest.items()
        )

    def _block(self, start: Variable, end: Variable, value: Expr, back: int) -> Block:
        if (start, end) not in self._known:
            stem = f"{end.base}_{start.base}"
            name = self._names.claim(*(f"{letter}_{stem}" for letter in ("J", "K", "Jac", "Jacobian")))
            self._known[start, end] = self._names.add(Variable(name, value.shape[0], value.shape[1], name, 0))
        at = self._window.at
        symbol = at(self._known[start, end], back)
        letter, _, _ = symbol.base.partition("_")
        base, looks = indexed(letter, end.base, start.base), indexed(letter, end.looks, start.looks)
        shown = Variable(symbol.name, symbol.shape[0], symbol.shape[1], base, symbol.time, looks=looks)
        return Block(at(end, back), at(start, back), shown, value, self._window)
