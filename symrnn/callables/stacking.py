"""Sequences that are lists of steps, as one array with time first: compared, and recognised, as one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symrnn.callables.conventions import names_data
from symrnn.callables.draws import Inputs
from symrnn.callables.invocation import signature


def find_listed_steps(inputs: Any) -> tuple[str, ...]:
    """The inputs, called as data is, that are lists of arrays of one shape."""
    if not isinstance(inputs, Mapping):
        return ()
    return tuple(
        name for name, value in inputs.items() if isinstance(name, str) and names_data(name) and _is_steps(value)
    )


def _is_steps(value: Any) -> bool:
    if type(value) not in (list, tuple) or len(value) < 2:
        return False
    # A list of numbers is a vector, and each of its entries has a gradient of its own.
    if not all(isinstance(step, np.ndarray) and step.ndim and step.dtype.kind == "f" for step in value):
        return False
    return len({step.shape for step in value}) == 1


def stack_steps(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: Inputs, names: tuple[str, ...]
) -> tuple[Callable[..., Any], Callable[..., Any], Inputs]:
    """The same functions for sequences that are arrays; they are handed on to both as lists."""

    def stacked(made: Any) -> Any:
        return {name: np.stack(value) if name in names else value for name, value in made.items()}

    if isinstance(inputs, Mapping):
        return _list_steps(forward, names), _list_steps(backward, names), stacked(inputs)

    @functools.wraps(inputs)
    def make(*arguments: Any, **named: Any) -> Any:
        return stacked(inputs(*arguments, **named))

    return _list_steps(forward, names), _list_steps(backward, names), make


def _list_steps(function: Callable[..., Any], names: tuple[str, ...]) -> Callable[..., Any]:
    known = signature(function)
    places = [] if known is None else list(known.parameters)

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        plain = [list(a) if places[n : n + 1] and places[n] in names else a for n, a in enumerate(arguments)]
        return function(*plain, **{name: list(value) if name in names else value for name, value in named.items()})

    return call
