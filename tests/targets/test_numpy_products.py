"""Every pair of kinds, and chains of them, with and without leading axes: the source multiplies example by example."""

from __future__ import annotations

from itertools import product as combinations

import numpy as np
import pytest
from sympy import Symbol

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr, Variable
from symrnn.targets.numpy.expressions import NumpyExpressions
from symrnn.targets.numpy.products import PRODUCTS
from symrnn.targets.numpy.values import kind, own_axes

BATCH = 3
SIZES = {"n": 2, "m": 4, "k": 5}
ALIKE = dict.fromkeys(SIZES, BATCH)
LETTERS = ("1", "n", "m")


def size(letter: str) -> object:
    return 1 if letter == "1" else Symbol(letter, integer=True, positive=True)


def chain(letters: tuple[str, ...], batched: tuple[bool, ...]) -> Expr:
    """Variables one after another, with these sizes where they meet; a row is the transpose of a column."""
    factors = []
    for number, (rows, cols, batch) in enumerate(zip(letters, letters[1:], batched, strict=False)):
        turned = rows == "1" and cols != "1"
        shape = (size(cols), size(rows)) if turned else (size(rows), size(cols))
        factor = Variable(f"v{number}", *shape, None, 0 if batch else None)
        factors.append(nodes.transpose(factor) if turned else factor)
    return nodes.matmul(*factors)


def evaluated(expr: Expr, sizes: dict[str, int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The printed source's value for a batch, and the same by explicit sums over each example's matrices."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for variable in sorted(nodes.variables(expr), key=str):
        own = [sizes[str(dim)] for dim in own_axes(variable.shape)]
        arrays[variable] = rng.normal(size=[*([BATCH] if variable.time == 0 else []), *own])
    helpers: dict[str, str] = {}
    printer = NumpyExpressions(lambda variable: variable.name, str, ("N",), helpers)
    source = printer.full(expr, batch=True)
    scope = {"np": np, "N": BATCH, "dtype": np.float64, **sizes, **{v.name: a for v, a in arrays.items()}}
    found = eval(source, scope)

    def value(part: Expr, example: int) -> np.ndarray:
        if isinstance(part, Variable):
            array = arrays[part][example] if part.time == 0 else arrays[part]
            return array.reshape((*array.shape, 1, 1)[:2])
        if isinstance(part, nodes.Transposed):
            return value(part.arg, example).T
        if isinstance(part, nodes.Fill):
            rows, cols = (int(sizes.get(str(dim), 1)) for dim in part.shape)
            return np.full((rows, cols), value(part.operand, example).item())
        if isinstance(part, nodes.Hadamard):
            return np.prod([value(arg, example) for arg in part.args], axis=0)
        result = value(part.args[0], example)
        for arg in part.args[1:]:
            result = np.einsum("ij,jk->ik", result, value(arg, example))
        return result

    own = [dim for dim in value(expr, 0).shape if dim != 1]
    return found, np.stack([value(expr, example).reshape(own) for example in range(BATCH)])


def assert_multiplies(expr: Expr) -> None:
    for sizes in (SIZES, ALIKE):
        found, wanted = evaluated(expr, sizes)
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("letters", list(combinations(LETTERS, repeat=3)), ids="-".join)
@pytest.mark.parametrize("batched", list(combinations((False, True), repeat=2)))
def test_two_factors(letters: tuple[str, ...], batched: tuple[bool, ...]) -> None:
    assert_multiplies(chain(letters, batched))


@pytest.mark.parametrize("letters", list(combinations(LETTERS, repeat=4)), ids="-".join)
@pytest.mark.parametrize(
    "batched", [(False, True, True), (True, False, False), (True, True, False), (True, True, True)]
)
def test_three_factors(letters: tuple[str, ...], batched: str) -> None:
    assert_multiplies(chain(letters, tuple(flag == "t" for flag in batched)))


@pytest.mark.parametrize("letters", list(combinations("1n", repeat=6)), ids="-".join)
def test_five_factors(letters: tuple[str, ...]) -> None:
    assert_multiplies(chain(letters, (True, False, True, False, True)))


def test_every_pair_of_the_table_is_met() -> None:
    met = set()
    for letters in combinations(LETTERS, repeat=3):
        a, b, c = map(size, letters)
        met.add((kind((a, b)), kind((b, c))))
    assert set(PRODUCTS) <= met


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_source_takes_any_expression(name: str) -> None:
    """The argument is printed without brackets: where the row's source needs them, it has them."""
    row = FUNCTIONS[name]
    v, w = (Variable(letter, size("n"), 1) for letter in "vw")
    operand, bracketed = nodes.add(v, nodes.scale(2, w)), Variable("(v + 2 * w)", size("n"), 1)
    printer = NumpyExpressions(lambda variable: variable.name, str, ("N",), {})
    for outer in (lambda x: x, lambda x: nodes.power(x, 2), lambda x: nodes.hadamard(v, x), nodes.negate):
        shown, safe = (printer(outer(nodes.act(name, *[x] * row.arity))) for x in (operand, bracketed))
        values = []
        for source in (shown, safe):
            scope = {"np": np, "v": np.array([0.3]), "w": np.array([0.4])}
            exec("\n\n".join(printer.helpers.values()), scope)
            values.append(eval(source, scope))
        np.testing.assert_array_equal(*values)
