"""Gradients that are clipped, or scaled down, before they are returned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from symrnn.arrays import Array
from symrnn.mistakes.effects import Effect
from symrnn.mistakes.line_finder import FoundLine, LineFinder, LineRule
from symrnn.mistakes.measured import Measured, common_ratios, largest_shared, usual_bounds
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import OwnGradients
from symrnn.mistakes.site import MistakeSite

TAG = "clipped"


def _find_line(finder: LineFinder) -> FoundLine | None:
    return finder.of_quantities(finder.case.mistake.about) or finder.returned()


@dataclass(frozen=True)
class EntriesClipped(OwnGradients):
    """The entries of some gradients are clipped.

    Attributes:
        by_name: variable -> how far an entry of its gradient may be from 0.
    """

    by_name: tuple[tuple[str, float], ...]

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return _find_line

    def returns(self, name: str, value: Array) -> Array:
        """The gradient within its bounds."""
        bound = dict(self.by_name).get(name)
        return value if bound is None else np.clip(value, -bound, bound)


@dataclass(frozen=True)
class NormsBounded(Effect):
    """Gradients whose norm, taken together, is too large are scaled down to a bound.

    Attributes:
        by_name: their variables -> the bound.
    """

    by_name: tuple[tuple[tuple[str, ...], float], ...]
    of_equation: ClassVar[bool] = True
    whole_run: ClassVar[bool] = True
    joins_gradients: ClassVar[bool] = True

    def line_rule(self) -> LineRule:
        """The rule for the line that has it."""
        return _find_line

    def returns_all(self, found: dict[str, Array]) -> dict[str, Array]:
        """All gradients, those scaled."""
        for names, bound in self.by_name:
            size = np.sqrt(sum(np.sum(found[name] ** 2) for name in names))
            found = found | {name: found[name] * (bound / max(size, bound)) for name in names}
        return found


def bounds(on: MistakeSite, measured: Sequence[Measured]) -> Iterator[Mistake]:
    """Gradients clipped at a bound that was measured or is usual, and scaled down to the norm that they have."""
    names = tuple(dict.fromkeys(piece.name for piece in measured))
    parameters = tuple(name for name in names if name in on.cell.parameters)
    matrices = tuple(name for name in parameters if on.cell[name].shape[1] != 1)
    shared = largest_shared(measured)
    for bound in usual_bounds(measured):
        words = f"is clipped to [-{bound:g}, {bound:g}], entry by entry"
        at_bound = tuple(name for name in names if shared.get(name) == bound)
        # Those that are seen to be at the bound; else all that people clip in one loop, since few entries may reach it.
        for chosen in dict.fromkeys([at_bound, parameters, matrices, names]):
            if chosen:
                effect = EntriesClipped(tuple((name, bound) for name in chosen))
                yield Mistake(TAG, words, 3, effects=(effect,), about=chosen)
    for ratio, scaled in common_ratios(measured).items():
        # To scale down to a norm makes gradients smaller, and turns none around.
        if 0 < ratio < 1:
            size = float(np.sqrt(sum(np.sum(piece.value**2) for piece in measured if piece.name in scaled)))
            words = f"is scaled down to a norm of {size:.6g}" + (", all of them together" if len(scaled) > 1 else "")
            yield Mistake(TAG, words, 3, effects=(NormsBounded(((scaled, size),)),), about=scaled)


MISTAKE = MistakeClass(
    TAG,
    "the gradient that is returned is clipped",
    precedence=260,
    bounds=bounds,
    wrong=(
        Example("rnn", 'return {"x": dx,', 'dW = np.clip(dW, -0.1, 0.1)\n    return {"x": dx,'),
        Example("rnn", 'return {"x": dx,', 'dU *= 0.01 / max(np.linalg.norm(dU), 0.01)\n    return {"x": dx,'),
    ),
    right=(
        Example("rnn", 'return {"x": dx,', 'dW = np.clip(dW, -1e9, 1e9)\n    return {"x": dx,'),
        Example("rnn", 'return {"x": dx,', 'dU *= 1e9 / max(np.linalg.norm(dU), 1e9)\n    return {"x": dx,'),
    ),
)
