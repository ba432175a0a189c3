"""The terms of Jacobians in documents: like ones are joined, zeros are said in a sentence, and nothing is lost."""

from __future__ import annotations

from random import Random

import pytest

from symrnn import Cell, cells, derive, jacobian
from symrnn.algebra import nodes
from symrnn.calculus.paths import paths
from symrnn.documents import write
from symrnn.documents.path_terms import path_terms
from symrnn.runs.field import same
from symrnn.runs.field_point import draw_point
from symrnn.runs.literals import exact_text
from symrnn.runs.sizes import layouts

TWICE = """
def twice(x: "d_h", h, m, *, U, b):
    e = m + b
    m = maximum(e, x)
    h = exp(e - m) * h * (U @ x)
    return h, m
"""
"""A stabiliser that is read twice: e reaches h directly, and through m with a step and a minus."""


def test_like_terms_of_nested_paths_are_one() -> None:
    cell = Cell.from_source(TWICE)
    (term,) = path_terms(paths(cell, "h", "m_prev"))
    assert [path.name for path in term.paths] == ["through e_t", "through e_t, m_t"]
    assert "1 - step(e_t - x_t)" in str(term.value)


@pytest.mark.parametrize(
    ("name", "of", "wrt"), [("mlstm", "h", "m_prev"), ("slstm", "c", "h_prev"), ("gru", "h", "h_prev")]
)
def test_the_terms_add_up_to_the_jacobian(name: str, of: str, wrt: str) -> None:
    derivation = derive(cells[name])
    terms = path_terms(paths(derivation, of, wrt))
    trial = draw_point(derivation, exact_text(derivation.cell.syntax), layouts(derivation.cell, [(2, 3)])[0], Random(0))
    assert trial is not None
    whole, parts = jacobian(derivation, of, wrt), nodes.add(*(term.value for term in terms))
    assert same(trial.evaluate(whole), trial.evaluate(parts))
    assert not same(trial.evaluate(whole), trial.evaluate(nodes.scale(2, parts)))
    listed = [path.name for term in terms for path in term.paths]
    assert sorted(listed) == sorted(path.name for path in paths(derivation, of, wrt) if not nodes.is_zero(path.value))


def test_paths_that_have_nothing_in_common_stay_apart() -> None:
    found = paths(cells.gru, "h", "h_prev")
    assert [term.paths for term in path_terms(found)] == [(path,) for path in found]


def test_zeros_are_a_sentence() -> None:
    document = write(derive(cells.slstm), "text")
    section = " ".join(document.split("Jacobian blocks\n")[1].split("\n6. ")[0].split())
    assert "= 0" not in section
    assert "+ 0" not in section
    assert "as no path leads there: - from c_{t-1} to n_t - from c_{t-1} to m_t" in section
    assert "as every path has a slope of zero: - from n_{t-1} to c_t - from n_{t-1} to m_t" in section


def test_a_long_divisor_and_what_it_divides_have_names() -> None:
    forward = [str(equation.target) for equation in derive(cells.mlstm).forward]
    assert {"s_{h,t}", "u_{h,t}"} <= set(forward)
    document = write(derive(cells.mlstm), "text")
    assert document.count("max(|r_{h,t}|, exp(-m_t))") == 1
    assert document.count("C_t q_t") == 1
    # One function in a divisor is as short as a name.
    short = Cell.from_source('def f(x: "d_h", h, *, U):\n    h = (U @ h) / sqrt(1 + h * x)\n    return h')
    assert [equation.target.name for equation in derive(short).forward] == ["h"]
