"""`symrnn check`: somebody's file with hand-written gradients, and every silly thing that it may be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from symrnn.findings.report import GradientReport
from symrnn.gradients import checkfile
from tests.cli.calling import call_main

Run = Callable[..., tuple[int, str, str]]

RNN = """\
import numpy as np


def rnn_forward(x, h0, W, U, b):
    hs = [h0]
    for t in range(len(x)):
        hs.append(np.tanh(x[t] @ W + hs[-1] @ U + b))
    return np.stack(hs[1:]), (x, hs, W, U)


def rnn_backward(dh, cache):
    x, hs, W, U = cache
    dW, dU, db, dx, carried = np.zeros_like(W), np.zeros_like(U), 0, np.zeros_like(x), 0
    for t in reversed(range(len(x))):
        da = (dh[t] + carried) * (1 - hs[t + 1] ** 2)
        dW += x[t].T @ da
        dU += hs[t].T @ da
        db = db + da.sum(0)
        dx[t] = da @ W.T
        carried = da @ U.T
    return dx, carried, dW, dU, db
"""
MAKE = """

def make_inputs(rng, T, N):
    normal = rng.normal
    return {
        "x": normal(size=(T, N, 4)), "h0": normal(size=(N, 6)), "W": normal(size=(4, 6)), "U": normal(size=(6, 6)),
        "b": normal(size=6),
    }
"""
WRONG = RNN.replace("dW += x[t].T @ da", "dW += x[t].T @ da / len(da)")
FIXED = "\n\nrng = np.random.default_rng(0)\n%s = {'a': rng.normal(size=3), 'b': rng.normal(size=3)}\n"
PRODUCT = """\
import numpy as np


def %(name)sforward(a, b):
    return a * b, (a, b)


def %(name)sbackward(dy, cache):
    a, b = cache
    return dy * b, %(second)s
"""


def product(name: str = "", second: str = "dy * a") -> str:
    return PRODUCT % {"name": name, "second": second}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `symrnn check` in an empty directory: exit code, standard output, standard error.

    The library is searched for the cell only where one is named: what is tested here is the way to the check and back.
    """
    monkeypatch.chdir(tmp_path)
    honest = checkfile.check_gradients

    def quick(*arguments: Any, cell: Any = None, **options: Any) -> GradientReport:
        return honest(*arguments, cell=cell, diagnose=cell is not None, **options)

    monkeypatch.setattr(checkfile, "check_gradients", quick)

    def call(*arguments: str) -> tuple[int, str, str]:
        before = list(sys.path), sys.dont_write_bytecode, set(sys.modules)
        code, out, err = call_main(monkeypatch, capsys, "check", *arguments)
        assert (sys.path, sys.dont_write_bytecode) == before[:2]
        assert not {name for name in set(sys.modules) - before[2] if name.startswith(("symrnn_checked", "beside"))}
        assert "Traceback" not in out + err
        return code, out, err

    return call


def write(text: str, name: str = "mine.py") -> None:
    Path(name).write_text(text, encoding="utf-8")


def verdicts(out: str) -> dict[str, str]:
    """Input -> verdict, from the tables that were printed."""
    rows = [line.split() for line in out.splitlines()]
    return {
        row[0]: row[2]
        for row in rows
        if row[2:3] and row[2] in ("right", "wrong") and "×" in row[1] + "×" * row[1].isdigit()
    }


# --- what it says -----------------------------------------------------------------------------------------------------


def test_a_right_pair_is_found_and_checked(run: Run) -> None:
    write(RNN + MAKE)
    code, out, err = run("mine.py")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "mine.py is imported, that is, run"
    assert "rnn_forward, rnn_backward" in out
    assert "all right" in out


def test_a_wrong_gradient_is_said_with_code_one(run: Run) -> None:
    write(WRONG + MAKE)
    code, out, err = run("mine.py")
    assert (code, err) == (1, "")
    assert [name for name, verdict in verdicts(out).items() if verdict == "wrong"] == ["W"]


def test_the_help_says_that_the_file_is_run(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert "imported, that is, run" in " ".join(out.split())


def test_json_is_all_that_is_printed(run: Run) -> None:
    write(WRONG + MAKE + "\nprint('noise')\n")
    code, out, err = run("mine.py", "--json")
    assert code == 1
    data = json.loads(out)
    assert (data["file"], data["passed"]) == ("mine.py", False)
    (check,) = data["checks"]
    assert check["pair"] == "rnn_forward, rnn_backward"
    assert [finding["name"] for finding in check["gradients"] if finding["verdict"] == "wrong"] == ["W"]
    assert err.splitlines() == ["mine.py is imported, that is, run", "noise"]


def test_a_cell_is_passed_on(run: Run) -> None:
    write(WRONG + MAKE)
    code, out, _ = run("mine.py", "--cell", "rnn")
    assert code == 1
    assert "rnn" in out.split("gradient ")[0].replace("rnn_forward, rnn_backward", "")


def test_a_cell_of_one_s_own_is_passed_on(run: Run) -> None:
    write(WRONG + MAKE)
    cell = "def own(x, h, *, W, U, b):\n    h = tanh(W @ x + U @ h + b)\n    return h\n"
    write(cell, "cell.py")
    code, out, _ = run("mine.py", "--cell", "cell.py:own")
    assert code == 1
    assert "own" in out


@pytest.mark.parametrize("ending", ["json", "html"])
def test_a_report_can_be_written(run: Run, ending: str) -> None:
    write(WRONG + MAKE)
    code, out, err = run("mine.py", "-o", f"report.{ending}")
    assert (code, err) == (1, f"wrote report.{ending}\n")
    assert "1 wrong" in out
    assert "mean-for-sum" not in out  # only a line
    text = Path(f"report.{ending}").read_text(encoding="utf-8")
    assert json.loads(text)["passed"] is False if ending == "json" else text.startswith("<!DOCTYPE html>\n<html lang=")
    assert sorted(os.listdir()) == ["mine.py", f"report.{ending}"]


def test_gradients_may_be_left_out_on_purpose(run: Run) -> None:
    write(product(second="None").replace("return dy * b, None", "return {'da': dy * b}") + FIXED % "inputs")
    code, out, _ = run("mine.py")
    assert code == 1
    assert "not returned" in out
    assert run("mine.py", "--without", "b")[0] == 0
    code, _, err = run("mine.py", "--without", "c")
    assert code == 2
    assert "without: 'c' is no input" in err


def test_a_report_s_place_is_not_said_among_json(run: Run) -> None:
    write(WRONG + MAKE)
    _, out, err = run("mine.py", "--json", "-o", "report.json")
    assert json.loads(out)["passed"] is False
    assert "wrote report.json" in err


def test_a_seed_chooses_the_inputs(run: Run) -> None:
    write(
        product()
        + "\ndef make_inputs(rng):\n    a = rng.normal(size=3)\n    print(a)\n    return {'a': a, 'b': a + 1}\n"
    )
    noise = [run("mine.py", "--seed", seed)[2].splitlines()[0] for seed in ("0", "0", "1")]
    assert noise[0] == noise[1] != noise[2]


# --- how pairs and inputs are found -----------------------------------------------------------------------------------


def test_several_pairs_have_a_report_each(run: Run) -> None:
    text = product("good_") + product("bad_", "dy * b").replace("import numpy as np\n", "")
    write(text + FIXED % "good_inputs" + "def make_bad_inputs(rng):\n    return good_inputs\n")
    code, out, _ = run("mine.py")
    assert code == 1
    assert "good_forward, good_backward" in out
    assert "bad_forward, bad_backward" in out
    assert "1 wrong" in out
    assert "all right" in out
    assert run("mine.py", "--forward", "good_forward")[0] == 0
    assert run("mine.py", "--backward", "bad_backward")[0] == 1


INPUTS = ["make_inputs", "inputs", "make_lstm_inputs", "lstm_inputs", "lstm_make_inputs"]


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("kind", ["dict", "function", "rng", "sizes"])
def test_inputs_are_found_by_their_name(run: Run, name: str, kind: str) -> None:
    parameters = {"function": "", "rng": "rng", "sizes": "rng, T, N"}
    text = product("lstm_") + FIXED % ("known" if kind != "dict" else name)
    write(text if kind == "dict" else f"{text}def {name}({parameters[kind]}):\n    return known\n")
    assert run("mine.py")[0] == 0


PAIRS = {
    "plain": ("forward", "backward"),
    "suffix": ("lstm_forward", "lstm_backward"),
    "prefix": ("forward_lstm", "backward_lstm"),
    "short": ("lstm_fwd", "lstm_bwd"),
    "propagation": ("lstm_fprop", "lstm_bprop"),
}


@pytest.mark.parametrize("case", PAIRS)
def test_pairs_are_found_by_their_names(run: Run, case: str) -> None:
    forward, backward = PAIRS[case]
    text = product().replace("def forward", f"def {forward}").replace("def backward", f"def {backward}")
    write(text + FIXED % "inputs")
    code, out, _ = run("mine.py")
    assert code == 0
    assert f"{forward}, {backward}" in out


CLASSES = {
    "weights in an object": "layer = Layer()\ninputs = {'x': rng.normal(size=(2, 3))}\n",
    "weights in a class": "def make_layer_inputs(rng):\n    return {'x': rng.normal(size=(2, 3))}\n",
}


@pytest.mark.parametrize("case", CLASSES)
@pytest.mark.parametrize("right", [True, False])
def test_a_class_with_both_methods_is_a_pair(run: Run, case: str, right: bool) -> None:
    write(
        f"""\
import numpy as np
rng = np.random.default_rng(0)
class Layer:
    def __init__(self, size=3):
        self.W = np.random.default_rng(1).normal(size=(size, size))
        self.dW = np.zeros((size, size))
    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.W)
    def backward(self, dy):
        da = dy * (1 - np.tanh(self.x @ self.W) ** 2)
        self.dW = self.x.T @ da
        return da @ self.W{".T" if right else ""}
{CLASSES[case]}"""
    )
    code, out, _ = run("mine.py")
    assert code == (0 if right else 1), out
    assert "ayer.forward" in out
    rows = verdicts(out)
    assert (rows["W"], rows["x"]) == ("right", "right" if right else "wrong")


def test_static_methods_are_a_pair(run: Run) -> None:
    body = product().split("\n\n\n", 1)[1].replace("def ", "@staticmethod\ndef ")
    indented = "".join(f"    {line}\n" if line else "\n" for line in body.splitlines())
    write(f"import numpy as np\nclass Product:\n{indented}" + FIXED % "inputs")
    assert run("mine.py")[0] == 0
    assert run("mine.py", "--forward", "Product.forward", "--backward", "Product.backward")[0] == 0


@pytest.mark.parametrize("right", [True, False])
def test_a_loss_with_its_gradients_is_checked(run: Run, right: bool) -> None:
    write(
        f"""\
import numpy as np
rng = np.random.default_rng(0)
W = rng.normal(size=(3, 2))
b = rng.normal(size=2)
def lossFun(x, target):
    y = np.tanh(x @ W + b)
    loss = np.sum((y - target) ** 2)
    da = {2 if right else 1} * (y - target) * (1 - y ** 2)
    dW, db = x.T @ da, da.sum(0)
    return loss, dW, db, y[-1]
inputs = {{"x": rng.normal(size=(4, 3)), "target": rng.normal(size=(4, 2))}}
"""
    )
    code, out, _ = run("mine.py", "--loss")
    assert code == (0 if right else 1), out
    rows = verdicts(out)
    assert rows["W"] == rows["b"] == ("right" if right else "wrong")


def test_files_beside_it_can_be_imported(run: Run) -> None:
    write(product(), "beside.py")
    write(
        "from beside import forward\nfrom .beside import backward\nfrom . import beside\nimport numpy as np\n"
        + FIXED % "inputs"
    )
    assert run("mine.py")[0] == 0
    os.mkdir("elsewhere")
    os.chdir("elsewhere")
    code, out, _ = run("../mine.py")
    assert code == 0
    assert out.startswith("../mine.py is imported")


@pytest.mark.parametrize(
    "name", ["my-own.py", "random.py", "numpy.py", "mine", "a.b.py", "with space.py", "δ.py", "class.py"]
)
def test_odd_names_of_files(run: Run, name: str) -> None:
    write(product() + FIXED % "inputs", name)
    code, out, _ = run(name)
    assert code == 0
    assert out.startswith(f"{name} is imported")


def test_the_file_sees_itself_as_a_module(run: Run) -> None:
    write(
        product()
        + FIXED % "inputs"
        + "import sys, dataclasses\nassert sys.argv[1:] == []\nassert __file__.endswith('mine.py')\n"
        "assert sys.modules[__name__].forward is forward\n@dataclasses.dataclass\nclass A:\n    x: 'int' = 1\n"
        "if __name__ == '__main__':\n    raise ValueError\n"
    )
    assert run("mine.py")[0] == 0
    assert os.listdir() == ["mine.py"]


def test_noise_goes_to_the_standard_error(run: Run) -> None:
    write(
        "print('at import')\n"
        + product().replace("    a, b = cache", "    print('at call')\n    a, b = cache")
        + FIXED % "inputs"
    )
    code, out, err = run("mine.py")
    assert code == 0
    assert "at " not in out.replace("that is", "")
    assert err.startswith("at import\nat call\n")


def test_a_pair_without_inputs_is_skipped_beside_others(run: Run) -> None:
    step = product("step_").replace("(a, b):", "(a, b, more):")
    write(product() + step + FIXED % "inputs")
    code, out, _ = run("mine.py")
    assert code == 0
    assert "there are no inputs for step_forward, step_backward" in out


# --- wrong use --------------------------------------------------------------------------------------------------------

GOOD = product() + FIXED % "inputs"
SILLY: dict[str, tuple[str | bytes | None, list[str], str]] = {
    "no such file": (None, [], "mine.py: there is no such file"),
    "a directory": (GOOD, ["."], "this is a directory"),
    "an empty name": (GOOD, [""], "this is a directory"),
    "not UTF-8": (b"# caf\xe9\nx = 1\n", [], "mine.py, line 1: the byte 0xe9 is not utf-8"),
    "an unknown encoding": (b"# coding: klingon\n", [], "klingon"),
    "a null byte": (b"x = 1\0\n", [], "not Python"),
    "binary": (bytes(range(256)), [], "is not utf-8"),
    "a syntax error": ("import numpy\ndef f(:\n    pass\n", [], "mine.py, line 2: not Python: "),
    "an indentation error": ("def f():\nreturn 1\n", [], "mine.py, line 2: not Python: "),
    "nested too deeply": ("x = " + "(" * 5000 + ")" * 5000, [], "not Python: "),
    "an exception": ("import numpy\n\nW = 1 / 0\n", [], "mine.py, line 3: importing the file raises ZeroDivisionError"),
    "an exception deep inside": (
        "import json\ndef f():\n    return json.loads('{')\nx = f()\n",
        [],
        "mine.py, line 3: importing the file raises JSONDecodeError: ",
    ),
    "an exception without a text": (
        "class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E\n",
        [],
        "mine.py, line 4: importing the file raises E\n",
    ),
    "a missing module": ("import torchh\n", [], "ModuleNotFoundError: No module named 'torchh'"),
    "it leaves": ("import sys\nsys.exit(0)\n", [], "mine.py, line 2: importing the file raises SystemExit: 0"),
    "it leaves quietly": ("raise SystemExit\n", [], "importing the file raises SystemExit"),
    "it parses arguments": (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('need')\np.parse_args()\n",
        [],
        "mine.py, line 4: importing the file raises SystemExit: 2",
    ),
    "recursion": ("def f():\n    return f()\nf()\n", [], "RecursionError"),
    "above its directory": ("from ..other import x\n", [], "mine.py, line 1: importing the file raises ImportError"),
    "nothing in it": ("", [], "no pair of functions was found"),
    "no backward": ("def forward(x):\n    return x\n", [], "no pair of functions was found"),
    "no inputs": (product("lstm_"), [], "add a function such as this one to the file"),
    "inputs of another kind": (product() + "\ninputs = 3\n", [], "inputs: expected a dict or a function, got int"),
    "inputs that are a list": (
        product() + "\ndef make_inputs():\n    return [1]\n",
        [],
        "expected a dict of forward's arg",
    ),
    "inputs that raise": (product() + "\ndef make_inputs(rng):\n    return 1 / 0\n", [], "ZeroDivisionError"),
    "inputs that need more": (product() + "\ndef make_inputs(rng, size):\n    return {}\n", [], "needs 'size'"),
    "inputs without floats": (product() + "\ninputs = {'a': 1, 'b': 2}\n", [], "no array of floats"),
    "inputs that do not exist": (GOOD, ["--inputs", "made"], "--inputs made: there is no such name"),
    "a forward that does not exist": (GOOD, ["--forward", "forwrd"], "did you mean 'forward'?"),
    "a forward with no partner": (GOOD + "step = abs\n", ["--forward", "step"], "which function goes with step?"),
    "a backward that is data": (
        GOOD,
        ["--backward", "inputs", "--forward", "forward"],
        "expected a function, got dict",
    ),
    "a method that does not exist": (GOOD, ["--forward", "np.forward"], "there is no such function"),
    "an unknown cell": (GOOD, ["--cell", "lstn"], "did you mean 'lstm'?"),
    "a cell file that is missing": (GOOD, ["--cell", "cell.py:lstm"], "there is no such file"),
    "an unknown ending": (GOOD, ["-o", "report.pdf"], "no form belongs to .pdf"),
    "no ending": (GOOD, ["-o", "report"], "end it in .json or .html"),
    "a negative seed": (GOOD, ["--seed", "-1"], "--seed"),
    "a seed that is a word": (GOOD, ["--seed", "x"], "--seed"),
    "no such option": (GOOD, ["--gradients"], "--gradients"),
    "two files": (GOOD, ["mine.py", "mine.py"], "unexpected extra argument"),
    "unwritable": (GOOD, ["-o", "no/such/place.json"], "cannot be written"),
    "a class that needs arguments": (
        "class Layer:\n    def __init__(self, n):\n        pass\n    def forward(self, x):\n        return x\n"
        "    def backward(self, dy):\n        return dy\n",
        [],
        "make one in the file, such as layer = Layer(...)",
    ),
    "a class that cannot be made": (
        "class Layer:\n    def __init__(self):\n        raise ValueError('no')\n    def forward(self, x):\n"
        "        return x\n    def backward(self, dy):\n        return dy\n",
        [],
        "ValueError: no",
    ),
    "no loss": (GOOD, ["--loss"], "no function has loss in its name"),
    "a loss that returns no names": (
        "def loss(x):\n    return x * x\ninputs = {'x': 1.0}\n",
        ["--loss"],
        "the names of what it returns cannot be read",
    ),
    "a loss with a backward": (GOOD, ["--loss", "--backward", "backward"], "leave --backward out"),
}


@pytest.mark.parametrize("case", SILLY)
def test_wrong_use_is_said_in_one_message(run: Run, case: str) -> None:
    text, arguments, message = SILLY[case]
    if text is not None:
        Path("mine.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    positional = [] if arguments and not arguments[0].startswith("-") else ["mine.py"]
    code, out, err = run(*([""] if arguments == [""] else positional), *(arguments if arguments != [""] else []))
    assert code == 2, out
    said = out if "could not be checked" in out else err
    assert message in " ".join(said.split()) or message in said
    assert os.listdir() == ([] if text is None else ["mine.py"])


def test_a_file_that_is_refused_is_not_run(run: Run) -> None:
    write("open('canary', 'w')\n" + GOOD)
    for arguments in (["-o", "x.pdf"], ["--cell", "nothing"], ["--seed", "-1"]):
        assert run("mine.py", *arguments)[0] == 2
    assert os.listdir() == ["mine.py"]


def test_the_example_in_the_message_works(run: Run) -> None:
    write(RNN)
    code, _, err = run("mine.py")
    assert code == 2
    example = "\n".join(line[4:] for line in err.split("\n\n", 1)[1].splitlines())
    assert "def make_rnn_inputs(rng, T, N):" in example
    write(RNN + "\n\n" + example)
    assert run("mine.py")[0] == 0


def test_an_error_in_a_file_beside_it_is_said_with_its_line(run: Run) -> None:
    write("x = 1\ny = x / 0\n", "beside.py")
    write("import beside\n")
    code, _, err = run("mine.py")
    assert code == 2
    assert "beside.py, line 2: importing the file raises ZeroDivisionError" in err
    write("x = = 1\n", "beside.py")
    assert "beside.py, line 1: not Python: " in run("mine.py")[2]


def test_control_characters_stay_in_the_file(run: Run) -> None:
    write("raise ValueError('\\x1b[31m red')\n")
    code, _, err = run("mine.py")
    assert code == 2
    assert "\x1b" not in err


def test_an_interrupt_leaves_with_the_code_that_shells_expect(run: Run) -> None:
    write("raise KeyboardInterrupt\n")
    assert run("mine.py")[0] == 130


def test_one_pair_that_cannot_be_checked_does_not_hide_another(run: Run) -> None:
    broken = product("broken_").replace("    return a * b", "    return a * unknown")
    write(broken + product("bad_", "dy * b") + FIXED % "inputs")
    code, out, _ = run("mine.py")
    assert code == 1
    assert "NameError" in out
    assert "1 wrong" in out
    write(broken + product("good_") + FIXED % "inputs")
    assert run("mine.py")[0] == 2


def test_exit_codes_of_the_process(tmp_path: Path) -> None:
    codes = {}
    for name, text in {
        "right.py": RNN + MAKE,
        "wrong.py": WRONG + MAKE,
        "none.py": "",
        "leaves.py": "exit(0)\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "symrnn", "check", name],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        codes[name] = done.returncode
        assert "Traceback" not in done.stderr
    assert codes == {"right.py": 0, "wrong.py": 1, "none.py": 2, "leaves.py": 2}


def test_the_check_is_shown_as_a_program(run: Run) -> None:
    write(WRONG + MAKE)
    for arguments in ([], ["--without", "h0", "--seed", "2", "--cell", "rnn", "--budget", "7"]):
        _, out, _ = run("mine.py", *arguments)
        program = out.split("the same as a program:\n")[1]
        lines = [line.removeprefix("    ") for line in program.strip("\n").split("\n")]
        more = ", cell='rnn', seed=2, without=('h0',), budget=7.0" if arguments else ""
        assert lines == [
            "from symrnn import check_gradients",
            "import mine",
            f"report = check_gradients(mine.rnn_forward, mine.rnn_backward, mine.make_inputs{more})",
            "print(report)",
        ]


def test_it_is_shown_as_well_where_the_check_fails(run: Run) -> None:
    write(product().replace("return a * b", "return a * unknown") + FIXED % "inputs")
    code, out, _ = run("mine.py")
    assert code == 2
    assert "check_gradients(mine.forward, mine.backward, mine.inputs)" in out
    assert "the same as a program" not in run("mine.py", "-o", "report.json")[1]
    assert "mine.inputs" in json.loads(Path("report.json").read_text(encoding="utf-8"))["checks"][0]["program"]
