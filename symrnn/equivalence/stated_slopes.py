"""Whether two cells with the same values have the same derivatives, where one of them states its own.

`stop_gradient(v)` has the value of v and the slope 0: a verdict about values says nothing of that.  Both authors' texts
are run with a complex step, which carries stated slopes as it does others.

Source: Martins, Sturdza & Alonso (2003), The complex-step derivative approximation, ACM TOMS 29(3).
"""

from __future__ import annotations

import numpy as np
from sympy import preorder_traversal

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.equivalence.under_a_map import CellsThere, MappedCells, argument_shapes
from symrnn.language.recurrence import Cell
from symrnn.runs.numbers import FLOATS

# Where slopes differ they do so almost everywhere; a straight-through estimator may agree on one side of its kink.
_POINTS = 5
_APART = 1e-6
"""Beyond this share of the slopes a difference is none of rounding: a stated slope is another function."""


def stated_functions(cell: Cell) -> tuple[str, ...]:
    """The functions in a cell whose derivative is stated."""
    parts = (part for equation in cell.body for part in preorder_traversal(equation.value))
    names = (part.name for part in parts if isinstance(part, nodes.Act))
    return tuple(dict.fromkeys(name for name in names if FUNCTIONS[name].stated))


def describe_derivatives(pair: MappedCells, seed: int) -> str:
    """A sentence where two cells with the same values have different derivatives; empty where none states any.

    Args:
        pair: the cells under a map by which they agree.
        seed: of the random numbers.
    """
    cells = pair.found.target, pair.found.source
    stated = [(cell.name, names) for cell in cells if (names := stated_functions(cell))]
    if not stated or not _differ(pair, np.random.default_rng(seed)):
        return ""
    reasons = (f"{' and '.join(names)} in {name}" for name, names in stated)
    return f"but their derivatives differ: those of {', and of '.join(reasons)} are stated, not those of the value"


def _differ(pair: MappedCells, rng: np.random.Generator) -> bool:
    for _ in range(_POINTS):
        moved = {
            name: FLOATS.move(rng.standard_normal(shape), rng.standard_normal(shape))
            for name, shape in argument_shapes(pair.layout).items()
        }
        # A linear map carries a complex step along.
        arguments = pair.found.apply(moved, pair.layout, float)
        with np.errstate(all="ignore"):
            there = CellsThere(pair, (arguments, moved), FLOATS)
            for ours, theirs in zip(there.side(0), there.side(1), strict=True):
                a, b = FLOATS.rate(ours), FLOATS.rate(theirs)
                if np.any(np.abs(a - b) > _APART * (1 + np.abs(a) + np.abs(b))):
                    return True
    return False
