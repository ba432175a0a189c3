"""Counts against published formulas, and against counting what really happens."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import sympy

from symrnn import Cell, cells
from symrnn.cells.counting import count, formula
from symrnn.language.evaluate import run
from symrnn.runs.sizes import layouts

N, M = (sympy.Symbol(name, integer=True, positive=True) for name in ("d_h", "d_x"))

PUBLISHED = {
    "rnn": N * M + N**2 + N,
    "lstm": 4 * (N * M + N**2 + N),  # Greff et al. (2017), without peepholes
    "lstm_peephole": 4 * (N * M + N**2 + N) + 3 * N,
    "lstm_two_biases": 4 * (N * M + N**2 + 2 * N),  # torch.nn.LSTM
    "lstm_no_bias": 4 * (N * M + N**2),
    "lstm_cifg": 3 * (N * M + N**2 + N),
    "gru": 3 * (N * M + N**2 + N),  # Chung et al. (2014)
    "gru_reset_after_two_biases": 3 * (N * M + N**2 + 2 * N),  # torch.nn.GRU
    "mgu": 2 * (N * M + N**2 + N),  # Zhou et al. (2016)
    "indrnn": N * M + 2 * N,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_as_published(name: str) -> None:
    assert sympy.expand(count(cells[name]).parameters - PUBLISHED[name]) == 0


class Counted(np.ndarray):
    """Arrays that remember their matrix products, each pair of values once."""

    products: ClassVar[dict[tuple[bytes, bytes, tuple[int, ...], tuple[int, ...]], int]] = {}

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [x.view(np.ndarray) if isinstance(x, Counted) else x for x in inputs]
        if ufunc is np.matmul:
            a, b = plain
            self.products[a.tobytes(), b.tobytes(), a.shape, b.shape] = a.size * (b.shape[1] if b.ndim == 2 else 1)
        if ufunc is np.multiply and method == "outer":
            a, b = plain
            self.products[a.tobytes(), b.tobytes(), a.shape, b.shape] = a.size * b.size
        result = getattr(ufunc, method)(*plain, **kwargs)
        return result.view(Counted) if isinstance(result, np.ndarray) else np.asarray(result).view(Counted)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.outer:
            a, b = args
            self.products[a.tobytes(), b.tobytes(), a.shape, b.shape] = a.size * b.size
        return super().__array_function__(function, types, args, kwargs)


@pytest.mark.parametrize("name", cells.names())
@pytest.mark.parametrize("sizes", [(2, 3), (5, 4)])
def test_counts_are_what_really_happens(name: str, sizes: tuple[int, int]) -> None:
    cell = cells[name]
    (layout,) = layouts(cell, [sizes])
    rng = np.random.default_rng(0)
    values = {v.base if v.time == -1 else v.name: rng.uniform(0.1, 1, layout.text_shape(v)) for v in layout.variables}
    Counted.products.clear()
    run(cell.syntax, {key: value.view(Counted) for key, value in values.items()})

    counts = count(cell)
    numbers = {symbol: layout.sizes[symbol.name] for symbol in (counts.parameters + counts.multiply_adds).free_symbols}
    assert counts.parameters.subs(numbers) == sum(values[parameter].size for parameter in cell.parameters)
    assert counts.multiply_adds.subs(numbers) == sum(Counted.products.values())
    assert counts.states == len(cell.states)


GATES = {
    "rnn": 0,
    "rnn_sigmoid": 0,
    "mgu": 1,
    "gru": 2,
    "lstm": 3,
    "lstm_cifg": 2,
    "lstm_odyssey_nog": 2,
    "minlstm": 2,
    "slstm": 3,
    "lru": 0,
}


@pytest.mark.parametrize(("name", "gates"), GATES.items())
def test_gates_are_counted(name: str, gates: int) -> None:
    assert count(cells[name]).gates == gates


def test_a_product_that_is_written_twice_is_one_unless_a_state_changes_between() -> None:
    text = "def c(x: 'd_h', h, s, *, U):\n    s = U @ h + s\n    h = U @ h + U @ h + x\n    return h, s\n"
    assert count(Cell.from_source(text)).multiply_adds == N**2
    text = "def c(x: 'd_h', h, s, *, U):\n    h = U @ h + x\n    s = U @ h + s\n    return h, s\n"
    assert count(Cell.from_source(text)).multiply_adds == 2 * N**2


@pytest.mark.parametrize(
    ("polynomial", "long", "short"),
    [
        (4 * (N * M + N**2 + N), "4 d_h d_x + 4 d_h² + 4 d_h", "4nm + 4n² + 4n"),
        (sympy.Integer(0), "0", "0"),
        (N * M - N + 1, "d_h d_x - d_h + 1", "nm - n + 1"),
        (2 * sympy.Symbol("d_k") * M**12, "2 d_k d_x¹²", "2d_k·m¹²"),
    ],
)
def test_formulas_are_readable(polynomial: sympy.Expr, long: str, short: str) -> None:
    assert formula(polynomial) == long
    assert formula(polynomial, short=True) == short
