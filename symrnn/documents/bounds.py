"""A bound of a norm as a formula."""

from __future__ import annotations

from fractions import Fraction

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Variable
from symrnn.calculus.norms import Bound, NormFactor
from symrnn.documents.setting import Setting
from symrnn.documents.structure import ZERO, Maths


def show_bound(setting: Setting, bound: Bound) -> Maths:
    """A bound as a formula."""
    parts = [_term(setting, sizes, number) for sizes, number in bound.terms.items()]
    return Maths.joined(parts or [ZERO], " + ")


def is_symbol(bound: Bound) -> bool:
    """Whether an exponent can stand behind it without brackets: of one size, or of a whole number."""
    if len(bound.terms) != 1:
        return False
    ((sizes, number),) = bound.terms.items()
    return len(sizes) == 1 and number == 1 if sizes else number.denominator == 1


def _term(setting: Setting, sizes: tuple[NormFactor, ...], number: Fraction) -> Maths:
    parts = [] if number == 1 and sizes else [_fraction(number)]
    parts += [_size(setting, size) for size in sizes]
    return Maths.joined(parts, r" \, ", " ")


def _fraction(number: Fraction) -> Maths:
    if number.denominator == 1:
        return Maths(str(number), str(number))
    return Maths(rf"\frac{{{number.numerator}}}{{{number.denominator}}}", str(number))


def _size(setting: Setting, size: NormFactor) -> Maths:
    shown = setting.maths(size.of)
    if size.measure == "norm" and isinstance(size.of, Variable) and size.of.shape[1] != 1 and size.of.time is None:
        return Maths(rf"\sigma_{{\max}}({shown.latex})", f"σ_max({shown.text})")
    if nodes.is_scalar(size.of):
        return Maths(rf"\left\lvert {shown.latex} \right\rvert", f"|{shown.text}|")
    mark = (r"_{\infty}", "_∞") if size.measure == "largest" else ("", "")
    return Maths(rf"\lVert {shown.latex} \rVert{mark[0]}", f"‖{shown.text}‖{mark[1]}")
