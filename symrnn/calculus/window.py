"""What is asked of a Jacobian: which variable, with respect to which, over which steps, and what is held.

A window of k steps is the steps t-k+1, ..., t.  A variable is named as in a single step.  As `of` it is meant at the
last step of the window, as `wrt` at the first: `"h_prev"` is then h_{t-k}, what enters the window, and `"x"` or `"z"`
is x_{t-k+1} or z_{t-k+1}.  A parameter is the same at every step, so a change of it enters at each of the k steps.

The kind says what else may move:

- direct: nothing; what the equation of `of` itself reads, every other named variable held.  It is about one step.
- cell: whatever lies within the window.  What enters it is held: the other states at t-k, inputs and parameters.
- total: whatever `wrt` reaches in the unrolled network.  A state at t-k is also read in its own step, by the equations
  after it (an LSTM's h_{t-k} reads c_{t-k}), so that the other states at t-k move along, which kind "cell" holds; the
  steps t-k, ..., t are followed.  Anything else reaches nothing before the window, and has the same value as with
  kind "cell"; of a parameter, what it does before the window is left out, the states at t-k being held.

Identifiers of shifted variables: v at t is `v`, at t-1 `v_prev`, at t-2 `v_minus2`, and so on.  Names in `_prev` are
reserved; where a cell has a variable of its own called `v_minus2`, the shifted one gets underscores at its end.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.arguments import listed
from symrnn.calculus.derivation import Derivation, derivation_of, shift
from symrnn.calculus.graph import graph_of
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.errors import InputError, UnknownNameError
from symrnn.language.recurrence import Cell, unknown_variable
from symrnn.suggestions import did_you_mean

_Earlier = TypeVar("_Earlier", bound=Expr)

KINDS = ("direct", "cell", "total")
"""The kinds of derivatives; see above."""

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
        kind: "direct", "cell" or "total".
    """

    derivation: Derivation
    of: Variable
    wrt: Variable
    steps: int
    held: frozenset[Variable]
    kind: str = "cell"

    @property
    def cell(self) -> Cell:
        """The cell asked about."""
        return self.derivation.cell

    @property
    def moves_always(self) -> bool:
        """Whether a change of `wrt` enters at every step, as that of a parameter does."""
        return self.wrt.time is None

    @property
    def entering(self) -> tuple[Variable, ...]:
        """The other states that enter the window, where they are held."""
        if self.kind == "cell" or (self.kind == "total" and self.moves_always):
            return tuple(self.at(v, self.steps - 1) for v in self.cell.previous if v != self.wrt)
        return ()

    @property
    def symbol(self) -> DerivativeSymbol:
        """The symbol of the derivative asked for; a bar names what is held, each variable at its step."""
        asked = [
            self.at(v, back)
            for v in known_variables(self.derivation).values()
            if v in self.held
            for back in range(self.steps if v.time is not None else 1)
        ]
        asked += [self.at(v, self.steps) for v in self.held if self._before and self._is_reached(v)]
        # A state that was asked to be held and is the one that moves is free at that one moment.
        moving = _moment(self.start, 0)
        asked = [v for v in asked if _moment(v, 0) != moving]
        return DerivativeSymbol.holding(self.kind, self.end, self.start, self.entering, asked)

    def _is_reached(self, variable: Variable) -> bool:
        """Whether a change of the state that moves reaches a variable of its own step."""
        return variable.time == 0 and graph_of(self.derivation, {variable}).count(self.moved, variable) > 0

    @property
    def end(self) -> Variable:
        """`of` at its step, which is the last."""
        return self.of

    @property
    def start(self) -> Variable:
        """`wrt` at its step, which is the first."""
        return self.at(self.wrt, self.steps - 1)

    @property
    def _moves_in_its_own_step(self) -> bool:
        """Whether a state that enters the window is followed from the step in which it is computed."""
        return self.kind == "total" and self.wrt.time == -1

    @property
    def reach(self) -> int:
        """The number of steps, back from t, in which a change of `wrt` is followed."""
        return self.steps + self._moves_in_its_own_step

    @property
    def moved(self) -> Variable:
        """`wrt` as named in the first step of `reach`: for a state that is followed from there, the state itself."""
        return self.cell[self.wrt.base] if self._moves_in_its_own_step else self.wrt

    def at(self, expr: _Earlier, back: int) -> _Earlier:
        """An expression of the step's variables, `back` steps earlier."""
        return earlier(self.derivation, expr, back)

    def frozen(self, back: int) -> frozenset[Variable]:
        """What is frozen among the variables of the step t - back, under their names in a single step."""
        return frozenset(
            v for v in known_variables(self.derivation).values() if _moment(v, back) in self.frozen_moments
        )

    @cached_property
    def frozen_moments(self) -> frozenset[tuple[str, int | None]]:
        """Letter and time of what is frozen; the state that moves is not, in the step before the window."""
        moments = (_moment(v, back) for v in self.held for back in range(self.steps + (v.time == 0) * self._before))
        return frozenset(moments) - ({_moment(self.moved, self.steps)} if self._before else set())

    @property
    def _before(self) -> int:
        return self.reach - self.steps


def _moment(variable: Variable, back: int) -> tuple[str, int | None]:
    """A value by letter and time: h of step t-1 and h_prev of step t are one."""
    return variable.base, None if variable.time is None else variable.time - back


def ask(
    cell: Cell | Derivation | str,
    of: str,
    wrt: str,
    steps: int = 1,
    holding: str | Collection[str] = (),
    kind: str = "cell",
) -> Window:
    """Read a question.

    Args:
        cell: the cell, or its derivation.
        of: any variable of the cell, at the last step.
        wrt: any variable of the cell, at the first step.
        steps: the number of steps.
        holding: names of what is frozen, in a list or between commas.
        kind: "direct", "cell" or "total".

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: the number of steps is none, there is no such kind or none over several steps, or what is asked
            about is itself held.
    """
    check_choice("kind", kind, KINDS)
    derivation = derivation_of(cell)
    end, start = find_variable(derivation, of), find_variable(derivation, wrt)
    names = listed(holding, "holding")
    held = frozenset(find_variable(derivation, name, "holding: ") for name in names)
    window = Window(derivation, end, start, count_steps(steps), held, kind)
    if kind == "direct" and window.steps != 1:
        message = f'steps={steps!r} with kind="direct": an equation reads nothing from before its own step'
        raise InputError(f'{message}\n  ask for kind="cell" or kind="total", or leave the steps out')
    within = {_moment(v, back) for v in held for back in range(window.steps)}
    for variable, back, what in ((end, 0, "of"), (start, window.steps - 1, "wrt")):
        if _moment(variable, back) in within:
            raise InputError(
                f"{what}={variable.name!r} is itself held by holding={names!r}: its derivative would be 0 by decree\n"
                "  hold other variables"
            )
    return window


def check_choice(what: str, given: str, known: Collection[str]) -> None:
    """Whether something is among what there is.

    Raises:
        InputError: it is not.
    """
    # What is no text may not be hashable, and would raise in `in`.
    if not isinstance(given, str) or given not in known:
        hint = did_you_mean(given, known)
        raise InputError(f"no {what} {given!r} of Jacobian\n  {hint}there are {', '.join(map(repr, known))}")


def count_steps(steps: int) -> int:
    """The number of steps, checked.

    Raises:
        InputError: it is no whole number, less than 1, or more than `MOST_STEPS`.
    """
    try:
        # NumPy's integers are numbers of steps as well; 2.0 is not.
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
    return derivation.variables


def find_variable(derivation: Derivation, name: str, where: str = "") -> Variable:
    """The variable with this identifier, or with the name that the author gave it.

    Raises:
        UnknownNameError: the cell has none.
    """
    known = known_variables(derivation)
    if isinstance(name, str) and name not in known:
        # What the author wrote, such as a Greek letter, stands for the identifier that was made of it.
        name = derivation.cell.syntax.written.get(name, name)
    if not isinstance(name, str) or name not in known:
        raise UnknownNameError(where + unknown_variable(f"the cell {derivation.cell.name}", name, known))
    return known[name]


def earlier(derivation: Derivation, expr: _Earlier, back: int) -> _Earlier:
    """An expression some steps earlier, under identifiers that no other variable of the derivation has."""
    if back == 0:
        return expr
    shifted = shift(expr, -back)
    taken = taken_names(derivation)
    # A cell may have a variable of its own that is called f_minus2.
    clashing = {
        v: v.at(v.time, _make_free(v.name, taken))
        for v in nodes.variables(shifted)
        if v.time is not None and taken.get(v.name, v) != v
    }
    renamed: Any = shifted.xreplace(clashing) if clashing else shifted
    return renamed  # type: ignore[no-any-return]


def taken_names(derivation: Derivation) -> Mapping[str, Variable]:
    """Every identifier of the cell and of its derivation."""
    return derivation.identifiers


def _make_free(name: str, taken: Mapping[str, Variable]) -> str:
    while name in taken:
        name += "_"
    return name
