"""A derivation in the weights of a notation: one matrix on the joined vector [h; x], or one for each part.

The cell is rewritten before it is derived, so that gradients and Jacobians are those of what is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from symrnn.calculus.derivation import Derivation, derive
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell
from symrnn.printers.notation import Notation
from symrnn.variants import with_concatenated_weights, with_split_weights

_CHANGES: Mapping[str, Callable[[Cell], Cell]] = MappingProxyType(
    {
        "split": with_split_weights,
        "hx": partial(with_concatenated_weights, order="hx"),
        "xh": partial(with_concatenated_weights, order="xh"),
    }
)


def with_weights_of(derivation: Derivation, notation: Notation) -> Derivation:
    """The derivation of the same cell with the notation's weights; as it is where that changes nothing.

    Args:
        derivation: the derivation.
        notation: the notation; "given" leaves the weights as the author has them.
    """
    if notation.weights not in _CHANGES:
        return derivation
    cell = derivation.cell
    try:
        changed = _CHANGES[notation.weights](cell)
    except InputError:  # a cell without such products has nothing to join or to split
        return derivation
    # It is the author's cell all the same, and called so.
    return derive(replace(changed, name=cell.name, docstring=cell.docstring), derivation.rules)
