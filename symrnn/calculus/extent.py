"""How long a derivative is where it is written out: known without writing it.

A derivative is a sum over paths, and paths may grow exponentially with the number of equations or of steps.  As named
inner derivatives, each by those before it, it has as many lines as there are variables.  One expression is made of it
only where that is short.
"""

from __future__ import annotations

from collections.abc import Sequence

from symrnn.algebra.nodes import Variable
from symrnn.calculus.graph import StepGraph
from symrnn.calculus.paths import accumulate, count_ways
from symrnn.calculus.window import Window
from symrnn.errors import InputError

MOST_FACTORS = 10_000
"""Expressions of more local Jacobians than this are not built: their text has a quarter of a million characters, which
takes seconds to print and which nobody reads.  It is what an LSTM's ∂h_t/∂h_{t-k} has at k = 10; each further step
doubles it."""

_ROUNDED_FROM = 10**15
"""From here on a number is rounded: its digits say nothing."""


def length(window: Window) -> int:
    """The number of local Jacobians in the derivative that a window asks for, written as one expression."""

    def local(graph: StepGraph, start: Variable, end: Variable, back: int) -> int:
        return graph.length(start, end)

    def join(later: int, before: int, state: Variable) -> int:
        return later + before

    def merge(end: Variable, back: int, parts: Sequence[int]) -> int:
        return sum(parts)

    return accumulate(window, local, join, merge)


def check_length(window: Window) -> None:
    """Whether a derivative can be written as one expression.

    Raises:
        InputError: it would be too long; the message says what to call for the form with names.
    """
    if length(window) <= MOST_FACTORS:
        return
    many = show_count(count_ways(window))
    asked = f'"{window.of.name}", "{window.wrt.name}", {window.steps}, kind="{window.kind}"'
    raise InputError(
        f"the derivative of {window.end} with respect to {window.start} is a sum over {many} paths: too long for one "
        f"expression\n  take symrnn.through_time(cell, {asked}), which names what the paths share"
    )


def show_count(number: int) -> str:
    """A number of paths, rounded where it is very large.

    >>> show_count(436), show_count(2 * 10**62)
    ('436', 'about 2.00e62')
    """
    # By its digits, since a float ends at 1e308 and paths over a hundred steps do not.
    digits = str(number)
    return digits if number < _ROUNDED_FROM else f"about {digits[0]}.{digits[1:3]}e{len(digits) - 1}"
