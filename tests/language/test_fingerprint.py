"""A fingerprint is that of the equations: what is only writing does not count, everything else does."""

from __future__ import annotations

import pytest

from symrnn import Cell, cells, generate
from symrnn.language.fingerprint import find_fingerprints, fingerprint, is_as_sealed, sealed

TEXT = '''def one(x, h, *, W, U, b, p: "d_h"):
    """A cell."""
    z = sigmoid(W @ x + U @ h + b)
    h = (1 - z) * h + z * p * 0.5
    return h
'''
SAME = {
    "another name, another docstring": ("one(", "two(", "A cell.", "Another one.\n\n    Source: nobody."),
    "blanks, brackets and comments": ("W @ x + U @ h", "(W@x)+(U @ h)", "return h", "# the end\n    return h"),
    "the order of terms": ("W @ x + U @ h + b", "b + W @ x + U @ h"),
    "the order of factors": ("z * p * 0.5", "0.5 * p * z"),
    "the order in which parameters are listed": ("W, U, b", "b, U, W"),
}
OTHER = {
    "a sign": ("U @ h + b", "U @ h - b"),
    "a number": ("0.5", "0.25"),
    "a function": ("sigmoid", "tanh"),
    "a letter of a parameter": ("W", "V"),
    "a letter of a gate": ("z", "u"),
    "which gate": ("(1 - z) * h + z * p", "z * h + (1 - z) * p"),
    "the order of a product": ("W @ x + U @ h", "W @ x + U.T @ h"),
    "a shape": ('p: "d_h"', 'p: "()"'),
}


def changed(edits: tuple[str, ...]) -> str:
    text = TEXT
    for before, after in zip(edits[::2], edits[1::2], strict=True):
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.mark.parametrize("edits", SAME.values(), ids=SAME)
def test_what_is_only_writing_does_not_count(edits: tuple[str, ...]) -> None:
    assert fingerprint(Cell.from_source(changed(edits))) == fingerprint(Cell.from_source(TEXT))


@pytest.mark.parametrize("edits", OTHER.values(), ids=OTHER)
def test_what_changes_the_equations_counts(edits: tuple[str, ...]) -> None:
    assert fingerprint(Cell.from_source(changed(edits))) != fingerprint(Cell.from_source(TEXT))


def test_the_order_of_equations_roles_and_constants_count() -> None:
    start = "def a(x: 'd_h', y: 'd_h', h, *, k=0.5):\n    {}\n    h = u * v * k\n    return h"
    texts = {
        start.format("u = x + h\n    v = y + h"),
        start.format("v = y + h\n    u = x + h"),
        start.replace("x: 'd_h', y:", "y: 'd_h', x:").format("u = x + h\n    v = y + h"),
        start.replace("0.5", "0.6").format("u = x + h\n    v = y + h"),
        start.replace("h, *, k=0.5", "h, *, k: '()'").format("u = x + h\n    v = y + h"),
    }
    assert len({fingerprint(Cell.from_source(text)) for text in texts}) == len(texts) == 5


def test_it_never_changes() -> None:
    # A paper is compared with code years later: where this fails, `_SCHEME` has to be another one.
    assert fingerprint(cells.lstm) == "1e88e269ae897c3c"
    assert fingerprint(cells.mlstm) == "8a569a604d2054b6"


def test_cells_of_the_library_differ_unless_they_are_one() -> None:
    known: dict[str, str] = {}
    for name in cells.names():
        other = known.setdefault(fingerprint(cells[name]), name)
        assert [e.value for e in cells[other].body] == [e.value for e in cells[name].body]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("% fingerprint 0123456789abcdef; do not edit", ("0123456789abcdef",)),
        (r"\symrnnfingerprint{0123456789ABCDEF}", ("0123456789abcdef",)),
        ('FINGERPRINT = "0123456789abcdef"', ("0123456789abcdef",)),
        (r'"FINGERPRINT = \"0123456789abcdef\"\n"', ("0123456789abcdef",)),
        ("<!-- the cell a, fingerprint 0000000000000000 --> <!-- fingerprint: 0123456789abcdef -->", None),
        ("a fingerprint of 0123456789abcdef", ()),
        ("fingerprint 0123456789abcdef0", ()),
        ("0123456789abcdef", ()),
    ],
)
def test_it_is_found_where_it_is_called_so(text: str, found: tuple[str, ...] | None) -> None:
    assert find_fingerprints(text) == (("0000000000000000", "0123456789abcdef") if found is None else found)


def test_a_seal_sees_every_change_but_line_ends() -> None:
    source = generate(cells.rnn).source
    assert is_as_sealed(source)
    assert is_as_sealed(source.replace("\n", "\r\n") + "\r\n")
    assert is_as_sealed("a text") is None
    changes = (("1 - ", "1 + "), ("h_t = tanh", "h = tanh"), ("np.tanh", "np.sin"), ('SEAL = "', 'SEAL = "0'))
    for before, after in changes:
        assert before in source
        assert is_as_sealed(source.replace(before, after)) is not True
    # sealed anew, it is as sealed: the seal is against slips, not against forgery
    assert is_as_sealed(sealed(source.replace("np.tanh", "np.sin")))
