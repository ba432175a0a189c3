"""A derivation of what has to hold whatever the numbers of a cell's constants are."""

from __future__ import annotations

from symrnn.calculus.derivation import Derivation, derivation_of, derive
from symrnn.language.constants import opened
from symrnn.language.recurrence import Cell


def for_every_number(cell: Cell | Derivation | str) -> Derivation:
    """The derivation in which the cell's constants are parameters: its equations are the cell's, and more.

    Args:
        cell: the cell, its name, or its derivation, whose rules are kept.
    """
    derivation = derivation_of(cell)
    return derive(opened(derivation.cell), derivation.rules) if derivation.cell.constants else derivation
