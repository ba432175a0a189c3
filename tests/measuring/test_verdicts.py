"""Right implementations are right; every signature is planted, found, and not seen where it is not."""

import re
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from symrnn.findings.findings import Verdict
from symrnn.findings.report import GradientReport
from symrnn.findings.sentences import describe_worst
from symrnn.measuring.evidence import DirectionalProduct, Evidence
from symrnn.measuring.truth import COMPLEX_STEP, DIFFERENCES, Slopes, Truth
from symrnn.measuring.verdicts import judge, measure
from tests.callables.implementations import PAIRS, H, rnn_backward, rnn_forward, rnn_inputs, sig


def judged(forward, backward, inputs, **options):
    subject = Subject(forward, backward, inputs, **options)
    return {finding.name: finding for finding in judge(subject)}, subject


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("fixed", [False, True])
def test_right_implementations_are_right(name, fixed):
    forward, backward, make = PAIRS[name]
    found, subject = judged(forward, backward, make(np.random.default_rng(3)) if fixed else make)
    assert list(found) == list(subject.arrays)
    assert {one.verdict for one in found.values()} == {Verdict.RIGHT}
    assert max(one.error for one in found.values()) < 1e-9
    assert not any(one.suggestions or one.worst for one in found.values())
    assert subject.problems == []


@pytest.mark.parametrize(("name", "method"), [("rnn", COMPLEX_STEP), ("lstm", DIFFERENCES), ("gru", COMPLEX_STEP)])
def test_the_method_follows_from_what_forward_takes(name, method):
    """The LSTM writes into a preallocated real array, which drops imaginary parts."""
    assert measure(Subject(*PAIRS[name])).method == method


def changed(change):
    """The right backward pass of the RNN with its gradients changed: dx, dh, dW, dU, db -> the same."""

    def backward(dhs, dh_T, cache):
        grads = dict(zip(("x", "h0", "W", "U", "b"), rnn_backward(dhs, dh_T, cache), strict=True))
        change(grads)
        return grads

    return backward


def cut(dhs, dh_T, cache):
    x, h0, W, U, hs = cache
    a = dhs * (1 - np.stack(hs) ** 2)
    a[-1] += dh_T * (1 - hs[-1] ** 2)
    before = np.stack([h0, *hs[:-1]])
    sums = np.einsum("tni,tnj->ij", x, a), np.einsum("tni,tnj->ij", before, a), a.sum((0, 1))
    return a @ W.T, a[0] @ U.T, *sums


def mean(dhs, dh_T, cache):
    grads = list(rnn_backward(dhs, dh_T, cache))
    return *grads[:-1], grads[-1] / dhs.shape[1]


def stateless(dhs, dh_T, cache):
    """DU reads zero in place of the initial state."""
    grads = list(rnn_backward(dhs, dh_T, cache))
    x, h0, W, U, hs = cache
    return *grads[:3], rnn_backward(dhs, dh_T, (x, 0 * h0, W, U, hs))[3], grads[4]


PLANTED = {
    "zeros": (changed(lambda g: g.update(U=0 * g["U"])), "U", "zero-gradient", "zero throughout"),
    "twice": (changed(lambda g: g.update(W=2 * g["W"])), "W", "double-counted", "exactly 2 times"),
    "sign": (changed(lambda g: g.update(b=-g["b"])), "b", "sign", "opposite sign"),
    "factor": (changed(lambda g: g.update(b=0.7 * g["b"])), "b", "wrong-scale", "exactly 0.7 times"),
    "half": (changed(lambda g: g.update(x=g["x"] / 2)), "x", "wrong-scale", "exactly 0.5 times"),
    "mean over N": (mean, "b", "mean-for-sum", "exactly 1/3"),
    "mean over T": (
        changed(lambda g: g.update(b=g["b"] / len(g["x"]))), "b", "mean-for-sum", "1/5 .* axis 0 of output"
    ),
    "times N": (changed(lambda g: g.update(b=g["b"] * 3)), "b", "wrong-scale", "3 is the size"),
    "transposed": (changed(lambda g: g.update(U=g["U"].T)), "U", "transpose", "transpose is the right"),
    "reversed": (changed(lambda g: g.update(x=g["x"][::-1])), "x", "wrong-time-index", "reversed"),
    "shifted": (changed(lambda g: g.update(x=np.roll(g["x"], 1, 0))), "x", "wrong-time-index", "moved by one"),
    "clipped": (changed(lambda g: g.update(U=np.clip(g["U"], -1, 1))), "U", "clipped",
        r"entries are ±1.*small .*right"),
    "noise": (changed(lambda g: g.update(W=g["W"] + 0.25)), "W", "bad-accumulator", "without that it is right"),
    "slice": (changed(lambda g: g["U"].__setitem__((slice(None), slice(2, 4)), 0)), "U",
        "", "columns 2 to 3 of 6 are wrong, .*and zero; the rest is right"),
    "block": (changed(lambda g: g["b"].__setitem__(slice(2, 4), 3 * g["b"][2:4])), "b", "wrong-scale", "block 2 of 3"),
    "swapped block": (changed(lambda g: g["W"].__setitem__((slice(None), slice(0, 3)), g["W"][:, 3:])), "W",
        "gate-swapped", "columns 0 to 2 of 6 .* equal to 3 to 5"),
    "first step": (changed(lambda g: g["x"].__setitem__(0, g["x"][0] ** 2)), "x", "", "number 0 of 5 is wrong"),
    "cut": (cut, "W", "recurrent-path-cut", "one step and wrong for two"),
    "start": (stateless, "U", "initial-state", "right where h0 is zero; from another"),
}  # fmt: skip


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("plant", PLANTED)
def test_planted_mistakes_are_found_and_named(plant, fixed):
    backward, name, mistake, sentence = PLANTED[plant]
    found, _ = judged(rnn_forward, backward, rnn_inputs(np.random.default_rng(0)) if fixed else rnn_inputs)
    finding = found[name]
    assert finding.verdict is Verdict.WRONG
    hits = [one for one in finding.suggestions if one.mistake == mistake]
    assert any(re.search(sentence, one.sentence) for one in hits), finding.suggestions
    others = [one for one in found.values() if one.name != name]
    assert plant == "cut" or all(one.verdict is Verdict.RIGHT and not one.suggestions for one in others)
    assert finding.worst is not None
    assert finding.norm_ratio is not None


def test_the_worst_entry_is_found_with_both_values():
    found, subject = judged(rnn_forward, changed(lambda g: g["U"].__setitem__((2, 5), 100.0)), rnn_inputs)
    worst = found["U"].worst
    right = Truth(subject, measure(subject).evidence.cotangents).entries("U", [(2, 5)])[0][0]
    assert (worst.index, worst.got) == ((2, 5), 100.0)
    assert worst.expected == pytest.approx(right, rel=1e-12)


def test_a_gradient_of_another_gate_is_told():
    def forward(A, B):
        return np.tanh(A) * B**2, (A, B)

    def backward(dy, cache):
        A, B = cache
        both = dy * np.tanh(A) * 2 * B
        return both, both

    inputs = {name: np.random.default_rng(1).normal(size=(4, 3)) for name in "AB"}
    found, _ = judged(forward, backward, inputs)
    assert found["B"].verdict is Verdict.RIGHT
    (suggestion,) = found["A"].suggestions
    assert suggestion.mistake == "gate-swapped"
    assert "equals the gradient of B in every entry; that of B is right" in suggestion.sentence


def test_a_common_factor_names_the_others():
    def clipped_norm(dhs, dh_T, cache):
        return tuple(0.1 * g for g in rnn_backward(dhs, dh_T, cache))

    found, _ = judged(rnn_forward, clipped_norm, rnn_inputs)
    assert all("exactly 0.1 times" in one.suggestions[0].sentence for one in found.values())
    assert "so are those of x, h0, U, b" in found["W"].suggestions[0].sentence


def test_an_inactive_clip_is_seen_by_larger_cotangents():
    found, _ = judged(rnn_forward, changed(lambda g: g.update(U=np.clip(g["U"], -1e3, 1e3))), rnn_inputs)
    finding = found["U"]
    assert finding.verdict is Verdict.WRONG
    assert "right for cotangents of order one" in finding.criterion
    assert finding.suggestions[0].mistake == "clipped"
    assert abs(finding.worst.got) == 1e3


def test_a_norm_clip_is_seen():
    def backward(dhs, dh_T, cache):
        grads = rnn_backward(dhs, dh_T, cache)
        return tuple(g * min(1.0, 1 / np.linalg.norm(g)) for g in grads)

    found, _ = judged(rnn_forward, backward, rnn_inputs)
    assert {one.suggestions[0].mistake for one in found.values()} == {"clipped"}


def test_a_gradient_of_something_unread():
    found, _ = judged(
        lambda x, V: (x**2, x), lambda dy, cache: (2 * cache * dy, np.ones(2)), {"x": np.ones(3), "V": np.ones(2)}
    )
    assert found["x"].verdict is Verdict.RIGHT
    assert "phantom-gradient" in [one.mistake for one in found["V"].suggestions]


def test_a_kink_is_no_mistake():
    def backward(dy, cache):
        return dy * (cache > 0), dy * np.sign(cache)

    def forward(x, y):
        return np.maximum(x, 0) + np.abs(y), x

    inputs = {"x": np.array([0.0, 1.0, -2.0]), "y": np.array([0.0, 1.0, -2.0])}
    found, _ = judged(forward, backward, inputs)
    assert {one.verdict for one in found.values()} <= {Verdict.KINK, Verdict.RIGHT}
    assert found["x"].verdict is Verdict.KINK
    away = {name: array + 0.5 for name, array in inputs.items()}
    assert all(one.verdict is Verdict.RIGHT for one in judged(forward, backward, away)[0].values())
    wrong = judged(forward, lambda dy, cache: (3 * dy * (cache > 0), dy * np.sign(cache)), away)[0]
    assert wrong["x"].verdict is Verdict.WRONG


def test_single_precision_is_rounding_and_no_excuse():
    def forward(x, W):
        return np.tanh(x.astype(np.float32) @ W.astype(np.float32)), (x, W)

    def backward(dh, cache, factor=1.0):
        x, W = cache
        a = (dh * (1 - np.tanh(x @ W) ** 2)).astype(np.float32)
        return (a @ W.T.astype(np.float32)) * np.float32(factor), x.T.astype(np.float32) @ a

    rng = np.random.default_rng(0)
    inputs = {"x": rng.normal(size=(3, 4)).astype(np.float32), "W": rng.normal(size=(4, 6)).astype(np.float32)}
    found, _ = judged(forward, backward, inputs)
    assert {one.verdict for one in found.values()} <= {Verdict.RIGHT, Verdict.ROUNDING}
    found, _ = judged(forward, lambda dh, cache: backward(dh, cache, 1.1), inputs)
    assert found["x"].verdict is Verdict.WRONG


def test_single_precision_inputs_are_run_in_double():
    inputs = {name: array.astype(np.float32) for name, array in rnn_inputs(np.random.default_rng(0)).items()}
    found, subject = judged(rnn_forward, rnn_backward, inputs)
    assert subject.epsilon < 1e-15
    assert {one.verdict for one in found.values()} == {Verdict.RIGHT}


def test_cancellation_is_rounding():
    """A bias before a softmax over it all: its gradient along ones is zero, and the rest is exact."""

    def forward(b, x):
        a = x + b
        e = np.exp(a - a.max())
        return e / e.sum(), e / e.sum()

    def backward(dy, cache):
        a = cache * (dy - (cache * dy).sum())
        return a.sum(), a

    found, _ = judged(forward, backward, {"b": np.array(0.3), "x": np.random.default_rng(0).normal(size=5)})
    assert found["b"].verdict in (Verdict.ROUNDING, Verdict.RIGHT)
    assert found["x"].verdict is Verdict.RIGHT


@pytest.mark.sampled(4)
@pytest.mark.parametrize("size", [1e-6, 10, 100])
@pytest.mark.parametrize("name", PAIRS)
def test_saturated_and_tiny_points_are_no_mistakes(name, size):
    """Where 1 - h² cancels, what the backward pass loses is rounding."""
    forward, backward, make = PAIRS[name]

    def scaled(tree):
        if isinstance(tree, dict):
            return {key: scaled(part) for key, part in tree.items()}
        return [scaled(part) for part in tree] if isinstance(tree, list) else size * tree

    found, _ = judged(forward, backward, scaled(make(np.random.default_rng(0))))
    assert {one.verdict for one in found.values()} <= {Verdict.RIGHT, Verdict.ROUNDING, Verdict.UNKNOWN}


def test_a_forward_in_single_precision_throughout():
    def forward(x, h0, W, U, b):
        return rnn_forward(*(array.astype(np.float32) for array in (x, h0, W, U, b)))

    def backward(dhs, dh_T, cache, factor=1.0):
        grads = rnn_backward(dhs, dh_T, cache)
        return (*grads[:2], np.float32(factor) * grads[2], *grads[3:])

    found, _ = judged(forward, backward, rnn_inputs)
    assert {one.verdict for one in found.values()} <= {Verdict.RIGHT, Verdict.ROUNDING}
    found, _ = judged(forward, lambda dhs, dh_T, cache: backward(dhs, dh_T, cache, 1.3), rnn_inputs)
    assert [one.name for one in found.values() if one.verdict is Verdict.WRONG] == ["W"]


def test_a_vanishing_gradient_is_still_checked():
    inputs = rnn_inputs(np.random.default_rng(0), T=40)
    inputs["U"] *= 0.05
    wrong = changed(lambda g: g.update(h0=3 * g["h0"]))

    def last(dh_T, cache):
        return wrong(np.zeros((40, 3, H)), dh_T, cache)

    def forward(**inputs):
        _, h, cache = rnn_forward(**inputs)
        return h, cache

    found, _ = judged(forward, last, inputs)
    assert found["h0"].verdict is Verdict.WRONG
    assert found["U"].verdict is Verdict.RIGHT


def test_one_entry_of_a_million():
    w = np.random.default_rng(0).normal(size=(1000, 1000))

    def backward(dy, cache):
        g = 2 * cache * dy
        g[617, 401] *= 1 + 1e-2
        return g

    found, subject = judged(lambda w: ((w**2).sum(), w), backward, {"w": w})
    assert found["w"].verdict is Verdict.WRONG
    assert found["w"].worst.index == (617, 401)
    assert "row 617 of 1000 is wrong" in found["w"].suggestions[0].sentence
    assert subject.forward_calls < 300
    right, _ = judged(lambda w: ((w**2).sum(), w), lambda dy, cache: 2 * cache * dy, {"w": w})
    assert right["w"].verdict is Verdict.RIGHT


@pytest.mark.parametrize("size", [(0,), (3, 0), ()])
def test_empty_arrays_and_scalars(size):
    found, _ = judged(
        lambda x, w: (x.sum() + w**2, w),
        lambda dy, w: (dy * np.ones(size), 2 * w * dy),
        {"x": np.ones(size), "w": np.array(3.0)},
    )
    assert found["w"].verdict is Verdict.RIGHT
    assert found["x"].verdict is (Verdict.RIGHT if size == () else Verdict.UNKNOWN)


@pytest.mark.parametrize("sizes", [{"T": 0}, {"N": 0}])
def test_where_there_is_nothing_nothing_can_be_told(sizes):
    found, subject = judged(rnn_forward_any, rnn_backward, rnn_inputs(np.random.default_rng(0), **sizes))
    assert found["x"].verdict is Verdict.UNKNOWN
    (said,) = [problem for problem in subject.problems if problem.kind == "empty"]
    assert "at least one step and one example" in said.sentence
    assert not GradientReport(tuple(found.values())).passed


def rnn_forward_any(x, h0, W, U, b):
    hs, h, cache = rnn_forward(x, h0, W, U, b) if len(x) else (np.zeros((0, *h0.shape)), h0, (x, h0, W, U, []))
    return hs, h, cache


def test_math_and_branches_are_differenced():
    import math

    def forward(x):
        return np.array([math.tanh(v) if v > 0 else v * v for v in x]), x

    found, subject = judged(
        forward, lambda dy, x: dy * np.where(x > 0, 1 - np.tanh(x) ** 2, 2 * x), {"x": np.array([0.5, -0.7, 1.5])}
    )
    assert found["x"].verdict is Verdict.RIGHT
    assert measure(subject).method == DIFFERENCES


def test_nan_in_a_gradient():
    found, subject = judged(rnn_forward, changed(lambda g: g["b"].__setitem__(1, np.nan)), rnn_inputs)
    assert found["b"].verdict is Verdict.WRONG
    assert found["b"].worst.index == (1,)
    assert "not-finite" in [problem.kind for problem in subject.problems]


# --- gradients that are not returned, or returned in another's place


def some(*places):
    """The RNN's backward pass, which returns these gradients only, by name."""

    def backward(dhs, dh_T, cache):
        grads = dict(zip(("x", "h0", "W", "U", "b"), rnn_backward(dhs, dh_T, cache), strict=True))
        return {f"d{name}": grads[name] for name in places}

    return backward


@pytest.mark.parametrize(
    ("returned", "missing"),
    [(("x", "h0", "W"), {"U", "b"}), (("h0", "W", "U", "b"), set()), (("x", "W", "U", "b"), {"h0"})],
)
def test_a_gradient_that_is_not_returned_is_no_right_one(returned, missing):
    found, _ = judged(rnn_forward, some(*returned), rnn_inputs)
    assert {name for name, one in found.items() if one.verdict is Verdict.MISSING} == missing
    report = GradientReport(tuple(found.values()))
    assert report.passed is not bool(missing)
    if missing:
        assert report.verdict is Verdict.MISSING
        assert f"{len(missing)} not returned" in report.summary
        assert sum("not returned" in line for line in str(report).splitlines()) == len(missing) + 1


def test_gradients_may_be_left_out_on_purpose():
    subject = Subject(rnn_forward, some("x", "h0", "W"), rnn_inputs, without=("U", "b"))
    assert {one.verdict for one in judge(subject)} == {Verdict.RIGHT}
    with pytest.raises(InputError, match="without: 'UU' is no input"):
        Subject(rnn_forward, some("x"), rnn_inputs, without=("UU",))


def test_what_the_outputs_do_not_depend_on_needs_no_gradient():
    found, _ = judged(
        lambda x, W, rate, unused: (x @ W, x),
        lambda dy, x: {"dW": x.T @ dy},
        {"x": np.ones((2, 3)), "W": np.ones((3, 2)), "rate": 0.1, "unused": np.ones(3)},
    )
    assert [(one.name, one.verdict) for one in found.values()] == [("W", Verdict.RIGHT)]


def test_misspelled_data_is_not_taken_for_left_out():
    def backward(dhs, dh_T, cache):
        dx, *rest = rnn_backward(dhs, dh_T, cache)
        return {"dxx": dx} | dict(zip(("dh0", "dW", "dU", "db"), rest, strict=True))

    found, _ = judged(rnn_forward, backward, rnn_inputs)
    assert found["x"].verdict is Verdict.MISSING


@pytest.mark.parametrize("D", [H, H - 2])
def test_exchanged_gradients_are_named(D):
    def backward(dhs, dh_T, cache):
        grads = rnn_backward(dhs, dh_T, cache)
        return [grads[place] for place in (0, 1, 3, 2, 4)]  # names in a `return` would be read

    made = rnn_inputs(np.random.default_rng(0))
    rng = np.random.default_rng(1)
    made |= {"x": rng.normal(size=(5, 3, D)), "W": rng.normal(size=(D, H))}
    found, _ = judged(rnn_forward, backward, made)
    for name, other in (("W", "U"), ("U", "W")):
        assert found[name].verdict is Verdict.WRONG
        (suggestion,) = found[name].suggestions
        assert suggestion.mistake == "gradients-exchanged"
        assert f"exchanged with that of {other}" in suggestion.sentence
    report = check_gradients(rnn_forward, backward, made)  # at once: there is nothing left to look for
    assert report.mistakes == ("gradients-exchanged",)
    assert "what is returned for U is the gradient of W; what is returned for W is" in report.diagnoses[0].sentence
    assert not report.unexplained
    assert report.calls[0] < 200


# --- what it costs


def gru(x, h0, W, U, b):
    """A GRU that writes into a buffer of floats, so that no complex step goes through it."""
    hs = np.zeros((len(x) + 1, *h0.shape))
    hs[0] = h0
    for t, x_t in enumerate(x):
        z, r = sig(x_t @ W[0] + hs[t] @ U[0] + b[0]), sig(x_t @ W[1] + hs[t] @ U[1] + b[1])
        hs[t + 1] = (1 - z) * np.tanh(x_t @ W[2] + (r * hs[t]) @ U[2] + b[2]) + z * hs[t]
    return hs[1:], None


def test_many_wrong_gradients_by_differences_take_a_bounded_number_of_calls():
    rng = np.random.default_rng(0)
    shapes = {"x": (5, 3, 4), "h0": (3, 6), "W": [(4, 6)] * 3, "U": [(6, 6)] * 3, "b": [(6,)] * 3}
    inputs = {
        name: [rng.normal(size=s) for s in shape] if isinstance(shape, list) else rng.normal(size=shape)
        for name, shape in shapes.items()
    }

    def backward(dhs, cache):
        return {name: rng_of(name, inputs[name]) for name in inputs}

    def rng_of(name, value):
        if isinstance(value, list):
            return [rng_of(name, part) for part in value]
        return np.random.default_rng(len(name) + value.size).normal(size=value.shape)

    found, subject = judged(gru, backward, inputs)
    assert len(found) == 11
    assert {one.verdict for one in found.values()} == {Verdict.WRONG}
    assert measure(subject).method == DIFFERENCES
    assert subject.forward_calls < 2 * 2000  # entry by entry, as precisely as the comparison: 6000 each time


def test_of_large_gradients_the_worst_entry_looked_at_is_called_that():
    arrays = {name: np.random.default_rng(n).normal(size=(300, 200)) for n, name in enumerate("ABCDEF")}

    def forward(**arrays):
        return sum((array**2).sum() for array in arrays.values()), arrays

    def backward(dy, cache):
        return {f"d{name}": 2.1 * dy * array for name, array in cache.items()}

    found, subject = judged(forward, backward, arrays)
    for finding in found.values():
        assert finding.verdict is Verdict.WRONG
        assert finding.worst.among is not None
        assert f"(the worst of {finding.worst.among} looked at)" in describe_worst(finding)
        assert finding.norm_ratio == pytest.approx(1.05)
    assert subject.forward_calls < 200
    found, _ = judged(rnn_forward, changed(lambda g: g.update(U=g["U"] ** 2)), rnn_inputs)
    assert found["U"].worst.among is None
    assert "looked at" not in describe_worst(found["U"])


@pytest.mark.parametrize("size", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("what", ["decay", "constant", "clip"])
def test_a_small_error_that_does_not_grow_with_the_cotangents_is_no_rounding(what: str, size: float) -> None:
    def forward(x: Any, W: Any) -> Any:
        return np.tanh(x @ W), (x, W)

    def backward(cotangent: Any, cache: Any) -> Any:
        x, W = cache
        delta = cotangent * (1 - np.tanh(x @ W) ** 2)
        dW = x.T @ delta
        bound = (1 - size) * np.abs(dW).max()
        wrong = {"decay": dW + size * W, "constant": dW + size, "clip": np.clip(dW, -bound, bound)}
        return delta @ W.T, wrong[what]

    rng = np.random.default_rng(0)
    inputs = {"x": rng.normal(size=(5, 4)), "W": rng.normal(size=(4, 3))}
    report = check_gradients(forward, backward, inputs, diagnose=False)
    assert [finding.verdict for finding in report.gradients] == [Verdict.RIGHT, Verdict.WRONG]


@pytest.mark.parametrize(
    ("errors", "error", "verdict"),
    [
        (3.5, 0.04, Verdict.UNKNOWN),  # within four errors of what one-sided differences say
        (4.5, 0.04, Verdict.WRONG),
        (3.5, 0.06, Verdict.WRONG),  # four errors are a good part of the gap: they say nothing
    ],
)
def test_one_sided_differences_that_bear_a_gradient_out_leave_it_open(
    monkeypatch: pytest.MonkeyPatch, errors: float, error: float, verdict: Verdict
) -> None:
    slope = 1 - errors * error
    monkeypatch.setattr(Evidence, "product", lambda *_: DirectionalProduct(got=1.0, expected=0.0, error=0.0, scale=1.0))
    monkeypatch.setattr(Truth, "slopes", lambda *_: Slopes(slope, slope, error))

    def forward(w: Any) -> Any:
        y = np.zeros(3)
        y[:] = 2 * w
        return y, None

    found, subject = judged(forward, lambda dy, cache: 2 * dy, {"w": np.array([0.3, -0.5, 0.8])})
    assert measure(subject).method == DIFFERENCES
    assert found["w"].verdict is verdict
