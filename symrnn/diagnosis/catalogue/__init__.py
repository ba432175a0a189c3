"""The catalogue: one generator for a class of mistakes, for the backward pass of any cell.

Nothing here knows a cell by name; the slopes of its activations, its gates and its weights are found in its derivation.
"""

from __future__ import annotations

from symrnn.diagnosis.catalogue.factors import complements, extra_factors, missing_factors, wrong_numbers
from symrnn.diagnosis.catalogue.loops import (
    means,
    stale,
    stale_in_one_place,
    starts,
    starts_in_one_place,
    sums,
)
from symrnn.diagnosis.catalogue.memory import changed_in_place
from symrnn.diagnosis.catalogue.mismatch import other_cells
from symrnn.diagnosis.catalogue.paths import (
    cut_paths,
    extra_terms,
    ignored_outputs,
    missing_terms,
    moved_in_time,
    only_terms,
    partial_adjoints,
)
from symrnn.diagnosis.catalogue.slopes import bare_activations, wrong_slopes
from symrnn.diagnosis.catalogue.variables import (
    exchanged,
    mixed_up,
    single_places,
    transposes,
    wrong_sides,
    wrong_variables,
)
from symrnn.diagnosis.mistake import Generator

LIKELY: tuple[Generator, ...] = (
    cut_paths,
    ignored_outputs,
    missing_terms,
    only_terms,
    partial_adjoints,
    moved_in_time,
    wrong_slopes,
    bare_activations,
    missing_factors,
    wrong_numbers,
    complements,
    wrong_variables,
    transposes,
    wrong_sides,
    starts,
    starts_in_one_place,
    sums,
    means,
    stale,
    stale_in_one_place,
    exchanged,
    mixed_up,
    changed_in_place,
)
"""What people really get wrong."""

WIDE: tuple[Generator, ...] = (extra_terms, extra_factors, single_places, other_cells)
"""What is tried where none of these explains the gradients."""
