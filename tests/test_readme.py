"""What the README shows is what happens."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from symrnn import Cell, cells, equivalent, verify
from symrnn.algebra.functions import FUNCTIONS
from symrnn.cli.app import main
from symrnn.language.operations import STRUCTURAL

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
CELLS = [block for block in BLOCKS if block.startswith("def ")]


def run_command(arguments: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["symrnn", *arguments])
        main()


def test_there_are_cells_in_it() -> None:
    assert len(CELLS) == 3


@pytest.mark.parametrize("text", CELLS, ids=lambda text: text.split("(")[0])
def test_its_cells_go_all_the_way(text: str) -> None:
    verify(Cell.from_source(text)).raise_if_failed()


def test_its_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = [block for block in BLOCKS if block.startswith("from symrnn")]
    rng = np.random.default_rng(0)
    names = {"x": rng.normal(size=(5, 3, 4)), "h_bar": rng.normal(size=(5, 3, 6))}
    exec(compile(example, "README.md", "exec"), names)
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "diag(f_t)"
    assert [line.split(":")[0] for line in out[1:5]] == ["direct", "through z_t", "through n_t", "through r_t, n_t"]
    assert names["h"].shape == (5, 3, 6)
    assert names["x_bar"].shape == (5, 3, 4)


def test_it_lists_every_function() -> None:
    for name in (*FUNCTIONS, *STRUCTURAL):
        assert re.search(rf"\b{name}\b", README), name


def test_its_error_message_is_the_real_one() -> None:
    shown = re.search(
        r"symrnn: (mgu.py:6:9: unknown function 'sigmod')\n(.*?)\n(.*?)\n  (did you mean 'sigmoid'\?)", README
    )
    assert shown is not None
    text = CELLS[0].replace("    f = sigmoid(", "    f = sigmod(")
    with pytest.raises(Exception, match="unknown function") as caught:
        Cell.from_source(text, file="mgu.py")
    first, line, caret, *_ = str(caught.value).splitlines()
    assert first == shown[1]
    assert (line, caret) == (shown[2], shown[3])
    assert shown[4] in str(caught.value)


def test_its_comparison_of_two_cells_is_the_real_one() -> None:
    shown = re.search(
        r"print\(symrnn.equivalent\(cells.(\w+), cells.(\w+)\)\)\n```\n\n```\n(.*?)\n```", README, re.DOTALL
    )
    assert shown is not None
    assert str(equivalent(cells[shown[1]], cells[shown[2]])) == shown[3]


def test_its_identification_is_the_real_one(capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.search(r"```python\n(import numpy as np\nimport symrnn\n.*?)```\n\n```\n(.*?)\n```", README, re.DOTALL)
    assert shown is not None
    exec(compile(shown[1], "README.md", "exec"), {})
    first, *lines = capsys.readouterr().out.splitlines()
    expected, *others = shown[2].splitlines()
    assert first.split("e-")[0][:-1] == expected.split("e-")[0][:-1]  # the last digits are the machine's
    assert lines == others


@pytest.mark.parametrize(("page", "name"), [("README.md", "charmodel.py"), ("docs/checking.md", "mine.py")])
def test_its_check_of_a_file_is_the_real_one(
    page: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, arguments, shown = re.search(  # type: ignore[union-attr]
        rf"file\s`{name}`.*?```python\n(.*?)```.*?`symrnn (check {name}[^`]*)`.*?exit\scode\s1\):\n\n```\n(.*?)\n```",
        (ROOT / page).read_text(encoding="utf-8"),
        re.DOTALL,
    ).groups()
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(file, encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        run_command(arguments.split())
    assert left.value.code == 1
    told = capsys.readouterr().out.strip()
    number = re.compile(r"\d\.?\d*e-\d+|calls: .*")  # these are the machine's

    def words(text: str) -> str:
        return " ".join(number.sub("", text).split())

    assert words(told) == words(shown)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(f"docs/{one.name}" for one in PAGES)])
def test_every_page_that_is_linked_to_is_there(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not ((ROOT / page).parent / link).exists()]
    assert missing == []


def test_pages_are_linked_to() -> None:
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "CONTRIBUTING.md")]
    assert [one.name for one in PAGES if not any(f"docs/{one.name}" in text for text in texts)] == []


def test_its_derivatives_are_the_real_ones(capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.search(
        r"```python\n(import symrnn\nfrom symrnn import cells.*?)```\n\n```\n(.*?)\n```", README, re.DOTALL
    )
    assert shown is not None
    exec(compile(shown[1], "README.md", "exec"), {})
    assert capsys.readouterr().out.strip() == shown[2]
