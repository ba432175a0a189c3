"""Every paper that a source names has one entry, and every entry can be read."""

from __future__ import annotations

import re

import pytest

from symrnn import cells, derive
from symrnn.algebra.simplify import REWRITINGS
from symrnn.calculus.rules import RULES
from symrnn.cells.papers import PAPERS, Paper, bibliography, papers_in
from symrnn.documents import write

SOURCES = {name: cells[name].section("Source") for name in cells.names()}
ELSEWHERE = [row.source for row in (*RULES.values(), *REWRITINGS.values())]
CITATION = re.compile(
    r"([A-Z][\w-]+)(?: et al\.|(?:, (?:v[ao]n (?:der )?)?[A-Z][\w-]+)*(?: & (?:von )?[A-Z][\w-]+)?) \((\d{4})\)"
)


def read_bibtex(text: str) -> dict[str, dict[str, str]]:
    """Entries by key; a reader of its own, which wants balanced braces."""
    found = {}
    for key, body in re.findall(r"^@\w+\{([a-z0-9]+),\n(.*?)^\}$", text, re.MULTILINE | re.DOTALL):
        assert key not in found
        found[key] = dict(re.findall(r"^  (\w+) = \{(.*)\},$", body, re.MULTILINE))
        assert len(found[key]) == body.count("\n")
    assert len(found) == text.count("@")
    assert text.count("{") == text.count("}")
    return found


def uncited(sources: list[str]) -> list[tuple[str, str]]:
    """What sources name and no entry has."""
    missing = []
    for text in sources:
        named = papers_in(text)
        names = " ".join(paper.authors for paper in named)
        missing += [(who, year) for who, year in CITATION.findall(text) if not any(str(p.year) == year for p in named)]
        missing += [(who, year) for who, year in CITATION.findall(text) if who not in re.sub(r"[{}\\\"']", "", names)]
        missing += [("arXiv", number) for number in re.findall(r"arXiv:([\d.]+\d)", text) if number not in str(named)]
    return missing


def test_every_paper_that_a_source_names_has_an_entry() -> None:
    assert uncited([*SOURCES.values(), *ELSEWHERE]) == []


def test_a_paper_without_an_entry_is_noticed() -> None:
    assert ("Nobody", "1999") in uncited(["Nobody & Noone (1999), a paper"])
    assert ("arXiv", "9999.00001") in uncited(["a preprint, arXiv:9999.00001, section 2"])


def test_every_entry_is_named_by_a_source() -> None:
    named = {paper.key for text in (*SOURCES.values(), *ELSEWHERE) for paper in papers_in(text)}
    assert named == {paper.key for paper in PAPERS}


def test_entries_can_be_read() -> None:
    entries = read_bibtex("\n".join(paper.bibtex() for paper in PAPERS))
    assert len(entries) == len(PAPERS)
    for fields in entries.values():
        assert {"author", "title", "year"} <= set(fields)
        assert all(", " in name for name in fields["author"].split(" and "))
        assert re.fullmatch(r"\d{4}", fields["year"])
        assert re.fullmatch(r"\d{4}\.\d{4,5}", fields.get("eprint", "1234.5678"))


def test_an_entry_with_a_brace_too_many_is_noticed() -> None:
    with pytest.raises(AssertionError):
        read_bibtex(Paper("a1999", "misc", "A, B", "A {title", 1999, {}).bibtex())


def test_a_cell_has_the_papers_that_it_names() -> None:
    assert list(read_bibtex(bibliography([SOURCES["lstm"]]))) == ["hochreiter1997", "gers2000"]
    assert list(read_bibtex(bibliography([SOURCES["lstm_peephole"]]))) == ["gers2002", "graves2013"]
    assert list(read_bibtex(bibliography([SOURCES["gru"]]))) == ["chung2014"]
    assert bibliography([SOURCES["lstm_two_biases"]]) == ""


def test_a_document_cites_what_it_names() -> None:
    fragment = write(derive(cells.lstm), "fragment", cite=True)
    assert r"Neural Computation 12(10).~\cite{hochreiter1997,gers2000}" in fragment
    assert r"\begin{thebibliography}" not in fragment
    whole = write(derive(cells.lstm), "tex", cite=True)
    cited = {key for keys in re.findall(r"\\cite\{(.*?)\}", whole) for key in keys.split(",")}
    assert set(re.findall(r"\\bibitem\{(.*?)\}", whole)) == cited
    assert r"\cite" not in write(derive(cells.lstm), "tex")
