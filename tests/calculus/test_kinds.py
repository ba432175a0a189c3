"""Direct, cell and total: each against its definition, by complex steps through an unrolled network of this file's own.

The network is the author's text, run step after step.  One variable at one time gets an imaginary part; what a
definition holds gets none.  Nothing here knows a path, a window or a rule.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, seed, settings

from symrnn import Cell, cells, derive, jacobian
from symrnn.algebra.evaluate import Evaluator, at_sizes
from symrnn.algebra.nodes import Variable
from symrnn.calculus.derivation import Derivation
from symrnn.errors import InputError
from symrnn.language.evaluate import NUMPY, evaluate
from tests.strategies import draw_arrays, random_cells, unequal_sizes
from tests.test_random_cells import EVERY

pytestmark = pytest.mark.sweep

STEP = 1e-30
LONGEST = 3
"""Windows of up to so many steps; the network has one more, in which the states that enter them are computed."""


class Network:
    """A cell unrolled over `LONGEST` + 1 steps at random numbers; `back` counts steps before the last."""

    def __init__(self, cell: Cell, seed: int = 0) -> None:
        self.cell = cell
        self.derivation = derive(cell)
        self.sizes = unequal_sizes(cell)
        self.fixed = {p: v for p, v in draw_arrays(cell, self.sizes, seed).items() if p in cell.parameters}
        self.inputs = []
        for back in range(LONGEST + 1):
            drawn = draw_arrays(cell, self.sizes, seed + 1 + back)
            self.inputs.append({x: drawn[x] for x in cell.inputs})
        self.states = {s: drawn[f"{s}_prev"] for s in cell.states}
        self.still = self.run({}, {}, LONGEST, self.states)

    def run(self, moved: dict, moved_fixed: dict, first: int, states: dict) -> dict[tuple[str, int], np.ndarray]:
        """Every value of the steps t - first, ..., t by name and `back`; `moved` adds to a value at (name, back)."""
        seen: dict[tuple[str, int], np.ndarray] = {}
        state = dict(states)
        for back in range(first, -1, -1):
            names = {**self.fixed, **self.inputs[back]}
            names = {n: v + moved.get((n, back), 0) + moved_fixed.get(n, 0) for n, v in names.items()} | state
            seen |= {(x, back): names[x] for x in self.cell.inputs}
            for line in self.cell.syntax.assignments:
                value = np.broadcast_to(
                    evaluate(line.value, self.sizes | names, NUMPY), self.shape(self.cell[line.name])
                )
                names[line.name] = seen[line.name, back] = value + moved.get((line.name, back), 0)
            state = {s: names[s] for s in self.cell.states}
        return seen

    def shape(self, variable: Variable) -> tuple[int, ...]:
        """The shape that the text sees."""
        rank = len(self.cell.shape_names(variable.name))
        return tuple(int(at_sizes(dim, self.sizes)) for dim in variable.shape[:rank])

    def entering(self, back: int) -> dict[str, np.ndarray]:
        """The states before the step t - back."""
        return {s: self.still[s, back + 1] for s in self.cell.states} if back < LONGEST else self.states

    def derivative(self, kind: str, of: str, wrt: str, steps: int, direction: np.ndarray) -> np.ndarray:
        """How `of` moves along a direction of `wrt`, by the definition of the kind."""
        first, base = steps - 1, wrt.removesuffix("_prev")
        push = 1j * STEP * direction
        if kind == "direct":
            return direction if of == wrt else self._own_line(of, wrt, push)
        if wrt in self.cell.parameters:
            seen = self.run({}, {wrt: push}, first, self.entering(first))
        elif base == wrt:
            seen = self.run({(wrt, first): push}, {}, first, self.entering(first))
        elif kind == "cell":
            before = self.entering(first)
            seen = self.run({}, {}, first, before | {base: before[base] + push})
        else:
            seen = self.run({(base, steps): push}, {}, steps, self.entering(steps))
        return np.imag(seen[of, 0]) / STEP

    def _own_line(self, of: str, wrt: str, push: np.ndarray) -> np.ndarray:
        """The line of `of` alone, with everything else at rest; a state's name means t-1 until it is assigned."""
        names = {**self.fixed, **self.inputs[0], **self.entering(0)}
        names |= {f"{s}_prev": value for s, value in self.entering(0).items()}
        for line in self.cell.syntax.assignments:
            if line.name == of:
                base = wrt.removesuffix("_prev")
                is_state, assigned = base in self.cell.states, base in done(self.cell, of)
                if is_state and (wrt == base) != assigned:  # the other one of h_t and h_{t-1}
                    return np.zeros_like(names[of] if of in names else evaluate(line.value, self.sizes | names, NUMPY))
                read = {base: names[base] + push} if base in names else {}
                value = evaluate(line.value, self.sizes | names | read, NUMPY)
                return np.broadcast_to(np.imag(value) / STEP, self.shape(self.cell[of]))
            names[line.name] = self.still[line.name, 0]
        raise AssertionError(of)

    def evaluator(self) -> Evaluator:
        """Gives expressions their values, from the values of the text; pre-activations from their equations."""
        values = dict(self.fixed)
        suffix = {0: "", 1: "_prev"}
        for (name, back), value in self.still.items():
            values[name + suffix.get(back, f"_minus{back}")] = value
        for name, value in self.states.items():
            values[f"{name}_minus{LONGEST + 1}"] = value
        columns = {name: np.reshape(value, (*np.shape(value), 1, 1)[:2]) for name, value in values.items()}
        evaluator = Evaluator(columns, self.sizes, NUMPY)
        _add_preactivations(self.derivation, evaluator, suffix)
        return evaluator


def done(cell: Cell, of: str) -> set[str]:
    """The names assigned before the line of `of`."""
    names = [line.name for line in cell.syntax.assignments]
    return set(names[: names.index(of)])


def _add_preactivations(derivation: Derivation, evaluator: Evaluator, suffix: dict[int, str]) -> None:
    from symrnn.calculus.window import earlier

    for back in range(LONGEST + 1):
        for equation in derivation.forward:
            if derivation.is_preactivation(equation.target):
                target, value = (earlier(derivation, e, back) for e in (equation.target, equation.value))
                evaluator.values[target.name] = evaluator(value)  # type: ignore[index]


def questions(cell: Cell) -> Iterator[tuple[str, int]]:
    yield "direct", 1
    yield from (("cell", k) for k in range(1, LONGEST + 1))
    yield from (("total", k) for k in range(1, LONGEST + 1))


def assert_as_defined(network: Network, of: list[str], wrt: list[str], kind: str, steps: int) -> int:
    """Every Jacobian moves along a random direction as the network does; how many of them are not zero."""
    rng, evaluator, moving = np.random.default_rng(steps), network.evaluator(), 0
    for start in wrt:
        direction = rng.standard_normal(network.shape(network.cell[start]))
        for end in of:
            truth = network.derivative(kind, end, start, steps, direction).reshape(-1, 1, order="F")
            found = evaluator(jacobian(network.derivation, end, start, kind, steps=steps))
            found = found @ np.reshape(direction, (-1, 1), order="F")
            scale = max(np.linalg.norm(truth), 1e-4)  # where terms cancel, their rounding stays
            assert np.linalg.norm(found - truth) <= 1e-10 * scale, (kind, steps, end, start)
            moving += bool(truth.any())
    return moving


def pairs(cell: Cell) -> tuple[list[str], list[str]]:
    """What is differentiated, and with respect to what: of small cells every variable of a step, of others some."""
    named = [line.name for line in cell.syntax.assignments]
    every = len(named) < 7
    before = [v.name for v in cell.previous]
    of = named if every else list(cell.states)
    return of, [*before, *cell.inputs, *named[:: 1 if every else 5], *cell.parameters[:1]]


@pytest.mark.parametrize("name", ["lstm", "gru", "lstm_peephole", "slstm", "mlstm"])
def test_every_kind_is_what_its_definition_says(name: str) -> None:
    network = Network(cells[name])
    of, wrt = pairs(cells[name])
    for kind, steps in questions(cells[name]):
        assert assert_as_defined(network, of, wrt, kind, steps) > len(of)


@settings(EVERY, max_examples=40)
@seed(1)
@given(cell=random_cells(6))
def test_random_cells_have_the_three_kinds(cell: Cell) -> None:
    network = Network(cell)
    for kind, steps in questions(cell):
        assert_as_defined(network, list(cell.states), [v.name for v in cell.previous], kind, steps)


def test_the_kinds_differ() -> None:
    """The network tells the kinds apart: a test that could not would prove nothing."""
    network = Network(cells.lstm)
    direction = np.random.default_rng(0).standard_normal(network.shape(cells.lstm["c"]))
    found = {kind: network.derivative(kind, "c", "c_prev", 1, direction) for kind in ("direct", "cell", "total")}
    assert np.allclose(found["direct"], found["cell"], rtol=1e-14)
    assert np.linalg.norm(found["total"] - found["cell"]) > 0.01 * np.linalg.norm(found["cell"])
    peephole = Network(cells.lstm_peephole)
    own, through = (peephole.derivative(kind, "c", "c_prev", 1, direction) for kind in ("direct", "cell"))
    assert np.linalg.norm(own - through) > 0.01 * np.linalg.norm(own)


@pytest.mark.parametrize("kind", ["cell", "total"])
def test_what_is_asked_by_default_is_of_kind_cell(kind: str) -> None:
    for steps in (1, 2):
        assert (
            jacobian(cells.lstm, "c", "c_prev", steps=steps) == jacobian(cells.lstm, "c", "c_prev", kind, steps=steps)
        ) == (kind == "cell")


def test_paths_have_kinds_too() -> None:
    from symrnn import count_paths, paths

    assert count_paths(cells.lstm, "c", "c_prev", kind="total") == 4
    assert count_paths(cells.lstm, "c", "c_prev") == 1
    assert {str(path.wrt) for path in paths(cells.lstm, "c", "c_prev", 2, kind="total")} == {"c_{t-2}"}
    with pytest.raises(InputError, match='kind="direct": that is one path'):
        paths(cells.lstm, "c", "c_prev", kind="direct")
    with pytest.raises(InputError, match="no kind 'partial' of Jacobian"):
        count_paths(cells.lstm, "c", "c_prev", kind="partial")
