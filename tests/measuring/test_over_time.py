"""Gradients that are right for one step and wrong for two: the classes that fit, each by a planted mistake."""

import numpy as np
import pytest

from symrnn.callables.subject import Subject
from symrnn.findings.findings import Verdict
from symrnn.measuring.verdicts import judge


def forward(x, h0, W, U, b):
    """No cell of the library."""
    hs = [h0]
    for x_t in x:
        a = np.tanh(x_t @ W + hs[-1] @ U + b)
        hs.append(a / (1 + a * a))
    return np.stack(hs[1:]), (x, hs, W, U, b)


def backward(mistake):
    def pull(dhs, cache):
        x, hs, W, U, b = cache
        gs = [np.tanh(x[t] @ W + hs[t] @ U + b) for t in range(len(x))]
        dW, dU, db, dx, dh = 0 * W, 0 * U, 0 * b, 0 * x, 0 * hs[0]
        for t in reversed(range(len(x))):
            g = gs[{"stale": 0, "last cache": -1}.get(mistake, t)]
            a = (dhs[t] + dh) * ((1 - g**2) / (1 + g**2)) ** 2
            if mistake == "assigned":
                dW, dU, db = 0 * W, 0 * U, 0 * b
            if mistake == "assigned bias":
                db = 0 * b
            before = hs[max(t - 1, 0)] if mistake == "index" else hs[t]
            if (mistake, t - len(x)) == ("last left out", -1):
                pass
            elif (mistake, t) != ("left out", 0) and (mistake != "last only" or t == len(x) - 1):
                dW, dU, db = dW + x[t].T @ a, dU + before.T @ a, db + (a * (1, t)[mistake == "by time"]).sum(0)
            dx[t] = a @ W.T
            dh = 0 * dh if mistake == "cut" else a @ U.T
        return dx, dh, dW, dU, db

    return pull


def inputs(rng, T=4, N=3):
    shapes = {"x": (T, N, 2), "h0": (N, 4), "W": (2, 4), "U": (4, 4), "b": (4,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


CASES = {
    "cut": ("WUbx", "recurrent-path-cut", "gradient of x is zero at the first: nothing is carried back", set()),
    "assigned": ("WU", "missing-accumulation", "rank is 1", set()),
    "assigned bias": ("b", "", "that of x, h0 is right", set()),
    "last only": ("WUb", "missing-accumulation", "first step alone gives zero", set()),
    "index": ("U", "", "several steps are in its sum", set()),
    "stale": ("WUbx", "", "with a cotangent on the last step alone that of", set()),
    "last cache": ("WUb", "stale-cache", "changes with x at the second step", {"wrong-time-index"}),
    "left out": ("WU", "missing-accumulation", "the first step is left out", set()),
    "last left out": ("WU", "", "for a sequence of one step it is zero, and should not be", set()),
    "by time": ("b", "", "for a sequence of one step it is zero, and should not be", set()),
}


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("mistake", CASES)
def test_mistakes_over_time_are_told_apart(mistake, fixed):
    names, tag, evidence, others = CASES[mistake]
    made = inputs(np.random.default_rng(0)) if fixed else inputs
    found = {one.name: one for one in judge(Subject(forward, backward(mistake), made))}
    for name in names:
        assert found[name].verdict is Verdict.WRONG
        hits = [one for one in found[name].suggestions if evidence in one.sentence]
        assert [(one.mistake, set(one.others)) for one in hits] == [(tag, others)], found[name].suggestions


def test_the_path_is_not_called_cut_where_it_is_not():
    for mistake in ("assigned", "assigned bias", "last only", "index", "last cache", "left out"):
        for finding in judge(Subject(forward, backward(mistake), inputs)):
            assert "recurrent-path-cut" not in [one.mistake for one in finding.suggestions], (mistake, finding)


def test_the_right_one_is_right():
    assert {one.verdict for one in judge(Subject(forward, backward(""), inputs))} == {Verdict.RIGHT}
