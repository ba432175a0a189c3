"""Functions that compute more than a cell, hold their arrays in trees or lists, or compute no cell at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients, identify
from symrnn.callables.subject import Subject
from symrnn.gradients import check as gradients
from symrnn.gradients import recognition
from symrnn.gradients.reporting import describe_own
from symrnn.identification.wording import describe

Array = np.ndarray


def states(x: Array, h0: Array, W: Array, U: Array, b: Array) -> list[Array]:
    hs = [h0]
    for x_t in x:
        hs.append(np.tanh(x_t @ W + hs[-1] @ U + b))
    return hs


def forward(x: Array, h0: Array, W: Array, U: Array, b: Array, V: Array, b_y: Array) -> Any:
    hs = states(x, h0, W, U, b)
    return np.stack(hs[1:]) @ V + b_y, (x, hs, W, U, V)


def pulled(x: Array, hs: list[Array], W: Array, U: Array, dhs: Array, slope: bool = True) -> tuple[Array, ...]:
    dW, dU, db, dx, dh = 0 * W, 0 * U, np.zeros(len(U)), 0 * np.stack(x), 0 * hs[0]
    for t in reversed(range(len(x))):
        a = (dhs[t] + dh) * (1 - hs[t + 1] ** (2 if slope else 1))
        dW, dU, db = dW + x[t].T @ a, dU + hs[t].T @ a, db + a.sum(0)
        dx[t], dh = a @ W.T, a @ U.T
    return dx, dh, dW, dU, db


def backward(dy: Array, cache: Any, slope: bool = True, turned: bool = False) -> tuple[Array, ...]:
    x, hs, W, U, V = cache
    dhs = dy @ (V if turned else V.T)
    dV = np.einsum("tnh,tno->ho", np.stack(hs[1:]), dy)
    return *pulled(x, hs, W, U, dhs, slope), dV, dy.sum((0, 1))


def inputs(O: int = 5) -> dict[str, Array]:  # noqa: E741 - the size of the output
    shapes = {"x": (4, 3, 2), "h0": (3, 4), "W": (2, 4), "U": (4, 4), "b": (4,), "V": (4, O), "b_y": (O,)}
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("cell", [None, "rnn"])
def test_mistakes_before_a_readout_are_named(cell: str | None) -> None:
    report = check_gradients(forward, lambda dy, cache: backward(dy, cache, slope=False), inputs(), cell=cell)
    assert (report.cell, report.mistakes) == ("rnn", ("wrong-derivative",))
    assert not report.unexplained
    assert not report.problems
    assert "V (4, 5): V, used as h @ V" in report.layout
    assert "behind it: a linear readout" in report.layout
    assert "symrnn derive rnn --head readout" in report.diagnoses[0].sentence
    assert {finding.name for finding in report.wrong} == {"x", "h0", "W", "U", "b"}


def test_a_mistake_in_the_readout_is_named_like_one_in_the_cell() -> None:
    report = check_gradients(forward, lambda dy, cache: backward(dy, cache, turned=True), inputs(O=4), cell="rnn")
    assert not report.passed
    assert report.mistakes == ("transpose",)
    assert "Vᵀ δy_t has V in place of Vᵀ" in report.diagnoses[0].sentence
    assert not report.unexplained


def test_a_loss_is_recognised_with_what_is_before_it() -> None:
    def loss(**arrays: Array) -> Any:
        y, cache = forward(**arrays)
        return 0.5 * np.sum(y**2), (y, cache)

    report = check_gradients(loss, lambda cache: backward(cache[0], cache[1], slope=False), inputs(), without=["b_y"])
    assert report.cell == "rnn"
    assert report.mistakes == ("wrong-derivative",)
    assert not report.unexplained


def test_where_all_is_right_no_cell_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: Any, **named: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(gradients, "recognise", never)
    assert check_gradients(forward, backward, inputs()).passed
    with pytest.raises(AssertionError):  # one step: it hides what more would show
        check_gradients(forward, backward, inputs() | {"x": inputs()["x"][:1]})
    with pytest.raises(AssertionError):
        check_gradients(forward, backward, inputs(), cell="rnn")


def test_a_list_of_steps_is_one_sequence() -> None:
    def listed(xs: list[Array], h0: Array, W: Array, U: Array, b: Array) -> Any:
        assert type(xs) is list
        hs = states(xs, h0, W, U, b)  # type: ignore[arg-type]
        return hs[1:], (xs, hs, W, U)

    def wrong(dhs: list[Array], cache: Any) -> Any:
        dxs, *rest = pulled(*cache, dhs, slope=False)  # type: ignore[arg-type]
        return list(dxs), *rest

    made = inputs()
    own = {"xs": list(made["x"])} | {name: made[name] for name in ("h0", "W", "U", "b")}
    report = check_gradients(listed, wrong, own, cell="rnn")
    assert [finding.name for finding in report.gradients] == ["xs", "h0", "W", "U", "b"]
    assert report.gradients[0].shape == (4, 3, 2)
    assert report.mistakes == ("wrong-derivative",)


def test_the_layout_has_the_sizes_and_the_names_of_the_table() -> None:
    def nested(params: Any, x: Array, h0: Array) -> Any:
        hs = states(x, h0, **params["l"])
        return np.stack(hs[1:]), (x, hs, params["l"]["W"], params["l"]["U"])

    def wrong(dhs: Array, cache: Any) -> Any:
        dx, dh, *rest = pulled(*cache, dhs, slope=False)
        return {"params": {"l": dict(zip("WUb", rest, strict=True))}, "x": dx, "h0": dh}

    def make(rng: np.random.Generator, T: int = 4, N: int = 4) -> dict[str, Any]:
        shapes = {"W": (4, 4), "U": (4, 4), "b": (4,)}
        params = {"l": {name: rng.normal(size=shape) for name, shape in shapes.items()}}
        return {"params": params, "x": rng.normal(size=(T, N, 4)), "h0": rng.normal(size=(N, 4))}

    report = check_gradients(nested, wrong, make)
    assert report.cell == "rnn"
    assert "x (T, N, D) = (4, 4, 4)" in report.layout
    assert "params['l']['W'] (4, 4): W" in report.layout
    assert "params_l" not in report.layout + str(report)
    subject = Subject(nested, wrong, make)
    other = identify(subject.flat_forward, {n: subject.made(0, 5, 2)[p] for n, p in subject.flat_names.items()})  # type: ignore[index]
    assert other.layout is not None
    assert "= (5, 2, 4)" in describe(other.layout)
    assert "= (4, 4, 4)" in describe_own(subject, other.layout)


def test_what_carries_nothing_is_no_cell() -> None:
    def recurrent(x: Array, W: Array, U: Array, b: Array) -> Any:
        return np.stack(states(x, np.zeros((3, 4)), W, U, b)[1:])

    def dense(x: Array, W: Array, U: Array, b: Array) -> Any:
        return np.tanh(x @ W + b + 0 * U.sum())

    own = {name: inputs()[name] for name in ("x", "W", "U", "b")}
    layout = identify(recurrent, own, among=["rnn"]).layout
    assert layout is not None
    assert not layout.states
    nothing = lambda dy, x, W, U, b: (x, W, U, b)  # noqa: E731
    assert recognition._is_recurrent(Subject(recurrent, nothing, own), layout)
    assert not recognition._is_recurrent(Subject(dense, nothing, own), layout)
    report = check_gradients(dense, nothing, own, cell="indrnn")
    assert not report.cell
    assert "forward does not compute indrnn" in str(report)
