"""What numbers alone prove is a mistake, whether a cell is known or not; what they do not prove is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables import from_loss
from symrnn.repairs.repair import Repair

Array = np.ndarray
Grads = dict[str, Array]
SHAPES = {"x": (5, 4, 2), "h0": (6, 2), "W": (6, 4), "U": (6, 6), "V": (6, 6), "b": (6, 1), "unread": (6, 6)}


def forward(x: Array, h0: Array, W: Array, U: Array, V: Array, b: Array, unread: Array) -> Any:
    """A step that no cell of the library makes: sine in it, and its square beside it."""
    hs = [h0]
    for x_t in x:
        hs.append(np.sin(W @ x_t + U @ hs[-1] + b) + V @ (0.1 * hs[-1] ** 2))
    return np.stack(hs[1:]), (x, hs, W, U, V, b)


def right(dhs: Array, cache: Any) -> Grads:
    x, hs, W, U, V, b = cache
    dx, back = np.zeros_like(x), np.zeros_like(hs[0])
    dW, dU, dV, db = (np.zeros_like(one) for one in (W, U, V, b))
    for t in reversed(range(len(x))):
        d = dhs[t] + back
        a = d * np.cos(W @ x[t] + U @ hs[t] + b)
        dW, dU, db = dW + a @ x[t].T, dU + a @ hs[t].T, db + a.sum(axis=1, keepdims=True)
        dV = dV + d @ (0.1 * hs[t] ** 2).T
        dx[t], back = W.T @ a, U.T @ a + 0.2 * hs[t] * (V.T @ d)
    return {"x": dx, "h0": back, "W": dW, "U": dU, "V": dV, "b": db, "unread": np.zeros_like(U)}


def bounded(grads: Grads, names: str, bound: float) -> Grads:
    size = np.sqrt(sum(np.sum(grads[name] ** 2) for name in names))
    return {name: grads[name] * bound / max(size, bound) for name in names}


Change = Callable[[Grads], Grads]
CERTAIN: dict[str, tuple[Change, str, set[str], str]] = {
    "clipped": (lambda g: {n: np.clip(v, -40, 40) for n, v in g.items()}, "clipped", set("WUVb") | {"x", "h0"}, "40"),
    "one clipped": (lambda g: {"W": np.clip(g["W"], -0.5, 0.5)}, "clipped", {"W"}, "0.5"),
    "norm of all": (lambda g: bounded(g, "WUVb", 3.0), "clipped", set("WUVb"), "norm of at most 3,"),
    "norm of one": (lambda g: bounded(g, "U", 7.5), "clipped", {"U"}, "norm of at most 7.5."),
    "zeros": (lambda g: {"V": 0 * g["V"]}, "zero-gradient", {"V"}, "zero throughout"),
    "zeros for data": (lambda g: {"x": 0 * g["x"]}, "zero-gradient", {"x"}, "zero throughout"),
    "phantom": (lambda g: {"unread": g["U"]}, "phantom-gradient", {"unread"}, "does not use it"),
    "exchanged": (lambda g: {"U": g["V"], "V": g["U"]}, "gradients-exchanged", {"U", "V"}, "exchanged"),
    "transposed": (lambda g: {"U": g["U"].T, "V": g["V"].T}, "transpose", {"U", "V"}, "the transpose"),
    "scaled": (lambda g: {"b": 0.3 * g["b"]}, "wrong-scale", {"b"}, "0.3 times"),
    "a part that is some other size": (lambda g: {"b": g["b"] / 4}, "wrong-scale", {"b"}, "1/4 of"),
    "doubled": (lambda g: {"W": 2 * g["W"], "b": 2 * g["b"]}, "double-counted", {"W", "b"}, "2 times"),
    "negated": (lambda g: {"h0": -g["h0"]}, "sign", {"h0"}, "opposite sign"),
    "a mean over time": (lambda g: {"W": g["W"] / len(g["x"])}, "mean-for-sum", {"W"}, "1/5"),
    "begun elsewhere": (lambda g: {"b": g["b"] + 0.1}, "bad-accumulator", {"b"}, "every cotangent"),
}


def drawn(T: int = 5) -> Grads:
    rng = np.random.default_rng(5)
    return {name: rng.normal(size=(T, *shape[1:]) if name == "x" else shape) / 2 for name, shape in SHAPES.items()}


@pytest.fixture(autouse=True)
def _no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers alone are asked here; how far the mending of a text comes in half a second depends on the machine."""
    monkeypatch.setattr("symrnn.gradients.check.repair", lambda *asked: Repair(left=frozenset(asked[2])))


def report_of(change: Change) -> Any:
    return check_gradients(forward, lambda dh, cache: (g := right(dh, cache)) | change(g), drawn(), budget=0.5)


def test_the_pass_itself_is_right() -> None:
    assert report_of(lambda g: {}).passed


@pytest.mark.sampled(8)
@pytest.mark.parametrize("planted", CERTAIN)
def test_a_proved_mistake_is_a_mistake_without_a_cell(planted: str) -> None:
    change, tag, names, words = CERTAIN[planted]
    report = report_of(change)
    assert not report.cell
    assert report.mistakes == (tag,)
    assert {name for one in report.diagnoses for name in one.gradients} == names
    assert all(words in one.sentence for one in report.diagnoses)
    assert not report.unexplained
    assert "looks like" not in str(report)


UNPROVED: dict[str, Change] = {
    "noise": lambda g: {"W": g["W"] * (1 + 0.1 * np.sin(np.arange(24).reshape(6, 4)))},
    "clipped, and doubled": lambda g: {"W": np.clip(2 * g["W"], -1, 1)},
    "a bounded function": lambda g: {"U": np.tanh(1e-3 * g["U"])},
    "one zero row": lambda g: {"U": g["U"] * (np.arange(6) > 0)[:, None]},
    "half of the entries": lambda g: {"b": g["b"] * np.array([1, 2, 1, 2, 1, 2])[:, None]},
}


@pytest.mark.parametrize("planted", UNPROVED)
def test_what_is_not_proved_is_no_mistake(planted: str) -> None:
    report = report_of(UNPROVED[planted])
    assert not report.passed
    assert not report.diagnoses
    assert report.unexplained


@pytest.mark.parametrize(
    ("change", "certain"),
    [
        (lambda v: np.clip(v, -0.3, 0.3), True),
        (lambda v: np.clip(v, -0.3, 0.3) * (1 - 2 * (np.arange(v.size).reshape(v.shape) == 3)), False),
        (lambda v: np.sign(v) * 0.3, False),
    ],
)
def test_a_clipped_gradient_of_a_loss_is_compared_with_the_truth(change: Any, certain: bool) -> None:
    def chunk(x: Array, targets: Array, W: Array) -> Any:
        a = np.tanh(x @ W)
        return ((a - targets) ** 2).sum(), change(x.T @ (2 * (a - targets) * (1 - a**2)))

    rng = np.random.default_rng(1)
    made = {"x": rng.normal(size=(3, 4)), "targets": rng.normal(size=(3, 6)), "W": rng.normal(size=(4, 6))}
    report = check_gradients(*from_loss(chunk, made, ["W"]))
    assert not report.passed
    assert (report.mistakes == ("clipped",)) is certain, report
    if certain:
        assert "[-0.3, 0.3]" in report.diagnoses[0].sentence
