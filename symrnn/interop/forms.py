"""What the library's cells are to one another: the same function in other parameters, or not.

Two cells compute the same function when a map of their parameters exists.  The maps between the cells of the
conventions are few: a second bias is zero or added to the first, a gate that weighs the other side changes its sign,
peepholes that are absent are zero, a projection that is absent is the identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from symrnn import cells
from symrnn.arrays import Array
from symrnn.cells.finding import find_cell
from symrnn.errors import InputError, UnknownNameError
from symrnn.interop.conventions import slot
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class FunctionalForm:
    """How a cell relates to the others of its function.

    Attributes:
        function: cells with the same text have the same function, up to a map of parameters.
        reset: where the reset gate acts, for cells that have one.
        update: what the update gate weighs, for cells that have one.
        negated: gates whose weights and biases have the opposite sign here.
        apart: gates whose two biases are not merely added.
        projection: the name of the output's matrix.
    """

    function: str
    reset: str = "none"
    update: str = "none"
    negated: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    projection: str = ""


_BEFORE = "before the product: U_n (r * h)"
_AFTER = "after the product: r * (U_n h)"
_OLD, _NEW = "the old state", "the candidate"
_RNN, _RELU, _LSTM = FunctionalForm("rnn with tanh"), FunctionalForm("rnn with relu"), FunctionalForm("lstm")
_GRU_BEFORE = FunctionalForm("gru, reset before the product", _BEFORE, _OLD)
_GRU_BEFORE_NEW = replace(_GRU_BEFORE, update=_NEW, negated=frozenset("z"))
_GRU_AFTER = FunctionalForm("gru, reset after the product", _AFTER, _OLD, apart=frozenset("n"))
_GRU_AFTER_NEW = replace(_GRU_AFTER, update=_NEW, negated=frozenset("z"))
_PROJECTED = replace(_LSTM, projection="W_h")

FORMS: Mapping[str, FunctionalForm] = {
    "rnn": _RNN,
    "rnn_two_biases": _RNN,
    "rnn_relu": _RELU,
    "rnn_relu_two_biases": _RELU,
    "lstm": _LSTM,
    "lstm_no_bias": _LSTM,
    "lstm_two_biases": _LSTM,
    "lstm_peephole": _LSTM,
    "lstm_peephole_two_biases": _LSTM,
    "lstm_projected": _PROJECTED,
    "lstm_projected_two_biases": _PROJECTED,
    "lstm_odyssey_vanilla": _LSTM,
    "lstm_odyssey_np": _LSTM,
    "gru": _GRU_BEFORE_NEW,
    "gru_no_bias": _GRU_BEFORE_NEW,
    "gru_two_biases": _GRU_BEFORE_NEW,
    "gru_zold": _GRU_BEFORE,
    "gru_zold_no_bias": _GRU_BEFORE,
    "gru_zold_two_biases": _GRU_BEFORE,
    "gru_reset_after": _GRU_AFTER,
    "gru_reset_after_no_bias": _GRU_AFTER,
    "gru_reset_after_one_bias": _GRU_AFTER,
    "gru_reset_after_two_biases": _GRU_AFTER,
    "gru_reset_after_zcandidate": _GRU_AFTER_NEW,
    "gru_reset_after_zcandidate_no_bias": _GRU_AFTER_NEW,
    "gru_reset_after_zcandidate_one_bias": _GRU_AFTER_NEW,
    "gru_reset_after_zcandidate_two_biases": _GRU_AFTER_NEW,
    "mgu_flax": FunctionalForm(
        "mgu, reset after the product", "after the product: f * (U_n h)", _OLD, apart=frozenset("n")
    ),
}
"""Library cell -> its form.  What is not here has no counterpart among the frameworks' layers."""


class NoImageError(InputError):
    """These parameters have no exact image in the other layout; the text says which, and why."""


def resolve(cell: Cell | str) -> Cell:
    """The library's cell with this name, or this cell if it is the library's.

    Raises:
        UnknownNameError: the cell is not in the table of forms.
        InputError: the cell has a library cell's name and other equations.
    """
    cell = find_cell(cell)
    name = cell.name
    if name not in FORMS:
        raise UnknownNameError(
            f"the cell {name!r} has no counterpart in a framework\n  cells that have are {', '.join(FORMS)}"
        )
    known = cells.lookup(name)
    # By its equations: a docstring or a file of one's own changes nothing.
    if (cell.body, cell.parameters) != (known.body, known.parameters):
        raise InputError(
            f"this cell {name!r} is not the library's: its equations differ\n  write it as cells.{name}, or rename it"
        )
    return known


def lost(source: Cell, target: Cell) -> dict[str, str]:
    """The source's parameters without a place in the target: name -> the value with which nothing is lost.

    Args:
        source: the cell that the parameters belong to.
        target: a cell of the same function.
    """
    form = FORMS[source.name]
    found = {}
    for name in source.parameters:
        side, _, gate = name.partition("_")
        summed = side == "c" and slot("b", gate) in target.parameters and gate not in form.apart
        if name not in target.parameters and not summed:
            found[name] = "the identity" if name == form.projection else "zero"
    return found


def carry(source: Cell, target: Cell, params: Mapping[str, Array]) -> dict[str, Array]:
    """The target's parameters with which it computes what the source computes.

    Args:
        source: the cell that the parameters belong to.
        target: the cell that should compute the same.
        params: the source's parameters.

    Raises:
        NoImageError: the functions differ, or a parameter that would be dropped is not neutral.
    """
    ours, theirs = FORMS[source.name], FORMS[target.name]
    if ours.function != theirs.function:
        raise NoImageError(f"no weights make {target.name} ({theirs.function}) compute {source.name} ({ours.function})")
    for name, neutral in lost(source, target).items():
        _require(name, params[name], neutral)
    return {name: _carry_parameter(name, source, target, params) for name in target.parameters}


def _require(name: str, value: Array, neutral: str) -> None:
    """A parameter that has no place must be neutral."""
    square = value.ndim < 2 or value.shape[0] == value.shape[1]
    wanted = np.eye(*value.shape) if neutral == "the identity" else np.zeros(value.shape)
    # Exactly: a bias of 1e-9 that is dropped is a change of the function, if a small one.
    if not square or not np.array_equal(value, wanted):
        off = f"it is off by up to {np.abs(value - wanted).max():.3g}" if square else f"its shape is {value.shape}"
        raise NoImageError(f"{name} has no place there, so {name} must be {neutral}: {off}")


def _carry_parameter(name: str, source: Cell, target: Cell, params: Mapping[str, Array]) -> Array:
    """One parameter of the target, from those of the source."""
    side, _, gate = name.partition("_")
    ours, theirs = FORMS[source.name], FORMS[target.name]
    if name not in params:
        # What the source does not have is made in the type and size of what it has.
        like = next(value for key, value in params.items() if key.startswith("W"))
        size, dtype = like.shape[0], like.dtype
        return np.eye(size, dtype=dtype) if name == theirs.projection else np.zeros(size, dtype)
    value, second = params[name], slot("c", gate)
    if side == "b" and second in params and second not in target.parameters:
        value = value + params[second]
    return -value if gate and (gate in ours.negated) != (gate in theirs.negated) else value
