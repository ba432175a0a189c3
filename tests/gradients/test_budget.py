"""The verdicts do not wait for a search, and a search has an end."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients, derive
from symrnn.budget import OutOfTimeError, at_most, go_on, unlimited
from symrnn.callables.subject import Subject
from symrnn.diagnosis.resized import diagnose_resized
from symrnn.errors import InputError
from symrnn.identification import identify_probed
from symrnn.repairs.repair import Repair
from tests.gradients.test_told_once import Lstm

Array = np.ndarray


def delta_forward(q: Array, k: Array, v: Array, S: Array) -> Any:
    """Fast weights with the delta rule: no cell of the library, and many arrays that might be a cell's."""
    out, tape = [], []
    for q_t, k_t, v_t in zip(q, k, v, strict=True):
        e = v_t - np.einsum("nvk,nk->nv", S, k_t)
        tape.append((S, e))
        S = S + np.einsum("nv,nk->nvk", e, k_t)
        out.append(np.einsum("nvk,nk->nv", S, q_t))
    return np.stack(out), (q, k, tape, S)


def delta_backward(do: Array, cache: Any) -> Any:
    q, k, tape, S = cache
    dq, dk, dv, dS = np.zeros_like(q), np.zeros_like(k), np.zeros_like(do), np.zeros_like(S)
    for t in reversed(range(len(q))):
        before, e = tape[t]
        dq[t] = np.einsum("nvk,nv->nk", S, do[t])
        dS = dS + np.einsum("nv,nk->nvk", do[t], q[t])
        dv[t] = np.einsum("nvk,nk->nv", dS, k[t])
        dk[t] = np.einsum("nvk,nv->nk", dS, e)  # and what goes through e is missing
        dS, S = dS - np.einsum("nv,nk->nvk", dv[t], k[t]), before
    return dq, dk, dv, dS


def delta_inputs(rng: Any, T: int, N: int) -> dict[str, Array]:
    shapes = {"q": (T, N, 3), "k": (T, N, 3), "v": (T, N, 4), "S": (N, 4, 3)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def series_forward(x: Array, P: Array, Q: Array, s: Array) -> Any:
    """A series of numbers through columns that are all of one shape."""
    hs = [np.zeros((6, 1))]
    for number in x:
        hs.append(np.tanh(P * number + Q @ hs[-1] + s) + 0.1 * np.sin(hs[-1]))
    return np.stack(hs[1:]), (x, hs, Q, P, s)


def series_backward(dh: Array, cache: Any) -> Any:
    x, hs, Q, P, s = cache
    dP, dQ, ds, back = 0, 0, 0, 0
    for t in reversed(range(len(x))):
        d = dh[t] + back
        a = d * (1 - np.tanh(P * x[t] + Q @ hs[t] + s) ** 2)
        dP, dQ, ds, back = dP + a * x[t], dQ + a @ hs[t].T, ds + a, Q @ a + 0.1 * d * np.cos(hs[t])
    return {"P": dP, "Q": dQ, "s": ds}


def series_inputs(rng: Any, T: int, N: int) -> dict[str, Array]:
    shapes = {"x": (T, 1), "P": (6, 1), "Q": (6, 6), "s": (6, 1)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("forward", "backward", "inputs", "wrong"),
    [
        (delta_forward, delta_backward, delta_inputs, {"k"}),
        (series_forward, series_backward, series_inputs, {"P", "Q", "s"}),
    ],
)
def test_a_search_stops_when_its_time_is_over_and_says_so(
    forward: Any, backward: Any, inputs: Any, wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[set[str], float]] = []
    start = time.process_time()

    def early(verdicts: Any) -> None:
        seen.append(({one.name for one in verdicts.wrong}, time.process_time() - start))

    monkeypatch.setattr(
        "symrnn.gradients.check.repair", lambda *asked: Repair(left=frozenset(wrong))
    )  # no text at hand
    report = check_gradients(forward, backward, inputs, budget=1.5, early=early)
    ((names, at),) = seen
    assert names == wrong == {one.name for one in report.wrong}
    assert at < 5
    assert time.process_time() - start < at + 4  # what is short is not interrupted
    assert set(report.unexplained) == wrong
    (told,) = [problem.sentence for problem in report.problems if problem.kind == "unfinished"]
    assert "the cell was stopped after 1.5 s" in told
    assert "--budget 6" in told


def test_mending_that_is_cut_off_is_said_to_be() -> None:
    report = check_gradients(delta_forward, delta_backward, delta_inputs, budget=0.02)
    (told,) = [problem.sentence for problem in report.problems if problem.kind == "unfinished"]
    assert "what to write instead and the cell was stopped after 0.02 s" in told


@pytest.mark.long
def test_a_search_that_is_cut_off_says_nothing_that_is_false() -> None:
    cut = Lstm(slope=lambda g: 1 - g)
    whole = cut.report()
    assert not any(problem.kind == "unfinished" for problem in whole.problems)
    for budget in (0.01, 1.0, 3.0):
        report = check_gradients(cut.forward, cut.backward(), cut.inputs, budget=budget)
        assert [one.verdict for one in report.gradients] == [one.verdict for one in whole.gradients]
        assert set(report.mistakes) <= set(whole.mistakes)
        explained = {name.split("[")[0] for one in report.diagnoses for name in one.gradients}
        assert explained | set(report.unexplained) >= {one.name for one in whole.wrong}


@pytest.mark.parametrize("budget", [0, -1.0, True, "30", float("nan")])
def test_a_budget_is_a_number_of_seconds(budget: Any) -> None:
    with pytest.raises(InputError, match="budget="):
        check_gradients(delta_forward, delta_backward, delta_inputs, budget=budget)


def test_the_shorter_of_two_budgets_counts() -> None:
    go_on()
    with at_most(0), pytest.raises(OutOfTimeError), at_most(100):
        go_on()
    with at_most(0), unlimited():
        go_on()
    go_on()


def test_a_diagnosis_without_time_is_incomplete() -> None:
    """It ends with what it has, and raises nothing, wherever the time runs out."""

    def forward(x: Array, h0: Array, W: Array, U: Array) -> Any:
        hs = [h0]
        for x_t in x:
            hs.append(np.tanh(x_t @ W + hs[-1] @ U))
        return np.stack(hs[1:]), (x, hs, W, U)

    def backward(dhs: Array, cache: Any) -> Any:
        _x, hs, W, U = cache
        return dhs @ W.T, 0 * hs[0], 0 * W, 0 * U

    rng = np.random.default_rng(0)
    sizes = {"x": (4, 3, 2), "h0": (3, 5), "W": (2, 5), "U": (5, 5)}
    inputs = {name: rng.normal(size=size) for name, size in sizes.items()}
    subject = Subject(forward, backward, inputs)
    layout = identify_probed(subject.probe(), among=["rnn"]).layout
    assert layout is not None
    for seconds in (1e-9, 0.02, 0.1):
        with at_most(seconds):
            outcome = diagnose_resized(subject, layout, derive(layout.cell), 0)
        assert not outcome.complete or outcome.asked
    with at_most(1e-9):
        assert not diagnose_resized(subject, layout, derive(layout.cell), 0).complete
