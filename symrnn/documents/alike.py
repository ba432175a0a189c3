"""Gates whose equations have the same form: found by renaming, and written with a star in place of what differs.

Two equations have the same form if they become equal where a word that their names have as a subscript, f in one and i
in the other, is replaced by a star.  No name is known here: whatever the author calls them, W_f, W_xf and a_f are alike
to W_i, W_xi and a_i.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Product, Sum, Transposed, Variable
from symrnn.algebra.spelling import look
from symrnn.calculus.derivation import Derivation

_STAR = "*"
_PART = re.compile(r'"[^"]*"|\{[^{}]*\}|[^_{}"]+')
"""The parts of a name as it is shown: one that is typed, one that is a name itself, or a word."""


@dataclass(frozen=True)
class GateFamily:
    """Gates of the same form.

    Attributes:
        words: what stands in place of the star: f, i, g, o.
        targets: the variables whose equations are alike, in the order of the words.
        target: the same with a star.
        value: what it is equal to.
        stacks: what is starred -> the stack of all of its kind; empty where the equations cannot be stacked, or where
            there is no name for a stack.
    """

    words: tuple[str, ...]
    targets: tuple[Variable, ...]
    target: Variable
    value: Expr
    stacks: Mapping[Variable, Variable]

    @property
    def label(self) -> str:
        """An identifier of the family's equation."""
        return f"gates:{'-'.join(self.words)}"

    def member(self, variable: Variable, word: str) -> Variable:
        """One of what a starred variable stands for."""
        return _renamed(variable, variable.looks.replace(_STAR, word))

    def stacked(self, expr: Expr) -> Expr:
        """An expression with a star as one of stacks."""
        every = {variable: _stack_of(variable, self.stacks) for variable in nodes.variables(expr)}
        shown: Expr = expr.xreplace({old: new for old, new in every.items() if new != old})
        return shown


@dataclass(frozen=True)
class Alike:
    """Expressions that are one with a star.

    Attributes:
        family: the gates that they belong to.
        words: those gates' words.
        positions: where in the sequence each of them is.
        exprs: what they are with a star.
    """

    family: GateFamily
    words: tuple[str, ...]
    positions: tuple[int, ...]
    exprs: tuple[Expr, ...]


def find_families(derivation: Derivation) -> tuple[GateFamily, ...]:
    """The families of at least two gates, in the order of their first equations."""
    groups: dict[tuple[Expr, Expr], list[tuple[str, Variable]]] = {}
    for equation in derivation.forward:
        for word in dict.fromkeys(_subscripts(equation.target)):
            key = (star(equation.target, word), star(equation.value, word))
            # A star that only the target has would say nothing of what differs.
            if key[1] != equation.value and key[0] != equation.target:
                groups.setdefault(key, []).append((word, equation.target))
    taken = {look(v.looks, v.time is not None) for v in derivation.variables.values()}
    found: list[GateFamily] = []
    for (target, value), members in groups.items():
        if len(members) > 1 and isinstance(target, Variable):
            words, targets = zip(*members, strict=True)
            stacks = _name_stacks(target, value, len(members), taken)
            taken |= {look(v.looks, v.time is not None) for v in stacks.values()}
            found.append(GateFamily(words, targets, target, value, stacks))
    return tuple(found)


def find_alike(families: Iterable[GateFamily], rows: Sequence[tuple[Expr, ...]]) -> list[Alike]:
    """Rows of expressions that are one with a star, each in one group at most."""
    found: list[Alike] = []
    taken: set[int] = set()
    for family in families:
        groups: dict[tuple[Expr, ...], dict[str, int]] = {}
        for position, row in enumerate(rows):
            for word in family.words:
                starred = tuple(star(expr, word) for expr in row)
                # What has no star at all is one and the same in every gate, and is no sum over them.
                if position not in taken and starred != row:
                    groups.setdefault(starred, {}).setdefault(word, position)
        for exprs, members in groups.items():
            if len(members) > 1 and len(set(members.values())) == len(members):
                found.append(Alike(family, tuple(members), tuple(members.values()), exprs))
                taken |= set(members.values())
    return found


_Starred = TypeVar("_Starred", bound=Expr)


def star(expr: _Starred, word: str) -> _Starred:
    """The expression with a star in place of the word, wherever a name has it as a subscript."""
    every = {variable: _star_name(variable, word) for variable in nodes.variables(expr)}
    starred: Any = expr.xreplace({old: new for old, new in every.items() if new != old})
    return starred  # type: ignore[no-any-return]


def _subscripts(variable: Variable) -> list[str]:
    """The words that are subscripts of a variable, without braces; none that is shown as it is typed."""
    return [part.strip("{}") for part in _PART.findall(variable.looks)[1:] if not part.startswith('"')]


def _star_name(variable: Variable, word: str) -> Variable:
    head, *rest = _PART.findall(variable.looks)

    def shown(part: str) -> str:
        if part in (word, f"{{{word}}}"):
            return _STAR
        # W_ir and W_hr are of the gate r, as frameworks name them: only of parameters, whose names are the author's.
        is_tail = variable.time is None and part.endswith(word) and part.isalpha() and len(part) > len(word)
        return part[: -len(word)] + _STAR if is_tail else part

    looks = "_".join([head, *map(shown, rest)])
    return _renamed(variable, looks) if looks != variable.looks else variable


def _renamed(variable: Variable, looks: str) -> Variable:
    # By look, time and mark alone: variables of several gates are one then.
    name = f"{looks} {variable.time} {variable.mark}"
    rows, cols = variable.shape
    return Variable(name, rows, cols, looks, variable.time, variable.mark, looks)


# --- stacks -----------------------------------------------------------------------------------------------------------


def _name_stacks(target: Variable, value: Expr, count: int, taken: Iterable[object]) -> Mapping[Variable, Variable]:
    """Names for the stacks of what is starred, where the equation of the stacks is of the same form."""
    if not _is_stackable(value):
        return {}
    read = [part for part in nodes.parts(value) if isinstance(part, Variable)]
    stacks = {v: _stack(v, count) for v in dict.fromkeys([target, *read]) if _STAR in v.looks}
    looks = [look(v.looks, v.time is not None) for v in stacks.values()]
    return stacks if len(set(looks)) == len(looks) and not set(looks) & set(taken) else {}


def _stack(variable: Variable, count: int) -> Variable:
    parts = [part.replace(_STAR, "") for part in _PART.findall(variable.looks)]
    rows, cols = variable.shape
    looks = "_".join(part for part in parts if part)
    return Variable(
        f"{looks} stacked {variable.time} {variable.mark}",
        count * rows,
        cols,
        looks,
        variable.time,
        variable.mark,
        looks,
    )


def _stack_of(variable: Variable, stacks: Mapping[Variable, Variable]) -> Variable:
    """The stack of a variable at any time and with any mark."""
    for one, stack in stacks.items():
        if one.looks == variable.looks:
            name = f"{stack.looks} stacked {variable.time} {variable.mark}"
            rows, cols = stack.shape
            return Variable(name, rows, cols, stack.base, variable.time, variable.mark, stack.looks)
    return variable


def _is_stackable(expr: Expr) -> bool:
    """Whether the stack of what an expression is for every gate is the same expression of stacks.

    That is so for sums of products whose first factor alone is starred: each gate is a block of rows.
    """
    return all(_is_block(term) for term in (expr.args if isinstance(expr, Sum) else (expr,)))


def _is_block(term: Expr) -> bool:
    first, *others = term.args if isinstance(term, Product) else (term,)
    is_starred = [any(_STAR in v.looks for v in nodes.variables(factor)) for factor in others]
    return isinstance(first, Variable) and _STAR in first.looks and not any(is_starred)


def is_stackable_sum(term: Expr) -> bool:
    """Whether the sum of a term over all gates is the same term of stacks: Wᵀ δa for Σ W_fᵀ δa_f."""
    if not isinstance(term, Product) or len(term.args) != 2:
        return False
    first, last = term.args
    return isinstance(first, Transposed) and isinstance(first.args[0], Variable) and isinstance(last, Variable)
