"""How large a Jacobian can be: a bound on its spectral norm, from what is known of the entries of its factors.

‖A B‖ ≤ ‖A‖ ‖B‖, ‖A + B‖ ≤ ‖A‖ + ‖B‖, and ‖diag(v)‖ is the largest |v_i|.  Of a value between bounds its largest
entry is a number: 1/4 for f ⊙ (1 - f) with f in (0, 1), 1 for 1 - h² with h in (-1, 1).  What nothing bounds stays what
it is, ‖U‖ or the largest entry of c_{t-1}.  A bound holds whatever the numbers are; it need not be reached.

Source: Horn & Johnson (2013), Matrix Analysis, section 5.6; for element-by-element and Kronecker products, their Topics
in Matrix Analysis (1991), sections 5.5 and 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import isinf
from operator import add, mul
from types import MappingProxyType
from typing import Any, Literal

import sympy

from symrnn.algebra import nodes
from symrnn.algebra.enclosure import enclose
from symrnn.algebra.intervals import Interval, magnitude
from symrnn.algebra.nodes import Expr, Variable

Measure = Literal["norm", "largest"]
"""The largest singular value, which of a column is its length; or the largest absolute value of an entry."""


@dataclass(frozen=True)
class NormFactor:
    """How large an expression is, where only its numbers tell.

    Attributes:
        measure: in which sense.
        of: the expression.
    """

    measure: Measure
    of: Expr

    @property
    def is_steady(self) -> bool:
        """Whether it is the same at every step."""
        return all(v.time is None for v in nodes.variables(self.of))


@dataclass(frozen=True)
class Bound:
    """A sum of products of sizes, each with a number in front: never less than what it bounds.

    Attributes:
        terms: the sizes of a product -> the number in front of it, which is positive.
    """

    terms: Mapping[tuple[NormFactor, ...], Fraction]

    @classmethod
    def number(cls, value: Fraction | int) -> Bound:
        """A number, not negative."""
        return cls(MappingProxyType({(): Fraction(value)} if value else {}))

    @classmethod
    def size(cls, measure: Measure, of: Expr) -> Bound:
        """What an expression is as large as."""
        return cls(MappingProxyType({(NormFactor(measure, of),): Fraction(1)}))

    def __add__(self, other: Bound) -> Bound:
        sums = dict(self.terms)
        for key, number in other.terms.items():
            sums[key] = sums.get(key, Fraction(0)) + number
        return Bound(sums)

    def __mul__(self, other: Bound) -> Bound:
        products: dict[tuple[NormFactor, ...], Fraction] = {}
        for one, a in self.terms.items():
            for two, b in other.terms.items():
                # These are numbers, whose order means nothing: what is the same at every step stands last.
                key = tuple(sorted((*one, *two), key=_order))
                products[key] = products.get(key, Fraction(0)) + a * b
        return Bound(products)

    @property
    def constant(self) -> Fraction:
        """The number among the terms, below which the bound never is."""
        return self.terms.get((), Fraction(0))

    @property
    def is_number(self) -> bool:
        """Whether it is the same for all parameters and values."""
        return set(self.terms) <= {()}

    @property
    def is_steady(self) -> bool:
        """Whether it is the same at every step, of numbers and parameters alone."""
        return all(size.is_steady for key in self.terms for size in key)


def _order(size: NormFactor) -> tuple[bool, str, str]:
    return size.is_steady, str(size.of), size.measure


@dataclass(frozen=True)
class Norms:
    """Bounds of norms and of entries.

    Attributes:
        known: intervals of variables.
    """

    known: Mapping[Variable, Interval]

    # --- entries ---

    def interval(self, expr: Expr) -> Interval:
        """An interval that holds every entry; that of a polynomial in one value is as narrow as it can be."""
        plain = enclose(expr, self.known)
        parts = dict.fromkeys(_generators(expr))
        if len(parts) != 1:
            return plain
        (part,) = parts
        exact = _polynomial_range(expr, part, enclose(part, self.known))
        return plain if exact is None else plain.meet(exact)

    def largest(self, expr: Expr) -> Bound:
        """A bound on the absolute values of the entries."""
        found = magnitude(self.interval(expr)).high
        number, rest = nodes.coefficient(expr)
        factors = rest.args if isinstance(rest, nodes.Hadamard) else ()
        if not isinf(found) and not factors:
            return Bound.number(Fraction(found))
        if factors and number.is_Rational:
            # What reads one value belongs together: f ⊙ (1 - f) is at most 1/4, and each factor alone at most 1.
            bounds = [self._largest_part(nodes.hadamard(*group)) for group in _grouped(factors)]
            return reduce(mul, bounds, Bound.number(abs(nodes.fraction_of(number))))
        return self._largest_part(expr)

    def _largest_part(self, expr: Expr) -> Bound:
        found = magnitude(self.interval(expr)).high
        if not isinf(found):
            return Bound.number(Fraction(found))
        number, rest = nodes.coefficient(expr)
        if number != 1 and number.is_Rational:
            return Bound.number(abs(nodes.fraction_of(number))) * self.largest(rest)
        if isinstance(expr, nodes.Sum):
            return reduce(add, map(self.largest, expr.args))
        if isinstance(expr, nodes.Hadamard):
            return reduce(mul, map(self.largest, expr.args))
        if isinstance(expr, nodes.Fill):
            return self.largest(expr.operand)
        return Bound.size("largest", expr)

    # --- matrices ---

    def norm(self, expr: Expr) -> Bound:
        """A bound on the spectral norm of a matrix, which of a column or a row is its length."""
        if nodes.is_scalar(expr):
            return self.largest(expr)
        number, rest = nodes.coefficient(expr)
        if number != 1:
            if not number.is_Rational:
                return Bound.size("norm", expr)
            return Bound.number(abs(nodes.fraction_of(number))) * self.norm(rest)
        rule = _RULES.get(type(expr).__name__)
        return rule(self, expr) if rule else Bound.size("norm", expr)

    def _hadamard(self, expr: Expr) -> Bound:
        """‖s M‖ = |s| ‖M‖ of a repeated scalar; of other factors ‖A ⊙ B‖ ≤ ‖A‖ ‖B‖, of columns ≤ max |a_i| ‖b‖."""
        scalars = [factor.operand for factor in expr.args if isinstance(factor, nodes.Fill)]
        others = [factor for factor in expr.args if not isinstance(factor, nodes.Fill)]
        if not others:
            return Bound.size("norm", expr)
        in_front = self.largest(nodes.hadamard(*scalars)) if scalars else Bound.number(1)
        if expr.shape[1] != 1 and expr.shape[0] != 1:
            return reduce(mul, map(self.norm, others), in_front)
        bounded = [factor for factor in others if self.largest(factor).is_number]
        rest = [factor for factor in others if factor not in bounded] or [bounded.pop()]
        measured = nodes.hadamard(*rest)
        length = self.norm(measured) if not isinstance(measured, nodes.Hadamard) else Bound.size("norm", measured)
        return in_front * (self.largest(nodes.hadamard(*bounded)) if bounded else Bound.number(1)) * length


_RULES: Mapping[str, Callable[[Norms, Any], Bound]] = MappingProxyType(
    {
        "Zeros": lambda norms, x: Bound.number(0),
        "Eye": lambda norms, x: Bound.number(1),
        "Commutation": lambda norms, x: Bound.number(1),
        "Diag": lambda norms, x: norms.largest(x.args[0]),
        "Sum": lambda norms, x: reduce(add, map(norms.norm, x.args)),
        "Product": lambda norms, x: reduce(mul, map(norms.norm, x.args)),
        "Kronecker": lambda norms, x: reduce(mul, map(norms.norm, x.args)),
        "Hadamard": Norms._hadamard,
        "Transposed": lambda norms, x: norms.norm(x.arg),
        # Rows of a matrix have no larger norm than the whole; parts under one another at most the sum of theirs.
        "Slice": lambda norms, x: norms.norm(x.operand),
        "Stack": lambda norms, x: reduce(add, map(norms.norm, x.args)),
    }
)
"""A node -> the bound of its norm, from those of its operands; what has no row is as large as it is."""


# --- polynomials in one value -----------------------------------------------------------------------------------------


def _grouped(factors: tuple[Expr, ...]) -> list[list[Expr]]:
    """Factors that are polynomials in the same value together, each of the others alone."""
    groups: dict[Any, list[Expr]] = {}
    for factor in factors:
        parts = tuple(dict.fromkeys(_generators(factor)))
        groups.setdefault(parts if len(parts) == 1 else (parts, factor), []).append(factor)
    return list(groups.values())


def _generators(expr: Expr) -> list[Expr]:
    """What an entry-by-entry polynomial is one in."""
    _, rest = nodes.coefficient(expr)
    if isinstance(rest, nodes.Ones):
        return []
    if isinstance(rest, nodes.Sum | nodes.Hadamard):
        return [part for arg in rest.args for part in _generators(arg)]
    if isinstance(rest, nodes.Power) and rest.args[1] > 0:
        return _generators(rest.args[0])
    if isinstance(rest, nodes.Fill):
        return _generators(rest.operand)
    return [rest]


def _polynomial(expr: Expr, part: Expr, x: Any) -> Any:
    number, rest = nodes.coefficient(expr)
    if rest == part:
        return number * x
    if isinstance(rest, nodes.Ones):
        return number
    if isinstance(rest, nodes.Fill):
        return number * _polynomial(rest.operand, part, x)
    if isinstance(rest, nodes.Power):
        return number * _polynomial(rest.args[0], part, x) ** int(rest.args[1])
    combine = sympy.Add if isinstance(rest, nodes.Sum) else sympy.Mul
    return number * combine(*(_polynomial(arg, part, x) for arg in rest.args))


def _polynomial_range(expr: Expr, part: Expr, of: Interval) -> Interval | None:
    """The values of a polynomial on a bounded interval; None where its turning points are no fractions."""
    x = sympy.Symbol("x")
    try:
        polynomial = sympy.Poly(_polynomial(expr, part, x), x, domain="QQ")
    except sympy.PolynomialError:  # a size is among the numbers
        return None
    if polynomial.degree() < 1 or not of.is_bounded:
        return None
    turning = polynomial.diff(x).all_roots(multiple=True, radicals=False) if polynomial.degree() > 1 else []
    real = [root for root in turning if root.is_real]
    if not all(root.is_Rational for root in real):
        return None
    places = [*map(nodes.fraction_of, real), Fraction(of.low), Fraction(of.high)]
    within = [sympy.Rational(place.numerator, place.denominator) for place in places if of.low <= place <= of.high]
    values = [nodes.fraction_of(polynomial.eval(place)) for place in within]
    return Interval(min(values), max(values))
