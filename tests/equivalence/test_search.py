"""The search for a map, step by step: how texts are taken apart, what is tried, and what a map reaches."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from symrnn import Cell, cells
from symrnn.equivalence.correspondence import ROUNDS, SearchDirection, pairings, unchanged
from symrnn.equivalence.equivalent import equivalent
from symrnn.equivalence.parameter_map import read_map
from symrnn.equivalence.parameter_uses import CellUnits, ParameterPiece, literals
from symrnn.equivalence.piece_option import PieceOption
from symrnn.equivalence.under_a_map import mapped, reach, side_by_side
from symrnn.runs.sizes import layouts

ADDED = Cell.from_source("def added(x, h, *, W, U, b):\n    h = tanh(2 * (W @ x) - U @ h + b + 0.5)\n    return h\n")
JOINED = Cell.from_source(
    "def joined(x, h, *, W: 'd_h, d_h + d_x', b):\n    h = tanh(W @ concat(h, x) + b)\n    return h\n"
)


def units(cell: Cell) -> CellUnits:
    return CellUnits(cell, layouts(cell, [(2, 3)])[0])


def test_uses_carry_their_factors_and_a_call_its_constant() -> None:
    call = next(unit for unit in units(ADDED).units if unit.uses)
    assert {use.piece.text: (use.kind, use.factor) for use in call.uses} == {
        "W": ("columns", Fraction(2)),
        "U": ("columns", Fraction(-1)),
        "b": ("added", Fraction(1)),
    }
    assert call.constant == Fraction(1, 2)
    assert literals(ADDED) == (Fraction(2), Fraction(1, 2))


def test_a_matrix_is_cut_where_it_meets_a_joined_vector() -> None:
    assert [piece.text for piece in units(JOINED).pieces["W"]] == ["W[:, :d_h]", "W[:, d_h:]"]
    assert [units(JOINED).shape(piece) for piece in units(JOINED).pieces["W"]] == [(2, 2), (2, 3)]


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (PieceOption(((Fraction(1), ParameterPiece("b")), (Fraction(-1), ParameterPiece("c")))), "b - c"),
        (PieceOption(((Fraction(-1, 2), ParameterPiece("W")),), form=".T"), "-W.T / 2"),
        (PieceOption(((Fraction(1), ParameterPiece("p")),), form="diag"), "diag(p)"),
        (PieceOption((), Fraction(1)), "1"),
        (PieceOption(()), "0"),
    ],
)
def test_an_option_in_the_language_of_maps(option: PieceOption, text: str) -> None:
    assert option.text() == text


def test_outputs_correspond_always_and_unchanged_names_are_one_map() -> None:
    assert all(paired["h"] == "h" for paired in pairings(cells.lstm, cells.lstm))
    (only,) = unchanged(cells.lstm, cells.lstm)
    assert only.changes == {}
    assert list(unchanged(cells.lstm, cells.gru)) == []


def test_the_first_round_finds_signs_and_joined_matrices() -> None:
    plain = Cell.from_source("def plain(x, h, *, V, R, c):\n    h = tanh(R @ h - V @ x + c)\n    return h\n")
    found = next(SearchDirection(JOINED, plain).maps(ROUNDS[0], 0))
    assert found.changes == {"W": "hstack(R, -V)", "b": "c"}
    assert equivalent(JOINED, plain).equal


@pytest.mark.parametrize(
    ("given", "onto", "one_to_one"),
    [({}, True, True), ({"W": "-W / 2"}, True, True), ({"b": "0"}, False, False), ({"b": "b + 1"}, True, True)],
)
def test_what_a_map_reaches(given: dict[str, str], onto: bool, one_to_one: bool) -> None:
    found = reach(read_map(ADDED, ADDED, given), layouts(ADDED, [(2, 3)])[0])
    assert (found.onto, found.one_to_one) == (onto, one_to_one)


def test_cells_side_by_side_give_what_their_texts_give() -> None:
    (pair,) = mapped(read_map(ADDED, ADDED, {"b": "-b"}), layouts(ADDED, [(2, 3)]))
    values = {"x": np.ones(3), "h": np.ones(2), "W": np.zeros((2, 3)), "U": np.zeros((2, 2)), "b": np.array([0.25, 1])}
    found = side_by_side(pair, values, target_is_a=True)
    np.testing.assert_allclose(found.states_a["h"], np.tanh([0.25, -0.5]))
    np.testing.assert_allclose(found.states_b["h"], np.tanh([0.75, 1.5]))
    assert found.difference == pytest.approx(np.tanh(1.5) + np.tanh(0.5))
