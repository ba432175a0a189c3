"""Layers: a cell on top of itself is a cell again, whose states are those of every layer, the last layer's first.

The input of a layer is the output of the one below it, under a name of its own, so that a derivation shows what one
layer hands to the other: with x_2 = h_1, δh_1 receives δx_2, which is the loss's part of it as seen from below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symrnn.language.recurrence import Cell
from symrnn.variants.draft import Draft, DraftLine
from symrnn.variants.expressions import name as name_of
from symrnn.variants.expressions import replace_names

_MOST = 8
"""More layers than this are no document that anybody reads; the equations of one more are those of the last."""


def stack(cell: Cell | str, layers: int = 2) -> Cell:
    """A network of several layers of one cell, each with parameters of its own, as one cell.

    Args:
        cell: the cell, or its name; the input of a layer above the first is the first state of the one below it.
        layers: the number of layers.

    Returns:
        The cell.  Layer 2's names end in `_2`: its parameters are `W_f_2`, `U_f_2`, its states `h_2`, `c_2`.

    Raises:
        InputError: there are too few or too many layers, or the cell has not one input of one column.
        CellError: the sizes do not fit: the cell's input cannot be as wide as its output.
    """
    draft = Draft.of("stack", cell)
    if layers == 1:
        return draft.origin
    if not 1 < layers <= _MOST:
        raise draft.refuse(f"cannot have {layers} layers", f"ask for 1 to {_MOST}")
    if len(draft.inputs) != 1:
        raise draft.refuse(f"has {len(draft.inputs)} inputs", "layers need one, which the layer below computes")
    (given,) = draft.inputs
    levels = [_level(draft, number) for number in range(1, layers + 1)]
    lines: list[DraftLine] = []
    for names, below in zip(levels, [None, *levels[:-1]], strict=True):
        if below is not None:
            lines.append(DraftLine(names[given], name_of(below[draft.states[0]])))
        put = {own: name_of(new) for own, new in names.items()}
        lines += [DraftLine(names[line.name], replace_names(line.value, put), line.annotation) for line in draft.lines]
    states = tuple(names[state] for names in reversed(levels) for state in draft.states)
    inputs = {levels[0][given]: draft.positional[given]}
    # Only the first state of all has a size that the language knows by itself.
    sizes = {state: ", ".join(draft.origin.shape_names(state)) or "()" for state in draft.states}
    carried = {names[state]: sizes[state] for names in reversed(levels) for state in draft.states}
    kept = {one: one for one in draft.constants}
    parameters = {
        kept.get(one, names[one]): annotation for names in levels for one, annotation in draft.parameters.items()
    }
    stacked = replace(draft, positional={**inputs, **carried}, parameters=parameters, lines=tuple(lines), states=states)
    return stacked.said(f"{layers}_layers", f"{layers} layers, of which each reads the output of the one below").cell()


def _level(draft: Draft, number: int) -> Mapping[str, str]:
    """What the names of the cell are in a layer; constants are the same in all of them."""
    names = {name: name if name in draft.constants else f"{name}_{number}" for name in draft.names}
    (given,) = draft.inputs
    # The first layer reads the network's input, which keeps its name.
    return {**names, given: given} if number == 1 else names
