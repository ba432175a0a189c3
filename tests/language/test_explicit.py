"""The explicit route: scalars, SymPy's own `diff`, and NumPy functions of both."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from numpy.testing import assert_allclose

import symrnn
import symrnn.cells
from symrnn.algebra.evaluate import Evaluator
from symrnn.errors import InputError, UnknownNameError
from symrnn.language.evaluate import NUMPY
from symrnn.language.explicit import Explicit
from symrnn.language.recurrence import Cell
from tests.library import MAIN
from tests.strategies import as_arguments, as_columns, draw_arrays, random_cells, unequal_sizes

OWN = {
    "kinks": """
def kinks(x, h, c, *, W, U, b):
    a = relu(W @ x) + abs(U @ h) - elu(b)
    c = maximum(a, c) * step(a) + sign(c) * softsign(h)
    h = minimum(c, 0.3 * a) + 1 / (2 + h**2)
    return h, c
""",
    "matrix memory": """
def matrix_memory(x, h, m: "d_h, d_k", n: "d_k", *, V, K, Q, f: "()"):
    v = V @ x
    k = softmax(K @ x)
    q = Q @ x
    m = sigmoid(f) * m + outer(v, k)
    n = sigmoid(f) * n + k
    s = maximum(abs(n @ q), 1)
    h = m @ q / s
    return h, m, n
""",
    "everything": """
def everything(x, h, *, W, A, p):
    a = tanh(W @ concat(h, x)) + 0.1
    b = exp(-a) * log(2 + a) - sqrt(1 + a**2) + sin(a) * cos(h)
    d = (A.T @ b) ** 3 / 7 + softplus(p) * log_sigmoid(p) - silu(p)
    h = mean(d) * a + sum(x) * b ** -1 * d
    return h
""",
    "one x": """
def one_x(x: "()", h, *, w, U):
    h = tanh(w * x + U @ h)
    return h
""",
    "numbers only": """
def numbers_only(x: "()", h: "()", *, w: "()", u: "()"):
    h = tanh(w * x + u * h)
    return h
""",
    "awkward names": """
def awkward_names(x0, array, x1: "()", *, W, W_1, select: "()", Derivative, numpy, pi, E, I):
    array = W @ x0 + W_1 * select + x1 * numpy + relu(pi * E * I * Derivative) + tanh(array)
    return array
""",
}
CELLS = [symrnn.cells.lookup(name) for name in MAIN]
CELLS += [Cell.from_source(text) for text in OWN.values()]
EVERY_CELL = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)


def explicit(cell: Cell, n: int, m: int) -> Explicit:
    others = {name: 4 - n + i for i, name in enumerate(cell.sizes) if name not in ("d_h", "d_x")}
    return cell.explicit(n, m, **others)


def as_tuple(value: object) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def complex_step(cell: Cell, arrays: dict, of: str, wrt: str) -> np.ndarray:
    """Column k is how `of` moves with entry k of `wrt`, both column after column."""
    columns = []
    for entry in range(arrays[wrt].size):
        moved = arrays[wrt].astype(complex).reshape(-1, order="F")
        moved[entry] += 1e-30j
        changed = arrays | {wrt: moved.reshape(arrays[wrt].shape, order="F")}
        states = as_tuple(cell.definition(**as_arguments(cell, changed)))
        columns.append(np.imag(states[cell.states.index(of)]).reshape(-1, order="F") / 1e-30)
    return np.array(columns).T


@pytest.mark.sampled(12)
@EVERY_CELL
@pytest.mark.parametrize(("n", "m"), [(2, 3), (3, 2), (1, 1)])
def test_agrees_with_the_definition(cell: Cell, n: int, m: int) -> None:
    written = explicit(cell, n, m)
    arrays = draw_arrays(cell, written.sizes, seed=n)
    expected = as_tuple(cell.definition(**as_arguments(cell, arrays)))
    for value, other in zip(as_tuple(written.function()(**arrays)), expected, strict=True):
        assert value.shape == np.shape(other)
        assert_allclose(value, other, rtol=1e-12, atol=1e-12)
    of = cell.states[0]
    for wrt in (f"{of}_prev", cell.inputs[0], cell.parameters[0]):
        found = written.jacobian_function(of, wrt)(**arrays)
        assert_allclose(found, complex_step(cell, arrays, of, wrt), rtol=1e-12, atol=1e-12)


@pytest.mark.sampled(4)
@EVERY_CELL
def test_agrees_with_the_derivation(cell: Cell) -> None:
    written = explicit(cell, 2, 3)
    arrays = draw_arrays(cell, written.sizes, seed=1)
    derivation = symrnn.derive(cell)
    values = as_columns(arrays)
    evaluate = Evaluator(values, written.sizes, NUMPY)
    for equation in derivation.forward:
        values[equation.target.name] = evaluate(equation.value)
    for of in cell.states:
        for wrt in [variable.name for variable in cell.previous] + list(cell.inputs):
            found = written.jacobian_function(of, wrt)(**arrays)
            derived = evaluate(symrnn.jacobian(derivation, of, wrt))
            assert_allclose(derived, found, rtol=1e-12, atol=1e-12)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_cells(equations=4))
def test_agrees_on_random_cells(cell: Cell) -> None:
    sizes = {name: 1 + number % 3 for name, number in unequal_sizes(cell).items()}
    written = cell.explicit(**sizes)
    arrays = draw_arrays(cell, sizes)
    expected = as_tuple(cell.definition(**as_arguments(cell, arrays)))
    for value, other in zip(as_tuple(written.function()(**arrays)), expected, strict=True):
        assert_allclose(value, other, rtol=1e-9, atol=1e-9)


@pytest.mark.sampled(4)
@EVERY_CELL
def test_is_ordinary_sympy(cell: Cell) -> None:
    written = explicit(cell, 2, 3)
    symbols = {symbol for matrix in written.symbols.values() for symbol in matrix}
    assert sum(len(matrix) for matrix in written.symbols.values()) == len({symbol.name for symbol in symbols})
    assert all(symbol.is_real and symbol.name.isidentifier() for symbol in symbols)
    for matrix in [*written.values.values(), *written.states.values()]:
        assert isinstance(matrix, sympy.ImmutableDenseMatrix)
        assert matrix.free_symbols <= symbols
        assert not matrix.atoms(sympy.Float)
        assert not matrix.atoms(sympy.MatrixSymbol)
    for wrt in written.symbols:
        assert not written.jacobian(cell.states[0], wrt).has(sympy.DiracDelta, sympy.Derivative, sympy.Subs)


def test_symbols_are_named_by_their_place() -> None:
    written = symrnn.cells.lookup("rnn").explicit(2, 3)
    assert [symbol.name for symbol in written.symbols["h_prev"]] == ["h_prev_1", "h_prev_2"]
    assert written.symbols["W"][1, 2].name == "W_2_3"
    assert written.symbols["W"].shape == (2, 3)
    assert list(written.states) == ["h"]


def test_matrix_jacobians_go_column_after_column() -> None:
    cell = Cell.from_source(
        "def f(x, h, m: 'd_h, d_x', *):\n    m = 2 * m\n    h = m @ x\n    return h, m\n".replace(", *)", ")")
    )
    written = cell.explicit(2, 3)
    assert written.jacobian("m", "m_prev") == 2 * sympy.eye(6)
    x = written.symbols["x"]
    assert written.jacobian("h", "m_prev") == sympy.Matrix.hstack(*(2 * x[j] * sympy.eye(2) for j in range(3)))


def test_functions_take_arrays_by_name() -> None:
    written = symrnn.cells.lookup("lstm").explicit(2, 3)
    arrays = draw_arrays(written.cell, written.sizes)
    h, c = written.function()(**arrays)
    f, again = written.function("f", "c")(**arrays)
    assert h.shape == c.shape == f.shape == (2,)
    assert_allclose(again, c)
    assert "x (3,), h_prev (2,)" in inspect.getdoc(written.function("f"))
    with pytest.raises(InputError, match=r"missing \['x'\], unknown \['y'\]"):
        written.function()(**{"y" if name == "x" else name: array for name, array in arrays.items()})
    with pytest.raises(InputError, match=r"x has shape \(3, 1\)\n  at these sizes it is \(3,\)"):
        written.function()(**arrays | {"x": arrays["x"][:, None]})


@pytest.mark.parametrize(
    ("args", "sizes", "words"),
    [
        ((), {}, "missing d_h, d_x"),
        ((2,), {}, "missing d_x"),
        ((2, 3), {"d_k": 2}, "unknown d_k"),
        ((2, 3), {"d_x": 2}, "said twice d_x"),
        ((0, 3), {}, "the size d_h is 0"),
        ((-1, 3), {}, "the size d_h is -1"),
        ((2.0, 3), {}, "the size d_h is 2.0"),
        ((True, 3), {}, "the size d_h is True"),
        (("2", 3), {}, "the size d_h is '2'"),
        ((2, 7), {}, "whole number from 1 to 6: beyond, SymPy would take minutes"),
        ((10**30, 3), {}, "the size d_h"),
    ],
)
def test_bad_sizes_are_refused(args, sizes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        symrnn.cells.lookup("rnn").explicit(*args, **sizes)


def test_sizes_that_a_cell_lacks_may_be_left_out() -> None:
    one, none = Cell.from_source(OWN["one x"]), Cell.from_source(OWN["numbers only"])
    assert one.explicit(2).symbols["w"].shape == (2, 1)
    assert one.explicit(2, 3).sizes == {"d_h": 2}
    assert one.explicit(d_h=2).sizes == {"d_h": 2}
    assert none.explicit().states["h"].shape == (1, 1)


def test_unknown_names_are_refused() -> None:
    written = symrnn.cells.lookup("rnn").explicit(1, 1)
    with pytest.raises(UnknownNameError, match=r"no 'c' here\n  there are h"):
        written.jacobian("c", "x")
    with pytest.raises(UnknownNameError, match=r"no 'h' here\n  there are x, h_prev, W, U, b"):
        written.jacobian("h", "h")
    with pytest.raises(UnknownNameError, match="no 'x' here"):
        written.function("x")
