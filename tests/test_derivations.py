"""What the tool generates for its own library is committed in `derivations/`, and regenerated and compared here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from symrnn import Cell, cells, derive
from symrnn.documents import write
from symrnn.generation import generate_source

FOLDER = Path(__file__).parents[1] / "derivations"

FORMS: Mapping[str, Callable[[Cell], str]] = {
    "{}.md": lambda cell: write(derive(cell), "markdown", "subscript"),
    "{}.tex": lambda cell: write(derive(cell), "tex", "subscript"),
    "{}_numpy.py": generate_source,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", cells.names())
def test_committed_output_is_what_the_tool_generates(name: str, form: str, request: pytest.FixtureRequest) -> None:
    path = FOLDER / form.format(name)
    generated = FORMS[form](cells.lookup(name))
    if request.config.getoption("--update"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(generated, encoding="utf-8")
    assert path.is_file(), f"{path.name} is missing; run pytest with --update"
    assert path.read_text(encoding="utf-8") == generated, f"{path.name} has changed; run pytest with --update, and look"


def test_nothing_else_is_there() -> None:
    expected = {form.format(name) for name in cells.names() for form in FORMS} | {"README.md"}
    assert {path.name for path in FOLDER.iterdir()} == expected
