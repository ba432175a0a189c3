"""Arrays that a forward pass does not read, as parameters of its cell: there may be gradients of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from symrnn.arrays import Array
from symrnn.identification.layout import Layout, ParameterPart
from symrnn.identification.refining import gates_of
from symrnn.identification.tiles import Span, Tile


def with_unread(layout: Layout, arrays: Mapping[str, Array]) -> Layout:
    """A layout in which arrays that forward does not read are the parameters that it lacks, where only one way fits.

    Args:
        layout: the layout that forward has.
        arrays: all of its arrays by name.
    """
    for name, array in arrays.items():
        lacking = [target for target in layout.candidate.sized.tiles if target.array in layout.missing]
        if name in layout.names or not lacking:
            continue
        shape = np.shape(array)
        fitting = [parts for parts in _ways(layout, name, shape, lacking) if parts]
        # Two ways that fit would be a guess, and a wrong one a false finding.
        if len(fitting) == 1:
            known = {part.target.array for part in fitting[0]}
            missing = tuple(parameter for parameter in layout.missing if parameter not in known)
            layout = replace(layout, parts=(*layout.parts, *fitting[0]), missing=missing)
    return layout


def _ways(
    layout: Layout, name: str, shape: Sequence[int], lacking: Sequence[Tile]
) -> Iterator[tuple[ParameterPart, ...]]:
    """The parameters that an array may be: one of its shape, or the gates' in the order that other arrays have."""
    dims = tuple(length for length in shape if length != 1)
    whole = Tile(name, tuple(Span(0, length) for length in shape))
    turned = any(part.transposed for part in layout.parts)
    for target in lacking:
        if target.dims == dims:
            yield (ParameterPart(target, whole, turned and len(dims) == 2),)
    order = _order(layout)
    gate_of = gates_of(layout.cell)
    stacked = sorted((t for t in lacking if gate_of[t.array] in order), key=lambda t: order[gate_of[t.array]])
    axis = next((axis for axis, length in enumerate(shape) if length != 1), 0)
    alike = len({target.dims for target in stacked}) == 1 and len(dims) == 1
    if alike and len(stacked) == len(order) > 1 and len(stacked[0].dims) == 1:
        length = stacked[0].dims[0]
        if length * len(stacked) == dims[0]:
            ends = [(place * length, (place + 1) * length) for place in range(len(stacked))]
            spans = [tuple(Span(*end) if a == axis else s for a, s in enumerate(whole.spans)) for end in ends]
            yield tuple(ParameterPart(target, Tile(name, own)) for target, own in zip(stacked, spans, strict=True))


def _order(layout: Layout) -> dict[int, int]:
    """Gate -> its place in the arrays that hold several gates."""
    gate_of = gates_of(layout.cell)
    for parts in layout.sources.values():
        gates = [gate_of[part.target.array] for part in parts]
        if len(set(gates)) == len(gates) > 1:
            return {gate: place for place, gate in enumerate(gates)}
    return {}
