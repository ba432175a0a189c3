"""Functions that return a loss: recognised where they are right, and their mistakes named, with the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables import from_loss
from symrnn.findings.report import GradientReport
from tests.losses.loss_programs import PROGRAMS, Program, Slip
from tests.source_lines.writing import load


def load_learn(folder: Path, text: str) -> Callable[..., Any]:
    return load(folder, text).learn  # type: ignore[no-any-return]


def check(learn: Callable[..., Any], program: Program, **options: Any) -> GradientReport:
    return check_gradients(*from_loss(learn, program.inputs(), list(program.weights)), **options)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_programs_are_right(name: str, tmp_path: Path) -> None:
    """By differences, without the checker."""
    program = PROGRAMS[name]
    learn, inputs = load_learn(tmp_path, program.text), program.inputs()
    _, *gradients = learn(**inputs)
    rng = np.random.default_rng(3)
    for weight, gradient in zip(program.weights, gradients, strict=True):
        way = rng.normal(size=inputs[weight].shape)
        near, far = (learn(**{**inputs, weight: inputs[weight] + step * way})[0] for step in (1e-5, -1e-5))
        assert np.isclose((near - far) / 2e-5, np.sum(gradient * way), rtol=1e-6, atol=1e-8), weight


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_program_passes_and_is_recognised(name: str, tmp_path: Path) -> None:
    program = PROGRAMS[name]
    report = check(load_learn(tmp_path, program.text), program, cell=program.cell)
    assert report.passed, str(report)
    assert not report.diagnoses
    assert report.cell == program.cell
    assert "behind it" in report.layout
    sequence = report.layout.split(" ")[0].rstrip(":")
    assert ("an index for each step" in report.layout) == (sequence in program.data)
    assert not any(problem.kind == "no-cell" for problem in report.problems)


WRONG_LINE = pytest.mark.xfail(strict=True, reason="the line that hands on is named, not the one that is wrong")


def chosen() -> Iterator[Any]:
    """The first slip of each program; all of them take minutes, and `benchmarks/losses.py` counts them."""
    for name, program in PROGRAMS.items():
        heavy = [pytest.mark.long] if name == "char_lstm" else []
        marks = [WRONG_LINE, pytest.mark.long] if name == "char_gru" else heavy
        yield pytest.param(program, program.slips[0], id=name, marks=marks)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("program", "slip"), list(chosen())[::2])
def test_a_slip_is_named(program: Program, slip: Slip, tmp_path: Path) -> None:
    assert program.text.count(slip.old) == 1
    line = program.text[: program.text.index(slip.old)].count("\n") + 1
    report = check(load_learn(tmp_path, program.text.replace(slip.old, slip.new)), program)
    assert report.wrong
    assert not report.unexplained
    (found,) = report.diagnoses
    assert found.mistake in slip.tags.split(), found.sentence
    assert found.line is None or not slip.new or found.line.line == line


def test_a_loss_of_the_states_themselves_needs_no_targets() -> None:
    def forward(x: Any, h0: Any, W: Any, U: Any) -> Any:
        hs = [h0]
        for x_t in x:
            hs.append(np.tanh(x_t @ W + hs[-1] @ U))
        return np.sum(np.stack(hs[1:]) ** 2), (x, hs, W, U)

    def backward(cache: Any) -> Any:
        x, hs, W, U = cache
        dx, dW, dU, carried = 0 * x, 0 * W, 0 * U, 0
        for t in reversed(range(len(x))):
            da = (2 * hs[t + 1] + carried) * (1 - hs[t + 1] ** 2)
            dW, dU, dx[t], carried = dW + x[t].T @ da, dU + hs[t + 1].T @ da, da @ W.T, da @ U.T
        return dx, carried, dW, dU

    rng = np.random.default_rng(0)
    sizes = {"x": (5, 3, 4), "h0": (3, 6), "W": (4, 6), "U": (6, 6)}
    report = check_gradients(forward, backward, {name: rng.normal(size=size) for name, size in sizes.items()})
    assert [one.mistake for one in report.diagnoses] == ["wrong-time-index"]
    assert report.cell == "rnn"
    assert "sum of squares" in report.layout or "square" in report.layout
    assert "hs[t].T @ da" in report.diagnoses[0].formula


def test_a_loss_of_no_cell_is_said_to_be_none() -> None:
    def forward(x: Any, W: Any) -> Any:
        return np.sum(np.cumsum(x @ W, axis=0) ** 3), (x, W)

    report = check_gradients(
        forward, lambda cache: (0 * cache[0], 0 * cache[1]), {"x": np.ones((4, 3)), "W": np.ones((3, 2))}
    )
    assert report.wrong
    assert not report.cell
    assert any(problem.kind == "no-cell" for problem in report.problems)
