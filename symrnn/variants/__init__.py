"""The algebra of variants: transformations of a cell that give a new, valid cell.

A transformation works on the checked syntax and writes a new text, which is read like any other: a variant is as
trustworthy as a written cell and has a `source` to read.  What does not apply to a cell is refused.
"""

from symrnn.variants.activations import with_activation, without_activation
from symrnn.variants.biases import with_one_bias, with_two_biases, without_biases
from symrnn.variants.gates import complemented, coupled, with_full_gate_recurrence, without_gate
from symrnn.variants.memory import with_peepholes, with_projection, without_peepholes
from symrnn.variants.naming import described, renamed
from symrnn.variants.reset import with_reset_after, with_reset_before
from symrnn.variants.weights import with_concatenated_weights, with_split_weights

__all__ = [
    "complemented",
    "coupled",
    "described",
    "renamed",
    "with_activation",
    "with_concatenated_weights",
    "with_full_gate_recurrence",
    "with_one_bias",
    "with_peepholes",
    "with_projection",
    "with_reset_after",
    "with_reset_before",
    "with_split_weights",
    "with_two_biases",
    "without_activation",
    "without_biases",
    "without_gate",
    "without_peepholes",
]
