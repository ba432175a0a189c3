"""A cell and a head inside a function that returns a loss: the states first, then what the loss is of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation, derive
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.heads import HEADS, Head, JoinedCell, with_head
from symrnn.heads.library import ANY, MANY_OF, NOTHING, ONE_OF
from symrnn.language.recurrence import Cell
from symrnn.losses.data import DataForm, dense_forms, indexed_forms, is_indices
from symrnn.losses.headed import HeadedLayout, headed, reductions
from symrnn.losses.states import DrawnStates, InsideStates, draw_states, find_states

_AGREES = 1e-8
"""How far the loss may be from the head's at a second point, relative; heads that differ do in the first digits."""


@dataclass(frozen=True)
class FoundModel:
    """A cell and a head.

    Attributes:
        subject: the functions.
        layout: how they hold both.
        derivation: of both as one cell.
    """

    subject: Subject
    layout: HeadedLayout
    derivation: Derivation


def find_model(subject: Subject, known: Cell | None, seed: int) -> FoundModel | None:
    """The cell and the head that a function computes a loss with; None where they cannot be told.

    Args:
        subject: the functions; forward returns a single number.
        known: the cell that it is said to be; otherwise the library is searched.
        seed: of all numbers.
    """
    for states in find_states(subject, known):
        found = _HeadSearch(subject, states, seed).find()
        if found is not None:
            return found
    return None


class _HeadSearch:
    """Looks for the head behind a cell."""

    def __init__(self, subject: Subject, states: InsideStates, seed: int) -> None:
        self.subject, self.states, self.seed = subject, states, seed
        self.layout = states.layout
        self.cell = self.layout.cell
        derivation = derive(self.cell)
        self.batch = states.batch
        self.draws = [draw_states(subject, states, derivation, seed, number) for number in range(2)]
        self.courses = [draw.course(self.cell.states[0])[1:, :, :, 0] for draw in self.draws]
        self.width = self.courses[0].shape[-1]
        flat = {path: name for name, path in subject.flat_names.items()}
        self.free = [path for path in subject.arrays if flat[path] not in self.layout.names]

    def find(self) -> FoundModel | None:
        """The first head that agrees."""
        for form, kind, width in self._targets():
            values = [self._target(form, kind, width, number) for number in range(2)]
            losses = [self._loss(form, number, values[number]) for number in range(2)]
            if None in losses:
                continue
            for head in (
                head
                for head in HEADS.values()
                if head.has_loss and (head.target == kind or (kind == ONE_OF and head.target != NOTHING))
            ):
                found = self._with_head(head, form, values, losses, width)
                if found is not None:
                    return found
        return None

    def _targets(self) -> Iterator[tuple[DataForm | None, str, int]]:
        # A readout has as many entries as one of its arrays has rows or columns; without a readout they are the
        # states'.
        widths = sorted({size for name in self.free for size in np.shape(self.subject.arrays[name])} | {self.width, 1})
        steps, batch = self.states.steps, self.batch
        given = {**self.subject.arguments, **self.states.data}
        for name, value in given.items():
            # What the cell itself reads is no target.
            if name == self.layout.frame.x or name in self.layout.names:
                continue
            if is_indices(value):
                for form in indexed_forms(name, value, steps, batch):
                    yield from ((form, ONE_OF, width) for width in widths if width > 1)
            if np.ndim(value) and np.asarray(value).dtype.kind in "iuf":
                for width in widths:
                    for form in dense_forms(name, value, steps, batch, width):
                        # Targets that are held as whole numbers would lose what any numbers have behind the point.
                        kinds = (ONE_OF, MANY_OF) + (ANY,) * (np.asarray(value).dtype.kind == "f")
                        yield from ((form, kind, width) for kind in kinds)
        yield from ((None, NOTHING, width) for width in widths)

    def _target(self, form: DataForm | None, kind: str, width: int, number: int) -> Array:
        # 13 makes it another stream of numbers than that of the states, which has 11.
        rng = np.random.default_rng([self.seed, 13, number])
        steps = self.states.steps if form is None or form.timed else 1
        return draw_target(kind, (steps, self.batch, width), rng)

    def _loss(self, form: DataForm | None, number: int, value: Array) -> float | None:
        try:
            target = {} if form is None else {form.name: form.encoded(value)}
            answer = self.subject.outputs({**self.draws[number].arrays, **target})
        except (SubjectError, ValueError, IndexError, TypeError):
            return None
        loss = float(next(iter(answer.values())).ravel()[0])
        return loss if np.isfinite(loss) else None

    def _with_head(
        self, head: Head, form: DataForm | None, values: Sequence[Array], losses: Sequence[Any], width: int
    ) -> FoundModel | None:
        for readout, bias in self._readouts(head, width):
            for last in (False, True) if form is None or form.timed else (True,):
                factors = []
                for number, draw in enumerate(self.draws):
                    states = self.courses[number][-1:] if last else self.courses[number]
                    target = values[number][-1:] if last else values[number]
                    total = head_total(head, states, target, self._weights(readout, draw), self._bias(bias, draw))
                    # Sum or mean is not guessed: the quotient is measured, and is the same at both points only for the
                    # right head.
                    factors.append(losses[number] / total if total else np.nan)
                first, second = factors
                if first > 0 and abs(second / first - 1) <= _AGREES:
                    return self._found(head, form, readout, bias, last, first, width)
        return None

    def _readouts(self, head: Head, width: int) -> Iterator[tuple[Any, Any]]:
        if not head.reads_out:
            if width == self.width:
                yield None, None
            return
        for name in self.free:
            shape = tuple(np.shape(self.subject.arrays[name]))
            if sorted(size for size in shape if size > 1) != sorted(size for size in (width, self.width) if size > 1):
                continue
            turns = [shape == (self.width, width)] if self.width != width and len(shape) == 2 else [False, True]
            for turned in turns:
                if len(shape) != 2:
                    continue
                for other in (*self.free, None):
                    if other is None or (other != name and self._is_bias(other, width)):
                        yield (name, turned), other

    def _is_bias(self, name: str, width: int) -> bool:
        shape = np.shape(self.subject.arrays[name])
        return np.size(self.subject.arrays[name]) == width and width in (*shape, 1)

    def _weights(self, readout: Any, draw: DrawnStates) -> Array | None:
        if readout is None:
            return None
        weights = np.asarray(draw.arrays[readout[0]])
        return weights.T if readout[1] else weights

    def _bias(self, bias: str | None, draw: DrawnStates) -> Array | float:
        return 0.0 if bias is None else np.ravel(draw.arrays[bias])

    def _found(
        self, head: Head, form: DataForm | None, readout: Any, bias: Any, last: bool, factor: float, width: int
    ) -> FoundModel | None:
        sizes = {"T": self.states.steps, "d_y" if head.reads_out else "d_h": width}
        sizes |= {"N": self.batch} if self.layout.frame.batch else {}
        reduced = reductions(factor, sizes, not last)
        if not reduced:
            return None
        joined, derivation = _joined(self.cell, head)
        own = self.subject.arrays
        flat = {path: name for name, path in self.subject.flat_names.items()}
        held = None if readout is None else (flat[readout[0]], own[readout[0]], readout[1])
        layout = headed(self.layout, joined, width, held, None if bias is None else (flat[bias], own[bias]))
        layout = replace(layout, target=form, indices=self.states.indices, reduced=reduced, last=last)
        return FoundModel(self.subject, layout, derivation)


@lru_cache(maxsize=64)
def _joined(cell: Cell, head: Head) -> tuple[JoinedCell, Derivation]:
    joined = with_head(cell, head)
    return joined, derive(joined.cell)


def draw_target(kind: str, shape: tuple[int, int, int], rng: np.random.Generator) -> Array:
    """Random targets, (T, N, D), of a kind."""
    if kind == ONE_OF:
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:2])]
    if kind == MANY_OF:
        return rng.integers(0, 2, shape).astype(float)
    return rng.normal(size=shape)


def head_total(head: Head, states: Array, target: Array, weights: Array | None, bias: Array | float) -> float:
    """The sum of a head's losses over steps and examples, by its own lines.

    Args:
        head: the head.
        states: (T, N, H).
        target: (T, N, D).
        weights: the readout's (D, H), if it has one.
        bias: the readout's.
    """
    values = head_values(head, states, target, weights, bias)
    return float(np.sum(values))


def head_values(head: Head, states: Array, target: Array, weights: Array | None, bias: Array | float) -> Array:
    """A head's losses, (T, N); the arguments as for `head_total`."""
    cell, _ = _joined(_IDENTITY, head)
    run, own = cell.cell.definition, {}

    def aim(k: Array) -> list[Array]:
        return [k] if "k" in cell.names else []

    if head.reads_out:
        own = {cell.names["V"]: weights, cell.names["b_y"]: np.broadcast_to(bias, target.shape[-1:])}
    with np.errstate(all="ignore"):
        return np.array(
            [
                [np.ravel(run(h, 0 * h, *aim(k), 0.0, **own)[1])[0] for h, k in zip(row, aims, strict=True)]
                for row, aims in zip(states, target, strict=True)
            ]
        )


_IDENTITY = Cell.from_source('def nothing(x: "d_h", h: "d_h"):\n    h = h * 0 + x\n    return h\n')
"""A cell whose state is its input: what stands before a head alone."""
