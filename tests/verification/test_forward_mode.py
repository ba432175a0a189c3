"""The checks of what can be asked for besides forward and backward: they pass, and nothing wrong passes."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from symrnn import Cell, cells, derive, generate, verify
from symrnn.algebra import nodes
from symrnn.calculus.rules import RULES
from symrnn.runs.sizes import layouts
from symrnn.targets.generation import FURTHER, load_source
from symrnn.verification import directional
from symrnn.verification.directional import DIRECTIONAL
from symrnn.verification.forward_mode import check_forward_mode
from symrnn.verification.generated import check_generated
from symrnn.verification.network import Network, draw_network
from tests.strategies import random_cells
from tests.verification.test_planted_code import (
    Change,
    another_index,
    nothing,
    swapped,
    untransposed,
    without_an_operand,
)

ALL = tuple(DIRECTIONAL)


def reference(cell: Cell, sizes: tuple[int, int] = (6, 4)) -> Network | None:
    derivation = derive(cell)
    return draw_network(derivation, layouts(cell, [sizes])[0], np.random.default_rng(0))


def worst(check: str, module: Any, network: Network) -> float:
    """The largest error that a check finds; of what cannot even be run, infinity."""
    largest = 0.0
    try:
        with np.errstate(all="ignore"):
            for finding in DIRECTIONAL[check](module, network):
                largest = max(largest, finding.error if finding.error >= 0 else np.inf)
                if largest > 1e-3:  # wrong: how much more does not matter
                    break
    except Exception:
        return float("inf")
    return largest


@pytest.mark.sampled(4)
def test_generated_functions_are_right(cell_name: str, cell: Cell) -> None:
    module, network = generate(cell, functions=ALL), reference(cell)
    assert network is not None
    for check in ALL:
        assert worst(check, module, network) <= directional.TOLERANCE, check


def test_the_report_covers_what_is_asked_for() -> None:
    report = verify(cells.gru, functions=ALL, sizes=[(2, 3)])
    names = [check.name for check in report.checks]
    for name in ("tangents of one step", "tangents of the adjoints", "sensitivities of the states, T=3", *ALL):
        assert name in names
    assert report.passed
    some = [check.name for check in verify(cells.gru, functions=["jvp"], sizes=[(2, 3)]).checks]
    assert "jvp" in some
    assert "tangents of one step" in some
    assert not {"hvp", "rtrl", "truncate", "tangents of the adjoints"} & set(some)
    none = [check.name for check in verify(cells.gru, sizes=[(2, 3)]).checks]
    assert not {*ALL, "tangents of one step"} & set(none)


def test_a_wrong_rule_fails_the_report() -> None:
    row = RULES["Act"]
    rules = {**RULES, "Act": dataclasses.replace(row, tangent=lambda node, value, moved: moved(node.operands[0]))}
    failed = {check.name for check in verify(cells.rnn, rules=rules, functions=["hvp"], sizes=[(2, 3)]).failures}
    # the backward equations have slopes and no functions; the generated product is computed by the rule
    assert failed == {"tangents of one step", "hvp"}


def test_a_wrong_jacobian_fails_the_sensitivities() -> None:
    row = RULES["Product"]
    wrong = dataclasses.replace(
        row, jacobian=lambda node, value: [(x, nodes.negate(j)) for x, j in row.jacobian(node, value)]
    )
    checks = check_forward_mode(
        derive(cells.rnn, {**RULES, "Product": wrong}), layouts(cells.rnn, [(2, 3)]), 0, ["rtrl"]
    )
    (check,) = checks
    assert not check.passed
    assert "S_{h,W,t} = " in check.detail


def test_a_missing_function_is_said() -> None:
    module = generate(cells.rnn)
    found = {c.name: c for c in check_generated(derive(cells.rnn), module, 0, ["hvp"])}
    assert "TypeError" in found["hvp"].detail


# --- planted errors ---------------------------------------------------------------------------------------------------

RESULTS = {
    "jvp: the outputs one step late": ("jvp", lambda h, s: (np.roll(h, 1, axis=0), s)),
    "jvp: the states of the first step": ("jvp", lambda h, s: (h, {"h": h[0]})),
    "hvp: a parameter negated": ("hvp", lambda g, x, s: (g | {"U": -g["U"]}, x, s)),
    "hvp: half": ("hvp", lambda g, x, s: ({k: v / 2 for k, v in g.items()}, x, s)),
    "hvp: inputs one step late": ("hvp", lambda g, x, s: (g, np.roll(x, 1, axis=0), s)),
    "hvp: states forgotten": ("hvp", lambda g, x, s: (g, x, {"h": 0 * s["h"]})),
    "rtrl: transposed": ("rtrl", lambda g, s, k: (g | {"U": g["U"].T}, s, k)),
    "rtrl: sensitivities of another example": (
        "rtrl",
        lambda g, s, k: (g, s, {p: {"h": v["h"][..., ::-1, :]} for p, v in k.items()}),
    ),
    "rtrl: states as given": ("rtrl", lambda g, s, k: (g, {"h": 0 * s["h"]}, k)),
}


@pytest.mark.parametrize("case", RESULTS)
def test_wrong_results_are_caught(case: str, all_cells: dict[str, Cell]) -> None:
    name, change = RESULTS[case]
    module = generate(cells.rnn, functions=ALL)
    original = getattr(module, name)
    altered = SimpleNamespace(**{name: lambda *args, **kwargs: change(*original(*args, **kwargs))})
    network = reference(cells.rnn)
    assert network is not None
    assert worst(name, altered, network) > 1e-3


IGNORED = [("jvp", "x_dot"), ("jvp", "state_dot"), ("jvp", "params_dot"), ("jvp", "state")]
IGNORED += [
    ("hvp", a) for a in ("x_dot", "state_dot", "params_dot", "h_bar_dot", "state_bar", "state_bar_dot", "state")
]
IGNORED += [("rtrl", "state"), ("rtrl", "state_bar")]


@pytest.mark.parametrize(("name", "argument"), IGNORED)
def test_ignored_arguments_are_caught(name: str, argument: str) -> None:
    module = generate(cells.rnn, functions=ALL)
    original = getattr(module, name)

    def forgetful(*args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(original).bind(*args, **kwargs).arguments
        return original(**{key: value for key, value in given.items() if key != argument})

    altered = SimpleNamespace(**{name: forgetful})
    network = reference(cells.rnn)
    assert network is not None
    assert worst(name, altered, network) > 1e-6


def mutants(source: str, change: Any, function: str) -> Any:
    """(line, mutated source) for every place in one function."""
    for n in range(10_000):
        tree, transformer = ast.parse(source), Change(change, n)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                transformer.visit(node)
        if transformer.line is None:
            return
        yield source.splitlines()[transformer.line - 1].strip(), ast.unparse(ast.fix_missing_locations(tree))


HARMLESS = re.compile(r"given|arrays, sizes|unknown = |wanted = |\[W|raise |(x_dot|h_bar\w*) = np.zeros")
"""Lines that only read arguments: what a check leaves out there changes nothing that is computed."""


@pytest.fixture
def known_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same truth for every mutant, computed once."""
    known: dict[Any, Any] = {}
    compute = directional.moved_gradients

    def moved_gradients(network: Any, moving: Any, bars: Any) -> Any:
        key = float(np.sum(bars.h_bar))
        if key not in known:
            known[key] = compute(network, moving, bars)
        return known[key]

    monkeypatch.setattr(directional, "moved_gradients", moved_gradients)


@pytest.mark.sampled(16)
@pytest.mark.usefixtures("known_truth")
@pytest.mark.parametrize(
    ("function", "change"),
    list(product(FURTHER, (swapped, without_an_operand, untransposed, another_index, nothing))),
)
def test_no_operation_of_the_text_can_be_wrong(function: str, change: Any) -> None:
    network = reference(cells.gru, (3, 2))
    assert network is not None
    source = generate(cells.gru, functions=[function]).source
    lines, survivors = [], []
    for line, text in mutants(source, change, function):
        if HARMLESS.match(line):
            continue
        lines.append(line)
        if worst(function, load_source("gru", text), network) <= 1e-6:
            survivors.append(line)
    assert lines
    assert not survivors


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a failing cell is small as it is
)
@given(random_cells(3, 2))
def test_random_cells(cell: Cell) -> None:
    for check in check_forward_mode(derive(cell), layouts(cell, [(2, 3)]), 0):
        assert check.passed or "no point" in check.detail, check.detail
    network = reference(cell, (3, 4))
    module = generate(cell, functions=ALL)
    for check in ALL if network is not None else ():
        assert network is not None
        assert worst(check, module, network) <= 1e-9, check
