"""What printed formulas mean: a network of four steps on random numbers, in which every symbol has its defined value.

The network runs the printed forward equations; that they are the cell's is checked against the author's own text.  A
derivative is what its definition says: something is moved where the definition moves it, by complex steps, and what
follows is looked at.  No derivative rule is used.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symrnn.algebra.functions import FUNCTIONS
from symrnn.language.evaluate import NUMPY
from tests.printed.reading import Node, UnreadableError

Array = Any

STEPS = 4
_STEP = 1e-30


@dataclass(frozen=True)
class Lazy:
    """A value of a size that only the surroundings tell.

    Attributes:
        kind: "ones" in a column, "ones row" or "ones block"; "square" (an identity, sums with one); "kronecker left" or
            "kronecker right" (a product with an identity on that side); "stack" (blocks of which some are zero).
        factor: what the ones are multiplied with; for a square, its size -> the matrix; the other factor of a Kronecker
            product; the blocks of a stack, None for one that is zero, "identity" for an identity.
    """

    kind: str
    factor: Any = 1.0

    def scaled(self, by: Array) -> Lazy:
        if self.kind == "square":
            return Lazy("square", lambda n: by * self.factor(n))
        if self.kind == "stack":
            if any(isinstance(block, str) for block in self.factor):
                raise UnreadableError("nothing tells the size of an identity in a stack")
            return Lazy("stack", [block if block is None else by * block for block in self.factor])
        return Lazy(self.kind, by * self.factor)

    def of_size(self, size: int, before: bool = True) -> Array:
        """The value beside one with so many rows (`before` it) or columns."""
        if self.kind == "square":
            return self.factor(size)
        if self.kind == "ones block":  # beside something else, as in I - 𝟏 𝟏ᵀ/n, it is square
            return self.factor * np.ones((size, size))
        if self.kind in ("ones", "ones row"):
            if self.kind == "ones row" and not before:
                raise UnreadableError("nothing tells the length of a row of ones")
            return self.factor * np.ones((1, size) if before else (size, 1))
        if self.kind == "stack":
            return self._stacked(size)
        other = np.eye(size // self.factor.shape[-1 if before else -2])
        return np.kron(self.factor, other) if self.kind == "kronecker right" else np.kron(other, self.factor)

    def _stacked(self, rows: int) -> Array:
        """So many rows in all; blocks of zeros share what is left."""
        if any(isinstance(block, str) for block in self.factor):
            raise UnreadableError("nothing tells the size of an identity in a stack")
        known = [block for block in self.factor if block is not None]
        left = rows - sum(block.shape[-2] for block in known)
        zeros = np.zeros((left // max(1, len(self.factor) - len(known)), known[0].shape[-1]))
        return np.concatenate([zeros if block is None else block for block in self.factor], axis=-2)

    def settled(self, shape: tuple[int, int]) -> Array:
        """The value in a place of this shape."""
        if self.kind.startswith("ones"):
            return self.factor * np.ones(shape)
        return self.of_size(shape[0] if self.kind in ("square", "stack") else shape[1])


@dataclass(frozen=True)
class Scope:
    """Where a formula is evaluated.

    Attributes:
        value: a printed name -> its array, (..., rows, columns).
        shape: rows and columns of the whole, where a left side tells them.
    """

    value: Callable[[str], Array]
    shape: tuple[int, int] | None = None


def transposed(value: Array) -> Array:
    return np.swapaxes(value, -1, -2)


def evaluate(tree: Node, scope: Scope) -> Array:
    """The value of a tree; a scalar is (1, 1)."""
    return _RULES[tree.kind](tree.parts, scope)


def settled(value: Array, shape: tuple[int, int] | None) -> Array:
    """A value of its full shape."""
    if not isinstance(value, Lazy):
        return value
    if shape is None:
        raise UnreadableError("nothing tells the size of an identity or of ones")
    return value.settled(shape)


def _is_scalar(value: Array) -> bool:
    return not isinstance(value, Lazy) and value.shape[-2:] == (1, 1)


def _product(a: Array, b: Array) -> Array:
    """Side by side: a scalar scales, anything else is a matrix product."""
    if isinstance(a, Lazy) and isinstance(b, Lazy):
        if (a.kind, b.kind) == ("ones", "ones row"):
            return Lazy("ones block", a.factor * b.factor)
        if _adds_up(a, b):
            known = np.concatenate([block for block in b.factor if block is not None], axis=-2)
            return a.of_size(known.shape[-2]) @ known
        raise UnreadableError("nothing tells the size of an identity or of ones")
    if isinstance(a, Lazy):
        if a.kind == "stack":
            return Lazy("stack", [b if isinstance(block, str) else block for block in a.factor])
        return a.scaled(b) if _is_scalar(b) else a.of_size(b.shape[-2]) @ b
    if isinstance(b, Lazy):
        return b.scaled(a) if _is_scalar(a) else a @ b.of_size(a.shape[-1], before=False)
    if _is_scalar(a) or _is_scalar(b):
        return a * b
    if a.shape[-1] != b.shape[-2]:
        raise UnreadableError(f"shapes {a.shape[-2:]} and {b.shape[-2:]} side by side")
    return a @ b


def _adds_up(a: Array, b: Array) -> bool:
    """Whether a row of ones adds up the rows of a stack, to which blocks of zeros give nothing."""
    if not (isinstance(a, Lazy) and isinstance(b, Lazy) and (a.kind, b.kind) == ("ones row", "stack")):
        return False
    return not any(isinstance(block, str) for block in b.factor)


def _plain(value: Array) -> Array:
    """Ones as a number, which is repeated where it is added or multiplied entry by entry."""
    if isinstance(value, Lazy) and value.kind in ("ones", "ones row"):
        return np.reshape(np.asarray(value.factor, complex), (1, 1)) if np.size(value.factor) == 1 else value.factor
    return value


_REPEATED = ("ones", "ones row", "ones block")


def _entrywise(operation: Callable[..., Array], *values: Array) -> Array:
    """Entry by entry; numbers repeated as often as the surroundings tell stay so where all others are numbers."""
    kind = next((value.kind for value in values if isinstance(value, Lazy) and value.kind in _REPEATED), None)
    numbers = [v.factor if isinstance(v, Lazy) and v.kind in _REPEATED else v for v in values]
    if any(isinstance(value, Lazy) for value in numbers):
        raise UnreadableError("an identity entry by entry")
    result = operation(*(np.asarray(value) if np.ndim(value) >= 2 else np.full((1, 1), value) for value in numbers))
    return Lazy(kind, result) if kind and _is_scalar(result) else result


def _sum(parts: tuple[Node, ...], scope: Scope) -> Array:
    values = [evaluate(part, scope) for part in parts]
    kinds = {value.kind if isinstance(value, Lazy) else "" for value in values}
    if kinds == {"stack"}:
        return _sum_of_stacks(values)
    if kinds <= {"square", "ones block"} and scope.shape is None:
        return Lazy("square", lambda n: sum(value.of_size(n) for value in values))
    if (kinds <= {"", *_REPEATED} and len(kinds) > 1) or kinds <= set(_REPEATED):
        return _entrywise(lambda *all_of_them: sum(all_of_them[1:], all_of_them[0]), *values)
    values = [_plain(value) for value in values]
    shape = next((v.shape[-2:] for v in values if not isinstance(v, Lazy) and v.shape[-2:] != (1, 1)), scope.shape)
    total = settled(values[0], shape)
    for value in values[1:]:
        total = total + settled(value, shape)
    return total


def _sum_of_stacks(stacks: list[Lazy]) -> Array:
    """Block by block; where every block is known in one of them, so is the whole."""
    blocks = []
    for together in zip(*(stack.factor for stack in stacks), strict=True):
        known = [block for block in together if block is not None and not isinstance(block, str)]
        known += [np.eye(known[0].shape[-1]) if known else "identity" for block in together if isinstance(block, str)]
        blocks.append(known[0] if len(known) == 1 else sum(known[1:], known[0]) if known else None)
    is_open = any(block is None or isinstance(block, str) for block in blocks)
    return Lazy("stack", blocks) if is_open else np.concatenate(blocks, -2)


def _negative(parts: tuple[Node, ...], scope: Scope) -> Array:
    value = evaluate(parts[0], scope)
    return value.scaled(-1.0) if isinstance(value, Lazy) else -value


def _chain(parts: tuple[Node, ...], scope: Scope) -> Array:
    """A product is associative, so it may begin where the sizes are known."""
    inner = replace(scope, shape=None)
    values = [evaluate(part, inner) for part in parts]
    last = values[-1]
    if isinstance(last, Lazy) and last.kind == "stack" and scope.shape:  # its identity is as wide as the product
        blocks = [np.eye(scope.shape[1]) if isinstance(block, str) else block for block in last.factor]
        values[-1] = Lazy("stack", blocks)
    if isinstance(last, Lazy) and last.kind.startswith("kronecker") and scope.shape:
        values[-1] = last.settled(scope.shape)
    while len(values) > 1:
        for position in reversed(range(len(values) - 1)):
            a, b = values[position : position + 2]
            if _adds_up(a, b) or (not (isinstance(a, Lazy) and isinstance(b, Lazy)) and not _must_wait(a, b)):
                values[position : position + 2] = [_product(a, b)]
                break
        else:
            first, last = values[0], values[-1]
            if scope.shape and isinstance(last, Lazy) and last.kind == "ones row":
                values[-1] = last.settled((1, scope.shape[1]))
            elif scope.shape and isinstance(first, Lazy) and first.kind == "ones":
                values[0] = first.settled((scope.shape[0], 1))
            elif len(values) != 2:
                raise UnreadableError("nothing tells the sizes of a product")
            else:
                return _product(*values)
    return values[0]


def _must_wait(a: Array, b: Array) -> bool:
    """Ones in a column before a row, or in a row behind a column: how many, the factor on the other side tells."""
    if isinstance(a, Lazy):
        return a.kind == "ones" and not _is_scalar(b)
    return isinstance(b, Lazy) and b.kind == "ones row" and not _is_scalar(a)


def _times(parts: tuple[Node, ...], scope: Scope) -> Array:
    return _entrywise(operator.mul, *(evaluate(part, scope) for part in parts))


def _by(parts: tuple[Node, ...], scope: Scope) -> Array:
    a, b = (evaluate(part, scope) for part in parts)
    if isinstance(a, Lazy) and a.kind not in _REPEATED:
        return a.scaled(1 / b)
    return _entrywise(operator.truediv, a, b)


def _kronecker(parts: tuple[Node, ...], scope: Scope) -> Array:
    a, b = (evaluate(part, replace(scope, shape=None)) for part in parts)
    lazy = [value.kind for value in (a, b) if isinstance(value, Lazy)]
    if lazy not in ([], ["square"]):
        raise UnreadableError("nothing tells the sizes of a Kronecker product")
    if isinstance(a, Lazy):  # a multiple of the identity, whose entry of size 1 is the multiple
        return Lazy("kronecker left", b * a.of_size(1))
    if isinstance(b, Lazy):
        return Lazy("kronecker right", a * b.of_size(1))
    return np.kron(a, b)


def _transposed(parts: tuple[Node, ...], scope: Scope) -> Array:
    value = evaluate(parts[0], replace(scope, shape=scope.shape and scope.shape[::-1]))
    if isinstance(value, Lazy):
        if value.kind in ("ones", "ones row"):
            return Lazy("ones row" if value.kind == "ones" else "ones", value.factor)
        raise UnreadableError(f"the transpose of {value.kind}")
    return transposed(value)


def _power(parts: tuple[Node, ...], scope: Scope) -> Array:
    return _entrywise(operator.pow, *(evaluate(part, scope) for part in parts))


def _call(parts: tuple[Any, ...], scope: Scope) -> Array:
    name, arguments = parts
    inner = scope if name in FUNCTIONS else replace(scope, shape=None)
    values = [evaluate(argument, inner) for argument in arguments]
    if name in FUNCTIONS:
        return _entrywise(getattr(NUMPY, name), *values)
    values = [_plain(value) for value in values]
    if name == "diag":
        (column,) = values
        if _is_scalar(column):  # a number stands for a vector of it
            return Lazy("square", lambda n: column * np.eye(n))
        return column * np.eye(column.shape[-2])
    if name == "vec":
        (matrix,) = values
        return transposed(matrix).reshape(*matrix.shape[:-2], -1, 1)
    if name == "argmax":
        (x,) = values
        return (x.real == np.max(x.real, axis=-2, keepdims=True)).astype(float)
    if name == "softmax":
        (x,) = values
        e = np.exp(x - np.max(x.real, axis=-2, keepdims=True))
        return e / e.sum(axis=-2, keepdims=True)
    raise UnreadableError(f"unknown function {name}")


def _stack(parts: tuple[Node, ...], scope: Scope) -> Array:
    """Under one another; with an identity or zeros among the parts, the surroundings tell the sizes."""
    inner = replace(scope, shape=None)
    if any(part.kind == "identity" or part == Node("number", (0.0,)) for part in parts):
        blocks = [
            "identity" if part.kind == "identity" else None if part == Node("number", (0.0,)) else evaluate(part, inner)
            for part in parts
        ]
        return Lazy("stack", blocks)
    values = [evaluate(part, inner) for part in parts]
    lead = np.broadcast_shapes(*(v.shape[:-2] for v in values))
    return np.concatenate([np.broadcast_to(v, (*lead, *v.shape[-2:])) for v in values], axis=-2)


def _slice(parts: tuple[Node, ...], scope: Scope) -> Array:
    """Entries are counted from 1, and the last one belongs to the slice."""
    value, start, stop = (evaluate(part, replace(scope, shape=None)) for part in parts)
    return value[..., int(np.real(start).item()) - 1 : int(np.real(stop).item()), :]


def _commutation(parts: tuple[Node, ...], scope: Scope) -> Array:
    """K_{m,n} vec(A) = vec(Aᵀ) for an m by n matrix A."""
    m, n = (int(np.real(evaluate(part, scope)).item()) for part in parts)
    result = np.zeros((m * n, m * n))
    for i in range(m):
        for j in range(n):
            result[i * n + j, j * m + i] = 1
    return result


_RULES: Mapping[str, Callable[[tuple[Any, ...], Scope], Array]] = {
    "name": lambda parts, scope: scope.value(parts[0]),
    "number": lambda parts, scope: np.full((1, 1), parts[0]),
    "sum": _sum,
    "negative": _negative,
    "product": _chain,
    "times": _times,
    "by": _by,
    "kronecker": _kronecker,
    "transposed": _transposed,
    "power": _power,
    "call": _call,
    "stack": _stack,
    "slice": _slice,
    "commutation": _commutation,
    "ones": lambda parts, scope: Lazy("ones"),
    "identity": lambda parts, scope: Lazy("square", np.eye),
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

            now[name] = settled(evaluate(right, Scope(value, self.shapes[name])), self.shapes[name])
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
