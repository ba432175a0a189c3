"""What the parts of one document share: the derivation, the notation, and how an expression becomes a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr, Sum, Variable
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.documents.alike import GateFamily
from symrnn.documents.plain import plain
from symrnn.documents.structure import Inline, Maths
from symrnn.errors import NameClashError
from symrnn.printers.mathematics import MathPrinter
from symrnn.printers.notation import Notation, latex_name, text_name
from symrnn.printers.syntax import LATEX, TEXT, Syntax, words_of
from symrnn.printers.vocabulary import fitted

# For the document's own letters, those that texts use, the usual one first: what the cell does not use itself is taken.
_LOSSES = ("L", "J", "E", r"\mathcal{L}")
_SYMBOLS = frozenset[str]().union(*map(words_of, FUNCTIONS)) - set(FUNCTIONS)
"""Parts of functions' symbols that give way to the function's name; exp and sin have no other name to give way to."""
_LENGTHS = ("T", "N", "M", r"\tau")
_IN_FRONT = {"delta": r"\delta", "epsilon": r"\epsilon", "d": "d"}
"""Adjoints whose letter stands in front of a variable, and that letter."""
_COUNTERS = ("k", "p", "q", "j", "m", "n", "u", "w")


@dataclass(frozen=True)
class Setting:
    """One document's choices.

    Attributes:
        derivation: what is documented.
        notation: how names look.
        last: the letter of the number of steps.
        back: the letter of a number of steps back.
        has_numbers: whether a name of the cell's looks like a variable at a certain step, such as h1 beside h.
        layout: how Jacobians are laid out.
        yields: the author's names for which symbols of the printers give way.
        level: how much the document says.
        gates: how gates of the same form are written.
        families: these gates; none where each is written on its own.
        loss_at: at which steps the last state is the loss: "every" or "last"; empty where it is none.
    """

    derivation: Derivation
    notation: Notation
    last: str
    back: str
    has_numbers: bool
    layout: str = "numerator"
    yields: frozenset[str] = frozenset()
    level: str = "full"
    gates: str = "each"
    families: tuple[GateFamily, ...] = ()
    loss_at: str = ""

    @property
    def has_words(self) -> bool:
        """Whether there are reasons beside the formulas."""
        return self.level != "brief"

    def label_of(self, target: Variable) -> str:
        """The label of the forward equation of a variable; a pre-activation shares that of its function."""
        family = next((family for family in self.families if target in family.targets), None)
        return family.label if family else self._labels.get(target, target.name)

    @cached_property
    def _labels(self) -> Mapping[Variable, str]:
        derivation, waiting = self.derivation, list[Variable]()
        found: dict[Variable, str] = {}
        for equation in derivation.forward:
            waiting.append(equation.target)
            if not derivation.is_preactivation(equation.target):
                found |= dict.fromkeys(waiting, equation.target.name)
                waiting = []
        return found

    def printer(self, syntax: Syntax = LATEX) -> MathPrinter:
        """The printer of the document's formulas in one syntax."""
        return MathPrinter(syntax, self.notation, self.yields)

    def both(self, show: Callable[[MathPrinter], str]) -> Maths:
        """A formula from what each of the two printers makes of it."""
        return Maths(*(show(self.printer(syntax)) for syntax in (LATEX, TEXT)))

    def maths(self, expr: Expr) -> Maths:
        """An expression as a formula."""
        return self.both(lambda printer: printer(expr))

    def at(self, moment: int | str | None) -> Setting:
        """The same with a step called so: h_1, h_T and h_{t-k} rather than h_t."""
        return replace(self, notation=replace(self.notation, now=moment))

    def at_first(self, show: Callable[[Setting], Maths]) -> Maths:
        """A formula at the first step: of h_1, or at t = 1 where that looks like a name of the cell's."""
        if not self.has_numbers:
            return show(self.at(1))
        shown = show(self.at(None))
        return Maths(rf"\left.{shown.latex}\right|_{{t=1}}", f"{shown.text}|_{{t=1}}")

    def bracketed(self, expr: Expr) -> Maths:
        """An expression in brackets."""
        return self.both(lambda printer: printer.bracket(printer(expr)))

    def signed(self, expr: Expr, alone: bool) -> tuple[str, Maths]:
        """The sign of a term, and the term without it; a sum gets brackets unless it stands alone."""
        if isinstance(expr, Sum):
            return "+", self.maths(expr) if alone else self.bracketed(expr)
        # Once for both printers: a sign is the same in either.
        sign = self.both(lambda printer: printer.terms(expr)[0][0]).text
        return sign, self.both(lambda printer: printer.terms(expr)[0][1])

    def derivative(self, symbol: DerivativeSymbol) -> Maths:
        """The symbol of a derivative."""
        return Maths(symbol.latex(lambda x: self.maths(x).latex), symbol.text(lambda x: self.maths(x).text))

    def signed_as(self, text: str) -> str:
        """A fixed formula with the notation's signs of products and transposes."""
        sign = self.notation.hadamard or r"\odot"
        return text.replace(r"\odot", sign).replace(r"\top", self.notation.transposed)

    def summed(self, expr: Expr, sign: Maths) -> Maths:
        """A sum sign and its term, in brackets where that is needed; nothing is summed to nothing."""
        value = self.maths(expr)
        if nodes.is_zero(expr):
            return value
        value = self.bracketed(expr) if isinstance(expr, Sum) or value.latex.startswith("-") else value
        return Maths(f"{sign.latex} {value.latex}", f"{sign.text} {value.text}")

    def summed_over_steps(self, expr: Expr) -> Maths:
        """The sum of a term over all steps."""
        limits = f"_{{t=1}}^{{{self.last}}}"
        return self.summed(expr, self.sum_sign(limits, limits))

    def sum_sign(self, latex: str, text: str) -> Maths:
        """The sign of a sum with its limits; in plain text another one than a variable called Sigma."""
        # ∑ (a sign) and Σ (a letter) are two characters; in a terminal they look alike, so the letter is used while it
        # is free.
        return Maths(rf"\sum{latex}", f"{'∑' if 'Sigma' in self.yields else 'Σ'}{text}")

    def slope(self, function: str) -> Inline:
        """What the slope of a function is, as its table has it."""
        symbol, shown = FUNCTIONS[function].latex, self.printer().function(function)
        return phrase(f"${FUNCTIONS[function].statement.replace(symbol, shown)}$")

    def sample_state(self) -> Maths:
        """The first state at t."""
        return self.maths(self.derivation.cell[self.derivation.cell.states[0]])


def phrase(text: str) -> Inline:
    r"""A sentence of ours with formulas between dollar signs; their plain form is derived.

    >>> phrase(r"the sign $\odot$ here")
    ('the sign ', Maths(latex='\\odot', text='⊙'), ' here')

    Raises:
        MissingRuleError: a formula has a command without a plain form.
    """
    parts = re.split(r"\$", text)
    return tuple(Maths(part, plain(part)) if index % 2 else part for index, part in enumerate(parts) if part)


def set_up(derivation: Derivation, notation: Notation) -> Setting:
    """The setting in which no letter means two things.

    Raises:
        NameClashError: two of the cell's own variables would be printed alike.
    """
    notation = fitted(notation, derivation.cell, derivation.forward)
    own = {**derivation.cell.symbols, **{e.target.name: e.target for e in derivation.forward}}
    # Before letters are chosen: no choice could help two names of the cell that look alike.
    _refuse_clashes(derivation.cell.name, own, notation)
    letters = {latex_name(_bare(variable), notation) for variable in own.values()}
    loss = next((letter for letter in _LOSSES if letter not in letters), notation.loss)
    sizes = set(derivation.cell.sizes)
    last = next((letter for letter in _LENGTHS if letter not in letters | {loss} | sizes), "T")
    back = next((letter for letter in _COUNTERS if letter not in letters | {loss, last} | sizes), "k")
    chosen = replace(notation, loss=notation.loss if notation.loss not in letters else loss)
    # δ h_t would be a product, as would dh_t where the cell has a d; and dh is another name where the cell has that.
    in_front = {_IN_FRONT.get(notation.adjoint), _IN_FRONT.get(notation.of_gradients)} & letters
    if in_front or _has_own_adjoints(own, notation):
        chosen = replace(chosen, adjoint="partial", gradient="partial")
    # At t = 1 the state h would be printed h_1, which may be a name of the cell's.
    first = replace(chosen, now=1)
    timed = {latex_name(variable, first) for variable in own.values() if variable.time is not None}
    fixed = {latex_name(variable, first) for variable in own.values() if variable.time is None}
    looks = (notation.look(variable.base, variable.looks) for variable in own.values())
    heads = {look.head.letters for look in looks if not look.head.is_typed}
    yields = frozenset(heads & {"I", "K", "Sigma", "delta", *_SYMBOLS})
    return Setting(derivation, chosen, last, back, bool(timed & fixed), yields=yields)


def _has_own_adjoints(own: Mapping[str, Variable], notation: Notation) -> bool:
    """Whether a name of the cell's looks like the adjoint of another one."""
    if "d" not in (notation.adjoint, notation.of_gradients):
        return False
    bare = [_bare(variable) for variable in own.values()]
    adjoints = {text_name(one.marked("adjoint", one.name), notation).replace(" ", "") for one in (*bare, *own.values())}
    return any(text_name(one, notation) in adjoints for one in (*bare, *own.values()))


def _refuse_clashes(cell: str, own: Mapping[str, Variable], notation: Notation) -> None:
    """Names of the cell's never look alike, but the names of a reader's own notation may."""
    printed: dict[str, str] = {}
    for name, variable in own.items():
        for shown in (latex_name(variable, notation), text_name(variable, notation)):
            other = printed.setdefault(shown, name)
            if other != name:
                problem = f"{cell}: {other!r} and {name!r} would both be printed as {shown}"
                raise NameClashError(f"{problem}\n  rename one of them, or give them other names in the notation")


def _bare(variable: Variable) -> Variable:
    """The variable as if it did not change with time: its bare letter."""
    return Variable(variable.name, 1, 1, variable.base)
