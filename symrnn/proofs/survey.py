"""Every Jacobian of a cell at once: all pairs of variables, exactly and by complex steps, against the author's text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

import numpy as np

from symrnn.algebra.nodes import Expr, Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.jacobian import jacobian
from symrnn.calculus.window import Window, ask, known_variables
from symrnn.errors import InputError
from symrnn.runs.arbitrary import for_every_number
from symrnn.runs.field import draw, same
from symrnn.runs.points import NOWHERE, relative_error
from symrnn.runs.replay import Replay, named_text, replay_exactly, replay_numerically
from symrnn.runs.sizes import SIZES, CellAtSizes, layouts, show, vec
from symrnn.verification.judging import UNDEFINED, Deviation, conclude, conclude_exactly
from symrnn.verification.numeric import METHOD, TOLERANCE
from symrnn.verification.report import Check


@dataclass(frozen=True)
class JacobianQuestion:
    """Which Jacobians are meant.

    Attributes:
        kind: "direct", "cell" or "total".
        steps: the number of steps.
        holding: what is frozen; pairs with one of these are left out.
    """

    kind: str
    steps: int = 1
    holding: tuple[str, ...] = ()

    def __str__(self) -> str:
        over = f" over {self.steps} steps" if self.kind != "direct" else ""
        return f"{self.kind}{over}" + (f" holding {', '.join(self.holding)}" if self.holding else "")


@dataclass(frozen=True)
class _Claimed:
    window: Window
    value: Expr

    @property
    def name(self) -> str:
        return str(self.window.symbol)


def survey(
    derivation: Derivation,
    question: JacobianQuestion,
    *,
    of: Iterable[str] | None = None,
    wrt: Iterable[str] | None = None,
    sizes: Sequence[tuple[int, int]] = SIZES,
    seed: int = 0,
) -> tuple[Check, Check]:
    """Check the Jacobians of all pairs of variables, pre-activations and parameters included.

    Args:
        derivation: the derivation of the cell.
        question: which kind, over how many steps, holding what.
        of: names to differentiate; by default every one.
        wrt: names with respect to which; by default every one.
        sizes: pairs (d_h, d_x).
        seed: of the random numbers.

    Returns:
        The exact check, whose error is the number of wrong Jacobians, and the one by complex steps.  A cell with
        constants is checked for every number that they may have.
    """
    derivation = for_every_number(derivation)
    known = known_variables(derivation)
    columns: dict[str, list[_Claimed]] = {}
    for start in wrt if wrt is not None else known:
        for end in of if of is not None else known:
            try:
                window = ask(derivation, end, start, question.steps, question.holding, question.kind)
            except InputError:  # one of the two is held
                continue
            value = jacobian(derivation, end, start, question.kind, steps=question.steps, holding=question.holding)
            columns.setdefault(start, []).append(_Claimed(window, value))
    count = sum(len(pairs) for pairs in columns.values())
    name = f"{count} Jacobians, {question}"
    chosen = layouts(derivation.cell, sizes)
    wrong = _exactly(derivation, columns, chosen, seed)
    exact = conclude_exactly(name, show(chosen), wrong, count)
    findings = list(_numerically(derivation, columns, chosen, seed))
    if not findings:
        findings = [Deviation(np.inf, NOWHERE)]
    return exact, conclude(name, METHOD, show(chosen), findings, TOLERANCE)


def _by_reach(columns: Mapping[str, Sequence[_Claimed]]) -> Mapping[int, Sequence[Sequence[_Claimed]]]:
    """The columns by the number of steps in which a change is followed."""
    found: dict[int, list[Sequence[_Claimed]]] = {}
    for pairs in columns.values():
        # A replay of the text costs far more than a derivative along it, so that questions of one length share one.
        found.setdefault(pairs[0].window.reach, []).append(pairs)
    return found


def _exactly(
    derivation: Derivation, columns: Mapping[str, Sequence[_Claimed]], chosen: Sequence[CellAtSizes], seed: int
) -> Iterator[str]:
    rng, text = Random(seed), named_text(derivation)
    for layout, (reach, group) in product(chosen, _by_reach(columns).items()):
        replay = replay_exactly(derivation, layout, reach, rng, text)
        if replay is None:
            yield f"{UNDEFINED}, at {show([layout])}"
            continue
        for pairs in group:
            first = pairs[0].window
            rates = replay.rates(first, direction := draw(rng, layout.shape(first.moved)))
            for pair in pairs:
                truth = rates.get(_moment(pair.window.of))
                if truth is None:
                    yield f"the text has no value {pair.window.of.name}"
                elif not same(replay.evaluate(pair.value) @ vec(direction), _column(layout, pair.window.of, truth)):
                    yield f"{pair.name} is wrong"


def _numerically(
    derivation: Derivation, columns: Mapping[str, Sequence[_Claimed]], chosen: Sequence[CellAtSizes], seed: int
) -> Iterator[Deviation]:
    rng, text = np.random.default_rng(seed), named_text(derivation)
    for layout, (reach, group) in product(chosen, _by_reach(columns).items()):
        replay = replay_numerically(derivation, layout, reach, rng, text)
        if replay is None:  # such as a variance at size 1, which is always 0: other sizes will do
            continue
        with np.errstate(all="ignore"):
            for pairs in group:
                truth = true_jacobians(replay, pairs[0].window)
                for pair in pairs:
                    found = truth.get(_moment(pair.window.of), np.full((1, 1), np.nan))
                    error = relative_error(replay.evaluate(pair.value), found)
                    yield Deviation(error, f"{pair.name} is wrong")


def true_jacobians(replay: Replay, window: Window) -> Mapping[tuple[str, int | None], Array]:
    """The Jacobian of everything with respect to one variable, by complex steps, column after column.

    Args:
        replay: the steps of the window at numbers, in floating point.
        window: with respect to what, and what is held.
    """
    shape = replay.layout.shape(window.moved)
    found: dict[tuple[str, int | None], list[Array]] = {}
    # Backwards, as Jacobians count the entries of a matrix column by column.
    for index in np.ndindex(shape[::-1]):
        direction = np.zeros(shape)
        direction[index[::-1]] = 1.0
        for moment, rate in replay.rates(window, direction).items():
            found.setdefault(moment, []).append(vec(rate if rate.ndim == 2 else rate.reshape(-1, 1)))
    return {moment: np.concatenate(rates, axis=1) for moment, rates in found.items()}


def _moment(variable: Variable) -> tuple[str, int | None]:
    return variable.base, variable.time


def _column(layout: CellAtSizes, variable: Variable, value: Array) -> Array:
    return vec(value.reshape(layout.shape(variable)))
