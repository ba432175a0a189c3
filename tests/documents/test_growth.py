"""Documents of large cells: as long as the cell has equations, whatever the number of its paths."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from symrnn import Cell, derive
from symrnn.calculus.graph import StepGraph
from symrnn.calculus.jacobian import written
from symrnn.documents import derivation_document, jacobian_document, write
from symrnn.printers import text
from tests.growing import SHAPES, apart, skips, states

pytestmark = pytest.mark.sweep


@pytest.mark.parametrize("form", ["text", "fragment", "markdown"])
@pytest.mark.parametrize("shape", [skips, apart, states])
def test_a_document_grows_with_the_equations(shape: Callable[[int], str], form: str) -> None:
    lengths = [len(write(derive(Cell.from_source(shape(size))), form)) for size in (40, 60, 80)]
    assert lengths[2] - lengths[1] < 1.15 * (lengths[1] - lengths[0])


@pytest.mark.parametrize("shape", SHAPES.values())
def test_where_blocks_are_long_every_direct_jacobian_is_shown(shape: Callable[[int], str]) -> None:
    """The chain rule needs all of them, and each is the local Jacobian of its equation."""
    derivation = derive(Cell.from_source(shape(40)))
    section = derivation_document(derivation).section("jacobians")
    if "chain rule" not in str(section.blocks):
        return
    shown = {
        line.left.text: line.right.text
        for display in section.displays
        for equation in display.equations
        if equation.label.startswith("direct:")
        for line in equation.lines
        if line.left
    }
    graph, parameters = StepGraph(derivation), set(derivation.cell.parameters)
    local = {
        f"∂⁺{text(equation.target)}/∂{text(source)}": text(written(value))
        for equation in derivation.forward
        if not derivation.is_preactivation(equation.target)
        for source, value in graph.incoming(equation.target).items()
        if source.name not in parameters
    }
    assert shown == local


@pytest.mark.parametrize("layout", ["numerator", "denominator"])
def test_one_jacobian_of_many_paths_names_what_they_share(layout: str) -> None:
    lengths = []
    for size in (20, 40, 80):
        document = jacobian_document(derive(Cell.from_source(skips(size))), "h", "h_prev", layout=layout)
        assert "too many to be written out" in str(document.section("jacobian").blocks)
        rows = [row for display in document.section("recursion").displays for row in display.equations]
        assert len(rows) == size - 1
        lengths.append(len(write(document, "text")))
    assert lengths[2] - lengths[1] < 2.3 * (lengths[1] - lengths[0])
