"""The language of maps: what it computes, and what it refuses."""

import numpy as np
import pytest

from symrnn import Cell
from symrnn.equivalence.parameter_map import MapExpression, read_map
from symrnn.errors import InputError

NAMES, SIZES = ("W", "U", "b", "c"), {"d_h": 2, "d_x": 3}
W, U, B, C = np.arange(6.0).reshape(2, 3), np.arange(4.0).reshape(2, 2), np.array([1.0, 2.0]), np.array([5.0, 7.0])
VALUES = {"W": W, "U": U, "b": B, "c": C}

COMPUTED = {
    "W": W,
    "-W": -W,
    "b + c": B + C,
    "b - c + 1": B - C + 1,
    "2 * b": 2 * B,
    "b * 2 / 4": B / 2,
    "(1/2) * b": B / 2,
    "W.T": W.T,
    "hstack(U, W)": np.hstack([U, W]),
    "vstack(U.T, W.T, U)": np.vstack([U.T, W.T, U]),
    "diag(b)": np.diag(B),
    "W[:, :d_h]": W[:, :2],
    "W[:, d_h:d_x]": W[:, 2:3],
    "W[1:]": W[1:],
    "W.T[:d_h, :]": W.T[:2],
    "hstack(W, W)[:, d_x:2*d_x]": W,
    "hstack(U, W)[:, d_h:d_h + d_x]": W,
}

REFUSED = {
    "": "this is not one expression",
    "W; U": "this is not one expression",
    "W =": "not Python",
    "V": "no name 'V' here\n.*there are W, U, b, c",
    "W @ U": "matmult|binop is not part of the language of maps",
    "W * U": "a map is linear",
    "1 / b": "a map is linear",
    "b / 0": "division by zero",
    "b / (1 - 1)": "division by zero",
    "exp(b)": "unknown function 'exp'",
    "W.sum()": "unknown function 'W.sum'",
    "W.__class__": "attribute is not part",
    "__import__('os').system('true')": "unknown function",
    "hstack(W)": "hstack takes two or more arguments, got 1",
    "diag(b, c)": "diag takes 1 arguments, got 2",
    "hstack(W, *W)": "starred is not part",
    "W[0]": "this is not a slice",
    "W[::2]": "this is not a slice",
    "W[:, d_z:]": "no size 'd_z' here\n.*there are d_h, d_x",
    "W[:, b:]": "no size 'b' here",
    "W[:, -1:]": "this is not a size",
    "True": "not a number of the language",
    "1e9": "not a number of the language",
    "'W'": "not a number of the language",
    "[W]": "list is not part",
    "lambda: W": "lambda is not part",
    "-" * 200 + "W": "nested too deeply",
}


@pytest.mark.parametrize("text", COMPUTED)
def test_expressions_are_computed(text):
    expression = MapExpression.read("V", text, NAMES, tuple(SIZES))
    np.testing.assert_array_equal(expression(VALUES, SIZES, float), COMPUTED[text])


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:30])
def test_everything_else_is_refused(text):
    with pytest.raises(InputError, match=f"(?s){REFUSED[text]}"):
        MapExpression.read("V", text, NAMES, tuple(SIZES))


def test_a_refusal_shows_the_place():
    with pytest.raises(InputError) as caught:
        MapExpression.read("b_i", "b + bias", NAMES, ())
    lines = str(caught.value).splitlines()
    assert lines[0] == "<map of b_i>:1:5: no name 'bias' here"
    assert lines[1:3] == ["    b + bias", "        ^"]


@pytest.mark.parametrize("value", [None, ["W"], True, b"W"])
def test_a_map_is_text(value):
    with pytest.raises(InputError, match=r"map\['V'\] is .*\n  write an expression as text"):
        MapExpression.read("V", value, NAMES, ())


A = Cell.from_source("def a(x, h, *, W, U, b):\n    h = tanh(W @ x + U @ h + b)\n    return h\n")
B_CELL = Cell.from_source("def b(u, s, *, W, V, b):\n    s = tanh(W @ u + V @ s + b)\n    return s\n")


def test_names_and_sizes_are_those_of_either_cell():
    found = read_map(A, B_CELL, {"x": "u", "h": "s", "U": "V"})
    assert found.sizes == {"d_x": "d_u", "d_h": "d_h"}
    assert found.changes == {"x": "u", "h": "s", "U": "V"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "map: x, h, U of a is not given, and b has no such name"),
        ({"x": "u", "h": "s", "U": "V", "Q": "V"}, "map: a has no argument 'Q'"),
        ({"x": "u", "h": "s", "U": "s"}, "no name 's' here"),
        ({"x": "W", "h": "s", "U": "V"}, "no name 'W' here"),
    ],
)
def test_a_map_that_does_not_fit_the_cells_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        read_map(A, B_CELL, given)
