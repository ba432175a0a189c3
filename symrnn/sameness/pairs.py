"""Two functions of the same arguments, which may be run on any kind of number: what a proof of sameness looks at.

The functions may be the two sides of an equation about a cell, or two cells under a map of their parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sympy import preorder_traversal

from symrnn.algebra import nodes
from symrnn.algebra.enclosure import enclose
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.intervals import NON_NEGATIVE, POSITIVE, Interval
from symrnn.algebra.nodes import Expr, Variable
from symrnn.arrays import Array
from symrnn.calculus.rules import on_expressions
from symrnn.runs.numbers import Numbers
from symrnn.sameness.certain import Certain

Point = list[Array]
"""A value for every argument that two functions share, in the order of the pair's shapes."""


@dataclass(frozen=True)
class DelicatePart:
    """A part of a function at whose zeros, or on one side of them, the function may jump or have no value.

    Attributes:
        expr: the part.
        kind: "jump" where a function jumps at its zeros; otherwise what it must be for there to be a value: "≠ 0" for
            a divisor, "> 0" or "≥ 0" for the argument of a function with a domain.
        side: 0 for the first function, 1 for the second.
        own: whether it is written in the functions themselves and not in definitions that they rest on.
    """

    expr: Expr
    kind: str
    side: int = 0
    own: bool = True

    def broken(self, value: Array) -> bool:
        """Whether a function has no value where the part has this one, of certain numbers.

        Raises:
            Undecided: the digits do not tell.
        """
        refused = _REFUSED[self.kind]
        return bool(refused) and any(Certain.of(x).sign in refused for x in value.reshape(-1))


_REFUSED: Mapping[str, tuple[int, ...]] = {"jump": (), "≠ 0": (0,), "> 0": (-1, 0), "≥ 0": (-1,)}
"""Signs of a part at which there is no value."""


class Evaluated(Protocol):
    """Both functions at one point; each raises ArithmeticError or ValueError where it has no value."""

    def side(self, index: int) -> list[Array]:
        """The values of the first (0) or the second function (1)."""

    def part(self, part: DelicatePart) -> Array:
        """The value of a part of one of them."""


class FunctionPair(Protocol):
    """Two functions of the same arguments at one choice of sizes."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The sizes."""

    @property
    def shapes(self) -> Sequence[tuple[int, ...]]:
        """The shapes of the arguments."""

    @property
    def delicate(self) -> Sequence[DelicatePart]:
        """Where they may jump or have no value."""

    @property
    def bends(self) -> bool:
        """Whether anything in them is not smooth."""

    def at(self, point: Point, numbers: Numbers) -> Evaluated:
        """Both at a point."""


# --- what is delicate -------------------------------------------------------------------------------------------------


def bends(exprs: Iterable[Expr]) -> bool:
    """Whether a function in some expressions is not smooth."""
    parts = (part for expr in exprs for part in preorder_traversal(expr))
    return any(isinstance(part, nodes.Act) and not FUNCTIONS[part.name].smooth for part in parts)


def bounds(equations: Iterable[Any], given: Mapping[Variable, Interval]) -> dict[Variable, Interval]:
    """An interval for every variable that equations define, from those given."""
    known = dict(given)
    for equation in equations:
        known[equation.target] = enclose(equation.value, known)
    return known


def delicate_parts(
    exprs: Iterable[Expr], known: Mapping[Variable, Interval], side: int = 0, own: bool = True
) -> Iterator[DelicatePart]:
    """Divisors, arguments of functions that jump and of those with a domain; without what bounds keep from harm."""
    for part in (part for expr in exprs for part in preorder_traversal(expr)):
        if isinstance(part, nodes.Power) and part.args[1] < 0 and 0 in enclose(part.args[0], known):
            yield DelicatePart(part.args[0], "≠ 0", side, own)
        if isinstance(part, nodes.Act):
            yield from _delicate_call(part, known, side, own)


def _delicate_call(part: Any, known: Mapping[Variable, Interval], side: int, own: bool) -> Iterator[DelicatePart]:
    row = FUNCTIONS[part.name]
    value = enclose(part, known)
    # Where the interval of the call is one number it cannot jump, whatever its argument does.
    for kink in row.kinks if row.jumps and value.low < value.high else ():
        argument = _signed(on_expressions(kink, *part.operands))
        if 0 in enclose(argument, known):
            yield DelicatePart(argument, "jump", side, own)
    for word, operand in zip(row.domain, part.operands, strict=False):
        bound = enclose(operand, known)
        # exp(a) is positive for every a: what intervals prove needs no condition.
        if word and not bound.within(_DOMAINS[word][1]):
            yield DelicatePart(operand, _DOMAINS[word][0], side, own)


_DOMAINS: Mapping[str, tuple[str, Interval]] = {
    "positive": ("> 0", POSITIVE),
    "not negative": ("≥ 0", NON_NEGATIVE),
    "not zero": ("≠ 0", POSITIVE),
}
"""What a domain asks for, and an interval inside it."""


def _signed(expr: Expr) -> Expr:
    """What decides the sign: without a number in front."""
    number, rest = nodes.coefficient(expr)
    return rest if getattr(number, "is_positive", False) or number == -1 else expr
