"""Backward passes written by hand in PyTorch: a right one passes, and of a wrong one the wrong gradient is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from symrnn import check_gradients
from symrnn.callables import from_torch
from symrnn.errors import InputError
from symrnn.gradients.checkfile import check_file
from tests.peers.drawn_inputs import SIZES, draw, make

pytestmark = pytest.mark.peer
torch = pytest.importorskip("torch", reason="PyTorch is not installed; it comes with the extra 'peers'")


def states(x: Any, A: Any, B: Any, c: Any) -> list[Any]:
    hs = [x.new_zeros(x.shape[1], 6)]
    for x_t in x:
        hs.append(torch.tanh(x_t @ A + hs[-1] @ B + c))
    return hs


def slopes(dh: Any, x: Any, hs: list[Any], A: Any, B: Any) -> list[Any]:
    dx, dA, dB, dc = (torch.zeros_like(one) for one in (x, A, B, A[0]))
    back = torch.zeros_like(hs[0])
    for t in reversed(range(len(x))):
        a = (dh[t] + back) * (1 - hs[t + 1] ** 2)
        dA += x[t].T @ a
        dB += hs[t].T @ a
        dc += a.sum(0)
        dx[t], back = a @ A.T, a @ B.T
    return [dx, dA, dB, dc]


def a_function(factor: float) -> Any:
    class Recurrent(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, A: Any, B: Any, c: Any) -> Any:
            hs = states(x, A, B, c)
            ctx.save_for_backward(x, A, B, *hs)
            return torch.stack(hs[1:])

        @staticmethod
        def backward(ctx: Any, dh: Any) -> Any:
            x, A, B, *hs = ctx.saved_tensors
            dx, dA, dB, dc = slopes(dh, x, hs, A, B)
            return dx, dA, factor * dB, dc

    return Recurrent


def with_a_context_of_its_own(factor: float) -> Any:
    class Recurrent(torch.autograd.Function):
        @staticmethod
        def forward(x: Any, A: Any, B: Any, c: Any, activation: str = "tanh") -> Any:
            return torch.stack(states(x, A, B, c)[1:])

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs[:3], output)

        @staticmethod
        def backward(ctx: Any, dh: Any) -> Any:
            x, A, B, h = ctx.saved_tensors
            _, dA, dB, dc = slopes(dh, x, [torch.zeros_like(h[0]), *h], A, B)
            return None, dA, factor * dB, dc, None

    return from_torch(Recurrent, make)


class Network(torch.nn.Module):
    """Parameters, and a readout that autograd differentiates."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function
        self.A, self.B, self.c = (torch.nn.Parameter(torch.randn(SIZES[k])) for k in "ABc")
        self.out = torch.nn.Linear(6, 2)

    def forward(self, x: Any) -> Any:
        return self.out(self.function.apply(x, self.A, self.B, self.c))


class Manual(torch.nn.Module):
    """A module that does without autograd."""

    def __init__(self, factor: float, left: bool) -> None:
        super().__init__()
        self.A, self.B, self.c = (torch.nn.Parameter(torch.randn(SIZES[k])) for k in "ABc")
        self.factor, self.left = factor, left

    def forward(self, x: Any) -> Any:
        self.x, self.hs = x, states(x, self.A, self.B, self.c)
        return torch.stack(self.hs[1:])

    def backward(self, dh: Any) -> Any:
        dx, dA, dB, dc = slopes(dh, self.x, self.hs, self.A, self.B)
        if self.left:
            self.dA, self.dB, self.dc = dA, self.factor * dB, dc
        else:
            self.A.grad, self.B.grad, self.c.grad = dA, self.factor * dB, dc
        return dx


def two_functions(factor: float) -> Any:
    def forward(x: Any, A: Any, B: Any, c: Any) -> Any:
        hs = states(x, A, B, c)
        return torch.stack(hs[1:]), (x, hs, A, B)

    def backward(dh: Any, cache: Any) -> Any:
        dx, dA, dB, dc = slopes(dh, *cache)
        return {"x": dx, "A": dA, "B": factor * dB, "c": dc}

    return from_torch(forward, draw(*SIZES), backward)


WAYS = {
    "a Function": lambda factor: from_torch(a_function(factor), make),
    "a Function with a context of its own": with_a_context_of_its_own,
    "a function that calls it": lambda factor: from_torch(
        lambda x, p: a_function(factor).apply(x, p["A"], p["B"], p["c"]), draw("x") | {"p": draw("A", "B", "c")}
    ),
    "a module that calls it": lambda factor: from_torch(Network(a_function(factor)), draw("x")),
    "a module of its own": lambda factor: from_torch(Manual(factor, False), draw("x")),
    "a module with gradients in attributes": lambda factor: from_torch(Manual(factor, True), draw("x")),
    "two functions": two_functions,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("factor", [1.0, 1.25])
def test_a_way(way: str, factor: float) -> None:
    report = check_gradients(*WAYS[way](factor), diagnose=False)
    wrong = [one.name for one in report.wrong]
    assert wrong == ([] if factor == 1 else ["p['B']" if way == "a function that calls it" else "B"]), report
    assert report.passed is (factor == 1.0), report
    assert len({one.name for one in report.gradients} - {"x"}) == (5 if way == "a module that calls it" else 3)


def test_a_mistake_is_named_with_its_line() -> None:
    class Recurrent(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, A: Any, B: Any, c: Any) -> Any:
            hs = states(x, A, B, c)
            ctx.hs = hs
            ctx.save_for_backward(x, A, B)
            return torch.stack(hs[1:])

        @staticmethod
        def backward(ctx: Any, dh: Any) -> Any:
            x, A, B = ctx.saved_tensors
            dx, dA, dB, dc = (torch.zeros_like(one) for one in (x, A, B, A[0]))
            back = torch.zeros_like(ctx.hs[0])
            for t in reversed(range(len(x))):
                a = (dh[t] + back) * (1 - ctx.hs[t + 1] ** 2)
                dA += x[t].T @ a
                dB += ctx.hs[t + 1].T @ a
                dc += a.sum(0)
                dx[t], back = a @ A.T, a @ B.T
            return dx, dA, dB, dc

    report = check_gradients(*from_torch(Recurrent, make), cell="rnn")
    assert report.mistakes == ("wrong-time-index",)
    (mistake,) = report.diagnoses
    assert mistake.line is not None
    assert mistake.line.text == "dB += ctx.hs[t + 1].T @ a"


def test_a_module_is_left_as_it_was() -> None:
    module = Network(a_function(1.0))
    before = {name: one.detach().clone() for name, one in module.named_parameters()}
    check_gradients(*from_torch(module, draw("x")), diagnose=False)
    assert all(torch.equal(before[name], one) and one.grad is None for name, one in module.named_parameters())


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(InputError, match="expected a Function, a module or a function, got int\n  pass"):
        from_torch(3, draw("x"))


FILE = """
import numpy as np
import torch


class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, W):
        ctx.save_for_backward(x, W)
        return torch.tanh(x @ W)

    @staticmethod
    def backward(ctx, dy):
        x, W = ctx.saved_tensors
        da = dy * (1 - torch.tanh(x @ W) ** 2)
        return da @ W.T, FACTOR * x.T @ da


def make_inputs(rng, T, N):
    return {"x": rng.normal(size=(N, 4)), "W": rng.normal(size=(4, 3))}
"""


@pytest.mark.parametrize("factor", [1, 2])
def test_a_file_with_a_function_is_checked(factor: int, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FILE.replace("FACTOR", str(factor)))
    found = check_file(tmp_path / "mine.py")
    (report,) = found.reports.values()
    assert [one.name for one in report.wrong] == ([] if factor == 1 else ["W"])
    assert "*from_torch(mine.Scale, mine.make_inputs)" in found.programs["Scale"]
