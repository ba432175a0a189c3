"""One question for every framework: do its layer and our generated code give the same, with the same weights?

A framework's test supplies `run(kind, weights, case)`: outputs, final states, and the gradients of the weights (in the
framework's own arrays), of the input and of the initial states, for cotangents on every output.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn import cells, generate
from symrnn.interop import Loaded, dump, load
from symrnn.interop.conventions import rows

T, N, D, H, C = 7, 3, 4, 5, 6
"""Steps, batch, input, output, and the memory of a projected cell."""
SIZES = {"d_x": D, "d_h": H, "d_c": C}


@dataclass(frozen=True)
class Case:
    """One random input and one random cotangent of everything; x and the outputs are (T, N, ...)."""

    x: np.ndarray
    start: dict[str, np.ndarray]
    h_bar: np.ndarray
    end_bar: dict[str, np.ndarray]


@dataclass(frozen=True)
class Answer:
    """What a layer gives for a case; the gradients of the weights are in the layer's own container."""

    h: np.ndarray
    end: dict[str, np.ndarray]
    weights_bar: Any
    x_bar: np.ndarray
    start_bar: dict[str, np.ndarray]


def assert_agrees(
    framework: str, kind: str, run: Callable[[str, Any, Case], Answer], tolerance: float = 1e-12, seed: int = 0
) -> None:
    """Both ways: our parameters dumped and run there, and those arrays loaded and run here, with all gradients."""
    rng = np.random.default_rng(seed)
    row = rows(framework, kind)[0]
    loaded = _random_layer(framework, kind, rng)
    shapes = {s: (N, *(SIZES[size] for size in loaded.cell.shape_names(s))) for s in loaded.cell.states}
    states = [{s: rng.standard_normal(shape) for s, shape in shapes.items()} for _ in range(2)]
    case = Case(rng.standard_normal((T, N, D)), states[0], rng.standard_normal((T, N, H)), states[1])
    weights = dump(framework, loaded.cell, loaded.params, kind)
    theirs = run(kind, weights, case)
    assert theirs.h.dtype == np.float64

    again = load(framework, weights, kind)  # framework -> ours
    assert again.cell is loaded.cell
    module = generate(again.cell)
    h, end, tape = module.forward(again.params, case.x, case.start)
    grads, x_bar, start_bar = module.backward(again.params, tape, case.h_bar, case.end_bar)
    weights_bar = load(framework, theirs.weights_bar, kind).params
    assert_close("h", h, theirs.h, tolerance)
    assert_close("x_bar", x_bar, theirs.x_bar, tolerance)
    for name in loaded.cell.states:
        assert_close(name, end[name], theirs.end[name], tolerance)
        assert_close(f"{name}_bar", start_bar[name], theirs.start_bar[name], tolerance)
    for name in row.slots:
        assert_close(f"grad {name}", grads[name], weights_bar[name], tolerance)


def _random_layer(framework: str, kind: str, rng: np.random.Generator) -> Loaded:
    """Random parameters of the kind's cell, of which those without a place in the layer are zero."""
    row = rows(framework, kind)[0]
    cell = cells.lookup(row.cell)
    params = {
        name: rng.standard_normal([SIZES[size] for size in cell.shape_names(name)]) * (name in row.slots)
        for name in cell.parameters
    }
    return Loaded(cell, params, row)


def assert_close(what: str, ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> None:
    """Equal shapes, and equal entries up to the tolerance times the largest one, if that is above 1."""
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape, f"{what}: {ours.shape} and {theirs.shape}"
    error = np.abs(ours - theirs).max() / max(1, np.abs(theirs).max())
    assert error <= tolerance, f"{what}: off by {error:.2e}"
