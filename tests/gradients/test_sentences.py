"""The law of reports: every sentence is true, decided by gradients (`reading`), whatever was planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables.subject import Subject
from symrnn.findings.findings import Verdict
from symrnn.findings.report import GradientReport
from tests.diagnosis.corpus import NAMES, load
from tests.diagnosis.diagnosing import sample
from tests.gradients.reading import Reading, false_sentences
from tests.gradients.test_certain import CERTAIN, SHAPES, UNPROVED, Grads, forward, right

Array = np.ndarray


def make(rng: np.random.Generator, T: int = 5, N: int = 2) -> Grads:
    sizes = {"x": (T, 4, N), "h0": (6, N)}
    return {name: rng.normal(size=sizes.get(name, shape)) / 2 for name, shape in SHAPES.items()}


def pulled(dhs: Array, cache: Any, slip: str) -> Grads:
    """The backward pass of `forward` with a slip in its loop."""
    x, hs, W, U, V, b = cache
    last = len(x) - 1
    dx, back = np.zeros_like(x), np.zeros_like(hs[0])
    d = {name: np.zeros_like(one) for name, one in {"W": W, "U": U, "V": V, "b": b}.items()}
    for t in reversed(range(len(x))):
        g = dhs[t] + (0 if slip == "cut" else back)
        s = {"stale": 0, "last cache": last, "one late": min(t + 1, last)}.get(slip, t)
        a = g * np.cos(W @ x[s] + U @ hs[s] + b)
        if slip == "raw":
            a = g
        read = {"next state": hs[t + 1], "first state": hs[0], "zero state": hs[t] * (t > 0)}.get(slip, hs[t])
        if not (slip == "no first" and t == 0) and not (slip == "no last" and t == last):
            keep = 0 if slip == "assigned" else 1
            d["W"], d["U"] = keep * d["W"] + a @ x[t].T, keep * d["U"] + a @ read.T
            d["b"] = (0 if slip == "assigned bias" else keep) * d["b"] + a.sum(axis=1, keepdims=True)
            d["V"] = keep * d["V"] + g @ (0.1 * hs[t] ** 2).T
        dx[t] = W.T @ (dhs[t] * np.cos(W @ x[t] + U @ hs[t] + b) if slip == "direct" else a)
        one = 0 if slip == "one way" else 0.2 * hs[t] * (V.T @ g)
        back = (U if slip == "turned" else U.T) @ a + one
    return d | {"x": dx, "h0": back, "unread": np.zeros_like(U)}


LOOPS = (
    "cut", "stale", "last cache", "one late", "raw", "next state", "first state", "zero state", "no first", "no last",
    "assigned", "assigned bias", "direct", "one way", "turned",
)  # fmt: skip
CHANGES: dict[str, Callable[[Grads], Grads]] = {
    **{name: change for name, (change, *_) in CERTAIN.items()},
    **UNPROVED,
    "reversed in time": lambda g: {"x": g["x"][::-1]},
    "a step late": lambda g: {"x": np.roll(g["x"], 1, 0)},
    "the same for both": lambda g: {"U": g["V"]},
    "only the first step": lambda g: {"x": g["x"] * (np.arange(len(g["x"])) == 0)[:, None, None]},
    "three rows doubled": lambda g: {"W": g["W"] * np.array([1, 1, 1, 2, 2, 2])[:, None]},
    "three rows of others": lambda g: {"W": np.concatenate([g["W"][3:], g["W"][3:]])},
    "zero but one": lambda g: {"W": 0 * g["W"], "U": g["U"] + 1},
    "a mean over examples": lambda g: {"b": g["b"] / g["x"].shape[2]},
    "a mean over examples of the rest": lambda g: {n: g[n] / g["x"].shape[2] for n in "WUVb"},
    "all zero": lambda g: {n: 0 * v for n, v in g.items()},
    "everything by 1 + 1e-6": lambda g: {n: v * (1 + 1e-6) for n, v in g.items()},
}


CORNERS: dict[str, Callable[[Grads], bool]] = {
    "one step": lambda x: x["x"].shape[0] == 1,
    "two steps": lambda x: x["x"].shape[0] == 2,
    "many steps": lambda x: x["x"].shape[0] >= 7,
    "one example": lambda x: x["x"].shape[2] == 1,
    "four examples": lambda x: x["x"].shape[2] >= 4,
    "a state of zero": lambda x: not x["h0"].any(),
    "small values": lambda x: float(np.abs(x["x"]).max()) < 0.2,
    "large values": lambda x: float(np.abs(x["x"]).max()) > 4,
}


def reading(wrong: Any, **options: Any) -> Reading:
    report = check_gradients(forward, wrong, make, budget=0.3, **options)
    return Reading(Subject(forward, right, make), Subject(forward, wrong, make), report)


def test_the_pass_with_no_slip_is_the_right_one() -> None:
    assert check_gradients(forward, lambda dh, cache: pulled(dh, cache, ""), make).passed


@pytest.mark.sampled(16)
@pytest.mark.parametrize("slip", LOOPS)
def test_what_is_said_of_a_slip_in_the_loop_is_true(slip: str) -> None:
    found = reading(lambda dh, cache: pulled(dh, cache, slip))
    assert found.report.wrong
    assert false_sentences(found) == []


@pytest.mark.sampled(32)
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_said_of_changed_gradients_is_true(change: str) -> None:
    found = reading(lambda dh, cache: (g := right(dh, cache)) | CHANGES[change](g))
    assert found.report.wrong
    assert false_sentences(found) == []


BOTH = (
    ("assigned bias", "norm of all"),
    ("no first", "clipped"),
    ("turned", "transposed"),
    ("cut", "doubled"),
    ("next state", "zeros for data"),
    ("one late", "a mean over time"),
)


@pytest.mark.parametrize(("slip", "change"), BOTH[::3])
def test_what_is_said_of_two_mistakes_is_true(slip: str, change: str) -> None:
    found = reading(lambda dh, cache: (g := pulled(dh, cache, slip)) | CHANGES[change](g))
    assert found.report.wrong
    assert false_sentences(found) == []


@pytest.mark.sampled(8)
@pytest.mark.parametrize("corner", CORNERS)
def test_what_is_wrong_in_a_corner_is_said_to_be(corner: str) -> None:
    """Right at the inputs given: one number of steps, one of examples, states that are not zero, usual values."""

    def backward(dh: Array, cache: Any) -> Grads:
        g = right(dh, cache)
        return g | (
            {"W": g["W"] * 0.5, "b": g["b"] * 1.5} if CORNERS[corner]({"x": cache[0], "h0": cache[1][0]}) else {}
        )

    found = reading(backward)
    assert found.report.verdict is Verdict.WRONG
    assert {finding.name for finding in found.report.wrong} == {"W", "b"}
    assert "right at the inputs given, and wrong for" in str(found.report)
    assert false_sentences(found) == []


def test_the_reader_sees_what_is_false() -> None:
    """Sentences about one wrong pass, read beside another one, are not true."""
    told = {
        slip: reading(lambda dh, cache, slip=slip: pulled(dh, cache, slip)) for slip in ("cut", "assigned", "no first")
    }
    mixed = [(a, b) for a in told for b in told if a != b]
    for a, b in mixed:
        assert false_sentences(Reading(told[a].right, told[a].wrong, told[b].report)), (a, b)


CHOSEN = [name for name in NAMES if load(name).cell][1::4]


def unchanged(name: str) -> Any:
    """A mistake in the backward pass alone: where forward is changed, the right backward pass is another one."""
    true = load(name)
    inputs = true.make_inputs(np.random.default_rng(0), 4, 3)
    before = Subject(true.forward, true.backward, inputs).answer
    for planted in sample(name, 1, 8):
        loaded = load(name, *planted)
        after = Subject(loaded.forward, loaded.backward, inputs).answer
        if all(np.array_equal(after[path], value) for path, value in before.items()):
            return loaded
    raise AssertionError(name)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", CHOSEN)
def test_what_is_said_of_a_layer_is_true(name: str) -> None:
    true, loaded = load(name), unchanged(name)
    report: GradientReport = check_gradients(loaded.forward, loaded.backward, loaded.make_inputs)
    right_one = Subject(true.forward, true.backward, true.make_inputs)
    found = Reading(right_one, Subject(loaded.forward, loaded.backward, loaded.make_inputs), report)
    assert report.diagnoses
    assert false_sentences(found) == []
