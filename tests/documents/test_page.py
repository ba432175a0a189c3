"""A page is whole: its links lead somewhere, nothing is fetched, and no LaTeX is left in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from symrnn import Cell, cells, derive
from symrnn.documents import jacobian_document, write
from symrnn.documents.mathml import Glossary, Meaning, look_of, mathml
from symrnn.errors import MissingRuleError
from tests.documents.conftest import derivation_of

VOID = {"meta", "br"}


class Reading(HTMLParser):
    """What a page has: text, identifiers, links, attributes; elements that are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.titles: dict[str, list[str]] = {}
        self.sources: list[str] = []
        self.alternatives: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
            self.titles.setdefault(str(given["href"]), []).append(given.get("title") or "")
        self.sources += [str(value) for name, value in attrs if name in ("src", "srcset", "action", "data")]
        if tag == "math" and "mtext" not in self.open:
            self.alternatives.append(given.get("alttext"))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text += data


def read(page: str) -> Reading:
    reading = Reading()
    reading.feed(page)
    reading.close()
    assert reading.open == []
    return reading


def assert_is_whole(page: str) -> Reading:
    reading = read(page)
    assert len(reading.ids) == len(set(reading.ids))
    assert {link.removeprefix("#") for link in reading.links} <= set(reading.ids)
    assert all(link.startswith("#") for link in reading.links)
    assert reading.sources == []
    assert not re.search(r"@import|url\(", page)
    assert all(alternative is not None for alternative in reading.alternatives)
    return reading


@pytest.mark.parametrize("name", ["lstm", "slstm", "matrix_state", "long_names", "concatenated", "clashing"])
def test_pages_are_whole(name: str) -> None:
    reading = assert_is_whole(write(derivation_of(name), "html"))
    assert not re.search(r"\\[A-Za-z]|\$|\{", reading.text)
    assert len(reading.alternatives) > 30


@pytest.mark.parametrize("notation", ["angle", "bold", "partial"])
@pytest.mark.parametrize("options", [{"level": "brief"}, {"level": "lecture", "gates": "stacked"}])
def test_pages_of_every_level_are_whole(notation: str, options: dict[str, str]) -> None:
    assert_is_whole(write(derive(cells.gru), "html", notation, **options))


def test_a_jacobian_is_a_page() -> None:
    assert_is_whole(write(jacobian_document(derive(cells.lstm), "h", "c_prev", "total", steps=2), "html"))


def test_an_author_s_words_are_escaped() -> None:
    page = write(derivation_of("odd_words"), "html")
    assert "<d>" not in page
    assert "&lt;d&gt;" in page
    assert "100% of $5 & #1 a_b {c}" in read(page).text


def test_a_symbol_leads_to_its_definition_at_any_time() -> None:
    titles = assert_is_whole(write(derive(cells.lstm), "html")).titles
    assert "f_t: intermediate, ℝ^d_h" in titles["#eq-f"]
    assert "h_t: state, ℝ^d_h" in titles["#eq-h"]
    assert any("U_f: parameter" in title for titles in titles.values() for title in titles)
    # h_{t-1} and W_fᵀ are symbols of the table as well, δc_t one of the backward pass.
    page = write(derive(cells.lstm), "html")
    before = r'title="h_t: state, ℝ\^d_h"><math><msub><mi>h</mi><mrow><mi>t</mi><mo>−</mo><mn>1</mn>'
    assert re.search(before, page)
    assert re.search(r'title="W_f: parameter[^"]*"><math><msubsup><mi>W</mi><mi>f</mi><mo>⊤</mo>', page)
    assert "δc_t: Backward through one step (8)" in titles["#eq-c_bar"]


def test_a_mention_says_its_equation() -> None:
    assert "(6) h_t = o_t ⊙ tanh(c_t)" in read(write(derive(cells.lstm), "html")).titles["#eq-h"]


GLOSSARY = Glossary({look_of("h_t"): Meaning("h", "a state"), look_of(r"\delta h_t"): Meaning("dh", "its adjoint")})


@pytest.mark.parametrize(
    ("latex", "targets"),
    [
        ("h_t + h_{t-1}", ["h", "h"]),
        (r"\delta h_{t+1}", ["dh"]),
        (r"\frac{h_t}{\delta x_t}", ["h"]),
        ("h_t^2", ["h"]),
        ("{h_t}", ["h"]),
        (r"\left(h_0\right)^{\top}", ["h"]),
        ("h", []),
        ("x_t", []),
        ("h_k", []),
    ],
)
def test_symbols_are_found_in_formulas(latex: str, targets: list[str]) -> None:
    assert re.findall(r'href="#(\w+)"', mathml(latex, "", GLOSSARY)) == targets


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\operatorname{diag}(v)", '<mi>diag</mi><mo stretchy="false">(</mo>'),
        (r"\mathrm{d} y", '<mi mathvariant="normal">d</mi>'),
        (r"\mathbf{1}", "<mn>𝟏</mn>"),
        (r"\boldsymbol{W}_{\mathrm{ir}}", "<msub><mi>𝑾</mi><mi>ir</mi></msub>"),
        (r"h^{\langle t \rangle}", '<mo stretchy="false">⟨</mo>'),
        (r"\exp(-x)", '<mo form="prefix">−</mo>'),
        ("{} + x", '<mo form="infix">+</mo>'),
        (r"\log x", '<mspace width="0.17em"></mspace>'),
        (r"a < b", "<mo>&lt;</mo>"),
    ],
)
def test_what_browsers_would_show_badly_is_mended(latex: str, shown: str) -> None:
    assert shown in mathml(latex, "")


def test_limits_of_a_sum_stand_over_and_under_it() -> None:
    assert "<munderover><mo>∑</mo>" in mathml(r"\sum_{t=1}^{T} x", "", display=True)
    assert "<munderover>" not in mathml(r"\sum_{t=1}^{T} x", "")


def test_an_unknown_command_is_an_error() -> None:
    with pytest.raises(MissingRuleError, match=r"no MathML for \\nosuch"):
        mathml(r"a + \nosuch b", "")


def test_a_broken_page_is_noticed() -> None:
    page = write(derive(cells.rnn), "html")
    with pytest.raises(AssertionError):
        assert_is_whole(page.replace('id="eq-h"', 'id="elsewhere"'))
    with pytest.raises(AssertionError):
        assert_is_whole(page.replace("<style>", '<img src="https://example.org/x.png"></img><style>'))


def test_a_title_of_the_author_s_ends_nothing() -> None:
    text = 'def f(x, h, *, W):\n    """</title><script>alert(1)</script>."""\n    h = tanh(W @ x + h)\n    return h\n'
    assert "<script>alert" not in write(derive(Cell.from_source(text)), "html")
