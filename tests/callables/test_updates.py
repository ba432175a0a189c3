"""Gradients out of a change of weights: every rule undone, at its start and begun; what cannot be undone is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from symrnn import check_gradients
from symrnn.callables import from_loss, from_object
from symrnn.callables.invocation import SubjectError
from symrnn.callables.updates import RULES, Updates, WeightChange, rounding
from symrnn.errors import InputError

Array = np.ndarray
Step = Callable[[Array, Array, list[Array], float], Array]
RATE = 0.03


def sgd(w: Array, g: Array, kept: list[Array], r: float) -> Array:
    return w - r * g


def momentum(w: Array, g: Array, kept: list[Array], r: float) -> Array:
    kept[0] = 0.9 * kept[0] - r * g
    return w + kept[0]


def momentum_in_units_of_the_gradient(w: Array, g: Array, kept: list[Array], r: float) -> Array:
    kept[0] = 0.9 * kept[0] + g
    return w - r * kept[0]


def nesterov(w: Array, g: Array, kept: list[Array], r: float) -> Array:
    old, kept[0] = kept[0], 0.9 * kept[0] - r * g
    return w - 0.9 * old + 1.9 * kept[0]


def adagrad(w: Array, g: Array, kept: list[Array], r: float) -> Array:
    kept[0] = kept[0] + g**2
    return w - r * g / np.sqrt(kept[0] + 1e-8)


def adagrad_beside(w: Array, g: Array, kept: list[Array], r: float) -> Array:
    kept[0] = kept[0] + g**2
    return w - r * g / (np.sqrt(kept[0]) + 1e-8)


def rmsprop(w: Array, g: Array, kept: list[Array], r: float) -> Array:
    kept[0] = 0.9 * kept[0] + 0.1 * g**2
    return w - r * g / np.sqrt(kept[0] + 1e-8)


def adam(w: Array, g: Array, kept: list[Array], r: float) -> Array:
    kept[0], kept[1] = 0.9 * kept[0] + 0.1 * g, 0.999 * kept[1] + 0.001 * g**2
    return w - r * (kept[0] / 0.1) / (np.sqrt(kept[1] / 0.001) + 1e-8)


def adam_by_rate(w: Array, g: Array, kept: list[Array], r: float) -> Array:
    kept[0], kept[1] = 0.9 * kept[0] + 0.1 * g, 0.999 * kept[1] + 0.001 * g**2
    return w - r * np.sqrt(0.001) / 0.1 * kept[0] / (np.sqrt(kept[1]) + 1e-8)


def adam_uncorrected(w: Array, g: Array, kept: list[Array], r: float) -> Array:
    kept[0], kept[1] = 0.9 * kept[0] + 0.1 * g, 0.999 * kept[1] + 0.001 * g**2
    return w - r * kept[0] / (np.sqrt(kept[1]) + 1e-8)


STEPS: dict[str, tuple[str, Step]] = {
    name.__name__: (rule, name)
    for rule, name in (
        ("sgd", sgd),
        ("momentum", momentum),
        ("momentum", momentum_in_units_of_the_gradient),
        ("nesterov", nesterov),
        ("adagrad", adagrad),
        ("adagrad", adagrad_beside),
        ("rmsprop", rmsprop),
        ("adam", adam),
        ("adam", adam_by_rate),
        ("adam", adam_uncorrected),
    )
}


def test_every_rule_is_here() -> None:
    assert {rule for rule, _ in STEPS.values()} == set(RULES)


def cases() -> Iterator[tuple[Array, Array, list[Array]]]:
    """A weight, its gradient, and what is kept: zero, or begun."""
    for seed, begun in ((0, False), (1, True)):
        rng = np.random.default_rng(seed)
        kept = [begun * rng.uniform(0.5, 2, size=(3, 4)) for _ in range(2)]
        yield rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), kept


@pytest.mark.parametrize("case", STEPS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_step_is_undone(case: str, sign: float) -> None:
    rule, step = STEPS[case]
    updates = Updates.read({rule: RATE})
    assert updates is not None
    for w, g, kept in cases():
        before = [one.copy() for one in kept]
        after = step(w, g, kept, RATE)
        after = w + sign * (after - w)
        noise = (np.ones((3, 4)), np.ones((3, 4)) + 0.5)  # something else that changes
        change = WeightChange(w, after, [noise, *zip(before, kept, strict=True)])
        if sign < 0 and rule in ("momentum", "nesterov") and np.any(before[0]):
            continue  # then what is kept has the other sign as well, or it is another rule
        np.testing.assert_allclose(updates.recover("w", change), sign * g, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", [name for name, (rule, _) in STEPS.items() if rule in ("adagrad", "rmsprop", "adam")])
def test_another_rate_or_rule_is_refused(case: str) -> None:
    rule, step = STEPS[case]
    *_, (w, g, kept) = cases()
    before = [one.copy() for one in kept]
    after = step(w, g, kept, RATE)
    wrong = Updates.read({rule: 0.5}) if rule != "adam" else Updates.read({"rmsprop": RATE})
    assert wrong is not None
    with pytest.raises(SubjectError, match="the change of w is not that of"):
        wrong.recover("w", WeightChange(w, after, list(zip(before, kept, strict=True))))
    with pytest.raises(SubjectError, match="let what the rule keeps be in attributes"):
        wrong.recover("w", WeightChange(w, after))


def test_a_multiple_of_an_adam_step_is_a_multiple_of_the_gradient() -> None:
    updates = Updates.read({"adam": RATE})
    assert updates is not None
    w, g, kept = next(cases())
    before = [one.copy() for one in kept]
    after = w + 0.5 * (adam(w, g, kept, RATE) - w)
    found = updates.recover("w", WeightChange(w, after, list(zip(before, kept, strict=True))))
    np.testing.assert_allclose(found, 0.5 * g, rtol=1e-9)


def test_no_step_is_no_gradient() -> None:
    for name in RULES:
        updates = Updates.read({name: RATE})
        assert updates is not None
        assert not updates.recover("w", WeightChange(np.ones(3), np.ones(3))).any()


def test_small_steps_lose_digits() -> None:
    w = np.ones(3)
    assert rounding(WeightChange(w, w - 0.1)) < 1e-14
    assert rounding(WeightChange(w, w - 1e-9)) > 1e-9
    assert rounding(WeightChange(w, w)) == 0


WRONG: dict[str, tuple[Any, str]] = {
    "no dict": ("sgd", "name one rule with its rate"),
    "two rules": ({"sgd": 0.1, "adam": 0.1}, "name one rule with its rate"),
    "an unknown rule": ({"adagrd": 0.1}, "did you mean 'adagrad'?"),
    "a rule of another name": ({"lbfgs": 0.1}, "there are sgd, momentum"),
    "no rate": ({"adam": {"beta1": 0.9}}, "needs a rate other than zero"),
    "a rate of zero": ({"sgd": 0.0}, "needs a rate other than zero"),
    "an unknown constant": ({"adam": {"rate": 0.1, "beta3": 0.9}}, "did you mean 'beta"),
    "a constant of another rule": ({"sgd": {"rate": 0.1, "momentum": 0.9}}, "it has rate"),
    "a text": ({"sgd": "0.1"}, "give a number"),
    "a truth": ({"sgd": True}, "give a number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_rule_that_is_none_is_refused(case: str) -> None:
    said, message = WRONG[case]
    with pytest.raises(InputError, match=r"(?s)updates.*\n  ") as caught:
        Updates.read(said)
    assert message in str(caught.value)


def test_other_words_for_constants() -> None:
    for word in ("rate", "lr", "learning_rate", "eta"):
        updates = Updates.read({"momentum": {word: 0.2, "mu": 0.5}})
        assert updates is not None
        assert (updates.constants["rate"], updates.constants["momentum"]) == (0.2, 0.5)


class Still:
    """A model whose weights do not change, and one that changes by another rule."""

    def __init__(self, power: float = 0.0) -> None:
        self.W, self.power = np.random.default_rng(0).normal(size=(4, 3)), power

    def fit(self, x: Array) -> float:
        y = x @ self.W
        self.W = self.W - self.power * 0.1 * np.sign(x.T @ y)
        return float((y**2).sum() / 2)


def test_weights_that_do_not_change_are_said_to() -> None:
    x = np.random.default_rng(1).normal(size=(5, 4))
    made = from_object(Still(), "fit", None, "W", inputs={"x": x}, updates={"sgd": 0.1})
    (problem,) = check_gradients(*made, diagnose=False).problems
    assert problem.sentence.startswith(
        "updates= was given, and no weight changes\n  name the method that does as step="
    )


def test_a_change_by_another_rule_is_said() -> None:
    x = np.random.default_rng(1).normal(size=(5, 4))
    made = from_object(Still(1.0), "fit", None, "W", inputs={"x": x}, updates={"rmsprop": 0.1})
    (problem,) = check_gradients(*made, diagnose=False).problems
    assert problem.sentence.startswith("the change of W is not that of rmsprop (m ← d m + (1 - d) g²")
    by_descent = from_object(Still(1.0), "fit", None, "W", inputs={"x": x}, updates={"sgd": 0.1})
    assert [one.name for one in check_gradients(*by_descent, diagnose=False).wrong] == ["W"]


def test_arguments_of_other_kinds_stay_as_they_are() -> None:
    def step(W: Array, x: Array, names: list[str], scale: int) -> float:
        y = scale * x @ W
        W -= 0.5 * scale * x.T @ y
        names.append("called")
        return float((y**2).sum() / 2)

    rng = np.random.default_rng(2)
    inputs = {"W": rng.normal(size=(4, 3)), "x": rng.normal(size=(5, 4)), "names": ["a"], "scale": 2}
    report = check_gradients(*from_loss(step, inputs, ["W"], updates={"sgd": 0.5}), diagnose=False)
    assert report.passed
    assert inputs["names"] == ["a"]
