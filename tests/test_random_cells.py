"""Random cells: the derivation, the exact test, complex steps and the generated code agree on every one of them.

`benchmarks/random_cells.py` runs the same over thousands.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from symrnn import Cell, derive
from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.calculus.rules import RULES
from symrnn.generation import generate
from symrnn.language.expressions import STRUCTURAL
from symrnn.verification.exact import check_exactly
from symrnn.verification.generated import check_generated
from symrnn.verification.layout import layouts
from symrnn.verification.numeric import check_numerically
from symrnn.verification.points import NOWHERE
from symrnn.verification.report import Check
from tests.strategies import cell_texts, random_cells

EVERY = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a cell that fails is short enough as it is
)


def assert_agrees(checks: list[Check]) -> int:
    """Everything passes that can be checked; how many checks found no point at which they could be made."""
    assert checks
    nowhere = [check for check in checks if not check.passed and NOWHERE in check.detail]
    wrong = [check for check in checks if not check.passed and check not in nowhere]
    assert not wrong, "\n".join(f"{check.name}: {check.detail}" for check in wrong)
    return len(nowhere)


@given(random_cells())
@settings(EVERY, max_examples=100)
def test_derivations_agree_with_the_text(cell: Cell) -> None:
    derivation = derive(cell)
    chosen = layouts(cell, [(2, 3)])
    assert_agrees([*check_exactly(derivation, chosen, 0), *check_numerically(derivation, chosen, 0)])


@given(random_cells())
@settings(EVERY, max_examples=100)
def test_generated_code_agrees_with_the_text(cell: Cell) -> None:
    assert_agrees(list(check_generated(derive(cell), generate(cell), 0)))


def test_most_cells_can_be_checked() -> None:
    """A strategy that draws cells without smooth points would make the tests above empty."""
    found = []

    @given(random_cells())
    @settings(EVERY, max_examples=40)
    def every(cell: Cell) -> None:
        derivation = derive(cell)
        found.append(assert_agrees(list(check_numerically(derivation, layouts(cell, [(2, 3)]), 0))))

    every()
    assert np.mean([count == 0 for count in found]) > 0.8


def test_the_whole_language_occurs() -> None:
    used: set[str] = set()
    equations: set[int] = set()
    states: set[int] = set()

    @given(cell_texts())
    @settings(EVERY, max_examples=150)
    def every(text: str) -> None:
        used.update(re.findall(r"\b([a-z_]+)\(", text))
        used.update(sign for sign in ("@", "**", "*", "/", "+", "-", ".T") if sign in text)
        equations.add(text.count(" = "))
        states.add(text.rsplit("return", 1)[1].count(",") + 1)

    every()
    assert {*FUNCTIONS, *STRUCTURAL, "@", "**", "*", "/", "+", "-", ".T"} <= used
    assert states == {1, 2, 3}
    assert min(equations) == 1
    assert max(equations) == 12


def test_a_wrong_rule_is_found() -> None:
    """The check can fail: with one sign changed in the table, random cells disagree."""
    row = RULES["Stack"]
    wrong = replace(row, adjoint=lambda *a: [(x, nodes.negate(g)) for x, g in row.adjoint(*a)])

    @given(random_cells())
    @settings(EVERY, max_examples=200)
    def every(cell: Cell) -> None:
        derivation = derive(cell, {**RULES, "Stack": wrong})
        assert_agrees(list(check_exactly(derivation, layouts(cell, [(2, 3)]), 0)))

    with pytest.raises(AssertionError, match="adjoint of one step"):
        every()
