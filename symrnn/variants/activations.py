"""Another function in an equation, or none."""

from __future__ import annotations

from symrnn.algebra.functions import FUNCTIONS
from symrnn.language.recurrence import Cell
from symrnn.variants.draft import Draft
from symrnn.variants.expressions import call, function_of, rewrite


def with_activation(cell: Cell, name: str, function: str) -> Cell:
    """The cell with another function in one equation: `with_activation(rnn, "h", "relu")`.

    Args:
        cell: the cell.
        name: the target of an equation that calls one function of one argument; that call is changed.
        function: an elementwise function of one argument.

    Raises:
        InputError: there is no such equation or function.
    """
    draft = Draft.of("with_activation", cell)
    if function not in FUNCTIONS or FUNCTIONS[function].arity != 1:
        there = ", ".join(row.name for row in FUNCTIONS.values() if row.arity == 1)
        raise draft.refuse(f"cannot use {function!r}: it is no function of one argument", f"there are {there}")
    old = draft.activation(name)
    value = rewrite(draft.line(name).value, lambda part: call(function, *old.args) if part is old else None)
    return draft.with_value(name, value).said(function, f"{function} instead of {function_of(old)} in {name}").cell()


def without_activation(cell: Cell, name: str) -> Cell:
    """The cell with the identity instead of the function in one equation.

    Args:
        cell: the cell.
        name: the target of an equation that calls one function of one argument.

    Raises:
        InputError: there is no such equation.
    """
    draft = Draft.of("without_activation", cell)
    old = draft.activation(name)
    value = rewrite(draft.line(name).value, lambda part: old.args[0] if part is old else None)
    return draft.with_value(name, value).said(f"linear_{name}", f"no {function_of(old)} in {name}").cell()
