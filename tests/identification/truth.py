"""Whether a layout is right: the generated code, fed through it, gives what the function gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symrnn.callables.outputs import flatten
from symrnn.identification import Identification, Layout
from symrnn.identification.search import CONSTANT
from tests.identification.wrapping import Wrapped, generated

Array = Any


def course(layout: Layout, params: Mapping[str, Array], x: Array, state: Mapping[str, Array]) -> dict[str, Array]:
    """The cell's states by generated code, each (T + 1, N, ...), the initial one first."""
    states = [dict(state)]
    for x_t in x:
        states.append(generated(layout.cell).step(params, x_t, states[-1]))
    return {name: np.stack([one[name] for one in states]) for name in layout.cell.states}


def error(layout: Layout, forward: Callable[..., Any], inputs: Mapping[str, Array]) -> float:
    """The largest error of any output that the layout knows."""
    known = course(layout, layout.params(inputs), layout.x(inputs), layout.state(inputs))
    found = layout.read(flatten(forward(**inputs)))
    errors = []
    for output in layout.outputs:
        expected, value = output.view.expected(known[output.state]), found[output.view.tile.array][output.state]
        errors.append(float(np.max(np.abs(value - expected))) if value.shape == expected.shape else np.inf)
    return max(errors, default=np.inf)


def failure(found: Identification, wrapped: Wrapped) -> str | None:
    """What is wrong with an identification of a wrapped cell; None if it is right."""
    matches = [match for match in found.matches if match.name == wrapped.cell.name]
    if found.remarks == (CONSTANT,) and not wrapped.states:
        return None  # no cell can be told from another that stays at zero
    if not matches:
        named = ", ".join(match.name for match in found.matches) or "none"
        return f"named {named}"
    again = Wrapped(wrapped.cell, wrapped.style, wrapped.seed)  # the same layout, other numbers
    rng = np.random.default_rng([wrapped.seed, 9])
    other = {key: value + 0.3 * rng.uniform(size=np.shape(value)) for key, value in again.inputs.items()}
    errors = [error(match.layout, wrapped.forward, other) for match in matches]
    return None if min(errors) < 1e-9 else f"off by {min(errors):.1e} elsewhere"
