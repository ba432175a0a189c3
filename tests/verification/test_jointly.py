"""Where derivatives are many, one comparison is about all of them: nothing that is wrong with any one gets through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symrnn import Cell, derive, generate
from symrnn.algebra import nodes
from symrnn.calculus.derivation import Derivation
from symrnn.runs.blocks import StepBlocks
from symrnn.runs.sizes import CellAtSizes, layouts
from symrnn.verification import jointly
from symrnn.verification.diagnose import show_jacobian
from symrnn.verification.exact import check_exactly
from symrnn.verification.generated import check_generated
from symrnn.verification.jointly import culprits
from symrnn.verification.numeric import check_numerically
from symrnn.verification.report import Check
from tests.growing import SHAPES
from tests.library import MAIN

# Below the thresholds, just above, and far above; states for pairs of both kinds, gates for many parameters.
GROWN = [("states", 5), ("states", 12), ("states", 30), ("ring", 9), ("gates", 10), ("gates", 12), ("gates", 40)]


@cache
def grown(shape: str, size: int) -> Derivation:
    return derive(Cell.from_source(SHAPES[shape](size)))


def checks(derivation: Derivation) -> Iterator[Check]:
    chosen = layouts(derivation.cell, [(2, 3)])
    yield from check_exactly(derivation, chosen, 0)
    yield from check_numerically(derivation, chosen, 0)


def failing(derivation: Derivation) -> dict[tuple[str, str], str]:
    return {(check.method, check.name): check.detail for check in checks(derivation) if not check.passed}


# --- the lines --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("states", "separate"), [(10, True), (11, False)])
def test_the_lines_say_how_many_derivatives_they_are_about(states: int, separate: bool) -> None:
    """10 states have 10 · 11 Jacobians with respect to states and the input, 11 have 132; both have few arguments."""
    names = {(check.method, check.name) for check in checks(grown("states", states))}
    number = states * (states + 1)
    assert (number <= jointly.MOST_PAIRS) == separate
    at_once = f" by the chain rule, {number} at once"
    assert (("exact", f"Jacobians of the states{at_once}") in names) != separate
    assert (("exact", f"Jacobians of the parameters{at_once}") in names) != separate
    assert (("complex step", f"Jacobian blocks of one step{at_once}") in names) != separate
    assert sum("∂" in name for _, name in names) == number * separate
    assert ("complex step", "gradients of one step") in names


def test_each_kind_of_derivative_is_counted_on_its_own() -> None:
    derivation = grown("gates", 12)
    module = module_of("gates", 12)
    names = [check.name for check in (*checks(derivation), *check_generated(derivation, module, 0))]
    parameters = len(derivation.cell.parameters)
    assert "∂h_t/∂h_{t-1}" in names
    assert names.count(f"Jacobians of the parameters by the chain rule, {parameters} at once") == 2
    assert f"gradients of one step, {parameters + 2} at once" in names
    assert f"backward: parameters, {parameters} at once" in names
    assert "backward: inputs" in names


@pytest.mark.parametrize("name", MAIN)
def test_what_is_right_passes_at_once_too(name: str, all_cells: Mapping[str, Cell], monkeypatch: Any) -> None:
    monkeypatch.setattr(jointly, "MOST_ARGUMENTS", 0)
    derivation = derive(all_cells[name])
    assert not failing(derivation)


# --- what is wrong with one entry of one Jacobian ---------------------------------------------------------------------


def with_a_wrong_entry(of: str, wrt: str, entry: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """All Jacobians of a step are right but for one entry of one: it is too large by 1, in floating point by 1e-6."""
    right_moved, right_written = StepBlocks.moved, StepBlocks.written
    row, column = entry

    def moved(self: StepBlocks, changes: Any, evaluate: Any) -> Any:
        result = right_moved(self, changes, evaluate)
        variables = self.derivation.variables
        if variables[wrt] in changes:
            change = changes[variables[wrt]]
            amount = 1 if change.dtype == object else 1e-6
            value = result[variables[of]] if variables[of] in result else 0 * change
            wrong = np.array(value)
            wrong[row] = wrong[row] + amount * change[column]
            result[variables[of]] = wrong
        return result

    def written(self: StepBlocks, target: Any, source: Any) -> Any:
        wrong = (target.name, source.name) == (of, wrt)
        return None if wrong else right_written(self, target, source)

    monkeypatch.setattr(StepBlocks, "moved", moved)
    monkeypatch.setattr(StepBlocks, "written", written)


def _pairs(shape: str, size: int, number: int) -> Iterator[tuple[str, int, str, str, tuple[int, int]]]:
    """Some pairs of a state with an argument, and of each an entry, at random."""
    cell, rng = grown(shape, size).cell, Random(size)
    layout = CellAtSizes(cell, layouts(cell, [(2, 3)])[0].sizes)
    graph = StepBlocks(grown(shape, size)).graph
    found = [(s, v) for s in cell.states for v in layout.variables if graph.count(v, cell[s])]
    for of, wrt in rng.sample(found, number):
        entries = [int(np.prod(layout.shape(v))) for v in (cell[of], wrt)]
        yield shape, size, of, wrt.name, (rng.randrange(entries[0]), rng.randrange(entries[1]))


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("shape", "size", "of", "wrt", "entry"), [case for grown_to in GROWN for case in _pairs(*grown_to, 2)]
)
def test_one_wrong_entry_of_one_jacobian_is_caught_and_named(
    shape: str, size: int, of: str, wrt: str, entry: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    derivation = grown(shape, size)
    variables = derivation.variables
    with_a_wrong_entry(of, wrt, entry, monkeypatch)
    found = failing(derivation)
    assert {method for method, _ in found} == {"exact", "complex step"}
    assert len(found) == 2
    exact = next(detail for (method, _), detail in found.items() if method == "exact")
    named = [line for line in exact.splitlines() if line.startswith("∂")]
    assert len(named) == 1
    assert named[0].startswith(f"{show_jacobian(derivation, variables[of], variables[wrt])} = ")
    numeric = next(detail for (method, _), detail in found.items() if method == "complex step")
    assert f"a Jacobian of {of} is wrong" in numeric or named[0] in numeric


# --- what is wrong with one backward equation -------------------------------------------------------------------------


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("shape", "size"), GROWN)
@pytest.mark.parametrize("seed", range(2))
def test_one_wrong_backward_equation_is_caught_and_named(shape: str, size: int, seed: int) -> None:
    right = grown(shape, size)
    position = Random(seed).randrange(len(right.steps))
    step = right.steps[position]
    steps = list(right.steps)
    steps[position] = dataclasses.replace(step, value=nodes.negate(step.value))
    found = failing(dataclasses.replace(right, steps=tuple(steps)))
    accusation = f"equation ({step.number}) "
    assert accusation in found["exact", "adjoint of one step"]
    assert ("exact", "backpropagation through time, T=3") in found
    gradients = [detail for (_, name), detail in found.items() if name.startswith("gradients of one step")]
    assert gradients
    if step.role in ("parameter", "input", "carry"):
        assert accusation in gradients[0]


# --- what is wrong with one gradient of generated code ----------------------------------------------------------------


@cache
def module_of(shape: str, size: int) -> Any:
    return generate(grown(shape, size))


def with_one_gradient(module: Any, name: str, change: Any) -> Any:
    def backward(*args: Any, **kwargs: Any) -> Any:
        grads, *rest = module.backward(*args, **kwargs)
        grads = dict(grads)
        grads[name] = change(grads[name])
        return (grads, *rest)

    return SimpleNamespace(forward=module.forward, step=module.step, backward=backward)


def a_little_off(value: Any) -> Any:
    """One entry is off by a millionth of the gradient's length, or of 1e-2 where that is larger."""
    value = np.array(value)
    value.flat[-1] += 1e-6 * max(float(np.linalg.norm(value)), 1e-2)
    return value


CHANGES = {
    "one entry": a_little_off,
    "negated": lambda value: -value,
    "zero": lambda value: 0 * value,
    "not a number": lambda value: value * np.nan,
    "of another shape": lambda value: np.asarray(value)[None],
}


@pytest.mark.sampled(12)
@pytest.mark.parametrize(("shape", "size"), [("gates", 10), ("gates", 12), ("ring", 20)])
@pytest.mark.parametrize("kind", CHANGES)
def test_one_wrong_gradient_of_the_code_is_caught_and_named(shape: str, size: int, kind: str) -> None:
    derivation, module = grown(shape, size), module_of(shape, size)
    name = Random(kind).choice([*derivation.cell.parameters])
    wrong = with_one_gradient(module, name, CHANGES[kind])
    found = {c.name: c.detail for c in check_generated(derivation, wrong, 0) if not c.passed}
    assert len(found) == 1
    line, detail = found.popitem()
    assert line.startswith("backward: parameters")
    assert f"grads[{name!r}] " in detail
    assert detail.count("grads[") == 1


def test_a_wrong_gradient_that_is_far_smaller_than_the_others_is_caught() -> None:
    """Each gradient counts for about as much as any other, whatever their sizes."""
    names = [f"w{i}" for i in range(200)]
    rng = np.random.default_rng(0)
    gradients = {name: rng.standard_normal((3, 2)) * 10.0 ** (i % 7) for i, name in enumerate(names)}
    wrong = {**gradients, "w7": gradients["w7"] + 1e-6}  # the smallest kind, beside some a million times as large

    def rate(directions: Mapping[str, Any]) -> float:
        return float(sum(np.sum(gradients[name] * direction) for name, direction in directions.items()))

    nothing = {name: np.zeros((3, 2)) for name in names}
    assert jointly.compare(gradients, rate, lambda: nothing, 1e-10, np.random.default_rng(1))[1] == []
    error, named = jointly.compare(wrong, rate, lambda: nothing, 1e-10, np.random.default_rng(1))
    assert error > 1e-10
    assert named == ["w7"]


# --- the search for what is wrong -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{0}, {99}, {3, 4}, {0, 50, 99}, set(range(100)), set()])
def test_the_first_few_that_are_wrong_are_found_in_few_looks(wrong: set[int]) -> None:
    looks = []

    def right(some: list[int]) -> bool:
        looks.append(some)
        return not wrong & set(some)

    assert culprits(range(100), right) == sorted(wrong)[: jointly.MOST_NAMED]  # type: ignore[arg-type]
    assert len(looks) <= 1 + 2 * 7 * min(len(wrong), jointly.MOST_NAMED)
