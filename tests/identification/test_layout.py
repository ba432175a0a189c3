"""A layout in both directions, at the sizes it was found at and at others."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from symrnn import cells
from symrnn.callables.outputs import flatten
from symrnn.errors import InputError
from symrnn.identification import Layout, identify
from symrnn.identification.frames import WITH_INITIAL
from symrnn.identification.inverse import own_arrays
from symrnn.identification.resizing import resize
from tests.identification.truth import course, error
from tests.identification.wrapping import Wrapped, draw_style

Array = Any

CELLS = (
    "rnn lstm lstm_concat lstm_two_biases lstm_peephole lstm_projected gru gru_reset_after gru_reset_after_two_biases "
    "gru_zold mingru mlstm lru"
).split()
CASES = [(name, seed) for seed in range(2) for name in CELLS]


@cache
def found(name: str, seed: int) -> tuple[Wrapped, Layout]:
    """A cell in a random layout, and the layout as it was found."""
    wrapped = Wrapped(cells[name], draw_style(np.random.default_rng([seed, len(name), CELLS.index(name)])), seed)
    layout = identify(wrapped.forward, wrapped.inputs, among=[name]).layout
    assert layout is not None, (name, str(wrapped.style))
    return wrapped, layout


def random_point(layout: Layout, rng: np.random.Generator) -> tuple[dict[str, Array], Array, dict[str, Array]]:
    """Parameters, a sequence of other lengths and initial states, as far as the callable can hold them."""
    shapes = layout.candidate.sized.shapes
    params = {name: 0.5 * rng.normal(size=shapes[name]) for name in layout.cell.parameters}
    params = {name: np.zeros_like(value) if name in layout.missing else value for name, value in params.items()}
    T = 4 if layout.frame.steps else 1
    N = 2 if layout.frame.batch else 1
    x = rng.normal(size=(T, N, layout.frame.features))
    state = {part.state: rng.uniform(0.2, 1.0, (N, *shapes[part.state])) for part in layout.states}
    return params, x, state


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "seed"), CASES)
def test_arrays_is_the_inverse_of_params_x_and_state(name: str, seed: int) -> None:
    wrapped, layout = found(name, seed)
    params, x, state = random_point(layout, np.random.default_rng(5))
    arrays = own_arrays(layout, params, x, state, wrapped.inputs)
    assert arrays.keys() == wrapped.inputs.keys()
    again = layout.params(arrays)
    for key, value in params.items():
        np.testing.assert_allclose(again[key], value, atol=1e-14)
    np.testing.assert_array_equal(layout.x(arrays), x)
    for key, value in layout.state(arrays).items():
        np.testing.assert_array_equal(value, state.get(key, np.zeros_like(value)))
    assert error(layout, wrapped.forward, arrays) < 1e-9


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_gradients_and_cotangents_are_adjoint_to_reading_of_the_cell(name: str, seed: int) -> None:
    """The derivative along a random direction, once through the callable and once through the pieces."""
    wrapped, layout = found(name, seed)
    rng = np.random.default_rng(3)
    arrays = own_arrays(layout, *random_point(layout, rng), wrapped.inputs)
    answer = flatten(wrapped.forward(**arrays))
    bars = {path: rng.normal(size=answer[path].shape) for path in layout.read(answer)}
    T, N, _ = layout.x(arrays).shape
    by_state = layout.cotangents(bars, T, N)

    def loss_of_callable(own: dict[str, Array]) -> float:
        values = flatten(wrapped.forward(**own))
        return sum(float(np.sum(bar * values[path])) for path, bar in bars.items())

    def loss_of_cell(params: dict[str, Array], x: Array, state: dict[str, Array]) -> float:
        states = course(layout, params, x, state)
        return sum(float(np.sum(b * states[name])) for bars in by_state.values() for name, b in bars.items())

    point = layout.params(arrays), layout.x(arrays), layout.state(arrays)
    assert loss_of_callable(arrays) == pytest.approx(loss_of_cell(*point), rel=1e-9, abs=1e-9)

    gradients = {key: rng.normal(size=np.shape(arrays[key])) for key in layout.names}
    pieces = layout.pieces(gradients, arrays)
    # <gradient, move of the callable's arrays> = <pieces, the same move as the cell sees it>
    move = {key: rng.normal(size=np.shape(arrays[key])) for key in layout.names}
    there = {**arrays, **{key: arrays[key] + value for key, value in move.items()}}
    single = [key for key in layout.names if not any(p.array == key and _added(layout, p.target) for p in pieces)]
    expected = sum(float(np.sum(gradients[key] * move[key])) for key in single)
    moved = layout.params(there), layout.x(there), layout.state(there)
    total = 0.0
    for piece in (piece for piece in pieces if piece.array in single):
        old, new = (_value(layout, piece, *at) for at in (point, moved))
        assert piece.value.shape == old.shape
        total += float(np.sum(piece.value * (new - old)))
    assert total == pytest.approx(expected, rel=1e-9)


def _added(layout: Layout, target: Any) -> bool:
    return target is not None and sum(part.target == target for part in layout.parts) > 1


def _value(layout: Layout, piece: Any, params: dict[str, Array], x: Array, state: dict[str, Array]) -> Array:
    if piece.target is not None:
        return params[piece.name][tuple(span.slice for span in piece.target.spans)]
    return x if piece.name == "x" else state[piece.name.removesuffix("_prev")]


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_labels_are_the_places_of_the_pieces(name: str, seed: int) -> None:
    wrapped, layout = found(name, seed)
    rng = np.random.default_rng(1)
    gradients = {key: rng.normal(size=np.shape(wrapped.inputs[key])) for key in layout.names}
    for piece in layout.pieces(gradients, wrapped.inputs):
        value = eval(piece.label, {}, gradients)  # our own text: a name and an index
        np.testing.assert_array_equal(np.sort(np.abs(value).ravel()), np.sort(np.abs(piece.value).ravel()))


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_resized_is_the_layout_of_the_same_function_at_other_sizes(name: str, seed: int) -> None:
    wrapped, layout = found(name, seed)
    sizes = {size: length + 3 for size, length in layout.sizes.items()}
    lengths = {role: 6 - n for n, role in enumerate("TN") if layout.frame.size(role)}
    other = Wrapped(wrapped.cell, wrapped.style, wrapped.seed, sizes, **lengths)
    assert [np.shape(value) for value in other.inputs.values()] != [np.shape(v) for v in wrapped.inputs.values()]
    new = resize(layout, {**sizes, **lengths})
    assert new.sizes == sizes
    assert new.shapes == {key: np.shape(other.inputs[key]) for key in new.shapes}
    assert error(new, other.forward, other.inputs) < 1e-9
    assert {(o.state, o.view.when) for o in new.outputs} == {(o.state, o.view.when) for o in layout.outputs}
    arrays = own_arrays(new, *random_point(new, np.random.default_rng(8)), other.inputs)
    assert error(new, other.forward, arrays) < 1e-9


def test_outputs_that_begin_with_the_initial_state_do_so_at_other_sizes() -> None:
    def forward(x: Array, h0: Array, W: Array, U: Array, b: Array) -> Array:
        hs = [h0]
        for x_t in x:
            hs.append(np.tanh(x_t @ W + hs[-1] @ U + b))
        return np.stack(hs)

    def drawn(T: int, N: int, d_x: int, d_h: int) -> dict[str, Array]:
        rng = np.random.default_rng(4)
        shapes = {"x": (T, N, d_x), "h0": (N, d_h), "W": (d_x, d_h), "U": (d_h, d_h), "b": (d_h,)}
        return {key: rng.normal(size=shape) for key, shape in shapes.items()}

    layout = identify(forward, drawn(5, 3, 4, 6), among=["rnn"]).layout
    assert layout is not None
    assert [output.view.when for output in layout.outputs] == [WITH_INITIAL]
    sizes = {"T": 7, "N": 2, "d_x": 3, "d_h": 5}
    new = resize(layout, sizes)
    assert error(new, forward, drawn(*sizes.values())) < 1e-9
    there = identify(forward, drawn(*sizes.values()), among=["rnn"]).layout
    assert there is not None
    assert new.outputs == there.outputs


def test_what_cannot_be_is_refused() -> None:
    wrapped, layout = found("lstm", 0)
    params, x, state = random_point(layout, np.random.default_rng(0))
    for sizes, message in (
        ({"d_z": 2}, "no size is called 'd_z'"),
        ({"d_h": 0}, "expected a positive number"),
    ):
        with pytest.raises(InputError, match=message):
            resize(layout, sizes)
    with pytest.raises(InputError, match="x: expected the shape"):
        own_arrays(layout, params, x[0], state, wrapped.inputs)
    with pytest.raises(InputError, match="has the shape"):
        layout.pieces({key: np.zeros((1, 1)) for key in layout.names}, wrapped.inputs)
    with pytest.raises(InputError, match="the layout needs the array"):
        layout.params({})


def test_signs_are_turned_back() -> None:
    wrapped = Wrapped(cells["gru_zold"], draw_style(np.random.default_rng(0)), 0)
    layout = identify(wrapped.forward, wrapped.inputs, among=["gru"]).layout
    assert layout is not None
    assert layout.candidate.negated == ("W_z", "U_z", "b_z")
    gradients = {key: np.ones(np.shape(wrapped.inputs[key])) for key in layout.names}
    for piece in layout.pieces(gradients, wrapped.inputs):
        assert (piece.value == (-1 if piece.name in layout.candidate.negated else 1)).all()
    params, x, state = random_point(layout, np.random.default_rng(0))
    arrays = own_arrays(layout, params, x, state, wrapped.inputs)
    for key, value in layout.params(arrays).items():
        np.testing.assert_allclose(value, params[key], atol=1e-14)
    assert error(layout, wrapped.forward, arrays) < 1e-9
