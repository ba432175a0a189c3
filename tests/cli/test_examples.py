"""The examples: what is committed is what their commands write, the paper compiles, and the notebook runs."""

from __future__ import annotations

import ast
import json
import linecache
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., tuple[int, str, str]]
EXAMPLES = Path(__file__).parents[2] / "examples"
PAPER = EXAMPLES / "paper"
COMMANDS = re.findall(r"^symrnn (.*)$", (PAPER / "build.sh").read_text(encoding="utf-8"), flags=re.MULTILINE)
OVERFULL = re.compile(r"Overfull \\[hv]box \(([\d.]+)pt")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.rpartition("/")[2])
def test_the_parts_of_the_paper_are_what_the_tool_writes(
    command: str, run: Run, request: pytest.FixtureRequest
) -> None:
    Path("parts").mkdir()
    arguments = shlex.split(command)
    assert run(*arguments)[0] == 0
    written, committed = (folder / arguments[-1] for folder in (Path.cwd(), PAPER))
    if request.config.getoption("--update"):
        committed.parent.mkdir(exist_ok=True)
        shutil.copyfile(written, committed)
    assert committed.read_bytes() == written.read_bytes(), f"{arguments[-1]} has changed; run pytest with --update"


def test_the_paper_has_its_parts_and_no_others() -> None:
    read = re.findall(r"\\input\{parts/([\w-]+)\}", (PAPER / "paper.tex").read_text(encoding="utf-8"))
    written = {Path(shlex.split(command)[-1]).stem for command in COMMANDS}
    assert set(read) == written == {path.stem for path in (PAPER / "parts").iterdir()}


def compile_twice(folder: Path) -> str:
    """The log of the second run of pdflatex, in which references are known, in one line."""
    for _ in range(2):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
        subprocess.run(command, cwd=folder, capture_output=True, timeout=240, check=False)
    return (folder / "paper.log").read_text(encoding="utf-8", errors="replace").replace("\n", "")


def complaints(log: str) -> list[str]:
    """What is wrong in a log: errors, references, labels, and boxes that stick out."""
    wide = [f"{width} pt" for width in OVERFULL.findall(log) if float(width) > 1.0]
    found = re.findall(r"Fatal error|multiply defined|undefined references|Reference `[^']*' |Citation `[^']*' ", log)
    return [*wide, *found]


needs_latex = pytest.mark.skipif(
    shutil.which("pdflatex") is None
    or not subprocess.run(["kpsewhich", "IEEEtran.cls"], capture_output=True, check=False).stdout,
    reason="pdflatex or IEEEtran is not installed",
)


@pytest.mark.peer
@needs_latex
def test_the_paper_compiles(tmp_path: Path) -> None:
    shutil.copytree(PAPER, tmp_path / "paper")
    assert complaints(compile_twice(tmp_path / "paper")) == []


@pytest.mark.peer
@needs_latex
@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        (r"\eqref{lstm:c_bar}", r"\eqref{lstm:nothing}", "lstm:nothing"),
        (r"\section{The Cell}", r"\noindent\rule{9in}{1pt}", "pt"),
        (r"\maketitle", r"\maketitle \undefined", "Fatal"),
    ],
)
def test_a_paper_that_is_wrong_is_seen(old: str, new: str, wrong: str, tmp_path: Path) -> None:
    shutil.copytree(PAPER, tmp_path / "paper")
    path = tmp_path / "paper" / "paper.tex"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    assert any(wrong in complaint for complaint in complaints(compile_twice(tmp_path / "paper")))


def run_cell(name: str, source: str, names: dict[str, Any]) -> Any:
    """Run a cell of a notebook, and give the value of its last line."""
    # As notebooks do it, so that functions of a cell have a text.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    *head, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        exec(compile(source, name, "exec"), names)
        return None
    exec(compile(ast.Module(head, []), name, "exec"), names)
    return eval(compile(ast.Expression(last.value), name, "eval"), names)


@pytest.mark.peer
def test_the_notebook_runs() -> None:
    cells = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {"__name__": "__main__"}
    sources = [("".join(cell["source"]), f"<cell {n}>") for n, cell in enumerate(cells) if cell["cell_type"] == "code"]
    values = [run_cell(name, source, names) for source, name in sources]
    *_, wrong, right = [value for value in values if value is not None]
    assert "missing-derivative" in str(wrong)
    assert "da_z = dh * (n - h)" in str(wrong)
    assert "8 gradients compared: all right." in str(right)
    assert names["report"] is wrong


def test_the_notebook_has_no_output() -> None:
    """What is shown is made by whoever runs it: an output that is committed would be one that nobody compares."""
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))
    assert all(cell["outputs"] == [] for cell in notebook["cells"] if cell["cell_type"] == "code")
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
