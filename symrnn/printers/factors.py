"""An element-by-element product as it is written: what stands in front, above and below a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symrnn.algebra.nodes import Act, Expr, Eye, Fill, Hadamard, Power, Shape, fill, is_scalar, power
from symrnn.printers.sizes import Sized


@dataclass(frozen=True)
class EntrywiseFactors:
    """The factors of an element-by-element product, sorted by how they are written.

    Attributes:
        shape: the product's.
        scalars: the factors that are scalars.
        divisors: the scalars that it is divided by.
        above: the other factors.
        below: the others that it is divided by.
        sized: ones that say their size, which stand apart.
    """

    shape: Shape
    scalars: tuple[Expr, ...]
    divisors: tuple[Expr, ...]
    above: tuple[Expr, ...]
    below: tuple[Expr, ...]
    sized: Sized | None = None

    @classmethod
    def of(cls, expr: Expr) -> EntrywiseFactors:
        """Scalars, divisors that are scalars, then the other factors and divisors, each in the author's order."""
        given = expr.args if isinstance(expr, Hadamard) else (expr,)
        every = [one for factor in given if not isinstance(factor, Sized) for one in _without_powers_of_roots(factor)]
        sized = next((factor for factor in given if isinstance(factor, Sized)), None)
        split = [(f.operand if isinstance(f, Fill) else f, is_scalar(expr) or isinstance(f, Fill)) for f in every]
        # An identity of size 1 is the number 1, which no product shows unless it is all of it.
        split = [pair for pair in split if not (isinstance(pair[0], Eye) and is_scalar(pair[0]))] or split

        def chosen(scalar: bool, inverse: bool) -> tuple[Expr, ...]:
            found = [f for f, is_repeated in split if is_repeated == scalar and _is_inverse(f) == inverse]
            # Below the line without the minus in the exponent.
            return tuple(power(f.args[0], -int(f.args[1])) if inverse else f for f in found)

        scalars, divisors, above, below = (
            chosen(scalar, inverse) for scalar in (True, False) for inverse in (False, True)
        )
        return cls(expr.shape, scalars, divisors, above, below, sized)

    @property
    def is_reciprocal(self) -> bool:
        """Whether nothing stands above the line, where a number can go."""
        return not self.scalars and not self.above and bool(self.divisors or self.below)


def _without_powers_of_roots(factor: Expr) -> Iterator[Expr]:
    """(√a)³ as a √a: wherever there is a root, its square is what is under it."""
    if isinstance(factor, Fill):
        yield from (fill(one, factor.shape) for one in _without_powers_of_roots(factor.operand))
    elif is_power_of_root(factor):
        (root, exponent), sign = factor.args, -1 if factor.args[1] < 0 else 1
        half, odd = divmod(abs(int(exponent)), 2)
        yield power(root.operands[0], sign * half)
        if odd:
            yield power(root, sign)
    else:
        yield factor


def is_power_of_root(expr: Expr) -> bool:
    """Whether it is a power of a square root, other than its reciprocal."""
    return (
        isinstance(expr, Power) and isinstance(expr.args[0], Act) and expr.args[0].name == "sqrt" and expr.args[1] != -1
    )


def _is_inverse(factor: Expr) -> bool:
    return isinstance(factor, Power) and bool(factor.args[1] < 0)
