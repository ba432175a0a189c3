"""Everything that is tried to mend a statement: a table of generators, each for one kind of slip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from symrnn.repairs import calls, factors, flow, operands, terms
from symrnn.repairs.edits import SourceEdit
from symrnn.repairs.site import Site

Generator = Callable[[Site], Iterator[SourceEdit]]
"""What is tried for one kind of slip."""

GENERATORS: Mapping[Generator, int] = {
    operands.shift_indices: 1,
    operands.transpose: 1,
    flow.accumulate: 1,
    terms.flip_signs: 1,
    calls.mend_calls: 1,
    flow.always: 1,
    flow.delete: 1,
    factors.drop_factors: 1,
    flow.loops: 2,
    factors.other_slopes: 2,
    factors.rescale: 2,
    factors.gather: 2,
    terms.drop_terms: 2,
    operands.swap_operands: 3,
    operands.unequal_sides: 3,
    operands.reverse: 3,
    factors.multiply: 3,
    terms.add_terms: 3,
    terms.replace_zeros: 3,
    calls.activate: 4,
    factors.scale_after: 4,
    terms.add_siblings: 4,
    terms.add_scaled: 4,
    terms.add_products: 6,
    terms.replace_by_products: 6,
    terms.add_sums: 5,
    flow.one_hot: 6,
}
"""Everything that is tried, each for one kind of slip -> the least cost of its edits."""
FOR_PAIRS = (
    operands.shift_indices,
    operands.transpose,
    flow.accumulate,
    terms.flip_signs,
    calls.mend_calls,
    flow.always,
)
"""What is tried two at a time: the slips of one token, which are few enough."""
AROUND = (flow.loops, flow.always, factors.scale_after)
"""What mends the order and the number of steps, and puts in statements that scale what another has computed."""
UNCLIPPING = (flow.delete, calls.mend_calls)
"""What leaves out a clip, among others."""


def edits_of(make: Generator, site: Site) -> Iterator[SourceEdit]:
    """A generator's edits; an odd statement is no reason to give up the others."""
    try:
        yield from make(site)
    except (ValueError, RecursionError, AttributeError):
        return
