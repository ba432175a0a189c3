"""A layout at other sizes: every span is measured anew, by the axis of the cell that it is a piece of.

At one size a length says nothing of where it comes from; the layout does, because every tile is tied to a tile of the
cell, whose axes have names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from symrnn.errors import InputError
from symrnn.identification.candidates import SizedCell
from symrnn.identification.frames import LAST, WITH_INITIAL, SequenceFrame
from symrnn.identification.layout import Layout, Output
from symrnn.identification.tiles import Dims, Span, Tile

Measured = Mapping[Tile, Dims]
"""Tile -> its new lengths, axis by axis."""

_REMEDY = "\n  identify the function at sizes that differ and are larger than 1"


def resize(layout: Layout, sizes: Mapping[str, int]) -> Layout:
    """The same layout at other sizes.

    Args:
        layout: the layout.
        sizes: new sizes by name: the cell's own, such as "d_h", and "T" and "N"; the others stay.

    Raises:
        InputError: there is no such size, or what becomes of an array at it cannot be told from this layout.
    """
    old = layout.candidate.sized
    _check(layout, sizes)
    new = replace(old, sizes=tuple((name, sizes.get(name, length)) for name, length in old.sizes))
    frame = _resize_frame(layout, layout.frame, layout.input, new, sizes)
    others = [replace(o, frame=_resize_frame(layout, o.frame, o.input, new, sizes)) for o in layout.others]
    targets = dict(zip(old.tiles, new.tiles, strict=True))
    measured: dict[Tile, Dims] = {}
    for part in layout.parts:
        target = targets[part.target]
        lengths = [len(target.spans[axis]) for axis in part.target.own]
        measured[part.source] = _measure(part.source, lengths, part.transposed, ())
    for state in layout.states:
        lead = [frame.batch or 1 for _ in state.source.lead]
        measured[state.source] = _measure(state.source, _dims(old, new, state.state), state.transposed, lead)
    sources = _place(measured)
    return replace(
        layout,
        candidate=replace(layout.candidate, sized=new),
        frame=frame,
        parts=tuple(replace(p, target=targets[p.target], source=sources[p.source]) for p in layout.parts),
        states=tuple(replace(state, source=sources[state.source]) for state in layout.states),
        outputs=_resize_outputs(layout, new, frame),
        others=tuple(others),
        alike=tuple(tuple(sources[tile] for tile in group) for group in layout.alike),
    )


def _check(layout: Layout, sizes: Mapping[str, int]) -> None:
    known = {**layout.sizes, "T": layout.frame.steps, "N": layout.frame.batch}
    for name, length in sizes.items():
        if name not in known:
            raise InputError(f"no size is called {name!r}\n  there are {', '.join(known)}")
        if length < 1:
            raise InputError(f"{name}: expected a positive number, got {length}")
        if known[name] is None and length != 1:
            raise InputError(f"{name} = {length}: the callable has no such axis")
        # An axis of length 1 leaves no trace in a tile, so it is not known where it would have to grow.
        if known[name] == 1 and length != 1:
            raise InputError(f"{name} = {length}: which axes have this length cannot be told, since it was 1{_REMEDY}")


def _resize_frame(
    layout: Layout, frame: SequenceFrame, name: str, new: SizedCell, sizes: Mapping[str, int]
) -> SequenceFrame:
    (features,) = new.shapes[name] or (1,)
    lengths = {"D": features, **{role: sizes[role] for role in "TN" if role in sizes}}
    shape = tuple(lengths.get(role, length) for role, length in zip(frame.axes, frame.shape, strict=True))
    return replace(frame, shape=shape, hidden=new.shapes[layout.cell.states[0]][0])


def _dims(old: SizedCell, new: SizedCell, state: str) -> list[int]:
    """The new lengths of those axes of a state that a tile of it has."""
    # Axes of length 1 are left out, as a tile's own axes leave them out: both must pair one to one.
    return [length for before, length in zip(old.shapes[state], new.shapes[state], strict=True) if before > 1]


def _measure(tile: Tile, own: list[int], transposed: bool, lead: Iterable[int]) -> Dims:
    """The new length of every axis of a tile; axes of length 1 stay."""
    lengths = [1] * len(tile.spans)
    for axis, length in zip(tile.own, own[::-1] if transposed else own, strict=True):
        lengths[axis] = length
    for axis, length in zip(tile.lead, lead, strict=True):
        lengths[axis] = length
    return tuple(lengths)


def _place(measured: Measured) -> dict[Tile, Tile]:
    """Tiles of new lengths in the places that they have among the others of their array."""
    by_array: dict[str, list[Tile]] = {}
    for tile in measured:
        by_array.setdefault(tile.array, []).append(tile)
    found = {}
    for name, tiles in by_array.items():
        axes = [_place_axis(name, axis, tiles, measured) for axis in range(len(tiles[0].spans))]
        for tile in tiles:
            spans = tuple(places[span] for places, span in zip(axes, tile.spans, strict=True))
            found[tile] = replace(tile, spans=spans)
    return found


def _place_axis(name: str, axis: int, tiles: list[Tile], measured: Measured) -> dict[Span, Span]:
    """The spans of one axis of an array, and their new places."""
    lengths: dict[Span, set[int]] = {}
    for tile in tiles:
        lengths.setdefault(tile.spans[axis], set()).add(measured[tile][axis])
    spans = sorted(lengths)
    if any(len(found) > 1 for found in lengths.values()):
        raise InputError(f"{name}: axis {axis} holds pieces that would have different lengths{_REMEDY}")
    new = [found.pop() for found in (lengths[span] for span in spans)]
    # Interleaved gates all grow together, and keep their stride, which is the number of gates.
    if spans[0].step > 1:
        return {s: Span(s.start, n * s.step, s.step) for s, n in zip(spans, new, strict=True)}
    # A gap is filled by something that is no state; how it grows with the sizes cannot be known.
    if [span.start for span in spans] != [0, *(span.stop for span in spans[:-1])]:
        raise InputError(f"{name}: what is beside the states along axis {axis} is not known{_REMEDY}")
    ends = np.cumsum(new).tolist()
    return {s: Span(end - n, end) for s, n, end in zip(spans, new, ends, strict=True)}


def _resize_outputs(layout: Layout, new: SizedCell, frame: SequenceFrame) -> tuple[Output, ...]:
    measured = {}
    for output in layout.outputs:
        view = output.view
        steps = [] if view.when == LAST else [(frame.steps or 1) + (view.when == WITH_INITIAL)]
        lead = [*steps, *([frame.batch or 1] if view.batched else [])]
        own = _dims(layout.candidate.sized, new, output.state)
        measured[view.tile] = _measure(view.tile, own, view.transposed, lead)
    placed = _place(measured)
    return tuple(replace(one, view=replace(one.view, tile=placed[one.view.tile])) for one in layout.outputs)
