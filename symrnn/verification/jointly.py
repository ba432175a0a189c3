"""Many derivatives checked at once: everything moves together, and one comparison is about all of them.

A cell of S states and A arguments has S·A Jacobians and A gradients.  Each on its own line, with a run of the author's
text for each argument, would take time in proportion to the square of the equations.  Where there are many, all
arguments move at once, each in a direction of its own at random, and the chain rule says how the states must move: the
sum over the arguments of Jacobian times direction.  Directions are independent, so over the field a wrong entry of any
one Jacobian is overlooked with probability 1/p, as on a line of its own.  The Jacobians are taken as the product of
the direct ones along the equations, not written out; the direct ones are what documents show of such a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from symrnn.arrays import Array
from symrnn.runs.rounding import unexplained

MOST_ARGUMENTS = 32
"""With respect to so many, every derivative is checked on its own: each argument asks for runs of the text of its own,
so the time grows with the square of the equations, and it is seconds from there on.  The library's largest cell has 30,
and what is told of each of them stays as it is."""

MOST_PAIRS = 128
"""Jacobians of one kind that are checked each on its own: a report of more lines is not read.  The same cell of the
library has 120 of parameters."""

MOST_NAMED = 5
"""What is wrong is searched for by halving, some ten comparisons for each that is found; the first few show the fault,
and where all are wrong together, all are wrong for one reason."""

BY_CHAIN_RULE = " by the chain rule"
"""How Jacobians are taken at once: what is written out in the place of one of them is not looked at."""

DIRECTIONS = 3
"""In floating point, of every comparison: one alone can by chance be nearly orthogonal to what is wrong."""

_SMALLEST = 1e-2
"""What is smaller counts as this much, as in `relative_error`: it is rounding that rules there."""


_T = TypeVar("_T")


def are_separate(arguments: int, states: int = 1) -> bool:
    """Whether the derivatives with respect to so many arguments are checked each on its own.

    Args:
        arguments: with respect to how many.
        states: of how many states; gradients are of one thing, the loss.
    """
    return arguments <= MOST_ARGUMENTS and arguments * states <= MOST_PAIRS


def counted(name: str, arguments: int, states: int = 1, how: str = "") -> str:
    """What a report calls a check of derivatives: where they are in one comparison, their number is in it."""
    return name if are_separate(arguments, states) else f"{name}{how}, {arguments * states:,} at once"


def even(gradient: Array, direction: Array) -> Array:
    """A direction of such a length that the gradient's share in a sum over many is about one.

    Among a thousand gradients, of which some are large, an error of a small one would otherwise not be seen: so an
    error in any of K gradients is seen that is about √K times as large as one that is seen on its own.

    Args:
        gradient: as it is claimed to be.
        direction: random, of independent entries with variance 1, in the gradient's shape.
    """
    size = float(np.linalg.norm(gradient))
    return direction / max(size, _SMALLEST) if np.isfinite(size) else direction


def compare(
    gradients: Mapping[str, Array],
    rate: Callable[[Mapping[str, Array]], float],
    rounding: Callable[[], Mapping[str, Array]],
    tolerance: float,
    rng: np.random.Generator,
) -> tuple[float, list[str]]:
    """How far off many gradients are together, and which of them are wrong.

    Args:
        gradients: what is claimed, by name.
        rate: the true change of the loss when what is named moves so, and nothing else.
        rounding: how far rounding alone can take each, in units of the unit roundoff; asked once, where it matters.
        tolerance: the largest error allowed.
        rng: of the directions.

    Returns:
        The largest error over some directions, relative to what so many terms of about one add up to, and the names of
        the first few that are wrong.
    """
    worst = 0.0
    wrong: list[str] = []
    # Bounds take longer than the comparison and are rarely needed.
    bounds = cache(rounding)
    for _ in range(DIRECTIONS):
        directions = {name: even(value, rng.standard_normal(np.shape(value))) for name, value in gradients.items()}

        def error(names: Sequence[str], directions: Mapping[str, Array] = directions) -> float:
            moving = {name: directions[name] for name in names}
            true = rate(moving)
            difference = abs(sum(float(np.sum(gradients[name] * d)) for name, d in moving.items()) - true)
            # Independent terms of about one add up to the root of their number.
            scale = max(len(names) ** 0.5, abs(true))
            if difference > tolerance * scale:
                bound = sum(float(np.sum(bounds()[name] * np.abs(d))) for name, d in moving.items())
                difference = float(unexplained(difference, bound))
            return float(difference / scale)

        found = error([*gradients])
        # An error that is no number stays: it is worse than any other.
        worst = float(np.fmax(worst, found)) if np.isfinite(found) else found
        if not wrong and not found <= tolerance:
            wrong = culprits([*gradients], lambda some, error=error: error(some) <= tolerance)  # type: ignore[misc]
    return worst, wrong


def culprits(candidates: Sequence[_T], right: Callable[[Sequence[_T]], bool], most: int = MOST_NAMED) -> list[_T]:
    """Some of those with which something is wrong, in order, by halving.

    Args:
        candidates: what may be wrong.
        right: whether nothing is wrong with all of some taken together.
        most: how many are looked for.
    """
    found: list[_T] = []
    waiting = [list(candidates)]
    while waiting and len(found) < most:
        group = waiting.pop()
        if not group or right(group):
            continue
        if len(group) == 1:
            found += group
        else:
            half = len(group) // 2
            # A stack, from which the first half comes first, so that what is found is in order.
            waiting += [group[half:], group[:half]]
    return found
