"""The catalogue: one generator for a class of mistakes, for the backward pass of any cell.

Nothing here knows a cell by name; the slopes of its activations, its gates and its weights are found in its derivation.
"""

from __future__ import annotations

from symrnn.mistakes.factors import complements, extra_factors, missing_factors, wrong_numbers
from symrnn.mistakes.loops import means, stale, stale_in_one_place, stale_on_the_way, starts, starts_in_one_place, sums
from symrnn.mistakes.memory import changed_in_place
from symrnn.mistakes.mismatch import other_cells
from symrnn.mistakes.mistake import Generator
from symrnn.mistakes.paths import (
    cut_paths,
    extra_terms,
    ignored_outputs,
    missing_terms,
    moved_in_time,
    only_terms,
    partial_adjoints,
    terms_of_others,
)
from symrnn.mistakes.slopes import across_steps, bare_activations, wrong_slopes
from symrnn.mistakes.variables import (
    exchanged,
    exchanged_states,
    mixed_up,
    of_other_steps,
    parts_for_wholes,
    single_places,
    transposes,
    wholes_for_parts,
    wrong_blocks,
    wrong_sides,
    wrong_variables,
)

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
    parts_for_wholes,
    of_other_steps,
    transposes,
    wrong_sides,
    across_steps,
    starts,
    starts_in_one_place,
    sums,
    means,
    stale,
    stale_in_one_place,
    stale_on_the_way,
    exchanged,
    exchanged_states,
    mixed_up,
    changed_in_place,
)
"""What people really get wrong."""

WIDE: tuple[Generator, ...] = (
    extra_terms,
    terms_of_others,
    extra_factors,
    single_places,
    wholes_for_parts,
    wrong_blocks,
    other_cells,
)
"""What is tried where none of these explains the gradients."""
