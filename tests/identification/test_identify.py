"""Cells in random layouts are named; near misses are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symrnn
from symrnn import Cell, cells, identify
from symrnn.errors import InputError, UnknownNameError
from symrnn.identification.inverse import own_arrays
from tests.identification.truth import error, failure
from tests.identification.wrapping import Style, Wrapped, draw_style

Array = Any

T, N, D, H = 5, 3, 4, 6


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def arrays(gates: int, T: int = T, N: int = N, D: int = D, H: int = H) -> dict[str, Array]:
    """Inputs of a function with stacked gates."""
    rng = np.random.default_rng(0)
    return {
        "x": rng.normal(size=(T, N, D)),
        "h0": rng.normal(size=(N, H)),
        "W": rng.normal(size=(D, gates * H)),
        "U": rng.normal(size=(H, gates * H)),
        "b": rng.normal(size=gates * H),
    }


def rnn(x: Array, h0: Array, W: Array, U: Array, b: Array) -> Array:
    h, found = h0, []
    for x_t in x:
        h = np.tanh(x_t @ W + h @ U + b)
        found.append(h)
    return np.stack(found)


def gru(
    x: Array, h0: Array, W: Array, U: Array, b: Array, new: Callable[[Array, Array, Array], Array] | None = None
) -> Array:
    new = new or (lambda z, n, h: (1 - z) * n + z * h)
    h, found = h0, []
    H = h.shape[1]
    for x_t in x:
        a, v = x_t @ W + b, h @ U
        r, z = sigmoid(a[:, :H] + v[:, :H]), sigmoid(a[:, H : 2 * H] + v[:, H : 2 * H])
        h = new(z, np.tanh(a[:, 2 * H :] + (r * h) @ U[:, 2 * H :]), h)
        found.append(h)
    return np.stack(found)


@pytest.mark.sampled(12)
@pytest.mark.parametrize("name", cells.names())
def test_every_cell_is_named_in_a_random_layout(name: str) -> None:
    wrapped = Wrapped(cells[name], draw_style(np.random.default_rng([12, *name.encode()])), 12)
    assert failure(identify(wrapped.forward, wrapped.inputs), wrapped) is None, str(wrapped.style)


def test_a_wrong_layout_is_seen_to_be_wrong() -> None:
    wrapped = Wrapped(cells["lstm"], Style("rows", axes="T N D"), 1)
    layout = identify(wrapped.forward, wrapped.inputs, among=["lstm"]).layout
    assert layout is not None
    assert error(layout, wrapped.forward, wrapped.inputs) < 1e-12
    swapped = {"W_f": "W_i", "W_i": "W_f"}
    parts = [
        symrnn.identification.layout.replace(
            part, target=part.target.named(swapped.get(part.target.array, part.target.array))
        )
        for part in layout.parts
    ]
    wrong = symrnn.identification.layout.replace(layout, parts=tuple(parts))
    assert error(wrong, wrapped.forward, wrapped.inputs) > 1e-3


def test_the_polarity_of_the_update_gate_and_the_place_of_the_reset_are_told() -> None:
    assert [match.name for match in identify(gru, arrays(3)).matches] == ["gru_zold"]
    other = identify(lambda **given: gru(**given, new=lambda z, n, h: z * n + (1 - z) * h), arrays(3))
    assert [match.name for match in other.matches] == ["gru"]
    assert identify(gru, arrays(3), among=["gru"]).layout.candidate.negated == ("W_z", "U_z", "b_z")


def test_a_function_that_is_constant_is_remarked() -> None:
    found = identify(
        lambda x, h0, W: h0[None] * 0 + 1, {"x": np.ones((5, 3, 4)), "h0": np.ones((3, 6)), "W": np.ones(2)}
    )
    assert not found
    assert "the outputs are the same whatever the arguments" in str(found)


@pytest.mark.parametrize(
    ("new", "change"),
    [
        (lambda z, n, h: z * n + z * h, "h = z * h + z * n, where the cell has h = z * h + (1 - z) * n"),
        (lambda z, n, h: (1 - z) * n + (1 - z) * h, "h = "),
        (lambda z, n, h: (1 - z) * n + z * h**2, None),
        (lambda z, n, h: 0.9 * (1 - z) * n + z * h, None),
    ],
)
def test_a_cell_with_a_slip_is_not_named(new: Callable[[Array, Array, Array], Array], change: str | None) -> None:
    found = identify(lambda **given: gru(**given, new=new), arrays(3), among=["gru_zold", "lstm", "mgu", "rnn"])
    assert not found
    assert found.name is None
    assert found.cell is None
    assert found.layout is None
    assert found.nearest[0].name == "gru_zold"
    assert found.agreement > 1e-3
    slip = found.nearest[0].slip
    assert (slip is None) == (change is None)
    assert change is None or str(slip).startswith(change)


@pytest.mark.parametrize(
    ("function", "after"),
    [
        (np.arctan, None),
        (lambda a: np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a))), "softplus"),
        (lambda a: np.exp(-np.abs(a)), None),
    ],
)
def test_another_activation_is_not_taken_for_the_cells(function: Any, after: str | None) -> None:
    def forward(x: Array, h0: Array, W: Array, U: Array, b: Array) -> Array:
        h, found = h0, []
        for x_t in x:
            h = function(x_t @ W + h @ U + b)
            found.append(h)
        return np.stack(found)

    found = identify(forward, arrays(1), among=["rnn", "rnn_relu"])
    assert not found
    assert found.nearest
    if after:
        assert found.nearest[0].slip is not None
        assert after in str(found.nearest[0].slip)
        assert after in str(found)
    else:
        assert found.nearest[0].slip is None
        assert f"off by {found.agreement:.1g}" in str(found)


@pytest.mark.parametrize(
    "forward",
    [
        lambda x, h0, W, U, b: np.tanh(x @ W + b),  # no step sees another one
        lambda x, h0, W, U, b: np.cumsum(x @ W, axis=0) * h0,
        lambda x, h0, W, U, b: np.tanh(x[::-1] @ W + h0 @ U + b),
        lambda x, h0, W, U, b: np.mean(x @ W + h0 @ U + b, axis=(0, 1)),
    ],
)
def test_what_is_not_recurrent_is_not_named(forward: Any) -> None:
    found = identify(forward, arrays(1), among=["rnn", "rnn_linear", "lstm", "gru", "indrnn", "mingru"])
    assert not found
    assert "no cell agrees" in str(found)


def test_arguments_that_are_changed_in_place_are_remarked() -> None:
    def forward(x: Array, h0: Array, W: Array, U: Array, b: Array) -> Array:
        found = rnn(x, h0, W, U, b)
        h0 += 1
        return found

    given = arrays(1)
    before = given["h0"].copy()
    found = identify(forward, given, among=["rnn"])
    assert found.name == "rnn"
    np.testing.assert_array_equal(given["h0"], before)
    assert found.remarks == ("forward changes its arguments in place: h0",)


def raising(**given: Array) -> Array:
    raise RuntimeError("boom")


def random(**given: Array) -> Array:
    return np.random.default_rng().normal(size=(5, 3, 6))


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (raising, "forward raises at the inputs given: RuntimeError: boom"),
        (random, "forward is not deterministic"),
        (lambda **given: np.full((5, 3, 6), np.nan), "forward returns NaN"),
        (lambda **given: None, "forward returns no array of numbers"),
        (lambda x: x, "forward raises at the inputs given: TypeError"),
        ("rnn", "expected a function, got str"),
    ],
)
def test_a_function_that_cannot_be_asked_is_refused(forward: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        identify(forward, arrays(1), among=["rnn"])


def test_an_unknown_cell_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        identify(rnn, arrays(1), among=["no_such_cell"])


def test_single_precision_is_remarked_and_tolerated() -> None:
    def forward(**given: Array) -> Array:
        return rnn(**{name: np.asarray(value, np.float32) for name, value in given.items()})

    found = identify(forward, arrays(1), among=["rnn", "rnn_sigmoid"])
    assert found.name == "rnn"
    assert found.agreement > 1e-9
    assert "single precision" in str(found)
    given = {name: value.astype(np.float32) for name, value in arrays(1).items()}
    assert identify(rnn, given, among=["rnn"]).name == "rnn"


def test_integers_are_passed_on() -> None:
    def forward(order: Array, steps: int, **given: Array) -> Array:
        return rnn(**{**given, "x": given["x"][:, :, order]})

    found = identify(forward, {**arrays(1), "order": np.array([2, 0, 1, 3]), "steps": 5}, among=["rnn"])
    assert not found  # features in another order are another function
    found = identify(forward, {**arrays(1), "order": np.arange(4), "steps": 5}, among=["rnn"])
    assert found.name == "rnn"


@pytest.mark.parametrize(
    "sizes",
    [{name: size} for name, size in (("D", H), ("D", N), ("T", N), ("N", H), *((name, 1) for name in "DHTN"))]
    + [{"T": 1, "N": 1}, {"T": 3, "N": 3, "D": 3, "H": 3}],
    ids=str,
)
def test_equal_sizes_and_sizes_of_one(sizes: dict[str, int]) -> None:
    given = arrays(3, **sizes)
    found = identify(gru, given, among=["gru_zold", "gru", "gru_reset_after_one_bias", "lstm_1997"])
    assert found.name == "gru_zold", str(found)
    assert found.layout is not None
    assert error(found.layout, gru, given) < 1e-9
    if sizes.get("H") == 1:
        assert "whether matrices are transposed cannot be told" in str(found)
    if 1 in (sizes.get("T"), sizes.get("N")):
        assert "whether it is time or the batch cannot be told" in str(found)


def test_steps_in_a_list_of_pairs_and_in_a_dict_by_number() -> None:
    def pairs(**given: Array) -> Any:
        return [(h, 2 * h) for h in rnn(**given)]

    def numbered(**given: Array) -> Any:
        return {t: {"h": h} for t, h in enumerate(rnn(**given))}

    assert [o.view.tile.array for o in identify(pairs, arrays(1), among=["rnn"]).layout.outputs] == ["output[:][0]"]
    assert [o.view.tile.array for o in identify(numbered, arrays(1), among=["rnn"]).layout.outputs] == [
        "output[:]['h']"
    ]


MINE = Cell.from_source(
    """def mine(x, h, k: "d_k", *, A: "d_k, d_x", B: "d_k, d_k", C: "d_h, d_k", b: "d_k"):
    k = tanh(A @ x + B @ k + b)
    h = C @ k
    return h, k
"""
)


def test_a_cell_of_the_users_own_with_a_size_of_its_own() -> None:
    wrapped = Wrapped(MINE, Style(transposed=True, opaque=True), 3)
    found = identify(wrapped.forward, wrapped.inputs, among=[MINE])
    assert failure(found, wrapped) is None
    assert found.layout is not None
    assert found.layout.sizes == wrapped.sizes
    with pytest.raises(InputError, match="two_inputs has 2 inputs"):
        identify(wrapped.forward, wrapped.inputs, among=[TWO])


TWO = Cell.from_source(
    """def two_inputs(x, u: "d_u", h, *, A, B: "d_h, d_u"):
    h = tanh(A @ x + B @ u + h)
    return h
"""
)


@pytest.mark.parametrize(
    ("function", "given", "expected"),
    [
        (
            rnn,
            arrays(1),
            "rnn, agreement {agreement}\n"
            "  x (T, N, D) = (5, 3, 4); d_x = 4, d_h = 6\n"
            "  W (4, 6): W, used as x @ W\n"
            "  U (6, 6): U, used as h @ U\n"
            "  b (6,): b\n"
            "  initial states: h0 is h\n"
            "  returns: output is h at every step",
        ),
    ],
)
def test_what_is_printed(function: Any, given: dict[str, Array], expected: str) -> None:
    found = identify(function, given, among=["rnn"])
    assert str(found) == expected.format(agreement=f"{found.agreement:.0e}")


def test_a_cache_that_is_returned_last_is_no_output() -> None:
    def forward(x: Any, h: Any, W: Any, U: Any, b: Any) -> Any:
        cache, states = [], []
        for row in x:
            z = row @ W.T + h @ U.T + b
            cache.append((row, h, z))
            h = np.tanh(z)
            states.append(h)
        return np.stack(states), (cache, W, U)

    rng = np.random.default_rng(0)
    shapes = {"x": (5, 3, 3), "h": (3, 5), "W": (5, 3), "U": (5, 5), "b": (5,)}
    found = identify(forward, {name: rng.normal(size=shape) for name, shape in shapes.items()})
    assert found.name == "rnn"
    assert found.layout is not None
    assert [output.view.tile.array for output in found.layout.outputs] == ["output[0]"]
    assert any("taken for a cache" in remark for remark in found.remarks)


# --- vectors that are added twice, or serve several gates -------------------------------------------------------------


def twice(x: Array, h0: Array, W: Array, U: Array, b: Array) -> Array:
    h, found = h0, []
    for x_t in x:
        h = np.tanh(x_t @ W + b + h @ U + b)
        found.append(h)
    return np.stack(found)


def shared(gates: str) -> Callable[..., Array]:
    """An LSTM in which one bias serves the gates named, and another the rest."""

    def lstm(x: Array, h0: Array, c0: Array, W: Array, U: Array, p: Array, q: Array) -> Array:
        h, c, found = h0, c0, []
        b = {gate: p if gate in gates else q for gate in "figo"}
        for x_t in x:
            a = dict(zip("figo", np.split(x_t @ W + h @ U, 4, axis=1), strict=True))
            f, i, o = (sigmoid(a[gate] + b[gate]) for gate in "fio")
            c = f * c + i * np.tanh(a["g"] + b["g"])
            h = o * np.tanh(c)
            found.append(h)
        return np.stack(found)

    return lstm


def shared_inputs() -> dict[str, Array]:
    found = arrays(4)
    rng = np.random.default_rng(1)
    del found["b"]
    return found | {"c0": rng.normal(size=(N, H)), "p": rng.normal(size=H), "q": rng.normal(size=H)}


def test_a_bias_that_is_added_twice_is_said_to_be() -> None:
    given = arrays(1)
    found = identify(twice, given, among=["rnn", "gru", "indrnn"])
    assert found.name == "rnn"
    assert "with 2 b in place of b: it is added twice" in str(found)
    assert found.layout is not None
    assert error(found.layout, twice, given) < 1e-12
    np.testing.assert_allclose(found.layout.params(given)["b"], 2 * given["b"])
    assert not identify(twice, given, among=["rnn"], merged=False)


@pytest.mark.parametrize("gates", ["fio", "fi", "go"])
def test_one_bias_for_several_gates_is_a_special_case(gates: str) -> None:
    given, forward = shared_inputs(), shared(gates)
    found = identify(forward, given, among=["lstm"])
    names = [f"b_{gate}" for gate in "figo" if gate in gates]
    rest = [f"b_{gate}" for gate in "figo" if gate not in gates]
    assert found.layout is not None, str(found)
    assert " = ".join(names) in str(found)
    assert "a special case of lstm: " in str(found)
    assert error(found.layout, forward, given) < 1e-12
    params = found.layout.params(given)
    assert [name for name in names if not np.allclose(params[name], given["p"])] == []
    assert [name for name in rest if not np.allclose(params[name], given["q"])] == []
    assert found.layout.missing == ()


def test_the_arrays_of_a_special_case_come_back_and_others_are_refused() -> None:
    given = shared_inputs()
    layout = identify(shared("fio"), given, among=["lstm"]).layout
    assert layout is not None
    params, x, state = layout.params(given), layout.x(given), layout.state(given)
    again = own_arrays(layout, params, x, state, given)
    for name, value in given.items():
        np.testing.assert_allclose(again[name], value, err_msg=name)
    with pytest.raises(InputError, match="b_f, b_i, b_o: the callable has one vector for all of them"):
        own_arrays(layout, params | {"b_i": params["b_i"] + 1}, x, state, given)
    gradients = {"p": np.arange(float(H)), "W": given["W"]}
    pieces = [piece for piece in layout.pieces(gradients, given) if piece.array == "p"]
    assert [piece.name for piece in pieces] == ["b_f"]


def test_a_bias_that_enters_in_another_way_is_no_special_case() -> None:
    def slip(x: Array, h0: Array, W: Array, U: Array, b: Array) -> Array:
        h, found = h0, []
        for x_t in x:
            h = np.tanh(x_t @ W + b + h @ U + b * b)
            found.append(h)
        return np.stack(found)

    assert not identify(slip, arrays(1), among=["rnn", "gru", "indrnn"], nearest=False)
