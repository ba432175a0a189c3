"""Two cells under a parameter map: whether they agree, what the map reaches, and numbers where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from symrnn.algebra.functions import Arithmetic
from symrnn.language.definition import Definition
from symrnn.language.evaluate import NUMPY, run
from symrnn.language.recurrence import Cell
from symrnn.verification.field import FIELD, Array, Number, draw, same
from symrnn.verification.layout import Layout
from symrnn.verification.parameter_map import ParameterMap
from symrnn.verification.trial import exact_text

_TRIES = 40
_POINTS = 12
"""One is enough where functions are smooth; a relu is 0 at half of the points, and may hide what is before it."""
_SCALES = (*[1.0] * 20, *[2.0, 0.5, 4.0, 0.1] * 5)
_CLEAR, _VISIBLE = 5e-2, 1e-9
"""A difference worth showing, and one beyond rounding."""


@dataclass(frozen=True)
class Reach:
    """What a map does to parameters.

    Attributes:
        onto: every setting of the target's parameters comes from one of the source's.
        one_to_one: different settings of the source's parameters give different ones of the target's.
    """

    onto: bool
    one_to_one: bool


@dataclass(frozen=True)
class Counterexample:
    """Numbers at which two cells differ.

    Attributes:
        sizes: the sizes.
        arguments_a: inputs, states and parameters of the first cell.
        arguments_b: those of the second, which correspond to them.
        states_a: the first cell's new states.
        states_b: the second cell's; both in the names of the map's target.
        state: the state that differs most.
        difference: by how much.
    """

    sizes: Mapping[str, int]
    arguments_a: Mapping[str, Array]
    arguments_b: Mapping[str, Array]
    states_a: Mapping[str, Array]
    states_b: Mapping[str, Array]
    state: str
    difference: float

    def lines(self, a: str, b: str) -> Iterator[str]:
        """The counterexample as text."""
        at = ", ".join(f"{name} = {size}" for name, size in self.sizes.items())
        yield f"at {at}, for instance:"
        for name, value in self.arguments_b.items():
            yield f"  {name} = {_shown(value, 2)}"
        here, there = _shown(self.states_a[self.state], 6), _shown(self.states_b[self.state], 6)
        yield f"  give {self.state} = {here} in {a} against {there} in {b}"


def _shown(value: Array, digits: int) -> str:
    return np.array2string(np.asarray(value), precision=digits, separator=", ", max_line_width=10**6).replace("\n", "")


# --- agreement --------------------------------------------------------------------------------------------------------


def agrees(found: ParameterMap, layout: Layout, seed: int) -> bool:
    """Whether the cells give the same states at random numbers of the field.

    Args:
        found: the map.
        layout: the source's sizes.
        seed: of the numbers.
    """
    texts = exact_text(found.target.syntax), exact_text(found.source.syntax)
    rng = Random(seed)
    points = 0
    for _ in range(_TRIES):
        values = {name: draw(rng, shape) for name, shape in _shapes(layout).items()}
        try:
            ours, theirs = _both(found, texts, values, layout, FIELD, Number.of)
        except ZeroDivisionError:
            continue
        if not all(same(ours[name], theirs[name]) for name in ours):
            return False
        points += 1
        if points == _POINTS:
            return True
    return False


def _shapes(layout: Layout) -> dict[str, tuple[int, ...]]:
    """The shapes of all arguments, by the names of the text."""
    return {v.base if v.time == -1 else v.name: layout.text_shape(v) for v in layout.variables}


def _both(
    found: ParameterMap,
    texts: tuple[Definition, Definition],
    values: Mapping[str, Array],
    layout: Layout,
    arithmetic: Arithmetic,
    numeral: Any,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The target's new states, from its text, and from the source's text through the map."""
    arguments = found.apply(values, layout, numeral)
    ours = _states(found.target, run(texts[0], arguments, arithmetic), found.layout(layout))
    through = _states(found.source, run(texts[1], values, arithmetic), layout)
    return ours, found.apply(through, layout, numeral, "states")


def _states(cell: Cell, names: Mapping[str, Array], layout: Layout) -> dict[str, Array]:
    return {s: np.broadcast_to(np.asarray(names[s]), layout.text_shape(cell[s])) for s in cell.states}


# --- what a map reaches -----------------------------------------------------------------------------------------------


def reach(found: ParameterMap, layout: Layout) -> Reach:
    """The rank of a map's linear part, against the numbers of parameters on both sides."""
    shapes = {name: layout.text_shape(found.source[name]) for name in found.source.parameters}
    values = {name: np.zeros(shape) for name, shape in shapes.items()}
    origin = _flat(found, values, layout)
    columns = []
    for name, shape in shapes.items():
        for index in np.ndindex(shape):
            moved = np.zeros(shape)
            moved[index] = 1.0
            columns.append(_flat(found, values | {name: moved}, layout) - origin)
    if not columns or not origin.size:
        return Reach(not origin.size, not columns)
    rank = int(np.linalg.matrix_rank(np.stack(columns, axis=1)))
    return Reach(rank == origin.size, rank == len(columns))


def _flat(found: ParameterMap, values: Mapping[str, Array], layout: Layout) -> Array:
    applied = found.apply(values, layout, float, "parameters")
    return np.concatenate([np.zeros(0), *(np.asarray(value, dtype=float).reshape(-1) for value in applied.values())])


# --- counterexamples --------------------------------------------------------------------------------------------------


def find_counterexample(
    maps: Sequence[ParameterMap], layout: Layout, target_is_a: bool, seed: int
) -> tuple[ParameterMap, Counterexample] | None:
    """Numbers at which the cells differ under each of several maps, and the map that comes nearest there.

    Args:
        maps: maps between the same two cells in the same direction.
        layout: sizes of their source at which they do not hold.
        target_is_a: whether their target is the first of the two cells.
        seed: of the numbers.

    Returns:
        The nearest map and the numbers under it; None where the cells differ by no more than rounding.
    """
    best: tuple[ParameterMap, Counterexample] | None = None
    rng = np.random.default_rng(seed)
    for scale in _SCALES:
        values = {name: _short(rng, shape, scale) for name, shape in _shapes(layout).items()}
        tried = [(found, _compare(found, layout, values, target_is_a)) for found in maps]
        known = [(found, example) for found, example in tried if example is not None]
        if len(known) < len(maps):  # something overflows here
            continue
        nearest = min(known, key=lambda one: one[1].difference)
        if best is None or nearest[1].difference > best[1].difference:
            best = nearest
        if best[1].difference > _CLEAR:
            break
    return best if best is not None and best[1].difference > _VISIBLE else None


def _short(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> Array:
    """Numbers with two decimals, which a reader can copy, and none of them 0."""
    return np.round(scale * rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 1.0, shape), 2)


def _compare(
    found: ParameterMap, layout: Layout, values: Mapping[str, Array], target_is_a: bool
) -> Counterexample | None:
    with np.errstate(all="ignore"):
        texts = found.target.syntax, found.source.syntax
        ours, theirs = _both(found, texts, values, layout, NUMPY, float)
    if not all(np.all(np.isfinite(value)) for value in (*ours.values(), *theirs.values())):
        return None
    far = {name: float(np.max(np.abs(ours[name] - theirs[name]), initial=0.0)) for name in ours}
    state = max(far, key=lambda name: far[name])
    arguments = found.apply(values, layout, float)
    pair = ((arguments, ours), (values, theirs))
    (arguments_a, states_a), (arguments_b, states_b) = pair if target_is_a else pair[::-1]
    return Counterexample(layout.sizes, arguments_a, arguments_b, states_a, states_b, state, far[state])
