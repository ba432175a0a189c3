"""What a cell's text means: roles, time, operators in their order, shapes; and that every way to run it agrees."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from numpy.testing import assert_allclose

import symrnn.cells
from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import FUNCTIONS
from symrnn.errors import ShapeError, UnknownNameError
from symrnn.language.evaluate import NUMPY
from symrnn.language.recurrence import Cell
from tests.strategies import as_arguments, as_columns, draw_arrays, random_cells, unequal_sizes


def read(equations: str, arguments: str = "x, h, *, W, U", states: str = "h") -> Cell:
    body = "".join(f"    {equation.strip()}\n" for equation in equations.split(";"))
    return Cell.from_source(f"def f({arguments}):\n{body}    return {states}\n")


# --- roles and time ---------------------------------------------------------------------------------------------------


def test_roles_follow_from_the_definition() -> None:
    cell = read("c = tanh(W @ x + u) * c; h = U @ c + h", "x, h, u: 'd_h', c, *, W, U", "h, c")
    assert cell.inputs == ("x", "u")
    assert cell.states == ("h", "c")
    assert cell.parameters == ("W", "U")
    assert [variable.name for variable in cell.previous] == ["h_prev", "c_prev"]
    assert list(cell.symbols) == ["x", "u", "h_prev", "c_prev", "W", "U", "c", "h"]


def test_states_keep_the_order_of_return() -> None:
    cell = read("h = W @ x + U @ c; c = h * c", "x, c, h, *, W, U", "h, c")
    assert cell.states == ("h", "c")
    assert cell.shape_names("h") == ("d_h",)


def test_state_is_old_before_its_equation_and_new_after() -> None:
    cell = read("a = U @ h; h = W @ x + a; c = c + h", "x, h, c, *, W, U", "h, c")
    a, h, c = cell.body
    assert cell["h_prev"] in a.value.atoms(sympy.MatrixSymbol)
    assert cell["h"] not in a.value.atoms(sympy.MatrixSymbol)
    assert c.value.args == (cell["c_prev"], cell["h"])
    assert h.value.args[1] == cell["a"]


def test_times_of_variables() -> None:
    cell = symrnn.cells.lookup("lstm")
    assert {cell[name].time for name in ("x", "f", "h", "c")} == {0}
    assert {cell[name].time for name in ("h_prev", "c_prev")} == {-1}
    assert {cell[name].time for name in cell.parameters} == {None}
    assert cell["h_prev"].base == "h"


def test_unknown_variable_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"the cell rnn has no variable 'c'\n  it has x, h_prev, W"):
        symrnn.cells.lookup("rnn")["c"]


# --- operators --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        ("f * c + i * h", "Sum", ["f * c", "i * h"]),
        ("i * h + f * c", "Sum", ["i * h", "f * c"]),
        ("U @ h + W @ x + b", "Sum", ["U @ h", "W @ x", "b"]),
        ("1 - f", "Sum", ["1", "-f"]),
        ("-f + 1", "Sum", ["-f", "1"]),
        ("z * a * f", "Hadamard", ["z", "a", "f"]),
        ("(z * a) * (f * b)", "Hadamard", ["z", "a", "f", "b"]),
        ("U @ V @ h", "Product", ["U", "V", "h"]),
        ("U @ (V @ h)", "Product", ["U", "V", "h"]),
    ],
)
def test_order_is_the_author_s(text: str, kind: str, parts: list[str]) -> None:
    vectors = "f, i, b, z, a"
    rest = "f * i * b * z * a * c * (W @ x) * (U @ h) * (V @ h)"
    shapes = ", ".join(f"{v}: 'd_h'" for v in vectors.split(", "))
    arguments = f"x, h, c: 'd_h', *, {shapes}, W: 'd_h, d_x', U: 'd_h, d_h', V: 'd_h, d_h'"

    whole = read(f"e = {text}; c = e; h = {rest}", arguments, "h, c").body[0].value
    assert type(whole).__name__ == kind
    assert len(whole.args) == len(parts)
    for part, shown in zip(whole.args, parts, strict=True):
        if shown in ("U", "V", "h", "b", "z", "a", "f"):
            name = "h_prev" if shown == "h" else shown
            assert part.name == name
        elif shown == "1":
            assert type(part).__name__ == "Ones"
        else:
            assert part == read(f"e = {shown}; c = e; h = {rest}", arguments, "h, c").body[0].value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.1", sympy.Rational(1, 10)),
        ("1 / 3", sympy.Rational(1, 3)),
        ("1e-3", sympy.Rational(1, 1000)),
        ("2 ** -2", sympy.Rational(1, 4)),
        ("-(1 - 0.7)", sympy.Rational(-3, 10)),
        ("0.1 + 0.2", sympy.Rational(3, 10)),
        ("1_000", sympy.Integer(1000)),
        ("0x10", sympy.Integer(16)),
    ],
)
def test_literals_are_exact(text: str, number: sympy.Rational) -> None:
    assert read(f"h = ({text}) * (W @ x)", "x, h, *, W").body[0].value.args[0] == number


@pytest.mark.parametrize(
    "text",
    [
        "h = s * h + x",
        "h = h * s + x",
        "h = s + h * x",
        "h = h - s * x",
        "h = h / s + x",
        "h = s / h + x",
        "h = maximum(h, s) + x",
        "h = minimum(s, h) + x",
        "h = maximum(0, h) + s * x",
        "h = s ** 2 * h + x",
        "h = (1 - s) * h + s * x",
        "h = h + s + 1 + x",
        "h = s * (s * h) + x",
        "h = sum(h) * s * x",
        "h = (h @ x) * x * s",
    ],
)
def test_scalars_spread_over_vectors(text: str) -> None:
    cell = read(text, "x: 'd_h', h, *, s: '()'")
    assert_ways_agree(cell)


# --- shapes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        ("'d_h'", ("d_h",)),
        ("'(d_h)'", ("d_h",)),
        ("'(d_h,)'", ("d_h",)),
        ("' d_h '", ("d_h",)),
        ("'d_h, d_x'", ("d_h", "d_x")),
        ("'(d_h, d_x)'", ("d_h", "d_x")),
        ("'d_h,d_x'", ("d_h", "d_x")),
        ("'()'", ()),
        ("'3'", ("3",)),
        ("'4, d_x'", ("4", "d_x")),
        ("'d_h + d_x'", ("d_h + d_x",)),
        ("'2*d_h, d_x + 1'", ("2*d_h", "d_x + 1")),
        ("'d_h + d_h'", ("2*d_h",)),
        ("'n'", ("n",)),
    ],
)
def test_annotations(annotation: str, shape: tuple[str, ...]) -> None:
    cell = read("h = W @ x + h * sum(p)", f"x, h, *, W, p: {annotation}")
    assert cell.shape_names("p") == shape


@pytest.mark.parametrize(
    ("equations", "arguments", "states", "shapes"),
    [
        ("h = W @ x + U @ h", "x, h, *, W, U", "h", {"W": ("d_h", "d_x"), "U": ("d_h", "d_h")}),
        ("h = x @ W + h @ U", "x, h, *, W, U", "h", {"W": ("d_x", "d_h"), "U": ("d_h", "d_h")}),
        ("h = W.T @ x", "x, h, *, W", "h", {"W": ("d_x", "d_h")}),
        ("h = W @ concat(h, x) + b", "x, h, *, W, b", "h", {"W": ("d_h", "d_h + d_x"), "b": ("d_h",)}),
        ("h = W @ concat(x, h, x)", "x, h, *, W", "h", {"W": ("d_h", "d_h + 2*d_x")}),
        ("h = s * h + x @ (W @ h)", "x, h, *, s: '()', W", "h", {"W": ("d_x", "d_h"), "s": ()}),
        ("h = softmax(W @ x) * p * h", "x, h, *, W, p", "h", {"W": ("d_h", "d_x"), "p": ("d_h",)}),
        ("m = m + outer(h, x); h = m @ x", "x, h, m, *", "h, m", {"m": ("d_h", "d_x")}),
        ("v: 'd_k' = V @ x; h = W @ v", "x, h, *, V, W", "h", {"V": ("d_k", "d_x"), "W": ("d_h", "d_k")}),
        ("c = c * (W @ x); h = tanh(U @ c)", "x, h, c: 'd_c', *, W, U", "h, c", {"U": ("d_h", "d_c"), "c": ("d_c",)}),
        ("g: '()' = s @ x; h = g * h", "x, h, *, s", "h", {"g": (), "s": ("d_x",)}),
        ("g = s @ x; h = g * h", "x, h, *, s", "h", {"g": ("d_h",), "s": ("d_h", "d_x")}),
        ("h = W @ x + mean(W) * h", "x, h, *, W", "h", {"W": ("d_h", "d_x")}),
        ("h = W @ x / sqrt(size(W)) + h / size(h)", "x, h, *, W", "h", {"W": ("d_h", "d_x")}),
        ("h = concat(p, p) * h + W @ x", "x, h: '2*d_k', *, W, p", "h", {"p": ("d_k",)}),
        ("h = (A @ B) @ x + A @ h", "x, h, *, A, B", "h", {"A": ("d_h", "d_h"), "B": ("d_h", "d_x")}),
        ("h = W @ x + h", "x: '3', h: '4', *, W", "h", {"W": ("4", "3")}),
    ],
)
def test_shapes_are_inferred(equations: str, arguments: str, states: str, shapes) -> None:
    arguments = arguments.removesuffix(", *")
    cell = read(equations, arguments, states)
    assert {name: cell.shape_names(name) for name in shapes} == shapes
    assert_ways_agree(cell)


def test_sizes_are_named_in_order_of_appearance() -> None:
    assert symrnn.cells.lookup("lstm").sizes == ("d_x", "d_h")
    assert read("h = V @ (W @ x)", "x, h, *, V, W: 'd_k, d_x'").sizes == ("d_x", "d_h", "d_k")


def test_a_contradiction_names_both_shapes_and_their_reasons() -> None:
    with pytest.raises(ShapeError) as caught:
        read("h = W @ x + U @ x", "x, h, *, W, U: 'd_h, d_h'")
    assert "in 'U @ x': the inner sizes d_h and d_x of @ differ" in str(caught.value)
    assert "U has shape (d_h, d_h), as annotated in line 1" in str(caught.value)
    assert "x has shape (d_x), as the input x" in str(caught.value)


# --- every way to run it agrees ---------------------------------------------------------------------------------------


def softmax(v, axis=None):
    """Down the rows of a column, or along an axis of a matrix."""
    return np.exp(v) / np.exp(v).sum(axis=axis, keepdims=True)


def python_namespace() -> dict:
    """The functions of the language as the NumPy templates of the table say them, and NumPy's own operations."""
    space: dict = {"np": np, "concat": lambda *parts: np.concatenate(parts), "outer": np.outer, "sum": np.sum}
    space |= {"mean": np.mean, "size": np.size, "max": np.max, "min": np.min, "softmax": softmax, "split": np.split}
    for row in FUNCTIONS.values():
        exec(row.helper, space)
    for row in FUNCTIONS.values():
        names = list("abc"[: row.arity])
        numbers = dict(zip(names[::-1], row.defaults[::-1], strict=False))
        taken = (f"{name}={float(numbers[name])!r}" if name in numbers else name for name in names)
        source = f"lambda {', '.join(taken)}: {row.numpy.format(*names)}"
        body = eval(source, space)
        space[f"_{row.name}"] = body
    made = {row.name: space.pop(f"_{row.name}") for row in FUNCTIONS.values()}
    made["straight_through"] = lambda value, slope: value + 0 * slope  # a scalar is repeated
    # helpers call each other by name, so that the functions go into a namespace of their own
    return {**space, **{name: as_array(function) for name, function in made.items()}}


def as_array(function):
    """The function of arrays of floats: a size is a whole number, and no template is given one."""
    return lambda *args: function(*(np.asarray(arg) * 1.0 for arg in args))


def assert_ways_agree(cell: Cell, seed: int = 0) -> None:
    """Equations through the evaluator, `cell.definition`, and Python itself running the text give the same numbers."""
    sizes = unequal_sizes(cell)
    arrays = draw_arrays(cell, sizes, seed)
    arguments = as_arguments(cell, arrays)
    values = as_columns(arrays)
    evaluate = Evaluator(values, sizes, NUMPY)
    for equation in cell.body:
        values[equation.target.name] = evaluate(equation.value)
    space = python_namespace() | sizes  # slices such as v[:d_h] read them
    exec(cell.source, space)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        by_python = space[cell.name](**arguments)
        by_definition = cell.definition(**arguments)
    single = len(cell.states) == 1
    for state, one, other in zip(
        cell.states, (by_python,) if single else by_python, (by_definition,) if single else by_definition, strict=True
    ):
        assert np.shape(one) == np.shape(other)
        assert_allclose(other, one, rtol=1e-9, atol=1e-9)
        by_equations = np.broadcast_to(values[state], (*np.shape(other), 1, 1)[:2])
        assert_allclose(by_equations.reshape(np.shape(other)), other, rtol=1e-9, atol=1e-9)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_cells())
def test_ways_agree_on_random_cells(cell: Cell) -> None:
    assert_ways_agree(cell)


@pytest.mark.parametrize("name", symrnn.cells.names())
def test_ways_agree_on_the_library(name: str) -> None:
    assert_ways_agree(symrnn.cells.lookup(name))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_cells())
def test_cells_travel(cell: Cell) -> None:
    again = pickle.loads(pickle.dumps(cell))
    assert again == cell
    assert hash(again) == hash(cell)
    assert Cell.from_source(cell.source) == cell


def test_definition_takes_states_in_order_and_parameters_by_name() -> None:
    lstm = symrnn.cells.lookup("lstm")
    arrays = as_arguments(lstm, draw_arrays(lstm, {"d_x": 3, "d_h": 2}))
    parameters = {name: arrays[name] for name in lstm.parameters}
    h, c = lstm.definition(arrays["x"], arrays["h"], arrays["c"], **parameters)
    again = lstm.definition(**arrays)
    assert_allclose(h, again[0])
    assert_allclose(c, again[1])
    with pytest.raises(TypeError, match=r"lstm\(\): missing \['U_f'\], unknown \['V'\]"):
        lstm.definition(**{"V" if name == "U_f" else name: array for name, array in arrays.items()})
    with pytest.raises(TypeError, match="in this order"):
        lstm.definition(1, 2, 3, 4)


def test_definition_stands_large_numbers() -> None:
    cell = read(
        "a = sigmoid(W @ x) + softplus(W @ x) + log_sigmoid(-(W @ x)) + silu(W @ x) + elu(W @ x); h = softmax(a) + h",
        "x, h, *, W",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        h = cell.definition(np.array([1e4, -1e4]), np.zeros(3), W=np.array([[1.0, 0], [0, 1], [-1, 1]]))
    assert np.all(np.isfinite(h))


# --- what else shows the text -----------------------------------------------------------------------------------------


def test_source_title_and_sections() -> None:
    lstm = symrnn.cells.lookup("lstm")
    assert lstm.source.startswith("def lstm(x, h, c, *, W_f")
    assert str(lstm) == lstm.source
    assert lstm.title == "Long short-term memory with a forget gate"
    assert lstm.section("Source").startswith("Hochreiter & Schmidhuber (1997)")
    assert "\n" not in lstm.section("Source")
    assert lstm.section("Nothing") == ""
    assert read("h = W @ x", "x, h, *, W").title == "f"


def lstm_like(x, h, c, W_f, U_f, W_g, U_g):
    f = sigmoid(W_f @ x + U_f @ h)
    c = f * c + (1 - f) * tanh(W_g @ x + U_g @ h)
    h = sqrt(abs(c)) * c**2 - c / 2
    return h, c


def test_latexify_renders_a_cell_s_text() -> None:
    latexify = pytest.importorskip("latexify", reason="latexify-py needs Python < 3.14")
    shown = latexify.get_latex(lstm_like)
    assert r"\begin{array}{l}" in shown
    assert r"\mathrm{sigmoid}" in shown
    assert r"\sqrt" in shown
