"""The one black box: called with copies, counted once for all its views, and left as it was by every one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symrnn.gradients.recognition as recognition
from symrnn import check_gradients, identify
from symrnn.callables.black_box import BlackBox
from symrnn.callables.invocation import SubjectError
from symrnn.callables.probe import Probe
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from tests.callables.implementations import rnn_backward, rnn_forward, rnn_inputs

Array = np.ndarray
RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 4))


def forward(x: Array, W: Array) -> Array:
    return np.tanh(x @ W)


def backward(dh: Array, x: Array, W: Array) -> tuple[Array, Array]:
    a = dh * (1 - np.tanh(x @ W) ** 2)
    return a @ W.T, x.T @ a


def test_forward_gets_copies_and_what_it_changes_is_told() -> None:
    def changing(x: Array, W: Array) -> Array:
        x *= 2
        return np.tanh(x @ W)

    own = {"x": X.copy(), "W": W.copy()}
    box = BlackBox(changing, own)
    run = box.run({})
    assert run.changed == ("x",)
    np.testing.assert_array_equal(own["x"], X)
    np.testing.assert_array_equal(run.outputs, np.tanh(2 * X @ W))
    assert [problem.kind for problem in box.problems] == ["inputs-changed"]
    assert box.calls.forward == 1


def test_other_arrays_go_into_their_leaves_and_nowhere_else() -> None:
    box = BlackBox(lambda params, x: x @ params["W"] + params["b"][0], {"params": {"W": W, "b": (X[0],)}, "x": X})
    assert list(box.arrays) == ["params['W']", "params['b'][0]", "x"]
    np.testing.assert_allclose(box.run({"params['b'][0]": X[1]}).outputs, X @ W + X[1])
    np.testing.assert_allclose(box.run({}).outputs, X @ W + X[0])


def test_single_precision_is_tried_where_double_is_refused_and_only_until_it_ran() -> None:
    seen: list[Any] = []

    def single(x: Array) -> Array:
        seen.append(x.dtype)
        if x.dtype != np.float32 or x[0] > 100:
            raise TypeError("float32, and small")
        return 2 * x

    box = BlackBox(single, {"x": X[0].astype(np.float32)})
    assert box.run({}).outputs.dtype == np.float32
    assert seen == [np.float64, np.float32]
    with pytest.raises(SubjectError, match="and small"):
        box.run({"x": np.full(4, 200.0)})
    assert seen[2:] == [np.float32]
    with pytest.raises(SubjectError, match="float32"):  # what is given in double precision is not made less
        BlackBox(single, {"x": X[0]}).run({})


def test_views_are_new_objects_that_count_together() -> None:
    subject = Subject(forward, backward, {"x": X, "W": W})
    before = {name: value for name, value in vars(subject).items() if name != "calls"}
    held = subject.holding({"W": np.eye(4)})
    placed = subject.placing({"x": "W", "W": "x"})
    calls = subject.forward_calls
    held.outputs(), placed.gradients({}, subject.zeros()), placed.unnoticed().note("odd", "elsewhere")
    assert (subject.forward_calls, subject.backward_calls) == (calls + 2, 1)
    assert held.forward_calls == placed.forward_calls == subject.forward_calls
    assert {name: value for name, value in vars(subject).items() if name != "calls"} == before
    assert subject.problems == placed.problems == []


def test_held_arrays_are_fixed_and_have_no_gradient() -> None:
    held = Subject(forward, backward, {"x": X, "W": W}).holding({"W": np.eye(4)})
    assert held.names == ("x",)
    np.testing.assert_allclose(held.answer["output"], np.tanh(X))
    np.testing.assert_allclose(held.outputs({"W": W})["output"], np.tanh(X))
    dh = RNG.normal(size=X.shape)
    found = held.gradients({}, {"output": dh})
    assert list(found) == ["x"]
    np.testing.assert_allclose(found["x"], dh * (1 - np.tanh(X) ** 2))


def test_exchanged_gradients_are_read_in_their_places() -> None:
    swapped = Subject(forward, lambda dh, x, W: backward(dh, x, W)[::-1], {"x": W, "W": W.T.copy()})
    cotangents = {"output": RNG.normal(size=W.shape)}
    wrong = swapped.gradients({}, cotangents)
    right = swapped.placing({"x": "W", "W": "x"}).gradients({}, cotangents)
    np.testing.assert_array_equal(right["x"], wrong["W"])
    np.testing.assert_array_equal(right["W"], wrong["x"])


def test_a_probe_asks_the_black_box_around_its_own_arrays() -> None:
    box = BlackBox(lambda params, x: (x @ params, [x, params[0]]), {"params": W, "x": X})
    probe = Probe(box, {"weights": 2 * W}, {"weights": "params"})
    np.testing.assert_allclose(probe.answer["output[0]"], X @ (2 * W))
    assert list(probe.answer) == ["output[0]"]  # the rest holds an argument: a cache
    assert any("taken for a cache" in remark for remark in probe.remarks)
    asked = probe(weights=0 * W)
    assert asked is not None
    assert not asked["output[0]"].any()
    assert (probe.asked, box.calls.forward) == (3, 3)
    assert probe(weights=W[:, :2]) is not None
    assert probe(weights=W[:2]) is None  # it raises there
    assert probe.tolerance == 1e-9


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda x: "text", "returns no array"),
        (lambda x: np.nan * x, "NaN or infinity"),
        (lambda x: x + np.random.default_rng().normal(), "not deterministic"),
    ],
)
def test_what_cannot_be_asked_is_said_with_a_remedy(function: Any, text: str) -> None:
    with pytest.raises(InputError, match=text) as raised:
        identify(function, {"x": X})
    assert "\n  " in str(raised.value)


def wrong_backward(*cotangents: Any) -> Any:
    dx, dh, dW, dU, db = rnn_backward(*cotangents)
    return dx, dh, dW, 2 * dU, db


def test_a_check_makes_one_black_box_and_derives_a_cell_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[BlackBox] = []
    derived: list[str] = []
    real, derive = BlackBox.__init__, recognition.derive

    def counting(self: BlackBox, *arguments: Any, **named: Any) -> None:
        made.append(self)
        real(self, *arguments, **named)

    def derive_counted(cell: Any) -> Any:
        derived.append(cell.name)
        return derive(cell)

    monkeypatch.setattr(BlackBox, "__init__", counting)
    monkeypatch.setattr(recognition, "derive", derive_counted)
    report = check_gradients(rnn_forward, wrong_backward, rnn_inputs)
    assert report.cell == "rnn"
    assert report.diagnoses
    assert len(made) == 1
    assert report.calls == (made[0].calls.forward, made[0].calls.backward)
    assert derived == ["rnn"]
