"""What a program's gradients really are: differences of its own loss, without a line of symrnn.

A program's `evaluate(m, a)` gives a number and gradients by name, at arrays `a`; the functions here are for those that
share a form: loss functions, and pairs of a forward and a backward pass.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Evaluate = Callable[[Any, Arrays], tuple[float, dict[str, Any]]]


def copied(value: Any) -> Any:
    """A value that shares no array with the one given."""
    if isinstance(value, Mapping):
        return {key: copied(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(copied(one) for one in value)
    return np.array(value) if isinstance(value, np.ndarray) else value


def hold(m: Any, a: Mapping[str, Any]) -> None:
    """Give globals, attributes, or attributes of attributes (`gate.W`) these values."""
    for name, value in a.items():
        *path, last = name.split(".")
        owner = m
        for part in path:
            owner = getattr(owner, part)
        setattr(owner, last, copied(value))


def of_loss(m: Any, function: Callable[..., Any], a: Arrays, returned: Sequence[str | None]) -> tuple[float, Arrays]:
    """A function that returns its loss and gradients; `returned` says what each value is, "loss" among them."""
    taken = inspect.signature(function).parameters
    hold(m, {name: value for name, value in a.items() if name not in taken})
    values = function(**copied({name: value for name, value in a.items() if name in taken}))
    named = {name: value for name, value in zip(returned, values, strict=True) if name is not None}
    return float(np.asarray(named.pop("loss")).item()), copied(named)


def cotangents(outputs: Any, seed: int = 1) -> Any:
    """A random cotangent for each array, nested alike."""
    rng = np.random.default_rng(seed)

    def draw(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: draw(one) for key, one in tree.items()}
        if isinstance(tree, list | tuple):
            return type(tree)(draw(one) for one in tree)
        return rng.normal(size=np.shape(tree)).astype(np.asarray(tree).dtype)

    return draw(outputs)


def against(outputs: Any, given: Any) -> float:
    """The sum of all outputs, each entry times its cotangent."""
    if isinstance(outputs, dict):
        return sum(against(outputs[key], given[key]) for key in outputs)
    if isinstance(outputs, list | tuple):
        return sum(against(one, other) for one, other in zip(outputs, given, strict=True))
    return float((np.asarray(outputs, dtype=float) * given).sum())


def of_pair(
    forward: Callable[..., Any], backward: Callable[..., Any], a: Arrays, names: Sequence[str | None] = ()
) -> tuple[float, Arrays]:
    """A forward pass that ends in a cache, and the backward pass that takes cotangents and that cache."""
    *outputs, cache = forward(**copied(a))
    given = cotangents(outputs)
    value = against(outputs, given)
    found = backward(*copied(given), cache)
    named = dict(found) if isinstance(found, Mapping) else dict(zip(names or a, found, strict=True))
    return value, copied({name: one for name, one in named.items() if name in a})


def errors(evaluate: Evaluate, m: Any, a: Arrays, step: float = 1e-4) -> dict[str, float]:
    """For each gradient its error relative to its size, along two random directions; by differences of fourth order."""
    gradients = evaluate(m, copied(a))[1]
    rng = np.random.default_rng(7)
    found = {}
    for name, gradient in gradients.items():
        worst = 0.0
        for _ in range(2):
            direction = spread(a[name], rng)
            values = {
                k: evaluate(m, copied(a) | {name: moved(copied(a[name]), direction, k * step)})[0]
                for k in (-2, -1, 1, 2)
            }
            true = (8 * (values[1] - values[-1]) - (values[2] - values[-2])) / (12 * step)
            got = against(gradient, direction)
            worst = max(worst, abs(got - true) / max(abs(true), abs(got), 1e-6))
        found[name] = worst
    return found


def spread(tree: Any, rng: np.random.Generator) -> Any:
    """A random direction for an array, or for a list or dict of arrays."""
    if isinstance(tree, dict):
        return {key: spread(one, rng) for key, one in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(spread(one, rng) for one in tree)
    return rng.normal(size=np.shape(tree))


def moved(tree: Any, direction: Any, by: float) -> Any:
    """An array, or a list or dict of arrays, moved along a direction."""
    if isinstance(tree, dict):
        return {key: moved(one, direction[key], by) for key, one in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(moved(one, other, by) for one, other in zip(tree, direction, strict=True))
    return (
        (tree + by * direction).astype(np.asarray(tree).dtype)
        if isinstance(tree, np.ndarray)
        else tree + by * direction
    )
