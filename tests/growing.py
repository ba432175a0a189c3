"""Texts of cells of any number of equations: chains, skips, gates beside one another, many states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

_IN_A_SUM = 50
"""Terms in one sum; the language takes formulas of up to 100 levels."""


def _text(name: str, states: Sequence[str], parameters: Sequence[str], lines: Sequence[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    arguments = ", ".join(["x", *states, "*", *parameters])
    return f"def {name}({arguments}):\n{body}    return {', '.join(states)}\n"


def chain(count: int) -> str:
    """Each equation reads the one before: one path."""
    lines = ["v1 = tanh(W @ x + U @ h)", *(f"v{i} = tanh(b * v{i - 1})" for i in range(2, count)), f"h = v{count - 1}"]
    return _text("chain", ["h"], ["W", "U", "b"], lines)


def skips(count: int) -> str:
    """Each equation reads the two before: Fibonacci many paths."""
    lines = ["v1 = tanh(W @ x + U @ h)", "v2 = tanh(b * v1)"]
    lines += [f"v{i} = tanh(v{i - 1}) + b * v{i - 2}" for i in range(3, count)]
    return _text("skips", ["h"], ["W", "U", "b"], [*lines, f"h = v{count - 1} * v{count - 2}"])


def gates(count: int) -> str:
    """Gates beside one another, each with parameters of its own."""
    names = [f"g{i}" for i in range(1, count)]
    lines = [f"{g} = sigmoid(W_{g} @ x + U_{g} @ h + b_{g})" for g in names]
    parameters = [f"{letter}_{g}" for g in names for letter in "WUb"]
    sums = [names[i : i + _IN_A_SUM] for i in range(0, len(names), _IN_A_SUM)]
    lines += [f"m{i} = {' + '.join(part)}" for i, part in enumerate(sums)]
    return _text("gates", ["h"], parameters, [*lines, "h = " + " + ".join(f"m{i}" for i in range(len(sums)))])


def states(count: int) -> str:
    """As many states as equations, each reading the one before."""
    names = [f"s{i}" for i in range(1, count + 1)]
    lines = ["s1 = tanh(W @ x + a1 * s1)"]
    lines += [f"s{i} = tanh(s{i - 1} + a{i} * s{i})" for i in range(2, count + 1)]
    return _text("states", names, ["W", *(f"a{i}" for i in range(1, count + 1))], lines)


def apart(count: int) -> str:
    """As many states as equations, none of which reads another."""
    names = [f"s{i}" for i in range(1, count + 1)]
    lines = [f"s{i} = tanh(W @ x + a{i} * s{i})" for i in range(1, count + 1)]
    return _text("apart", names, ["W", *(f"a{i}" for i in range(1, count + 1))], lines)


def ring(count: int) -> str:
    """Every state reads the next one's value at t-1 and its neighbour's at t."""
    names = [f"s{i}" for i in range(1, count + 1)]
    lines = [f"s{i} = tanh(W{i} @ x + a{i} * s{i % count + 1})" for i in range(1, count)]
    lines.append(f"s{count} = tanh(W{count} @ x + s{count - 1} * a{count})")
    return _text("ring", names, [f"{letter}{i}" for i in range(1, count + 1) for letter in "Wa"], lines)


SHAPES: Mapping[str, Callable[[int], str]] = MappingProxyType(
    {made.__name__: made for made in (chain, skips, gates, states, apart, ring)}
)
"""Every shape of cell, by name."""
