"""What is asked of a Jacobian: which variable, with respect to which, over which steps, and what is held.

A window of k steps is the steps t-k+1, ..., t.  A variable is named as in a single step.  As `of` it is meant at the
last step of the window, as `wrt` at the first: `"h_prev"` is then h_{t-k}, what enters the window, and `"x"` or `"z"`
is x_{t-k+1} or z_{t-k+1}.  A parameter is the same at every step, so a change of it enters at each.

Identifiers of shifted variables: v at t is `v`, at t-1 `v_prev`, at t-2 `v_minus2`, and so on.  Names in `_prev` are
reserved; where a cell has a variable of its own called `v_minus2`, the shifted one gets underscores at its end.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation, derivation_of, shift
from symrnn.errors import InputError, UnknownNameError
from symrnn.language.recurrence import Cell, unknown_variable
from symrnn.naming import listed

MOST_STEPS = 1000
"""More steps than this are refused: their recursion would be longer than anybody reads."""


@dataclass(frozen=True)
class Window:
    """A question about derivatives.

    Attributes:
        derivation: the cell's equations.
        of: what is differentiated, as named in the last step.
        wrt: what moves, as named in the first step.
        steps: the number of steps, k.
        held: what is frozen at every step where it occurs.
    """

    derivation: Derivation
    of: Variable
    wrt: Variable
    steps: int
    held: frozenset[Variable]

    @property
    def cell(self) -> Cell:
        """The cell asked about."""
        return self.derivation.cell

    @property
    def moves_always(self) -> bool:
        """Whether a change of `wrt` enters at every step, as that of a parameter does."""
        return self.wrt.time is None

    @property
    def end(self) -> Variable:
        """`of` at its step, which is the last."""
        return self.of

    @property
    def start(self) -> Variable:
        """`wrt` at its step, which is the first."""
        start: Variable = self.at(self.wrt, self.steps - 1)
        return start

    def at(self, expr: Expr, back: int) -> Expr:
        """An expression of the step's variables, `back` steps earlier."""
        return earlier(self.derivation, expr, back)

    def frozen(self, back: int) -> frozenset[Variable]:
        """What is frozen among the variables of the step t - back, under their names in a single step."""
        return frozenset(v for v in known_variables(self.derivation).values() if _moment(v, back) in self._frozen)

    @cached_property
    def _frozen(self) -> frozenset[tuple[str, int | None]]:
        return frozenset(_moment(v, back) for v in self.held for back in range(self.steps))


def _moment(variable: Variable, back: int) -> tuple[str, int | None]:
    """A value by letter and time: h of step t-1 and h_prev of step t are one."""
    return variable.base, None if variable.time is None else variable.time - back


def ask(
    cell: Cell | Derivation | str, of: str, wrt: str, steps: int = 1, holding: str | Collection[str] = ()
) -> Window:
    """Read a question.

    Args:
        cell: the cell, or its derivation.
        of: any variable of the cell, at the last step.
        wrt: any variable of the cell, at the first step.
        steps: the number of steps.
        holding: names of what is frozen, in a list or between commas.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: the number of steps is none, or what is asked about is itself held.
    """
    derivation = derivation_of(cell)
    end, start = find_variable(derivation, of), find_variable(derivation, wrt)
    names = listed(holding, "holding")
    held = frozenset(find_variable(derivation, name, "holding: ") for name in names)
    window = Window(derivation, end, start, count_steps(steps), held)
    for variable, back, what in ((end, 0, "of"), (start, window.steps - 1, "wrt")):
        if _moment(variable, back) in window._frozen:
            raise InputError(
                f"{what}={variable.name!r} is itself held by holding={names!r}: its derivative would be 0 by decree\n"
                "  hold other variables"
            )
    return window


def count_steps(steps: int) -> int:
    """The number of steps, checked.

    Raises:
        InputError: it is no whole number, less than 1, or more than `MOST_STEPS`.
    """
    try:
        number = operator.index(steps)
    except TypeError:
        number = 0
    if number < 1 or isinstance(steps, bool):
        raise InputError(f"steps={steps!r}\n  give a whole number of steps, at least 1")
    if number > MOST_STEPS:
        remedy = f"give at most {MOST_STEPS}; the recursion has the same form at every step"
        raise InputError(f"steps={steps!r}: too many steps to unroll\n  {remedy}")
    return number


def known_variables(derivation: Derivation) -> Mapping[str, Variable]:
    """Every variable of the cell, and the pre-activations that the derivation names, by identifier."""
    return dict(derivation.cell.symbols) | {equation.target.name: equation.target for equation in derivation.forward}


def find_variable(derivation: Derivation, name: str, where: str = "") -> Variable:
    """The variable with this identifier, or with the name that the author gave it.

    Raises:
        UnknownNameError: the cell has none.
    """
    known = known_variables(derivation)
    if isinstance(name, str) and name not in known:
        name = derivation.cell.syntax.written.get(name, name)
    if not isinstance(name, str) or name not in known:
        raise UnknownNameError(where + unknown_variable(f"the cell {derivation.cell.name}", name, known))
    return known[name]


def earlier(derivation: Derivation, expr: Expr, back: int) -> Expr:
    """An expression some steps earlier, under identifiers that no other variable of the derivation has."""
    if back == 0:
        return expr
    shifted = shift(expr, -back)
    taken = taken_names(derivation)
    clashing = {
        v: v.at(v.time, _free(v.name, taken))
        for v in nodes.variables(shifted)
        if v.time is not None and taken.get(v.name, v) != v
    }
    return shifted.xreplace(clashing) if clashing else shifted


def taken_names(derivation: Derivation) -> Mapping[str, Variable]:
    """Every identifier of the cell and of its derivation."""
    adjoints = {step.target.name: step.target for step in derivation.steps}
    return {**known_variables(derivation), **adjoints, **{v.name: v for v in derivation.cotangents.values()}}


def _free(name: str, taken: Mapping[str, Variable]) -> str:
    while name in taken:
        name += "_"
    return name
