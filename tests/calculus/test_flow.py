"""How gradients flow: every bound holds at random numbers, a wrong one is seen, and every product is a derivative."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from symrnn import Cell, cells, derive
from symrnn.algebra.intervals import ZERO_TO_ONE, Interval
from symrnn.algebra.nodes import Expr, Variable, diag, hadamard, ones, power, subtract
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation, shift
from symrnn.calculus.flow import Flow, flow
from symrnn.calculus.norms import Bound, Norms
from symrnn.calculus.paths import direct_path
from symrnn.runs.numbers import COMPLEX_STEP, FLOATS
from symrnn.runs.sizes import CellAtSizes, layouts
from symrnn.runs.stepping import StepValues, derive_over_steps

STEPS = 3
# A bound that is reached is missed by rounding, which grows with the size of what is added.
ROUNDING = 1e-9


def sequence(derivation: Derivation, scale: float, seed: int) -> tuple[CellAtSizes, dict[str, Array], list[StepValues]]:
    """Some steps at random numbers, with states that begin in [-1, 1]."""
    (sized,) = layouts(derivation.cell, [(2, 3)])
    rng = np.random.default_rng(seed)
    cell = derivation.cell
    start = {v.name: rng.uniform(-1, 1, sized.shape(v)) for v in cell.previous}
    start |= {p: scale * rng.normal(size=sized.shape(cell[p])) for p in cell.parameters}
    inputs = [{x: rng.normal(size=sized.shape(cell[x])) for x in cell.inputs} for _ in range(STEPS)]
    start["inputs"] = inputs  # type: ignore[assignment]
    return sized, start, run(derivation, sized, start)


def run(derivation: Derivation, sized: CellAtSizes, start: dict[str, Array]) -> list[StepValues]:
    given = {name: value for name, value in start.items() if name != "inputs"}
    with np.errstate(all="ignore"):
        return derive_over_steps(derivation, sized, FLOATS, given, start["inputs"])


def over_steps(derivation: Derivation, sized: CellAtSizes, start: dict[str, Array], of: str, wrt: str) -> list[Array]:
    """The derivatives of a state at each step by a state before the first, the others held, by complex steps."""
    name = f"{wrt}_prev"
    columns: list[list[Array]] = [[] for _ in range(STEPS)]
    for place in range(start[name].size):
        steps = run(derivation, sized, {**start, name: stepped(start[name], place)})
        for back, step in enumerate(steps):
            columns[back].append(np.imag(step.values[of]).reshape(-1, order="F") / COMPLEX_STEP)
    return [np.stack(column, axis=1) for column in columns]


def stepped(value: Array, place: int) -> Array:
    """An array of which one entry moves, counted as in vec."""
    flat = value.astype(complex).reshape(-1, order="F")
    flat[place] += 1j * COMPLEX_STEP
    return flat.reshape(value.shape, order="F")


def at(steps: list[StepValues], derivation: Derivation, number: int) -> Callable[[Expr], Array]:
    """The value of an expression in the variables of a step, of the one before, and of the states before that."""
    values = dict(steps[number].values)
    if number:
        for variable in derivation.variables.values():
            if variable.time in (0, -1):
                values.setdefault(shift(variable, -1).name, steps[number - 1].values[variable.name])
    evaluator = FLOATS.evaluator(values, steps[number].evaluate.sizes)
    return lambda expr: evaluator(expr)


def measured(bound: Bound, evaluate: Callable[[Expr], Array]) -> float:
    """A bound at numbers."""
    total = 0.0
    for sizes, number in bound.terms.items():
        value = float(number)
        for size in sizes:
            matrix = evaluate(size.of)
            value *= np.linalg.norm(matrix, 2) if size.measure == "norm" else np.max(np.abs(matrix))
        total += value
    return total


def norm(matrix: Array) -> float:
    return float(np.linalg.norm(np.atleast_2d(matrix), 2))


def assert_bounds_hold(found: Flow, scale: float, seed: int) -> None:
    derivation = found.derivation
    sized, start, steps = sequence(derivation, scale, seed)
    for number in range(1, STEPS):
        evaluate = at(steps, derivation, number)
        for state in found.states:
            limits = [(state.factor, state.bound), *((path.value, bound) for path, bound in state.others or ())]
            for value, bound in limits:
                limit = measured(bound, evaluate)
                assert norm(evaluate(value)) <= limit * (1 + ROUNDING) + ROUNDING, (state.state, value, bound)
            if state.entries is not None:
                assert state.within is not None
                low, high = float(state.within.low), float(state.within.high)
                entries = evaluate(state.entries)
                assert np.all((entries >= low - ROUNDING) & (entries <= high + ROUNDING))
    if not found.blocks:
        return
    names = derivation.cell.states
    product = np.eye(len(names))
    matrices = []
    for number in range(STEPS):
        evaluate = at(steps, derivation, number)
        one = np.array([[measured(found.blocks[s, r], evaluate) for r in names] for s in names])
        product = one @ product
        matrices.append(product)
    for j, wrt in enumerate(names):
        for i, of in enumerate(names):
            for number, truth in enumerate(over_steps(derivation, sized, start, of, wrt)):
                assert norm(truth) <= matrices[number][i, j] * (1 + ROUNDING) + ROUNDING, (of, wrt, number)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("scale", [0.3, 2.0])
@pytest.mark.parametrize("name", cells.names())
def test_every_bound_holds(name: str, scale: float) -> None:
    found = flow(derive(cells[name]))
    for seed in range(3):
        assert_bounds_hold(found, scale, seed)


def assert_bounds_hold_often(found: Flow) -> None:
    for seed in range(30):
        assert_bounds_hold(found, 0.1, seed)  # with small weights, where slopes are largest


def halved(bound: Bound) -> Bound:
    return Bound({key: number / 2 for key, number in bound.terms.items()})


@pytest.mark.parametrize("name", ["rnn", "rnn_sigmoid", "lstm_1997", "scrn", "gru"])
def test_a_bound_that_is_too_small_is_seen(name: str) -> None:
    found = flow(derive(cells[name]))
    wrong = replace(found, states=tuple(replace(state, bound=halved(state.bound)) for state in found.states))
    with pytest.raises(AssertionError):
        assert_bounds_hold_often(wrong)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
def test_a_block_that_is_too_small_is_seen(name: str) -> None:
    found = flow(derive(cells[name]))
    # All of it: a path may be weak, and the others hide that its bound is wrong.
    wrong = replace(found, blocks={pair: halved(halved(bound)) for pair, bound in found.blocks.items()})
    with pytest.raises(AssertionError):
        assert_bounds_hold_often(wrong)


# --- products ---------------------------------------------------------------------------------------------------------


def direct_by_complex_step(derivation: Derivation, step: StepValues, state: str) -> Array:
    """How the equation of a state moves with the state before, every other named variable held."""
    name = f"{state}_prev"
    columns = []
    for place in range(step.values[name].size):
        values = {key: value.astype(complex) for key, value in step.values.items()}
        values[name] = stepped(values[name], place)
        evaluate = FLOATS.evaluator(values, step.evaluate.sizes)
        for equation in derivation.forward:
            if derivation.is_preactivation(equation.target):
                values[equation.target.name] = evaluate(equation.value)
            elif equation.target.name == state:
                columns.append(np.imag(evaluate(equation.value)).reshape(-1, order="F") / COMPLEX_STEP)
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "mlstm", "scrn", "lru", "indrnn", "antisymmetric_rnn", "sru"])
def test_the_direct_path_is_the_product_of_direct_derivatives(name: str) -> None:
    derivation = derive(cells[name])
    _, _, steps = sequence(derivation, 1.0, 7)
    for state in flow(derivation).states:
        product = np.eye(steps[0].values[state.state.name].size)
        for step in steps[1:]:
            truth = direct_by_complex_step(derivation, step, state.state.name)
            np.testing.assert_allclose(step.evaluate(state.factor), truth, atol=1e-12)
            product = truth @ product
        both = at(steps, derivation, STEPS - 1)(direct_path(derivation, state.state.name, STEPS - 1))
        np.testing.assert_allclose(both, product, atol=1e-12)


# --- what is known of a factor ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "state", "kind", "within", "assumed"),
    [
        ("rnn", "h", "matrix", None, []),
        ("rnn_linear", "h", "matrix", None, []),
        ("lstm", "h", "none", None, []),
        ("lstm", "c", "diagonal", ZERO_TO_ONE, []),
        ("lstm_1997", "c", "identity", Interval(Fraction(1), Fraction(1)), []),
        ("gru", "h", "diagonal", ZERO_TO_ONE, ["h_prev"]),
        ("gru_reset_after", "h", "diagonal", ZERO_TO_ONE, ["h_prev"]),
        ("scrn", "s", "diagonal", Interval(Fraction(19, 20), Fraction(19, 20)), []),
        ("mlstm", "C", "diagonal", Interval(Fraction(0), float("inf"), True), []),
    ],
)
def test_what_the_direct_factor_is(
    name: str, state: str, kind: str, within: Interval | None, assumed: list[str]
) -> None:
    found = flow(cells[name])
    (one,) = (s for s in found.states if s.state.name == state)
    assert (one.kind, one.within) == (kind, within)
    assert [v.name for v in found.assumed] == assumed


def shown(bound: Bound) -> dict[str, Fraction]:
    return {" ".join(f"{size.measure} {size.of}" for size in key): number for key, number in bound.terms.items()}


def test_bounds_of_the_usual_cells() -> None:
    quarter, one = Fraction(1, 4), Fraction(1)
    assert shown(flow("rnn").blocks["h", "h"]) == {"norm U": one}
    assert shown(flow("rnn_sigmoid").blocks["h", "h"]) == {"norm U": quarter}
    assert shown(flow("gru").blocks["h", "h"]) == {
        "": one,
        "norm U_z": Fraction(1, 2),
        "norm U_n": one,
        "norm U_n norm U_r": quarter,
    }
    assert shown(flow("lstm").blocks["c", "h"]) == {
        "largest c_{t-1} norm U_f": quarter,
        "norm U_i": quarter,
        "norm U_g": one,
    }


X = Variable("x", 3, 1, time=0)
Y = Variable("y", 3, 1, time=0)
U = Variable("U", 3, 3)
ONE = ones((3, 1))


def polynomials() -> Iterator[tuple[Expr, Interval, Fraction]]:
    complement = subtract(ONE, X)
    yield hadamard(X, complement), ZERO_TO_ONE, Fraction(1, 4)
    yield subtract(ONE, power(X, 2)), Interval(Fraction(-1), Fraction(1)), Fraction(1)
    yield hadamard(X, complement), Interval(Fraction(0), Fraction(1, 3)), Fraction(2, 9)
    yield hadamard(power(X, 2), complement), ZERO_TO_ONE, Fraction(4, 27)
    yield hadamard(X, complement), Interval(Fraction(-2), Fraction(1)), Fraction(6)


@pytest.mark.parametrize(("expr", "within", "largest"), list(polynomials()))
def test_a_polynomial_is_bounded_where_it_turns(expr: Expr, within: Interval, largest: Fraction) -> None:
    norms = Norms({X: within})
    assert norms.largest(expr) == Bound.number(largest)
    assert norms.norm(diag(expr)) == Bound.number(largest)


def test_what_nothing_bounds_stays() -> None:
    gate = hadamard(X, subtract(ONE, X))
    assert shown(Norms({X: ZERO_TO_ONE}).norm(diag(hadamard(Y, gate)))) == {"largest y_t": Fraction(1, 4)}
    assert shown(Norms({}).norm(diag(Y))) == {"largest y_t": Fraction(1)}
    assert shown(Norms({}).norm(Y)) == {"norm y_t": Fraction(1)}


def test_states_that_stay_within_bounds_only_together() -> None:
    text = """def two(x, h, s, *, W):
    z = sigmoid(W @ x)
    h = z * s + (1 - z) * h
    s = tanh(h * s)
    return h, s"""
    assert [v.name for v in flow(Cell.from_source(text)).assumed] == ["h_prev", "s_prev"]
    # What leaves takes with it what it held up.
    assert [v.name for v in flow(Cell.from_source(text.replace("tanh", "exp"))).assumed] == []


def test_an_interval_that_rests_on_a_state_names_it() -> None:
    # z lies in [0, 1/2] because h lies in [-1, 1], and only z is read.
    text = """def rests(x, h, s: "d_h", *, W):
    z = 0.5 * s * s
    s = tanh(W @ x) * s
    h = z * h + x_free
    return h, s""".replace("x_free", "tanh(W @ x)")
    found = flow(Cell.from_source(text))
    assert [v.name for v in found.assumed] == ["s_prev"]
    (factor,) = (state for state in found.states if state.state.name == "h")
    assert factor.within == Interval(Fraction(0), Fraction(1, 2))
    # Without a bound on s nothing is known of z, and nothing is assumed.
    wild = flow(Cell.from_source(text.replace("tanh(W @ x) * s", "2 * s")))
    assert wild.assumed == ()
    assert not any(state.within.is_bounded for state in wild.states if state.within and state.state.name == "h")
