"""The derivatives of a cell's activations, as its derivation writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.algebra.places import factors, places
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.rules import slopes


@dataclass(frozen=True)
class Slope:
    """The derivative of an activation, as the derivation writes it.

    Attributes:
        function: the activation.
        argument: its argument.
        of: its value: a variable, or an expression where it has no name.
        whole: the derivative.
        number: the number in front of the derivative.
        factors: the derivative's factors.
    """

    function: str
    argument: Expr
    of: Expr
    whole: Expr
    number: Any
    factors: tuple[Expr, ...]


def find_slopes(derivation: Derivation) -> list[Slope]:
    """The derivatives of all activations of a cell."""
    found: dict[tuple[Expr, ...], Slope] = {}
    for equation in derivation.forward:
        for place in places(equation.value):
            node = place.node
            if not isinstance(node, nodes.Act) or len(node.operands) != 1:
                continue
            # By the name where it has one, as the derivation writes 1 - n² and not 1 - tanh²(a).
            value = equation.target if node == equation.value else node
            (slope,) = slopes(node, value)
            number, parts = factors(slope)
            # The derivative of a step is a number, which stands nowhere in the equations.
            if not any(nodes.variables(part) for part in parts):
                continue
            # Equal factors are one derivative to whoever reads the equation, whichever activation they come from.
            found.setdefault(parts, Slope(node.name, node.operands[0], value, slope, number, parts))
    return list(found.values())
