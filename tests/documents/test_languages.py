"""Every word of a document is in the tables, and what is translated says the same of the same formulas."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from symrnn import Cell, choices, derive
from symrnn.calculus.derivation import Derivation
from symrnn.documents import Document, derivation_document, jacobian_document, languages, write
from symrnn.documents.languages import TABLES, translate
from symrnn.documents.structure import Bullets, Maths, Paragraph, Reference, Table
from tests.documents.conftest import derivation_of

OTHER = tuple(TABLES)


def untold(document: Document, language: str) -> list[str]:
    missing: list[str] = []
    translate(document, language, missing.append)
    return missing


def assert_is_told(document: Document, language: str) -> None:
    missing = untold(document, language)
    assert missing == [], f"give these a row in symrnn/documents/languages, for {language}"


def inline_formulas(document: Document) -> Iterator[Maths | Reference]:
    for blocks in (document.opening, *(section.blocks for section in document.sections)):
        for block in blocks:
            match block:
                case Paragraph():
                    rows = [block.parts]
                case Bullets():
                    rows = list(block.items)
                case Table():
                    rows = [cell for row in block.rows for cell in row]
                case _:
                    rows = []
            yield from (part for row in rows for part in row if not isinstance(part, str))


def test_languages_are_those_that_can_be_chosen() -> None:
    assert set(choices.LANGUAGES) == {"en", *TABLES}


@pytest.mark.parametrize("language", OTHER)
def test_every_word_of_a_document_is_in_the_table(derivation: Derivation, language: str) -> None:
    assert_is_told(derivation_document(derivation), language)


@pytest.mark.parametrize("language", OTHER)
@pytest.mark.parametrize("name", ["lstm", "mlstm", "concatenated"])
@pytest.mark.parametrize(
    "options",
    [
        {"level": "brief"},
        {"level": "lecture", "sections": ("conventions", "backward")},
        {"gates": "stacked", "sections": ("forward", "backward", "gradients")},
        {"notation": "angle", "layout": "denominator", "sections": ("conventions", "jacobians", "rewritings")},
        {"notation": "partial", "sections": ("conventions", "time", "remarks")},
    ],
)
def test_every_word_of_every_level_is_in_the_table(name: str, options: dict[str, object], language: str) -> None:
    assert_is_told(derivation_document(derivation_of(name), **options), language)


@pytest.mark.parametrize("language", OTHER)
@pytest.mark.parametrize(
    ("of", "wrt", "kind", "steps"),
    [("h", "c_prev", "total", 3), ("c", "c_prev", "cell", 1), ("h", "h_prev", "direct", 1), ("h", "W_f", "total", 2)],
)
def test_every_word_of_a_jacobian_is_in_the_table(of: str, wrt: str, kind: str, steps: int, language: str) -> None:
    assert_is_told(jacobian_document(derivation_of("lstm"), of, wrt, kind, steps=steps), language)


@pytest.mark.parametrize("language", OTHER)
def test_translations_have_the_holes_of_their_keys(language: str) -> None:
    for key, value in TABLES[language].items():
        holes = languages._HOLE.findall(key)
        filled = value.format(*(f"<{index}>" for index in range(len(holes))))
        assert sorted(re.findall(r"<\d+>", filled)) == sorted(f"<{index}>" for index in range(len(holes))), key
        assert set(holes) <= set(languages.HOLES), key
        assert value, key


@pytest.mark.parametrize("language", OTHER)
def test_formulas_and_mentions_stay(language: str) -> None:
    document = derivation_document(derivation_of("lstm"))
    found = translate(document, language)
    targets = [Counter(p.targets for p in inline_formulas(d) if isinstance(p, Reference)) for d in (document, found)]
    formulas = [Counter(p for p in inline_formulas(d) if isinstance(p, Maths)) for d in (document, found)]
    assert formulas[0] == formulas[1]
    assert targets[0] == targets[1]
    assert [line.right.latex for s in document.sections for d in s.displays for line in d.lines][:40] == [
        line.right.latex for s in found.sections for d in s.displays for line in d.lines
    ][:40]


def test_a_missing_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    less = {key: value for key, value in TABLES["zh"].items() if key != "chain rule" and "{words}: {}" not in key}
    monkeypatch.setattr(languages, "TABLES", {"zh": less})
    missing = untold(derivation_document(derivation_of("lstm"), level="lecture"), "zh")
    assert "chain rule" in missing
    assert any(text.startswith("sum: {} (Giles") for text in missing)


def test_an_author_s_words_stay() -> None:
    text = '    """A cell; sum, direct.\n\n    Source: matrix product, from (3).\n    """\n'
    cell = Cell.from_source(f"def f(x, h, *, W):\n{text}    h = tanh(W @ x + h)\n    return h\n")
    shown = write(derive(cell), "text", language="zh")
    assert "A cell; sum, direct (f)" in shown
    assert "来源: matrix product, from (3)." in shown


def test_a_document_in_chinese_says_what_the_english_one_says() -> None:
    shown = write(derivation_of("lstm"), "text", language="zh")
    for words in (
        "1. 前向方程",
        "逐元素乘积，由 (6)",
        "矩阵乘积，由 (1)–(4)",
        "来自该步之外",
        "经由 o_t",
        "雅可比矩阵",
    ):
        assert words in shown
    # Names, sources and the variant are the author's, or of papers.
    page = write(derivation_of("lstm"), "html", language="zh")
    assert '<html lang="zh">' in page
    assert ">目录<" in page


def test_latex_in_chinese_has_its_letters_as_they_are() -> None:
    shown = write(derivation_of("lstm"), "tex", language="zh")
    assert r"\usepackage[UTF8, scheme=plain]{ctex}" in shown
    assert r"\section*{1. 前向方程}" in shown
    assert "\\otherpoint" not in shown
    assert write(derivation_of("lstm"), "tex").isascii()
