"""The command line as a user meets it: output, exit codes, messages, files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from symrnn import cells

Run = Callable[..., tuple[int, str, str]]

MGU = '''\
def mgu(x, h, *, W_f, U_f, b_f, W_h, U_h, b_h):
    """Minimal gated unit.

    Source: Zhou, Wu, Zhang & Zhou (2016), arXiv:1603.09420.
    """
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    n = tanh(W_h @ x + U_h @ (f * h) + b_h)
    h = (1 - f) * h + f * n
    return h
'''


def test_cells_lists_the_library(run: Run) -> None:
    code, out, _ = run("cells")
    assert code == 0
    for name in cells.names():
        assert name in out


def test_version_and_help(run: Run) -> None:
    assert run("--version")[:2] == (0, "symrnn 0.1.0\n")
    code, out, _ = run("--help")
    assert code == 0
    for command in ("cells", "derive", "generate", "verify"):
        assert command in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "δa_{f,t} = δf_t ⊙ f_t ⊙ (1 - f_t)"),
        (["--to", "tex"], r"\documentclass"),
        (["--fragment"], r"f_t \odot c_{t-1} + i_t \odot g_t"),
        (["--to", "markdown"], "$$"),
        (["--notation", "superscript"], "^(t-1)"),
    ],
)
def test_derive_writes_every_form(run: Run, arguments: list[str], expected: str) -> None:
    code, out, err = run("derive", "lstm", *arguments)
    assert (code, err) == (0, "")
    assert expected in out


@pytest.mark.parametrize(("file", "expected"), [("a.tex", r"\documentclass"), ("a.md", "$$"), ("a.txt", "δ")])
def test_derive_takes_the_form_from_the_file(run: Run, file: str, expected: str) -> None:
    assert run("derive", "gru", "-o", file) == (0, "", f"wrote {file}\n")
    assert expected in Path(file).read_text(encoding="utf-8")


def test_generate_writes_the_module(run: Run) -> None:
    code, out, _ = run("generate", "gru")
    assert run("generate", "gru", "-o", "g.py") == (0, "", "wrote g.py\n")
    assert code == 0
    assert Path("g.py").read_text(encoding="utf-8") == out


def test_a_cell_of_ones_own_goes_all_the_way(run: Run) -> None:
    Path("mgu.py").write_text(MGU)
    assert run("derive", "mgu.py", "-o", "mgu.tex")[0] == 0
    assert run("generate", "mgu.py:mgu", "-o", "mgu_numpy.py")[0] == 0
    code, out, err = run("verify", "mgu.py")
    assert (code, err) == (0, "")
    assert "mgu" in out


def test_verify_fails_with_code_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from symrnn.algebra import nodes
    from symrnn.calculus.rules import RULES
    from symrnn.verification import many

    row = RULES["Act"]
    wrong = replace(row, adjoint=lambda n, v, g: [(x, nodes.negate(r)) for x, r in row.adjoint(n, v, g)])
    honest = many.verify
    monkeypatch.setattr(many, "verify", lambda cell: honest(cell, rules={**RULES, "Act": wrong}))
    code, out, _ = run("verify", "rnn", "gru")
    assert code == 1
    assert "equation" in out


WRONG_USE = {
    "unknown cell": (["derive", "lstn"], "did you mean 'lstm'?"),
    "missing file": (["derive", "nothing.py"], "nothing.py:1:1: there is no such file"),
    "missing cell in a file": (["derive", "mgu.py:lstm"], "no cell named 'lstm' here"),
    "directory": (["verify", "."], "this is a directory"),
    "unknown form": (["derive", "lstm", "--to", "docx"], "there are text, tex, markdown"),
    "unknown notation": (["derive", "lstm", "--notation", "mine"], "no notation 'mine'"),
    "unknown target": (["generate", "lstm", "--target", "c"], "no target 'c'"),
    "fragment of text": (["derive", "lstm", "--to", "text", "--fragment"], "--fragment goes with tex"),
    "unknown ending": (["derive", "lstm", "-o", "a.odt"], "no form belongs to .odt"),
    "nothing to verify": (["verify"], "no cell was named"),
    "no such family": (
        ["cells", "--family", "gruu"],
        "no family 'gruu' in the library\n  did you mean 'gru'? there are plain, ",
    ),
    "a family of one cell": (["cells", "gru", "--family", "gru"], "--family goes with the list"),
    "no jobs": (["verify", "rnn", "--jobs", "0"], "--jobs"),
    "no such option": (["derive", "lstm", "--frobnicate"], "--frobnicate"),
    "no such command": (["differentiate"], "differentiate"),
    "no argument": (["derive"], "CELL"),
    "unwritable": (["derive", "lstm", "-o", "no/such/place.tex"], "cannot be written"),
    "output is a directory": (["generate", "lstm", "-o", "."], "this is a directory"),
    "output hides NumPy": (["generate", "lstm", "-o", "numpy.py"], "'import numpy' beside this file"),
    "output hides what NumPy imports": (["generate", "lstm", "-o", "./random.py"], "as in my_random.py"),
    "output is no module's name": (["generate", "lstm", "-o", "1-a.py"], "a module of this name cannot be imported"),
    "output is no package's module": (["generate", "lstm", "-o", "lstm.v2.py"], "as in lstm_numpy.py"),
    "output is a keyword": (["generate", "lstm", "-o", "class.py"], "cannot be imported"),
    "derive into nothing": (["derive", "lstm", "-o", ""], "the name of the file to write is empty"),
    "jacobian into nothing": (["jacobian", "lstm", "h", "h_prev", "-o", ""], "the name of the file to write is empty"),
    "generate into nothing": (["generate", "lstm", "-o", ""], "the name of the file to write is empty"),
    "report into nothing": (["check", "mgu.py", "-o", ""], "the name of the file to write is empty"),
    "empty name": (["derive", ""], "no cell '' in the library"),
}


@pytest.mark.parametrize("case", WRONG_USE)
def test_wrong_use_is_said_in_one_message(run: Run, case: str) -> None:
    arguments, message = WRONG_USE[case]
    Path("mgu.py").write_text(MGU)
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert sorted(os.listdir()) == ["mgu.py"]


def test_a_failing_write_leaves_the_old_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("old.tex").write_text("old")

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    code, _, err = run("derive", "lstm", "-o", "old.tex")
    assert code == 2
    assert "No space left on device" in err
    assert os.listdir() == ["old.tex"]
    assert Path("old.tex").read_text() == "old"


HOSTILE = {
    "executes": "import os\nos.system('touch canary')\ndef c(x, h, *, W):\n    h = tanh(W @ x + h)\n    return h\n",
    "calls import": "def c(x, h, *, W):\n    h = __import__('os').system('touch canary')\n    return h\n",
    "decorator": "@__import__('os').system('touch canary')\ndef c(x, h, *, W):\n    h = W @ x + h\n    return h\n",
    "annotation": "def c(x, h, *, W: \"__import__('os').system('touch canary')\"):\n    h = W @ x + h\n    return h\n",
    "default": "def c(x, h=open('canary', 'w'), *, W):\n    h = W @ x + h\n    return h\n",
    "syntax error": "def c(x, h, *, W)\n    return h\n",
    "nothing": "",
    "deep": "def c(x, h, *, W):\n    h = " + "(" * 3000 + "x" + ")" * 3000 + "\n    return h\n",
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("command", ["derive", "generate", "verify"])
def test_hostile_files_are_refused_and_not_executed(run: Run, case: str, command: str) -> None:
    Path("c.py").write_text(HOSTILE[case])
    code, out, err = run(command, "c.py", *([] if command == "verify" else ["-o", "out"]))
    assert (code, out) == (2, "")
    assert err.startswith("symrnn: c.py:")
    assert "Traceback" not in err
    assert os.listdir() == ["c.py"]


def test_ten_megabytes_are_refused(run: Run) -> None:
    Path("big.py").write_bytes(b"# padding\n" * 1_048_576)
    code, _, err = run("derive", "big.py")
    assert code == 2
    assert "big.py:1:1: the file is too long" in err


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m symrnn derive lstm | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_terminal_without_unicode_still_gets_an_answer() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "symrnn", "derive", "rnn"], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"h_t = tanh(" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['symrnn', '--help']\n"
    code += "try:\n    from symrnn.cli.app import main; main()\nexcept SystemExit: pass\n"
    code += "heavy = {'sympy', 'numpy', 'rich', 'latexify'} & set(sys.modules); assert not heavy, heavy"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


FULL = """\
symrnn: the output cannot be written: No space left on device
  write to a file with -o FILE
"""


def test_a_full_disk_is_said() -> None:
    command = f"{sys.executable} -m symrnn derive lstm > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, FULL)


def test_generate_with_further_functions(run: Run) -> None:
    code, out, _ = run("generate", "gru", "--with", "jvp, hvp")
    assert code == 0
    assert "\ndef jvp(" in out
    assert "\ndef hvp(" in out
    assert "\ndef rtrl(" not in out
    assert "truncate" not in out
    assert run("generate", "gru", "--with", "")[1] == run("generate", "gru")[1]
    code, _, err = run("generate", "gru", "--with", "vjp")
    assert code == 2
    assert "cannot generate 'vjp'" in err


LEAKY = "def leaky(x, m, h, *, W, alpha=0.1):\n    h = (1 - alpha) * h + alpha * tanh(W @ x)\n    return h\n"


def test_a_constant_is_set_and_an_unread_input_is_remarked(run: Run) -> None:
    Path("leaky.py").write_text(LEAKY)
    code, out, err = run("generate", "leaky.py", "--set", "alpha=0.25")
    assert code == 0
    assert '"alpha": 0.25,' in out
    assert err.count("no equation reads the input 'm': its gradient is zero") == 1
    assert run("generate", "leaky.py", "--set", "beta=1")[0] == 2
    assert run("generate", "leaky.py", "--set", "alpha")[0] == 2
    assert run("generate", "leaky.py", "--set", "alpha=many")[0] == 2


def test_a_cell_s_own_file_is_not_overwritten(tmp_path):
    file = tmp_path / "own.py"
    text = "def own(x, h, *, W):\n    h = tanh(W @ x + h)\n    return h\n"
    file.write_text(text)
    for cell in (str(file), f"{file}:own"):
        for output in (str(file), f"{tmp_path}/./own.py"):
            result = subprocess.run(
                [sys.executable, "-m", "symrnn", "generate", cell, "-o", output], capture_output=True, text=True
            )
            assert result.returncode == 2
            assert "the cell stands in this file" in result.stderr
    assert file.read_text() == text
