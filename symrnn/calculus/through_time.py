"""Derivatives over several steps as a recursion over one-step blocks.

Written out, the derivative over k steps has a number of terms that grows exponentially with k.  As a recursion it has
as many lines as there are states, whatever k is:

    dc_t/dx = J_{c,h,t} dh_{t-1}/dx + J_{c,c,t} dc_{t-1}/dx,    J_{a,b,t} = ∂a_t/∂b_{t-1}|_{other states at t-1}.

The kinds "cell" and "total" have the same recursion and differ in how it begins.  With respect to a state at t-k, the
other states at t-k are held in a derivative of kind "cell", so that the first blocks are those of the step t-k+1; in a
total derivative they move along, each by D_{a,b,t-k} = da_{t-k}/db_{t-k}, what one state of a step does to another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import sympy

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable, indexed
from symrnn.algebra.spelling import free_letters
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.graph import StepGraph, entries
from symrnn.calculus.jacobian import LAYOUTS, accumulated, laid_out, written
from symrnn.calculus.naming import Names
from symrnn.calculus.paths import accumulate
from symrnn.calculus.rules import chain
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.calculus.window import Window, ask, check_choice, taken_names
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell

Show = Callable[[Expr], str]

LONGEST_BLOCK = 256
"""A block of one step with more local Jacobians than this, some two pages, is given by the chain rule."""

LONGEST_INNER = 4
"""Within a chain rule an inner derivative of more local Jacobians than this, half a line, has a symbol of its own."""


@dataclass(frozen=True)
class Block:
    """The Jacobian of one step from one variable to another, with a name.

    Attributes:
        of: where it leads, at its step.
        wrt: where it comes from, at its step.
        symbol: a matrix symbol that stands for it, J_{h,c,t}, J_{h,W_f,t}, or D_{h,c,t} from c_t to h_t.
        stands_for: the symbol of the derivative that it is.
        form: its expression as it would be at t.
        window: the question that it is a part of.
        links: of a long block, its chain rule: each term's first factor as it would be at t, and the symbol of another
            block that follows it, at this block's step; None where that is all.  A short block has no links.
    """

    of: Variable
    wrt: Variable
    symbol: Variable
    stands_for: DerivativeSymbol
    form: Expr
    window: Window = field(compare=False, repr=False)
    links: tuple[tuple[Expr, Variable | None], ...] = ()

    @cached_property
    def value(self) -> Expr:
        """Its expression at its step; of many paths, by the symbols of the blocks in its links."""
        return self.laid_out("numerator")

    def laid_out(self, layout: str) -> Expr:
        """Its expression in a layout, in which the symbols of other blocks stand for them in that layout too."""
        # The form is that of step t: a block at another step is the same expression, moved.
        back = -(self.symbol.time or 0)
        if not self.links:
            return laid_out(self.window.at(self.form, back), layout)
        terms = []
        for factor, symbol in self.links:
            pair = [laid_out(self.window.at(factor, back), layout)]
            if symbol is not None:
                rows, cols = symbol.shape if layout == "numerator" else symbol.shape[::-1]
                pair.append(Variable(symbol.name, rows, cols, symbol.base, symbol.time, looks=symbol.looks))
            terms.append(nodes.matmul(*(pair if layout == "numerator" else pair[::-1])))
        return nodes.add(*terms)


@dataclass(frozen=True)
class Term:
    """One term of a recursion: a block times the derivative of the state that it comes from.

    Attributes:
        block: the block.
        state: the state at the step before, whose derivative follows; None where the block comes from `wrt` itself,
            whose derivative is the identity.
    """

    block: Block
    state: Variable | None


@dataclass(frozen=True)
class Row:
    """One line of a recursion: the derivative of one variable as a sum of terms; of none, it is zero.

    `wrt` itself has no line.

    Attributes:
        of: the variable, at its step.
        terms: the terms.
    """

    of: Variable
    terms: tuple[Term, ...]


@dataclass(frozen=True, repr=False)
class StepwiseDerivative:
    """The derivative of one variable with respect to another over several steps, of kind "cell" or "total".

    Attributes:
        of: what is differentiated, at its step, which is the last.
        wrt: with respect to what, at its step, which is the first; a parameter enters at every step.
        steps: the number of steps.
        layout: the layout of `value`, and of what is printed; the blocks are in the numerator layout.
        rows: the recursion, from the first step to the last: a row per state and step, and one for `of`.
        forms: every block once, as it is at t; where something held makes it another one at some steps, each of its
            forms at the latest step that has it.
        inner: the blocks that others name in their values, at every step, each after those that it names itself.
        window: the question.
    """

    of: Variable
    wrt: Variable
    steps: int
    layout: str
    rows: tuple[Row, ...]
    forms: tuple[Block, ...]
    inner: tuple[Block, ...]
    window: Window = field(compare=False)

    @cached_property
    def value(self) -> Expr:
        """The derivative written out, an expression of the variables at t, t-1, ....

        Its length grows with the number of paths; the recursion's grows with the number of steps.
        """
        return written(accumulated(self.window), self.layout)

    @property
    def symbol(self) -> DerivativeSymbol:
        """The symbol of the derivative, which says its kind and what is held."""
        return self.window.symbol

    @cached_property
    def blocks(self) -> Mapping[str, Block]:
        """Every block of the recursion, by the identifier of its symbol: `J_h_c`, `J_h_c_prev`, `J_h_c_minus2`, ...

        Each comes after those that its value names.
        """
        own = (term.block for row in self.rows for term in row.terms)
        return {block.symbol.name: block for block in (*self.inner, *own)}

    def factors(self, term: Term) -> tuple[DerivativeSymbol | Variable, ...]:
        """What is multiplied in a term, in the order of the layout: a block's symbol, and that of a derivative."""
        if term.state is None:
            return (term.block.symbol,)
        pair = (term.block.symbol, self.symbol.leading_to(term.state))
        # A transposed product has its factors in the other order.
        return pair if self.layout == "numerator" else pair[::-1]

    def latex(self) -> str:
        """The recursion and its blocks as a LaTeX `align*`, in the notation of time as a subscript."""
        rows = (f"{left} &= {right}" for left, right in self._lines(sympy.latex, DerivativeSymbol.latex, r" \, "))
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def __str__(self) -> str:
        return "\n".join(f"{left} = {right}" for left, right in self._lines(str, DerivativeSymbol.text, " "))

    def __repr__(self) -> str:
        return f"<{self.symbol} over {self.steps} steps: {len(self.rows)} rows>"

    def _repr_latex_(self) -> str:
        return self.latex()

    def _lines(self, show: Show, ratio: Callable[[DerivativeSymbol, Show], str], gap: str) -> Iterator[tuple[str, str]]:
        def shown(factor: DerivativeSymbol | Variable) -> str:
            return ratio(factor, show) if isinstance(factor, DerivativeSymbol) else show(factor)

        for row in self.rows:
            terms = (gap.join(map(shown, self.factors(term))) for term in row.terms)
            yield shown(self.symbol.leading_to(row.of)), " + ".join(terms) or "0"
        for block in self.forms:
            yield show(block.symbol), show(block.laid_out(self.layout))


def through_time(
    cell: Cell | Derivation | str,
    of: str,
    wrt: str,
    steps: int,
    *,
    holding: str | Collection[str] = (),
    layout: str = "numerator",
    kind: str = "cell",
) -> StepwiseDerivative:
    """The derivative over several steps, as a recursion; its `value` writes it out.

    The rows can be read from first to last: each one's terms name blocks and derivatives of rows before it.

    Args:
        cell: the cell, or its derivation.
        of: any variable of the step, meant at the last of the steps.
        wrt: any variable of the step, meant at the first; `"h_prev"` is h_{t-k}.
        steps: the number of steps k.
        holding: variables that are frozen at every step.
        layout: the layout of the value and of the recursion as printed.
        kind: "cell", what enters the steps besides `wrt` being held; or "total".

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: there is no such number of steps, layout or kind, or `of` or `wrt` is held.
    """
    check_choice("layout", layout, LAYOUTS)
    window = ask(cell, of, wrt, steps, holding, kind)
    if kind == "direct":
        raise InputError('kind="direct": that has no recursion\n  ask for kind="cell" or kind="total"')
    symbols = _Symbols(window)
    rows = _make_rows(window, symbols)
    own = [term.block for row in rows for term in row.terms]
    # What the rows name, and what that names in turn; from the last, since each names those before it.
    used = {block.symbol for block in own}
    for block in (*own, *reversed(symbols.inner)):
        if block.symbol in used:
            used |= {symbol for _, symbol in block.links if symbol is not None}
    inner = tuple(block for block in symbols.inner if block.symbol in used)
    bases = {symbol.base for symbol in used}
    forms = tuple(block for block in symbols.forms() if block.symbol.base in bases)
    return StepwiseDerivative(window.end, window.start, window.steps, layout, rows, forms, inner, window)


def _make_rows(window: Window, symbols: _Symbols) -> tuple[Row, ...]:
    """The rows; a derivative without terms is zero, and so is what it is multiplied with."""
    rows: list[Row] = []

    def local(graph: StepGraph, start: Variable, end: Variable, back: int) -> tuple[Term, ...]:
        block = symbols.block(graph, start, end, back)
        return (Term(block, None),) if block else ()

    def join(later: tuple[Term, ...], before: tuple[Term, ...], state: Variable) -> tuple[Term, ...]:
        # The derivative of `wrt` by itself is the identity, which no one writes.
        followed = None if state == window.start else state
        return tuple(Term(term.block, followed) for term in later) if before else ()

    def merge(end: Variable, back: int, parts: Sequence[tuple[Term, ...]]) -> tuple[Term, ...]:
        terms = tuple(term for part in parts for term in part)
        # `wrt` itself has no line, unless it is what was asked for.
        if window.at(end, back) != window.start or back == 0:
            rows.append(Row(window.at(end, back), terms))
        return terms

    accumulate(window, local, join, merge)
    return tuple(rows)


class _Symbols:
    """The blocks of one window and their names: J_a_b, or K_a_b where that is taken."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._names = Names(taken_names(window.derivation))
        self._known: dict[tuple[Variable, Variable], Variable] = {}
        self._ends: dict[Variable, Variable] = {}
        self._free: dict[bool, tuple[str, ...]] = {}
        self._forms: dict[tuple[StepGraph, Variable, Variable], dict[Variable, _BlockForm]] = {}
        self._latest: dict[tuple[Variable, Variable], dict[_BlockForm, int]] = {}
        self.inner: list[Block] = []

    def block(self, graph: StepGraph, start: Variable, end: Variable, back: int) -> Block | None:
        """The block of the step t - back; none where it is zero."""
        key = (graph, start, end)
        if key not in self._forms:
            self._forms[key] = self._make_forms(graph, start, end)
        block = None
        for variable, form in self._forms[key].items():
            latest = self._latest.setdefault((start, variable), {})
            # Two rows of one step may name the same block: it is listed once.
            is_new = latest.get(form) != back
            latest[form] = back  # steps come in their order
            block = self._block(start, variable, form, back)
            if variable != end and is_new:
                self.inner.append(block)
        return block

    def forms(self) -> tuple[Block, ...]:
        """Every block once, at t; one that is not the same at all steps, at the latest step of each of its forms."""
        return tuple(
            # Of one form at all steps t is as good as any, and is the one that readers expect.
            self._block(start, end, form, back if len(latest) > 1 else 0)
            for (start, end), latest in self._latest.items()
            for form, back in latest.items()
        )

    def _make_forms(self, graph: StepGraph, start: Variable, end: Variable) -> dict[Variable, _BlockForm]:
        """The form of a block, after those of the inner derivatives that it names; empty where it is zero."""
        if graph.length(start, end) <= LONGEST_BLOCK:
            value = written(graph.block(start, end))
            return {} if nodes.is_zero(value) else {end: _BlockForm(value)}
        found: dict[Variable, _BlockForm] = {}
        for variable, terms in graph.rows(start, end):
            if variable == end or graph.length(start, variable) > LONGEST_INNER:
                links = tuple(self._make_link(graph, start, factor, source, found) for factor, source in terms)
                parts = (factor if inner is None else nodes.matmul(factor, inner) for factor, inner in links)
                found[variable] = _BlockForm(nodes.add(*parts), links)
        return found

    def _make_link(
        self, graph: StepGraph, start: Variable, factor: Expr, source: Variable, found: Mapping[Variable, _BlockForm]
    ) -> tuple[Expr, Variable | None]:
        """A term of a chain rule: what is short in it is written out, what is long has a symbol."""
        if source in found:
            return written(factor), self._symbol(start, source)
        return written(chain(factor, graph.block(start, source))), None

    def _symbol(self, start: Variable, end: Variable) -> Variable:
        """The symbol of a block at t; its base is its name, so that it can be moved in time."""
        if (start, end) not in self._known:
            stem = f"{end.base}_{start.base}"
            name = self._names.claim(*(f"{letter}_{stem}" for letter in self._letters(start)))
            symbol = self._names.add(Variable(name, entries(end), entries(start), name, 0))
            self._known[start, end], self._ends[symbol] = symbol, end
        return self._known[start, end]

    def _letters(self, start: Variable) -> tuple[str, ...]:
        """The letters that a block may have: those of what happens within a step, or of what happens over it."""
        is_within = start.name in self._window.cell.states
        if is_within not in self._free:
            # Two kinds of blocks between the same two letters must not share a name: D_{h,c} is within a step, J_{h,c}
            # over it.
            letters = (*(("D", "Q") if is_within else ("J", "K")), "Jac", "Jacobian")
            own = (variable.looks for variable in self._window.cell.symbols.values())
            self._free[is_within] = tuple(free_letters(letters, own))
        return self._free[is_within]

    def _block(self, start: Variable, end: Variable, form: _BlockForm, back: int) -> Block:
        at = self._window.at
        shown = _set_subscripts(at(self._symbol(start, end), back), start, end)
        links = tuple(
            (factor, symbol and _set_subscripts(at(symbol, back), start, self._ends[symbol]))
            for factor, symbol in form.links
        )
        return Block(
            at(end, back), at(start, back), shown, self._derivative(start, end, back), form.value, self._window, links
        )

    def _derivative(self, start: Variable, end: Variable, back: int) -> DerivativeSymbol:
        """A block of one step is a derivative of kind "cell"; what one state does to another of its step is total."""
        window, at = self._window, self._window.at
        is_within = start.name in window.cell.states
        entering = [] if is_within else [at(v, back) for v in window.cell.previous if v != start]
        frozen = [at(v, back) for v in sorted(window.frozen(back), key=lambda v: v.name) if v != start]
        kind = "total" if is_within else "cell"
        return DerivativeSymbol.holding(kind, at(end, back), at(start, back), entering, frozen)


class _BlockForm(NamedTuple):
    """A block as it would be at t: its expression, and of a long one the links of its chain rule."""

    value: Expr
    links: tuple[tuple[Expr, Variable | None], ...] = ()


def _set_subscripts(symbol: Variable, start: Variable, end: Variable) -> Variable:
    """A block's symbol with the subscripts that it is printed with."""
    letter = symbol.base.partition("_")[0]
    base, looks = indexed(letter, end.base, start.base), indexed(letter, end.looks, start.looks)
    return Variable(symbol.name, symbol.shape[0], symbol.shape[1], base, symbol.time, looks=looks)
