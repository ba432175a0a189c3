"""Names are given as one text, between commas, or in a list, alike wherever several are taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symrnn import cells, count_paths, derive, generate, jacobian, rtrl, tangent
from symrnn.documents import write
from symrnn.errors import InputError, UnknownNameError

TAKERS: dict[str, tuple[Callable[[Any], Any], tuple[str, str]]] = {
    "rtrl": (lambda names: str(rtrl(cells.gru, names)), ("U_z", "b_r")),
    "tangent": (lambda names: str(tangent(cells.gru, wrt=names)), ("h_prev", "U_z")),
    "jacobian": (lambda names: jacobian(cells.gru, "h", "h_prev", holding=names), ("z", "n")),
    "paths": (lambda names: count_paths(cells.gru, "h", "h_prev", holding=names), ("z", "n")),
    "generate": (lambda names: generate(cells.gru, functions=names).source, ("jvp", "rtrl")),
}


@pytest.mark.parametrize("name", TAKERS)
def test_a_text_is_what_the_list_is(name: str) -> None:
    take, (one, two) = TAKERS[name]
    assert take(one) == take([one])
    assert take(f"{one}, {two}") == take((one, two))
    assert take((one, two)) != take([one])


@pytest.mark.parametrize("name", TAKERS)
def test_what_is_no_name_is_refused(name: str) -> None:
    take, _ = TAKERS[name]
    with pytest.raises((InputError, UnknownNameError), match="nothing_such"):
        take("nothing_such")
    with pytest.raises(InputError, match=r"=5: expected names\n  give names"):
        take(5)


def test_generated_code_takes_one_parameter() -> None:
    module = generate(cells.lstm, functions=["rtrl"])
    assert module.rtrl is not None
    params = module.initialize(4, 6)
    x, bars = np.ones((5, 3, 4)), np.ones((5, 3, 6))
    for names, alike in (("b_f", ["b_f"]), ("b_f, U_i", ["b_f", "U_i"])):
        found, expected = (module.rtrl(params, x, bars, parameters=given)[0] for given in (names, alike))
        assert sorted(found) == sorted(alike)
        for name in alike:
            np.testing.assert_array_equal(found[name], expected[name])


def test_documents_take_sections_between_commas() -> None:
    one, other = (
        write(derive(cells.rnn), "text", further=f) for f in ("properties,rewritings", ["properties", "rewritings"])
    )
    assert one == other
    assert one != write(derive(cells.rnn), "text", further="properties")
