"""Paths: what they are called, how many there are, that they add up to the Jacobian, and what does not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from symrnn import Cell, cells, derive, jacobian, paths
from symrnn.algebra import nodes
from symrnn.calculus import graph
from symrnn.calculus.paths import count_paths, direct_path, one_step_product
from symrnn.calculus.rules import RULES
from symrnn.calculus.window import known_variables
from symrnn.errors import InputError, UnknownNameError
from symrnn.printers import text
from symrnn.proofs.jacobians import paths_add_up
from symrnn.runs.points import relative_error
from symrnn.runs.replay import replay_numerically
from symrnn.runs.sizes import layouts

SMALL = [(2, 3)]


def names(cell: str, of: str, wrt: str, steps: int = 1, **options: object) -> list[str]:
    return [path.name for path in paths(cells[cell], of, wrt, steps, **options)]


def test_names() -> None:
    assert names("gru", "h", "h_prev") == ["direct", "through z_t", "through n_t", "through r_t, n_t"]
    assert names("lstm", "h", "h_prev") == ["through o_t", "through f_t, c_t", "through i_t, c_t", "through g_t, c_t"]
    assert names("lstm", "h", "a_f") == ["through f_t, c_t"]
    assert names("lstm", "a_f", "h_prev") == ["direct"]
    assert names("lstm", "f", "f") == ["direct"]
    assert names("lstm", "f", "i") == []


def test_names_over_steps() -> None:
    assert names("lstm", "c", "c_prev", 2) == [
        "through c_{t-1}",
        "through c_{t-1}, h_{t-1}, f_t",
        "through c_{t-1}, h_{t-1}, i_t",
        "through c_{t-1}, h_{t-1}, g_t",
    ]
    assert names("rnn", "h", "W", 3) == ["direct", "through h_{t-1}", "through h_{t-2}, h_{t-1}"]
    further = [f"through h_{{t-1}}, {gate}_t" for gate in "fig"]
    assert names("lstm", "c", "c", 2) == ["direct", *further]


def test_a_path_has_its_factors() -> None:
    path = paths(cells.gru, "h", "h_prev")[3]
    assert [v.name for v in path.through] == ["r", "n"]
    assert [factor.shape for factor in path.factors] == [path.value.shape] * 3
    assert path.value == jacobian(cells.gru, "h", "h_prev", holding=("z",)).args[-1]
    assert str(path) == f"through r_t, n_t: {path.value}"


def test_names_are_distinct() -> None:
    for name in ("mlstm", "lru", "gru_found_listing"):
        derivation = derive(cells[name])
        for of in derivation.cell.states:
            for wrt in known_variables(derivation):
                found = [path.name for path in paths(derivation, of, wrt)]
                assert len(found) == len(set(found))


def test_what_is_held_is_on_no_path() -> None:
    assert names("gru", "h", "h_prev", holding=("z", "n")) == ["direct"]
    assert names("lstm", "c", "c_prev", 4, holding="h_prev") == ["through c_{t-3}, c_{t-2}, c_{t-1}"]


# --- counting ---------------------------------------------------------------------------------------------------------


def test_lstm_counts_are_powers_of_a_matrix() -> None:
    one = np.array([[4, 1], [3, 1]], dtype=object)
    for steps in range(1, 8):
        power = np.linalg.matrix_power(one, steps)
        for row, of in enumerate("hc"):
            for column, wrt in enumerate(("h_prev", "c_prev")):
                assert count_paths(cells.lstm, of, wrt, steps) == power[row, column]
    assert count_paths(cells.lstm, "c", "c_prev", 5) == 436


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("name", ["lstm", "gru", "scrn"])
def test_as_many_are_listed_as_counted(name: str, steps: int) -> None:
    derivation = derive(cells[name])
    cell = derivation.cell
    for of in cell.states:
        for wrt in ("x", *(v.name for v in cell.previous), *cell.parameters[:2], derivation.forward[0].target.name):
            found = paths(derivation, of, wrt, steps)
            assert len({path.name for path in found}) == len(found) == count_paths(derivation, of, wrt, steps)


def test_counting_does_not_list() -> None:
    assert count_paths(cells.lstm, "c", "c_prev", 5) == len(paths(cells.lstm, "c", "c_prev", 5)) == 436
    assert count_paths(cells.lstm, "c", "c_prev", 60) > 10**38


def test_too_many_are_not_listed() -> None:
    with pytest.raises(InputError, match=r"paths lead from c_\{t-9\} to c_t: too many to list\n  count them with"):
        paths(cells.lstm, "c", "c_prev", 9)


# --- they add up ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "of", "wrt", "steps", "number"),
    [
        ("gru", "h", "h_prev", 1, 4),
        ("lstm", "c", "c_prev", 3, 19),
        ("lstm", "h", "W_f", 2, 6),
        ("lstm", "a_o", "g", 2, 1),
        ("lru", "h", "theta", 1, 4),
        ("lstm_peephole", "h", "c_prev", 1, 6),
    ],
)
def test_they_add_up(name: str, of: str, wrt: str, steps: int, number: int) -> None:
    check = paths_add_up(cells[name], of, wrt, steps)
    assert check.passed, check.detail
    assert check.tolerance is None
    assert check.name.endswith(f": {number} path{'s' if number > 1 else ''}")


def test_they_add_up_with_something_held() -> None:
    check = paths_add_up(cells.lstm, "h", "h_prev", 2, holding=("f", "o"), sizes=SMALL)
    assert check.passed
    assert check.name == "∂h_t/∂h_{t-2}|_{c_{t-2}, f_t, f_{t-1}, o_t, o_{t-1}}: 6 paths"


def test_a_lost_path_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = graph.StepGraph.ways
    monkeypatch.setattr(graph.StepGraph, "ways", lambda self, start, end: ways(self, start, end)[:-1])
    assert not paths_add_up(cells.gru, "h", "h_prev", sizes=SMALL).passed


def test_swapped_factors_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = graph.StepGraph.ways

    def swapped(self: graph.StepGraph, start: nodes.Variable, end: nodes.Variable) -> list[graph.Way]:
        return [(through, factors[::-1]) for through, factors in ways(self, start, end)]

    monkeypatch.setattr(graph.StepGraph, "ways", swapped)
    assert not paths_add_up(cells.gru, "h", "h_prev", sizes=SMALL).passed
    assert not paths_add_up(cells.lstm, "c", "h_prev", 2, sizes=SMALL).passed


@pytest.mark.parametrize("operator", ["Sum", "Product", "Hadamard", "Power", "Act"])
def test_a_wrong_rule_is_noticed(operator: str) -> None:
    row = RULES[operator]

    def negated(node: nodes.Expr, value: nodes.Expr) -> list[tuple[nodes.Expr, nodes.Expr]]:
        return [(operand, nodes.negate(factor)) for operand, factor in row.jacobian(node, value)]

    wrong = {**RULES, operator: dataclasses.replace(row, jacobian=negated)}
    cell = Cell.from_source(
        "def every(x, h, *, W, U, k):\n    f = sigmoid(W @ x + U @ h)\n    h = h ** 2 * f + k\n    return h\n"
    )
    wrt = "h_prev" if operator in ("Hadamard", "Power") else "k" if operator == "Sum" else "x"
    assert paths_add_up(cell, "h", wrt, sizes=SMALL).passed
    check = paths_add_up(cell, "h", wrt, rules=wrong, sizes=SMALL)
    assert not check.passed
    assert "is not what the text does" in check.detail


# --- the direct path, and products of one-step derivatives ------------------------------------------------------------


def test_direct_path() -> None:
    assert text(direct_path(cells.lstm, "c", 4)) == "diag(f_t ⊙ f_{t-1} ⊙ f_{t-2} ⊙ f_{t-3})"
    assert text(direct_path(cells.gru, "h", 2)) == "diag((1 - z_t) ⊙ (1 - z_{t-1}))"
    assert text(direct_path(cells.lstm, "h", 2)) == "0"
    assert direct_path(cells.lstm, "c", 3) == paths(cells.lstm, "c", "c_prev", 3)[0].value


def test_the_product_of_one_step_derivatives_is_not_the_derivative() -> None:
    """∂c_t/∂c_{t-1} ∂c_{t-1}/∂c_{t-2} misses that c_{t-2} reaches c_t through h_{t-1}: 1 path of 4."""
    replay = replay_numerically(derive(cells.lstm), layouts(cells.lstm, [(4, 3)])[0], 2, np.random.default_rng(0))
    assert replay is not None
    alone = replay.evaluate(one_step_product(cells.lstm, "c", 2))
    true = replay.evaluate(jacobian(cells.lstm, "c", "c_prev", steps=2))
    rest = [replay.evaluate(path.value) for path in paths(cells.lstm, "c", "c_prev", 2)[1:]]
    assert relative_error(alone, true) > 0.01
    assert relative_error(alone + sum(rest), true) < 1e-14
    assert text(one_step_product(cells.lstm, "c", 2)) == "diag(f_t ⊙ f_{t-1})"


def test_with_one_state_it_is() -> None:
    replay = replay_numerically(derive(cells.gru), layouts(cells.gru, [(4, 3)])[0], 3, np.random.default_rng(0))
    assert replay is not None
    alone = replay.evaluate(one_step_product(cells.gru, "h", 3))
    assert relative_error(alone, replay.evaluate(jacobian(cells.gru, "h", "h_prev", "total", steps=3))) < 1e-14


@pytest.mark.parametrize("product", [direct_path, one_step_product])
def test_refusals(product: object) -> None:
    with pytest.raises(InputError, match="'f' is no state of lstm\n  its states are h, c"):
        product(cells.lstm, "f", 2)  # type: ignore[operator]
    with pytest.raises(UnknownNameError, match="no variable 'q'"):
        product(cells.lstm, "q", 2)  # type: ignore[operator]
    with pytest.raises(InputError, match="steps=0"):
        product(cells.lstm, "c", 0)  # type: ignore[operator]
    with pytest.raises(InputError, match="of='h' is itself held"):
        paths(cells.lstm, "h", "c_prev", holding="h")
    with pytest.raises(InputError, match="steps=0"):
        count_paths(cells.lstm, "h", "c_prev", 0)
