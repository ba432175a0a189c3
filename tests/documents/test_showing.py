"""What a notebook shows of every public result."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

import symrnn
from symrnn import Cell, cells
from symrnn.documents.showing import LOOKS
from symrnn.showing import ResultTuple, Shown
from tests.results import RESULTS, result

SHOWN = ["the library", *RESULTS]


def shown(name: str) -> Any:
    return cells if name == "the library" else result(name)


class Strict(HTMLParser):
    """Refuses what a notebook must not run, and tags that are not closed."""

    allowed = frozenset("div p b ul li table tr th td code pre span br".split())

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.allowed
        assert all(name in ("style", "title") for name, _ in attrs)
        self.open += [tag] if tag != "br" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_legal_html(text: str) -> str:
    parser = Strict()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser.text


def formulas(markdown: str) -> Iterator[str]:
    for block in re.findall(r"\$\$(.*?)\$\$|(?<!\$)\$([^$]+)\$(?!\$)", markdown, re.DOTALL):
        yield "".join(block)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", SHOWN)
def test_a_result_is_one_line_in_a_list_and_more_in_a_notebook(name: str) -> None:
    value = shown(name)
    line = repr(value)
    assert "\n" not in line
    assert " object at 0x" not in line
    forms = {form: getattr(value, f"_repr_{form}_", lambda: None)() for form in ("html", "markdown", "latex")}
    if isinstance(value, Shown):
        assert len(line) <= 400
        assert forms["html"] or forms["markdown"] or forms["latex"]
    if forms["html"] is not None:
        assert_legal_html(forms["html"])
    for text in filter(None, (forms["markdown"], forms["latex"])):
        for formula in formulas(text):
            bare = re.sub(r"\\[{}]", "", formula)
            assert bare.count("{") == bare.count("}")
            assert bare.count(r"\left") == bare.count(r"\right")
            assert bare.count(r"\begin") == bare.count(r"\end")
        assert text.count("$") % 2 == 0


@pytest.mark.parametrize("name", symrnn.__all__)
def test_every_public_name_gives_results_that_are_shown(name: str) -> None:
    exempt = {"SymrnnError", "cell", "cells", "interop", "Cell", "count_paths", "exposing_inputs", "paths_add_up"}
    others = {"equal": "prove", "simplify": "jacobian"}  # the same class
    assert name in exempt or any(key.split(",")[0] == others.get(name, name) for key in RESULTS)


def test_every_class_that_shows_itself_has_a_look() -> None:
    def classes(kind: type) -> Iterator[type]:
        for inner in kind.__subclasses__():
            yield inner
            yield from classes(inner)

    for name in SHOWN:
        shown(name)
    assert {kind.__name__ for kind in classes(Shown)} - {"ResultTuple[+_Item]"} == set(LOOKS)


def test_what_an_author_wrote_is_escaped() -> None:
    text = 'def own(x, h, *, W):\n    """<script>alert(1)</script> | & $x$\n\n    Source: <b>me</b>.\n    """\n'
    cell = Cell.from_source(text + "    h = tanh(W @ x + h)\n    return h\n")
    markdown = cell._repr_markdown_()
    assert "<script" not in markdown
    assert "<b>" not in markdown
    report = symrnn.verify(cell)
    assert "<script" not in (report._repr_html_() or "")


def test_a_tuple_of_results_is_a_tuple() -> None:
    found = symrnn.paths("gru", "h", "h_prev")
    assert isinstance(found, tuple)
    assert found == tuple(found)
    assert type(found[:2]) is tuple
    assert len(cells.gru.equations) == 4
    assert ResultTuple() == ()
    assert hash(found) == hash(tuple(found))


def test_a_front_end_shows_formulas_as_markdown_and_tables_as_html() -> None:
    assert symrnn.derive("rnn")._repr_html_() is None
    assert cells.lstm._repr_html_() is None
    assert "<table" in (result("verify")._repr_html_() or "")
    assert "$" not in assert_legal_html(result("verify")._repr_html_())
