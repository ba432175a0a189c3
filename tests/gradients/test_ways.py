"""Files of many kinds are checked without a word from the user, and the program shown for each does the same."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from symrnn.errors import InputError
from symrnn.gradients import checkfile
from symrnn.gradients.checkfile import Wanted, check_file
from symrnn.gradients.file_report import FileReport

LAYER = """
import numpy as np

rng = np.random.default_rng(0)


def run(x, A, B, c):
    hs = [np.zeros((x.shape[1], 6))]
    for x_t in x:
        hs.append(np.tanh(x_t @ A + hs[-1] @ B + c))
    return hs


def slopes(dh, x, hs, A, B):
    dA, dB, dc, dx, back = np.zeros_like(A), np.zeros_like(B), np.zeros(6), np.zeros_like(x), 0
    for t in reversed(range(len(x))):
        a = (dh[t] + back) * (1 - hs[t + 1] ** 2)
        dA, dB, dc = dA + x[t].T @ a, dB + hs[t].T @ a, dc + a.sum(0)
        dx[t], back = a @ A.T, a @ B.T
    return dx, dA, FACTOR * dB, dc


def draw():
    return {"A": rng.normal(size=(4, 6)), "B": rng.normal(size=(6, 6)), "c": rng.normal(size=6)}

"""
INPUTS = """

def make_inputs(rng, T, N):
    return {"x": rng.normal(size=(T, N, 4))}
"""
TARGETS = """

def make_inputs(rng, T, N):
    return {"x": rng.normal(size=(T, N, 4)), "y": rng.normal(size=(T, N, 6))}
"""
FILES = {
    "a_pair": """
def forward(x, A, B, c):
    hs = run(x, A, B, c)
    return np.stack(hs[1:]), (x, hs, A, B)

def backward(dh, cache):
    return slopes(dh, *cache)

inputs = draw() | {"x": rng.normal(size=(5, 3, 4))}
""",
    "globals_": """
import functools

A, B, c = draw().values()
eye, unused = np.eye(4), rng.normal(size=(3, 3))

def logged(function):
    @functools.wraps(function)
    def call(*arguments, **named):
        return function(*arguments, **named)
    return call

@logged
def forward(x):
    global xs, hs
    xs, hs = x @ eye, run(x @ eye, A, B, c)
    return np.stack(hs[1:])

def backward(dh):
    global dA, dB, dc
    dx, dA, dB, dc = slopes(dh, xs, hs, A, B)
    return dx
"""
    + INPUTS,
    "an_object": """
class Part:
    def __init__(self, W):
        self.W, self.dW = W, None

class Layer:
    def __init__(self, rng):
        rng.normal()
        self.parts = [Part(one) for one in draw().values()]
    def forward(self, x):
        self.x, self.hs = x, run(x, *[part.W for part in self.parts])
        return np.stack(self.hs[1:])
    def backward(self, dh):
        dx, *found = slopes(dh, self.x, self.hs, self.parts[0].W, self.parts[1].W)
        for part, one in zip(self.parts, found):
            part.dW = one
        return dx
"""
    + INPUTS,
    "updating": """
class Net:
    learning_rate = 0.1
    def __init__(self):
        self.A, self.B, self.c = draw().values()
    def forward(self, x):
        self.x, self.hs = x, run(x, self.A, self.B, self.c)
        return np.stack(self.hs[1:])
    def backward(self, dh):
        _, dA, dB, dc = slopes(dh, self.x, self.hs, self.A, self.B)
        self.A -= self.learning_rate * dA
        self.B -= self.learning_rate * dB
        self.c -= self.learning_rate * dc

net = Net()
"""
    + INPUTS,
    "a_loss": """
A, B, c = draw().values()
dA, dB, dc = np.zeros_like(A), np.zeros_like(B), np.zeros_like(c)

def chunk(x, y):
    global dA, dB, dc
    hs = run(x, A, B, c)
    off = np.stack(hs[1:]) - y
    loss = (off ** 2).sum() / 2
    _, dA, dB, dc = slopes(off, x, hs, A, B)
    h = hs[-1]
    return loss, dA, dB, dc, h
"""
    + TARGETS,
    "a_loss_with_a_dict": """
def cost(params, x, y):
    hs = run(x, **params)
    off = np.stack(hs[1:]) - y
    _, dA, dB, dc = slopes(off, x, hs, params["A"], params["B"])
    return (off ** 2).sum() / 2, {"A": dA, "B": dB, "c": dc}

params, x, y = draw(), rng.normal(size=(5, 3, 4)), rng.normal(size=(5, 3, 6))
""",
    "a_model": """
class Model:
    def __init__(self):
        self.params = draw()
    def compute_loss(self, x, y):
        hs = run(x, **self.params)
        off = np.stack(hs[1:]) - y
        _, *found = slopes(off, x, hs, self.params["A"], self.params["B"])
        self.grads = dict(zip(self.params, found))
        return (off ** 2).sum() / 2
"""
    + TARGETS,
    "nested": """
def cost_and_slopes(x, y, A, B, c):
    hs = run(x, A, B, c)
    off = np.stack(hs[1:]) - y
    _, dA, dB, dc = slopes(off, x, hs, A, B)
    return (off ** 2).sum() / 2, (dA, dB, dc)

A, B, c = draw().values()
x, y = rng.normal(size=(5, 3, 4)), rng.normal(size=(5, 3, 6))
""",
    "fitting": """
class Net:
    def __init__(self):
        self.A, self.B, self.c = draw().values()
    def fit_batch(self, x, y, lr=0.05):
        hs = run(x, self.A, self.B, self.c)
        off = np.stack(hs[1:]) - y
        for w, d in zip((self.A, self.B, self.c), slopes(off, x, hs, self.A, self.B)[1:]):
            w -= lr * d
        return (off ** 2).sum() / 2
"""
    + TARGETS,
    "my-own": """
class Layer:
    def __init__(self):
        self.A, self.B, self.c = draw().values()
    def __call__(self, x):
        self.x, self.hs = x, run(x, self.A, self.B, self.c)
        return np.stack(self.hs[1:])
    def backward(self, dh):
        dx, self.dA, self.dB, self.dc = slopes(dh, self.x, self.hs, self.A, self.B)
        return dx

layer = Layer()
x = rng.normal(size=(5, 3, 4))
""",
}
PROGRAMS = """
import contextlib, functools, io, json, sys
import symrnn
honest = symrnn.check_gradients
reports = []
def check(*arguments, **options):
    reports.append(honest(*arguments, **options, diagnose=False))
    return reports[-1]
symrnn.check_gradients = check
for program in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()):
        exec(program, {})
print(json.dumps([{one.name: str(one.verdict) for one in report.gradients} for report in reports]))
"""


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Check a file's text under a name; verdicts alone."""
    monkeypatch.chdir(tmp_path)
    quick = functools.partial(checkfile.check_gradients, diagnose=False)
    monkeypatch.setattr(checkfile, "check_gradients", quick)

    def check(name: str, factor: float, **wanted: Any) -> FileReport:
        file = Path(f"{name}.py")
        file.write_text(LAYER + FILES[name].replace("FACTOR", str(factor)) + f"\nFACTOR = {factor}\n")
        return check_file(file, Wanted(**wanted))

    return check


def weight(name: str) -> str:
    """`B` of `params['B']`; the second part of a list has it as well."""
    return "B" if "[1]" in name else name.split("['")[-1].removesuffix("']")


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_gradient_in_a_file_is_seen(name: str, checked: Any) -> None:
    (report,) = checked(name, 1.5).reports.values()
    assert [weight(one.name) for one in report.wrong] == ["B"]
    known = {one.name for one in report.gradients}
    assert len([one for one in known if one != "x"]) == 3, known
    assert not any(problem.fatal for problem in report.problems)


def test_the_programs_shown_do_the_same(checked: Any, tmp_path: Path) -> None:
    programs, verdicts = [], []
    for name in FILES:
        found = checked(name, 1.0 if len(name) % 2 else 0.5, seed=3)
        ((_, program),) = found.programs.items()
        (report,) = found.reports.values()
        assert ("np.random.default_rng(0)" in program) is (name == "an_object")
        assert 4 <= len(program.splitlines()) <= 6
        assert "seed=3" in program
        programs.append(program)
        verdicts.append({one.name: str(one.verdict) for one in report.gradients})
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAMS],
        input=json.dumps(programs),
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == verdicts


def test_a_file_elsewhere_is_found_by_its_program(checked: Any, tmp_path: Path) -> None:
    checked("a_pair", 1.0)
    os.mkdir("deep")
    os.rename("a_pair.py", "deep/a_pair.py")
    ((_, program),) = check_file(Path("deep/a_pair.py"), Wanted()).programs.items()
    assert program.startswith("import sys\nsys.path.insert(0, 'deep')\n")


def test_a_function_that_returns_no_gradients_is_refused(checked: Any) -> None:
    Path("mine.py").write_text("def loss(x):\n    return x * x\ninputs = {'x': 1.0}\n")
    with pytest.raises(InputError, match="cannot be read, and it leaves no gradients"):
        check_file(Path("mine.py"), Wanted())
