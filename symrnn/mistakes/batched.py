"""Expressions as functions of arrays with a leading batch axis: (N, rows, columns), parameters (rows, columns).

Compiled once to closures, because a diagnosis evaluates the same expressions many thousand times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from typing import Any, ClassVar

import numpy as np

from symrnn.algebra.evaluate import at_sizes
from symrnn.algebra.functions import Arithmetic
from symrnn.algebra.nodes import Expr, Node, Variable
from symrnn.arrays import Array
from symrnn.errors import MissingRuleError
from symrnn.language.evaluate import NUMPY


class Frame(dict[str, Array]):
    """The values of one time step by identifier, and a way to those of other steps.

    Attributes:
        tape: where values of other steps are.
        t: the step.
        edge: what is outside the sequence.
        after: the values of the step after, in a backward pass.
    """

    def __init__(self, tape: Any, t: int, values: Mapping[str, Array], edge: str = "around") -> None:
        super().__init__(values)
        self.tape = tape
        self.t = t
        self.edge = edge
        self.after: Frame | None = None

    def number(self, coefficient: Any) -> float:
        """A coefficient such as 2/d_h as a number."""
        return float(at_sizes(coefficient, self.tape.sizes))

    def size(self, dim: Any) -> int:
        """A size such as d_h + d_x as a number."""
        return int(at_sizes(dim, self.tape.sizes))

    def shape(self, expr: Expr) -> tuple[int, int]:
        """Rows and columns of an expression."""
        rows, cols = expr.shape
        return self.size(rows), self.size(cols)


Evaluated = Callable[[Frame], Array]


@lru_cache(maxsize=100_000)
def compiled(expr: Expr) -> Evaluated:
    """The function of a frame that gives an expression's value."""
    rule = _RULES.get(type(expr).__name__)
    if rule is not None:
        return rule(expr)
    if not isinstance(expr, Node):
        raise MissingRuleError(f"no rule to evaluate {type(expr).__name__}")
    # What the node says itself is right for a batch too; the table has what is evaluated so often that its time counts.
    return lambda frame: expr.evaluated(_InFrame(frame))


class _InFrame:
    """What a node asks for its value, in a frame."""

    arrays: ClassVar[Any] = np
    arithmetic: Arithmetic = NUMPY

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.size = frame.size

    def __call__(self, expr: Expr) -> Array:
        return compiled(expr)(self._frame)

    def scaled(self, number: Any, value: Array) -> Array:
        return value * self._frame.number(number)


# Marks are taken apart when the function is made, not at every frame that it reads.
def _variable(expr: Variable) -> Evaluated:
    name, (mark, _, how) = expr.name, expr.mark.partition(":")
    if mark == "first":  # a state at t-1, but for step 0
        usual, state = f"{expr.base}_prev", expr.base
        return lambda frame: frame[usual] if frame.t else frame.tape.first(state, how)
    if mark == "next":  # what the step after has computed
        return lambda frame: frame.after[how] if frame.after else np.zeros((frame.tape.batch, *frame.shape(expr)))
    if mark == "step":  # the value of one step, at every step
        return lambda frame: frame.tape.fixed(expr, int(how))
    # A value of another step, such as h_plus1, is in no frame.
    if expr.mark == "" and expr.time is not None and name not in (expr.base, f"{expr.base}_prev"):
        return lambda frame: frame.tape.at(expr, frame.t, frame.edge)

    def read(frame: Frame) -> Array:
        # The frame before the tape: a mistake may have put another value under the name.
        value = frame.get(name)
        return frame.tape.at(expr, frame.t, frame.edge) if value is None else value

    return read


def _sum(expr: Any) -> Evaluated:
    terms = [compiled(term) for term in expr.args]
    return lambda frame: reduce(np.add, [term(frame) for term in terms])


def _product(expr: Any) -> Evaluated:
    number, matrices = expr.as_coeff_matrices()
    factors = [compiled(matrix) for matrix in matrices]

    def value(frame: Frame) -> Array:
        # From the right: a column stays a column, where two matrices first would be a product of matrices.
        result = factors[-1](frame)
        for factor in reversed(factors[:-1]):
            result = factor(frame) @ result
        return result if number == 1 else frame.number(number) * result

    return value


def _hadamard(expr: Any) -> Evaluated:
    factors = [compiled(factor) for factor in expr.args]
    return lambda frame: reduce(np.multiply, [factor(frame) for factor in factors])


def _power(expr: Any) -> Evaluated:
    base, exponent = compiled(expr.args[0]), int(expr.args[1])
    # NumPy refuses whole numbers to negative whole powers; positive ones it multiplies out.
    return lambda frame: base(frame) ** float(exponent) if exponent < 0 else base(frame) ** exponent


def _act(expr: Any) -> Evaluated:
    function, operands = getattr(NUMPY, expr.name), [compiled(operand) for operand in expr.operands]
    return lambda frame: function(*(operand(frame) for operand in operands))


def _constant(make: Callable[[tuple[int, int]], Array]) -> Callable[[Any], Evaluated]:
    def rule(expr: Any) -> Evaluated:
        rows, cols = expr.shape
        return lambda frame: make((frame.size(rows), frame.size(cols)))

    return rule


def _on_operand(expr: Any, change: Callable[[Array, Frame], Array]) -> Evaluated:
    operand = compiled(expr.operand)
    return lambda frame: change(operand(frame), frame)


def _fill(expr: Any) -> Evaluated:
    rows, cols = expr.shape
    return _on_operand(expr, lambda x, f: np.broadcast_to(x, (*x.shape[:-2], f.size(rows), f.size(cols))))


def _stack(expr: Any) -> Evaluated:
    parts = [compiled(part) for part in expr.args]

    def value(frame: Frame) -> Array:
        values = [part(frame) for part in parts]
        # Parts that are made of constants have no batch axis, and `concatenate` does not add one.
        lead = np.broadcast_shapes(*(v.shape[:-2] for v in values))
        return np.concatenate([np.broadcast_to(v, lead + v.shape[-2:]) for v in values], axis=-2)

    return value


def _slice(expr: Any) -> Evaluated:
    start, stop = expr.bounds
    return _on_operand(expr, lambda x, f: x[..., f.size(start) : f.size(stop), :])


def _argmax(x: Array) -> Array:
    # Of equal entries the first, as the node has it: NumPy's argmax decides so too.
    return np.asarray(np.arange(x.shape[-2])[:, None] == np.argmax(x, axis=-2, keepdims=True), dtype=float)


def _softmax(x: Array) -> Array:
    # The largest entry becomes 0, so that nothing overflows; the quotient is the same.
    e = np.exp(x - np.max(x, axis=-2, keepdims=True))
    softmax: Array = e / np.sum(e, axis=-2, keepdims=True)
    return softmax


def _diagonal(expr: Any) -> Evaluated:
    inner = compiled(expr.args[0])
    return lambda frame: (lambda x: x * np.eye(x.shape[-2]))(inner(frame))


def _transposed(expr: Any) -> Evaluated:
    inner = compiled(expr.arg)
    return lambda frame: np.swapaxes(inner(frame), -1, -2)


_RULES: Mapping[str, Callable[[Any], Evaluated]] = {
    "Variable": _variable,
    "Sum": _sum,
    "Product": _product,
    "Hadamard": _hadamard,
    "Power": _power,
    "Act": _act,
    "Ones": _constant(np.ones),
    "Zeros": _constant(np.zeros),
    "Eye": _constant(lambda shape: np.eye(shape[0])),
    "Fill": _fill,
    "Total": lambda expr: _on_operand(expr, lambda x, f: x.sum(axis=(-1, -2), keepdims=True)),
    "Softmax": lambda expr: _on_operand(expr, lambda x, f: _softmax(x)),
    "Argmax": lambda expr: _on_operand(expr, lambda x, f: _argmax(x)),
    "Stack": _stack,
    "Slice": _slice,
    "Diag": _diagonal,
    "Transposed": _transposed,
}
