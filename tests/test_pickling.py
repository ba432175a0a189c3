"""Every result can be copied and sent to another process."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symrnn
from symrnn import Cell, cells, generate, interop
from tests.results import OWN, RESULTS, result


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy, copy.copy])
@pytest.mark.parametrize("name", RESULTS)
def test_a_copy_is_the_same(name: str, copied: Callable[[Any], Any]) -> None:
    original = result(name)
    same = copied(original)
    assert type(same) is type(original)
    assert repr(same) == repr(original)
    assert str(same) == str(original)
    if not isinstance(original, interop.Loaded) and name != "identify":  # arrays are not compared as a whole
        assert same == original


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy, copy.copy])
def test_a_copy_of_the_library_is_the_library(copied: Callable[[Any], Any]) -> None:
    assert copied(cells) is cells
    assert copied({"cells": cells, "one": cells.rnn}) == {"cells": cells, "one": cells.rnn}


def test_a_pool_of_new_processes_takes_and_returns_them() -> None:
    m = generate("gru")
    params = m.initialize(3, 5, 0)
    x = np.random.default_rng(0).normal(size=(4, 2, 3))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        h = pool.apply(m.forward, (params, x))[0]
        reports = pool.map(symrnn.verify, [Cell.from_source(OWN)])
        modules = pool.map(symrnn.generate, ["rnn", cells.rnn])
    assert np.array_equal(h, m.forward(params, x)[0])
    assert reports[0].passed
    assert modules[0] == modules[1] == generate("rnn")


def test_a_derivation_by_other_rules_does_not_pretend_to_be_one_by_the_usual_ones() -> None:
    from dataclasses import replace

    from symrnn.calculus.rules import RULES

    row = RULES["Act"]
    derivation = symrnn.derive("rnn", {**RULES, "Act": replace(row, name="another")})
    assert copy.copy(derivation).rules["Act"].name == "another"
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(symrnn.derive("rnn", {**RULES, "Act": replace(row, adjoint=lambda n, v, g: [])}))


def test_nothing_can_be_changed_in_a_copy() -> None:
    conditions = pickled(interop.explain("torch", "keras", "gru")).comparisons[0].forth.conditions
    with pytest.raises(TypeError):
        conditions["W"] = "0"
