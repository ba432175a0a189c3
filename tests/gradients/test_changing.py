"""Weights that change inside the loop of a backward pass are said to, with the line; after the loop they may."""

from __future__ import annotations

import importlib.util
import linecache
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables import from_globals, from_loss, from_object
from symrnn.findings.report import GradientReport
from tests.callables.styles import data, draw, draw_both

NET = """
import numpy as np

class Net:
    def __init__(self):
        rng = np.random.default_rng(5)
        self.A, self.B, self.c = rng.normal(size=(4, 6)), rng.normal(size=(6, 6)), rng.normal(size=6)

    def forward(self, x):
        self.x, self.hs = x, [np.zeros((x.shape[1], 6))]
        for x_t in x:
            self.hs.append(np.tanh(x_t @ self.A + self.hs[-1] @ self.B + self.c))
        return np.stack(self.hs[1:])

    def backward(self, dh, rate=0.1):
        dA, dB, dc, back = np.zeros((4, 6)), np.zeros((6, 6)), np.zeros(6), 0
        for t in range(len(dh) - 1, -1, -1):
            a = (dh[t] + back) * (1 - self.hs[t + 1] ** 2)
            dA += self.x[t].T @ a
            dB += self.hs[t].T @ a
            dc += a.sum(0)
            back = a @ self.B.T
        self.A -= rate * dA
        self.B -= rate * dB
        self.c -= rate * dc

    def fit(self, x, y):
        off = self.forward(x) - y
        self.backward(off)
        return (off ** 2).sum() / 2

def learn(params, x, y):
    hs = [np.zeros((x.shape[1], 6))]
    for x_t in x:
        hs.append(np.tanh(x_t @ params["A"] + hs[-1] @ params["B"] + params["c"]))
    g, back = {k: np.zeros_like(w) for k, w in params.items()}, 0
    off = np.array(hs[1:]) - y
    for t in reversed(range(len(x))):
        a = (off[t] + back) * (1 - hs[t + 1] ** 2)
        g["A"] += x[t].T @ a
        g["B"] += hs[t].T @ a
        g["c"] += a.sum(0)
        back = a @ params["B"].T
    for k in params:
        params[k] -= 0.1 * g[k]
    return (off ** 2).sum() / 2

net = Net()
A, B, c = net.A, net.B, net.c

def forward(x):
    global hs, xs
    xs, hs = x, [np.zeros((x.shape[1], 6))]
    for x_t in x:
        hs.append(np.tanh(x_t @ A + hs[-1] @ B + c))
    return np.stack(hs[1:])

def backward(dh):
    global A, B, c
    dA, dB, dc, back = 0, 0, 0, 0
    for t in reversed(range(len(dh))):
        a = (dh[t] + back) * (1 - hs[t + 1] ** 2)
        dA, dB, dc = dA + xs[t].T @ a, dB + hs[t].T @ a, dc + a.sum(0)
        back = a @ B.T
    A, B, c = A - 0.1 * dA, B - 0.1 * dB, c - 0.1 * dc
"""
INSIDE = [
    ("            dB += self.hs[t].T @ a\n", "            self.B -= rate * self.hs[t].T @ a\n"),
    ("        self.B -= rate * dB\n", ""),
]
REBOUND = [INSIDE[0], INSIDE[1]]
REBOUND[0] = (INSIDE[0][0], "            self.B = self.B - rate * self.hs[t].T @ a\n")
GLOBALS = [
    (
        "dA, dB, dc = dA + xs[t].T @ a, dB + hs[t].T @ a,",
        "B = B - 0.1 * hs[t].T @ a\n        dA, dc = dA + xs[t].T @ a,",
    ),
    ("B - 0.1 * dB", "B"),
]
ARGUMENTS = [('        g["B"] += hs[t].T @ a\n', '        params["B"] -= 0.1 * hs[t].T @ a\n')]
Check = Callable[[ModuleType], GradientReport]


def pair(module: ModuleType) -> GradientReport:
    made = from_object(module.Net(), attributes="A,B,c", inputs=draw, updates={"sgd": 0.1})
    return check_gradients(*made, cell="rnn")


def fitted(module: ModuleType) -> GradientReport:
    made = from_object(module.Net(), "fit", None, "A,B,c", inputs=draw_both, updates={"sgd": 0.1})
    return check_gradients(*made, cell="rnn")


def of_globals(module: ModuleType) -> GradientReport:
    made = from_globals(module, names="A,B,c", inputs=data(), updates={"sgd": 0.1})
    return check_gradients(*made, cell="rnn")


def of_arguments(module: ModuleType) -> GradientReport:
    inputs = {"params": {"A": module.A, "B": module.B, "c": module.c}, **data(x=(5, 3, 4), y=(5, 3, 6))}
    return check_gradients(*from_loss(module.learn, inputs, ["params"], updates={"sgd": 0.1}), cell="rnn")


def load(tmp_path: Path, edits: list[tuple[str, str]]) -> ModuleType:
    text = NET
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = tmp_path / "net.py"
    file.write_text(text)
    linecache.checkcache()
    spec = importlib.util.spec_from_file_location(f"net_{abs(hash(text))}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("check", "edits", "shown"),
    [
        (pair, INSIDE, "self.B -= rate"),
        (pair, REBOUND, "self.B = self.B"),
        (fitted, INSIDE, "self.B -= rate"),
        (of_globals, GLOBALS, "B = B - 0.1"),
    ],
)
def test_a_change_inside_the_loop(check: Check, edits: list[tuple[str, str]], shown: str, tmp_path: Path) -> None:
    report = check(load(tmp_path, edits))
    assert {one.name for one in report.wrong} == {"A", "B", "c"}
    (one,) = report.diagnoses
    assert (one.mistake, set(one.gradients)) == ("corrupted-cache", {"A", "B", "c"})
    assert one.sentence.startswith("B changes 4 times while the backward pass runs")
    assert one.sentence.endswith("with the changes put off to its end the gradients of A, B and c are right.")
    assert one.line is not None
    assert one.line.text.startswith(shown)
    assert report.unexplained == ()


@pytest.mark.parametrize("check", [pair, fitted, of_globals])
def test_changes_after_the_loop_are_right(check: Check, tmp_path: Path) -> None:
    report = check(load(tmp_path, []))
    assert report.passed
    assert report.diagnoses == ()


def test_another_mistake_beside_it_is_named_too(tmp_path: Path) -> None:
    report = pair(load(tmp_path, [*INSIDE, ("dA += self.x[t].T @ a", "dA = self.x[t].T @ a")]))
    assert report.mistakes == ("corrupted-cache", "missing-accumulation")
    assert "the gradients of B and c are right" in report.diagnoses[0].sentence
    assert report.unexplained == ()


def test_several_changes_after_the_loop_are_no_cause(tmp_path: Path) -> None:
    twice = ("self.B -= rate * dB", "self.B -= rate * dB / 2; self.A -= 0\n        self.B -= rate * dB / 2")
    report = pair(load(tmp_path, [twice, ("dc += a.sum(0)", "dc += a.mean(0)")]))
    assert report.mistakes == ("mean-for-sum",)


def test_what_it_watched_is_as_it_was(tmp_path: Path) -> None:
    module = load(tmp_path, INSIDE)
    net = module.Net()
    before = {name: np.copy(value) for name, value in vars(net).items()}
    check_gradients(*from_object(net, attributes="A,B,c", inputs=draw, updates={"sgd": 0.1}), cell="rnn")
    assert set(vars(net)) == set(before)
    assert all(np.array_equal(before[name], value) for name, value in vars(net).items())


def test_a_change_of_arguments_inside_the_loop(tmp_path: Path) -> None:
    assert of_arguments(load(tmp_path, [])).passed
    report = of_arguments(load(tmp_path, ARGUMENTS))
    (one,) = report.diagnoses
    assert one.mistake == "corrupted-cache"
    assert set(one.gradients) == {"params['A']", "params['B']", "params['c']"}
    assert one.sentence.startswith("params['B'] changes 4 times")
    assert one.line is not None
    assert one.line.text.startswith('params["B"] -= 0.1')
