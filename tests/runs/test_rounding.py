"""The bound on rounding holds, is not far too large, and excuses nothing but rounding."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from symrnn import Cell, cells, derive, generate
from symrnn.algebra.functions import FUNCTIONS
from symrnn.language.evaluate import NUMPY
from symrnn.runs import rounding
from symrnn.runs.rounding import ROUNDED, UNIT, Rounded
from symrnn.runs.sizes import layouts
from symrnn.targets.generation import Module
from symrnn.verification.generated import SIZES, TOLERANCE, check_generated
from symrnn.verification.network import draw_network

CANCELLING = '''
def cancelling(x, h, *, W: "d_k, d_x", v):
    """The gradient of W is 0: the entries of a softmax add up to 1, whatever is in it."""
    h = softmax(0.1 * h) + 0.2 * sum(concat(h, v) ** 2) + 0.3 * sum(softmax(W @ x)) + 0.1 * v
    return h
'''


def polynomial(x: Any, y: Any, z: Any) -> Any:
    """Something in which large terms cancel."""
    return (x + y) * (x - y) - x * x + y * y + (x / y) * z - z / (y + z) * (y + z)


@pytest.mark.parametrize("seed", range(20))
def test_the_error_is_within_the_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = [float(n) for n in rng.uniform(1, 2, 3) * 10.0 ** rng.integers(0, 6, 3)]
    found = polynomial(*map(Rounded, numbers))
    truth = polynomial(*map(Fraction, numbers))
    assert found.value == polynomial(*numbers)
    error = float(abs(Fraction(found.value) - truth))
    assert error <= UNIT * found.error
    assert UNIT * found.error <= 1e-14 * max(numbers) ** 2


@pytest.mark.parametrize("operate", [operator.add, operator.sub, operator.mul, operator.truediv])
def test_a_plain_number_stands_on_either_side(operate: Callable[[Any, Any], Any]) -> None:
    value = Rounded(0.7, 5.0)
    for plain in (3.0, 1, Fraction(2, 3)):
        for found, same in [
            (operate(plain, value), operate(Rounded.of(plain), value)),
            (operate(value, plain), operate(value, Rounded.of(plain))),
        ]:
            assert (found.value, found.error) == pytest.approx((same.value, same.error), rel=1e-15)
            assert found.error > 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_error_grows_by_the_slope(name: str) -> None:
    row = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    at = np.array([rng.uniform(*row.interval(i)) for i in range(row.arity)])
    value = ROUNDED.__getattr__(name)(*(Rounded(x, 1e6) for x in at))
    assert value.value == pytest.approx(float(getattr(NUMPY, name)(*at)))
    moved = sum(
        abs(getattr(NUMPY, name)(*(at + 1e-6 * unit)) - getattr(NUMPY, name)(*(at - 1e-6 * unit))) / 2e-6
        for unit in np.eye(row.arity)
    )
    assert value.error == pytest.approx(1e6 * moved + abs(value.value), rel=1e-4, abs=1e-3)


def checked(cell: Cell, module: Any) -> dict[str, float]:
    return {check.name: check.error for check in check_generated(derive(cell), module, 0)}


def test_terms_that_cancel_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell.from_source(CANCELLING)
    module = generate(cell)
    assert max(checked(cell, module).values()) <= TOLERANCE
    monkeypatch.setattr(rounding, "UNIT", 0.0)  # as if arithmetic were exact
    wrong = [name for name, error in checked(cell, module).items() if error > TOLERANCE]
    assert wrong == ["backward: parameters", "backward: inputs"]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("text", [CANCELLING, cells.lstm.source, cells.gru.source])
@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0])
def test_an_error_larger_than_rounding_is_found(text: str, size: float) -> None:
    """Against the terms of the sum, not against what is left of them."""
    cell = Cell.from_source(text)
    module = generate(cell)
    reference = draw_network(derive(cell), layouts(cell, [SIZES])[0], np.random.default_rng(0))
    assert reference is not None
    name = cell.parameters[0]
    terms = max(1.0, UNIT * float(np.max(reference.rounding["params"][name])) / TOLERANCE)

    def backward(*args: Any, **kwargs: Any) -> Any:
        grads, *rest = module.backward(*args, **kwargs)
        return (grads | {name: grads[name] + size * terms}, *rest)

    wrong = Module(module.name, module.source, module.initialize, module.forward, backward, module.step)
    assert checked(cell, wrong)["backward: parameters"] > TOLERANCE


CHAOTIC = """
def chaotic(x, h, *, W, U):
    a = W @ x + 8 * (U @ h)
    h = sin(a * a)
    return h
"""


def test_a_step_that_magnifies_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell.from_source(CHAOTIC)
    module = generate(cell)
    assert max(checked(cell, module).values()) <= TOLERANCE

    def forward(params: Any, x: Any, state: Any) -> Any:
        h, final, tape = module.forward(params, x, state)
        h[0, 1, 2] += 1e-6  # at the first step little has been magnified
        return h, final, tape

    wrong = Module(module.name, module.source, module.initialize, forward, module.backward, module.step)
    assert checked(cell, wrong)["forward"] > TOLERANCE
    monkeypatch.setattr(rounding, "UNIT", 0.0)
    assert checked(cell, module)["forward"] > TOLERANCE


def test_what_is_no_number_is_not_explained() -> None:
    found = rounding.unexplained(np.array([1.0, np.nan, 1.0, 3.0]), np.array([np.inf, 1.0, 2 / UNIT, 2 / UNIT]))
    np.testing.assert_array_equal(found, [1.0, np.nan, 0.0, 1.0])


def test_a_division_by_zero_explains_nothing() -> None:
    found = 1 / (Rounded(2.0) - 2.0)
    assert np.isnan(found.value)
    assert rounding.unexplained(np.array(1.0), np.array(found.error)) == 1.0


@pytest.mark.parametrize("at", [0.5, 4.0, 8.0, 14.0, 18.0])
def test_a_saturated_slope_has_few_digits_where_a_complex_step_has_all(at: float) -> None:
    """1 - h² against h' = sech² in 50 digits: where the two differ, the complex step is right."""
    with mpmath.workdps(50):
        truth = mpmath.sech(mpmath.mpf(at)) ** 2
        stepped = float(abs(np.imag(NUMPY.tanh(at + 1e-30j)) / 1e-30 - truth) / truth)
        h = Rounded(float(np.tanh(at)), float(np.tanh(at)))
        slope = 1 + -(h * h)
        missed = float(abs(mpmath.mpf(slope.value) - truth))
    assert stepped < 1e-15
    assert missed <= UNIT * slope.error
    assert at < 8 or missed > 1e-11 * float(truth)
