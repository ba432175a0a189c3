"""Every way to call and to return, and everything odd about somebody's code, each with its own finding."""

import functools
import math
import random
import re
from types import SimpleNamespace

import numpy as np
import pytest

from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from symrnn.findings.findings import Verdict
from symrnn.measuring.verdicts import judge
from tests.callables.implementations import rnn_backward, rnn_forward, rnn_inputs

X, W = np.random.default_rng(0).normal(size=(3, 4)), np.random.default_rng(1).normal(size=(4, 4))
INPUTS = {"x": X, "W": W}


def plain(x, W):
    return np.tanh(x @ W)


def grads(dh, x, W):
    a = dh * (1 - np.tanh(x @ W) ** 2)
    return a @ W.T, x.T @ a


def with_cache(x, W):
    return np.tanh(x @ W), (x, W)


def from_cache(dh, cache):
    return grads(dh, *cache)


def two(x, W):
    h = np.tanh(x @ W)
    return h, h[-1] * 2, (x, W)


def two_back(dh, dlast, cache):
    dh = dh.copy()
    dh[-1] += 2 * dlast
    return grads(dh, *cache)


def summed(d, cache):
    return two_back(d["h"], d["last"], cache)


def named(x, W):
    return dict(zip(("h", "last", "cache"), two(x, W), strict=True))


def swapped_keywords(dlast, dh, cache):
    return two_back(dh, dlast, cache)


CALLS = {
    "cache": (with_cache, from_cache, {}),
    "no cache, inputs by name": (plain, lambda dh, x, W: grads(dh, x, W), {}),
    "inputs in another order": (plain, lambda W, g, x: grads(g, x, W), {}),
    "no cache, inputs as keywords": (plain, lambda dh, **inputs: grads(dh, **inputs), {}),
    "two outputs": (two, two_back, {}),
    "starred": (two, lambda *args: two_back(*args), {}),
    "starred, cache by keyword": (two, lambda *cotangents, cache: two_back(*cotangents, cache), {}),
    "cache first": (two, lambda cache, dh, dlast: two_back(dh, dlast, cache), {}),
    "unnamed cache": (with_cache, lambda dh, stuff: grads(dh, *stuff), {}),
    "dict of outputs": (named, swapped_keywords, {}),
    "a dict of cotangents": (named, summed, {}),
    "names told": (two, swapped_keywords, {"outputs": ("h", "last")}),
    "number told": (two, two_back, {"outputs": 2}),
    "indices told": (lambda x, W: (two(x, W)[2], *two(x, W)[:2]), lambda a, b, c: two_back(a, b, c),
        {"outputs": (1, 2)}),
    "cache told": (with_cache, lambda dh, v: grads(dh, *v), {"cache": True}),
    "no cache told": (lambda x, W: (plain(x, W), x @ W), lambda a, b, x, W: tuple(
        p + q for p, q in zip(grads(a, x, W), (b @ W.T, x.T @ b), strict=True)), {"cache": False}),
    "a dict is its own cache": (lambda x, W: {"h": plain(x, W), "x": x, "W": W},
        lambda dh, cache: grads(dh, cache["x"], cache["W"]), {}),
    "partial": (functools.partial(with_cache), functools.partial(from_cache), {}),
    "default parameter": (with_cache, lambda dh, cache, verbose=False: grads(dh, *cache), {}),
    "nested outputs": (lambda x, W: ((plain(x, W), x @ W), (x, W)), lambda d, cache: tuple(
        p + q for p, q in zip(grads(d[0], *cache), (d[1] @ cache[1].T, cache[0].T @ d[1]), strict=True)), {}),
    "a loss": (lambda x, W: (plain(x, W).sum(), (x, W)), lambda cache: grads(np.ones((3, 4)), *cache), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_ways_to_call(name):
    forward, backward, options = CALLS[name]
    subject = Subject(forward, backward, INPUTS, **options)
    assert [one.verdict for one in judge(subject)] == [Verdict.RIGHT] * 2
    assert subject.problems == []
    returned = subject.flat_forward(x=X, W=W)
    assert "cache" not in (returned if isinstance(returned, dict) else ())


class Bag(SimpleNamespace):
    pass


def returning(change, **options):
    return lambda dh, cache: change(*grads(dh, *cache)), options


RETURNS = {
    "dW": returning(lambda dx, dW: {"dW": dW, "dx": dx}),
    "same names": returning(lambda dx, dW: {"W": dW, "x": dx}),
    "grad_W": returning(lambda dx, dW: {"grad_W": dW, "x_grad": dx}),
    "W_bar": returning(lambda dx, dW: {"W_bar": dW, "gx": dx}),
    "d_W": returning(lambda dx, dW: {"d_W": dW, "d_x": dx}),
    "nested away": returning(lambda dx, dW: {"grads": {"dW": dW}, "dx": dx}),
    "an object": returning(lambda dx, dW: SimpleNamespace(dW=dW, dx=dx)),
    "a list": returning(lambda dx, dW: [dx, dW]),
    "told order": returning(lambda dx, dW: (dW, dx), order=("W", "x")),
    "negated": returning(lambda dx, dW: (-dx, -dW), negated=True),
    "lists": returning(lambda dx, dW: (dx.tolist(), dW.tolist())),
    "per step": returning(lambda dx, dW: (dx, np.stack([dW / 4, dW * 3 / 4])), per_step=True),
    "per step in a list": returning(lambda dx, dW: (dx, [dW / 4, dW / 2, dW / 4]), per_step=True),
    "a dict and an array": returning(lambda dx, dW: ({"dW": dW}, dx)),
}


@pytest.mark.parametrize("name", RETURNS)
def test_ways_to_return(name):
    backward, options = RETURNS[name]
    subject = Subject(with_cache, backward, INPUTS, **options)
    found = judge(subject)
    assert {one.name: one.verdict for one in found} == {"x": Verdict.RIGHT, "W": Verdict.RIGHT}


def test_the_order_is_read_where_backward_names_what_it_returns():
    def backward(dh, cache):
        dx, dW = grads(dh, *cache)
        return dW, dx

    assert [one.verdict for one in judge(Subject(with_cache, backward, INPUTS))] == [Verdict.RIGHT] * 2
    wrong = judge(Subject(with_cache, lambda dh, cache: grads(dh, *cache)[::-1], {"x": W, "W": W + 1}))
    assert [one.verdict for one in wrong] == [Verdict.WRONG] * 2


ODD = {
    "missing-gradient": lambda dx, dW: (dx, None),
    "wrong-shape": lambda dx, dW: (dx.T, dW),
    "wrong-type": lambda dx, dW: (dx > 0, dW),
    "reshaped": lambda dx, dW: (dx[:, :, None], dW),
    "phantom-gradient": lambda dx, dW: {"dx": dx, "dW": dW, "dV": dW},
    "integer-gradient": lambda dx, dW: (np.ones((3, 4), int), dW),
    "not-finite": lambda dx, dW: (dx * np.inf, dW),
}
SAID = {
    "missing-gradient": "no gradient of W",
    "wrong-shape": r"shape \(4, 3\), x has \(3, 4\): it looks transposed",
    "wrong-type": "of type bool",
    "reshaped": "accepted",
    "phantom-gradient": "'dV', a gradient of nothing",
    "integer-gradient": "integers",
    "not-finite": "NaN or infinite",
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_gradients(kind):
    subject = Subject(with_cache, returning(ODD[kind])[0], INPUTS)
    found = {one.name: one.verdict for one in judge(subject)}
    (problem,) = subject.problems
    assert (problem.kind, problem.fatal) == (kind, False)
    assert re.search(SAID[kind], problem.sentence), problem.sentence
    expected = {"wrong-shape", "wrong-type", "integer-gradient", "not-finite"}
    assert (found["x"] is Verdict.WRONG) == (kind in expected)
    assert ("W" in found) == (kind != "missing-gradient")


def problems(forward, backward, inputs=INPUTS, **options):
    subject = Subject(forward, backward, inputs, **options)
    judge(subject)
    return {problem.kind: problem for problem in subject.problems}


def test_a_cotangent_too_few():
    said = problems(two, lambda dh, cache: grads(dh, *cache))["fewer-cotangents"]
    assert "no cotangent of output[1]" in said.sentence
    assert not said.fatal


def changing_inputs(x, W):
    h = plain(x, W)
    W *= 2
    return h, (x, W / 2)


def changing_cotangents(dh, cache):
    result = grads(dh, *cache)
    dh[:] = 0
    return result


def popping(dh, cache):
    return grads(dh, *cache.pop())


def doubling(dh, cache):
    result = grads(dh, *cache)
    cache[1][:] *= 2
    return result


def test_changes_in_place():
    kept = {name: array.copy() for name, array in INPUTS.items()}
    assert "W" in problems(changing_inputs, from_cache)["inputs-changed"].sentence
    assert "cotangents-changed" in problems(with_cache, changing_cotangents)
    assert "uses the cache up" in problems(lambda x, W: (plain(x, W), [(x, W)]), popping)["cache-consumed"].sentence
    assert (
        "another gradient of"
        in problems(lambda x, W: (plain(x, W), (x, W.copy())), doubling)["cache-consumed"].sentence
    )
    assert all(np.array_equal(kept[name], INPUTS[name]) for name in kept)


def refused(forward, backward=from_cache, inputs=INPUTS, **options):
    with pytest.raises(SubjectError) as caught:
        judge(Subject(forward, backward, inputs, **options))
    assert caught.value.problem.fatal
    assert "Traceback" not in str(caught.value)
    return caught.value.problem


def test_random_numbers_and_state():
    calls = []

    def counting(x, W):
        calls.append(1)
        return plain(x, W) * len(calls), (x, W)

    assert refused(lambda x, W: (plain(x, W) + np.random.rand(), (x, W))).kind == "not-deterministic"
    assert refused(lambda x, W: (plain(x, W) + random.random(), (x, W))).kind == "not-deterministic"
    assert refused(counting).kind == "state-kept"
    total = np.zeros_like(W)

    def keeping(dh, cache):
        nonlocal total
        dx, dW = grads(dh, *cache)
        total = total + dW
        return dx, total

    problem = refused(with_cache, keeping)
    assert problem.kind == "gradients-change"
    assert "not set to zero" in problem.sentence


def raising(*_, **__):
    raise KeyError("lost")


def test_exceptions_are_told_with_file_and_line():
    line = raising.__code__.co_firstlineno + 1
    for problem in (refused(raising), refused(with_cache, raising)):
        assert f"KeyError: 'lost' (test_subject.py, line {line})" in problem.sentence
    assert refused(raising).kind == "forward-raises"
    assert refused(with_cache, lambda dh, cache: raising()).kind == "backward-raises"
    assert "SystemExit" in refused(lambda x, W: exit(3)).sentence
    assert "RecursionError" in refused(lambda x, W: (lambda f: f(f))(lambda f: f(f))).sentence


def yielding(*_, **__):
    yield 1


def test_what_cannot_be_used_is_said():
    assert "generator" in refused(yielding).sentence
    assert "generator" in refused(with_cache, yielding).sentence
    assert refused(lambda x, W: None).kind in ("no-output", "cannot-call")
    assert refused(lambda x, W: "text", lambda d: d).kind == "no-output"
    assert refused(lambda x, W: x * np.nan, lambda d, x, W: d).kind == "forward-not-finite"
    assert "among the inputs" in refused(with_cache, inputs={"x": X * np.inf, "W": W}).sentence
    assert refused(with_cache, inputs={"x": X.astype(complex), "W": W}).kind == "complex-input"
    assert refused(with_cache, inputs={"x": np.arange(3), "W": 2}).kind == "no-floats"
    assert refused(with_cache, lambda dh, cache: 1.0).kind == "cannot-read"
    assert refused(with_cache, lambda dh, cache: None).kind == "cannot-read"
    assert refused(with_cache, lambda dh, cache: (1, 2, 3)).kind == "cannot-read"
    assert refused(with_cache, from_cache, order=("x", "V")).kind == "cannot-read"


def no_cache(dh, values):
    (x, W) = values
    return x, W


TOLD = {
    "an argument too few": (with_cache, from_cache, {"x": X}, "inputs lacks W", "add it to the inputs"),
    "an argument too many": (with_cache, from_cache, {**INPUTS, "V": W}, "has V, which forward does not take", "leave"),
    "another name": (with_cache, from_cache, {"x": X, "V": W}, r"lacks W; inputs has V", "as forward names"),
    "nothing": (with_cache, from_cache, {}, "there is nothing in it", "such as {'x': x"),
    "None": (lambda x, W: None, from_cache, INPUTS, "forward returns None", "return h, cache"),
    "not finite": (with_cache, from_cache, {"x": X, "W": W * np.nan}, "W among the inputs is not", "finite inputs"),
    "diverging": (lambda x, W: (x / 0.0, 1), from_cache, INPUTS, "NaN or infinity in output", "smaller weights"),
    "integers": (
        lambda x, W: (x @ W, (x, W)),
        lambda dh, cache: (dh @ cache[1].T, np.add(cache[1], 0.5, out=cache[1])),
        {"x": X, "W": np.ones((4, 6), int)},
        "W: integer arrays are not differentiated",
        "give floats",
    ),
    "integers only": (with_cache, from_cache, {"W": np.ones((4, 6), int)}, "W: integer arrays", "give floats"),
    "None for gradients": (
        with_cache,
        lambda dh, cache: None,
        INPUTS,
        "backward returns None",
        "a dict by their names",
    ),
    "no cache": (
        plain,
        lambda dh, cache: no_cache(dh, cache),
        INPUTS,
        "forward returns no cache",
        "beside the outputs",
    ),
    "other arguments": (
        plain,
        lambda dh, hs, lr: None,
        INPUTS,
        "no argument of forward is called hs, lr",
        "as a cache",
    ),
    "cotangent last": (plain, lambda x, W, hs, dh: None, INPUTS, "no argument of forward is called hs;", "as a cache"),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_is_wrong_and_what_to_do_are_said(case):
    forward, backward, inputs, wrong, remedy = TOLD[case]
    sentence = refused(forward, backward, inputs).sentence
    said, _, rest = sentence.partition("\n  ")
    assert re.search(wrong, sentence), sentence
    assert remedy in rest, sentence
    assert said


@pytest.mark.parametrize("outputs", [0, 9, (0, 0), (), (7,), (None,)])
def test_impossible_outputs(outputs):
    assert refused(two, two_back, outputs=outputs).kind == "cannot-call"


def test_names_that_are_no_keys():
    assert refused(named, summed, outputs="nope").kind == "cannot-call"


def test_both_signatures_are_shown_where_the_call_is_unclear():
    problem = refused(plain, lambda a, b, c, d: None)
    assert problem.kind == "cannot-call"
    assert "plain(x, W)" in problem.sentence
    assert "backward(a, b, c, d)" in problem.sentence
    assert "as a cache" in problem.sentence
    problem = refused(with_cache, lambda a, b, c, d: None)
    assert "outputs=" in problem.sentence


@pytest.mark.parametrize("inputs", [None, "text", 3, [X], {1: X}, lambda: None, lambda rng, colour: {}])
def test_impossible_inputs(inputs):
    with pytest.raises(InputError, match=r"inputs|forward"):
        Subject(with_cache, from_cache, inputs)


@pytest.mark.parametrize("pair", [(None, from_cache), (with_cache, "text"), (3, 4)])
def test_no_functions(pair):
    with pytest.raises(InputError, match="expected a function"):
        Subject(*pair, INPUTS)


def test_builtins():
    found = judge(Subject(np.tanh, lambda dh, x: dh * (1 - np.tanh(x) ** 2), {"x": X}))
    assert [one.verdict for one in found] == [Verdict.RIGHT]
    (found,) = judge(Subject(math.tanh, lambda dh, x: dh * (1 - math.tanh(x) ** 2), {"x": 0.5}))
    assert found.verdict is Verdict.RIGHT


def test_integers_are_indices_or_weights():
    table = np.random.default_rng(0).normal(size=(5, 2))

    def backward(de, table, words):
        d = np.zeros_like(table)
        np.add.at(d, words, de)
        return d

    said = problems(lambda table, words: table[words], backward, {"table": table, "words": np.array([1, 1, 4])})
    assert said == {}
    said = problems(lambda x, k: x * k, lambda d, x, k: d * k, {"x": np.ones(3), "k": np.arange(3)})
    assert "give floats" in said["integer-array"].sentence


def test_draws_of_other_sizes():
    subject = Subject(rnn_forward, rnn_backward, rnn_inputs)
    made = subject.made(5, T=2, N=1)
    assert made["x"].shape == (2, 1, 4)
    cotangents = {path: np.ones_like(array) for path, array in subject.outputs(made).items()}
    assert subject.gradients(made, cotangents)["x"].shape == (2, 1, 4)
    again = subject.made(5, T=2, N=1)
    assert all(np.array_equal(made[name], again[name]) for name in made)
    assert Subject(rnn_forward, rnn_backward, subject.arrays).made(5) is None
    only_rng = Subject(rnn_forward, rnn_backward, lambda rng: rnn_inputs(rng))
    assert only_rng.made(3, T=2) is None
    assert only_rng.made(3)["x"].shape == (5, 3, 4)


def test_lists_of_steps_of_another_length():
    from tests.callables.implementations import gru_backward, gru_forward, gru_inputs

    subject = Subject(gru_forward, gru_backward, gru_inputs)
    for steps in (2, 7):
        made = subject.made(1, T=steps)
        assert sum(path.startswith("xs") for path in made) == steps
        answer = subject.outputs(made)
        assert len(answer) == steps
        assert set(subject.gradients(made, answer)) == set(made)


def test_calls_are_counted_and_nothing_of_the_caller_is_changed():
    subject = Subject(with_cache, from_cache, INPUTS)
    before = subject.forward_calls, subject.backward_calls
    subject.gradients({}, subject.zeros())
    assert (subject.forward_calls, subject.backward_calls) == (before[0] + 1, before[1] + 1)
    assert not any(np.any(array) for array in subject.gradients({}, {}).values())
