"""Powers of entries, and transposes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Integer, S
from sympy.matrices.expressions import DiagMatrix, HadamardPower, Identity, OneMatrix, Transpose

from symrnn.algebra.dimensions import is_scalar
from symrnn.algebra.intervals import Interval, raised
from symrnn.algebra.node import Expr, Node, PointValues, make
from symrnn.algebra.ring import (
    Fill,
    Hadamard,
    Ones,
    Product,
    coefficient,
    fill,
    hadamard,
    is_zero,
    matmul,
    ones,
    scale,
    zeros,
)

__all__ = ["Power", "Transposed", "denominator", "power", "transpose"]


class Power(Node, HadamardPower):
    """An element-by-element integer power."""

    ink = 2

    @staticmethod
    def rebuilt(base: Expr, exponent: Any) -> Expr:
        """The power of another base; 1/0 stays what it is: the checks are to find it."""
        if is_zero(base) and exponent < 0:
            # `subs` may put zeros under a negative power: the expression stays, and has no value.
            return make(Power, base, exponent)
        return power(base, int(exponent))

    def evaluated(self, at: PointValues) -> Any:
        """By products only, and a quotient: these are exact in every arithmetic."""
        base, exponent = at(self.args[0]), int(self.args[1])
        result = _repeated(base, abs(exponent))
        return 1 / result if exponent < 0 else result

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """The power of the interval."""
        exponent = int(self.args[1])
        result = raised(within(self.args[0]), abs(exponent))
        return result.reciprocal() if exponent < 0 else result


def _repeated(base: Any, count: int) -> Any:
    """Base to a positive power by squaring."""
    if count == 1:
        return base
    half = _repeated(base, count // 2)
    return half * half * base if count % 2 else half * half


def power(x: Expr, exponent: int) -> Expr:
    """Each entry to a power, a whole number."""
    if S(exponent) != int(exponent):
        raise ValueError(f"power: the exponent {exponent} is not a whole number")
    if is_zero(x) and exponent < 0:
        raise ValueError("power: division by zero")
    if exponent == 1:
        return x
    number, rest = coefficient(x)
    if exponent == 0 or isinstance(rest, OneMatrix):
        return scale(S(number) ** exponent, ones(x.shape))
    if isinstance(rest, Fill):
        return scale(number**exponent, fill(power(rest.operand, exponent), rest.shape))
    # (x²)³ is x⁶; a bracket around a power would be printed.
    if isinstance(rest, Power):
        return scale(number**exponent, power(rest.args[0], int(rest.args[1]) * exponent))
    return scale(number**exponent, make(Power, rest, Integer(exponent)))


def denominator(factor: Expr) -> Expr | None:
    """What a factor such as x⁻² divides by, here x²; None for a factor that does not divide."""
    if isinstance(factor, Fill):
        inner = denominator(factor.operand)
        return None if inner is None else fill(inner, factor.shape)
    if isinstance(factor, Power) and factor.args[1] < 0:
        return power(factor.args[0], -int(factor.args[1]))
    return None


class Transposed(Node, Transpose):
    """A transpose that stays where it was written."""

    ink = 3
    is_rearranged = True
    buries_scalars = True

    @staticmethod
    def rebuilt(x: Expr) -> Expr:
        """The transpose of another value."""
        return transpose(x)

    def evaluated(self, at: PointValues) -> Any:
        """The last two axes exchanged."""
        return at.arrays.swapaxes(at(self.args[0]), -1, -2)

    def enclosed(self, within: Callable[[Expr], Interval]) -> Interval:
        """What holds the entries of the operand."""
        return within(self.args[0])


def transpose(x: Expr) -> Expr:
    """The transpose; of a product, the transposes in reverse order; of a scalar multiple, that of the value."""
    number, rest = coefficient(x)
    # The same as their transposes.
    if is_scalar(rest) or isinstance(rest, Identity | DiagMatrix):
        return x
    if isinstance(rest, Transpose):
        return scale(number, rest.arg)
    if isinstance(rest, Ones):
        return scale(number, ones(rest.shape[::-1]))
    if is_zero(rest):
        return zeros(rest.shape[::-1])
    if isinstance(rest, Product):
        return scale(number, matmul(*(transpose(factor) for factor in reversed(rest.args))))
    if isinstance(rest, Fill):
        return scale(number, fill(rest.operand, rest.shape[::-1]))
    if isinstance(rest, Hadamard) and any(isinstance(factor, Fill) for factor in rest.args):
        scalars = [transpose(factor) for factor in rest.args if isinstance(factor, Fill)]
        others = [factor for factor in rest.args if not isinstance(factor, Fill)]
        return scale(number, hadamard(*scalars, *([transpose(hadamard(*others))] if others else [])))
    return scale(number, make(Transposed, rest))
