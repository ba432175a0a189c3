"""The table of operations: every row says the same in nodes and on arrays, along axes too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.nodes import Variable
from symrnn.language.evaluate import NUMPY
from symrnn.language.operations import ALONG, OPERATIONS
from symrnn.language.spelling import RENAMED, SAME_NAME

SHAPES = [(3,), (3, 4)]
#: Rows that take vectors only, as the language has it.
OF_VECTORS = {"concat", "outer"}


def drawn(count: int, shape: tuple[int, ...]) -> tuple[list[Variable], list[np.ndarray]]:
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=(shape[0] + number, *shape[1:])) for number in range(count)]
    rows_and_cols = [(*array.shape, 1)[:2] for array in arrays]
    return [Variable(name, *sizes) for name, sizes in zip("abc", rows_and_cols, strict=False)], arrays


def value(expr: object, variables: list[Variable], arrays: list[np.ndarray]) -> np.ndarray:
    at = {v.name: a.reshape((*a.shape, 1)[:2]) for v, a in zip(variables, arrays, strict=True)}
    return np.asarray(Evaluator(at, {}, NUMPY)(expr))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_nodes_are_what_happens_to_arrays(name: str, shape: tuple[int, ...]) -> None:
    row = OPERATIONS[name]
    variables, arrays = drawn(row.count or 3, (3,) if name in OF_VECTORS else shape)
    expected = np.asarray(row.on_arrays(np, NUMPY, *arrays))
    assert_allclose(value(row.build(*variables), variables, arrays).reshape(expected.shape), expected, rtol=1e-13)


@pytest.mark.parametrize("name", sorted(ALONG))
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_along_an_axis_too(name: str, axis: int, shape: tuple[int, ...]) -> None:
    row = OPERATIONS[name]
    variables, arrays = drawn(1, shape)
    if axis >= len(shape):
        return
    expected = np.asarray(row.on_arrays(np, NUMPY, *arrays, axis=axis % len(shape)))
    assert_allclose(value(row.along(variables[0], axis), variables, arrays).reshape(expected.shape), expected)


def test_a_row_says_both_things_about_an_axis_or_neither() -> None:
    with pytest.raises(ValueError, match="sum: `build_along` and `shapes_along` are needed both, or neither"):
        replace(OPERATIONS["sum"], shapes_along=None)


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_other_libraries_call_it_is_read(name: str) -> None:
    for called in OPERATIONS[name].called:
        assert called in SAME_NAME if called == name else RENAMED[called] == name
