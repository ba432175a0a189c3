"""What the tool generates for its own library is committed in `derivations/`, and regenerated and compared here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from symrnn import Cell, cells, derive, diff, draw
from symrnn.documents import diff_document, flow_document, write
from symrnn.documents.structure import Document, Paragraph, Section
from symrnn.targets.generation import generate_source

FOLDER = Path(__file__).parents[1] / "derivations"

SHOWN = ("rnn", "lstm", "lstm_peephole", "gru", "gru_reset_after", "mgu", "slstm", "mlstm")
"""The cells that readers ask for first, one of each kind; four files for all would be 2 MB that nobody reads."""

FORMS: Mapping[str, Callable[[Cell], str]] = {
    "{}.md": lambda cell: write(derive(cell), "markdown", "subscript"),
    "{}.tex": lambda cell: write(derive(cell), "tex", "subscript"),
    "{}_numpy.py": generate_source,
    "{}.svg": lambda cell: draw(cell).svg,
}


COMPARED = (("rnn", "gru"), ("rnn", "lstm"), ("gru", "lstm"), ("gru", "gru_reset_after"), ("gru", "mgu"))
"""Pairs of which the first is the plainer one, and then a cell and what was made of it."""
OPENING = (
    "Simple, gated and long short-term memory networks are compared pair by pair. Equations stand beside one another "
    "whose variables play the same part; nothing stands before what is the same up to names and the order of terms, ~ "
    "before what differs, - and + before what one cell has alone. Then follows how gradients flow back through each."
)


def comparison() -> str:
    """The cells of `COMPARED` side by side, and then how gradients flow through each of them."""
    sections: list[Section] = []
    for one, other in COMPARED:
        document = diff_document(diff(one, other))
        blocks = tuple(block for section in document.sections for block in section.blocks)
        sections.append(Section(document.name, document.title, (*document.opening, *blocks)))
    names = tuple(dict.fromkeys(name for pair in COMPARED for name in pair))
    flows = flow_document([derive(name) for name in names])
    sections.append(replace(flows.sections[0], heading="How gradients flow"))
    opening = (Paragraph((OPENING,)),)
    return write(
        Document("comparison", "RNN, GRU and LSTM compared", flows.origin, opening, tuple(sections)), "markdown"
    )


PAGES: Mapping[str, Callable[[], str]] = {"comparison.md": comparison}
"""Pages about several cells."""


def assert_committed(name: str, generated: str, update: bool) -> None:
    path = FOLDER / name
    if update:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(generated, encoding="utf-8")
    assert path.is_file(), f"{name} is missing; run pytest with --update"
    assert path.read_text(encoding="utf-8") == generated, f"{name} has changed; run pytest with --update, and look"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SHOWN)
def test_committed_output_is_what_the_tool_generates(name: str, form: str, request: pytest.FixtureRequest) -> None:
    assert_committed(form.format(name), FORMS[form](cells.lookup(name)), request.config.getoption("--update"))


@pytest.mark.parametrize("name", PAGES)
def test_pages_about_several_cells(name: str, request: pytest.FixtureRequest) -> None:
    assert_committed(name, PAGES[name](), request.config.getoption("--update"))
    assert f"({name})" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_list_of_files(request: pytest.FixtureRequest) -> None:
    head, _, _ = (FOLDER / "README.md").read_text(encoding="utf-8").partition("| cell |")
    links = [f"[{form.format(name)}]({form.format(name)})" for name in SHOWN for form in FORMS]
    count = len(FORMS)
    rows = [f"| `{name}` | {' | '.join(links[count * i : count * i + count])} |" for i, name in enumerate(SHOWN)]
    table = "\n".join(["| cell | derivation | LaTeX | NumPy | picture |", "|---|---|---|---|---|", *rows, ""])
    assert_committed("README.md", head + table, request.config.getoption("--update"))


def test_nothing_else_is_there() -> None:
    expected = {form.format(name) for name in SHOWN for form in FORMS} | {"README.md", *PAGES}
    assert {path.name for path in FOLDER.iterdir()} == expected
