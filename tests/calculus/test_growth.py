"""What grows with the number of paths is named, not written: work and text grow with the number of equations."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from symrnn import Cell, cells, count_paths, derive, jacobian, paths, through_time
from symrnn.algebra import nodes
from symrnn.calculus import extent, graph
from symrnn.calculus.extent import MOST_FACTORS, length, show_count
from symrnn.calculus.graph import StepGraph
from symrnn.calculus.through_time import StepwiseDerivative
from symrnn.calculus.window import ask
from symrnn.errors import InputError
from symrnn.proofs.jacobians import true_change
from symrnn.runs.points import relative_error
from symrnn.runs.replay import Replay, replay_numerically
from symrnn.runs.sizes import layouts, vec
from tests.growing import chain, gates, skips, states


def test_the_length_is_that_of_the_expression() -> None:
    """Where variables are read once each and no factor is an identity, the factors can be counted in the result."""
    derivation = derive(Cell.from_source(skips(9)))
    window = ask(derivation, "h", "h_prev")
    block = StepGraph(derivation, {window.of, window.wrt}).block(window.wrt, window.of)
    parts = sympy.preorder_traversal(block)
    counted = sum(1 for part in parts if part == derivation.cell["U"])
    assert counted == count_paths(derivation, "h", "h_prev")
    assert length(window) == sum(len(path.factors) for path in paths(derivation, "h", "h_prev"))


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("wrt", "steps"), [("h_prev", 11), ("h_prev", 18), ("W_f", 12), ("f", 900)])
def test_a_long_derivative_is_refused_with_the_number_of_its_paths(wrt: str, steps: int) -> None:
    many = show_count(count_paths(cells.lstm, "h", wrt, steps))
    with pytest.raises(InputError, match=f"is a sum over {many} paths: too long for one expression\n") as refused:
        jacobian(cells.lstm, "h", wrt, "total", steps=steps)
    assert f'symrnn.through_time(cell, "h", "{wrt}", {steps}' in str(refused.value)
    assert through_time(cells.lstm, "h", wrt, steps).rows


def test_what_is_just_short_enough_is_written() -> None:
    assert length(ask(derive(cells.lstm), "h", "h_prev", 10)) <= MOST_FACTORS
    assert len(str(jacobian(cells.lstm, "h", "h_prev", "total", steps=8))) < 60_000


@pytest.mark.parametrize("text", [skips, chain, gates, states])
def test_the_recursion_grows_with_the_equations(text: object) -> None:
    lengths = []
    for size in (20, 40, 80):
        cell = Cell.from_source(text(size))  # type: ignore[operator]
        lengths.append(len(str(through_time(cell, cell.states[-1], f"{cell.states[0]}_prev", 1))))
    assert lengths[2] - lengths[1] < 2.4 * (lengths[1] - lengths[0])


def test_the_work_grows_with_the_equations(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    built = graph.chain
    monkeypatch.setattr(graph, "chain", lambda *factors, **options: calls.append(1) or built(*factors, **options))
    works = []
    for size in (40, 80, 160):
        calls.clear()
        through_time(Cell.from_source(skips(size)), "h", "h_prev", 3)
        works.append(len(calls))
    assert works[2] - works[1] < 2.2 * (works[1] - works[0]) + 10


def followed(total: StepwiseDerivative, replay: Replay) -> np.ndarray:
    """The derivative by the printed equations, blocks first and rows after, with numbers for their symbols."""
    known: dict[str, np.ndarray] = {}
    assert isinstance(replay.evaluate.values, dict)
    for name, block in total.blocks.items():
        assert name == block.symbol.name
        value = replay.evaluate(block.laid_out(total.layout))
        replay.evaluate.values[name] = value
    for row in total.rows:
        value = 0.0
        for term in row.terms:
            number = replay.evaluate.values[term.block.symbol.name]
            before = None if term.state is None else known[term.state.name]
            pair = [number, before] if total.layout == "numerator" else [before, number]
            value = value + (number if before is None else pair[0] @ pair[1])
        known[row.of.name] = value
    return known[total.of.name]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("layout", ["numerator", "denominator"])
@pytest.mark.parametrize(
    ("text", "of", "wrt", "steps", "holding"),
    [
        (skips(14), "h", "h_prev", 1, ()),
        (skips(14), "h", "h_prev", 3, ()),
        (skips(14), "h", "x", 2, ("v9",)),
        (skips(14), "h", "W", 2, ()),
        (skips(40), "h", "h_prev", 2, ()),
        (skips(40), "v20", "v3", 1, ()),
        (chain(300), "h", "h_prev", 2, ()),
        (states(30), "s30", "s1_prev", 2, ("s7_prev",)),
        (gates(30), "h", "h_prev", 2, ()),
    ],
)
def test_the_printed_equations_give_the_derivative(
    text: str, of: str, wrt: str, steps: int, holding: tuple[str, ...], layout: str
) -> None:
    derivation = derive(Cell.from_source(text))
    replay = replay_numerically(
        derivation, layouts(derivation.cell, [(3, 2)])[0], steps, np.random.default_rng(4), derivation.cell.syntax
    )
    assert replay is not None
    total = through_time(derivation, of, wrt, steps, holding=holding, layout=layout)
    window = ask(derivation, of, wrt, steps, holding)
    found = followed(total, replay)
    rng = np.random.default_rng(6)
    direction = rng.standard_normal(replay.layout.shape(window.wrt))
    truth = vec(true_change(replay, window, direction))
    assert np.linalg.norm(truth) > 0
    assert relative_error((found if layout == "numerator" else found.T) @ vec(direction), truth) < 1e-12


def test_a_wrong_inner_derivative_is_noticed() -> None:
    """The comparison above sees one changed line among many."""
    derivation = derive(Cell.from_source(skips(14)))
    replay = replay_numerically(
        derivation, layouts(derivation.cell, [(3, 2)])[0], 1, np.random.default_rng(4), derivation.cell.syntax
    )
    assert replay is not None
    total = through_time(derivation, "h", "h_prev", 1)
    right = followed(total, replay)
    replay.evaluate.values["v5"] = replay.evaluate.values["v5"] * 1.01  # type: ignore[index]
    replay.evaluate._known.clear()
    assert relative_error(followed(total, replay), right) > 1e-6


def test_a_push_is_the_blocks_product() -> None:
    derivation = derive(cells.lstm_peephole)
    replay = replay_numerically(derivation, layouts(derivation.cell, [(3, 2)])[0], 1, np.random.default_rng(4))
    assert replay is not None
    steps = StepGraph(derivation)
    for wrt in ("c_prev", "h_prev", "x", "W_f", "f"):
        start = derivation.cell[wrt]
        change = np.random.default_rng(5).standard_normal(
            (replay.layout.shape(start)[0] * replay.layout.shape(start)[1], 2)
        )
        moved = steps.push({start: change}, replay.evaluate)
        for state in derivation.cell.states:
            expected = replay.evaluate(steps.block(start, derivation.cell[state])) @ change
            assert relative_error(moved[derivation.cell[state]], expected) < 1e-13


def test_rounded_numbers_of_paths() -> None:
    assert show_count(10**15 - 1) == "9" * 15
    assert show_count(305 * 10**20) == "about 3.05e22"
    assert extent.MOST_FACTORS > graph._WRITTEN_OUT
    assert nodes.is_zero(StepGraph(derive(cells.lstm)).block(cells.lstm["c"], cells.lstm["f"]))
