"""Gradients of joined vectors are written once, and split."""

from __future__ import annotations

import pytest

from symrnn import Cell, cells, derive
from symrnn.algebra import nodes
from symrnn.algebra.nodes import Variable
from symrnn.documents import write
from symrnn.documents.splitting import find_split, merged
from symrnn.printers import text
from tests.printed.checking import check

a, b, c = (Variable(name, 5, 1, time=0) for name in "abc")


def test_terms_with_the_same_rows_are_merged() -> None:
    first, last = nodes.rows(a, 0, 2), nodes.rows(b, 0, 2)
    d = Variable("d", 2, 1, time=0)
    assert text(merged(nodes.add(first, d, last))) == "(a_t + b_t)[1:2] + d_t"
    assert text(merged(nodes.add(first, nodes.rows(b, 1, 3)))) == "(a_t)[1:2] + (b_t)[2:3]"
    assert text(merged(nodes.subtract(first, last))) == "(a_t)[1:2] - (b_t)[1:2]"
    assert merged(first) == first


@pytest.mark.parametrize(("order", "left"), [("h, x", "[δ←h_{t-1}; δx_t]"), ("x, h", "[δx_t; δ←h_{t-1}]")])
def test_the_gradient_of_what_is_joined_is_one_equation(order: str, left: str) -> None:
    source = cells.lstm_concat.source.replace("concat(h, x)", f"concat({order})")
    derivation = derive(
        Cell.from_source(source.replace("d_h + d_x", " + ".join(f"d_{one}" for one in order.split(", "))))
    )
    document = write(derivation, "text")
    assert f"(17–18)  {left} = W_fᵀ δa_{{f,t}} + W_iᵀ δa_{{i,t}} + W_gᵀ δa_{{g,t}} + W_oᵀ δa_{{o,t}}" in document
    assert "\n(17) " not in document
    assert "\n(18) " not in document
    assert not check(derivation, "text").false


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn", "mlstm"])
def test_nothing_is_split_where_nothing_is_joined(name: str) -> None:
    assert find_split(derive(cells[name])) is None


def test_a_state_that_gets_more_than_its_part_has_an_equation_of_its_own() -> None:
    """The reset gate of a gated recurrent unit multiplies a part of the joined vector."""
    document = write(derive(cells.gru), "text", "olah")
    assert find_split(derive(cells.gru)) is None
    assert "(W_rᵀ · δa_{r,t} + W_zᵀ · δa_{z,t})[1:d_h] + (Wᵀ · δa_{h,t})[1:d_h] * r_t" in " ".join(document.split())
