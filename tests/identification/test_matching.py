"""Tiles are given to the targets with their effect: built by hand, so that every rule of the choice is seen alone."""

from __future__ import annotations

from math import inf, nan
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symrnn.identification.frames import SequenceFrame
from symrnn.identification.matching import (
    NudgeTarget,
    Questions,
    TileAssignment,
    assign,
    assign_nearest,
    gap,
    nudge_targets,
)
from symrnn.identification.tiles import Span, Tile
from symrnn.identification.tilings import Tiling

TOLERANCE = 1e-9
EDGE = 1e3 * TOLERANCE / 2
"""The largest effect that does not count, of which `effect` makes a response twice as large."""


def tile(array: str, *dims: int, start: int = 0) -> Tile:
    return Tile(array, tuple(Span(start, start + length) for length in dims))


def effect(size: float) -> np.ndarray:
    return np.array([1.0, -2.0, 0.5]) * size


def target(what: Tile | str, size: float, *dims: int, flipped: bool = False) -> NudgeTarget:
    return NudgeTarget(what, dims or tile_dims(what), flipped, effect(size))


def tile_dims(what: Tile | str) -> tuple[int, ...]:
    assert isinstance(what, Tile)
    return what.dims


def told(assignment: TileAssignment | None) -> dict[str, str]:
    assert assignment is not None
    return {
        one.array: found.what if isinstance(found.what, str) else found.what.array for one, found in assignment.chosen
    }


W, U, V = tile("W", 3, 4), tile("U", 4, 3), tile("V", 3, 4)
B, C, D = tile("b", 4), tile("c", 4), tile("d", 4)
S, R = tile("s", 4), tile("r", 4)
OWN = {name: tile(name, 3, 4) for name in ("own_W", "own_V")} | {name: tile(name, 4) for name in ("own_b", "own_c")}


@pytest.mark.parametrize(
    ("value", "truth", "expected"),
    [
        ([1.0, 3.0], [1.0, 2.0], 0.5),
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 8.0], [0.0, 4.0], 1.0),
        ([0.0, 3.0], [0.0, 0.0], 3.0),
        ([0.0, nan], [0.0, 1.0], inf),
        ([0.0], [0.0, 0.0], inf),
        ([], [], 0.0),
    ],
)
def test_a_gap_is_the_largest_difference_by_the_largest_entry(
    value: list[float], truth: list[float], expected: float
) -> None:
    assert gap(np.array(value), np.array(truth)) == expected


def assigned(
    found: dict[Tile, float],
    wanted: list[NudgeTarget],
    states: tuple[Tile, ...] = (),
    visible: bool = True,
    still: float = 0.0,
) -> tuple[TileAssignment | None, set[Tile]]:
    """What the tiles are, whose effects are these multiples of one vector, and which of them are none of the cell's."""
    frame = SequenceFrame.__new__(SequenceFrame)  # not read here
    tiling = Tiling(frame, tuple(one for one in found if one not in states), states)
    hopeless: set[Tile] = set()
    responses = {one: effect(size) for one, size in found.items()}
    return assign(tiling, responses, wanted, effect(still), TOLERANCE, visible, hopeless), hopeless


def test_every_tile_is_the_target_with_its_effect() -> None:
    wanted = [target(OWN["own_W"], 2), target(OWN["own_V"], 3), target(OWN["own_b"], 5), target("h", 7, 4)]
    found, hopeless = assigned({W: 3, U: 2, B: 5, S: 7}, wanted, (S,))
    assert told(found) == {"W": "own_V", "U": "own_W", "b": "own_b", "s": "h"}
    assert found is not None
    assert (found.alike, found.tied) == ((), False)
    assert not hopeless


@pytest.mark.parametrize(
    ("tiles", "wanted"),
    [
        ({W: 2.001}, [target(OWN["own_W"], 2)]),  # another effect
        ({B: 2}, [target(OWN["own_W"], 2)]),  # other lengths
        ({S: 2}, [target(OWN["own_b"], 2)]),  # a state is no weight
        ({B: 2}, [target("h", 2, 4)]),  # and a weight no state
        ({W: 0}, [target(OWN["own_W"], 0)]),  # no effect tells nothing
        ({W: 1e-7}, [target(OWN["own_W"], 1e-7)]),  # nor one that rounding may have
        ({W: EDGE}, [target(OWN["own_W"], EDGE)]),  # nor one just as large as that
    ],
)
def test_a_tile_without_a_target_is_hopeless(tiles: dict[Tile, float], wanted: list[NudgeTarget]) -> None:
    found, hopeless = assigned(tiles, wanted, (S,) if S in tiles else ())
    assert found is None
    assert hopeless == set(tiles)


def test_tiles_without_effect_may_be_targets_without_effect() -> None:
    found, hopeless = assigned({W: 0}, [target(OWN["own_W"], 0)], visible=False)
    assert told(found) == {"W": "own_W"}
    assert not hopeless


def test_rounding_grows_with_the_outputs() -> None:
    wanted = [target(OWN["own_W"], 2 + 1e-8)]
    assert assigned({W: 2}, wanted)[0] is None
    assert told(assigned({W: 2}, wanted, still=100)[0]) == {"W": "own_W"}


def test_vectors_with_one_effect_are_added_and_matrices_and_states_are_not() -> None:
    found, _ = assigned({B: 2, C: 2}, [target(OWN["own_b"], 2)])
    assert told(found) == {"b": "own_b", "c": "own_b"}
    assert found is not None
    assert (found.alike, found.tied) == (((B, C),), False)
    assert assigned({W: 2, V: 2}, [target(OWN["own_W"], 2)])[0] is None
    assert assigned({S: 2, R: 2}, [target("h", 2, 4)], (S, R))[0] is None


def test_targets_with_one_effect_are_taken_in_order() -> None:
    wanted = [target(OWN["own_W"], 2), target(OWN["own_V"], 2)]
    found, _ = assigned({V: 2, W: 2}, wanted)
    assert told(found) == {"V": "own_W", "W": "own_V"}
    assert found is not None
    assert (found.alike, found.tied) == (((V, W),), True)
    single, _ = assigned({W: 2}, wanted)
    assert told(single) == {"W": "own_W"}
    assert single is not None
    assert single.tied


def test_the_two_orientations_of_one_target_are_no_tie() -> None:
    square = tile("Q", 4, 4)
    wanted = [target(square, 2), target(square, 2, 4, 4, flipped=True)]
    found, _ = assigned({tile("P", 4, 4): 2}, wanted)
    assert found is not None
    assert not found.tied
    assert not found.chosen[0][1].flipped


def test_vectors_of_two_arrays_are_added_in_the_order_of_each() -> None:
    """Two biases, each cut into the same two gates whose effects cannot be told apart."""
    cut = [tile(array, 4, start=start) for array in "bc" for start in (0, 4)]
    found, _ = assigned(dict.fromkeys(cut, 2), [target(OWN["own_b"], 2), target(OWN["own_c"], 2)])
    assert found is not None
    assert [one.what.array for _, one in found.chosen if isinstance(one.what, Tile)] == ["own_b", "own_c"] * 2


def test_vectors_of_arrays_of_their_own_are_shared_evenly() -> None:
    found, _ = assigned({B: 2, C: 2, D: 2, tile("e", 4): 2}, [target(OWN["own_b"], 2), target(OWN["own_c"], 2)])
    assert told(found) == {"b": "own_b", "c": "own_b", "d": "own_c", "e": "own_c"}


def nearest(
    found: dict[Tile, float],
    wanted: list[NudgeTarget],
    states: tuple[Tile, ...] = (),
    still: float = 0,
    course: float = 0,
) -> dict[str, str]:
    responses = {one: effect(size) for one, size in found.items()}
    return told(assign_nearest(responses, wanted, effect(still), effect(course), frozenset(states)))


def test_the_nearest_target_is_chosen_and_each_is_used_once() -> None:
    wanted = [target(OWN["own_W"], 2), target(OWN["own_V"], 3)]
    assert nearest({W: 3.1, V: 2.3}, wanted) == {"W": "own_V", "V": "own_W"}
    # Both are nearest to the second; the nearer one has it.
    assert nearest({W: 3.2, V: 3.1}, wanted) == {"W": "own_W", "V": "own_V"}
    # An entry that agrees does not make a target near: the largest difference counts.
    far = NudgeTarget(OWN["own_V"], (3, 4), False, np.array([3.0, 9.0, 9.0]))
    assert nearest({W: 3}, [target(OWN["own_W"], 2), far]) == {"W": "own_W"}


def test_effects_are_the_moves_away_from_each_ones_own_course() -> None:
    wanted = [target(OWN["own_W"], 2), target(OWN["own_V"], 3)]
    assert nearest({W: 12}, wanted, still=10, course=0) == {"W": "own_W"}
    assert nearest({W: 12}, wanted, still=10, course=1) == {"W": "own_V"}


def test_what_is_not_a_number_is_farthest() -> None:
    assert nearest({W: 2}, [target(OWN["own_W"], nan), target(OWN["own_V"], 50)]) == {"W": "own_V"}


def test_only_vectors_that_are_left_over_are_added_to_others() -> None:
    wanted = [target(OWN["own_W"], 2), target(OWN["own_b"], 2), target("h", 2, 4)]
    found = {W: 2, V: 2.1, B: 2, C: 2.1, S: 2, R: 2.1}
    assert nearest(found, wanted, (S, R)) == {"W": "own_W", "b": "own_b", "c": "own_b", "s": "h"}


class Sizes(SimpleNamespace):
    """Equal to itself alone, as the sizes of a cell are."""

    __hash__ = object.__hash__


def candidate(*tiles: Tile, states: dict[str, tuple[int, ...]] | None = None, followers: tuple[str, ...] = ()) -> Any:
    """As much of a candidate as is read here."""
    sized = Sizes(tiles=tiles, state_dims=states or {})
    return SimpleNamespace(sized=sized, slip=None, followers=followers)


class Recorded:
    """Questions whose answers are what was asked."""

    def course(self, candidate: Any, given: Any, point: Any, nudged: Any, flipped: bool, apart: bool) -> Any:
        return nudged, flipped, apart

    def expected(self, course: Any) -> Any:
        return course


def test_only_square_matrices_are_asked_in_both_orientations() -> None:
    square, follower = tile("Q", 4, 4), tile("F", 4, 4)
    asked: Any = Recorded()
    found = nudge_targets(
        asked, candidate(W, square, B, follower, states={"h": (4,), "c": (4,)}, followers=("F",)), ("h",), asked, asked
    )
    assert [(one.what, one.dims, one.flipped) for one in found] == [
        (W, (3, 4), False),
        (square, (4, 4), False),
        (square, (4, 4), True),
        (B, (4,), False),
        ("h", (4,), False),
    ]
    assert [one.response for one in found] == [(one.what, one.flipped, False) for one in found]


def test_what_is_hopeless_is_remembered_for_the_same_matrices_and_states() -> None:
    frame = SequenceFrame.__new__(SequenceFrame)
    nothing: Any = None
    questions, own = Questions(nothing, frame, nothing), candidate()
    questions.hopeless(own, ("h",), Tiling(frame, (W, B), (S,))).add(W)
    for tiling, given, others, same in (
        (Tiling(frame, (W, B), (S,)), ("h",), (), True),
        (Tiling(frame, (W, C, D), (S,)), ("h",), (), True),  # vectors do not matter
        (Tiling(frame, (W, V, B), (S,)), ("h",), (), False),
        (Tiling(frame, (V, B), (S,)), ("h",), (), False),
        (Tiling(frame, (W, B), (R,)), ("h",), (), False),
        (Tiling(frame, (W, B), (S,)), (), (), False),
        (Tiling(frame, (W, B), (S,)), ("h",), (1,), False),
    ):
        assert questions.hopeless(own, given, tiling, *others) == ({W} if same else set())
