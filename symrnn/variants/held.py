"""A cell with some of its inputs held: as numbers, or as parameters that are the same at every step."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import replace

from symrnn.language.recurrence import Cell
from symrnn.variants.draft import Draft


def hold_inputs(cell: Cell, numbers: Mapping[str, float], moved: Collection[str]) -> Cell:
    """The same equations with fewer inputs.

    Args:
        cell: the cell.
        numbers: inputs that are scalars -> the number that they are.
        moved: inputs that become parameters.
    """
    draft = Draft.of("hold_inputs", cell)
    gone = {*numbers, *moved}
    annotations = {name: ", ".join(cell.shape_names(name)) or "()" for name in gone}
    held = replace(
        draft,
        positional={name: annotation for name, annotation in draft.positional.items() if name not in gone},
        parameters={**draft.parameters, **{name: annotations[name] for name in cell.inputs if name in gone}},
        constants={**draft.constants, **{name: ast.Constant(float(number)) for name, number in numbers.items()}},
    )
    return held.cell()
