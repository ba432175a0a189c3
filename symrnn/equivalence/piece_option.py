"""What one piece of a target's parameters may be, made of the source's pieces: as a text and as a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from symrnn.arrays import Array
from symrnn.equivalence.parameter_uses import ParameterPiece
from symrnn.sameness.tower import TowerNumber


class _Form(NamedTuple):
    """What is done to a piece of the source: in the language of maps, and to its value."""

    text: str
    value: Callable[[Array], Array]


_FORMS = {
    "": _Form("{0}", lambda value: value),
    ".T": _Form("{0}.T", np.transpose),
    "diag": _Form("diag({0})", np.diag),
    "eye": _Form("diag({0} - {0} + 1)", lambda value: np.diag(0 * value + 1)),
}


@dataclass(frozen=True)
class PieceOption:
    """What one piece of the target may be: a sum of multiples of pieces of the source, and a number.

    Attributes:
        terms: pairs of a number and a piece.
        offset: a number added to every entry.
        form: "" as it is, ".T" transposed, "diag" a vector on the diagonal, "eye" ones as long as it on the diagonal.
    """

    terms: tuple[tuple[Fraction, ParameterPiece], ...]
    offset: Fraction = Fraction(0)
    form: str = ""

    def text(self) -> str:
        """The option in the language of maps."""
        shown = ""
        for number, piece in self.terms:
            one = _FORMS[self.form].text.format(piece.text)
            shown += _lead(number, shown) + _multiple(abs(number), one)
        if self.offset:
            shown += _lead(self.offset, shown) + _decimal(abs(self.offset))
        return shown or "0"

    def value(self, part: Callable[[ParameterPiece], Array]) -> Array:
        """The option's value, from those of the source's pieces."""
        result: Any = TowerNumber.of(self.offset)
        for number, piece in self.terms:
            formed = _FORMS[self.form].value(part(piece))
            result = result + (formed if number == 1 else TowerNumber.of(number) * formed)
        return np.asarray(result, dtype=object)


def _lead(number: Fraction, before: str) -> str:
    return (" - " if number < 0 else " + ") if before else "-" if number < 0 else ""


def _multiple(number: Fraction, text: str) -> str:
    top = text if number.numerator == 1 else f"{number.numerator} * {text}"
    return top if number.denominator == 1 else f"{top} / {number.denominator}"


def _decimal(number: Fraction) -> str:
    if number.denominator == 1:
        return str(number)
    return (
        repr(float(number)) if Fraction(repr(float(number))) == number else f"{number.numerator} / {number.denominator}"
    )
