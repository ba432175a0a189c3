"""A callable's own arrays, from a cell's parameters, sequence and states: a layout run backwards."""

from __future__ import annotations

from typing import Any

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.errors import InputError
from symrnn.identification.layout import Layout, ParameterPart
from symrnn.identification.tiles import Tile

# Of the numbers at which a sum of two arrays is split; fixed, so that the arrays are the same each time.
_SEED = 7


def own_arrays(
    layout: Layout,
    params: Arrays,
    x: Array,
    state: Arrays,
    inputs: Arrays,
) -> dict[str, Array]:
    """The callable's own arrays, from the cell's: the inverse of `layout.params`, `layout.x` and `layout.state`.

    Where the callable adds two arrays to one (two biases), the numbers are split at random, the same way each time.

    Args:
        layout: how the callable holds the cell.
        params: the cell's parameters.
        x: the sequence, (T, N, D); T and N may be others than those of `inputs`.
        state: initial states, each (N, ...); zeros where missing.
        inputs: the callable's arguments; what the layout does not read is copied as it is.

    Raises:
        InputError: the callable cannot hold these numbers: it has no such parameter or initial state, one state for all
            examples, or no axis for time or examples.
    """
    x = np.asarray(x, np.float64)
    _check_x(layout, x)
    arrays = {name: _keep(layout, name, value, x.shape[1]) for name, value in inputs.items()}
    arrays[layout.frame.x] = layout.frame.own(x)
    arrays |= _make_weights(layout, params)
    arrays |= _make_states(layout, {name: np.asarray(value, np.float64) for name, value in state.items()}, x.shape[1])
    return arrays


def _copy(value: Any) -> Any:
    """A copy in double precision of what is varied; anything else as it is."""
    real = isinstance(value, float) or getattr(getattr(value, "dtype", None), "kind", "") == "f"
    return np.array(value, np.float64) if real else value


def _keep(layout: Layout, name: str, value: Any, batch: int) -> Any:
    """What the layout does not read, copied; an initial state without effect gets as many examples as the others."""
    value = _copy(value)
    taken = {part.state for part in layout.states}
    idle = [dims for state, dims in layout.candidate.sized.state_dims.items() if state not in taken]
    old = layout.frame.batch
    if name in layout.names or old is None or sorted(np.shape(value)) not in [sorted((old, *dims)) for dims in idle]:
        return value
    # Examples are repeated in a circle: the values have no effect, only their number must fit.
    return np.take(value, np.arange(batch) % old, axis=np.shape(value).index(old))


def _check_x(layout: Layout, x: Array) -> None:
    if x.ndim != 3 or x.shape[2] != layout.frame.features:
        raise InputError(f"x: expected the shape (T, N, {layout.frame.features}), got {x.shape}")
    for role, length in zip("TN", x.shape, strict=False):
        if layout.frame.size(role) is None and length != 1:
            kind = {"T": "steps", "N": "examples"}[role]
            raise InputError(f"x has {length} {kind}, but the callable's {layout.frame.x!r} has no axis for them")


def _make_weights(layout: Layout, params: Arrays) -> dict[str, Array]:
    candidate, shapes = layout.candidate, layout.shapes
    held = candidate.unadjusted({name: np.asarray(params[name], np.float64) for name in layout.cell.parameters})
    by_target: dict[Tile, list[ParameterPart]] = {}
    for part in layout.parts:
        by_target.setdefault(part.target, []).append(part)
    rng = np.random.default_rng(_SEED)
    arrays = {part.source.array: np.zeros(shapes[part.source.array]) for part in layout.parts}
    for target in candidate.sized.tiles:
        rest = target.read(held[target.array])
        if target not in by_target and np.any(rest):
            raise InputError(f"{target.array}: the callable has no such parameter\n  it must be zero there")
        for number, part in enumerate(by_target.get(target, ()), 1):
            # The last array takes what is left, so that the sum is exact whatever was drawn.
            value = rest if number == len(by_target[target]) else rng.normal(size=rest.shape)
            part.source.write(arrays[part.source.array], value.T if part.transposed else value)
            rest = rest - value
    return arrays


def _make_states(layout: Layout, state: Arrays, batch: int) -> dict[str, Array]:
    shapes = layout.shapes
    arrays: dict[str, Array] = {}
    taken = {part.state for part in layout.states}
    for name, value in state.items():
        if name not in taken and np.any(value):
            raise InputError(f"{name}: the callable takes no initial state for it\n  it must be zero")
    for part in layout.states:
        tile, dims = part.source, layout.candidate.sized.state_dims[part.state]
        shape = tuple(batch if axis in tile.lead else length for axis, length in enumerate(shapes[tile.array]))
        value = np.reshape(state[part.state], (batch, *dims)) if part.state in state else np.zeros((batch, *dims))
        if not tile.lead and np.any(value != value[:1]):
            raise InputError(f"{part.state}: the callable has one initial state for all examples\n  they must be equal")
        value = np.swapaxes(value, -1, -2) if part.transposed else value
        tile.write(arrays.setdefault(tile.array, np.zeros(shape)), value if tile.lead else value[0])
    return arrays
