"""Names of pre-activations and adjoints: nothing gets a name that is taken."""

import pytest

from symrnn import Cell, derive
from symrnn.algebra.nodes import Variable
from symrnn.calculus.naming import Names
from symrnn.errors import NameClashError


def vector(name: str) -> Variable:
    return Variable(name, 2, 1, name, 0)


def test_the_first_free_candidate_is_claimed_and_the_last_is_numbered() -> None:
    names = Names({"a": vector("a"), "s": vector("s"), "s_2": vector("s_2")})
    assert names.claim("a", "s", "u") == "u"
    assert names.claim("a", "s") == "s_3"


def test_numbers_go_on_where_they_ended_and_pass_over_what_is_taken() -> None:
    names = Names({"J2": vector("J2")})
    given = []
    for _ in range(3):
        given.append(names.numbered("J"))
        names.add(vector(given[-1]))
    assert given == ["J1", "J3", "J4"]


def test_a_name_is_given_once() -> None:
    names = Names({})
    names.add(vector("a"))
    assert not names.is_free("a")
    with pytest.raises(NameClashError, match="the name a is taken"):
        names.add(vector("a"))


def test_a_cell_that_uses_the_letter_itself_gets_the_next_and_one_argument_one_name() -> None:
    plain = "def cell(x, h, *, W, U):\n    h = sigmoid(W @ x + U @ h) * tanh(W @ x + U @ h)\n    return h\n"
    taken = "def cell(x, h, *, W, U, a):\n    h = tanh(W @ x + U @ h + a)\n    return h\n"
    assert [equation.target.name for equation in derive(Cell.from_source(plain)).forward] == ["a_h", "h"]
    assert [equation.target.name for equation in derive(Cell.from_source(taken)).forward] == ["s_h", "h"]
