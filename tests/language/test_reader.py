"""One walk reads every formula: what a language leaves open is refused where it stands, and numbers stay exact."""

import ast
from fractions import Fraction

import pytest

from symrnn.errors import CellError
from symrnn.language.reader import Reader, fold, read_expression
from symrnn.language.text import Text


class Spelling(Reader[str]):
    """A language of names, signs and sums, whose values are texts."""

    language = "a spelling"
    allowed = "write a + b"

    def name(self, node: ast.Name) -> str:
        return node.id

    def negate(self, value: str) -> str:
        return f"minus {value}"

    def transpose(self, value: str | Fraction) -> str:
        return f"{value} turned"

    def binary(self, node: ast.BinOp) -> str:
        if not isinstance(node.op, ast.Add):
            raise self.unknown(node)
        return f"{self.read(node.left)} and {self.read(node.right)}"

    def call(self, node: ast.Call) -> str:
        raise self.refused(node, "no calls here", "leave it out")

    def part(self, node: ast.Subscript) -> str:
        raise self.unknown(node)


def spell(text: str) -> str | Fraction:
    source = Text(text, "<spelling>")
    return Spelling(source).read(read_expression(source, "this is no spelling", "write one"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", "a"),
        ("-a + b.T", "minus a and b turned"),
        ("-0.1", Fraction(-1, 10)),
        ("1e6", 10**6),
        ("(2).T", "2 turned"),
    ],
)
def test_what_is_read(text: str, value: str | Fraction) -> None:
    assert spell(text) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a * b", "binop is not part of a spelling"),
        ("a + (b - c)", "1:6: binop is not part of a spelling"),
        ("f(a)", "no calls here"),
        ("a[0]", "subscript is not part of a spelling"),
        ("+a", "unaryop is not part of a spelling"),
        ("True", "constant is not part of a spelling"),
        ("'a'", "constant is not part of a spelling"),
        ("1e7", "constant is not part of a spelling"),
        ("a.shape", "attribute is not part of a spelling"),
        ("a; b", "this is no spelling"),
        ("a = b", "this is no spelling"),
    ],
)
def test_what_is_refused_where_it_stands(text: str, said: str) -> None:
    with pytest.raises(CellError) as raised:
        spell(text)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1 / 3", Fraction(1, 3)),
        ("-(2 + 0.5) * 4", -10),
        ("1 - 3", -2),
        ("1 / 0", None),
        ("a + 1", None),
        ("2 ** 3", None),
    ],
)
def test_numbers_are_folded_exactly(text: str, number: Fraction | None) -> None:
    assert fold(ast.parse(text, mode="eval").body) == number
