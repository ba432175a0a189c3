"""Places of a term: each can be filled with what is there, or with something else, and nothing else changes."""

from __future__ import annotations

import pytest

from symrnn import cells
from symrnn.algebra import nodes
from symrnn.algebra.places import factors, places, without

BODY = [equation for name in ("lstm", "gru", "slstm") for equation in cells[name].body]


@pytest.mark.parametrize("equation", BODY, ids=lambda equation: equation.target.name)
def test_a_place_is_filled_and_the_rest_stays(equation) -> None:
    value = equation.value
    found = places(value)
    assert found[0].node == value
    assert nodes.variables(value) <= {place.node for place in found}
    for place in found:
        assert place.put(place.node) == value
        other = nodes.Variable("other", *place.node.shape)
        changed = place.put(other)
        assert changed == other or other in nodes.variables(changed)
        assert changed.shape == value.shape
        assert not place.above or place.above[0] == value


def test_the_same_variable_is_changed_in_one_place_only() -> None:
    a, b = nodes.Variable("a", 3, 1), nodes.Variable("b", 3, 1)
    changed = [place.put(b) for place in places(nodes.hadamard(a, a)) if place.node == a]
    assert changed == [nodes.hadamard(b, a), nodes.hadamard(a, b)]


def test_factors_are_taken_out_as_often_as_they_are_there() -> None:
    a, b = nodes.Variable("a", 3, 1), nodes.Variable("b", 3, 1)
    product = nodes.scale(2, nodes.hadamard(a, b, a))
    assert factors(product) == (2, (a, b, a))
    assert factors(b) == (1, (b,))
    assert without(product, (a,)) == nodes.scale(2, nodes.hadamard(b, a))
    assert without(product, (a, b, a)) == nodes.scale(2, nodes.ones((3, 1)))
    assert without(product, (b, b)) is None
