"""The paths on which a change of one variable reaches another: listed, named, counted.

A path is a sequence of variables that the author named, each of which the next one's equation reads; a variable that an
equation reads twice makes one path, and a pre-activation belongs to the equation of its function.  Over several
steps a path goes from step to step through the states.  Each path has the product of the local Jacobians along it, and
the values of all paths add up to the Jacobian.

Counting needs no list.  With M[a, b] the number of paths from the state b at t-1 to the state a at t, those over k
steps are the entries of M^k: for an LSTM, M = [[4, 1], [3, 1]] in the order h, c, and 436 paths lead from c_{t-5} to
c_t.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeVar

from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.simplify import IN_FORMULAS, simplify
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.graph import StepGraph, Way, graph_of, product
from symrnn.calculus.rules import chain
from symrnn.calculus.window import Window, ask, count_steps, find_variable
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell
from symrnn.showing import ResultTuple, Shown

_Value = TypeVar("_Value")

# Nobody reads a longer list, and each of its entries is an expression; their number is had without it.
_MOST = 10_000
"""More paths than this are not listed."""


@dataclass(frozen=True, repr=False)
class Path(Shown):
    """One way on which a change of `wrt` reaches `of`.

    Attributes:
        of: where the path ends.
        wrt: where it begins.
        through: the named variables between them, from `wrt` to `of`.
        factors: the local Jacobians along it, from that of `of` to that of what reads `wrt`.
    """

    of: Variable
    wrt: Variable
    through: tuple[Variable, ...]
    factors: tuple[Expr, ...]

    @property
    def value(self) -> Expr:
        """The product of the local Jacobians, of's entries by wrt's entries, simplified."""
        return simplify(product(self.of, self.factors), IN_FORMULAS)

    @property
    def name(self) -> str:
        """The variables that it runs through, each at its step, or "direct"."""
        return "direct" if not self.through else "through " + ", ".join(map(str, self.through))

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


def paths(
    cell: Cell | Derivation | str,
    of: str,
    wrt: str,
    steps: int = 1,
    *,
    holding: str | Collection[str] = (),
    kind: str = "cell",
) -> tuple[Path, ...]:
    """Every path from `wrt` to `of`; their values add up to the Jacobian of that kind.

    Over several steps, `of` is meant at the last step and `wrt` at the first: `"h_prev"` is h_{t-k}, `"x"` is
    x_{t-k+1}; a parameter enters at every step.  The variables between have the identifiers `z` at t, `z_prev` at t-1,
    `z_minus2` at t-2.

    >>> from symrnn import cells
    >>> [path.name for path in paths(cells.lstm, "c", "c_prev", kind="total")]
    ['direct', 'through h_{t-1}, f_t', 'through h_{t-1}, i_t', 'through h_{t-1}, g_t']

    Args:
        cell: the cell, or its derivation.
        of: any variable of the step.
        wrt: a state at t-1 (`"h_prev"`), an input, a parameter or another variable of the step.
        steps: the number of steps.
        holding: variables that are frozen at every step: no path runs through them.
        kind: "cell" for the paths within these steps; "total" for those of a state at t-k through its own step too.

    Returns:
        The paths, the shortest first.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: there is no such number of steps or kind, `of` or `wrt` is held, or there are over 10,000 paths.
    """
    window = _ask(cell, of, wrt, steps, holding, kind)
    number = count_ways(window)
    if number > _MOST:
        message = f"{number} paths lead from {window.start} to {window.end}: too many to list"
        raise InputError(f"{message}\n  count them with count_paths, or take the recursion from through_time")

    def local(graph: StepGraph, start: Variable, end: Variable, back: int) -> list[Way]:
        return [
            (tuple(window.at(v, back) for v in via), tuple(window.at(factor, back) for factor in factors))
            for via, factors in graph.ways(start, end)
        ]

    def join(later: list[Way], before: list[Way], state: Variable) -> list[Way]:
        # where a part has no factors, the state is itself where the path begins or ends
        return [(b[0] + ((state,) if a[1] and b[1] else ()) + a[0], a[1] + b[1]) for a in later for b in before]

    found = accumulate(window, local, join, lambda end, back, parts: [way for part in parts for way in part])
    every = [Path(window.end, window.start, through, factors) for through, factors in found]
    return ResultTuple(sorted(every, key=lambda path: len(path.through)))


def count_paths(
    cell: Cell | Derivation | str,
    of: str,
    wrt: str,
    steps: int = 1,
    *,
    holding: str | Collection[str] = (),
    kind: str = "cell",
) -> int:
    """The number of paths that `paths` would list, without listing them.

    The work grows with the number of steps, not with the number of paths.

    Args:
        cell: the cell, or its derivation.
        of: any variable of the step.
        wrt: where the paths begin.
        steps: the number of steps.
        holding: variables that are frozen at every step.
        kind: "cell" or "total".

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: there is no such number of steps or kind, or `of` or `wrt` is held.
    """
    return count_ways(_ask(cell, of, wrt, steps, holding, kind))


def _ask(
    cell: Cell | Derivation | str, of: str, wrt: str, steps: int, holding: str | Collection[str], kind: str
) -> Window:
    window = ask(cell, of, wrt, steps, holding, kind)
    if kind == "direct":
        raise InputError('kind="direct": that is one path, of one equation\n  ask for the paths of "cell" or "total"')
    return window


def count_ways(window: Window) -> int:
    """The number of paths of a window."""

    def local(graph: StepGraph, start: Variable, end: Variable, back: int) -> int:
        return graph.count(start, end)

    def join(later: int, before: int, state: Variable) -> int:
        return later * before

    def merge(end: Variable, back: int, parts: Sequence[int]) -> int:
        return sum(parts)

    return accumulate(window, local, join, merge)


def accumulate(
    window: Window,
    local: Callable[[StepGraph, Variable, Variable, int], _Value],
    join: Callable[[_Value, _Value, Variable], _Value],
    merge: Callable[[Variable, int, Sequence[_Value]], _Value],
) -> _Value:
    """Something about all paths of a window, step by step through the states: their list, number, or sum.

    Args:
        window: the question.
        local: `local(graph, start, end, back)` for the paths within the step t - back.
        join: what two parts give in a row, the later one first, with the state at which they meet.
        merge: `merge(end, back, parts)` for all that leads to a variable of the step t - back.
    """
    cell = window.cell
    graphs = step_graphs(window)
    before: Mapping[Variable, _Value] = {}
    for back in reversed(range(window.reach)):
        ends = [window.of] if back == 0 else [cell[state] for state in cell.states]
        current = {}
        for end in ends:
            # A change enters at the first step, and that of a parameter at every one; from then on it also comes
            # through the states.
            parts = [local(graphs[back], window.moved, end, back)] if not before or window.moves_always else []
            for carry in cell.previous if before else ():
                meeting = window.at(carry, back)
                parts.append(join(local(graphs[back], carry, end, back), before[cell[carry.base]], meeting))
            current[end] = merge(end, back, parts)
        before = current
    return before[window.of]


def step_graphs(window: Window) -> list[StepGraph]:
    """The graph of every step t, t-1, ...; they differ in what is frozen only."""
    shown = {window.of, window.moved, *window.held}
    return [graph_of(window.derivation, shown, window.frozen(back)) for back in range(window.reach)]


def direct_path(cell: Cell | Derivation | str, state: str, steps: int = 1) -> Expr:
    """The product of the direct Jacobians of a state over several steps: Π diag(f_{t-j}) for an LSTM's c.

    It is the path that runs through no other variable: the error carousel, where its factors are near 1.

    Args:
        cell: the cell, or its derivation.
        state: the name of a state.
        steps: the number of steps.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: it is no state, or there is no such number of steps.
    """
    return _product_of_steps(cell, state, steps, StepGraph.direct)


def one_step_product(cell: Cell | Derivation | str, state: str, steps: int = 1) -> Expr:
    """The product of the one-step derivatives of a state alone, ∂c_t/∂c_{t-1} · ∂c_{t-1}/∂c_{t-2} · ...

    It is not the derivative over these steps, ∂c_t/∂c_{t-k}, where a change of the state also travels through another
    one (an LSTM's c_{t-2} reaches c_t through h_{t-1} as well).  For a cell with one state it is.

    Args:
        cell: the cell, or its derivation.
        state: the name of a state.
        steps: the number of steps.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: it is no state, or there is no such number of steps.
    """
    return _product_of_steps(cell, state, steps, StepGraph.block)


def _product_of_steps(
    cell: Cell | Derivation | str, state: str, steps: int, one: Callable[[StepGraph, Variable, Variable], Expr]
) -> Expr:
    end = find_state(cell, state)
    window = ask(cell, state, f"{state}_prev", count_steps(steps))
    value = one(graph_of(window.derivation), window.wrt, end)
    return simplify(reduce(chain, (window.at(value, back) for back in range(window.steps))))


def find_state(cell: Cell | Derivation | str, name: str) -> Variable:
    """The state with this name.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: it is no state.
    """
    # Asked about itself: this checks the cell and the name as every other question does.
    window = ask(cell, name, name)
    states = ", ".join(window.cell.states)
    if name not in window.cell.states:
        raise InputError(f"{name!r} is no state of {window.cell.name}\n  its states are {states}")
    return find_variable(window.derivation, name)
