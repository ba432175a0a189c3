"""Expressions as functions of a batch: the rules of the table, and what a node says itself."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Variable
from symrnn.mistakes import batched
from symrnn.mistakes.batched import Frame, compiled

A, B = Variable("A", 3, 4), Variable("B", 4, 3)
#: Nodes of every kind whose value a batch has, in one expression each.
EXPRESSIONS = {
    "Sum": nodes.add(A, nodes.transpose(B)),
    "Product": nodes.scale(nodes.add(A, A).shape[0] / 7, nodes.matmul(A, B)),
    "Hadamard": nodes.hadamard(A, A),
    "Power": nodes.power(A, -3),
    "Act": nodes.act("tanh", A),
    "Fill": nodes.fill(nodes.total(A), (3, 2)),
    "Total": nodes.total(A),
    "Softmax": nodes.softmax(A),
    "Argmax": nodes.argmax(A),
    "Stack": nodes.stack(A, nodes.transpose(B), nodes.ones((1, 4))),
    "Slice": nodes.rows(A, 1, 3),
    "Diag": nodes.diag(nodes.matmul(A, nodes.ones((4, 1)))),
    "Transposed": nodes.transpose(A),
    "Ones": nodes.add(A, nodes.ones((3, 4))),
    "Zeros": nodes.stack(nodes.zeros((2, 4)), A),
}


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_the_table_agrees_with_the_nodes(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    frame = Frame(SimpleNamespace(sizes={}), 0, {"A": rng.normal(size=(2, 3, 4)), "B": rng.normal(size=(2, 4, 3))})
    by_table = compiled(EXPRESSIONS[kind])(frame)
    compiled.cache_clear()
    monkeypatch.setattr(batched, "_RULES", {"Variable": batched._RULES["Variable"]})
    by_nodes = compiled(EXPRESSIONS[kind])(frame)
    compiled.cache_clear()
    assert_allclose(by_nodes, by_table, rtol=1e-13, atol=1e-15)
