"""What the command line offers, completes and proposes, and how a whole process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from symrnn import cells, choices, documents, pictures, printers
from symrnn.calculus import jacobian
from symrnn.cli import completion
from symrnn.documents.parts import PARTS
from symrnn.gradients.file_report import FileReport
from symrnn.heads import HEADS
from symrnn.targets import generation

Run = Callable[..., tuple[int, str, str]]
HERE = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


def process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "symrnn", *arguments]
    return subprocess.run(command, text=True, check=False, stderr=subprocess.PIPE, env=HERE, **options)  # type: ignore[call-overload, no-any-return]


# --- choices ----------------------------------------------------------------------------------------------------------


def test_what_can_be_chosen_is_what_the_tables_have() -> None:
    assert tuple(printers.NOTATIONS) == choices.NOTATIONS
    assert set(choices.FORMS) == set(documents.FORMS) - {"fragment", "equations"}
    assert tuple(jacobian.KINDS) == choices.KINDS
    assert tuple(jacobian.LAYOUTS) == choices.LAYOUTS
    assert tuple(HEADS) == choices.HEADS
    assert tuple(PARTS) == choices.SECTIONS
    assert set(choices.FURTHER) < set(choices.SECTIONS)
    assert tuple(generation.TARGETS) == choices.TARGETS
    assert (*generation.FURTHER, generation.TRUNCATE) == choices.FUNCTIONS
    assert pictures.FORMS == choices.PICTURES
    assert pictures.DETAILS == choices.DETAILS
    assert all(callable(getattr(FileReport, method)) for method in choices.REPORTS.values())


@pytest.mark.parametrize(
    ("command", "listed"),
    [
        (
            "derive",
            (
                *choices.NOTATIONS,
                *choices.FORMS,
                *choices.LAYOUTS,
                *choices.SECTIONS,
                *choices.LEVELS,
                *choices.GATES,
                *choices.LANGUAGES,
            ),
        ),
        ("jacobian", (*choices.NOTATIONS, *choices.FORMS, *choices.LAYOUTS, *choices.KINDS)),
        ("draw", (*choices.NOTATIONS, *choices.PICTURES, *choices.DETAILS)),
        ("generate", (*choices.TARGETS, *choices.FUNCTIONS)),
        ("check", tuple(choices.REPORTS)),
    ],
)
def test_help_lists_every_choice(run: Run, command: str, listed: tuple[str, ...]) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert [name for name in listed if name not in out] == []


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("--with", "jvp,hvp"), ("--with", "jvp", "--with", "hvp")])
def test_an_option_that_is_repeated_adds_up(run: Run, arguments: tuple[str, ...]) -> None:
    out = run("generate", "rnn", *arguments)[1]
    assert "\ndef jvp(" in out
    assert "\ndef hvp(" in out


def test_held_variables_add_up(run: Run) -> None:
    assert run("jacobian", "gru", "h", "h_prev", "--holding", "z,n") == run(
        "jacobian", "gru", "h", "h_prev", "--holding", "z", "--holding", "n"
    )


def test_a_file_named_minus_is_the_terminal(run: Run) -> None:
    assert run("derive", "rnn", "-o", "-") == run("derive", "rnn")
    assert os.listdir() == []
    assert run("derive", "rnn", "-o", "./-")[2] == "wrote ./-\n"
    assert os.listdir() == ["-"]


@pytest.mark.parametrize("form", choices.PICTURES)
def test_a_picture_has_the_form_of_its_file(run: Run, form: str) -> None:
    code, out, err = run("draw", "rnn", "-o", f"rnn.{form}")
    assert (code, out, err) == (0, "", f"wrote rnn.{form}\n")
    assert run("draw", "rnn", "--to", form)[1] == Path(f"rnn.{form}").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lstm", "-o", "a.jpg"), "other programs make that of an .svg"),
        (("lstm", "-o", "."), "no ending says in which form to draw"),
        (("lstm", "--to", "png"), "there are svg, tex, tikz"),
        (("lstm", "--gradient", "f"), "its states are h, c"),
    ],
)
def test_what_cannot_be_drawn(run: Run, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run("draw", *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_a_remark_asks_whether_the_state_before_was_meant(run: Run) -> None:
    code, out, err = run("jacobian", "lstm", "c", "h")
    assert code == 0
    assert "= 0" in out
    assert err == ("symrnn: remark: c does not depend on h, the state at t; did you mean 'h_prev', the state at t-1?\n")
    for of, wrt in (("h", "c"), ("c", "h_prev"), ("f", "i")):  # not zero, or nothing better to propose
        assert run("jacobian", "lstm", of, wrt)[2] == ""


# --- completion -------------------------------------------------------------------------------------------------------


@pytest.fixture
def complete(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """What bash is told when the tabulator is pressed at the end of a line."""

    def call(line: str) -> list[str]:
        monkeypatch.setenv("_SYMRNN_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        return run()[1].split()

    return call


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("symrnn der", ["derive"]),
        ("symrnn derive lstm_la", ["lstm_layer_norm"]),
        ("symrnn derive mine", ["mine.py"]),
        ("symrnn derive mine.py:", ["mine.py:one", "mine.py:two"]),
        ("symrnn check mi", ["mine.py"]),
        ("symrnn verify rnn_r", ["rnn_relu", "rnn_relu_two_biases"]),
        ("symrnn derive gru --notation s", ["subscript", "superscript"]),
        ("symrnn derive gru --to t", ["text", "tex"]),
        ("symrnn derive gru --with properties,", ["properties,algorithm", "properties,flow", "properties,rewritings"]),
        ("symrnn jacobian gru h h_", ["h_prev"]),
        ("symrnn jacobian mine.py:two v", ["v", "v_prev"]),
        ("symrnn jacobian gru h x --kind t", ["total"]),
        ("symrnn jacobian gru h x --holding z,h", ["z,h", "z,h_prev"]),
        ("symrnn generate gru --with jvp,h", ["jvp,hvp"]),
    ],
)
def test_the_shell_completes(complete: Callable[[str], list[str]], line: str, expected: list[str]) -> None:
    text = "def one(x, h, *, W):\n    h = tanh(W @ x + h)\n    return h\n\n\n"
    Path("mine.py").write_text(text + text.replace("one", "two").replace("h", "v").replace("tanv", "tanh"))
    assert sorted(complete(line)) == sorted(expected)


def test_completion_does_not_wait_for_sympy() -> None:
    code = "from symrnn.cli.completion import _variables, library_names\nimport symrnn.cli.app, sys\n"
    code += "assert 'gru' in library_names() and 'h_prev' in _variables('gru')\n"
    code += "assert not {'sympy', 'numpy', 'rich'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_cell_of_the_library_is_completed() -> None:
    assert sorted(completion.library_names()) == sorted(cells.names())


@pytest.mark.parametrize("name", cells.names())
def test_the_variables_that_are_completed_are_the_cell_s(name: str) -> None:
    found = list(completion._variables(name))
    assert set(found) == set(cells[name].symbols)
    assert len(found) == len(set(found))


def test_a_script_for_the_shell_is_shown(run: Run) -> None:
    code, out, _ = run("--show-completion", "bash")
    assert code == 0
    assert "_SYMRNN_COMPLETE" in out


# --- processes --------------------------------------------------------------------------------------------------------


def closed(*numbers: int) -> Callable[[], None]:
    return lambda: [os.close(number) for number in numbers] and None  # type: ignore[func-returns-value]


def test_a_closed_output_is_said(tmp_path: Path) -> None:
    for command in (("derive", "rnn"), ("verify", "rnn")):
        done = process(*command, preexec_fn=closed(1))
        assert done.returncode == 2
        assert done.stderr.startswith("symrnn: the standard output is closed\n  write to a file with -o FILE")
    done = process("derive", "rnn", "-o", "rnn.tex", preexec_fn=closed(1), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "wrote rnn.tex\n")
    assert os.listdir(tmp_path) == ["rnn.tex"]


def test_closed_inputs_and_errors_do_not_matter(tmp_path: Path) -> None:
    done = process("derive", "rnn", "-o", "rnn.tex", preexec_fn=closed(0, 1, 2), cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "rnn.tex").read_text().endswith("\\end{document}\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_without_a_word(number: int, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\nopen('begun', 'w').close()\ntime.sleep(30)\n")
    command = [sys.executable, "-m", "symrnn", "check", "slow.py"]
    running = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=HERE,
        preexec_fn=default_interrupts,
    )
    while not (tmp_path / "begun").exists():
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(number)
    _, err = running.communicate(timeout=20)
    assert "Traceback" not in err
    assert running.returncode == 128 + number
    assert sorted(os.listdir(tmp_path)) == ["begun", "slow.py"]


def default_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores them
