"""Long tables of cases: some rows in the ordinary tests, the others where somebody has the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest


def thinned(rows: Iterable[Any], every: int) -> list[Any]:
    """The rows of a table for `parametrize`, of which the first of every so many is for the ordinary tests.

    The others carry the mark `long`.  A row for several arguments is a tuple.
    """
    return [row if number % every == 0 else _put_off(row) for number, row in enumerate(rows)]


def _put_off(row: Any) -> Any:
    return pytest.param(*(row if isinstance(row, tuple) else (row,)), marks=pytest.mark.long)


EVERY = 4
"""Of the tests in `SAMPLED` one row in so many is an ordinary test."""

SAMPLED: Mapping[str, Sequence[str]] = {
    "algebra/test_functions.py": (
        "test_every_digit_is_right_over_the_whole_range",
        "test_the_oracle_is_right_at_every_size_and_says_nothing",
    ),
    "calculus/test_growth.py": (
        "test_a_long_derivative_is_refused_with_the_number_of_its_paths",
        "test_the_printed_equations_give_the_derivative",
    ),
    "calculus/test_jacobian.py": ("test_what_is_held",),
    "calculus/test_parameters.py": ("test_the_sum_is_the_derivative",),
    "calculus/test_rtrl.py": (
        "test_rtrl_is_backpropagation_through_time",
        "test_what_has_no_step_is_a_sum_and_nothing_else_is",
    ),
    "calculus/test_second_order.py": ("test_hvp_agrees_with_autograd_twice",),
    "calculus/test_tangent.py": ("test_a_wrong_tangent_rule_is_caught_and_named",),
    "calculus/test_truncated.py": ("test_another_definition_is_caught",),
    "callables/test_styles.py": ("test_a_style",),
    "cells/test_extremes.py": (
        "test_extreme_inputs_give_right_numbers_without_a_warning",
        "test_real_time_learning_multiplies_no_zero_by_infinity",
    ),
    "cells/test_library.py": (
        "test_cell_passes_every_check",
        "test_derivation_is_written_in_every_form",
    ),
    "cli/test_listing.py": ("test_every_cell_has_a_page",),
    "diagnosis/test_blindspots.py": ("test_each_feature_hides_what_it_should",),
    "diagnosis/test_corpus.py": (
        "test_every_mistake_changes_a_gradient",
        "test_no_two_mistakes_are_the_same",
    ),
    "diagnosis/test_diagnose.py": (
        "test_particular_mistakes",
        "test_right_functions_have_no_mistake",
    ),
    "diagnosis/test_lines.py": ("test_the_line_that_was_changed_is_named",),
    "documents/test_compile.py": ("test_the_denominator_layout_compiles",),
    "documents/test_content.py": (
        "test_no_number_stands_for_two_equations",
        "test_the_header_states_the_layout",
    ),
    "documents/test_further.py": ("test_every_form_says_what_is_held",),
    "documents/test_showing.py": ("test_a_result_is_one_line_in_a_list_and_more_in_a_notebook",),
    "equivalence/test_equivalence.py": ("test_near_misses_are_told_apart_with_numbers",),
    "equivalence/test_stacked.py": ("test_a_stacked_cell_is_the_separate_one",),
    "equivalence/test_writings.py": ("test_the_verdict",),
    "gradients/test_certain.py": ("test_a_proved_mistake_is_a_mistake_without_a_cell",),
    "gradients/test_changing.py": ("test_a_change_inside_the_loop",),
    "gradients/test_check.py": ("test_blind_spots_are_measured",),
    "gradients/test_sentences.py": (
        "test_what_is_said_of_a_slip_in_the_loop_is_true",
        "test_what_is_said_of_changed_gradients_is_true",
        "test_what_is_wrong_in_a_corner_is_said_to_be",
    ),
    "identification/test_identify.py": ("test_every_cell_is_named_in_a_random_layout",),
    "identification/test_layout.py": ("test_arrays_is_the_inverse_of_params_x_and_state",),
    "language/test_as_written.py": ("test_cell_as_written_is_derived_and_verified",),
    "language/test_explicit.py": (
        "test_agrees_with_the_definition",
        "test_agrees_with_the_derivation",
        "test_is_ordinary_sympy",
    ),
    "losses/test_losses.py": ("test_a_slip_is_named",),
    "losses/test_readouts.py": (
        "test_a_right_layer_passes_and_is_recognised",
        "test_a_slip_before_the_readout_is_named",
    ),
    "measuring/test_verdicts.py": ("test_saturated_and_tiny_points_are_no_mistakes",),
    "mistakes/test_catalogue.py": (
        "test_a_class_makes_its_own_mistakes_or_says_what_finds_it",
        "test_every_mistake_says_what_it_is",
    ),
    "mistakes/test_examples.py": (
        "test_the_mistake_is_made_and_its_line_is_found",
        "test_what_no_class_makes_is_found_by_a_check",
    ),
    "pictures/test_pictures.py": ("test_odd_cells",),
    "printed/test_printed.py": (
        "test_every_line_of_a_lecture_is_true",
        "test_every_notation_says_the_same",
    ),
    "printers/test_vocabulary.py": ("test_cells_in_their_own_voices",),
    "program/test_passes.py": ("test_each_pass_keeps_the_results",),
    "proofs/test_formulas.py": (
        "test_every_function_of_the_language_can_be_claimed_about",
        "test_true",
        "test_what_the_language_has_stands_in_claims",
    ),
    "proofs/test_theorems.py": ("test_what_is_proved",),
    "repairs/test_repair.py": ("test_a_slip_is_mended_named_and_shown",),
    "runs/test_rounding.py": ("test_an_error_larger_than_rounding_is_found",),
    "sameness/test_certain.py": ("test_the_sign_of_what_is_positive_is_never_refuted",),
    "sameness/test_sameness.py": (
        "test_cells_are_told_apart_with_numbers",
        "test_every_function_that_jumps_or_has_a_domain_is_delicate",
        "test_what_is_the_same_is_proved_by_all",
    ),
    "targets/test_random_modules.py": ("test_generated_modules_mean_what_the_text_says",),
    "test_characters.py": (
        "test_characters_in_the_text_of_a_cell",
        "test_docstrings",
    ),
    "verification/test_forward_mode.py": (
        "test_generated_functions_are_right",
        "test_no_operation_of_the_text_can_be_wrong",
    ),
    "verification/test_functions_in_cells.py": ("test_it_goes_all_the_way",),
    "verification/test_jointly.py": (
        "test_one_wrong_backward_equation_is_caught_and_named",
        "test_one_wrong_entry_of_one_jacobian_is_caught_and_named",
        "test_one_wrong_gradient_of_the_code_is_caught_and_named",
    ),
    "verification/test_planted_rules.py": ("test_a_wrong_rule_is_caught_and_named",),
    "verification/test_verify.py": (
        "test_a_wrong_forward_equation_is_named",
        "test_any_wrong_backward_equation_is_named_alone",
        "test_every_cell_passes",
        "test_no_seed_raises_a_false_alarm",
    ),
}
"""File -> tests whose rows are alike, and that take seconds: most go through all cells, operators or slips."""


def put_off_rows(items: Iterable[pytest.Item]) -> None:
    """Mark the other rows of the tests in `SAMPLED`."""
    seen: Counter[str] = Counter()
    for item in items:
        path, _, rest = item.nodeid.removeprefix("tests/").partition("::")
        name = rest.partition("[")[0]
        if name in SAMPLED.get(path, ()) and item.get_closest_marker("long") is None:
            if seen[f"{path}::{name}"] % EVERY:
                item.add_marker(pytest.mark.long)
            seen[f"{path}::{name}"] += 1
