"""Every printed equation of the whole library, in every form, is read back and true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations, cycle

import pytest
from hypothesis import given, settings

from symrnn import Cell, cells, derive
from symrnn.printers import NOTATIONS
from tests.printed.checking import Meanings, Reader, check
from tests.printed.reading import READERS, Relation
from tests.strategies import random_cells
from tests.test_random_cells import EVERY


def assert_true(cell: Cell, notation: str = "subscript", forms: tuple[str, ...] = tuple(READERS)) -> int:
    """No equation is false; how many could not be read."""
    unread = 0
    derivation = derive(cell)
    meanings = Meanings(derivation, notation)
    for form in forms:
        result = check(derivation, form, notation, meanings)
        assert result.true > len(cell.body) or result.unread
        assert not result.false, f"{form}: " + "\n".join(result.false)
        unread += len(result.unread)
    return unread


@pytest.mark.long
@pytest.mark.parametrize("name", cells.names())
def test_every_equation_of_the_library_is_true(name: str) -> None:
    assert assert_true(cells[name]) == 0


CELLS = cycle(("lstm", "gru_reset_after", "rnn", "lstm_peephole", "gru", "mgu", "lstm_concat"))
TURNS = list(zip(NOTATIONS, CELLS, cycle(combinations(READERS, 2)), strict=False))


@pytest.mark.sampled(12)
@pytest.mark.parametrize(("notation", "name", "forms"), TURNS)
def test_every_notation_says_the_same(name: str, notation: str, forms: tuple[str, ...]) -> None:
    """Each notation with one cell in two forms; with every cell in the sweep."""
    assert assert_true(cells[name], notation, forms) == 0


@pytest.mark.long
@pytest.mark.parametrize(("name", "notation"), list(zip(cells.names(), cycle(NOTATIONS), strict=False)))
def test_every_cell_says_the_same_in_a_notation(name: str, notation: str) -> None:
    """By turns; `python -m benchmarks.printed --notations` has each cell in each of them."""
    assert assert_true(cells[name], notation, ("text", "fragment")) == 0


def assert_lecture_is_true(name: str, form: str) -> None:
    result = check(derive(cells[name]), form, level="lecture")
    assert (result.false, result.unread) == ([], [])
    assert result.true > 2 * len(derive(cells[name]).steps)


@pytest.mark.long
@pytest.mark.parametrize("name", cells.names())
def test_every_line_of_the_library_s_lectures_is_true(name: str) -> None:
    assert_lecture_is_true(name, "text")


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "form"), [("lstm", "fragment"), ("gru", "markdown"), ("mlstm", "text")])
def test_every_line_of_a_lecture_is_true(name: str, form: str) -> None:
    """The chain rule, what is put into it, and what comes of it."""
    assert_lecture_is_true(name, form)


def test_a_slip_in_a_lecture_is_found() -> None:
    lines = Reader(Meanings(derive(cells.gru)), "text", level="lecture")
    chain = [relation for relation in lines.relations if relation.right.startswith("(∂⁺")]
    assert len(chain) > 5
    for relation in chain:
        wrong = replace(relation, right=relation.right.replace("ᵀ", "", 1).replace("δ", "2 δ"))
        assert not lines.check(wrong).true


def test_random_cells_are_printed_as_they_are() -> None:
    unread: list[int] = []

    @given(random_cells())
    @settings(EVERY, max_examples=6)
    def every(cell: Cell) -> None:
        unread.append(assert_true(cell))

    every()
    # Where only the whole page tells the size of an identity or of ones, the reader of these tests gives up.
    assert sum(count == 0 for count in unread) >= len(unread) / 4


# --- the check can fail -----------------------------------------------------------------------------------------------

SLIPS = {
    "another sign": (r" \+ ", " - "),
    "a minus gone": (r"\(1 - ", "(1 + "),
    "no transpose": (r"(?<=[\w)}])(?:ᵀ|\^\{\\top\})", ""),
    "another step": (r"t-1\}", "t}"),
    "an adjoint of the next step": (r"(δ|\\delta )a_\{(\w),t\}", r"\1a_{\2,t+1}"),
    "another gate": (r"\bf_t", "i_t"),
    "a sum in place of a product": (r" (?:⊙|\\odot) ", " + "),
    "a message for the whole derivative": ("δ⃖|\\\\overleftarrow{\\\\delta}", "δ"),
    "a direct derivative": (r"^(∂|\\frac\{\\partial)(?! ?[⁺^L])", r"\1⁺"),
    "half": (r"^(.+)$", r"0.5 (\1)"),
}


def slips(relation: Relation) -> Iterator[tuple[str, Relation]]:
    for name, (pattern, other) in SLIPS.items():
        right = re.sub(pattern, other, relation.right, count=1)
        if right != relation.right and relation.right != "0":
            yield name, replace(relation, right=right)


@cache
def reader(form: str) -> Reader:
    return Reader(Meanings(derive(cells.lstm)), form)


@pytest.mark.parametrize("form", READERS)
def test_slips_of_printing_are_found(form: str) -> None:
    """What was printed with a slip is false or no formula."""
    found: dict[str, int] = {}
    for relation in reader(form).relations[10:]:  # those before are the network itself
        for name, changed in slips(relation):
            assert not reader(form).check(changed).true, (name, changed)
            found[name] = found.get(name, 0) + 1
    assert len(found) >= 7, found


def test_a_message_is_not_the_derivative_of_the_loss() -> None:
    (message,) = (r for r in reader("text").relations if r.number == "18")
    assert reader("text").check(message).true
    assert reader("text").check(replace(message, left="δh_{t-1}")).false


def test_forward_equations_are_the_author_s() -> None:
    other = reader("text").relations[0]
    wrong = Reader(reader("text").meanings, "text")
    wrong.relations[0] = replace(other, right=other.right.replace("σ", "tanh"))
    with pytest.raises(AssertionError):
        wrong.check()
