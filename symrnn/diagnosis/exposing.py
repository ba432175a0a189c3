"""Inputs at which mistakes show: several steps and examples, sizes that differ, nothing that is zero or one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import numpy as np

from symrnn.algebra.evaluate import ShapesAtSizes
from symrnn.arrays import Array
from symrnn.calculus.derivation import derive
from symrnn.cells.finding import find_cell
from symrnn.errors import InputError
from symrnn.identification import Identification, Layout
from symrnn.identification.inverse import own_arrays
from symrnn.language.recurrence import Cell
from symrnn.mistakes.tape import Tape

_USUAL = {"d_x": 4, "d_h": 6}
_TRIES = 60
"""Draws at which the cell may be finite: ten at each of six sizes, each half of the one before."""
_LARGEST = 1e4
"""Beyond it activations are saturated and sums lose digits, where nothing would show any more."""
_FAINT, _STRONG = 0.3, 4.0
"""Factors on the first example, whose activations stay near their middle, and on the last one, whose saturate."""


def exposing_inputs(
    cell: Cell | str,
    layout: Layout | Identification | Mapping[str, str] | None = None,
    *,
    T: int = 5,
    N: int = 3,
    seed: int = 0,
    sizes: Mapping[str, int] | None = None,
) -> dict[str, Array]:
    """Inputs for a check of gradients at which every class of mistakes has an effect.

    Weights and states are random and of order one, the first example is unsaturated and the last one saturated, all
    sizes differ from one another and from T and N.

    Args:
        cell: the cell, or its name in the library.
        layout: how the function under test holds the cell: what `identify` found, then the arrays are those of that
            function at its sizes; or the names that it has for the cell's variables, such as `{"h_prev": "h0"}`.
        T: the number of steps.
        N: the number of examples.
        seed: of the random numbers.
        sizes: other sizes than the usual ones, by name, such as `{"d_h": 8}`.

    Returns:
        The arrays by name.  Without a layout: `x` (T, N, d_x), each state at step 0 as `h_prev` (N, d_h), and the
        parameters by their own names.

    Raises:
        InputError: T, N or a size is not a positive whole number, or a name is not one of the cell's.
        UnknownNameError: the library has no such cell.
    """
    known = find_cell(cell)
    found = layout.layout if isinstance(layout, Identification) else layout
    if isinstance(layout, Identification) and found is None:
        raise InputError("exposing_inputs: the identification found no cell\n  pass the cell's own names instead")
    for name, value in (("T", T), ("N", N), *(sizes or {}).items()):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"exposing_inputs: {name}={value!r}\n  give a whole number from 1")
    if isinstance(found, Layout):
        T, N = (length if role in found.frame.axes else 1 for role, length in (("T", T), ("N", N)))
        params, x, state = _drawn(known, found.sizes, T, N, seed)
        held = {part.state for part in found.states}
        return own_arrays(found, params, x[found.input], {k: v for k, v in state.items() if k in held}, {})
    # T + 1 too: states over time have one entry more.
    params, x, state = _drawn(known, _sizes(known, sizes or {}, {T, N, T + 1}), T, N, seed)
    arrays = {**x, **{f"{name}_prev": value for name, value in state.items()}, **params}
    names = dict(found or {})
    unknown = [name for name in names if name not in arrays]
    if unknown:
        raise InputError(f"exposing_inputs: {known.name} has no {unknown[0]!r}\n  it has {', '.join(arrays)}")
    return {names.get(name, name): value for name, value in arrays.items()}


def _sizes(cell: Cell, given: Mapping[str, int], taken: set[int]) -> dict[str, int]:
    """A size for each of the cell's, all different; those given as they are."""
    unknown = [name for name in given if name not in cell.sizes]
    if unknown:
        raise InputError(f"exposing_inputs: {cell.name} has no size {unknown[0]!r}\n  it has {', '.join(cell.sizes)}")
    used = taken | set(given.values())
    found = dict(given)
    for name in cell.sizes:
        if name not in found:
            free: Iterator[int] = (n for n in count(_USUAL.get(name, 7)) if n not in used)
            found[name] = next(free)
            used.add(found[name])
    return found


def _drawn(
    cell: Cell, sizes: Mapping[str, int], T: int, N: int, seed: int
) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array]]:
    """Parameters, inputs and initial states at which the cell is finite."""
    derivation = derive(cell)
    shape_of = ShapesAtSizes(sizes).in_text
    strength = np.ones(N) if N == 1 else np.array([_FAINT, *[1.0] * (N - 2), _STRONG])
    for attempt in range(_TRIES):
        rng = np.random.default_rng([seed, attempt])
        fold = np.abs if attempt % 2 else np.asarray
        milder = 0.5 ** (attempt // 10)

        def draw(name: str, lead: tuple[int, ...], rng: Any = rng, fold: Any = fold, milder: float = milder) -> Array:
            shape = shape_of(cell[name])
            value: Array = fold(rng.standard_normal((*lead, *shape))) * milder
            if not lead:
                # Sums over a row of weights are then of order one, whatever its length.
                value *= 1.2 / np.sqrt(max([1, *shape[1:]]))
            else:
                value *= strength.reshape([-1, *[1] * len(shape)])
            return value

        params = {name: draw(name, ()) for name in cell.parameters}
        x = {name: draw(name, (T, N)) for name in cell.inputs}
        state = {name: draw(name, (N,)) for name in cell.states}
        with np.errstate(all="ignore"):
            tape = Tape(derivation, sizes, params, x, state)
        if all(np.all(np.abs(course) < _LARGEST) for course in tape.courses.values()):
            return params, x, state
    raise InputError(f"exposing_inputs: no inputs found at which {cell.name} is finite\n  make inputs of your own")
