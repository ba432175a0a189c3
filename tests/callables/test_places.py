"""Places in objects: read as they are written, never evaluated; and copies in which one array is one array."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symrnn.callables.places import HeldPlace, list_arrays, read_place
from symrnn.callables.twins import copy_owner, place_weights, put_in_place
from symrnn.errors import InputError


def tree() -> Any:
    gates = {"f": SimpleNamespace(W=np.ones(2)), 3: [np.zeros(1), np.full(4, 2.0)]}
    return SimpleNamespace(gate=SimpleNamespace(W=np.arange(3.0)), gates=gates, rows=(1, 2))


@pytest.mark.parametrize("text", ["gate.W", "gates['f'].W", "gates[3][1]", "gates[3][-1]", "rows", "rows[0]"])
def test_a_place_is_read_and_written(text: str) -> None:
    place, owner = read_place(text), tree()
    expected = eval(f"owner.{text}", {"owner": owner})
    assert place.read(owner) is expected
    assert str(place) == text
    if not text.startswith("rows["):
        place.write(owner, "new")
        assert place.read(owner) == "new"


@pytest.mark.parametrize(
    "text", ["", "a b", "f()", "a[b]", "a[1.5]", "a[:2]", "a + b", "1", "'W'", "a[True]", "a[(1, 2)]", "(" * 300, "a;b"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no place in an object\n  write it as Python would"):
        read_place(text)


@pytest.mark.parametrize("text", ["gate.U", "gates['g']", "gates[3][2]", "rows.x", "nothing"])
def test_what_is_not_there_is_a_lookup_error(text: str) -> None:
    with pytest.raises(LookupError):
        read_place(text).read(tree())


def test_arrays_are_listed_by_places_that_read_them() -> None:
    owner = tree()
    owner.loop, owner.again = owner, owner.gate.W
    found = list_arrays(owner)
    assert set(found) == {"again", "gates['f'].W", "gates[3][0]", "gates[3][1]"}  # the shortest place of each
    assert all(read_place(path).read(owner) is array for path, array in found.items())
    assert set(list_arrays({"W": np.ones(2), "net": owner.gate})) == {"W", "net.W"}


def test_an_array_in_several_places_is_replaced_in_all_of_them() -> None:
    owner = tree()
    owner.params, owner.lock = [owner.gate.W, owner.gates["f"].W], threading.Lock()
    new = np.full(3, 9.0)
    twin = place_weights(owner, {"gate.W": read_place("gate.W")}, {"gate.W": new})
    assert twin.gate.W is new
    assert twin.params[0] is new
    assert twin.params[1] is twin.gates["f"].W is not owner.params[1]
    assert twin.lock is owner.lock  # what cannot be copied is shared
    assert owner.params[0] is owner.gate.W is not new


@pytest.mark.parametrize("kind", [np.float64, np.complex128, np.longdouble])
def test_what_shows_a_part_of_an_array_shows_it_of_the_new_one(kind: Any) -> None:
    owner = SimpleNamespace(theta=np.arange(12.0))
    owner.W, owner.T, owner.last = owner.theta[:6].reshape(2, 3), owner.theta[:6].reshape(2, 3).T, owner.theta[::-2]
    new = np.arange(20, 32).astype(kind)
    twin = place_weights(owner, {"theta": read_place("theta")}, {"theta": new})
    assert twin.W.tolist() == [[20, 21, 22], [23, 24, 25]]
    assert twin.T.tolist() == twin.W.T.tolist()
    new[0] = 7
    assert (twin.W[0, 0], owner.W[0, 0]) == (7, 0)


def test_two_names_of_one_array_get_their_own() -> None:
    owner = SimpleNamespace(A=np.ones(2))
    owner.B = owner.A
    places = {name: HeldPlace(((False, name),)) for name in "AB"}
    twin = place_weights(owner, places, {"A": np.zeros(2), "B": np.full(2, 5.0)})
    assert (twin.A[0], twin.B[0]) == (0.0, 5.0)


def test_a_property_that_makes_its_value_is_set() -> None:
    class Packed:
        def __init__(self) -> None:
            self.theta = np.arange(6.0)

        @property
        def W(self) -> Any:
            return self.theta[:4].reshape(2, 2).copy()

        @W.setter
        def W(self, value: Any) -> None:
            self.theta[:4] = np.ravel(value)

    owner = Packed()
    twin = place_weights(owner, {"W": read_place("W")}, {"W": np.full((2, 2), 7.0)})
    assert twin.theta.tolist() == [7, 7, 7, 7, 4, 5]
    assert owner.theta.tolist() == [0, 1, 2, 3, 4, 5]


def test_globals_are_what_they_were_also_after_an_error() -> None:
    held = {"__name__": "somebodys", "W": np.ones(2), "np": np, "log": []}
    before = dict(held)
    twin = copy_owner(held)
    assert set(twin) == {"W", "log"}

    def fail() -> None:
        with put_in_place(held, twin):
            held["new"] = 1
            held["W"] += 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert held == before
    assert held["W"].tolist() == [1, 1]
    with put_in_place(held, twin):
        held["new"] = 1.5
    assert twin["new"] == 1.5
    assert "new" not in held
