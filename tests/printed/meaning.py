"""What printed formulas mean: a network of four steps on random numbers, in which every symbol has its defined value.

The network runs the printed forward equations; that they are the cell's is checked against the author's own text.  A
derivative is what its definition says: something is moved where the definition moves it, by complex steps, and what
follows is looked at.  No derivative rule is used.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.algebra.functions import FUNCTIONS
from symrnn.language.evaluate import NUMPY
from tests.printed.reading import Node, UnreadableError
from tests.printed.sizes import Shape, sized

Array = Any

STEPS = 4
_STEP = 1e-30


Value = Callable[[str], Array]
"""A printed name -> its array, (..., rows, columns)."""


def transposed(value: Array) -> Array:
    return np.swapaxes(value, -1, -2)


def read_sizes(tree: Node, value: Value, shape: Shape) -> Node:
    """A formula with the size of every one, identity and zero in it, where the left side has this shape."""
    return sized(tree, lambda name: value(name).shape[-2:], lambda size: _whole(size, value), shape)


def evaluate(tree: Node, value: Value) -> Array:
    """The value of a formula that has all sizes; a scalar is (1, 1)."""
    return _RULES[tree.kind](tree.parts, value)


def _whole(tree: Node, value: Value) -> int:
    return round(float(np.real(evaluate(tree, value)).item()))


def _is_scalar(value: Array) -> bool:
    return bool(value.shape[-2:] == (1, 1))


def _sum(parts: tuple[Node, ...], value: Value) -> Array:
    first, *others = (evaluate(part, value) for part in parts)
    return sum(others, first)


def _product(parts: tuple[Node, ...], value: Value) -> Array:
    """Side by side: a scalar scales, anything else is a matrix product."""
    scale, result = 1.0, None
    for factor in (evaluate(part, value) for part in parts):
        if _is_scalar(factor):
            scale = scale * factor
        else:
            result = factor if result is None else result @ factor
    return scale if result is None else scale * result


def _beside(parts: tuple[Node, ...], value: Value) -> Array:
    """Side by side in a notation without a sign: columns beside columns, and rows beside rows, entry by entry."""
    runs: list[Array] = []
    for factor in (evaluate(part, value) for part in parts):
        shape = factor.shape[-2:]
        if runs and shape == runs[-1].shape[-2:] and 1 in shape and not _is_scalar(factor):
            runs[-1] = runs[-1] * factor
        else:
            runs.append(factor)
    scale, result = 1.0, None
    for run in runs:
        if _is_scalar(run):
            scale = scale * run
        else:
            result = run if result is None else result @ run
    return scale if result is None else scale * result


def _entrywise(operation: Callable[..., Array]) -> Callable[[tuple[Node, ...], Value], Array]:
    return lambda parts, value: operation(*(evaluate(part, value) for part in parts))


def _call(parts: tuple[Any, ...], value: Value) -> Array:
    name, arguments = parts
    values = [evaluate(argument, value) for argument in arguments]
    if name in FUNCTIONS:
        return getattr(NUMPY, name)(*values)
    (x,) = values
    if name == "diag":
        return x * np.eye(x.shape[-2])
    if name == "vec":
        return transposed(x).reshape(*x.shape[:-2], -1, 1)
    if name == "argmax":
        first = np.argmax(x.real, axis=-2, keepdims=True)
        return (np.arange(x.shape[-2])[:, None] == first).astype(float)
    if name == "softmax":
        e = np.exp(x - np.max(x.real, axis=-2, keepdims=True))
        return e / e.sum(axis=-2, keepdims=True)
    raise UnreadableError(f"unknown function {name}")


def _stack(parts: tuple[Node, ...], value: Value) -> Array:
    values = [evaluate(part, value) for part in parts]
    lead = np.broadcast_shapes(*(v.shape[:-2] for v in values))
    return np.concatenate([np.broadcast_to(v, (*lead, *v.shape[-2:])) for v in values], axis=-2)


def _slice(parts: tuple[Node, ...], value: Value) -> Array:
    """Entries are counted from 1, and the last one belongs to the slice."""
    start, stop = (_whole(part, value) for part in parts[1:])
    return evaluate(parts[0], value)[..., start - 1 : stop, :]


def _commutation(parts: tuple[Node, ...], value: Value) -> Array:
    """K_{m,n} vec(A) = vec(Aᵀ) for an m by n matrix A."""
    m, n = (_whole(part, value) for part in parts)
    result = np.zeros((m * n, m * n))
    for i in range(m):
        for j in range(n):
            result[i * n + j, j * m + i] = 1
    return result


_RULES: Mapping[str, Callable[[tuple[Any, ...], Value], Array]] = {
    "name": lambda parts, value: value(parts[0]),
    "number": lambda parts, value: np.full((1, 1), parts[0]),
    "sum": _sum,
    "negative": _entrywise(operator.neg),
    "product": _product,
    "beside": _beside,
    "times": _entrywise(operator.mul),
    "by": _entrywise(operator.truediv),
    "kronecker": _entrywise(np.kron),
    "inner": _entrywise(lambda a, b: np.sum(a * b, axis=(-2, -1), keepdims=True)),
    "transposed": _entrywise(transposed),
    "power": _entrywise(operator.pow),
    "call": _call,
    "stack": _stack,
    "slice": _slice,
    "commutation": _commutation,
    "ones": lambda parts, value: np.ones(parts),
    "zeros": lambda parts, value: np.zeros(parts),
    "identity": lambda parts, value: np.eye(*parts),
}


# --- the network ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """Something that is moved, entry by entry.

    Attributes:
        place: "value": right after it is computed, at one step; "read": a state as one step finds it; "sent": a state
            as it leaves its step, to the loss and to the step after it; "window": a parameter at the steps from one on;
            "in": a variable as one equation reads it.
        name: what.
        step: at which step; the first one of a window; that of the equation that reads it.
        time: of what an equation reads, relative to its step; None for a parameter.
        readers: the equations that read it moved.
    """

    place: str
    name: str
    step: int
    time: int | None = None
    readers: frozenset[str] = frozenset()


class Network:
    """A cell over four steps, on random numbers.

    Attributes:
        shapes: name -> rows and columns.
        equations: the forward equations in order, as name and printed right side, with the printed names' meanings.
        states: the names of the states.
        meanings: printed name -> name and time of a forward variable.
        kinds: name -> "input", "state" or "parameter".
        sizes: printed name of a size -> the number.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, int]],
        equations: list[tuple[str, Node]],
        meanings: Mapping[str, tuple[str, int | None]],
        kinds: Mapping[str, str],
        sizes: Mapping[str, float],
        seed: int,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.shapes, self.equations, self.meanings, self.kinds, self.sizes = shapes, equations, meanings, kinds, sizes
        self.states = [name for name, kind in kinds.items() if kind == "state"]
        draw = lambda name: rng.uniform(0.3, 1.2, shapes[name]) * rng.choice([-1, 1], shapes[name])  # noqa: E731
        self.start = {name: draw(name) for name in self.states}
        self.fixed = {name: draw(name) for name, kind in kinds.items() if kind == "parameter"}
        inputs = [name for name, kind in kinds.items() if kind == "input"]
        self.inputs = [{name: draw(name) for name in inputs} for _ in range(STEPS)]
        self.losses = [{name: rng.standard_normal(shapes[name]) for name in self.states} for _ in range(STEPS + 1)]
        self.losses[STEPS] = {name: np.zeros(shapes[name]) for name in self.states}
        self._sized: dict[str, Node] = {}
        self.frames = self.run(None)[0]

    def run(self, move: Move | None) -> tuple[list[dict[str, Array]], Array]:
        """Every value of every step, and the loss; with a move, for each entry of it on a leading axis."""
        by = None if move is None else self._directions(self.shapes[move.name])
        state = dict(self.start)
        if move and move.step == 0 and move.place in ("value", "sent"):
            state[move.name] = state[move.name] + by
        frames, loss = [dict(state)], 0.0
        for step in range(1, STEPS + 1):
            frame, state, part = self._step(step, state, move, by)
            frames.append(frame)
            loss = loss + part
        return frames, loss

    @staticmethod
    def _directions(shape: tuple[int, int]) -> Array:
        """One entry after the other, column by column as vec counts them."""
        count = shape[0] * shape[1]
        return 1j * _STEP * np.swapaxes(np.eye(count).reshape(count, shape[1], shape[0]), -1, -2)

    def _step(
        self, step: int, before: dict[str, Array], move: Move | None, by: Array
    ) -> tuple[dict[str, Array], dict[str, Array], Array]:
        entering = {
            name: value + by if move and (move.place, move.name, move.step) == ("read", name, step) else value
            for name, value in before.items()
        }
        fixed = {
            name: value + by if move and move.name == name and move.place == "window" and step >= move.step else value
            for name, value in self.fixed.items()
        }
        now: dict[str, Array] = dict(self.inputs[step - 1])
        if move and move.place == "value" and move.step == step and move.name in now:
            now[move.name] = now[move.name] + by
        for name, right in self.equations:
            mine = (move.name, move.time) if move and move.step == step and name in move.readers else None

            def value(printed: str, mine: tuple[str, int | None] | None = mine) -> Array:
                if printed in self.sizes:
                    return np.full((1, 1), self.sizes[printed])
                of, time = self.meanings[printed]
                found = fixed[of] if time is None else now[of] if time == 0 else entering[of]
                return found + by if (of, time) == mine else found

            if name not in self._sized:
                self._sized[name] = read_sizes(right, value, self.shapes[name])
            now[name] = evaluate(self._sized[name], value)
            if now[name].shape[-2:] != self.shapes[name]:
                now[name] = np.broadcast_to(now[name], (*now[name].shape[:-2], *self.shapes[name]))
            if move and (move.place, move.name, move.step) == ("value", name, step):
                now[name] = now[name] + by
        sent = {
            name: now[name] + by if move and (move.place, move.name, move.step) == ("sent", name, step) else now[name]
            for name in self.states
        }
        loss = sum(np.sum(self.losses[step - 1][name] * sent[name], axis=(-2, -1)) for name in self.states)
        return now, sent, loss

    def gradient(self, move: Move) -> Array:
        """The loss's derivative with respect to what is moved, in its shape."""
        rows, cols = self.shapes[move.name]
        _, loss = self.run(move)
        flat = np.broadcast_to(np.imag(loss) / _STEP, (rows * cols,))
        return np.swapaxes(flat.reshape(cols, rows), -1, -2)

    def jacobian(self, of: str, at: int, move: Move) -> Array:
        """The derivative of vec of a variable at a step with respect to vec of what is moved: numerator layout."""
        frames, _ = self.run(move)
        rows, cols = self.shapes[of]
        moved = np.imag(frames[at][of]) / _STEP
        count = int(np.prod(self.shapes[move.name]))
        moved = np.broadcast_to(moved, (count, rows, cols))
        return np.swapaxes(moved, -1, -2).reshape(count, rows * cols).T
