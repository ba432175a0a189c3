"""Mistakes with a number in them, which is read off the gradients that were observed: multiples and clipping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symrnn.algebra import nodes
from symrnn.diagnosis.questions import Answer
from symrnn.mistakes.loop import Loop
from symrnn.mistakes.mistake import Grounds, Mistake
from symrnn.printers import text

Array = Any

_USUAL = (1.0, 5.0, 10.0, 0.5, 0.1, 0.01, 0.2, 0.25, 0.3, 2.0, 3.0, 4.0, 8.0, 15.0, 20.0, 50.0, 100.0)
"""Bounds that people clip at."""


def multiples(on: Grounds, answer: Answer) -> Iterator[Mistake]:
    """Gradients that are a constant times the right ones, with the constant that was observed."""
    ratios = _common_ratios(answer, answer.expected(on.program))
    yield from _scaled_in_place(on, {name: ratio for ratio, names in ratios.items() for name in names})
    for ratio, names in ratios.items():
        for name in names:
            yield Mistake("wrong-scale", _times(ratio), 5, loop=Loop(factors=((name, ratio),)), about=(name,))
        loop = Loop(factors=tuple((name, ratio) for name in names))
        yield Mistake("wrong-scale", _times(ratio), 6, loop=loop, about=names)


def _scaled_in_place(on: Grounds, ratio_of: Mapping[str, float]) -> Iterator[Mistake]:
    """A value that is multiplied in place between the gradients that read it: their factors are powers of one."""
    for value in (*(on.cell[name] for name in on.cell.inputs), *on.cell.previous):
        lines = [line for line in on.program.lines if line.role == "parameter" and line.of.name in ratio_of]
        found = {line.of.name: ratio_of[line.of.name] for line in lines if value in nodes.variables(line.terms[0])}
        root = max((ratio for ratio in found.values() if ratio > 0), key=lambda r: -abs(np.log(r)), default=1.0)
        if len(found) < 2 or root == 1 or min(found.values()) <= 0:
            continue
        powers = np.log(list(found.values())) / np.log(root)
        if np.allclose(powers, np.round(powers), atol=1e-9) and len(set(np.round(powers))) == len(powers):
            words = f"{text(value)} is multiplied by {root:.6g} in place each time that it is read"
            loop = Loop(factors=tuple(found.items()))
            yield Mistake("corrupted-cache", words, 4, loop=loop, about=tuple(found))


def _common_ratios(answer: Answer, expected: list[Array]) -> dict[float, tuple[str, ...]]:
    """Factor -> the variables whose gradients are that times what is expected."""
    found: dict[float, list[str]] = {}
    for piece, right in zip(answer.observed, expected, strict=True):
        square = float(np.sum(right * right))
        if square > 0:
            ratio = float(np.sum(piece.value * right)) / square
            if abs(ratio - 1) > 1e-6 and np.linalg.norm(piece.value - ratio * right) <= 1e-9 * np.sqrt(square):
                same = next((known for known in found if abs(known - ratio) <= 1e-9 * abs(ratio)), ratio)
                found.setdefault(same, []).append(piece.name)
    return {ratio: tuple(dict.fromkeys(names)) for ratio, names in found.items()}


def _times(ratio: float) -> str:
    return f"is {ratio:.6g} times what it should be"


def clippings(on: Grounds, answer: Answer) -> Iterator[Mistake]:
    """Gradients clipped at a bound that was observed, or at a usual one."""
    names = tuple(dict.fromkeys(piece.name for piece in answer.observed))
    parameters = tuple(name for name in names if name in on.cell.parameters)
    found = _bounds(answer)
    for bound in dict.fromkeys([*found.values(), *_USUAL]):
        said = f"[-{bound:g}, {bound:g}]"
        at_bound = tuple(name for name in names if found.get(name) == bound)
        matrices = tuple(name for name in parameters if on.cell[name].shape[1] != 1)
        for chosen in dict.fromkeys([at_bound, parameters, matrices, names]):
            if chosen:
                loop = Loop(bounds=tuple((name, bound) for name in chosen))
                yield Mistake("clipped", f"is clipped to {said}, entry by entry", 3, loop=loop, about=chosen)
    yield from _by_norm(on, answer)
    for bound in dict.fromkeys([*found.values(), *_USUAL]):
        yield from _clamps(on, bound)


def _clamps(on: Grounds, bound: float) -> Iterator[Mistake]:
    """What is bounded at each step: what is handed on, a state's adjoint, or those of all gates."""
    gates = [line for line in on.program.lines if on.derivation.is_preactivation(line.of)]
    states = [line for line in on.program.lines if line.role == "state"]
    carries = [line for line in on.program.lines if line.role == "carry"]
    groups = [[line] for line in (*carries, *states)]
    groups += [group for group in (carries, states) if len(group) > 1]
    groups += [gates]
    for group in groups:
        named = " and ".join(text(line.target) for line in group)
        are = "are" if len(group) > 1 else "is"
        for how, words in (
            ("entry", f"clipped to [-{bound:g}, {bound:g}]"),
            ("handed", f"clipped to [-{bound:g}, {bound:g}] as handed on to the step before"),
            ("carried", f"clipped to [-{bound:g}, {bound:g}] in what is handed on"),
            ("norm", f"scaled down to a norm of {bound:g}"),
        ):
            if (how != "handed" or group[0].role == "carry") and (how != "carried" or group is gates):
                loop = Loop(clamps=tuple((line.of.name, (how, bound)) for line in group))
                said = f"{named} {are} {words} at each step"
                about = tuple(line.of.name for line in group)
                yield Mistake("clipped-in-recursion", said, 4, loop=loop, about=about)


def _by_norm(on: Grounds, answer: Answer) -> Iterator[Mistake]:
    """Gradients that have a common factor below 1 here: the bound is the norm that they have together."""
    for ratio, names in _common_ratios(answer, answer.expected(on.program)).items():
        if 0 < ratio < 1:
            size = np.sqrt(sum(np.sum(piece.value**2) for piece in answer.observed if piece.name in names))
            words = f"is scaled down to a norm of {size:.6g}" + (", all of them together" if len(names) > 1 else "")
            yield Mistake("clipped", words, 3, loop=Loop(norms=((names, float(size)),)), about=names)


def _bounds(answer: Answer) -> dict[str, float]:
    """Numbers that several entries of a gradient share as their largest size."""
    found = {}
    for piece in answer.observed:
        sizes = np.abs(piece.value).ravel()
        if sizes.size and np.sum(np.isclose(sizes, sizes.max(), rtol=1e-12)) > 1:
            found[piece.name] = float(sizes.max())
    return found
