"""Exact checks of Jacobians: any kind, any pair of variables, any number of steps, and the paths that add up to them.

Truth comes from the author's text over the field, run over the same steps with one variable moving in a random
direction; see `replay`.  That the product of a Jacobian and one random direction is right means that every entry is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import Random

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import derive
from symrnn.calculus.graph import no_change
from symrnn.calculus.jacobian import jacobian
from symrnn.calculus.paths import count_paths, paths
from symrnn.calculus.rules import RULES, RuleTable
from symrnn.calculus.window import Window, ask
from symrnn.language.recurrence import Cell
from symrnn.runs.field import draw, same
from symrnn.runs.replay import Replay, named_text, replay_exactly
from symrnn.runs.sizes import SIZES, layouts, show, vec
from symrnn.verification.judging import UNDEFINED, conclude_exactly
from symrnn.verification.report import EXACT, Check


@dataclass(frozen=True)
class _Claim:
    """Something about a window: what it is called, and what is wrong with it at numbers (an empty text: nothing)."""

    name: str
    test: Callable[[Replay, Array, Array], str]


def paths_add_up(
    cell: Cell,
    of: str,
    wrt: str,
    steps: int = 1,
    *,
    holding: str | Collection[str] = (),
    kind: str = "cell",
    rules: RuleTable = RULES,
    sizes: Sequence[tuple[int, int]] = SIZES,
    seed: int = 0,
) -> Check:
    """Prove that the paths from one variable to another add up to the Jacobian, and that this is what the text does.

    Args:
        cell: the cell.
        of: where the paths end, at the last step.
        wrt: where they begin, at the first step.
        steps: the number of steps.
        holding: variables that are frozen at every step.
        kind: "cell" or "total".
        rules: the rule table to differentiate with.
        sizes: pairs (d_h, d_x); further sizes get small numbers of their own.
        seed: of the random numbers.

    Returns:
        One line of a report; a pass is an identity at these sizes, with a probability of error below 1e-12.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: the question makes no sense, or there are too many paths to list.
    """
    window = ask(derive(cell, rules), of, wrt, steps, holding, kind)
    derivation, held = window.derivation, [v.name for v in window.held]
    found = paths(derivation, of, wrt, steps, holding=held, kind=kind)
    summed = nodes.add(no_change(window.of, window.wrt), *(path.value for path in found))
    whole = jacobian(derivation, of, wrt, kind, steps=steps, holding=held)
    counted = count_paths(derivation, of, wrt, steps, holding=held, kind=kind)

    def test(replay: Replay, direction: Array, truth: Array) -> str:
        claims = ((summed, f"the sum of the {len(found)} paths"), (whole, "the Jacobian"))
        wrong = [what for expr, what in claims if not same(replay.evaluate(expr) @ direction, truth)]
        return " and ".join(wrong) + " is not what the text does" if wrong else ""

    name = f"{window.symbol}: {counted} path{'s' if counted != 1 else ''}"
    check = _checked(window, _Claim(name, test), sizes, seed)
    # The count comes from another algorithm than the list: two that agree are less likely to be wrong together.
    if counted == len(found):
        return check
    return Check(name, EXACT, check.sizes, 1, None, False, f"{len(found)} paths are listed, {counted} are counted")


def check_jacobian(
    cell: Cell,
    of: str,
    wrt: str,
    kind: str = "cell",
    *,
    steps: int = 1,
    holding: str | Collection[str] = (),
    rules: RuleTable = RULES,
    sizes: Sequence[tuple[int, int]] = SIZES,
    seed: int = 0,
) -> Check:
    """Prove one Jacobian against the author's text.

    Args:
        cell: the cell.
        of: what is differentiated.
        wrt: with respect to what.
        kind: "direct", "cell" or "total".
        steps: the number of steps.
        holding: variables that are frozen at every step.
        rules: the rule table to differentiate with.
        sizes: pairs (d_h, d_x).
        seed: of the random numbers.

    Returns:
        One line of a report.

    Raises:
        UnknownNameError: the cell has no such variable.
        InputError: the question makes no sense.
    """
    window = ask(derive(cell, rules), of, wrt, steps, holding, kind)
    held = [v.name for v in window.held]
    expr = jacobian(window.derivation, of, wrt, kind, steps=steps, holding=held)

    def test(replay: Replay, direction: Array, truth: Array) -> str:
        right = same(replay.evaluate(expr) @ direction, truth)
        return "" if right else "the Jacobian is not what the text does"

    return _checked(window, _Claim(f"{window.symbol}, {kind}", test), sizes, seed)


def _checked(window: Window, claim: _Claim, sizes: Sequence[tuple[int, int]], seed: int) -> Check:
    chosen, rng, text = layouts(window.cell, sizes), Random(seed), named_text(window.derivation)
    wrong = []
    for layout in chosen:
        replay = replay_exactly(window.derivation, layout, window.reach, rng, text)
        if replay is None:
            wrong.append(UNDEFINED)
            continue
        # One random direction instead of every unit vector: a wrong entry stays unseen with a probability below 1e-18.
        direction = draw(rng, layout.shape(window.wrt))
        truth = true_change(replay, window, direction)
        detail = "the text has no such value" if truth is None else claim.test(replay, vec(direction), vec(truth))
        if detail:
            wrong.append(detail)
    return conclude_exactly(claim.name, show(chosen), wrong)


def true_change(replay: Replay, window: Window, direction: Array) -> Array | None:
    """How the text moves what is asked about, in rows and columns; None where the text has no such value.

    Args:
        replay: the window at numbers.
        window: the question.
        direction: how `wrt` moves.
    """
    rates = replay.rates(window, direction)
    return _in_shape(replay, window.of, rates.get((window.of.base, window.of.time)))


def _in_shape(replay: Replay, variable: Variable, value: Array | None) -> Array | None:
    return None if value is None else value.reshape(replay.layout.shape(variable))
