"""Weights in attributes and in globals, and losses that return their gradients: one call each, nothing left changed."""

from types import SimpleNamespace

import numpy as np
import pytest

from symrnn.callables import from_globals, from_loss, from_object
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from symrnn.findings.findings import Verdict
from symrnn.measuring.verdicts import judge

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))


class Layer:
    def __init__(self, factor=1.0):
        self.W, self.b = np.random.default_rng(1).normal(size=(4, 5)), np.zeros(5)
        self.factor, self.dW, self.db = factor, None, None

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W + self.b)
        return self.h

    def backward(self, dh):
        a = dh * (1 - self.h**2)
        self.dW, self.db = self.factor * self.x.T @ a, a.sum(0)
        return a @ self.W.T


class Bagged(Layer):
    def forward(self, x):
        return super().forward(x), (x, "cache")

    def backward(self, dh, cache):
        assert cache[1] == "cache"
        dx = super().backward(dh)
        self.grads = {"W": self.dW, "b": self.db}
        del self.dW, self.db
        return dx


def verdicts(trio):
    return {one.name: one.verdict for one in judge(Subject(*trio))}


@pytest.mark.parametrize("kind", [Layer, Bagged])
@pytest.mark.parametrize("told", [None, "given"])
def test_an_object(kind, told):
    where = {Layer: {"W": "dW", "b": "db"}, Bagged: "grads"}[kind] if told else None
    layer = kind()
    before = dict(vars(layer))
    trio = from_object(layer, attributes=("W", "b"), gradients=where, inputs={"x": X})
    assert verdicts(trio) == dict.fromkeys(("x", "W", "b"), Verdict.RIGHT)
    assert vars(layer) == before
    wrong = from_object(kind(1.5), attributes=("W", "b"), gradients=where, inputs={"x": X})
    assert verdicts(wrong) == {"x": Verdict.RIGHT, "W": Verdict.WRONG, "b": Verdict.RIGHT}


def test_an_object_that_raises_is_left_as_it_was():
    class Broken(Layer):
        def backward(self, dh):
            self.W = None
            raise ValueError("broken")

    layer = Broken()
    weights = layer.W.copy()
    with pytest.raises(SubjectError, match=r"ValueError: broken \(test_adapters.py, line"):
        judge(Subject(*from_object(layer, attributes=("W",), inputs={"x": X})))
    assert np.array_equal(layer.W, weights)


def module(factor=1.0):
    space = SimpleNamespace(W=np.random.default_rng(2).normal(size=(4, 5)), seen=[], other=3)

    def forward(x):
        space.h = np.tanh(x @ space.W)
        space.seen.append(1)
        return space.h

    def backward(dh, x):
        a = dh * (1 - space.h**2)
        space.dW = factor * x.T @ a
        return a @ space.W.T

    space.forward, space.backward = forward, backward
    return space


def test_globals():
    space = module()
    before = dict(vars(space))
    trio = from_globals(space, names=("W",), inputs={"x": X})
    assert verdicts(trio) == {"x": Verdict.RIGHT, "W": Verdict.RIGHT}
    assert vars(space) == before
    assert space.seen == []
    space = module(2.0)
    told = from_globals(
        vars(space), space.forward, space.backward, names=("W",), gradients={"W": "dW"}, inputs={"x": X}
    )
    assert verdicts(told) == {"x": Verdict.RIGHT, "W": Verdict.WRONG}


def test_globals_are_put_back_after_an_error():
    space = module()
    kept = space.W

    def backward(dh):
        space.W = None
        raise ValueError("broken")

    space.backward = backward
    with pytest.raises(SubjectError, match="ValueError: broken"):
        judge(Subject(*from_globals(space, names=("W",), inputs={"x": X})))
    assert space.W is kept


def character_loss(inputs, targets, hprev):
    """A loss over characters with its gradients, from weights in `CHARACTERS`."""
    Wxh, Whh, Why, bh, by = (CHARACTERS[name] for name in ("Wxh", "Whh", "Why", "bh", "by"))
    xs, hs, ps, loss = {}, {-1: np.copy(hprev)}, {}, 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((len(by), 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        ps[t] = np.exp(Why @ hs[t] + by) / np.sum(np.exp(Why @ hs[t] + by))
        loss += -np.log(ps[t][targets[t], 0])
    dWxh, dWhh, dWhy, dbh, dby = (np.zeros_like(w) for w in (Wxh, Whh, Why, bh, by))
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += dy @ hs[t].T
        dby += dy
        dhraw = (1 - hs[t] * hs[t]) * (Why.T @ dy + dhnext)
        dbh += dhraw
        dWxh += dhraw @ xs[t].T
        dWhh += dhraw @ hs[t - 1].T
        dhnext = Whh.T @ dhraw
    return loss, dWxh, dWhh, dWhy, CHARACTERS["factor"] * dbh, dby, hs[len(inputs) - 1]


SIZES = {"Wxh": (6, 4), "Whh": (6, 6), "Why": (4, 6), "bh": (6, 1), "by": (4, 1)}
CHARACTERS = {name: RNG.normal(size=size) for name, size in SIZES.items()} | {"factor": 1.0}


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_a_loss(factor):
    CHARACTERS["factor"] = factor
    inputs = {"inputs": [0, 2, 3], "targets": [2, 3, 1], "hprev": RNG.normal(size=(6, 1))}
    kept = {name: CHARACTERS[name] for name in SIZES}
    trio = from_loss(character_loss, inputs, [*SIZES, None], weights=CHARACTERS, names=tuple(SIZES))
    found = verdicts(trio)
    assert found == dict.fromkeys(SIZES, Verdict.RIGHT) | ({"bh": Verdict.WRONG} if factor != 1 else {})
    assert all(CHARACTERS[name] is kept[name] for name in SIZES)


@pytest.mark.parametrize(
    "call",
    [
        lambda: from_object(Layer(), attributes=("V",), inputs={}),
        lambda: from_object(Layer(), forward="run", inputs={}),
        lambda: from_globals(module(), names=("V",)),
        lambda: from_loss(character_loss, {}, ["V"]),
        lambda: from_loss(character_loss, {}, [], weights={}, names=("V",)),
        lambda: from_object(Layer(), attributes=("W",), inputs={"W": X}),
    ],
)
def test_names_that_are_not_there(call):
    with pytest.raises(InputError, match=r"from_.*\n  "):
        call()


class Leaving:
    """Leaves gradients in attributes that are there from the start, and in others."""

    def __init__(self):
        self.W, self.dW, self.grads = RNG.normal(size=(4, 6)), np.zeros((4, 6)), {}

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dh):
        self.dW, self.db = self.x.T @ dh, dh.sum(0)
        self.grads["W"] = self.dW
        return dh @ self.W.T


def test_gradients_left_in_attributes_are_no_change_of_the_cache():
    subject = Subject(*from_object(Leaving(), attributes=("W",), inputs={"x": RNG.normal(size=(3, 4))}))
    judge(subject)
    assert "cache-changed" not in [problem.kind for problem in subject.problems]


def test_a_change_of_a_weight_is_still_said():
    class Updating(Leaving):
        def backward(self, dh):
            dx = super().backward(dh)
            self.b = self.b + 1
            return dx

    layer = Updating()
    layer.b = np.ones(6)
    subject = Subject(*from_object(layer, attributes=("W",), inputs={"x": RNG.normal(size=(3, 4))}))
    judge(subject)
    assert "cache-changed" in [problem.kind for problem in subject.problems]


class Silent:
    def __init__(self):
        self.W = np.ones((4, 2))

    def fit(self, x):
        self.W = self.W - 0.1


def squares(x, y, W):
    return ((x @ W - y) ** 2).sum() / 2, x.T @ (x @ W - y)


THREE = {"x": RNG.normal(size=(5, 4)), "y": RNG.normal(size=(5, 2)), "W": RNG.normal(size=(4, 2))}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda: from_object(Silent(), "fit", None, "W", inputs={"x": X}, updates={"sgd": 0.1}),
            "the function should return a loss, and returns nothing\n  let it return a single number",
        ),
        (lambda: from_loss(lambda x: {"h": x @ x.T}, {"x": X}, ["x"]), "and returns a dict of h\n"),
        (
            lambda: from_loss(squares, THREE, ["W", "y"]),
            "2 values were said to stand beside the loss, and there are 1\n",
        ),
        (
            lambda: from_loss(squares, THREE),
            "it cannot be told whose gradients the function returns\n  say so in order",
        ),
        (lambda: from_object(Silent(), "fit", None, inputs={"x": X}), "and returns nothing\n"),
    ],
)
def test_a_loss_that_is_none_is_said_with_a_remedy(made, message):
    with pytest.raises(SubjectError) as caught:
        judge(Subject(*made()))
    assert message in str(caught.value)
    assert "Error" not in str(caught.value)
